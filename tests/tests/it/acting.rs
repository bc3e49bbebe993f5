//! What a rule does is done once, whichever call to the table or the bus fails, or is the last one of its process: a fault
//! at every single call of `react` and of `perform-actions`, then a retry.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use axum::{Router, extract::State, http::HeaderMap, routing::post};
use barometer_cloud::bus::{DetailType, Event};
use barometer_cloud::table::actions::ActionState;
use barometer_cloud::table::companies::{Patch, Profile};
use barometer_cloud::table::members::Person;
use barometer_cloud::table::statuses::StatusChange;
use barometer_cloud::table::webhooks::{Kind, Webhook};
use barometer_cloud::workspaces::{self, NewWorkspace};
use barometer_cloud::{Clock, Mailer, clients};
use barometer_domain::automation::RuleId;
use barometer_domain::status::{BusinessStatus, ChangeKind, Status};
use barometer_domain::task::Task;
use barometer_domain::token::{Key, Keys};
use barometer_domain::{CompanyId, UserId, WorkspaceId};
use barometer_tests::faulty::{Fault, Faults, KeptBus, faulty};
use barometer_tests::store::{TestTable, answer, answering, table};
use barometer_webhook::{Client, Reach, Secret};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::home::at;

const NOW: &str = "2026-09-07T10:00:00Z";

/// An SES that takes every mail.
#[derive(Debug, Clone, Default)]
struct Ses(Arc<Mutex<Vec<String>>>);

impl HttpConnector for Ses {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        self.0.lock().unwrap().push(body["EmailTags"][0]["Value"].as_str().unwrap().to_owned());
        HttpConnectorFuture::ready(answer(200, &json!({ "MessageId": "m" })))
    }
}

/// The ids of the webhooks that a receiver got.
type Heard = Arc<Mutex<Vec<String>>>;

async fn hear(State(heard): State<Heard>, headers: HeaderMap) {
    heard.lock().unwrap().push(headers["webhook-id"].to_str().unwrap().to_owned());
}

async fn receiver() -> (String, Heard) {
    let (listener, heard) = (tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap(), Heard::default());
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let app = Router::new().route("/", post(hear)).with_state(heard.clone());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (url, heard)
}

struct World {
    table: TestTable,
    workspace: WorkspaceId,
    company: CompanyId,
    event: Event,
    bus: KeptBus,
    told: Vec<Value>,
    ses: Ses,
    heard: Heard,
    faults: Faults,
}

impl World {
    /// A company whose status was just set to Struggling, with a rule that mails, opens a task, calls a webhook and tags.
    async fn new(url: &str, heard: &Heard) -> Self {
        let table = table().await;
        let new = NewWorkspace { name: "Initech".to_owned(), ..NewWorkspace::default() };
        let workspace =
            workspaces::create(&table, new, at("2026-08-01T00:00:00Z")).await.unwrap().workspace_id;
        let seen = at("2026-08-03T10:00:00Z");
        let webhook = Webhook {
            id: "wh_1".to_owned(),
            workspace_id: workspace.clone(),
            name: "CRM".to_owned(),
            kind: Kind::Standard,
            url: url.to_owned(),
            secret: Some(Secret::random().unwrap().reveal()),
            previous: None,
            disabled: None,
            created_by: "test".to_owned(),
            created_at: seen,
            last: None,
        };
        table.add_webhook(&webhook).await.unwrap();
        let current = table.settings(&workspace).await.unwrap().unwrap();
        let mut settings = current.settings.clone();
        let more = json!([{ "do": "webhook", "endpoint": "wh_1" }, { "do": "tag", "add": ["struggles"] }]);
        settings.rules[0].actions.extend(serde_json::from_value::<Vec<_>>(more).unwrap());
        table.save_settings(&workspace, &current.next(settings, "test", "", seen)).await.unwrap();
        let (company, event) = struggling(&table, &workspace, "acme", false).await;
        let (bus, ses, faults) = (KeptBus::default(), Ses::default(), Faults::default());
        Self { table, workspace, company, event, bus, told: Vec::new(), ses, heard: heard.clone(), faults }
    }

    /// One delivery of the event; a process that is ended answers nothing.
    async fn react(&self) {
        self.react_to(json!({ "detail-type": self.event.detail_type, "detail": self.event.detail })).await;
    }

    async fn react_to(&self, event: Value) {
        let deps = react::Deps {
            table: self.table.through(faulty(&self.faults, u32::MAX)),
            bus: self.bus.bus(&self.faults),
            clock: Clock::fixed(at(NOW)),
        };
        let event = serde_json::from_value(event).unwrap();
        tokio::select! {
            _ = react::handle(event, &deps) => {}
            () = self.faults.killed() => {}
        }
    }

    async fn perform(&self, now: DateTime<Utc>) {
        let client = clients::sesv2(&barometer::store::aws(answering(self.ses.clone())));
        let deps = perform_actions::Deps {
            table: self.table.through(faulty(&self.faults, u32::MAX)),
            bus: self.bus.bus(&self.faults),
            mailer: Mailer::new(client, "Initech <ask@initech.example>", None),
            webhooks: Client::new(Reach::Anywhere),
            link_keys: Keys::new(Key { id: 1, secret: vec![7; 32] }, Vec::new()),
            origin: "https://barometer.example".to_owned(),
        };
        let event = serde_json::from_value(json!({ "scheduled_time": now })).unwrap();
        tokio::select! {
            _ = perform_actions::handle(event, &deps) => {}
            () = self.faults.killed() => {}
        }
    }

    /// Publishes what a crash left in the outbox.
    async fn sweep(&mut self) {
        let (table, bus) = (&self.table, self.bus.bus(&self.faults));
        let left = table.unpublished(&self.workspace).await.unwrap();
        table.publish(&bus, &self.workspace, &left).await.unwrap();
        self.told.extend(self.bus.take());
    }

    /// Everything was done once; a mail whose process ended while it was sent may be missing, and then says so.
    async fn is_done_once(&self, what: &str) {
        let (table, workspace) = (&self.table, &self.workspace);
        let rule = RuleId::new("struggling").unwrap();
        let firings = table.firings(workspace, &rule, None, 10).await.unwrap();
        assert_eq!(firings.len(), 1, "{what}: {firings:?}");
        let actions = table.actions_since(workspace, &self.company, at(NOW)).await.unwrap();
        let states: Vec<ActionState> = actions.iter().map(|action| action.state).collect();
        let mails = self.ses.0.lock().unwrap().len();
        let mail = states[0];
        assert!(mail == ActionState::Done || mail == ActionState::Unknown, "{what}: {actions:?}");
        assert!(
            mails <= 1 && (mails == 1 || mail == ActionState::Unknown),
            "{what}: {mails} mails, {mail:?}"
        );
        assert!(states[1..].iter().all(|state| *state == ActionState::Done), "{what}: {actions:?}");
        let tasks = table.cases_of::<Task>(workspace, &self.company).await.unwrap();
        assert_eq!(tasks.len(), 1, "{what}: {tasks:?}");
        let ids: BTreeSet<String> = self.heard.lock().unwrap().drain(..).collect();
        assert_eq!(ids.len(), 1, "{what}: a receiver can tell that it is the same");
        let company = table.company(workspace, &self.company).await.unwrap().unwrap();
        assert_eq!(company.tags, BTreeSet::from(["struggles".to_owned()]), "{what}");
        for kind in ["task.created", "mail.requested", "actions.due"] {
            let told = self.told.iter().filter(|event| event["detail-type"] == kind);
            let ids: BTreeSet<String> = told.map(|event| event["detail"]["event_id"].to_string()).collect();
            assert_eq!(ids.len(), 1, "{what}: {kind} is told, and is one");
        }
    }
}

/// A company of whose user an address is known, and whose status was just set to Struggling; the event that tells of it lies
/// in the outbox or is lost.
async fn struggling(
    table: &TestTable,
    workspace: &WorkspaceId,
    id: &str,
    in_outbox: bool,
) -> (CompanyId, Event) {
    let (company, ada, now) = (CompanyId::new(id).unwrap(), UserId::new("ada").unwrap(), at(NOW));
    let seen = at("2026-08-03T10:00:00Z");
    table.note_company(workspace, &company, &Profile::default(), seen).await.unwrap();
    let owned = Patch { owner: Some(Some("cleo@initech.example".to_owned())), ..Patch::default() };
    table.patch_company(workspace, &company, &owned).await.unwrap();
    table.note_member(workspace, &company, &ada, seen, seen.date_naive()).await.unwrap();
    let person = Person { email: Some(format!("ada@{id}.example")), ..Person::default() };
    table.describe_member(workspace, &company, &ada, &person).await.unwrap();
    let status = BusinessStatus {
        value: Status::Struggling,
        note: "Lost a client.".to_owned(),
        author: "cleo".to_owned(),
        set_at: now,
        review_by: now + TimeDelta::days(30),
    };
    let change_id = format!("c-{id}");
    let change = StatusChange { id: change_id.clone(), kind: ChangeKind::Transition, from: None, status };
    let said = json!({ "from": null, "to": "struggling", "by": "cleo", "version": 1 });
    let event =
        Event::new(DetailType::StatusChanged, workspace, Some(&company), now, &change_id, &said).unwrap();
    let events = if in_outbox { vec![event.clone()] } else { Vec::new() };
    table.set_status(workspace, &company, 0, &change, &events).await.unwrap();
    (company, event)
}

/// A course with a fault at one call of one of the two functions. Returns whether that call was made.
async fn course(call: u32, fault: Fault, in_react: bool, url: &str, heard: &Heard) -> bool {
    let mut world = World::new(url, heard).await;
    let after = at(NOW) + TimeDelta::minutes(20);
    let never = 10_000;
    if in_react {
        world.faults.arm(call, fault);
    }
    world.react().await;
    let reached = in_react && !world.faults.is_armed();
    world.faults.clear();
    // The bus gives it again, also when nothing went wrong.
    world.react().await;
    world.react().await;
    if !in_react {
        world.faults.arm(call, fault);
    }
    world.perform(after).await;
    let reached = reached || (!in_react && !world.faults.is_armed());
    world.faults.clear();
    for later in [0, 15, 60] {
        world.perform(after + TimeDelta::minutes(later)).await;
    }
    world.sweep().await;
    world.react().await;
    world.perform(after + TimeDelta::minutes(never)).await;
    world
        .is_done_once(&format!("{fault:?} at call {call} of {}", if in_react { "react" } else { "perform" }))
        .await;
    reached
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_at_any_call_leaves_nothing_undone_and_does_nothing_twice() {
    let (url, heard) = receiver().await;
    for in_react in [true, false] {
        let mut met = 0;
        // A repeated call is one whose answer was lost, tried again by the SDK itself.
        for fault in [Fault::Refused, Fault::Lost, Fault::Killed] {
            let mut call = 0;
            while course(call, fault, in_react, &url, &heard).await {
                call += 1;
                met += 1;
            }
        }
        assert!(met > 40, "the courses meet what they are for: {met}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_bus_takes_only_some_entries_every_event_arrives_and_is_acted_on_once() {
    let (url, heard) = receiver().await;
    let mut world = World::new(&url, &heard).await;
    let mut companies = Vec::new();
    for number in 0..7 {
        let id = format!("c{number}");
        companies.push(struggling(&world.table, &world.workspace, &id, true).await);
    }
    world.bus.take_every_second();
    // What reached the bus goes to its consumer, twice; the sweep brings the rest, which fails by halves again.
    let (mut rounds, mut arrived) = (0, BTreeSet::new());
    loop {
        let left = world.table.unpublished(&world.workspace).await.unwrap();
        let told_before = world.told.len();
        world.sweep().await;
        let told = world.told[told_before..].to_vec();
        for event in told {
            if event["detail-type"] == "status.changed" {
                arrived.insert(event["detail"]["company_id"].as_str().unwrap().to_owned());
                world.react_to(event.clone()).await;
                world.react_to(event).await;
            }
        }
        rounds += 1;
        assert!(rounds < 30, "events are left for ever: {left:?}");
        if left.is_empty() {
            break;
        }
        if rounds == 1 {
            assert_eq!((left.len(), arrived.len()), (7, 3), "the bus failed for some");
        }
    }
    assert_eq!(arrived.len(), 7);
    for later in [20, 35, 90] {
        world.perform(at(NOW) + TimeDelta::minutes(later)).await;
    }
    world.told.extend(world.bus.take());
    let rule = RuleId::new("struggling").unwrap();
    assert_eq!(world.table.firings(&world.workspace, &rule, None, 50).await.unwrap().len(), 7);
    let mails = world.ses.0.lock().unwrap().clone();
    assert_eq!((mails.len(), mails.iter().collect::<BTreeSet<_>>().len()), (7, 7), "one to each");
    let called = heard.lock().unwrap().clone();
    assert_eq!((called.len(), called.iter().collect::<BTreeSet<_>>().len()), (7, 7), "one of each");
    for (company, _) in &companies {
        let actions = world.table.actions_since(&world.workspace, company, at(NOW)).await.unwrap();
        assert!(actions.iter().all(|action| action.state == ActionState::Done), "{actions:?}");
        assert_eq!(world.table.cases_of::<Task>(&world.workspace, company).await.unwrap().len(), 1);
        for kind in ["task.created", "mail.requested", "actions.due"] {
            let of_kind = |event: &&Value| {
                event["detail-type"] == kind && event["detail"]["company_id"] == company.as_str()
            };
            let ids: BTreeSet<String> = world
                .told
                .iter()
                .filter(of_kind)
                .map(|event| event["detail"]["event_id"].to_string())
                .collect();
            assert_eq!(ids.len(), 1, "{company} {kind} arrives, and is one");
        }
    }
}
