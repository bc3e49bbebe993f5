//! The rule by which a mail moves on, without a store.

use barometer_domain::{CompanyId, UserId};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::*;

fn now() -> DateTime<Utc> {
    "2026-09-07T10:00:00Z".parse().unwrap()
}

fn ask(state: AskState) -> Ask {
    Ask {
        send_id: SendId::from_bytes([7; 16]),
        workspace_id: WorkspaceId::new("ws").unwrap(),
        company_id: CompanyId::new("acme").unwrap(),
        user_id: UserId::new("ann").unwrap(),
        cycle: 1,
        state,
        reason: None,
        planned_at: now() - TimeDelta::days(1),
        submitted_at: Some(now()),
        scanned_at: None,
        accepted_at: None,
        message_id: None,
        answered_at: None,
        expires: now() + TimeDelta::days(30),
    }
}

fn word(fate: Fate) -> Word {
    Word { fate, message_id: "m-1".to_owned(), accepted_at: now(), at: now() }
}

/// What the store does with a word, without the store.
fn hear(ask: &mut Ask, counts: &mut Counts, fate: &Fate) {
    if let Some(step) = word(fate.clone()).step(ask.state, ask.reason.as_deref()) {
        (ask.state, ask.reason) = (step.state, step.reason);
        counts.sent += step.counts.sent;
        counts.bounced += step.counts.bounced;
        counts.complained += step.counts.complained;
    }
}

fn heard(from: AskState, fates: &[Fate]) -> (AskState, Option<String>, Counts) {
    let (mut ask, mut counts) = (ask(from), Counts::default());
    fates.iter().for_each(|fate| hear(&mut ask, &mut counts, fate));
    (ask.state, ask.reason, counts)
}

fn fates() -> impl Strategy<Value = Fate> {
    let bounce = prop::sample::select(vec![Bounce::Permanent, Bounce::Transient, Bounce::Unclear]);
    let why = prop::sample::select(vec!["General", "MailboxFull", "NoEmail"]);
    prop_oneof![
        Just(Fate::Accepted),
        Just(Fate::Delivered),
        (bounce, why).prop_map(|(bounce, why)| Fate::Bounced(bounce, why.to_owned())),
        Just(Fate::Rejected("Bad content".to_owned())),
        prop::sample::select(vec!["abuse", "fraud"]).prop_map(|kind| Fate::Complained(kind.to_owned())),
    ]
}

#[test]
fn any_order_and_repetition_of_events_ends_the_same() {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[5; 32]);
    let config = Config { cases: 2_000, failure_persistence: None, ..Config::default() };
    let words = prop::collection::vec(fates(), 1..6);
    let shuffled = words.prop_flat_map(|words| {
        let twice = [words.clone(), words.clone()].concat();
        (Just(words), Just(twice).prop_shuffle())
    });
    let from = prop::sample::select(vec![AskState::Submitting, AskState::Unknown]);
    TestRunner::new_with_rng(config, rng)
        .run(&(from, shuffled), |(from, (words, shuffled))| {
            let (state, reason, counts) = heard(from, &words);
            let (other_state, other_reason, other) = heard(AskState::Submitting, &shuffled);
            prop_assert_eq!((state, reason), (other_state, other_reason));
            prop_assert_eq!((counts.sent, other.sent), (1, 1));
            prop_assert!(other.bounced <= 1 && other.complained <= 1);
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_late_delivery_does_not_hide_what_is_worse() {
    for worse in [
        Fate::Bounced(Bounce::Permanent, "General".to_owned()),
        Fate::Bounced(Bounce::Transient, "MailboxFull".to_owned()),
        Fate::Rejected("Bad content".to_owned()),
        Fate::Complained("abuse".to_owned()),
    ] {
        let (state, reason, _) = heard(AskState::Accepted, &[worse.clone(), Fate::Delivered, Fate::Accepted]);
        assert_eq!((state, reason), (worse.state(), worse.reason()));
    }
}

#[test]
fn an_out_of_office_reply_leaves_a_mail_delivered() {
    let reply = Fate::Bounced(Bounce::Unclear, "General".to_owned());
    for order in [[Fate::Delivered, reply.clone()], [reply.clone(), Fate::Delivered]] {
        let (state, reason, counts) = heard(AskState::Accepted, &order);
        assert_eq!((state, reason, counts), (AskState::Delivered, None, Counts::default()));
    }
    assert_eq!(heard(AskState::Accepted, &[reply]).0, AskState::Bounced, "nothing says that it arrived");
}

#[test]
fn only_a_bounce_for_good_counts_as_one() {
    for (bounce, bounced) in [(Bounce::Permanent, 1), (Bounce::Transient, 0), (Bounce::Unclear, 0)] {
        let (_, _, counts) = heard(AskState::Submitting, &[Fate::Bounced(bounce, "General".to_owned())]);
        assert_eq!(counts, Counts { sent: 1, bounced, complained: 0 });
    }
}

#[test]
fn a_mail_that_ses_speaks_of_was_taken_whatever_was_noted() {
    for noted in
        [AskState::Planned, AskState::Submitting, AskState::Unknown, AskState::Failed, AskState::Skipped]
    {
        assert_eq!(heard(noted, &[Fate::Delivered]).0, AskState::Delivered, "{noted:?}");
    }
}

#[test]
fn a_mail_is_lost_when_six_hours_told_nothing() {
    let unknown = ask(AskState::Unknown);
    assert!(!unknown.is_lost(now() + TimeDelta::minutes(359)));
    assert!(unknown.is_lost(now() + TimeDelta::hours(6)));
    assert!(!ask(AskState::Accepted).is_lost(now() + TimeDelta::days(9)));
}

#[test]
fn what_came_back_was_not_delivered_and_a_complaint_was() {
    for (state, delivered) in [
        (AskState::Accepted, true),
        (AskState::Delivered, true),
        (AskState::Complained, true),
        (AskState::Bounced, false),
        (AskState::Rejected, false),
        (AskState::Unknown, false),
        (AskState::Submitting, false),
    ] {
        assert_eq!(ask(state).is_delivered(), delivered, "{state:?}");
    }
}
