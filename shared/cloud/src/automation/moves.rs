//! What somebody may do with an action: undo it, approve it, have it tried again.

use barometer_domain::automation::Wanted;
use chrono::{DateTime, Utc};

use crate::table::actions::{Action, ActionState};

/// Why an action can't go to a state from where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoveError {
    /// It is no longer to be done.
    #[error("the action has ended: what is done can't be undone")]
    Ended,
    /// Its mail is with SES, or may be.
    #[error("the mail is being sent at this moment")]
    BeingSent,
    /// Nobody has to approve it.
    #[error("the action doesn't wait for approval")]
    NotWaiting,
    /// It didn't fail.
    #[error("only an action that failed can be tried again")]
    NotFailed,
    /// Sending again could send twice.
    #[error("it can't be known whether the mail was sent, and a mail is never sent twice")]
    MaybeSent,
    /// Sending again would send twice.
    #[error("the mail was sent and didn't arrive, and a mail is never sent twice")]
    Undelivered,
}

impl Action {
    /// Somebody undoes it before it is done. The rule's cool-down stays: who undoes a mail doesn't want the next one.
    pub fn cancel(&mut self, by: &str, now: DateTime<Utc>) -> Result<(), MoveError> {
        match self.state {
            ActionState::Planned | ActionState::AwaitingApproval => {}
            ActionState::Submitting => return Err(MoveError::BeingSent),
            ActionState::Done
            | ActionState::Cancelled
            | ActionState::Skipped
            | ActionState::Failed
            | ActionState::Unknown
            | ActionState::Undelivered => return Err(MoveError::Ended),
        }
        self.end(ActionState::Cancelled, Some("undone by hand".to_owned()), now);
        self.by = Some(by.to_owned());
        Ok(())
    }

    /// Somebody approves it: it is due at once.
    pub fn approve(&mut self, by: &str, now: DateTime<Utc>) -> Result<(), MoveError> {
        if self.state != ActionState::AwaitingApproval {
            return Err(MoveError::NotWaiting);
        }
        (self.state, self.due_at, self.by) = (ActionState::Planned, Some(now), Some(by.to_owned()));
        Ok(())
    }

    /// Somebody has it tried again, as if it were planned now: at once, with all its attempts before it.
    pub fn try_again(&mut self, by: &str, now: DateTime<Utc>) -> Result<(), MoveError> {
        match (self.state, &self.wanted) {
            (ActionState::Failed, _) => {}
            (ActionState::Unknown, _) => return Err(MoveError::MaybeSent),
            (ActionState::Undelivered, _) => return Err(MoveError::Undelivered),
            (ActionState::Submitting, Wanted::Email { .. }) => return Err(MoveError::BeingSent),
            _ => return Err(MoveError::NotFailed),
        }
        (self.state, self.reason, self.ended_at) = (ActionState::Planned, None, None);
        (self.attempts, self.planned_at, self.due_at) = (0, now, Some(now));
        self.by = Some(by.to_owned());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use barometer_domain::{
        CompanyId,
        automation::{Happened, RuleId},
        language::Language,
    };

    use super::*;

    const STATES: [ActionState; 9] = [
        ActionState::Planned,
        ActionState::AwaitingApproval,
        ActionState::Submitting,
        ActionState::Done,
        ActionState::Cancelled,
        ActionState::Skipped,
        ActionState::Failed,
        ActionState::Unknown,
        ActionState::Undelivered,
    ];

    fn action(state: ActionState) -> Action {
        let then = DateTime::UNIX_EPOCH;
        let ended =
            !matches!(state, ActionState::Planned | ActionState::AwaitingApproval | ActionState::Submitting);
        Action {
            company_id: CompanyId::new("acme").unwrap(),
            rule: RuleId::new("struggling").unwrap(),
            settings_version: 1,
            firing: "f".to_owned(),
            number: 0,
            happened: Happened::ReviewOverdue,
            occurred_at: then,
            wanted: Wanted::Email {
                user_id: None,
                subject: String::new(),
                text: String::new(),
                language: Language::English,
                csm: None,
            },
            body: None,
            state,
            reason: ended.then(|| "so it ended".to_owned()),
            due_at: None,
            attempts: 8,
            planned_at: then,
            ended_at: ended.then_some(then),
            by: None,
            message_id: None,
            mail: None,
            version: 3,
        }
    }

    type Move = fn(&mut Action, &str, DateTime<Utc>) -> Result<(), MoveError>;

    #[test]
    fn an_action_goes_only_where_it_may() {
        use ActionState::{Cancelled, Planned};
        use MoveError::{BeingSent, Ended, MaybeSent, NotFailed, NotWaiting, Undelivered};
        let table: [(Move, [Result<ActionState, MoveError>; 9]); 3] = [
            (
                Action::cancel,
                [
                    Ok(Cancelled),
                    Ok(Cancelled),
                    Err(BeingSent),
                    Err(Ended),
                    Err(Ended),
                    Err(Ended),
                    Err(Ended),
                    Err(Ended),
                    Err(Ended),
                ],
            ),
            (
                Action::approve,
                [
                    Err(NotWaiting),
                    Ok(Planned),
                    Err(NotWaiting),
                    Err(NotWaiting),
                    Err(NotWaiting),
                    Err(NotWaiting),
                    Err(NotWaiting),
                    Err(NotWaiting),
                    Err(NotWaiting),
                ],
            ),
            (
                Action::try_again,
                [
                    Err(NotFailed),
                    Err(NotFailed),
                    Err(BeingSent),
                    Err(NotFailed),
                    Err(NotFailed),
                    Err(NotFailed),
                    Ok(Planned),
                    Err(MaybeSent),
                    Err(Undelivered),
                ],
            ),
        ];
        for (row, (make, ends)) in table.into_iter().enumerate() {
            for (state, end) in STATES.into_iter().zip(ends) {
                let before = action(state);
                let mut after = before.clone();
                let made = make(&mut after, "ana", DateTime::UNIX_EPOCH);
                assert_eq!(made.map(|()| after.state), end, "move {row} from {state:?}");
                assert!(made.is_ok() || after == before, "a refusal changes nothing");
            }
        }
    }

    #[test]
    fn what_is_tried_again_is_as_if_planned_now() {
        let now = "2026-09-09T12:00:00Z".parse().unwrap();
        let mut failed = action(ActionState::Failed);
        failed.try_again("ana", now).unwrap();
        let fresh = Action {
            attempts: 0,
            planned_at: now,
            due_at: Some(now),
            by: Some("ana".to_owned()),
            ..action(ActionState::Planned)
        };
        assert_eq!(failed, fresh);
    }

    #[test]
    fn what_is_undone_says_who_did_it_and_waits_for_nothing() {
        let now = "2026-09-09T12:00:00Z".parse().unwrap();
        let mut undone = Action { due_at: Some(now), ..action(ActionState::Planned) };
        undone.cancel("ana", now).unwrap();
        assert_eq!((undone.due_at, undone.ended_at, undone.by.as_deref()), (None, Some(now), Some("ana")));
    }
}
