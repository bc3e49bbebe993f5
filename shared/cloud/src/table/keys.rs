//! How keys are written. See the table in the parent module.

use barometer_domain::{CompanyId, IsoWeek, Month, SendId, UserId, WorkspaceId};
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use sha2::{Digest, Sha256};

/// An instant as sortable text.
pub fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

pub(super) fn companies(workspace: &WorkspaceId) -> String {
    format!("{workspace}#companies")
}

pub(super) fn company(workspace: &WorkspaceId, company: &CompanyId) -> String {
    format!("{workspace}#company#{company}")
}

/// The company whose partition a key is.
pub(super) fn company_of(workspace: &WorkspaceId, pk: &str) -> Option<CompanyId> {
    let rest = pk.strip_prefix(workspace.as_str())?.strip_prefix("#company#")?;
    CompanyId::new(rest).ok()
}

pub(super) fn user(workspace: &WorkspaceId, user: &UserId) -> String {
    format!("{workspace}#user#{user}")
}

pub(super) fn member(user: &UserId) -> String {
    format!("user#{user}")
}

pub(super) fn activity(week: IsoWeek, user: &UserId, day: u8) -> String {
    format!("act#{week}#{user}#{day}")
}

pub(super) fn week_snapshot(week: IsoWeek, revision: u32) -> String {
    format!("week#{week}#{revision:04}")
}

pub(super) fn month_snapshot(month: Month, revision: u32) -> String {
    format!("month#{month}#{revision:04}")
}

pub(super) fn ask(send: SendId) -> String {
    format!("ask#{send}")
}

pub(super) fn settings(workspace: &WorkspaceId) -> String {
    format!("{workspace}#settings")
}

pub(super) fn outbox(workspace: &WorkspaceId) -> String {
    format!("{workspace}#outbox")
}

pub(super) fn runs(workspace: &WorkspaceId) -> String {
    format!("{workspace}#runs")
}

pub(super) fn log(workspace: &WorkspaceId, day: NaiveDate, hash: &str) -> String {
    format!("{workspace}#log#{day}#{}", hash.get(..1).unwrap_or("0"))
}

/// The shard of an id in `count` shards: spread evenly, the same on every machine.
pub(super) fn shard(id: &str, count: u8) -> u8 {
    Sha256::digest(id.as_bytes()).first().map_or(0, |byte| byte % count.max(1))
}
