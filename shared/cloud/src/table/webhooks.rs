//! Endpoints of a workspace: where its events and notes are sent, with what they are signed, and how the last call went.
//!
//! Secrets are kept readable, because signing needs them; the table is encrypted, and the API shows a secret once. The URL
//! of a chat is a secret of its kind: whoever knows it can write there.

use aws_sdk_dynamodb::types::{Delete, TransactWriteItem, Update};
use barometer_domain::WorkspaceId;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Range, StoreError, Table, item, keys};

/// Least time between two tests of an endpoint: its owner shouldn't be flooded in our name.
pub const TEST_PAUSE: TimeDelta = TimeDelta::seconds(10);

/// What an endpoint takes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[schemars(rename = "WebhookKind")]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Events as JSON, signed by Standard Webhooks.
    Standard,
    /// Notes for people, as Slack's incoming webhooks take them; not signed.
    Chat,
}

/// An endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Its id, `wh_…`.
    pub id: String,
    /// Its workspace.
    pub workspace_id: WorkspaceId,
    /// Its name for people.
    pub name: String,
    /// What it takes.
    pub kind: Kind,
    /// Where it is.
    pub url: String,
    /// The secret that signs, `whsec_…`; a chat has none.
    #[serde(default)]
    pub secret: Option<String>,
    /// The secret before it, which signs too for a while.
    #[serde(default)]
    pub previous: Option<PreviousSecret>,
    /// Since when it is disabled, and by what.
    #[serde(default)]
    pub disabled: Option<Disabled>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// How the latest call went.
    #[serde(default)]
    pub last: Option<LastCall>,
}

/// A secret that a rotation replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousSecret {
    /// The secret.
    pub secret: String,
    /// Until when it signs.
    pub until: DateTime<Utc>,
}

/// That an endpoint gets nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disabled {
    /// Since when.
    pub at: DateTime<Utc>,
    /// By what.
    pub by: DisabledBy,
}

/// What disabled an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "WebhookDisabledBy")]
#[serde(rename_all = "snake_case")]
pub enum DisabledBy {
    /// An admin.
    Admin,
    /// The endpoint itself, which answered 410 Gone.
    Gone,
}

/// How a call went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LastCall {
    /// When it was made.
    pub at: DateTime<Utc>,
    /// Whether it was taken.
    pub ok: bool,
    /// The status of the answer, if there was one.
    #[serde(default)]
    pub status: Option<u16>,
    /// Why it failed, as a sentence.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What is to change about an endpoint; what is absent stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// Another name.
    pub name: Option<String>,
    /// Another URL.
    pub url: Option<String>,
    /// Disabled by an admin since then, or enabled again.
    pub disabled_at: Option<Option<DateTime<Utc>>>,
}

impl Change {
    /// An endpoint with the changes made.
    pub fn upon(&self, mut webhook: Webhook) -> Webhook {
        webhook.name = self.name.clone().unwrap_or(webhook.name);
        webhook.url = self.url.clone().unwrap_or(webhook.url);
        match self.disabled_at {
            Some(Some(at)) => {
                webhook.disabled = webhook.disabled.or(Some(Disabled { at, by: DisabledBy::Admin }));
            }
            Some(None) => webhook.disabled = None,
            None => {}
        }
        webhook
    }
}

impl Webhook {
    /// The secret before the current one, while it signs.
    pub fn signing_previous(&self, now: DateTime<Utc>) -> Option<&PreviousSecret> {
        self.previous.as_ref().filter(|previous| now < previous.until)
    }
}

fn pk(workspace: &WorkspaceId) -> String {
    format!("{workspace}#webhooks")
}

/// An update whose condition says that the endpoint is there, or as it was read: nothing when it isn't.
fn if_there<T>(result: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(StoreError::Conflict) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Table {
    /// Adds an endpoint. Errors: [`StoreError::Conflict`] when its id is taken.
    pub async fn add_webhook(&self, webhook: &Webhook) -> Result<(), StoreError> {
        let put = item::write(pk(&webhook.workspace_id), webhook.id.clone(), webhook)?;
        self.transact(vec![self.transact_put(put, true)?]).await
    }

    /// The endpoints of a workspace, in no order that means something.
    pub async fn webhooks(&self, workspace: &WorkspaceId) -> Result<Vec<Webhook>, StoreError> {
        self.query_as(pk(workspace), Range::All).await
    }

    /// An endpoint by its id.
    pub async fn webhook(&self, workspace: &WorkspaceId, id: &str) -> Result<Option<Webhook>, StoreError> {
        self.get(pk(workspace), id.to_owned()).await
    }

    /// Changes an endpoint. Disabling what is disabled changes nothing about that. Returns it as it is then; nothing when
    /// there is none.
    pub async fn change_webhook(
        &self,
        workspace: &WorkspaceId,
        id: &str,
        change: &Change,
    ) -> Result<Option<Webhook>, StoreError> {
        let mut sets = Vec::new();
        let mut removes = Vec::new();
        let mut request = Update::builder()
            .table_name(&self.name)
            .set_key(Some(item::key(pk(workspace), id.to_owned())))
            .condition_expression("attribute_exists(pk)");
        for (name, value) in [("name", &change.name), ("url", &change.url)] {
            if let Some(value) = value {
                sets.push(format!("#{name} = :{name}"));
                request = request
                    .expression_attribute_names(format!("#{name}"), name)
                    .expression_attribute_values(format!(":{name}"), item::text(value));
            }
        }
        match change.disabled_at {
            Some(Some(at)) => {
                sets.push("#disabled = if_not_exists(#disabled, :disabled)".to_owned());
                request =
                    request.expression_attribute_names("#disabled", "disabled").expression_attribute_values(
                        ":disabled",
                        item::value(&Disabled { at, by: DisabledBy::Admin })?,
                    );
            }
            Some(None) => {
                removes.push("#disabled".to_owned());
                request = request.expression_attribute_names("#disabled", "disabled");
            }
            None => {}
        }
        let part = |word: &str, parts: &[String]| {
            if parts.is_empty() { String::new() } else { format!("{word} {} ", parts.join(", ")) }
        };
        let expression = format!("{}{}", part("SET", &sets), part("REMOVE", &removes));
        if expression.is_empty() {
            return self.webhook(workspace, id).await;
        }
        match if_there(self.apply(request.update_expression(expression).build()?).await)? {
            Some(()) => self.webhook(workspace, id).await,
            None => Ok(None),
        }
    }

    /// Gives an endpoint, which was read before, another secret. The one that it had signs too until `until`; one from a
    /// rotation before that signs no more. Errors: [`StoreError::Conflict`] when it has another secret by now, or is gone.
    pub async fn rotate_webhook(
        &self,
        webhook: Webhook,
        secret: String,
        until: DateTime<Utc>,
    ) -> Result<Webhook, StoreError> {
        let previous = webhook.secret.map(|secret| PreviousSecret { secret, until });
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(item::key(pk(&webhook.workspace_id), webhook.id.clone())))
            .update_expression("SET #secret = :secret, #previous = :previous")
            .condition_expression("#secret = :seen")
            .expression_attribute_names("#secret", "secret")
            .expression_attribute_names("#previous", "previous")
            .expression_attribute_values(":secret", item::text(&secret))
            .expression_attribute_values(":previous", item::value(&previous)?)
            .expression_attribute_values(":seen", item::value(&previous.as_ref().map(|seen| &seen.secret))?)
            .build()?;
        self.apply(update).await?;
        Ok(Webhook { secret: Some(secret), previous, ..webhook })
    }

    /// Takes the test of an endpoint that is there. Returns whether the one before is long enough ago ([`TEST_PAUSE`]); also
    /// not when somebody deleted the endpoint meanwhile.
    pub async fn take_webhook_test(
        &self,
        workspace: &WorkspaceId,
        id: &str,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(item::key(pk(workspace), id.to_owned())))
            .update_expression("SET tested_at = :now")
            .condition_expression(
                "attribute_exists(pk) AND (attribute_not_exists(tested_at) OR tested_at <= :before)",
            )
            .expression_attribute_values(":now", item::text(keys::instant(now)))
            .expression_attribute_values(":before", item::text(keys::instant(now - TEST_PAUSE)))
            .build()?;
        Ok(if_there(self.apply(update).await)?.is_some())
    }

    /// Notes how a call went; one that was made before the noted one changes nothing. With `gone`, because the endpoint
    /// answered that it is gone for good, it is disabled.
    pub async fn note_webhook_call(
        &self,
        workspace: &WorkspaceId,
        id: &str,
        call: &LastCall,
        gone: bool,
    ) -> Result<(), StoreError> {
        let mut request = self
            .update(pk(workspace), id.to_owned())
            .condition_expression(
                "attribute_exists(pk) AND (attribute_not_exists(last_at) OR last_at <= :last_at)",
            )
            .expression_attribute_names("#last", "last")
            .expression_attribute_values(":last", item::value(call)?)
            // Beside the call's own time, because only this text sorts as the time does.
            .expression_attribute_values(":last_at", item::text(keys::instant(call.at)));
        let mut expression = "SET #last = :last, last_at = :last_at".to_owned();
        if gone {
            expression.push_str(", #disabled = if_not_exists(#disabled, :disabled)");
            let disabled = Disabled { at: call.at, by: DisabledBy::Gone };
            request = request
                .expression_attribute_names("#disabled", "disabled")
                .expression_attribute_values(":disabled", item::value(&disabled)?);
        }
        if_there(request.update_expression(expression).send().await.map_err(StoreError::from)).map(|_| ())
    }

    /// Deletes an endpoint with its secrets. Returns whether there was one.
    pub async fn delete_webhook(&self, workspace: &WorkspaceId, id: &str) -> Result<bool, StoreError> {
        let delete = Delete::builder()
            .table_name(&self.name)
            .set_key(Some(item::key(pk(workspace), id.to_owned())))
            .condition_expression("attribute_exists(pk)")
            .build()?;
        let deleted = self.transact(vec![TransactWriteItem::builder().delete(delete).build()]).await;
        Ok(if_there(deleted)?.is_some())
    }
}
