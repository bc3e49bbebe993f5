//! What several modules need: a fixed proptest configuration and short constructors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use barometer_domain::{
    IsoWeek, Percent, Settings, UserId, Zone,
    answer::{Answer, Rating},
    band::Standing,
    component::{AdoptionCounts, FeedbackCounts, LoginCounts, Missing, Reading, Weighed, weigh},
    settings::Weights,
    telemetry::Telemetry,
    week::{Confidence, WeekSnapshot},
};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed},
};

/// The same cases in every run, and no file left behind.
pub fn cases(cases: u32) -> Config {
    Config { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(20_260_907), ..Config::default() }
}

pub fn bp(basis_points: u16) -> Percent {
    Percent::from_basis_points(basis_points).unwrap()
}

pub fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

pub fn week(text: &str) -> IsoWeek {
    text.parse().unwrap()
}

pub fn zone(name: &str) -> Zone {
    name.parse().unwrap()
}

pub fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
}

pub fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub fn answer(id: &str, rating: Rating, at: DateTime<Utc>) -> Answer {
    Answer { user: user(id), rating, at }
}

pub fn nps(rating: u8) -> Rating {
    Rating::nps(rating).unwrap()
}

/// Settings with weights in basis points.
pub fn weighted(login: u16, adoption: u16, feedback: u16) -> Settings {
    Settings { weights: Weights::new(bp(login), bp(adoption), bp(feedback)).unwrap(), ..Settings::default() }
}

fn reading<C: Default>(value: Option<u16>, missing: Missing) -> Reading<C> {
    Reading { value: value.map(bp).ok_or(missing), counts: C::default() }
}

/// Weighs three values in basis points; nothing stands for missing.
pub fn weighed(settings: &Settings, values: [Option<u16>; 3]) -> Weighed {
    let [login, adoption, feedback] = values;
    weigh(
        settings,
        reading::<LoginCounts>(login, Missing::NoTelemetry),
        reading::<AdoptionCounts>(adoption, Missing::NoTelemetry),
        reading::<FeedbackCounts>(feedback, Missing::NoAnswers),
    )
}

/// A week with three component values in basis points; nothing stands for missing.
pub fn scored_week(settings: &Settings, week: IsoWeek, values: [Option<u16>; 3]) -> WeekSnapshot {
    let weighed = weighed(settings, values);
    WeekSnapshot {
        period: week,
        settings_version: 1,
        missing_policy: settings.missing_policy,
        components: weighed.components,
        coverage: weighed.coverage,
        score: weighed.score,
        shown: weighed.score.map(Percent::shown),
        band: weighed.score.map_or(Standing::Insufficient, |score| settings.bands.band(score).into()),
        confidence: Confidence::Medium,
        telemetry: Telemetry::Normal,
        heard: true,
        valid_weeks: 9,
        uses: Default::default(),
        basis: Default::default(),
    }
}

/// Zones whose clocks do something unusual, and some that don't.
pub const ZONES: [&str; 16] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "America/Havana",
    "America/Sao_Paulo",
    "America/Nuuk",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Beirut",
    "Asia/Tehran",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Pacific/Chatham",
];

pub fn any_zone() -> impl Strategy<Value = Zone> {
    proptest::sample::select(ZONES.as_slice()).prop_map(zone)
}

/// Any instant from 2000 to 2039, to the second.
pub fn any_instant() -> impl Strategy<Value = DateTime<Utc>> {
    (946_684_800_i64..2_208_988_800).prop_map(|seconds| DateTime::from_timestamp(seconds, 0).unwrap())
}

/// Any week from 2000 to 2039.
pub fn any_week() -> impl Strategy<Value = IsoWeek> {
    (0_i64..2_086).prop_map(|weeks| week("2000-W01").plus(weeks))
}

/// Any basis points, with the interesting ones often.
pub fn any_basis_points() -> impl Strategy<Value = u16> {
    prop_oneof![
        0_u16..=10_000,
        proptest::sample::select(&[0_u16, 2_549, 2_550, 5_049, 5_050, 7_549, 7_550, 10_000][..])
    ]
}

/// A value or missing.
pub fn any_value() -> impl Strategy<Value = Option<u16>> {
    proptest::option::weighted(0.75, any_basis_points())
}

/// Legal weights: any three that add up to 100 %, give or take 0.05.
pub fn any_weights() -> impl Strategy<Value = (u16, u16, u16)> {
    (9_995_u16..=10_005)
        .prop_flat_map(|sum| (Just(sum), 0..=sum.min(10_000)))
        .prop_flat_map(|(sum, login)| (Just(sum), Just(login), 0..=(sum - login).min(10_000)))
        .prop_filter("each at most 100 %", |(sum, login, adoption)| sum - login - adoption <= 10_000)
        .prop_map(|(sum, login, adoption)| (login, adoption, sum - login - adoption))
}

pub fn minutes(minutes: i64) -> TimeDelta {
    TimeDelta::minutes(minutes)
}
