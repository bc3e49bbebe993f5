//! Members of a workspace: who may sign in, and what they may do. Everybody reads who they are; admins change it.

pub mod create;
pub mod list;
pub mod patch;
pub mod remove;

use axum::extract::{FromRequestParts, Path};
use barometer_cloud::{
    http::{Problem, body::Fields},
    table::team::{Member, Role},
};
use barometer_domain::email::EmailAddress;
use chrono::{DateTime, Utc};
use http::{StatusCode, request::Parts};
use serde::Serialize;

/// Longest name, in characters.
const LONGEST_NAME: usize = 100;

/// A member.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "WorkspaceMember")]
pub struct MemberView {
    id: String,
    email: EmailAddress,
    name: String,
    role: Role,
    added_by: String,
    added_at: DateTime<Utc>,
    /// Null before the first time.
    last_sign_in: Option<DateTime<Utc>>,
}

impl From<Member> for MemberView {
    fn from(member: Member) -> Self {
        Self {
            id: member.id,
            email: member.email,
            name: member.name,
            role: member.role,
            added_by: member.added_by,
            added_at: member.added_at,
            last_sign_in: member.last_sign_in,
        }
    }
}

/// The member's id in a request's path.
pub struct MemberPath(pub String);

impl<S: Send + Sync> FromRequestParts<S> for MemberPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id = Path::<String>::from_request_parts(parts, state).await.map_err(|_| no_member())?;
        // Nothing that couldn't be an id is looked for: a key has its limits.
        if id.0.len() <= 64 { Ok(Self(id.0)) } else { Err(no_member()) }
    }
}

/// Takes `name`; what is wrong is noted.
fn name(fields: &mut Fields) -> Option<String> {
    let name = fields.nullable_text("name", LONGEST_NAME);
    if name == Some(None) {
        fields.refuse("/name", "can't be null");
    }
    name.flatten()
}

/// What the audit says of a member. The address isn't under `email`, which no entry keeps: that is for users of customers.
fn told(email: &EmailAddress, name: &str, role: Role) -> impl Serialize {
    serde_json::json!({ "address": email, "name": name, "role": role })
}

/// Another admin than this member; nothing has to be found when the member is none. Errors: 409 for the last one.
fn other_admin(team: &[Member], member: &Member) -> Result<Option<String>, Problem> {
    if member.role != Role::Admin {
        return Ok(None);
    }
    let other = team.iter().find(|other| other.role == Role::Admin && other.id != member.id);
    other.map(|other| Some(other.id.clone())).ok_or_else(|| {
        let detail = "this is the last admin; make somebody else an admin first";
        Problem::new(StatusCode::CONFLICT, "last_admin", detail)
    })
}

/// 404 for a member that isn't there, or is another workspace's.
fn no_member() -> Problem {
    Problem::not_found("there is no such member")
}
