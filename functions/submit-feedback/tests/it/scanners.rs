//! What mail scanners, previews and prefetchers do with links: none of it is an answer.

use barometer_domain::token::Purpose;
use chrono::TimeDelta;
use http::StatusCode;

use crate::support::World;

/// How programs open links that nobody clicked.
const MACHINES: [(&str, &[(&str, &str)]); 9] = [
    ("GET", &[]),
    ("HEAD", &[]),
    ("OPTIONS", &[]),
    ("OPTIONS", &[("origin", "https://scanner.example"), ("access-control-request-method", "POST")]),
    ("GET", &[("purpose", "prefetch")]),
    ("GET", &[("sec-purpose", "prefetch;prerender"), ("sec-fetch-dest", "document")]),
    ("GET", &[("x-moz", "prefetch")]),
    ("GET", &[("user-agent", "Mozilla/5.0 (compatible; LinkScanner/1.0)"), ("accept", "*/*")]),
    ("GET", &[("range", "bytes=0-1023")]),
];

#[tokio::test]
async fn no_way_of_opening_links_is_an_answer() {
    let world = World::new().await;
    let (token, end) = (world.token(Purpose::Feedback), world.token(Purpose::Unsubscribe));
    for (method, headers) in MACHINES {
        let links = (0..=10).map(|rating| format!("/f/{token}?s={rating}"));
        for path in links.chain([format!("/u/{end}"), format!("/u/{end}/resubscribe")]) {
            let seen = world.gateway(method, &path, headers, "").await;
            assert!(seen.status != StatusCode::INTERNAL_SERVER_ERROR, "{method} {path} {headers:?}");
        }
    }
    assert_eq!((world.writes(), world.answers().await.len()), (0, 0));
    assert_eq!((world.unsubscribed_at().await, world.scanned_at().await), (None, None));
}

#[tokio::test]
async fn eleven_links_opened_at_once_are_no_answer() {
    let world = World::new().await;
    let token = world.token(Purpose::Feedback);
    let open = |rating: u8| {
        let (world, path) = (&world, format!("/f/{token}?s={rating}"));
        async move { world.get(&path).await.status }
    };
    let opened = tokio::join!(
        open(0),
        open(1),
        open(2),
        open(3),
        open(4),
        open(5),
        open(6),
        open(7),
        open(8),
        open(9),
        open(10),
    );
    assert_eq!(opened.0, StatusCode::OK);
    assert_eq!(opened.10, StatusCode::OK);
    assert_eq!((world.writes(), world.answers().await.len()), (0, 0));
}

#[tokio::test]
async fn the_link_that_people_cannot_see_marks_the_ask_and_nothing_else() {
    let mut world = World::new().await;
    let shown = world.get(&format!("/f/{}?s=8", world.token(Purpose::Feedback))).await.body;
    let link = shown.split("<a class=\"off\" href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let head = world.gateway("HEAD", &link, &[], "").await;
    assert_eq!((head.status, world.writes()), (StatusCode::OK, 0));

    let first = world.deps.clock.now();
    let trapped = world.gateway("GET", &link, &[], "").await;
    assert_eq!((trapped.status, world.writes()), (StatusCode::OK, 1));
    assert!(!trapped.body.contains(" checked"), "it shows the page as it is");
    world.later(TimeDelta::hours(1));
    world.gateway("GET", &link, &[], "").await;
    assert_eq!(world.scanned_at().await, Some(first), "the first time stays");
    assert_eq!(world.answers().await.len(), 0);

    // The machine came before its user, who answers all the same.
    assert_eq!(world.answer("rating=8").await.status, StatusCode::OK);
    assert_eq!(world.answers().await.len(), 1);
    assert_eq!(world.scanned_at().await, Some(first), "the answer doesn't wipe the mark out");
}

#[tokio::test]
async fn what_the_page_s_form_says_is_one_answer() {
    let world = World::new().await;
    let page = world.get(&format!("/f/{}?s=7", world.token(Purpose::Feedback))).await.body;
    let form = page.split("<form").nth(1).unwrap();
    let action = form.split("action=\"").nth(1).unwrap().split('"').next().unwrap();
    let chosen = form.split("<input").find(|input| input.contains(" checked")).unwrap();
    let rating = chosen.split("value=\"").nth(1).unwrap().split('"').next().unwrap();
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("origin", "null")];
    let seen = world.gateway("POST", action, &headers, &format!("rating={rating}&comment=")).await;
    assert_eq!(seen.status, StatusCode::OK);
    assert!(seen.body.contains("Your answer was recorded: 7 of 10."));
    assert_eq!(world.answers().await.len(), 1);
}
