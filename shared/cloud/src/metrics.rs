//! What a call of a function counts, and the line that tells CloudWatch of it: its
//! [embedded metric format](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html),
//! which is a log line, so that counting calls nobody and can't fail.
//!
//! Namespace [`NAMESPACE`], one dimension, `function`: the function's whole name, which begins with the stack's. What is
//! nothing isn't written: CloudWatch charges for a metric by the hours in which it was.

use std::{
    array,
    io::Write,
    sync::atomic::{AtomicU64, Ordering},
};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::invocation::{self, Invocation};

/// The metrics' namespace.
pub const NAMESPACE: &str = "Barometer";

/// Units are counted in halves: an eventually consistent read of one page is half a unit.
const HALVES: f64 = 2.0;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Events that came, taken or not.
    Events,
    /// Those of them that were not taken.
    Rejected,
    /// Companies that a run scored or rolled up.
    Scored,
    /// Companies that a run left out, because their own items fail.
    Failed,
    /// Runs that aren't complete long after they were planned, each time that is seen.
    Overdue,
    /// Mails that SES took.
    Sent,
    /// Mails of which it can't be known whether SES took them.
    Unknown,
    /// Calls to AWS that were made again.
    Retries,
    /// Read units of the table, in halves.
    ReadUnits,
    /// Write units of the table, in halves.
    WriteUnits,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Events,
        Self::Rejected,
        Self::Scored,
        Self::Failed,
        Self::Overdue,
        Self::Sent,
        Self::Unknown,
        Self::Retries,
        Self::ReadUnits,
        Self::WriteUnits,
    ];

    /// The metric's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Rejected => "rejected",
            Self::Scored => "scored",
            Self::Failed => "failed",
            Self::Overdue => "overdue",
            Self::Sent => "sent",
            Self::Unknown => "unknown",
            Self::Retries => "retries",
            Self::ReadUnits => "read_units",
            Self::WriteUnits => "write_units",
        }
    }

    fn value(self, count: u64) -> Value {
        match self {
            // Counts of a call are far below where a float loses any.
            #[expect(clippy::cast_precision_loss)]
            Self::ReadUnits | Self::WriteUnits => json!(count as f64 / HALVES),
            _ => json!(count),
        }
    }
}

/// The counts of one call.
#[derive(Debug)]
pub struct Counts([AtomicU64; Metric::ALL.len()]);

impl Default for Counts {
    fn default() -> Self {
        Self(array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Counts {
    /// Adds to a count.
    pub fn add(&self, metric: Metric, more: u64) {
        if let Some(count) = self.0.get(metric as usize) {
            count.fetch_add(more, Ordering::Relaxed);
        }
    }

    fn all(&self) -> impl Iterator<Item = (Metric, u64)> {
        Metric::ALL.into_iter().zip(self.0.iter().map(|count| count.load(Ordering::Relaxed)))
    }
}

/// Counts, in the call that runs here; outside of one it does nothing.
pub fn count(metric: Metric, more: usize) {
    if let Some(invocation) = invocation::current() {
        invocation.counts.add(metric, u64::try_from(more).unwrap_or(u64::MAX));
    }
}

/// Counts units of the table that a call consumed.
pub fn count_units(metric: Metric, units: f64) {
    if let Some(invocation) = invocation::current().filter(|_| units > 0.0) {
        // Above nought and, by DynamoDB's limits, in the thousands.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        invocation.counts.add(metric, (units * HALVES).round() as u64);
    }
}

/// The line of a call of `function` that ended at `now`; nothing when nothing was counted.
pub fn line(function: &str, invocation: &Invocation, now: DateTime<Utc>) -> Option<String> {
    let counted: Vec<_> = invocation.counts.all().filter(|(_, count)| *count > 0).collect();
    if counted.is_empty() {
        return None;
    }
    let names: Vec<_> =
        counted.iter().map(|(metric, _)| json!({ "Name": metric.as_str(), "Unit": "Count" })).collect();
    let mut line = Map::new();
    line.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": now.timestamp_millis(),
            "CloudWatchMetrics": [{ "Namespace": NAMESPACE, "Dimensions": [["function"]], "Metrics": names }],
        }),
    );
    line.insert("function".to_owned(), json!(function));
    line.insert("request_id".to_owned(), json!(invocation.request_id));
    line.insert("trace_id".to_owned(), json!(invocation.trace_id));
    line.extend(counted.into_iter().map(|(metric, count)| (metric.as_str().to_owned(), metric.value(count))));
    Some(Value::Object(line).to_string())
}

/// Writes a call's line on standard output, from where Lambda takes it.
pub fn tell(function: &str, invocation: &Invocation, now: DateTime<Utc>) {
    if let Some(line) = line(function, invocation, now) {
        // A closed standard output is no reason to fail a call that is done.
        let _unheard = writeln!(std::io::stdout().lock(), "{line}");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-09-07T00:00:00Z".parse().unwrap()
    }

    #[tokio::test]
    async fn a_line_has_what_was_counted_once_with_its_sum_and_nothing_else() {
        let invocation = Arc::new(Invocation::new("r-1", Some("Root=1-2")));
        invocation
            .scope(async {
                count(Metric::Events, 2);
                count(Metric::Events, 3);
                count(Metric::Rejected, 0);
                count_units(Metric::ReadUnits, 0.5);
                count_units(Metric::ReadUnits, 1.0);
            })
            .await;
        count(Metric::Sent, 1);
        let line = line("barometer-ingest-events", &invocation, now()).unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(&line).unwrap(),
            json!({
                "_aws": {
                    "Timestamp": 1_788_739_200_000_i64,
                    "CloudWatchMetrics": [{
                        "Namespace": "Barometer",
                        "Dimensions": [["function"]],
                        "Metrics": [{ "Name": "events", "Unit": "Count" }, { "Name": "read_units", "Unit": "Count" }],
                    }],
                },
                "function": "barometer-ingest-events", "request_id": "r-1", "trace_id": "1-2",
                "events": 5, "read_units": 1.5,
            })
        );
    }

    #[test]
    fn nothing_counted_is_no_line() {
        assert_eq!(line("barometer-react", &Invocation::default(), now()), None);
    }
}
