use std::collections::BTreeMap;

use barometer_cloud::table::{
    answers::{Answer, Source},
    members::Person,
    users::{Claim, Who},
};
use barometer_domain::{
    WorkspaceId,
    answer::Rating,
    groups::Groups,
    loose::{Entry, Loose, Seen},
};
use barometer_tests::store::table;
use chrono::{DateTime, TimeDelta, Utc};

use crate::samples::{Dice, at, company, user, week, workspace};

fn now() -> DateTime<Utc> {
    at("2026-09-07T12:00:00Z")
}

#[tokio::test]
async fn an_unknown_user_is_nobody() {
    let table = table().await;
    assert_eq!(table.who(&workspace(), &user("ann"), now()).await.unwrap(), Who::default());
    assert_eq!(table.user(&workspace(), &user("ann")).await.unwrap(), None);
}

#[tokio::test]
async fn what_was_said_about_companies_is_the_same_in_any_order() {
    let table = table().await;
    let a = workspace();
    let mut dice = Dice::new(5);
    // Slots around 2026 and around the bounds of items; names that hold what keys are made of.
    let mut facts: Vec<Groups> = Vec::new();
    for _ in 0..20 {
        let slot = 5_960_000 + i64::try_from(dice.below(40_000)).unwrap();
        let id = company(["acme", "b#eta", "who#group#1"][dice.below(3) as usize]);
        let mut fact = Groups::default();
        match dice.below(4) {
            0 => fact.leave(slot, Some(id)),
            1 => fact.leave(slot, None),
            _ => fact.name(slot, id),
        }
        facts.push(fact);
    }
    let mut expected = Groups::default();
    facts.iter().for_each(|fact| expected.merge(fact));
    for turn in 0..3 {
        let ann = user(&format!("ann {turn}"));
        dice.shuffle(&mut facts);
        for fact in facts.iter().chain(&facts) {
            table.note_groups(&a, &ann, fact).await.unwrap();
        }
        let found = table.who(&a, &ann, now()).await.unwrap();
        assert_eq!(found, Who { groups: expected.clone(), ..Who::default() });
    }
    let stranger = WorkspaceId::new("ws_other").unwrap();
    assert_eq!(table.who(&stranger, &user("ann 0"), now()).await.unwrap(), Who::default());
}

#[tokio::test]
async fn a_person_is_described_bit_by_bit() {
    let table = table().await;
    let (a, ann) = (workspace(), user("ann"));
    let first = Person { email: Some("ann@example.com".to_owned()), ..Person::default() };
    let second =
        Person { name: Some("Ann".to_owned()), language: Some("de".to_owned()), ..Person::default() };
    for person in [&first, &second, &Person::default()] {
        table.describe_user(&a, &ann, person).await.unwrap();
    }
    let found = table.user(&a, &ann).await.unwrap().unwrap();
    assert_eq!(found.person(), Person { email: first.email, ..second });
    assert_eq!(table.who(&a, &ann, now()).await.unwrap().user, found);
}

#[tokio::test]
async fn the_earliest_claim_of_an_id_stays() {
    let table = table().await;
    let (a, anonymous) = (workspace(), user("anon-1"));
    let claim = |instant: &str, by: &str| Claim { at: at(instant), user: user(by) };
    let claims = [
        claim("2026-09-02T10:00:00Z", "bob"),
        claim("2026-09-01T10:00:00.000001Z", "ann"),
        claim("2026-09-01T10:00:00Z", "carl#1"),
        claim("2026-09-03T10:00:00Z", "carl#1"),
    ];
    for claim in &claims {
        table.claim(&a, &anonymous, claim).await.unwrap();
    }
    let found = table.who(&a, &anonymous, now()).await.unwrap();
    assert_eq!(found.user.claim, Some(claims[2].clone()));
    for name in ["ann", "bob", "carl#1"] {
        let who = table.who(&a, &user(name), now()).await.unwrap();
        assert_eq!(who.joined.into_iter().collect::<Vec<_>>(), [user("anon-1")], "{name}");
        assert_eq!(who.user.claim, None);
    }
}

#[tokio::test]
async fn what_waits_for_a_company_ends_and_is_taken_away_bit_by_bit() {
    let table = table().await;
    let (a, ann, w36) = (workspace(), user("ann"), week("2026-W36"));
    let entry = |slot, day| Entry { slot, seen: Seen::Day(day) };
    let (first, second) = (Loose([entry(1, 1), entry(600, 3)].into()), Loose([entry(2_000, 7)].into()));
    let answer = Answer {
        user_id: ann.clone(),
        rating: Rating::nps(3).unwrap(),
        comment: Some("slow".to_owned()),
        at: at("2026-09-01T00:00:00Z"),
        source: Source::Event,
        origin: "m1".to_owned(),
        void: None,
    };
    let until = now() + TimeDelta::days(7);
    table.add_waiting(&a, &ann, w36, &first, until).await.unwrap();
    table.add_waiting(&a, &ann, w36, &second, until).await.unwrap();
    table.add_waiting_answer(&a, &ann, &answer, until).await.unwrap();
    for since in ["2026-09-02T10:00:00Z", "2026-09-01T10:00:00Z", "2026-09-03T10:00:00Z"] {
        table.note_seat(&a, &ann, &company("acme"), at(since)).await.unwrap();
    }
    let all = Loose(first.0.union(&second.0).cloned().collect());
    let found = table.who(&a, &ann, now()).await.unwrap();
    assert_eq!((found.waiting, found.answers), (BTreeMap::from([(w36, all)]), vec![answer.clone()]));
    assert_eq!(found.seats, BTreeMap::from([(company("acme"), at("2026-09-01T10:00:00Z"))]));

    let late = table.who(&a, &ann, until).await.unwrap();
    assert!(
        late.waiting.is_empty() && late.answers.is_empty(),
        "it has ended, whether the TTL has run or not"
    );

    table.remove_waiting(&a, &ann, w36, &first).await.unwrap();
    table.remove_waiting_answer(&a, &ann, &answer).await.unwrap();
    let found = table.who(&a, &ann, now()).await.unwrap();
    assert_eq!((found.waiting, found.answers), (BTreeMap::from([(w36, second.clone())]), vec![]));
    table.remove_waiting(&a, &ann, w36, &second).await.unwrap();
    assert!(table.who(&a, &ann, now()).await.unwrap().waiting.is_empty());
}

#[tokio::test]
async fn unsubscribing_again_changes_nothing() {
    let table = table().await;
    let (a, ann) = (workspace(), user("ann"));
    let first = at("2026-09-01T10:00:00.123456Z");
    table.unsubscribe(&a, &ann, first).await.unwrap();
    table.unsubscribe(&a, &ann, at("2026-09-02T10:00:00Z")).await.unwrap();
    table.note_asked(&a, &ann, at("2026-08-01T10:00:00Z")).await.unwrap();
    let found = table.user(&a, &ann).await.unwrap().unwrap();
    assert_eq!((found.unsubscribed_at, found.last_ask_at), (Some(first), Some(at("2026-08-01T10:00:00Z"))));
}
