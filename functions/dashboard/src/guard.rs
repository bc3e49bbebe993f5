//! What holds for every request and answer: posts come from our own pages, and browsers get strict headers.

use std::sync::LazyLock;

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use crate::{html, style};

static POLICY: LazyLock<Option<HeaderValue>> = LazyLock::new(|| HeaderValue::from_str(&style::policy()).ok());

/// Refuses posts that another site's page sent.
pub async fn same_origin_posts(request: Request, next: Next) -> Response {
    if request.method() == Method::POST && !same_origin(request.headers()) {
        return html::message(
            StatusCode::FORBIDDEN,
            "That didn't come from this page",
            "The form was sent from another site, so nothing was done. Open Barometer and try again there.",
        )
        .into_response();
    }
    next.run(request).await
}

/// Browsers say with `Sec-Fetch-Site` where a request comes from; older ones only with `Origin`. Programs that send
/// neither carry no cookie of somebody else.
fn same_origin(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let from = origin.split_once("://").map(|(_, host)| host);
            from.is_some() && from == text("host")
        }
        (None, None) => true,
    }
}

/// Adds the headers that every answer carries.
pub async fn headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    // The preview of a mail has brought its own.
    if let Some(policy) = POLICY.as_ref() {
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy.clone());
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&'static str, &'static str)]) -> bool {
        let headers = pairs
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        same_origin(&headers)
    }

    #[test]
    fn only_our_own_pages_post() {
        assert!(of(&[("sec-fetch-site", "same-origin")]));
        assert!(of(&[("sec-fetch-site", "none")]));
        assert!(!of(&[("sec-fetch-site", "cross-site"), ("origin", "https://a"), ("host", "a")]));
        assert!(!of(&[("sec-fetch-site", "same-site")]));
        assert!(of(&[("origin", "https://a.example:8443"), ("host", "a.example:8443")]));
        assert!(!of(&[("origin", "https://b.example"), ("host", "a.example")]));
        assert!(!of(&[("origin", "null"), ("host", "a.example")]));
        assert!(!of(&[("origin", "null")]));
        assert!(of(&[("host", "a.example")]));
    }
}
