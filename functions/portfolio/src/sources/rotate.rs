//! `POST /v1/sources/{id}/rotate`: gives a source a new key.

use axum::extract::State;
use barometer_cloud::{
    http::{
        Json, Problem,
        body::{Fields, OptionalFields},
    },
    sources::{self, MAX_OVERLAP, OVERLAP},
    table::sources::{MAX_KEYS, Rotation},
    workspaces::secret,
};
use chrono::TimeDelta;
use http::{StatusCode, Uri};

use super::{DetailView, SourcePath, no_randomness, no_source};
use crate::{Deps, caller::Admin, params::Params};

/// Gives a source a new key. Older ones work for `overlap_hours` more, 24 unless it is said; with 0, for a key that
/// somebody misuses, they end within a minute.
pub async fn rotate(
    State(deps): State<Deps>,
    Admin(caller): Admin,
    SourcePath(id): SourcePath,
    uri: Uri,
    OptionalFields(mut fields): OptionalFields,
) -> Result<Json<DetailView>, Problem> {
    Params::read(&uri, &[])?;
    let overlap = overlap(&mut fields);
    fields.finish()?;
    let key = secret("wk").map_err(no_randomness)?;
    let now = deps.clock.now();
    let new = (key.as_str(), overlap.unwrap_or(OVERLAP));
    match sources::rotate(&deps.table, &caller.workspace, &id, new, &caller.author, now).await? {
        Rotation::Done(source) => Ok(Json(DetailView::read(&deps.table, *source, now).await?)),
        Rotation::Unknown => Err(no_source()),
        Rotation::TooMany => {
            let detail =
                format!("{MAX_KEYS} keys of this source work already; wait, or give a shorter overlap");
            Err(Problem::new(StatusCode::CONFLICT, "too_many_keys", detail))
        }
    }
}

fn overlap(fields: &mut Fields) -> Option<TimeDelta> {
    let hours: u64 = fields.value("overlap_hours")?;
    let overlap = i64::try_from(hours).ok().and_then(TimeDelta::try_hours);
    let overlap = overlap.filter(|overlap| *overlap <= MAX_OVERLAP);
    if overlap.is_none() {
        fields.refuse("/overlap_hours", format!("whole hours from 0 to {}", MAX_OVERLAP.num_hours()));
    }
    overlap
}
