//! What functions call is what their policies allow. Nothing is missing: every call of every test in this program that
//! runs a home or a function's binary is held against `infra/template.yaml`. Nothing is there for nothing: some of these
//! tests together make every call that is allowed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, Mutex, PoisonError};

use barometer::calls::Permission;
use barometer_tests::template;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::home::{read, text};
use crate::{audit, automations, erasure, feedback, lambda_binaries};

/// What each function may do.
static ALLOWED: LazyLock<BTreeMap<String, BTreeSet<Permission>>> = LazyLock::new(|| {
    let functions = template::functions().unwrap();
    functions.into_iter().map(|name| (name.clone(), template::permissions(&name).unwrap())).collect()
});

/// What each function needed in this process so far.
static NEEDED: Mutex<BTreeSet<(String, Permission)>> = Mutex::new(BTreeSet::new());

/// Checks that what functions needed is allowed, and remembers it.
pub fn check<'a>(needed: impl IntoIterator<Item = (&'a str, Permission)>) {
    for (function, permission) in needed {
        let allowed =
            ALLOWED.get(function).unwrap_or_else(|| panic!("infra/template.yaml has no {function}"));
        assert!(
            allowed.contains(&permission),
            "{function} needs {} on {}, which its policy doesn't allow: {allowed:?}",
            permission.action,
            permission.resource
        );
        remembered().insert((function.to_owned(), permission));
    }
}

fn remembered() -> std::sync::MutexGuard<'static, BTreeSet<(String, Permission)>> {
    NEEDED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tests of others that together, and with [`the_rest`], make every call that is allowed.
const SCENARIOS: [fn(); 11] = [
    automations::a_company_that_struggles_is_mailed_after_a_quarter_of_an_hour_and_its_csm_has_a_task_at_once,
    automations::a_receiver_that_fails_for_an_hour_gets_it_in_the_end_and_always_the_same,
    audit::what_the_page_changes_is_recorded_too,
    erasure::stragglers_of_an_hour_go_too_and_later_events_are_of_somebody_new,
    feedback::the_task_of_a_void_answer_is_cancelled,
    lambda_binaries::submit_feedback_shows_takes_and_unsubscribes,
    lambda_binaries::request_feedback_takes_its_schedule_and_sends_through_ses,
    lambda_binaries::score_week_takes_its_schedule_and_a_shard,
    lambda_binaries::roll_up_month_takes_its_schedule_and_a_shard,
    lambda_binaries::arrange_portfolio_takes_its_schedule_and_the_end_of_a_run,
    lambda_binaries::erase_users_takes_its_schedule_and_whom_the_api_was_told_to_erase,
];

/// What is allowed though the scenarios don't call it: function, action, resource, why. Empty is best.
const EXCEPTIONS: [(&str, &str, &str, &str); 0] = [];

/// What none of the other tests here makes a function do.
#[tokio::test(flavor = "multi_thread")]
async fn the_rest() {
    let running = automations::with_company("2026-09-02T09:00:00Z").await;
    let api = async |method: Method, path: &str, body: Value| {
        let answer = running.api(method, path, &body).await;
        assert!(answer.status.is_success(), "{path}: {}", text(&answer));
        answer
    };
    // An admin who isn't the last one becomes a CSM: it is checked that the other one still is an admin.
    let mut ids = Vec::new();
    for name in ["ann", "bob"] {
        let new = json!({ "email": format!("{name}@initech.example"), "role": "admin" });
        ids.push(read(&api(Method::POST, "/v1/members", new).await)["id"].as_str().unwrap().to_owned());
    }
    api(Method::PATCH, &format!("/v1/members/{}", ids[0]), json!({ "role": "csm" })).await;

    // One rule, which only mails: where another one makes a task, that task is all.
    let mail = json!([{ "do": "email", "subject": "Can we help?", "text": "Write to me." }]);
    let rule = json!({ "id": "mail", "name": "Mail", "trigger": { "on": "status", "to": ["struggling"] }, "actions": mail });
    automations::rules(&running, json!([rule])).await;

    // Somebody sets a status at the page, and looks at the inbox.
    let form = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
    let token = format!("token={}", running.keys.api_token);
    let signed_in = running.client.send(Method::POST, "/sign-in", &form, token).await.unwrap();
    let cookie = signed_in.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let headers = [form[0], form[1], ("cookie", cookie.as_str())];
    let status = "status=struggling&note=Seen.&seen=".to_owned();
    let set = running.client.send(Method::POST, "/companies/acme/status", &headers, status).await.unwrap();
    assert_eq!(set.status, StatusCode::SEE_OTHER, "{}", text(&set));
    let inbox = running.client.send(Method::GET, "/inbox", &headers[2..], String::new()).await.unwrap();
    assert_eq!(inbox.status, StatusCode::OK, "{}", text(&inbox));
    running.settle().await;

    // When the mail that a rule planned is due, nobody there may be mailed any more, and a task says so.
    let excluded = json!({ "exclusions": { "email_domains": ["acme.example"] }, "note": "A test customer." });
    api(Method::PUT, "/v1/settings", excluded).await;
    running.clock("2026-09-02T10:00:00Z").await;

    // The digest that SES refuses is given up for the next try.
    running.fault(&json!({ "ses": { "throttle": true, "times": 1 } })).await;
    running.clock("2026-09-03T12:00:00Z").await;
    running.home.stop().await;
}

#[test]
fn nothing_is_allowed_that_is_not_called() {
    for scenario in SCENARIOS {
        scenario();
    }
    the_rest();
    let needed = remembered().clone();
    println!("{}", table(&needed));
    let excepted = |function: &str, permission: &Permission| {
        EXCEPTIONS.iter().any(|(name, action, resource, _)| {
            *name == function && *permission == Permission::new(action, resource)
        })
    };
    let all = || ALLOWED.iter().flat_map(|(name, all)| all.iter().map(move |permission| (name, permission)));
    let called =
        |name: &str, permission: &Permission| needed.contains(&(name.to_owned(), permission.clone()));
    let unused: Vec<_> =
        all().filter(|(name, permission)| !called(name, permission) && !excepted(name, permission)).collect();
    assert!(unused.is_empty(), "allowed in infra/template.yaml, and never called: {unused:#?}");
    let needless: Vec<_> = EXCEPTIONS
        .iter()
        .filter(|(name, action, on, _)| called(name, &Permission::new(action, on)))
        .collect();
    assert!(needless.is_empty(), "exceptions for what is called: {needless:?}");
}

/// Function by permission.
fn table(needed: &BTreeSet<(String, Permission)>) -> String {
    let columns: BTreeSet<&Permission> = ALLOWED.values().flatten().collect();
    let mut lines: Vec<String> = Vec::new();
    for (number, column) in columns.iter().enumerate() {
        lines.push(format!("{}: {} on {}", number + 1, column.action, column.resource));
    }
    for (function, allowed) in ALLOWED.iter() {
        let cells = columns.iter().enumerate().map(|(number, column)| {
            let called = needed.contains(&(function.clone(), (*column).clone()));
            match (allowed.contains(*column), called) {
                (true, true) => format!("{:>3}", number + 1),
                (true, false) => "  !".to_owned(),
                _ => "  .".to_owned(),
            }
        });
        lines.push(format!("{function:<18}{}", cells.collect::<String>()));
    }
    lines.join("\n")
}
