//! The HTTP interface as an OpenAPI 3.1 document: operations in the words of their functions, schemas from the types that
//! are really written.
//!
//! A function with routes describes them in its own `openapi` module; a test puts all of them into the document that is
//! served, and another one compares it with the routers. Nothing of this runs in a function.

use std::collections::BTreeMap;

use schemars::{
    JsonSchema, SchemaGenerator,
    generate::SchemaSettings,
    transform::{Transform, transform_subschemas},
};
use serde_json::{Map, Value, json};

use crate::{
    http::{Problem, auth::SESSION_COOKIE},
    table::credentials::Scope,
};

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";

/// What is the same at every operation that names it: code, name of the component, and what it says.
const PROBLEMS: [(u16, &str, &str); 14] = [
    (
        400,
        "BadRequest",
        "The request can't be read: its query, its path or its body isn't what it should be.",
    ),
    (401, "Unauthorized", "No credential, or one that isn't valid or has ended."),
    (403, "Forbidden", "The credential may not do this."),
    (404, "NotFound", "Nothing there, or nothing that this credential may see."),
    (405, "MethodNotAllowed", "The path knows other methods; see the header Allow."),
    (409, "Conflict", "What is asked for doesn't fit what is there, or somebody else was faster."),
    (410, "Gone", "It was there and has ended."),
    (412, "PreconditionFailed", "Somebody else changed it: If-Match names another version."),
    (413, "TooLarge", "The body is too large."),
    (415, "Unreadable", "The body is compressed, or of a kind, that can't be read here."),
    (
        422,
        "Unprocessable",
        "The request can be read, and says something that can't be; `errors` point to it.",
    ),
    (429, "TooMany", "Too much at once; see the header Retry-After."),
    (500, "Internal", "Something went wrong on our side."),
    (503, "Unavailable", "The store can't be reached at the moment; try again."),
];

/// The operations that were described so far.
pub struct Api {
    generator: SchemaGenerator,
    named: BTreeMap<String, Value>,
    paths: BTreeMap<String, BTreeMap<String, Value>>,
}

impl Default for Api {
    fn default() -> Self {
        let mut settings = SchemaSettings::draft2020_12().for_serialize();
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
        let settings = settings.with_transform(Plain);
        Self { generator: settings.into_generator(), named: BTreeMap::new(), paths: BTreeMap::new() }
    }
}

/// Doc comments as people read them who don't read Rust.
#[derive(Debug, Clone)]
struct Plain;

impl Transform for Plain {
    fn transform(&mut self, schema: &mut schemars::Schema) {
        // Anything, in the form that every generator reads.
        if schema.as_bool() == Some(true) {
            schema.ensure_object();
        }
        for name in ["description", "title"] {
            if let Some(Value::String(text)) = schema.get_mut(name) {
                *text = plain(text);
            }
        }
        if let Some(names) = names(schema) {
            schema.remove("oneOf");
            schema.insert("type".to_owned(), json!("string"));
            schema.insert("enum".to_owned(), Value::Array(names));
        }
        transform_subschemas(self, schema);
    }
}

/// The names of an enumeration whose names are described one by one: generators understand a list of them better.
fn names(schema: &schemars::Schema) -> Option<Vec<Value>> {
    let mut names = Vec::new();
    for part in schema.get("oneOf")?.as_array()? {
        match (part.get("const"), part.get("enum").and_then(Value::as_array)) {
            (Some(name @ Value::String(_)), _) => names.push(name.clone()),
            (_, Some(some)) => names.extend(some.iter().cloned()),
            _ => return None,
        }
    }
    Some(names)
}

/// Links to other items lose their brackets and where they lead.
fn plain(text: &str) -> String {
    let mut read = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("[`") {
        read.push_str(before);
        let Some((name, after)) = behind.split_once("`]") else {
            read.push_str("[`");
            rest = behind;
            continue;
        };
        let name = name.rsplit("::").next().unwrap_or(name).trim_end_matches("()");
        read.push_str(&format!("`{name}`"));
        rest = match after.strip_prefix('(').and_then(|link| link.split_once(')')) {
            Some((_, after)) => after,
            None => after,
        };
    }
    read + rest
}

impl Api {
    /// The schema of a type, as a reference where it has a name.
    pub fn schema<T: JsonSchema>(&mut self) -> Value {
        self.generator.subschema_for::<T>().to_value()
    }

    /// The schema of a type itself.
    pub fn inline<T: JsonSchema>(&mut self) -> Value {
        T::json_schema(&mut self.generator).to_value()
    }

    /// A schema under a name, as a reference.
    pub fn named(&mut self, name: &str, schema: Value) -> Value {
        self.named.insert(name.to_owned(), schema);
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    /// Begins to describe an operation, such as `GET /v1/companies`. `id` names it for programs, `tag` groups it.
    pub fn operation(&mut self, route: &str, id: &str, tag: &str, summary: &str) -> Operation<'_> {
        let (method, path) = route.split_once(' ').unwrap_or(("GET", route));
        let mut operation = Operation {
            api: self,
            method: method.to_lowercase(),
            path: path.to_owned(),
            value: Map::new(),
            parameters: Vec::new(),
            responses: BTreeMap::new(),
        };
        for (name, value) in [("operationId", json!(id)), ("tags", json!([tag])), ("summary", json!(summary))]
        {
            operation.value.insert(name.to_owned(), value);
        }
        let inside = path.split('{').skip(1).filter_map(|part| part.split('}').next());
        for name in inside.map(str::to_owned).collect::<Vec<_>>() {
            let schema = json!({ "type": "string", "minLength": 1 });
            operation
                .parameters
                .push(json!({ "name": name, "in": "path", "required": true, "schema": schema }));
        }
        operation.problems(&[400, 405, 500, 503])
    }

    /// Routes that were described, such as `GET /v1/companies`.
    pub fn routes(&self) -> Vec<String> {
        let of_path = |(path, methods): (&String, &BTreeMap<String, Value>)| {
            methods.keys().map(|method| format!("{} {path}", method.to_uppercase())).collect::<Vec<_>>()
        };
        self.paths.iter().flat_map(of_path).collect()
    }

    /// The document. `info` is its member of that name, `tags` the groups with what they hold.
    pub fn document(mut self, info: Value, tags: &[(&str, &str)]) -> Value {
        let problem = self.schema::<Problem>();
        let responses: Map<String, Value> = PROBLEMS
            .iter()
            .map(|(_, name, says)| {
                let content = json!({ PROBLEM: { "schema": problem } });
                ((*name).to_owned(), json!({ "description": says, "content": content }))
            })
            .collect();
        let mut schemas = self.generator.take_definitions(true);
        schemas.extend(self.named);
        let schemas: BTreeMap<String, Value> = schemas.into_iter().collect();
        let tags: Vec<Value> =
            tags.iter().map(|(name, says)| json!({ "name": name, "description": says })).collect();
        json!({
            "openapi": "3.1.0",
            "info": info,
            "servers": [{ "url": "/" }],
            "tags": tags,
            "paths": self.paths,
            "components": {
                "schemas": schemas,
                "responses": responses,
                "securitySchemes": {
                    "token": {
                        "type": "http",
                        "scheme": "bearer",
                        "description": "An API token of the workspace. Its scope is read, write or admin; each may what those before it may.",
                    },
                    "write_key": {
                        "type": "http",
                        "scheme": "bearer",
                        "description": "The write key of a source, which may sit in a browser: it sends, and reads nothing. Also in the header X-Write-Key, in the query's or body's writeKey, and where each client writes it.",
                    },
                    "write_key_as_user": {
                        "type": "http",
                        "scheme": "basic",
                        "description": "The write key as user name, without a password.",
                    },
                    "session": {
                        "type": "apiKey",
                        "in": "cookie",
                        "name": SESSION_COOKIE,
                        "description": "Somebody who is signed in at the page. Writes also need Sec-Fetch-Site: same-origin.",
                    },
                },
            },
        })
    }
}

/// An operation that is being described.
#[must_use = "an operation is in the document once it is done"]
pub struct Operation<'a> {
    api: &'a mut Api,
    method: String,
    path: String,
    value: Map<String, Value>,
    parameters: Vec<Value>,
    responses: BTreeMap<String, Value>,
}

impl Operation<'_> {
    /// What there is to say beyond the summary.
    pub fn says(mut self, text: &str) -> Self {
        self.value.insert("description".to_owned(), json!(text));
        self
    }

    /// For who holds an API token or a session of at least this scope.
    pub fn needs(mut self, scope: Scope) -> Self {
        let scope = match scope {
            Scope::Read => "read",
            Scope::Write => "write",
            Scope::Admin => "admin",
        };
        self.value.insert("security".to_owned(), json!([{ "token": [scope] }, { "session": [scope] }]));
        self.problems(&[401, 403])
    }

    /// For who holds a write key.
    pub fn needs_write_key(mut self) -> Self {
        let security = json!([{ "write_key": [] }, { "write_key_as_user": [] }]);
        self.value.insert("security".to_owned(), security);
        self.problems(&[401, 403, 429])
    }

    /// For everybody.
    pub fn public(mut self) -> Self {
        self.value.insert("security".to_owned(), json!([]));
        self
    }

    /// What a parameter of the path is.
    pub fn path(mut self, name: &str, says: &str, schema: Value) -> Self {
        let named = self.parameters.iter_mut().find(|parameter| {
            parameter.get("name").is_some_and(|found| found == name)
                && parameter.get("in").is_some_and(|place| place == "path")
        });
        if let Some(parameter) = named.and_then(Value::as_object_mut) {
            parameter.insert("description".to_owned(), json!(says));
            parameter.insert("schema".to_owned(), schema);
        }
        self
    }

    /// A parameter of the query that may be left out.
    pub fn query(mut self, name: &str, says: &str, schema: Value) -> Self {
        self.parameters.push(json!({ "name": name, "in": "query", "description": says, "schema": schema }));
        self
    }

    /// A parameter of the query that is one of the names of a type.
    pub fn choice<T: JsonSchema>(self, name: &str, says: &str) -> Self {
        let schema = self.api.schema::<T>();
        self.query(name, says, schema)
    }

    /// `limit` and `cursor`.
    pub fn paged(self, default: usize, most: usize) -> Self {
        let limit = json!({ "type": "integer", "minimum": 1, "maximum": most, "default": default });
        self.query("limit", "Items of a page at most.", limit).query(
            "cursor",
            "Where the page before ended: its next_cursor.",
            json!({ "type": "string" }),
        )
    }

    /// A header that may be left out.
    pub fn header(mut self, name: &str, says: &str) -> Self {
        let schema = json!({ "type": "string" });
        self.parameters.push(json!({ "name": name, "in": "header", "description": says, "schema": schema }));
        self
    }

    /// Changes something only as long as it is what its client saw.
    pub fn if_match(self) -> Self {
        let says =
            "The version that is to be changed, as an ETag says it; without it whatever is there is changed.";
        self.header("If-Match", says).problems(&[412])
    }

    /// Makes something, which `Idempotency-Key` keeps from being made twice.
    pub fn idempotent(self) -> Self {
        let says = "The same request again under the same key within 24 hours gets the same answer; another one gets 422.";
        self.header("Idempotency-Key", says).problems(&[409, 422])
    }

    /// A JSON body under a name.
    pub fn body(self, name: &str, schema: Value) -> Self {
        self.with_body(name, schema, true)
    }

    /// A JSON body that may be left out.
    pub fn optional_body(self, name: &str, schema: Value) -> Self {
        self.with_body(name, schema, false)
    }

    fn with_body(mut self, name: &str, schema: Value, required: bool) -> Self {
        let schema = self.api.named(name, schema);
        let body = json!({ "required": required, "content": { JSON: { "schema": schema } } });
        self.value.insert("requestBody".to_owned(), body);
        self.problems(&[413, 422])
    }

    /// A body of one of several media types.
    pub fn sends(mut self, kinds: &[&str], schema: Value) -> Self {
        let content: Map<String, Value> =
            kinds.iter().map(|kind| ((*kind).to_owned(), json!({ "schema": schema }))).collect();
        self.value.insert("requestBody".to_owned(), json!({ "required": true, "content": content }));
        self.problems(&[413])
    }

    /// Never answers these problems, though others like it do.
    pub fn never(mut self, codes: &[u16]) -> Self {
        self.responses.retain(|code, _| !codes.iter().any(|never| never.to_string() == *code));
        self
    }

    /// Answers JSON of a type.
    pub fn json<T: JsonSchema>(self, code: u16, says: &str) -> Self {
        let schema = self.api.schema::<T>();
        self.answer(code, says, JSON, schema)
    }

    /// Answers something of a media type; several for one code stand beside one another.
    pub fn answer(mut self, code: u16, says: &str, kind: &str, schema: Value) -> Self {
        let response = self.response(code, says);
        if let Some(response) = response.as_object_mut() {
            let content = response.entry("content").or_insert_with(|| json!({}));
            if let Some(content) = content.as_object_mut() {
                content.insert(kind.to_owned(), json!({ "schema": schema }));
            }
        }
        self
    }

    /// Answers nothing.
    pub fn nothing(mut self, code: u16, says: &str) -> Self {
        self.response(code, says);
        self
    }

    /// Says a header of an answer.
    pub fn tells(mut self, code: u16, header: &str, says: &str) -> Self {
        let described = json!({ "description": says, "schema": { "type": "string" } });
        if let Some(response) = self.response(code, "").as_object_mut() {
            let headers = response.entry("headers").or_insert_with(|| json!({}));
            if let Some(headers) = headers.as_object_mut() {
                headers.insert(header.to_owned(), described);
            }
        }
        self
    }

    fn response(&mut self, code: u16, says: &str) -> &mut Value {
        let response = self.responses.entry(code.to_string()).or_default();
        // What an operation says itself stands before what all of them say.
        if response.get("description").is_none() {
            *response = json!({ "description": says });
        }
        response
    }

    /// Answers these problems.
    pub fn problems(mut self, codes: &[u16]) -> Self {
        for (code, name, _) in PROBLEMS.iter().filter(|(code, ..)| codes.contains(code)) {
            let response = json!({ "$ref": format!("#/components/responses/{name}") });
            self.responses.insert(code.to_string(), response);
        }
        self
    }

    /// Where something that an answer names leads to: `link` is the operation, `parameter` of it is the answer's
    /// `pointer`.
    pub fn leads(mut self, code: u16, link: &str, parameter: &str, pointer: &str) -> Self {
        let described = json!({
            "operationId": link,
            "parameters": { parameter: format!("$response.body#{pointer}") },
        });
        if let Some(response) = self.response(code, "").as_object_mut() {
            let links = response.entry("links").or_insert_with(|| json!({}));
            if let Some(links) = links.as_object_mut() {
                links.insert(link.to_owned(), described);
            }
        }
        self
    }

    /// Puts the operation into the document.
    pub fn done(mut self) {
        if !self.parameters.is_empty() {
            self.value.insert("parameters".to_owned(), Value::Array(self.parameters));
        }
        self.value.insert("responses".to_owned(), json!(self.responses));
        self.api.paths.entry(self.path).or_default().insert(self.method, Value::Object(self.value));
    }
}

/// An object of a body: what isn't named here is refused.
pub fn object<const N: usize>(required: &[&str], fields: [(&str, Value); N]) -> Value {
    let fields: Map<String, Value> =
        fields.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    let mut object = json!({ "type": "object", "properties": fields, "additionalProperties": false });
    if !required.is_empty()
        && let Some(object) = object.as_object_mut()
    {
        object.insert("required".to_owned(), json!(required));
    }
    object
}

/// No control character, and not only spaces. Their numbers and not `\p{Cc}`, which some languages can't read.
const ONE_LINE: &str =
    r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$";

/// A text on one line, cut at its ends.
pub fn text(longest: usize, says: &str) -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": longest, "pattern": ONE_LINE, "description": says })
}

/// A schema, or null.
pub fn nullable(schema: Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_between_items_are_read_as_words() {
        assert_eq!(
            plain("At most [`MAX`], see [`crate::a::b()`](there), [plain] `x`"),
            "At most `MAX`, see `b`, [plain] `x`"
        );
    }
}
