use std::collections::BTreeMap;

use barometer_domain::activity::{FeatureSource, Sighting, Use, UserWeek};
use barometer_tests::store::table;

use crate::samples::{Dice, at, company, done, is_conflict, user, week, workspace};

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
        let found = table.activity_of_user(&a, &acme, &ann, w36).await.unwrap();
        assert_eq!(found.unwrap_or_default(), expected, "round {round}, order {order:?}");
    }
}

#[tokio::test]
async fn of_nothing_makes_no_item() {
    let table = table().await;
    let (a, acme, w36) = (workspace(), company("acme"), week("2026-W36"));
    table.add_activity(&a, &acme, &user("ann"), w36, &UserWeek::default()).await.unwrap();
    assert_eq!(table.activity_of_user(&a, &acme, &user("ann"), w36).await.unwrap(), None);
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

#[tokio::test]
async fn is_forgotten_only_as_it_was_read() {
    let table = table().await;
    let (a, acme, ann, w36) = (workspace(), company("acme"), user("ann"), week("2026-W36"));
    for (seen, more) in [
        (done(&[1, 5], &[7, 3, 900], Some("export")), done(&[2], &[], None)),
        (done(&[1, 5], &[], None), done(&[1], &[4], None)),
        (done(&[4], &[5], None), done(&[4], &[5], Some("export"))),
    ] {
        table.add_activity(&a, &acme, &ann, w36, &seen).await.unwrap();
        let read = table.activity_of_user(&a, &acme, &ann, w36).await.unwrap().unwrap();
        table.add_activity(&a, &acme, &ann, w36, &more).await.unwrap();
        assert!(is_conflict(table.delete_activity(&a, &acme, &ann, w36, &read).await), "{seen:?}, {more:?}");

        let read = table.activity_of_user(&a, &acme, &ann, w36).await.unwrap().unwrap();
        // Adding what is there already is no change.
        table.add_activity(&a, &acme, &ann, w36, &more).await.unwrap();
        table.delete_activity(&a, &acme, &ann, w36, &read).await.unwrap();
        assert_eq!(table.activity_of_user(&a, &acme, &ann, w36).await.unwrap(), None);
        assert!(is_conflict(table.delete_activity(&a, &acme, &ann, w36, &read).await), "deleted twice");
    }
}

#[tokio::test]
async fn waits_for_a_company_and_is_not_lost_to_a_late_event() {
    let table = table().await;
    let (a, ann, w36) = (workspace(), user("ann"), week("2026-W36"));
    let until = at("2026-12-01T00:00:00Z");
    let (first, second) = (done(&[1], &[1], Some("export")), done(&[2], &[400], None));
    table.add_pending(&a, &ann, w36, &first, until).await.unwrap();
    table.add_pending(&a, &ann, week("2026-W35"), &second, until).await.unwrap();
    let waiting = table.pending(&a, &ann).await.unwrap();
    assert_eq!(waiting, [(week("2026-W35"), second.clone()), (w36, first.clone())]);
    assert_eq!(table.pending(&a, &user("bob")).await.unwrap(), []);

    table.add_pending(&a, &ann, w36, &second, until).await.unwrap();
    assert!(is_conflict(table.delete_pending(&a, &ann, w36, &first).await));
    table.delete_pending(&a, &ann, week("2026-W35"), &second).await.unwrap();
    let mut both = first;
    both.merge(&second);
    assert_eq!(table.pending(&a, &ann).await.unwrap(), [(w36, both.clone())]);
    table.delete_pending(&a, &ann, w36, &both).await.unwrap();
    assert_eq!(table.pending(&a, &ann).await.unwrap(), []);
}

#[tokio::test]
async fn that_races_with_its_attribution_is_kept_or_refused_but_never_lost() {
    let table = table().await;
    let (a, ann, w36) = (workspace(), user("ann"), week("2026-W36"));
    let until = at("2026-12-01T00:00:00Z");
    let (first, late) = (done(&[1], &[1], None), done(&[2], &[2], None));
    for round in 0..10 {
        table.add_pending(&a, &ann, w36, &first, until).await.unwrap();
        let (deleted, added) = tokio::join!(
            table.delete_pending(&a, &ann, w36, &first),
            table.add_pending(&a, &ann, w36, &late, until)
        );
        added.unwrap();
        let mut expected = late.clone();
        if is_conflict(deleted) {
            expected.merge(&first);
        }
        assert_eq!(table.pending(&a, &ann).await.unwrap(), [(w36, expected.clone())], "round {round}");
        table.delete_pending(&a, &ann, w36, &expected).await.unwrap();
    }
}

#[tokio::test]
async fn of_an_anonymous_user_can_be_found_again() {
    let table = table().await;
    let (a, anonymous) = (workspace(), user("anon-1"));
    let places = [("2026-W35", "b#eta"), ("2026-W36", "acme")];
    for (at, place) in places.iter().rev().chain(&places) {
        table.note_touched(&a, &anonymous, week(at), &company(place)).await.unwrap();
    }
    let expected = places.map(|(at, place)| (week(at), company(place)));
    assert_eq!(table.touched(&a, &anonymous).await.unwrap(), expected);
    table.delete_touched(&a, &anonymous, week("2026-W35"), &company("b#eta")).await.unwrap();
    assert_eq!(table.touched(&a, &anonymous).await.unwrap(), expected[1..]);
    assert_eq!(table.pending(&a, &anonymous).await.unwrap(), []);
}
