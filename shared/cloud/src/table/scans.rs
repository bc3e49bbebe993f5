//! Marks on asks whose links a machine opened: it followed a link that people can't see.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{StoreError, Table, asks::Ask, item, keys, or_done};

#[derive(Deserialize)]
struct Mark {
    #[serde(default)]
    scanned_at: Option<DateTime<Utc>>,
}

impl Table {
    /// Records that a machine opened the pages of an ask; the first time stays. It says nothing about answers, which
    /// only people give.
    pub async fn note_scanned(&self, ask: &Ask, at: DateTime<Utc>) -> Result<(), StoreError> {
        let noted = self
            .update(keys::company(&ask.workspace_id, &ask.company_id), keys::ask(ask.send_id))
            .update_expression("SET scanned_at = :at")
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(scanned_at)")
            .expression_attribute_values(":at", item::text(keys::instant(at)))
            .send()
            .await;
        or_done(noted)
    }

    /// When a machine first opened the pages of an ask, if one did.
    pub async fn scanned_at(&self, ask: &Ask) -> Result<Option<DateTime<Utc>>, StoreError> {
        let pk = keys::company(&ask.workspace_id, &ask.company_id);
        let mark: Option<Mark> = self.get(pk, keys::ask(ask.send_id)).await?;
        Ok(mark.and_then(|mark| mark.scanned_at))
    }
}
