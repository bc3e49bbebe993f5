//! Whose activity it is: whatever the order in which a product says who somebody is, what company they belong to and
//! what they did, companies end with the same people and the same activity.

use std::collections::BTreeMap;

use barometer_cloud::Table;
use barometer_domain::{CompanyId, IsoWeek, Settings, UserId, activity::UserWeek, loose::Loose};
use barometer_tests::store::table;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use futures_util::future::join_all;
use ingest_events::{access::Known, event::Event, memory::Memory, read::Reading, store::store};
use serde_json::{Value, json};

use crate::samples::{Dice, at, company, user, workspace};

const WEEKS: [&str; 4] = ["2026-W34", "2026-W35", "2026-W36", "2026-W37"];
const COMPANIES: [&str; 3] = ["acme", "beta", "c#1"];

fn now() -> DateTime<Utc> {
    at("2026-09-11T12:00:00Z")
}

fn event(fields: Value) -> Event {
    serde_json::from_value(fields).unwrap()
}

async fn post(table: &Table, memory: &Memory, events: Vec<Event>, now: DateTime<Utc>) -> usize {
    let known = Known { workspace: workspace(), settings: Settings::default() };
    let reading = Reading { events: events.into_iter().enumerate().collect(), ..Reading::default() };
    let (reading, unattributed) = store(table, None, memory, &known, "source", reading, now).await.unwrap();
    assert_eq!(reading.rejected, 0);
    unattributed
}

type Seat = (UserId, NaiveDate, Option<NaiveDate>);

/// What scoring sees, and what waits.
#[derive(Debug, PartialEq)]
struct State {
    members: BTreeMap<CompanyId, Vec<Seat>>,
    activity: BTreeMap<(CompanyId, IsoWeek), BTreeMap<UserId, UserWeek>>,
    waiting: BTreeMap<UserId, BTreeMap<IsoWeek, Loose>>,
}

async fn state(table: &Table, ids: &[&str]) -> State {
    let (mut members, mut activity, mut waiting) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for id in COMPANIES.map(company) {
        let found = table.members(&workspace(), &id).await.unwrap();
        members
            .insert(id.clone(), found.into_iter().map(|of| (of.user_id, of.first_seen, of.left)).collect());
        for week in WEEKS.map(|week| week.parse::<IsoWeek>().unwrap()) {
            let found = table.activity_of_week(&workspace(), &id, week).await.unwrap();
            activity.insert((id.clone(), week), found);
        }
    }
    for id in ids.iter().map(|id| user(id)) {
        let who = table.who(&workspace(), &id, now()).await.unwrap();
        if !who.waiting.is_empty() {
            waiting.insert(id, who.waiting);
        }
    }
    State { members, activity, waiting }
}

/// A history of a few people: two ids each that are theirs alone, two or three companies, two weeks.
fn history(dice: &mut Dice) -> Vec<Event> {
    let mut events = Vec::new();
    let count = 3 + dice.below(12);
    for number in 0..count {
        let person = dice.below(2);
        let id = ["ann", "bob"][person as usize];
        let anonymous = [["a-ann", "b-ann"], ["a-bob", "b-bob"]][person as usize][dice.below(2) as usize];
        let place = COMPANIES[dice.below(3) as usize];
        // Mostly apart, sometimes in the same slot, sometimes around a Monday's midnight.
        let minutes = match dice.below(3) {
            0 => i64::try_from(dice.below(14 * 24 * 60)).unwrap(),
            1 => 7 * 24 * 60 - 5 + i64::try_from(dice.below(10)).unwrap(),
            _ => 10 * 24 * 60 + i64::try_from(dice.below(60)).unwrap(),
        };
        let instant = (at("2026-08-24T00:00:00Z") + TimeDelta::minutes(minutes)).timestamp_millis();
        let mut fields = json!({ "t": instant, "id": format!("m{number}") });
        let mut set = |name: &str, value: &str| fields[name] = json!(value);
        let known = dice.below(3) > 0;
        set(if known { "u" } else { "a" }, if known { id } else { anonymous });
        match dice.below(12) {
            0 | 1 => {
                set("k", "i");
                set("u", id);
                if dice.below(2) == 0 {
                    set("a", anonymous);
                }
                if dice.below(3) == 0 {
                    set("c", place);
                }
            }
            2..=4 => {
                set("k", "g");
                set("c", place);
            }
            5 => {
                set("k", "a");
                set("u", id);
                set("p", anonymous);
            }
            6 if dice.below(2) == 0 => {
                set("k", "t");
                set("n", "Account Removed User");
                if dice.below(2) == 0 {
                    set("c", place);
                }
            }
            _ => {
                set("k", if dice.below(4) == 0 { "p" } else { "t" });
                set("n", ["Export", "Import"][dice.below(2) as usize]);
                if dice.below(3) == 0 {
                    set("c", place);
                }
                if dice.below(3) == 0 {
                    fields["d"] = json!(1_000 * dice.below(3_000));
                }
            }
        }
        events.push(event(fields));
    }
    events
}

const IDS: [&str; 6] = ["ann", "bob", "a-ann", "b-ann", "a-bob", "b-bob"];

#[tokio::test]
async fn the_order_of_what_is_said_and_done_changes_nothing() {
    for seed in 0..40 {
        let mut dice = Dice::new(seed);
        let events = history(&mut dice);

        let whole = table().await;
        post(&whole, &Memory::default(), events.clone(), now()).await;
        let expected = state(&whole, &IDS).await;

        for turn in 0..2 {
            // One by one, some of it twice, by two processes that don't know of each other.
            let apart = table().await;
            let mut order: Vec<Event> = events.iter().chain(events.iter().take(3)).cloned().collect();
            dice.shuffle(&mut order);
            let processes = [Memory::default(), Memory::default()];
            for event in order {
                post(&apart, &processes[dice.below(2) as usize], vec![event], now()).await;
            }
            let found = state(&apart, &IDS).await;
            assert_eq!(found, expected, "seed {seed}, turn {turn}: {events:#?}");
        }
    }
}

#[tokio::test]
async fn requests_at_the_same_time_change_nothing() {
    // The last two found what the others had not.
    for seed in (100..115).chain([6043, 6155]) {
        let mut dice = Dice::new(seed);
        let events = history(&mut dice);
        let whole = table().await;
        post(&whole, &Memory::default(), events.clone(), now()).await;
        let expected = state(&whole, &IDS).await;

        let apart = table().await;
        let processes = [Memory::default(), Memory::default(), Memory::default()];
        for some in events.chunks(3) {
            let requests = some.iter().zip(&processes);
            let requests = requests.map(|(event, memory)| post(&apart, memory, vec![event.clone()], now()));
            join_all(requests).await;
        }
        assert_eq!(state(&apart, &IDS).await, expected, "seed {seed}");
    }
}

fn track(id: &str, who: &str, instant: &str, name: &str) -> Event {
    let at = at(instant).timestamp_millis();
    event(json!({ "k": "t", "t": at, "u": who, "n": name, "id": id }))
}

fn group(id: &str, who: &str, instant: &str, place: &str) -> Event {
    event(json!({ "k": "g", "t": at(instant).timestamp_millis(), "u": who, "c": place, "id": id }))
}

async fn used(table: &Table, place: &str, who: &str) -> Vec<String> {
    let week = "2026-W36".parse().unwrap();
    let found = table.activity_of_week(&workspace(), &company(place), week).await.unwrap();
    let uses =
        found.get(&user(who)).map(|week| week.uses.iter().map(|of| of.sighting.name.clone()).collect());
    uses.unwrap_or_default()
}

#[tokio::test]
async fn a_user_of_two_companies_is_active_at_the_one_they_named_last() {
    let table = table().await;
    let memory = Memory::default();
    let events = vec![
        group("g1", "ann", "2026-09-01T09:00:00Z", "acme"),
        track("t1", "ann", "2026-09-01T09:10:00Z", "Export"),
        group("g2", "ann", "2026-09-01T10:00:00Z", "beta"),
        track("t2", "ann", "2026-09-01T10:10:00Z", "Import"),
        group("g3", "ann", "2026-09-01T11:00:00Z", "acme"),
        track("t3", "ann", "2026-09-01T11:10:00Z", "Print"),
    ];
    assert_eq!(post(&table, &memory, events, now()).await, 0);
    assert_eq!(used(&table, "acme", "ann").await, ["Export", "Print"]);
    assert_eq!(used(&table, "beta", "ann").await, ["Import"]);
}

#[tokio::test]
async fn a_company_that_is_told_within_seven_days_gets_what_waited_and_not_after() {
    for (late, expected) in [(TimeDelta::days(7) - TimeDelta::seconds(1), 1), (TimeDelta::days(7), 0)] {
        let table = table().await;
        let memory = Memory::default();
        let event = track("t1", "ann", "2026-09-01T09:10:00Z", "Export");
        assert_eq!(post(&table, &memory, vec![event], now()).await, 1);
        let told = group("g1", "ann", "2026-09-02T09:00:00Z", "acme");
        assert_eq!(post(&table, &memory, vec![told], now() + late).await, 0);
        assert_eq!(used(&table, "acme", "ann").await.len(), expected, "{late}");
    }
}

#[tokio::test]
async fn an_answer_waits_for_its_company_too() {
    let table = table().await;
    let memory = Memory::default();
    let instant = at("2026-09-01T09:00:00Z").timestamp_millis();
    let answer =
        json!({ "k": "t", "t": instant, "a": "anon", "n": "NPS Submitted", "id": "m1", "r": 3, "m": "slow" });
    assert_eq!(post(&table, &memory, vec![event(answer)], now()).await, 1);
    let identify = json!({ "k": "i", "t": instant, "u": "ann", "a": "anon", "id": "m2" });
    post(&table, &memory, vec![event(identify)], now()).await;
    post(&table, &memory, vec![group("g1", "ann", "2026-09-02T09:00:00Z", "acme")], now()).await;
    let found =
        table.answers(&workspace(), &company("acme"), at("2026-08-01T00:00:00Z"), now()).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].user_id.clone(), found[0].comment.as_deref()), (user("ann"), Some("slow")));
}

#[tokio::test]
async fn two_people_at_one_device_are_told_apart_by_who_came_first() {
    let claims = [("ann", "2026-09-01T08:00:00Z"), ("bob", "2026-09-01T09:00:00Z")];
    for order in [[0, 1], [1, 0]] {
        let table = table().await;
        let memory = Memory::default();
        let instant = at("2026-09-01T07:00:00Z").timestamp_millis();
        let seen = json!({ "k": "t", "t": instant, "a": "device", "c": "acme", "n": "Export", "id": "m1" });
        post(&table, &memory, vec![event(seen)], now()).await;
        for index in order {
            let (who, instant) = claims[index];
            let instant = at(instant).timestamp_millis();
            let identify = json!({ "k": "i", "t": instant, "u": who, "a": "device", "id": who });
            post(&table, &memory, vec![event(identify)], now()).await;
        }
        assert_eq!(used(&table, "acme", "ann").await, ["Export"]);
        assert!(used(&table, "acme", "bob").await.is_empty());
    }
}

#[tokio::test]
async fn ids_that_claim_each_other_in_a_chain_or_a_circle_are_one_person() {
    for circle in [false, true] {
        let table = table().await;
        let mut events = vec![
            json!({ "k": "a", "u": "b", "p": "a" }),
            json!({ "k": "a", "u": "c", "p": "b" }),
            json!({ "k": "g", "u": "b", "c": "acme" }),
            json!({ "k": "t", "u": "a", "n": "Export" }),
            json!({ "k": "t", "u": "c", "n": "Import" }),
            json!({ "k": "t", "a": "b", "n": "Print", "c": "acme" }),
        ];
        if circle {
            events.push(json!({ "k": "a", "u": "a", "p": "c" }));
        }
        let root = if circle { "a" } else { "c" };
        for (number, fields) in events.iter_mut().enumerate() {
            fields["id"] = json!(format!("m{number}"));
            fields["t"] = json!(at("2026-09-01T07:00:00Z").timestamp_millis() + number as i64);
        }
        let mut dice = Dice::new(3);
        for _ in 0..3 {
            dice.shuffle(&mut events);
            for fields in &events {
                post(&table, &Memory::default(), vec![event(fields.clone())], now()).await;
            }
            assert_eq!(used(&table, "acme", root).await, ["Export", "Import", "Print"], "{root}");
            let members = table.members(&workspace(), &company("acme")).await.unwrap();
            assert_eq!(members.iter().map(|member| member.user_id.as_str()).collect::<Vec<_>>(), [root]);
        }
    }
}

#[tokio::test]
async fn a_user_with_thousands_of_event_names_blocks_nobody() {
    let table = table().await;
    let memory = Memory::default();
    for part in 0..9 {
        let events = (0..900).map(|n| {
            let name = format!("Order {part}-{n} {}", "x".repeat(50));
            let fields = json!({ "k": "t", "t": at("2026-09-01T07:00:00Z").timestamp_millis() + n, "u": "bot",
                "c": "acme", "n": name, "id": format!("{part}-{n}") });
            event(fields)
        });
        post(&table, &memory, events.collect(), now()).await;
    }
    let last = json!({ "k": "t", "t": at("2026-09-03T07:00:00Z").timestamp_millis(), "u": "bot", "c": "acme",
        "n": "y".repeat(60), "id": "last" });
    post(&table, &memory, vec![event(last)], now()).await;
    let found =
        table.activity_of_week(&workspace(), &company("acme"), "2026-W36".parse().unwrap()).await.unwrap();
    assert!(found[&user("bot")].days.contains(&4), "days are counted still");
}
