//! Serves the page with a hundred invented companies, to look at it: `cargo run -p dashboard --example preview`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../tests/it/api.rs"]
mod api;
#[path = "../tests/it/browser.rs"]
#[allow(dead_code)]
mod browser;
#[path = "../tests/it/invented.rs"]
mod invented;
#[path = "../tests/it/ses.rs"]
#[allow(dead_code)]
mod ses;
#[path = "../tests/it/store.rs"]
mod store;
#[path = "../tests/it/work.rs"]
#[allow(dead_code)]
mod work;

use axum::body::Body;
use barometer_cloud::Clock;
use dashboard::Deps;
use http::{HeaderValue, Request, header};
use tower::ServiceExt;

#[tokio::main]
async fn main() {
    let now = browser::now();
    let table = store::table().await;
    let (made, browser) = browser::workspace(&table, "Meridian Cloud").await;
    let (_, empty) = browser::workspace(&table, "Empty").await;
    let (stories, workspace) = (invented::stories(100), &made.workspace_id);
    work::overviews(&table, workspace, &stories, 12, now).await;
    for (number, (id, story)) in (0_i64..).zip(&stories) {
        let past = invented::Story { status: None, ..story.clone() };
        invented::history(&table, workspace, id, &past, now).await;
        if number % 7 == 0 {
            let title = "Ines Duarte rated 5 of 10: ask what went wrong";
            work::task(&table, workspace, (id, "u-2"), title, (number % 5 - 2, story.owner), now).await;
            work::renewal(&table, workspace, id, number / 2, now).await;
        }
        if number % 12 == 0 {
            work::alert(&table, workspace, id, now).await;
            work::disagreement(&table, workspace, id, now).await;
            work::action(&table, workspace, (id, "u-0"), number % 24 == 0, now).await;
        }
    }
    let mailer = ses::Ses::default().mailer();
    let clock = Clock::fixed(now);
    let api = api::over(&table, &clock);
    let deps = Deps {
        table,
        clock,
        mailer,
        api,
        secure_cookies: false,
        origin: None,
        asking_takes: None,
        oidc: None,
    };
    // Browsers without a screen take no cookie on the command line, so the port says who is signed in.
    let serve = |port: u16, cookie: Option<String>| serve(dashboard::router(deps.clone()), port, cookie);
    println!("http://127.0.0.1:8390 (a hundred companies)  :8391 (none)  :8392 (signed out)");
    tokio::join!(serve(8390, browser.cookie()), serve(8391, empty.cookie()), serve(8392, None));
}

async fn serve(router: axum::Router, port: u16, cookie: Option<String>) {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (router, cookie) = (router.clone(), cookie.clone());
        tokio::spawn(async move { drop(answer(stream, router, cookie).await) });
    }
}

/// One request and its answer, as much of HTTP as looking at pages takes.
async fn answer(
    mut stream: tokio::net::TcpStream,
    router: axum::Router,
    cookie: Option<String>,
) -> std::io::Result<()> {
    use http_body_util::BodyExt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut head = vec![0; 16_384];
    let read = stream.read(&mut head).await?;
    let head = String::from_utf8_lossy(&head[..read]).into_owned();
    let path = head.split(' ').nth(1).unwrap_or("/").to_owned();
    let mut request = Request::get(path).header(header::HOST, "127.0.0.1").body(Body::empty()).unwrap();
    if let Some(cookie) = cookie {
        request.headers_mut().insert(header::COOKIE, HeaderValue::from_str(&cookie).unwrap());
    }
    let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let mut text =
        format!("HTTP/1.1 {}\r\ncontent-length: {}\r\nconnection: close\r\n", parts.status, body.len());
    for (name, value) in &parts.headers {
        if name != header::CONTENT_LENGTH {
            text.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
        }
    }
    stream.write_all(format!("{text}\r\n").as_bytes()).await?;
    stream.write_all(&body).await
}
