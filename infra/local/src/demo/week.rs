//! What a company's people did in a week, as a client of the product would send it.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::cast::{Company, GAP_WEEK, Person, Story, Use};
use super::random::Random;

/// The features of the made-up product, most used first: key, label, plans that include it (none: all).
pub const FEATURES: [(&str, &str, &[&str]); 8] = [
    ("dashboards", "Dashboards", &[]),
    ("export", "Export", &[]),
    ("comments", "Comments", &[]),
    ("alerts", "Alerts", &["team", "enterprise"]),
    ("integrations", "Integrations", &["team", "enterprise"]),
    ("automations", "Automations", &["team", "enterprise"]),
    ("audit-log", "Audit log", &["enterprise"]),
    ("sso", "Single sign-on", &["enterprise"]),
];

/// Most events of one request, as the official clients send them.
const BATCH: usize = 100;

/// Habits: share of people who come in a week, days they come, minutes a day, features they know.
struct Habit {
    people: u64,
    days: (u64, u64),
    minutes: (u64, u64),
    features: u64,
}

fn habit(company: &Company, week: u32) -> Habit {
    let usage = match (company.story, week) {
        (Story::GoingQuiet, 8) => Use::Normal,
        (Story::GoingQuiet, 9) => Use::Light,
        (Story::GoingQuiet, 10..) => Use::Rare,
        _ => company.usage,
    };
    match usage {
        Use::Heavy => Habit { people: 94, days: (3, 5), minutes: (12, 35), features: 8 },
        Use::Normal => Habit { people: 74, days: (1, 4), minutes: (8, 25), features: 5 },
        Use::Light => Habit { people: 42, days: (1, 2), minutes: (5, 15), features: 3 },
        Use::Rare => Habit { people: 12, days: (1, 1), minutes: (2, 6), features: 2 },
    }
}

/// The requests of a company and week: bodies of `POST /v1/batch`. `monday` is the week's first instant.
#[must_use]
pub fn batches(company: &Company, week: u32, monday: DateTime<Utc>, seed: u64) -> Vec<String> {
    let mut random = Random::of(seed ^ 0x5EED, company.number * 1_000 + u64::from(week));
    if week < company.begins {
        return Vec::new();
    }
    let mut events = Vec::new();
    if week == company.begins {
        introduce(company, monday, &mut events);
    }
    let lost = week == GAP_WEEK && company.in_gap;
    let habit = habit(company, week);
    for person in &company.people {
        if random.chance(habit.people) && !lost {
            visit(company, person, &habit, monday, &mut random, &mut events);
        }
    }
    for (index, event) in events.iter_mut().enumerate() {
        if let Value::Object(event) = event {
            event.insert("messageId".to_owned(), json!(format!("demo-{}-{week}-{index}", company.id)));
        }
    }
    events.chunks(BATCH).map(|batch| json!({ "batch": batch }).to_string()).collect()
}

/// The company and its people, as a product tells of them when they sign up.
fn introduce(company: &Company, monday: DateTime<Utc>, events: &mut Vec<Value>) {
    let began = if company.begins == 0 { monday - TimeDelta::days(400) } else { monday };
    for person in &company.people {
        events.push(json!({
            "type": "identify", "userId": person.id, "timestamp": monday,
            "traits": { "email": person.email, "name": person.name },
        }));
        events.push(json!({
            "type": "group", "userId": person.id, "groupId": company.id, "timestamp": monday,
            "traits": { "name": company.name, "plan": company.plan, "createdAt": began },
        }));
    }
}

fn visit(
    company: &Company,
    person: &Person,
    habit: &Habit,
    monday: DateTime<Utc>,
    random: &mut Random,
    events: &mut Vec<Value>,
) {
    let days = random.between(habit.days.0, habit.days.1);
    let first = random.below(6 - days.min(5));
    for day in first..first + days {
        let minutes = random.between(habit.minutes.0, habit.minutes.1);
        let start = monday
            + TimeDelta::days(i64::try_from(day).unwrap_or(0))
            + TimeDelta::minutes(i64::try_from(random.between(8 * 60, 16 * 60)).unwrap_or(0));
        let end = start + TimeDelta::minutes(i64::try_from(minutes).unwrap_or(0));
        let of_company = json!({ "groupId": company.id });
        events.push(json!({
            "type": "track", "event": "Signed In", "userId": person.id, "timestamp": start,
            "context": of_company,
        }));
        let known = usize::try_from(random.below(habit.features)).unwrap_or(0);
        let (feature, _, plans) = FEATURES.get(known).copied().unwrap_or_default();
        let feature = if plans.is_empty() || plans.contains(&company.plan) { feature } else { "dashboards" };
        events.push(json!({
            "type": "track", "event": "Feature Used", "userId": person.id, "timestamp": end,
            "properties": { "feature": feature, "durationSeconds": minutes * 60 }, "context": of_company,
        }));
    }
}
