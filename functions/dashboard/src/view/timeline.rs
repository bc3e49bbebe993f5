//! What happened with a company, day by day, from the API's timeline.

use askama::Template;
use barometer_domain::{
    IsoWeek, Percent, UserId, answer::Rating, band::Standing, happiness::Level, status::Status,
};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Scene, chrome::Chrome, words};
use crate::api::segment;

/// The kinds that one can choose, as the API names them.
const KINDS: [(&str, &str); 10] = [
    ("activity", "Activity"),
    ("answer", "Answers"),
    ("mail", "Mails"),
    ("status", "Business status"),
    ("engagement", "Engagement"),
    ("happiness", "Happiness"),
    ("change", "Changes by hand"),
    ("alert", "Alerts"),
    ("task", "Tasks"),
    ("disagreement", "Disagreements"),
];
/// Names of used features that a day tells.
const FEATURES: usize = 4;

/// A page of the API's timeline.
#[derive(Debug, Deserialize)]
pub struct Timeline {
    items: Vec<Entry>,
    next_cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    at: DateTime<Utc>,
    #[serde(flatten)]
    what: What,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "detail")]
enum What {
    Activity {
        users: u32,
        sessions: u32,
        minutes: u32,
        features: Vec<Used>,
    },
    Answer(Answer),
    Mail {
        user_id: UserId,
        subject: Option<String>,
        state: String,
        reason: Option<String>,
        answered_at: Option<DateTime<Utc>>,
    },
    Status(StatusSet),
    Engagement {
        week: IsoWeek,
        from: Option<Standing>,
        to: Standing,
        score: Option<Percent>,
    },
    Happiness {
        from: Level,
        to: Level,
        score: Option<Percent>,
    },
    Change {
        by: String,
        from: Map<String, Value>,
        to: Map<String, Value>,
    },
    Alert {
        happened: String,
        case: AlertCase,
    },
    Task {
        happened: String,
        case: TaskCase,
    },
    Disagreement {
        happened: String,
        case: DisagreementCase,
    },
}

#[derive(Debug, Deserialize)]
struct Used {
    name: String,
    users: u32,
}

#[derive(Debug, Deserialize)]
struct Answer {
    user_id: UserId,
    #[serde(flatten)]
    rating: Rating,
    comment: Option<String>,
    void: Option<Void>,
}

#[derive(Debug, Deserialize)]
struct Void {
    reason: String,
}

#[derive(Debug, Deserialize)]
struct StatusSet {
    from: Option<Status>,
    value: Status,
    note: String,
    author: String,
}

#[derive(Debug, Deserialize)]
struct AlertCase {
    label: String,
    sentence: String,
    changed_by: Option<String>,
    note: String,
}

#[derive(Debug, Deserialize)]
struct TaskCase {
    title: String,
    state: String,
    closed_by: Option<String>,
}

#[derive(Debug, Deserialize)]
struct DisagreementCase {
    status: Status,
    engagement: Standing,
    state: String,
    reason: Option<String>,
}

/// What happened at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The local time; nothing for what has only a day.
    pub time: Option<String>,
    /// What kind of thing.
    pub label: &'static str,
    /// What happened.
    pub text: String,
    /// What somebody wrote.
    pub note: Option<String>,
}

/// A day and what happened on it, the latest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// The day.
    pub day: String,
    /// What happened.
    pub rows: Vec<Row>,
}

/// The page of a company's timeline.
#[derive(Debug, Template)]
#[template(path = "timeline.html")]
pub struct TimelinePage {
    chrome: Chrome,
    name: String,
    path: String,
    kind: String,
    days: Vec<Day>,
    older: Option<String>,
}

impl TimelinePage {
    /// Builds the page; `kind` is the kind that is shown, empty for all, and `user` tells users' names.
    pub fn build(
        chrome: Chrome,
        (id, name): (&str, &str),
        kind: &str,
        timeline: &Timeline,
        user: impl Fn(&UserId) -> String,
        scene: Scene<'_>,
    ) -> Self {
        let path = format!("/companies/{}", segment(id));
        let kind = KINDS.iter().find(|(wire, _)| *wire == kind).map_or("", |(wire, _)| wire).to_owned();
        let older = timeline.next_cursor.as_ref().map(|cursor| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            if !kind.is_empty() {
                query.append_pair("kind", &kind);
            }
            format!("{path}/timeline?{}", query.append_pair("cursor", cursor).finish())
        });
        Self { chrome, name: name.to_owned(), path, days: days(timeline, user, scene), kind, older }
    }
}

fn days(timeline: &Timeline, user: impl Fn(&UserId) -> String, scene: Scene<'_>) -> Vec<Day> {
    let mut days: Vec<(NaiveDate, Day)> = Vec::new();
    for entry in &timeline.items {
        let date = scene.zone().date(entry.at);
        let row = row(entry, &user, scene);
        match days.last_mut() {
            Some((last, day)) if *last == date => day.rows.push(row),
            _ => days.push((date, Day { day: scene.day(entry.at), rows: vec![row] })),
        }
    }
    days.into_iter().map(|(_, day)| day).collect()
}

fn row(entry: &Entry, user: impl Fn(&UserId) -> String, scene: Scene<'_>) -> Row {
    let time = Some(scene.zone().local(entry.at).format("%H:%M").to_string());
    let row = |label, text: String, note: Option<String>| Row { time: time.clone(), label, text, note };
    let of_day = |label, text: String| Row { time: None, label, text, note: None };
    match &entry.what {
        What::Activity { users, sessions, minutes, features } => {
            let used: Vec<String> = features
                .iter()
                .take(FEATURES)
                .map(|used| format!("{} ({})", used.name, used.users))
                .collect();
            let used = if used.is_empty() { String::new() } else { format!(": {}", used.join(", ")) };
            let (users, sessions) = (words::count(*users, "user"), words::count(*sessions, "session"));
            of_day("Activity", format!("{users}, {sessions}, {}{used}", words::count(*minutes, "minute")))
        }
        What::Answer(answer) => {
            let void =
                answer.void.as_ref().map(|void| format!(", void: {}", void.reason)).unwrap_or_default();
            row(
                "Answer",
                format!("{} gave {}{void}", user(&answer.user_id), answer.rating),
                answer.comment.clone(),
            )
        }
        What::Mail { user_id, subject, state, reason, answered_at } => {
            let what =
                subject.as_ref().map_or("asks for feedback".to_owned(), |subject| format!("“{subject}”"));
            let state = if answered_at.is_some() { "answered".to_owned() } else { plain(state) };
            let reason = reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            row("Mail", format!("to {}: {what}, {state}{reason}", user(user_id)), None)
        }
        What::Status(set) => {
            let text = match set.from {
                Some(from) if from == set.value => format!("{} confirmed by {}", from.label(), set.author),
                Some(from) => format!("{} → {} by {}", from.label(), set.value.label(), set.author),
                None => format!("{} by {}, the first", set.value.label(), set.author),
            };
            row("Business status", text, Some(set.note.clone()))
        }
        What::Engagement { week, from, to, score } => {
            let from = from.map_or("first score".to_owned(), |from| from.label().to_owned());
            let score = score.map(|score| format!(" ({})", score.shown())).unwrap_or_default();
            of_day("Engagement", format!("{from} → {}{score} in {week}", to.label()))
        }
        What::Happiness { from, to, score } => {
            let score = score.map(|score| format!(" ({})", score.shown())).unwrap_or_default();
            of_day("Happiness", format!("{} → {}{score}", from.label(), to.label()))
        }
        What::Change { by, from, to } => {
            let value = |of: Option<&Value>| match of {
                None | Some(Value::Null) => "nothing".to_owned(),
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            };
            let fields: Vec<String> = to
                .iter()
                .map(|(name, new)| {
                    format!("{} {} → {}", plain(name), value(from.get(name)), value(Some(new)))
                })
                .collect();
            row("Change", format!("{} by {by}", fields.join(", ")), None)
        }
        What::Alert { happened, case } => {
            let by = case.changed_by.as_ref().filter(|_| happened != "opened");
            let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
            let note = Some(case.note.clone()).filter(|note| happened == "closed" && !note.is_empty());
            row("Alert", format!("{}{by}: {}. {}", plain(happened), case.label, case.sentence), note)
        }
        What::Task { happened, case } => {
            let ended = happened != "opened";
            let how = if ended { plain(&case.state) } else { plain(happened) };
            let by =
                case.closed_by.as_ref().filter(|_| ended).map(|by| format!(" by {by}")).unwrap_or_default();
            row("Task", format!("{how}{by}: {}", case.title), None)
        }
        What::Disagreement { happened, case } => {
            let readings = format!("status {}, engagement {}", case.status.label(), case.engagement.label());
            let how = if happened == "opened" { plain(happened) } else { plain(&case.state) };
            row(
                "Disagreement",
                format!("{how}: {readings}"),
                case.reason.clone().filter(|_| happened != "opened"),
            )
        }
    }
}

/// A name on the wire as people read it.
fn plain(wire: &str) -> String {
    wire.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::samples;
    use super::*;

    fn texts(items: Value) -> Vec<(String, Vec<String>)> {
        let timeline: Timeline =
            serde_json::from_value(json!({ "items": items, "next_cursor": null })).unwrap();
        let settings = samples::settings();
        let days = days(&timeline, |user| user.to_string().to_uppercase(), samples::scene(&settings));
        let text = |row: &Row| format!("{} {}: {}", row.time.as_deref().unwrap_or("-"), row.label, row.text);
        days.iter().map(|day| (day.day.clone(), day.rows.iter().map(text).collect())).collect()
    }

    #[test]
    fn every_kind_reads_as_a_sentence_on_its_day() {
        let status = json!({ "id": "1", "kind": "transition", "from": "healthy", "value": "struggling", "note": "Budget.",
            "author": "anna", "set_at": "2026-09-08T09:00:00Z", "review_by": "2026-10-08T09:00:00Z" });
        let found = texts(json!([
            { "id": "1", "at": "2026-09-08T09:00:00Z", "kind": "status", "detail": status },
            { "id": "2", "at": "2026-09-08T08:00:00Z", "kind": "mail", "detail": { "user_id": "ada", "rule": null,
                "subject": null, "state": "delivered", "reason": null, "answered_at": null } },
            { "id": "3", "at": "2026-09-07T08:00:00Z", "kind": "activity", "detail": { "day": "2026-09-07", "users": 1,
                "sessions": 2, "minutes": 10, "features": [{ "name": "Report", "users": 1 }] } },
            { "id": "4", "at": "2026-09-07T00:00:00Z", "kind": "engagement", "detail": { "week": "2026-W36",
                "from": "thriving", "to": "steady", "score": 50 } },
            { "id": "5", "at": "2026-09-06T07:00:00Z", "kind": "change", "detail": { "by": "anna",
                "from": { "plan": null }, "to": { "plan": "gold" } } },
        ]));
        let expected = [
            (
                "8 Sep",
                vec![
                    "09:00 Business status: Healthy → Struggling by anna",
                    "08:00 Mail: to ADA: asks for feedback, delivered",
                ],
            ),
            (
                "7 Sep",
                vec![
                    "- Activity: 1 user, 2 sessions, 10 minutes: Report (1)",
                    "- Engagement: Thriving → Steady (50) in 2026-W36",
                ],
            ),
            ("6 Sep", vec!["07:00 Change: plan nothing → gold by anna"]),
        ];
        let expected = expected
            .map(|(day, rows)| (day.to_owned(), rows.into_iter().map(str::to_owned).collect::<Vec<_>>()));
        assert_eq!(found, expected);
    }
}
