//! PostHog's format: what PostHog recorded from its own clients, and the rules of reading it.

use base64::Engine;
use chrono::TimeDelta;
use http::Method;
use ingest_events::{
    event::{Event, Kind},
    open::Opened,
    read::Reading,
    route::Protocol,
};
use serde_json::{Value, json};

use crate::common::{Raw, at, body, fixtures, long, noon, read_as};

fn read(body: &Value) -> Reading {
    read_as(Protocol::PostHog, &body.to_string())
}

/// Reads one event, which must be valid.
fn one(event: &Value) -> Event {
    let mut reading = read(&json!({ "batch": [event] }));
    assert_eq!(reading.errors, [], "{event}");
    reading.events.remove(0).1
}

fn fault(event: &Value) -> &'static str {
    let reading = read(&json!({ "batch": [event] }));
    assert_eq!((reading.events.len(), reading.rejected), (0, 1), "{event}");
    reading.errors[0].code
}

fn with(name: &str, properties: Value) -> Value {
    json!({"event": name, "distinct_id": "u", "properties": properties})
}

fn ids(event: &Event) -> [Option<&str>; 3] {
    [&event.user, &event.anonymous, &event.previous].map(|id| id.as_ref().map(|id| id.as_str()))
}

fn company(event: &Event) -> Option<&str> {
    event.company.as_ref().map(|company| company.as_str())
}

#[test]
fn the_published_recordings_read_as_expected() {
    let recordings =
        std::fs::read_to_string(fixtures().join("published/posthog-recorded/requests_dump.jsonl"));
    let (mut requests, mut events) = (0, 0);
    for line in recordings.unwrap().lines().filter(|line| line.starts_with('{')) {
        let recorded: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| recorded[name].as_str().unwrap();
        let body = base64::engine::general_purpose::STANDARD.decode(text("body")).unwrap();
        let mut request = Raw::post(text("path"), body);
        request.headers.clear();
        request.headers.insert("content-type", text("content_type").parse().unwrap());
        let received = at(text("now"));
        let Opened::Events { key, reading } = request.open(received, &long()) else {
            panic!("{} has events", text("path"));
        };
        let expected = recorded["output"].as_array().unwrap();
        assert_eq!(reading.errors, []);
        assert_eq!(reading.warnings, []);
        assert_eq!(reading.events.len(), expected.len());
        for ((_, event), expected) in reading.events.iter().zip(expected) {
            compare(event, &key, expected, received);
            events += 1;
        }
        requests += 1;
    }
    assert_eq!((requests, events), (16, 88));
}

fn compare(event: &Event, key: &str, expected: &Value, received: chrono::DateTime<chrono::Utc>) {
    let data: Value = serde_json::from_str(expected["data"].as_str().unwrap()).unwrap();
    let name = data["event"].as_str().unwrap();
    let properties = &data["properties"];
    assert_eq!(key, expected["token"]);
    assert_eq!(event.id.as_deref(), expected["uuid"].as_str());
    assert_eq!(event.person().map(|id| id.as_str()), expected["distinct_id"].as_str());
    let is_visitor =
        properties["$device_id"] == properties["distinct_id"] && properties["$device_id"].is_string();
    assert_eq!(event.user.is_none(), is_visitor, "{name}");
    let group_is_company = properties["$group_type"] == "organization";
    let kind = match name {
        "$pageview" => Kind::Page,
        "$identify" | "$set" => Kind::Identify,
        "$groupidentify" if group_is_company => Kind::Group,
        _ => Kind::Track,
    };
    assert_eq!(event.kind, kind, "{name}");
    match kind {
        Kind::Track => assert_eq!(event.name.as_deref(), Some(name)),
        Kind::Page => assert_eq!(event.name.as_deref(), properties["$pathname"].as_str()),
        _ => assert_eq!(event.name, None),
    }
    if name == "$identify" {
        assert_eq!(event.anonymous.as_ref().map(|id| id.as_str()), properties["$anon_distinct_id"].as_str());
    }
    let quiet = matches!(name, "$groupidentify" | "$feature_flag_called" | "$opt_in") && kind == Kind::Track;
    assert_eq!(event.quiet, quiet, "{name}");
    assert_eq!(event.is_activity(), !quiet && matches!(kind, Kind::Track | Kind::Page), "{name}");
    let group =
        if kind == Kind::Group { &properties["$group_key"] } else { &properties["$groups"]["organization"] };
    assert_eq!(company(event), group.as_str(), "{name}");
    assert_eq!(event.session.as_deref(), properties["$session_id"].as_str());
    let email = event.user_traits.as_ref().and_then(|traits| traits.email.as_deref());
    let set = [&data["$set"]["email"], &properties["$set"]["email"]];
    assert_eq!(email, set.iter().find_map(|email| email.as_str()), "{name}");
    let instant = match data["timestamp"].as_str() {
        Some(timestamp) => at(timestamp),
        None => received - TimeDelta::milliseconds(data["offset"].as_i64().unwrap()),
    };
    assert!((event.at - instant).abs() < TimeDelta::milliseconds(1), "{name}: {} {instant}", event.at);
}

#[test]
fn the_body_with_lone_surrogates_is_read() {
    let path = fixtures().join("published/posthog-recorded/invalid_surrogate.json");
    let answer = Raw::post("/e/", std::fs::read(path).unwrap()).answer(noon(), &long());
    assert_eq!(answer.status(), 200);
    // The published body was cut to what breaks parsers, so it names nobody.
    assert_eq!(body(answer)["errors"][0]["code"], "missing_user");
}

#[test]
fn single_events_arrays_and_batches_with_the_key_wherever_it_stands() {
    let event = json!({"event": "x", "distinct_id": "u"});
    let named = |key: &str| json!({"event": "x", "distinct_id": "u", key: "k"});
    let inside = json!({"event": "x", "properties": {"distinct_id": "u", "token": "k"}});
    for body in [
        json!({"api_key": "k", "batch": [event], "historical_migration": true}),
        json!({"token": "k", "batch": [event]}),
        json!([inside, event]),
        json!([event, inside]),
        json!([named("$token")]),
        named("api_key"),
        named("token"),
        inside.clone(),
    ] {
        let reading = read(&body);
        assert_eq!(reading.key.as_deref(), Some("k"), "{body}");
        assert_eq!(reading.rejected, 0, "{body}");
        assert!(reading.events.iter().all(|(_, event)| ids(event) == [Some("u"), None, None]), "{body}");
    }
    for path in ["/batch", "/batch/", "/e", "/e/", "/i/v0/e", "/i/v0/e/", "/capture", "/capture/"] {
        let answer = Raw::post(path, event.to_string()).answer(noon(), &long());
        assert_eq!(body(answer)["accepted"], 1, "{path}");
    }
    assert_eq!(Raw::post("/e/", "{}").answer(noon(), &long()).status(), 400);
}

#[test]
fn flags_are_an_empty_object() {
    for path in ["/flags", "/flags/?v=2", "/decide/?v=3"] {
        let answer = Raw::post(path, "anything").answer(noon(), &long());
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(body(answer), json!({}), "{path}");
    }
    let mut preflight = Raw::post("/flags/", "");
    preflight.method = Method::OPTIONS;
    assert_eq!(preflight.answer(noon(), &long()).status(), 200);
}

#[test]
fn lz64_is_415() {
    for (path, form) in [("/e/?compression=lz64", "data=N4Ig"), ("/e/", "data=N4Ig&compression=lz64")] {
        assert_eq!(Raw::post(path, form).answer(noon(), &long()).status(), 415, "{path}");
    }
}

#[test]
fn visitors_are_told_from_users() {
    let web = |more: Value| {
        let mut properties = json!({"$lib": "web", "$device_id": "d"});
        properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        properties
    };
    let visitor = [None, Some("u"), None];
    let user = [Some("u"), None, None];
    for (properties, expected) in [
        (web(json!({"$device_id": "u"})), visitor),
        (web(json!({"$device_id": "u", "$user_id": "u"})), user),
        (web(json!({"$is_identified": false})), visitor),
        (web(json!({"$is_identified": true, "$device_id": "u", "$process_person_profile": false})), user),
        (web(json!({"$user_state": "anonymous"})), visitor),
        (web(json!({"$user_state": "identified", "$device_id": "u"})), user),
        (web(json!({"$process_person_profile": false})), visitor),
        (web(json!({"$process_person_profile": true})), user),
        (web(json!({})), user),
        (json!({"$lib": "posthog-ios", "$is_identified": false}), visitor),
        (json!({"$lib": "posthog-python", "$process_person_profile": false}), user),
        (json!({"$lib": "posthog-node", "$is_server": true, "$process_person_profile": false}), user),
        (json!({"$process_person_profile": false}), user),
    ] {
        assert_eq!(ids(&one(&with("x", properties.clone()))), expected, "{properties}");
    }
    assert_eq!(fault(&json!({"event": "x"})), "missing_user");
    assert_eq!(fault(&json!({"event": "", "distinct_id": "u"})), "missing_event_name");
    assert_eq!(fault(&json!({"event": "x", "distinct_id": {}})), "bad_id");
    assert_eq!(ids(&one(&json!({"event": "x", "distinct_id": 7})))[0], Some("7"));
}

#[test]
fn identify_joins_the_visitor_and_describes_the_user() {
    let event = one(&json!({
        "event": "$identify", "distinct_id": "u",
        "properties": {"$anon_distinct_id": "v", "$lib": "web", "$timezone": "Asia/Tokyo", "$browser_language": "ja",
            "$set": {"email": "jane@initech.example"}, "$set_once": {"email": "old@initech.example", "name": "Jane"},
            "$groups": {"company": "c"}},
        "$set": {"Role": "owner", "email": "other@initech.example"},
    }));
    assert_eq!(
        (event.kind, ids(&event), company(&event)),
        (Kind::Identify, [Some("u"), Some("v"), None], Some("c"))
    );
    let traits = event.user_traits.unwrap();
    assert_eq!(traits.email.as_deref(), Some("jane@initech.example"));
    assert_eq!((traits.name.as_deref(), traits.role.as_deref()), (Some("Jane"), Some("owner")));
    assert_eq!(traits.time_zone.unwrap().name(), "Asia/Tokyo");
    assert_eq!(traits.language.as_deref(), Some("ja"));

    let set = one(&with("$set", json!({"$set": {"company": {"id": "c", "name": "Initech"}}})));
    assert_eq!((set.kind, company(&set)), (Kind::Identify, Some("c")));
    assert_eq!(set.company_traits.unwrap().name.as_deref(), Some("Initech"));
    let track = one(&with("x", json!({"$set": {"email": "jane@initech.example"}})));
    assert_eq!(track.kind, Kind::Track);
    assert_eq!(track.user_traits.unwrap().email.as_deref(), Some("jane@initech.example"));
    assert_eq!(one(&with("x", json!({"$lib": "web", "$timezone": "Asia/Tokyo"}))).user_traits, None);
}

#[test]
fn aliases_join_ids() {
    let alias = |properties| one(&with("$create_alias", properties));
    assert_eq!(ids(&alias(json!({"alias": "old"}))), [Some("u"), None, Some("old")]);
    let visitor = alias(json!({"alias": "name", "$lib": "web", "$is_identified": false}));
    assert_eq!((visitor.kind, ids(&visitor)), (Kind::Alias, [Some("name"), None, Some("u")]));
    assert_eq!(fault(&with("$create_alias", json!({}))), "missing_previous_id");
}

#[test]
fn the_company_is_the_group_of_a_type_that_means_one() {
    for (groups, expected) in [
        (json!({"project": "p", "Company": "c", "organization": "o"}), Some("c")),
        (json!({"project": "p", "organization": 7, "account": "a"}), Some("7")),
        (json!({"company": "", "account": "a"}), Some("a")),
        (json!({"project": "p"}), None),
        (json!("c"), None),
    ] {
        let event = one(&with("x", json!({"$groups": groups})));
        assert_eq!(company(&event), expected, "{groups}");
    }
    // Segment's connection to PostHog has them, too.
    let segment = r#"[{"type":"track","event":"x","userId":"u","properties":{"$groups":{"company":"c"}}}]"#;
    assert_eq!(company(&read_as(Protocol::Segment, segment).events[0].1), Some("c"));
}

#[test]
fn group_calls_describe_the_company_and_others_only_pass() {
    let call = |id: &str, kind: &str| {
        one(&json!({"event": "$groupidentify", "distinct_id": id, "properties": {
            "$group_type": kind, "$group_key": "k", "$group_set": {"name": "Initech"}, "$groups": {"company": "c"}}}))
    };
    let group = call("u", "company");
    assert_eq!((group.kind, ids(&group)[0], company(&group)), (Kind::Group, Some("u"), Some("k")));
    assert_eq!(group.company_traits.unwrap().name.as_deref(), Some("Initech"));
    // Servers make an id up where they name nobody.
    assert_eq!(call("$company_k", "company").person(), None);
    let other = call("u", "project");
    assert_eq!((other.kind, other.quiet, company(&other)), (Kind::Track, true, Some("c")));
    assert!(!other.is_activity());
    assert_eq!(call("$project_k", "project").person(), None);
    assert_eq!(fault(&with("$groupidentify", json!({"$group_type": "company"}))), "missing_company");
}

#[test]
fn pages_screens_and_what_libraries_send_on_their_own() {
    let page = one(&with("$pageview", json!({"$pathname": "/pricing", "title": "Pricing"})));
    assert_eq!((page.kind, page.name.as_deref()), (Kind::Page, Some("/pricing")));
    let screen = one(&with("$screen", json!({"$screen_name": "Pricing", "$session_id": "s"})));
    assert_eq!((screen.kind, screen.name.as_deref()), (Kind::Screen, Some("Pricing")));
    assert_eq!(screen.session.as_deref(), Some("s"));
    for (name, is_activity) in [
        ("$autocapture", true),
        ("$rageclick", true),
        ("survey sent", true),
        ("Heartbeat", true),
        ("$ai_feedback", true),
        ("$ai_generation", false),
        ("$feature_flag_called", false),
        ("$pageleave", false),
        ("$exception", false),
        ("$web_vitals", false),
        ("survey shown", false),
    ] {
        assert_eq!(one(&with(name, json!({}))).is_activity(), is_activity, "{name}");
    }
    let quiet = serde_json::to_string(&one(&with("$pageleave", json!({})))).unwrap();
    assert!(serde_json::from_str::<Event>(&quiet).unwrap().quiet, "{quiet}");
}

#[test]
fn times_and_ids() {
    let time = |event: Value, lib: &str, around: Value| {
        let mut event = event;
        event["event"] = json!("x");
        event["properties"] = json!({"distinct_id": "u", "$lib": lib});
        let mut body = json!({ "batch": [event] });
        body.as_object_mut().unwrap().extend(around.as_object().unwrap().clone());
        let reading = read(&body);
        reading.events[0].1.at
    };
    let hour = TimeDelta::hours(1);
    assert_eq!(time(json!({}), "web", json!({})), noon());
    assert_eq!(time(json!({"offset": 1_500}), "web", json!({})), noon() - TimeDelta::milliseconds(1_500));
    assert_eq!(time(json!({"offset": -5}), "web", json!({})), noon());
    let early = json!({"timestamp": "2026-09-07T10:00:00Z", "offset": 1});
    let sent = json!({"sent_at": "2026-09-07T10:30:00Z"});
    assert_eq!(time(early.clone(), "web", sent.clone()), noon() - hour / 2);
    assert_eq!(time(early.clone(), "posthog-python", sent), noon() - hour * 2);
    let millis = at("2026-09-07T10:30:00Z").timestamp_millis();
    let request = Raw::post(
        &format!("/e/?_={millis}&ver=1"),
        json!([{"event": "x", "properties": {"distinct_id": "u", "$lib": "web"}, "timestamp": "2026-09-07T10:00:00Z"}])
            .to_string(),
    );
    let Opened::Events { reading, .. } = request.open(noon(), &long()) else { panic!("it has events") };
    assert_eq!(reading.events[0].1.at, noon() - hour / 2);
    assert_eq!(fault(&json!({"event": "x", "distinct_id": "u", "offset": 1e11})), "too_old");

    let id = |event: Value| one(&event).id;
    assert_eq!(id(json!({"event": "x", "distinct_id": "u", "uuid": "i"})).as_deref(), Some("i"));
    assert_eq!(id(with("x", json!({"$insert_id": "i"}))).as_deref(), Some("i"));
    assert_eq!(id(with("x", json!({}))), None);
    let hashed = id(json!({"event": "x", "distinct_id": "u", "timestamp": "2026-09-07T10:00:00Z"})).unwrap();
    assert!(hashed.starts_with("h:"), "{hashed}");
}
