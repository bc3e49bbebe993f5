//! What follows when a status is set back: what waits isn't done, and what can be undone is.

use barometer_domain::{
    automation::{Happened, Wanted},
    status::Status,
    task::Subject,
};
use chrono::{DateTime, TimeDelta, Utc};

use super::Automation;
use crate::{
    StoreError,
    table::{
        actions::{Action, ActionState},
        companies::Company,
    },
    watch::Watch,
};

/// For how long after a change its task is undone with it: as long as its mail, unless the rule says otherwise.
const UNDO: TimeDelta = TimeDelta::minutes(15);
/// The longest that a mail may wait to be undone.
const LONGEST_UNDO: TimeDelta = TimeDelta::days(1);
/// Why it isn't done.
const SET_BACK: &str = "the status was set back";

/// Whether what happened is still so. Only a status is taken back; everything else has happened.
pub fn still_holds(happened: &Happened, at: DateTime<Utc>, company: &Company) -> bool {
    let Happened::Status { to, .. } = happened else { return true };
    // A status that was set before is only not read yet.
    company.status.as_ref().is_none_or(|status| status.value == *to || status.set_at < at)
}

/// Undoes what waits, or may still be undone, of the changes to another status than the one set now.
pub async fn set_back(
    automation: &Automation<'_>,
    company: &Company,
    now_status: Status,
) -> Result<(), StoreError> {
    let Automation { table, workspace, now } = *automation;
    let since = now - LONGEST_UNDO - UNDO;
    let actions = table.actions_since(workspace, &company.company_id, since).await?;
    let is_other =
        |action: &&Action| matches!(&action.happened, Happened::Status { to, .. } if *to != now_status);
    let undoable: Vec<&Action> = actions.iter().filter(is_other).collect();
    for action in &undoable {
        let firing = undoable.iter().filter(|other| other.firing == action.firing);
        let waits = firing.clone().any(|other| is_waiting(other));
        let was_undone = firing.clone().any(|other| other.reason.as_deref() == Some(SET_BACK));
        if !waits && !was_undone && action.occurred_at + UNDO < now {
            continue;
        }
        match (&action.wanted, action.state) {
            (_, ActionState::Planned | ActionState::AwaitingApproval) => {
                let mut undone = (*action).clone();
                undone.end(ActionState::Cancelled, Some(SET_BACK.to_owned()), now);
                match table.write_action(workspace, &undone).await {
                    // It is being done this very moment.
                    Ok(_) | Err(StoreError::Conflict) => {}
                    Err(error) => return Err(error),
                }
            }
            (Wanted::Task { .. }, ActionState::Done) => undo_task(automation, action).await?,
            _ => {}
        }
        table.end_quiet(workspace, &company.company_id, &action.rule, &action.firing).await?;
    }
    Ok(())
}

fn is_waiting(action: &Action) -> bool {
    matches!(action.state, ActionState::Planned | ActionState::AwaitingApproval)
}

/// Cancels the task that an action opened, when nothing newer asks for it.
async fn undo_task(automation: &Automation<'_>, action: &Action) -> Result<(), StoreError> {
    let Automation { table, workspace, now } = *automation;
    let watch = Watch { table, workspace, company: Some(&action.company_id), now };
    let subject = Subject::Automation { rule: action.rule.clone() };
    watch.unwanted(&subject, action.occurred_at, SET_BACK).await
}
