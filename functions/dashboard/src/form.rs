//! Forms as arguments: a handler gets what was sent, and who sent what can't be read is told so.

use axum::{
    Form,
    extract::{FromRequest, Request},
    response::Response,
};
use http::StatusCode;
use serde::de::DeserializeOwned;

use crate::html;

/// What a form sent.
#[derive(Debug, Clone)]
pub struct Sent<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Sent<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        match Form::from_request(request, state).await {
            Ok(Form(form)) => Ok(Self(form)),
            Err(_) => Err(unreadable()),
        }
    }
}

/// That a form can't be read: it is none of ours, or misses what every one of ours has.
pub fn unreadable() -> Response {
    html::message(
        StatusCode::BAD_REQUEST,
        "The form can’t be read",
        "Go back, load the page again and retry.",
    )
}
