//! What keeps a workspace from mailing: the cap of its first days, bounces, complaints, an SES that takes nothing.

use barometer_cloud::table::{
    asks::AskState,
    cases::series_of,
    mailing::{Bounce, Fate, Word},
};
use barometer_domain::{
    UserId,
    alert::{Alert, Rule},
};
use chrono::{DateTime, TimeDelta, Utc};

use crate::support::{Ses, World, at, monday};

/// The last sweep of a Monday's window.
fn late() -> DateTime<Utc> {
    at("2026-09-07T15:45:00Z")
}

async fn people(world: &World, count: usize) -> Vec<UserId> {
    let mut people = Vec::new();
    for number in 0..count {
        people.push(world.add(&format!("u{number}")).await);
    }
    world.sweep(monday()).await;
    people
}

/// The sentences of the admins' alerts about mailing.
async fn told(world: &World) -> Option<String> {
    let series = series_of(Rule::MailStopped).unwrap();
    let case = world.table.latest_case::<Alert>(&world.workspace, None, &series).await.unwrap()?;
    Some(case.content.finding.sentence)
}

#[tokio::test]
async fn the_first_day_ends_at_its_cap_and_the_next_allows_more() {
    let world = World::new().await;
    people(&world, 130).await;
    let first = world.sweep(late()).await;
    assert_eq!((first.sent, first.held_back), (100, 30));
    assert_eq!(world.sweep(late()).await.due, 0, "whoever is held back is off the list until tomorrow");
    let next = world.sweep(late() + TimeDelta::days(1)).await;
    assert_eq!((next.sent, next.held_back), (30, 0));
    assert_eq!(world.ses.mails().len(), 130);
    assert_eq!(told(&world).await, None);
}

#[tokio::test]
async fn too_many_bounces_or_a_complaint_stop_mailing_for_a_day_and_tell_the_admins() {
    let bounce = || Fate::Bounced(Bounce::Permanent, "General".to_owned());
    // 3 of 60 are 5 %; 2 of 60 are not more than 4 %.
    let cases = [(bounce(), 3, true), (bounce(), 2, false), (Fate::Complained("abuse".to_owned()), 1, true)];
    for (fate, count, stops) in cases {
        let world = World::new().await;
        let asked = people(&world, 60).await;
        assert_eq!(world.sweep(late()).await.sent, 60);
        for user in asked.iter().take(count) {
            let ask = world.ask(user, 1).await.unwrap();
            let (message_id, accepted_at) = (ask.message_id.clone().unwrap(), ask.accepted_at.unwrap());
            let word = Word { fate: fate.clone(), message_id, accepted_at, at: late() };
            for _ in 0..2 {
                world.table.record_word(&ask, &word).await.unwrap();
            }
        }
        let ann = world.add("ann").await;
        let tuesday = late() + TimeDelta::hours(20);
        world.sweep(tuesday - TimeDelta::hours(4)).await;
        let slot = world.member(&ann).await.due_at.unwrap();
        let sweep = world.sweep(slot.max(tuesday - TimeDelta::hours(2))).await;
        let (sent, held_back) = if stops { (0, 1) } else { (1, 0) };
        assert_eq!((sweep.sent, sweep.held_back), (sent, held_back), "{fate:?} {count}");
        assert_eq!(told(&world).await.is_some(), stops);
        if stops {
            assert_eq!(world.state(&ann, 1).await, Some(AskState::Planned), "what is planned is kept");
            let resumed = late() + TimeDelta::hours(26);
            let asked = world.sweep_until_sent(resumed, resumed + TimeDelta::days(1)).await;
            assert!(asked.is_some(), "the bounces are a day old");
        }
    }
}

#[tokio::test]
async fn a_paused_account_stops_the_whole_sweep_and_is_told_once() {
    let world = World::new().await;
    people(&world, 24).await;
    world.ses.tell([Ses::Pause, Ses::Pause]);
    let first = world.sweep(late()).await;
    assert_eq!((first.paused, first.sent, first.complete), (1, 0, false));
    assert_eq!(world.ses.calls(), 1, "one call in all");
    assert_eq!(told(&world).await.unwrap(), "Mailing stopped: the mail service has paused the account");
    world.sweep(late() + TimeDelta::days(1)).await;
    let last = world.sweep(late() + TimeDelta::days(2)).await;
    assert_eq!((last.sent, world.ses.mails().len()), (24, 24), "nobody is left out once it goes on");
}
