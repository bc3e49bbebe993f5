//! Members of the workspace.

use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::{
    notice::Notice,
    view::{Scene, chrome::Chrome},
};

/// The roles: value and what one may with it.
pub const ROLES: [(&str, &str); 3] = [
    ("viewer", "viewer: looks"),
    ("csm", "csm: changes companies, statuses and tasks"),
    ("admin", "admin: settings, keys and members, too"),
];

/// A member as the API shows them.
#[derive(Debug, Clone, Deserialize)]
pub struct Member {
    id: String,
    email: String,
    name: String,
    role: String,
    added_by: String,
    added_at: DateTime<Utc>,
    last_sign_in: Option<DateTime<Utc>>,
}

/// A member on the page.
#[derive(Debug, Clone)]
pub struct MemberRow {
    /// Their id.
    pub id: String,
    /// Their address.
    pub email: String,
    /// Their name, when it isn't the address.
    pub name: Option<String>,
    /// Their role.
    pub role: String,
    /// When and by whom they were added.
    pub added: String,
    /// When they last signed in.
    pub seen: String,
}

/// What was typed of a new member.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// The address.
    pub email: String,
    /// The name.
    pub name: String,
    /// The role.
    pub role: String,
}

/// The page.
#[derive(Debug, Clone, Template)]
#[template(path = "settings/members.html")]
pub struct MembersPage {
    chrome: Chrome,
    notice: Option<Notice>,
    rows: Vec<MemberRow>,
    more: bool,
    given: Given,
}

impl MembersPage {
    /// The page; with the members comes whether there are more of them.
    pub fn build(
        chrome: Chrome,
        notice: Option<Notice>,
        (members, more): (Vec<Member>, bool),
        given: Given,
        scene: Scene<'_>,
    ) -> Self {
        let row = |member: Member| MemberRow {
            name: Some(member.name).filter(|name| !name.is_empty() && *name != member.email),
            added: format!("{} by {}", scene.day(member.added_at), member.added_by),
            seen: member.last_sign_in.map_or_else(|| "not yet".to_owned(), |at| scene.day(at)),
            id: member.id,
            email: member.email,
            role: member.role,
        };
        Self { chrome, notice, rows: members.into_iter().map(row).collect(), more, given }
    }
}
