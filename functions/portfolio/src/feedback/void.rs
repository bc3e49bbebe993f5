//! `POST /v1/feedback/{id}/void`: an answer that shouldn't count, such as a test or a slip.

use axum::extract::State;
use barometer_cloud::{
    StoreError,
    bus::{DetailType, Event},
    happiness,
    http::{Json, Problem, body::Fields},
    lambda::Chain,
    table::{
        answers::{Answer, Void},
        audit::{Action, Entry},
    },
};
use barometer_domain::{CompanyId, WorkspaceId};
use chrono::TimeDelta;
use http::Uri;

use super::{AnswerPath, AnswerView, no_answer};
use crate::{Deps, caller::Writer, params::Params, settings};

/// Longest reason, in characters.
const LONGEST_REASON: usize = 1_000;

/// Voids an answer and every revision before it, for a `reason`. It stays readable and doesn't count any more; the
/// company's happiness is recomputed. Errors: 409 for one that is void already.
pub async fn void(
    State(deps): State<Deps>,
    Writer(caller): Writer,
    AnswerPath(place): AnswerPath,
    uri: Uri,
    mut fields: Fields,
) -> Result<Json<AnswerView>, Problem> {
    Params::read(&uri, &[])?;
    let reason = fields.nullable_text("reason", LONGEST_REASON).flatten();
    if reason.is_none() {
        fields.refuse("/reason", "says why the answer shouldn't count");
    }
    fields.finish()?;
    let (table, workspace, now) = (&deps.table, &caller.workspace, deps.clock.now());
    let answer = table.answer(workspace, &place).await?.ok_or_else(no_answer)?;
    let void = Void { reason: reason.unwrap_or_default(), by: caller.author.clone(), at: now };
    let revisions = revisions(&deps, &caller.workspace, &place.company, &answer).await?;
    // Somebody may have looked at a revision that isn't the latest: all of them go.
    let Some((latest, earlier)) = revisions.split_last() else { return Err(no_answer()) };
    let change = serde_json::json!({
        "answer_id": place.id(), "user_id": answer.user_id, "reason": void.reason, "by": void.by,
    });
    let key = format!("{} void", place.id());
    let told = Event::new(DetailType::FeedbackVoided, workspace, Some(&place.company), now, &key, &change)
        .map_err(StoreError::from)?;
    let entry = Entry::new(Action::AnswerVoided, place.id(), &caller.author, now)?.of(Some(&place.company));
    let entry =
        entry.change(&(), &serde_json::json!({ "reason": void.reason, "user_id": answer.user_id }))?;
    let recording = table.recording(workspace, &entry);
    match recording.void_answer(workspace, &place.company, (earlier, latest), &void, &told).await {
        Ok(()) => {}
        Err(StoreError::Conflict) => return Err(Problem::conflict("the answer is void already")),
        Err(error) => return Err(error.into()),
    }
    let settings = settings::current(table, workspace).await?.settings;
    let refreshed = happiness::refresh(table, workspace, &place.company, &settings, now).await;
    if let Err(error) = refreshed {
        // The event that lies in the outbox has it done again.
        tracing::warn!(%workspace, error = %Chain(&error), "happiness isn't recomputed yet");
    }
    Ok(Json(AnswerView::new(place.company, Answer { void: Some(void), ..answer })))
}

/// All that a user answered to the same question, oldest first.
async fn revisions(
    deps: &Deps,
    workspace: &WorkspaceId,
    company: &CompanyId,
    answer: &Answer,
) -> Result<Vec<Answer>, StoreError> {
    // As long as a link works, before and after.
    let around = TimeDelta::days(31);
    let found = deps.table.answers(workspace, company, answer.at - around, answer.at + around).await?;
    let same = |other: &Answer| other.user_id == answer.user_id && other.origin == answer.origin;
    Ok(found.into_iter().filter(same).collect())
}
