//! `PATCH /v1/disagreements/{id}`: which of the two readings is right.

use axum::{extract::State, response::IntoResponse};
use barometer_cloud::{
    http::{Json, Problem, body::Fields},
    table::audit::Action,
};
use barometer_domain::disagreement::{Answer, AnswerError, Disagreement};
use http::Uri;
use serde::Deserialize;

use super::DisagreementView;
use crate::{
    Deps,
    caller::Writer,
    cases::{self, CasePath},
    if_match::{IfMatch, tag},
    params::Params,
};

/// Longest reason, in characters.
const LONGEST_REASON: usize = 5_000;

/// The answers, as they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wanted {
    Confirm,
    Dispute,
    BothRight,
}

/// Takes `answer`: `confirm` (engagement is right), `dispute` (it is not, for a `reason`) or `both_right`. Errors: 409
/// for a disagreement that is closed.
pub async fn patch(
    State(deps): State<Deps>,
    Writer(caller): Writer,
    CasePath(place): CasePath,
    seen: IfMatch,
    uri: Uri,
    mut fields: Fields,
) -> Result<impl IntoResponse, Problem> {
    Params::read(&uri, &[])?;
    if !fields.has("answer") {
        fields.refuse("/answer", "says which reading is right: confirm, dispute or both_right");
    }
    let wanted = fields.value::<Wanted>("answer");
    let reason = fields.nullable_text("reason", LONGEST_REASON).flatten();
    if wanted == Some(Wanted::Dispute) && reason.is_none() {
        fields.refuse("/reason", AnswerError::NoReason.to_string());
    }
    fields.finish()?;
    let now = deps.clock.now();
    let answer = match wanted {
        Some(Wanted::Dispute) => Answer::Dispute { reason: reason.unwrap_or_default() },
        Some(Wanted::BothRight) => Answer::BothRight,
        Some(Wanted::Confirm) | None => Answer::Confirm,
    };
    let change = |item: &mut Disagreement| {
        let answered = item.answer(answer.clone(), &caller.author, now);
        answered.map_err(|error| Problem::conflict(error.to_string()))
    };
    let case = cases::change(&deps, &caller, Action::DisagreementChanged, &place, &seen, change).await?;
    Ok((tag(case.version), Json(DisagreementView::from(case))))
}
