//! `GET /docs`: the document as pages, rendered from it without any script: what there is to know first, a page of each group
//! of operations, and one of each schema.

use std::sync::LazyLock;

use askama::Template;
use axum::{extract::Path, response::Response};
use barometer_cloud::http::Problem;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, Uri, header};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    DOCUMENT, answer,
    read::{Row, Word, contents, fields, items, kind, members, text},
    tag,
};
use crate::params::Params;

const SHEET: &str = include_str!("../../templates/docs.css");

/// Methods in the order in which they are shown.
const METHODS: [&str; 5] = ["get", "put", "post", "patch", "delete"];

/// The document, read once; null when it can't be, which a test rules out.
static READ: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(DOCUMENT)
        .inspect_err(|error| tracing::error!(%error, "the document can't be read"))
        .unwrap_or_default()
});

/// The pages: this stylesheet and nothing else is loaded.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let sheet = STANDARD.encode(Sha256::digest(SHEET));
    format!(
        "default-src 'none'; style-src 'sha256-{sheet}'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
    )
});

/// What stands on every page.
struct Frame<'a> {
    sheet: &'a str,
    title: String,
    product: &'a str,
    version: &'a str,
    /// The groups, with the paths of their pages.
    groups: Vec<(&'a str, String)>,
}

#[derive(Template)]
#[template(path = "docs.html")]
struct Overview<'a> {
    frame: Frame<'a>,
    says: &'a str,
    groups: Vec<Group<'a>>,
}

#[derive(Template)]
#[template(path = "docs-group.html")]
struct GroupPage<'a> {
    frame: Frame<'a>,
    group: Group<'a>,
}

#[derive(Template)]
#[template(path = "docs-schema.html")]
struct SchemaPage<'a> {
    frame: Frame<'a>,
    name: &'a str,
    says: &'a str,
    kind: Option<Vec<Word>>,
    fields: Vec<Row>,
}

struct Group<'a> {
    name: &'a str,
    /// The path of its page.
    path: String,
    says: &'a str,
    operations: Vec<Operation<'a>>,
}

struct Operation<'a> {
    id: &'a str,
    method: String,
    path: &'a str,
    summary: &'a str,
    says: &'a str,
    /// Who may call it.
    needs: String,
    /// A call of it as one types it.
    call: Option<String>,
    parameters: Vec<Row>,
    body: Option<Row>,
    answers: Vec<Row>,
}

/// The page to begin with.
pub async fn overview(uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    Params::read(&uri, &[])?;
    let groups = items(&READ, "/tags").iter().map(|tag| group(&READ, tag)).collect();
    let page = Overview { frame: frame("API"), says: text(&READ, "/info/description"), groups };
    shown(&page, &headers)
}

/// The page of a group of operations. Errors: 404.
pub async fn of_group(Path(name): Path<String>, uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    Params::read(&uri, &[])?;
    let mut tags = items(&READ, "/tags").iter();
    let found = tags.find(|tag| text(tag, "/name").to_lowercase() == name).ok_or_else(no_page)?;
    let group = group(&READ, found);
    shown(&GroupPage { frame: frame(group.name), group }, &headers)
}

/// The page of a schema. Errors: 404.
pub async fn of_schema(Path(name): Path<String>, uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    Params::read(&uri, &[])?;
    let mut schemas = members(&READ, "/components/schemas");
    let (name, of) = schemas.find(|(known, _)| *known == name).ok_or_else(no_page)?;
    let fields = fields(of);
    let kind = fields.is_empty().then(|| kind(of));
    shown(&SchemaPage { frame: frame(name), name, says: text(of, "/description"), kind, fields }, &headers)
}

fn no_page() -> Problem {
    Problem::not_found("there is no such page; see /docs")
}

fn shown(page: &impl Template, headers: &HeaderMap) -> Result<Response, Problem> {
    let page = page.render().map_err(|error| {
        tracing::error!(%error, "a page of the document can't be shown");
        Problem::internal()
    })?;
    let tag = tag(&page);
    let mut response = answer(headers, &tag, HeaderValue::from_static("text/html; charset=utf-8"), page);
    let policy = HeaderValue::try_from(POLICY.as_str()).map_err(|_| Problem::internal())?;
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

fn frame(title: &str) -> Frame<'static> {
    let product = text(&READ, "/info/title");
    let groups = items(&READ, "/tags").iter().map(|tag| text(tag, "/name"));
    Frame {
        sheet: SHEET,
        title: format!("{title} · {product}"),
        product,
        version: text(&READ, "/info/version"),
        groups: groups.map(|name| (name, path_of(name))).collect(),
    }
}

/// The path of a group's page.
fn path_of(group: &str) -> String {
    format!("/docs/{}", group.to_lowercase())
}

fn group<'a>(document: &'a Value, tag: &'a Value) -> Group<'a> {
    let name = text(tag, "/name");
    let mut operations = Vec::new();
    for (path, methods) in members(document, "/paths") {
        for method in METHODS {
            let found = methods.get(method).filter(|found| text(found, "/tags/0") == name);
            operations.extend(found.map(|found| operation(document, path, method, found)));
        }
    }
    Group { name, path: path_of(name), says: text(tag, "/description"), operations }
}

fn operation<'a>(document: &'a Value, path: &'a str, method: &str, of: &'a Value) -> Operation<'a> {
    let parameters = items(of, "/parameters").iter().map(|parameter| {
        let required = parameter.get("required").and_then(Value::as_bool).unwrap_or(false);
        let place = text(parameter, "/in");
        Row {
            name: text(parameter, "/name").to_owned(),
            place: if required {
                format!("in the {place}")
            } else {
                format!("in the {place}, may be left out")
            },
            kind: parameter.get("schema").map(kind).unwrap_or_default(),
            says: text(parameter, "/description").to_owned(),
        }
    });
    let body = of.get("requestBody").map(|body| {
        let required = body.get("required").and_then(Value::as_bool).unwrap_or(false);
        let place = if required { "" } else { "may be left out" };
        Row { name: "Body".to_owned(), place: place.to_owned(), kind: contents(body), says: String::new() }
    });
    let answers = members(of, "/responses").map(|(code, answer)| {
        let shared = answer.get("$ref").and_then(Value::as_str).and_then(|link| link.strip_prefix('#'));
        let answer = shared.and_then(|pointer| document.pointer(pointer)).unwrap_or(answer);
        let headers: Vec<&str> = members(answer, "/headers").map(|(name, _)| name).collect();
        Row {
            name: code.to_owned(),
            place: if headers.is_empty() { String::new() } else { format!("with {}", headers.join(", ")) },
            kind: contents(answer),
            says: text(answer, "/description").to_owned(),
        }
    });
    Operation {
        id: text(of, "/operationId"),
        method: method.to_uppercase(),
        path,
        summary: text(of, "/summary"),
        says: text(of, "/description"),
        needs: needs(path, of),
        call: call(path, method, of),
        parameters: parameters.collect(),
        body,
        answers: answers.collect(),
    }
}

/// Who may call an operation, in words.
fn needs(path: &str, of: &Value) -> String {
    let scope = text(of, "/security/0/token/0");
    if !scope.is_empty() {
        format!("Needs an API token or a session with the scope {scope}.")
    } else if of.pointer("/security/0/write_key").is_some() {
        "Needs a write key.".to_owned()
    } else if path.contains("{token}") {
        "Needs the token that is in the link.".to_owned()
    } else {
        "Needs no credential.".to_owned()
    }
}

/// A call as one types it; nothing for what people open in a browser.
fn call(path: &str, method: &str, of: &Value) -> Option<String> {
    if path.contains("{token}") {
        return None;
    }
    let verb = if method == "get" { String::new() } else { format!(" -X {}", method.to_uppercase()) };
    let mut call = format!("curl{verb} \"$BAROMETER{path}\"");
    if of.pointer("/security/0/token").is_some() {
        call.push_str(" \\\n  -H \"Authorization: Bearer $TOKEN\"");
    } else if of.pointer("/security/0/write_key").is_some() {
        call.push_str(" \\\n  -H \"Authorization: Bearer $WRITE_KEY\"");
    }
    if of.get("requestBody").is_some() {
        call.push_str(" \\\n  -d @body.json");
    }
    Some(call)
}
