//! `POST /v1/members`: adds somebody.

use axum::extract::State;
use barometer_cloud::{
    StoreError,
    http::{Json, Problem, body::Fields, problem::FieldError},
    table::{
        audit::{Action, Entry},
        team::{Member, Role},
    },
    workspaces::random_id,
};
use barometer_domain::email::EmailAddress;
use http::{StatusCode, Uri};

use super::{MemberView, name, told};
use crate::{Deps, caller::Admin, params::Params};

/// Most members of a workspace.
pub const MAX_MEMBERS: usize = 500;

/// Adds a member from `email`, `role` and, optionally, `name`. They can sign in at once; no mail tells them.
pub async fn create(
    State(deps): State<Deps>,
    Admin(caller): Admin,
    uri: Uri,
    mut fields: Fields,
) -> Result<(StatusCode, Json<MemberView>), Problem> {
    Params::read(&uri, &[])?;
    for required in ["email", "role"] {
        if !fields.has(required) {
            fields.refuse(format!("/{required}"), "is required");
        }
    }
    let email: Option<EmailAddress> = fields.value("email");
    let role: Option<Role> = fields.value("role");
    let name = name(&mut fields);
    fields.finish()?;
    let (Some(email), Some(role)) = (email, role) else { return Err(Problem::internal()) };
    if deps.table.team(&caller.workspace).await?.len() >= MAX_MEMBERS {
        let detail = format!("a workspace has at most {MAX_MEMBERS} members");
        return Err(Problem::new(StatusCode::CONFLICT, "too_many_members", detail));
    }
    let id = random_id().map_err(|error| {
        tracing::error!(%error, "no random numbers");
        Problem::internal()
    })?;
    let member = Member {
        id: format!("mem_{id}"),
        workspace_id: caller.workspace,
        name: name.unwrap_or_else(|| email.local_part().to_owned()),
        email,
        role,
        added_by: caller.author,
        added_at: deps.clock.now(),
        last_sign_in: None,
    };
    let entry = Entry::new(Action::MemberAdded, &member.id, &member.added_by, member.added_at)?;
    let entry = entry.change(&(), &told(&member.email, &member.name, role))?;
    match deps.table.recording(&member.workspace_id, &entry).add_member(&member).await {
        Ok(()) => Ok((StatusCode::CREATED, Json(member.into()))),
        Err(StoreError::Conflict) => {
            let detail = "this address is a member's already";
            let error = FieldError { pointer: "/email".to_owned(), detail: detail.to_owned() };
            Err(Problem::new(StatusCode::CONFLICT, "taken", detail).with_errors(vec![error]))
        }
        Err(error) => Err(error.into()),
    }
}
