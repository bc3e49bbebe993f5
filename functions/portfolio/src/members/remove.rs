//! `DELETE /v1/members/{id}`: somebody who isn't a member any more.

use axum::extract::State;
use barometer_cloud::{
    http::Problem,
    table::audit::{Action, Entry},
};
use http::{StatusCode, Uri};

use super::{MemberPath, no_member, other_admin, told};
use crate::{Deps, caller::Admin, params::Params};

/// Removes a member; oneself, too. Their sessions end with that: every request looks the member up.
pub async fn remove(
    State(deps): State<Deps>,
    Admin(caller): Admin,
    MemberPath(id): MemberPath,
    uri: Uri,
) -> Result<StatusCode, Problem> {
    Params::read(&uri, &[])?;
    let (table, workspace) = (&deps.table, &caller.workspace);
    let seen = table.team_member(workspace, &id).await?.ok_or_else(no_member)?;
    let other = other_admin(&table.team(workspace).await?, &seen)?;
    let entry = Entry::new(Action::MemberRemoved, &id, &caller.author, deps.clock.now())?;
    let entry = entry.change(&told(&seen.email, &seen.name, seen.role), &())?;
    table.recording(workspace, &entry).remove_member(&seen, other.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}
