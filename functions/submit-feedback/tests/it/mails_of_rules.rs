//! The link at the end of a mail that a rule sent.

use barometer_cloud::table::actions::{Action, ActionState, Fired, Firing, FiringOutcome};
use barometer_domain::{
    automation::{Happened, RuleId, Wanted},
    language::Language,
    token::Purpose,
};
use chrono::TimeDelta;
use http::StatusCode;

use crate::support::{World, asked_at};

/// A rule's mail to the user. Returns the path of the page on which it is ended, and the answer page's that it has not.
async fn mailed(world: &World) -> (String, String) {
    let (at, rule) = (asked_at(), RuleId::new("struggling").unwrap());
    let action = Action {
        company_id: world.company.clone(),
        rule: rule.clone(),
        settings_version: 1,
        firing: "f".to_owned(),
        number: 0,
        happened: Happened::ReviewOverdue,
        occurred_at: at,
        wanted: Wanted::Email {
            user_id: Some(world.user.clone()),
            subject: "Hi".to_owned(),
            text: "Hello".to_owned(),
            language: Language::English,
            csm: None,
        },
        body: None,
        state: ActionState::Planned,
        reason: None,
        due_at: Some(at),
        attempts: 0,
        planned_at: at,
        ended_at: None,
        by: None,
        message_id: None,
        mail: None,
        version: 1,
    };
    let firing = Firing {
        rule,
        settings_version: 1,
        company_id: world.company.clone(),
        happened: Happened::ReviewOverdue,
        period: "p".to_owned(),
        occurred_at: at,
        at,
        outcome: FiringOutcome::Acted,
        actions: Vec::new(),
        key: "f".to_owned(),
    };
    let send = action.send_id(&world.workspace);
    let fired = world.table.fire(&world.workspace, &firing, &[action], TimeDelta::zero(), &[]).await;
    assert_eq!(fired.unwrap(), Fired::Now);
    let sign = |purpose, expires| world.deps.link_keys.sign(purpose, send, expires);
    let answer = sign(Purpose::Feedback, Some(world.ask.expires));
    (format!("/u/{}", sign(Purpose::Unsubscribe, None)), format!("/f/{answer}"))
}

#[tokio::test]
async fn it_unsubscribes_with_one_click_and_takes_it_back() {
    let mut world = World::new().await;
    let (path, _) = mailed(&world).await;
    assert!(world.get(&path).await.body.contains("<button type=\"submit\">Unsubscribe</button>"));
    assert_eq!(world.unsubscribed_at().await, None, "looking changes nothing");
    world.later(TimeDelta::days(3_000));
    assert_eq!(world.post(&path, "List-Unsubscribe=One-Click").await.status, StatusCode::OK);
    assert!(world.unsubscribed_at().await.is_some());
    assert!(world.post(&format!("{path}/resubscribe"), "").await.body.contains("You are subscribed again"));
    assert_eq!(world.unsubscribed_at().await, None);
}

#[tokio::test]
async fn a_mail_that_asks_nothing_has_no_answer_page() {
    let world = World::new().await;
    let (_, answer) = mailed(&world).await;
    assert_eq!(world.get(&answer).await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.post(&answer, "rating=8").await.status, StatusCode::NOT_FOUND);
}
