//! A home with functions that only note how they are called.

use std::convert::Infallible;
use std::path::Path;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use axum::Router;
use axum::routing::post;
use barometer_cloud::Clock;
use barometer_domain::SendId;
use serde_json::json;

use super::*;

const TEMPLATE: &str = r#"
Resources:
  Web:
    Type: AWS::Serverless::Function
    Metadata: {BarometerFunction: web}
    Properties: {Events: {All: {Type: HttpApi, Properties: {}}}}
  Plan:
    Type: AWS::Serverless::Function
    Metadata: {BarometerFunction: plan}
    Properties:
      Events:
        Hourly:
          Type: ScheduleV2
          Properties:
            ScheduleExpression: cron(0 * * * ? *)
            Input: '{"scheduled_time":"<aws.scheduler.scheduled-time>"}'
        Shard: {Type: EventBridgeRule, Properties: {Pattern: {source: [barometer], detail-type: [score.shard]}}}
  Hear:
    Type: AWS::Serverless::Function
    Metadata: {BarometerFunction: hear}
    Properties:
      Events:
        Mails:
          Type: SQS
          Properties: {Queue: !GetAtt Mails.Arn, BatchSize: 3, FunctionResponseTypes: [ReportBatchItemFailures]}
  Mails:
    Type: AWS::SQS::Queue
    Properties: {RedrivePolicy: {maxReceiveCount: 2, deadLetterTargetArn: !GetAtt Dead.Arn}}
  MailsRule:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [aws.ses], detail: {eventType: [Send, Delivery]}}
      Targets: [{Id: queue, Arn: !GetAtt Mails.Arn}]
  Daily:
    Type: AWS::Serverless::Function
    Metadata: {BarometerFunction: daily}
    Properties:
      Events:
        Midnight:
          Type: ScheduleV2
          Properties:
            ScheduleExpression: cron(0 0 * * ? *)
            Input: '{"scheduled_time":"<aws.scheduler.scheduled-time>"}'
"#;

pub(crate) type Notes = Arc<Mutex<Vec<String>>>;

#[derive(Clone)]
struct Toy {
    clock: Clock,
    bus: aws_sdk_eventbridge::Client,
    mail: barometer_cloud::Mailer,
    notes: Notes,
}

#[derive(Debug, Error)]
#[error("refused")]
struct Refused;

impl Toy {
    fn note(&self, text: impl std::fmt::Display) {
        let note = format!("{} {text}", self.clock.now().format("%dT%H:%M"));
        self.notes.lock().unwrap().push(note);
    }

    async fn publish(&self, shard: &str) {
        let entry = aws_sdk_eventbridge::types::PutEventsRequestEntry::builder()
            .source("barometer")
            .detail_type("score.shard")
            .detail(json!({ "shard": shard }).to_string())
            .build();
        let answer = self.bus.put_events().entries(entry).send().await.unwrap();
        assert_eq!(answer.failed_entry_count(), 0);
    }

    async fn plan(self, event: Value) -> Result<Value, Refused> {
        match (event["scheduled_time"].as_str(), event["detail"]["shard"].as_str()) {
            (Some(due), None) => {
                self.note(format!("plan {due}"));
                self.publish(due).await;
                Ok(json!({"planned": due}))
            }
            (None, Some("bad")) => Err(Refused),
            (None, Some(shard)) => {
                self.note(format!("score {shard}"));
                Ok(Value::Null)
            }
            _ => panic!("what is {event}?"),
        }
    }

    async fn daily(self, event: Value) -> Result<Value, Infallible> {
        self.note(format!("daily {}", event["scheduled_time"].as_str().unwrap()));
        let mime = b"To: a@example.com\r\nSubject: Hi\r\n\r\nHello\r\n".to_vec();
        self.mail.send(SendId::from_bytes([7; 16]), "b@example.com", mime).await.unwrap();
        Ok(Value::Null)
    }

    async fn hear(self, batch: Value) -> Result<Value, Refused> {
        let records = batch["Records"].as_array().unwrap();
        self.note(format!("hear {}", records.len()));
        let mut failures = Vec::new();
        for record in records {
            let event: Value = serde_json::from_str(record["body"].as_str().unwrap()).unwrap();
            match event["detail"]["mail"]["destination"][0].as_str().unwrap() {
                "poison@example.com" => failures.push(json!({"itemIdentifier": record["messageId"]})),
                "crash@example.com" => return Err(Refused),
                to => self.note(format!("{} {to}", event["detail"]["eventType"].as_str().unwrap())),
            }
        }
        Ok(json!({"batchItemFailures": failures}))
    }

    async fn web(self, body: String) -> String {
        self.publish(&body).await;
        self.clock.now().to_rfc3339()
    }
}

pub(crate) async fn start(data: Option<&Path>, now: Option<&str>, notes: &Notes) -> Result<Home, StartError> {
    let options = Options {
        data: data.map(Into::into),
        now: now.map(|now| now.parse().unwrap()),
        ..Options::default()
    };
    let notes = notes.clone();
    Home::start_with(options, Template::parse(TEMPLATE)?, |wiring| {
        let toy = Toy {
            clock: wiring.clock,
            bus: clients::eventbridge(&wiring.events),
            mail: barometer_cloud::Mailer::new(clients::sesv2(&wiring.mail), "a@example.com", None),
            notes,
        };
        let web = toy.clone();
        Functions::default()
            .event("plan", toy.clone(), |event, toy: Toy| toy.plan(event))
            .event("hear", toy.clone(), |batch, toy: Toy| toy.hear(batch))
            .event("daily", toy, |event, toy: Toy| toy.daily(event))
            .http("web", Router::new().fallback(post(move |body| web.clone().web(body))))
    })
    .await
}

#[tokio::test]
async fn moving_the_clock_runs_what_became_due_in_order_at_its_instant() {
    let notes = Notes::default();
    let home = start(None, Some("2026-09-06T22:30:00Z"), &notes).await.unwrap();
    let passed = home.move_clock("2026-09-07T01:00:00Z".parse().unwrap()).await.unwrap();
    assert_eq!(
        *notes.lock().unwrap(),
        [
            "06T23:00 plan 2026-09-06T23:00:00Z",
            "06T23:00 score 2026-09-06T23:00:00Z",
            "07T00:00 plan 2026-09-07T00:00:00Z",
            "07T00:00 score 2026-09-07T00:00:00Z",
            "07T00:00 daily 2026-09-07T00:00:00Z",
            "07T01:00 plan 2026-09-07T01:00:00Z",
            "07T01:00 score 2026-09-07T01:00:00Z",
        ]
    );
    assert_eq!((passed.ran["plan"].runs, passed.ran["daily"].runs, passed.ran["plan"].failed), (3, 1, 0));
    assert!(home.now() >= "2026-09-07T01:00:00Z".parse::<DateTime<Utc>>().unwrap());
    let back = home.move_clock("2026-09-07T00:59:00Z".parse().unwrap()).await;
    assert!(matches!(back, Err(EngineError::Backwards { .. })));

    let mails = home.mailbox().list().await.unwrap();
    assert_eq!(mails.len(), 1);
    assert_eq!((mails[0].to[0].as_str(), mails[0].subject.as_str()), ("b@example.com", "Hi"));
    assert!(mails[0].send_id.is_some());
    assert_eq!(mails[0].sent_at.to_rfc3339(), "2026-09-07T00:00:00+00:00");
    home.stop().await;
}

#[tokio::test]
async fn a_restart_goes_on_where_it_was() {
    let folder = tempfolder("restart");
    let notes = Notes::default();
    let home = start(Some(&folder), Some("2026-09-06T22:30:00Z"), &notes).await.unwrap();
    assert!(matches!(start(Some(&folder), None, &notes).await, Err(StartError::Store(_))));
    home.move_clock("2026-09-06T23:10:00Z".parse().unwrap()).await.unwrap();
    home.invoke("plan", json!({"detail": {"shard": "x"}})).await.unwrap();
    let was = home.now();
    home.stop().await;

    let early = start(Some(&folder), Some("2026-09-06T22:40:00Z"), &notes).await;
    assert!(matches!(early, Err(StartError::Clock(_))));
    notes.lock().unwrap().clear();
    let home = start(Some(&folder), Some("2026-09-06T22:30:00Z"), &notes).await.unwrap();
    assert!(home.now() >= was && home.now() < was + chrono::TimeDelta::seconds(30));
    home.move_clock("2026-09-07T00:10:00Z".parse().unwrap()).await.unwrap();
    assert_eq!(notes.lock().unwrap().len(), 3, "{notes:?}");
    assert_eq!(home.bus_log().await.unwrap().len(), 2);
    home.stop().await;
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn what_can_not_be_delivered_is_dead_and_the_rest_goes_on() {
    let notes = Notes::default();
    let home = start(None, Some("2026-09-06T22:30:00Z"), &notes).await.unwrap();
    for shard in ["1", "bad", "2"] {
        let request = http::Request::post("/any").body(axum::body::Body::from(shard)).unwrap();
        assert!(home.served.engine.delivery.functions().serve("web", request).await.status().is_success());
    }
    home.served.engine.drain().await;
    assert_eq!(*notes.lock().unwrap(), ["06T22:30 score 1", "06T22:30 score 2"]);
    let log = home.bus_log().await.unwrap();
    assert_eq!(log.len(), 3);
    assert_eq!(log[1]["dead"], json!([{"function": "plan", "error": "refused"}]));
    assert_eq!(log[2].get("dead"), None);
    assert_eq!(log[2]["detail"], json!({"shard": "2"}));
    assert_eq!(log[2]["detail-type"], "score.shard");
    home.stop().await;
}

async fn mail_to(home: &Home, to: &str) {
    let client = connect::ses::client(
        home.mailbox().clone(),
        home.served.engine.queues.clone(),
        None,
        home.faults().clone(),
        home.calls().clone(),
    );
    let mailer = barometer_cloud::Mailer::new(
        clients::sesv2(&store::aws(client)),
        "a@example.com",
        Some("set".to_owned()),
    );
    mailer.send(SendId::from_bytes([7; 16]), to, b"Subject: s\r\n\r\n".to_vec()).await.unwrap();
}

#[tokio::test]
async fn messages_that_fail_are_given_again_and_then_dead_and_hold_up_no_other() {
    // A function that fails fails its whole batch, so what came with a crash may die with it; what comes later doesn't.
    for (bad, together) in [("poison@example.com", true), ("crash@example.com", false)] {
        let notes = Notes::default();
        let home = start(None, Some("2026-09-06T22:30:00Z"), &notes).await.unwrap();
        mail_to(&home, bad).await;
        if !together {
            home.served.engine.drain().await;
        }
        mail_to(&home, "ann@example.com").await;
        home.served.engine.drain().await;
        for expected in ["06T22:30 Send ann@example.com", "06T22:30 Delivery ann@example.com"] {
            assert!(notes.lock().unwrap().iter().any(|note| note == expected), "{bad}: {notes:?}");
        }
        let dead = home.served.engine.delivery.dead().await.unwrap();
        assert_eq!(dead.len(), 2, "{bad}");
        for letter in dead {
            assert_eq!(letter.function, "hear");
            assert_eq!(letter.event["detail"]["mail"]["destination"], json!([bad]));
        }
        home.stop().await;
    }
}

#[tokio::test]
async fn faults_reach_the_clients() {
    let home = start(None, None, &Notes::default()).await.unwrap();
    let set = |plan: Value| home.faults().set(serde_json::from_value(plan).unwrap());
    let once = || {
        let retry = aws_sdk_dynamodb::config::retry::RetryConfig::disabled();
        aws_sdk_dynamodb::config::Builder::new().retry_config(retry)
    };
    let list = || home.table().client().list_tables().customize().config_override(once()).send();
    set(json!({"dynamodb": {"throttle": true}}));
    let throttled = list().await.unwrap_err();
    assert_eq!(throttled.code(), Some("ProvisionedThroughputExceededException"));
    set(json!({"dynamodb": {"drop": true}}));
    assert!(list().await.is_err());
    set(json!({"dynamodb": {"error": true, "times": 1}}));
    assert!(list().await.is_err());
    assert!(list().await.is_ok());

    let mailer = barometer_cloud::Mailer::new(
        clients::sesv2(&store::aws(connect::ses::client(
            home.mailbox().clone(),
            home.served.engine.queues.clone(),
            None,
            home.faults().clone(),
            home.calls().clone(),
        ))),
        "a@example.com",
        None,
    );
    let send = || async {
        let id = SendId::from_bytes([7; 16]);
        mailer.send(id, "b@example.com", b"Subject: s\r\n\r\n".to_vec()).await
    };
    set(json!({"ses": {"throttle": true, "times": 1}}));
    assert!(matches!(send().await, Err(barometer_cloud::mail::MailError::NotSent(_))));
    set(json!({"ses": {"error": true, "times": 1}}));
    assert!(matches!(send().await, Err(barometer_cloud::mail::MailError::Unknown(_))));
    set(json!({"ses": {"drop": true, "times": 1}}));
    assert!(send().await.is_ok());
    assert!(home.mailbox().list().await.unwrap().is_empty());
    assert!(send().await.is_ok());
    assert_eq!(home.mailbox().list().await.unwrap().len(), 1);

    let events = clients::eventbridge(&store::aws(connect::eventbridge::client(
        home.served.engine.bus.clone(),
        home.faults().clone(),
        home.calls().clone(),
    )));
    let entry = |detail: &str| {
        aws_sdk_eventbridge::types::PutEventsRequestEntry::builder()
            .source("barometer")
            .detail_type("x")
            .detail(detail)
            .build()
    };
    let put = || events.put_events().entries(entry("{}")).entries(entry("no")).send();
    let answer = put().await.unwrap();
    assert_eq!(answer.failed_entry_count(), 1);
    assert!(answer.entries()[0].event_id().is_some());
    assert_eq!(answer.entries()[1].error_code(), Some("MalformedDetail"));
    set(json!({"events": {"throttle": true, "times": 1}}));
    assert_eq!(put().await.unwrap().failed_entry_count(), 2);
    set(json!({"events": {"error": true}}));
    let once = aws_sdk_eventbridge::config::retry::RetryConfig::disabled();
    let once = aws_sdk_eventbridge::config::Builder::new().retry_config(once);
    let failed = events.put_events().entries(entry("{}")).customize().config_override(once).send().await;
    assert!(failed.is_err());
    assert_eq!(home.bus_log().await.unwrap().len(), 1);
    home.stop().await;
}

#[tokio::test]
async fn the_sweep_goes_by_the_homes_clock() {
    let home = start(None, Some("2026-09-06T22:30:00Z"), &Notes::default()).await.unwrap();
    let day: DateTime<Utc> = "2026-09-07T00:00:00Z".parse().unwrap();
    for (sk, expires) in [("a", Some(day)), ("b", Some(day + chrono::TimeDelta::days(1))), ("c", None)] {
        let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
        let number =
            |at: DateTime<Utc>| aws_sdk_dynamodb::types::AttributeValue::N(at.timestamp().to_string());
        home.table()
            .client()
            .put_item()
            .table_name(home.table().name())
            .set_item(Some(
                [("pk".to_owned(), text("p")), ("sk".to_owned(), text(sk))]
                    .into_iter()
                    .chain(expires.map(|at| ("expires_at".to_owned(), number(at))))
                    .collect(),
            ))
            .send()
            .await
            .unwrap();
    }
    assert_eq!(home.sweep().await.unwrap(), 0);
    home.move_clock(day).await.unwrap();
    assert_eq!(home.sweep().await.unwrap(), 1);
    assert_eq!(home.sweep().await.unwrap(), 0);
    home.stop().await;
}

#[tokio::test]
async fn a_port_in_use_is_said() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = Options { listen: taken.local_addr().unwrap(), ..Options::default() };
    let error = Home::start_with(options, Template::default(), |_| Functions::default()).await.unwrap_err();
    assert!(matches!(error, StartError::Listen { .. }));
}

fn tempfolder(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("barometer-{name}-{}", std::process::id()));
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    folder
}

#[tokio::test]
async fn the_product_starts_with_every_function_behind_its_route() {
    let home = Home::start(Options::default()).await.unwrap();
    let client = crate::client::Client::new(&home.url());
    let status = async |method: http::Method, path: &str| {
        client.send(method, path, &[], "{\"batch\":[]}").await.unwrap().status.as_u16()
    };
    assert_eq!(status(http::Method::POST, "/v1/batch").await, 401);
    assert_eq!(status(http::Method::GET, "/v1/companies").await, 401);
    assert_eq!(status(http::Method::PUT, "/v1/companies/c1/status").await, 401);
    assert_eq!(status(http::Method::GET, "/").await, 303);
    let link = client.send(http::Method::GET, "/f/not-a-token", &[], "").await.unwrap();
    assert!(link.status.is_client_error() && link.body.starts_with(b"<!"), "{link:?}");
    for function in [
        "score-week",
        "roll-up-month",
        "request-feedback",
        "publish-changes",
        "erase-users",
        "arrange-portfolio",
    ] {
        let due = json!({"scheduled_time": "2026-09-07T00:00:00Z"});
        assert!(home.invoke(function, due).await.is_ok(), "{function}");
    }
    home.stop().await;
}
