//! What each unit of an export reads.

use std::collections::BTreeMap;

use barometer_cloud::{
    StoreError,
    http::Problem,
    sources::Overview,
    table::{
        asks::{Ask, AskState},
        audit::Span,
        cases::{Case, Content},
        companies::Company,
        credentials::ApiToken,
        instant_key,
        team::Member,
    },
    views::{self, CompanyView},
};
use barometer_domain::{
    CompanyId, IsoWeek, Month, SendId, UserId,
    activity::{FeatureSource, UserWeek},
    alert::Alert,
    disagreement::Disagreement,
    task::Task,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::{Export, Line, Lines, Unit};
use crate::{
    actions::ActionView,
    alerts::AlertView,
    audit::EntryView,
    company::{months::MonthView, users, weeks::Week},
    disagreements::DisagreementView,
    feedback::AnswerView,
    members::MemberView,
    overview::OverviewView,
    settings::Shown,
    sources::SourceView,
    tasks::TaskView,
    tokens::TokenView,
    webhooks::WebhookView,
};

/// Lines that are read at a time.
const STEP: usize = 500;

/// A company with what the product told of it beside what has a field.
#[derive(Serialize, schemars::JsonSchema)]
struct Told {
    #[serde(flatten)]
    company: CompanyView,
    traits: BTreeMap<String, String>,
}

/// A mail that asked.
#[derive(Serialize, schemars::JsonSchema)]
struct Mail {
    send_id: SendId,
    user_id: UserId,
    cycle: u32,
    state: AskState,
    reason: Option<String>,
    planned_at: DateTime<Utc>,
    accepted_at: Option<DateTime<Utc>>,
    answered_at: Option<DateTime<Utc>>,
}

/// What a user did in a week.
#[derive(Serialize, schemars::JsonSchema)]
struct Activity {
    week: IsoWeek,
    user_id: UserId,
    /// The days, 1 = Monday … 7 = Sunday.
    days: Vec<u8>,
    uses: Vec<Use>,
    /// Five-minute slots since the week's start in the workspace's zone.
    slots: Vec<u16>,
}

#[derive(Serialize, schemars::JsonSchema)]
struct Use {
    day: u8,
    source: &'static str,
    name: String,
}

impl Activity {
    fn new(week: IsoWeek, user_id: UserId, done: UserWeek) -> Self {
        let uses = done.uses.into_iter().map(|used| Use {
            day: used.day,
            source: match used.sighting.source {
                FeatureSource::Property => "property",
                FeatureSource::Event => "event",
                FeatureSource::View => "view",
            },
            name: used.sighting.name,
        });
        Self {
            week,
            user_id,
            days: done.days.into_iter().collect(),
            uses: uses.collect(),
            slots: done.slots.into_iter().collect(),
        }
    }
}

impl From<Ask> for Mail {
    fn from(ask: Ask) -> Self {
        let Ask { send_id, user_id, cycle, state, reason, planned_at, accepted_at, answered_at, .. } = ask;
        Self { send_id, user_id, cycle, state, reason, planned_at, accepted_at, answered_at }
    }
}

/// The next lines behind a place, out of all of a unit.
fn lines<T: Serialize>(
    kind: &str,
    company_id: Option<&CompanyId>,
    items: impl IntoIterator<Item = (String, T)>,
    after: Option<&str>,
) -> Result<Lines, Problem> {
    let mut items: Vec<(String, T)> =
        items.into_iter().filter(|(key, _)| after.is_none_or(|after| key.as_str() > after)).collect();
    items.sort_by(|(a, _), (b, _)| a.cmp(b));
    let more = items.len() > STEP;
    let written = items.into_iter().take(STEP).map(|(key, data)| {
        let line = serde_json::to_string(&Line { kind, company_id, data }).map_err(StoreError::from)?;
        Ok::<_, Problem>((key, line))
    });
    Ok(Lines { lines: written.collect::<Result<_, _>>()?, more })
}

impl Export<'_> {
    /// Lines of what belongs to the workspace.
    pub(super) async fn of_workspace(&self, unit: Unit, after: Option<&str>) -> Result<Lines, Problem> {
        let (table, workspace) = (&self.deps.table, &self.caller.workspace);
        match unit {
            Unit::Settings => {
                let found = table.settings_versions(workspace).await?;
                let found = found.into_iter().map(|of| (format!("{:010}", of.version), Shown::from(of)));
                lines("settings", None, found, after)
            }
            Unit::Sources => {
                let found = Overview::all(table, workspace, self.now).await?;
                let found = found.into_iter().map(|of| (of.source.id.clone(), SourceView::new(of, self.now)));
                lines("source", None, found, after)
            }
            Unit::Webhooks => {
                let view = |of| WebhookView::new(of, self.deps.webhooks.reach(), self.now);
                let found = table.webhooks(workspace).await?;
                lines("webhook", None, found.into_iter().map(|of| (of.id.clone(), view(of))), after)
            }
            Unit::Tokens => {
                let found = table.api_tokens(workspace).await?;
                let key = |of: &ApiToken| of.credential.id.clone();
                lines("api_token", None, found.into_iter().map(|of| (key(&of), TokenView::from(of))), after)
            }
            Unit::Members => {
                let found = table.team(workspace).await?;
                let key = |of: &Member| of.id.clone();
                lines("member", None, found.into_iter().map(|of| (key(&of), MemberView::from(of))), after)
            }
            Unit::Overviews => {
                let found = table.overviews(workspace).await?;
                let found = found.into_iter().map(|(key, period, of)| (key, OverviewView::new(period, of)));
                lines("overview", None, found, after)
            }
            Unit::WorkspaceAlerts => {
                let found = table.cases_of_workspace::<Alert>(workspace).await?;
                lines("alert", None, found.into_iter().map(|of| (key(&of), AlertView::from(of))), after)
            }
            Unit::Audit => self.audit(after).await,
            _ => Ok(Lines::default()),
        }
    }

    async fn audit(&self, after: Option<&str>) -> Result<Lines, Problem> {
        // The workspace's own beginning isn't asked for: no entry is older than its first settings.
        let (table, workspace) = (&self.deps.table, &self.caller.workspace);
        let first = table.settings_version(workspace, 1).await?.map(|version| version.saved_at);
        let span = Span { from: first.unwrap_or(self.now), to: self.now + TimeDelta::seconds(1) };
        let found = table.audit(workspace, span, after, false, STEP).await?;
        let more = found.len() == STEP;
        let found =
            lines("audit", None, found.into_iter().map(|of| (of.place(), EntryView::from(of))), after)?;
        Ok(Lines { more, ..found })
    }

    /// Lines of what belongs to a company.
    pub(super) async fn of_company(
        &self,
        company: &Company,
        unit: Unit,
        after: Option<&str>,
    ) -> Result<Lines, Problem> {
        let (table, workspace, id) = (&self.deps.table, &self.caller.workspace, &company.company_id);
        let (now, zone) = (self.now, self.settings.time_zone);
        let of = Some(id);
        match unit {
            Unit::Company => {
                let told = Told {
                    company: views::company(company, &self.settings, now),
                    traits: company.traits.clone(),
                };
                lines("company", of, [(String::new(), told)], after)
            }
            Unit::Users => {
                let mut found = table.members(workspace, id).await?;
                found.retain(|member| after.is_none_or(|after| member.user_id.as_str() > after));
                let more = found.len() > STEP;
                found.truncate(STEP);
                let found = users::views(table, workspace, found, company, &self.settings, now).await?;
                let found =
                    lines("user", of, found.into_iter().map(|user| (user.id().to_string(), user)), after)?;
                Ok(Lines { more, ..found })
            }
            Unit::Statuses => {
                let found = table.status_changes(workspace, id).await?;
                let found =
                    found.into_iter().map(|of| (format!("{}#{}", instant_key(of.status.set_at), of.id), of));
                lines("status_change", of, found, after)
            }
            Unit::Answers => {
                let found = table.answers(workspace, id, DateTime::UNIX_EPOCH, now).await?;
                let found = found.into_iter().map(|of| {
                    let (at, view) = (of.at, AnswerView::new(id.clone(), of));
                    (format!("{}#{}", instant_key(at), view.id()), view)
                });
                lines("answer", of, found, after)
            }
            Unit::Mails => {
                let found = table.asks(workspace, id).await?;
                lines("mail", of, found.into_iter().map(|of| (of.send_id.to_string(), Mail::from(of))), after)
            }
            Unit::Alerts => {
                let found = table.cases_of::<Alert>(workspace, id).await?;
                lines("alert", of, found.into_iter().map(|of| (key(&of), AlertView::from(of))), after)
            }
            Unit::Tasks => {
                let found = table.cases_of::<Task>(workspace, id).await?;
                lines("task", of, found.into_iter().map(|of| (key(&of), TaskView::new(of, now))), after)
            }
            Unit::Disagreements => {
                let found = table.cases_of::<Disagreement>(workspace, id).await?;
                let found = found.into_iter().map(|of| (key(&of), DisagreementView::from(of)));
                lines("disagreement", of, found, after)
            }
            Unit::Weeks => {
                let to = IsoWeek::at(now, zone);
                let found = table
                    .weeks_with_revisions(workspace, id, IsoWeek::of(DateTime::UNIX_EPOCH.date_naive()), to)
                    .await?;
                let found = found.into_iter().map(|of| Week::new(of, zone, now));
                lines("week", of, found.map(|week| (week.key(), week)), after)
            }
            Unit::Months => {
                let to = Month::of(zone.date(now)).next();
                let found =
                    table.months(workspace, id, Month::of(DateTime::UNIX_EPOCH.date_naive()), to).await?;
                let found = found
                    .into_iter()
                    .map(|of| (of.snapshot.period.to_string(), MonthView::new(of, zone, now)));
                lines("month", of, found, after)
            }
            Unit::Actions => {
                let found = table.actions_since(workspace, id, DateTime::UNIX_EPOCH).await?;
                let key = |at, id| format!("{}#{id}", instant_key(at));
                let found =
                    found.into_iter().map(|of| (key(of.occurred_at, of.place().id()), ActionView::from(of)));
                lines("action", of, found, after)
            }
            Unit::Activity => self.activity(id, after).await,
            _ => Ok(Lines::default()),
        }
    }

    /// Activity, week by week until there is enough for a step.
    async fn activity(&self, id: &CompanyId, after: Option<&str>) -> Result<Lines, Problem> {
        let (table, workspace) = (&self.deps.table, &self.caller.workspace);
        let reached = after.and_then(|after| after.split('#').next()?.parse().ok());
        let first = match reached {
            Some(week) => Some(week),
            None => table.first_heard(workspace, id).await?,
        };
        let Some(mut week): Option<IsoWeek> = first else { return Ok(Lines::default()) };
        // Clocks of clients may run fast.
        let last = IsoWeek::at(self.now, self.settings.time_zone).next();
        let mut found = Vec::new();
        while week <= last && found.len() <= STEP {
            for (user, done) in table.activity_of_week(workspace, id, week).await? {
                let key = format!("{week}#{user}");
                if after.is_none_or(|after| key.as_str() > after) {
                    found.push((key, Activity::new(week, user, done)));
                }
            }
            week = week.next();
        }
        let more = week <= last;
        let found = lines("activity", Some(id), found, after)?;
        Ok(Lines { more: more || found.more, ..found })
    }
}

fn key<T: Content>(case: &Case<T>) -> String {
    format!("{}#{:06}", case.place.series, case.place.number)
}
