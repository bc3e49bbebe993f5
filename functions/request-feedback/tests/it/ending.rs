//! How a send ends, and that it is sent at most once whatever happens.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use barometer_cloud::table::{
    asks::{Ask, AskState},
    companies::Patch,
    members::Person,
};
use barometer_domain::UserId;
use chrono::{DateTime, TimeDelta, Utc};
use request_feedback::{ScheduledInput, SweepError, handle};

use crate::support::{Ses, Watch, World, monday, watched};

#[tokio::test]
async fn each_answer_of_ses_ends_as_it_must() {
    for (answer, state, asks) in [
        (Ses::Accept, AskState::Accepted, 1),
        (Ses::Throttle, AskState::Planned, 0),
        (Ses::Pause, AskState::Planned, 0),
        (Ses::Reject, AskState::Failed, 1),
        (Ses::Error500, AskState::Unknown, 1),
        (Ses::AcceptThenReset, AskState::Unknown, 1),
    ] {
        let world = World::new().await;
        let ann = world.add("ann").await;
        let slot = world.slot(&ann).await;
        world.ses.tell([answer]);
        let summary = world.sweep(slot).await;
        assert_eq!(world.ses.calls(), 1, "{answer:?}: called once, never repeated");
        assert_eq!(world.state(&ann, 1).await, Some(state), "{answer:?}");
        let member = world.member(&ann).await;
        assert_eq!(member.asks, asks, "{answer:?}");
        assert_eq!(summary.sent, u32::from(state == AskState::Accepted), "{answer:?}");
        assert_eq!(summary.paused, u32::from(state == AskState::Planned), "{answer:?}");
        let earliest = if asks == 0 { TimeDelta::minutes(15) } else { TimeDelta::days(30) };
        assert!(member.due_at.unwrap() >= slot + earliest, "{answer:?}");
        // Nothing more happens at this time, or until the next cycle.
        world.sweep(slot).await;
        if asks == 1 {
            world.sweep_until_sent(slot, slot + TimeDelta::hours(4)).await;
        }
        assert_eq!(world.ses.calls(), 1, "{answer:?}");
    }
}

#[tokio::test]
async fn what_ses_did_not_take_is_sent_by_a_later_sweep_once() {
    let world = World::new().await;
    let ann = world.add("ann").await;
    let slot = world.slot(&ann).await;
    world.ses.tell([Ses::Throttle, Ses::Throttle]);
    assert_eq!(world.sweep(slot).await.paused, 1);
    let sent = world.sweep_until_sent(slot, slot + TimeDelta::days(3)).await.unwrap();
    assert!(sent > slot);
    assert_eq!((world.ses.calls(), world.ses.mails().len()), (3, 1));
    assert_eq!(world.state(&ann, 1).await, Some(AskState::Accepted));
    assert_eq!(world.member(&ann).await.last_ask_at, Some(sent));
}

#[tokio::test]
async fn a_throttled_ses_stops_the_shard() {
    let world = World::new().await;
    for number in 0..24 {
        world.add(&format!("u{number}")).await;
    }
    // Everybody is late, so everybody is due.
    let late = monday() + TimeDelta::hours(7) + TimeDelta::minutes(45);
    world.sweep(monday()).await;
    world.ses.tell([Ses::Throttle; 4]);
    let summary = world.sweep(late).await;
    assert_eq!((summary.paused, summary.sent, summary.complete), (4, 0, false));
    assert_eq!(world.ses.calls(), 4, "one call in each shard, not one for each user");
}

async fn unsubscribes_at(world: &World, slot: DateTime<Utc>, operation: &'static str, user: &UserId) {
    let (table, workspace, user) = (world.table.clone(), world.workspace.clone(), user.clone());
    let client = watched(move |called, _| {
        if called != operation {
            return Watch::Pass;
        }
        let (table, workspace, user) = (table.clone(), workspace.clone(), user.clone());
        Watch::Then(Box::pin(async move { table.unsubscribe(&workspace, &user, slot).await.unwrap() }))
    });
    handle(ScheduledInput { scheduled_time: slot }, &world.deps_through(client)).await.unwrap();
}

#[tokio::test]
async fn an_unsubscribe_wins_over_a_planned_mail() {
    let world = World::new().await;
    let ann = world.add("ann").await;
    let slot = world.slot(&ann).await;
    unsubscribes_at(&world, slot, "TransactWriteItems", &ann).await;
    assert_eq!(world.ses.calls(), 0);
    let ask = world.ask(&ann, 1).await.unwrap();
    assert_eq!((ask.state, ask.reason.as_deref()), (AskState::Skipped, Some("unsubscribed")));
    let member = world.member(&ann).await;
    assert_eq!((member.due_at, member.asks, member.last_ask_at), (None, 0, None));
}

/// Does something after the last look at the gates, before the claim.
async fn after_the_last_look<F>(
    world: &World,
    slot: DateTime<Utc>,
    meanwhile: impl Fn() -> F + Send + Sync + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let looks = Arc::new(AtomicU32::new(0));
    let client = watched(move |called, body| {
        // Of what is read of a member, the person comes last; they are looked at twice.
        let look = called == "GetItem" && body.contains("\"who\"");
        if look && looks.fetch_add(1, Ordering::SeqCst) == 1 {
            Watch::Then(Box::pin(meanwhile()))
        } else {
            Watch::Pass
        }
    });
    handle(ScheduledInput { scheduled_time: slot }, &world.deps_through(client)).await.unwrap();
}

#[tokio::test]
async fn whoever_unsubscribes_between_the_last_look_and_the_claim_gets_no_mail() {
    let world = World::new().await;
    let ann = world.add("ann").await;
    let slot = world.slot(&ann).await;
    let (table, workspace, user) = (world.table.clone(), world.workspace.clone(), ann.clone());
    after_the_last_look(&world, slot, move || {
        let (table, workspace, user) = (table.clone(), workspace.clone(), user.clone());
        async move { table.unsubscribe(&workspace, &user, slot).await.unwrap() }
    })
    .await;
    assert_eq!(world.ses.calls(), 0);
    let ask = world.ask(&ann, 1).await.unwrap();
    assert_eq!((ask.state, ask.reason.as_deref()), (AskState::Skipped, Some("unsubscribed")));
    assert_eq!(world.member(&ann).await.due_at, None);
}

#[tokio::test]
async fn a_switch_turned_off_between_the_last_look_and_the_claim_stops_the_mail() {
    let world = World::new().await;
    let ann = world.add("ann").await;
    let slot = world.slot(&ann).await;
    let (table, workspace, company) = (world.table.clone(), world.workspace.clone(), world.company.clone());
    after_the_last_look(&world, slot, move || {
        let (table, workspace, company) = (table.clone(), workspace.clone(), company.clone());
        let off = Patch { request_feedback: Some(false), ..Patch::default() };
        async move { table.patch_company(&workspace, &company, &off).await.unwrap() }
    })
    .await;
    assert_eq!(world.ses.calls(), 0);
    assert_eq!(world.ask(&ann, 1).await.unwrap().reason.as_deref(), Some("switched_off"));
}

#[tokio::test]
async fn a_user_whom_mails_do_not_reach_is_asked_again_at_a_new_address() {
    let world = World::new().await;
    let ann = world.add("ann").await;
    let slot = world.slot(&ann).await;
    world.table.note_unreachable(&world.workspace, &ann, "Ann@acme.example", "General").await.unwrap();
    assert_eq!(world.sweep(slot).await.taken_off, 1);
    assert_eq!((world.ses.calls(), world.member(&ann).await.due_at), (0, None));

    let person = Person { email: Some("ann@new.example".to_owned()), ..Person::default() };
    world.table.describe_member(&world.workspace, &world.company, &ann, &person).await.unwrap();
    world.table.wake_ask(&world.workspace, &world.company, &ann, slot).await.unwrap();
    world.sweep_until_sent(slot, slot + TimeDelta::days(1)).await.unwrap();
    assert_eq!(world.ses.mails()[0].0, "ann@new.example");
}

#[tokio::test]
async fn an_unsubscribe_wins_over_a_mail_that_ses_did_not_take() {
    let world = World::new().await;
    let ann = world.add("ann").await;
    let slot = world.slot(&ann).await;
    world.ses.tell([Ses::Throttle]);
    world.sweep(slot).await;
    world.table.unsubscribe(&world.workspace, &ann, slot).await.unwrap();
    assert_eq!(world.sweep_until_sent(slot, slot + TimeDelta::hours(1)).await, None);
    assert_eq!(world.state(&ann, 1).await, Some(AskState::Skipped));
    assert!(world.ses.mails().is_empty());
}

#[tokio::test]
async fn a_skipped_ask_gives_way_to_the_next() {
    let world = World::new().await;
    let ann = world.add("ann").await;
    let slot = world.slot(&ann).await;
    world.ses.tell([Ses::Throttle]);
    world.sweep(slot).await;
    world.switch(false).await;
    let later = world.member(&ann).await.due_at.unwrap();
    assert_eq!(world.sweep(later).await.taken_off, 1);
    assert_eq!(world.state(&ann, 1).await, Some(AskState::Skipped));

    world.switch(true).await;
    world.table.schedule_ask(&world.workspace, &world.company, &ann, Some(later)).await.unwrap();
    world.sweep_until_sent(later, later + TimeDelta::days(1)).await.unwrap();
    assert_eq!(world.state(&ann, 2).await, Some(AskState::Accepted));
    assert_eq!(world.member(&ann).await.asks, 2);
}

fn planned(world: &World, user: &UserId, state: AskState, at: DateTime<Utc>) -> Ask {
    Ask {
        send_id: world.send_id(user, 1),
        workspace_id: world.workspace.clone(),
        company_id: world.company.clone(),
        user_id: user.clone(),
        cycle: 1,
        state,
        reason: None,
        planned_at: at,
        submitted_at: None,
        scanned_at: None,
        accepted_at: (state == AskState::Accepted).then_some(at),
        message_id: None,
        answered_at: None,
        expires: at + TimeDelta::days(30),
    }
}

#[tokio::test]
async fn a_crash_while_submitting_is_never_sent_again() {
    let world = World::new().await;
    let ann = world.add("ann").await;
    let slot = world.slot(&ann).await;
    world.table.plan_ask(&planned(&world, &ann, AskState::Submitting, slot)).await.unwrap();
    // The same firing again can't tell it from a worker that is still at it.
    assert_eq!(world.sweep(slot).await.held, 1);
    assert_eq!(world.state(&ann, 1).await, Some(AskState::Submitting));

    let later = slot + TimeDelta::minutes(15);
    let utc = "UTC".parse().unwrap();
    let next = if barometer_domain::ask::in_window(later, utc) { later } else { slot + TimeDelta::days(1) };
    let summary = world.sweep(next).await;
    assert_eq!((summary.unknown, summary.sent), (1, 0));
    assert_eq!(world.state(&ann, 1).await, Some(AskState::Unknown));
    assert_eq!(world.ses.calls(), 0);
    let member = world.member(&ann).await;
    assert_eq!(member.asks, 1);
    assert!(member.due_at.unwrap() >= next + TimeDelta::days(30), "left to the next cycle");
}

#[tokio::test]
async fn a_crash_while_submitting_is_ended_also_when_nobody_is_to_be_asked_any_more() {
    let world = World::new().await;
    let ann = world.add("ann").await;
    let slot = world.slot(&ann).await;
    world.table.plan_ask(&planned(&world, &ann, AskState::Submitting, slot)).await.unwrap();
    world.table.unsubscribe(&world.workspace, &ann, slot).await.unwrap();
    assert_eq!(world.sweep(slot + TimeDelta::minutes(15)).await.taken_off, 1);
    let ask = world.ask(&ann, 1).await.unwrap();
    assert_eq!((ask.state, ask.reason.as_deref()), (AskState::Unknown, Some("ended while submitting")));
}

#[tokio::test]
async fn a_crash_after_the_mail_was_taken_is_only_written_down() {
    let world = World::new().await;
    let ann = world.add("ann").await;
    let slot = world.slot(&ann).await;
    world.table.plan_ask(&planned(&world, &ann, AskState::Accepted, slot)).await.unwrap();
    assert_eq!(world.sweep(slot).await.recovered, 1);
    assert_eq!(world.ses.calls(), 0);
    let member = world.member(&ann).await;
    assert_eq!((member.asks, member.last_ask_at), (1, Some(slot)));
}

#[tokio::test]
async fn a_crash_before_any_write_of_the_sweep_sends_at_most_once() {
    // Stops the sweep at its n-th write, for every n, and lets the schedule go on.
    for stop in 1..=6 {
        let world = World::new().await;
        let ann = world.add("ann").await;
        let slot = world.slot(&ann).await;
        let writes = Arc::new(AtomicU32::new(0));
        let client = watched(move |called, _| {
            let write = matches!(called, "UpdateItem" | "PutItem" | "TransactWriteItems");
            if write && writes.fetch_add(1, Ordering::SeqCst) + 1 >= stop {
                Watch::Throttle
            } else {
                Watch::Pass
            }
        });
        let stopped = handle(ScheduledInput { scheduled_time: slot }, &world.deps_through(client)).await;
        assert!(stop > 5 || matches!(stopped, Err(SweepError::Store(_))), "{stop}: {stopped:?}");
        let mut now = slot;
        while now < slot + TimeDelta::days(4) {
            world.sweep(now).await;
            now = world.member(&ann).await.due_at.unwrap().max(now + TimeDelta::minutes(15));
        }
        let ended = world.state(&ann, 1).await.unwrap();
        assert_eq!(world.ses.calls(), 1, "{stop}");
        assert!(matches!(ended, AskState::Accepted | AskState::Unknown), "{stop}: {ended:?}");
        assert_eq!(world.state(&ann, 2).await, None, "{stop}");
    }
}

#[tokio::test]
async fn two_workers_at_once_send_once() {
    let world = World::new().await;
    for number in 0..12 {
        world.add(&format!("u{number}")).await;
    }
    world.sweep(monday()).await;
    let late = monday() + TimeDelta::hours(7) + TimeDelta::minutes(45);
    let (one, two) = (world.deps(), world.deps());
    let input = || ScheduledInput { scheduled_time: late };
    let (one, two) = tokio::join!(handle(input(), &one), handle(input(), &two));
    world.sweep(late).await;
    assert_eq!(world.ses.mails().len(), 12);
    assert_eq!(one.unwrap().sent + two.unwrap().sent, 12);
    let mut to: Vec<String> = world.ses.mails().into_iter().map(|(to, _)| to).collect();
    to.sort();
    to.dedup();
    assert_eq!(to.len(), 12);
}

#[tokio::test]
async fn a_worker_that_was_given_up_still_says_what_it_knows() {
    let world = World::new().await;
    let ann = world.add("ann").await;
    let slot = world.slot(&ann).await;
    let ask = planned(&world, &ann, AskState::Submitting, slot);
    world.table.plan_ask(&ask).await.unwrap();
    world.table.move_ask(&ask, AskState::Submitting, AskState::Unknown, None).await.unwrap();
    world.table.accept_ask(&ask, "m-1", slot).await.unwrap();
    assert_eq!(world.state(&ann, 1).await, Some(AskState::Accepted));
}

#[tokio::test]
async fn an_address_that_is_none_fails_alone() {
    let world = World::new().await;
    let bad = world.add_seen("bad", monday() - TimeDelta::days(30), Some("no address")).await;
    let slot = world.slot(&bad).await;
    let summary = world.sweep(slot).await;
    assert_eq!((summary.failed, summary.errors), (1, 0));
    assert_eq!(world.state(&bad, 1).await, Some(AskState::Failed));
    assert_eq!(world.ses.calls(), 0);
}

#[tokio::test]
async fn one_broken_member_stops_nobody() {
    use aws_sdk_dynamodb::types::AttributeValue;
    let world = World::new().await;
    let (ann, bob) = (world.add("ann").await, world.add("bob").await);
    world.sweep(monday()).await;
    let late = monday() + TimeDelta::hours(7) + TimeDelta::minutes(45);
    world
        .table
        .client()
        .update_item()
        .table_name(world.table.name())
        .key("pk", AttributeValue::S(format!("{}#company#acme", world.workspace)))
        .key("sk", AttributeValue::S("user#ann".to_owned()))
        .update_expression("SET first_seen = :broken")
        .expression_attribute_values(":broken", AttributeValue::S("not a day".to_owned()))
        .send()
        .await
        .unwrap();
    let summary = world.sweep(late).await;
    assert_eq!((summary.errors, summary.sent), (1, 1));
    assert_eq!(world.member(&bob).await.asks, 1);
    assert_eq!(world.sweep(late).await.due, 0, "put off, not at the front again");
    assert!(world.table.member(&world.workspace, &world.company, &ann).await.is_err());
}
