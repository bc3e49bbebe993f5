//! `POST /v1/sources`: makes a source with a write key of its own.

use axum::extract::State;
use barometer_cloud::{
    http::{Json, Problem, body::Fields},
    sources::{self, MAX_SOURCES},
    table::sources::{BURST, RATE},
};
use http::{StatusCode, Uri};

use super::{DetailView, input, no_randomness};
use crate::{Deps, caller::Admin, params::Params};

/// Makes a source from `name` and, optionally, `allowed_origins`, `rate` and `burst`.
pub async fn create(
    State(deps): State<Deps>,
    Admin(caller): Admin,
    uri: Uri,
    mut fields: Fields,
) -> Result<(StatusCode, Json<DetailView>), Problem> {
    Params::read(&uri, &[])?;
    if !fields.has("name") {
        fields.refuse("/name", "is required");
    }
    let given = input::change(&mut fields);
    fields.finish()?;
    if deps.table.sources(&caller.workspace).await?.len() >= MAX_SOURCES {
        let detail = format!("a workspace has at most {MAX_SOURCES} sources; delete one first");
        return Err(Problem::new(StatusCode::CONFLICT, "too_many_sources", detail));
    }
    let now = deps.clock.now();
    let name = given.name.unwrap_or_default();
    let mut source = sources::new(&caller.workspace, name, caller.author, now).map_err(no_randomness)?;
    source.allowed_origins = given.allowed_origins.unwrap_or_default();
    source.rate = given.rate.unwrap_or(RATE);
    source.burst = given.burst.unwrap_or(BURST);
    sources::create(&deps.table, &source).await?;
    Ok((StatusCode::CREATED, Json(DetailView::read(&deps.table, source, now).await?)))
}
