use barometer_cloud::{
    bus::DetailType,
    table::{
        answers::{Answer, Before, Source},
        companies::Readings,
    },
};
use barometer_domain::{
    Settings,
    answer::Rating,
    happiness::{Asks, Happiness, happiness},
};
use barometer_tests::store::table;

use crate::samples::{
    at, company, event, is_conflict, note_companies, published, readings, snapshot, user, workspace,
};

fn answer(name: &str, rating: Rating, instant: &str, origin: &str) -> Answer {
    Answer {
        user_id: user(name),
        rating,
        comment: Some("Slow on Mondays 🙂".to_owned()),
        at: at(instant),
        source: Source::Event,
        origin: origin.to_owned(),
        void: None,
    }
}

#[tokio::test]
async fn the_same_answer_twice_is_one() {
    let table = table().await;
    note_companies(&table, &["acme"]).await;
    let (a, acme) = (workspace(), company("acme"));
    let given = answer("ann", Rating::nps(9).unwrap(), "2026-09-01T10:00:00.123456Z", "message-1");
    let told = [event("acme", DetailType::FeedbackReceived, "1")];
    for _ in 0..2 {
        table.record_answer(&a, &acme, &given, &Readings::default(), &told).await.unwrap();
    }
    let all = (at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
    assert_eq!(table.answers(&a, &acme, all.0, all.1).await.unwrap(), std::slice::from_ref(&given));
    assert_eq!(table.unpublished(&a).await.unwrap(), told);

    // At one instant, but of another user or to another question: another answer.
    let others = [
        answer("bob", Rating::faces(3).unwrap(), "2026-09-01T10:00:00.123456Z", "message-1"),
        answer("ann", Rating::stars(4, 7).unwrap(), "2026-09-01T10:00:00.123456Z", "message-2"),
    ];
    for other in &others {
        table.record_answer(&a, &acme, other, &Readings::default(), &[]).await.unwrap();
    }
    let found = table.answers(&a, &acme, all.0, all.1).await.unwrap();
    assert_eq!(found.len(), 3);
    assert!(others.iter().all(|other| found.contains(other)));
}

#[tokio::test]
async fn an_event_that_comes_again_with_another_instant_is_the_same_answer() {
    let table = table().await;
    note_companies(&table, &["acme"]).await;
    let (a, acme) = (workspace(), company("acme"));
    let given = answer("ann", Rating::nps(9).unwrap(), "2026-09-01T10:00:00.100Z", "message-1");
    let again = Answer { at: at("2026-09-01T10:00:00.107Z"), ..given.clone() };
    let told = ["1", "2"].map(|id| [event("acme", DetailType::FeedbackReceived, id)]);
    table.record_answer_once(&a, &acme, &given, &told[0]).await.unwrap();
    table.record_answer_once(&a, &acme, &again, &told[1]).await.unwrap();
    let all = (at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
    assert_eq!(table.answers(&a, &acme, all.0, all.1).await.unwrap(), std::slice::from_ref(&given));
    assert_eq!(table.unpublished(&a).await.unwrap(), told[0]);

    // Another user's answer with the same id, and the same user's with another id, are others.
    for (name, origin) in [("bob", "message-1"), ("ann", "message-2")] {
        let other = answer(name, Rating::nps(3).unwrap(), "2026-09-01T10:00:00.100Z", origin);
        table.record_answer_once(&a, &acme, &other, &[]).await.unwrap();
    }
    assert_eq!(table.answers(&a, &acme, all.0, all.1).await.unwrap().len(), 3);
}

#[tokio::test]
async fn are_read_from_one_instant_to_another_in_order() {
    let table = table().await;
    note_companies(&table, &["acme", "acme#2"]).await;
    let (a, acme) = (workspace(), company("acme"));
    let instants = [
        "2026-09-03T00:00:00Z",
        "2026-09-01T00:00:00Z",
        "2026-09-02T23:59:59.999999Z",
        "2026-09-02T00:00:00Z",
    ];
    for instant in instants {
        let given = answer("ann", Rating::nps(7).unwrap(), instant, instant);
        table.record_answer(&a, &acme, &given, &Readings::default(), &[]).await.unwrap();
        table.record_answer(&a, &company("acme#2"), &given, &Readings::default(), &[]).await.unwrap();
    }
    let between = async |from: &str, to: &str| {
        let found = table.answers(&a, &acme, at(from), at(to)).await.unwrap();
        found.into_iter().map(|answer| answer.at).collect::<Vec<_>>()
    };
    assert_eq!(
        between("2026-09-01T00:00:00.000001Z", "2026-09-03T00:00:00Z").await,
        [instants[3], instants[2], instants[0]].map(at),
        "both ends belong to it"
    );
    assert_eq!(between("2026-09-01T00:00:00Z", "2026-09-01T00:00:00Z").await, [at(instants[1])]);
    assert!(between("2026-09-04T00:00:00Z", "2026-09-05T00:00:00Z").await.is_empty());
}

#[tokio::test]
async fn is_written_with_the_companys_readings_or_not_at_all() {
    let table = table().await;
    note_companies(&table, &["acme"]).await;
    let a = workspace();
    let given = answer("ann", Rating::nps(9).unwrap(), "2026-09-01T10:00:00Z", "message-1");
    let told = [event("acme", DetailType::FeedbackReceived, "1")];
    let read = readings(&published(1, snapshot("2026-W36", 2, 1)));
    let all = (at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));

    let ghost = company("ghost");
    assert!(is_conflict(table.record_answer(&a, &ghost, &given, &read, &told).await));
    assert_eq!(table.answers(&a, &ghost, all.0, all.1).await.unwrap(), []);
    assert_eq!(table.unpublished(&a).await.unwrap(), []);

    table.record_answer(&a, &company("acme"), &given, &read, &told).await.unwrap();
    let row = table.company(&a, &company("acme")).await.unwrap().unwrap();
    assert_eq!(row.engagement, read.engagement);
    assert_eq!(table.answers(&a, &company("acme"), all.0, all.1).await.unwrap(), [given]);
}

fn happy(answers: &[Answer], settings: &Settings) -> Happiness {
    let counted: Vec<_> = answers.iter().filter_map(Answer::counted).collect();
    let asks = Asks { delivered: 3, answered: 1, rounds: 1 };
    happiness(&counted, asks, at("2026-09-10T00:00:00Z"), settings.answer_age(), settings.happiness_levels)
}

#[tokio::test]
async fn upon_the_happiness_that_was_seen_is_written_by_one_of_two() {
    let table = table().await;
    note_companies(&table, &["acme"]).await;
    let (a, acme) = (workspace(), company("acme"));
    let settings = Settings::default();
    let all = (at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
    for round in 1..=6_u8 {
        let before = table.answers(&a, &acme, all.0, all.1).await.unwrap();
        let seen = table.company(&a, &acme).await.unwrap().unwrap().happiness;
        let given = |name: &str| {
            let given =
                answer(name, Rating::nps(round).unwrap(), &format!("2026-09-0{round}T10:00:00Z"), "message");
            let after = happy(&[before.as_slice(), std::slice::from_ref(&given)].concat(), &settings);
            (given, Readings { happiness: Some(after), ..Readings::default() })
        };
        let (one, readings_of_one) = given(&format!("ann {round}"));
        let (other, readings_of_other) = given(&format!("bob {round}"));
        let told = [event("acme", DetailType::FeedbackReceived, &format!("{round}"))];
        let before = Before { happiness: seen.as_ref(), revised: None };
        let (of_one, of_other) = tokio::join!(
            table.record_answer_upon(&a, &acme, &one, before, &readings_of_one, &told),
            table.record_answer_upon(&a, &acme, &other, before, &readings_of_other, &told)
        );
        let won = [!is_conflict(of_one), !is_conflict(of_other)];
        assert_ne!(won[0], won[1], "round {round}");
        let (winner, read) = if won[0] { (one, readings_of_one) } else { (other, readings_of_other) };
        let after = table.answers(&a, &acme, all.0, all.1).await.unwrap();
        assert_eq!((after.len(), after.last()), (usize::from(round), Some(&winner)));
        assert_eq!(table.company(&a, &acme).await.unwrap().unwrap().happiness, read.happiness);
        // Nobody takes what was seen for what is.
        assert!(is_conflict(
            table
                .record_answer_upon(
                    &a,
                    &acme,
                    &winner,
                    Before { happiness: read.happiness.as_ref(), revised: None },
                    &read,
                    &[]
                )
                .await
        ));
    }
}
