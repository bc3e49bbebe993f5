//! What can go wrong, as a page for people, or as a problem document for programs that ask for JSON.

use axum::response::{IntoResponse, Response};
use barometer_cloud::{StoreError, http::Problem, lambda::Chain, language::Language};
use barometer_domain::token::TokenError;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use crate::{
    page::notice,
    texts::{Texts, texts},
};

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Not a link of ours.
    NotFound,
    /// It was one, until its expiry.
    Closed,
    /// The method means nothing here.
    Method,
    /// The body isn't a form.
    NoForm,
    /// The body is too large.
    TooLarge,
    /// The answer was changed too often.
    TooMany,
    /// Subscribed again a moment ago.
    TooSoon,
    /// The store can't be reached.
    Unavailable,
    /// Our fault.
    Internal,
}

impl Failure {
    fn status(self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Closed => StatusCode::GONE,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::NoForm => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany | Self::TooSoon => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Closed => "closed",
            Self::Method => "method_not_allowed",
            Self::NoForm => "not_a_form",
            Self::TooLarge => "too_large",
            Self::TooMany | Self::TooSoon => "too_many_requests",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }

    fn texts(self, texts: &Texts) -> [&'static str; 2] {
        match self {
            Self::NotFound => texts.not_found,
            Self::Closed => texts.closed,
            Self::Method => texts.no_method,
            Self::NoForm => texts.no_form,
            Self::TooLarge => texts.too_large,
            Self::TooMany => texts.too_many,
            Self::TooSoon => texts.too_soon,
            Self::Unavailable => texts.unavailable,
            Self::Internal => texts.internal,
        }
    }

    fn retry_after(self) -> Option<u32> {
        match self {
            Self::TooMany => Some(3_600),
            Self::TooSoon => Some(60),
            Self::Unavailable => Some(2),
            _ => None,
        }
    }
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Invalid => Self::NotFound,
            TokenError::Expired => Self::Closed,
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        if error.is_retryable() || matches!(error, StoreError::Conflict) {
            tracing::warn!(error = %Chain(&error), "store unavailable");
            Self::Unavailable
        } else {
            tracing::error!(error = %Chain(&error), "store failed");
            Self::Internal
        }
    }
}

/// Who reads the answer, as far as the request says.
#[derive(Debug, Clone, Copy)]
pub struct Reader {
    /// The language the browser asks for.
    pub language: Language,
    /// A program that wants JSON.
    pub json: bool,
}

impl Reader {
    /// The reader of a request's answer.
    pub fn of(method: &Method, headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let accept = text(header::ACCEPT).unwrap_or_default();
        Self {
            language: Language::accepted(text(header::ACCEPT_LANGUAGE).unwrap_or_default()),
            json: method == Method::POST && accept.contains("json") && !accept.contains("text/html"),
        }
    }

    /// The answer to what went wrong.
    pub fn refuse(self, failure: Failure) -> Response {
        let [title, detail] = failure.texts(texts(self.language));
        if self.json {
            let problem = Problem::new(failure.status(), failure.code(), format!("{title}. {detail}"));
            return match failure.retry_after() {
                Some(seconds) => problem.retry_after(seconds).into_response(),
                None => problem.into_response(),
            };
        }
        let mut response = notice(failure.status(), self.language, [title, detail]);
        if let Some(seconds) = failure.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
