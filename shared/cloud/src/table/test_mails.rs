//! How many test mails a workspace sent in an hour: whoever is signed in can send one to any address.

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
        let another = self
            .update(keys::settings(workspace), TEST_MAILS.to_owned())
            .update_expression("ADD sent :one")
            .condition_expression("hour_number = :hour AND sent < :most")
            .expression_attribute_values(":one", item::value(&1)?)
            .expression_attribute_values(":hour", item::value(&hour)?)
            .expression_attribute_values(":most", item::value(&MOST_AN_HOUR)?)
            .send()
            .await;
        match another.map_err(StoreError::from) {
            Ok(_) => return Ok(true),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
        let first = self
            .update(keys::settings(workspace), TEST_MAILS.to_owned())
            .update_expression("SET hour_number = :hour, sent = :one")
            .condition_expression("attribute_not_exists(pk) OR hour_number < :hour")
            .expression_attribute_values(":one", item::value(&1)?)
            .expression_attribute_values(":hour", item::value(&hour)?)
            .send()
            .await;
        match first.map_err(StoreError::from) {
            Ok(_) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
