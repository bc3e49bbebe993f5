//! The pages, and the headers that go with everything: nothing is kept, indexed, framed, run or fetched.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use barometer_domain::{accent::Accent, language::Language};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};

use crate::{texts::Texts, unsubscribe::Standing};

/// What surrounds every page: one style, inline, so that nothing is fetched, in the workspace's accent.
#[derive(Debug)]
pub struct Frame<'a> {
    language: Language,
    product: &'a str,
    style: String,
}

impl<'a> Frame<'a> {
    /// The frame of a page about `product`; without a name, the page shows none.
    pub fn new(language: Language, product: &'a str, accent: Accent) -> Self {
        let sheet = include_str!("../templates/style.css");
        Self { language, product, style: format!(":root {{ --accent: {accent}; }}\n{sheet}") }
    }

    /// Only this style, and forms that go back to us.
    fn policy(&self) -> Option<HeaderValue> {
        let hash = STANDARD.encode(Sha256::digest(self.style.as_bytes()));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        );
        HeaderValue::from_str(&policy).ok()
    }
}

/// The question with its form.
#[derive(Template)]
#[template(path = "question.html")]
pub struct QuestionPage<'a> {
    /// What surrounds it.
    pub frame: &'a Frame<'a>,
    /// Its texts.
    pub texts: &'a Texts,
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
    /// What surrounds it.
    pub frame: &'a Frame<'a>,
    /// Its texts.
    pub texts: &'a Texts,
    /// What was recorded.
    pub recorded: &'a str,
    /// The token of the answer page.
    pub token: &'a str,
    /// The token of the unsubscribe page.
    pub unsubscribe: &'a str,
}

/// Whether mails come, and the button that changes it.
#[derive(Template)]
#[template(path = "preferences.html")]
pub struct PreferencesPage<'a> {
    /// What surrounds it.
    pub frame: &'a Frame<'a>,
    /// Its texts.
    pub texts: &'a Texts,
    /// Its title.
    pub title: &'a str,
    /// What it says.
    pub detail: &'a str,
    /// The token of this page.
    pub token: &'a str,
    /// How things stand.
    pub standing: Standing,
}

/// Something that isn't as it should be, or that needs no answer.
#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage<'a> {
    frame: &'a Frame<'a>,
    title: &'a str,
    detail: &'a str,
}

/// A page with a title and a text, of no workspace.
pub fn notice(status: StatusCode, language: Language, [title, detail]: [&str; 2]) -> Response {
    let frame = Frame::new(language, "", Accent::default());
    page(status, &frame, &NoticePage { frame: &frame, title, detail })
}

/// A page as an answer.
pub fn page(status: StatusCode, frame: &Frame<'_>, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => {
            let mut response = (status, Html(html)).into_response();
            if let Some(policy) = frame.policy() {
                response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
            }
            response
        }
        Err(error) => {
            tracing::error!(%error, "a page can't be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Puts the headers on every answer.
pub async fn guard(mut response: Response) -> Response {
    const FIXED: [(HeaderName, &str); 4] = [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
    ];
    const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // A page has brought its own.
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(NOTHING));
    response
}
