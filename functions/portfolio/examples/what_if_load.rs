//! How long a what-if takes with what it reads: 1,000 companies × 26 weeks from the embedded store.
//!
//! `cargo run --release -p portfolio --example what_if_load -- 1000`
//!
//! Every week has 20 names in use; the draft has a catalogue of 20 features. The store runs in a thread of its own:
//! the time on the CPU is the function's alone. A Lambda of 512 MB has 0.29 of a CPU.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::time::Instant;

use aws_credential_types::Credentials;
use axum::body::Body;
use barometer_cloud::{
    Clock, Table,
    clients::{self, Aws},
    table::{
        companies::{Profile, Readings},
        snapshots::Published,
    },
    workspaces::{self, NewWorkspace},
};
use barometer_domain::{
    CompanyId, IsoWeek, Settings, UserId,
    activity::UserWeek,
    member::Member,
    telemetry::Telemetry,
    week::{CompanyWeek, History, WeekSnapshot, score},
};
use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};
use http::Request;
use http_body_util::BodyExt;
use serde_json::json;
use tower::ServiceExt;

const WEEKS: i64 = 29;
const USERS: u32 = 50;
const FEATURES: u32 = 20;

fn store() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let database = dynoxide::Database::memory().unwrap();
            dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()).await
        })
    });
    address
}

/// A week of 50 users, a third of them active, with what they used.
fn week_of(week: IsoWeek) -> WeekSnapshot {
    let id = |number: u32| UserId::new(format!("user-{number}")).unwrap();
    let seat = Member { first_seen: "2026-01-05".parse().unwrap(), left: None, excluded: false };
    let activity = (0..USERS).step_by(3).map(|number| {
        let name = format!("1eFeature {} Used", number % FEATURES);
        let other = format!("3eFeature {} Used", (number + 7) % FEATURES);
        let uses = [name, other].map(|used| used.parse().unwrap()).into();
        (id(number), UserWeek { days: [1, 3].into(), uses, slots: (0..number as u16 % 20).collect() })
    });
    score(&CompanyWeek {
        week,
        settings: &Settings::default(),
        settings_version: 1,
        started: "2026-01-05".parse().unwrap(),
        plan: Some("pro"),
        members: &(0..USERS).map(|number| (id(number), seat.clone())).collect(),
        activity: &activity.collect(),
        answers: &[],
        history: &History { valid_weeks: 9, ..History::default() },
        telemetry: Telemetry::Normal,
    })
}

/// Seconds that this thread was on a CPU.
fn on_cpu() -> f64 {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    times.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let companies: u32 = std::env::args().nth(1).map_or(1_000, |number| number.parse().unwrap());
    let now: DateTime<Utc> = "2026-09-09T12:00:00Z".parse().unwrap();
    let aws = Aws {
        region: "eu-central-1".to_owned(),
        credentials: Credentials::from_keys("test", "test", None),
        endpoint_url: Some(store()),
        http_client: clients::http_client(),
    };
    let table = Table::new(clients::dynamodb(&aws), "what-if-load");
    table.create().await.unwrap();
    let new = NewWorkspace { name: "Load".to_owned(), ..NewWorkspace::default() };
    let made = workspaces::create(&table, new, now).await.unwrap();
    let last: IsoWeek = "2026-W36".parse().unwrap();
    let weeks: Vec<Published<WeekSnapshot>> = (0..WEEKS)
        .map(|back| Published { revision: 1, published_at: now, snapshot: week_of(last.plus(-back)) })
        .collect();
    let (table, made, weeks) = (&table, &made, &weeks);
    let fill = |number: u32| async move {
        let id = CompanyId::new(format!("company-{number}")).unwrap();
        table.note_company(&made.workspace_id, &id, &Profile::default(), now).await.unwrap();
        for week in weeks {
            table.publish_week(&made.workspace_id, &id, week, &Readings::default(), &[]).await.unwrap();
        }
    };
    stream::iter(0..companies).map(fill).buffer_unordered(8).collect::<Vec<()>>().await;

    let router = portfolio::router(portfolio::Deps {
        table: table.clone(),
        clock: Clock::fixed(now),
        webhooks: barometer_webhook::Client::new(Default::default()),
    });
    let catalogue: Vec<_> = (0..FEATURES)
        .map(|number| json!({"key": format!("f-{number}"), "match": {"events": [format!("Feature {number} *")]}}))
        .collect();
    let request = Request::post("/v1/settings/what-if")
        .header("authorization", format!("Bearer {}", made.api_token))
        .body(Body::from(json!({"bands": "gocsm-2026", "catalogue": catalogue}).to_string()))
        .unwrap();
    let (began, worked) = (Instant::now(), on_cpu());
    let response = router.oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let (seconds, worked) = (began.elapsed().as_secs_f64(), on_cpu() - worked);
    let answer: serde_json::Value = serde_json::from_slice(&body).unwrap();
    println!(
        "{status}: {} of {} companies, {} change band, in {seconds:.2} s, {worked:.2} s on the CPU",
        answer["companies_sampled"], answer["companies_total"], answer["changed"]
    );
}
