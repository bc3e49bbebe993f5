//! One sweep over the list of those whose turn it is: each is asked at most once, whatever happens in between.
//!
//! The ask is written as `submitting` before the call and never sent again from there. What ended between two
//! writes is ended by a later sweep; what can't be known is left to the user's next cycle, because a second
//! mail is worse than none.

use std::collections::{BTreeMap, HashSet};

use barometer_cloud::{
    StoreError, Table,
    asking::{self, SWEEP_EVERY},
    lambda::Chain,
    mail::{Hold, MailError},
    metrics::{Metric, count},
    table::{
        asks::{Ask, AskState},
        mailing::Turn,
        members::Due,
    },
};
use barometer_domain::{
    SendId, Settings, WorkspaceId, ask,
    breaker::Stop,
    token::{Keys, Purpose},
};
use barometer_message::{self as message, Mailbox, MessageError, Question};
use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    Deps, Summary,
    allowance::{Allowance, Allowed, tell},
    gate::{Closed, Decision, Known},
};

/// How long an answer is taken.
const ANSWERABLE: TimeDelta = TimeDelta::days(30);
/// Members read at once.
const PAGE: i32 = 100;
/// When a member is looked at again who couldn't be read.
const AFTER_ERROR: TimeDelta = TimeDelta::hours(1);

/// How long a workspace's mailing stays stopped before it is looked at again.
const WHILE_STOPPED: TimeDelta = TimeDelta::hours(1);

/// Why it isn't known whether a mail was sent whose worker came to an end.
const ENDED: &str = "ended while submitting";

/// What became of one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Sent,
    Rescheduled,
    TakenOff,
    /// Another worker is at it.
    Held,
    Failed,
    Unknown,
    /// An earlier sweep came to an end that it didn't write down.
    Recovered,
    /// SES takes nothing for now.
    Paused,
    /// The workspace's mailing has stopped, or has reached the day's cap.
    HeldBack,
}

/// A sweep under way.
pub(crate) struct Sweep<'a> {
    pub(crate) deps: &'a Deps,
    pub(crate) sender: Mailbox,
    pub(crate) now: DateTime<Utc>,
    pub(crate) deadline: std::time::Instant,
    pub(crate) settings: BTreeMap<WorkspaceId, Option<Settings>>,
    pub(crate) allowances: BTreeMap<WorkspaceId, Allowance>,
    /// SES takes no mail of anybody's: the rest waits for another sweep.
    pub(crate) closed: bool,
    pub(crate) summary: Summary,
}

impl Sweep<'_> {
    fn table(&self) -> &Table {
        &self.deps.table
    }

    /// Asks whoever's turn it is in one shard, until nobody is left, SES pauses or time is up. Errors: the
    /// store is throttled or away; what else goes wrong with a member is counted and stops nobody else.
    pub(crate) async fn shard(&mut self, shard: u8) -> Result<(), StoreError> {
        // The list is an index, which may show for a moment longer whoever was just taken off it.
        let mut seen = HashSet::new();
        loop {
            let page = self.table().due(shard, self.now, PAGE).await?;
            let fresh: Vec<Due> = page.into_iter().filter(|due| seen.insert(due.clone())).collect();
            if fresh.is_empty() {
                return Ok(());
            }
            for due in fresh {
                if std::time::Instant::now() >= self.deadline {
                    self.summary.complete = false;
                    return Ok(());
                }
                self.summary.due += 1;
                match self.member(&due).await {
                    Ok(outcome) => {
                        self.count(outcome);
                        if outcome == Outcome::Paused {
                            self.summary.complete = false;
                            return Ok(());
                        }
                    }
                    Err(error) if error.is_retryable() => return Err(error),
                    Err(error) => self.put_off(&due, &error).await?,
                }
            }
        }
    }

    fn count(&mut self, outcome: Outcome) {
        let summary = &mut self.summary;
        let counter = match outcome {
            Outcome::Sent => &mut summary.sent,
            Outcome::Rescheduled => &mut summary.rescheduled,
            Outcome::TakenOff => &mut summary.taken_off,
            Outcome::Held => &mut summary.held,
            Outcome::Failed => &mut summary.failed,
            Outcome::Unknown => &mut summary.unknown,
            Outcome::Recovered => &mut summary.recovered,
            Outcome::Paused => &mut summary.paused,
            Outcome::HeldBack => &mut summary.held_back,
        };
        *counter += 1;
    }

    /// A member who can't be read goes to the back, so that the front of the list doesn't fill up with them.
    async fn put_off(&mut self, due: &Due, error: &StoreError) -> Result<(), StoreError> {
        tracing::error!(error = %Chain(error), workspace_id = %due.workspace, "a member can't be asked");
        self.summary.errors += 1;
        match self.schedule(due, Some(self.now + AFTER_ERROR)).await {
            Err(error) if error.is_retryable() => Err(error),
            _ => Ok(()),
        }
    }

    async fn schedule(&self, due: &Due, at: Option<DateTime<Utc>>) -> Result<(), StoreError> {
        self.table().schedule_ask(&due.workspace, &due.company, &due.user, at).await
    }

    async fn settings(&mut self, workspace: &WorkspaceId) -> Result<Option<Settings>, StoreError> {
        if let Some(known) = self.settings.get(workspace) {
            return Ok(known.clone());
        }
        let found = self.table().settings(workspace).await?.map(|version| version.settings);
        self.settings.insert(workspace.clone(), found.clone());
        Ok(found)
    }

    async fn known<'s>(&self, due: &Due, settings: &'s Settings) -> Result<Option<Known<'s>>, StoreError> {
        let Some(member) = self.table().member(&due.workspace, &due.company, &due.user).await? else {
            return Ok(None);
        };
        let company = self.table().company(&due.workspace, &due.company).await?;
        let user = self.table().user(&due.workspace, &due.user).await?.unwrap_or_default();
        Ok(Some(Known { company, member, user, settings }))
    }

    async fn member(&mut self, due: &Due) -> Result<Outcome, StoreError> {
        let Some(settings) = self.settings(&due.workspace).await? else {
            return self.take_off(due, Closed::NoCompany).await;
        };
        // Without a membership the item that was on the list is gone.
        let Some(known) = self.known(due, &settings).await? else { return Ok(Outcome::TakenOff) };
        // The list lags behind the item; the item decides whether it is on it.
        if known.member.due_at.is_none_or(|at| at > self.now) {
            return Ok(Outcome::Held);
        }
        match known.decide(self.now) {
            Decision::Ask(_) => {}
            decision => {
                let planned = self.send_id(due, known.member.asks + 1);
                return self.turn_away(due, decision, planned).await;
            }
        }
        let ask = self.plan(due, known.member.asks).await?;
        match ask.state {
            AskState::Planned => match self.allowance(due, &settings).await?.check() {
                Allowed::Yes => self.submit(due, &ask, &settings).await,
                Allowed::Stopped => self.hold_back(due, &known, WHILE_STOPPED).await,
                Allowed::Capped => self.hold_back(due, &known, TimeDelta::days(1)).await,
            },
            AskState::Submitting if self.is_claimed_now(&ask) => Ok(Outcome::Held),
            AskState::Submitting => {
                self.settle(&ask, AskState::Unknown, ENDED).await?;
                count(Metric::Unknown, 1);
                self.finish(due, &known, &ask, self.now).await?;
                Ok(Outcome::Unknown)
            }
            state if state.is_accepted() => {
                self.finish(due, &known, &ask, ask.accepted_at.unwrap_or(self.now)).await?;
                Ok(Outcome::Recovered)
            }
            _ => {
                self.finish(due, &known, &ask, self.now).await?;
                Ok(Outcome::Recovered)
            }
        }
    }

    async fn allowance(&mut self, due: &Due, settings: &Settings) -> Result<&mut Allowance, StoreError> {
        let allowance = match self.allowances.remove(&due.workspace) {
            Some(known) => known,
            None => Allowance::of(self.table(), &due.workspace, settings, self.now).await?,
        };
        Ok(self.allowances.entry(due.workspace.clone()).or_insert(allowance))
    }

    /// What was planned stays planned, for later.
    async fn hold_back(&self, due: &Due, known: &Known<'_>, wait: TimeDelta) -> Result<Outcome, StoreError> {
        self.schedule(due, Some(self.later(due, known, wait))).await?;
        Ok(Outcome::HeldBack)
    }

    /// The first sweep in the user's window that comes no sooner than after a while.
    fn later(&self, due: &Due, known: &Known<'_>, wait: TimeDelta) -> DateTime<Utc> {
        let (later, zone) = (self.now + wait, known.zone());
        if ask::in_window(later, zone) { later } else { asking::slot(later, &due.user, zone) }
    }

    /// Whether an ask was claimed in this very firing: another worker is between its two writes, or was when it ended;
    /// the next sweep will know.
    fn is_claimed_now(&self, ask: &Ask) -> bool {
        ask.submitted_at.unwrap_or(ask.planned_at) >= self.now
    }

    fn send_id(&self, due: &Due, cycle: u32) -> SendId {
        SendId::derive(&due.workspace, &due.company, &due.user, "feedback", cycle)
    }

    /// The ask of the user's next cycle. A skipped one was never sent and gives way to the one after.
    async fn plan(&self, due: &Due, asks: u32) -> Result<Ask, StoreError> {
        let mut cycle = asks;
        loop {
            cycle += 1;
            let ask = Ask {
                send_id: self.send_id(due, cycle),
                workspace_id: due.workspace.clone(),
                company_id: due.company.clone(),
                user_id: due.user.clone(),
                cycle,
                state: AskState::Planned,
                reason: None,
                planned_at: self.now,
                submitted_at: None,
                scanned_at: None,
                accepted_at: None,
                message_id: None,
                answered_at: None,
                expires: self.now + ANSWERABLE,
            };
            let ask = self.table().plan_ask(&ask).await?;
            if ask.state != AskState::Skipped {
                return Ok(ask);
            }
        }
    }

    /// A gate is closed: the member is looked at later or not before something changes, and what was planned
    /// is skipped.
    async fn turn_away(&self, due: &Due, decision: Decision, planned: SendId) -> Result<Outcome, StoreError> {
        match decision {
            Decision::Ask(_) => Ok(Outcome::Held),
            Decision::At(at) => {
                self.schedule(due, Some(at)).await?;
                Ok(Outcome::Rescheduled)
            }
            Decision::Off(closed) => {
                if let Some(ask) = self.table().ask(planned).await? {
                    if ask.state == AskState::Submitting && !self.is_claimed_now(&ask) {
                        self.settle(&ask, AskState::Unknown, ENDED).await?;
                        count(Metric::Unknown, 1);
                    }
                    self.move_or_leave(&ask, AskState::Planned, AskState::Skipped, closed.as_str()).await?;
                }
                self.take_off(due, closed).await
            }
        }
    }

    async fn take_off(&self, due: &Due, closed: Closed) -> Result<Outcome, StoreError> {
        tracing::debug!(workspace_id = %due.workspace, why = closed.as_str(), "off the list");
        self.schedule(due, None).await?;
        Ok(Outcome::TakenOff)
    }

    /// Sends what is planned, once.
    async fn submit(&mut self, due: &Due, ask: &Ask, settings: &Settings) -> Result<Outcome, StoreError> {
        // Somebody may have unsubscribed since the first look.
        let Some(known) = self.known(due, settings).await? else { return Ok(Outcome::TakenOff) };
        let email = match known.decide(self.now) {
            Decision::Ask(email) => email,
            decision => return self.turn_away(due, decision, ask.send_id).await,
        };
        let mime = match self.compose(&known, ask, &email) {
            Ok(mime) => mime,
            Err(error) => {
                tracing::warn!(error = %Chain(&error), send_id = %ask.send_id, "no mail can be written");
                let reason = error.to_string();
                if !self.move_or_leave(ask, AskState::Planned, AskState::Failed, &reason).await? {
                    return Ok(Outcome::Held);
                }
                self.finish(due, &known, ask, self.now).await?;
                return Ok(Outcome::Failed);
            }
        };
        match self.table().begin_submitting(ask, &email, self.now).await {
            Ok(Turn::Ours) => {}
            Ok(Turn::Lost) | Err(StoreError::Conflict) => return Ok(Outcome::Held),
            // Just now; why, they say when looked at again.
            Ok(Turn::Closed) => {
                let Some(known) = self.known(due, settings).await? else { return Ok(Outcome::TakenOff) };
                return self.turn_away(due, known.decide(self.now), ask.send_id).await;
            }
            Err(error) => return Err(error),
        }
        let outcome = match self.deps.mailer.send(ask.send_id, &email, mime).await {
            Ok(message_id) => {
                match self.table().accept_ask(ask, &message_id, self.now).await {
                    Ok(()) | Err(StoreError::Conflict) => {}
                    Err(error) => return Err(error),
                }
                let (table, now) = (self.deps.table.clone(), self.now);
                self.allowance(due, settings).await?.sent(&table, &due.workspace, now).await?;
                Outcome::Sent
            }
            Err(MailError::NotSent(hold)) => return self.pause(due, &known, ask, hold).await,
            Err(MailError::Rejected(reason)) => {
                tracing::error!(reason, send_id = %ask.send_id, "the mail was rejected");
                self.settle(ask, AskState::Failed, &reason).await?;
                Outcome::Failed
            }
            Err(MailError::Unknown(reason)) => {
                tracing::warn!(reason, send_id = %ask.send_id, "it isn't known whether the mail was sent");
                self.settle(ask, AskState::Unknown, &reason).await?;
                Outcome::Unknown
            }
        };
        self.finish(due, &known, ask, self.now).await?;
        Ok(outcome)
    }

    /// SES didn't take the mail: the ask is planned again, for one of the next sweeps.
    async fn pause(
        &mut self,
        due: &Due,
        known: &Known<'_>,
        ask: &Ask,
        hold: Hold,
    ) -> Result<Outcome, StoreError> {
        let reason = &hold.to_string();
        tracing::warn!(reason, send_id = %ask.send_id, "mails are not taken for now");
        if self.move_or_leave(ask, AskState::Submitting, AskState::Planned, reason).await? {
            self.schedule(due, Some(self.later(due, known, SWEEP_EVERY))).await?;
        }
        let stop = match hold {
            Hold::Throttled | Hold::Unreachable => None,
            Hold::Quota => Some(Stop::Quota),
            Hold::Paused | Hold::Suspended | Hold::Denied => Some(Stop::Paused),
        };
        if let Some(stop) = stop {
            self.closed = true;
            tell(self.table(), &due.workspace, known.settings, stop, self.now).await?;
        }
        Ok(Outcome::Paused)
    }

    async fn settle(&self, ask: &Ask, end: AskState, reason: &str) -> Result<bool, StoreError> {
        self.move_or_leave(ask, AskState::Submitting, end, reason).await
    }

    /// Moves an ask unless another worker was faster. Returns whether it moved.
    async fn move_or_leave(
        &self,
        ask: &Ask,
        from: AskState,
        to: AskState,
        reason: &str,
    ) -> Result<bool, StoreError> {
        match self.table().move_ask(ask, from, to, Some(reason)).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes down that the user was asked, and when the next time is.
    async fn finish(
        &self,
        due: &Due,
        known: &Known<'_>,
        ask: &Ask,
        asked_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let setting = known.settings.cadence_days.duration();
        let cadence = ask::cadence(setting, known.member.unanswered + 1);
        let next = asking::slot(asked_at + cadence, &due.user, known.zone());
        // The person first: once the membership is written, nothing brings us back here.
        self.table().note_asked(&due.workspace, &due.user, asked_at).await?;
        self.table().record_ask(&due.workspace, &due.company, &due.user, asked_at, ask.cycle, next).await
    }

    fn compose(&self, known: &Known<'_>, ask: &Ask, to: &str) -> Result<Vec<u8>, MessageError> {
        let keys: &Keys = &self.deps.link_keys;
        let member = &known.member;
        message::compose(&Question {
            language: known.language(),
            settings: known.settings,
            from: &self.sender,
            to,
            name: member.name.as_deref().or(known.user.name.as_deref()),
            origin: &self.deps.origin,
            feedback: &keys.sign(Purpose::Feedback, ask.send_id, Some(ask.expires)),
            unsubscribe: &keys.sign(Purpose::Unsubscribe, ask.send_id, None),
            workspace: &ask.workspace_id,
            send: ask.send_id,
            date: self.now,
        })
    }
}
