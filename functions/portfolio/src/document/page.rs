//! `GET /docs`: the document as a page, rendered from it without any script.

use std::sync::LazyLock;

use askama::Template;
use axum::response::{IntoResponse, Response};
use barometer_cloud::http::Problem;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, Uri, header};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{DOCUMENT, answer, tag};
use crate::params::Params;

const SHEET: &str = include_str!("../../templates/docs.css");

/// Methods in the order in which they are shown.
const METHODS: [&str; 5] = ["get", "put", "post", "patch", "delete"];

/// The page with its tag; nothing when the document can't be rendered, which a test rules out.
static PAGE: LazyLock<Option<(String, HeaderValue)>> = LazyLock::new(|| {
    let page = render().inspect_err(|error| tracing::error!(%error, "the document can't be shown")).ok()?;
    let tag = tag(&page);
    Some((page, tag))
});

/// The page: this stylesheet and nothing else is loaded.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let sheet = STANDARD.encode(Sha256::digest(SHEET));
    format!(
        "default-src 'none'; style-src 'sha256-{sheet}'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
    )
});

#[derive(Template)]
#[template(path = "docs.html")]
struct Page<'a> {
    sheet: &'a str,
    title: &'a str,
    version: &'a str,
    says: &'a str,
    groups: Vec<Group<'a>>,
    schemas: Vec<Schema<'a>>,
}

struct Group<'a> {
    name: &'a str,
    says: &'a str,
    operations: Vec<Operation<'a>>,
}

struct Operation<'a> {
    id: &'a str,
    method: String,
    path: &'a str,
    summary: &'a str,
    says: &'a str,
    scope: &'a str,
    parameters: Vec<Row>,
    body: Option<Row>,
    answers: Vec<Row>,
}

struct Schema<'a> {
    name: &'a str,
    says: &'a str,
    kind: Option<Vec<Word>>,
    fields: Vec<Row>,
}

/// Something with a name and a type.
struct Row {
    name: String,
    place: String,
    kind: Vec<Word>,
    says: String,
}

/// A part of a type's name.
struct Word {
    text: String,
    /// Whether it is a schema of the document.
    link: bool,
}

/// The page.
pub async fn page(uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    Params::read(&uri, &[])?;
    let (page, tag) = PAGE.as_ref().ok_or_else(Problem::internal)?;
    let mut response = answer(&headers, tag, HeaderValue::from_static("text/html; charset=utf-8"), page);
    let policy = HeaderValue::try_from(POLICY.as_str()).map_err(|_| Problem::internal())?;
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(response.into_response())
}

fn render() -> Result<String, Box<dyn std::error::Error>> {
    let document: Value = serde_json::from_str(DOCUMENT)?;
    let tags = items(&document, "/tags");
    let page = Page {
        sheet: SHEET,
        title: text(&document, "/info/title"),
        version: text(&document, "/info/version"),
        says: text(&document, "/info/description"),
        groups: tags.iter().map(|tag| group(&document, tag)).collect(),
        schemas: members(&document, "/components/schemas").map(|(name, of)| schema(name, of)).collect(),
    };
    Ok(page.render()?)
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn items<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn members<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let members = value.pointer(pointer).and_then(Value::as_object);
    members.into_iter().flatten().map(|(name, value)| (name.as_str(), value))
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
    Group { name, says: text(tag, "/description"), operations }
}

fn operation<'a>(document: &'a Value, path: &'a str, method: &str, of: &'a Value) -> Operation<'a> {
    let parameters = items(of, "/parameters").iter().map(|parameter| {
        let required = parameter.get("required").and_then(Value::as_bool).unwrap_or(false);
        Row {
            name: text(parameter, "/name").to_owned(),
            place: if required {
                "in the path".to_owned()
            } else {
                format!("in the {}", text(parameter, "/in"))
            },
            kind: parameter.get("schema").map(kind).unwrap_or_default(),
            says: text(parameter, "/description").to_owned(),
        }
    });
    let body = of.get("requestBody").map(|body| Row {
        name: "Body".to_owned(),
        place: if body.get("required").and_then(Value::as_bool).unwrap_or(false) {
            ""
        } else {
            "may be left out"
        }
        .to_owned(),
        kind: contents(body),
        says: String::new(),
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
        scope: text(of, "/security/0/token/0"),
        parameters: parameters.collect(),
        body,
        answers: answers.collect(),
    }
}

/// The media types of a body with what is in them.
fn contents(body: &Value) -> Vec<Word> {
    let mut words = Vec::new();
    for (media, of) in members(body, "/content") {
        if !words.is_empty() {
            words.push(plain(" or "));
        }
        let schema = of.get("schema").map(kind).unwrap_or_default();
        if schema.iter().any(|word| word.link) {
            words.extend(schema);
        } else {
            words.push(plain(media));
        }
    }
    words
}

fn schema<'a>(name: &'a str, of: &'a Value) -> Schema<'a> {
    let fields: Vec<Row> = fields(of);
    Schema { name, says: text(of, "/description"), kind: fields.is_empty().then(|| kind(of)), fields }
}

/// The fields of an object; those of a part of it, too.
fn fields(of: &Value) -> Vec<Row> {
    let required: Vec<&str> = items(of, "/required").iter().filter_map(Value::as_str).collect();
    let own = members(of, "/properties").map(|(name, schema)| Row {
        name: name.to_owned(),
        place: if required.contains(&name) { "" } else { "may be absent" }.to_owned(),
        kind: kind(schema),
        says: text(schema, "/description").to_owned(),
    });
    let mut rows: Vec<Row> = own.collect();
    if !rows.is_empty() {
        for part in ["/oneOf", "/anyOf", "/allOf"].iter().flat_map(|part| items(of, part)) {
            rows.extend(fields(part).into_iter().map(|row| Row { place: "in some cases".to_owned(), ..row }));
        }
    }
    rows
}

fn plain(text: impl Into<String>) -> Word {
    Word { text: text.into(), link: false }
}

/// A type in words.
fn kind(schema: &Value) -> Vec<Word> {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|link| link.rsplit('/').next()) {
        return vec![Word { text: name.to_owned(), link: true }];
    }
    for part in ["/anyOf", "/oneOf", "/allOf"] {
        let parts = items(schema, part);
        if !parts.is_empty() {
            return listed(parts.iter().map(kind), if part == "/allOf" { " and " } else { " or " });
        }
    }
    if let Some(constant) = schema.get("const") {
        return vec![plain(constant.to_string())];
    }
    let names = items(schema, "/enum");
    if !names.is_empty() {
        return listed(names.iter().map(|name| vec![plain(name.to_string())]), ", ");
    }
    let kinds: Vec<&str> = match schema.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => return vec![plain("anything")],
    };
    listed(kinds.into_iter().map(|name| of_kind(name, schema)), " or ")
}

fn of_kind(name: &str, schema: &Value) -> Vec<Word> {
    match name {
        "array" => {
            let mut words = vec![plain("list of ")];
            words.extend(schema.get("items").map_or_else(|| vec![plain("anything")], kind));
            words
        }
        "object" => {
            let mut words = vec![plain("object")];
            if let Some(of) = schema.get("additionalProperties").filter(|of| of.is_object()) {
                words.push(plain(" of "));
                words.extend(kind(of));
            } else {
                let fields: Vec<&str> = members(schema, "/properties").map(|(name, _)| name).collect();
                if !fields.is_empty() {
                    words.push(plain(format!(" with {}", fields.join(", "))));
                }
            }
            words
        }
        "string" => match schema.get("format").and_then(Value::as_str) {
            Some(format) => vec![plain(format)],
            None => vec![plain("string")],
        },
        other => {
            let bounds = [("minimum", " from "), ("maximum", " to ")].into_iter();
            let said = bounds.filter_map(|(name, word)| Some(format!("{word}{}", schema.get(name)?)));
            vec![plain(std::iter::once(other.to_owned()).chain(said).collect::<String>())]
        }
    }
}

fn listed(parts: impl Iterator<Item = Vec<Word>>, between: &str) -> Vec<Word> {
    let mut words = Vec::new();
    for part in parts {
        if !words.is_empty() {
            words.push(plain(between));
        }
        words.extend(part);
    }
    words
}
