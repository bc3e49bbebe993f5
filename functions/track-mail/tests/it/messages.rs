//! SES's events, as the queue brings them.

use barometer_domain::SendId;
use serde_json::{Value, json};

/// A message of `infra/events` about a mail.
pub fn message(name: &str, send: SendId) -> Value {
    let path = format!("{}/../../infra/events/track-mail.{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let mut batch: Value = serde_json::from_str(&text.replace("EXAMPLE-SEND-ID", &send.to_string())).unwrap();
    batch["Records"][0].take()
}

/// The same with the event inside changed.
pub fn changed(name: &str, send: SendId, change: impl FnOnce(&mut Value)) -> Value {
    let mut message = message(name, send);
    let mut event: Value = serde_json::from_str(message["body"].as_str().unwrap()).unwrap();
    change(&mut event);
    message["body"] = json!(event.to_string());
    message
}
