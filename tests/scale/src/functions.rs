//! The two functions, with a bus that brings them their shards.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use barometer_cloud::{
    Bus, Table, clients,
    clients::Aws,
    sharded::{BUDGET, Outcome},
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// Name of a client's region and credentials, which no local store checks.
const LOCAL: &str = "local";

/// How often a failed invocation is repeated: `MaximumRetryAttempts` of the template.
const RETRIES: u32 = 2;

/// What a client needs to reach the store at `endpoint`.
pub fn aws(endpoint: &str, http_client: SharedHttpClient) -> Aws {
    Aws {
        region: "eu-central-1".to_owned(),
        credentials: aws_credential_types::Credentials::from_keys(LOCAL, LOCAL, None),
        endpoint_url: Some(endpoint.to_owned()),
        http_client,
    }
}

/// A function, by the event that brings it a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    Score,
    RollUp,
}

impl Function {
    fn shard(self) -> &'static str {
        match self {
            Self::Score => "score.shard",
            Self::RollUp => "rollup.shard",
        }
    }
}

/// The functions over a table.
pub struct Functions {
    score: score_week::Deps,
    roll_up: roll_up_month::Deps,
    kept: Kept,
}

impl Functions {
    pub fn new(table: &Table) -> Self {
        let kept = Kept::default();
        let connector = SharedHttpConnector::new(kept.clone());
        let http_client = http_client_fn(move |_, _| connector.clone());
        let bus = Bus::new(clients::eventbridge(&aws("http://127.0.0.1:1", http_client)), "barometer");
        Self {
            score: score_week::Deps { table: table.clone(), bus: bus.clone(), budget: BUDGET },
            roll_up: roll_up_month::Deps { table: table.clone(), bus, budget: BUDGET },
            kept,
        }
    }

    /// Lets a function's schedule fire until there is nothing left to do, one shard after the other. Returns how many
    /// companies were scored or rolled up.
    pub async fn settle(&self, function: Function, now: DateTime<Utc>) -> Result<usize, Box<dyn Error>> {
        let mut companies = 0;
        loop {
            let fired = json!({ "scheduled_time": now });
            if self.invoke(function, fired).await?.shards_planned == 0 {
                return Ok(companies);
            }
            while let Some(shard) = self.kept.next(function.shard()) {
                let done = self.invoke(function, shard).await?;
                companies += done.companies;
                if done.failed > 0 {
                    return Err(format!("{} companies failed", done.failed).into());
                }
            }
        }
    }

    /// Calls a function, twice more when it fails, as Lambda does.
    async fn invoke(&self, function: Function, event: Value) -> Result<Outcome, Box<dyn Error>> {
        let mut failed = 0;
        loop {
            match self.attempt(function, event.clone()).await {
                Err(error) if failed < RETRIES => {
                    eprintln!("tried again after: {error}");
                    failed += 1;
                }
                done => return done,
            }
        }
    }

    async fn attempt(&self, function: Function, event: Value) -> Result<Outcome, Box<dyn Error>> {
        Ok(match function {
            Function::Score => score_week::handle(serde_json::from_value(event)?, &self.score).await?,
            Function::RollUp => roll_up_month::handle(serde_json::from_value(event)?, &self.roll_up).await?,
        })
    }
}

/// A bus that keeps the shards that are put on it.
#[derive(Debug, Clone, Default)]
struct Kept(Arc<Mutex<Vec<Value>>>);

impl Kept {
    fn next(&self, kind: &str) -> Option<Value> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.iter().position(|event| event["DetailType"] == kind)?;
        let detail = kept.remove(place)["Detail"].as_str().and_then(|text| serde_json::from_str(text).ok());
        detail.map(|detail: Value| json!({ "detail": detail }))
    }
}

impl HttpConnector for Kept {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().unwrap_or_default();
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let entries = body["Entries"].as_array().cloned().unwrap_or_default();
        let taken = vec![json!({ "EventId": "taken" }); entries.len()];
        let answer = json!({ "FailedEntryCount": 0, "Entries": taken }).to_string();
        let shards = entries
            .into_iter()
            .filter(|entry| entry["DetailType"].as_str().is_some_and(|kind| kind.ends_with(".shard")));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(shards);
        let status = StatusCode::try_from(200_u16).map_err(|error| {
            aws_smithy_runtime_api::client::result::ConnectorError::other(error.into(), None)
        });
        HttpConnectorFuture::ready(status.map(|status| HttpResponse::new(status, SdkBody::from(answer))))
    }
}
