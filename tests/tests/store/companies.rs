use std::collections::BTreeSet;

use barometer_cloud::Table;
use barometer_cloud::table::companies::{MonthScore, Patch, Profile, Readings, SCORE_SHARDS};
use barometer_domain::{
    CompanyId, Percent, WorkspaceId, Zone,
    band::Standing,
    happiness::{Happiness, Level},
    language::Language,
};
use barometer_tests::store::{metered, table};
use chrono::{DateTime, Utc};

use crate::samples::{
    Dice, at, company, day, is_conflict, note_companies, published, readings, snapshot, workspace,
};

fn says(name: Option<&str>, created_at: Option<&str>) -> Profile {
    Profile { name: name.map(str::to_owned), created_at: created_at.map(at), ..Profile::default() }
}

#[tokio::test]
async fn begins_with_the_earliest_word_in_any_order() {
    let words: [(Profile, DateTime<Utc>); 4] = [
        (says(None, None), at("2026-09-03T10:00:00Z")),
        (says(None, None), at("2026-09-01T10:00:00Z")),
        (says(None, Some("2026-08-01T00:00:00Z")), at("2026-09-04T10:00:00Z")),
        (says(None, Some("2026-08-01T00:00:00.000001Z")), at("2026-09-05T10:00:00Z")),
    ];
    let mut dice = Dice::new(1);
    let table = table().await;
    for round in 0..8 {
        let id = company(&format!("c{round}"));
        let mut order = [0, 1, 2, 3, 0, 2];
        dice.shuffle(&mut order);
        for index in order {
            let (profile, at) = &words[index];
            table.note_company(&workspace(), &id, profile, *at).await.unwrap();
        }
        let found = table.company(&workspace(), &id).await.unwrap().unwrap();
        assert_eq!(found.created_at, at("2026-08-01T00:00:00Z"), "order {order:?}");
    }
}

#[tokio::test]
async fn concurrent_words_leave_the_earliest() {
    let table = table().await;
    let (a, id) = (workspace(), company("acme"));
    let profile = Profile::default();
    let note = |instant: &str| table.note_company(&a, &id, &profile, at(instant));
    let (one, two, three) = tokio::join!(
        note("2026-09-02T10:00:00Z"),
        note("2026-09-01T10:00:00Z"),
        note("2026-09-03T10:00:00Z")
    );
    one.and(two).and(three).unwrap();
    let found = table.company(&a, &id).await.unwrap().unwrap();
    assert_eq!(found.created_at, at("2026-09-01T10:00:00Z"));
}

#[tokio::test]
async fn is_named_by_its_id_until_a_name_is_known() {
    let table = table().await;
    let (a, id) = (workspace(), company("acme"));
    let now = at("2026-09-01T10:00:00Z");
    table.note_company(&a, &id, &says(None, None), now).await.unwrap();
    assert_eq!(table.company(&a, &id).await.unwrap().unwrap().name, "acme");

    let zone: Zone = "Europe/Berlin".parse().unwrap();
    let told = Profile {
        plan: Some("pro".to_owned()),
        time_zone: Some(zone),
        language: Some(Language::German),
        ..says(Some("Acme Inc."), None)
    };
    table.note_company(&a, &id, &told, now).await.unwrap();
    table.note_company(&a, &id, &says(None, None), now).await.unwrap();
    let found = table.company(&a, &id).await.unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.plan.as_deref()), ("Acme Inc.", Some("pro")));
    assert_eq!((found.time_zone, found.language), (Some(zone), Some(Language::German)));
    assert_eq!(found.company_id, id);
    assert!(!found.request_feedback);
}

#[tokio::test]
async fn what_a_row_says_already_is_read_and_not_written() {
    let table = table().await;
    let (a, id, now) = (workspace(), company("acme"), at("2026-09-01T10:00:00Z"));
    let (client, meter) = metered();
    let counted = table.through(client);
    // A write leaves its mark for the portfolio first.
    for (language, calls) in [
        (Some(Language::German), vec!["GetItem", "PutItem", "UpdateItem", "UpdateItem"]),
        (Some(Language::German), vec!["GetItem"]),
        (None, vec!["GetItem"]),
        (Some(Language::English), vec!["GetItem", "PutItem", "UpdateItem", "UpdateItem"]),
    ] {
        let told = Profile { language, ..says(Some("Acme"), None) };
        counted.tell_company(&a, &id, &told, now).await.unwrap();
        let made: Vec<String> = meter.read().into_iter().map(|(call, _)| call).collect();
        assert_eq!(made, calls, "{language:?}");
    }
    assert_eq!(table.company(&a, &id).await.unwrap().unwrap().language, Some(Language::English));
}

/// The companies of a shard, read three at a time.
async fn in_shard(table: &Table, shard: u8) -> Vec<CompanyId> {
    let mut companies = Vec::new();
    loop {
        let page = table.companies_to_score(&workspace(), shard, companies.last(), 3).await.unwrap();
        if page.is_empty() {
            return companies;
        }
        companies.extend(page);
    }
}

#[tokio::test]
async fn every_company_lies_in_one_shard_of_the_score_list() {
    let table = table().await;
    let stranger = WorkspaceId::new("ws_other").unwrap();
    let ids: BTreeSet<CompanyId> = (0..60).map(|n| company(&format!("company #{n} ü"))).collect();
    for id in &ids {
        table.note_company(&workspace(), id, &Profile::default(), at("2026-09-01T10:00:00Z")).await.unwrap();
        // Hearing of it again doesn't list it twice.
        table.note_company(&workspace(), id, &Profile::default(), at("2026-09-01T11:00:00Z")).await.unwrap();
    }
    table
        .note_company(&stranger, &company("theirs"), &Profile::default(), at("2026-09-01T10:00:00Z"))
        .await
        .unwrap();
    let mut listed = Vec::new();
    for shard in 0..SCORE_SHARDS {
        let found = in_shard(&table, shard).await;
        assert!(found.len() < ids.len() / 2, "shard {shard} holds {} of {}", found.len(), ids.len());
        listed.extend(found);
    }
    assert_eq!(listed.len(), ids.len());
    assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), ids);
}

#[tokio::test]
async fn the_portfolio_is_the_workspaces_own_in_order() {
    let table = table().await;
    assert_eq!(table.companies(&workspace()).await.unwrap(), []);
    note_companies(&table, &["b", "a", "c"]).await;
    let stranger = WorkspaceId::new("ws_other").unwrap();
    table
        .note_company(&stranger, &company("theirs"), &Profile::default(), at("2026-09-01T10:00:00Z"))
        .await
        .unwrap();
    let found = table.companies(&workspace()).await.unwrap();
    let ids: Vec<_> = found.iter().map(|company| company.company_id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    assert_eq!(table.company(&workspace(), &company("theirs")).await.unwrap(), None);
}

#[tokio::test]
async fn a_patch_sets_clears_and_leaves() {
    let table = table().await;
    note_companies(&table, &["acme"]).await;
    let (a, id) = (workspace(), company("acme"));
    let all = Patch {
        name: Some("Acme".to_owned()),
        owner: Some(Some("ann@example.com".to_owned())),
        plan: Some(Some("pro".to_owned())),
        time_zone: Some(Some(Zone::UTC)),
        language: Some(Some(Language::German)),
        renewal_on: Some(Some(day("2027-01-01"))),
        churned_on: Some(Some(day("2026-12-01"))),
        notice_on: Some(Some(day("2026-10-01"))),
        request_feedback: Some(true),
        tags: Some(["vip".to_owned(), "pilot".to_owned()].into()),
    };
    table.patch_company(&a, &id, &all).await.unwrap();
    let found = table.company(&a, &id).await.unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.owner.as_deref()), ("Acme", Some("ann@example.com")));
    assert_eq!((found.plan.as_deref(), found.time_zone), (Some("pro"), Some(Zone::UTC)));
    assert_eq!((found.renewal_on, found.churned_on), (Some(day("2027-01-01")), Some(day("2026-12-01"))));
    assert_eq!((found.notice_on, found.request_feedback), (Some(day("2026-10-01")), true));
    assert_eq!(found.language, Some(Language::German));
    assert_eq!(Some(&found.tags), all.tags.as_ref());
    table.patch_company(&a, &id, &Patch { tags: Some([].into()), ..Patch::default() }).await.unwrap();
    assert!(table.company(&a, &id).await.unwrap().unwrap().tags.is_empty());

    let cleared = Patch { owner: Some(None), churned_on: Some(None), ..Patch::default() };
    table.patch_company(&a, &id, &cleared).await.unwrap();
    table.patch_company(&a, &id, &Patch::default()).await.unwrap();
    let left = table.company(&a, &id).await.unwrap().unwrap();
    assert_eq!((&left.owner, left.churned_on), (&None, None));
    assert_eq!((left.name.as_str(), left.notice_on), ("Acme", found.notice_on));

    let mixed = Patch { plan: Some(None), name: Some("Acme Ltd".to_owned()), ..Patch::default() };
    table.patch_company(&a, &id, &mixed).await.unwrap();
    let found = table.company(&a, &id).await.unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.plan), ("Acme Ltd", None));
}

#[tokio::test]
async fn an_unknown_company_is_neither_patched_nor_made() {
    let table = table().await;
    let (a, id) = (workspace(), company("nobody"));
    let named = Patch { name: Some("Nobody".to_owned()), ..Patch::default() };
    assert!(is_conflict(table.patch_company(&a, &id, &named).await));
    let only_clears = Patch { owner: Some(None), ..Patch::default() };
    assert!(is_conflict(table.patch_company(&a, &id, &only_clears).await));
    assert!(is_conflict(
        table.write_readings(&a, &id, &readings(&published(1, snapshot("2026-W36", 2, 1)))).await
    ));
    assert_eq!(table.company(&a, &id).await.unwrap(), None);
}

#[tokio::test]
async fn readings_are_written_beside_one_another() {
    let table = table().await;
    note_companies(&table, &["acme"]).await;
    let (a, id) = (workspace(), company("acme"));
    let week = readings(&published(2, snapshot("2026-W36", 3, 2)));
    let happiness = Readings {
        happiness: Some(Happiness {
            score: Some(Percent::from_basis_points(7_333).unwrap()),
            level: Level::Happy,
            answers: 3,
            response_rate: None,
            provisional: false,
            silent: false,
            oldest_answer_at: Some(at("2026-08-01T00:00:00Z")),
            nps: None,
        }),
        ..Readings::default()
    };
    let month = Readings {
        month: Some(MonthScore {
            month: "2026-08".parse().unwrap(),
            revision: 1,
            score: None,
            shown: None,
            band: Standing::Insufficient,
            previous: None,
        }),
        ..Readings::default()
    };
    for readings in [&week, &happiness, &month, &Readings::default()] {
        table.write_readings(&a, &id, readings).await.unwrap();
    }
    let found = table.company(&a, &id).await.unwrap().unwrap();
    assert_eq!((found.engagement, found.last_seen_at), (week.engagement, week.last_seen_at));
    assert_eq!((found.happiness, found.month), (happiness.happiness, month.month));
    assert_eq!(found.name, "acme");
}
