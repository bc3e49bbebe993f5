//! The rules of reading one event.

use barometer_domain::language::Language;
use chrono::TimeDelta;
use ingest_events::event::Kind;

use crate::common::{at, batch, fault, noon, one};

fn company(event: &str) -> Option<String> {
    one(event).company.map(String::from)
}

#[test]
fn the_company_comes_from_the_first_place_that_names_it() {
    let event = |more: &str| format!(r#"{{"type":"track","event":"x","userId":"u"{more}}}"#);
    let traits = r#""traits":{"company":{"id":"traits"}}"#;
    for (more, expected) in [
        (format!(r#","groupId":"event","context":{{"groupId":"context",{traits}}}"#), Some("event")),
        (format!(r#","groupId":"","context":{{"groupId":"context",{traits}}}"#), Some("context")),
        (format!(r#","groupId":null,"context":{{"groupId":null,{traits}}}"#), Some("traits")),
        (r#","traits":{"company":"Initech"}"#.to_owned(), None),
        (r#","group_id":7"#.to_owned(), Some("7")),
        (
            r#","properties":{"$groups":{"company":"groups"}},"traits":{"company":{"id":"traits"}}"#
                .to_owned(),
            Some("groups"),
        ),
        (
            r#","context":{"groupId":"context"},"properties":{"$groups":{"company":"groups"}}"#.to_owned(),
            Some("context"),
        ),
        (String::new(), None),
    ] {
        assert_eq!(company(&event(&more)).as_deref(), expected, "{more}");
    }
}

#[test]
fn a_group_call_is_about_its_own_group() {
    let event = one(r#"{"type":"group","userId":"u","groupId":7,"context":{"groupId":"other"},
            "traits":{"name":"Initech","PLAN":"pro","created_at":"2025-01-02","timezone":"Europe/Berlin",
                "locale":"de-AT"}}"#);
    assert_eq!(event.company.unwrap().as_str(), "7");
    let traits = event.company_traits.unwrap();
    assert_eq!(traits.name.as_deref(), Some("Initech"));
    assert_eq!(traits.plan.as_deref(), Some("pro"));
    assert_eq!(traits.created_at, Some(at("2025-01-02T00:00:00Z")));
    assert_eq!(traits.time_zone.unwrap().name(), "Europe/Berlin");
    assert_eq!(traits.language, Some(Language::German));
    assert_eq!(event.user_traits, None);
    let french = one(r#"{"type":"group","groupId":"c","traits":{"name":"Initech","language":"fr"}}"#);
    assert_eq!(french.company_traits.unwrap().language, None);
    assert_eq!(fault(r#"{"type":"group","userId":"u","context":{"groupId":"c"}}"#), "missing_company");
    assert_eq!(one(r#"{"type":"group","groupId":"c"}"#).person(), None);
}

#[test]
fn an_identify_call_describes_a_person() {
    let event = one(
        r#"{"type":"identify","userId":42,"traits":{"Email":" jane@initech.example ","first_name":"Jane",
            "lastName":"Doe","plan":"pro","role":"owner","createdAt":1735787045,"language":"de",
            "time_zone":"Mars/Olympus","company":{"id":"c","name":"Initech"}}}"#,
    );
    assert_eq!(event.user.unwrap().as_str(), "42");
    assert_eq!(event.company.unwrap().as_str(), "c");
    assert_eq!(event.company_traits.unwrap().name.as_deref(), Some("Initech"));
    let traits = event.user_traits.unwrap();
    assert_eq!(traits.email.as_deref(), Some("jane@initech.example"));
    assert_eq!(traits.name.as_deref(), Some("Jane Doe"));
    assert_eq!(traits.role.as_deref(), Some("owner"));
    assert_eq!(traits.language.as_deref(), Some("de"));
    assert_eq!(traits.created_at, Some(at("2025-01-02T03:04:05Z")));
    assert_eq!(traits.time_zone, None);

    let traits = |event: &str| one(event).user_traits.map(|traits| *traits).unwrap_or_default();
    let of_context = r#"{"type":"identify","userId":"u","context":{"traits":{"email":"a@b.c"},"timezone":"Asia/Tokyo",
        "locale":"ja-JP","library":{"name":"analytics.js"}}}"#;
    assert_eq!(traits(of_context).email.as_deref(), Some("a@b.c"));
    assert_eq!(traits(of_context).time_zone.unwrap().name(), "Asia/Tokyo");
    assert_eq!(traits(of_context).language.as_deref(), Some("ja-JP"));
    let of_server = of_context.replace("analytics.js", "analytics-go");
    assert_eq!(traits(&of_server).time_zone, None);
    let without =
        |traits: &str| of_context.replacen(r#""context""#, &format!(r#""traits":{traits},"context""#), 1);
    assert_eq!(traits(&without("{}")).email.as_deref(), Some("a@b.c"));
    assert_eq!(traits(&without(r#"{"email":"own@b.c"}"#)).email.as_deref(), Some("own@b.c"));
    for (word, said) in [("true", Some(true)), ("false", Some(false)), ("null", None), ("\"Ann\"", None)] {
        for name in ["primary_contact", "primaryContact"] {
            let told = traits(&without(&format!(r#"{{"email":"a@b.c","{name}":{word}}}"#)));
            assert_eq!(told.primary_contact, said, "{name} {word}");
        }
    }
    for address in ["no", "@b", "a@", "a@b\\nBcc: x@y", "a b@c"] {
        let event = format!(r#"{{"type":"identify","userId":"u","traits":{{"email":"{address}"}}}}"#);
        assert_eq!(traits(&event).email, None, "{address}");
    }
}

#[test]
fn somebody_must_be_named() {
    assert_eq!(fault(r#"{"type":"track","event":"x"}"#), "missing_user");
    assert_eq!(fault(r#"{"type":"identify","userId":"","anonymousId":null}"#), "missing_user");
    assert_eq!(one(r#"{"type":"page","anonymousId":"a"}"#).person().unwrap().as_str(), "a");
    let both = one(r#"{"type":"page","user_id":"u","anonymousId":"a"}"#);
    assert_eq!(both.person().unwrap().as_str(), "u");
    assert_eq!(both.anonymous.unwrap().as_str(), "a");
    let alias = one(r#"{"type":"alias","userId":"u","previousId":12.0}"#);
    assert_eq!((alias.kind, alias.previous.unwrap().as_str()), (Kind::Alias, "12"));
    assert_eq!(fault(r#"{"type":"alias","userId":"u"}"#), "missing_previous_id");
}

#[test]
fn ids_must_fit() {
    let long = "x".repeat(257);
    assert_eq!(fault(&format!(r#"{{"type":"page","userId":"{long}"}}"#)), "bad_id");
    assert_eq!(fault(r#"{"type":"page","userId":"a\u0000b"}"#), "bad_id");
    assert_eq!(fault(r#"{"type":"page","userId":"u","groupId":["c"]}"#), "bad_id");
    let reading = batch(&format!(r#"[{{"type":"page","userId":"u","anonymousId":"{long}"}}]"#));
    assert_eq!(reading.warnings[0].code, "bad_anonymous_id");
    assert_eq!(reading.events[0].1.anonymous, None);
}

#[test]
fn types_are_read_in_any_case_and_must_be_known() {
    assert_eq!(one(r#"{"type":"Track","event":"x","userId":"u"}"#).kind, Kind::Track);
    assert_eq!(one(r#"{"action":"identify","userId":"u"}"#).kind, Kind::Identify);
    for kind in ["\"nothing\"", "true", "{}", "null", "\"\""] {
        assert_eq!(
            fault(&format!(r#"{{"type":{kind},"event":"x","userId":"u"}}"#)),
            "unknown_type",
            "{kind}"
        );
    }
}

#[test]
fn names_come_from_the_event_or_the_page() {
    assert_eq!(one(r#"{"type":"track","event":404,"userId":"u"}"#).name.as_deref(), Some("404"));
    assert_eq!(fault(r#"{"type":"track","event":"  ","userId":"u"}"#), "missing_event_name");
    let page = one(r#"{"type":"page","userId":"u","properties":{"name":"Pricing"}}"#);
    assert_eq!(page.name.as_deref(), Some("Pricing"));
    assert_eq!(one(r#"{"type":"screen","userId":"u"}"#).name, None);
    let long = one(&format!(r#"{{"type":"track","userId":"u","event":"{}"}}"#, "é".repeat(200)));
    assert_eq!(long.name.unwrap(), "é".repeat(128));
}

#[test]
fn properties_that_rules_ask_for() {
    let properties =
        |text: &str| one(&format!(r#"{{"type":"track","event":"x","userId":"u","properties":{text}}}"#));
    for (text, millis) in [
        (r#"{"duration":90}"#, Some(90_000)),
        (r#"{"durationSeconds":"12.5"}"#, Some(12_500)),
        (r#"{"duration_seconds":1}"#, Some(1_000)),
        (r#"{"duration_ms":1500.4}"#, Some(1_500)),
        (r#"{"time_spent":0}"#, Some(0)),
        (r#"{"duration":"long","duration_ms":5}"#, Some(5)),
        (r#"{"duration":1e300}"#, Some(86_400_000)),
        (r#"{"duration":-1}"#, None),
        (r#"{"duration":null}"#, None),
        ("[]", None),
    ] {
        assert_eq!(properties(text).duration_ms, millis, "{text}");
    }
    assert_eq!(properties(r#"{"duration":1.5}"#).duration(), Some(TimeDelta::milliseconds(1_500)));
    for (text, rating) in [
        (r#"{"score":0}"#, Some(0)),
        (r#"{"rating":"9"}"#, Some(9)),
        (r#"{"score":8,"rating":1}"#, Some(8)),
        (r#"{"score":7.5}"#, None),
        (r#"{"score":-1}"#, None),
        (r#"{"score":101}"#, None),
    ] {
        assert_eq!(properties(text).rating, rating, "{text}");
    }
    let event = properties(r#"{"feature":"export","comment":"ok \ud83d"}"#);
    assert_eq!(event.feature.as_deref(), Some("export"));
    assert_eq!(event.comment.as_deref(), Some("ok \u{FFFD}"));
    assert_eq!(event.sightings().iter().map(ToString::to_string).collect::<Vec<_>>(), ["fexport", "ex"]);
}

#[test]
fn time_falls_back_and_is_bounded() {
    let time = |fields: &str| one(&format!(r#"{{"type":"page","userId":"u"{fields}}}"#)).at;
    assert_eq!(time(""), noon());
    assert_eq!(
        time(r#","timestamp":"","originalTimestamp":"2026-09-01T00:00:00Z""#),
        at("2026-09-01T00:00:00Z")
    );
    assert_eq!(time(r#","timestamp":1788220800,"originalTimestamp":"x""#), at("2026-09-01T00:00:00Z"));
    assert_eq!(time(r#","timestamp":"1788220800000""#), at("2026-09-01T00:00:00Z"));
    for bad in ["\"soon\"", "{}", "true", "\"0000-00-00\""] {
        let reading = batch(&format!(r#"[{{"type":"page","userId":"u","timestamp":{bad}}}]"#));
        assert_eq!(reading.warnings[0].code, "bad_timestamp", "{bad}");
        assert_eq!(reading.events[0].1.at, noon());
    }
    // 90 days before noon on 7 September.
    assert_eq!(time(r#","timestamp":"2026-06-09T12:00:00Z""#), at("2026-06-09T12:00:00Z"));
    assert_eq!(fault(r#"{"type":"page","userId":"u","timestamp":"2026-06-09T11:59:59.999Z"}"#), "too_old");
    assert_eq!(fault(r#"{"type":"page","userId":"u","timestamp":0}"#), "too_old");
}

#[test]
fn the_batchs_fields_lie_under_each_events_own() {
    let reading = batch(
        r#"{"sentAt":"2026-09-07T11:00:00Z","context":{"groupId":"b","library":{"name":"analytics.js"}},"batch":[
            {"type":"page","userId":"u","timestamp":"2026-09-07T10:00:00Z"},
            {"type":"page","userId":"u","timestamp":"2026-09-07T10:00:00Z","context":{"groupId":"e"},
             "sentAt":"2026-09-07T12:00:00Z"},
            {"type":"page","userId":"u","timestamp":"2026-09-07T10:00:00Z",
             "context":{"library":{"name":"analytics-python"}}}]}"#,
    );
    let seen: Vec<_> = reading
        .events
        .iter()
        .map(|(_, event)| (event.company.as_ref().unwrap().as_str(), event.at))
        .collect();
    let ten = at("2026-09-07T10:00:00Z");
    assert_eq!(seen, [("b", at("2026-09-07T11:00:00Z")), ("e", ten), ("b", ten)]);
}

#[test]
fn the_id_is_the_clients_or_a_hash_when_there_is_a_time() {
    let id = |fields: &str| one(&format!(r#"{{"type":"track","event":"x","userId":"u"{fields}}}"#)).id;
    assert_eq!(id(r#","messageId":"m""#).as_deref(), Some("m"));
    assert_eq!(id(r#","messageId":5"#).as_deref(), Some("5"));
    assert_eq!(id(""), None);
    let timed = r#","timestamp":"2026-09-01T00:00:00Z""#;
    let hash = id(timed).unwrap();
    assert!(hash.starts_with("h:") && hash.len() == 34, "{hash}");
    assert_eq!(id(&format!(r#","sentAt":"2026-09-07T00:00:00Z"{timed}"#)).unwrap(), hash);
    assert_ne!(id(&format!(r#","properties":{{"n":1}}{timed}"#)).unwrap(), hash);
    assert_ne!(id(r#","originalTimestamp":"2026-09-01T00:00:01Z""#).unwrap(), hash);
    let long = id(&format!(r#","messageId":"{}""#, "x".repeat(300))).unwrap();
    assert!(long.starts_with("h:"));
}

#[test]
fn a_field_given_twice_counts_as_it_stands_last() {
    let event = one(
        r#"{"userId":"a","userId":"b","type":"page","type":"screen","userId":null,"name":"x","name":"y"}"#,
    );
    assert_eq!(event.user.unwrap().as_str(), "b");
    assert_eq!((event.kind, event.name.as_deref()), (Kind::Screen, Some("y")));
}

#[test]
fn a_broken_context_of_the_batch_loses_no_event() {
    let reading =
        batch(r#"{"context":{"groupId":"\ud83d"},"batch":[{"type":"page","userId":"u","name":"ok"}]}"#);
    assert_eq!(reading.events.len(), 1);
}

#[test]
fn a_primary_contact_that_a_company_names_is_a_trait_as_any_other() {
    let event = one(r#"{"type":"group","userId":"u","groupId":"c","traits":{"primaryContact":"Ann"}}"#);
    assert_eq!(event.company_traits.unwrap().others["primarycontact"], "Ann");
    assert_eq!(event.user_traits, None);
}
