//! Query parameters and ids in the path, with problem documents for what isn't understood.

use std::{collections::BTreeMap, fmt::Display, str::FromStr};

use axum::extract::{FromRequestParts, Path};
use barometer_cloud::http::{Problem, problem::FieldError};
use barometer_domain::CompanyId;
use chrono::{DateTime, NaiveDate, Utc};
use http::{Uri, request::Parts};
use serde::de::{DeserializeOwned, IntoDeserializer, value::Error as ValueError};

/// The query parameters of a request. An empty value counts as absent.
#[derive(Debug)]
pub struct Params(BTreeMap<String, String>);

impl Params {
    /// Reads the query. Errors: 400 for a parameter that isn't among `known`, because a misspelt filter that is
    /// ignored gives a wrong answer, and for one that is given twice.
    pub fn read(uri: &Uri, known: &[&str]) -> Result<Self, Problem> {
        let mut found = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            if !known.contains(&name.as_ref()) {
                let known = known.join(", ");
                return Err(wrong(&name, format!("there is no such parameter here; known are {known}")));
            }
            if found.insert(name.to_string(), value.into_owned()).is_some() {
                return Err(wrong(&name, "given more than once".to_owned()));
            }
        }
        found.retain(|_, value| !value.is_empty());
        Ok(Self(found))
    }

    /// A parameter as text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A parameter of a type that reads itself. Errors: 400 that names the parameter.
    pub fn parse<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Option<T>, Problem> {
        let parse = |text: &str| text.parse().map_err(|error: T::Err| wrong(name, error.to_string()));
        self.text(name).map(parse).transpose()
    }

    /// An instant, or a day in UTC: its beginning, or with `end` the beginning of the next one. Errors: 400 that names
    /// the parameter.
    pub fn instant(&self, name: &str, end: bool) -> Result<Option<DateTime<Utc>>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let day = || {
            let day: NaiveDate = text.parse().ok()?;
            Some(if end { day.succ_opt()? } else { day }.and_hms_opt(0, 0, 0)?.and_utc())
        };
        match text.parse::<DateTime<Utc>>().ok().or_else(day) {
            Some(at) => Ok(Some(at)),
            None => Err(wrong(name, "an instant such as 2026-10-01T00:00:00Z, or a date".to_owned())),
        }
    }

    /// A parameter that is one of the names of an enumeration, as they stand in JSON. Errors: 400 that names the
    /// parameter and the names.
    pub fn one_of<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Problem> {
        let parse = |text: &str| {
            T::deserialize(text.into_deserializer())
                .map_err(|error: ValueError| wrong(name, error.to_string()))
        };
        self.text(name).map(parse).transpose()
    }
}

/// 400 for one query parameter.
pub fn wrong(name: &str, detail: String) -> Problem {
    Problem::bad_request(format!("{name}: {detail}"))
        .with_errors(vec![FieldError { pointer: name.to_owned(), detail }])
}

/// The company id in a request's path.
pub struct CompanyPath(pub CompanyId);

impl<S: Send + Sync> FromRequestParts<S> for CompanyPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id = Path::<String>::from_request_parts(parts, state).await.map_err(|_| no_company())?;
        CompanyId::new(id.0).map(Self).map_err(|_| no_company())
    }
}

/// 404 for a company that isn't there, or is another workspace's.
pub fn no_company() -> Problem {
    Problem::not_found("there is no such company")
}
