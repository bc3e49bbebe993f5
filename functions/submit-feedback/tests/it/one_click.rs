//! RFC 8058 through the gateway's own events: methods, content types, tokens and what was before.

use barometer_domain::token::{Key, Keys, Purpose};
use chrono::TimeDelta;

use crate::support::World;

const FORM: &str = "List-Unsubscribe=One-Click";
const MULTIPART: &str =
    "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";

/// What mail programs send along, and what they shouldn't.
const BODIES: [(Option<&str>, &str); 5] = [
    (Some("application/x-www-form-urlencoded"), FORM),
    (Some("multipart/form-data; boundary=b"), MULTIPART),
    (None, ""),
    (Some("application/json"), r#"{"List-Unsubscribe":"One-Click"}"#),
    (Some("application/x-www-form-urlencoded"), "List-Unsubscribe=Please-Not&resubscribe=1"),
];

/// Tokens in every state, and whether they open the page.
fn tokens(world: &World) -> Vec<(&'static str, String, bool)> {
    let valid = world.token(Purpose::Unsubscribe);
    let strange = Keys::new(Key { id: 1, secret: vec![8; 32] }, Vec::new());
    let later = Some(world.ask.expires);
    let sign = |purpose, expires| world.deps.link_keys.sign(purpose, world.ask.send_id, expires);
    vec![
        ("valid", valid.clone(), true),
        ("of an unsubscribe link that ends, as none is made", sign(Purpose::Unsubscribe, later), false),
        ("of the answer page", world.token(Purpose::Feedback), false),
        ("of the answer page that never ends", sign(Purpose::Feedback, None), false),
        ("forged", strange.sign(Purpose::Unsubscribe, world.ask.send_id, None), false),
        ("truncated", valid[..valid.len() - 1].to_owned(), false),
        ("of nobody", world.deps.link_keys.sign(Purpose::Unsubscribe, of_nobody(), None), false),
    ]
}

fn of_nobody() -> barometer_domain::SendId {
    barometer_domain::SendId::from_bytes([9; 16])
}

#[tokio::test]
async fn only_a_post_with_a_valid_token_unsubscribes_whatever_its_body() {
    for before in [false, true] {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"] {
            for (kind, body) in BODIES {
                // One world for the tokens that don't open, which change nothing, and then the one that does.
                let mut world = World::new().await;
                if before {
                    world
                        .table
                        .unsubscribe(&world.workspace, &world.user, world.deps.clock.now())
                        .await
                        .unwrap();
                }
                let first = world.unsubscribed_at().await;
                world.later(TimeDelta::days(60));
                let mut tokens = tokens(&world);
                tokens.reverse();
                for (name, token, opens) in tokens {
                    let case = format!("{method} {kind:?} {body:?} token {name}, before: {before}");
                    let headers: Vec<(&str, &str)> =
                        kind.map(|kind| ("content-type", kind)).into_iter().collect();
                    let seen = world.gateway(method, &format!("/u/{token}"), &headers, body).await;
                    let known = matches!(method, "GET" | "HEAD" | "POST");
                    let status = match (known, opens, name.contains("that ends")) {
                        (false, ..) => 405,
                        (true, true, _) => 200,
                        (true, false, true) => 410,
                        (true, false, false) => 404,
                    };
                    assert_eq!(seen.status.as_u16(), status, "{case}");
                    assert!(seen.headers.get("location").is_none(), "no redirect: {case}");
                    assert!(seen.headers.get("set-cookie").is_none(), "no cookie: {case}");
                    assert_eq!(seen.header("cache-control"), "no-store", "{case}");
                    let after = world.unsubscribed_at().await;
                    if method == "POST" && opens {
                        assert_eq!(after, first.or(Some(world.deps.clock.now())), "{case}");
                    } else {
                        assert_eq!(after, first, "{case}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn repeating_an_unsubscribe_writes_nothing() {
    let mut world = World::new().await;
    let path = format!("/u/{}", world.token(Purpose::Unsubscribe));
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    world.gateway("POST", &path, &headers, FORM).await;
    let (first, writes) = (world.unsubscribed_at().await, world.writes());
    assert_eq!(writes, 1);
    for _ in 0..100 {
        world.later(TimeDelta::seconds(1));
        assert_eq!(world.gateway("POST", &path, &headers, FORM).await.status.as_u16(), 200);
    }
    assert_eq!((world.unsubscribed_at().await, world.writes()), (first, writes));
}
