//! A rule's mail on its way: what SES says of it, how its reader ends such mails, and in which language it is.

use barometer_domain::UserId;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::automations::{mails, set, with_company};
use crate::home::{Running, post, send, text};

const NOW: &str = "2026-09-02T09:00:00Z";
const SENT: &str = "2026-09-02T09:30:00Z";

async fn actions(running: &Running, state: &str) -> Vec<Value> {
    running.get(&format!("/v1/actions?state={state}")).await["items"].as_array().unwrap().clone()
}

async fn standing(running: &Running) -> (bool, bool) {
    let ada = UserId::new("ada").unwrap();
    let user = running.home.table().user(&running.keys.workspace_id, &ada).await.unwrap().unwrap();
    (user.is_unreachable_at("ada@acme.example"), user.unsubscribed_at.is_some())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ses_says_stands_on_the_action_and_ends_what_must_end() {
    for (fault, state, stands, ended) in [
        (json!({ "bounce": true }), "undelivered", "bounced", (true, false)),
        (json!({ "complain": true }), "done", "complained", (false, true)),
        // The call failed after SES took the mail.
        (json!({ "error_after_accept": true }), "done", "delivered", (false, false)),
    ] {
        let running = with_company(NOW).await;
        let mut fault = fault;
        fault["times"] = json!(1);
        running.fault(&json!({ "ses": fault })).await;
        set(&running, "struggling").await;
        running.clock(SENT).await;
        running.settle().await;
        let found: Vec<Value> = actions(&running, state).await;
        let found: Vec<&Value> = found.iter().filter(|action| action["action"]["do"] == "email").collect();
        assert_eq!(found.len(), 1, "{fault}: {found:?}");
        assert_eq!(found[0]["mail"]["state"], stands, "{fault}");
        assert_eq!(standing(&running).await, ended, "{fault}");
        running.clock("2026-09-04T09:00:00Z").await;
        assert_eq!(mails(&running).await.len(), 1, "{fault}: sent once");
        running.home.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_click_in_a_rules_mail_ends_all_automated_mails() {
    let running = with_company(NOW).await;
    set(&running, "struggling").await;
    running.clock(SENT).await;
    let mail = mails(&running).await.remove(0);
    let header = mail["raw"].as_str().unwrap().split("List-Unsubscribe: <").nth(1).unwrap();
    let link = header.split('>').next().unwrap().to_owned();
    assert!(mail["raw"].as_str().unwrap().contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click"));
    assert!(mail["text"].as_str().unwrap().contains(&link) && mail["html"].as_str().unwrap().contains(&link));
    let path = &link[link.find("/u/").unwrap()..];
    assert_eq!(send(&running.client, Method::GET, path, None, &Value::Null).await.status, StatusCode::OK);
    assert!(!standing(&running).await.1, "a scanner that opens the link ends nothing");
    let done = post(&running.client, "", path, "List-Unsubscribe=One-Click".to_owned()).await;
    assert_eq!(done.status, StatusCode::OK, "{}", text(&done));
    assert!(standing(&running).await.1);
    // The next mail of the rule goes to Ben, who didn't.
    set(&running, "healthy").await;
    running.clock("2026-10-05T09:00:00Z").await;
    set(&running, "struggling").await;
    running.clock("2026-10-05T09:30:00Z").await;
    let sent = mails(&running).await;
    let to: Vec<String> = sent.iter().map(|mail| mail["to"].to_string()).collect();
    assert_eq!(to.len(), 2, "{to:?}");
    assert!(to.iter().any(|to| to.contains("ben@acme.example")), "{to:?}");
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_that_speaks_german_is_written_to_in_german() {
    let running = with_company(NOW).await;
    let german = json!({ "language": "de" });
    let answer = running.api(Method::PATCH, "/v1/companies/acme", &german).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", text(&answer));
    set(&running, "struggling").await;
    running.clock(SENT).await;
    let mail = mails(&running).await.remove(0);
    assert_eq!(mail["subject"], "Wie können wir helfen?");
    let written = mail["text"].as_str().unwrap();
    assert!(
        written.starts_with("Guten Tag ADA,") && written.contains("ich betreue Acme bei Initech"),
        "{written}"
    );
    assert!(written.contains("Diese E-Mails abbestellen: ") && !written.contains("Unsubscribe"), "{written}");
    running.home.stop().await;
}
