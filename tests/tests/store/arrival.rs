//! A month of activity, posted in any order: what is published in the end is what comes of it in its own order.

use barometer_cloud::{Table, workspaces::NewWorkspace};
use barometer_domain::{IsoWeek, Settings, WorkspaceId, Zone};
use barometer_tests::store::table;
use chrono::{DateTime, TimeDelta, Utc};
use ingest_events::{access::Known, event::Event, memory::Memory, read::Reading, store::store};
use serde_json::{Value, json};

use crate::samples::{Dice, at, company};
use crate::weekly::{Manner, ROLL_UP, SCORE, World};

const WEEKS: [&str; 4] = ["2026-W36", "2026-W37", "2026-W38", "2026-W39"];
const COMPANIES: usize = 4;
const PEOPLE: usize = 3;

/// What the people of some companies say and do in a week, in its order.
fn happened(week: IsoWeek, dice: &mut Dice) -> Vec<Event> {
    let start = week.start(Zone::UTC);
    let mut events = Vec::new();
    for person in 0..COMPANIES * PEOPLE {
        let (place, user) = (format!("c{}", person % COMPANIES), format!("u{person}"));
        // On Monday they say where they belong; some later events name their company themselves, others don't.
        let said = (start + TimeDelta::minutes(person as i64)).timestamp_millis();
        let id = format!("{week} {person}");
        events.push(json!({ "k": "g", "t": said, "u": user, "c": place, "id": format!("{id} g") }));
        for visit in 0..dice.below(12) {
            let when = start + TimeDelta::minutes(60 + dice.below(7 * 24 * 60 - 120) as i64);
            let feature = ["Export", "Import", "Print"][dice.below(3) as usize];
            let mut event = json!({ "k": "t", "t": when.timestamp_millis(), "u": user, "n": feature,
                "id": format!("{id} {visit}"), "d": 60_000 * dice.below(40) });
            if dice.below(2) == 0 {
                event["c"] = json!(place);
            }
            events.push(event);
        }
        if dice.below(3) == 0 {
            let when = (start + TimeDelta::hours(50)).timestamp_millis();
            events.push(json!({ "k": "t", "t": when, "u": user, "n": "NPS Submitted", "c": place,
                "id": format!("{id} n"), "r": dice.below(11) }));
        }
    }
    events.sort_by_key(|event| event["t"].as_i64());
    events.into_iter().map(|event| serde_json::from_value(event).unwrap()).collect()
}

async fn post(table: &Table, workspace: &WorkspaceId, memory: &Memory, events: &[Event], now: DateTime<Utc>) {
    let known = Known { workspace: workspace.clone(), settings: Settings::default() };
    for some in events.chunks(40) {
        let reading = Reading { events: some.iter().cloned().enumerate().collect(), ..Reading::default() };
        store(table, None, memory, &known, "source", reading, now).await.unwrap();
    }
}

async fn world() -> World {
    let table = table().await;
    let new = NewWorkspace { name: "Initech".to_owned(), ..NewWorkspace::default() };
    let created = barometer_cloud::workspaces::create(&table, new, at("2026-08-31T00:00:00Z")).await.unwrap();
    World::over(table, created.workspace_id)
}

/// Posts and scores a month; with dice, shuffled, some of it twice, and some only between a week's two scorings.
async fn month(events: &[Vec<Event>], mut dice: Option<&mut Dice>) -> World {
    let mut world = world().await;
    let processes = [Memory::default(), Memory::default()];
    for (week, events) in WEEKS.iter().zip(events) {
        let week: IsoWeek = week.parse().unwrap();
        let (mut in_time, mut late) = (events.clone(), Vec::new());
        if let Some(dice) = &mut dice {
            (late, in_time) = in_time.into_iter().partition(|_| dice.below(5) == 0);
            for part in [&mut in_time, &mut late] {
                let again: Vec<Event> = part.iter().filter(|_| dice.below(4) == 0).cloned().collect();
                part.extend(again);
                dice.shuffle(part);
            }
        }
        let end = week.next().start(Zone::UTC);
        let (first, second) = in_time.split_at(in_time.len() / 2);
        post(&world.table, &world.workspace, &processes[0], first, end - TimeDelta::minutes(2)).await;
        post(&world.table, &world.workspace, &processes[1], second, end - TimeDelta::minutes(1)).await;
        world.settle(end + TimeDelta::minutes(15), SCORE, &mut Manner::Calm).await;
        post(&world.table, &world.workspace, &processes[0], &late, end + TimeDelta::hours(30)).await;
        world.settle(week.grace_end(Zone::UTC), SCORE, &mut Manner::Calm).await;
        world.settle(week.grace_end(Zone::UTC), ROLL_UP, &mut Manner::Calm).await;
    }
    world
}

/// The latest snapshots, as they are written. Numbers of revisions apart: a week that late events corrected has one
/// revision more than a week that had them in time, and its month names it.
async fn published(world: &World) -> Vec<String> {
    let (table, workspace) = (&world.table, &world.workspace);
    let [first, .., last] = WEEKS.map(|week| week.parse::<IsoWeek>().unwrap());
    let mut published = Vec::new();
    for company in (0..COMPANIES).map(|number| company(&format!("c{number}"))) {
        for week in table.weeks(workspace, &company, first, last).await.unwrap() {
            published.push(serde_json::to_string(&week.snapshot).unwrap());
        }
        for month in table.months(workspace, &company, first.month(), last.month()).await.unwrap() {
            let mut month: Value = serde_json::to_value(&month.snapshot).unwrap();
            for week in month["weeks"].as_array_mut().unwrap() {
                week["revision"] = Value::Null;
            }
            published.push(month.to_string());
        }
    }
    published
}

#[tokio::test]
async fn a_month_posted_in_any_order_twice_and_late_is_published_the_same() {
    for seed in 0..2 {
        let mut dice = Dice::new(seed);
        let events: Vec<_> = WEEKS.iter().map(|week| happened(week.parse().unwrap(), &mut dice)).collect();
        let expected = published(&month(&events, None).await).await;
        assert_eq!(expected.len(), COMPANIES * (WEEKS.len() + 1));
        let disordered = month(&events, Some(&mut dice)).await;
        assert_eq!(published(&disordered).await, expected, "seed {seed}");
        let id = company("c0");
        let revisions = disordered.table.weeks_with_revisions(
            &disordered.workspace,
            &id,
            WEEKS[0].parse().unwrap(),
            WEEKS[3].parse().unwrap(),
        );
        assert!(revisions.await.unwrap().len() > WEEKS.len(), "late events made corrections");
    }
}
