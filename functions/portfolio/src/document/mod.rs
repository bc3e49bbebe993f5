//! `GET /openapi.json`: the API as an OpenAPI 3.1 document, for everybody.
//!
//! The file is generated from the code by a test and checked in, so that a change of the API is seen in its review, and so
//! that nothing is generated while a request waits.

pub mod page;
mod read;

use std::sync::LazyLock;

use axum::response::{IntoResponse, Response};
use barometer_cloud::{bus::hex, http::Problem};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use sha2::{Digest, Sha256};

use crate::params::Params;

/// The document.
pub const DOCUMENT: &str = include_str!("../../openapi.json");

/// Tells this document from others.
static TAG: LazyLock<HeaderValue> = LazyLock::new(|| tag(DOCUMENT));

/// The document; 304 for who has it.
pub async fn json(uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    Params::read(&uri, &[])?;
    Ok(answer(&headers, &TAG, HeaderValue::from_static("application/json"), DOCUMENT))
}

/// An entity tag that follows from what it tells apart.
fn tag(text: &str) -> HeaderValue {
    let hash = hex(Sha256::digest(text).iter().take(8));
    HeaderValue::try_from(format!("\"{hash}\"")).unwrap_or(HeaderValue::from_static("\"0\""))
}

/// What everybody may keep for five minutes, and ask after then.
fn answer(headers: &HeaderMap, tag: &HeaderValue, kind: HeaderValue, body: impl IntoResponse) -> Response {
    let kept: [(HeaderName, HeaderValue); 3] = [
        (header::ETAG, tag.clone()),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")),
        (header::CONTENT_TYPE, kind),
    ];
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|tags| tags.to_str().ok());
    let mut known = known.flat_map(|tags| tags.split(',')).map(str::trim);
    // Something on the way that compresses may have weakened the tag.
    let matches = known.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag);
    if matches { (StatusCode::NOT_MODIFIED, kept).into_response() } else { (kept, body).into_response() }
}
