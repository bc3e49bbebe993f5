//! Whole items, for comparing what stands with what the log says, and for putting it right.

use aws_sdk_dynamodb::types::AttributeValue;
use barometer_domain::{CompanyId, IsoWeek, UserId, WorkspaceId};

use super::{Item, Range, StoreError, Table, item, keys};

/// Of what lies with a user, what was worked out from activity rather than said by somebody.
const WORKED_OUT: [&str; 3] = ["who#loose#", "who#seat#", "who#answer#"];

/// The sort key of an item.
pub fn sort_key(item: &Item) -> &str {
    match item.get("sk") {
        Some(AttributeValue::S(sk)) => sk,
        _ => "",
    }
}

impl Table {
    /// The activity items of a company and week as they stand, read consistently.
    pub async fn activity_items(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        week: IsoWeek,
    ) -> Result<Vec<Item>, StoreError> {
        self.query(keys::company(workspace, company), Range::Prefix(format!("act#{week}#")), true).await
    }

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

    /// Makes an activity item that is `old` say what `new` says: what is missing is added to its sets, what is too
    /// much taken away. What is added meanwhile stays. An item that is to say nothing stays, empty.
    pub async fn mend(&self, old: Option<&Item>, new: Option<&Item>) -> Result<(), StoreError> {
        let Some(any) = old.or(new) else { return Ok(()) };
        let key = item::key(item::get_text(any, "pk")?.to_owned(), sort_key(any).to_owned());
        let owner = new
            .and_then(|new| new.get("owner"))
            .filter(|owner| old.and_then(|old| old.get("owner")) != Some(owner));
        let missing = more(new, old);
        if missing.is_empty()
            && let Some(owner) = owner
        {
            self.change_sets(
                &key,
                "ADD",
                sets(new).into_iter().take(1).collect(),
                Some(("owner", owner.clone())),
            )
            .await?;
        }
        self.change_sets(&key, "ADD", missing, owner.map(|owner| ("owner", owner.clone()))).await?;
        self.change_sets(&key, "DELETE", more(old, new), None).await
    }
}

fn elements(value: Option<&AttributeValue>) -> &[String] {
    match value {
        Some(AttributeValue::Ns(set) | AttributeValue::Ss(set)) => set,
        _ => &[],
    }
}

fn sets(of: Option<&Item>) -> Vec<(String, AttributeValue)> {
    more(of, None)
}

/// What one item's sets have and another's don't.
fn more(one: Option<&Item>, other: Option<&Item>) -> Vec<(String, AttributeValue)> {
    let mut more = Vec::new();
    for (name, value) in one.into_iter().flatten() {
        let there = elements(other.and_then(|other| other.get(name)));
        let rest: Vec<String> =
            elements(Some(value)).iter().filter(|element| !there.contains(element)).cloned().collect();
        if !rest.is_empty() {
            let set = if value.is_ss() { AttributeValue::Ss(rest) } else { AttributeValue::Ns(rest) };
            more.push((name.clone(), set));
        }
    }
    more
}
