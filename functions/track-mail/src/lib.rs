//! Hears from SES what became of mails.
//!
//! In: a batch of a queue, each body an EventBridge event of SES. Out: which of them are to be given again
//! (`batchItemFailures`). Writes: how far the mail of an ask or of a rule's action got, with the hour's counts; a user whom
//! mails don't reach, or who called one spam. Whatever comes twice, late or out of order ends the same.

use std::convert::Infallible;

use barometer_cloud::{
    StoreError, Table,
    lambda::Chain,
    table::{
        actions::ActionPlace,
        asks::Ask,
        mailing::{Bounce, Fate},
    },
};
use barometer_domain::{SendId, UserId, WorkspaceId, automation::Wanted};
use serde::{Deserialize, Serialize};

mod event;

use event::{EventError, Heard};

/// What the function works with.
#[derive(Debug, Clone)]
pub struct Deps {
    /// The table.
    pub table: Table,
}

/// A batch as SQS hands it to Lambda.
#[derive(Debug, Clone, Deserialize)]
pub struct Batch {
    /// Up to ten messages.
    #[serde(rename = "Records")]
    pub records: Vec<Record>,
}

/// One message of the queue.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The queue's id of it.
    pub message_id: String,
    /// The EventBridge event, as JSON.
    pub body: String,
}

/// Which messages failed. The queue gives them again, and after some times puts them among the dead letters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// One entry a message.
    pub batch_item_failures: Vec<Failure>,
}

/// A message that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The queue's id of it.
    pub item_identifier: String,
}

/// Why a message can't be dealt with.
#[derive(Debug, thiserror::Error)]
enum RecordError {
    #[error("not an event of SES")]
    Event(#[from] EventError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a message was to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It says more than was known.
    News,
    /// It was known, or says nothing that matters.
    Old,
    /// A mail of somebody else.
    Foreign,
}

/// Takes a batch. A message that fails holds up none of the others.
pub async fn handle(batch: Batch, deps: &Deps) -> Result<Answer, Infallible> {
    let mut answer = Answer::default();
    let (mut news, mut old, mut foreign) = (0_u32, 0_u32, 0_u32);
    for record in batch.records {
        match take(&record, &deps.table).await {
            Ok(Outcome::News) => news += 1,
            Ok(Outcome::Old) => old += 1,
            Ok(Outcome::Foreign) => foreign += 1,
            Err(error) => {
                tracing::error!(error = %Chain(&error), message_id = record.message_id, "a message failed");
                answer.batch_item_failures.push(Failure { item_identifier: record.message_id });
            }
        }
    }
    let failed = answer.batch_item_failures.len();
    tracing::info!(news, old, foreign, failed, "mail events");
    Ok(answer)
}

/// A mail of ours.
enum Mail {
    /// One that asks.
    Ask(Ask),
    /// One that a rule sent.
    OfRule { workspace: WorkspaceId, place: ActionPlace, user: UserId },
}

async fn find(send: SendId, table: &Table) -> Result<Option<Mail>, StoreError> {
    if let Some(ask) = table.ask(send).await? {
        return Ok(Some(Mail::Ask(ask)));
    }
    let Some((workspace, action)) = table.action_of_mail(send).await? else { return Ok(None) };
    let place = action.place();
    Ok(match action.wanted {
        Wanted::Email { user_id: Some(user), .. } => Some(Mail::OfRule { workspace, place, user }),
        _ => None,
    })
}

async fn take(record: &Record, table: &Table) -> Result<Outcome, RecordError> {
    let (send, word, address) = match event::read(&record.body)? {
        Heard::Foreign => return Ok(Outcome::Foreign),
        Heard::Nothing => return Ok(Outcome::Old),
        Heard::Word { send, word, address } => (send, word, address),
    };
    let Some(mail) = find(send, table).await? else { return Ok(Outcome::Foreign) };
    let (workspace, user) = match &mail {
        Mail::Ask(ask) => (&ask.workspace_id, &ask.user_id),
        Mail::OfRule { workspace, user, .. } => (workspace, user),
    };
    // The person first: whatever ends in between is given again, and then there is still something to say.
    match &word.fate {
        Fate::Bounced(Bounce::Permanent, why) => {
            table.note_unreachable(workspace, user, &address, why).await?;
        }
        Fate::Complained(_) => table.unsubscribe(workspace, user, word.at).await?,
        _ => {}
    }
    let is_news = match &mail {
        Mail::Ask(ask) => table.record_word(ask, &word).await?,
        Mail::OfRule { workspace, place, .. } => table.record_word_of_action(workspace, place, &word).await?,
    };
    tracing::debug!(send_id = %send, fate = ?word.fate, is_news, "heard");
    Ok(if is_news { Outcome::News } else { Outcome::Old })
}
