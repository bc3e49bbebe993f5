//! Files in parts: an answer of a Lambda function holds 6 MB, so one that grows larger ends, and the header `Link` leads
//! to the rest. The parts one after the other are the whole.

use axum::response::Response;
use http::{HeaderValue, header};

/// Bytes after which a part ends, with room for what is written whole.
pub const LARGEST: usize = 4_000_000;

/// An answer that says where it goes on, if it does.
pub fn linked(mut file: Response, next: Option<String>) -> Response {
    let link = next.and_then(|next| HeaderValue::try_from(format!("<{next}>; rel=\"next\"")).ok());
    if let Some(link) = link {
        file.headers_mut().insert(header::LINK, link);
    }
    file
}
