//! JSON objects as bodies, read field by field, so that a refusal names every field that is wrong.

use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Json, Problem, problem::FieldError};

/// The object of a body, and what is wrong with it so far.
#[derive(Debug, Default)]
pub struct Fields {
    object: Map<String, Value>,
    errors: Vec<FieldError>,
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match Json::<Value>::from_request(request, state).await?.0 {
            Value::Object(object) => Ok(object.into()),
            _ => {
                let detail = "the body is a JSON object".to_owned();
                Err(Problem::invalid(detail.clone(), vec![FieldError { pointer: String::new(), detail }]))
            }
        }
    }
}

/// The object of a body that may be left out.
#[derive(Debug)]
pub struct OptionalFields(pub Fields);

impl<S: Send + Sync> FromRequest<S> for OptionalFields {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let empty = axum::body::HttpBody::size_hint(request.body()).exact() == Some(0);
        if empty { Ok(Self(Fields::default())) } else { Fields::from_request(request, state).await.map(Self) }
    }
}

impl From<Map<String, Value>> for Fields {
    fn from(object: Map<String, Value>) -> Self {
        Self { object, errors: Vec::new() }
    }
}

impl Fields {
    /// Whether a field is there, be it null.
    pub fn has(&self, name: &str) -> bool {
        self.object.contains_key(name)
    }

    /// Takes a field out of the object as it is.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.object.remove(name)
    }

    /// Takes a field of a type. `Some(None)` when it is null, nothing when it is absent or wrong; what is wrong
    /// is noted.
    pub fn nullable<T: DeserializeOwned>(&mut self, name: &str) -> Option<Option<T>> {
        match self.take(name)? {
            Value::Null => Some(None),
            value => match serde_json::from_value(value) {
                Ok(value) => Some(Some(value)),
                Err(error) => {
                    self.refuse(format!("/{name}"), error.to_string());
                    None
                }
            },
        }
    }

    /// Takes a field that can't be null.
    pub fn value<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let value = self.nullable(name)?;
        if value.is_none() {
            self.refuse(format!("/{name}"), "can't be null");
        }
        value
    }

    /// Takes a text of 1 to `longest` characters without control characters, cut at the ends. `Some(None)` when
    /// it is null.
    pub fn nullable_text(&mut self, name: &str, longest: usize) -> Option<Option<String>> {
        let Some(text) = self.nullable::<String>(name)? else { return Some(None) };
        let text = text.trim();
        if text.is_empty() || text.chars().count() > longest || text.chars().any(char::is_control) {
            self.refuse(format!("/{name}"), format!("a text of 1 to {longest} characters on one line"));
            return None;
        }
        Some(Some(text.to_owned()))
    }

    /// Notes that something is wrong.
    pub fn refuse(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.errors.push(FieldError { pointer: pointer.into(), detail: detail.into() });
    }

    /// Fields that nobody took.
    pub fn rest(&mut self) -> Map<String, Value> {
        std::mem::take(&mut self.object)
    }

    /// Ends the reading. Errors: 422 with everything that was wrong, fields that nobody took among it.
    pub fn finish(mut self) -> Result<(), Problem> {
        for name in self.rest().keys() {
            self.refuse(pointer(name), "there is no such field");
        }
        match self.errors.first() {
            None => Ok(()),
            Some(first) => Err(Problem::invalid(format!("{}: {}", first.pointer, first.detail), self.errors)),
        }
    }
}

/// A top-level name as a JSON pointer (RFC 6901).
pub fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}
