//! How many test mails a workspace sent in an hour: whoever is signed in can send one to any address.

use aws_sdk_dynamodb::types::Update;
use barometer_domain::WorkspaceId;
use chrono::{DateTime, Utc};

use super::{StoreError, Table, item, keys};

/// Most test mails of a workspace in one hour of the clock.
pub const MOST_AN_HOUR: u32 = 20;

const TEST_MAILS: &str = "test-mails";

impl Table {
    /// Takes one of the hour's test mails. Returns whether there was one left.
    pub async fn take_test_mail(
        &self,
        workspace: &WorkspaceId,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let hour = now.timestamp().div_euclid(3_600);
        let count = |expression: &str, condition: &str| {
            Update::builder()
                .table_name(&self.name)
                .set_key(Some(item::key(keys::settings(workspace), TEST_MAILS.to_owned())))
                .update_expression(expression)
                .condition_expression(condition)
                .expression_attribute_values(":one", item::number(1))
                .expression_attribute_values(":hour", item::number(hour))
        };
        let another = count("ADD sent :one", "hour_number = :hour AND sent < :most")
            .expression_attribute_values(":most", item::number(MOST_AN_HOUR))
            .build()?;
        match self.apply(another).await {
            Ok(()) => return Ok(true),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
        let first =
            count("SET hour_number = :hour, sent = :one", "attribute_not_exists(pk) OR hour_number < :hour");
        match self.apply(first.build()?).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
