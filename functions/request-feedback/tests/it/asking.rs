//! Who is asked, when, and who isn't.

use barometer_cloud::{
    asking::schedule_company,
    table::{asks::AskState, companies::Patch, members::Person},
};
use barometer_domain::{CompanyId, Settings, ask, ask::in_window};
use chrono::TimeDelta;

use crate::support::{World, at, monday, user};

#[tokio::test]
async fn a_user_is_asked_at_the_slot_and_again_after_thirty_days() {
    let world = World::new().await;
    let ann = world.add("ann").await;
    let slot = world.slot(&ann).await;
    assert!(in_window(slot, "UTC".parse().unwrap()));
    let summary = world.sweep(slot).await;
    assert_eq!((summary.sent, summary.errors, summary.complete), (1, 0, true));

    let mails = world.ses.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].0, "ann@acme.example");
    assert!(mails[0].1.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click"));
    let ask = world.ask(&ann, 1).await.unwrap();
    assert_eq!((ask.state, ask.cycle, ask.accepted_at), (AskState::Accepted, 1, Some(slot)));
    assert_eq!(ask.message_id.as_deref(), Some("m-1"));
    assert_eq!(ask.expires, slot + TimeDelta::days(30));
    let member = world.member(&ann).await;
    assert_eq!((member.asks, member.unanswered, member.last_ask_at), (1, 1, Some(slot)));
    let next = member.due_at.unwrap();
    assert!(next >= slot + TimeDelta::days(30) && next <= slot + TimeDelta::days(34));

    let second = world.sweep_until_sent(next - TimeDelta::hours(1), next).await;
    assert_eq!(second, Some(next));
    assert_eq!(world.ses.calls(), 2);
    let member = world.member(&ann).await;
    assert_eq!((member.asks, member.unanswered), (2, 2));
    assert!(
        member.due_at.unwrap() >= next + TimeDelta::days(60),
        "after two asks without an answer: 60 days"
    );
}

#[tokio::test]
async fn firing_twice_sends_once() {
    let world = World::new().await;
    let ann = world.add("ann").await;
    let slot = world.slot(&ann).await;
    for _ in 0..3 {
        world.sweep(slot).await;
    }
    assert_eq!(world.ses.calls(), 1);
}

#[tokio::test]
async fn everybody_is_asked_within_one_working_day_at_quarters() {
    let world = World::new().await;
    for number in 0..60 {
        world.add(&format!("u{number}")).await;
    }
    let mut now = monday();
    let mut sent = 0;
    while now <= at("2026-09-07T16:00:00Z") {
        sent += world.sweep(now).await.sent;
        if !in_window(now, "UTC".parse().unwrap()) {
            assert_eq!(u32::try_from(world.ses.mails().len()).unwrap(), sent);
        }
        now += TimeDelta::minutes(15);
    }
    assert_eq!(sent, 60, "also those whose minute lies after the last sweep of the window");
    assert_eq!(world.sweep(at("2026-09-07T16:00:00Z")).await.due, 0);
}

#[tokio::test]
async fn nobody_is_asked_before_fourteen_days_or_without_an_address() {
    let world = World::new().await;
    let new = world.add_seen("new", at("2026-09-04T10:00:00Z"), Some("new@acme.example")).await;
    let silent = world.add_seen("silent", at("2026-08-03T10:00:00Z"), None).await;
    assert_eq!(world.sweep_until_sent(monday(), at("2026-09-08T16:00:00Z")).await, None);
    assert_eq!(world.member(&silent).await.due_at, None);
    assert_eq!(world.member(&new).await.due_at, Some(at("2026-09-18T10:00:00Z")));
}

#[tokio::test]
async fn closed_gates_take_a_user_off_the_list() {
    let world = World::new().await;
    let (table, workspace, company) = (&world.table, &world.workspace, &world.company);
    for id in ["gone", "out", "intern", "kept"] {
        world.add(id).await;
    }
    let day = monday().date_naive();
    table.end_membership(workspace, company, &user("gone"), Some(day)).await.unwrap();
    table.unsubscribe(workspace, &user("out"), monday()).await.unwrap();
    let mut version = table.settings(workspace).await.unwrap().unwrap();
    version.version += 1;
    version.settings.exclusions.user_ids.insert(user("intern"));
    table.save_settings(workspace, &version).await.unwrap();

    let summary = world.sweep(monday()).await;
    assert_eq!((summary.taken_off, summary.rescheduled, summary.sent), (3, 1, 0));
    for id in ["gone", "out", "intern"] {
        assert_eq!(world.member(&user(id)).await.due_at, None, "{id}");
    }
    world.sweep(world.member(&user("kept")).await.due_at.unwrap()).await;
    assert_eq!(world.ses.mails().len(), 1);
}

#[tokio::test]
async fn a_switched_off_or_churned_company_is_not_asked_and_resumes() {
    let world = World::new().await;
    let ann = world.add("ann").await;
    world.switch(false).await;
    assert_eq!(world.sweep(monday()).await.taken_off, 1);
    assert_eq!(world.member(&ann).await.due_at, None);

    world.switch(true).await;
    let settings = Settings { name: "Initech".to_owned(), ..Settings::default() };
    let resumed = at("2026-09-09T12:00:00Z");
    let scheduled =
        schedule_company(&world.table, &world.workspace, &world.company, &settings, resumed).await.unwrap();
    assert_eq!(scheduled, 1);
    let next = world.member(&ann).await.due_at.unwrap();
    assert!(next >= resumed);

    let churned = Patch { churned_on: Some(Some(next.date_naive())), ..Patch::default() };
    world.table.patch_company(&world.workspace, &world.company, &churned).await.unwrap();
    assert_eq!(world.sweep(next).await.taken_off, 1);
    assert_eq!(world.ses.calls(), 0);
}

#[tokio::test]
async fn a_user_of_two_companies_is_asked_for_one_of_them() {
    let world = World::new().await;
    let ann = world.add("ann").await;
    let slot = world.slot(&ann).await;
    let globex = World {
        company: CompanyId::new("globex").unwrap(),
        table: world.table.clone(),
        ses: world.ses.clone(),
        workspace: world.workspace.clone(),
    };
    let seen = at("2026-08-03T10:00:00Z");
    globex.table.note_company(&globex.workspace, &globex.company, &Default::default(), seen).await.unwrap();
    globex.switch(true).await;
    globex.add("ann").await;
    let summary = world.sweep(slot).await;
    assert_eq!((summary.due, summary.sent, summary.rescheduled), (2, 1, 1));
    let later = [world.member(&ann).await, globex.member(&ann).await];
    assert!(later.iter().all(|member| member.due_at.unwrap() >= slot + TimeDelta::days(30)));
}

#[tokio::test]
async fn mails_go_out_by_the_users_own_clock_and_language() {
    let world = World::new().await;
    let ann = world.add("ann").await;
    let person = Person {
        time_zone: Some("America/Los_Angeles".parse().unwrap()),
        language: Some("de-AT".to_owned()),
        name: Some("Ännchen".to_owned()),
        ..Person::default()
    };
    world.table.describe_member(&world.workspace, &world.company, &ann, &person).await.unwrap();
    let slot = world.slot(&ann).await;
    assert!(in_window(slot, person.time_zone.unwrap()));
    assert!(slot >= at("2026-09-07T16:00:00Z"), "nine o'clock in Los Angeles");
    world.sweep(slot).await;
    let mail = &world.ses.mails()[0].1;
    let parsed = mailparse::parse_mail(mail.as_bytes()).unwrap();
    assert!(parsed.subparts[0].get_body().unwrap().contains("Guten Tag Ännchen,"));
}

#[tokio::test]
async fn a_late_sweep_still_asks_in_the_window_and_waits_outside_of_it() {
    let world = World::new().await;
    let ann = world.add("ann").await;
    let slot = world.slot(&ann).await;
    let evening = at("2026-09-07T18:00:00Z");
    let summary = world.sweep(evening).await;
    assert_eq!((summary.sent, summary.rescheduled), (0, 1));
    let next = world.member(&ann).await.due_at.unwrap();
    assert_eq!(next, slot + TimeDelta::days(1), "the same time of the next working day");
    let late = at("2026-09-08T15:45:00Z");
    assert_eq!(world.sweep(late).await.sent, 1);
}

#[tokio::test]
async fn the_cadence_is_what_the_settings_say() {
    let world = World::new().await;
    let mut version = world.table.settings(&world.workspace).await.unwrap().unwrap();
    version.version += 1;
    version.settings.cadence_days = 90.try_into().unwrap();
    world.table.save_settings(&world.workspace, &version).await.unwrap();
    let ann = world.add("ann").await;
    let slot = world.slot(&ann).await;
    world.sweep(slot).await;
    assert_eq!(ask::cadence(version.settings.cadence_days.duration(), 1), TimeDelta::days(90));
    assert!(world.member(&ann).await.due_at.unwrap() >= slot + TimeDelta::days(90));
}

#[tokio::test]
async fn a_first_backlog_is_spread_and_a_small_one_is_not() {
    for (users, most_days) in [(10, 1), (100, 5)] {
        let world = World::new().await;
        let mut known = Vec::new();
        for number in 0..users {
            known.push(world.add(&format!("u{number}")).await);
        }
        let settings = Settings { name: "Initech".to_owned(), ..Settings::default() };
        // A Monday before the window, so that a day of the spread is a day of the calendar.
        let on = monday();
        let scheduled = schedule_company(&world.table, &world.workspace, &world.company, &settings, on);
        assert_eq!(scheduled.await.unwrap(), users);
        let mut days = std::collections::BTreeMap::<_, u32>::new();
        for user in &known {
            *days.entry(world.member(user).await.due_at.unwrap().date_naive()).or_default() += 1;
        }
        assert_eq!(days.len(), most_days, "{days:?}");
        assert!(days.values().all(|asked| *asked <= 40), "{days:?}");
        // Turned off and on again: the same days.
        let before = world.member(&known[0]).await.due_at;
        schedule_company(&world.table, &world.workspace, &world.company, &settings, on).await.unwrap();
        assert_eq!(world.member(&known[0]).await.due_at, before);
    }
}

#[tokio::test]
async fn who_answered_another_survey_is_left_alone_for_a_month() {
    let world = World::new().await;
    let ann = world.add("ann").await;
    let surveyed = at("2026-09-04T10:00:00Z");
    world.table.note_surveyed(&world.workspace, &ann, surveyed).await.unwrap();
    // An older one that is heard of later changes nothing.
    world.table.note_surveyed(&world.workspace, &ann, at("2026-08-20T10:00:00Z")).await.unwrap();
    let slot = world.slot(&ann).await;
    assert!(slot >= surveyed + TimeDelta::days(30) && slot <= surveyed + TimeDelta::days(34), "{slot}");
    assert_eq!(world.sweep(slot).await.sent, 1);
}
