//! Answers: recorded once, changed at will, and what follows from them.

use barometer_cloud::table::answers::Source;
use barometer_domain::{Percent, answer::Rating, happiness::Level, token::Purpose};
use chrono::{NaiveDate, TimeDelta};
use http::StatusCode;

use crate::support::{World, asked_at};

#[tokio::test]
async fn one_click_and_one_confirm_are_one_answer() {
    let world = World::new().await;
    let token = world.token(Purpose::Feedback);
    let shown = world.get(&format!("/f/{token}?s=8")).await;
    assert_eq!(shown.status, StatusCode::OK);
    assert!(shown.body.contains(r#"value="8" required checked"#));
    assert_eq!(world.answers().await, []);

    let thanks = world.answer("rating=8&comment=Exports+are+quick").await;
    assert_eq!(thanks.status, StatusCode::OK);
    assert!(thanks.body.contains("Your answer was recorded: 8 of 10."));
    let answers = world.answers().await;
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].rating, Rating::nps(8).unwrap());
    assert_eq!(answers[0].comment.as_deref(), Some("Exports are quick"));
    assert_eq!((answers[0].source, &answers[0].origin), (Source::Mail, &world.ask.send_id.to_string()));

    let happiness = world.row().await.happiness.unwrap();
    assert_eq!((happiness.score, happiness.level), (Some(Percent::whole(80)), Level::Happy));
    assert_eq!((happiness.answers, happiness.response_rate), (1, Some(Percent::FULL)));
    assert!(happiness.provisional && !happiness.silent);
    let bus = world.bus();
    let kinds: Vec<&str> = bus.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["feedback.received", "happiness.changed", "happiness.settled"]);
    assert_eq!((&bus[1].1["from"], &bus[1].1["to"]), (&"no_data".into(), &"happy".into()));
    assert!(!bus[0].1.to_string().contains("Exports"), "comments stay off the bus");
    assert_eq!(world.table.unpublished(&world.workspace).await.unwrap(), []);

    let ask = world.table.ask(world.ask.send_id).await.unwrap().unwrap();
    assert!(ask.answered_at.is_some());
    let member = world.table.member(&world.workspace, &world.company, &world.user).await.unwrap().unwrap();
    assert_eq!(member.unanswered, 0);
    let due = member.due_at.unwrap();
    assert!(due >= asked_at() + TimeDelta::days(30) && due < asked_at() + TimeDelta::days(35), "{due}");
}

#[tokio::test]
async fn looking_never_writes() {
    let world = World::new().await;
    let token = world.token(Purpose::Feedback);
    let unsubscribe = world.token(Purpose::Unsubscribe);
    for rating in 0..=10 {
        world.get(&format!("/f/{token}?s={rating}")).await;
    }
    for path in [format!("/u/{unsubscribe}"), format!("/f/{token}?s=%FF&s=&=")] {
        assert_eq!(world.get(&path).await.status, StatusCode::OK, "{path}");
        let head = http::Request::head(&path).body(axum::body::Body::empty()).unwrap();
        let head = world.send(head).await;
        assert_eq!((head.status, head.body.as_str()), (StatusCode::OK, ""));
    }
    assert_eq!(world.writes(), 0);
    assert_eq!(world.answers().await, []);
}

#[tokio::test]
async fn a_double_click_records_one_answer() {
    let world = World::new().await;
    let (one, two) = tokio::join!(world.answer("rating=9&comment="), world.answer("rating=9&comment="));
    let three = world.answer("rating=9").await;
    assert_eq!([one.status, two.status, three.status], [StatusCode::OK; 3]);
    assert_eq!(world.answers().await.len(), 1);
    assert_eq!(world.bus().iter().filter(|(kind, _)| kind == "feedback.received").count(), 1);
}

#[tokio::test]
async fn an_answer_can_be_changed_and_the_newest_counts() {
    let mut world = World::new().await;
    world.answer("rating=9&comment=good").await;
    // At the same instant, as a clock may stand still.
    let before = world.writes();
    world.answer("rating=2&comment=good").await;
    // The mark at the company, the answer, what was asked, the user, and three events that leave the outbox.
    assert!(world.writes() - before <= 7, "written at the first attempt, the happiness being as it was seen");
    world.later(TimeDelta::days(2));
    let shown = world.get(&format!("/f/{}", world.token(Purpose::Feedback))).await;
    assert!(shown.body.contains("You have answered already"));
    assert!(shown.body.contains(r#"value="2" required checked"#) && shown.body.contains("good</textarea>"));
    world.answer("rating=10&comment=much+better").await;
    let answers = world.answers().await;
    let ratings: Vec<Rating> = answers.iter().map(|answer| answer.rating).collect();
    assert_eq!(ratings, [9, 2, 10].map(|rating| Rating::nps(rating).unwrap()), "every revision is kept");
    let happiness = world.row().await.happiness.unwrap();
    assert_eq!((happiness.answers, happiness.level), (1, Level::VeryHappy));
    let levels: Vec<_> = world
        .bus()
        .into_iter()
        .filter(|(kind, _)| kind == "happiness.changed")
        .map(|(_, detail)| (detail["from"].clone(), detail["to"].clone()))
        .collect();
    assert_eq!(
        levels,
        [("no_data", "very_happy"), ("very_happy", "not_happy"), ("not_happy", "very_happy")]
            .map(|(from, to)| (from.into(), to.into()))
    );
}

#[tokio::test]
async fn answers_at_the_same_moment_all_count() {
    let world = World::new().await;
    let mut paths = Vec::new();
    for number in 0..6 {
        let ask = world.another(&format!("u{number}")).await;
        paths.push(format!("/f/{}", world.token_of(&ask, Purpose::Feedback)));
    }
    let post = |path: &String, rating: u8| {
        let path = path.clone();
        let world = &world;
        async move { world.post(&path, format!("rating={rating}")).await.status }
    };
    let (a, b, c, d, e, f) = tokio::join!(
        post(&paths[0], 0),
        post(&paths[1], 2),
        post(&paths[2], 4),
        post(&paths[3], 6),
        post(&paths[4], 8),
        post(&paths[5], 10),
    );
    assert_eq!([a, b, c, d, e, f], [StatusCode::OK; 6]);
    let happiness = world.row().await.happiness.unwrap();
    assert_eq!((happiness.answers, happiness.score), (6, Some(Percent::HALF)));
    assert!(!happiness.provisional);
}

#[tokio::test]
async fn who_left_counts_no_more() {
    let world = World::new().await;
    let left = NaiveDate::from_ymd_opt(2026, 9, 9);
    world.table.end_membership(&world.workspace, &world.company, &world.user, left).await.unwrap();
    assert_eq!(world.answer("rating=1").await.status, StatusCode::OK);
    assert_eq!(world.answers().await.len(), 1, "kept, though it doesn't count");
    let happiness = world.row().await.happiness.unwrap();
    assert_eq!((happiness.answers, happiness.level), (0, Level::NoData));
}

#[tokio::test]
async fn a_broken_bus_loses_nothing() {
    let world = World::with_bus(true).await;
    assert_eq!(world.answer("rating=3").await.status, StatusCode::OK);
    assert_eq!(world.table.unpublished(&world.workspace).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_wrong_form_is_shown_again_as_it_was_typed() {
    let world = World::new().await;
    for form in [
        "",
        "comment=hello+%3Cb%3E",
        "rating=11&comment=hello+%3Cb%3E",
        "rating=-1",
        "rating=8.5",
        "rating=x",
    ] {
        let seen = world.answer(form).await;
        assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        assert!(seen.body.contains("Please choose a whole number from 0 to 10."), "{form}");
        assert!(seen.body.contains("<form"));
        if form.contains("hello") {
            assert!(seen.body.contains("hello &#60;b&#62;</textarea>"), "{}", seen.body);
        }
    }
    let long = format!("rating=7&comment={}", "%C3%A9".repeat(5_001));
    let seen = world.answer(&long).await;
    assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        seen.body.contains("more than 5,000 characters")
            && seen.body.contains(r#"value="7" required checked"#)
    );
    assert!(seen.body.contains(&"é".repeat(5_001)));
    assert_eq!(world.writes(), 0);

    let longest = format!("rating=7&comment={}", "%F0%9F%98%80".repeat(5_000));
    assert_eq!(world.answer(&longest).await.status, StatusCode::OK);
    assert_eq!(world.answer(&"x".repeat(100_000)).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn somebody_who_keeps_changing_is_slowed_down() {
    let mut world = World::new().await;
    for change in 0..20 {
        world.later(TimeDelta::seconds(1));
        assert_eq!(world.answer(&format!("rating={}", change % 2)).await.status, StatusCode::OK);
    }
    let seen = world.answer("rating=5").await;
    assert_eq!((seen.status, seen.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "3600"));
    world.later(TimeDelta::hours(1));
    assert_eq!(world.answer("rating=5").await.status, StatusCode::OK);
}
