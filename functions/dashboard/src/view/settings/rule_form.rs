//! A rule as a form: each input is named by its JSON pointer in the rule, so that what the form shows is what it sends, and
//! a refusal names its input. What isn't here (other traits, say) stays as it is, and is changed as JSON.

use barometer_cloud::table::webhooks::{Kind, Webhook};
use barometer_domain::{band::Band, happiness::Level, quadrant::Cell, status::Status};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    api::{WrongField, sentence},
    settings::Typed,
};

/// What sets a rule off: value and label.
pub const TRIGGERS: [(&str, &str); 7] = [
    ("status", "The business status changes"),
    ("engagement", "Engagement moves and stays"),
    ("happiness", "Happiness moves and stays"),
    ("alert", "An alert opens"),
    ("answer", "A user answers"),
    ("review_overdue", "A review is overdue"),
    ("renewal", "A renewal comes near"),
];

/// What a rule does: value and label.
pub const ACTIONS: [(&str, &str); 5] = [
    ("task", "A task"),
    ("email", "A mail to the company"),
    ("webhook", "An event to a webhook"),
    ("chat", "A note to a chat"),
    ("tag", "Tags"),
];

/// What an input takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// A line.
    Line,
    /// A line, null when it is empty.
    OptionalLine,
    /// Text of several lines.
    Text,
    /// A whole number.
    Whole,
    /// A whole number, null when it is empty.
    OptionalWhole,
    /// A list, with commas between.
    List,
    /// Any of these.
    Picks,
    /// One of these.
    Choice,
    /// Yes or no.
    Check,
}

/// Something to choose: value, label, chosen.
pub type Option3 = (String, String, bool);

/// An input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its pointer in the rule, and its name in the form.
    pub path: String,
    /// What stands above it.
    pub label: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// What stands in it; `yes` for a check that is set.
    pub value: String,
    /// What there is to choose.
    pub options: Vec<Option3>,
}

/// Inputs that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What stands above them.
    pub title: String,
    /// The number of the action that they are; nothing for the others.
    pub action: Option<usize>,
    /// The inputs.
    pub inputs: Vec<Input>,
}

/// The inputs of a rule. `webhooks` are the endpoints to choose from.
pub fn parts(rule: &Value, webhooks: &[Webhook]) -> Vec<Part> {
    let form = Form { rule, webhooks };
    let mut parts = vec![
        Part {
            title: "The rule".to_owned(),
            action: None,
            inputs: vec![
                form.input("/name", "Name", Takes::Line),
                form.input("/cooldown_days", "Days of silence at a company after it acted", Takes::Whole),
                form.input("/enabled", "It acts (switched on)", Takes::Check),
            ],
        },
        Part {
            title: format!("When: {}", form.kind("/trigger/on", &TRIGGERS)),
            action: None,
            inputs: form.trigger(),
        },
        Part {
            title: "Only at companies with".to_owned(),
            action: None,
            inputs: vec![
                form.input("/conditions/owners", "Owners, with commas", Takes::List),
                form.input("/conditions/plans", "Plans, with commas", Takes::List),
                form.input("/conditions/tags", "Tags, with commas", Takes::List),
                form.picks("/conditions/bands", "Engagement", bands()),
                form.picks("/conditions/quadrants", "Quadrant", options(&Cell::ALL, Cell::label)),
            ],
        },
    ];
    let actions = rule.get("actions").and_then(Value::as_array).map_or(0, Vec::len);
    parts.extend((0..actions).map(|number| form.action(number)));
    parts
}

fn options<T: Serialize + Copy>(all: &[T], label: impl Fn(T) -> &'static str) -> Vec<(String, String)> {
    let wire =
        |value: T| serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned));
    all.iter().filter_map(|value| Some((wire(*value)?, label(*value).to_owned()))).collect()
}

fn bands() -> Vec<(String, String)> {
    options(&[Band::Thriving, Band::Healthy, Band::Steady, Band::AtRisk], Band::label)
}

fn statuses() -> Vec<(String, String)> {
    options(&[Status::Thriving, Status::Healthy, Status::Steady, Status::Struggling], Status::label)
}

fn levels() -> Vec<(String, String)> {
    let all = [Level::VeryHappy, Level::Happy, Level::Neutral, Level::NotHappy, Level::NoData];
    options(&all, Level::label)
}

fn alerts() -> Vec<(String, String)> {
    use barometer_domain::alert::Rule;
    let all = [
        Rule::EngagementSuddenDrop,
        Rule::EngagementSustainedDrop,
        Rule::HappinessSuddenDrop,
        Rule::NoLoginFirst7Days,
        Rule::Silent,
    ];
    options(&all, Rule::label)
}

struct Form<'a> {
    rule: &'a Value,
    webhooks: &'a [Webhook],
}

impl Form<'_> {
    fn text(&self, path: &str) -> String {
        match self.rule.pointer(path) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Bool(on)) => if *on { "yes" } else { "" }.to_owned(),
            Some(Value::Array(items)) => {
                items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
            }
            Some(other) => other.to_string(),
        }
    }

    fn kind(&self, path: &str, all: &[(&str, &'static str)]) -> &'static str {
        let kind = self.text(path);
        all.iter().find(|(value, _)| *value == kind).map_or("Something else", |(_, label)| label)
    }

    fn input(&self, path: impl Into<String>, label: &'static str, takes: Takes) -> Input {
        let path = path.into();
        Input { value: self.text(&path), path, label, takes, options: Vec::new() }
    }

    fn picks(&self, path: &str, label: &'static str, all: Vec<(String, String)>) -> Input {
        let chosen = self.rule.pointer(path).and_then(Value::as_array);
        let is = |value: &String| {
            chosen.is_some_and(|chosen| chosen.iter().any(|item| item.as_str() == Some(value.as_str())))
        };
        let options = all.into_iter().map(|(value, label)| (value.clone(), label, is(&value))).collect();
        Input { options, ..self.input(path, label, Takes::Picks) }
    }

    fn choice(&self, path: String, label: &'static str, all: Vec<(String, String)>) -> Input {
        let input = self.input(path, label, Takes::Choice);
        let options =
            all.into_iter().map(|(value, label)| (value.clone(), label, value == input.value)).collect();
        Input { options, ..input }
    }

    fn trigger(&self) -> Vec<Input> {
        let moves = |all: Vec<(String, String)>| {
            vec![
                self.picks("/trigger/from", "From (none ticked: any)", all.clone()),
                self.picks("/trigger/to", "To (none ticked: any)", all),
            ]
        };
        match self.text("/trigger/on").as_str() {
            "status" => moves(statuses()),
            "engagement" => moves(bands()),
            "happiness" => moves(levels()),
            "alert" => vec![self.picks("/trigger/rules", "Which (none ticked: any)", alerts())],
            "answer" => vec![
                self.input("/trigger/at_least", "With at least so many of 10", Takes::OptionalWhole),
                self.input("/trigger/at_most", "With at most so many of 10", Takes::OptionalWhole),
            ],
            "renewal" => vec![self.input("/trigger/days", "Days ahead", Takes::Whole)],
            _ => Vec::new(),
        }
    }

    fn action(&self, number: usize) -> Part {
        let path = |name: &str| format!("/actions/{number}/{name}");
        let endpoint = |kind: Kind| {
            let of_kind = self.webhooks.iter().filter(|webhook| webhook.kind == kind);
            let mut all: Vec<_> = of_kind.map(|webhook| (webhook.id.clone(), webhook.name.clone())).collect();
            let chosen = self.text(&path("endpoint"));
            if !all.iter().any(|(id, _)| *id == chosen) {
                all.insert(
                    0,
                    (chosen.clone(), if chosen.is_empty() { "choose one".to_owned() } else { chosen }),
                );
            }
            self.choice(path("endpoint"), "Endpoint", all)
        };
        let inputs = match self.text(&path("do")).as_str() {
            "email" => vec![
                self.input(path("subject"), "Subject", Takes::Line),
                self.input(path("text"), "Text", Takes::Text),
                self.input(path("undo_minutes"), "Minutes in which it can be undone", Takes::Whole),
                self.input(path("approval"), "Somebody approves it first", Takes::Check),
            ],
            "task" => vec![
                self.input(path("title"), "What is to be done", Takes::Line),
                self.choice(
                    path("priority"),
                    "Priority",
                    [("normal", "normal"), ("high", "high")]
                        .map(|(a, b)| (a.to_owned(), b.to_owned()))
                        .into(),
                ),
                self.input(path("due_in_days"), "Due in business days", Takes::Whole),
                self.input(path("assignee"), "For; empty: the company’s owner", Takes::OptionalLine),
            ],
            "webhook" => vec![endpoint(Kind::Standard)],
            "chat" => vec![endpoint(Kind::Chat), self.input(path("text"), "Note", Takes::Text)],
            "tag" => vec![
                self.input(path("add"), "Add tags, with commas", Takes::List),
                self.input(path("remove"), "Take away tags, with commas", Takes::List),
            ],
            _ => Vec::new(),
        };
        let title = format!("Then: {}", self.kind(&path("do"), &ACTIONS).to_lowercase());
        Part { title, action: Some(number), inputs }
    }
}

/// The rule with what was typed. Errors: what is no number, as a sentence.
pub fn typed_rule(rule: &Value, webhooks: &[Webhook], typed: &Typed) -> (Value, Vec<String>) {
    let (mut draft, mut wrong) = (rule.clone(), Vec::new());
    if typed.has("/id") {
        put(&mut draft, "/id", typed.text("/id").trim().into());
    }
    for part in parts(rule, webhooks) {
        for input in part.inputs {
            match read(&input, typed) {
                Ok(value) => put(&mut draft, &input.path, value),
                Err(text) => {
                    wrong.push(format!("{}, {}: “{text}” is not a whole number.", part.title, input.label));
                    put(&mut draft, &input.path, text.into());
                }
            }
        }
    }
    (draft, wrong)
}

fn read(input: &Input, typed: &Typed) -> Result<Value, String> {
    let text = typed.text(&input.path).trim();
    let number = |text: &str| text.parse::<u32>().map(Value::from).map_err(|_| text.to_owned());
    match input.takes {
        Takes::Line | Takes::Choice => Ok(text.into()),
        Takes::OptionalLine | Takes::OptionalWhole if text.is_empty() => Ok(Value::Null),
        Takes::OptionalLine => Ok(text.into()),
        Takes::Text => Ok(typed.text(&input.path).replace("\r\n", "\n").into()),
        Takes::Whole | Takes::OptionalWhole => number(text),
        Takes::List => Ok(text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect()),
        Takes::Picks => {
            let picked = |value: &str| typed.all(&input.path).any(|picked| picked == value);
            let known = input.options.iter().map(|(value, ..)| value.as_str());
            Ok(known.filter(|value| picked(value)).collect())
        }
        Takes::Check => Ok(typed.has(&input.path).into()),
    }
}

/// Puts a value at a pointer; what holds it is an object or a list that is there, or becomes an object.
fn put(rule: &mut Value, path: &str, value: Value) {
    let Some((holder, name)) = path.rsplit_once('/') else { return };
    if rule.pointer(holder).is_none() {
        put(rule, holder, Value::Object(Map::new()));
    }
    if let Some(Value::Object(holder)) = rule.pointer_mut(holder) {
        holder.insert(name.to_owned(), value);
    }
}

/// A trigger of a kind, with nothing said about it.
pub fn new_trigger(on: &str) -> Value {
    match on {
        "renewal" => json!({ "on": on, "days": 60 }),
        "answer" => json!({ "on": on, "at_most": 6 }),
        _ => json!({ "on": on }),
    }
}

/// An action of a kind, to be filled in.
pub fn new_action(kind: &str) -> Value {
    match kind {
        "email" => json!({
            "do": kind, "subject": "", "text": "Hi {{contact}},\n\n\n\nBest wishes,\n{{csm}}\n", "undo_minutes": 15,
            "approval": false,
        }),
        "webhook" => json!({ "do": kind, "endpoint": "" }),
        "chat" => json!({ "do": kind, "endpoint": "", "text": "{{company}}: {{from}} → {{to}}" }),
        "tag" => json!({ "do": kind, "add": [], "remove": [] }),
        _ => json!({ "do": "task", "title": "", "priority": "normal", "due_in_days": 1, "assignee": null }),
    }
}

/// What was refused, each with the input that it is about. Pointers begin at the rule.
pub fn sentences(rule: &Value, wrong: &[WrongField]) -> Vec<String> {
    let parts = parts(rule, &[]);
    let said = |error: &WrongField| {
        let of = parts.iter().find_map(|part| {
            let input = part.inputs.iter().find(|input| input.path == error.pointer)?;
            Some(format!("{}, {}: {}", part.title, input.label, error.detail))
        });
        let place = error.pointer.trim_start_matches('/').replace('/', ", ").replace('_', " ");
        of.unwrap_or_else(|| {
            if place.is_empty() { error.detail.clone() } else { format!("{place}: {}", error.detail) }
        })
    };
    wrong.iter().map(|error| sentence(&said(error))).collect()
}

#[cfg(test)]
mod tests {
    use barometer_domain::automation::{self, AutomationRule};

    use super::*;

    fn untouched(rule: &Value) -> Typed {
        let mut typed = Typed::default();
        let mut fields = Vec::new();
        for input in parts(rule, &[]).into_iter().flat_map(|part| part.inputs) {
            match input.takes {
                Takes::Picks => {
                    let chosen = input.options.into_iter().filter(|(.., chosen)| *chosen);
                    fields.extend(chosen.map(|(value, ..)| (input.path.clone(), value)));
                }
                Takes::Check if input.value.is_empty() => {}
                _ => fields.push((input.path, input.value)),
            }
        }
        for (name, text) in fields {
            typed.add(&name, &text);
        }
        typed
    }

    #[test]
    fn a_form_that_nobody_touched_says_what_the_rule_says() {
        for rule in automation::defaults().into_iter().chain(automation::presets()) {
            let value = serde_json::to_value(&rule).unwrap();
            let (draft, wrong) = typed_rule(&value, &[], &untouched(&value));
            assert_eq!(wrong, Vec::<String>::new());
            assert_eq!(serde_json::from_value::<AutomationRule>(draft).unwrap(), rule);
        }
    }

    #[test]
    fn every_kind_can_be_begun_and_read_but_for_what_is_still_empty() {
        for (on, _) in TRIGGERS {
            for (kind, _) in ACTIONS {
                let rule = json!({"id": "x", "name": "X", "trigger": new_trigger(on), "actions": [new_action(kind)]});
                assert!(serde_json::from_value::<AutomationRule>(rule).is_ok(), "{on} {kind}");
            }
        }
    }

    #[test]
    fn refusals_name_their_input() {
        let rule = json!({"id": "x", "name": "", "cooldown_days": 30, "trigger": new_trigger("answer"), "actions": [new_action("task")]});
        let wrong = |pointer: &str| WrongField { pointer: pointer.to_owned(), detail: "no".to_owned() };
        let said = sentences(&rule, &["/actions/0/title", "/trigger/at_most", "/id", ""].map(wrong));
        assert_eq!(
            said,
            [
                "Then: a task, What is to be done: no.",
                "When: A user answers, With at most so many of 10: no.",
                "Id: no.",
                "No.",
            ]
        );
        let mut typed = untouched(&rule);
        typed.put("/trigger/at_most", "six");
        let (draft, wrong) = typed_rule(&rule, &[], &typed);
        assert_eq!(wrong, ["When: A user answers, With at most so many of 10: “six” is not a whole number."]);
        assert_eq!(draft["trigger"]["at_most"], "six", "it stays in the form");
    }
}
