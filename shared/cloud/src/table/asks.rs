//! Asks: one planned mail each, from planned to answered. An ask lies with its company; a small item under the
//! send id says where, because a signed link carries nothing else.

use barometer_domain::{CompanyId, SendId, UserId, WorkspaceId};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Range, StoreError, Table, item, keys, or_done};

/// A mail of which nothing was heard for this long is lost.
pub const LOST_AFTER: TimeDelta = TimeDelta::hours(6);

/// How far a mail got. What SES says of it only moves it on; see [`mailing`](super::mailing).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AskState {
    /// To be sent.
    Planned,
    /// The call is about to be made, or was made and its end isn't recorded: never sent again.
    Submitting,
    /// SES took it.
    Accepted,
    /// The recipient's mail server took it.
    Delivered,
    /// It came back.
    Bounced,
    /// SES took it and then didn't send it: it holds a virus.
    Rejected,
    /// The recipient called it spam.
    Complained,
    /// It can't be known whether SES took it, unless an event of SES tells.
    Unknown,
    /// SES will never take it.
    Failed,
    /// A gate closed between planning and sending.
    Skipped,
}

impl AskState {
    /// Whether SES took the mail, whatever became of it then.
    pub fn is_accepted(self) -> bool {
        matches!(self, Self::Accepted | Self::Delivered | Self::Bounced | Self::Rejected | Self::Complained)
    }
}

/// One planned mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Its id; stands in the mail's links.
    pub send_id: SendId,
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// The company it asks about.
    pub company_id: CompanyId,
    /// Who is asked.
    pub user_id: UserId,
    /// Which ask of this user it is, from 1.
    pub cycle: u32,
    /// How far it got.
    pub state: AskState,
    /// Why it got no further.
    #[serde(default)]
    pub reason: Option<String>,
    /// When it was planned.
    pub planned_at: DateTime<Utc>,
    /// When it was last about to be handed to SES.
    #[serde(default)]
    pub submitted_at: Option<DateTime<Utc>>,
    /// When SES took it.
    #[serde(default)]
    pub accepted_at: Option<DateTime<Utc>>,
    /// SES's id of the message.
    #[serde(default)]
    pub message_id: Option<String>,
    /// When it was first answered.
    #[serde(default)]
    pub answered_at: Option<DateTime<Utc>>,
    /// When a machine first opened its pages, if one did.
    #[serde(default)]
    pub scanned_at: Option<DateTime<Utc>>,
    /// Until when it can be answered.
    pub expires: DateTime<Utc>,
}

impl Ask {
    /// Whether the mail reached somebody's mailbox, as far as is known.
    pub fn is_delivered(&self) -> bool {
        matches!(self.state, AskState::Accepted | AskState::Delivered | AskState::Complained)
    }

    /// Whether it is given up: for six hours nothing told whether SES took it. An event of SES that comes later
    /// still finds it.
    pub fn is_lost(&self, now: DateTime<Utc>) -> bool {
        self.state == AskState::Unknown && self.submitted_at.unwrap_or(self.planned_at) + LOST_AFTER <= now
    }
}

#[derive(Serialize, Deserialize)]
struct Place {
    workspace_id: WorkspaceId,
    company_id: CompanyId,
}

impl Table {
    /// Plans an ask. Planning it again changes nothing and returns the ask as it stands.
    pub async fn plan_ask(&self, ask: &Ask) -> Result<Ask, StoreError> {
        let pk = keys::company(&ask.workspace_id, &ask.company_id);
        let place = Place { workspace_id: ask.workspace_id.clone(), company_id: ask.company_id.clone() };
        let place = item::write(format!("send#{}", ask.send_id), "send".to_owned(), &place)?;
        let planned = item::write(pk, keys::ask(ask.send_id), ask)?;
        match self.transact(vec![self.transact_put(planned, true)?, self.transact_put(place, false)?]).await {
            Ok(()) => Ok(ask.clone()),
            Err(StoreError::Conflict) => Ok(self.ask(ask.send_id).await?.unwrap_or_else(|| ask.clone())),
            Err(error) => Err(error),
        }
    }

    /// The ask behind a signed link.
    pub async fn ask(&self, send: SendId) -> Result<Option<Ask>, StoreError> {
        let Some(place) = self.get::<Place>(format!("send#{send}"), "send".to_owned()).await? else {
            return Ok(None);
        };
        self.get(keys::company(&place.workspace_id, &place.company_id), keys::ask(send)).await
    }

    /// All asks of a company.
    pub async fn asks(&self, workspace: &WorkspaceId, company: &CompanyId) -> Result<Vec<Ask>, StoreError> {
        self.query_as(keys::company(workspace, company), Range::Prefix("ask#".to_owned())).await
    }

    /// Moves an ask from one state to another. Errors: [`StoreError::Conflict`] when it isn't in `from`: another
    /// worker holds it or it got further.
    pub async fn move_ask(
        &self,
        ask: &Ask,
        from: AskState,
        to: AskState,
        reason: Option<&str>,
    ) -> Result<(), StoreError> {
        let mut set = "SET #state = :to".to_owned();
        let mut request = self
            .update(keys::company(&ask.workspace_id, &ask.company_id), keys::ask(ask.send_id))
            .condition_expression("#state = :from")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":from", item::value(&from)?)
            .expression_attribute_values(":to", item::value(&to)?);
        if let Some(reason) = reason {
            set.push_str(", reason = :reason");
            request = request.expression_attribute_values(":reason", item::text(reason));
        }
        request.update_expression(set).send().await?;
        Ok(())
    }

    /// Records that a machine opened the pages of an ask: it followed a link that people can't see. The first time
    /// stays. It says nothing about answers, which only people give.
    pub async fn note_scanned(&self, ask: &Ask, at: DateTime<Utc>) -> Result<(), StoreError> {
        let noted = self
            .update(keys::company(&ask.workspace_id, &ask.company_id), keys::ask(ask.send_id))
            .update_expression("SET scanned_at = :at")
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(scanned_at)")
            .expression_attribute_values(":at", item::text(keys::instant(at)))
            .send()
            .await;
        or_done(noted)
    }

    /// Records that an ask was answered; the first time stays.
    pub async fn note_answered(&self, ask: &Ask, at: DateTime<Utc>) -> Result<(), StoreError> {
        self.update(keys::company(&ask.workspace_id, &ask.company_id), keys::ask(ask.send_id))
            .update_expression("SET answered_at = if_not_exists(answered_at, :at)")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":at", item::text(keys::instant(at)))
            .send()
            .await?;
        Ok(())
    }
}
