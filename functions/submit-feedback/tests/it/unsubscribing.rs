//! One click unsubscribes (RFC 8058), whatever the mail program sends along.

use axum::body::Body;
use barometer_domain::token::Purpose;
use chrono::TimeDelta;
use http::{Request, StatusCode};

use crate::support::World;

#[tokio::test]
async fn a_page_with_a_button_and_then_it_is_done() {
    let mut world = World::new().await;
    let path = format!("/u/{}", world.token(Purpose::Unsubscribe));
    let shown = world.get(&path).await;
    assert!(shown.body.contains("<button type=\"submit\">Unsubscribe</button>"));
    assert_eq!(world.writes(), 0);
    // The link never expires.
    world.later(TimeDelta::days(3_000));
    let done = world.post(&path, "").await;
    assert_eq!(done.status, StatusCode::OK);
    assert!(done.body.contains("You are unsubscribed") && !done.body.contains("<button"));
    assert!(world.get(&path).await.body.contains("You are unsubscribed"));
}

#[tokio::test]
async fn every_kind_of_one_click_works_and_repeating_changes_nothing() {
    let multipart =
        "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
    for (kind, body) in [
        (Some("application/x-www-form-urlencoded"), "List-Unsubscribe=One-Click"),
        (Some("multipart/form-data; boundary=b"), multipart),
        (None, ""),
    ] {
        let mut world = World::new().await;
        let path = format!("/u/{}", world.token(Purpose::Unsubscribe));
        let mut first = None;
        for _ in 0..3 {
            let mut request = Request::post(&path);
            if let Some(kind) = kind {
                request = request.header("content-type", kind);
            }
            let seen = world.send(request.body(Body::from(body)).unwrap()).await;
            assert_eq!(seen.status, StatusCode::OK, "{kind:?}");
            assert!(seen.headers.get("location").is_none() && seen.headers.get("set-cookie").is_none());
            let user = world.table.user(&world.workspace, &world.user).await.unwrap().unwrap();
            assert_eq!(*first.get_or_insert(user.unsubscribed_at), user.unsubscribed_at);
            assert!(user.unsubscribed_at.is_some());
            world.later(TimeDelta::minutes(1));
        }
    }
}

#[tokio::test]
async fn an_answer_from_somebody_unsubscribed_still_counts() {
    let world = World::new().await;
    world.post(&format!("/u/{}", world.token(Purpose::Unsubscribe)), "").await;
    assert_eq!(world.answer("rating=4").await.status, StatusCode::OK);
    assert_eq!(world.answers().await.len(), 1);
}
