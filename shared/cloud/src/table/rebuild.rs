//! Whole items, for comparing what stands with what the log says, and for putting it right.

use aws_sdk_dynamodb::types::AttributeValue;
use barometer_domain::{CompanyId, IsoWeek, UserId, WorkspaceId};

use super::{Item, Range, StoreError, Table, item, keys};

/// Of what lies with a user, what was worked out from activity rather than said by somebody.
const WORKED_OUT: [&str; 3] = ["who#loose#", "who#seat#", "who#answer#"];

/// The sets of an activity item: any of them may be added while it is looked at. Those of loose events, whose names
/// are theirs, can't be listed: where one comes in that very moment, another rebuild finds it missing.
const SETS: [&str; 3] = ["days", "slots", "uses"];

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

    /// Puts `new` in the place of `old`, or takes `old` away, if it is still what was read; with no `old`, if there
    /// is still nothing. Errors: [`StoreError::Conflict`] when something was written since.
    pub async fn replace(&self, old: Option<&Item>, new: Option<&Item>) -> Result<(), StoreError> {
        let Some(any) = old.or(new) else { return Ok(()) };
        let names = |item: Option<&Item>| {
            item.into_iter().flat_map(|item| item.keys().cloned()).collect::<std::collections::BTreeSet<_>>()
        };
        let mut all = names(old);
        all.extend(names(new));
        all.extend(SETS.map(str::to_owned));
        let (mut conditions, mut fields, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for (index, name) in all.iter().enumerate() {
            match old.and_then(|old| old.get(name)) {
                Some(value) => {
                    conditions.push(format!("#n{index} = :v{index}"));
                    values.push((format!(":v{index}"), value.clone()));
                }
                None => conditions.push(format!("attribute_not_exists(#n{index})")),
            }
            fields.push((format!("#n{index}"), name.clone()));
        }
        let condition = conditions.join(" AND ");
        match new {
            Some(new) => {
                let mut put = self.client.put_item().table_name(&self.name).set_item(Some(new.clone()));
                for (placeholder, name) in fields {
                    put = put.expression_attribute_names(placeholder, name);
                }
                for (placeholder, value) in values {
                    put = put.expression_attribute_values(placeholder, value);
                }
                put.condition_expression(condition).send().await?;
            }
            None => {
                let pk = item::get_text(any, "pk")?.to_owned();
                let key = item::key(pk, sort_key(any).to_owned());
                let mut delete = self.client.delete_item().table_name(&self.name).set_key(Some(key));
                for (placeholder, name) in fields {
                    delete = delete.expression_attribute_names(placeholder, name);
                }
                for (placeholder, value) in values {
                    delete = delete.expression_attribute_values(placeholder, value);
                }
                delete.condition_expression(condition).send().await?;
            }
        }
        Ok(())
    }
}
