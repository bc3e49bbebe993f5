//! `infra/events` has an event in AWS's shape for everything that invokes a function, and the functions take each of them.

use std::collections::BTreeMap;

use barometer::routes::Routes;
use barometer::template::Template;
use serde_json::{Value, json};

use crate::lambda_binaries::World;
use crate::schemas;

/// The recorded events by name, such as `react.schedule`.
fn recorded() -> BTreeMap<String, Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/events");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let events = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let read = |path: std::path::PathBuf| {
        let event = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        (path.file_stem().unwrap().to_string_lossy().into_owned(), event)
    };
    events.map(read).collect()
}

/// The detail-types that a function's rules in the template name.
fn kinds(function: &str) -> Vec<String> {
    let root: yaml_serde::Value = yaml_serde::from_str(include_str!("../../../infra/template.yaml")).unwrap();
    let resources = root.get("Resources").and_then(yaml_serde::Value::as_mapping).unwrap();
    let own = resources.iter().map(|(_, resource)| resource).find(|resource| {
        let name = resource.get("Metadata").and_then(|metadata| metadata.get("BarometerFunction"));
        name.and_then(yaml_serde::Value::as_str) == Some(function)
    });
    let events = own.and_then(|own| own.get("Properties")?.get("Events")?.as_mapping()).into_iter().flatten();
    let named = events.filter_map(|(_, event)| event.get("Properties")?.get("Pattern")?.get("detail-type"));
    let named = named.filter_map(yaml_serde::Value::as_sequence).flatten();
    named.filter_map(yaml_serde::Value::as_str).map(str::to_owned).collect()
}

#[test]
fn every_trigger_of_the_template_has_a_recorded_event() {
    let events = recorded();
    let template = Template::built_in().unwrap();
    let routes = Routes::new(&template);
    let due = "2026-09-07T00:00:00Z".parse().unwrap();
    for function in &template.functions {
        let name = &function.name;
        if !function.routes.is_empty() {
            let leads_here = |event: &Value| {
                let http = &event["requestContext"]["http"];
                let method = http["method"].as_str().and_then(|method| method.parse().ok());
                let path = event["rawPath"].as_str().unwrap_or_default();
                event["version"] == "2.0" && method.is_some_and(|m| routes.select(&m, path) == Some(name))
            };
            assert!(events.values().any(leads_here), "{name}: no HTTP event");
        }
        for schedule in &function.schedules {
            let event = events.get(&format!("{name}.schedule"));
            let fields = |event: &Value| event.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
            let fits = event.is_some_and(|event| fields(event) == fields(&schedule.event(due).unwrap()));
            assert!(fits, "{name}: no event of its schedule: {event:?}");
        }
        for kind in kinds(name) {
            let fits = |event: &&Value| {
                event["detail-type"] == *kind && function.rules.iter().any(|rule| rule.matches(event))
            };
            assert!(events.values().any(|event| fits(&event)), "{name}: no event {kind}");
        }
        for queue in &function.queues {
            let prefix = format!("{name}.");
            let batches = events.iter().filter(|(id, _)| id.starts_with(&prefix));
            let mut messages = batches.flat_map(|(_, batch)| batch["Records"].as_array().unwrap());
            // In the home and here the configuration set is called by its logical id.
            let taken = messages.any(|message| {
                let body = message["body"].as_str().unwrap();
                let body = body.replace(
                    "\"ses:configuration-set\":[\"barometer\"]",
                    "\"ses:configuration-set\":[\"MailConfiguration\"]",
                );
                queue.takes(&serde_json::from_str(&body).unwrap())
            });
            assert!(taken, "{name}: no message of {}", queue.id);
        }
    }
}

#[test]
fn every_recorded_event_of_the_bus_is_as_its_schema_says() {
    let ours: Vec<Value> = recorded().into_values().filter(|event| event["source"] == "barometer").collect();
    assert!(ours.len() >= 9, "{}", ours.len());
    for event in ours {
        schemas::check(event["detail-type"].as_str().unwrap(), &event["detail"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_event_of_the_bus_is_taken_by_its_function() {
    let world = World::new().await;
    world.run("ingest-events", vec![world.event("ingest-events.batch")]).await;
    for function in ["react", "perform-actions", "arrange-portfolio"] {
        let kinds = kinds(function);
        assert!(!kinds.is_empty());
        let of_function = recorded().into_iter().filter(|(_, event)| {
            event["detail-type"].as_str().is_some_and(|kind| kinds.iter().any(|known| known == kind))
        });
        let mut events: Vec<Value> = of_function.map(|(name, _)| world.event(&name)).collect();
        assert_eq!(events.len(), kinds.len(), "{function}");
        events.push(world.event(&format!("{function}.schedule")));
        let answers = world.run(function, events).await;
        assert!(answers.iter().all(|answer| *answer != json!(null)), "{answers:?}");
    }
}
