//! What pages fetch: one script, ours, without which every page works too. Each of its parts is a block of its own.

use std::sync::LazyLock;

use axum::{
    extract::RawQuery,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};

const SCRIPT: &str =
    concat!("'use strict';\n", include_str!("../assets/weights.js"), include_str!("../assets/search.js"));

/// What names this content: a few characters of its hash.
static NAME: LazyLock<String> =
    LazyLock::new(|| URL_SAFE_NO_PAD.encode(Sha256::digest(SCRIPT)).chars().take(12).collect());

static ADDRESS: LazyLock<String> = LazyLock::new(|| format!("/assets/page.js?v={}", *NAME));

/// The script's address, which is another one when its content is.
pub fn page_script() -> &'static str {
    &ADDRESS
}

/// `GET /assets/page.js`: kept for a year under the address with its name, asked for again under any other.
pub async fn script(RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let tag = format!("\"{}\"", *NAME);
    let named = query.is_some_and(|query| query.strip_prefix("v=") == Some(NAME.as_str()));
    let keep = if named { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}
