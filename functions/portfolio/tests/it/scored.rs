//! Weeks as the scorer leaves them: eight users of a company, their activity and their answers.

use std::collections::BTreeMap;

use barometer_cloud::table::{
    answers::{Answer, Source},
    companies::Readings,
    snapshots::Published,
};
use barometer_domain::{
    Settings, UserId,
    activity::UserWeek,
    answer::Rating,
    member::Member,
    telemetry::Telemetry,
    week::{CompanyWeek, History, WeekSnapshot, score},
};

use crate::common::{Home, at, company, engagement, user, week};

/// What the users did in a week.
#[derive(Clone, Copy)]
pub struct Done<'a> {
    pub of: &'a str,
    /// Users with one active day each.
    pub active: u16,
    /// Engaged minutes of all of them, a multiple of five.
    pub minutes: u16,
    /// Features that the first of them used on Monday.
    pub uses: &'a [&'a str],
}

/// Six of eight users, 320 of 480 minutes: login 75 %, adoption 66.67 %.
pub const CALM: Done<'static> = Done { of: "2026-W39", active: 6, minutes: 320, uses: &[] };

fn activity(done: Done<'_>) -> BTreeMap<UserId, UserWeek> {
    let of_user = |number: u16| {
        // All minutes but a slot of each other user are the first one's.
        let slots = if number == 0 { done.minutes / 5 - (done.active - 1) } else { 1 };
        let uses = if number == 0 { done.uses } else { &[] };
        let uses = uses.iter().map(|name| format!("1f{name}").parse().unwrap()).collect();
        (user(&format!("u{number}")), UserWeek { days: [1].into(), uses, slots: (0..slots).collect() })
    };
    (0..done.active).map(of_user).collect()
}

/// A week of a company after those that are published already.
pub async fn snapshot(
    home: &Home,
    id: &str,
    done: Done<'_>,
    settings: &Settings,
    version: u32,
) -> WeekSnapshot {
    let (table, workspace, company) = (&home.table, &home.workspace, company(id));
    let week = week(done.of);
    let before = table.weeks_before(workspace, &company, week).await.unwrap();
    let uses = [1, 2, 3].map(|back| {
        let found = before.iter().find(|published| published.snapshot.period == week.plus(-back));
        found.map(|published| published.snapshot.uses.clone()).unwrap_or_default()
    });
    let seat = Member { first_seen: "2026-01-05".parse().unwrap(), left: None, excluded: false };
    let members = (0..8).map(|number| (user(&format!("u{number}")), seat.clone())).collect();
    let end = week.end(settings.time_zone);
    let answers = table.answers(workspace, &company, end - settings.answer_age(), end).await.unwrap();
    let answers: Vec<_> = answers.iter().filter_map(Answer::counted).collect();
    score(&CompanyWeek {
        week,
        settings,
        settings_version: version,
        started: "2026-01-05".parse().unwrap(),
        plan: None,
        members: &members,
        activity: &activity(done),
        answers: &answers,
        history: &History { valid_weeks: 9, uses },
        telemetry: Telemetry::Normal,
    })
}

/// Publishes a revision of a week, and says so on the company's row.
pub async fn publish(home: &Home, id: &str, snapshot: &WeekSnapshot, revision: u32) {
    let readings = Readings {
        engagement: Some(engagement(&snapshot.period.to_string(), Some(0))),
        ..Readings::default()
    };
    let published =
        Published { revision, published_at: at("2026-10-05T00:00:00Z"), snapshot: snapshot.clone() };
    home.table.publish_week(&home.workspace, &company(id), &published, &readings, &[]).await.unwrap();
}

/// Scores a week and publishes it as its first revision.
pub async fn week_of(
    home: &Home,
    id: &str,
    done: Done<'_>,
    settings: &Settings,
    version: u32,
) -> WeekSnapshot {
    let snapshot = snapshot(home, id, done, settings, version).await;
    publish(home, id, &snapshot, 1).await;
    snapshot
}

/// An answer of a user, 0 to 10.
pub fn answer(who: &str, rating: u8, given: &str) -> Answer {
    Answer {
        user_id: user(who),
        rating: Rating::nps(rating).unwrap(),
        comment: None,
        at: at(given),
        source: Source::Mail,
        origin: format!("{who} {given}"),
        void: None,
    }
}

pub async fn record(home: &Home, id: &str, answer: &Answer) {
    home.table.record_answer(&home.workspace, &company(id), answer, &Readings::default(), &[]).await.unwrap();
}
