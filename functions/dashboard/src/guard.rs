//! What holds for every request and answer: posts come from our own pages, and browsers get strict headers.

use std::sync::LazyLock;

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use barometer_cloud::http::pages;
use http::{HeaderValue, StatusCode, header};

use crate::{html, style};

static POLICY: LazyLock<Option<HeaderValue>> = LazyLock::new(|| HeaderValue::from_str(&style::policy()).ok());

/// Refuses what another site's page sent.
pub async fn our_own_pages(request: Request, next: Next) -> Response {
    if !request.method().is_safe() && !pages::may_change(request.headers()) {
        return html::message(
            StatusCode::FORBIDDEN,
            "That didn't come from this page",
            "The form was sent from another site, so nothing was done. Open Barometer and try again there.",
        )
        .into_response();
    }
    next.run(request).await
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
