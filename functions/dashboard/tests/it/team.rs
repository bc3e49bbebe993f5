//! Members of the tests' workspaces.

use barometer_cloud::{
    Table,
    table::team::{Member, Role},
};
use barometer_domain::{WorkspaceId, email::EmailAddress};
use dashboard::sign_in_link;
use http::StatusCode;

use crate::browser::{Browser, now};

/// Adds a member.
pub async fn member(table: &Table, workspace: &WorkspaceId, email: &str, role: Role) -> Member {
    let email = EmailAddress::new(email).unwrap();
    let member = Member {
        id: format!("mem_{}", email.local_part()),
        workspace_id: workspace.clone(),
        name: email.local_part().to_owned(),
        email,
        role,
        added_by: "a test".to_owned(),
        added_at: now(),
        last_sign_in: None,
    };
    table.add_member(&member).await.unwrap();
    member
}

/// A browser in which a member signs in at this moment.
pub async fn signed_in(table: &Table, member: &Member) -> Browser {
    let link = sign_in_link(table, &member.workspace_id, "", &member.email, now()).await.unwrap();
    let mut browser = Browser::at(table, now());
    assert_eq!(browser.post(&link, "").await.status, StatusCode::SEE_OTHER);
    browser
}
