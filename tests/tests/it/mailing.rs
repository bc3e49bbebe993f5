//! From an ask to what SES says became of it, in a home.

use barometer_cloud::table::asks::{Ask, AskState};
use barometer_domain::{CompanyId, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::home::{Running, at, read, send, text};

/// A home in which Ada of Acme, at an address, is to be asked.
async fn with_ada_at(address: &str) -> Running {
    let running = Running::start("2026-08-31T00:00:00Z", "Etc/UTC").await;
    tell_address(&running, "i1", address).await;
    running
        .event(json!({ "type": "group", "userId": "ada", "groupId": "acme", "messageId": "g1",
            "timestamp": "2026-08-31T00:00:00Z", "traits": { "name": "Acme" } }))
        .await;
    // She has been around for long, so that her turn comes with the next window.
    let (acme, ada, since) = (CompanyId::new("acme").unwrap(), ada(), at("2026-08-03T10:00:00Z"));
    let table = running.home.table();
    table.note_member(&running.keys.workspace_id, &acme, &ada, since, since.date_naive()).await.unwrap();
    let on = json!({ "request_feedback": true });
    let answer = running.api(Method::PATCH, "/v1/companies/acme", &on).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", text(&answer));
    running
}

fn ada() -> UserId {
    UserId::new("ada").unwrap()
}

async fn tell_address(running: &Running, message: &str, address: &str) {
    let told = running.home.now() - TimeDelta::seconds(1);
    running
        .event(json!({ "type": "identify", "userId": "ada", "messageId": message, "timestamp": told,
            "traits": { "email": address } }))
        .await;
}

async fn mails(running: &Running) -> Vec<String> {
    let mails = running.home.mailbox().list().await.unwrap();
    mails.into_iter().flat_map(|mail| mail.to).collect()
}

async fn asks(running: &Running) -> Vec<Ask> {
    let acme = CompanyId::new("acme").unwrap();
    let mut asks = running.home.table().asks(&running.keys.workspace_id, &acme).await.unwrap();
    asks.sort_by_key(|ask| ask.cycle);
    asks
}

/// Lets days pass until there are so many asks that are no longer planned. Returns the last.
async fn days_until_asked(running: &Running, times: usize) -> Ask {
    for _ in 0..60 {
        running.home.move_clock(running.home.now() + TimeDelta::days(1)).await.unwrap();
        let mut asks = asks(running).await;
        asks.retain(|ask| ask.state != AskState::Planned);
        if asks.len() >= times {
            return asks.remove(times - 1);
        }
    }
    panic!("nobody was asked");
}

async fn days(running: &Running, days: i64) {
    let to: DateTime<Utc> = running.home.now() + TimeDelta::days(days);
    running.home.move_clock(to).await.unwrap();
}

async fn dead(running: &Running) -> Value {
    read(&send(&running.client, Method::GET, "/local/dead", None, &Value::Null).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ask_is_delivered_and_ses_says_so() {
    let running = with_ada_at("ada@acme.example").await;
    let ask = days_until_asked(&running, 1).await;
    assert_eq!((ask.state, ask.reason), (AskState::Delivered, None));
    assert!(ask.message_id.is_some() && ask.accepted_at.is_some());
    assert_eq!(mails(&running).await, ["ada@acme.example"]);
    let counts =
        running.home.table().mail_counts(&running.keys.workspace_id, running.home.now()).await.unwrap();
    assert_eq!((counts.sent, counts.bounced, counts.complained), (1, 0, 0));
    assert_eq!(dead(&running).await, json!([]));
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_mails_come_back_is_asked_again_at_a_new_address_only() {
    for simulator in ["bounce+ada@simulator.amazonses.com", "suppressionlist@simulator.amazonses.com"] {
        let running = with_ada_at(simulator).await;
        let ask = days_until_asked(&running, 1).await;
        assert_eq!(ask.state, AskState::Bounced, "{simulator}");
        let workspace = &running.keys.workspace_id;
        let ada = running.home.table().user(workspace, &ada()).await.unwrap().unwrap();
        assert!(ada.is_unreachable_at(simulator));
        days(&running, 35).await;
        assert_eq!(mails(&running).await.len(), 1, "{simulator}: not asked in the next cycle");

        tell_address(&running, "i2", "ada@new.example").await;
        let again = days_until_asked(&running, 2).await;
        assert_eq!(again.state, AskState::Delivered);
        assert_eq!(mails(&running).await, [simulator, "ada@new.example"]);
        running.home.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_complains_is_never_asked_again() {
    let running = with_ada_at("complaint@simulator.amazonses.com").await;
    let ask = days_until_asked(&running, 1).await;
    assert_eq!((ask.state, ask.reason.as_deref()), (AskState::Complained, Some("abuse")));
    let workspace = &running.keys.workspace_id;
    let ada = running.home.table().user(workspace, &ada()).await.unwrap().unwrap();
    assert!(ada.unsubscribed_at.is_some());
    tell_address(&running, "i2", "ada@new.example").await;
    days(&running, 35).await;
    assert_eq!(mails(&running).await.len(), 1);
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_out_of_office_is_asked_again_in_the_next_cycle() {
    let running = with_ada_at("ooto@simulator.amazonses.com").await;
    assert_eq!(days_until_asked(&running, 1).await.state, AskState::Delivered);
    assert_eq!(days_until_asked(&running, 2).await.state, AskState::Delivered);
    assert_eq!(mails(&running).await.len(), 2);
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_whose_answer_was_an_error_is_found_to_be_delivered_and_not_sent_again() {
    let running = with_ada_at("ada@acme.example").await;
    running.fault(&json!({ "ses": { "error_after_accept": true, "times": 1 } })).await;
    let ask = days_until_asked(&running, 1).await;
    assert_eq!((ask.state, ask.reason), (AskState::Delivered, None), "resolved by the event");
    days(&running, 7).await;
    assert_eq!(mails(&running).await.len(), 1);
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_ends_as_it_must() {
    for (fault, state, sent) in [
        ("error", AskState::Unknown, 0),
        ("drop", AskState::Accepted, 0),
        ("reject", AskState::Failed, 0),
        ("bounce", AskState::Bounced, 1),
        ("complain", AskState::Complained, 1),
        ("throttle", AskState::Delivered, 1),
        ("quota", AskState::Delivered, 1),
        ("paused", AskState::Delivered, 1),
    ] {
        let running = with_ada_at("ada@acme.example").await;
        running.fault(&json!({ "ses": { fault: true, "times": 1 } })).await;
        let ask = days_until_asked(&running, 1).await;
        assert_eq!(ask.state, state, "{fault}");
        assert_eq!(mails(&running).await.len(), sent, "{fault}");
        running.home.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_of_which_nothing_is_heard_is_lost_and_the_next_cycle_asks() {
    let running = with_ada_at("ada@acme.example").await;
    running.fault(&json!({ "ses": { "error": true, "times": 1 } })).await;
    let ask = days_until_asked(&running, 1).await;
    let submitted = ask.submitted_at.unwrap();
    assert!(!ask.is_lost(submitted + TimeDelta::hours(5)) && ask.is_lost(submitted + TimeDelta::hours(6)));
    assert_eq!(days_until_asked(&running, 2).await.state, AskState::Delivered);
    assert_eq!(mails(&running).await.len(), 1);
    running.home.stop().await;
}
