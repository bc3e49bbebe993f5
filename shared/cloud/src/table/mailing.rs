//! What becomes of a mail on its way through SES: the claim before the call, what SES says of it, and the counts of
//! a day that decide whether a workspace may go on sending.
//!
//! What SES says comes late, twice and in any order. A mail only moves up in severity, so that the end is the same
//! whatever the order; each move and its count are one transaction, so that nothing counts twice.

use aws_sdk_dynamodb::types::{ConditionCheck, TransactWriteItem, Update};
use barometer_domain::{SendId, WorkspaceId, breaker::Counts};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{
    Range, StoreError, Table,
    asks::{Ask, AskState},
    error, item, keys, or_done,
};

/// How often a transaction is tried that others hold an item of.
const ATTEMPTS: u32 = 6;
/// How long the counts of an hour are kept.
const COUNTED: TimeDelta = TimeDelta::days(3);
/// Items among which the mails of an hour are counted: a single one would be every sender's bottleneck.
const SHARDS: u8 = 4;

/// How a mail came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bounce {
    /// For good: nobody has this address.
    Permanent,
    /// This time: a full mailbox, a server that is away.
    Transient,
    /// SES says no more than that something came back. Out-of-office replies look like this, also after the mail was
    /// delivered.
    Unclear,
}

/// What SES says became of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// SES took it.
    Accepted,
    /// The recipient's mail server took it.
    Delivered,
    /// It came back; with SES's word for why.
    Bounced(Bounce, String),
    /// SES took it and then didn't send it; with SES's word for why.
    Rejected(String),
    /// The recipient called it spam; with SES's word for how.
    Complained(String),
}

impl Fate {
    fn state(&self) -> AskState {
        match self {
            Self::Accepted => AskState::Accepted,
            Self::Delivered => AskState::Delivered,
            Self::Bounced(..) => AskState::Bounced,
            Self::Rejected(_) => AskState::Rejected,
            Self::Complained(_) => AskState::Complained,
        }
    }

    fn reason(&self) -> Option<String> {
        match self {
            Self::Accepted | Self::Delivered => None,
            Self::Bounced(bounce, why) => Some(format!("{}: {why}", bounce.as_str())),
            Self::Rejected(why) | Self::Complained(why) => Some(why.clone()),
        }
    }
}

impl Bounce {
    fn as_str(self) -> &'static str {
        match self {
            Self::Permanent => "permanent",
            Self::Transient => "transient",
            Self::Unclear => "unclear",
        }
    }
}

/// One word of SES about a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// What became of the mail.
    pub fate: Fate,
    /// SES's id of the message.
    pub message_id: String,
    /// When SES took the mail.
    pub accepted_at: DateTime<Utc>,
    /// When what is said happened.
    pub at: DateTime<Utc>,
}

/// What a word changes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    state: AskState,
    reason: Option<String>,
    counts: Counts,
}

impl Word {
    /// Rule: a mail moves to what is worse, or says more, than what is known of it; nothing when this says no more.
    /// A mail that SES speaks of was taken by SES, whatever was noted of the call.
    fn step(&self, was: AskState, because: Option<&str>) -> Option<Step> {
        let (state, reason) = (self.fate.state(), self.fate.reason());
        let known = (severity(was, because), because);
        let told = (severity(state, reason.as_deref()), reason.as_deref());
        (known.0 == 0 || told > known).then(|| {
            // A bounce that may be an out-of-office reply says nothing about the sender.
            let hard = |state, reason| severity(state, reason) == PERMANENT;
            let bounced = hard(state, reason.as_deref()) && !hard(was, because);
            let complained = state == AskState::Complained && was != AskState::Complained;
            let counts = Counts {
                sent: u64::from(!was.is_accepted()),
                bounced: u64::from(bounced),
                complained: u64::from(complained),
            };
            Step { state, reason, counts }
        })
    }
}

const PERMANENT: u8 = 6;

/// How bad it is, from 1; 0 as long as SES said nothing. What may be an out-of-office reply stands below a delivery,
/// because it comes with one.
fn severity(state: AskState, reason: Option<&str>) -> u8 {
    let is = |bounce: Bounce| reason.is_some_and(|reason| reason.starts_with(bounce.as_str()));
    match state {
        AskState::Planned
        | AskState::Submitting
        | AskState::Unknown
        | AskState::Failed
        | AskState::Skipped => 0,
        AskState::Accepted => 1,
        AskState::Bounced if is(Bounce::Unclear) => 2,
        AskState::Delivered => 3,
        AskState::Bounced if is(Bounce::Transient) => 4,
        AskState::Rejected => 5,
        AskState::Bounced => PERMANENT,
        AskState::Complained => 7,
    }
}

/// Whose turn it is to send a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The caller's, and nobody else's ever.
    Ours,
    /// Another worker's, or the mail isn't planned any more.
    Lost,
    /// Nobody's: the person unsubscribed or can't be reached, or the company's users aren't asked any more.
    Closed,
}

/// Sort key of when the first mail went.
const FIRST: &str = "first";

#[derive(Serialize, Deserialize)]
struct First {
    at: DateTime<Utc>,
}

impl Table {
    /// Claims a planned mail for one call of SES at `at`: from here on it is never sent by anybody else, and not again.
    /// Whoever unsubscribes before this write gets no mail.
    pub async fn begin_submitting(
        &self,
        ask: &Ask,
        address: &str,
        at: DateTime<Utc>,
    ) -> Result<Turn, StoreError> {
        let claim = Update::builder()
            .table_name(&self.name)
            .set_key(Some(item::key(
                keys::company(&ask.workspace_id, &ask.company_id),
                keys::ask(ask.send_id),
            )))
            .update_expression("SET #state = :submitting, submitted_at = :at REMOVE reason")
            .condition_expression("#state = :planned")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":planned", item::value(&AskState::Planned)?)
            .expression_attribute_values(":submitting", item::value(&AskState::Submitting)?)
            .expression_attribute_values(":at", item::text(keys::instant(at)))
            .build()?;
        let switched_on = ConditionCheck::builder()
            .table_name(&self.name)
            .set_key(Some(item::key(keys::companies(&ask.workspace_id), ask.company_id.to_string())))
            .condition_expression("request_feedback = :on")
            .expression_attribute_values(":on", item::value(&true)?)
            .build()?;
        let parts = vec![
            TransactWriteItem::builder().update(claim).build(),
            self.reachable_check(&ask.workspace_id, &ask.user_id, address)?,
            TransactWriteItem::builder().condition_check(switched_on).build(),
        ];
        match self.transact_patiently(parts).await? {
            None => Ok(Turn::Ours),
            Some(failed) if failed.first() == Some(&false) && failed.contains(&true) => Ok(Turn::Closed),
            Some(_) => Ok(Turn::Lost),
        }
    }

    /// Records that SES took the mail: its answer to the call. An event of SES may have been faster.
    pub async fn accept_ask(&self, ask: &Ask, message_id: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        let word = Word { fate: Fate::Accepted, message_id: message_id.to_owned(), accepted_at: at, at };
        self.record_word(ask, &word).await.map(drop)
    }

    /// Records what SES says of a mail, and counts it. Returns whether it was news. Errors:
    /// [`StoreError::Conflict`] when others write the same again and again.
    pub async fn record_word(&self, ask: &Ask, word: &Word) -> Result<bool, StoreError> {
        let pk = keys::company(&ask.workspace_id, &ask.company_id);
        for _ in 0..ATTEMPTS {
            // What the caller has may be old.
            let Some(known) = self.get::<Ask>(pk.clone(), keys::ask(ask.send_id)).await? else {
                return Ok(false);
            };
            let Some(step) = word.step(known.state, known.reason.as_deref()) else { return Ok(false) };
            let mut parts = vec![self.step_part(&known, word, &step)?];
            if step.counts != Counts::default() {
                parts.push(self.count_part(&known.workspace_id, known.send_id, word.at, step.counts)?);
            }
            if self.transact_patiently(parts).await?.is_none() {
                return Ok(true);
            }
        }
        Err(StoreError::Conflict)
    }

    fn step_part(&self, known: &Ask, word: &Word, step: &Step) -> Result<TransactWriteItem, StoreError> {
        let mut set = "SET #state = :to, message_id = if_not_exists(message_id, :message), \
                       accepted_at = if_not_exists(accepted_at, :accepted)"
            .to_owned();
        let mut condition = "#state = :seen AND ".to_owned();
        let mut update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(item::key(
                keys::company(&known.workspace_id, &known.company_id),
                keys::ask(known.send_id),
            )))
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":seen", item::value(&known.state)?)
            .expression_attribute_values(":to", item::value(&step.state)?)
            .expression_attribute_values(":message", item::text(&word.message_id))
            .expression_attribute_values(":accepted", item::text(keys::instant(word.accepted_at)));
        match &step.reason {
            Some(reason) => {
                set.push_str(", reason = :reason");
                update = update.expression_attribute_values(":reason", item::text(reason));
            }
            None => set.push_str(" REMOVE reason"),
        }
        match &known.reason {
            Some(reason) => {
                condition.push_str("reason = :why");
                update = update.expression_attribute_values(":why", item::text(reason));
            }
            None => condition.push_str("attribute_not_exists(reason)"),
        }
        let update = update.update_expression(set).condition_expression(condition).build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn count_part(
        &self,
        workspace: &WorkspaceId,
        send: SendId,
        at: DateTime<Utc>,
        counts: Counts,
    ) -> Result<TransactWriteItem, StoreError> {
        let hour = hour(at);
        let shard = keys::shard(&send.to_string(), SHARDS);
        let Counts { sent, bounced, complained } = counts;
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(item::key(mails(workspace), format!("{}#{shard}", keys::instant(hour)))))
            .update_expression(
                "ADD sent :sent, bounced :bounced, complained :complained SET expires_at = :expires",
            )
            .expression_attribute_values(":sent", item::number(sent))
            .expression_attribute_values(":bounced", item::number(bounced))
            .expression_attribute_values(":complained", item::number(complained))
            .expression_attribute_values(":expires", item::expiry(hour + COUNTED))
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// What a workspace sent and what came of it in every hour that touches the last 24: one query.
    pub async fn mail_counts(
        &self,
        workspace: &WorkspaceId,
        now: DateTime<Utc>,
    ) -> Result<Counts, StoreError> {
        let from = keys::instant(hour(now - TimeDelta::hours(24)));
        let to = format!("{}#~", keys::instant(hour(now)));
        let mut sum = Counts::default();
        for found in self.query(mails(workspace), Range::Between(from, to), true).await? {
            let counts: Counts = item::read(found)?;
            sum.sent += counts.sent;
            sum.bounced += counts.bounced;
            sum.complained += counts.complained;
        }
        Ok(sum)
    }

    /// When a workspace sent its first mail; nothing before that.
    pub async fn first_mail_at(&self, workspace: &WorkspaceId) -> Result<Option<DateTime<Utc>>, StoreError> {
        let first: Option<First> = self.get(mails(workspace), FIRST.to_owned()).await?;
        Ok(first.map(|first| first.at))
    }

    /// Remembers when a workspace sent its first mail; the first word stays.
    pub async fn note_first_mail(
        &self,
        workspace: &WorkspaceId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let first = item::write(mails(workspace), FIRST.to_owned(), &First { at })?;
        or_done(self.put(first, true).await)
    }

    /// Writes all or nothing, again while another transaction holds an item. Returns nothing when it is done, else
    /// which of the parts' conditions failed.
    async fn transact_patiently(
        &self,
        parts: Vec<TransactWriteItem>,
    ) -> Result<Option<Vec<bool>>, StoreError> {
        for attempt in 1..=ATTEMPTS {
            let sent = self.client.transact_write_items().set_transact_items(Some(parts.clone())).send();
            let Err(failed) = sent.await else { return Ok(None) };
            let Some(reasons) = error::reasons(&failed) else { return Err(failed.into()) };
            if reasons.iter().any(|reason| reason == "ConditionalCheckFailed") {
                return Ok(Some(reasons.iter().map(|reason| reason == "ConditionalCheckFailed").collect()));
            }
            if attempt == ATTEMPTS || !reasons.iter().any(|reason| reason == "TransactionConflict") {
                return Err(failed.into());
            }
            tokio::time::sleep(std::time::Duration::from_millis(5 << attempt)).await;
        }
        Err(StoreError::Conflict)
    }
}

fn mails(workspace: &WorkspaceId) -> String {
    format!("{workspace}#mails")
}

fn hour(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::hours(1)).unwrap_or(at)
}

mod of_actions;
#[cfg(test)]
mod tests;
