//! Delivers mails that the home's SES took to a mail server, and tells what became of them as SES would. What waits is
//! kept beside the mailbox and survives a restart.
//!
//! A mail goes to the server once. When the connection, or the home, ends before the server has said whether it took the
//! mail, it isn't given again: a second mail is worse than none.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::{Notify, watch};

use crate::connect::ses_events::{Return, Taken};
use crate::mailbox::Mailbox;
use crate::queue::Queues;
use crate::records::{Record, RecordError, Records};
use crate::relay::{Handed, Refusal, Relay};

const KIND: &str = "outgoing";
/// How long after an attempt the next one comes, in minutes of the home's clock; then always as long as the last.
const BACK_OFF: [i64; 5] = [1, 5, 15, 30, 60];
/// How long it is tried, as SES does it.
const PATIENCE: TimeDelta = TimeDelta::hours(14);

/// A mail on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    /// SES's id of the message; the mail itself is in the mailbox.
    pub message_id: String,
    /// The address it comes from.
    pub from: String,
    /// Every recipient.
    pub to: Vec<String>,
    /// Its tags.
    pub tags: Vec<(String, String)>,
    /// The configuration set it was sent with; nothing is told of it without one.
    pub configuration_set: Option<String>,
    /// When it was taken.
    pub taken_at: DateTime<Utc>,
    attempts: u32,
    next_at: DateTime<Utc>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Waiting,
    /// The server may have it.
    Handing,
    /// What became of it is told.
    Done,
}

/// Who carries the mails. Clones share it.
#[derive(Debug, Clone)]
pub struct Courier(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    relay: Relay,
    records: Records,
    mailbox: Mailbox,
    queues: Queues,
    arrived: Notify,
}

impl Outgoing {
    /// A mail that was just taken.
    #[must_use]
    pub fn new(taken: &Taken<'_>, configuration_set: Option<String>) -> Self {
        Self {
            message_id: taken.message_id.to_owned(),
            from: taken.from.to_owned(),
            to: taken.to.to_vec(),
            tags: taken.tags.to_vec(),
            configuration_set,
            taken_at: taken.at,
            attempts: 0,
            next_at: taken.at,
            state: State::Waiting,
        }
    }

    /// As it is to be kept.
    ///
    /// # Errors
    /// When it has no JSON form.
    pub fn record(&self) -> Result<Record, RecordError> {
        Record::new(KIND, self.message_id.clone(), self)
    }

    /// Rule: what follows from an attempt. Returns the mail as it is afterwards, and what is told; nothing is when it is
    /// left open whether the server took it.
    fn after(&self, handed: &Handed, raw: &[u8], now: DateTime<Utc>) -> (Self, Option<Value>) {
        let done = Self { state: State::Done, ..self.clone() };
        let taken = self.taken(raw);
        match handed {
            Handed::Taken(words) => (done, Some(taken.delivery(now, words))),
            Handed::Open(_) => (done, None),
            Handed::Refused(why, words) => {
                let told = match why {
                    Refusal::Address => Return { kind: "Permanent", sub_kind: "General", status: "5.1.1" },
                    Refusal::Full => Return { kind: "Transient", sub_kind: "MailboxFull", status: "5.2.2" },
                    Refusal::Other => {
                        Return { kind: "Transient", sub_kind: "ContentRejected", status: "5.0.0" }
                    }
                };
                (done, Some(taken.bounce(now, told, Some(words))))
            }
            Handed::Later(words) if now >= self.taken_at + PATIENCE => {
                let told = Return { kind: "Transient", sub_kind: "General", status: "4.4.7" };
                (done, Some(taken.bounce(now, told, Some(words))))
            }
            Handed::Later(words) => {
                let index = usize::try_from(self.attempts).unwrap_or(usize::MAX);
                let minutes = BACK_OFF.get(index).or(BACK_OFF.last()).copied().unwrap_or(60);
                let next_at = now + TimeDelta::minutes(minutes);
                let attempts = self.attempts + 1;
                let again = Self { attempts, next_at, state: State::Waiting, ..self.clone() };
                (again, Some(taken.delay(now, attempts, self.taken_at + PATIENCE, words)))
            }
        }
    }

    fn taken<'a>(&'a self, raw: &'a [u8]) -> Taken<'a> {
        Taken {
            message_id: &self.message_id,
            from: &self.from,
            to: &self.to,
            raw,
            tags: &self.tags,
            configuration_set: self.configuration_set.as_deref().unwrap_or_default(),
            at: self.taken_at,
        }
    }
}

impl Courier {
    /// A courier to a relay.
    #[must_use]
    pub fn new(relay: Relay, records: Records, mailbox: Mailbox, queues: Queues) -> Self {
        let arrived = Notify::new();
        arrived.notify_one();
        Self(Arc::new(Inner { relay, records, mailbox, queues, arrived }))
    }

    /// Says that there is a mail.
    pub fn call(&self) {
        self.0.arrived.notify_one();
    }

    /// Waits until there is a mail.
    pub async fn called(&self) {
        self.0.arrived.notified().await;
    }

    /// Carries every mail whose time has come by the home's clock, one after another, until all are tried or the home
    /// stops. To be called by one task alone.
    ///
    /// # Errors
    /// When the records fail.
    pub async fn carry(&self, stopped: &watch::Receiver<bool>) -> Result<(), RecordError> {
        for (key, mail) in self.0.records.list::<Outgoing>(KIND).await? {
            if *stopped.borrow() {
                return Ok(());
            }
            match mail.state {
                State::Waiting if mail.next_at > self.0.mailbox.now() => {}
                State::Waiting => self.attempt(mail).await?,
                State::Handing => {
                    tracing::warn!(
                        message_id = key,
                        "the home ended while this mail was handed over; it stays open"
                    );
                    self.0.records.delete(KIND, &key).await?;
                }
                State::Done => self.0.records.delete(KIND, &key).await?,
            }
        }
        Ok(())
    }

    async fn attempt(&self, mail: Outgoing) -> Result<(), RecordError> {
        let Some(raw) = self.0.mailbox.raw(&mail.message_id).await? else {
            tracing::error!(message_id = mail.message_id, "the mail isn't in the mailbox");
            return self.0.records.delete(KIND, &mail.message_id).await;
        };
        // Written before: a home that is killed from here on doesn't give it again.
        self.0.records.put(Outgoing { state: State::Handing, ..mail.clone() }.record()?).await?;
        let handed = self.0.relay.hand(&mail.from, &mail.to, &raw).await;
        let (after, told) = mail.after(&handed, &raw, self.0.mailbox.now());
        match &handed {
            Handed::Taken(_) => {}
            // The server's words may name a recipient.
            Handed::Refused(why, _) => tracing::warn!(message_id = mail.message_id, ?why, "refused"),
            Handed::Later(_) => tracing::warn!(message_id = mail.message_id, "not taken for now"),
            Handed::Open(_) => tracing::warn!(message_id = mail.message_id, "no answer; it stays open"),
        }
        let told = told.filter(|_| mail.configuration_set.is_some());
        let done = after.state == State::Done;
        self.0.queues.accept(told.into_iter().collect(), vec![after.record()?]).await?;
        if done { self.0.records.delete(KIND, &after.message_id).await } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn mail() -> Outgoing {
        let taken = Taken {
            message_id: "home-1",
            from: "a@example.com",
            to: &["b@example.com".to_owned()],
            raw: b"",
            tags: &[],
            configuration_set: "set",
            at: at("2026-09-07T10:00:00Z"),
        };
        Outgoing::new(&taken, Some("set".to_owned()))
    }

    #[test]
    fn it_is_tried_again_at_growing_distances_and_comes_back_after_fourteen_hours() {
        let (mut mail, mut waits) = (mail(), Vec::new());
        let later = Handed::Later("451 busy".to_owned());
        loop {
            let now = mail.next_at;
            let (after, told) = mail.after(&later, b"", now);
            let told = told.unwrap();
            if after.state == State::Done {
                assert_eq!(told["detail"]["bounce"]["bounceType"], "Transient");
                assert_eq!(now, at("2026-09-08T00:51:00Z"), "the first attempt after 14 hours is the last");
                break;
            }
            assert_eq!(told["detail"]["eventType"], "DeliveryDelay");
            assert_eq!(told["detail"]["deliveryDelay"]["expirationTime"], "2026-09-08T00:00:00.000Z");
            waits.push((after.next_at - now).num_minutes());
            mail = after;
        }
        assert_eq!(waits[..7], [1, 5, 15, 30, 60, 60, 60]);
    }

    #[test]
    fn what_is_left_open_is_not_told_and_not_given_again() {
        let (after, told) = mail().after(&Handed::Open("reset".to_owned()), b"", at("2026-09-07T10:00:01Z"));
        assert_eq!((after.state, told), (State::Done, None));
    }
}
