//! Preferences: unsubscribing and taking it back, with one button each.

use barometer_domain::language::Language;
use barometer_domain::token::{Purpose, of_test};
use chrono::TimeDelta;
use http::StatusCode;

use crate::support::World;

fn buttons(page: &str) -> usize {
    page.matches("<button").count()
}

#[tokio::test]
async fn a_page_with_a_button_and_then_it_is_done() {
    let mut world = World::new().await;
    let path = format!("/u/{}", world.token(Purpose::Unsubscribe));
    let shown = world.get(&path).await;
    assert!(shown.body.contains("<button type=\"submit\">Unsubscribe</button>"));
    assert!(shown.body.contains("about Initech") && buttons(&shown.body) == 1);
    assert_eq!(world.writes(), 0);
    // The link never expires.
    world.later(TimeDelta::days(3_000));
    let done = world.post(&path, "").await;
    assert_eq!(done.status, StatusCode::OK);
    for page in [done.body, world.get(&path).await.body] {
        assert!(page.contains("You are unsubscribed") && page.contains("Subscribe again"));
        assert!(page.contains(&format!("action=\"{path}/resubscribe\"")) && buttons(&page) == 1);
    }
}

#[tokio::test]
async fn taking_it_back_subscribes_and_asks_again() {
    let mut world = World::new().await;
    let path = format!("/u/{}", world.token(Purpose::Unsubscribe));
    let again = format!("{path}/resubscribe");
    world.post(&path, "").await;
    // The sweep takes who is unsubscribed off its list.
    world.table.schedule_ask(&world.workspace, &world.company, &world.user, None).await.unwrap();
    assert_eq!(world.get(&again).await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(world.unsubscribed_at().await.is_some());

    world.later(TimeDelta::days(1));
    let back = world.post(&again, "").await;
    assert_eq!(back.status, StatusCode::OK);
    assert!(back.body.contains("You are subscribed again") && buttons(&back.body) == 1);
    assert_eq!(world.unsubscribed_at().await, None);
    let member = world.table.member(&world.workspace, &world.company, &world.user).await.unwrap().unwrap();
    assert_eq!(member.due_at, Some(world.deps.clock.now()), "the sweep decides when");
    assert!(world.get(&path).await.body.contains(">Unsubscribe</button>"));
}

#[tokio::test]
async fn subscribing_again_twice_is_once_and_changing_ones_mind_quickly_is_slowed_down() {
    let mut world = World::new().await;
    let path = format!("/u/{}", world.token(Purpose::Unsubscribe));
    let again = format!("{path}/resubscribe");
    assert_eq!(world.post(&again, "").await.status, StatusCode::OK, "who is subscribed stays so");
    world.post(&path, "").await;
    assert_eq!(world.post(&again, "").await.status, StatusCode::OK);
    assert_eq!(world.post(&again, "").await.status, StatusCode::OK);
    // Unsubscribing is never slowed down.
    assert_eq!(world.post(&path, "").await.status, StatusCode::OK);
    assert!(world.unsubscribed_at().await.is_some());
    let soon = world.post(&again, "").await;
    assert_eq!((soon.status, soon.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "60"));
    assert!(world.unsubscribed_at().await.is_some());
    world.later(TimeDelta::minutes(1));
    assert_eq!(world.post(&again, "").await.status, StatusCode::OK);
    assert_eq!(world.unsubscribed_at().await, None);
}

#[tokio::test]
async fn no_other_link_subscribes_again() {
    let world = World::new().await;
    let path = format!("/u/{}", world.token(Purpose::Unsubscribe));
    world.post(&path, "").await;
    let feedback = world.token(Purpose::Feedback);
    for path in [format!("/u/{feedback}/resubscribe"), format!("/f/{feedback}/resubscribe")] {
        assert_eq!(world.post(&path, "").await.status, StatusCode::NOT_FOUND);
    }
    assert!(world.unsubscribed_at().await.is_some());
}

#[tokio::test]
async fn a_test_mail_s_links_say_so_and_record_nothing() {
    let world = World::new().await;
    for (language, title) in [(Language::English, "This is a test"), (Language::German, "Das ist ein Test")] {
        let token = of_test(language);
        for path in [format!("/f/{token}?s=8"), format!("/u/{token}"), format!("/u/{token}/resubscribe")] {
            let mut seen = vec![world.post(&path, "rating=8").await];
            if !path.ends_with("resubscribe") {
                seen.push(world.get(&path).await);
            }
            for seen in seen {
                assert_eq!(seen.status, StatusCode::OK, "{path}");
                assert!(seen.body.contains(title) && buttons(&seen.body) == 0, "{path}");
            }
        }
    }
    assert_eq!(world.calls(), 0, "it belongs to nobody");
    assert_eq!(world.get("/f/test-fr").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_answer_from_somebody_unsubscribed_still_counts() {
    let world = World::new().await;
    world.post(&format!("/u/{}", world.token(Purpose::Unsubscribe)), "").await;
    assert_eq!(world.answer("rating=4").await.status, StatusCode::OK);
    assert_eq!(world.answers().await.len(), 1);
}
