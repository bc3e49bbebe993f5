//! The OpenAPI document says what the code does, and everything that the code does.

use std::collections::{BTreeMap, BTreeSet};

use axum::{Router, body::Body};
use barometer_cloud::{Bus, Clock, clients, openapi::Api};
use barometer_domain::token::{Key, Keys};
use barometer_webhook::{Client, Reach};
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use ingest_events::route::Route;
use serde_json::Value;
use tower::ServiceExt;

use crate::common::{NOW, at};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");

/// Set to anything: the file is written instead of compared.
const UPDATE: &str = "UPDATE_OPENAPI";

/// Functions that are described, and their routers as they stand in their sources.
const SOURCES: [(&str, &str); 3] = [
    ("portfolio", include_str!("../../src/lib.rs")),
    ("update-status", include_str!("../../../update-status/src/lib.rs")),
    ("submit-feedback", include_str!("../../../submit-feedback/src/lib.rs")),
];

/// Where ingestion finds out what a path means: it has no routes.
const INGESTION: &str = include_str!("../../../ingest-events/src/route.rs");

fn of_routers() -> Api {
    let mut api = Api::default();
    portfolio::openapi::describe(&mut api);
    update_status::openapi::describe(&mut api);
    submit_feedback::openapi::describe(&mut api);
    api
}

fn described() -> Api {
    let mut api = of_routers();
    ingest_events::openapi::describe(&mut api);
    api
}

fn document() -> Value {
    let [companies, work, settings, workspace, document] = portfolio::openapi::TAGS;
    let (ingestion, links) = (ingest_events::openapi::TAG, submit_feedback::openapi::TAG);
    let tags = [companies, work, settings, workspace, ingestion, links, document];
    described().document(portfolio::openapi::info(), &tags)
}

/// Longest line of the file that holds a whole value.
const LINE: usize = 160;

/// The document as it is checked in: what fits stands on one line, so that the file stays small and a change easy to see.
fn write(value: &Value, indent: usize, text: &mut String) {
    let whole = value.to_string();
    let inside = "  ".repeat(indent + 1);
    let (open, close, members): (_, _, Vec<(String, &Value)>) = match value {
        Value::Array(items) if whole.len() > LINE => {
            ('[', ']', items.iter().map(|item| (String::new(), item)).collect())
        }
        Value::Object(members) if whole.len() > LINE => (
            '{',
            '}',
            members
                .iter()
                .map(|(name, value)| (format!("{}: ", Value::from(name.as_str())), value))
                .collect(),
        ),
        _ => return text.push_str(&whole),
    };
    text.push(open);
    for (number, (name, value)) in members.into_iter().enumerate() {
        text.push_str(if number == 0 { "\n" } else { ",\n" });
        text.push_str(&inside);
        text.push_str(&name);
        write(value, indent + 1, text);
    }
    text.push('\n');
    text.push_str(&"  ".repeat(indent));
    text.push(close);
}

/// The document as it is checked in.
pub fn checked_in() -> Value {
    serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap()
}

#[test]
fn the_file_is_what_the_code_says() {
    let mut text = String::new();
    write(&document(), 0, &mut text);
    text.push('\n');
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(FILE, &text).unwrap();
    }
    assert!(text.len() < 300_000, "every start of the function reads it: {} bytes", text.len());
    let same = std::fs::read_to_string(FILE).unwrap() == text;
    assert!(
        same,
        "the API changed: {UPDATE}=1 cargo nextest run -p portfolio openapi, and look at the difference"
    );
}

#[test]
fn every_name_in_the_document_says_what_it_is() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    // Two types of the same name would be told apart by a number, which says nothing.
    let numbered: Vec<&String> =
        schemas.keys().filter(|name| name.ends_with(|last: char| last.is_ascii_digit())).collect();
    assert!(numbered.is_empty(), "{numbered:?}");
    let text = document.to_string();
    for (at, _) in text.match_indices("\"$ref\":\"#/components/") {
        let link = text[at + 8..].split('"').next().unwrap();
        assert!(document.pointer(&link[1..]).is_some(), "{link} leads nowhere");
    }
    let mut ids = BTreeSet::new();
    for operation in
        document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values())
    {
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{operation}");
    }
}

/// The paths of a router, as its source has them.
fn paths(source: &str) -> BTreeSet<&str> {
    source.split(".route(").skip(1).filter_map(|call| call.split('"').nth(1)).collect()
}

async fn routers() -> Vec<Router> {
    let (table, aws) = crate::common::table().await;
    let clock = Clock::fixed(at(NOW));
    let bus = Bus::new(clients::eventbridge(&aws), "barometer");
    let webhooks = Client::new(Reach::default());
    let link_keys = Keys::new(Key { id: 1, secret: vec![7; 32] }, Vec::new());
    vec![
        portfolio::router(portfolio::Deps { table: table.clone(), clock: clock.clone(), webhooks }),
        update_status::router(update_status::Deps {
            table: table.clone(),
            bus: bus.clone(),
            clock: clock.clone(),
        }),
        submit_feedback::router(submit_feedback::Deps { table, bus, clock, link_keys }),
    ]
}

#[tokio::test]
async fn it_has_exactly_the_paths_and_methods_that_the_routers_answer() {
    let mut described = BTreeMap::<String, BTreeSet<String>>::new();
    for route in of_routers().routes() {
        let (method, path) = route.split_once(' ').unwrap();
        described.entry(path.to_owned()).or_default().insert(method.to_owned());
    }
    let known: BTreeSet<&str> = SOURCES.iter().flat_map(|(_, source)| paths(source)).collect();
    assert_eq!(described.keys().map(String::as_str).collect::<BTreeSet<_>>(), known);
    for (router, (_, source)) in routers().await.into_iter().zip(SOURCES) {
        for path in paths(source) {
            let filled = path.replace(['{', '}'], "");
            let request = Request::builder().method("TRACE").uri(&filled).body(Body::empty()).unwrap();
            let answer = router.clone().oneshot(request).await.unwrap();
            assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
            let allowed = answer.headers()[header::ALLOW]
                .to_str()
                .unwrap()
                .split(',')
                .map(|method| method.trim().to_owned());
            let allowed: BTreeSet<String> = allowed.filter(|method| method != "HEAD").collect();
            assert_eq!(allowed, described[path], "{path}");
        }
    }
}

#[test]
fn it_has_exactly_the_paths_that_ingestion_reads() {
    let mut api = Api::default();
    ingest_events::openapi::describe(&mut api);
    let routes = api.routes();
    for route in &routes {
        let (method, path) = route.split_once(' ').unwrap();
        let path = path.replace("{key}", "wk_1").replace("{type}", "track");
        let read = Route::of(&method.parse().unwrap(), &path);
        assert!(read.is_ok(), "{route} means nothing there: {read:?}");
    }
    // Every path that is written there is described, or named where another one of the same meaning is.
    let said = document().to_string();
    let (source, _) = INGESTION.split_once("#[cfg(test)]").unwrap();
    let code: String = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let written: BTreeSet<&str> =
        code.split('"').skip(1).step_by(2).filter(|text| text.starts_with('/') && text.len() > 1).collect();
    assert!(written.len() > 15, "{written:?}");
    for path in written {
        assert!(said.contains(path.trim_end_matches('/')), "{path} stands nowhere in the document");
    }
    for (name, letter, _) in ingest_events::event::Kind::NAMES {
        assert!(
            said.contains(&format!("\"/v1/{name}\"")) && said.contains(&format!(" /v1/{letter}.")),
            "{name}"
        );
    }
}

#[tokio::test]
async fn it_is_served_to_everybody_with_a_tag_and_as_a_page() {
    let router = routers().await.swap_remove(0);
    let get = async |path: &str, tag: Option<&str>| {
        let mut request = Request::builder().uri(path);
        if let Some(tag) = tag {
            request = request.header(header::IF_NONE_MATCH, tag);
        }
        let answer = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (head, body) = answer.into_parts();
        (head, String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap())
    };
    for path in ["/openapi.json", "/docs"] {
        let (head, body) = get(path, None).await;
        assert_eq!(head.status, StatusCode::OK, "{path}: {body}");
        assert_eq!(head.headers[header::CACHE_CONTROL], "public, max-age=300");
        let tag = head.headers[header::ETAG].to_str().unwrap().to_owned();
        let (again, nothing) = get(path, Some(&format!("W/{tag}"))).await;
        assert_eq!((again.status, nothing.as_str()), (StatusCode::NOT_MODIFIED, ""));
        assert_eq!(get(path, Some("\"other\"")).await.0.status, StatusCode::OK);
    }
    let (_, json) = get("/openapi.json", None).await;
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), checked_in());
}

#[tokio::test]
async fn every_page_of_it_is_small_loads_nothing_and_leads_to_pages_that_are_there() {
    let router = routers().await.swap_remove(0);
    let mut left = vec!["/docs".to_owned()];
    let mut read = BTreeMap::new();
    while let Some(path) = left.pop() {
        if read.contains_key(&path) || path == "/openapi.json" {
            continue;
        }
        let request = Request::builder().uri(&path).body(Body::empty()).unwrap();
        let (head, body) = router.clone().oneshot(request).await.unwrap().into_parts();
        let page = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        assert_eq!(head.status, StatusCode::OK, "{path}: {page}");
        let policy = head.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{path}: {policy}");
        assert!(page.len() < 60_000, "{path}: {} bytes", page.len());
        for loads in ["<script", "src=", "href=\"http", "url("] {
            assert!(!page.contains(loads), "{path}: {loads}");
        }
        let links = page.split("href=\"/").skip(1).filter_map(|rest| rest.split(['"', '#']).next());
        left.extend(links.map(|link| format!("/{link}")));
        read.insert(path, page);
    }
    let document = checked_in();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for operation in methods.as_object().unwrap().values() {
            let group = format!("/docs/{}", operation["tags"][0].as_str().unwrap().to_lowercase());
            let id = operation["operationId"].as_str().unwrap();
            assert!(read["/docs"].contains(&format!("\"{group}#{id}\"")), "{id} is on the first page");
            assert!(read[&group].contains(&format!("<article id=\"{id}\">")), "{id} is on its page");
            assert!(read[&group].contains(&format!("<code>{path}</code>")), "{path}");
        }
    }
    for name in ["CompanyView", "Problem", "NewStatus", "Receipt"] {
        assert!(read.contains_key(&format!("/docs/schemas/{name}")), "{name} can be found");
    }
    assert!(
        !router
            .clone()
            .oneshot(Request::builder().uri("/docs/nothing").body(Body::empty()).unwrap())
            .await
            .unwrap()
            .status()
            .is_success()
    );
}
