//! The weekly snapshot of a company: everything that its score says, and enough to recompute it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::{
    Percent, Settings, UserId,
    activity::UserWeek,
    answer::Answer,
    band::Standing,
    calendar::IsoWeek,
    component::{self, Adoption, Components, UsesOfWeek, Voices},
    member::Member,
    settings::MissingPolicy,
    telemetry::Telemetry,
};

/// A company is onboarding for its first 28 days and until it has two valid weeks.
pub const ONBOARDING_DAYS: u64 = 28;
/// Valid weeks that end onboarding, when 28 days are over too.
pub const ONBOARDING_WEEKS: u32 = 2;

/// How much a score can be relied on. The shown score is never bent by it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Fewer than 5 users, coverage below 100 %, or fewer than 3 valid weeks.
    Low,
    /// Neither low nor high.
    Medium,
    /// 10 users or more, full coverage, 4 valid weeks or more and 3 answers or more.
    High,
}

impl Confidence {
    /// Rule: confidence.
    pub fn of(users: u32, coverage: Percent, valid_weeks: u32, answers: u32) -> Self {
        if users < 5 || coverage < Percent::FULL || valid_weeks < 3 {
            Self::Low
        } else if users >= 10 && valid_weeks >= 4 && answers >= 3 {
            Self::High
        } else {
            Self::Medium
        }
    }
}

/// What earlier snapshots of the company say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    /// Weeks with a score before this one.
    pub valid_weeks: u32,
    /// What was used in the three weeks before this one, the nearest first; empty where there is no snapshot.
    pub uses: [UsesOfWeek; 3],
}

/// Everything that the score of one company and week is computed from.
pub struct CompanyWeek<'a> {
    /// The week.
    pub week: IsoWeek,
    /// The workspace's settings and their version.
    pub settings: &'a Settings,
    /// The version of the settings.
    pub settings_version: u32,
    /// The local day on which the company began.
    pub started: NaiveDate,
    /// The company's plan.
    pub plan: Option<&'a str>,
    /// All known users of the company.
    pub members: &'a BTreeMap<UserId, Member>,
    /// Their activity in the week.
    pub activity: &'a BTreeMap<UserId, UserWeek>,
    /// Their answers that aren't void.
    pub answers: &'a [Answer],
    /// What earlier snapshots say.
    pub history: &'a History,
    /// Whether silence means 0.
    pub telemetry: Telemetry,
}

/// A scored week. Immutable once published; a correction is a new revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct WeekSnapshot {
    /// The week.
    pub period: IsoWeek,
    /// The version of the settings it was computed with.
    pub settings_version: u32,
    /// What a missing component counted.
    pub missing_policy: MissingPolicy,
    /// The three components.
    pub components: Components,
    /// Present weight / total weight.
    pub coverage: Percent,
    /// The score; null when insufficient.
    pub score: Option<Percent>,
    /// The whole percent that is shown.
    pub shown: Option<u8>,
    /// The band, or why there is none.
    pub band: Standing,
    /// How far to rely on it.
    pub confidence: Confidence,
    /// Whether silence meant 0.
    pub telemetry: Telemetry,
    /// Whether the company sent activity in the week.
    pub heard: bool,
    /// Weeks with a score, this one included.
    pub valid_weeks: u32,
    /// What eligible users used on which days, at most [`component::MAX_USES`] names: the next three weeks need it.
    pub uses: UsesOfWeek,
    /// What the components were computed from.
    #[serde(default)]
    pub basis: Basis,
}

/// What components are computed from beside the counts that they show: with it and `uses`, a week can be scored
/// again under other settings.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Basis {
    /// Eligible users with 1, 2, … 7 active days; the others had none.
    pub users_by_days: [u32; 7],
    /// The mean of the counted answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers_mean: Option<Percent>,
    /// (NPS + 100) / 2 of the counted answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers_nps: Option<Percent>,
    /// The company's plan when the week was scored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// Whether the company was in its first 28 days when the week ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub young: bool,
}

/// A week as it was measured: what it is scored from under any settings.
pub(crate) struct Measured<'a> {
    pub(crate) week: IsoWeek,
    pub(crate) telemetry: Telemetry,
    pub(crate) heard: bool,
    /// Users that count.
    pub(crate) users: u32,
    /// Their engaged minutes.
    pub(crate) minutes: u32,
    /// Users whose latest answer counts.
    pub(crate) answers: u32,
    /// Weeks with a score before this one.
    pub(crate) valid_weeks_before: u32,
    /// What was used in the week.
    pub(crate) uses: UsesOfWeek,
    /// What was used in the three weeks before it, the nearest first.
    pub(crate) uses_before: [&'a UsesOfWeek; 3],
    pub(crate) basis: Basis,
}

/// Scores one company's week.
pub fn score(input: &CompanyWeek<'_>) -> WeekSnapshot {
    let settings = input.settings;
    let zone = settings.time_zone;
    let eligible: BTreeSet<&UserId> = input
        .members
        .iter()
        .filter(|(user, member)| member.eligible(input.week) && !settings.exclusions.user_ids.contains(*user))
        .map(|(user, _)| user)
        .collect();
    let (active_days, minutes, done) = component::presence(&eligible, input.activity, input.week, zone);
    let counted = counted_answers(input.answers, input.members, settings, input.week);
    let voices = component::voices(settings, &counted, input.week, zone);
    let measured = Measured {
        week: input.week,
        telemetry: input.telemetry,
        heard: input.activity.values().any(|done| !done.is_empty()),
        users: u32::try_from(eligible.len()).unwrap_or(u32::MAX),
        minutes,
        answers: voices.answers,
        valid_weeks_before: input.history.valid_weeks,
        uses: component::uses_of_week(done),
        uses_before: input.history.uses.each_ref(),
        basis: Basis {
            users_by_days: component::users_by_days(&active_days),
            answers_mean: voices.mean,
            answers_nps: voices.nps,
            plan: input.plan.map(str::to_owned),
            young: young(input.started, input.week),
        },
    };
    measured.score(settings, input.settings_version)
}

impl Measured<'_> {
    /// The week's snapshot under settings.
    pub(crate) fn score(self, settings: &Settings, settings_version: u32) -> WeekSnapshot {
        let Basis { users_by_days, answers_mean, answers_nps, plan, young } = &self.basis;
        let [first, second, third] = self.uses_before;
        let adoption = Adoption {
            users: self.users,
            minutes: self.minutes,
            uses: [&self.uses, first, second, third],
            plan: plan.as_deref(),
        };
        let voices = Voices { answers: self.answers, mean: *answers_mean, nps: *answers_nps };
        let weighed = component::weigh(
            settings,
            component::login(settings, self.users, users_by_days, self.telemetry),
            component::adoption(settings, &adoption, self.telemetry),
            component::feedback(settings, voices, self.telemetry),
        );
        let valid_weeks = self.valid_weeks_before + u32::from(weighed.score.is_some());
        let band = match weighed.score {
            None => Standing::Insufficient,
            Some(_) if onboarding(*young, valid_weeks) => Standing::Onboarding,
            Some(score) => settings.bands.band(score).into(),
        };
        WeekSnapshot {
            period: self.week,
            settings_version,
            missing_policy: settings.missing_policy,
            confidence: Confidence::of(self.users, weighed.coverage, valid_weeks, self.answers),
            components: weighed.components,
            coverage: weighed.coverage,
            shown: weighed.score.map(Percent::shown),
            score: weighed.score,
            band,
            telemetry: self.telemetry,
            heard: self.heard,
            valid_weeks,
            uses: component::kept_uses(settings, self.uses),
            basis: self.basis,
        }
    }
}

/// Those of a company's answers that may count in a week, of whatever age.
pub fn counted_answers(
    answers: &[Answer],
    members: &BTreeMap<UserId, Member>,
    settings: &Settings,
    week: IsoWeek,
) -> Vec<Answer> {
    answers
        .iter()
        .filter(|answer| counts_answer(members.get(&answer.user), week))
        .filter(|answer| !settings.exclusions.user_ids.contains(&answer.user))
        .cloned()
        .collect()
}

/// The answer of somebody who has left or is excluded doesn't count; that of somebody not known as a seat does.
fn counts_answer(member: Option<&Member>, week: IsoWeek) -> bool {
    member.is_none_or(|member| !member.excluded && member.left.is_none_or(|left| left > week.thursday()))
}

/// Whether the company is in its first 28 days when the week ends.
fn young(started: NaiveDate, week: IsoWeek) -> bool {
    started.checked_add_days(Days::new(ONBOARDING_DAYS)).is_none_or(|grown| week.next().monday() < grown)
}

/// Rule: onboarding lasts 28 days from the company's start and until two valid weeks. Counted at the end of
/// the week.
fn onboarding(young: bool, valid_weeks: u32) -> bool {
    young || valid_weeks < ONBOARDING_WEEKS
}
