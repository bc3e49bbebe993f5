//! Values that many tests need.

use std::collections::{BTreeMap, BTreeSet};

use barometer_cloud::{
    StoreError, Table,
    bus::{DetailType, Event},
    table::{
        companies::{Engagement, Profile, Readings, TrendPoint},
        snapshots::Published,
    },
};
use barometer_domain::{
    CompanyId, IsoWeek, Percent, Settings, UserId, WorkspaceId,
    activity::{FeatureSource, Sighting, Use, UserWeek},
    answer::{Answer, Rating},
    member::Member,
    telemetry::Telemetry,
    week::{self, CompanyWeek, History, WeekSnapshot},
};
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::json;

pub fn workspace() -> WorkspaceId {
    WorkspaceId::new("ws_test").unwrap()
}

pub fn company(id: &str) -> CompanyId {
    CompanyId::new(id).unwrap()
}

pub fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub fn week(text: &str) -> IsoWeek {
    text.parse().unwrap()
}

/// Days, slots, and a feature of the first day.
pub fn done(days: &[u8], slots: &[u16], feature: Option<&str>) -> UserWeek {
    let sighting = feature.map(|name| Sighting::new(FeatureSource::Event, name).unwrap());
    UserWeek {
        days: days.iter().copied().collect(),
        slots: slots.iter().copied().collect(),
        uses: sighting.map(|sighting| Use { day: days[0], sighting }).into_iter().collect(),
    }
}

pub fn event(company_id: &str, kind: DetailType, key: &str) -> Event {
    let change = json!({ "from": "steady", "to": "healthy", "key": key });
    let occurred_at = at("2026-09-07T00:15:00Z");
    Event::new(kind, &workspace(), Some(&company(company_id)), occurred_at, key, &change).unwrap()
}

/// A week scored by the rules: `users` users, each active on three days with `features` features.
pub fn snapshot(period: &str, users: u32, features: u32) -> WeekSnapshot {
    let period = week(period);
    let names: Vec<UserId> = (0..users).map(|n| user(&format!("user-{n}"))).collect();
    let seat = || Member { first_seen: day("2026-01-05"), left: None, excluded: false };
    let members: BTreeMap<_, _> = names.iter().map(|name| (name.clone(), seat())).collect();
    let activity: BTreeMap<_, _> = names.iter().map(|name| (name.clone(), busy_week(features))).collect();
    let answers = [Answer {
        user: names[0].clone(),
        rating: Rating::nps(8).unwrap(),
        at: period.start(barometer_domain::Zone::UTC),
    }];
    week::score(&CompanyWeek {
        week: period,
        settings: &Settings::default(),
        settings_version: 1,
        started: day("2026-01-05"),
        plan: None,
        members: &members,
        activity: &activity,
        answers: &answers,
        history: &History { valid_weeks: 3, ..History::default() },
        telemetry: Telemetry::Normal,
    })
}

/// Three active days, an hour a day, `features` features.
pub fn busy_week(features: u32) -> UserWeek {
    let sighting = |n: u32| Sighting::new(FeatureSource::Event, &format!("feature number {n}")).unwrap();
    UserWeek {
        days: BTreeSet::from([1, 2, 4]),
        uses: (0..features).map(|n| Use { day: [1, 2, 4][n as usize % 3], sighting: sighting(n) }).collect(),
        slots: [108, 396, 972].into_iter().flat_map(|start| start..start + 12).collect(),
    }
}

pub fn published(revision: u32, snapshot: WeekSnapshot) -> Published<WeekSnapshot> {
    Published { revision, published_at: at("2026-09-07T00:15:00Z"), snapshot }
}

/// What a week's scoring writes to the company's row, with a full trend.
pub fn readings(published: &Published<WeekSnapshot>) -> Readings {
    let snapshot = &published.snapshot;
    let point = |back: i64| TrendPoint {
        week: snapshot.period.plus(-back),
        score: Some(Percent::from_basis_points(6_543).unwrap()),
    };
    Readings {
        engagement: Some(Engagement {
            week: snapshot.period,
            revision: published.revision,
            score: snapshot.score,
            shown: snapshot.shown,
            band: snapshot.band,
            coverage: snapshot.coverage,
            confidence: snapshot.confidence,
            heard: (0..4).map(|back| snapshot.period.plus(-back)).collect(),
            previous: None,
            components: snapshot.components,
            trend: (0..12).rev().map(point).collect(),
        }),
        last_seen_at: Some(at("2026-09-05T10:00:00Z")),
        ..Readings::default()
    }
}

/// Makes companies known.
pub async fn note_companies(table: &Table, ids: &[&str]) {
    for id in ids {
        table
            .note_company(&workspace(), &company(id), &Profile::default(), at("2026-08-03T08:00:00Z"))
            .await
            .unwrap();
    }
}

pub fn is_conflict<T: std::fmt::Debug>(result: Result<T, StoreError>) -> bool {
    match result {
        Err(StoreError::Conflict) => true,
        Err(error) => panic!("not a conflict: {error:?}"),
        Ok(_) => false,
    }
}

/// Numbers that look random and are the same in every run.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `count`.
    pub fn below(&mut self, count: u64) -> u64 {
        // Knuth's MMIX generator; its upper half is even enough.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % count
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for index in (1..items.len()).rev() {
            items.swap(index, self.below(index as u64 + 1) as usize);
        }
    }
}
