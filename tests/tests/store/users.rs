use barometer_cloud::table::{
    members::Person,
    users::{Group, Identity},
};
use barometer_domain::WorkspaceId;
use barometer_tests::store::table;

use crate::samples::{at, company, done, user, week, workspace};

#[tokio::test]
async fn an_unknown_user_is_nobody() {
    let table = table().await;
    assert_eq!(table.identity(&workspace(), &user("ann")).await.unwrap(), Identity::default());
    assert_eq!(table.user(&workspace(), &user("ann")).await.unwrap(), None);
    assert_eq!(Identity::default().company_at(at("2026-09-01T10:00:00Z")), None);
}

#[tokio::test]
async fn a_group_is_known_since_it_was_first_named() {
    let table = table().await;
    let (a, ann) = (workspace(), user("ann"));
    let named = [
        ("beta", "2026-09-05T10:00:00Z"),
        ("acme", "2026-09-03T10:00:00Z"),
        ("acme", "2026-09-01T10:00:00Z"),
        ("beta", "2026-09-07T10:00:00Z"),
        ("acme", "2026-09-09T10:00:00Z"),
    ];
    let expected = [("acme", named[2].1), ("beta", named[0].1)]
        .map(|(id, since)| Group { company: company(id), since: at(since) });
    for turn in 0..named.len() {
        let ann = user(&format!("ann {turn}"));
        for index in 0..named.len() {
            let (id, since) = named[(index + turn) % named.len()];
            table.note_group(&a, &ann, &company(id), at(since)).await.unwrap();
        }
        assert_eq!(table.identity(&a, &ann).await.unwrap().groups, expected, "turn {turn}");
    }
    let stranger = WorkspaceId::new("ws_other").unwrap();
    assert_eq!(table.identity(&stranger, &ann).await.unwrap(), Identity::default());
}

#[tokio::test]
async fn an_event_belongs_to_the_group_named_last_before_it() {
    let table = table().await;
    let (a, ann) = (workspace(), user("ann"));
    table.note_group(&a, &ann, &company("late"), at("2026-09-05T10:00:00Z")).await.unwrap();
    table.note_group(&a, &ann, &company("early"), at("2026-09-01T10:00:00Z")).await.unwrap();
    // Other items of the user change nothing.
    table.note_touched(&a, &ann, week("2026-W36"), &company("touched")).await.unwrap();
    let until = at("2026-12-01T00:00:00Z");
    table.add_pending(&a, &ann, week("2026-W36"), &done(&[1], &[1], None), until).await.unwrap();
    let identity = table.identity(&a, &ann).await.unwrap();
    let at_instant = |instant: &str| identity.company_at(at(instant)).map(|company| company.as_str());
    assert_eq!(at_instant("2026-08-01T00:00:00Z"), Some("early"), "the first named after it");
    assert_eq!(at_instant("2026-09-01T10:00:00Z"), Some("early"));
    assert_eq!(at_instant("2026-09-05T09:59:59Z"), Some("early"));
    assert_eq!(at_instant("2026-09-05T10:00:00Z"), Some("late"));
    assert_eq!(at_instant("2027-01-01T00:00:00Z"), Some("late"));
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
    assert_eq!(table.identity(&a, &ann).await.unwrap().user, found);
}

#[tokio::test]
async fn an_anonymous_user_turns_out_to_be_another() {
    let table = table().await;
    let (a, anonymous) = (workspace(), user("anon-1"));
    table.note_alias(&a, &anonymous, &user("ann")).await.unwrap();
    table.note_alias(&a, &anonymous, &user("ann")).await.unwrap();
    assert_eq!(table.identity(&a, &anonymous).await.unwrap().user.alias_of, Some(user("ann")));
    assert_eq!(table.user(&a, &user("ann")).await.unwrap(), None);
}

#[tokio::test]
async fn is_seen_first_at_the_earliest_instant() {
    let table = table().await;
    let (a, ann) = (workspace(), user("ann"));
    for instant in ["2026-09-02T10:00:00Z", "2026-09-01T10:00:00Z", "2026-09-03T10:00:00Z"] {
        table.note_seen(&a, &ann, at(instant)).await.unwrap();
    }
    let found = table.user(&a, &ann).await.unwrap().unwrap();
    assert_eq!(found.first_seen_at, Some(at("2026-09-01T10:00:00Z")));
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
