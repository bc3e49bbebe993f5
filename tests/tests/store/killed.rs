//! Whatever happens to the processes that score weeks and roll up months, what they leave behind is the same.

use aws_sdk_dynamodb::types::AttributeValue;
use barometer_cloud::table::runs::{Pass, RunKey};
use barometer_domain::{IsoWeek, Month};

use crate::samples::{Dice, company};
use crate::weekly::{Manner, Seed, State, WEEK, World, name};

async fn undisturbed(seed: &Seed) -> (World, State) {
    let mut world = seed.plant().await;
    world.run(&mut Manner::Calm).await;
    let state = world.state().await;
    (world, state)
}

#[tokio::test]
async fn an_undisturbed_run_is_complete_and_tells_what_changed() {
    let seed = Seed::new(1).await;
    let (world, state) = undisturbed(&seed).await;
    let (table, workspace) = (&world.table, &world.workspace);
    let week: IsoWeek = WEEK.parse().unwrap();
    for pass in [Pass::First, Pass::Final] {
        let run = table.run(workspace, RunKey::Week(week, pass)).await.unwrap().unwrap();
        assert!(run.is_complete() && run.finished_at.is_some(), "{run:?}");
    }
    let month: Month = week.month();
    for settled in [1, 2] {
        let run = table.run(workspace, RunKey::Month(month, 2, settled)).await.unwrap().unwrap();
        assert!(run.is_complete() && run.finished_at.is_some(), "{run:?}");
    }
    // All but the churned two, and corrections of those that had late events.
    assert_eq!(state.of_kind("week#2026-W37#0001").count(), 30);
    assert_eq!(state.of_kind("week#2026-W37#0002").count(), 6);
    assert!(state.of_kind("month#2026-09#0002").count() > 20);
    let kinds = |kind: &str| state.told.values().filter(|event| event["detail-type"] == kind).count();
    assert_eq!(kinds("run.completed"), 4, "two scorings, two roll-ups");
    assert_eq!(state.of_kind("week#2026-W37#1").count(), 1, "the overview of a scoring");
    assert!(kinds("engagement.changed") > 5 && kinds("happiness.changed") > 3, "{:?}", state.told);
    assert_eq!(world.sum.failed, 0);
}

#[tokio::test]
async fn handing_over_after_every_page_changes_nothing() {
    let seed = Seed::new(2).await;
    let (calm, expected) = undisturbed(&seed).await;
    assert_eq!(calm.handovers, 0);
    let mut world = seed.plant().await.without_budget();
    world.run(&mut Manner::Calm).await;
    world.state().await.must_be(&expected, "handed over");
    // Two scorings with two steps each and two roll-ups, some twenty pages each.
    assert!(world.handovers > 100, "{}", world.handovers);
    assert_eq!(world.sum.published, calm.sum.published);
}

#[tokio::test]
async fn events_that_come_twice_and_in_any_order_change_nothing() {
    let seed = Seed::new(3).await;
    let (_, expected) = undisturbed(&seed).await;
    for order in 0..3 {
        let mut world = seed.plant().await;
        if order % 2 == 0 {
            world = world.without_budget();
        }
        world.run(&mut Manner::Shuffled(&mut Dice::new(order))).await;
        world.state().await.must_be(&expected, &format!("order {order}"));
    }
}

#[tokio::test]
async fn processes_that_fail_at_any_call_are_killed_or_run_twice_change_nothing() {
    let seed = Seed::new(4).await;
    let (_, expected) = undisturbed(&seed).await;
    let mut faults = 0;
    for course in 0..6 {
        let mut world = seed.plant().await;
        if course % 2 == 0 {
            world = world.without_budget();
        }
        world.run(&mut Manner::Rough(&mut Dice::new(course))).await;
        world.state().await.must_be(&expected, &format!("course {course}"));
        faults += world.faults_met;
    }
    assert!(faults > 40, "{faults}");
}

#[tokio::test]
async fn a_company_with_a_broken_item_keeps_nobody_waiting_and_is_counted() {
    let seed = Seed::new(5).await;
    let (_, mut expected) = undisturbed(&seed).await;
    for budget in [true, false] {
        let mut world = seed.plant().await;
        if !budget {
            world = world.without_budget();
        }
        let pk = format!("{}#company#{}", world.workspace, name(5));
        world
            .table
            .client()
            .update_item()
            .table_name(world.table.name())
            .key("pk", AttributeValue::S(pk.clone()))
            .key("sk", AttributeValue::S("user#c05-0".to_owned()))
            .update_expression("SET first_seen = :broken")
            .expression_attribute_values(":broken", AttributeValue::N("7".to_owned()))
            .send()
            .await
            .unwrap();
        world.run(&mut Manner::Calm).await;
        assert_eq!(world.sum.failed, 2, "once in either scoring");
        let mut found = world.state().await;
        // Its own items, the count of those that failed and the overviews apart, everything is as ever.
        for state in [&mut found, &mut expected] {
            let own = company("c05");
            state.items.retain(|(of, sk), _| {
                *of != pk && sk != own.as_str() && !of.contains("#run#") && !of.ends_with("#overviews")
            });
            state.told.retain(|_, event| event["detail"]["company_id"] != own.as_str());
        }
        found.must_be(&expected, "a broken item");
    }
}
