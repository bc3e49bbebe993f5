//! How often somebody may do something: counted in windows of the clock, one atomic write each.

use chrono::{DateTime, TimeDelta, Utc};

use super::{StoreError, Table, credentials::hash, item};

/// A limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// What is limited, for the key.
    pub name: &'static str,
    /// How often in a window.
    pub most: u32,
    /// How long a window is, in whole seconds.
    pub window: TimeDelta,
}

/// What a limit says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    /// Within the limit, and counted.
    Yes,
    /// Over it; the next window begins in so many seconds, at least one.
    After(u32),
}

impl Table {
    /// Counts that somebody does something, unless that would pass the limit. Who it is is kept as a hash only, until
    /// the window after.
    pub async fn allow(&self, limit: Limit, who: &str, now: DateTime<Utc>) -> Result<Allowed, StoreError> {
        let window = limit.window.num_seconds().max(1);
        let number = now.timestamp().div_euclid(window);
        let counted = self
            .update(format!("limit#{}#{}", limit.name, hash(who)), number.to_string())
            .update_expression("ADD #count :one SET expires_at = :end")
            .condition_expression("attribute_not_exists(#count) OR #count < :most")
            .expression_attribute_names("#count", "count")
            .expression_attribute_values(":one", item::number(1))
            .expression_attribute_values(":most", item::number(limit.most))
            .expression_attribute_values(":end", item::number((number + 2) * window))
            .send()
            .await;
        match counted.map_err(StoreError::from) {
            Ok(_) => Ok(Allowed::Yes),
            Err(StoreError::Conflict) => {
                let left = (number + 1) * window - now.timestamp();
                Ok(Allowed::After(u32::try_from(left.max(1)).unwrap_or(u32::MAX)))
            }
            Err(error) => Err(error),
        }
    }
}
