//! What the home itself must remember (its clock, mails, bus events), as JSON documents in a table of its
//! own beside the product's.
//!
//! | pk | sk | document |
//! |---|---|---|
//! | `home` | `state` | clock and schedule cursors |
//! | `home` | `link-keys` | the keys of signed links |
//! | `mail` | number | one mail |
//! | `bus` | number | one event's envelope |
//! | `pending` | number | the same, while it is not delivered |
//! | `queue` | number | a message that waits in a queue |
//! | `outgoing` | message id | a mail that waits for a mail server |
//! | `dead` | number | a delivery that was given up |

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, Put, ScalarAttributeType,
    TransactWriteItem,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

const TABLE: &str = "barometer-home";

/// Why a document couldn't be kept or read.
#[derive(Debug, Error)]
pub enum RecordError {
    /// The store refused.
    #[error("the home's records: {0}")]
    Store(Box<aws_sdk_dynamodb::Error>),
    /// A request couldn't be put together.
    #[error("the home's records")]
    Request(#[from] aws_sdk_dynamodb::error::BuildError),
    /// The system has no randomness.
    #[error("the home's records: {0}")]
    Random(getrandom::Error),
    /// A document that isn't what it was.
    #[error("a document of the home's records")]
    Document(#[from] serde_json::Error),
}

impl<E> From<E> for RecordError
where
    E: Into<aws_sdk_dynamodb::Error> + IsSdkError,
{
    fn from(error: E) -> Self {
        Self::Store(Box::new(error.into()))
    }
}

/// Keeps the conversion above apart from the other error types.
trait IsSdkError {}
impl<E> IsSdkError for aws_sdk_dynamodb::error::SdkError<E> {}

/// One document to write.
#[derive(Debug, Clone)]
pub struct Record {
    pk: &'static str,
    sk: String,
    document: String,
}

impl Record {
    /// A document under its key.
    ///
    /// # Errors
    /// When it has no JSON form.
    pub fn new(
        pk: &'static str,
        sk: impl Into<String>,
        document: &impl Serialize,
    ) -> Result<Self, RecordError> {
        Ok(Self { pk, sk: sk.into(), document: serde_json::to_string(document)? })
    }

    fn item(self) -> HashMap<String, AttributeValue> {
        let mut item = key(self.pk, self.sk);
        item.insert("document".to_owned(), AttributeValue::S(self.document));
        item
    }
}

/// The home's own table.
#[derive(Debug, Clone)]
pub struct Records {
    client: Client,
}

/// A sort key that keeps numbers in order.
#[must_use]
pub fn numbered(number: u64) -> String {
    format!("{number:012}")
}

impl Records {
    /// Opens the table, making it when it isn't there.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn open(client: Client) -> Result<Self, RecordError> {
        let tables = client.list_tables().send().await?;
        if !tables.table_names().iter().any(|name| name == TABLE) {
            let attribute = |name: &str| {
                AttributeDefinition::builder()
                    .attribute_name(name)
                    .attribute_type(ScalarAttributeType::S)
                    .build()
            };
            let part =
                |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
            client
                .create_table()
                .table_name(TABLE)
                .billing_mode(BillingMode::PayPerRequest)
                .attribute_definitions(attribute("pk")?)
                .attribute_definitions(attribute("sk")?)
                .key_schema(part("pk", KeyType::Hash)?)
                .key_schema(part("sk", KeyType::Range)?)
                .send()
                .await?;
        }
        Ok(Self { client })
    }

    /// Writes one document over whatever was under its key.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn put(&self, record: Record) -> Result<(), RecordError> {
        self.client.put_item().table_name(TABLE).set_item(Some(record.item())).send().await?;
        Ok(())
    }

    /// Writes up to a hundred documents, all or none.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn put_all(&self, records: Vec<Record>) -> Result<(), RecordError> {
        let mut request = self.client.transact_write_items();
        for record in records {
            let put = Put::builder().table_name(TABLE).set_item(Some(record.item())).build()?;
            request = request.transact_items(TransactWriteItem::builder().put(put).build());
        }
        request.send().await?;
        Ok(())
    }

    /// Reads one document.
    ///
    /// # Errors
    /// When the store refuses or the document has another form.
    pub async fn get<T: DeserializeOwned>(&self, pk: &str, sk: &str) -> Result<Option<T>, RecordError> {
        let found = self
            .client
            .get_item()
            .table_name(TABLE)
            .set_key(Some(key(pk, sk.to_owned())))
            .consistent_read(true)
            .send()
            .await?;
        found.item().map(document).transpose()
    }

    /// Removes one document, if it is there.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn delete(&self, pk: &str, sk: &str) -> Result<(), RecordError> {
        self.client.delete_item().table_name(TABLE).set_key(Some(key(pk, sk.to_owned()))).send().await?;
        Ok(())
    }

    /// Reads all documents of a kind in the order of their keys.
    ///
    /// # Errors
    /// When the store refuses or a document has another form.
    pub async fn list<T: DeserializeOwned>(&self, pk: &str) -> Result<Vec<(String, T)>, RecordError> {
        let mut found = Vec::new();
        let mut from = None;
        loop {
            let page = self.query(pk).set_exclusive_start_key(from).send().await?;
            for item in page.items() {
                found.push((text(item, "sk").to_owned(), document(item)?));
            }
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(found);
            }
        }
    }

    /// The number after the highest that is in use.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn next_number(&self, pk: &str) -> Result<u64, RecordError> {
        let last = self.query(pk).scan_index_forward(false).limit(1).send().await?;
        let number = last.items().first().and_then(|item| text(item, "sk").parse::<u64>().ok());
        Ok(number.map_or(1, |n| n + 1))
    }

    fn query(&self, pk: &str) -> aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder {
        self.client
            .query()
            .table_name(TABLE)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
            .consistent_read(true)
    }
}

fn key(pk: &str, sk: String) -> HashMap<String, AttributeValue> {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(pk.to_owned())),
        ("sk".to_owned(), AttributeValue::S(sk)),
    ])
}

fn text<'a>(item: &'a HashMap<String, AttributeValue>, name: &str) -> &'a str {
    item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

fn document<T: DeserializeOwned>(item: &HashMap<String, AttributeValue>) -> Result<T, RecordError> {
    Ok(serde_json::from_str(text(item, "document"))?)
}
