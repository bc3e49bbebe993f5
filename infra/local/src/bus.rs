//! The event bus: takes events durably, delivers them in order to the functions whose rule matches, and
//! keeps a log of all of them. What was not delivered when the home stopped is delivered when it starts.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use tokio::sync::{Mutex, Notify};

use crate::clock::HomeClock;
use crate::delivery::Delivery;
use crate::pattern::Pattern;
use crate::records::{Record, RecordError, Records, numbered};
use crate::template::Template;

const LOG: &str = "bus";
const PENDING: &str = "pending";

/// An event as it was put on the bus.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Who says it.
    pub source: String,
    /// What kind it is.
    pub detail_type: String,
    /// What it is about, as ARNs.
    pub resources: Vec<String>,
    /// What it says.
    pub detail: Value,
    /// When it happened; the clock's now when absent.
    pub time: Option<DateTime<Utc>>,
}

/// The bus. Clones share it.
#[derive(Debug, Clone)]
pub struct Bus(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    records: Records,
    clock: HomeClock,
    rules: Vec<(String, Pattern)>,
    queue: Mutex<Queue>,
    delivering: Mutex<()>,
    arrived: Notify,
}

#[derive(Debug)]
struct Queue {
    next: u64,
    pending: VecDeque<(String, Value)>,
}

impl Bus {
    /// Opens the bus where it left off.
    ///
    /// # Errors
    /// When the records can't be read.
    pub async fn open(records: Records, clock: HomeClock, template: &Template) -> Result<Self, RecordError> {
        let rules = template
            .functions
            .iter()
            .flat_map(|f| f.rules.iter().map(|rule| (f.name.clone(), rule.clone())))
            .collect();
        let pending = records.list(PENDING).await?.into();
        let queue = Mutex::new(Queue { next: records.next_number(LOG).await?, pending });
        let (delivering, arrived) = (Mutex::new(()), Notify::new());
        arrived.notify_one();
        Ok(Self(Arc::new(Inner { records, clock, rules, queue, delivering, arrived })))
    }

    /// Takes up to ten events, all or none, and answers their ids.
    ///
    /// # Errors
    /// When they can't be kept; then none was taken.
    pub async fn accept(&self, events: Vec<NewEvent>) -> Result<Vec<String>, RecordError> {
        let mut ids = Vec::with_capacity(events.len());
        if events.is_empty() {
            return Ok(ids);
        }
        // Held while writing, so that order in the queue is order in the log.
        let mut queue = self.0.queue.lock().await;
        let mut records = Vec::with_capacity(events.len() * 2);
        let mut arrived = Vec::with_capacity(events.len());
        let mut number = queue.next;
        for event in events {
            let id = event_id(number);
            let envelope = self.envelope(&id, event);
            let key = numbered(number);
            records.push(Record::new(LOG, key.clone(), &envelope)?);
            if self.targets(&envelope).next().is_some() {
                records.push(Record::new(PENDING, key.clone(), &envelope)?);
                arrived.push((key, envelope));
            }
            ids.push(id);
            number += 1;
        }
        self.0.records.put_all(records).await?;
        queue.next = number;
        queue.pending.extend(arrived);
        drop(queue);
        self.0.arrived.notify_one();
        Ok(ids)
    }

    /// Waits until events have arrived.
    pub async fn arrival(&self) {
        self.0.arrived.notified().await;
    }

    /// Delivers whatever is pending, in order, also what is put on the bus meanwhile. Two callers don't
    /// overlap: the second returns when all is delivered.
    ///
    /// # Errors
    /// When the records can't be written; the event stays pending.
    pub async fn drain(&self, delivery: &Delivery) -> Result<(), RecordError> {
        let _alone = self.0.delivering.lock().await;
        loop {
            let first = self.0.queue.lock().await.pending.front().cloned();
            let Some((key, envelope)) = first else { return Ok(()) };
            for function in self.targets(&envelope) {
                delivery.deliver(function, &envelope).await?;
            }
            self.0.records.delete(PENDING, &key).await?;
            self.0.queue.lock().await.pending.pop_front();
        }
    }

    /// Every event in order. One that was given up carries `dead`, a list of `{function, error}`.
    ///
    /// # Errors
    /// When the records can't be read.
    pub async fn log(&self, delivery: &Delivery) -> Result<Vec<Value>, RecordError> {
        let dead = delivery.dead().await?;
        let mut log: Vec<Value> =
            self.0.records.list(LOG).await?.into_iter().map(|(_, envelope)| envelope).collect();
        if dead.is_empty() {
            return Ok(log);
        }
        for envelope in &mut log {
            let letters: Vec<Value> = dead
                .iter()
                .filter(|letter| letter.event.get("id").is_some_and(|id| Some(id) == envelope.get("id")))
                .map(|letter| json!({"function": letter.function, "error": letter.error}))
                .collect();
            if let (false, Some(fields)) = (letters.is_empty(), envelope.as_object_mut()) {
                fields.insert("dead".to_owned(), Value::Array(letters));
            }
        }
        Ok(log)
    }

    fn targets<'a>(&'a self, envelope: &'a Value) -> impl Iterator<Item = &'a str> {
        self.0.rules.iter().filter(|(_, rule)| rule.matches(envelope)).map(|(function, _)| function.as_str())
    }

    fn envelope(&self, id: &str, event: NewEvent) -> Value {
        let time = event.time.unwrap_or_else(|| self.0.clock.now());
        json!({
            "version": "0",
            "id": id,
            "detail-type": event.detail_type,
            "source": event.source,
            "account": "000000000000",
            "time": time.to_rfc3339_opts(SecondsFormat::Secs, true),
            "region": "home",
            "resources": event.resources,
            "detail": event.detail,
        })
    }
}

/// Ids have EventBridge's form; a number makes them unique within a data folder.
fn event_id(number: u64) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}
