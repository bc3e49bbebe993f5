//! Companies to score: a few are made by the product's own functions, four weeks of them scored by its handlers; all
//! others are their items under other keys.

use std::collections::BTreeSet;
use std::error::Error;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use barometer_cloud::{
    Table,
    table::{
        Item,
        answers::{Answer, Source},
        companies::{Profile, SCORE_SHARDS},
    },
    workspaces::{self, NewWorkspace},
};
use barometer_domain::{
    CompanyId, IsoWeek, UserId, WorkspaceId, Zone,
    activity::{FeatureSource, Sighting, Use, UserWeek},
    answer::Rating,
};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::functions::{Function, Functions};

/// Companies that are made by the product's functions; every size is a multiple of it.
const MODELS: usize = 8;

/// The week that is measured, the last of its month, and how many weeks before it are scored.
pub const WEEK: &str = "2026-W39";
const WEEKS_BEFORE: i64 = 4;

/// Items that one `BatchWriteItem` takes, and calls under way at the same time.
const BATCH: usize = 25;
const AT_ONCE: usize = 8;
/// How often such a call is tried again, and after what pause.
const ATTEMPTS: u32 = 20;
const PAUSE: std::time::Duration = std::time::Duration::from_secs(2);

const SLOTS_A_DAY: u16 = 288;

/// Ids are of one length, so that all companies' items are.
fn name(number: usize) -> String {
    format!("company-{number:07}")
}

/// The instant from which the measured week is scored.
pub fn due() -> Result<DateTime<Utc>, Box<dyn Error>> {
    Ok(WEEK.parse::<IsoWeek>()?.next().start(Zone::UTC) + TimeDelta::minutes(15))
}

/// Companies to copy, with what stands of their workspace.
pub struct Models {
    workspace: WorkspaceId,
    shared: Vec<Item>,
    companies: Vec<Vec<Item>>,
}

/// What a person of a model does in a week: two or three days, half an hour each, three features.
fn activity(model: usize, person: usize) -> Result<UserWeek, Box<dyn Error>> {
    let mut done = UserWeek::default();
    for day in 1..=2 + (model + person) % 2 {
        let feature = ["export", "import", "print"][(day + person) % 3];
        let sighting = Sighting::new(FeatureSource::Event, feature).ok_or("no feature")?;
        let day = u8::try_from(day)?;
        let first = u16::from(day - 1) * SLOTS_A_DAY + 108;
        done.merge(&UserWeek {
            days: BTreeSet::from([day]),
            uses: [Use { day, sighting }].into(),
            slots: (first..first + 6).collect(),
        });
    }
    Ok(done)
}

impl Models {
    /// Makes the models with `users` users each in `table`, which is empty.
    pub async fn make(table: &Table, users: usize) -> Result<Self, Box<dyn Error>> {
        let week: IsoWeek = WEEK.parse()?;
        let first = week.plus(-WEEKS_BEFORE);
        let new = NewWorkspace { name: "Scale".to_owned(), ..NewWorkspace::default() };
        let workspace = workspaces::create(table, new, first.start(Zone::UTC)).await?.workspace_id;
        table.note_first_week(&workspace, first).await?;
        let began: DateTime<Utc> = "2026-01-05T10:00:00Z".parse()?;
        for model in 0..MODELS {
            let company = CompanyId::new(name(model))?;
            table.note_company(&workspace, &company, &Profile::default(), began).await?;
            for person in 0..users {
                let user = UserId::new(format!("{company}-{person}"))?;
                table.note_member(&workspace, &company, &user, began, began.date_naive()).await?;
                for back in 0..=WEEKS_BEFORE {
                    let done = activity(model, person)?;
                    table.add_activity(&workspace, &company, &user, week.plus(-back), &done).await?;
                }
            }
            let answered = Answer {
                user_id: UserId::new(format!("{company}-0"))?,
                rating: Rating::nps(u8::try_from(3 + model % MODELS)?)?,
                comment: None,
                at: first.start(Zone::UTC) + TimeDelta::hours(12),
                source: Source::Event,
                origin: "seed".to_owned(),
                void: None,
            };
            table.record_answer_once(&workspace, &company, &answered, &[]).await?;
        }
        let functions = Functions::new(table);
        for back in (1..=WEEKS_BEFORE).rev() {
            functions.settle(Function::Score, week.plus(-back).grace_end(Zone::UTC)).await?;
        }
        functions.settle(Function::RollUp, week.previous().grace_end(Zone::UTC)).await?;
        Self::read(table, workspace, week).await
    }

    async fn read(table: &Table, workspace: WorkspaceId, week: IsoWeek) -> Result<Self, Box<dyn Error>> {
        let (mut shared, mut companies) = (Vec::new(), vec![Vec::new(); MODELS]);
        let pages = table.client().scan().table_name(table.name()).into_paginator();
        let mut items = pages.items().send();
        while let Some(item) = items.next().await {
            let item = item?;
            let (pk, sk) = (text(&item, "pk"), text(&item, "sk"));
            // Nobody reads the activity of earlier weeks, and the marks of how far their runs were.
            let earlier = sk.starts_with("act#") && !sk.starts_with(&format!("act#{week}"));
            if earlier || pk.contains("#run#") {
                continue;
            }
            let of = (0..MODELS).find(|model| pk.ends_with(&name(*model)) || sk == name(*model));
            match of.and_then(|model| companies.get_mut(model)) {
                Some(own) => own.push(item),
                None => shared.push(item),
            }
        }
        Ok(Self { workspace, shared, companies })
    }

    /// Writes `count` companies into `table`, which is empty. Returns how many items each has, on average.
    pub async fn plant(&self, table: &Table, count: usize) -> Result<f64, Box<dyn Error>> {
        let copies = (0..count).flat_map(|number| {
            let model = number % MODELS;
            let own = self.companies.get(model).into_iter().flatten();
            own.map(move |item| self.copy(item, &name(model), number))
        });
        let mut items = self.shared.iter().cloned().chain(copies).peekable();
        let batches = std::iter::from_fn(|| {
            items.peek()?;
            Some(items.by_ref().take(BATCH).collect::<Vec<Item>>())
        });
        let writes = stream::iter(batches.map(|batch| write(table, batch))).buffer_unordered(AT_ONCE);
        let written: usize = writes.try_fold(0, |sum, more| async move { Ok(sum + more) }).await?;
        Ok((written - self.shared.len()) as f64 / count.max(1) as f64)
    }

    /// An item of a model as that of company `number`.
    fn copy(&self, item: &Item, model: &str, number: usize) -> Item {
        let own = name(number);
        let mut copied: Item =
            item.iter().map(|(key, value)| (key.clone(), renamed(value, model, &own))).collect();
        if copied.get("sk") == Some(&AttributeValue::S(own)) {
            let shard = number % usize::from(SCORE_SHARDS);
            let work = format!("{}#score#{shard}", self.workspace);
            copied.insert("work_pk".to_owned(), AttributeValue::S(work));
        }
        copied
    }
}

fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

/// Ids stand in texts at the top of an item only.
fn renamed(value: &AttributeValue, model: &str, own: &str) -> AttributeValue {
    match value {
        AttributeValue::S(text) => AttributeValue::S(text.replace(model, own)),
        other => other.clone(),
    }
}

async fn write(table: &Table, batch: Vec<Item>) -> Result<usize, Box<dyn Error>> {
    let count = batch.len();
    let mut left = Vec::with_capacity(count);
    for item in batch {
        let put = PutRequest::builder().set_item(Some(item)).build()?;
        left.push(WriteRequest::builder().put_request(put).build());
    }
    let mut failed = 0;
    while !left.is_empty() {
        match table.client().batch_write_item().request_items(table.name(), left.clone()).send().await {
            Ok(sent) => {
                let items = sent.unprocessed_items.and_then(|mut items| items.remove(table.name()));
                left = items.unwrap_or_default();
            }
            // A store on a busy machine stands still at times; writing an item again changes nothing.
            Err(_) if failed < ATTEMPTS => {
                failed += 1;
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(count)
}
