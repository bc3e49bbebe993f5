//! Pages as answers, errors included.

use askama::Template;
use axum::response::{IntoResponse, Response};
use barometer_cloud::{StoreError, http::Problem, lambda::Chain};
use http::{HeaderValue, StatusCode, header};

use crate::api::Refusal;

/// A page with a sentence or two and nothing else.
#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    title: &'a str,
    text: &'a str,
}

/// What wasn't done, and why.
#[derive(Template)]
#[template(path = "refused.html")]
struct Refused<'a> {
    lines: Vec<String>,
    back: &'a str,
}

/// Renders a page.
pub fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (status, axum::response::Html(html)).into_response(),
        Err(error) => {
            tracing::error!(error = %Chain(&error), "a page can't be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A page that only says something.
pub fn message(status: StatusCode, title: &str, text: &str) -> Response {
    page(status, &Message { title, text })
}

/// The API refused what a form asked for; leads back to the page of the form.
pub fn refused(refusal: &Refusal, back: &str) -> Response {
    page(refusal.status, &Refused { lines: refusal.sentences(), back })
}

/// A request failed on our side; told as a page.
#[derive(Debug)]
pub struct Failure(Problem);

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = self.0.status();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let text = "The store can't be reached at the moment. Nothing was lost; load the page again in a \
                        few seconds.";
            let mut response = message(status, "Back in a moment", text);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
            return response;
        }
        message(
            status,
            "Something went wrong",
            "It's our fault and it stands in the log. Try again in a while.",
        )
    }
}
