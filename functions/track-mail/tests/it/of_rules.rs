//! What SES says of the mails that rules send.

use barometer_cloud::{
    Table,
    table::{
        actions::{Action, ActionState, Fired, Firing, FiringOutcome, MailStands},
        asks::AskState,
        users::User,
    },
};
use barometer_domain::{
    CompanyId, UserId, WorkspaceId,
    automation::{Happened, RuleId, Wanted},
    breaker::Counts,
    language::Language,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use track_mail::{Answer, Deps, handle};

use crate::{messages::message, store::table};

const ADDRESS: &str = "ada@acme.example";
/// When the mail was planned; SES took it a quarter of an hour later.
const PLANNED: &str = "2026-09-02T09:00:00Z";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn ada() -> UserId {
    UserId::new("ada").unwrap()
}

struct World {
    table: Table,
    workspace: WorkspaceId,
    action: Action,
}

impl World {
    /// A rule's mail to Ada that stands so when SES speaks of it.
    async fn with(state: ActionState) -> Self {
        let (workspace, company_id) = (WorkspaceId::new("ws").unwrap(), CompanyId::new("acme").unwrap());
        let (rule, planned) = (RuleId::new("struggling").unwrap(), at(PLANNED));
        let wanted = Wanted::Email {
            user_id: Some(ada()),
            subject: "Hi".to_owned(),
            text: "Hello".to_owned(),
            language: Language::English,
            csm: None,
        };
        let mut action = Action {
            company_id: company_id.clone(),
            rule: rule.clone(),
            settings_version: 1,
            firing: "f".to_owned(),
            number: 0,
            happened: Happened::ReviewOverdue,
            occurred_at: planned,
            wanted,
            body: None,
            state: ActionState::Planned,
            reason: None,
            due_at: Some(planned),
            attempts: 0,
            planned_at: planned,
            ended_at: None,
            by: None,
            message_id: None,
            mail: None,
            version: 1,
        };
        let firing = Firing {
            rule,
            settings_version: 1,
            company_id,
            happened: Happened::ReviewOverdue,
            period: "p".to_owned(),
            occurred_at: planned,
            at: planned,
            outcome: FiringOutcome::Acted,
            actions: vec![action.place().id()],
            key: "f".to_owned(),
        };
        let table = table().await;
        let fired = table.fire(&workspace, &firing, std::slice::from_ref(&action), TimeDelta::zero(), &[]);
        assert_eq!(fired.await.unwrap(), Fired::Now);
        match state {
            ActionState::Submitting => action.state = state,
            _ => action.end(state, None, planned + TimeDelta::minutes(15)),
        }
        let action = table.write_action(&workspace, &action).await.unwrap();
        Self { table, workspace, action }
    }

    async fn hears(&self, names: &[&str]) {
        let send = self.action.send_id(&self.workspace);
        let messages: Vec<Value> = names.iter().map(|name| message(name, send)).collect();
        let batch = serde_json::from_value(json!({ "Records": messages })).unwrap();
        let answer = handle(batch, &Deps { table: self.table.clone() }).await.unwrap();
        assert_eq!(answer, Answer::default());
    }

    async fn standing(&self) -> Action {
        self.table.action(&self.workspace, &self.action.place()).await.unwrap().unwrap()
    }

    async fn user(&self) -> User {
        self.table.user(&self.workspace, &ada()).await.unwrap().unwrap_or_default()
    }

    async fn counts(&self) -> Counts {
        self.table.mail_counts(&self.workspace, at("2026-09-02T12:00:00Z")).await.unwrap()
    }
}

#[tokio::test]
async fn each_kind_of_event_is_shown_on_the_action() {
    use ActionState::{Done, Undelivered};
    for (name, state, stands, reason) in [
        ("send", Done, AskState::Accepted, None),
        ("delivery", Done, AskState::Delivered, None),
        ("bounce", Undelivered, AskState::Bounced, Some("permanent: General")),
        ("bounce-transient", Undelivered, AskState::Bounced, Some("transient: MailboxFull")),
        ("complaint", Done, AskState::Complained, Some("abuse")),
        ("reject", Undelivered, AskState::Rejected, Some("Bad content")),
    ] {
        let world = World::with(Done).await;
        world.hears(&[name]).await;
        let action = world.standing().await;
        let reason = reason.map(str::to_owned);
        assert_eq!((action.state, &action.reason), (state, &reason), "{name}");
        assert_eq!(action.mail, Some(MailStands { state: stands, reason }), "{name}");
        let user = world.user().await;
        assert_eq!(user.is_unreachable_at(ADDRESS), name == "bounce", "{name}");
        assert_eq!(user.unsubscribed_at.is_some(), name == "complaint", "{name}");
    }
}

#[tokio::test]
async fn a_mail_that_may_have_been_sent_is_done_once_ses_speaks_of_it() {
    for open in [ActionState::Unknown, ActionState::Submitting] {
        let world = World::with(open).await;
        world.hears(&["delivery"]).await;
        let action = world.standing().await;
        assert_eq!((action.state, action.reason, action.due_at), (ActionState::Done, None, None), "{open:?}");
        assert!(action.ended_at.is_some() && action.message_id.is_some(), "{open:?}");
        assert_eq!(
            world.table.due_actions(&world.workspace, at("2026-10-01T00:00:00Z"), 10).await.unwrap(),
            []
        );
    }
}

#[tokio::test]
async fn a_delay_says_nothing_about_the_action() {
    let world = World::with(ActionState::Unknown).await;
    world.hears(&["delivery-delay"]).await;
    assert_eq!(world.standing().await, world.action);
}

#[tokio::test]
async fn events_that_come_twice_or_late_change_and_count_nothing_more() {
    for order in [
        ["bounce", "send", "delivery", "bounce", "delivery"],
        ["delivery", "bounce", "bounce", "send", "delivery"],
    ] {
        let world = World::with(ActionState::Done).await;
        world.hears(&order).await;
        let action = world.standing().await;
        let told = (action.state, action.reason.as_deref());
        assert_eq!(told, (ActionState::Undelivered, Some("permanent: General")), "{order:?}");
        assert_eq!(world.counts().await, Counts { sent: 1, bounced: 1, complained: 0 }, "{order:?}");
        world.hears(&order).await;
        assert_eq!(world.standing().await, action, "{order:?}");
    }
}

#[tokio::test]
async fn a_mail_that_nobody_was_to_get_is_none_of_ours() {
    let world = World::with(ActionState::Done).await;
    let mut nobody = world.action.clone();
    nobody.number = 1;
    let batch = json!({ "Records": [message("bounce", nobody.send_id(&world.workspace))] });
    let deps = Deps { table: world.table.clone() };
    assert_eq!(handle(serde_json::from_value(batch).unwrap(), &deps).await.unwrap(), Answer::default());
    assert_eq!(world.standing().await, world.action);
    assert!(!world.user().await.is_unreachable_at(ADDRESS));
}
