//! What `/openapi.json` says of this function's routes.

use barometer_cloud::{
    openapi::{Api, object},
    table::credentials::Scope,
};
use barometer_domain::status::Status;
use serde_json::{Value, json};

use crate::{
    change::MAX_NOTE,
    many::{MOST, Receipt},
    one::Changed,
};

const TAG: &str = "Companies";

/// Describes every route of [`crate::router`].
pub fn describe(api: &mut Api) {
    let status = api.schema::<Status>();
    let body = object(&["status", "note"], [("status", status.clone()), ("note", note())]);
    api.operation("PUT /v1/companies/{company_id}/status", "setStatus", TAG, "Sets the business status")
        .needs(Scope::Write)
        .says("Answers the change and what rules will do about it. The same status again is a confirmation: it renews review-by and fires nothing.")
        .header("If-Match", "The ETag of the company or of an earlier change; the status is set only if it is still that one.")
        .idempotent()
        .body("NewStatus", body)
        .json::<Changed>(200, "The change.")
        .tells(200, "ETag", "The version of the status.")
        .problems(&[404, 412])
        .done();
    let row = object(
        &["company_id", "status", "note"],
        [
            ("company_id", json!({ "type": "string" })),
            ("status", status),
            ("note", note()),
            (
                "set_at",
                json!({ "type": ["string", "null"], "format": "date-time", "description": "Since when it is so; now unless said." }),
            ),
        ],
    );
    let fire =
        json!({ "type": "boolean", "default": false, "description": "Whether rules act on the changes." });
    let changes = json!({ "type": "array", "minItems": 1, "maxItems": MOST, "items": row });
    let body = object(&["changes"], [("changes", changes), ("fire", fire)]);
    api.operation("POST /v1/companies/statuses", "setStatuses", TAG, "Sets the business status of many companies")
        .needs(Scope::Write)
        .says("Each row stands alone: what is wrong with one is told, and the others are set. A row that says what is so changes nothing.")
        .idempotent()
        .body("NewStatuses", body)
        .json::<Receipt>(200, "What became of the rows.")
        .done();
}

fn note() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": MAX_NOTE, "pattern": "\\S", "description": "Why." })
}
