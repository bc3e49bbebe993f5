//! Rules: one open alert per company and rule, cool-down, worsening, recovery; silent, data gap, no login.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use barometer_domain::{
    Percent, Zone,
    alert::{Alert, AlertError, Decision, Finding, Rule, State, data_gap, decide, silent},
    drop::{engagement_drops, recovery},
    first_week::no_login,
    happiness::{Asks, Levels, happiness},
    telemetry::{Census, Telemetry},
};
use chrono::{Days, TimeDelta};
use proptest::prelude::*;

use crate::support::{any_basis_points, at, bp, cases, date, scored_week, week, zone};

/// A drop by `points` found at the end of the week `weeks` after 2026-W40.
fn drop_by(points: u8, weeks: i64) -> Finding {
    let period = week("2026-W40").plus(weeks);
    Finding {
        rule: Rule::EngagementSuddenDrop,
        period,
        at: period.end(Zone::UTC),
        severity: Percent::whole(points),
        baseline: None,
        sentence: String::new(),
    }
}

/// An alert of a drop by 30 points in 2026-W40, closed at noon of the Monday after.
fn closed() -> Alert {
    let mut alert = Alert::open(drop_by(30, 0));
    alert.resolve("kim@acme.example", "Called them", at("2026-10-05T12:00:00Z")).unwrap();
    alert
}

#[test]
fn there_is_one_open_alert() {
    assert_eq!(decide(None, &drop_by(30, 0)), Decision::Open);
    let mut alert = Alert::open(drop_by(30, 0));
    assert_eq!((alert.opened_at, alert.state), (at("2026-10-05T00:00:00Z"), State::Open));
    for later in [0, 1, 2, 20] {
        assert_eq!(decide(Some(&alert), &drop_by(34, later)), Decision::Nothing, "{later}");
    }
    alert.acknowledge("kim@acme.example", at("2026-10-06T00:00:00Z")).unwrap();
    assert_eq!(decide(Some(&alert), &drop_by(34, 1)), Decision::Nothing);
}

#[test]
fn five_points_more_are_worse() {
    let mut alert = Alert::open(drop_by(30, 0));
    alert.acknowledge("kim@acme.example", at("2026-10-06T00:00:00Z")).unwrap();
    let just_not = Finding { severity: bp(3_499), ..drop_by(0, 1) };
    assert_eq!(decide(Some(&alert), &just_not), Decision::Nothing);
    assert_eq!(decide(Some(&alert), &drop_by(35, 1)), Decision::Worsen);
    assert_eq!(decide(Some(&alert), &drop_by(35, 0)), Decision::Worsen, "the same week, scored again");
    assert_eq!(decide(Some(&alert), &drop_by(90, -1)), Decision::Nothing, "an earlier week");

    alert.worsen(drop_by(35, 1));
    assert_eq!((alert.state, alert.finding.period), (State::Open, week("2026-W41")));
    assert_eq!(alert.opened_at, at("2026-10-05T00:00:00Z"));
    assert_eq!(decide(Some(&alert), &drop_by(35, 1)), Decision::Nothing, "worse than the worst only");
    assert_eq!(decide(Some(&alert), &drop_by(39, 2)), Decision::Nothing);
}

#[test]
fn a_closed_alert_is_quiet_for_14_days() {
    let alert = closed();
    let after = |days| Finding { at: at("2026-10-05T12:00:00Z") + TimeDelta::days(days), ..drop_by(30, 2) };
    assert_eq!(decide(Some(&alert), &after(13)), Decision::Nothing);
    assert_eq!(decide(Some(&alert), &after(14)), Decision::Open);
    let just_before = Finding { at: after(14).at - TimeDelta::seconds(1), ..after(14) };
    assert_eq!(decide(Some(&alert), &just_before), Decision::Nothing);
    assert_eq!(decide(Some(&alert), &drop_by(34, 1)), Decision::Nothing);
    assert_eq!(decide(Some(&alert), &drop_by(35, 1)), Decision::Open, "worse: at once");
}

#[test]
fn what_is_known_opens_nothing_however_late_it_is_found_again() {
    let alert = closed();
    assert_eq!(decide(Some(&alert), &drop_by(30, 0)), Decision::Nothing);
    assert_eq!(decide(Some(&alert), &drop_by(90, 0)), Decision::Nothing);
    assert_eq!(decide(Some(&alert), &drop_by(90, -3)), Decision::Nothing);
}

#[test]
fn an_alert_is_closed_once_and_with_a_note() {
    let mut alert = Alert::open(drop_by(30, 0));
    let now = at("2026-10-06T00:00:00Z");
    assert_eq!(alert.resolve("kim", "  ", now), Err(AlertError::NoNote));
    assert!(alert.is_live());
    alert.resolve("kim", " Called them ", now).unwrap();
    assert_eq!(
        (alert.state, alert.note.as_str(), alert.changed_by.as_deref()),
        (State::Resolved, "Called them", Some("kim"))
    );
    let before = alert.clone();
    assert_eq!(alert.resolve("lee", "Again", now), Err(AlertError::Resolved));
    assert_eq!(alert.acknowledge("lee", now), Err(AlertError::Resolved));
    assert_eq!(alert.recover("Back".to_owned(), now), Err(AlertError::Resolved));
    assert_eq!(alert, before);
    let text = serde_json::to_string(&alert).unwrap();
    assert_eq!(serde_json::from_str::<Alert>(&text).unwrap(), alert);
}

/// An alert of 2026-W40 against a usual 70.
fn fallen() -> Alert {
    let mut weeks: Vec<_> = (1..=4).map(|ago| scored_week(week("2026-W40").plus(-ago), 7_000)).collect();
    weeks.push(scored_week(week("2026-W40"), 4_000));
    Alert::open(engagement_drops(&weeks, week("2026-W40"), Zone::UTC).remove(0))
}

#[test]
fn a_company_back_within_five_points_recovers() {
    let alert = fallen();
    assert_eq!(recovery(&alert, &scored_week(week("2026-W41"), 6_499)), None);
    let how = recovery(&alert, &scored_week(week("2026-W41"), 6_500)).unwrap();
    assert_eq!(how, "Engagement is back at 65 in 2026-W41, from a usual 70");
    assert!(recovery(&alert, &scored_week(week("2026-W45"), 9_000)).is_some());
    assert!(recovery(&alert, &scored_week(week("2026-W40"), 7_000)).is_some(), "late events raised the week");
    assert_eq!(recovery(&alert, &scored_week(week("2026-W39"), 7_000)), None, "before it fell");

    let mut acknowledged = fallen();
    acknowledged.acknowledge("kim", at("2026-10-06T00:00:00Z")).unwrap();
    assert!(recovery(&acknowledged, &scored_week(week("2026-W41"), 7_000)).is_some());

    let mut alert = alert;
    alert.recover(how.clone(), at("2026-10-12T00:00:00Z")).unwrap();
    assert_eq!((alert.state, alert.changed_by.as_deref(), &alert.note), (State::Resolved, None, &how));
    assert_eq!(recovery(&alert, &scored_week(week("2026-W42"), 7_000)), None, "closed already");
}

#[test]
fn recovery_needs_a_valid_week_under_the_same_settings() {
    let mut gap = scored_week(week("2026-W41"), 7_000);
    gap.telemetry = Telemetry::DataGap;
    assert_eq!(recovery(&fallen(), &gap), None);
    let mut other = scored_week(week("2026-W41"), 7_000);
    other.settings_version = 2;
    assert_eq!(recovery(&fallen(), &other), None);
    assert_eq!(
        recovery(&Alert::open(drop_by(30, 0)), &scored_week(week("2026-W41"), 7_000)),
        None,
        "no baseline"
    );
}

#[test]
fn nobody_in_the_first_seven_days() {
    let start = date("2026-09-01");
    let berlin = zone("Europe/Berlin");
    let on = |days, active, telemetry| {
        let today = start.checked_add_days(Days::new(days)).unwrap();
        no_login(start, today, active, telemetry, berlin)
    };
    for (days, found) in
        [(0, false), (6, false), (7, true), (8, true), (27, true), (28, false), (4_000, false)]
    {
        assert_eq!(on(days, false, Telemetry::Normal).is_some(), found, "day {days}");
        assert!(on(days, true, Telemetry::Normal).is_none(), "day {days}, somebody came");
    }
    for (telemetry, found) in [
        (Telemetry::NeverSent, true), // others sent: just the company to tell of
        (Telemetry::WorkspaceSilent, false),
        (Telemetry::DataGap, false),
    ] {
        assert_eq!(on(7, false, telemetry).is_some(), found, "{telemetry:?}");
    }
    let found = on(7, false, Telemetry::Normal).unwrap();
    assert_eq!(found.sentence, "Nobody logged in within the first 7 days after the start on 2026-09-01");
    assert_eq!((found.period, found.at), (week("2026-W37"), at("2026-09-07T22:00:00Z")));
    assert_eq!(on(20, false, Telemetry::Normal), Some(found), "the same whenever it is looked for");
    let before = start.checked_sub_days(Days::new(1)).unwrap();
    assert!(no_login(start, before, false, Telemetry::Normal, berlin).is_none(), "starts tomorrow");
}

#[test]
fn silence_is_told_once() {
    let now = at("2026-09-07T12:00:00Z");
    let read = |rounds| {
        let asks = Asks { delivered: 4, answered: 0, rounds };
        happiness(&[], asks, now, TimeDelta::days(90), Levels::default())
    };
    assert!(silent(&read(1), now, Zone::UTC).is_none());
    let found = silent(&read(2), now, Zone::UTC).unwrap();
    assert_eq!((found.rule, found.period, found.severity), (Rule::Silent, week("2026-W37"), Percent::FULL));
    assert_eq!(found.sentence, "Asked at least twice, nobody answered in 90 days up to 2026-09-07");
    let mut alert = Alert::open(found.clone());
    assert_eq!(decide(Some(&alert), &found), Decision::Nothing);
    alert.resolve("kim", "They asked not to be mailed", now + TimeDelta::days(1)).unwrap();
    assert_eq!(decide(Some(&alert), &found), Decision::Nothing);
    let again = silent(&read(3), now + TimeDelta::days(200), Zone::UTC).unwrap();
    assert_eq!(decide(Some(&alert), &again), Decision::Open);
}

#[test]
fn a_data_gap_goes_to_the_admins() {
    let census = |regular, silent| Census { heard: regular - silent, regular, silent };
    let gap = |regular, silent| data_gap(week("2026-W40"), census(regular, silent), Zone::UTC);
    assert!(gap(80, 15).is_none() && gap(10, 4).is_none());
    let found = gap(80, 20).unwrap();
    assert_eq!((found.severity, found.at), (Percent::whole(25), at("2026-10-05T00:00:00Z")));
    assert_eq!(
        found.sentence,
        "20 of 80 companies that normally send activity sent none in 2026-W40; the week is excluded for all"
    );
}

#[test]
fn the_words_of_alerts() {
    for (rule, wire, admins) in [
        (Rule::EngagementSuddenDrop, "engagement_sudden_drop", false),
        (Rule::EngagementSustainedDrop, "engagement_sustained_drop", false),
        (Rule::HappinessSuddenDrop, "happiness_sudden_drop", false),
        (Rule::NoLoginFirst7Days, "no_login_first_7_days", false),
        (Rule::Silent, "silent", false),
        (Rule::DataGap, "data_gap", true),
        (Rule::MailStopped, "mail_stopped", true),
    ] {
        assert_eq!(serde_json::to_value(rule).unwrap(), wire);
        assert_eq!(rule.for_admins(), admins);
        assert!(!rule.label().is_empty());
    }
    for (state, wire) in
        [(State::Open, "open"), (State::Acknowledged, "acknowledged"), (State::Resolved, "resolved")]
    {
        assert_eq!(serde_json::to_value(state).unwrap(), wire);
    }
}

/// Takes in a finding as the product does.
fn take_in(alerts: &mut Vec<Alert>, finding: &Finding) {
    match decide(alerts.last(), finding) {
        Decision::Open => alerts.push(Alert::open(finding.clone())),
        Decision::Worsen => alerts.last_mut().unwrap().worsen(finding.clone()),
        Decision::Nothing => {}
    }
}

proptest! {
    #![proptest_config(cases(256))]

    /// Looking again, at any time and however often, opens and changes nothing.
    #[test]
    fn the_same_input_twice_opens_no_second_alert(
        scores in proptest::collection::vec(any_basis_points(), 6..20),
        close_after in proptest::option::of(0_i64..30),
    ) {
        let first = week("2026-W10");
        let scored = |(later, score): (i64, &u16)| scored_week(first.plus(later), *score);
        let weeks: Vec<_> = (0..).zip(&scores).map(scored).collect();
        let found: Vec<Finding> = weeks
            .iter()
            .flat_map(|judged| engagement_drops(&weeks, judged.period, Zone::UTC))
            .filter(|finding| finding.rule == Rule::EngagementSuddenDrop)
            .collect();
        let mut alerts = Vec::new();
        for finding in &found {
            take_in(&mut alerts, finding);
            take_in(&mut alerts, finding);
            let live = alerts.last_mut().filter(|alert| alert.is_live());
            if let (Some(days), Some(alert)) = (close_after, live) {
                alert.resolve("kim", "Done", finding.at + TimeDelta::days(days)).unwrap();
            }
        }
        prop_assert!(alerts.iter().rev().skip(1).all(|alert| !alert.is_live()));
        let before = alerts.clone();
        for finding in &found {
            take_in(&mut alerts, finding);
        }
        prop_assert_eq!(alerts, before);
    }
}
