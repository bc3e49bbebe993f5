//! Rules: mailing stops at too many bounces or complaints, and the admins are told.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use barometer_domain::{
    Percent, Zone,
    alert::{Alert, Decision, Finding, Rule, decide, mail_stopped},
    breaker::{Counts, Stop},
};
use chrono::TimeDelta;

use crate::support::{at, bp, week, zone};

fn stop(sent: u64, bounced: u64, complained: u64) -> Option<Stop> {
    Counts { sent, bounced, complained }.stop()
}

#[test]
fn more_than_four_percent_of_bounces_stop() {
    for (sent, bounced, stops) in [
        (100, 4, false),
        (100, 5, true),
        (1_000_000, 40_000, false),
        (1_000_000, 40_001, true),
        (74, 3, true),
        (75, 3, false),
    ] {
        let expected = stops.then_some(Stop::Bounces { bounced, sent });
        assert_eq!(stop(sent, bounced, 0), expected, "{bounced} of {sent}");
    }
}

#[test]
fn bounces_are_judged_from_fifty_mails() {
    assert_eq!(stop(49, 49, 0), None);
    assert_eq!(stop(50, 2, 0), None);
    assert_eq!(stop(50, 3, 0), Some(Stop::Bounces { bounced: 3, sent: 50 }));
}

#[test]
fn more_than_eight_complaints_in_ten_thousand_stop() {
    for (sent, complained, stops) in [
        (10_000, 8, false),
        (10_000, 9, true),
        (1_250, 1, false),
        (1_249, 1, true),
        (1, 1, true),
        (0, 1, true), // about mails of an earlier day
        (1, 0, false),
        (0, 0, false),
    ] {
        let expected = stops.then_some(Stop::Complaints { complained, sent });
        assert_eq!(stop(sent, 0, complained), expected, "{complained} of {sent}");
    }
}

#[test]
fn complaints_are_told_before_bounces() {
    assert_eq!(stop(100, 50, 1), Some(Stop::Complaints { complained: 1, sent: 100 }));
}

#[test]
fn counts_of_any_size_are_judged() {
    assert_eq!(stop(u64::MAX, u64::MAX / 100 * 4, 0), None);
    assert!(stop(u64::MAX, u64::MAX, u64::MAX).is_some());
}

#[test]
fn the_alert_says_why() {
    for (reason, severity, sentence) in [
        (
            Stop::Bounces { bounced: 6, sent: 120 },
            bp(500),
            "Mailing stopped: 6 of 120 mails in 24 hours bounced (5.00 %, at most 4.00 %)",
        ),
        (
            Stop::Complaints { complained: 1, sent: 800 },
            bp(13),
            "Mailing stopped: 1 complaint about 800 mails in 24 hours (0.13 %, at most 0.08 %)",
        ),
        (Stop::Quota, Percent::FULL, "Mailing stopped: the mail service takes no more mails today"),
        (Stop::Paused, Percent::FULL, "Mailing stopped: the mail service has paused the account"),
    ] {
        // Sunday evening in UTC is Monday in Auckland.
        let found = mail_stopped(reason, at("2026-09-06T20:00:00Z"), zone("Pacific/Auckland"));
        assert_eq!((found.rule, found.severity), (Rule::MailStopped, severity));
        assert_eq!((found.period, found.at), (week("2026-W37"), at("2026-09-06T20:00:00Z")));
        assert_eq!(found.sentence, sentence);
        let text = serde_json::to_string(&reason).unwrap();
        assert_eq!(serde_json::from_str::<Stop>(&text).unwrap(), reason);
    }
}

fn trip(time: &str, bounced: u64) -> Finding {
    mail_stopped(Stop::Bounces { bounced, sent: 1_000 }, at(time), Zone::UTC)
}

#[test]
fn a_trip_is_one_alert_however_often_it_is_looked_at() {
    let first = trip("2026-09-07T10:00:00Z", 60);
    assert_eq!(decide(None, &first), Decision::Open);
    let alert = Alert::open(first);
    for later in ["2026-09-07T10:00:00Z", "2026-09-07T10:15:00Z", "2026-09-20T10:00:00Z"] {
        assert_eq!(decide(Some(&alert), &trip(later, 61)), Decision::Nothing, "{later}");
    }
    assert_eq!(decide(Some(&alert), &trip("2026-09-07T10:15:00Z", 110)), Decision::Worsen);
}

#[test]
fn mailing_that_stops_again_is_told_a_day_later_and_not_after_two_weeks() {
    let mut alert = Alert::open(trip("2026-09-07T10:00:00Z", 60));
    alert.resolve("kim", "Cleaned the list", at("2026-09-07T12:00:00Z")).unwrap();
    for (time, bounced, decision) in [
        ("2026-09-07T12:15:00Z", 60, Decision::Nothing),
        ("2026-09-07T12:15:00Z", 110, Decision::Open),    // worse
        ("2026-09-07T11:45:00Z", 110, Decision::Nothing), // an older sweep, run again
        ("2026-09-08T09:59:59Z", 60, Decision::Nothing),
        ("2026-09-08T10:00:00Z", 60, Decision::Open),
    ] {
        assert_eq!(decide(Some(&alert), &trip(time, bounced)), decision, "{time} {bounced}");
    }
    let mut late = Alert::open(trip("2026-09-07T10:00:00Z", 60));
    late.resolve("kim", "Cleaned the list", at("2026-09-10T12:00:00Z")).unwrap();
    let before = at("2026-09-10T12:00:00Z") - TimeDelta::minutes(15);
    let found = Finding { at: before, ..trip("2026-09-10T00:00:00Z", 60) };
    assert_eq!(decide(Some(&late), &found), Decision::Nothing, "what was found before it was closed");
}
