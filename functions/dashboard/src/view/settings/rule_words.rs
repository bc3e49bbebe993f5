//! Rules as sentences.

use std::collections::{BTreeMap, BTreeSet};

use barometer_domain::{
    automation::{Action, AutomationRule, Conditions, Trigger},
    follow_up::Priority,
};

use crate::view::words;

/// Names of webhook endpoints, by id.
pub type Endpoints = BTreeMap<String, String>;

/// When a rule acts.
pub fn when(rule: &AutomationRule) -> String {
    let moved = |what: &str, from: Vec<&str>, to: Vec<&str>| {
        let from = if from.is_empty() { String::new() } else { format!(" from {}", or(&from)) };
        let to = if to.is_empty() { " to anything else".to_owned() } else { format!(" to {}", or(&to)) };
        format!("{what} goes{from}{to}")
    };
    let trigger = match &rule.trigger {
        Trigger::Status { from, to } => moved(
            "the business status",
            labels(from, |value| value.label()),
            labels(to, |value| value.label()),
        ),
        Trigger::Engagement { from, to } => {
            moved("engagement", labels(from, |band| band.label()), labels(to, |band| band.label()))
        }
        Trigger::Happiness { from, to } => {
            moved("happiness", labels(from, |level| level.label()), labels(to, |level| level.label()))
        }
        Trigger::Alert { rules } if rules.is_empty() => "an alert opens".to_owned(),
        Trigger::Alert { rules } => format!("an alert opens: {}", or(&labels(rules, |rule| rule.label()))),
        Trigger::Answer { at_most, at_least } => match (at_most, at_least) {
            (None, None) => "a user answers".to_owned(),
            (Some(most), None) => format!("a user answers {most} of 10 or less"),
            (None, Some(least)) => format!("a user answers {least} of 10 or more"),
            (Some(most), Some(least)) => format!("a user answers {least} to {most} of 10"),
        },
        Trigger::ReviewOverdue {} => "the business status is past its review".to_owned(),
        Trigger::Renewal { days } => {
            format!("the contract renews in {}", words::count(u32::from(*days), "day"))
        }
    };
    format!("When {trigger}{}", only(&rule.conditions))
}

fn labels<T: Copy>(values: &BTreeSet<T>, label: impl Fn(T) -> &'static str) -> Vec<&'static str> {
    values.iter().map(|value| label(*value)).collect()
}

fn or(labels: &[&str]) -> String {
    labels.join(" or ")
}

/// Which companies it is for; nothing for all.
fn only(conditions: &Conditions) -> String {
    let Conditions { owners, plans, bands, quadrants, traits, tags } = conditions;
    let list = |texts: &BTreeSet<String>| texts.iter().map(String::as_str).collect::<Vec<_>>().join(" or ");
    let mut parts = Vec::new();
    for (what, texts) in [("owner", owners), ("plan", plans), ("tag", tags)] {
        if !texts.is_empty() {
            parts.push(format!("{what} {}", list(texts)));
        }
    }
    if !bands.is_empty() {
        parts.push(format!("engagement {}", or(&labels(bands, |band| band.label()))));
    }
    if !quadrants.is_empty() {
        parts.push(format!("quadrant {}", or(&labels(quadrants, |cell| cell.label()))));
    }
    for (name, values) in traits {
        parts.push(format!("{name} {}", list(values)));
    }
    if parts.is_empty() { String::new() } else { format!(", at companies with {}", parts.join(" and ")) }
}

/// What an action does.
pub fn does(action: &Action, endpoints: &Endpoints) -> String {
    let named = |id: &String| endpoints.get(id).cloned().unwrap_or_else(|| id.clone());
    match action {
        Action::Email { subject, approval: true, .. } => {
            format!("Mail “{subject}” once somebody approves it")
        }
        Action::Email { subject, undo_minutes, .. } => {
            format!(
                "Mail “{subject}”, which can be undone for {}",
                words::count((*undo_minutes).into(), "minute")
            )
        }
        Action::Task { title, priority, due_in_days, assignee } => {
            let urgent = if *priority == Priority::High { ", high priority" } else { "" };
            let whom = assignee.as_ref().map(|name| format!(", for {name}")).unwrap_or_default();
            let due = words::count((*due_in_days).into(), "business day");
            format!("Task “{title}”{urgent}, due in {due}{whom}")
        }
        Action::Webhook { endpoint } => format!("Event to the webhook {}", named(endpoint)),
        Action::Chat { endpoint, text } => format!("Note to the chat {}: “{text}”", named(endpoint)),
        Action::Tag { add, remove } => {
            let list =
                |tags: &BTreeSet<String>| tags.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            let add = (!add.is_empty()).then(|| format!("add {}", list(add)));
            let remove = (!remove.is_empty()).then(|| format!("take away {}", list(remove)));
            format!("Tags: {}", [add, remove].into_iter().flatten().collect::<Vec<_>>().join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use barometer_domain::automation;
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_read_as_sentences() {
        let struggling = automation::defaults().remove(0);
        assert_eq!(when(&struggling), "When the business status goes to Struggling");
        let does: Vec<_> = struggling.actions.iter().map(|action| does(action, &Endpoints::new())).collect();
        assert_eq!(
            does,
            [
                "Mail “How can we help?”, which can be undone for 15 minutes",
                "Task “{{company}} is struggling: call them and agree on what helps”, high priority, due in 1 business day",
            ]
        );
        let rule: AutomationRule = serde_json::from_value(json!({
            "id": "x", "name": "X", "trigger": {"on": "answer", "at_most": 6},
            "conditions": {"plans": ["pro", "team"], "bands": ["at_risk"], "traits": {"region": ["eu"]}},
            "actions": [{"do": "webhook", "endpoint": "wh_1"}, {"do": "tag", "add": ["a"], "remove": ["b"]}],
        }))
        .unwrap();
        assert_eq!(
            when(&rule),
            "When a user answers 6 of 10 or less, at companies with plan pro or team and engagement At Risk and region eu"
        );
        let names = Endpoints::from([("wh_1".to_owned(), "CRM".to_owned())]);
        assert_eq!(super::does(&rule.actions[0], &names), "Event to the webhook CRM");
        assert_eq!(super::does(&rule.actions[1], &names), "Tags: add a, take away b");
    }
}
