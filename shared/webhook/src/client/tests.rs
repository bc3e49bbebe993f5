//! Calls to receivers in this process that behave as badly as they like.

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::{Refusal, Secret, event, schedule};

/// A server on a loopback address: `behave` gets each connection after its request was read.
struct Receiver {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    async fn new<F: Future<Output = ()> + Send + 'static>(
        on: &str,
        behave: impl Fn(TcpStream) -> F + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind(on).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::<Mutex<Vec<String>>>::default());
        let (counted, kept) = (connections.clone(), requests.clone());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let request = request(&mut stream).await;
                kept.lock().unwrap().push(request);
                tokio::spawn(behave(stream));
            }
        });
        Self { address, connections, requests }
    }

    /// Answers every request with these bytes.
    async fn answering(answer: &'static str) -> Self {
        Self::new("127.0.0.1:0", move |mut stream| async move {
            let _ = stream.write_all(answer.as_bytes()).await;
        })
        .await
    }

    fn url(&self) -> String {
        format!("http://{}/hook?x=1", self.address)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Reads a request with its body.
async fn request(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4_096];
    loop {
        let read = stream.read(&mut buffer).await.unwrap_or(0);
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            if read == 0 {
                return text;
            }
            continue;
        };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
        if read == 0 || body.len() >= length.parse().unwrap() {
            return text;
        }
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

fn anywhere() -> Client {
    Client::new(Reach::Anywhere)
}

/// A client whose names lead where these answers say, one after the other, the last one again and again.
fn with_names(reach: Reach, permits: fn(IpAddr) -> bool, answers: &[&[&str]]) -> (Client, Arc<AtomicUsize>) {
    let addresses = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
    let answers: Mutex<VecDeque<Vec<IpAddr>>> = Mutex::new(answers.iter().map(addresses).collect());
    let looked_up = Arc::new(AtomicUsize::new(0));
    let counted = looked_up.clone();
    let lookup: Lookup = Arc::new(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        let mut answers = answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Box::pin(
            async move { answer.filter(|found| !found.is_empty()).ok_or(io::ErrorKind::NotFound.into()) },
        )
    });
    (Client::with(Rules { reach, permits, lookup, connect: CONNECT, whole: WHOLE }), looked_up)
}

/// A client with little patience.
fn hasty() -> Client {
    let rules = Rules {
        reach: Reach::Anywhere,
        permits: |_| true,
        lookup: resolver::system(),
        connect: Duration::from_millis(500),
        whole: Duration::from_secs(1),
    };
    Client::with(rules)
}

fn note() -> Bytes {
    Bytes::from_static(br#"{"text":"hi"}"#)
}

#[tokio::test]
async fn an_event_is_posted_with_its_signature() {
    let receiver = Receiver::answering(OK).await;
    let secrets = Secrets::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", None).unwrap();
    let id = MessageId::new("msg_p5jXN8AQM9LWM0D4loKWxJek").unwrap();
    let at = DateTime::from_timestamp(1_614_265_330, 0).unwrap();
    let body = Bytes::from_static(br#"{"test": 2432232314}"#);
    let outcome = anywhere().send_event(&receiver.url(), &secrets, &id, at, body).await;
    assert_eq!(outcome, Outcome::Delivered { status: 200 });
    let request = receiver.requests.lock().unwrap()[0].clone();
    for part in [
        "POST /hook?x=1 HTTP/1.1\r\n",
        "\r\ncontent-type: application/json\r\n",
        "\r\nuser-agent: Barometer/",
        "\r\ncontent-length: 20\r\n",
        "\r\nwebhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek\r\n",
        "\r\nwebhook-timestamp: 1614265330\r\n",
        "\r\nwebhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=\r\n",
        "\r\n\r\n{\"test\": 2432232314}",
    ] {
        assert!(request.contains(part), "{part:?} in {request}");
    }
}

#[tokio::test]
async fn a_note_carries_no_signature() {
    let receiver = Receiver::answering(OK).await;
    assert_eq!(anywhere().send_note(&receiver.url(), note()).await, Outcome::Delivered { status: 200 });
    let request = receiver.requests.lock().unwrap()[0].clone();
    assert!(!request.contains("webhook-") && request.ends_with(r#"{"text":"hi"}"#), "{request}");
}

#[tokio::test]
async fn a_body_may_be_larger_than_an_answer() {
    let receiver = Receiver::answering(OK).await;
    let body = "x".repeat(20 * MOST_READ);
    assert_eq!(
        anywhere().send_note(&receiver.url(), body.clone().into()).await,
        Outcome::Delivered { status: 200 }
    );
    assert!(receiver.requests.lock().unwrap()[0].ends_with(&format!("\r\n\r\n{body}")));
}

#[tokio::test]
async fn every_2xx_is_delivered_and_nothing_else() {
    for (answer, delivered, permanent) in [
        ("HTTP/1.1 204 No Content\r\n\r\n", true, false),
        ("HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n", true, false),
        ("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n", false, false),
        ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", false, false),
        ("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n", false, true),
        ("HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n", false, false),
    ] {
        let receiver = Receiver::answering(answer).await;
        let outcome = anywhere().send_note(&receiver.url(), note()).await;
        let status: u16 = answer[9..12].parse().unwrap();
        assert_eq!(outcome.status(), Some(status));
        let expected = if delivered {
            Outcome::Delivered { status }
        } else {
            Outcome::Failed { reason: Reason::Status(status), permanent, retry_after: None }
        };
        assert_eq!(outcome, expected);
    }
}

#[tokio::test]
async fn a_wait_in_seconds_that_the_receiver_asks_for_is_told() {
    for (value, asked) in
        [("120", Some(120)), ("0", Some(0)), ("-1", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)]
    {
        let answer = format!("HTTP/1.1 503 Busy\r\nretry-after: {value}\r\ncontent-length: 0\r\n\r\n");
        let receiver = Receiver::answering(answer.leak()).await;
        let Outcome::Failed { retry_after, .. } = anywhere().send_note(&receiver.url(), note()).await else {
            panic!("delivered");
        };
        assert_eq!(retry_after, asked.map(TimeDelta::seconds), "{value}");
    }
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    let inside = Receiver::answering(OK).await;
    for status in [301, 302, 303, 307, 308] {
        let answer =
            format!("HTTP/1.1 {status} Moved\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", inside.url());
        let receiver = Receiver::answering(answer.leak()).await;
        let outcome = anywhere().send_note(&receiver.url(), note()).await;
        assert_eq!(outcome, Reason::Redirect(status).into());
    }
    assert_eq!(inside.connections(), 0);
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_before_anything_is_connected() {
    let inside = Receiver::answering(OK).await;
    let port = inside.address.port();
    for addresses in [
        &["127.0.0.1"][..],
        &["169.254.169.254"],
        &["10.0.0.7", "192.168.0.1"],
        &["::1"],
        &["fd00:ec2::254"],
        &["::ffff:127.0.0.1"],
        &["64:ff9b::7f00:1"],
    ] {
        let (client, looked_up) = with_names(Reach::PublicOnly, is_public, &[addresses]);
        let outcome = client.send_note(&format!("https://hooks.example.com:{port}/"), note()).await;
        assert_eq!(outcome, Reason::Refused(Refusal::LeadsInside).into(), "{addresses:?}");
        assert_eq!(looked_up.load(Ordering::SeqCst), 1);
    }
    assert_eq!(inside.connections(), 0);
}

#[tokio::test]
async fn an_address_inside_is_refused_without_a_lookup() {
    let inside = Receiver::answering(OK).await;
    let (client, looked_up) = with_names(Reach::PublicOnly, is_public, &[&["8.8.8.8"]]);
    for url in [format!("https://{}/", inside.address), inside.url(), "https://169.254.169.254/".to_owned()] {
        let outcome = client.send_note(&url, note()).await;
        assert!(matches!(outcome, Outcome::Failed { reason: Reason::Refused(_), .. }), "{url}: {outcome:?}");
    }
    assert_eq!((inside.connections(), looked_up.load(Ordering::SeqCst)), (0, 0));
}

// Other systems have no second loopback address unless they are told to.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_name_that_changes_its_address_is_checked_at_every_call() {
    // 127.0.0.2 plays the public address here, 127.0.0.1 the private one, behind the same port.
    fn permits(address: IpAddr) -> bool {
        address != IpAddr::from([127, 0, 0, 1])
    }
    let inside = Receiver::answering(OK).await;
    let port = inside.address.port();
    let behave = |mut stream: TcpStream| async move {
        let _ = stream.write_all(OK.as_bytes()).await;
    };
    let outside = Receiver::new(&format!("127.0.0.2:{port}"), behave).await;
    let url = format!("http://rebinding.example:{port}/");
    let answers: &[&[&str]] = &[&["127.0.0.2"], &["127.0.0.1"], &["127.0.0.1", "127.0.0.2"], &["127.0.0.1"]];
    let (client, looked_up) = with_names(Reach::Anywhere, permits, answers);
    let refused = Outcome::from(Reason::Refused(Refusal::LeadsInside));
    for (call, expected) in
        [Outcome::Delivered { status: 200 }, refused.clone(), Outcome::Delivered { status: 200 }, refused]
            .into_iter()
            .enumerate()
    {
        assert_eq!(client.send_note(&url, note()).await, expected);
        // One lookup a call: what was checked is what is connected to.
        assert_eq!(looked_up.load(Ordering::SeqCst), call + 1);
    }
    assert_eq!((outside.connections(), inside.connections()), (2, 0));
}

#[tokio::test]
async fn a_name_without_an_address_and_a_closed_port_are_told_apart() {
    let (client, _) = with_names(Reach::Anywhere, |_| true, &[&[]]);
    assert_eq!(client.send_note("http://nobody.example/", note()).await, Reason::UnknownHost.into());
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let outcome = anywhere().send_note(&format!("http://{closed}/"), note()).await;
    assert_eq!(outcome, Reason::Unreachable.into());
}

#[tokio::test]
async fn what_is_no_tls_or_no_http_is_a_failure() {
    let receiver = Receiver::answering("SSH-2.0-OpenSSH_9.6\r\n").await;
    assert_eq!(anywhere().send_note(&receiver.url(), note()).await, Reason::Broken.into());
    // The first bytes of a TLS client are no request: this receiver answers at once.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            let _ = stream.read(&mut [0; 4_096]).await;
        }
    });
    let outcome = anywhere().send_note(&format!("https://{address}/"), note()).await;
    assert!(matches!(&outcome, Outcome::Failed { reason: Reason::Tls(_), .. }), "{outcome:?}");
}

#[tokio::test]
async fn an_answer_whose_head_never_ends_is_a_time_out() {
    let receiver = Receiver::new("127.0.0.1:0", |mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        for _ in 0..1_000 {
            if stream.write_all(b"x: y\r\n").await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    assert_eq!(hasty().send_note(&receiver.url(), note()).await, Reason::TimedOut.into());
}

#[tokio::test]
async fn a_receiver_that_says_nothing_is_a_time_out() {
    let receiver = Receiver::new("127.0.0.1:0", |stream| async move {
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(stream);
    })
    .await;
    assert_eq!(hasty().send_note(&receiver.url(), note()).await, Reason::TimedOut.into());
}

#[tokio::test]
async fn an_answer_whose_body_drips_counts_by_its_status_and_ends_in_time() {
    let receiver = Receiver::new("127.0.0.1:0", |mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n").await;
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let began = Instant::now();
    assert_eq!(hasty().send_note(&receiver.url(), note()).await, Outcome::Delivered { status: 200 });
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn an_endless_answer_is_cut() {
    let written = Arc::new(AtomicUsize::new(0));
    let count = written.clone();
    let receiver = Receiver::new("127.0.0.1:0", move |mut stream| {
        let count = count.clone();
        async move {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            while stream.write_all(&[b'x'; 16 * 1_024]).await.is_ok() {
                count.fetch_add(16 * 1_024, Ordering::SeqCst);
            }
            // The other side is gone.
            count.fetch_add(1, Ordering::SeqCst);
        }
    })
    .await;
    let began = Instant::now();
    assert_eq!(anywhere().send_note(&receiver.url(), note()).await, Outcome::Delivered { status: 200 });
    assert!(began.elapsed() < WHOLE, "read to the end of its time");
    while written.load(Ordering::SeqCst).is_multiple_of(2) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // What fits into the system's buffers on both sides was written, and no more.
    assert!(written.load(Ordering::SeqCst) < 32 * 1_024 * 1_024);
}

#[tokio::test]
async fn a_head_without_end_is_cut() {
    let receiver = Receiver::new("127.0.0.1:0", |mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ").await;
        while stream.write_all(&[b'y'; 4_096]).await.is_ok() {}
    })
    .await;
    assert_eq!(anywhere().send_note(&receiver.url(), note()).await, Reason::Broken.into());
}

#[tokio::test]
async fn a_receiver_that_fails_for_an_hour_gets_it_in_the_end() {
    let start: DateTime<Utc> = "2026-09-09T12:00:00Z".parse().unwrap();
    let now = Arc::new(Mutex::new(start));
    let clock = now.clone();
    let receiver = Receiver::new("127.0.0.1:0", move |mut stream| {
        let broken = *clock.lock().unwrap() < start + TimeDelta::hours(1);
        let status = if broken { "500 Oh" } else { "200 OK" };
        async move {
            let _ =
                stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes()).await;
        }
    })
    .await;
    let secrets = Secrets { current: Secret::random().unwrap(), previous: None };
    let id = MessageId::new("evt_1").unwrap();
    let body = event::body("status.changed", start, &serde_json::json!({"company_id": "acme"})).unwrap();
    let mut statuses = Vec::new();
    for attempt in 1..=schedule::ATTEMPTS {
        let at = *now.lock().unwrap();
        let outcome = anywhere().send_event(&receiver.url(), &secrets, &id, at, body.clone()).await;
        statuses.push(outcome.status().unwrap());
        let Outcome::Failed { retry_after, .. } = outcome else { break };
        *now.lock().unwrap() = schedule::next(attempt, id.as_str(), at, retry_after).unwrap();
    }
    assert_eq!(statuses, [500, 500, 500, 500, 200]);
    // One message: all attempts have its id, each its own time.
    let requests = receiver.requests.lock().unwrap();
    assert!(requests.iter().all(|request| request.contains("\r\nwebhook-id: evt_1\r\n")));
    let times: std::collections::BTreeSet<_> = requests
        .iter()
        .filter_map(|request| request.lines().find(|line| line.starts_with("webhook-timestamp")))
        .collect();
    assert_eq!(times.len(), 5);
}
