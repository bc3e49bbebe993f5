//! The pages, and the headers that go with everything: nothing is kept, indexed, framed, run or fetched.

use std::sync::LazyLock;

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use barometer_cloud::language::Language;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};

use crate::texts::Texts;

/// The one style of all pages, inline, so that nothing is fetched.
pub const STYLE: &str = include_str!("../templates/style.css");

/// The question with its form.
#[derive(Template)]
#[template(path = "question.html")]
pub struct QuestionPage<'a> {
    /// The page's language.
    pub language: Language,
    /// Its texts.
    pub texts: &'a Texts,
    /// The style.
    pub style: &'a str,
    /// The question about the product.
    pub question: &'a str,
    /// The token of this page.
    pub token: &'a str,
    /// The token of the unsubscribe page.
    pub unsubscribe: &'a str,
    /// The rating that is chosen already.
    pub selected: Option<u8>,
    /// The comment as it was typed.
    pub comment: &'a str,
    /// There is an answer already.
    pub answered: bool,
    /// What has to be put right.
    pub mistake: Option<&'a str>,
}

/// After an answer.
#[derive(Template)]
#[template(path = "thanks.html")]
pub struct ThanksPage<'a> {
    /// The page's language.
    pub language: Language,
    /// Its texts.
    pub texts: &'a Texts,
    /// The style.
    pub style: &'a str,
    /// What was recorded.
    pub recorded: &'a str,
    /// The token of the answer page.
    pub token: &'a str,
    /// The token of the unsubscribe page.
    pub unsubscribe: &'a str,
}

/// Before and after unsubscribing.
#[derive(Template)]
#[template(path = "unsubscribe.html")]
pub struct UnsubscribePage<'a> {
    /// The page's language.
    pub language: Language,
    /// Its texts.
    pub texts: &'a Texts,
    /// The style.
    pub style: &'a str,
    /// Its title.
    pub title: &'a str,
    /// What it says.
    pub detail: &'a str,
    /// The token of this page.
    pub token: &'a str,
    /// It is done; there is nothing to press.
    pub done: bool,
}

/// Something that isn't as it should be.
#[derive(Template)]
#[template(path = "notice.html")]
pub struct NoticePage<'a> {
    /// The page's language.
    pub language: Language,
    /// The style.
    pub style: &'a str,
    /// Its title.
    pub title: &'a str,
    /// What it says.
    pub detail: &'a str,
}

/// A page as an answer.
pub fn page(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page can't be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Only the style above, and forms that go back to us.
static POLICY: LazyLock<Option<HeaderValue>> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    );
    HeaderValue::from_str(&policy).ok()
});

/// Puts the headers on every answer.
pub async fn guard(mut response: Response) -> Response {
    const FIXED: [(HeaderName, &str); 4] = [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
    ];
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Some(policy) = POLICY.clone() {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
