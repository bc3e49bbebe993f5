//! Tasks and tags: done at once. Doing it again changes nothing.

use barometer_domain::{
    automation::Wanted,
    follow_up::{Kind, Wanted as WantedTask},
    task::Subject,
};

use super::Automation;
use crate::{
    StoreError,
    bus::Event,
    table::actions::{Action, ActionState},
    watch::Watch,
};

/// What carrying out an action came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Carried {
    /// The event that tells of it; it lies in the outbox.
    pub event: Option<Event>,
}

/// Opens the task or sets the tags that an action wants, and says on the action that it is done. Other actions are left as
/// they are. Errors: the table; carrying it out again is safe.
pub async fn carry_out(automation: &Automation<'_>, action: Action) -> Result<Carried, StoreError> {
    let Automation { table, workspace, now } = *automation;
    let company = &action.company_id;
    let event = match &action.wanted {
        Wanted::Task { title, priority, due_at, assignee } => {
            let wanted = WantedTask {
                kind: Kind::Automation,
                priority: *priority,
                due_at: *due_at,
                title: title.clone(),
                at: action.occurred_at,
            };
            let watch = Watch { table, workspace, company: Some(company), now };
            let subject = Subject::Automation { rule: action.rule.clone() };
            watch.wanted(subject, wanted, assignee.clone()).await?
        }
        Wanted::Tag { add, remove } => {
            table.tag_company(workspace, company, add, remove).await?;
            None
        }
        Wanted::Email { .. } | Wanted::Webhook { .. } | Wanted::Chat { .. } => return Ok(Carried::default()),
    };
    let mut done = action;
    done.end(ActionState::Done, None, now);
    match table.write_action(workspace, &done).await {
        // Somebody else did it at the same time, or undid it.
        Ok(_) | Err(StoreError::Conflict) => Ok(Carried { event }),
        Err(error) => Err(error),
    }
}
