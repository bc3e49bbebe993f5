//! Claiming a mail, what SES says of it, and the counts.

use barometer_cloud::table::{
    asks::{Ask, AskState},
    companies::{Patch, Profile},
    mailing::{Bounce, Fate, Turn, Word},
};
use barometer_domain::{SendId, breaker::Counts};
use barometer_tests::store::{TestTable, table};
use chrono::{DateTime, TimeDelta, Utc};

use crate::samples::{Dice, at, company, user, workspace};

const ADDRESS: &str = "ann@acme.example";

fn now() -> DateTime<Utc> {
    at("2026-09-07T10:20:00Z")
}

fn ask(cycle: u32) -> Ask {
    let (company_id, user_id) = (company("acme"), user("ann"));
    Ask {
        send_id: SendId::derive(&workspace(), &company_id, &user_id, "feedback", cycle),
        workspace_id: workspace(),
        company_id,
        user_id,
        cycle,
        state: AskState::Planned,
        reason: None,
        planned_at: now(),
        submitted_at: None,
        scanned_at: None,
        accepted_at: None,
        message_id: None,
        answered_at: None,
        expires: now() + TimeDelta::days(30),
    }
}

fn word(fate: Fate, at: DateTime<Utc>) -> Word {
    Word { fate, message_id: "m-1".to_owned(), accepted_at: now(), at }
}

fn hard() -> Fate {
    Fate::Bounced(Bounce::Permanent, "General".to_owned())
}

async fn switch(table: &TestTable, on: bool) {
    let patch = Patch { request_feedback: Some(on), ..Patch::default() };
    table.patch_company(&workspace(), &company("acme"), &patch).await.unwrap();
}

/// A table with a company whose users are asked, and a planned mail.
async fn planned() -> (TestTable, Ask) {
    let table = table().await;
    table.note_company(&workspace(), &company("acme"), &Profile::default(), now()).await.unwrap();
    switch(&table, true).await;
    let ask = ask(1);
    table.plan_ask(&ask).await.unwrap();
    (table, ask)
}

async fn standing(table: &TestTable, ask: &Ask) -> Ask {
    table.ask(ask.send_id).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_planned_mail_is_claimed_once() {
    let (table, ask) = planned().await;
    assert_eq!(table.begin_submitting(&ask, ADDRESS, now()).await.unwrap(), Turn::Ours);
    let found = standing(&table, &ask).await;
    assert_eq!((found.state, found.submitted_at), (AskState::Submitting, Some(now())));
    assert_eq!(table.begin_submitting(&ask, ADDRESS, now()).await.unwrap(), Turn::Lost);
}

#[tokio::test]
async fn of_two_workers_one_claims() {
    let (table, _) = planned().await;
    for cycle in 2..=11 {
        let ask = ask(cycle);
        table.plan_ask(&ask).await.unwrap();
        let go = || table.begin_submitting(&ask, ADDRESS, now());
        let (one, other) = tokio::join!(go(), go());
        let turns = [one.unwrap(), other.unwrap()];
        assert!(turns.contains(&Turn::Ours) && turns.contains(&Turn::Lost), "cycle {cycle}: {turns:?}");
    }
}

#[tokio::test]
async fn whoever_unsubscribed_is_not_claimed() {
    let (table, ask) = planned().await;
    table.unsubscribe(&workspace(), &user("ann"), now()).await.unwrap();
    assert_eq!(table.begin_submitting(&ask, ADDRESS, now()).await.unwrap(), Turn::Closed);
    assert_eq!(standing(&table, &ask).await, ask, "as it was");
}

#[tokio::test]
async fn nobody_is_claimed_while_the_company_is_switched_off() {
    let (table, ask) = planned().await;
    switch(&table, false).await;
    assert_eq!(table.begin_submitting(&ask, ADDRESS, now()).await.unwrap(), Turn::Closed);
    switch(&table, true).await;
    assert_eq!(table.begin_submitting(&ask, ADDRESS, now()).await.unwrap(), Turn::Ours);
}

#[tokio::test]
async fn an_address_that_mails_come_back_from_is_not_claimed_and_a_new_one_is() {
    let (table, ask) = planned().await;
    for _ in 0..2 {
        table.note_unreachable(&workspace(), &user("ann"), " Ann@Acme.example", "General").await.unwrap();
    }
    table.note_unreachable(&workspace(), &user("ann"), "old@acme.example", "NoEmail").await.unwrap();
    let found = table.user(&workspace(), &user("ann")).await.unwrap().unwrap();
    assert!(found.is_unreachable_at(ADDRESS) && found.is_unreachable_at("old@acme.example"));
    assert!(!found.is_unreachable_at("new@acme.example"));
    assert_eq!((found.unreachable.len(), found.unreachable_reason.as_deref()), (2, Some("NoEmail")));
    assert_eq!(table.begin_submitting(&ask, ADDRESS, now()).await.unwrap(), Turn::Closed);
    assert_eq!(table.begin_submitting(&ask, "new@acme.example", now()).await.unwrap(), Turn::Ours);
}

#[tokio::test]
async fn a_mail_that_is_gone_is_lost_before_any_gate_is_looked_at() {
    let (table, ask) = planned().await;
    table.begin_submitting(&ask, ADDRESS, now()).await.unwrap();
    switch(&table, false).await;
    assert_eq!(table.begin_submitting(&ask, ADDRESS, now()).await.unwrap(), Turn::Lost);
}

#[tokio::test]
async fn the_answer_of_ses_and_its_event_may_come_in_either_order() {
    for event_first in [true, false] {
        let (table, ask) = planned().await;
        table.begin_submitting(&ask, ADDRESS, now()).await.unwrap();
        let delivered = word(Fate::Delivered, now());
        if event_first {
            assert!(table.record_word(&ask, &delivered).await.unwrap());
        }
        table.accept_ask(&ask, "m-1", now()).await.unwrap();
        assert_eq!(table.record_word(&ask, &delivered).await.unwrap(), !event_first);
        let found = standing(&table, &ask).await;
        assert_eq!((found.state, found.message_id.as_deref()), (AskState::Delivered, Some("m-1")));
        assert_eq!((found.accepted_at, found.is_delivered()), (Some(now()), true));
    }
}

#[tokio::test]
async fn given_up_as_unknown_may_still_turn_out_to_be_accepted() {
    let (table, ask) = planned().await;
    table.begin_submitting(&ask, ADDRESS, now()).await.unwrap();
    table.move_ask(&ask, AskState::Submitting, AskState::Unknown, Some("no answer")).await.unwrap();
    table.accept_ask(&ask, "m-1", now()).await.unwrap();
    let found = standing(&table, &ask).await;
    assert_eq!((found.state, found.reason), (AskState::Accepted, None));
}

#[tokio::test]
async fn a_complaint_is_not_forgotten() {
    let (table, ask) = planned().await;
    table.begin_submitting(&ask, ADDRESS, now()).await.unwrap();
    for fate in [Fate::Complained("abuse".to_owned()), Fate::Delivered, hard(), Fate::Accepted] {
        table.record_word(&ask, &word(fate, now())).await.unwrap();
    }
    let found = standing(&table, &ask).await;
    assert_eq!((found.state, found.reason.as_deref()), (AskState::Complained, Some("abuse")));
}

#[tokio::test]
async fn of_a_mail_that_nobody_planned_nothing_is_written() {
    let (table, _) = planned().await;
    assert!(!table.record_word(&ask(9), &word(Fate::Delivered, now())).await.unwrap());
    assert_eq!(table.ask(ask(9).send_id).await.unwrap(), None);
    assert_eq!(table.mail_counts(&workspace(), now()).await.unwrap(), Counts::default());
}

#[tokio::test]
async fn words_that_come_twice_and_in_any_order_count_once() {
    let (table, _) = planned().await;
    let mut dice = Dice::new(11);
    let mut words = Vec::new();
    for cycle in 2..=9 {
        let ask = ask(cycle);
        table.plan_ask(&ask).await.unwrap();
        table.begin_submitting(&ask, ADDRESS, now()).await.unwrap();
        let worst = match cycle {
            2 | 3 => hard(),
            4 => Fate::Complained("abuse".to_owned()),
            5 => Fate::Bounced(Bounce::Transient, "MailboxFull".to_owned()),
            _ => Fate::Delivered,
        };
        for fate in [Fate::Accepted, Fate::Delivered, worst] {
            words.push((ask.clone(), word(fate, now())));
        }
    }
    words.extend(words.clone());
    dice.shuffle(&mut words);
    for pair in words.chunks(3) {
        let said = pair.iter().map(|(ask, word)| table.record_word(ask, word));
        for heard in futures_util::future::join_all(said).await {
            heard.unwrap();
        }
    }
    let counts = table.mail_counts(&workspace(), now()).await.unwrap();
    assert_eq!(counts, Counts { sent: 8, bounced: 2, complained: 1 });
}

#[tokio::test]
async fn a_day_is_counted_from_its_hours() {
    let (table, _) = planned().await;
    for (cycle, back) in [(2, 0), (3, 23), (4, 24), (5, 26)] {
        let ask = ask(cycle);
        table.plan_ask(&ask).await.unwrap();
        table.record_word(&ask, &word(hard(), now() - TimeDelta::hours(back))).await.unwrap();
    }
    let count = async |at| table.mail_counts(&workspace(), at).await.unwrap();
    assert_eq!(count(now()).await, Counts { sent: 3, bounced: 3, complained: 0 });
    assert_eq!(count(now() + TimeDelta::hours(3)).await.sent, 1);
    assert_eq!(count(now() + TimeDelta::hours(26)).await, Counts::default());
}
