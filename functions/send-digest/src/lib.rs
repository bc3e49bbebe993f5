//! One mail a working day for each CSM, at 08:00: which tasks are due, what rules do that wants a look, which alerts
//! are new, what was answered.
//!
//! In: the schedule's `{"scheduled_time": …}`. Out: how many went out. Writes: that a CSM's digest of a day is being sent,
//! before the call, and how that ended; so a digest is sent at most once, and one that SES didn't take is tried again by
//! the next firings; and that all of a workspace's are done, so that those firings needn't read anything again. A CSM is
//! the owner of a company, when that is an e-mail address.

mod gather;
mod message;

use std::collections::BTreeMap;

use barometer_cloud::{
    Mailer, StoreError, Table,
    lambda::Chain,
    mail::MailError,
    table::digests::{DigestState, Sent},
    workspaces::Workspace,
};
use barometer_domain::{SendId, digest};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use lettre::{Address, address::AddressError, message::Mailbox};
use serde::{Deserialize, Serialize};

use gather::Gathered;

/// A firing makes up for those before it that didn't come to an end, this far back.
const CATCH_UP: TimeDelta = TimeDelta::hours(2);

/// What the function works with.
#[derive(Debug, Clone)]
pub struct Deps {
    /// The table.
    pub table: Table,
    /// Sends mail.
    pub mailer: Mailer,
    /// Public address of the pages, without a slash at the end.
    pub origin: String,
}

/// What the schedule says.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct ScheduledInput {
    /// The time the schedule meant.
    pub scheduled_time: DateTime<Utc>,
}

/// What an invocation did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Mails that SES took.
    pub sent: u32,
    /// CSMs of whom there was nothing to say.
    pub empty: u32,
    /// Digests that were sent before, or are being sent by another worker.
    pub held: u32,
    /// Mails that SES didn't take for now.
    pub put_off: u32,
    /// Mails that SES will never take, or of which it can't be known.
    pub failed: u32,
}

/// The invocation failed as a whole. Firing again is safe.
#[derive(Debug, thiserror::Error)]
pub enum DigestError {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The configured sender is no address.
    #[error("the sender isn't an address")]
    Sender(#[from] AddressError),
}

/// Sends the digests that are due. Errors: [`DigestError`].
pub async fn handle(event: ScheduledInput, deps: &Deps) -> Result<Summary, DigestError> {
    let now = event.scheduled_time;
    let sender: Mailbox = deps.mailer.from().parse()?;
    let mut summary = Summary::default();
    for workspace in deps.table.workspaces().await? {
        let Some(version) = deps.table.settings(&workspace.workspace_id).await? else { continue };
        let zone = version.settings.time_zone;
        let Some(day) = digest::due_between(now - CATCH_UP, now, zone) else { continue };
        if deps.table.digests_are_done(&workspace.workspace_id, day).await? {
            continue;
        }
        let put_off = summary.put_off;
        let gathered = Gathered::read(&deps.table, &workspace.workspace_id, &version.settings, day).await?;
        let round = Round {
            deps,
            sender: &sender,
            workspace: &workspace,
            product: version.settings.product(),
            day,
            now,
        };
        for (owner, known) in gathered.by_owner() {
            let Ok(address) = owner.trim().parse::<Address>() else { continue };
            match digest::compose(&known, day, zone) {
                Some(digest) => round.send(owner, &address, &digest, &mut summary).await?,
                None => summary.empty += 1,
            }
        }
        if summary.put_off == put_off {
            deps.table.note_digests_done(&workspace.workspace_id, day, now).await?;
        }
    }
    tracing::info!(sent = summary.sent, failed = summary.failed, put_off = summary.put_off, "digests");
    Ok(summary)
}

/// The digests of a workspace and day.
struct Round<'a> {
    deps: &'a Deps,
    sender: &'a Mailbox,
    workspace: &'a Workspace,
    product: &'a str,
    day: NaiveDate,
    now: DateTime<Utc>,
}

impl Round<'_> {
    /// Sends a digest, once.
    async fn send(
        &self,
        owner: &str,
        address: &Address,
        digest: &digest::Digest,
        summary: &mut Summary,
    ) -> Result<(), StoreError> {
        let Self { deps, sender, workspace, product, day, now } = *self;
        let (table, workspace) = (&deps.table, &workspace.workspace_id);
        let send_id = SendId::derive_digest(workspace, owner, day);
        let sent = Sent { send_id, day, state: DigestState::Submitting, at: now };
        let mime = message::Message {
            from: sender,
            to: address,
            product,
            origin: &deps.origin,
            send: send_id,
            date: now,
            digest,
        };
        let mime = match mime.compose() {
            Ok(mime) => mime,
            Err(error) => {
                tracing::error!(error = %Chain(&error), %send_id, "no digest can be written");
                summary.failed += 1;
                return Ok(());
            }
        };
        if !table.begin_digest(workspace, owner, &sent).await? {
            summary.held += 1;
            return Ok(());
        }
        let state = match deps.mailer.send(send_id, address.as_ref(), mime).await {
            Ok(_) => {
                summary.sent += 1;
                DigestState::Accepted
            }
            Err(MailError::NotSent(reason)) => {
                tracing::warn!(%reason, %send_id, "digests are not taken for now");
                summary.put_off += 1;
                return table.forget_digest(workspace, owner, day).await;
            }
            Err(MailError::Rejected(reason)) => {
                tracing::error!(%reason, %send_id, "a digest was rejected");
                summary.failed += 1;
                DigestState::Failed
            }
            Err(MailError::Unknown(reason)) => {
                tracing::warn!(%reason, %send_id, "it isn't known whether a digest was sent");
                summary.failed += 1;
                DigestState::Unknown
            }
        };
        table.end_digest(workspace, owner, &Sent { state, ..sent }).await
    }
}

/// What belongs to whom, by owner.
pub(crate) type ByOwner<'a> = BTreeMap<&'a str, digest::Known<'a>>;
