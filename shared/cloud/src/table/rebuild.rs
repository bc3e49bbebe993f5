//! Access for comparing what stands with what the log says, and for putting it right.

use aws_sdk_dynamodb::types::AttributeValue;
use barometer_domain::{CompanyId, IsoWeek, UserId, WorkspaceId};

use super::{Item, Range, StoreError, Table, activity::Stored, keys};

/// Of what lies with a user, what was worked out from activity rather than said by somebody.
const WORKED_OUT: [&str; 3] = ["who#loose#", "who#seat#", "who#answer#"];

fn sort_key(item: &Item) -> &str {
    match item.get("sk") {
        Some(AttributeValue::S(sk)) => sk,
        _ => "",
    }
}

impl Table {
    /// What was said of a user (who they are, which companies they named), as items.
    pub async fn said_of(&self, workspace: &WorkspaceId, user: &UserId) -> Result<Vec<Item>, StoreError> {
        let mut items = self.query(keys::user(workspace, user), Range::All, true).await?;
        items.retain(|item| !WORKED_OUT.iter().any(|name| sort_key(item).starts_with(name)));
        Ok(items)
    }

    /// Puts an item as it is.
    pub async fn put_item(&self, item: Item) -> Result<(), StoreError> {
        self.put(item, false).await
    }

    /// Makes a user's week at a company, which holds `old`, say what `new` says: what is missing is added, what is
    /// too much taken away. What is added meanwhile stays. An item that is to say nothing stays, empty.
    pub async fn mend_week(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        user: &UserId,
        week: IsoWeek,
        old: &Stored,
        new: &Stored,
    ) -> Result<(), StoreError> {
        self.add_to_week(workspace, company, user, week, &new.minus(old)).await?;
        if let Some(owner) = new.owner.as_ref().filter(|owner| old.owner.as_ref() != Some(owner)) {
            self.own_week(workspace, company, user, week, owner).await?;
        }
        self.remove_from_week(workspace, company, user, week, &old.minus(new)).await
    }
}
