//! Requests that come again under their `Idempotency-Key`.

use http::StatusCode;

use super::Problem;
use crate::table::idempotency::Remembered;

/// That a remembered answer is that of a request, told by its fingerprint. Errors: 422 when the key was used for another
/// one.
pub fn check(before: &Remembered, request: &str) -> Result<(), Problem> {
    if before.request == request {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "idempotency_key_reused",
        "this Idempotency-Key was used for another request",
    ))
}
