//! Why a company's score changed: what the [rule](barometer_domain::why) needs, read from the table.

use std::collections::BTreeMap;

use barometer_domain::{
    CompanyId, IsoWeek, Month, Settings, UserId, WorkspaceId,
    answer::{self, latest_per_user},
    component::UsesOfWeek,
    member,
    month::MonthSnapshot,
    week::{WeekSnapshot, counted_answers},
    what_if::rescore,
    why::{self as rule, AnswerMoves, AnswersOfWeek, Why},
};
use serde::Serialize;

use crate::{
    StoreError, Table,
    asking::is_excluded,
    http::Problem,
    table::{answers::Answer, members::Member, settings::SettingsVersion, snapshots::Published},
};

/// Weeks before a week whose uses count in its breadth.
const LOOK_BACK_WEEKS: i64 = 3;

/// A change, explained from the latest revisions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Explained {
    /// The explanation.
    #[serde(flatten)]
    pub why: Why,
    /// The revision of the older side.
    pub from_revision: u32,
    /// The revision of the newer side.
    pub to_revision: u32,
}

/// Why a change can't be explained.
#[derive(Debug, thiserror::Error)]
pub enum WhyError {
    /// The company has no snapshot of this week or month.
    #[error("there is no snapshot of {0}")]
    NoSnapshot(String),
    /// A version of the settings that a snapshot names isn't there.
    #[error("there is no version {0} of the settings")]
    NoSettings(u32),
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<WhyError> for Problem {
    fn from(error: WhyError) -> Self {
        match error {
            WhyError::NoSnapshot(_) => Self::not_found(error.to_string()),
            WhyError::NoSettings(version) => {
                tracing::error!(version, "a version of the settings is missing");
                Self::internal()
            }
            WhyError::Store(error) => error.into(),
        }
    }
}

/// Explains the change from one week's score to a later one's.
pub async fn weeks(
    table: &Table,
    workspace: &WorkspaceId,
    company: &CompanyId,
    from: IsoWeek,
    to: IsoWeek,
) -> Result<Explained, WhyError> {
    let (until_from, of_to) = tokio::try_join!(
        table.weeks(workspace, company, from.plus(-LOOK_BACK_WEEKS), from),
        table.weeks(workspace, company, to, to),
    )?;
    let before = of_week(&until_from, from)?;
    let after = of_week(&of_to, to)?;
    let new = version(table, workspace, after.snapshot.settings_version).await?;
    let old = match before.snapshot.settings_version {
        same if same == new.version => new.clone(),
        other => version(table, workspace, other).await?,
    };
    let ends = [(&before.snapshot, &old.settings), (&after.snapshot, &new.settings)];
    let moves = moves(table, workspace, company, ends).await?;
    let uses = until_from.iter().map(|week| (week.snapshot.period, &week.snapshot.uses)).collect();
    let before_under_new = under(&before.snapshot, &uses, &new);
    Ok(Explained {
        why: rule::weeks(&before.snapshot, &before_under_new, &after.snapshot, &new.settings, Some(moves)),
        from_revision: before.revision,
        to_revision: after.revision,
    })
}

/// Explains the change from one month's score to a later one's.
pub async fn months(
    table: &Table,
    workspace: &WorkspaceId,
    company: &CompanyId,
    from: Month,
    to: Month,
) -> Result<Explained, WhyError> {
    let (before, after) =
        tokio::join!(month(table, workspace, company, from), month(table, workspace, company, to));
    // The older one is named when neither is there.
    let (before, after) = (before?, after?);
    let new = version(table, workspace, after.snapshot.settings_version).await?;
    let (from_weeks, to_weeks) = tokio::try_join!(
        weeks_under(table, workspace, company, &before.snapshot, &new),
        weeks_under(table, workspace, company, &after.snapshot, &new),
    )?;
    Ok(Explained {
        why: rule::months(&before.snapshot, &from_weeks, &after.snapshot, &to_weeks, &new.settings),
        from_revision: before.revision,
        to_revision: after.revision,
    })
}

fn of_week(weeks: &[Published<WeekSnapshot>], week: IsoWeek) -> Result<&Published<WeekSnapshot>, WhyError> {
    let found = weeks.iter().find(|published| published.snapshot.period == week);
    found.ok_or_else(|| WhyError::NoSnapshot(week.to_string()))
}

async fn month(
    table: &Table,
    workspace: &WorkspaceId,
    company: &CompanyId,
    month: Month,
) -> Result<Published<MonthSnapshot>, WhyError> {
    let found = table.months(workspace, company, month, month).await?.pop();
    found.ok_or_else(|| WhyError::NoSnapshot(month.to_string()))
}

async fn version(table: &Table, workspace: &WorkspaceId, version: u32) -> Result<SettingsVersion, WhyError> {
    table.settings_version(workspace, version).await?.ok_or(WhyError::NoSettings(version))
}

/// The weeks that went into a month, in the revisions that did, under settings.
async fn weeks_under(
    table: &Table,
    workspace: &WorkspaceId,
    company: &CompanyId,
    month: &MonthSnapshot,
    settings: &SettingsVersion,
) -> Result<Vec<WeekSnapshot>, StoreError> {
    let revisions: BTreeMap<IsoWeek, u32> =
        month.weeks.iter().map(|listed| (listed.week, listed.revision)).collect();
    let (Some(first), Some(last)) = (revisions.keys().next(), revisions.keys().last()) else {
        return Ok(Vec::new());
    };
    let found = table.weeks_with_revisions(workspace, company, first.plus(-LOOK_BACK_WEEKS), *last).await?;
    // Revisions come in their order: of a week that isn't listed the latest stays.
    let weeks: BTreeMap<IsoWeek, WeekSnapshot> = found
        .into_iter()
        .filter(|week| revisions.get(&week.snapshot.period).is_none_or(|listed| *listed == week.revision))
        .map(|week| (week.snapshot.period, week.snapshot))
        .collect();
    let uses = weeks.iter().map(|(week, snapshot)| (*week, &snapshot.uses)).collect();
    let listed = revisions.keys().filter_map(|week| weeks.get(week));
    Ok(listed.map(|week| under(week, &uses, settings)).collect())
}

/// A week under settings: as it is when it was scored with them, else scored again.
fn under(
    week: &WeekSnapshot,
    uses: &BTreeMap<IsoWeek, &UsesOfWeek>,
    settings: &SettingsVersion,
) -> WeekSnapshot {
    if week.settings_version == settings.version {
        return week.clone();
    }
    let none = UsesOfWeek::new();
    let before = [-1, -2, -3].map(|back| uses.get(&week.period.plus(back)).copied().unwrap_or(&none));
    rescore(week, before, &settings.settings, settings.version)
}

/// What happened to the counted answers between two weeks, each under its settings.
async fn moves(
    table: &Table,
    workspace: &WorkspaceId,
    company: &CompanyId,
    ends: [(&WeekSnapshot, &Settings); 2],
) -> Result<AnswerMoves, StoreError> {
    let [until_from, until] = ends.map(|(week, settings)| week.period.end(settings.time_zone));
    let [since_from, since_to] =
        ends.map(|(week, settings)| week.period.end(settings.time_zone) - settings.answer_age());
    let (answers, members) = tokio::try_join!(
        table.answers(workspace, company, since_from.min(since_to), until_from.max(until)),
        table.members(workspace, company),
    )?;
    let [counted_before, counted] =
        ends.map(|(week, settings)| counted_in(week, settings, &answers, &members));
    let [(before, old), (after, new)] = ends;
    Ok(AnswerMoves::between(
        AnswersOfWeek { week: before.period, settings: old, answers: &counted_before },
        AnswersOfWeek { week: after.period, settings: new, answers: &counted },
    ))
}

/// The answers that counted in a week. An answer that is void now may have counted then, and nothing tells when it was
/// voided; it did when the snapshot's count says so.
fn counted_in(
    week: &WeekSnapshot,
    settings: &Settings,
    answers: &[Answer],
    members: &[Member],
) -> Vec<answer::Answer> {
    let seats: BTreeMap<UserId, member::Member> = members
        .iter()
        .map(|member| {
            let excluded = is_excluded(settings, &member.user_id, member.email.as_deref());
            (member.user_id.clone(), member.seat(excluded))
        })
        .collect();
    let of = |answers: Vec<answer::Answer>| counted_answers(&answers, &seats, settings, week.period);
    let valid = of(answers.iter().filter_map(Answer::counted).collect());
    let with_void = of(answers.iter().map(Answer::given).collect());
    let end = week.period.end(settings.time_zone);
    let agrees = |answers: &[answer::Answer]| {
        let users = latest_per_user(answers, end, settings.answer_age()).len();
        u32::try_from(users).is_ok_and(|users| users == week.components.feedback.counts.answers)
    };
    if !agrees(&valid) && agrees(&with_void) { with_void } else { valid }
}
