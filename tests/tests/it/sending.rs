//! A mail is sent at most once, whatever happens to the workers, the store and SES, and exactly once where nothing
//! happened that leaves it open: random courses of firings, double firings, races, faults, deaths between any two calls,
//! and SES events that come late, twice and in any order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use barometer::connect::ses_events::{Course, Taken};
use barometer_cloud::table::asks::{Ask, AskState};
use barometer_cloud::table::companies::{Patch, Profile};
use barometer_cloud::table::members::Person;
use barometer_cloud::workspaces::{self, NewWorkspace};
use barometer_cloud::{Mailer, clients};
use barometer_domain::token::{Key, Keys};
use barometer_domain::{CompanyId, UserId, WorkspaceId};
use barometer_tests::faulty::{Fault as StoreFault, Faults, faulty};
use barometer_tests::store::{TestTable, answer, answering, table};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use request_feedback::ScheduledInput;
use serde_json::{Value, json};

use crate::home::{at, shuffle};

const USERS: [&str; 3] = ["ada", "ben", "cleo"];

/// How SES takes one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ses {
    Takes(Course),
    Refuses(u16, &'static str),
    Resets,
    TakesThenErrs,
    TakesThenResets,
}

impl Ses {
    fn any() -> impl Strategy<Value = Self> {
        prop::sample::select(vec![
            Self::Takes(Course::Arrives),
            Self::Takes(Course::Bounces),
            Self::Takes(Course::Complained),
            Self::Takes(Course::Replied),
            Self::Refuses(429, "TooManyRequestsException"),
            Self::Refuses(400, "LimitExceededException"),
            Self::Refuses(400, "SendingPausedException"),
            Self::Refuses(400, "MessageRejected"),
            Self::Refuses(500, "InternalServiceErrorException"),
            Self::Resets,
            Self::TakesThenErrs,
            Self::TakesThenResets,
        ])
    }

    fn is_ambiguous(self) -> bool {
        matches!(self, Self::Refuses(500, _) | Self::Resets | Self::TakesThenErrs | Self::TakesThenResets)
    }
}

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// The schedule fires once, twice, or for two workers at once, who each may meet a fault of the store.
    Fire { workers: Vec<Option<(u32, StoreFault)>>, at_once: bool, ses: Vec<Ses> },
    /// Some of the events that wait are heard, twice and in another order.
    Hear { share: usize, seed: u64 },
    /// Time passes.
    Wait { quarters: i64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let fault = prop::option::of((0..40_u32, prop::sample::select(StoreFault::ALL.to_vec())));
    let fire = (prop::collection::vec(fault, 1..3), any::<bool>(), prop::collection::vec(Ses::any(), 0..5))
        .prop_map(|(workers, at_once, ses)| Step::Fire { workers, at_once, ses });
    let hear = (1..4_usize, any::<u64>()).prop_map(|(share, seed)| Step::Hear { share, seed });
    let wait = (1..8_i64).prop_map(|quarters| Step::Wait { quarters });
    prop::collection::vec(prop_oneof![4 => fire, 2 => hear, 2 => wait], 4..14)
}

#[derive(Debug, Default)]
struct Sent {
    told: VecDeque<Ses>,
    mails: BTreeMap<String, u32>,
    refused: BTreeSet<String>,
    ambiguous: BTreeSet<String>,
    events: Vec<Value>,
    now: DateTime<Utc>,
}

#[derive(Debug, Clone, Default)]
struct FakeSes(Arc<Mutex<Sent>>);

impl HttpConnector for FakeSes {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut sent = self.0.lock().unwrap();
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let tag = &body["EmailTags"][0];
        assert_eq!(tag["Name"], "send_id");
        let send = tag["Value"].as_str().unwrap().to_owned();
        let ses = sent.told.pop_front().unwrap_or(Ses::Takes(Course::Arrives));
        if ses.is_ambiguous() {
            sent.ambiguous.insert(send.clone());
        }
        let reset = || ConnectorError::io(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into());
        let error = |status, kind: &str| answer(status, &json!({ "__type": kind, "message": "no" }));
        let course = match ses {
            Ses::Takes(course) => course,
            Ses::TakesThenErrs | Ses::TakesThenResets => Course::Arrives,
            Ses::Refuses(status, kind) => {
                if kind == "MessageRejected" {
                    sent.refused.insert(send);
                }
                return HttpConnectorFuture::ready(error(status, kind));
            }
            Ses::Resets => return HttpConnectorFuture::ready(Err(reset())),
        };
        *sent.mails.entry(send.clone()).or_default() += 1;
        let message_id = format!("m-{send}");
        let to = [body["Destination"]["ToAddresses"][0].as_str().unwrap().to_owned()];
        let tags = [("send_id".to_owned(), send)];
        let (from, configuration_set, at) = ("a@example.com", "set", sent.now);
        let taken =
            Taken { message_id: &message_id, from, to: &to, raw: b"", tags: &tags, configuration_set, at };
        sent.events.extend(taken.events(course));
        HttpConnectorFuture::ready(match ses {
            Ses::TakesThenErrs => error(500, "InternalServiceErrorException"),
            Ses::TakesThenResets => Err(reset()),
            _ => answer(200, &json!({ "MessageId": message_id })),
        })
    }
}

struct World {
    table: TestTable,
    workspace: WorkspaceId,
    company: CompanyId,
    ses: FakeSes,
    now: DateTime<Utc>,
}

impl World {
    async fn new() -> Self {
        let (table, seen) = (table().await, at("2026-08-03T10:00:00Z"));
        let new = NewWorkspace { name: "Initech".to_owned(), ..NewWorkspace::default() };
        let workspace =
            workspaces::create(&table, new, at("2026-08-01T00:00:00Z")).await.unwrap().workspace_id;
        let company = CompanyId::new("acme").unwrap();
        table.note_company(&workspace, &company, &Profile::default(), seen).await.unwrap();
        let on = Patch { request_feedback: Some(true), ..Patch::default() };
        table.patch_company(&workspace, &company, &on).await.unwrap();
        for name in USERS {
            let user = UserId::new(name).unwrap();
            table.note_member(&workspace, &company, &user, seen, seen.date_naive()).await.unwrap();
            let person = Person { email: Some(format!("{name}@acme.example")), ..Person::default() };
            table.describe_member(&workspace, &company, &user, &person).await.unwrap();
        }
        // Monday afternoon: everybody's minute of the day is over, so everybody is due.
        Self { table, workspace, company, ses: FakeSes::default(), now: at("2026-09-07T15:30:00Z") }
    }

    /// One firing of the schedule for now.
    async fn worker(&self, fault: Option<(u32, StoreFault)>) {
        let faults = Faults::default();
        if let Some((calls, fault)) = fault {
            faults.arm(calls, fault);
        }
        let client = clients::sesv2(&barometer::store::aws(answering(self.ses.clone())));
        let deps = request_feedback::Deps {
            table: self.table.through(faulty(&faults, u32::MAX)),
            mailer: Mailer::new(client, "Initech <ask@initech.example>", None),
            link_keys: Keys::new(Key { id: 1, secret: vec![7; 32] }, Vec::new()),
            origin: "https://ask.example.com".to_owned(),
        };
        tokio::select! {
            ended = request_feedback::handle(ScheduledInput { scheduled_time: self.now }, &deps) => {
                assert!(ended.is_ok() || fault.is_some(), "{ended:?}");
            }
            () = faults.killed() => {}
        }
    }

    async fn asks(&self) -> Vec<Ask> {
        self.table.asks(&self.workspace, &self.company).await.unwrap()
    }

    /// Of a claim that a worker left behind it can't be known whether SES was called.
    async fn note_left_behind(&self) {
        let left = self.asks().await.into_iter().filter(|ask| ask.state == AskState::Submitting);
        let left: Vec<String> = left.map(|ask| ask.send_id.to_string()).collect();
        self.ses.0.lock().unwrap().ambiguous.extend(left);
    }

    async fn fire(&self, workers: &[Option<(u32, StoreFault)>], at_once: bool, ses: &[Ses]) {
        {
            let mut sent = self.ses.0.lock().unwrap();
            sent.told = ses.iter().copied().collect();
            sent.now = self.now;
        }
        if at_once {
            futures_util::future::join_all(workers.iter().map(|fault| self.worker(*fault))).await;
        } else {
            for fault in workers {
                self.worker(*fault).await;
            }
        }
        if workers.iter().any(Option::is_some) {
            self.note_left_behind().await;
        }
    }

    async fn hear(&self, share: usize, seed: u64) {
        let mut events = {
            let mut sent = self.ses.0.lock().unwrap();
            shuffle(&mut sent.events, seed);
            let left = sent.events.len() - sent.events.len() / share;
            // All of them when everything is asked for; the rest is late.
            sent.events.split_off(if share == 1 { 0 } else { left })
        };
        events.extend(events.clone());
        shuffle(&mut events, seed ^ 1);
        for batch in events.chunks(10) {
            let records: Vec<Value> = batch
                .iter()
                .map(|event| json!({ "messageId": event["id"], "body": event.to_string() }))
                .collect();
            let batch = serde_json::from_value(json!({ "Records": records })).unwrap();
            let deps = track_mail::Deps { table: self.table.through(faulty(&Faults::default(), u32::MAX)) };
            assert_eq!(track_mail::handle(batch, &deps).await.unwrap().batch_item_failures, []);
        }
    }

    async fn take(&mut self, step: &Step) {
        match step {
            Step::Fire { workers, at_once, ses } => self.fire(workers, *at_once, ses).await,
            Step::Hear { share, seed } => self.hear(*share, *seed).await,
            Step::Wait { quarters } => self.now += TimeDelta::minutes(15 * quarters),
        }
        self.at_most_once();
    }

    fn at_most_once(&self) {
        let sent = self.ses.0.lock().unwrap();
        assert!(sent.mails.values().all(|mails| *mails == 1), "{:?}", sent.mails);
    }

    /// Nothing goes wrong any more: the schedule fires whenever somebody is due, until all were asked.
    async fn rest(&mut self) {
        for _ in 0..60 {
            let members = self.table.members(&self.workspace, &self.company).await.unwrap();
            let due = members.iter().filter(|member| member.asks == 0).filter_map(|member| member.due_at);
            let Some(due) = due.min() else { break };
            self.now = due.max(self.now + TimeDelta::minutes(15));
            self.fire(&[None], false, &[]).await;
            self.at_most_once();
        }
        self.hear(1, 7).await;
    }

    /// What stands in the store is what happened.
    async fn agrees(&self) {
        let asks = self.asks().await;
        let sent = self.ses.0.lock().unwrap();
        for name in USERS {
            assert!(asks.iter().any(|ask| ask.user_id.as_str() == name), "{name} was never asked");
        }
        for ask in &asks {
            let send = ask.send_id.to_string();
            let mails = sent.mails.get(&send).copied().unwrap_or(0);
            if mails == 1 {
                assert!(ask.state.is_accepted(), "{ask:?} was sent, and SES said so");
            } else if sent.ambiguous.contains(&send) {
                let left = matches!(ask.state, AskState::Unknown | AskState::Failed);
                assert!(left, "{ask:?} wasn't sent");
            } else {
                let refused = ask.state == AskState::Failed && sent.refused.contains(&send);
                assert!(refused || ask.state == AskState::Skipped, "{ask:?} should have been sent");
            }
        }
        let known: BTreeSet<String> = asks.iter().map(|ask| ask.send_id.to_string()).collect();
        assert!(sent.mails.keys().all(|send| known.contains(send)));
    }
}

#[test]
fn a_mail_is_sent_at_most_once_and_exactly_once_where_nothing_leaves_it_open() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[8; 32]);
    let config = Config { cases: 128, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let totals = Mutex::new((0, 0));
    TestRunner::new_with_rng(config, rng)
        .run(&steps(), |steps| {
            runtime.block_on(async {
                let mut world = World::new().await;
                for step in &steps {
                    world.take(step).await;
                }
                world.rest().await;
                world.agrees().await;
                let sent = world.ses.0.lock().unwrap();
                let mut totals = totals.lock().unwrap();
                totals.0 += sent.mails.len();
                totals.1 += sent.ambiguous.len();
            });
            Ok(())
        })
        .unwrap();
    let (mails, ambiguous) = totals.into_inner().unwrap();
    assert!(mails > 250 && ambiguous > 50, "the courses meet what they are for: {mails}, {ambiguous}");
}
