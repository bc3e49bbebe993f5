//! `POST /v1/api-tokens`: makes a token.

use axum::extract::State;
use barometer_cloud::{
    http::{Json, Problem, body::Fields},
    table::{
        audit::{Action, Entry},
        credentials::{ApiToken, Credential, Kind, Scope},
    },
    workspaces::{random_id, secret},
};
use barometer_domain::WorkspaceId;
use chrono::{DateTime, SubsecRound, Utc};
use http::{StatusCode, Uri};
use serde::Serialize;

use super::{TokenView, token_settings};
use crate::{Deps, caller::Admin, params::Params};

/// Longest label, in characters.
const LONGEST: usize = 100;

/// A new token with its secret.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "CreatedToken")]
pub struct Created {
    #[serde(flatten)]
    view: TokenView,
    /// The secret. It is not stored and can't be shown again.
    token: String,
}

/// Makes a token from `label`, `scope` and, optionally, `expires_at`. What it does later is recorded under its
/// label.
pub async fn create(
    State(deps): State<Deps>,
    Admin(caller): Admin,
    uri: Uri,
    fields: Fields,
) -> Result<(StatusCode, Json<Created>), Problem> {
    Params::read(&uri, &[])?;
    let credential = read(fields, caller.workspace, deps.clock.now())?;
    let token = secret("bat").map_err(no_randomness)?;
    let entry = Entry::new(Action::ApiTokenCreated, &credential.id, &caller.author, credential.created_at)?;
    let entry = entry.change(&(), &token_settings(&credential))?;
    deps.table.recording(&credential.workspace_id, &entry).add_credential(&token, &credential).await?;
    Ok((
        StatusCode::CREATED,
        Json(Created { view: ApiToken { credential, last_used_at: None }.into(), token }),
    ))
}

fn read(mut fields: Fields, workspace: WorkspaceId, now: DateTime<Utc>) -> Result<Credential, Problem> {
    let label = required(&mut fields, "label", |fields| fields.nullable_text("label", LONGEST));
    let scope = required(&mut fields, "scope", |fields| fields.nullable::<Scope>("scope"));
    // Whole seconds, as the table's TTL has them.
    let end: Option<DateTime<Utc>> = fields.nullable("expires_at").flatten();
    let expires_at = end.map(|end| end.trunc_subsecs(0));
    if expires_at.is_some_and(|end| end <= now) {
        fields.refuse("/expires_at", "lies in the past");
    }
    fields.finish()?;
    Ok(Credential {
        id: random_id().map_err(no_randomness)?,
        workspace_id: workspace,
        kind: Kind::ApiToken,
        scope,
        author: label.clone().unwrap_or_default(),
        label: label.unwrap_or_default(),
        created_at: now,
        expires_at,
    })
}

/// A field that must be there and not null; otherwise that is noted.
fn required<T>(
    fields: &mut Fields,
    name: &str,
    take: impl FnOnce(&mut Fields) -> Option<Option<T>>,
) -> Option<T> {
    let there = fields.has(name);
    let value = take(fields);
    if !there || matches!(value, Some(None)) {
        fields.refuse(format!("/{name}"), "is required");
    }
    value.flatten()
}

fn no_randomness(error: getrandom::Error) -> Problem {
    tracing::error!(%error, "no random numbers");
    Problem::internal()
}
