//! The AWS calls that each function made, in the words of a policy: what its role on AWS has to allow.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use serde_json::Value;

tokio::task_local! {
    /// The function that this task runs.
    static RUNNING: &'static str;
}

/// Runs `work` as that of a function: the calls it makes are the function's.
pub async fn as_function<F: Future>(name: &'static str, work: F) -> F::Output {
    RUNNING.scope(name, work).await
}

/// What a call needs in a policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// The action: `dynamodb:GetItem`.
    pub action: String,
    /// What is acted on: `table`, `table/index/work`, `bus` or `mail`.
    pub resource: String,
}

impl Permission {
    /// A permission.
    #[must_use]
    pub fn new(action: &str, resource: &str) -> Self {
        Self { action: action.to_owned(), resource: resource.to_owned() }
    }

    /// What a call needs, by its path, its `x-amz-target` and its body. A call of another service than those that
    /// functions use, or of another operation, is an action of its own name, which no policy allows.
    #[must_use]
    pub fn of(path: &str, target: Option<&str>, body: &[u8]) -> Vec<Self> {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        match target.and_then(|target| target.split_once('.')) {
            Some(("DynamoDB_20120810", operation)) => of_table(operation, &body),
            Some(("AWSEvents", operation)) => vec![Self::new(&format!("events:{operation}"), bus(&body))],
            // AWS checks a mail that is given raw as `SendRawEmail`, whatever the operation is called.
            None if path.ends_with("/v2/email/outbound-emails") => {
                let raw = body.pointer("/Content/Raw").map(|_| Self::new("ses:SendRawEmail", "mail"));
                std::iter::once(Self::new("ses:SendEmail", "mail")).chain(raw).collect()
            }
            _ => vec![Self::new(target.unwrap_or(path), "")],
        }
    }
}

/// A transaction needs what its parts would need.
fn of_table(operation: &str, body: &Value) -> Vec<Permission> {
    let parts = match operation {
        "TransactWriteItems" => ["Put", "Update", "Delete", "ConditionCheck"].as_slice(),
        "TransactGetItems" => ["Get"].as_slice(),
        _ => {
            let index = body.get("IndexName").and_then(Value::as_str);
            let resource = index.map_or_else(|| "table".to_owned(), |index| format!("table/index/{index}"));
            return vec![Permission::new(&format!("dynamodb:{operation}"), &resource)];
        }
    };
    let items = body.get("TransactItems").and_then(Value::as_array).into_iter().flatten();
    items
        .flat_map(|item| parts.iter().filter(|part| item.get(**part).is_some()))
        .map(|part| Permission::new(&format!("dynamodb:{part}Item"), "table"))
        .collect()
}

/// The bus, if all that is put on it comes from where the policies ask it to come from.
fn bus(body: &Value) -> &'static str {
    let entries = body.get("Entries").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let ours = entries.iter().all(|entry| entry.get("Source").and_then(Value::as_str) == Some("barometer"));
    if ours { "bus" } else { "bus, with another source" }
}

/// What the functions of a home needed so far. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Calls(Arc<Mutex<BTreeSet<(&'static str, Permission)>>>);

impl Calls {
    /// Notes a call, if a function makes it and not the home itself.
    pub(crate) fn note(&self, request: &HttpRequest) {
        let Ok(function) = RUNNING.try_with(|function| *function) else { return };
        let path = request.uri().split('?').next().unwrap_or_default();
        let body = request.body().bytes().unwrap_or_default();
        let needed = Permission::of(path, request.headers().get("x-amz-target"), body);
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.extend(needed.into_iter().map(|permission| (function, permission)));
    }

    /// Every function with what it needed.
    #[must_use]
    pub fn made(&self) -> Vec<(&'static str, Permission)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn needed(path: &str, target: Option<&str>, body: &Value) -> Vec<String> {
        let permissions = Permission::of(path, target, body.to_string().as_bytes());
        permissions.into_iter().map(|needed| format!("{} on {}", needed.action, needed.resource)).collect()
    }

    #[test]
    fn a_query_needs_the_index_that_it_reads() {
        let of = |body: Value| needed("/", Some("DynamoDB_20120810.Query"), &body);
        assert_eq!(of(json!({ "TableName": "t" })), ["dynamodb:Query on table"]);
        assert_eq!(
            of(json!({ "TableName": "t", "IndexName": "work" })),
            ["dynamodb:Query on table/index/work"]
        );
    }

    #[test]
    fn a_transaction_needs_what_its_parts_need() {
        let body = json!({ "TransactItems": [{ "Put": {} }, { "ConditionCheck": {} }] });
        assert_eq!(
            needed("/", Some("DynamoDB_20120810.TransactWriteItems"), &body),
            ["dynamodb:PutItem on table", "dynamodb:ConditionCheckItem on table"]
        );
    }

    #[test]
    fn an_event_of_another_source_is_not_what_the_policies_allow() {
        let of = |source: &str| {
            needed("/", Some("AWSEvents.PutEvents"), &json!({ "Entries": [{ "Source": source }] }))
        };
        assert_eq!(of("barometer"), ["events:PutEvents on bus"]);
        assert_eq!(of("other"), ["events:PutEvents on bus, with another source"]);
    }

    #[test]
    fn a_raw_mail_needs_both_actions() {
        let of = |content: Value| needed("/v2/email/outbound-emails", None, &json!({ "Content": content }));
        assert_eq!(of(json!({ "Raw": {} })), ["ses:SendEmail on mail", "ses:SendRawEmail on mail"]);
        assert_eq!(of(json!({ "Simple": {} })), ["ses:SendEmail on mail"]);
    }
}
