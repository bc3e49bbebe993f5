//! A CSM sets the business status, through the API and onto the bus.

use barometer::client::Answer;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::home::{Running, read, send, text};

const PATH: &str = "/v1/companies/acme/status";

async fn with_company() -> Running {
    let running = Running::start("2026-09-02T09:00:00Z", "Etc/UTC").await;
    running
        .event(json!({ "type": "group", "userId": "ada", "groupId": "acme", "messageId": "g",
            "traits": { "name": "Acme" } }))
        .await;
    running
}

async fn set(running: &Running, status: &str, note: &str, headers: &[(&'static str, &str)]) -> Answer {
    let bearer = format!("Bearer {}", running.keys.api_token);
    let mut all = vec![("content-type", "application/json"), ("authorization", bearer.as_str())];
    all.extend(headers);
    let body = json!({ "status": status, "note": note }).to_string();
    running.client.send(Method::PUT, PATH, &all, body).await.unwrap()
}

async fn status_events(running: &Running) -> Vec<Value> {
    let bus = read(&send(&running.client, Method::GET, "/local/bus", None, &Value::Null).await);
    bus.as_array().unwrap().iter().filter(|event| event["detail-type"] == "status.changed").cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transition_is_told_and_a_confirmation_is_only_logged() {
    let running = with_company().await;
    let first = set(&running, "struggling", "Lost their biggest client.", &[]).await;
    assert_eq!(first.status, StatusCode::OK, "{}", text(&first));
    let change = read(&first);
    assert_eq!((&change["kind"], &change["from"]), (&json!("transition"), &Value::Null));
    assert_eq!(change["events"], json!(["status.changed"]));
    // Struggling is looked at again after 30 days.
    assert!(change["review_by"].as_str().unwrap().starts_with("2026-10-02T09:00"), "{change}");

    running.clock("2026-09-20T09:00:00Z").await;
    let again = read(&set(&running, "struggling", "Still so.", &[]).await);
    assert_eq!((&again["kind"], &again["events"]), (&json!("confirmation"), &json!([])));
    assert!(again["review_by"].as_str().unwrap().starts_with("2026-10-20T09:00"), "{again}");

    let told = status_events(&running).await;
    assert_eq!(told.len(), 1, "{told:?}");
    let detail = &told[0]["detail"];
    assert_eq!(
        (&detail["to"], &detail["company_id"], &detail["schema"]),
        (&json!("struggling"), &json!("acme"), &json!(1))
    );

    let company = running.get("/v1/companies/acme").await;
    assert_eq!(company["business_status"]["value"], "struggling");
    assert_eq!(company["business_status"]["stale"], false);
    running.clock("2026-10-21T09:00:00Z").await;
    let company = running.get("/v1/companies/acme").await;
    assert_eq!(company["business_status"]["stale"], true, "past its review-by");
    let history = running.get("/v1/companies/acme/status-changes").await;
    assert_eq!(history["items"].as_array().unwrap().len(), 2);
    assert_eq!(history["items"][0]["note"], "Still so.");
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transition_says_what_it_will_do_and_does_that() {
    let running = with_company().await;
    let traits = json!({ "email": "ada@acme.example" });
    running.event(json!({ "type": "identify", "userId": "ada", "messageId": "i", "traits": traits })).await;
    let first = read(&set(&running, "struggling", "Lost their biggest client.", &[]).await);
    let will = first["will"].as_array().unwrap();
    assert_eq!(will.len(), 2, "{first}");
    assert_eq!(will[0]["rule"], "struggling");
    assert!(will[0]["due_at"].as_str().unwrap().starts_with("2026-09-02T09:15:"), "the clock runs: {first}");
    assert_eq!((&will[0]["action"]["do"], &will[0]["action"]["user_id"]), (&json!("email"), &json!("ada")));
    assert_eq!(will[1]["action"]["due_at"].as_str().unwrap().get(..10), Some("2026-09-03"));

    // The rules hear of it on the bus; the clock waits for that. The mail can still be undone then.
    running.clock("2026-09-02T09:05:00Z").await;
    let mut done: Vec<Value> = Vec::new();
    for state in ["planned", "done"] {
        let found = running.get(&format!("/v1/actions?state={state}&company_id=acme")).await;
        done.extend(found["items"].as_array().unwrap().iter().map(|action| action["action"].clone()));
    }
    assert_eq!(done, will.iter().map(|will| will["action"].clone()).collect::<Vec<_>>());

    let again = read(&set(&running, "struggling", "Still so.", &[]).await);
    assert_eq!(again["will"], json!([]), "a confirmation sets nothing in motion");
    let other = read(&set(&running, "healthy", "They found another.", &[]).await);
    assert_eq!(other["will"], json!([]), "no rule is about it");
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_changes_nothing_and_a_reused_key_is_refused() {
    let running = with_company().await;
    let key = [("idempotency-key", "k1")];
    let first = set(&running, "healthy", "Growing.", &key).await;
    let retry = set(&running, "healthy", "Growing.", &key).await;
    assert_eq!(first.body, retry.body);
    let other = set(&running, "steady", "Flat.", &key).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", text(&other));
    let history = running.get("/v1/companies/acme/status-changes").await;
    assert_eq!(history["items"].as_array().unwrap().len(), 1);
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_seen_must_still_be_so() {
    let running = with_company().await;
    let first = read(&set(&running, "healthy", "Growing.", &[("if-match", "\"0\"")]).await);
    assert_eq!(first["status_version"], 1);
    let stale = set(&running, "steady", "Flat.", &[("if-match", "\"0\"")]).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED, "{}", text(&stale));
    let fresh = set(&running, "steady", "Flat.", &[("if-match", "\"1\"")]).await;
    assert_eq!(fresh.status, StatusCode::OK, "{}", text(&fresh));
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_ones_are_refused_with_a_reason() {
    let running = with_company().await;
    for (status, note, expected) in [
        ("healthy", "  ", StatusCode::UNPROCESSABLE_ENTITY),
        ("at_risk", "Computed, never set by hand.", StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let refused = set(&running, status, note, &[]).await;
        assert_eq!(refused.status, expected, "{}", text(&refused));
        assert!(!read(&refused)["errors"].as_array().unwrap().is_empty());
    }
    let body = json!({ "status": "healthy", "note": "Nobody knows them." });
    let unknown = running.api(Method::PUT, "/v1/companies/nobody/status", &body).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND, "{}", text(&unknown));
    let nobody = send(&running.client, Method::PUT, PATH, None, &body).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED, "{}", text(&nobody));
    // The bus refuses: the change stands, its event waits in the outbox and goes out with the next sweep.
    running.fault(&json!({ "events": { "throttle": true } })).await;
    let set_anyway = set(&running, "healthy", "Growing.", &[]).await;
    assert_eq!(set_anyway.status, StatusCode::OK, "{}", text(&set_anyway));
    assert!(status_events(&running).await.is_empty());
    running.fault(&json!({ "events": null })).await;
    running.clock("2026-09-02T11:30:00Z").await;
    assert_eq!(status_events(&running).await.len(), 1);
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_owner_makes_a_status_stale_until_it_is_confirmed() {
    let running = with_company().await;
    assert_eq!(set(&running, "healthy", "Growing.", &[]).await.status, StatusCode::OK);
    running.clock("2026-09-03T09:00:00Z").await;
    let owner = json!({ "owner": "bo@initech.example" });
    let handed = read(&running.api(Method::PATCH, "/v1/companies/acme", &owner).await);
    let status = &handed["business_status"];
    assert_eq!(
        (&status["stale"], &status["stale_because"]),
        (&json!(true), &json!("handed_over")),
        "{handed}"
    );
    assert!(status["handed_over_at"].as_str().unwrap().starts_with("2026-09-03T09:00"), "{handed}");
    assert_eq!(handed["health_axis"], Value::Null, "it doesn't stand for health any more: {handed}");
    let stale = running.get("/v1/companies?flag=stale").await;
    assert_eq!(stale["items"][0]["company_id"], "acme", "{stale}");

    running.clock("2026-09-03T10:00:00Z").await;
    assert_eq!(
        read(&running.api(Method::PATCH, "/v1/companies/acme", &owner).await)["business_status"],
        *status
    );
    assert_eq!(read(&set(&running, "healthy", "I see it so, too.", &[]).await)["kind"], "confirmation");
    let fresh = running.get("/v1/companies/acme").await;
    assert_eq!(fresh["business_status"]["stale_because"], Value::Null, "{fresh}");
    assert_eq!(fresh["business_status"]["stale"], false, "{fresh}");
    running.home.stop().await;
}

async fn set_many(running: &Running, body: &Value, key: &str) -> Answer {
    let bearer = format!("Bearer {}", running.keys.api_token);
    let headers =
        [("content-type", "application/json"), ("authorization", bearer.as_str()), ("idempotency-key", key)];
    running.client.send(Method::POST, "/v1/companies/statuses", &headers, body.to_string()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_set_at_once_and_each_wrong_one_is_named() {
    let running = with_company().await;
    for id in ["globex", "hooli"] {
        running.event(json!({ "type": "group", "userId": "u", "groupId": id, "messageId": id })).await;
    }
    let rows = json!([
        { "company_id": "acme", "status": "struggling", "note": "Lost a client.", "set_at": "2026-08-01T00:00:00Z" },
        { "company_id": "nobody", "status": "healthy", "note": "Unknown." },
        { "company_id": "globex", "status": "at_risk", "note": "Computed, never set by hand." },
        { "company_id": "globex", "status": "healthy", "note": " " },
        { "company_id": "globex", "status": "healthy", "note": "Late.", "set_at": "2027-01-01T00:00:00Z" },
        { "company_id": "globex", "status": "healthy", "note": "Growing.", "owner": "me" },
        { "company_id": "hooli", "status": "steady", "note": "Flat." },
        "nonsense",
    ]);
    let answer = set_many(&running, &json!({ "changes": rows }), "import-1").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", text(&answer));
    let receipt = read(&answer);
    assert_eq!((&receipt["accepted"], &receipt["rejected"]), (&json!(2), &json!(6)), "{receipt}");
    let errors: Vec<_> = receipt["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["index"].as_u64().unwrap(), error["code"].as_str().unwrap()))
        .collect();
    assert_eq!(
        errors,
        [
            (1, "unknown_company"),
            (2, "invalid"),
            (3, "invalid"),
            (4, "invalid"),
            (5, "invalid"),
            (7, "invalid")
        ]
    );
    let acme = running.get("/v1/companies/acme").await;
    assert!(acme["business_status"]["set_at"].as_str().unwrap().starts_with("2026-08-01"), "{acme}");
    let told = status_events(&running).await;
    assert_eq!(told.len(), 2);
    assert!(
        told.iter().all(|event| event["detail"]["silent"] == true && event["detail"]["version"] == 1),
        "{told:?}"
    );
    let audit = running.get("/v1/audit?action=status.set").await;
    assert_eq!(audit["items"].as_array().unwrap().len(), 2, "{audit}");

    // The same request again, the same rows in another one, an older one, one that is to fire.
    assert_eq!(set_many(&running, &json!({ "changes": rows }), "import-1").await.body, answer.body);
    let again = read(&set_many(&running, &json!({ "changes": rows }), "import-2").await);
    assert_eq!((&again["accepted"], &again["unchanged"]), (&json!(0), &json!(2)), "{again}");
    let old = json!({ "changes": [{ "company_id": "acme", "status": "steady", "note": "Before.", "set_at": "2026-07-01T00:00:00Z" }] });
    assert_eq!(read(&set_many(&running, &old, "import-3").await)["errors"][0]["code"], "outdated");
    let fire = json!({ "fire": true, "changes": [{ "company_id": "globex", "status": "thriving", "note": "Growing." }] });
    assert_eq!(read(&set_many(&running, &fire, "import-4").await)["accepted"], 1);
    let told = status_events(&running).await;
    assert_eq!(told.len(), 3, "{told:?}");
    assert_eq!(told.iter().filter(|event| event["detail"]["silent"] == true).count(), 2, "{told:?}");

    for wrong in
        [json!({ "changes": [] }), json!({ "changes": vec![json!({}); 501] }), json!({ "change": [] })]
    {
        let refused = set_many(&running, &wrong, "import-5").await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", text(&refused));
    }
    running.home.stop().await;
}
