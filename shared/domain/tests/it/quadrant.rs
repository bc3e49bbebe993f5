//! Rules: quadrant, disagreement, attention.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use barometer_domain::{
    band::{Band, Standing},
    happiness::Level,
    quadrant::{Cell, HealthAxis, attention, disagree, place},
    status::Status,
};

const STATUSES: [(Status, bool); 4] =
    [(Status::Thriving, true), (Status::Healthy, true), (Status::Steady, false), (Status::Struggling, false)];
const BANDS: [(Standing, bool); 4] = [
    (Standing::Thriving, true),
    (Standing::Healthy, true),
    (Standing::Steady, false),
    (Standing::AtRisk, false),
];
const LEVELS: [(Level, Option<bool>); 5] = [
    (Level::VeryHappy, Some(true)),
    (Level::Happy, Some(true)),
    (Level::Neutral, Some(false)),
    (Level::NotHappy, Some(false)),
    (Level::NoData, None),
];

fn cell(health: bool, happy: Option<bool>) -> Cell {
    match (health, happy) {
        (true, Some(false)) => Cell::ProductProblem,
        (false, Some(true)) => Cell::BusinessProblem,
        (true, Some(true)) => Cell::Advocate,
        (false, Some(false)) => Cell::Urgent,
        (_, None) => Cell::Unknown,
    }
}

#[test]
fn a_fresh_status_decides_whatever_the_engagement() {
    for (status, health) in STATUSES {
        for (level, happy) in LEVELS {
            for engagement in
                BANDS.map(|(band, _)| Some(band)).into_iter().chain([None, Some(Standing::Insufficient)])
            {
                let place = place(Some(status), engagement, level);
                assert_eq!(place.cell, cell(health, happy), "{status:?} {engagement:?} {level:?}");
                assert_eq!(place.health_axis, Some(HealthAxis::BusinessStatus));
            }
        }
    }
}

/// A stale status is not handed in: the caller passes only a fresh one.
#[test]
fn without_a_fresh_status_the_engagement_decides() {
    for (band, health) in BANDS {
        for (level, happy) in LEVELS {
            let place = place(None, Some(band), level);
            assert_eq!(place.cell, cell(health, happy), "{band:?} {level:?}");
            assert_eq!(place.health_axis, Some(HealthAxis::Engagement));
        }
    }
}

#[test]
fn a_side_that_is_missing_insufficient_or_onboarding_is_unknown() {
    for (level, _) in LEVELS {
        for engagement in [None, Some(Standing::Insufficient), Some(Standing::Onboarding)] {
            let place = place(None, engagement, level);
            assert_eq!((place.cell, place.health_axis), (Cell::Unknown, None), "{engagement:?} {level:?}");
        }
        for (status, _) in STATUSES {
            assert_eq!(place(Some(status), Some(Standing::Onboarding), level).cell, Cell::Unknown);
        }
    }
}

#[test]
fn two_bands_apart_is_a_disagreement() {
    let statuses = [Status::Struggling, Status::Steady, Status::Healthy, Status::Thriving];
    let bands = [Band::AtRisk, Band::Steady, Band::Healthy, Band::Thriving];
    for (s, status) in statuses.into_iter().enumerate() {
        for (b, band) in bands.into_iter().enumerate() {
            assert_eq!(disagree(status, band), s.abs_diff(b) >= 2, "{status:?} {band:?}");
        }
    }
}

#[test]
fn attention_is_the_worst_of_what_is_known() {
    assert_eq!(attention(None, None, Level::NoData), 0);
    assert_eq!(attention(Some(Status::Thriving), Some(Standing::AtRisk), Level::VeryHappy), 3);
    assert_eq!(attention(Some(Status::Struggling), Some(Standing::Thriving), Level::VeryHappy), 3);
    assert_eq!(attention(None, Some(Standing::Insufficient), Level::Neutral), 2);
    assert_eq!(attention(Some(Status::Healthy), Some(Standing::Onboarding), Level::NoData), 1);
    assert_eq!(attention(Some(Status::Thriving), Some(Standing::Thriving), Level::VeryHappy), 0);
}

#[test]
fn the_words_of_the_cells() {
    let wire: Vec<_> = Cell::ALL.iter().map(|cell| serde_json::to_value(cell).unwrap()).collect();
    assert_eq!(wire, ["urgent", "product_problem", "business_problem", "advocate", "unknown"]);
    assert!(Cell::ALL.iter().all(|cell| !cell.label().is_empty() && cell.meaning() != cell.next_step()));
    assert_eq!(serde_json::to_value(HealthAxis::BusinessStatus).unwrap(), "business_status");
    assert_eq!(serde_json::to_value(HealthAxis::Engagement).unwrap(), "engagement");
}
