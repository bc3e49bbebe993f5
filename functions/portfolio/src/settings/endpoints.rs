//! Whether the endpoints that rules name are there.

use barometer_cloud::{
    StoreError, Table,
    http::problem::FieldError,
    table::webhooks::{Kind, Webhook},
};
use barometer_domain::{
    WorkspaceId,
    automation::{Action, AutomationRule},
};

/// What is wrong with the endpoints that rules name: each is a webhook of the workspace, an event's a standard one and a
/// note's a chat. `at` is the pointer of the rule of a number.
pub async fn wrong(
    table: &Table,
    workspace: &WorkspaceId,
    rules: &[AutomationRule],
    at: impl Fn(usize) -> String,
) -> Result<Vec<FieldError>, StoreError> {
    let mut known: Option<Vec<Webhook>> = None;
    let mut errors = Vec::new();
    for (number, rule) in rules.iter().enumerate() {
        for (index, action) in rule.actions.iter().enumerate() {
            let (endpoint, kind) = match action {
                Action::Webhook { endpoint } => (endpoint, Kind::Standard),
                Action::Chat { endpoint, .. } => (endpoint, Kind::Chat),
                Action::Email { .. } | Action::Task { .. } | Action::Tag { .. } => continue,
            };
            if known.is_none() {
                known = Some(table.webhooks(workspace).await?);
            }
            let found = known.iter().flatten().find(|webhook| webhook.id == *endpoint);
            let detail = match found.map(|webhook| webhook.kind) {
                Some(found) if found == kind => continue,
                Some(Kind::Chat) => "this endpoint is a chat: it takes notes, with the action chat",
                Some(Kind::Standard) => "this endpoint takes events, with the action webhook",
                None => "names an endpoint of /v1/webhooks",
            };
            let pointer = format!("{}/actions/{index}/endpoint", at(number));
            errors.push(FieldError { pointer, detail: detail.to_owned() });
        }
    }
    Ok(errors)
}
