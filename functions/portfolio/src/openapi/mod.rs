//! The API in OpenAPI's words: what `/openapi.json` says of this function's routes. A test writes the document and holds it
//! against the routers.

mod admin;
mod companies;
mod settings;
mod work;

use barometer_cloud::openapi::Api;
use serde_json::{Value, json};

use crate::paging::MAX_LIMIT;

/// The groups of this function's operations, with what they hold.
pub const TAGS: [(&str, &str); 5] = [
    (
        "Companies",
        "The portfolio, and everything about one company: its three readings, how they came about, its people.",
    ),
    (
        "Work",
        "What CSMs are to look after: tasks, alerts, disagreements, answers of users, and what rules are about to do.",
    ),
    ("Settings", "Weights, targets, catalogue, bands, cadence, mail and rules. Every save is a version."),
    ("Workspace", "Sources of events, webhooks, API tokens, the audit and the export."),
    ("Document", "This document."),
];

/// Describes every route of [`crate::router`].
pub fn describe(api: &mut Api) {
    companies::describe(api);
    work::describe(api);
    settings::describe(api);
    admin::describe(api);
    api.operation("GET /openapi.json", "getDocument", "Document", "This document")
        .public()
        .answer(200, "The document.", "application/json", json!({ "type": "object" }))
        .tells(200, "ETag", "Tells this document from others.")
        .nothing(304, "The document that If-None-Match names is the current one.")
        .header("If-None-Match", "The ETag of the document that the client has.")
        .done();
    for (route, id, summary) in [
        ("GET /docs", "readDocument", "This document to read: what there is to know first"),
        ("GET /docs/{group}", "readGroup", "A group of operations to read"),
        ("GET /docs/schemas/{name}", "readSchema", "A schema to read"),
    ] {
        let operation = api
            .operation(route, id, "Document", summary)
            .public()
            .answer(200, "The page.", "text/html", json!({ "type": "string" }))
            .tells(200, "ETag", "Tells this page from others.")
            .nothing(304, "The page that If-None-Match names is the current one.")
            .header("If-None-Match", "The ETag of the page that the client has.");
        if route.contains('{') { operation.problems(&[404]) } else { operation }.done();
    }
}

/// What the document says of itself.
pub fn info() -> Value {
    json!({
        "title": "Barometer",
        "version": env!("CARGO_PKG_VERSION"),
        "summary": "Customer health and happiness for SaaS businesses.",
        "description": "JSON, UTF-8, snake_case. Instants are RFC 3339 in UTC, weeks `2026-W40`, months `2026-10`; \
            percentages are numbers from 0 to 100 with at most two decimals. `null` is unknown and never 0. Errors are \
            problem documents (RFC 9457). Lists come in pages: `next_cursor` is the next page's `cursor`. The workspace is \
            that of the credential; other workspaces' ids are answered with 404. Parameters and fields that there aren't \
            are refused, because a misspelt filter that is ignored gives a wrong answer.",
        "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
    })
}

/// An instant or a day.
fn instant() -> Value {
    json!({ "anyOf": [{ "type": "string", "format": "date-time" }, { "type": "string", "format": "date" }] })
}

/// A text of a query.
fn words() -> Value {
    json!({ "type": "string" })
}

/// Most items of a page.
const MOST: usize = MAX_LIMIT;
