//! Deletes what has expired. The embedded store would do so by the machine's clock; here the home's counts.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use barometer_cloud::Table;
use chrono::{DateTime, Utc};

/// Deletes every item of the product's table whose `expires_at` lies at or before `now`, and answers how many
/// there were. Reads the whole table, as only a home on one machine may.
///
/// # Errors
/// When the store refuses.
pub async fn sweep(table: &Table, now: DateTime<Utc>) -> Result<usize, aws_sdk_dynamodb::Error> {
    let now = AttributeValue::N(now.timestamp().to_string());
    let mut expired = 0;
    let mut from = None;
    loop {
        let page = table
            .client()
            .scan()
            .table_name(table.name())
            .filter_expression("expires_at <= :now")
            .projection_expression("pk, sk")
            .expression_attribute_values(":now", now.clone())
            .set_exclusive_start_key(from)
            .send()
            .await?;
        for key in page.items() {
            if delete(table, key.clone(), &now).await? {
                expired += 1;
            }
        }
        from = page.last_evaluated_key;
        if from.is_none() {
            return Ok(expired);
        }
    }
}

/// Unless the item was given a longer life meanwhile.
async fn delete(
    table: &Table,
    key: HashMap<String, AttributeValue>,
    now: &AttributeValue,
) -> Result<bool, aws_sdk_dynamodb::Error> {
    let deleted = table
        .client()
        .delete_item()
        .table_name(table.name())
        .set_key(Some(key))
        .condition_expression("expires_at <= :now")
        .expression_attribute_values(":now", now.clone())
        .send()
        .await;
    match deleted {
        Ok(_) => Ok(true),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}
