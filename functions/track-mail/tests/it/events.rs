use barometer_cloud::{
    Table,
    table::asks::{Ask, AskState},
};
use barometer_domain::{CompanyId, SendId, UserId, WorkspaceId, breaker::Counts};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use track_mail::{Answer, Deps, handle};

use crate::{messages, store::table};

const ADDRESS: &str = "ada@acme.example";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn ask(cycle: u32) -> Ask {
    let (workspace_id, company_id) = (WorkspaceId::new("ws").unwrap(), CompanyId::new("acme").unwrap());
    let user_id = UserId::new("ada").unwrap();
    let asked = at("2026-09-02T09:15:00Z");
    Ask {
        send_id: SendId::derive(&workspace_id, &company_id, &user_id, "feedback", cycle),
        workspace_id,
        company_id,
        user_id,
        cycle,
        state: AskState::Submitting,
        reason: None,
        planned_at: asked,
        submitted_at: Some(asked),
        scanned_at: None,
        accepted_at: None,
        message_id: None,
        answered_at: None,
        expires: asked + TimeDelta::days(30),
    }
}

fn message(name: &str, ask: &Ask) -> Value {
    messages::message(name, ask.send_id)
}

fn changed(name: &str, ask: &Ask, change: impl FnOnce(&mut Value)) -> Value {
    messages::changed(name, ask.send_id, change)
}

struct World {
    table: Table,
    ask: Ask,
}

impl World {
    async fn new() -> Self {
        let world = Self { table: table().await, ask: ask(1) };
        world.table.plan_ask(&world.ask).await.unwrap();
        world
    }

    async fn hear(&self, messages: Vec<Value>) -> Answer {
        let batch = serde_json::from_value(json!({ "Records": messages })).unwrap();
        handle(batch, &Deps { table: self.table.clone() }).await.unwrap()
    }

    async fn hears(&self, names: &[&str]) {
        let messages = names.iter().map(|name| message(name, &self.ask)).collect();
        assert_eq!(self.hear(messages).await, Answer::default());
    }

    async fn standing(&self) -> Ask {
        self.table.ask(self.ask.send_id).await.unwrap().unwrap()
    }

    async fn state(&self) -> (AskState, Option<String>) {
        let ask = self.standing().await;
        (ask.state, ask.reason)
    }

    async fn is_reachable(&self) -> bool {
        let user =
            self.table.user(&self.ask.workspace_id, &self.ask.user_id).await.unwrap().unwrap_or_default();
        !user.is_unreachable_at(ADDRESS)
    }

    async fn is_subscribed(&self) -> bool {
        let user =
            self.table.user(&self.ask.workspace_id, &self.ask.user_id).await.unwrap().unwrap_or_default();
        user.unsubscribed_at.is_none()
    }

    async fn counts(&self) -> Counts {
        self.table.mail_counts(&self.ask.workspace_id, at("2026-09-02T12:00:00Z")).await.unwrap()
    }
}

#[tokio::test]
async fn each_kind_of_event_moves_the_mail_to_its_state() {
    for (name, state, reason) in [
        ("send", AskState::Accepted, None),
        ("delivery", AskState::Delivered, None),
        ("bounce", AskState::Bounced, Some("permanent: General")),
        ("bounce-transient", AskState::Bounced, Some("transient: MailboxFull")),
        ("complaint", AskState::Complained, Some("abuse")),
        ("reject", AskState::Rejected, Some("Bad content")),
        ("rendering-failure", AskState::Rejected, Some("RenderingFailure")),
        ("delivery-delay", AskState::Submitting, None),
    ] {
        let world = World::new().await;
        world.hears(&[name]).await;
        assert_eq!(world.state().await, (state, reason.map(str::to_owned)), "{name}");
        assert_eq!(world.is_reachable().await, name != "bounce", "{name}");
        assert_eq!(world.is_subscribed().await, name != "complaint", "{name}");
        let accepted = (state != AskState::Submitting).then(|| at("2026-09-02T09:15:00.512Z"));
        assert_eq!(world.standing().await.accepted_at, accepted, "{name}");
    }
}

#[tokio::test]
async fn a_mail_that_came_back_for_good_makes_its_address_unreachable_and_no_other() {
    let world = World::new().await;
    let moved = changed("bounce", &world.ask, |event| {
        event["detail"]["bounce"]["bouncedRecipients"][0]["emailAddress"] = json!("forwarded@other.example");
    });
    world.hear(vec![moved]).await;
    let user = world.table.user(&world.ask.workspace_id, &world.ask.user_id).await.unwrap().unwrap();
    assert!(user.is_unreachable_at("Ada@Acme.example"), "where we sent it");
    assert!(!user.is_unreachable_at("forwarded@other.example") && !user.is_unreachable_at("ada@new.example"));
    assert_eq!(user.unreachable_reason.as_deref(), Some("General"));
}

#[tokio::test]
async fn events_that_come_twice_count_once() {
    let world = World::new().await;
    world.hears(&["bounce", "send", "bounce", "complaint", "send", "complaint", "delivery"]).await;
    assert_eq!(world.state().await.0, AskState::Complained);
    assert_eq!(world.counts().await, Counts { sent: 1, bounced: 1, complained: 1 });
}

#[tokio::test]
async fn somebody_who_says_that_it_is_no_spam_stays_subscribed() {
    let world = World::new().await;
    let kind = |event: &mut Value| event["detail"]["complaint"]["complaintFeedbackType"] = json!("not-spam");
    assert_eq!(world.hear(vec![changed("complaint", &world.ask, kind)]).await, Answer::default());
    assert!(world.is_subscribed().await);
    assert_eq!(world.state().await.0, AskState::Submitting);
}

#[tokio::test]
async fn an_out_of_office_reply_changes_nothing_for_anybody() {
    for kind in ["Transient", "Undetermined"] {
        let world = World::new().await;
        let reply = changed("bounce", &world.ask, |event| {
            event["detail"]["bounce"]["bounceType"] = json!(kind);
        });
        world.hear(vec![reply.clone(), message("delivery", &world.ask), reply]).await;
        assert_eq!(world.state().await, (AskState::Delivered, None), "{kind}");
        assert!(world.is_reachable().await, "{kind}");
        assert_eq!(world.counts().await, Counts { sent: 1, bounced: 0, complained: 0 });
    }
}

#[tokio::test]
async fn what_can_not_be_read_fails_alone() {
    let world = World::new().await;
    let named = |name: &str, body: &str| json!({ "messageId": name, "body": body });
    let without = changed("bounce", &world.ask, |event| {
        drop(event["detail"].as_object_mut().unwrap().remove("bounce"))
    });
    let no_recipient =
        changed("bounce", &world.ask, |event| event["detail"]["mail"]["destination"] = json!([]));
    let other = changed("delivery", &world.ask, |event| event["source"] = json!("aws.s3"));
    let mut bad = vec![
        named("no-json", "{"),
        named("empty", ""),
        named("another-form", r#"{"source":"aws.ses","detail":{}}"#),
        without,
        no_recipient,
        other,
    ];
    for (number, message) in bad.iter_mut().enumerate() {
        message["messageId"] = json!(format!("bad-{number}"));
    }
    bad.insert(3, message("delivery", &world.ask));
    let answer = serde_json::to_value(world.hear(bad).await).unwrap();
    let expected: Vec<Value> =
        (0..6).map(|number| json!({ "itemIdentifier": format!("bad-{number}") })).collect();
    assert_eq!(answer, json!({ "batchItemFailures": expected }));
    assert_eq!(world.state().await.0, AskState::Delivered);
}

#[tokio::test]
async fn mails_of_others_are_none_of_our_business() {
    let world = World::new().await;
    let untagged = changed("bounce", &world.ask, |event| {
        drop(event["detail"]["mail"]["tags"].as_object_mut().unwrap().remove("send_id"));
    });
    let tagged = changed("bounce", &world.ask, |event| {
        event["detail"]["mail"]["tags"]["send_id"] = json!(["newsletter-7"]);
    });
    let unknown = message("bounce", &ask(9));
    assert_eq!(world.hear(vec![untagged, tagged, unknown]).await, Answer::default());
    assert_eq!(world.state().await.0, AskState::Submitting);
    assert!(world.is_reachable().await);
}

#[tokio::test]
async fn kinds_of_events_that_come_later_are_taken_and_change_nothing() {
    let world = World::new().await;
    let opened = changed("delivery", &world.ask, |event| event["detail"]["eventType"] = json!("Open"));
    assert_eq!(world.hear(vec![opened]).await, Answer::default());
    assert_eq!(world.state().await.0, AskState::Submitting);
}
