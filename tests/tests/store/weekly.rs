//! A workspace of many companies, and the two schedules over it, with processes that can be killed.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use barometer_cloud::{
    Table,
    sharded::{Outcome, RunError},
    table::{
        Item,
        answers::{Answer, Source},
        companies::{Patch, Profile},
    },
    workspaces::{self, NewWorkspace},
};
use barometer_domain::{CompanyId, IsoWeek, WorkspaceId, Zone, activity::UserWeek, answer::Rating};
use barometer_tests::{
    faulty::{Fault, Faults, KeptBus, faulty},
    store::{TestTable, table},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::samples::{Dice, at, company, day, done, user};

const COMPANIES: u64 = 32;

/// Companies of a page: so that a shard has several.
const PAGE: u32 = 2;

/// The week whose scoring the tests disturb; the four before it are scored already.
pub const WEEK: &str = "2026-W37";
const WEEKS_BEFORE: [&str; 4] = ["2026-W33", "2026-W34", "2026-W35", "2026-W36"];

/// The functions, by the events that bring them their shards.
pub const SCORE: &str = "score.shard";
pub const ROLL_UP: &str = "rollup.shard";

/// When the first scoring of [`WEEK`] is due, and the one after its grace.
const FIRST: &str = "2026-09-14T00:15:00Z";
const FINAL: &str = "2026-09-16T00:15:00Z";

pub fn name(number: u64) -> CompanyId {
    company(&format!("c{number:02}"))
}

/// What happened at a company in a week: one to four people, each with days and features of their own.
fn happened(dice: &mut Dice, number: u64) -> Vec<(String, UserWeek)> {
    let mut happened = Vec::new();
    for person in 0..1 + number % 4 {
        let mut week = UserWeek::default();
        for day in 1..=7_u8 {
            if dice.below(3) == 0 {
                let first = u16::from(day - 1) * 288 + dice.below(200) as u16;
                let slots: Vec<u16> = (first..=first + dice.below(20) as u16).collect();
                let feature = ["export", "import", "print"][dice.below(3) as usize];
                week.merge(&done(&[day], &slots, Some(feature)));
            }
        }
        happened.push((format!("c{number:02}-{person}"), week));
    }
    happened
}

/// Adds a week of activity to every company but some that stay quiet, and answers of a few of its people.
async fn add_week(table: &Table, workspace: &WorkspaceId, week: IsoWeek, dice: &mut Dice) {
    for number in 0..COMPANIES {
        // One that never sent anything; of the others one in twelve is quiet, which is no gap yet.
        let quiet = number == 7 || dice.below(12) == 0;
        for (person, activity) in happened(dice, number) {
            if quiet || activity.is_empty() {
                continue;
            }
            table.add_activity(workspace, &name(number), &user(&person), week, &activity).await.unwrap();
        }
        if dice.below(3) == 0 {
            let person = user(&format!("c{number:02}-0"));
            let answered = Answer {
                user_id: person,
                rating: Rating::nps(dice.below(11) as u8).unwrap(),
                comment: None,
                at: week.start(Zone::UTC) + TimeDelta::hours(30),
                source: Source::Event,
                origin: format!("{week}"),
                void: None,
            };
            table.record_answer_once(workspace, &name(number), &answered, &[]).await.unwrap();
        }
    }
}

/// Late events of the disturbed week, between its two scorings.
async fn add_late(table: &Table, workspace: &WorkspaceId) {
    let week = WEEK.parse().unwrap();
    for number in (0..COMPANIES).step_by(6) {
        let late = done(&[6], &[1_500, 1_501], Some("late"));
        let person = user(&format!("c{number:02}-0"));
        table.add_activity(workspace, &name(number), &person, week, &late).await.unwrap();
    }
}

/// A workspace and all items of its table.
pub struct Seed {
    pub workspace: WorkspaceId,
    items: Vec<Item>,
}

impl Seed {
    /// Companies with four scored weeks and one that isn't.
    pub async fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let made = table().await;
        let new = NewWorkspace { name: "Initech".to_owned(), ..NewWorkspace::default() };
        let created = workspaces::create(&made, new, at("2026-08-10T00:00:00Z")).await.unwrap();
        let workspace = created.workspace_id;
        made.note_first_week(&workspace, WEEKS_BEFORE[0].parse().unwrap()).await.unwrap();
        for number in 0..COMPANIES {
            let began = if number % 10 == 3 { "2026-08-20T10:00:00Z" } else { "2026-01-05T10:00:00Z" };
            made.note_company(&workspace, &name(number), &Profile::default(), at(began)).await.unwrap();
            for person in 0..1 + number % 4 {
                let person = user(&format!("c{number:02}-{person}"));
                let seen = if number % 10 == 3 { "2026-08-20" } else { "2026-01-05" };
                let instant = at(&format!("{seen}T10:00:00Z"));
                made.note_member(&workspace, &name(number), &person, instant, day(seen)).await.unwrap();
            }
        }
        for number in [11, 23] {
            let churned = ["2026-08-25", "2026-09-10"][usize::from(number == 23)];
            let patch = Patch { churned_on: Some(Some(day(churned))), ..Patch::default() };
            made.patch_company(&workspace, &name(number), &patch).await.unwrap();
        }
        let mut world = World::over(made, workspace.clone());
        for week in WEEKS_BEFORE {
            let week: IsoWeek = week.parse().unwrap();
            add_week(&world.table, &workspace, week, &mut dice).await;
            // Only after the grace, so that once is enough.
            world.settle(week.grace_end(Zone::UTC), SCORE, &mut Manner::Calm).await;
        }
        world.settle(at("2026-09-09T00:45:00Z"), ROLL_UP, &mut Manner::Calm).await;
        add_week(&world.table, &workspace, WEEK.parse().unwrap(), &mut dice).await;
        Self { workspace, items: scan(&world.table).await }
    }

    /// A table of its own with what was seeded.
    pub async fn plant(&self) -> World {
        let table = table().await;
        for some in self.items.chunks(25) {
            let puts = some.iter().map(|item| {
                let put = PutRequest::builder().set_item(Some(item.clone())).build().unwrap();
                WriteRequest::builder().put_request(put).build()
            });
            let request = table.client().batch_write_item().request_items(table.name(), puts.collect());
            let left = request.send().await.unwrap().unprocessed_items.unwrap_or_default();
            assert!(left.is_empty(), "{left:?}");
        }
        World::over(table, self.workspace.clone())
    }
}

async fn scan(table: &Table) -> Vec<Item> {
    let pages = table.client().scan().table_name(table.name()).consistent_read(true).into_paginator();
    let mut items = pages.items().send();
    let mut found = Vec::new();
    while let Some(item) = items.next().await {
        found.push(item.unwrap());
    }
    found
}

/// How processes run.
pub enum Manner<'a> {
    /// One after the other, to their end.
    Calm,
    /// Events come twice and in any order.
    Shuffled(&'a mut Dice),
    /// Besides, processes fail at any call or are killed, run at the same time on the same shard, and the schedule fires
    /// in between.
    Rough(&'a mut Dice),
}

/// A table, the two functions over it and the bus between them.
pub struct World {
    pub table: TestTable,
    pub workspace: WorkspaceId,
    /// What the invocations say together.
    pub sum: Outcome,
    pub handovers: usize,
    pub faults_met: usize,
    faults: Faults,
    kept: KeptBus,
    score: score_week::Deps,
    roll_up: roll_up_month::Deps,
    queue: VecDeque<Value>,
    told: Vec<Value>,
}

/// How an invocation ended.
enum End {
    Done(Outcome),
    Failed,
}

impl World {
    pub fn over(table: TestTable, workspace: WorkspaceId) -> Self {
        let (faults, kept) = (Faults::default(), KeptBus::default());
        let seen = table.through(faulty(&faults, PAGE));
        let (bus, budget) = (kept.bus(&faults), Duration::from_secs(240));
        Self {
            score: score_week::Deps { table: seen.clone(), bus: bus.clone(), budget },
            roll_up: roll_up_month::Deps { table: seen, bus, budget },
            sum: Outcome::default(),
            handovers: 0,
            faults_met: 0,
            queue: VecDeque::new(),
            told: Vec::new(),
            table,
            workspace,
            faults,
            kept,
        }
    }

    /// Every page hands over.
    pub fn without_budget(mut self) -> Self {
        self.score.budget = Duration::ZERO;
        self.roll_up.budget = Duration::ZERO;
        self
    }

    /// Scores the disturbed week, twice as due, and rolls its month up after each.
    pub async fn run(&mut self, manner: &mut Manner<'_>) {
        self.settle_both(at(FIRST), manner).await;
        add_late(&self.table, &self.workspace).await;
        self.settle_both(at(FINAL), manner).await;
        // The sweep of the outbox.
        let left = self.table.unpublished(&self.workspace).await.unwrap();
        self.table.publish(&self.kept.bus(&Faults::default()), &self.workspace, &left).await.unwrap();
        self.collect();
    }

    async fn settle_both(&mut self, now: DateTime<Utc>, manner: &mut Manner<'_>) {
        self.settle(now, SCORE, manner).await;
        // Which revisions a month gets depends on how many of its weeks it is rolled up after.
        self.settle(now + TimeDelta::hours(12), ROLL_UP, manner).await;
    }

    /// Fires a schedule every quarter of an hour from `now` on until there is nothing left to do.
    pub async fn settle(&mut self, now: DateTime<Utc>, schedule: &str, manner: &mut Manner<'_>) {
        for firing in 0..60 {
            let now = now + TimeDelta::minutes(15 * firing);
            let mut planned = self.fire(now, schedule, manner).await;
            while let Some(event) = self.next(manner) {
                self.deliver(event, manner).await;
                if let Manner::Rough(dice) = manner
                    && dice.below(20) == 0
                {
                    planned += self.fire(now, schedule, manner).await;
                }
            }
            if planned == 0 {
                return;
            }
        }
        panic!("the runs come to no end");
    }

    /// Fires a schedule; returns how much there is to do, at least.
    async fn fire(&mut self, now: DateTime<Utc>, schedule: &str, manner: &mut Manner<'_>) -> usize {
        let event = json!({ "detail-type": schedule, "scheduled_time": now });
        let ended = self.invoke(&event, manner).await;
        self.collect();
        match ended {
            End::Done(outcome) => outcome.shards_planned,
            End::Failed => 1,
        }
    }

    fn next(&mut self, manner: &mut Manner<'_>) -> Option<Value> {
        if let Manner::Shuffled(dice) | Manner::Rough(dice) = manner {
            dice.shuffle(self.queue.make_contiguous());
        }
        self.queue.pop_front()
    }

    async fn deliver(&mut self, event: Value, manner: &mut Manner<'_>) {
        // Twice again after an error, as EventBridge does; then the schedule plans anew.
        for _ in 0..3 {
            if let End::Done(outcome) = self.invoke(&event, manner).await {
                self.handovers += usize::from(outcome.handed_over);
                self.sum.published += outcome.published;
                self.sum.failed += outcome.failed;
                break;
            }
        }
        self.collect();
        if let Manner::Shuffled(dice) = manner
            && event["again"].is_null()
            && dice.below(2) == 0
        {
            let mut again = event;
            again["again"] = json!(true);
            self.queue.push_back(again);
        }
    }

    async fn invoke(&mut self, event: &Value, manner: &mut Manner<'_>) -> End {
        let mut twice = false;
        if let Manner::Rough(dice) = manner {
            twice = dice.below(3) == 0;
            if dice.below(4) == 0 {
                let fault = Fault::ALL[dice.below(4) as usize];
                self.faults.arm(dice.below(50) as u32, fault);
            }
        }
        let both = async {
            if twice {
                let (one, other) = tokio::join!(self.handle(event), self.handle(event));
                one.and(other)
            } else {
                self.handle(event).await
            }
        };
        let ended = tokio::select! {
            ended = both => ended.ok(),
            () = self.faults.killed() => None,
        };
        self.faults.clear();
        self.faults_met += usize::from(ended.is_none());
        ended.map_or(End::Failed, End::Done)
    }

    async fn handle(&self, event: &Value) -> Result<Outcome, RunError> {
        if event["detail-type"] == SCORE {
            score_week::handle(serde_json::from_value(event.clone()).unwrap(), &self.score).await
        } else {
            roll_up_month::handle(serde_json::from_value(event.clone()).unwrap(), &self.roll_up).await
        }
    }

    /// Sorts what came over the bus: shards to the functions, the rest to everybody.
    fn collect(&mut self) {
        for event in self.kept.take() {
            let shard = event["detail-type"].as_str().is_some_and(|kind| kind.ends_with(".shard"));
            if shard { self.queue.push_back(event) } else { self.told.push(event) }
        }
    }

    /// All that stands in the table, and what was told by event id.
    pub async fn state(&self) -> State {
        let items = scan(&self.table).await.into_iter().map(comparable).collect();
        let mut told = BTreeMap::new();
        for event in &self.told {
            let mut event = event.clone();
            event["detail"]["occurred_at"] = Value::Null;
            let id = event["detail"]["event_id"].as_str().unwrap().to_owned();
            let before = told.insert(id, event.clone());
            assert!(before.is_none_or(|before| before == event), "one id, two changes: {event}");
        }
        State { items, told }
    }
}

/// What a run leaves behind.
#[derive(Debug, PartialEq)]
pub struct State {
    pub items: BTreeMap<(String, String), Item>,
    pub told: BTreeMap<String, Value>,
}

impl State {
    /// Fails with what differs, and not with thousands of items.
    pub fn must_be(&self, expected: &Self, what: &str) {
        for (key, item) in &expected.items {
            assert_eq!(self.items.get(key), Some(item), "{what}: {key:?}");
        }
        for key in self.items.keys() {
            assert!(expected.items.contains_key(key), "{what}: there is {key:?}");
        }
        for (id, event) in &expected.told {
            assert_eq!(self.told.get(id), Some(event), "{what}: told");
        }
        assert_eq!(self.told.len(), expected.told.len(), "{what}: told");
    }

    /// Keys of items whose sort key has a prefix.
    pub fn of_kind<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a (String, String)> {
        self.items.keys().filter(move |(_, sk)| sk.starts_with(prefix))
    }
}

/// An item under its key, without when it was written: a run that is taken up later is written later.
fn comparable(mut item: Item) -> ((String, String), Item) {
    let text = |item: &Item, name: &str| item[name].as_s().unwrap().clone();
    let key = (text(&item, "pk"), text(&item, "sk"));
    for written in ["published_at", "planned_at", "finished_at", "expires_at"] {
        if let Some(value) = item.get_mut(written) {
            *value = AttributeValue::Bool(true);
        }
    }
    for value in item.values_mut() {
        if let AttributeValue::Ns(numbers) = value {
            numbers.sort();
        }
    }
    (key, item)
}
