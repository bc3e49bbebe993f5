//! The monthly roll-up: the mean of the weeks.

use serde::{Deserialize, Serialize};

use crate::{
    Percent, Settings,
    band::Standing,
    calendar::{IsoWeek, Month},
    percent,
    settings::MissingPolicy,
    week::{Confidence, WeekSnapshot},
};

/// Weeks with a score that a month needs; fewer is Insufficient.
pub const MIN_WEEKS: usize = 2;

/// The mean of a component over the month's weeks in which it had a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct MonthComponent {
    /// The mean; null when the component was missing in every week.
    pub value: Option<Percent>,
    /// The weight as set when the month was rolled up.
    pub weight: Percent,
    /// Mean contribution over the scored weeks; null when it contributed in none. The three sum exactly to the
    /// score.
    pub contribution: Option<Percent>,
    /// Weeks in which it had a value.
    pub weeks: u32,
}

/// The components of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct MonthComponents {
    /// Login activity.
    pub login: MonthComponent,
    /// Product adoption.
    pub adoption: MonthComponent,
    /// Feedback.
    pub feedback: MonthComponent,
}

/// A rolled-up month. Immutable once published; a correction is a new revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct MonthSnapshot {
    /// The month.
    pub period: Month,
    /// The version of the settings whose bands apply.
    pub settings_version: u32,
    /// What a missing component counted.
    pub missing_policy: MissingPolicy,
    /// The three components.
    pub components: MonthComponents,
    /// Mean coverage over the scored weeks.
    pub coverage: Percent,
    /// The mean of the weekly scores; null with fewer than two.
    pub score: Option<Percent>,
    /// The whole percent that is shown.
    pub shown: Option<u8>,
    /// The band, or why there is none.
    pub band: Standing,
    /// The least confidence of the scored weeks.
    pub confidence: Confidence,
    /// The weeks that went in, with their scores.
    pub weeks: Vec<WeekOfMonth>,
}

/// One week of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct WeekOfMonth {
    /// The week.
    pub week: IsoWeek,
    /// The revision that went in.
    pub revision: u32,
    /// Its score; null when it had none.
    pub score: Option<Percent>,
}

/// Rule: month score = mean of the weekly scores that exist, rounded once; fewer than two: Insufficient. A
/// company still onboarding in the latest week gets no band.
///
/// `weeks` are the latest revisions of weeks of the month, in any order; weeks of other months are ignored.
pub fn roll_up(
    month: Month,
    settings: &Settings,
    settings_version: u32,
    weeks: &[(u32, WeekSnapshot)],
) -> MonthSnapshot {
    let mut weeks: Vec<&(u32, WeekSnapshot)> =
        weeks.iter().filter(|(_, week)| week.period.month() == month).collect();
    weeks.sort_by_key(|(_, week)| week.period);
    let scored: Vec<&WeekSnapshot> =
        weeks.iter().map(|(_, week)| week).filter(|week| week.score.is_some()).collect();
    let enough = scored.len() >= MIN_WEEKS;
    let score = mean(scored.iter().filter_map(|week| week.score)).filter(|_| enough);
    let onboarding = scored.last().is_some_and(|week| week.band == Standing::Onboarding);
    let band = match score {
        None => Standing::Insufficient,
        Some(_) if onboarding => Standing::Onboarding,
        Some(score) => settings.bands.band(score).into(),
    };
    MonthSnapshot {
        period: month,
        settings_version,
        missing_policy: settings.missing_policy,
        components: components(settings, &scored, score.is_some()),
        coverage: mean(scored.iter().map(|week| week.coverage)).unwrap_or(Percent::ZERO),
        shown: score.map(Percent::shown),
        score,
        band,
        confidence: scored
            .iter()
            .map(|week| week.confidence)
            .min()
            .filter(|_| enough)
            .unwrap_or(Confidence::Low),
        weeks: weeks
            .iter()
            .map(|(revision, week)| WeekOfMonth { week: week.period, revision: *revision, score: week.score })
            .collect(),
    }
}

fn components(settings: &Settings, scored: &[&WeekSnapshot], published: bool) -> MonthComponents {
    let of = |pick: fn(&WeekSnapshot) -> (Option<Percent>, Option<Percent>)| {
        let values: Vec<Percent> = scored.iter().filter_map(|week| pick(week).0).collect();
        let contributions: Option<u128> = scored
            .iter()
            .filter_map(|week| pick(week).1)
            .map(|part| u128::from(part.basis_points()))
            .reduce(|sum, part| sum + part);
        (mean(values.iter().copied()), u32::try_from(values.len()).unwrap_or(u32::MAX), contributions)
    };
    let login = of(|week| (week.components.login.value, week.components.login.contribution));
    let adoption = of(|week| (week.components.adoption.value, week.components.adoption.contribution));
    let feedback = of(|week| (week.components.feedback.value, week.components.feedback.contribution));

    let pieces = percent::cut([login.2, adoption.2, feedback.2], scored.len() as u128);
    let [of_login, of_adoption, of_feedback] = if published { pieces } else { [None; 3] };
    let weights = settings.weights;
    let component =
        |(value, weeks, _), weight, contribution| MonthComponent { value, weight, contribution, weeks };
    MonthComponents {
        login: component(login, weights.login(), of_login),
        adoption: component(adoption, weights.adoption(), of_adoption),
        feedback: component(feedback, weights.feedback(), of_feedback),
    }
}

/// Exact sum and count, divided once. Nothing for no value.
pub(crate) fn mean(values: impl IntoIterator<Item = Percent>) -> Option<Percent> {
    let (sum, count) = values
        .into_iter()
        .fold((0, 0), |(sum, count), value| (sum + u128::from(value.basis_points()), count + 1));
    Percent::ratio(sum, count * 10_000)
}
