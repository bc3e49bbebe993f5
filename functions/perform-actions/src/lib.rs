//! Does what rules planned, when its time has come: mails after the time in which they can be undone, webhooks and notes to
//! chats with their retries, and tasks and tags that a crash left undone.
//!
//! In: from the schedule, every quarter of an hour, `{"scheduled_time": …}` for all workspaces; from the bus `actions.due`, when
//! something is to be done at once. Out: how it ended, counted. Writes: how each action stands, before it is done and after
//! it; the last call of an endpoint; the task where nobody can be mailed. A mail is sent at most once: it is written as
//! being submitted before the call, and a worker that ends in between leaves it unknown. A webhook is called at least once
//! and at most eight times in about a day, with the same id and the same bytes; then it is a dead letter, which a CSM may
//! have tried again.

mod call;
mod mail;

use std::{collections::HashSet, time::Duration};

use barometer_cloud::{
    Bus, Mailer, StoreError, Table,
    automation::{Automation, carry_out},
    bus::Detail,
    lambda::{Chain, Trigger},
    table::actions::{Action, ActionState},
};
use barometer_domain::{Settings, WorkspaceId, automation::Wanted, token::Keys};
use barometer_message::{AddressError, Mailbox};
use barometer_webhook::Client;
use chrono::{DateTime, Utc};
use serde::Serialize;

/// How long an invocation goes on; what is left then is the next one's. The function's time-out is 120 seconds.
const BUDGET: Duration = Duration::from_secs(90);
/// Actions read at once.
const PAGE: i32 = 50;

/// What the function works with.
#[derive(Debug, Clone)]
pub struct Deps {
    /// The table.
    pub table: Table,
    /// The bus.
    pub bus: Bus,
    /// Sends mail.
    pub mailer: Mailer,
    /// Calls endpoints.
    pub webhooks: Client,
    /// Sign the link that ends mails.
    pub link_keys: Keys,
    /// Public address of the pages, without a slash at the end.
    pub origin: String,
}

/// What invokes the function.
pub type Event = Trigger<Detail>;

/// What an invocation did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Actions that are done.
    pub done: u32,
    /// Actions that are tried again later.
    pub put_off: u32,
    /// Actions that nobody could be found for, or that were taken back.
    pub dropped: u32,
    /// Actions that failed for good, and mails of which it can't be known whether they were sent.
    pub failed: u32,
    /// Actions that another worker has.
    pub held: u32,
    /// Actions that something else went wrong with; they stay due.
    pub errors: u32,
}

/// The invocation failed as a whole. Firing again is safe.
#[derive(Debug, thiserror::Error)]
pub enum ActionsError {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The configured sender is no address.
    #[error("the sender isn't an address")]
    Sender(#[from] AddressError),
}

/// How an action ended this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Done,
    PutOff,
    Dropped,
    Failed,
    Held,
}

/// What the actions of a workspace are done with.
struct Round<'a> {
    deps: &'a Deps,
    sender: &'a Mailbox,
    workspace: &'a WorkspaceId,
    settings: &'a Settings,
    now: DateTime<Utc>,
}

/// Does what is due. Errors: [`ActionsError`].
pub async fn handle(event: Event, deps: &Deps) -> Result<Summary, ActionsError> {
    let sender: Mailbox = deps.mailer.from().parse()?;
    let until = std::time::Instant::now() + BUDGET;
    let (workspaces, now) = match event {
        Event::Scheduled { scheduled_time } => {
            let all = deps.table.workspaces().await?;
            (all.into_iter().map(|workspace| workspace.workspace_id).collect(), scheduled_time)
        }
        Event::Bus { detail } => (vec![detail.workspace_id], detail.occurred_at),
    };
    let mut summary = Summary::default();
    for workspace in &workspaces {
        let mut seen = HashSet::new();
        let mut settings = None;
        loop {
            let page = deps.table.due_actions(workspace, now, PAGE).await?;
            // The list is an index, which may show for a moment longer what was just done.
            let fresh: Vec<Action> = page
                .into_iter()
                .filter(|action| {
                    action.due_at.is_some_and(|due| due <= now) && seen.insert(action.place().id())
                })
                .collect();
            if fresh.is_empty() || std::time::Instant::now() >= until {
                break;
            }
            if settings.is_none() {
                settings = deps.table.settings(workspace).await?.map(|version| version.settings);
            }
            let Some(settings) = &settings else { break };
            let round = Round { deps, sender: &sender, workspace, settings, now };
            for action in fresh {
                if std::time::Instant::now() < until {
                    round.count(action, &mut summary).await?;
                }
            }
        }
    }
    if summary != Summary::default() {
        let Summary { done, put_off, dropped, failed, errors, .. } = summary;
        tracing::info!(done, put_off, dropped, failed, errors, "actions");
    }
    Ok(summary)
}

impl Round<'_> {
    /// Does an action and counts how it ended. Errors: the store is throttled or away; what else goes wrong stops no other.
    async fn count(&self, action: Action, summary: &mut Summary) -> Result<(), StoreError> {
        let (rule, id) = (action.rule.clone(), action.place().id());
        match self.perform(action).await {
            Ok(End::Done) => summary.done += 1,
            Ok(End::PutOff) => summary.put_off += 1,
            Ok(End::Dropped) => summary.dropped += 1,
            Ok(End::Failed) => summary.failed += 1,
            Ok(End::Held) | Err(StoreError::Conflict) => summary.held += 1,
            Err(error) if error.is_retryable() => return Err(error),
            Err(error) => {
                tracing::error!(error = %Chain(&error), %rule, action = id, "an action can't be done");
                summary.errors += 1;
            }
        }
        Ok(())
    }

    async fn perform(&self, action: Action) -> Result<End, StoreError> {
        match &action.wanted {
            Wanted::Task { .. } | Wanted::Tag { .. } => {
                let automation =
                    Automation { table: &self.deps.table, workspace: self.workspace, now: self.now };
                let event = carry_out(&automation, action).await?.event;
                self.deps.table.publish_or_leave(&self.deps.bus, self.workspace, event.as_slice()).await;
                Ok(End::Done)
            }
            Wanted::Email { .. } => self.mail(action).await,
            Wanted::Webhook { endpoint } => {
                let endpoint = endpoint.clone();
                self.call(action, &endpoint).await
            }
            Wanted::Chat { endpoint, .. } => {
                let endpoint = endpoint.clone();
                self.call(action, &endpoint).await
            }
        }
    }

    /// Writes that an action ended.
    async fn end(
        &self,
        mut action: Action,
        state: ActionState,
        reason: Option<String>,
    ) -> Result<(), StoreError> {
        action.end(state, reason, self.now);
        self.deps.table.write_action(self.workspace, &action).await.map(drop)
    }
}
