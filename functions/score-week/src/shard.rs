//! The companies of one shard: read, scored by the rules, published.

use std::collections::BTreeMap;

use barometer_cloud::{
    StoreError, Table,
    asking::is_excluded,
    bus::{DetailType, Event},
    happiness,
    sharded::{Outcome, RunError},
    table::{
        answers::Answer,
        asks::Ask,
        companies::{Company, Engagement, Readings, TREND_WEEKS, TrendPoint},
        members::Member,
        runs::{Pass, Run, Step},
        settings::SettingsVersion,
        snapshots::Published,
    },
    views::no_happiness,
};
use barometer_domain::{
    CompanyId, IsoWeek, Settings, UserId, WorkspaceId, Zone,
    activity::UserWeek,
    automation::{Settled, settle},
    band::Band,
    calendar::SLOT_SECONDS,
    happiness::{Happiness, Level},
    tally::Scored,
    telemetry::{REGULAR_WEEKS, Telemetry},
    week::{self, CompanyWeek, History, WeekSnapshot},
};
use chrono::{DateTime, TimeDelta, Utc};

use crate::{Deps, ShardDetail, finish, watch};

/// What all companies of a shard are scored with.
pub struct Context<'a> {
    pub table: &'a Table,
    pub workspace: &'a WorkspaceId,
    pub week: IsoWeek,
    pass: Pass,
    pub settings: &'a Settings,
    settings_version: u32,
    pub telemetry: Telemetry,
    pub now: DateTime<Utc>,
}

/// A company's week as scoring publishes it, from what is stored: with the settings and the telemetry of the week's
/// run. Writes nothing. Errors: the table, and items that can't be read.
pub async fn recompute(
    table: &Table,
    workspace: &WorkspaceId,
    company: &Company,
    week: IsoWeek,
    settings: &SettingsVersion,
    telemetry: Telemetry,
) -> Result<WeekSnapshot, StoreError> {
    let context = Context {
        table,
        workspace,
        week,
        pass: Pass::Final,
        settings: &settings.settings,
        settings_version: settings.version,
        telemetry,
        now: week.end(settings.settings.time_zone),
    };
    let read = context.read(&company.company_id).await?;
    context.snapshot(company, &read).await
}

/// Scores the companies of a shard. A shard that is done already is left alone.
pub async fn score(
    deps: &Deps,
    detail: &ShardDetail,
    run: &Run,
    telemetry: Telemetry,
) -> Result<Outcome, RunError> {
    let workspace = &detail.workspace_id;
    if run.done.contains(&detail.shard) {
        return Ok(Outcome::default());
    }
    let settings = deps.table.settings_version(workspace, run.settings_version).await?;
    let settings = settings.ok_or(RunError::Missing("version of the settings"))?;
    let walk = detail.walk(deps, Step::Score);
    let context = Context {
        table: &deps.table,
        workspace,
        week: detail.week,
        pass: detail.pass,
        settings: &settings.settings,
        settings_version: settings.version,
        telemetry,
        now: detail.occurred_at,
    };
    let context = &context;
    let mut outcome = Outcome::default();
    let mut progress = walk.begin().await?;
    while let Some(mut page) = walk.page(&progress, |company| context.score_company(company)).await? {
        outcome.companies += page.brought.len();
        outcome.published += page.brought.iter().filter(|done| done.published).count();
        let events: Vec<Event> = page.brought.iter_mut().flat_map(|done| done.events.drain(..)).collect();
        deps.table.publish_or_leave(&deps.bus, workspace, &events).await;
        if let Some(after) = walk.keep(&mut progress, page).await? {
            detail.hand_over(deps, Step::Score, &after).await?;
            return Ok(Outcome { handed_over: true, ..outcome });
        }
    }
    outcome.failed = usize::try_from(progress.failed).unwrap_or(usize::MAX);
    let run = deps.table.shard_done(workspace, walk.key, detail.shard).await?;
    if run.is_complete() {
        finish::finish(deps, workspace, detail.week, walk.key, &run, detail.occurred_at).await?;
    }
    Ok(outcome)
}

/// What was read of one company.
pub struct Read {
    activity: BTreeMap<UserId, UserWeek>,
    pub members: Vec<Member>,
    pub answers: Vec<Answer>,
    pub asks: Vec<Ask>,
}

/// What scoring one company did.
#[derive(Default)]
struct Done {
    published: bool,
    events: Vec<Event>,
}

impl Context<'_> {
    async fn score_company(&self, id: CompanyId) -> Result<Done, RunError> {
        let id = &id;
        let zone = self.settings.time_zone;
        let Some(company) = self.table.company(self.workspace, id).await? else {
            return Ok(Done::default());
        };
        let gone = company.churned_on.is_some_and(|churned| churned <= self.week.thursday());
        if gone || company.created_at >= self.week.end(zone) {
            return Ok(Done::default());
        }
        let read = self.read(id).await?;
        let snapshot = self.snapshot(&company, &read).await?;
        let before = self.table.week_revisions(self.workspace, id, self.week).await?.pop();
        let unchanged = before.as_ref().is_some_and(|before| before.snapshot == snapshot);
        let revision = before.as_ref().map_or(1, |before| before.revision + u32::from(!unchanged));

        let happiness = happiness::compute(&read.answers, &read.members, &read.asks, self.settings, self.now);
        let readings = self.readings(&company, &snapshot, revision, &read, &happiness);
        let mut events = self.events(&company, &readings, &happiness)?;
        let published = Published { revision, published_at: self.now, snapshot };
        if unchanged {
            // No new snapshot, but answers may have expired since, or a crash came between snapshot and row.
            self.table.publish_readings(self.workspace, id, &readings, &events).await?;
        } else {
            self.table.publish_week(self.workspace, id, &published, &readings, &events).await?;
        }
        events.extend(watch::company(self, &company, &published.snapshot, &read, &happiness).await?);
        Ok(Done { published: !unchanged, events })
    }

    /// Everything that score and happiness of a company need, each read once.
    async fn read(&self, id: &CompanyId) -> Result<Read, StoreError> {
        let age = self.settings.answer_age();
        let cadence = self.settings.cadence_days.duration();
        let end = self.week.end(self.settings.time_zone);
        let members = self.table.members(self.workspace, id).await?;
        // A company nobody of which was ever asked has no asks to read.
        let asked = members.iter().any(|member| member.asks > 0);
        Ok(Read {
            activity: self.table.activity_of_week(self.workspace, id, self.week).await?,
            // One cadence more than counts today: a drop of happiness is one against what counted then.
            answers: self
                .table
                .answers(self.workspace, id, end.min(self.now) - age - cadence, end.max(self.now))
                .await?,
            asks: if asked { self.table.asks(self.workspace, id).await? } else { Vec::new() },
            members,
        })
    }

    async fn snapshot(&self, company: &Company, read: &Read) -> Result<WeekSnapshot, StoreError> {
        let id = &company.company_id;
        let excluded = |member: &Member| is_excluded(self.settings, &member.user_id, member.email.as_deref());
        let members = read
            .members
            .iter()
            .map(|member| {
                let mut seat = member.seat(excluded(member));
                // Activity may be older than the call that told its company: whoever was active was there.
                let active = read.activity.get(&member.user_id).and_then(|week| week.days.first());
                if let Some(active) = active.and_then(|day| self.week.date_of(*day)) {
                    seat.first_seen = seat.first_seen.min(active);
                }
                (member.user_id.clone(), seat)
            })
            .collect();
        let answers: Vec<_> = read.answers.iter().filter_map(Answer::counted).collect();
        let before = self.table.weeks_before(self.workspace, id, self.week).await?;
        Ok(week::score(&CompanyWeek {
            week: self.week,
            settings: self.settings,
            settings_version: self.settings_version,
            started: self.settings.time_zone.date(company.created_at),
            plan: company.plan.as_deref(),
            members: &members,
            activity: &read.activity,
            answers: &answers,
            history: &history(&before, self.week),
            telemetry: self.telemetry_of(id, &read.activity).await?,
        }))
    }

    /// The workspace's telemetry, unless this company has never sent anything.
    async fn telemetry_of(
        &self,
        company: &CompanyId,
        activity: &BTreeMap<UserId, UserWeek>,
    ) -> Result<Telemetry, StoreError> {
        if self.telemetry != Telemetry::Normal || !activity.is_empty() {
            return Ok(self.telemetry);
        }
        let heard = self.table.heard_until(self.workspace, company, self.week).await?;
        Ok(if heard { Telemetry::Normal } else { Telemetry::NeverSent })
    }

    /// What the row of the company is to say; only what differs from what it says.
    fn readings(
        &self,
        company: &Company,
        snapshot: &WeekSnapshot,
        revision: u32,
        read: &Read,
        happiness: &Happiness,
    ) -> Readings {
        let known = company.happiness.clone().unwrap_or_else(no_happiness);
        let seen = last_seen(&read.activity, self.week, self.settings.time_zone);
        let engagement = engagement(company.engagement.as_ref(), snapshot, revision);
        let engagement = engagement.filter(|new| company.engagement.as_ref() != Some(new));
        let settled = engagement.as_ref().map(|engagement| self.settled_band(company, engagement));
        let level = self.settled_level(company, happiness).transition().map(|(_, level)| level);
        Readings {
            engagement,
            settled_band: settled.filter(|settled| company.settled_band != Some(*settled)),
            month: None,
            happiness: Some(happiness.clone()).filter(|new| *new != known),
            settled_level: level,
            last_seen_at: seen.filter(|seen| company.last_seen_at.is_none_or(|known| *seen > known)),
        }
    }

    /// Rule: what automations take the engagement for. A company that is new, or of which too little is known, leaves it as
    /// it is.
    fn settled_band(&self, company: &Company, engagement: &Engagement) -> Settled<Band> {
        let same_week = company.engagement.as_ref().is_some_and(|known| known.week == engagement.week);
        let before = match company.settled_band {
            Some(settled) if same_week => settled.before,
            Some(settled) => settled.now,
            // Scored before this was kept: nothing has happened since.
            None => engagement.previous.and_then(|previous| previous.band.band()),
        };
        let previous = engagement.previous.and_then(|previous| previous.band.band());
        let score = engagement.score.filter(|_| engagement.band.band().is_some());
        let now = score.map_or(before, |score| settle(self.settings.bands, before, previous, score));
        Settled { before, now }
    }

    /// Rule: what automations take the happiness for: a level is held when the weekly scoring finds it again.
    fn settled_level(&self, company: &Company, happiness: &Happiness) -> Settled<Level> {
        let previous = company.happiness.as_ref().map(|known| known.level);
        happiness::settled(company.settled_level, previous, happiness, self.settings)
    }

    /// Events of readings that moved to another band or level.
    fn events(
        &self,
        company: &Company,
        readings: &Readings,
        happiness: &Happiness,
    ) -> Result<Vec<Event>, StoreError> {
        let mut events = Vec::new();
        if let (Some(from), Some(to)) = (&company.engagement, &readings.engagement)
            && from.band != to.band
        {
            let change = serde_json::json!({
                "from": from.band, "to": to.band, "by": "score-week",
                "week": to.week, "revision": to.revision, "score": to.score,
            });
            let key = format!("{} {}", to.week, to.revision);
            events.push(self.event(DetailType::EngagementChanged, company, &key, &change)?);
        }
        if let Some((from, to)) = readings.settled_band.and_then(Settled::transition) {
            let change = serde_json::json!({ "from": from, "to": to, "by": "score-week", "week": self.week });
            let key = format!("{} {to:?}", self.week);
            events.push(self.event(DetailType::EngagementSettled, company, &key, &change)?);
        }
        let from = company.happiness.as_ref().map_or(Level::NoData, |known| known.level);
        if let Some(to) = readings.happiness.as_ref().filter(|to| to.level != from) {
            let change =
                serde_json::json!({ "from": from, "to": to.level, "by": "score-week", "score": to.score });
            let key = format!("{} {:?} {:?}", self.week, self.pass, to.level);
            events.push(self.event(DetailType::HappinessChanged, company, &key, &change)?);
        }
        let key = format!("{} {:?}", self.week, self.pass);
        let settled = self.settled_level(company, happiness);
        let id = &company.company_id;
        events.extend(happiness::settled_event(self.workspace, id, settled, (self.now, &key))?);
        Ok(events)
    }

    fn event(
        &self,
        kind: DetailType,
        company: &Company,
        key: &str,
        change: &serde_json::Value,
    ) -> Result<Event, StoreError> {
        Ok(Event::new(kind, self.workspace, Some(&company.company_id), self.now, key, change)?)
    }
}

/// What the snapshots before a week say.
fn history(before: &[Published<WeekSnapshot>], week: IsoWeek) -> History {
    let uses = |back: i64| {
        let of_week = before.iter().find(|published| published.snapshot.period == week.plus(-back));
        of_week.map(|published| published.snapshot.uses.clone()).unwrap_or_default()
    };
    History {
        valid_weeks: before.last().map_or(0, |published| published.snapshot.valid_weeks),
        uses: [uses(1), uses(2), uses(3)],
    }
}

/// The row's engagement after a week was scored; nothing when the row already shows a later week, which only
/// gets its trend corrected by its own scoring.
fn engagement(current: Option<&Engagement>, snapshot: &WeekSnapshot, revision: u32) -> Option<Engagement> {
    if current.is_some_and(|current| current.week > snapshot.period) {
        return None;
    }
    let previous = match current {
        Some(current) if current.week == snapshot.period => current.previous,
        Some(current) if current.week == snapshot.period.previous() => {
            Some(Scored { band: current.band, score: current.score })
        }
        _ => None,
    };
    let mut trend: Vec<TrendPoint> = current.map(|current| current.trend.clone()).unwrap_or_default();
    trend.retain(|point| point.week != snapshot.period);
    trend.push(TrendPoint { week: snapshot.period, score: snapshot.score });
    let surplus = trend.len().saturating_sub(TREND_WEEKS);
    trend.drain(..surplus);
    let mut heard: Vec<IsoWeek> = current.map(|current| current.heard.clone()).unwrap_or_default();
    // One more than the regular weeks: the second scoring of this week asks for the four before it again.
    heard.retain(|week| *week != snapshot.period && snapshot.period.since(*week) <= REGULAR_WEEKS);
    if snapshot.heard {
        heard.push(snapshot.period);
    }
    Some(Engagement {
        week: snapshot.period,
        revision,
        score: snapshot.score,
        shown: snapshot.shown,
        band: snapshot.band,
        coverage: snapshot.coverage,
        confidence: snapshot.confidence,
        components: snapshot.components,
        trend,
        heard,
        previous,
    })
}

/// The end of the latest slot in which anything happened.
fn last_seen(activity: &BTreeMap<UserId, UserWeek>, week: IsoWeek, zone: Zone) -> Option<DateTime<Utc>> {
    let slot = activity.values().filter_map(|done| done.slots.last()).max()?;
    Some(week.start(zone) + TimeDelta::seconds(i64::from(*slot) * SLOT_SECONDS))
}
