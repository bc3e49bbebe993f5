//! JSON in and out, with problem documents instead of axum's plain-text rejections.

use axum::{
    extract::{FromRequest, Request},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use serde::{Serialize, de::DeserializeOwned};

use super::{Problem, problem::FieldError};

/// Largest JSON body of the CSM's API: 1 MB.
pub const MAX_BODY: usize = 1_000_000;

/// A JSON body: extractor and answer.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let body = axum::body::to_bytes(request.into_body(), MAX_BODY).await.map_err(|_| {
            Problem::new(http::StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is larger than 1 MB")
        })?;
        parse(&body).map(Self)
    }
}

/// Reads a JSON body. Errors: 400 for what isn't JSON, 422 for what doesn't fit.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => {
            let detail = error.to_string();
            Problem::invalid(detail.clone(), vec![FieldError { pointer: String::new(), detail }])
        }
        _ => Problem::bad_request(format!("the body isn't JSON: {error}")),
    })
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => {
                let mut response = body.into_response();
                let headers = response.headers_mut();
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
                response
            }
            Err(error) => {
                tracing::error!(%error, "an answer can't be written as JSON");
                Problem::internal().into_response()
            }
        }
    }
}
