//! `PATCH /v1/members/{id}`: another name or role.

use axum::extract::State;
use barometer_cloud::{
    http::{Json, Problem, body::Fields},
    table::{
        audit::{Action, Entry},
        team::{Member, Role},
    },
};
use http::Uri;

use super::{MemberPath, MemberView, name, no_member, other_admin, told};
use crate::{Deps, caller::Admin, params::Params};

/// Changes `name` and `role`, those that are given. A role counts from the member's next request on. An address stays:
/// who gets another one is added anew.
pub async fn patch(
    State(deps): State<Deps>,
    Admin(caller): Admin,
    MemberPath(id): MemberPath,
    uri: Uri,
    mut fields: Fields,
) -> Result<Json<MemberView>, Problem> {
    Params::read(&uri, &[])?;
    let name = name(&mut fields);
    let role: Option<Role> = fields.value("role");
    fields.finish()?;
    let (table, workspace) = (&deps.table, &caller.workspace);
    let seen = table.team_member(workspace, &id).await?.ok_or_else(no_member)?;
    let after = Member {
        name: name.unwrap_or_else(|| seen.name.clone()),
        role: role.unwrap_or(seen.role),
        ..seen.clone()
    };
    if after == seen {
        return Ok(Json(seen.into()));
    }
    let other =
        if after.role == Role::Admin { None } else { other_admin(&table.team(workspace).await?, &seen)? };
    let entry = Entry::new(Action::MemberChanged, &id, &caller.author, deps.clock.now())?;
    let entry = entry
        .change(&told(&seen.email, &seen.name, seen.role), &told(&after.email, &after.name, after.role))?;
    table
        .recording(workspace, &entry)
        .change_member(&seen, &after.name, after.role, other.as_deref())
        .await?;
    Ok(Json(after.into()))
}
