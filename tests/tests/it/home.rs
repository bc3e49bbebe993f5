//! A home in this process, spoken to over HTTP like any client would.

use std::ops::Deref;

use barometer::client::{Answer, Client};
use barometer::home::{Home, Options};
use barometer_cloud::workspaces::Created;
use chrono::{DateTime, Utc};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{roles, schemas};

/// A home whose events are held against their schemas, and the functions' calls against their policies, before it stops.
pub struct Checked(Home);

impl Deref for Checked {
    type Target = Home;

    fn deref(&self) -> &Home {
        &self.0
    }
}

impl Checked {
    /// Checks every event that went over the bus and every call of a function, and stops.
    pub async fn stop(self) {
        for event in self.0.bus_log().await.unwrap() {
            schemas::check(event["detail-type"].as_str().unwrap(), &event["detail"]);
        }
        roles::check(self.0.calls().made());
        self.0.stop().await;
    }
}

/// A running home with a workspace.
pub struct Running {
    pub home: Checked,
    pub client: Client,
    pub keys: Created,
}

/// An instant.
pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A seeded shuffle (Fisher–Yates over SplitMix64), the same every time.
pub fn shuffle<T>(items: &mut [T], mut seed: u64) {
    for index in (1..items.len()).rev() {
        seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (seed ^ (seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        items.swap(index, ((mixed ^ (mixed >> 31)) % (index as u64 + 1)) as usize);
    }
}

impl Running {
    /// In memory, with the clock at `now` and one workspace in `zone`.
    pub async fn start(now: &str, zone: &str) -> Self {
        let home = Home::start(Options { now: Some(at(now)), ..Options::default() }).await.unwrap();
        Self::with_workspace(home, zone).await
    }

    pub async fn with_workspace(home: Home, zone: &str) -> Self {
        let client = Client::new(&home.url());
        let keys = create_workspace(&client, zone).await;
        Self { home: Checked(home), client, keys }
    }

    /// Posts to an ingestion path with the workspace's write key.
    pub async fn post(&self, path: &str, body: impl Into<String>) -> Answer {
        post(&self.client, &self.keys.write_key, path, body.into()).await
    }

    /// Posts one event that must be accepted.
    pub async fn event(&self, event: Value) {
        let answer = self.post("/v1/batch", json!({ "batch": [event] }).to_string()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", text(&answer));
        assert_eq!(read(&answer)["accepted"], 1, "{}", text(&answer));
    }

    /// Moves the clock.
    pub async fn clock(&self, to: &str) {
        let answer = send(&self.client, Method::POST, "/local/clock", None, &json!({ "now": to })).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", text(&answer));
    }

    /// Waits until whatever is on the bus is delivered: moving the clock ends with that.
    pub async fn settle(&self) {
        let soon = self.home.now() + chrono::TimeDelta::seconds(1);
        self.clock(&soon.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)).await;
    }

    /// Sets or clears faults of the services under the SDK clients.
    pub async fn fault(&self, plan: &Value) {
        let answer = send(&self.client, Method::POST, "/local/faults", None, plan).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", text(&answer));
    }

    /// Reads from the CSM's API.
    pub async fn get(&self, path: &str) -> Value {
        let answer = self.api(Method::GET, path, &Value::Null).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", text(&answer));
        read(&answer)
    }

    /// What went over the bus.
    pub async fn get_bus(&self) -> Vec<Value> {
        let answer =
            crate::home::send(&self.client, http::Method::GET, "/local/bus", None, &Value::Null).await;
        let bus = crate::home::read(&answer);
        bus.as_array().or(bus["events"].as_array()).or(bus["items"].as_array()).unwrap().clone()
    }

    /// Calls the CSM's API.
    pub async fn api(&self, method: Method, path: &str, body: &Value) -> Answer {
        send(&self.client, method, path, Some(&self.keys.api_token), body).await
    }
}

pub async fn create_workspace(client: &Client, zone: &str) -> Created {
    let new = json!({ "name": "Initech", "time_zone": zone });
    let answer = send(client, Method::POST, "/local/workspaces", None, &new).await;
    assert!(answer.status.is_success(), "{}", text(&answer));
    serde_json::from_slice(&answer.body).unwrap()
}

pub async fn post(client: &Client, key: &str, path: &str, body: String) -> Answer {
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    client.send(Method::POST, path, &headers, body).await.unwrap()
}

pub async fn send(client: &Client, method: Method, path: &str, token: Option<&str>, body: &Value) -> Answer {
    let bearer = format!("Bearer {}", token.unwrap_or_default());
    let mut headers = vec![("content-type", "application/json")];
    if token.is_some() {
        headers.push(("authorization", bearer.as_str()));
    }
    let body = if body.is_null() { String::new() } else { body.to_string() };
    client.send(method, path, &headers, body).await.unwrap()
}

pub fn read(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

pub fn text(answer: &Answer) -> String {
    format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body))
}
