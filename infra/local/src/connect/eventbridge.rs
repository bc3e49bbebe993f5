//! EventBridge's `PutEvents`: the events go to the home's bus, durably, before the answer goes back.

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpClient};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use chrono::DateTime;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{error, reset};
use crate::bus::{Bus, NewEvent};
use crate::calls::Calls;
use crate::faults::{Effect, Faults, Service};

const MOST_ENTRIES: usize = 10;
const MOST_BYTES: usize = 256 * 1024;

/// A client whose calls end on `bus`.
#[must_use]
pub fn client(bus: Bus, faults: Faults, calls: Calls) -> SharedHttpClient {
    super::client(Connector { bus, faults, calls })
}

#[derive(Debug, Clone)]
struct Connector {
    bus: Bus,
    faults: Faults,
    calls: Calls,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutEvents {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    #[serde(default)]
    source: String,
    #[serde(default)]
    detail_type: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    resources: Vec<String>,
    time: Option<f64>,
}

impl Entry {
    /// The event, or EventBridge's code for what is wrong with it.
    fn event(self) -> Result<NewEvent, &'static str> {
        if self.source.is_empty() || self.detail_type.is_empty() {
            return Err("InvalidArgument");
        }
        let detail: Value = serde_json::from_str(&self.detail).map_err(|_| "MalformedDetail")?;
        if !detail.is_object() {
            return Err("MalformedDetail");
        }
        #[expect(clippy::cast_possible_truncation, reason = "whole seconds are what an envelope shows")]
        let time = self.time.and_then(|seconds| DateTime::from_timestamp(seconds as i64, 0));
        Ok(NewEvent {
            source: self.source,
            detail_type: self.detail_type,
            resources: self.resources,
            detail,
            time,
        })
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.calls.note(&request);
        let connector = self.clone();
        HttpConnectorFuture::new(async move {
            let effect = connector.faults.meet(Service::Events).await;
            if effect == Effect::Error {
                return error(500, "InternalException", "Asked for by /local/faults.");
            }
            let answer = connector.put_events(&request, effect == Effect::Throttle).await?;
            if effect == Effect::Drop { Err(reset()) } else { Ok(answer) }
        })
    }
}

impl Connector {
    async fn put_events(
        &self,
        request: &HttpRequest,
        throttle: bool,
    ) -> Result<HttpResponse, ConnectorError> {
        if request.headers().get("x-amz-target") != Some("AWSEvents.PutEvents") {
            return error(400, "UnknownOperationException", "This home knows PutEvents only.");
        }
        let body = request.body().bytes().unwrap_or_default();
        let Ok(PutEvents { entries }) = serde_json::from_slice(body) else {
            return error(400, "SerializationException", "Not a PutEvents request.");
        };
        if entries.is_empty() || entries.len() > MOST_ENTRIES || body.len() > MOST_BYTES {
            return error(400, "ValidationException", "1 to 10 entries of at most 256 KB together.");
        }
        // Throttling shows in the entries, as EventBridge's partial failures do.
        let events = entries
            .into_iter()
            .map(|entry| if throttle { Err("ThrottlingException") } else { entry.event() })
            .collect::<Vec<_>>();
        let accepted = events.iter().filter_map(|event| event.as_ref().ok().cloned()).collect();
        let mut ids = match self.bus.accept(accepted).await {
            Ok(ids) => ids.into_iter(),
            Err(failure) => {
                tracing::error!(error = %failure, "bus events could not be kept");
                return error(500, "InternalException", "The events could not be kept.");
            }
        };
        let mut failed = 0;
        let mut results = Vec::with_capacity(events.len());
        for event in &events {
            results.push(match event {
                Ok(_) => json!({"EventId": ids.next()}),
                Err(code) => {
                    failed += 1;
                    json!({"ErrorCode": code, "ErrorMessage": "The event was not taken."})
                }
            });
        }
        super::json(200, &json!({"FailedEntryCount": failed, "Entries": results}))
    }
}
