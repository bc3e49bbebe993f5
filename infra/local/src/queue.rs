//! Queues between a rule and a function: messages are kept, given in batches, given again when they failed, and in the
//! end put among the dead letters. What waits when the home stops is given when it starts.
//!
//! The rules are those of the account's default bus, on which SES tells what became of mails.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::{Mutex, Notify};

use crate::clock::HomeClock;
use crate::delivery::Delivery;
use crate::records::{Record, RecordError, Records, numbered};
use crate::template::{Queue, Template};

const KIND: &str = "queue";
/// How long a batch with failures is left alone; real time, since the home's clock may be standing.
const PAUSE: Duration = Duration::from_millis(50);

/// The queues of the template. Clones share them.
#[derive(Debug, Clone)]
pub struct Queues(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    records: Records,
    clock: HomeClock,
    queues: Vec<(String, Queue)>,
    waiting: Mutex<Waiting>,
    giving: Mutex<()>,
    arrived: Notify,
}

#[derive(Debug)]
struct Waiting {
    next: u64,
    messages: VecDeque<(String, Message)>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Message {
    queue: String,
    event: Value,
    /// How often it was given.
    receives: u32,
    /// When it came, in milliseconds.
    sent: i64,
}

impl Queues {
    /// Opens the queues where they left off.
    ///
    /// # Errors
    /// When the records can't be read.
    pub async fn open(records: Records, clock: HomeClock, template: &Template) -> Result<Self, RecordError> {
        let queues = template
            .functions
            .iter()
            .flat_map(|f| f.queues.iter().map(|queue| (f.name.clone(), queue.clone())))
            .collect();
        let messages = records.list(KIND).await?.into();
        let waiting = Mutex::new(Waiting { next: records.next_number(KIND).await?, messages });
        let (giving, arrived) = (Mutex::new(()), Notify::new());
        arrived.notify_one();
        Ok(Self(Arc::new(Inner { records, clock, queues, waiting, giving, arrived })))
    }

    /// Puts events on the default bus and keeps records with them, all or none. An event that no rule takes is gone,
    /// as on AWS.
    ///
    /// # Errors
    /// When they can't be kept.
    pub async fn accept(&self, events: Vec<Value>, mut records: Vec<Record>) -> Result<(), RecordError> {
        // Held while writing, so that order in the queue is order in the records.
        let mut waiting = self.0.waiting.lock().await;
        let (mut arrived, mut number) = (Vec::new(), waiting.next);
        let sent = self.0.clock.now().timestamp_millis();
        for event in events {
            for (_, queue) in self.0.queues.iter().filter(|(_, queue)| queue.takes(&event)) {
                let message = Message { queue: queue.id.clone(), event: event.clone(), receives: 0, sent };
                let key = numbered(number);
                records.push(Record::new(KIND, key.clone(), &message)?);
                arrived.push((key, message));
                number += 1;
            }
        }
        if records.is_empty() {
            return Ok(());
        }
        self.0.records.put_all(records).await?;
        waiting.next = number;
        waiting.messages.extend(arrived);
        drop(waiting);
        self.0.arrived.notify_one();
        Ok(())
    }

    /// Waits until messages have arrived.
    pub async fn arrival(&self) {
        self.0.arrived.notified().await;
    }

    /// Gives whatever waits to its function, also what comes meanwhile, until it is taken or dead. Two callers don't
    /// overlap: the second returns when all is given.
    ///
    /// # Errors
    /// When the records can't be written; the messages stay.
    pub async fn drain(&self, delivery: &Delivery) -> Result<(), RecordError> {
        let _alone = self.0.giving.lock().await;
        while let Some((function, queue, batch)) = self.batch().await {
            let event = json!({ "Records": batch.iter().map(|(key, m)| m.record(key)).collect::<Vec<_>>() });
            let (failed, error) = match delivery.functions().invoke(function, event).await {
                Ok(answer) => (failures(&answer), "the function didn't take it".to_owned()),
                Err(error) => (batch.iter().map(|(key, _)| key.clone()).collect(), error.to_string()),
            };
            for (key, message) in batch {
                let message = Message { receives: message.receives + 1, ..message };
                let again = failed.contains(&key) && message.receives < queue.most_receives;
                if again {
                    self.0.records.put(Record::new(KIND, key.clone(), &message)?).await?;
                } else {
                    if failed.contains(&key) {
                        tracing::error!(function, error, "given up");
                        delivery.bury(function, &message.event, error.clone()).await?;
                    }
                    self.0.records.delete(KIND, &key).await?;
                }
                let mut waiting = self.0.waiting.lock().await;
                waiting.messages.retain(|(waits, _)| *waits != key);
                if again {
                    waiting.messages.push_back((key, message));
                }
            }
            if !failed.is_empty() {
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(())
    }

    /// The first messages of the queue whose turn it is, as many as it gives at once.
    async fn batch(&self) -> Option<(&str, &Queue, Vec<(String, Message)>)> {
        let waiting = self.0.waiting.lock().await;
        let (_, first) = waiting.messages.front()?;
        let (function, queue) = self.0.queues.iter().find(|(_, queue)| queue.id == first.queue)?;
        let messages = waiting.messages.iter().filter(|(_, message)| message.queue == queue.id);
        Some((function, queue, messages.take(queue.batch).cloned().collect()))
    }
}

impl Message {
    /// As SQS hands it to Lambda.
    fn record(&self, key: &str) -> Value {
        json!({
            "messageId": key,
            "receiptHandle": key,
            "body": self.event.to_string(),
            "attributes": {
                "ApproximateReceiveCount": (self.receives + 1).to_string(),
                "SentTimestamp": self.sent.to_string(),
            },
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": format!("arn:aws:sqs:home:000000000000:{}", self.queue),
            "awsRegion": "home",
        })
    }
}

/// The messages that a function says have failed.
fn failures(answer: &Value) -> BTreeSet<String> {
    let listed = answer.get("batchItemFailures").and_then(Value::as_array).into_iter().flatten();
    listed.filter_map(|failure| failure.get("itemIdentifier")?.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::Functions;
    use crate::store::Store;
    use barometer_cloud::clients;

    const TEMPLATE: &str = r#"
Resources:
  Hear:
    Type: AWS::Serverless::Function
    Metadata: {BarometerFunction: hear}
    Properties:
      Events:
        Mails: {Type: SQS, Properties: {Queue: !GetAtt Mails.Arn, FunctionResponseTypes: [ReportBatchItemFailures]}}
  Mails: {Type: AWS::SQS::Queue, Properties: {RedrivePolicy: {maxReceiveCount: 2}}}
  Rule:
    Type: AWS::Events::Rule
    Properties: {EventPattern: {source: [aws.ses]}, Targets: [{Id: queue, Arn: !GetAtt Mails.Arn}]}
"#;

    async fn echo(batch: Value, heard: Arc<Mutex<Vec<Value>>>) -> Result<Value, std::convert::Infallible> {
        for record in batch["Records"].as_array().unwrap() {
            heard.lock().await.push(serde_json::from_str(record["body"].as_str().unwrap()).unwrap());
        }
        Ok(json!({ "batchItemFailures": [] }))
    }

    #[tokio::test]
    async fn what_waits_is_given_after_a_restart_once_and_what_no_rule_takes_is_gone() {
        let store = Store::open(None).unwrap();
        let aws = store.aws(crate::connect::dynamodb::plain());
        let records = Records::open(clients::dynamodb(&aws)).await.unwrap();
        let clock = HomeClock::starting_at("2026-09-07T00:00:00Z".parse().unwrap());
        let template = Template::parse(TEMPLATE).unwrap();
        let open = || Queues::open(records.clone(), clock.clone(), &template);
        let event = |number: u32| json!({ "source": "aws.ses", "detail": number });
        let foreign = json!({ "source": "aws.s3" });
        open().await.unwrap().accept(vec![event(1), foreign], Vec::new()).await.unwrap();
        open().await.unwrap().accept(vec![event(2)], Vec::new()).await.unwrap();

        let heard = Arc::new(Mutex::new(Vec::new()));
        let functions = Functions::default().event("hear", heard.clone(), echo);
        let delivery = Delivery::open(functions, records.clone(), clock.clone()).await.unwrap();
        open().await.unwrap().drain(&delivery).await.unwrap();
        open().await.unwrap().drain(&delivery).await.unwrap();
        assert_eq!(*heard.lock().await, [event(1), event(2)]);
    }
}
