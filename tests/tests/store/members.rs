use std::collections::BTreeSet;

use barometer_cloud::{
    Table,
    table::members::{DUE_SHARDS, Due, Member, Person},
};
use barometer_domain::{Zone, ask::FIRST_ASK_AFTER};
use barometer_tests::store::table;
use chrono::{DateTime, TimeDelta, Utc};

use crate::samples::{Dice, at, company, day, is_conflict, user, workspace};

async fn note(table: &Table, name: &str, instant: &str) {
    let seen = at(instant);
    table.note_member(&workspace(), &company("acme"), &user(name), seen, seen.date_naive()).await.unwrap();
}

async fn member(table: &Table, name: &str) -> Member {
    table.member(&workspace(), &company("acme"), &user(name)).await.unwrap().unwrap()
}

async fn due(table: &Table, now: DateTime<Utc>) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for shard in 0..DUE_SHARDS {
        for Due { workspace: found, company: of, user } in table.due(shard, now, 100).await.unwrap() {
            assert_eq!((found, of), (workspace(), company("acme")));
            assert!(all.insert(user.to_string()), "{user} is on two lists");
        }
    }
    all
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn are_seen_first_at_the_earliest_instant_in_any_order() {
    let table = table().await;
    let instants =
        ["2026-09-03T10:00:00Z", "2026-09-01T23:30:00Z", "2026-09-01T23:30:00.5Z", "2026-09-08T00:00:00Z"];
    let mut dice = Dice::new(7);
    for round in 0..8 {
        let name = format!("ann {round}");
        let mut order = [0, 1, 2, 3, 1, 3];
        dice.shuffle(&mut order);
        for index in order {
            note(&table, &name, instants[index]).await;
        }
        let found = member(&table, &name).await;
        assert_eq!(found.first_seen_at, at("2026-09-01T23:30:00Z"), "order {order:?}");
        assert_eq!(found.first_seen, day("2026-09-01"));
        assert_eq!(found.due_at, Some(at("2026-09-01T23:30:00Z") + FIRST_ASK_AFTER), "order {order:?}");
        assert_eq!(found.user_id, user(&name));
    }
    assert_eq!(table.members(&workspace(), &company("acme")).await.unwrap().len(), 8);
    assert_eq!(table.members(&workspace(), &company("acme#2")).await.unwrap(), []);
}

#[tokio::test]
async fn an_earlier_event_moves_no_turn_that_was_set_since() {
    let table = table().await;
    let (a, acme) = (workspace(), company("acme"));
    let asked = at("2026-09-20T09:00:00Z");
    note(&table, "ann", "2026-09-03T10:00:00Z").await;
    table.record_ask(&a, &acme, &user("ann"), asked, 1, asked + TimeDelta::days(30)).await.unwrap();
    note(&table, "ann", "2026-09-01T10:00:00Z").await;
    let ann = member(&table, "ann").await;
    assert_eq!(ann.first_seen_at, at("2026-09-01T10:00:00Z"));
    assert_eq!((ann.due_at, ann.asks), (Some(asked + TimeDelta::days(30)), 1));
}

#[tokio::test]
async fn are_due_only_when_it_is_their_turn() {
    let table = table().await;
    let seen = ["2026-09-01T10:00:00Z", "2026-09-02T10:00:00Z", "2026-09-03T10:00:00Z"];
    for (name, instant) in ["ann", "bob#1", "carl"].iter().zip(seen) {
        note(&table, name, instant).await;
    }
    let turn = |index: usize| at(seen[index]) + FIRST_ASK_AFTER;
    assert_eq!(due(&table, turn(0) - TimeDelta::microseconds(1)).await, names(&[]));
    assert_eq!(due(&table, turn(0)).await, names(&["ann"]));
    assert_eq!(due(&table, turn(1)).await, names(&["ann", "bob#1"]));
    assert_eq!(due(&table, turn(2)).await, names(&["ann", "bob#1", "carl"]));
}

#[tokio::test]
async fn are_handed_out_in_turn_and_no_more_than_asked_for() {
    let table = table().await;
    for number in 0..40_i64 {
        let seen = at("2026-09-01T10:00:00Z") + TimeDelta::minutes(number);
        let name = user(&format!("user-{number}"));
        table.note_member(&workspace(), &company("acme"), &name, seen, seen.date_naive()).await.unwrap();
    }
    let now = at("2026-12-01T00:00:00Z");
    let mut all = 0;
    for shard in 0..DUE_SHARDS {
        let some = table.due(shard, now, 3).await.unwrap();
        let whole = table.due(shard, now, 100).await.unwrap();
        assert_eq!(some, whole[..3.min(whole.len())], "the earliest first");
        all += whole.len();
    }
    assert_eq!(all, 40);
}

#[tokio::test]
async fn are_put_on_the_list_and_taken_off() {
    let table = table().await;
    let (a, acme, ann) = (workspace(), company("acme"), user("ann"));
    let later = at("2027-01-01T09:00:00Z");
    note(&table, "ann", "2026-09-01T10:00:00Z").await;
    table.schedule_ask(&a, &acme, &ann, None).await.unwrap();
    assert_eq!(member(&table, "ann").await.due_at, None);
    assert_eq!(due(&table, later).await, names(&[]));

    table.schedule_ask(&a, &acme, &ann, Some(later)).await.unwrap();
    assert_eq!(member(&table, "ann").await.due_at, Some(later));
    assert_eq!(due(&table, later - TimeDelta::seconds(1)).await, names(&[]));
    assert_eq!(due(&table, later).await, names(&["ann"]));

    // Nobody is made a member by being scheduled.
    table.schedule_ask(&a, &acme, &user("nobody"), Some(later)).await.unwrap();
    table.schedule_ask(&a, &acme, &user("nobody"), None).await.unwrap();
    assert_eq!(table.member(&a, &acme, &user("nobody")).await.unwrap(), None);
}

#[tokio::test]
async fn an_ask_is_recorded_once_a_cycle() {
    let table = table().await;
    let (a, acme, ann) = (workspace(), company("acme"), user("ann"));
    note(&table, "ann", "2026-08-01T10:00:00Z").await;
    let (first, next) = (at("2026-09-01T09:00:00Z"), at("2026-10-01T09:00:00Z"));
    table.record_ask(&a, &acme, &ann, first, 1, next).await.unwrap();
    table
        .record_ask(&a, &acme, &ann, first + TimeDelta::hours(1), 1, next + TimeDelta::days(9))
        .await
        .unwrap();
    let once = member(&table, "ann").await;
    assert_eq!((once.asks, once.unanswered, once.last_ask_at, once.due_at), (1, 1, Some(first), Some(next)));

    let (one, other) = tokio::join!(
        table.record_ask(&a, &acme, &ann, next, 2, next + TimeDelta::days(60)),
        table.record_ask(&a, &acme, &ann, next, 2, next + TimeDelta::days(60))
    );
    one.and(other).unwrap();
    let twice = member(&table, "ann").await;
    assert_eq!((twice.asks, twice.unanswered, twice.last_ask_at), (2, 2, Some(next)));

    table.record_answered(&a, &acme, &ann).await.unwrap();
    table.record_answered(&a, &acme, &ann).await.unwrap();
    let answered = member(&table, "ann").await;
    assert_eq!((answered.asks, answered.unanswered, answered.due_at), (2, 0, twice.due_at));

    table.record_ask(&a, &acme, &user("nobody"), first, 1, next).await.unwrap();
    table.record_answered(&a, &acme, &user("nobody")).await.unwrap();
    assert_eq!(table.member(&a, &acme, &user("nobody")).await.unwrap(), None);
}

#[tokio::test]
async fn leave_and_come_back() {
    let table = table().await;
    let (a, acme, ann) = (workspace(), company("acme"), user("ann"));
    note(&table, "ann", "2026-09-01T10:00:00Z").await;
    table.end_membership(&a, &acme, &ann, Some(day("2026-09-10"))).await.unwrap();
    let gone = member(&table, "ann").await;
    assert_eq!(gone.left, Some(day("2026-09-10")));
    assert!(!gone.seat(false).eligible("2026-W37".parse().unwrap()));
    assert!(gone.seat(false).eligible("2026-W36".parse().unwrap()));
    table.end_membership(&a, &acme, &ann, None).await.unwrap();
    assert_eq!(member(&table, "ann").await.left, None);

    table.end_membership(&a, &acme, &user("nobody"), Some(day("2026-09-10"))).await.unwrap();
    assert_eq!(table.member(&a, &acme, &user("nobody")).await.unwrap(), None);
    table.retire_member(&a, &acme, &ann, &user("eve")).await.unwrap();
    assert_eq!(table.members(&a, &acme).await.unwrap(), []);
    assert_eq!(due(&table, at("2027-01-01T00:00:00Z")).await, names(&[]));
}

#[tokio::test]
async fn are_described_when_they_are_members() {
    let table = table().await;
    let (a, acme, ann) = (workspace(), company("acme"), user("ann"));
    let zone: Zone = "Asia/Kolkata".parse().unwrap();
    let person = Person {
        email: Some("ann@example.com".to_owned()),
        name: Some("Ann".to_owned()),
        time_zone: Some(zone),
        language: Some("de-AT".to_owned()),
        primary_contact: Some(true),
    };
    assert!(is_conflict(table.describe_member(&a, &acme, &ann, &person).await));
    note(&table, "ann", "2026-09-01T10:00:00Z").await;
    table.describe_member(&a, &acme, &ann, &person).await.unwrap();
    let renamed = Person { name: Some("Ann B.".to_owned()), ..Person::default() };
    table.describe_member(&a, &acme, &ann, &renamed).await.unwrap();
    table.describe_member(&a, &acme, &ann, &Person::default()).await.unwrap();
    let found = member(&table, "ann").await;
    assert_eq!((found.email, found.name), (person.email, renamed.name));
    assert_eq!((found.time_zone, found.language), (Some(zone), person.language));
    assert_eq!((found.primary_contact, found.contact), (Some(true), None));
}

#[tokio::test]
async fn are_primary_contacts_as_the_csm_says_else_the_product() {
    let table = table().await;
    let (a, acme, ann) = (workspace(), company("acme"), user("ann"));
    let set = async |contact| {
        let written = table.set_primary_contact(&a, &acme, &ann, contact).await.unwrap();
        written.map(|member| member.is_primary_contact())
    };
    assert_eq!(set(Some(true)).await, None, "nobody becomes a member by it");
    note(&table, "ann", "2026-09-01T10:00:00Z").await;
    let said = Person { primary_contact: Some(true), ..Person::default() };
    table.describe_member(&a, &acme, &ann, &said).await.unwrap();
    assert_eq!(set(None).await, Some(true));
    assert_eq!(set(Some(false)).await, Some(false));
    assert_eq!(set(None).await, Some(true));
    table.retire_member(&a, &acme, &ann, &user("anna")).await.unwrap();
    assert_eq!(set(Some(true)).await, None, "the seat is another person's");
}
