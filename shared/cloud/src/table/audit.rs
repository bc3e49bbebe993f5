//! The audit: who changed what, when, from what to what.
//!
//! An entry is written in the transaction of its change: [`Table::recording`] gives the table whose next write takes
//! the entry along. It is put only where there is none, and nothing updates or deletes one; it has no TTL either.
//! The partition is the workspace's month in UTC, the sort key `<instant>#<id>`. What was changed of a company lies a
//! second time with the company, as `changed#<instant>#<id>`: its timeline couldn't find it among all others.
//!
//! Every write on behalf of a person:
//!
//! | action | subject | written by | from → to |
//! |---|---|---|---|
//! | `status.set` | company | `PUT …/status`, `POST /v1/companies/statuses` | the status with its note |
//! | `company.changed` | company | `PATCH /v1/companies/{id}` | the fields that changed |
//! | `settings.saved` | settings | `PUT /v1/settings` | the settings that changed, with both versions |
//! | `task.changed` | task | `PATCH /v1/tasks/{id}` | what changed of it |
//! | `alert.changed` | alert | `PATCH /v1/alerts/{id}` | what changed of it |
//! | `disagreement.changed` | disagreement | `PATCH /v1/disagreements/{id}` | what changed of it |
//! | `answer.voided` | answer | `POST /v1/feedback/{id}/void` | nothing → the reason |
//! | `source.created` | source | `POST /v1/sources`, the page of sources | nothing → name and limits |
//! | `source.changed` | source | `PATCH /v1/sources/{id}`, the page | what changed of them |
//! | `source.rotated` | source | `POST /v1/sources/{id}/rotate`, the page | when older keys end; never a key |
//! | `source.deleted` | source | `DELETE /v1/sources/{id}` | name and limits → nothing |
//! | `api_token.created` | api_token | `POST /v1/api-tokens` | nothing → label, scope, end |
//! | `api_token.revoked` | api_token | `DELETE /v1/api-tokens/{id}` | label, scope, end → nothing |
//! | `member.added` | member | `POST /v1/members` | nothing → address, name, role |
//! | `member.changed` | member | `PATCH /v1/members/{id}` | what changed of them |
//! | `member.removed` | member | `DELETE /v1/members/{id}` | address, name, role → nothing |
//! | `action.changed` | action | `PATCH /v1/actions/{id}` | its state and when it is due |
//! | `contact.changed` | user | `PATCH …/users/{user_id}` | whether they are a primary contact |
//! | `user.erased` | user | `DELETE …/users/{user_id}` | nothing; the subject is the alias that stands for the person now |
//! | `webhook.created` | webhook | `POST /v1/webhooks` | nothing → the endpoint, without what is secret |
//! | `webhook.changed` | webhook | `PATCH /v1/webhooks/{id}` | what changed of it |
//! | `webhook.rotated` | webhook | `POST /v1/webhooks/{id}/rotate` | until when the older secret signs |
//! | `webhook.deleted` | webhook | `DELETE /v1/webhooks/{id}` | the endpoint → nothing |
//! | `mail.tested` | mail | the page of mails | nothing → the language; never the address |
//! | `sign_in`, `sign_out` | session | the page's sign-in and sign-out | nothing → by token, link or OpenID Connect |
//! | `session.ended` | session | the account page, for another browser | the browser → nothing |
//! | `sign_out.everywhere` | session | the account page | nothing → how many sessions ended |
//!
//! What a user says (answers, preferences) is the user's own and told as events; what the rules do by themselves
//! (alerts, disagreements, tasks, scores) is kept with its case or snapshot. Another action is one line in the list
//! below and one in this table.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use barometer_domain::{CompanyId, Month, WorkspaceId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Item, Range, StoreError, Table, item, keys};
use crate::workspaces;

/// Most bytes of what stood before or stands after: an item holds 400 KB, and settings can be large.
const MAX_SIDE: usize = 64 * 1024;

/// What the sort keys of a company's own changes begin with.
const CHANGED: &str = "changed#";

/// Members that no entry holds, wherever they stand.
const SECRET: [&str; 5] = ["secret", "token", "hash", "password", "email"];

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $text:literal of $kind:literal,)*) => {
        /// What somebody did.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        #[schemars(rename = "AuditAction")]
        pub enum Action {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
        }

        impl Action {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name on the wire, such as `status.set`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// What kind of thing it was done to.
            pub fn subject_kind(self) -> &'static str {
                match self {
                    $(Self::$name => $kind,)*
                }
            }
        }
    };
}

actions! {
    /// A business status was set or confirmed.
    StatusSet = "status.set" of "company",
    /// Fields of a company were changed.
    CompanyChanged = "company.changed" of "company",
    /// Settings were saved.
    SettingsSaved = "settings.saved" of "settings",
    /// A task was done, cancelled, put off, opened again or noted on.
    TaskChanged = "task.changed" of "task",
    /// An alert was acknowledged or resolved.
    AlertChanged = "alert.changed" of "alert",
    /// A disagreement was answered.
    DisagreementChanged = "disagreement.changed" of "disagreement",
    /// An answer was voided.
    AnswerVoided = "answer.voided" of "answer",
    /// A source was made.
    SourceCreated = "source.created" of "source",
    /// A source was changed, disabled or enabled.
    SourceChanged = "source.changed" of "source",
    /// A source got a new key.
    SourceRotated = "source.rotated" of "source",
    /// A source was deleted.
    SourceDeleted = "source.deleted" of "source",
    /// An API token was made.
    ApiTokenCreated = "api_token.created" of "api_token",
    /// An API token was ended.
    ApiTokenRevoked = "api_token.revoked" of "api_token",
    /// Somebody became a member of the workspace.
    MemberAdded = "member.added" of "member",
    /// A member got another name or role.
    MemberChanged = "member.changed" of "member",
    /// A member was removed.
    MemberRemoved = "member.removed" of "member",
    /// An action of a rule was undone, approved or repeated.
    ActionChanged = "action.changed" of "action",
    /// A user was made a primary contact, or is none any more.
    ContactChanged = "contact.changed" of "user",
    /// A person was erased; the subject is what stands for them since.
    UserErased = "user.erased" of "user",
    /// An endpoint of webhooks was made.
    WebhookCreated = "webhook.created" of "webhook",
    /// An endpoint of webhooks was changed, disabled or enabled.
    WebhookChanged = "webhook.changed" of "webhook",
    /// An endpoint of webhooks got a new secret.
    WebhookRotated = "webhook.rotated" of "webhook",
    /// A test was sent to an endpoint of webhooks.
    WebhookTested = "webhook.tested" of "webhook",
    /// An endpoint of webhooks was deleted.
    WebhookDeleted = "webhook.deleted" of "webhook",
    /// A test mail was asked for.
    MailTested = "mail.tested" of "mail",
    /// Somebody signed in at the page.
    SignedIn = "sign_in" of "session",
    /// Somebody signed out.
    SignedOut = "sign_out" of "session",
    /// Somebody ended their session in another browser.
    SessionEnded = "session.ended" of "session",
    /// Somebody ended all of their sessions.
    SignedOutEverywhere = "sign_out.everywhere" of "session",
}

/// What something was done to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "AuditSubject")]
pub struct Subject {
    /// Its kind, such as `company`.
    pub kind: String,
    /// Its id.
    pub id: String,
}

/// One change, as it stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Who: the author of the credential, or `barometer`.
    pub by: String,
    /// What was done.
    pub action: Action,
    /// To what.
    pub subject: Subject,
    /// The company that it belongs to.
    #[serde(default)]
    pub company_id: Option<CompanyId>,
    /// What changed, as it was; null when there was nothing.
    #[serde(with = "as_json")]
    pub from: Value,
    /// What changed, as it is; null when there is nothing.
    #[serde(with = "as_json")]
    pub to: Value,
}

/// One JSON text: nulls inside are kept.
mod as_json {
    use serde::{Deserialize, Deserializer, Serializer, de};
    use serde_json::Value;

    pub fn serialize<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&value.to_string())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        serde_json::from_str(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl Entry {
    /// Begins an entry: somebody did something to the thing with an id. Errors: the operating system has no random
    /// numbers for the entry's own id.
    pub fn new(
        action: Action,
        subject: impl Into<String>,
        by: &str,
        at: DateTime<Utc>,
    ) -> Result<Self, StoreError> {
        let id = workspaces::random_id().map_err(|error| StoreError::Unavailable(error.into()))?;
        Ok(Self {
            id,
            at,
            by: by.to_owned(),
            action,
            subject: Subject { kind: action.subject_kind().to_owned(), id: subject.into() },
            company_id: None,
            from: Value::Null,
            to: Value::Null,
        })
    }

    /// Of a company, or of none.
    #[must_use]
    pub fn of(mut self, company: Option<&CompanyId>) -> Self {
        self.company_id = company.cloned();
        self
    }

    /// From what to what: of two objects only what differs is kept.
    pub fn change(mut self, from: &impl Serialize, to: &impl Serialize) -> Result<Self, StoreError> {
        let (from, to) = difference(serde_json::to_value(from)?, serde_json::to_value(to)?);
        (self.from, self.to) = (kept(from), kept(to));
        Ok(self)
    }

    /// Whether it tells of no change.
    pub fn changes_nothing(&self) -> bool {
        self.from == self.to
    }

    /// Its place among all of the workspace.
    pub fn place(&self) -> String {
        format!("{}#{}", keys::instant(self.at), self.id)
    }
}

/// What differs of two values, on either side; members that are the same are in neither.
fn difference(from: Value, to: Value) -> (Value, Value) {
    let (Value::Object(from), Value::Object(mut to)) = (&from, to.clone()) else { return (from, to) };
    let (mut before, mut after) = (Map::new(), Map::new());
    for (name, was) in from {
        match to.remove(name) {
            Some(is) if is == *was => {}
            Some(is) => {
                let (was, is) = difference(was.clone(), is);
                before.insert(name.clone(), was);
                after.insert(name.clone(), is);
            }
            None => {
                before.insert(name.clone(), was.clone());
            }
        }
    }
    after.extend(to);
    (before.into(), after.into())
}

/// Without what mustn't be kept, and not larger than an item can be.
fn kept(mut side: Value) -> Value {
    conceal(&mut side);
    let bytes = side.to_string().len();
    if bytes > MAX_SIDE { serde_json::json!({ "too_large": bytes }) } else { side }
}

fn conceal(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !SECRET.contains(&name.as_str()));
            members.values_mut().for_each(conceal);
        }
        Value::Array(items) => items.iter_mut().for_each(conceal),
        _ => {}
    }
}

fn partition(workspace: &WorkspaceId, month: &str) -> String {
    format!("{workspace}#audit#{month}")
}

/// Entries from an instant to before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first instant.
    pub from: DateTime<Utc>,
    /// The first instant that isn't in it any more.
    pub to: DateTime<Utc>,
}

impl Span {
    /// The months that it touches.
    fn months(self, newest_first: bool) -> Vec<String> {
        let last = Month::of(self.to.date_naive());
        let months =
            std::iter::successors(Some(Month::of(self.from.date_naive())), |month| Some(month.next()));
        let mut months: Vec<String> =
            months.take_while(|month| *month <= last).map(|month| month.to_string()).collect();
        if newest_first {
            months.reverse();
        }
        months
    }
}

impl Table {
    /// The table whose next write takes an entry along, all or nothing. It is for one write: the entry can't be
    /// written twice.
    #[must_use]
    pub fn recording(&self, workspace: &WorkspaceId, entry: &Entry) -> Self {
        Self { record: Some(std::sync::Arc::new((workspace.clone(), entry.clone()))), ..self.clone() }
    }

    /// The part of a transaction that writes the entry.
    pub(super) fn record_put(
        &self,
        workspace: &WorkspaceId,
        entry: &Entry,
    ) -> Result<TransactWriteItem, StoreError> {
        let month = Month::of(entry.at.date_naive()).to_string();
        self.transact_put(item::write(partition(workspace, &month), entry.place(), entry)?, true)
    }

    /// The part of a transaction that writes the entry where its company's timeline finds it; nothing for what the
    /// timeline has from elsewhere.
    pub(super) fn record_with_company(
        &self,
        workspace: &WorkspaceId,
        entry: &Entry,
    ) -> Result<Option<TransactWriteItem>, StoreError> {
        let Some(company) = entry.company_id.as_ref().filter(|_| entry.action == Action::CompanyChanged)
        else {
            return Ok(None);
        };
        let sk = format!("{CHANGED}{}", entry.place());
        self.transact_put(item::write(keys::company(workspace, company), sk, entry)?, true).map(Some)
    }

    /// What was changed of a company from one instant to before another, the oldest first.
    pub async fn company_changes(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        [from, to]: [DateTime<Utc>; 2],
    ) -> Result<Vec<Entry>, StoreError> {
        let [from, to] = [from, to].map(|at| format!("{CHANGED}{}", keys::instant(at)));
        self.query_as(keys::company(workspace, company), Range::Between(from, to)).await
    }

    /// Entries of a span, up to `limit` behind a place, the newest or the oldest first; none at the end.
    pub async fn audit(
        &self,
        workspace: &WorkspaceId,
        span: Span,
        after: Option<&str>,
        newest_first: bool,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let mut found = Vec::new();
        let begun = |month: &String| match after.and_then(|after| after.get(..7)) {
            Some(reached) if newest_first => month.as_str() <= reached,
            Some(reached) => month.as_str() >= reached,
            None => true,
        };
        for month in span.months(newest_first).into_iter().filter(begun) {
            let pk = partition(workspace, &month);
            // A key is an instant and more, so it comes behind the bare instant at which the span ends.
            let (from, to) = (keys::instant(span.from), keys::instant(span.to));
            let mut behind = after
                .filter(|after| after.starts_with(&month))
                .map(|after| item::key(pk.clone(), after.to_owned()));
            while found.len() < limit {
                let page = self
                    .client
                    .query()
                    .table_name(&self.name)
                    .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
                    .expression_attribute_values(":pk", AttributeValue::S(pk.clone()))
                    .expression_attribute_values(":from", AttributeValue::S(from.clone()))
                    .expression_attribute_values(":to", AttributeValue::S(to.clone()))
                    .scan_index_forward(!newest_first)
                    .consistent_read(true)
                    .limit(i32::try_from(limit - found.len()).unwrap_or(i32::MAX))
                    .set_exclusive_start_key(behind.take())
                    .send()
                    .await?;
                found.extend(page.items.unwrap_or_default());
                behind = page.last_evaluated_key.filter(|key: &Item| !key.is_empty());
                if behind.is_none() {
                    break;
                }
            }
        }
        found.into_iter().map(item::read).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_kept() {
        let before = json!({ "a": 1, "b": { "c": 1, "d": [1] }, "gone": true, "same": { "x": null } });
        let after = json!({ "a": 2, "b": { "c": 1, "d": [2] }, "new": null, "same": { "x": null } });
        assert_eq!(
            difference(before, after),
            (
                json!({ "a": 1, "b": { "d": [1] }, "gone": true }),
                json!({ "a": 2, "b": { "d": [2] }, "new": null })
            )
        );
        assert_eq!(difference(Value::Null, json!({ "a": 1 })), (Value::Null, json!({ "a": 1 })));
        assert_eq!(difference(json!({ "a": 1 }), json!({ "a": 1 })), (json!({}), json!({})));
    }

    #[test]
    fn secrets_and_addresses_of_users_are_never_kept() {
        let side =
            json!({ "hooks": [{ "secret": "s", "url": "u" }], "token": "t", "hash": "h", "email": "e" });
        assert_eq!(kept(side), json!({ "hooks": [{ "url": "u" }] }));
    }

    #[test]
    fn what_an_item_could_not_hold_is_left_out_and_said() {
        let side = json!({ "catalogue": "x".repeat(MAX_SIDE) });
        assert!(kept(side)["too_large"].as_u64() > Some(MAX_SIDE as u64));
    }
}
