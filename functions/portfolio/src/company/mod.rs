//! One company.

pub mod erase_user;
pub mod get;
pub mod happiness;
pub mod months;
pub mod patch;
pub mod patch_user;
mod range;
pub mod status_changes;
pub mod timeline;
pub mod users;
pub mod weeks;
pub mod why;

use barometer_cloud::{Table, http::Problem, table::companies::Company};
use barometer_domain::{CompanyId, Settings, WorkspaceId};

use crate::{params::no_company, settings};

/// A company and its workspace's settings. Errors: 404 when there is no such company.
async fn read(
    table: &Table,
    workspace: &WorkspaceId,
    company: &CompanyId,
) -> Result<(Company, Settings), Problem> {
    let (found, settings) =
        tokio::join!(table.company(workspace, company), settings::current(table, workspace));
    Ok((found?.ok_or_else(no_company)?, settings?.settings))
}
