//! Companies: one item each, which is also its row of the portfolio. Status, engagement and happiness are
//! attributes of their own, written by different functions, so they never overwrite one another.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use barometer_domain::{
    CompanyId, IsoWeek, Month, Percent, WorkspaceId, Zone,
    automation::Settled,
    band::{Band, Standing},
    component::Components,
    happiness::{Happiness, Level},
    language::Language,
    status::{BusinessStatus, Status},
    tally::Scored,
    week::Confidence,
};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::{Item, Range, StoreError, Table, item, keys, or_done};
use crate::bus::Event;

/// Shards of the list of companies to score.
pub const SCORE_SHARDS: u8 = 8;

/// Rows that are read at once when all are gone through.
const ROWS: i32 = 500;

/// Weeks in a company's trend: a quarter, and as many as a drop looks back on.
pub const TREND_WEEKS: usize = 13;

/// Traits that name the company that a company belongs to.
const PARENT_TRAITS: [&str; 3] = ["parentid", "parentcompanyid", "parent"];

/// Most traits of a company that are kept.
const MAX_TRAITS: usize = 20;

/// A company.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Company {
    /// The workspace's own id for it.
    pub company_id: CompanyId,
    /// Its name; the id until a name is known.
    pub name: String,
    /// The CSM who looks after it, by e-mail address.
    #[serde(default)]
    pub owner: Option<String>,
    /// Its plan, which decides the entitled features.
    #[serde(default)]
    pub plan: Option<String>,
    /// Its own zone, for mails; the workspace's when absent.
    #[serde(default)]
    pub time_zone: Option<Zone>,
    /// Its own language, for mails and their pages; the workspace's when absent.
    #[serde(default)]
    pub language: Option<Language>,
    /// Other traits that the product told, such as `industry`: by their name without case and punctuation.
    #[serde(default)]
    pub traits: BTreeMap<String, String>,
    /// Tags that rules and CSMs gave it.
    #[serde(default)]
    pub tags: BTreeSet<String>,
    /// When it began: what the product said, else its first event.
    pub created_at: DateTime<Utc>,
    /// When its contract renews.
    #[serde(default)]
    pub renewal_on: Option<NaiveDate>,
    /// The day it was lost; it is scored no more.
    #[serde(default)]
    pub churned_on: Option<NaiveDate>,
    /// The day it gave notice.
    #[serde(default)]
    pub notice_on: Option<NaiveDate>,
    /// Whether its users are asked for feedback.
    #[serde(default)]
    pub request_feedback: bool,
    /// Its business status.
    #[serde(default)]
    pub status: Option<BusinessStatus>,
    /// How often its status was set: the `ETag` of the status.
    #[serde(default)]
    pub status_version: u32,
    /// When it last got another owner while it had a status: an earlier status is stale.
    #[serde(default)]
    pub handed_over_at: Option<DateTime<Utc>>,
    /// Its latest weekly score.
    #[serde(default)]
    pub engagement: Option<Engagement>,
    /// What automations take its engagement for.
    #[serde(default)]
    pub settled_band: Option<Settled<Band>>,
    /// Its latest monthly score.
    #[serde(default)]
    pub month: Option<MonthScore>,
    /// What its users say.
    #[serde(default)]
    pub happiness: Option<Happiness>,
    /// What automations take its happiness for.
    #[serde(default)]
    pub settled_level: Option<Level>,
    /// The latest activity that a score has seen.
    #[serde(default)]
    pub last_seen_at: Option<DateTime<Utc>>,
    /// Alerts that aren't resolved.
    #[serde(default)]
    pub open_alerts: u32,
    /// Disagreements that wait for the CSM.
    #[serde(default)]
    pub open_disagreements: u32,
    /// Tasks that are neither done nor cancelled.
    #[serde(default)]
    pub open_tasks: u32,
}

/// The latest weekly score as the portfolio shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Engagement {
    /// The week.
    pub week: IsoWeek,
    /// The snapshot's revision.
    pub revision: u32,
    /// The score.
    pub score: Option<Percent>,
    /// The whole percent that is shown.
    pub shown: Option<u8>,
    /// The band, or why there is none.
    pub band: Standing,
    /// Present weight / total weight.
    pub coverage: Percent,
    /// How far to rely on it.
    pub confidence: Confidence,
    /// What it is made of.
    pub components: Components,
    /// The last weeks, oldest first.
    pub trend: Vec<TrendPoint>,
    /// Of this week and the four before it, those in which the company sent activity: tells a regular sender.
    #[serde(default)]
    pub heard: Vec<IsoWeek>,
    /// Where it stood in the week before, if that was scored.
    #[serde(default)]
    pub previous: Option<Scored>,
}

/// One week of a trend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TrendPoint {
    /// The week.
    pub week: IsoWeek,
    /// Its score; null when it had none.
    pub score: Option<Percent>,
}

/// The latest monthly score as the portfolio shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthScore {
    /// The month.
    pub month: Month,
    /// The snapshot's revision.
    pub revision: u32,
    /// The score.
    pub score: Option<Percent>,
    /// The whole percent that is shown.
    pub shown: Option<u8>,
    /// The band, or why there is none.
    pub band: Standing,
    /// Where it stood in the month before, if that was rolled up.
    #[serde(default)]
    pub previous: Option<Scored>,
}

/// What a product says about a company: absent fields are left as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profile {
    /// Its name.
    pub name: Option<String>,
    /// Its plan.
    pub plan: Option<String>,
    /// Its zone.
    pub time_zone: Option<Zone>,
    /// Its language.
    pub language: Option<Language>,
    /// When it began, as the product says.
    pub created_at: Option<DateTime<Utc>>,
    /// Traits that companies can be grouped by.
    pub traits: BTreeMap<String, String>,
}

/// What a CSM changes of a company: absent is left, `Some(None)` is cleared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Patch {
    /// Its name.
    pub name: Option<String>,
    /// The CSM who looks after it.
    pub owner: Option<Option<String>>,
    /// Its plan.
    pub plan: Option<Option<String>>,
    /// Its zone.
    pub time_zone: Option<Option<Zone>>,
    /// Its language.
    pub language: Option<Option<Language>>,
    /// When its contract renews.
    pub renewal_on: Option<Option<NaiveDate>>,
    /// The day it was lost.
    pub churned_on: Option<Option<NaiveDate>>,
    /// The day it gave notice.
    pub notice_on: Option<Option<NaiveDate>>,
    /// Whether its users are asked for feedback.
    pub request_feedback: Option<bool>,
    /// Its tags, all of them.
    pub tags: Option<BTreeSet<String>>,
}

impl Patch {
    /// A company with the changes made at `now`. Another owner makes its status stale.
    pub fn upon(&self, company: &Company, now: DateTime<Utc>) -> Company {
        let mut changed = company.clone();
        let Self {
            name,
            owner,
            plan,
            time_zone,
            language,
            renewal_on,
            churned_on,
            notice_on,
            request_feedback,
            tags,
        } = self.clone();
        changed.tags = tags.unwrap_or(changed.tags);
        changed.language = language.unwrap_or(changed.language);
        changed.name = name.unwrap_or(changed.name);
        changed.owner = owner.unwrap_or(changed.owner);
        changed.plan = plan.unwrap_or(changed.plan);
        changed.time_zone = time_zone.unwrap_or(changed.time_zone);
        changed.renewal_on = renewal_on.unwrap_or(changed.renewal_on);
        changed.churned_on = churned_on.unwrap_or(changed.churned_on);
        changed.notice_on = notice_on.unwrap_or(changed.notice_on);
        changed.request_feedback = request_feedback.unwrap_or(changed.request_feedback);
        if changed.owner != company.owner && changed.status.is_some() {
            changed.handed_over_at = Some(now);
        }
        changed
    }

    fn changes(&self) -> Result<Changes, StoreError> {
        let mut changes = Changes::default();
        if let Some(name) = &self.name {
            changes.set("name", item::text(name));
        }
        if let Some(on) = self.request_feedback {
            changes.set("request_feedback", AttributeValue::Bool(on));
        }
        if let Some(owner) = &self.owner {
            changes.set_or_remove("owner", owner)?;
        }
        if let Some(plan) = &self.plan {
            changes.set_or_remove("plan", plan)?;
        }
        if let Some(zone) = &self.time_zone {
            changes.set_or_remove("time_zone", zone)?;
        }
        if let Some(language) = &self.language {
            changes.set_or_remove("language", language)?;
        }
        if let Some(date) = &self.renewal_on {
            changes.set_or_remove("renewal_on", date)?;
        }
        if let Some(date) = &self.notice_on {
            changes.set_or_remove("notice_on", date)?;
        }
        if let Some(date) = &self.churned_on {
            changes.set_or_remove("churned_on", date)?;
        }
        match &self.tags {
            // There is no empty set in the store.
            Some(tags) if tags.is_empty() => changes.remove.push("tags"),
            Some(tags) => changes.set("tags", AttributeValue::Ss(tags.iter().cloned().collect())),
            None => {}
        }
        Ok(changes)
    }
}

/// The fields of a company that a CSM may change, as they stand.
#[derive(Debug, Serialize)]
pub struct Fields<'a> {
    name: &'a str,
    owner: Option<&'a str>,
    plan: Option<&'a str>,
    time_zone: Option<Zone>,
    language: Option<Language>,
    renewal_on: Option<NaiveDate>,
    churned_on: Option<NaiveDate>,
    notice_on: Option<NaiveDate>,
    request_feedback: bool,
    tags: &'a BTreeSet<String>,
}

/// An update expression in the making.
#[derive(Default)]
struct Changes {
    set: Vec<String>,
    remove: Vec<&'static str>,
    values: Vec<(String, AttributeValue)>,
    conditions: Vec<String>,
}

impl Changes {
    fn set(&mut self, name: &'static str, value: AttributeValue) {
        self.set.push(format!("#{name} = :{name}"));
        self.values.push((format!(":{name}"), value));
    }

    fn set_or_remove<T: Serialize>(
        &mut self,
        name: &'static str,
        value: &Option<T>,
    ) -> Result<(), StoreError> {
        match value {
            Some(value) => self.set(name, item::value(value)?),
            None => self.remove.push(name),
        }
        Ok(())
    }

    fn expression(&self) -> String {
        let mut parts = Vec::new();
        if !self.set.is_empty() {
            parts.push(format!("SET {}", self.set.join(", ")));
        }
        if !self.remove.is_empty() {
            let names: Vec<String> = self.remove.iter().map(|name| format!("#{name}")).collect();
            parts.push(format!("REMOVE {}", names.join(", ")));
        }
        parts.join(" ")
    }

    /// Lets the update pass only upon a row whose fields are still what they were.
    fn only_upon(&mut self, fields: &Item) {
        // Rules give a company tags at any time: of two who set all of them the last one wins.
        let names: Vec<String> = self.names().map(|(_, name)| name).filter(|name| name != "tags").collect();
        for name in names {
            match fields.get(&name) {
                // Off and never switched on are the same.
                Some(AttributeValue::Bool(false)) => {
                    self.conditions.push(format!("(attribute_not_exists(#{name}) OR #{name} = :was_{name})"));
                }
                Some(_) => self.conditions.push(format!("#{name} = :was_{name}")),
                None => self.conditions.push(format!("attribute_not_exists(#{name})")),
            }
            if let Some(was) = fields.get(&name) {
                self.values.push((format!(":was_{name}"), was.clone()));
            }
        }
    }

    fn condition(&self) -> String {
        let conditions = std::iter::once("attribute_exists(pk)");
        conditions.chain(self.conditions.iter().map(String::as_str)).collect::<Vec<_>>().join(" AND ")
    }

    fn names(&self) -> impl Iterator<Item = (String, String)> {
        self.set
            .iter()
            .filter_map(|set| set.split([' ', '#']).nth(1))
            .chain(self.remove.iter().copied())
            .map(|name| (format!("#{name}"), name.to_owned()))
    }
}

impl Company {
    /// Whether nothing would change if the product said this at that instant.
    fn says(&self, profile: &Profile, at: DateTime<Utc>) -> bool {
        profile.name.as_ref().is_none_or(|name| *name == self.name)
            && profile.plan.as_ref().is_none_or(|plan| self.plan.as_ref() == Some(plan))
            && profile.time_zone.is_none_or(|zone| self.time_zone == Some(zone))
            && profile.language.is_none_or(|language| self.language == Some(language))
            && self.created_at <= profile.created_at.unwrap_or(at)
            && profile.traits.iter().all(|(name, value)| self.traits.get(name) == Some(value))
    }

    /// Its business status, if it is set and counts at `now`.
    pub fn fresh_status(&self, now: DateTime<Utc>) -> Option<Status> {
        let fresh = self.status.as_ref().filter(|status| status.stale(self.handed_over_at, now).is_none());
        fresh.map(|status| status.value)
    }

    /// What a CSM may change of it, as it stands.
    pub fn fields(&self) -> Fields<'_> {
        Fields {
            name: &self.name,
            owner: self.owner.as_deref(),
            plan: self.plan.as_deref(),
            time_zone: self.time_zone,
            language: self.language,
            renewal_on: self.renewal_on,
            churned_on: self.churned_on,
            notice_on: self.notice_on,
            request_feedback: self.request_feedback,
            tags: &self.tags,
        }
    }

    /// The company that this one belongs to, if a trait names one.
    pub fn parent(&self) -> Option<CompanyId> {
        let named = PARENT_TRAITS.iter().find_map(|name| self.traits.get(*name))?;
        CompanyId::new(named).ok()
    }
}

impl Table {
    /// One company.
    pub async fn company(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
    ) -> Result<Option<Company>, StoreError> {
        self.get(keys::companies(workspace), company.to_string()).await
    }

    /// All companies of a workspace in the order of their ids: one query, paged by the SDK.
    pub async fn companies(&self, workspace: &WorkspaceId) -> Result<Vec<Company>, StoreError> {
        self.query_as(keys::companies(workspace), Range::All).await
    }

    /// Companies of a workspace in the order of their ids, some hundreds behind one; none at the end.
    pub async fn companies_after(
        &self,
        workspace: &WorkspaceId,
        after: Option<&CompanyId>,
    ) -> Result<Vec<Company>, StoreError> {
        let mut request = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", item::text(keys::companies(workspace)))
            .limit(ROWS);
        if let Some(after) = after {
            request = request
                .key_condition_expression("pk = :pk AND sk > :after")
                .expression_attribute_values(":after", item::text(after.as_str()));
        }
        request.send().await?.items.unwrap_or_default().into_iter().map(item::read).collect()
    }

    /// Makes a company known, or adds what the product says about it, unless its row says all of it already: a row
    /// with its trend is several write units, reading it is one.
    pub async fn tell_company(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        profile: &Profile,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let row = self.company(workspace, company).await?;
        if row.as_ref().is_some_and(|row| row.says(profile, at)) {
            return Ok(());
        }
        let mut profile = profile.clone();
        if let Some(row) = row.filter(|_| !profile.traits.is_empty()) {
            // Written as a whole: of two requests at the same time one trait may be missing until it is told again.
            let mut traits = row.traits;
            traits.append(&mut profile.traits);
            profile.traits = traits.into_iter().take(MAX_TRAITS).collect();
        }
        self.note_company(workspace, company, &profile, at).await
    }

    /// Makes a company known, or adds what the product says about it. Called with the instant of the event that
    /// told; the start of a company moves to the earliest.
    pub async fn note_company(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        profile: &Profile,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.touch(workspace, company).await?;
        let shard = keys::shard(company.as_str(), SCORE_SHARDS);
        let mut set = vec![
            "company_id = if_not_exists(company_id, :id)".to_owned(),
            "work_pk = if_not_exists(work_pk, :work)".to_owned(),
            "work_sk = if_not_exists(work_sk, :id)".to_owned(),
            "created_at = if_not_exists(created_at, :at)".to_owned(),
        ];
        let mut request = self
            .update(keys::companies(workspace), company.to_string())
            .expression_attribute_values(":id", item::text(company.as_str()))
            .expression_attribute_values(":work", item::text(format!("{workspace}#score#{shard}")))
            .expression_attribute_values(":at", item::text(keys::instant(profile.created_at.unwrap_or(at))));
        let told = [("name", profile.name.clone()), ("plan", profile.plan.clone())].into_iter().chain([
            ("time_zone", profile.time_zone.map(|zone| zone.to_string())),
            ("language", profile.language.map(|language| language.tag().to_owned())),
        ]);
        let mut named = false;
        for (name, value) in told {
            if let Some(value) = value {
                named |= name == "name";
                set.push(format!("#{name} = :{name}"));
                request = request
                    .expression_attribute_names(format!("#{name}"), name)
                    .expression_attribute_values(format!(":{name}"), item::text(value));
            }
        }
        if !profile.traits.is_empty() {
            set.push("#traits = :traits".to_owned());
            request = request
                .expression_attribute_names("#traits", "traits")
                .expression_attribute_values(":traits", item::value(&profile.traits)?);
        }
        if !named {
            set.push("#name = if_not_exists(#name, :id)".to_owned());
            request = request.expression_attribute_names("#name", "name");
        }
        request.update_expression(format!("SET {}", set.join(", "))).send().await?;
        self.move_start(workspace, company, profile.created_at.unwrap_or(at)).await
    }

    /// The earliest word on when a company began wins, whatever the order of arrival.
    async fn move_start(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let moved = self
            .update(keys::companies(workspace), company.to_string())
            .update_expression("SET created_at = :at")
            .condition_expression("created_at > :at")
            .expression_attribute_values(":at", item::text(keys::instant(at)))
            .send()
            .await;
        or_done(moved)
    }

    /// Changes what a CSM may change. Errors: [`StoreError::Conflict`] when there is no such company.
    pub async fn patch_company(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        patch: &Patch,
    ) -> Result<(), StoreError> {
        self.change_company(workspace, company, patch.changes()?).await
    }

    /// Changes what a CSM may change of a company as it was read, and marks a handover. Errors:
    /// [`StoreError::Conflict`] when one of these fields was changed since, or there is no such company any more.
    pub async fn patch_company_upon(
        &self,
        workspace: &WorkspaceId,
        seen: &Company,
        patch: &Patch,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut changes = patch.changes()?;
        let fields = item::write(String::new(), String::new(), &seen.fields())?;
        changes.only_upon(&fields);
        let handed_over_at = patch.upon(seen, now).handed_over_at;
        if handed_over_at != seen.handed_over_at {
            changes.set_or_remove("handed_over_at", &handed_over_at)?;
        }
        self.change_company(workspace, &seen.company_id, changes).await
    }

    async fn change_company(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        changes: Changes,
    ) -> Result<(), StoreError> {
        if changes.set.is_empty() && changes.remove.is_empty() {
            return Ok(());
        }
        self.touch(workspace, company).await?;
        self.apply(self.company_update(workspace, company, &changes)?).await
    }

    fn company_update(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        changes: &Changes,
    ) -> Result<Update, StoreError> {
        let values =
            if changes.values.is_empty() { None } else { Some(changes.values.iter().cloned().collect()) };
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(item::key(keys::companies(workspace), company.to_string())))
            .update_expression(changes.expression())
            .condition_expression(changes.condition())
            .set_expression_attribute_names(Some(changes.names().collect()))
            .set_expression_attribute_values(values)
            .build()?;
        Ok(update)
    }

    /// Ids of companies of one shard of the score list in their order: up to `limit` after one.
    pub async fn companies_to_score(
        &self,
        workspace: &WorkspaceId,
        shard: u8,
        after: Option<&CompanyId>,
        limit: i32,
    ) -> Result<Vec<CompanyId>, StoreError> {
        let behind = after.map(|after| (">", after.to_string()));
        let found = self.work_list(format!("{workspace}#score#{shard}"), behind, true, limit).await?;
        found
            .iter()
            .map(|found| {
                let id = item::get_text(found, "work_sk")?;
                CompanyId::new(id).map_err(|error| StoreError::Corrupt(error.into()))
            })
            .collect()
    }

    /// What a week's scoring changes of a company's row.
    fn engagement_update(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        readings: &Readings,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = self.company_update(workspace, company, &readings.changes()?)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// What an answer changes of a company's row, if its happiness is still the one that was `seen`.
    pub(super) fn happiness_update(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        readings: &Readings,
        seen: Option<&Happiness>,
    ) -> Result<TransactWriteItem, StoreError> {
        let mut changes = readings.changes()?;
        let condition = match seen {
            Some(seen) => {
                changes.values.push((":seen".to_owned(), item::value(seen)?));
                "attribute_exists(pk) AND #happiness = :seen"
            }
            None => "attribute_exists(pk) AND attribute_not_exists(#happiness)",
        };
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(item::key(keys::companies(workspace), company.to_string())))
            .update_expression(changes.expression())
            .condition_expression(condition)
            .set_expression_attribute_names(Some(changes.names().collect()))
            .set_expression_attribute_values(Some(changes.values.iter().cloned().collect()))
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// The part of a transaction that changes a company's row and lays the events that tell of it in the outbox.
    pub(super) fn told_readings(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        readings: &Readings,
        events: &[Event],
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let row =
            (readings != &Readings::default()).then(|| self.engagement_update(workspace, company, readings));
        row.into_iter().chain(events.iter().map(|event| self.outbox_put(workspace, event))).collect()
    }

    /// Writes readings to a company's row with the events that tell of them, all or nothing.
    pub async fn publish_readings(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        readings: &Readings,
        events: &[Event],
    ) -> Result<(), StoreError> {
        if events.is_empty() {
            return self.write_readings(workspace, company, readings).await;
        }
        self.transact(self.told_readings(workspace, company, readings, events)?).await
    }

    /// Gives a company tags and takes others away. Doing it again changes nothing; a company that isn't there gets none.
    pub async fn tag_company(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        add: &BTreeSet<String>,
        remove: &BTreeSet<String>,
    ) -> Result<(), StoreError> {
        for (verb, tags) in [("ADD", add), ("DELETE", remove)] {
            if tags.is_empty() {
                continue;
            }
            self.touch(workspace, company).await?;
            let tagged = self
                .update(keys::companies(workspace), company.to_string())
                .update_expression(format!("{verb} tags :tags"))
                .condition_expression("attribute_exists(pk)")
                .expression_attribute_values(":tags", AttributeValue::Ss(tags.iter().cloned().collect()))
                .send()
                .await;
            or_done(tagged)?;
        }
        Ok(())
    }

    /// Writes a company's happiness among its readings, if it is still the one that was `seen`, with the events that tell of
    /// it, all or nothing. Errors: [`StoreError::Conflict`] when it isn't, or when there is no such company.
    pub async fn write_happiness_upon(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        readings: &Readings,
        seen: Option<&Happiness>,
        events: &[Event],
    ) -> Result<(), StoreError> {
        self.touch(workspace, company).await?;
        let mut writes = vec![self.happiness_update(workspace, company, readings, seen)?];
        for event in events {
            writes.push(self.outbox_put(workspace, event)?);
        }
        self.transact(writes).await
    }

    /// Writes readings to a company's row, on their own.
    pub async fn write_readings(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        readings: &Readings,
    ) -> Result<(), StoreError> {
        if readings == &Readings::default() {
            return Ok(());
        }
        self.apply(self.company_update(workspace, company, &readings.changes()?)?).await
    }
}

/// Computed readings of a company that are to be written to its row; absent ones are left as they are.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Readings {
    /// The latest weekly score.
    pub engagement: Option<Engagement>,
    /// What automations take it for.
    pub settled_band: Option<Settled<Band>>,
    /// The latest monthly score.
    pub month: Option<MonthScore>,
    /// What its users say.
    pub happiness: Option<Happiness>,
    /// What automations take it for.
    pub settled_level: Option<Level>,
    /// The latest activity.
    pub last_seen_at: Option<DateTime<Utc>>,
}

impl Readings {
    fn changes(&self) -> Result<Changes, StoreError> {
        let mut changes = Changes::default();
        if let Some(engagement) = &self.engagement {
            changes.set("engagement", item::value(engagement)?);
        }
        if let Some(settled) = &self.settled_band {
            changes.set("settled_band", item::value(settled)?);
        }
        if let Some(settled) = &self.settled_level {
            changes.set("settled_level", item::value(settled)?);
        }
        if let Some(month) = &self.month {
            changes.set("month", item::value(month)?);
        }
        if let Some(happiness) = &self.happiness {
            changes.set("happiness", item::value(happiness)?);
        }
        if let Some(at) = &self.last_seen_at {
            changes.set("last_seen_at", item::value(at)?);
        }
        Ok(changes)
    }
}
