//! The single table: keys, items and every access to them, one module per kind of item.
//!
//! `pk` and `sk` are strings. Every key begins with the workspace, so one tenant can't name another's item;
//! the exceptions are what a workspace is found *by* (a credential's hash, a signed link's send id, the hash of somebody's
//! address or of a sign-in link's code), and limits, which hold before anybody is known. The
//! sparse index `work` (`work_pk`, `work_sk`, keys only) holds what is to be done; an item leaves it by losing
//! the two attributes. `expires_at` is the table's TTL attribute, in Unix seconds.
//!
//! | item | pk | sk | module |
//! |---|---|---|---|
//! | workspace | `workspaces` | `<ws>` | [`workspaces`](crate::workspaces) |
//! | credential | `credential#<SHA-256>` | `credential` | [`credentials`] |
//! | list of credentials | `<ws>#credentials` | `<kind>#<id>` | [`credentials`] |
//! | source (a write key's settings) | `<ws>#credentials` | `write_key#<id>` | [`sources`] |
//! | what came from a source on a UTC day | `<ws>#source#<id>` | `day#<date>` | [`sources`] |
//! | why it was not taken | `<ws>#source#<id>` | `reason#<date>#<unit>#<code>` | [`sources`] |
//! | member of the workspace | `<ws>#team` | `<member id>` | [`team`] |
//! | where an e-mail address is a member's | `address#<SHA-256>` | `<ws>` | [`team`] |
//! | signed-in browser | `<ws>#sessions` | `member:<id>#<id>`, `token:<id>#<id>` | [`sessions`] |
//! | link that signs in | `sign-in#<SHA-256>` | `sign-in` | [`sign_ins`] |
//! | how often somebody did something | `limit#<what>#<SHA-256>` | `<window>` | [`limits`] |
//! | settings, current and versions | `<ws>#settings` | `current`, `v#<version>` | [`settings`] |
//! | how many test mails went out in an hour | `<ws>#settings` | `test-mails` | [`test_mails`] |
//! | company (= a row of the portfolio) | `<ws>#companies` | `<company>` | [`companies`] |
//! | arrangement of the portfolio that is read | `<ws>#arranged` | `head` | [`arranged`] |
//! | mark: a row may have changed since | `<ws>#arranged` | `touched#<company>` | [`arranged`] |
//! | copies of rows that changed since | `<ws>#arranged` | `copies` | [`arranged`] |
//! | sheet of an order, and where each begins | `<ws>#arranged#<arrangement>#<order>` | `sheet#<number>`, `contents` | [`arranged`] |
//! | member | `<ws>#company#<company>` | `user#<user>` | [`members`] |
//! | activity of a user and day | `<ws>#company#<company>` | `act#<week>#<user>#<day>` | [`activity`] |
//! | weekly snapshot | `<ws>#company#<company>` | `week#<week>#<revision>` | [`snapshots`] |
//! | monthly snapshot | `<ws>#company#<company>` | `month#<month>#<revision>` | [`snapshots`] |
//! | status change | `<ws>#company#<company>` | `status#<instant>#<id>` | [`statuses`] |
//! | answer | `<ws>#company#<company>` | `answer#<instant>#<hash>` | [`answers`] |
//! | mark of an answer that came as an event | `<ws>#company#<company>` | `answered#<hash>` | [`answers`] |
//! | ask (one planned mail) | `<ws>#company#<company>` | `ask#<send id>` | [`asks`] |
//! | where an ask lies | `send#<send id>` | `send` | [`asks`] |
//! | mails of an hour, counted | `<ws>#mails` | `<hour>#<shard>` | [`mailing`] |
//! | user | `<ws>#user#<user>` | `who` | [`users`] |
//! | group memory, four weeks an item | `<ws>#user#<user>` | `who#group#<number>#<company>` | [`users`] |
//! | id that turned out to be theirs | `<ws>#user#<user>` | `who#joined#<user>` | [`users`] |
//! | company where the id was active | `<ws>#user#<user>` | `who#seat#<company>` | [`users`] |
//! | activity without a company yet | `<ws>#user#<user>` | `who#loose#<week>` | [`users`] |
//! | answer without a company yet | `<ws>#user#<user>` | `who#answer#<hash>` | [`users`] |
//! | erasure that isn't through yet | `<ws>#erasures` | `<user>` | [`erasures`] |
//! | packed log of one request | `<ws>#log#<day>#<shard>` | `<hash>#<part>` | [`log`] |
//! | alert | `<ws>#company#<company>`, `<ws>#cases` | `alert#<rule>#<number>` | [`cases`] |
//! | disagreement | `<ws>#company#<company>` | `disagreement#readings#<number>` | [`cases`] |
//! | task | `<ws>#company#<company>` | `task#<subject>#<number>` | [`cases`] |
//! | action of a rule | `<ws>#company#<company>` | `action#<instant>#<firing>#<number>` | [`actions`] |
//! | a rule's silence at a company | `<ws>#company#<company>` | `rule#<rule>` | [`actions`] |
//! | firing, in the log of a rule | `<ws>#rule#<rule>` | `<instant>#<key>` | [`actions`] |
//! | where an action's mail belongs | `send#<send id>` | `send` | [`actions`] |
//! | how far a shard of a run is | `<ws>#run#<run>` | `shard#<shard>#<step>` | [`runs`] |
//! | overview of a week or month | `<ws>#overviews` | `week#<week>#<1 or 2>`, `month#<month>#<basis>` | [`overviews`] |
//! | digest of a CSM and day | `<ws>#digests` | `<day>#<owner's hash>` | [`digests`] |
//! | who changed what | `<ws>#audit#<month>` | `<instant>#<id>` | [`audit`] |
//! | what was changed of a company | `<ws>#company#<company>` | `changed#<instant>#<id>` | [`audit`] |
//! | outbox | `<ws>#outbox` | `<event id>` | [`outbox`] |
//! | run of a schedule | `<ws>#runs` | `week#<week>#<pass>`, `month#<month>#<basis>` | [`runs`] |
//! | endpoint of webhooks | `<ws>#webhooks` | `<id>` | [`webhooks`] |
//! | answer to an `Idempotency-Key` | `<ws>#idempotency#<hash>` | `answer` | [`idempotency`] |
//!
//! | index `work` | work_pk | work_sk |
//! |---|---|---|
//! | companies to score | `<ws>#score#<shard>` | `<company>` |
//! | alerts, disagreements, tasks | `<ws>#alert#live`, `<ws>#alert#closed`, … | `<instant>#<id>` |
//! | actions of rules | `<ws>#action#due`, `<ws>#action#approval`, `<ws>#action#closed` | `<instant>#<id>` |
//! | the latest answers | `<ws>#answers` | `<instant>#<hash>` |
//! | users whose turn it is | `due#<shard>` | `<instant>#<ws>#<company>` |

pub mod actions;
pub mod activity;
pub mod answers;
pub mod arranged;
pub mod asks;
pub mod audit;
pub mod cases;
pub mod companies;
pub mod credentials;
pub mod digests;
pub mod erasures;
mod error;
pub mod idempotency;
pub mod item;
mod keys;
pub mod limits;
pub mod log;
pub mod mailing;
pub mod members;
pub mod outbox;
pub mod overviews;
mod packing;
pub mod rebuild;
pub mod runs;
pub mod sessions;
pub mod settings;
pub mod sign_ins;
pub mod snapshots;
pub mod sources;
pub mod statuses;
pub mod team;
pub mod test_mails;
pub mod users;
pub mod webhooks;

use std::{collections::HashMap, sync::Arc};

use aws_sdk_dynamodb::{
    Client,
    operation::update_item::builders::UpdateItemFluentBuilder,
    types::{
        AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType,
        Projection, ProjectionType, ScalarAttributeType, TimeToLiveSpecification, TransactWriteItem, Update,
    },
};
use barometer_domain::{IsoWeek, WorkspaceId};
use serde::de::DeserializeOwned;

use crate::workspaces::Workspace;
use credentials::Credential;
use settings::SettingsVersion;

pub use error::StoreError;
pub use keys::instant as instant_key;

/// An item as DynamoDB has it.
pub type Item = HashMap<String, AttributeValue>;

/// Name of the sparse index of work lists.
pub const WORK_INDEX: &str = "work";

/// The table of a deployment.
#[derive(Debug, Clone)]
pub struct Table {
    client: Client,
    name: String,
    /// What the next write takes along.
    record: Option<Arc<(WorkspaceId, audit::Entry)>>,
}

/// A write whose condition failed because what it would bring is there already is done.
fn or_done<T, E: Into<StoreError>>(written: Result<T, E>) -> Result<(), StoreError> {
    match written.map_err(Into::into) {
        Ok(_) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Which items of a partition a query reads.
enum Range {
    All,
    Prefix(String),
    Between(String, String),
}

impl Table {
    /// The table `name`, reached through `client`.
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into(), record: None }
    }

    /// The SDK client under the table.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The table's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Makes the table as `infra/template.yaml` describes it, for the one-machine home and tests. A table that
    /// exists is left as it is.
    pub async fn create(&self) -> Result<(), StoreError> {
        let attribute = |name: &str| {
            AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build()
        };
        let key = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
        let index = GlobalSecondaryIndex::builder()
            .index_name(WORK_INDEX)
            .key_schema(key("work_pk", KeyType::Hash)?)
            .key_schema(key("work_sk", KeyType::Range)?)
            .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
            .build()?;
        let made = self
            .client
            .create_table()
            .table_name(&self.name)
            .billing_mode(BillingMode::PayPerRequest)
            .attribute_definitions(attribute("pk")?)
            .attribute_definitions(attribute("sk")?)
            .attribute_definitions(attribute("work_pk")?)
            .attribute_definitions(attribute("work_sk")?)
            .key_schema(key("pk", KeyType::Hash)?)
            .key_schema(key("sk", KeyType::Range)?)
            .global_secondary_indexes(index)
            .send()
            .await;
        if let Err(error) = made {
            if error.as_service_error().is_some_and(|error| error.is_resource_in_use_exception()) {
                return Ok(());
            }
            return Err(error.into());
        }
        let ttl = TimeToLiveSpecification::builder().attribute_name("expires_at").enabled(true).build()?;
        self.client
            .update_time_to_live()
            .table_name(&self.name)
            .time_to_live_specification(ttl)
            .send()
            .await?;
        Ok(())
    }

    async fn get<T: DeserializeOwned>(&self, pk: String, sk: String) -> Result<Option<T>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(item::key(pk, sk)))
            .consistent_read(true)
            .send()
            .await?;
        answer.item.map(item::read).transpose()
    }

    async fn query(&self, pk: String, range: Range, consistent: bool) -> Result<Vec<Item>, StoreError> {
        let (condition, values) = match range {
            // Not an empty prefix: DynamoDB refuses empty text in a key condition.
            Range::All => ("pk = :pk", vec![]),
            Range::Prefix(prefix) => ("pk = :pk AND begins_with(sk, :a)", vec![(":a", prefix)]),
            Range::Between(from, to) => ("pk = :pk AND sk BETWEEN :a AND :b", vec![(":a", from), (":b", to)]),
        };
        let mut request = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression(condition)
            .expression_attribute_values(":pk", AttributeValue::S(pk))
            .consistent_read(consistent);
        for (name, value) in values {
            request = request.expression_attribute_values(name, AttributeValue::S(value));
        }
        let mut pages = request.into_paginator().send();
        let mut items = Vec::new();
        while let Some(page) = pages.next().await {
            items.extend(page?.items.unwrap_or_default());
        }
        Ok(items)
    }

    async fn query_as<T: DeserializeOwned>(&self, pk: String, range: Range) -> Result<Vec<T>, StoreError> {
        self.query(pk, range, false).await?.into_iter().map(item::read).collect()
    }

    /// Up to `limit` items of a partition whose sort key has `prefix`, from its first or last.
    async fn first(
        &self,
        pk: String,
        prefix: String,
        forward: bool,
        limit: i32,
    ) -> Result<Vec<Item>, StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("pk = :pk AND begins_with(sk, :a)")
            .expression_attribute_values(":pk", AttributeValue::S(pk))
            .expression_attribute_values(":a", AttributeValue::S(prefix))
            .scan_index_forward(forward)
            .limit(limit)
            .send()
            .await?;
        Ok(answer.items.unwrap_or_default())
    }

    /// Up to `limit` entries of a work list from its first or last, whose sort key compares with a bound as the
    /// operator says.
    async fn work_list(
        &self,
        list: String,
        bound: Option<(&str, String)>,
        forward: bool,
        limit: i32,
    ) -> Result<Vec<Item>, StoreError> {
        let mut request = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(WORK_INDEX)
            .key_condition_expression("work_pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(list))
            .scan_index_forward(forward)
            .limit(limit);
        if let Some((operator, bound)) = bound {
            request = request
                .key_condition_expression(format!("work_pk = :pk AND work_sk {operator} :bound"))
                .expression_attribute_values(":bound", AttributeValue::S(bound));
        }
        Ok(request.send().await?.items.unwrap_or_default())
    }

    /// An update of one item, to be completed.
    fn update(&self, pk: String, sk: String) -> UpdateItemFluentBuilder {
        self.takes_nothing_along();
        self.client.update_item().table_name(&self.name).set_key(Some(item::key(pk, sk)))
    }

    /// Puts an item. With `new`, only when there is none with its key. Errors: [`StoreError::Conflict`] then.
    async fn put(&self, item: Item, new: bool) -> Result<(), StoreError> {
        self.takes_nothing_along();
        let mut request = self.client.put_item().table_name(&self.name).set_item(Some(item));
        if new {
            request = request.condition_expression("attribute_not_exists(pk)");
        }
        request.send().await?;
        Ok(())
    }

    async fn delete(&self, pk: String, sk: String) -> Result<(), StoreError> {
        self.takes_nothing_along();
        self.client.delete_item().table_name(&self.name).set_key(Some(item::key(pk, sk))).send().await?;
        Ok(())
    }

    /// A write outside of a transaction would lose what is to be recorded with it.
    fn takes_nothing_along(&self) {
        debug_assert!(self.record.is_none(), "an entry goes with a transaction");
    }

    /// Updates one item, in a transaction when something is to be recorded with it.
    async fn apply(&self, update: Update) -> Result<(), StoreError> {
        if self.record.is_some() {
            return self.transact(vec![TransactWriteItem::builder().update(update).build()]).await;
        }
        self.client
            .update_item()
            .table_name(update.table_name)
            .set_key(Some(update.key))
            .update_expression(update.update_expression)
            .set_condition_expression(update.condition_expression)
            .set_expression_attribute_names(update.expression_attribute_names)
            .set_expression_attribute_values(update.expression_attribute_values)
            .send()
            .await?;
        Ok(())
    }

    /// Writes all or nothing, with what is to be recorded. Errors: [`StoreError::Conflict`] when a condition fails or another transaction
    /// holds an item.
    async fn transact(&self, mut writes: Vec<TransactWriteItem>) -> Result<(), StoreError> {
        if let Some((workspace, entry)) = self.record.as_deref() {
            writes.push(self.record_put(workspace, entry)?);
            writes.extend(self.record_with_company(workspace, entry)?);
        }
        self.client.transact_write_items().set_transact_items(Some(writes)).send().await?;
        Ok(())
    }

    fn transact_put(&self, item: Item, new: bool) -> Result<TransactWriteItem, StoreError> {
        let mut put = aws_sdk_dynamodb::types::Put::builder().table_name(&self.name).set_item(Some(item));
        if new {
            put = put.condition_expression("attribute_not_exists(pk)");
        }
        Ok(TransactWriteItem::builder().put(put.build()?).build())
    }

    /// Writes a workspace, its first settings, credentials and member, all or nothing. Errors:
    /// [`StoreError::Conflict`] when one of the credentials is taken.
    pub(crate) async fn create_workspace(
        &self,
        workspace: &Workspace,
        settings: &SettingsVersion,
        credentials: [(&str, &Credential); 2],
        admin: Option<&team::Member>,
    ) -> Result<(), StoreError> {
        let id = &workspace.workspace_id;
        let pk = keys::settings(id);
        let mut writes = vec![
            self.transact_put(item::write("workspaces".to_owned(), id.to_string(), workspace)?, true)?,
            self.transact_put(item::write(pk.clone(), "v#0000000001".to_owned(), settings)?, true)?,
            self.transact_put(item::write(pk, "current".to_owned(), settings)?, true)?,
        ];
        for (secret, credential) in credentials {
            writes.extend(self.credential_writes(secret, credential)?);
        }
        if let Some(admin) = admin {
            writes.extend(self.member_writes(admin)?);
        }
        self.transact(writes).await
    }

    /// Notes that a workspace has events in a week; the earliest one stays.
    pub async fn note_first_week(&self, workspace: &WorkspaceId, week: IsoWeek) -> Result<(), StoreError> {
        let noted = self
            .update("workspaces".to_owned(), workspace.to_string())
            .update_expression("SET first_week = :week")
            .condition_expression(
                "attribute_exists(pk) AND (attribute_not_exists(first_week) OR first_week > :week)",
            )
            .expression_attribute_values(":week", item::value(&week)?)
            .send()
            .await;
        or_done(noted)
    }

    /// All workspaces: the schedules go through them.
    pub async fn workspaces(&self) -> Result<Vec<Workspace>, StoreError> {
        self.query_as("workspaces".to_owned(), Range::All).await
    }
}
