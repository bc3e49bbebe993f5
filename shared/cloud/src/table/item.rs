//! Items to and from Rust values.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};

use super::{Item, StoreError};

/// The key of an item.
pub fn key(pk: String, sk: String) -> Item {
    Item::from([("pk".to_owned(), AttributeValue::S(pk)), ("sk".to_owned(), AttributeValue::S(sk))])
}

/// A value as an item with its key.
pub fn write(pk: String, sk: String, value: &impl Serialize) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(value)?;
    // Null and absent mean the same to us; absent costs nothing.
    item.retain(|_, value| !value.is_null());
    item.extend(key(pk, sk));
    Ok(item)
}

/// A value from an item; attributes that it doesn't know, the keys among them, are ignored.
pub fn read<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    Ok(serde_dynamo::from_item(item)?)
}

/// One value as an attribute.
pub fn value(value: &impl Serialize) -> Result<AttributeValue, StoreError> {
    Ok(serde_dynamo::to_attribute_value(value)?)
}

/// A text attribute.
pub fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A number attribute.
pub fn number(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// The table's TTL attribute for an instant.
pub fn expiry(at: DateTime<Utc>) -> AttributeValue {
    number(at.timestamp())
}

/// A text attribute of an item.
pub(super) fn get_text<'a>(item: &'a Item, name: &str) -> Result<&'a str, StoreError> {
    match item.get(name) {
        Some(AttributeValue::S(text)) => Ok(text),
        _ => Err(StoreError::Corrupt(format!("an item has no text {name}").into())),
    }
}
