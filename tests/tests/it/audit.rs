//! Who changed what: every write on behalf of a person leaves one entry, nothing else does, and all of it can be taken out.

use std::collections::BTreeSet;

use barometer_cloud::{
    table::answers::Place as AnswerPlace,
    table::cases::{Content, Place},
    watch::Watch,
};
use barometer_domain::{
    CompanyId, Percent, UserId,
    alert::{Alert, Finding, Rule},
    band::Band,
    disagreement::{Disagreement, Readings},
    follow_up::{Kind, Priority, Wanted},
    status::Status,
    task::{Subject, Task},
};
use barometer_tests::template;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::home::{Running, at, read, send, text};

const NOW: &str = "2026-09-02T09:00:00Z";

/// Changing routes that change nothing that stays.
const NOTHING_STAYS: [&str; 2] = ["POST /v1/settings/what-if", "POST /v1/rules/dry-run"];

struct World {
    running: Running,
    company: CompanyId,
    tried: BTreeSet<String>,
}

impl World {
    async fn new() -> Self {
        let running = Running::start(NOW, "Etc/UTC").await;
        running
            .event(json!({ "type": "group", "userId": "ada", "groupId": "acme", "messageId": "g",
                "traits": { "name": "Acme" } }))
            .await;
        let rating = json!({ "user_id": "ada", "company_id": "acme", "rating": 3, "scale": "nps" });
        let answered = running.post("/v1/feedback", rating.to_string()).await;
        assert!(answered.status.is_success(), "{}", text(&answered));
        running.settle().await;
        Self { running, company: CompanyId::new("acme").unwrap(), tried: BTreeSet::new() }
    }

    fn watch(&self) -> Watch<'_> {
        Watch {
            table: self.running.home.table(),
            workspace: &self.running.keys.workspace_id,
            company: Some(&self.company),
            now: at(NOW),
        }
    }

    async fn id_of<T: Content>(&self) -> String {
        let workspace = &self.running.keys.workspace_id;
        let cases = self.running.home.table().cases_of::<T>(workspace, &self.company).await.unwrap();
        cases.last().map(|case| case.place.clone()).as_ref().map(Place::id).unwrap()
    }

    async fn entries(&self) -> Vec<Value> {
        let audit = self.running.get("/v1/audit?limit=200").await;
        audit["items"].as_array().unwrap().clone()
    }

    /// Calls a route that changes something and returns its answer, with the one entry that it left, if any.
    async fn call(&mut self, route: &str, id: &str, body: &Value) -> (StatusCode, Value, Option<Value>) {
        self.tried.insert(route.to_owned());
        let (method, path) = route.split_once(' ').unwrap();
        let path = path.replace("{id}", id).replace("{company_id}", id).replace("{user_id}", "ada");
        let before = self.entries().await;
        let answer = self.running.api(method.parse::<Method>().unwrap(), &path, body).await;
        let after = self.entries().await;
        let new: Vec<&Value> = after.iter().filter(|entry| !before.contains(entry)).collect();
        assert!(new.len() <= 1, "{route} left {new:?}");
        let said = serde_json::from_slice(&answer.body).unwrap_or_default();
        (answer.status, said, new.first().copied().cloned())
    }

    /// Calls a route that is to leave this entry; again it is to leave none, when `repeats` says so; badly it leaves
    /// none, and answers 4xx.
    async fn changes(&mut self, route: &str, id: &str, body: Value, expected: (&str, Value, Value)) -> Value {
        let (status, said, entry) = self.call(route, id, &body).await;
        assert!(status.is_success(), "{route}: {status} {said}");
        let entry = entry.unwrap_or_else(|| panic!("{route} left no entry"));
        let (action, from, to) = expected;
        assert_eq!((&entry["action"], &entry["by"]), (&json!(action), &json!("first API token")), "{entry}");
        for (side, expected) in [(&entry["from"], from), (&entry["to"], to)] {
            let shown = expected.as_object().map_or_else(
                || side.clone(),
                |members| members.keys().map(|name| (name.clone(), side[name].clone())).collect(),
            );
            assert_eq!(shown, expected, "{route}: {entry}");
        }
        said
    }

    async fn leaves_nothing(&mut self, route: &str, id: &str, body: Value, refused: bool) {
        let (status, said, entry) = self.call(route, id, &body).await;
        assert_eq!(status.is_client_error(), refused, "{route}: {status} {said}");
        assert_eq!(entry, None, "{route}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_of_a_person_leaves_one_entry_and_what_is_refused_or_the_same_none() {
    let mut world = World::new().await;
    let null = Value::Null;

    let route = "PATCH /v1/companies/{company_id}";
    let owner = json!({ "owner": "bo@initech.example", "name": "Acme" });
    world
        .changes(
            route,
            "acme",
            owner.clone(),
            ("company.changed", json!({ "owner": null }), json!({ "owner": "bo@initech.example" })),
        )
        .await;
    world.leaves_nothing(route, "acme", owner, false).await;
    world.leaves_nothing(route, "acme", json!({ "owner": 1 }), true).await;
    world.leaves_nothing(route, "nobody", json!({ "plan": "pro" }), true).await;

    let route = "PUT /v1/companies/{company_id}/status";
    let body = json!({ "status": "healthy", "note": "Growing." });
    let to = json!({ "value": "healthy", "note": "Growing.", "author": "first API token" });
    world.changes(route, "acme", body, ("status.set", null.clone(), to)).await;
    let again = json!({ "status": "steady", "note": "Flat." });
    let (from, to) =
        (json!({ "value": "healthy", "note": "Growing." }), json!({ "value": "steady", "note": "Flat." }));
    world.changes(route, "acme", again, ("status.set", from, to)).await;
    world.leaves_nothing(route, "acme", json!({ "status": "steady", "note": " " }), true).await;

    let route = "POST /v1/companies/statuses";
    let row = json!({ "company_id": "acme", "status": "thriving", "note": "Signed." });
    let to = json!({ "value": "thriving", "note": "Signed." });
    let body = json!({ "changes": [row] });
    world.changes(route, "", body.clone(), ("status.set", json!({ "value": "steady" }), to)).await;
    world.leaves_nothing(route, "", body, false).await;
    world.leaves_nothing(route, "", json!({ "changes": [] }), true).await;

    let route = "PUT /v1/settings";
    let body = json!({ "feedback_method": "nps", "note": "As before." });
    let (from, to) =
        (json!({ "version": 1 }), json!({ "version": 2, "settings": { "feedback_method": "nps" } }));
    world.changes(route, "", body.clone(), ("settings.saved", from, to)).await;
    world.leaves_nothing(route, "", body, false).await;
    world.leaves_nothing(route, "", json!({ "nonsense": 1 }), true).await;

    let finding = Finding {
        rule: Rule::EngagementSuddenDrop,
        period: "2026-W35".parse().unwrap(),
        at: at(NOW),
        severity: Percent::whole(30),
        baseline: None,
        sentence: "Engagement fell".to_owned(),
    };
    world.watch().found(finding).await.unwrap();
    let alert = world.id_of::<Alert>().await;
    let route = "PATCH /v1/alerts/{id}";
    let (from, to) = (json!({ "state": "open" }), json!({ "state": "acknowledged" }));
    world.changes(route, &alert, json!({ "state": "acknowledged" }), ("alert.changed", from, to)).await;
    let resolved = json!({ "state": "resolved", "note": "Called them." });
    let (from, to) =
        (json!({ "state": "acknowledged" }), json!({ "state": "resolved", "note": "Called them." }));
    world.changes(route, &alert, resolved.clone(), ("alert.changed", from, to)).await;
    world.leaves_nothing(route, &alert, resolved, true).await;

    let apart = Readings { status: Status::Thriving, engagement: Band::AtRisk };
    world.watch().compare(Some(apart)).await.unwrap();
    let disagreement = world.id_of::<Disagreement>().await;
    let route = "PATCH /v1/disagreements/{id}";
    let answer = json!({ "answer": "dispute", "reason": "They use the app." });
    let (from, to) =
        (json!({ "state": "open" }), json!({ "state": "disputed", "reason": "They use the app." }));
    world.changes(route, &disagreement, answer.clone(), ("disagreement.changed", from, to)).await;
    world.leaves_nothing(route, &disagreement, answer, true).await;

    let wanted = Wanted {
        kind: Kind::Detractor,
        priority: Priority::High,
        due_at: at("2026-09-03T17:00:00Z"),
        title: "Follow up".to_owned(),
        at: at(NOW),
    };
    let subject = Subject::FollowUp { user_id: UserId::new("eve").unwrap() };
    world.watch().wanted(subject, wanted, None).await.unwrap();
    let task = world.id_of::<Task>().await;
    let route = "PATCH /v1/tasks/{id}";
    let (from, to) = (json!({}), json!({ "note": "Will call." }));
    world.changes(route, &task, json!({ "note": "Will call." }), ("task.changed", from, to)).await;
    world.leaves_nothing(route, &task, json!({ "note": "Will call." }), false).await;
    world.leaves_nothing(route, &task, json!({ "state": "snoozed" }), true).await;

    let route = "POST /v1/feedback/{id}/void";
    let answer = world.running.get("/v1/feedback").await["items"][0]["id"].as_str().unwrap().to_owned();
    assert!(AnswerPlace::parse(&answer).is_some());
    let to = json!({ "reason": "A slip.", "user_id": "ada" });
    world.changes(route, &answer, json!({ "reason": "A slip." }), ("answer.voided", null.clone(), to)).await;
    world.leaves_nothing(route, &answer, json!({ "reason": "A slip." }), true).await;

    let to = json!({ "name": "Web", "rate": 5, "allowed_origins": [] });
    let source = world
        .changes(
            "POST /v1/sources",
            "",
            json!({ "name": "Web", "rate": 5 }),
            ("source.created", null.clone(), to),
        )
        .await;
    let (source, key) =
        (source["id"].as_str().unwrap().to_owned(), source["key"].as_str().unwrap().to_owned());
    world.leaves_nothing("POST /v1/sources", "", json!({}), true).await;
    let route = "PATCH /v1/sources/{id}";
    let disabled = json!({ "disabled": true, "rate": 5 });
    let (from, to) = (json!({ "disabled_at": null }), json!({}));
    world.changes(route, &source, disabled.clone(), ("source.changed", from, to)).await;
    world.leaves_nothing(route, &source, disabled, false).await;
    let route = "POST /v1/sources/{id}/rotate";
    let rotated = world
        .changes(route, &source, json!({ "overlap_hours": 1 }), ("source.rotated", null.clone(), json!({})))
        .await;
    world.leaves_nothing(route, &source, json!({ "overlap_hours": -1 }), true).await;
    let route = "DELETE /v1/sources/{id}";
    world
        .changes(route, &source, null.clone(), ("source.deleted", json!({ "name": "Web" }), null.clone()))
        .await;
    world.leaves_nothing(route, &source, null.clone(), true).await;

    let body = json!({ "label": "reports", "scope": "read" });
    let to = json!({ "label": "reports", "scope": "read", "expires_at": null });
    let token = world.changes("POST /v1/api-tokens", "", body, ("api_token.created", null.clone(), to)).await;
    world.leaves_nothing("POST /v1/api-tokens", "", json!({ "label": "x" }), true).await;
    let route = "DELETE /v1/api-tokens/{id}";
    let id = token["id"].as_str().unwrap();
    world
        .changes(route, id, null.clone(), ("api_token.revoked", json!({ "label": "reports" }), null.clone()))
        .await;
    world.leaves_nothing(route, id, null, true).await;

    let route = "POST /v1/members";
    let member = json!({ "email": "Ben@initech.example", "name": "Ben", "role": "admin" });
    let to = json!({ "address": "ben@initech.example", "name": "Ben", "role": "admin" });
    let ben = world.changes(route, "", member.clone(), ("member.added", Value::Null, to.clone())).await;
    world.leaves_nothing(route, "", member, true).await;
    let id = ben["id"].as_str().unwrap().to_owned();
    let route = "PATCH /v1/members/{id}";
    let renamed = json!({ "name": "Benno" });
    let (from, after) = (json!({ "name": "Ben" }), json!({ "name": "Benno" }));
    world.changes(route, &id, renamed.clone(), ("member.changed", from, after)).await;
    world.leaves_nothing(route, &id, renamed, false).await;
    world.leaves_nothing(route, &id, json!({ "role": "viewer" }), true).await;
    let eve = json!({ "email": "eve@initech.example", "role": "viewer" });
    let gone = json!({ "address": "eve@initech.example", "name": "eve", "role": "viewer" });
    let eve = world.changes("POST /v1/members", "", eve, ("member.added", Value::Null, gone.clone())).await;
    let route = "DELETE /v1/members/{id}";
    world
        .changes(route, eve["id"].as_str().unwrap(), Value::Null, ("member.removed", gone, Value::Null))
        .await;
    world.leaves_nothing(route, &id, Value::Null, true).await;

    let made = json!({ "name": "CRM", "url": "https://crm.example.com/hook" });
    let route = "POST /v1/webhooks";
    let to = json!({ "name": "CRM", "enabled": true });
    let webhook = world.changes(route, "", made, ("webhook.created", Value::Null, to)).await;
    world.leaves_nothing(route, "", json!({ "name": "CRM" }), true).await;
    let id = webhook["id"].as_str().unwrap().to_owned();
    let route = "PATCH /v1/webhooks/{id}";
    let (from, to) = (json!({ "enabled": true }), json!({ "enabled": false }));
    world.changes(route, &id, json!({ "enabled": false }), ("webhook.changed", from, to)).await;
    world.leaves_nothing(route, &id, json!({ "enabled": false }), false).await;
    let route = "POST /v1/webhooks/{id}/rotate";
    let renewed = world.changes(route, &id, Value::Null, ("webhook.rotated", Value::Null, json!({}))).await;
    let route = "POST /v1/webhooks/{id}/test";
    world.changes(route, &id, Value::Null, ("webhook.tested", Value::Null, json!({}))).await;
    world.leaves_nothing(route, &id, json!({ "now": true }), true).await;
    let route = "DELETE /v1/webhooks/{id}";
    world.changes(route, &id, Value::Null, ("webhook.deleted", json!({ "name": "CRM" }), Value::Null)).await;
    world.leaves_nothing(route, &id, Value::Null, true).await;

    let route = "PATCH /v1/companies/{company_id}/users/{user_id}";
    let (from, to) = (json!({ "primary_contact": null }), json!({ "primary_contact": true }));
    let contact = json!({ "primary_contact": true });
    world.changes(route, "acme", contact.clone(), ("contact.changed", from, to)).await;
    world.leaves_nothing(route, "acme", contact, false).await;
    world.leaves_nothing(route, "nobody", json!({ "primary_contact": true }), true).await;

    world
        .running
        .event(json!({ "type": "identify", "userId": "ada", "messageId": "i",
            "traits": { "email": "ada@acme.example" } }))
        .await;
    let set = json!({ "status": "struggling", "note": "Lost a client." });
    let answer = world.running.api(Method::PUT, "/v1/companies/acme/status", &set).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", text(&answer));
    world.running.settle().await;
    let planned = world.running.get("/v1/actions").await["items"][0]["id"].as_str().unwrap().to_owned();
    let route = "PATCH /v1/actions/{id}";
    let (from, to) = (json!({ "state": "planned" }), json!({ "state": "cancelled" }));
    let undo = json!({ "state": "cancelled" });
    world.changes(route, &planned, undo.clone(), ("action.changed", from, to)).await;
    world.leaves_nothing(route, &planned, undo, true).await;

    let route = "DELETE /v1/companies/{company_id}/users/{user_id}";
    world.changes(route, "acme", Value::Null, ("user.erased", Value::Null, Value::Null)).await;
    world.leaves_nothing(route, "acme", Value::Null, false).await;
    world.leaves_nothing(route, "nobody", Value::Null, true).await;

    let all = world.running.get("/v1/audit?limit=200").await.to_string();
    let secrets = [&rotated["key"], &token["token"], &webhook["secret"], &renewed["secret"]];
    for secret in secrets.map(|secret| secret.as_str().unwrap()).into_iter().chain([key.as_str()]) {
        assert!(!all.contains(secret), "a secret in the audit");
    }
    let mut routes = BTreeSet::new();
    // The pages' forms become requests to these, or have a test of their own with the page.
    for function in ["portfolio", "update-status"] {
        routes.extend(template::changing_routes(function).unwrap());
    }
    routes.retain(|route| !NOTHING_STAYS.contains(&route.as_str()));
    assert_eq!(world.tried, routes, "a route that isn't looked at here");
    world.running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
pub async fn what_the_page_changes_is_recorded_too() {
    let running = Running::start(NOW, "Etc/UTC").await;
    let form = |path: &str, cookie: String, body: String| {
        let (client, path) = (running.client.clone(), path.to_owned());
        async move {
            let mut headers = vec![
                ("content-type", "application/x-www-form-urlencoded"),
                ("sec-fetch-site", "same-origin"),
            ];
            if !cookie.is_empty() {
                headers.push(("cookie", cookie.as_str()));
            }
            let answer = client.send(Method::POST, &path, &headers, body).await.unwrap();
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}: {}", text(&answer));
            answer
        }
    };
    let signed_in = form("/sign-in", String::new(), format!("token={}", running.keys.api_token)).await;
    let cookie = signed_in.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    form("/sources", cookie.clone(), "name=Web".to_owned()).await;
    form("/settings/mail", cookie.clone(), "to=bo%40initech.example&language=en".to_owned()).await;
    form("/sign-out", cookie.clone(), String::new()).await;
    let mut cookies = Vec::new();
    for _ in 0..2 {
        let signed_in = form("/sign-in", String::new(), format!("token={}", running.keys.api_token)).await;
        cookies.push(signed_in.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned());
    }
    let other = format!("/account/sessions/{}", cookies[1].split('~').nth(2).unwrap());
    form(&other, cookies[0].clone(), String::new()).await;
    form(&other, cookies[0].clone(), String::new()).await;
    form("/account/sign-out", cookies[0].clone(), String::new()).await;
    let audit = running.get("/v1/audit").await;
    let told: Vec<&Value> = audit["items"].as_array().unwrap().iter().map(|entry| &entry["action"]).collect();
    assert_eq!(told.len(), 8, "{audit}");
    for action in
        ["sign_out", "mail.tested", "source.created", "sign_in", "session.ended", "sign_out.everywhere"]
    {
        assert!(told.contains(&&json!(action)), "{action}: {told:?}");
    }
    assert!(!audit.to_string().contains("bo@initech.example"), "the address of a test mail isn't kept");
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_is_filtered_paged_exported_and_for_admins_of_the_workspace_only() {
    let running = Running::start(NOW, "Etc/UTC").await;
    let patch = |body: Value| {
        let running = &running;
        async move {
            let answer = running.api(Method::PATCH, "/v1/companies/acme", &body).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", text(&answer));
        }
    };
    running.event(json!({ "type": "group", "userId": "ada", "groupId": "acme", "messageId": "g" })).await;
    patch(json!({ "name": "=Acme, Inc." })).await;
    running.clock("2026-10-01T09:00:00Z").await;
    patch(json!({ "plan": "pro" })).await;
    patch(json!({ "plan": "basic" })).await;
    let label = json!({ "label": "reader", "scope": "write" });
    let reader = read(&running.api(Method::POST, "/v1/api-tokens", &label).await);

    let ids = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    let all = ids(&running.get("/v1/audit").await);
    assert_eq!(all.len(), 4);
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = running.get(&format!("/v1/audit?limit=3{cursor}")).await;
        paged.extend(ids(&page));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(paged, all);
    for (filter, found) in [
        ("action=company.changed", 3),
        ("subject=company:acme", 3),
        ("subject=company:other", 0),
        ("by=first%20API%20token", 4),
        ("by=nobody", 0),
        ("from=2026-10-01", 3),
        ("to=2026-09-02", 1),
        ("from=2026-09-03&to=2026-09-30", 0),
    ] {
        assert_eq!(ids(&running.get(&format!("/v1/audit?{filter}")).await).len(), found, "{filter}");
    }
    for wrong in [
        "action=nothing",
        "subject=acme",
        "from=soon",
        "from=2026-10-03&to=2026-10-01",
        "limit=0",
        "nonsense=1",
        "from=2010-01-01",
    ] {
        let refused = running.api(Method::GET, &format!("/v1/audit?{wrong}"), &Value::Null).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{wrong}: {}", text(&refused));
    }

    let bearer = format!("Bearer {}", running.keys.api_token);
    let export = |path: &'static str, accept: &'static str| {
        let (client, bearer) = (running.client.clone(), bearer.clone());
        async move {
            let headers = [("authorization", bearer.as_str()), ("accept", accept)];
            client.send(Method::GET, path, &headers, String::new()).await.unwrap()
        }
    };
    for (path, accept) in [("/v1/audit", "application/x-ndjson"), ("/v1/audit.ndjson", "*/*")] {
        let file = export(path, accept).await;
        assert_eq!(file.headers["content-type"], "application/x-ndjson");
        let mut lines: Vec<String> = std::str::from_utf8(&file.body)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned())
            .collect();
        lines.reverse();
        assert_eq!(lines, all, "in the order in which it happened");
    }
    let csv = export("/v1/audit", "text/csv").await;
    assert!(csv.headers["content-type"].to_str().unwrap().starts_with("text/csv"));
    let csv = String::from_utf8(csv.body.to_vec()).unwrap();
    assert!(csv.starts_with("at,by,action,"), "{csv}");
    assert_eq!(csv.lines().count(), 5, "{csv}");
    assert!(csv.contains(r#""{""name"":""=Acme, Inc.""}""#), "{csv}");

    let reader = reader["token"].as_str().unwrap();
    for path in ["/v1/audit", "/v1/audit.ndjson", "/v1/audit.csv"] {
        let refused = send(&running.client, Method::GET, path, Some(reader), &Value::Null).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
    }
    let neighbour = crate::home::create_workspace(&running.client, "Etc/UTC").await;
    let theirs =
        send(&running.client, Method::GET, "/v1/audit", Some(&neighbour.api_token), &Value::Null).await;
    assert_eq!(read(&theirs)["items"], json!([]));
    running.home.stop().await;
}

#[test]
fn every_function_that_may_change_items_is_kept_from_changing_the_audit() {
    let functions = template::changing_functions().unwrap();
    assert!(functions.len() >= 10, "{functions:?}");
    for (function, kept) in functions {
        assert!(kept, "{function} could change the audit");
    }
}
