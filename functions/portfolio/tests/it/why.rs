//! Why a score changed, from what is stored.

use axum::body::Body;
use barometer_cloud::table::{
    answers::Answer,
    companies::{MonthScore, Readings},
    credentials::{Kind, Scope},
    snapshots::Published,
};
use barometer_domain::{
    Settings,
    month::{self, MonthSnapshot},
    week::WeekSnapshot,
};
use http::Method;
use serde_json::{Value, json};

use crate::{
    common::{Home, at, company, void},
    scored::{self, CALM, Done, answer, record, snapshot, week_of},
};

const WHY: &str = "/v1/companies/acme/why";

/// Acme under weights of 24, 36 and 40 %, which are version 2. Six users have answered: 10, 10 early in July,
/// 6, 6, 6, 7 in August.
async fn acme() -> (Home, Settings) {
    let home = Home::new().await;
    home.company("acme", "Acme", "2026-01-05T00:00:00Z").await;
    let settings = put(&home, &json!({"weights": {"login": 24, "adoption": 36, "feedback": 40}})).await;
    for (number, rating) in (0..).zip([10, 10, 6, 6, 6, 7]) {
        let given = if number < 2 { "2026-07-02T10:00:00Z" } else { "2026-08-01T10:00:00Z" };
        record(&home, "acme", &answer(&format!("u{number}"), rating, given)).await;
    }
    (home, settings)
}

async fn put(home: &Home, settings: &Value) -> Settings {
    home.json(Method::PUT, "/v1/settings", settings).await.ok();
    home.table.settings(&home.workspace).await.unwrap().unwrap().settings
}

/// The five effects in basis points, which always sum to the change.
#[track_caller]
fn effects(why: &Value) -> [i64; 5] {
    let points = |value: &Value| (value.as_f64().unwrap() * 100.0).round() as i64;
    let effects = ["login", "adoption", "feedback", "coverage", "settings"]
        .map(|part| points(&why["parts"][part]["change"]));
    assert_eq!(effects.iter().sum::<i64>(), points(&why["change"]), "{why}");
    effects
}

#[tokio::test]
async fn the_sentence_of_the_rules() {
    let (home, settings) = acme().await;
    week_of(&home, "acme", CALM, &settings, 2).await;
    let now = Done { of: "2026-W40", active: 3, ..CALM };
    week_of(&home, "acme", now, &settings, 2).await;
    let why = home.get(&format!("{WHY}?from=2026-W39&to=2026-W40")).await.ok();
    assert_eq!(
        why,
        json!({
            "from": "2026-W39", "to": "2026-W40",
            "from_score": 72, "to_score": 58, "change": -14,
            "parts": {
                "login": { "change": -9, "text": "3 of 8 users active, was 6" },
                "adoption": { "change": 0, "text": "320 minutes" },
                "feedback": { "change": -5, "text": "2 answers expired" },
                "coverage": { "change": 0, "text": null },
                "settings": { "change": 0, "text": null },
            },
            "band_from": "healthy", "band_to": "healthy",
            "sentence": "72 → 58: login −9 (3 of 8 users active, was 6), feedback −5 (2 answers expired)",
            "from_revision": 1, "to_revision": 1,
        })
    );
    for default in [WHY.to_owned(), format!("{WHY}?to=2026-W40"), format!("{WHY}?from=2026-W39")] {
        assert_eq!(home.get(&default).await.ok(), why, "{default}");
    }
}

#[tokio::test]
async fn the_latest_revisions_are_compared() {
    let (home, settings) = acme().await;
    week_of(&home, "acme", CALM, &settings, 2).await;
    let week = Done { of: "2026-W40", ..CALM };
    week_of(&home, "acme", Done { active: 3, ..week }, &settings, 2).await;
    let late = snapshot(&home, "acme", week, &settings, 2).await;
    scored::publish(&home, "acme", &late, 2).await;
    let why = home.get(WHY).await.ok();
    assert_eq!(why["sentence"], "72 → 67: feedback −5 (2 answers expired)");
    assert_eq!((&why["from_revision"], &why["to_revision"]), (&json!(1), &json!(2)));
}

#[tokio::test]
async fn an_answer_that_was_voided_since_has_been_withdrawn() {
    let (home, settings) = acme().await;
    let given = "2026-09-01T10:00:00Z";
    record(&home, "acme", &answer("u6", 1, given)).await;
    week_of(&home, "acme", CALM, &settings, 2).await;
    let void = Answer { void: Some(void()), ..answer("u6", 1, given) };
    record(&home, "acme", &void).await;
    week_of(&home, "acme", Done { of: "2026-W40", ..CALM }, &settings, 2).await;
    let why = home.get(WHY).await.ok();
    assert_eq!(why["parts"]["feedback"]["text"], "2 answers expired, 1 answer withdrawn");
}

#[tokio::test]
async fn an_answer_that_was_void_before_both_weeks_is_not_told() {
    let (home, settings) = acme().await;
    let void = Answer { void: Some(void()), ..answer("u6", 1, "2026-09-01T10:00:00Z") };
    record(&home, "acme", &void).await;
    week_of(&home, "acme", CALM, &settings, 2).await;
    week_of(&home, "acme", Done { of: "2026-W40", ..CALM }, &settings, 2).await;
    assert_eq!(home.get(WHY).await.ok()["parts"]["feedback"]["text"], "2 answers expired");
}

#[tokio::test]
async fn the_older_week_is_scored_again_under_the_newer_settings() {
    let (home, old) = acme().await;
    // Used a week earlier: in four weeks that end with W39 or W40.
    week_of(&home, "acme", Done { of: "2026-W38", uses: &["export"], ..CALM }, &old, 2).await;
    week_of(&home, "acme", CALM, &old, 2).await;
    let new = put(
        &home,
        &json!({
            "weights": {"login": 50, "adoption": 50, "feedback": 0},
            "catalogue": [{"key": "export"}, {"key": "import"}],
        }),
    )
    .await;
    week_of(&home, "acme", Done { of: "2026-W40", active: 4, ..CALM }, &new, 3).await;
    let why = home.get(WHY).await.ok();
    // Adoption of both weeks is 60 % × 50 + 40 % × 66.67 = 56.67; W39 would have had (75 + 56.67) / 2 = 65.835.
    assert_eq!(
        why["sentence"],
        "72 → 53: login −13 (4 of 8 users active, was 6), settings −6 (version 2 → 3)"
    );
    assert_eq!(effects(&why), [-1_250, 0, 0, 0, -616]);
}

#[tokio::test]
async fn weeks_without_a_score_say_why() {
    let (home, settings) = acme().await;
    week_of(&home, "acme", CALM, &settings, 2).await;
    let silent = crate::common::snapshot("2026-W40", None);
    scored::publish(&home, "acme", &silent, 1).await;
    let why = home.get(WHY).await.ok();
    assert_eq!((&why["change"], &why["parts"]), (&json!(null), &json!(null)));
    assert_eq!(why["band_to"], "insufficient");
    let sentence = why["sentence"].as_str().unwrap();
    assert!(sentence.starts_with("Not scored in 2026-W40: "), "{sentence}");
}

/// Publishes a month rolled up from these revisions of weeks.
async fn month_of(
    home: &Home,
    of: &str,
    settings: &Settings,
    weeks: &[(u32, WeekSnapshot)],
) -> MonthSnapshot {
    let version = weeks.last().unwrap().1.settings_version;
    let snapshot = month::roll_up(of.parse().unwrap(), settings, version, weeks);
    let score = MonthScore {
        previous: None,
        month: snapshot.period,
        revision: 1,
        score: snapshot.score,
        shown: snapshot.shown,
        band: snapshot.band,
    };
    let readings = Readings { month: Some(score), ..Readings::default() };
    let published =
        Published { revision: 1, published_at: at("2026-10-07T00:00:00Z"), snapshot: snapshot.clone() };
    home.table.publish_month(&home.workspace, &company("acme"), &published, &readings, &[]).await.unwrap();
    snapshot
}

#[tokio::test]
async fn months_are_explained_by_the_revisions_that_went_in() {
    let (home, settings) = acme().await;
    let settings = &settings;
    let mut weeks = Vec::new();
    for (of, active) in [("2026-W34", 6), ("2026-W35", 6), ("2026-W36", 4), ("2026-W37", 4)] {
        weeks.push((1, week_of(&home, "acme", Done { of, active, ..CALM }, settings, 2).await));
    }
    let august = month_of(&home, "2026-08", settings, &weeks).await;
    let september = month_of(&home, "2026-09", settings, &weeks).await;
    // A correction that no roll-up has seen, and a week that none has.
    let late = snapshot(&home, "acme", Done { of: "2026-W36", active: 8, ..CALM }, settings, 2).await;
    scored::publish(&home, "acme", &late, 2).await;
    week_of(&home, "acme", Done { of: "2026-W38", active: 8, ..CALM }, settings, 2).await;

    let why = home.get(&format!("{WHY}?from=2026-08&to=2026-09")).await.ok();
    assert_eq!(why["sentence"], "72 → 66: login −6 (50 % on average, was 75 %)");
    assert_eq!(effects(&why), [-600, 0, 0, 0, 0]);
    assert_eq!(
        (&why["from_score"], &why["to_score"]),
        (&json!(august.score.unwrap()), &json!(september.score.unwrap()))
    );
    for default in ["?to=2026-09", "?from=2026-08"] {
        assert_eq!(home.get(&format!("{WHY}{default}")).await.ok(), why, "{default}");
    }
}

#[tokio::test]
async fn months_in_which_the_settings_changed_are_compared_under_the_newer_ones() {
    let (home, old) = acme().await;
    let mut weeks = Vec::new();
    for of in ["2026-W34", "2026-W35", "2026-W36"] {
        weeks.push((1, week_of(&home, "acme", Done { of, ..CALM }, &old, 2).await));
    }
    let august = month_of(&home, "2026-08", &old, &weeks).await;
    let new = put(&home, &json!({"weights": {"login": 100, "adoption": 0, "feedback": 0}})).await;
    weeks.push((1, week_of(&home, "acme", Done { of: "2026-W37", active: 4, ..CALM }, &new, 3).await));
    month_of(&home, "2026-09", &new, &weeks).await;

    let why = home.get(&format!("{WHY}?from=2026-08&to=2026-09")).await.ok();
    // August: 72 twice, 75 under the new weights. September: 72 and 50, under the new weights 75 and 50.
    assert_eq!(august.score.unwrap().basis_points(), 7_200);
    assert_eq!((&why["from_score"], &why["to_score"]), (&json!(72), &json!(61)));
    assert_eq!(effects(&why), [-1_250, 0, 0, 0, 150]);
}

#[tokio::test]
async fn what_cannot_be_compared_is_refused_by_name() {
    let (home, settings) = acme().await;
    home.get(WHY).await.problem(404, None);
    home.get(&format!("{WHY}?from=2026-08")).await.problem(404, None);
    week_of(&home, "acme", CALM, &settings, 2).await;
    for (query, parameter) in [
        ("from=2026-W40&to=2026-W39", "from"),
        ("from=2026-W39&to=2026-W39", "from"),
        ("from=2026-W40", "from"),
        ("from=2026-09&to=2026-08", "from"),
        ("from=2026-W38&to=2026-09", "from"),
        ("from=2026-08&to=2026-W39", "to"),
        ("from=2026-W60", "from"),
        ("from=yesterday", "from"),
        ("to=2026-13", "to"),
        ("to=2026-W39&to=2026-W40", "to"),
        ("from_revision=1", "from_revision"),
    ] {
        home.get(&format!("{WHY}?{query}")).await.problem(400, Some(parameter));
    }
    for (query, period) in [
        ("", "2026-W38"),
        ("from=2026-W37", "2026-W37"),
        ("to=2026-W41", "2026-W40"),
        ("from=2026-W39&to=2026-W41", "2026-W41"),
        ("from=0000-W01", "0000-W01"),
        ("to=9999-W52", "9999-W51"),
        ("from=2026-08&to=2026-09", "2026-08"),
        ("to=2026-01", "2025-12"),
    ] {
        let problem = home.get(&format!("{WHY}?{query}")).await.problem(404, None);
        assert_eq!(problem["detail"], format!("there is no snapshot of {period}"), "{query}");
    }
}

#[tokio::test]
async fn who_may_read_may_ask_why() {
    let (home, settings) = acme().await;
    week_of(&home, "acme", CALM, &settings, 2).await;
    week_of(&home, "acme", Done { of: "2026-W40", ..CALM }, &settings, 2).await;
    let reader = home.credential(Kind::ApiToken, Scope::Read, "reader").await;
    let bearer = format!("Bearer {reader}");
    home.request(Method::GET, WHY, &[("authorization", &bearer)], Body::empty()).await.ok();
    let problem = home.neighbour().await.get(WHY).await.problem(404, None);
    assert_eq!(problem["detail"], "there is no such company");
    home.get("/v1/companies/nobody/why").await.problem(404, None);
}
