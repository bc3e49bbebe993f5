//! The one alert of a company that is still onboarding: nobody came.

use chrono::{Days, NaiveDate};

use crate::{
    Percent, Zone,
    alert::{Finding, Rule},
    calendar::IsoWeek,
    telemetry::Telemetry,
    week::ONBOARDING_DAYS,
};

/// Days from a company's start, the first included, within which somebody logs in.
pub const FIRST_DAYS: u64 = 7;

/// Rule: nobody logged in within the first 7 days; fires even while onboarding. Days are local to the
/// workspace.
///
/// `anyone_active` says whether any user was active on one of the seven days from `started`. `telemetry` is
/// that of those days: where the whole workspace was silent or a gap, nobody's absence is known; a company
/// that never sent anything while others did is just the one to tell of.
///
/// Due at the start of the eighth day and found until onboarding's 28 days are over: an old company that is
/// imported opens nothing.
pub fn no_login(
    started: NaiveDate,
    today: NaiveDate,
    anyone_active: bool,
    telemetry: Telemetry,
    zone: Zone,
) -> Option<Finding> {
    let due = started.checked_add_days(Days::new(FIRST_DAYS))?;
    let over = started.checked_add_days(Days::new(ONBOARDING_DAYS))?;
    let told = matches!(telemetry, Telemetry::Normal | Telemetry::NeverSent);
    (told && !anyone_active && (due..over).contains(&today)).then(|| Finding {
        rule: Rule::NoLoginFirst7Days,
        period: IsoWeek::of(due),
        at: zone.start_of(due),
        severity: Percent::FULL,
        baseline: None,
        sentence: format!("Nobody logged in within the first {FIRST_DAYS} days after the start on {started}"),
    })
}
