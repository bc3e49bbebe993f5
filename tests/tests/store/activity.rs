use std::collections::BTreeMap;

use barometer_cloud::{StoreError, table::activity::Stored};
use barometer_domain::{
    activity::{FeatureSource, Sighting, Use, UserWeek},
    loose::{Entry, Loose, Seen},
};
use barometer_tests::store::table;

use crate::samples::{Dice, at, company, done, user, week, workspace};

fn some_activity(dice: &mut Dice) -> UserWeek {
    let mut some = UserWeek::default();
    for _ in 0..dice.below(4) {
        some.days.insert(1 + dice.below(7) as u8);
    }
    for _ in 0..dice.below(6) {
        some.slots.insert(dice.below(2_028) as u16);
    }
    let sources = [FeatureSource::Property, FeatureSource::Event, FeatureSource::View];
    for _ in 0..dice.below(4) {
        let name = ["export", "Übersicht / α", "#~\"'", "e"][dice.below(4) as usize];
        let sighting = Sighting::new(sources[dice.below(3) as usize], name).unwrap();
        some.uses.insert(Use { day: 1 + dice.below(7) as u8, sighting });
    }
    some
}

#[tokio::test]
async fn is_the_same_set_in_any_order_duplicated_and_at_once() {
    let table = table().await;
    let (a, acme, w36) = (workspace(), company("acme"), week("2026-W36"));
    let mut dice = Dice::new(36);
    for round in 0..12 {
        let ann = user(&format!("ann {round}"));
        let pieces: Vec<UserWeek> = (0..6).map(|_| some_activity(&mut dice)).collect();
        let mut expected = UserWeek::default();
        pieces.iter().for_each(|piece| expected.merge(piece));

        let mut order: Vec<usize> = (0..pieces.len()).chain(0..pieces.len()).collect();
        dice.shuffle(&mut order);
        let add = |index: usize| table.add_activity(&a, &acme, &ann, w36, &pieces[order[index]]);
        for first in (0..order.len()).step_by(3) {
            let (x, y, z) = tokio::join!(add(first), add(first + 1), add(first + 2));
            x.and(y).and(z).unwrap();
        }
        let found = table.stored(&a, &acme, &ann, w36).await.unwrap();
        assert_eq!(found.unwrap_or_default(), Stored::from(expected), "round {round}, order {order:?}");
    }
}

#[tokio::test]
async fn of_nothing_makes_no_item() {
    let table = table().await;
    let (a, acme, w36) = (workspace(), company("acme"), week("2026-W36"));
    table.add_activity(&a, &acme, &user("ann"), w36, &UserWeek::default()).await.unwrap();
    assert_eq!(table.stored(&a, &acme, &user("ann"), w36).await.unwrap(), None);
    assert!(!table.heard_in(&a, &acme, w36).await.unwrap());
}

#[tokio::test]
async fn of_a_week_is_by_user_and_no_other_weeks_or_companys() {
    let table = table().await;
    let (a, acme) = (workspace(), company("acme"));
    let add = async |company_id: &str, name: &str, at: &str, done: &UserWeek| {
        table.add_activity(&a, &company(company_id), &user(name), week(at), done).await.unwrap();
    };
    let (one, two) = (done(&[1, 3], &[10, 11], Some("export")), done(&[7], &[2_015], None));
    add("acme", "ann", "2026-W36", &one).await;
    add("acme", "bob#1", "2026-W36", &two).await;
    add("acme", "ann", "2026-W37", &two).await;
    add("acme", "ann", "2026-W35", &two).await;
    add("acme#2", "carl", "2026-W36", &two).await;
    let found = table.activity_of_week(&a, &acme, week("2026-W36")).await.unwrap();
    assert_eq!(found, BTreeMap::from([(user("ann"), one), (user("bob#1"), two)]));
}

#[tokio::test]
async fn says_when_a_company_was_heard() {
    let table = table().await;
    let (a, acme) = (workspace(), company("acme"));
    assert_eq!(table.latest_activity(&a, &acme).await.unwrap(), None);
    assert!(!table.heard_until(&a, &acme, week("2026-W53")).await.unwrap());

    let some = done(&[2], &[300], None);
    // Over the turn of the year, the later week first.
    for at in ["2027-W01", "2026-W52"] {
        for name in ["bob", "ann"] {
            table.add_activity(&a, &acme, &user(name), week(at), &some).await.unwrap();
        }
    }
    // Other items of the company are no activity.
    table
        .note_member(&a, &acme, &user("zoe"), at("2026-01-01T00:00:00Z"), "2026-01-01".parse().unwrap())
        .await
        .unwrap();
    let expected = [("2026-W51", false, false), ("2026-W52", true, true), ("2026-W53", false, true)];
    for (at, heard_in, until) in
        expected.into_iter().chain([("2027-W01", true, true), ("2027-W02", false, true)])
    {
        assert_eq!(table.heard_in(&a, &acme, week(at)).await.unwrap(), heard_in, "in {at}");
        assert_eq!(table.heard_until(&a, &acme, week(at)).await.unwrap(), until, "until {at}");
    }
    let (latest, users) = table.latest_activity(&a, &acme).await.unwrap().unwrap();
    assert_eq!(latest, week("2027-W01"));
    assert_eq!(users.into_keys().collect::<Vec<_>>(), [user("ann"), user("bob")]);
}

fn loose(entries: &[(u16, Seen)]) -> Loose {
    Loose(entries.iter().map(|(slot, seen)| Entry { slot: *slot, seen: seen.clone() }).collect())
}

fn used(text: &str) -> Seen {
    Seen::Use(text.parse().unwrap())
}

#[tokio::test]
async fn that_names_no_company_lies_apart_and_can_be_taken_away_again() {
    let table = table().await;
    let (a, acme, ann, w36) = (workspace(), company("acme"), user("ann"), week("2026-W36"));
    let named = done(&[1], &[1], Some("export"));
    let stays = loose(&[(7, used("1eexport")), (2_000, Seen::Day(7)), (2_020, Seen::Fill(1_990, 2_015))]);
    let goes = loose(&[
        (8, used("1eexport")),
        (8, Seen::Fill(3, 7)),
        (9, used("1f@1 Übersicht#~")),
        (9, Seen::Day(1)),
    ]);
    table.add_activity(&a, &acme, &ann, w36, &named).await.unwrap();
    for part in [&goes, &stays, &goes] {
        table.add_to_week(&a, &acme, &ann, w36, &part.clone().into()).await.unwrap();
    }
    let all = Loose(stays.0.union(&goes.0).cloned().collect());
    let expected = Stored { named: named.clone(), loose: all.clone(), owner: None };
    assert_eq!(table.stored(&a, &acme, &ann, w36).await.unwrap(), Some(expected.clone()));
    assert_eq!(table.activity_of_week(&a, &acme, w36).await.unwrap()[&ann], expected.activity());

    for _ in 0..2 {
        table.remove_from_week(&a, &acme, &ann, w36, &goes.clone().into()).await.unwrap();
        let left = Stored { loose: stays.clone(), ..expected.clone() };
        assert_eq!(table.stored(&a, &acme, &ann, w36).await.unwrap(), Some(left));
    }
    let rest = Stored { named, loose: stays, owner: None };
    table.remove_from_week(&a, &acme, &ann, w36, &rest).await.unwrap();
    // The item is still there; nobody sees it.
    assert_eq!(table.activity_of_week(&a, &acme, w36).await.unwrap(), BTreeMap::new());
    assert!(!table.heard_in(&a, &acme, w36).await.unwrap());
    assert_eq!(table.latest_activity(&a, &acme).await.unwrap(), None);
    table.add_activity(&a, &acme, &user("bob"), w36, &done(&[1], &[1], None)).await.unwrap();
    assert!(table.heard_in(&a, &acme, w36).await.unwrap());
    assert_eq!(table.first_heard(&a, &acme).await.unwrap(), Some(w36));
}

#[tokio::test]
async fn of_hundreds_of_features_goes_in_as_many_updates_as_it_needs() {
    let table = table().await;
    let (a, acme, ann, w36) = (workspace(), company("acme"), user("ann"), week("2026-W36"));
    let many: Vec<_> = (0..350).map(|n| (n, used(&format!("1efeature {n}")))).collect();
    let many = Stored { owner: Some(user("eve")), ..loose(&many).into() };
    table.add_to_week(&a, &acme, &ann, w36, &many).await.unwrap();
    assert_eq!(table.stored(&a, &acme, &ann, w36).await.unwrap(), Some(many));
}

#[tokio::test]
async fn of_an_id_counts_for_the_person_that_it_turned_out_to_be() {
    let table = table().await;
    let (a, acme, w36) = (workspace(), company("acme"), week("2026-W36"));
    let (one, two) = (done(&[1], &[10], None), done(&[2], &[300], None));
    table.add_activity(&a, &acme, &user("anon-1"), w36, &one).await.unwrap();
    table.add_activity(&a, &acme, &user("ann"), w36, &two).await.unwrap();
    table.own_week(&a, &acme, &user("anon-1"), w36, &user("ann")).await.unwrap();
    table.own_week(&a, &acme, &user("anon-2"), w36, &user("ann")).await.unwrap();
    let mut both = one;
    both.merge(&two);
    let found = table.activity_of_week(&a, &acme, w36).await.unwrap();
    assert_eq!(found, BTreeMap::from([(user("ann"), both)]));
    assert_eq!(table.stored_week(&a, &acme, w36, true).await.unwrap().len(), 2, "no item for anon-2");
}

#[tokio::test]
async fn that_would_pass_the_item_limit_is_refused_as_such() {
    let table = table().await;
    let (a, acme, ann, w36) = (workspace(), company("acme"), user("ann"), week("2026-W36"));
    let mut outcome = Ok(());
    for part in 0..60 {
        let name =
            |n: u32| Sighting::new(FeatureSource::Event, &format!("{part:02}-{n:03}-{}", "x".repeat(56)));
        let uses = (0..200).map(|n| Use { day: 1, sighting: name(n).unwrap() }).collect();
        let added = UserWeek { uses, ..UserWeek::default() };
        outcome = table.add_activity(&a, &acme, &ann, w36, &added).await;
        if outcome.is_err() {
            break;
        }
    }
    assert!(matches!(outcome, Err(StoreError::TooLarge(_))), "{outcome:?}");
    table.add_activity(&a, &acme, &user("bob"), w36, &done(&[1], &[1], None)).await.unwrap();
}
