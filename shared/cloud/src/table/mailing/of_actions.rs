//! What SES says of the mails that rules send.

use super::{ATTEMPTS, StoreError, Table, Word};
use crate::table::{
    actions::{Action, ActionPlace, ActionState, MailStands},
    asks::AskState,
};
use barometer_domain::{WorkspaceId, breaker::Counts};

impl Action {
    /// Rule: a mail that SES speaks of was sent, whatever was noted of the call, so the action has ended; where it came back,
    /// or SES didn't pass it on, it isn't done. Returns what is to be counted; nothing when this says no more than is known.
    fn hear(&mut self, word: &Word) -> Option<Counts> {
        let known = self.mail.as_ref();
        let was = known.map_or(AskState::Submitting, |mail| mail.state);
        let step = word.step(was, known.and_then(|mail| mail.reason.as_deref()))?;
        let (state, ended) = match step.state {
            AskState::Bounced | AskState::Rejected => (ActionState::Undelivered, word.at),
            _ => (ActionState::Done, self.ended_at.unwrap_or(word.at)),
        };
        self.end(state, step.reason.clone(), ended);
        self.mail = Some(MailStands { state: step.state, reason: step.reason });
        self.message_id.get_or_insert_with(|| word.message_id.clone());
        Some(step.counts)
    }
}

impl Table {
    /// Records what SES says of an action's mail, and counts it with the asks'. Returns whether it was news. Errors:
    /// [`StoreError::Conflict`] when others write the same again and again.
    pub async fn record_word_of_action(
        &self,
        workspace: &WorkspaceId,
        place: &ActionPlace,
        word: &Word,
    ) -> Result<bool, StoreError> {
        for _ in 0..ATTEMPTS {
            let Some(mut action) = self.action(workspace, place).await? else { return Ok(false) };
            let Some(counts) = action.hear(word) else { return Ok(false) };
            let (_, put) = self.action_put(workspace, &action)?;
            let mut parts = vec![put];
            if counts != Counts::default() {
                parts.push(self.count_part(workspace, action.send_id(workspace), word.at, counts)?);
            }
            if self.transact_patiently(parts).await?.is_none() {
                return Ok(true);
            }
        }
        Err(StoreError::Conflict)
    }
}
