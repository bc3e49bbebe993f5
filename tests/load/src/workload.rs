//! The reference workload: what servers of a product send in eight days, the same in every run.
//!
//! A product with 800 users of 150 companies (both by Zipf's law) is used on working days from 7 to 19 o'clock,
//! a sixth as much at the weekend. A session is one user within some twenty minutes: `identify` and `group`, as
//! products send them after a sign-in, `Signed In`, then some forty tracks and pages of a handful of features,
//! half a minute apart. The product's server posts them all through one queue, 100 events at a time, as
//! `@segment/analytics-node` writes them. 30 % of the tracks and pages don't name their company, 2 % come late (an
//! hour to three days), and 5 % come twice: half as single messages, half as whole requests.
//!
//! The first day is the warm-up: nearly everything in it is seen for the first time. The seven days after it are
//! the steady state; a Monday lies among them, and a user who comes for the first time then is part of it.
//!
//! The second workload is what browsers send: the same sessions, one event a request, no company in the events
//! after `group`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::dice::{Dice, zipf_sums};

/// Replaced by the real time when a request is sent: the function's clock can't be set.
pub const SENT_AT: &str = "@sent-at@";

/// The key that requests carry.
pub const WRITE_KEY: &str = "wk_load_0123456789";

/// What is simulated.
#[derive(Debug, Clone)]
pub struct Plan {
    pub browser: bool,
    pub users: usize,
    pub companies: usize,
    pub days: u32,
    /// On a working day.
    pub sessions: usize,
    pub events_per_request: usize,
    pub unnamed: f64,
    pub seed: u64,
}

impl Plan {
    pub fn server() -> Self {
        Self {
            browser: false,
            users: 800,
            companies: 150,
            days: 8,
            sessions: 600,
            events_per_request: 100,
            unnamed: 0.3,
            seed: 20_260_907,
        }
    }

    pub fn browser() -> Self {
        Self {
            browser: true,
            users: 80,
            companies: 20,
            days: 2,
            sessions: 50,
            events_per_request: 1,
            unnamed: 1.0,
            seed: 20_260_908,
        }
    }
}

/// One request.
#[derive(Debug, Clone)]
pub struct Post {
    /// The simulated day, from 0.
    pub day: u32,
    pub path: &'static str,
    pub body: String,
    pub events: usize,
    /// How many of them were not sent before.
    pub first: usize,
}

/// An event as the naive design stores it.
#[derive(Debug, Clone)]
pub struct Plain {
    pub id: String,
    pub company: String,
    pub user: String,
    pub name: String,
    pub at: String,
    pub day: u32,
}

pub struct Workload {
    pub posts: Vec<Post>,
    /// Every event in the order of sending, repeated ones too.
    pub plain: Vec<Plain>,
    pub facts: Value,
}

struct User {
    id: String,
    anonymous: String,
    company: usize,
    number: usize,
}

struct Company {
    id: String,
    name: String,
    plan: &'static str,
}

#[derive(Clone)]
struct Sent {
    /// Seconds since the start, when it is handed to the client's queue.
    due: f64,
    at: f64,
    id: String,
    user: usize,
    name: String,
    kind: &'static str,
    named: bool,
    late: bool,
    repeated: bool,
    body: Value,
}

/// Pages and things one does there, as a product names them; the first ones are used most.
const FEATURES: [(&str, [&str; 3]); 14] = [
    ("dashboard", ["Dashboard Viewed", "Widget Added", "Dashboard Shared"]),
    ("reports", ["Report Opened", "Report Exported", "Report Scheduled"]),
    ("tasks", ["Task Created", "Task Completed", "Task Assigned"]),
    ("contacts", ["Contact Added", "Contact Edited", "Contacts Imported"]),
    ("messages", ["Message Sent", "Message Read", "Thread Archived"]),
    ("calendar", ["Meeting Booked", "Meeting Moved", "Calendar Synced"]),
    ("search", ["Search Performed", "Result Opened", "Search Saved"]),
    ("files", ["File Uploaded", "File Shared", "Folder Created"]),
    ("automation", ["Rule Created", "Rule Run", "Rule Paused"]),
    ("billing", ["Invoice Viewed", "Card Changed", "Plan Compared"]),
    ("team", ["Member Invited", "Role Changed", "Member Listed"]),
    ("api", ["Token Created", "Call Logged", "Webhook Tested"]),
    ("integrations", ["Integration Connected", "Sync Started", "Sync Failed"]),
    ("help", ["Article Read", "Chat Opened", "Ticket Filed"]),
];

const DAY: f64 = 86_400.0;
const FIRST_HOUR: f64 = 7.0 * 3_600.0;
const WORKING: f64 = 12.0 * 3_600.0;

/// The Thursday of the week before last: the latest start whose days have all passed, so that no event lies in
/// the function's future. The workload differs from week to week in its dates only.
pub fn start(today: NaiveDate) -> NaiveDate {
    let monday = today - Days::new(u64::from(today.weekday().num_days_from_monday()));
    monday - Days::new(14) + Days::new(3)
}

pub fn workload(plan: &Plan, start: NaiveDate) -> Workload {
    let mut dice = Dice::new(plan.seed);
    let start = start.and_time(NaiveTime::MIN).and_utc();
    let companies: Vec<Company> = (0..plan.companies)
        .map(|number| Company {
            id: format!("acct_{}", dice.word(12)),
            name: format!("{} {number} Ltd", dice.word(7)),
            plan: ["free", "team", "business"][dice.below(3)],
        })
        .collect();
    let (of_companies, of_users) = (zipf_sums(plan.companies), zipf_sums(plan.users));
    let users: Vec<User> = (0..plan.users)
        .map(|number| User {
            id: format!("usr_{}", dice.word(16)),
            anonymous: dice.uuid(),
            company: dice.zipf(&of_companies),
            number,
        })
        .collect();
    let mut events = Vec::new();
    for day in 0..plan.days {
        let weekend = (start.date_naive() + Days::new(u64::from(day))).weekday().number_from_monday() > 5;
        let sessions = if weekend { plan.sessions / 6 } else { plan.sessions };
        for _ in 0..sessions {
            // Half of the users' weight is spread evenly, so that nobody has a session every ten minutes.
            let user = if dice.chance(0.5) { dice.zipf(&of_users) } else { dice.below(plan.users) };
            let begins = f64::from(day) * DAY + FIRST_HOUR + dice.share() * (WORKING - 1_800.0);
            session(plan, &mut dice, start, &users[user], &companies, begins, &mut events);
        }
    }
    // Single messages that come twice: a queue that delivers at least once.
    let end = f64::from(plan.days) * DAY - 1.0;
    let again: Vec<Sent> = events
        .iter()
        .filter_map(|event| {
            let due = event.due + 10.0 + dice.wait(600.0);
            dice.chance(0.025).then(|| Sent { due, repeated: true, ..event.clone() })
        })
        .collect();
    events.extend(again);
    for event in &mut events {
        event.due = event.due.min(end);
    }
    events.sort_by(|a, b| a.due.total_cmp(&b.due));
    posts(plan, &mut dice, start, &users, &companies, &events)
}

fn instant(start: DateTime<Utc>, seconds: f64) -> String {
    let at = start + TimeDelta::milliseconds((seconds * 1_000.0) as i64);
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn session(
    plan: &Plan,
    dice: &mut Dice,
    start: DateTime<Utc>,
    user: &User,
    companies: &[Company],
    begins: f64,
    events: &mut Vec<Sent>,
) {
    let company = &companies[user.company];
    let handful: Vec<usize> = (0..4).map(|_| (dice.share() * dice.share() * 14.0) as usize).collect();
    let mut at = begins;
    let mut add = |dice: &mut Dice, at: f64, kind: &'static str, name: String, mut body: Value| {
        let activity = kind == "track" || kind == "page";
        let named = kind == "group" || activity && !dice.chance(plan.unnamed);
        let late = activity && dice.chance(0.02);
        // Most by hours, some by days.
        let due = if late { at + 3_600.0 + dice.wait(12.0 * 3_600.0).min(3.0 * DAY) } else { at };
        let epoch = (start + TimeDelta::milliseconds((at * 1_000.0) as i64)).timestamp_millis();
        let prefix = if plan.browser { "ajs-next" } else { "node-next" };
        let id = format!("{prefix}-{epoch}-{}", dice.uuid());
        let mut context = if plan.browser {
            let page = body.get("properties").and_then(|p| p.get("path")).cloned().unwrap_or(json!("/"));
            json!({
                "page": {"path": page, "referrer": "", "search": "", "title": "Example", "url": "https://app.example.com/"},
                "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
                "userAgentData": {"brands": [{"brand": "Chromium", "version": "142"}], "mobile": false, "platform": "Linux"},
                "locale": "en-US", "timezone": "Europe/Berlin",
                "library": {"name": "analytics.js", "version": "npm:next-1.81.1"},
            })
        } else {
            json!({"library": {"name": "@segment/analytics-node", "version": "2.3.0"}})
        };
        if named && activity {
            context["groupId"] = json!(company.id);
        }
        let fields = body.as_object_mut().unwrap();
        fields.insert("timestamp".to_owned(), json!(instant(start, at)));
        fields.insert("type".to_owned(), json!(kind));
        fields.insert("userId".to_owned(), json!(user.id));
        fields.insert("context".to_owned(), context);
        fields.insert("integrations".to_owned(), json!({}));
        fields.insert("messageId".to_owned(), json!(id));
        if plan.browser {
            fields.insert("anonymousId".to_owned(), json!(user.anonymous));
            fields.insert("writeKey".to_owned(), json!(WRITE_KEY));
            fields.insert("sentAt".to_owned(), json!(SENT_AT));
        } else {
            fields.insert("_metadata".to_owned(), json!({"nodeVersion": "20.19.0", "jsRuntime": "node"}));
        }
        events.push(Sent { due, at, id, user: user.number, name, kind, named, late, repeated: false, body });
    };
    let traits = json!({
        "email": format!("person{}@{}.example", user.number, company.name.split(' ').next().unwrap_or_default()),
        "name": format!("Person {}", user.number),
        "createdAt": "2026-02-03T09:30:00.000Z",
        "role": "member",
    });
    add(dice, at, "identify", String::new(), json!({"traits": traits}));
    let traits = json!({
        "name": company.name, "plan": company.plan, "employees": 40, "createdAt": "2025-11-20T10:00:00.000Z",
    });
    add(dice, at + 0.004, "group", String::new(), json!({"groupId": company.id, "traits": traits}));
    let signed_in = "Signed In".to_owned();
    add(
        dice,
        at + 0.007,
        "track",
        signed_in,
        json!({"event": "Signed In", "properties": {"method": "password"}}),
    );
    for _ in 0..1 + dice.wait(40.0).min(200.0) as usize {
        at += 1.0 + dice.wait(29.0);
        let (feature, actions) = FEATURES[handful[dice.below(handful.len())]];
        if dice.chance(0.25) {
            let path = format!("/{feature}/{}", dice.below(5_000));
            let properties = json!({
                "path": path, "url": format!("https://app.example.com{path}"), "title": feature,
            });
            add(dice, at, "page", feature.to_owned(), json!({"name": feature, "properties": properties}));
            continue;
        }
        if dice.chance(0.000_5) {
            let properties = json!({"score": dice.below(11), "comment": "Does what it should."});
            let name = "NPS Submitted";
            add(dice, at, "track", name.to_owned(), json!({"event": name, "properties": properties}));
            continue;
        }
        let action = actions[(dice.share() * dice.share() * 3.0) as usize];
        let mut properties = json!({
            "objectId": dice.word(12), "count": dice.below(40), "source": "app", "plan": company.plan,
        });
        if dice.chance(0.5) {
            properties["feature"] = json!(feature);
        }
        if dice.chance(0.1) {
            properties["durationSeconds"] = json!(dice.below(600));
        }
        add(dice, at, "track", action.to_owned(), json!({"event": action, "properties": properties}));
    }
}

fn posts(
    plan: &Plan,
    dice: &mut Dice,
    start: DateTime<Utc>,
    users: &[User],
    companies: &[Company],
    events: &[Sent],
) -> Workload {
    let mut posts: Vec<Post> = Vec::new();
    let mut plain: Vec<Plain> = Vec::new();
    let mut users_of_full = Vec::new();
    let mut facts = BTreeMap::<&str, usize>::new();
    let mut add = |name: &'static str, count: usize| *facts.entry(name).or_default() += count;
    let day_of = |event: &Sent| (event.due / DAY) as u32;
    // A client's queue doesn't outlive the night.
    for of_day in events.chunk_by(|a, b| day_of(a) == day_of(b)) {
        let mut again: Vec<(usize, usize, std::ops::Range<usize>)> = Vec::new();
        for (number, batch) in of_day.chunks(plan.events_per_request).enumerate() {
            let resent = dice.chance(0.025);
            let (path, body) = if plan.browser {
                let path = match batch[0].kind {
                    "identify" => "/v1/i",
                    "group" => "/v1/g",
                    "page" => "/v1/p",
                    _ => "/v1/t",
                };
                (path, batch[0].body.to_string())
            } else {
                let bodies: Vec<&Value> = batch.iter().map(|event| &event.body).collect();
                let body = json!({"batch": bodies, "writeKey": WRITE_KEY, "sentAt": SENT_AT});
                ("/v1/batch", body.to_string())
            };
            let who: BTreeSet<usize> = batch.iter().map(|event| event.user).collect();
            if batch.len() == plan.events_per_request {
                users_of_full.push(who.len());
            }
            let first = batch.iter().filter(|event| !event.repeated).count();
            add("late", batch.iter().filter(|event| event.late && !event.repeated).count());
            add("repeated_messages", batch.len() - first);
            let activity = |event: &&Sent| event.kind == "track" || event.kind == "page";
            add("activity", batch.iter().filter(activity).count());
            add("unnamed", batch.iter().filter(activity).filter(|event| !event.named).count());
            let post = Post { day: day_of(&batch[0]), path, body, events: batch.len(), first };
            let of_post = plain.len();
            plain.extend(batch.iter().map(|event| Plain {
                id: event.id.clone(),
                company: companies[users[event.user].company].id.clone(),
                user: users[event.user].id.clone(),
                name: if event.name.is_empty() { event.kind.to_owned() } else { event.name.clone() },
                at: instant(start, event.at),
                day: post.day,
            }));
            let of_post = of_post..plain.len();
            posts.push(post);
            if resent {
                again.push((number + 1 + dice.below(3), posts.len() - 1, of_post));
            }
            // A request whose answer got lost is sent again a little later.
            again.retain(|(after, which, of_post)| {
                if *after > number {
                    return true;
                }
                let repeated = posts[*which].clone();
                add("repeated_in_requests", repeated.events);
                posts.push(Post { first: 0, ..repeated });
                plain.extend_from_within(of_post.clone());
                false
            });
        }
    }
    let sent: usize = posts.iter().map(|post| post.events).sum();
    let bytes: usize = posts.iter().map(|post| post.body.len()).sum();
    let seen: BTreeSet<usize> = events.iter().map(|event| event.user).collect();
    let seen_companies: BTreeSet<usize> = seen.iter().map(|user| users[*user].company).collect();
    let share = |part: usize, whole: usize| (part as f64 / whole.max(1) as f64 * 1e4).round() / 1e4;
    let count = |name: &str| facts.get(name).copied().unwrap_or_default();
    let facts = json!({
        "days": plan.days,
        "requests": posts.len(),
        "events": sent,
        "users": seen.len(),
        "companies": seen_companies.len(),
        "users_per_full_request":
            users_of_full.iter().sum::<usize>() as f64 / users_of_full.len().max(1) as f64,
        "bytes_per_event_sent": bytes / sent.max(1),
        "repeated": share(count("repeated_messages") + count("repeated_in_requests"), sent),
        "late": share(count("late"), sent),
        "activity_without_company": share(count("unnamed"), count("activity")),
    });
    Workload { posts, plain, facts }
}
