//! Reads the names that rows about several companies need: of the shown rows only, so that a page costs the same
//! whatever the workspace's size.

use std::collections::BTreeSet;

use barometer_cloud::{StoreError, Table};
use barometer_domain::{CompanyId, UserId, WorkspaceId};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::view::names::Names;

/// Names that are read at the same time.
const AT_ONCE: usize = 16;

/// Adds the users' names.
pub async fn users(
    table: &Table,
    workspace: &WorkspaceId,
    users: BTreeSet<(CompanyId, UserId)>,
    names: &mut Names,
) -> Result<(), StoreError> {
    let reads: Vec<_> = users
        .into_iter()
        .map(|(company, user)| async move {
            let member = table.member(workspace, &company, &user).await?;
            Ok::<_, StoreError>(member.and_then(|member| Some((company, user, member.name?))))
        })
        .collect();
    let found: Vec<_> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
    found.into_iter().flatten().for_each(|(company, user, name)| names.add_user(company, user, name));
    Ok(())
}

/// Adds the companies' names.
pub async fn companies(
    table: &Table,
    workspace: &WorkspaceId,
    companies: BTreeSet<CompanyId>,
    names: &mut Names,
) -> Result<(), StoreError> {
    let reads: Vec<_> =
        companies.into_iter().map(|id| async move { table.company(workspace, &id).await }).collect();
    let found: Vec<_> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
    found.into_iter().flatten().for_each(|company| names.add_company(company.company_id, company.name));
    Ok(())
}
