//! The product's API, asked in the same process with the visitor's own session.
//!
//! What a page changes goes the way of everybody's changes: the same checks, the same audit, the same events. A page
//! turns a form into a request and an answer into a sentence, and knows no rule of its own.

use axum::{
    Router,
    body::{Body, to_bytes},
};
use barometer_cloud::{http::Problem, lambda::Chain};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use tower::ServiceExt;

use crate::html::Failure;

/// Largest answer that is read, in bytes: a page of a list is far below.
const MAX_ANSWER_BYTES: usize = 4 << 20;

/// What stays as it is in one segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A field that the API refused.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WrongField {
    /// JSON pointer into what was sent.
    pub pointer: String,
    /// What is wrong.
    pub detail: String,
}

/// Why the API did nothing; for the visitor to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status of its answer.
    pub status: StatusCode,
    /// What is wrong.
    pub detail: String,
    /// Where.
    pub errors: Vec<WrongField>,
}

impl Refusal {
    /// What is wrong, a sentence each.
    pub fn sentences(&self) -> Vec<String> {
        if self.errors.is_empty() {
            return vec![sentence(&self.detail)];
        }
        self.errors.iter().map(|error| sentence(&error.detail)).collect()
    }
}

/// Begins with a capital and ends with a full stop.
pub fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().map(char::to_uppercase).into_iter().flatten();
    let stop = if text.ends_with(['.', '?', '!']) { "" } else { "." };
    first.chain(rest).chain(stop.chars()).collect()
}

/// A problem document, as far as a page reads it.
#[derive(Deserialize)]
struct Document {
    detail: String,
    #[serde(default)]
    errors: Vec<WrongField>,
}

/// The API in the visitor's name.
#[derive(Debug, Clone)]
pub struct Api<'a> {
    router: &'a Router,
    headers: &'a HeaderMap,
}

impl<'a> Api<'a> {
    /// The API for who sent these headers.
    pub fn new(router: &'a Router, headers: &'a HeaderMap) -> Self {
        Self { router, headers }
    }

    /// Reads. Errors: [`Failure`] when it can't, a refusal among that: a page asks only for what is there.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.ask(path).await?.map_err(|refusal| {
            tracing::error!(path, status = %refusal.status, "the page asked its API for what isn't there");
            Problem::internal().into()
        })
    }

    /// Reads what may not be there, as with an address that the visitor typed. Answers it, or why the API refused.
    pub async fn ask<T: DeserializeOwned>(&self, path: &str) -> Result<Result<T, Refusal>, Failure> {
        let (status, body) = self.send(Method::GET, path, None, None).await?;
        if status.is_success() { Ok(Ok(read(&body)?)) } else { Ok(Err(refusal(status, &body)?)) }
    }

    /// Changes something. Answers what the API says, or why it refused.
    pub async fn change(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Result<Value, Refusal>, Failure> {
        self.change_upon(method, path, body, None).await
    }

    /// The same with `If-Match`: only upon the version that the visitor saw.
    pub async fn change_upon(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        seen: Option<&str>,
    ) -> Result<Result<Value, Refusal>, Failure> {
        let (status, answer) = self.send(method, path, Some(body), seen).await?;
        if status.is_success() {
            return Ok(Ok(if answer.is_empty() { Value::Null } else { read(&answer)? }));
        }
        Ok(Err(refusal(status, &answer)?))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        seen: Option<&str>,
    ) -> Result<(StatusCode, Vec<u8>), Failure> {
        let content = body.map(Value::to_string).unwrap_or_default();
        let mut request =
            Request::builder().method(method).uri(path).body(Body::from(content)).map_err(|error| {
                tracing::error!(path, error = %Chain(&error), "no request");
                Problem::internal()
            })?;
        let headers = request.headers_mut();
        for cookie in self.headers.get_all(header::COOKIE) {
            headers.append(header::COOKIE, cookie.clone());
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        // Posts from elsewhere were refused before they came here.
        headers.insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
        if let Some(seen) = seen.and_then(|seen| HeaderValue::from_str(&format!("\"{seen}\"")).ok()) {
            headers.insert(header::IF_MATCH, seen);
        }
        let response = match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let status = response.status();
        let body = to_bytes(response.into_body(), MAX_ANSWER_BYTES).await.map_err(|error| {
            tracing::error!(path, error = %Chain(&error), "no answer");
            Problem::internal()
        })?;
        match status {
            StatusCode::SERVICE_UNAVAILABLE => Err(Problem::unavailable().into()),
            status if status.is_server_error() => Err(Problem::internal().into()),
            status => Ok((status, body.to_vec())),
        }
    }
}

fn refusal(status: StatusCode, answer: &[u8]) -> Result<Refusal, Failure> {
    let Document { detail, errors } = read(answer)?;
    Ok(Refusal { status, detail, errors })
}

fn read<T: DeserializeOwned>(answer: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(answer).map_err(|error| {
        tracing::error!(error = %Chain(&error), "the API's answer can't be read");
        Problem::internal().into()
    })
}

/// Text as one segment of a path.
pub fn segment(text: &str) -> impl std::fmt::Display + '_ {
    utf8_percent_encode(text, SEGMENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_reads_as_sentences() {
        let refusal =
            Refusal { status: StatusCode::CONFLICT, detail: "it moved on".to_owned(), errors: Vec::new() };
        assert_eq!(refusal.sentences(), ["It moved on."]);
        let wrong = WrongField { pointer: "/note".to_owned(), detail: "why do you see it so?".to_owned() };
        assert_eq!(Refusal { errors: vec![wrong], ..refusal }.sentences(), ["Why do you see it so?"]);
        assert_eq!(sentence(""), ".");
    }

    #[test]
    fn an_id_is_one_segment_whatever_it_holds() {
        assert_eq!(segment("a/b?c#ä").to_string(), "a%2Fb%3Fc%23%C3%A4");
        assert_eq!(segment("c-1_x.y~z").to_string(), "c-1_x.y~z");
    }
}
