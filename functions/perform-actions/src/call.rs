//! Webhooks and notes to chats: called until they take it, eight times in about a day.

use barometer_cloud::{
    StoreError,
    table::{
        actions::{Action, ActionState},
        webhooks::{Kind, LastCall, Webhook},
    },
};
use barometer_domain::automation::Wanted;
use barometer_webhook::{MessageId, Outcome, Secret, Secrets, chat, schedule};
use bytes::Bytes;

use crate::{End, Round};

impl Round<'_> {
    pub(crate) async fn call(&self, mut action: Action, endpoint: &str) -> Result<End, StoreError> {
        let (table, workspace, now) = (&self.deps.table, self.workspace, self.now);
        let webhook = table.webhook(workspace, endpoint).await?;
        let Some(webhook) = webhook.filter(|webhook| webhook.disabled.is_none()) else {
            return self.dead(action, "there is no such endpoint, or it is disabled").await;
        };
        let id = format!("msg_{}_{}", action.firing, action.number);
        // The next attempt is written before this one: whoever ends in between is followed by it.
        action.attempts += 1;
        let next = schedule::next(action.attempts, &id, now, None);
        // After the last attempt somebody must still look after what it came to.
        action.due_at = next.or_else(|| schedule::next(1, &id, now, None));
        let mut action = table.write_action(workspace, &action).await?;
        if action.attempts > schedule::ATTEMPTS {
            return self.dead(action, "not delivered in eight attempts").await;
        }
        let Some(outcome) = self.send(&webhook, &action, &id).await else {
            return self.dead(action, "the endpoint is of another kind, or its secret can't be read").await;
        };
        let (ok, reason, gone, wait) = match &outcome {
            Outcome::Delivered { .. } => (true, None, false, None),
            Outcome::Failed { reason, permanent, retry_after } => {
                (false, Some(reason.to_string()), *permanent, *retry_after)
            }
        };
        let call = LastCall { at: now, ok, status: outcome.status(), reason: reason.clone() };
        table.note_webhook_call(workspace, endpoint, &call, gone).await?;
        let Some(reason) = reason else {
            self.end(action, ActionState::Done, None).await?;
            return Ok(End::Done);
        };
        if gone {
            return self.dead(action, &reason).await;
        }
        match schedule::next(action.attempts, &id, now, wait) {
            Some(next) => {
                (action.due_at, action.reason) = (Some(next), Some(reason));
                table.write_action(workspace, &action).await?;
                Ok(End::PutOff)
            }
            None => self.dead(action, &reason).await,
        }
    }

    /// One attempt; nothing when the endpoint can't take what is wanted.
    async fn send(&self, webhook: &Webhook, action: &Action, id: &str) -> Option<Outcome> {
        let client = &self.deps.webhooks;
        match (&action.wanted, webhook.kind) {
            (Wanted::Webhook { .. }, Kind::Standard) => {
                let current = Secret::parse(webhook.secret.as_deref()?).ok()?;
                let previous = webhook.signing_previous(self.now);
                let previous = previous.and_then(|previous| Secret::parse(&previous.secret).ok());
                let body = Bytes::from(action.body.clone()?);
                let id = MessageId::new(id).ok()?;
                let secrets = Secrets { current, previous };
                Some(client.send_event(&webhook.url, &secrets, &id, self.now, body).await)
            }
            (Wanted::Chat { text, .. }, Kind::Chat) => {
                Some(client.send_note(&webhook.url, chat::note(text)).await)
            }
            _ => None,
        }
    }

    /// A dead letter: it stays, and somebody may have it tried again.
    async fn dead(&self, action: Action, reason: &str) -> Result<End, StoreError> {
        tracing::warn!(rule = %action.rule, reason, "a webhook is given up");
        self.end(action, ActionState::Failed, Some(reason.to_owned())).await?;
        Ok(End::Failed)
    }
}
