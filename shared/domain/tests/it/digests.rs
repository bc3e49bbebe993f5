//! Rules: when a digest is due and what it says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use barometer_domain::{
    CompanyId, Percent, UserId, Zone,
    alert::{Alert, Finding, Rule},
    automation::Wanted as Automation,
    digest::{Automated, Digest, Fate, Known, MOST_LINES, Of, Raised, Said, compose, covers, due_between},
    follow_up::{Kind, Priority, Wanted},
    language::Language,
    task::{Subject, Task},
};
use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc, Weekday};
use proptest::prelude::*;

use crate::support::{any_instant, any_zone, at, cases, date, nps, week, zone};

/// A Monday.
const DAY: &str = "2026-09-07";

fn company() -> CompanyId {
    CompanyId::new("c1").unwrap()
}

fn of<T>(company: &CompanyId, item: T) -> Of<'_, T> {
    Of { company, name: "Initech", item }
}

fn said(person: &'static str, rating: u8, received: &str) -> Said<'static> {
    Said { person, rating: nps(rating), comment: None, received_at: at(received) }
}

fn task(title: &str, priority: Priority, due: &str) -> Task {
    let (subject, at_) =
        (Subject::FollowUp { user_id: UserId::new("ada").unwrap() }, at("2026-09-01T00:00:00Z"));
    let wanted =
        Wanted { kind: Kind::Detractor, priority, due_at: at(due), title: title.to_owned(), at: at_ };
    Task::open(subject, wanted, None)
}

fn alert(rule: Rule, severity: u8) -> Alert {
    Alert::open(Finding {
        rule,
        period: week("2026-W36"),
        at: at("2026-09-01T00:00:00Z"),
        severity: Percent::whole(severity),
        baseline: None,
        sentence: format!("{severity} points"),
    })
}

fn composed(known: &Known<'_>) -> Option<Digest> {
    compose(known, date(DAY), Zone::UTC)
}

/// Headings, counts and the texts of the lines.
fn shown(digest: &Digest) -> Vec<(&str, usize, Vec<&str>)> {
    digest
        .sections
        .iter()
        .map(|section| {
            (section.heading, section.count, section.lines.iter().map(|line| line.text.as_str()).collect())
        })
        .collect()
}

#[test]
fn the_most_urgent_comes_first() {
    let company = company();
    let overdue = [
        task("Call ben", Priority::Normal, "2026-09-03T17:00:00Z"),
        task("Call ada", Priority::High, "2026-09-04T17:00:00Z"),
        task("Call cy", Priority::High, "2026-09-03T17:00:00Z"),
    ];
    let today = task("Call dee", Priority::High, "2026-09-07T17:00:00Z");
    let later = task("Call eve", Priority::High, "2026-09-08T17:00:00Z");
    let alerts = [alert(Rule::HappinessSuddenDrop, 12), alert(Rule::EngagementSuddenDrop, 30)];
    let older = alert(Rule::Silent, 100);
    let raised = |alert| of(&company, Raised { alert, at: at("2026-09-07T02:00:00Z") });
    let known = Known {
        actions: Vec::new(),
        answers: vec![
            of(&company, said("ada", 9, "2026-09-05T10:00:00Z")),
            of(&company, Said { comment: Some(" Too\nslow "), ..said("ben", 3, "2026-09-06T10:00:00Z") }),
        ],
        tasks: overdue.iter().chain([&today, &later]).map(|task| of(&company, task)).collect(),
        alerts: alerts
            .iter()
            .map(raised)
            .chain([of(&company, Raised { alert: &older, at: at("2026-09-04T02:00:00Z") })])
            .collect(),
    };
    let digest = composed(&known).unwrap();
    assert_eq!(
        shown(&digest),
        [
            (
                "Overdue tasks",
                3,
                vec!["Call cy (due 2026-09-03)", "Call ada (due 2026-09-04)", "Call ben (due 2026-09-03)"]
            ),
            ("Tasks due today", 1, vec!["Call dee"]),
            ("New alerts", 2, vec!["Sudden engagement drop: 30 points", "Sudden happiness drop: 12 points"]),
            ("Answers", 2, vec!["ben rated 3 of 10: “Too slow”", "ada rated 9 of 10"]),
        ]
    );
    assert_eq!((digest.day, digest.later_tasks, digest.older_alerts), (date(DAY), 1, 1));
    assert!(
        digest.sections[0].lines.iter().all(|line| line.company == "Initech" && line.company_id == company)
    );
}

#[test]
fn nothing_to_say_is_no_digest() {
    let company = company();
    assert_eq!(composed(&Known::default()), None);
    let (later, older) = (task("Call eve", Priority::High, "2026-09-08T17:00:00Z"), alert(Rule::Silent, 100));
    let mut snoozed = task("Call ada", Priority::High, "2026-09-04T17:00:00Z");
    snoozed.snooze(at("2026-09-09T00:00:00Z"), at("2026-09-04T00:00:00Z")).unwrap();
    let mut done = task("Call ben", Priority::High, "2026-09-04T17:00:00Z");
    done.done("kim", at("2026-09-04T00:00:00Z")).unwrap();
    let mut resolved = alert(Rule::Silent, 100);
    resolved.resolve("kim", "Fine", at("2026-09-07T05:00:00Z")).unwrap();
    let known = Known {
        actions: Vec::new(),
        answers: vec![of(&company, said("ada", 3, "2026-09-04T08:00:00Z"))], // told on Friday
        tasks: [&later, &snoozed, &done].map(|task| of(&company, task)).to_vec(),
        alerts: vec![
            of(&company, Raised { alert: &older, at: at("2026-09-04T08:00:00Z") }),
            of(&company, Raised { alert: &resolved, at: at("2026-09-07T04:00:00Z") }),
        ],
    };
    assert_eq!(composed(&known), None);
}

#[test]
fn monday_covers_the_weekend() {
    for (day, since, due) in [
        ("2026-09-07", "2026-09-04T08:00:00Z", "2026-09-07T08:00:00Z"), // Monday
        ("2026-09-08", "2026-09-07T08:00:00Z", "2026-09-08T08:00:00Z"),
        ("2026-09-11", "2026-09-10T08:00:00Z", "2026-09-11T08:00:00Z"), // Friday
    ] {
        assert_eq!(covers(date(day), Zone::UTC), (at(since), at(due)), "{day}");
    }
    let berlin = zone("Europe/Berlin");
    let monday = covers(date("2026-03-30"), berlin);
    assert_eq!(monday, (at("2026-03-27T07:00:00Z"), at("2026-03-30T06:00:00Z")), "clocks change on Sunday");
    // Samoa left out Friday 30 December 2011.
    let monday = covers(date("2012-01-02"), zone("Pacific/Apia"));
    assert_eq!(monday, (at("2011-12-29T18:00:00Z"), at("2012-01-01T18:00:00Z")));
}

#[test]
fn an_answer_is_told_once() {
    let company = company();
    for (received, told) in [
        ("2026-09-04T08:00:00Z", [true, false, false]),
        ("2026-09-04T08:00:01Z", [false, true, false]),
        ("2026-09-07T08:00:00Z", [false, true, false]),
        ("2026-09-07T08:00:01Z", [false, false, true]),
    ] {
        let known = Known { answers: vec![of(&company, said("ada", 8, received))], ..Known::default() };
        let days = ["2026-09-04", "2026-09-07", "2026-09-08"];
        assert_eq!(days.map(|day| compose(&known, date(day), Zone::UTC).is_some()), told, "{received}");
    }
}

#[test]
fn a_section_shows_its_first_lines_and_counts_all() {
    let company = company();
    let known = Known {
        answers: vec![of(&company, said("ada", 3, "2026-09-06T10:00:00Z")); MOST_LINES + 5],
        ..Known::default()
    };
    let digest = composed(&known).unwrap();
    assert_eq!((digest.sections[0].count, digest.sections[0].lines.len()), (MOST_LINES + 5, MOST_LINES));
}

#[test]
fn what_others_wrote_stays_short_and_on_its_line() {
    let company = company();
    let long = "why \r\n".repeat(1_000);
    let answer = Said { comment: Some(&long), ..said("ada\r\nBcc: x", 3, "2026-09-06T10:00:00Z") };
    let known = Known { answers: vec![Of { name: &long, ..of(&company, answer) }], ..Known::default() };
    let line = composed(&known).unwrap().sections.remove(0).lines.remove(0);
    for text in [line.company, line.text] {
        assert!(!text.contains(char::is_control) && text.chars().count() < 300, "{text}");
    }
}

#[test]
fn a_digest_is_due_at_eight_on_working_days() {
    let berlin = zone("Europe/Berlin");
    for (from, to, day) in [
        ("2026-09-07T05:45:00Z", "2026-09-07T06:00:00Z", Some("2026-09-07")),
        ("2026-09-07T06:00:00Z", "2026-09-07T06:15:00Z", None),
        ("2026-09-07T05:45:00Z", "2026-09-07T05:59:59Z", None),
        ("2026-09-05T05:45:00Z", "2026-09-05T06:15:00Z", None), // Saturday
        ("2026-09-04T06:00:00Z", "2026-09-07T05:00:00Z", None), // the weekend
        ("2026-09-01T00:00:00Z", "2026-09-06T12:00:00Z", Some("2026-09-04")), // the latest
        ("2026-09-07T06:00:00Z", "2026-09-07T05:00:00Z", None), // backwards
    ] {
        assert_eq!(due_between(at(from), at(to), berlin), day.map(date), "{from} {to}");
    }
    // The latest of several is as far back as a weekend, with a day beside it that the zone left out.
    let friday = due_between(at("2026-09-03T12:00:00Z"), at("2026-09-07T05:00:00Z"), berlin);
    assert_eq!(friday, Some(date("2026-09-04")));
    let thursday = due_between(at("2011-12-29T12:00:00Z"), at("2012-01-01T17:00:00Z"), zone("Pacific/Apia"));
    assert_eq!(thursday, Some(date("2011-12-29")));
}

proptest! {
    #![proptest_config(cases(512))]

    /// Spans of time that touch, of any length up to a day, over half a year.
    #[test]
    fn every_working_day_has_one_digest_however_time_is_cut(
        start in any_instant(), zone in any_zone(), cuts in proptest::collection::vec(60_i64..86_400, 60..400),
    ) {
        let mut days: Vec<NaiveDate> = Vec::new();
        let mut from = start;
        for seconds in cuts {
            let to = from + TimeDelta::seconds(seconds);
            days.extend(due_between(from, to, zone));
            from = to;
        }
        prop_assert!(days.windows(2).all(|pair| pair[0] < pair[1]), "never twice, never backwards: {:?}", days);
        let expected: Vec<NaiveDate> = zone
            .date(start)
            .iter_days()
            .take_while(|day| *day <= zone.date(from))
            .filter(|day| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun))
            .filter(|day| {
                let eight = zone.instant(*day, chrono::NaiveTime::from_hms_opt(8, 0, 0).unwrap());
                start < eight && eight <= from && zone.date(eight) == *day
            })
            .collect();
        prop_assert_eq!(&days, &expected);
        // The digests tell of all the time, once.
        for pair in days.windows(2) {
            prop_assert_eq!(covers(pair[0], zone).1, covers(pair[1], zone).0);
        }
    }

    #[test]
    fn the_order_of_what_is_known_changes_nothing(
        // Few values, so that many lines rank the same and only their words tell them apart.
        (answers, shuffled) in proptest::collection::vec((0_u8..=2, 0_i64..3, 0_usize..3), 1..30)
            .prop_flat_map(|answers| (Just(answers.clone()), Just(answers).prop_shuffle())),
    ) {
        let company = company();
        let digest = |answers: &[(u8, i64, usize)]| {
            let one = |(rating, hours, person): &(u8, i64, usize)| {
                let received_at: DateTime<Utc> = at("2026-09-06T08:00:00Z") + TimeDelta::hours(*hours);
                of(&company, Said { received_at, ..said(["ada", "ben", "cy"][*person], *rating, "2026-09-06T10:00:00Z") })
            };
            composed(&Known { answers: answers.iter().map(one).collect(), ..Known::default() })
        };
        prop_assert_eq!(digest(&answers), digest(&shuffled));
    }
}

#[test]
fn what_became_more_urgent_stands_first_and_once() {
    let company = company();
    let mut escalated = task("Call ada", Priority::High, "2026-09-03T17:00:00Z");
    escalated.escalated_at = Some(at("2026-09-04T06:00:00Z"));
    let overdue = task("Call ben", Priority::High, "2026-09-03T17:00:00Z");
    let known = Known { tasks: vec![of(&company, &overdue), of(&company, &escalated)], ..Known::default() };
    let digest = composed(&known).unwrap();
    assert_eq!(
        shown(&digest),
        [
            ("Escalated tasks", 1, vec!["Call ada (due 2026-09-03)"]),
            ("Overdue tasks", 1, vec!["Call ben (due 2026-09-03)"]),
        ]
    );
}

#[test]
fn what_waits_for_approval_is_told_every_day_and_what_failed_once() {
    let company = company();
    let mail = Automation::Email {
        user_id: None,
        subject: "How can we\r\nhelp?".to_owned(),
        text: String::new(),
        language: Language::English,
        csm: None,
    };
    let hook = Automation::Webhook { endpoint: "wh_1".to_owned() };
    let action =
        |wanted, fate, reason, when: &str| of(&company, Automated { wanted, fate, reason, at: at(when) });
    let known = Known {
        actions: vec![
            action(&mail, Fate::ToApprove, None, "2026-08-01T00:00:00Z"),
            action(&hook, Fate::Failed, Some("the endpoint answered 500"), "2026-09-05T10:00:00Z"),
            action(&mail, Fate::Failed, None, "2026-09-06T10:00:00Z"),
            action(&hook, Fate::Failed, Some("of last week"), "2026-09-03T10:00:00Z"),
        ],
        ..Known::default()
    };
    let digest = composed(&known).unwrap();
    assert_eq!(
        shown(&digest),
        [
            ("Actions to approve", 1, vec!["mail “How can we help?” waits for your approval"]),
            (
                "Failed actions",
                2,
                vec!["webhook failed: the endpoint answered 500", "mail “How can we help?” failed"]
            ),
        ]
    );
    let old = Known { actions: vec![known.actions[3]], ..Known::default() };
    assert!(composed(&old).is_none(), "told before, it is no reason for a mail");
}
