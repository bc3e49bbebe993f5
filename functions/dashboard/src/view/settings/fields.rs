//! Settings as fields of a form: each is named by its JSON pointer, so that one table says what a form shows, what it
//! sends and which field a refusal is about.

use serde_json::{Map, Value};

use crate::{api::WrongField, settings::Typed};

/// What a field takes.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A percentage of at most two decimals.
    Percent,
    /// A whole number between these.
    Whole(u32, u32),
    /// A line of text.
    Line,
    /// A line of text, null when it is empty.
    OptionalLine,
    /// Text of several lines.
    Text,
    /// A list, one entry a line.
    Lines,
    /// One of these: value and label. A value that is a number is sent as one.
    Choice(&'static [(&'static str, &'static str)]),
}

/// A setting as a field.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its JSON pointer in the settings.
    pub path: &'static str,
    /// What stands above it.
    pub label: &'static str,
    /// What it takes.
    pub kind: Kind,
}

/// Fields that belong together.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// Its id on the page.
    pub id: &'static str,
    /// What stands above them.
    pub title: &'static str,
    /// What they are for.
    pub about: &'static str,
    /// The fields.
    pub fields: &'static [Field],
}

/// A field on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldView {
    /// Its name in the form.
    pub name: &'static str,
    /// What stands above it.
    pub label: &'static str,
    /// What stands in it.
    pub value: String,
    /// The same as a reader sees it.
    pub shown: String,
    /// Whether it takes several lines.
    pub lines: bool,
    /// Whether it takes a number, and of which step, from and to.
    pub number: Option<(&'static str, u32, u32)>,
    /// What there is to choose from, and whether it is chosen.
    pub choices: Vec<(&'static str, &'static str, bool)>,
    /// Whether the API refused it.
    pub wrong: bool,
}

/// Fields that belong together, on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupView {
    /// Its id.
    pub id: &'static str,
    /// What stands above them.
    pub title: &'static str,
    /// What they are for.
    pub about: &'static str,
    /// The fields.
    pub fields: Vec<FieldView>,
    /// What they sum to, where that matters; they can be distributed evenly then.
    pub sum: Option<String>,
}

/// The groups with what was typed, else with what the settings say.
pub fn views(
    groups: &[Group],
    settings: &Value,
    typed: Option<&Typed>,
    wrong: &[WrongField],
) -> Vec<GroupView> {
    let field = |field: &Field| {
        let value = match typed.filter(|typed| typed.has(field.path)) {
            Some(typed) => typed.text(field.path).to_owned(),
            None => text(settings.pointer(field.path)),
        };
        let (mut lines, mut number, mut choices, mut shown) = (false, None, Vec::new(), value.clone());
        match field.kind {
            Kind::Percent => number = Some(("0.01", 0, 100)),
            Kind::Whole(least, most) => number = Some(("1", least, most)),
            Kind::Line | Kind::OptionalLine => {}
            Kind::Text => lines = true,
            Kind::Lines => {
                lines = true;
                shown = value.lines().collect::<Vec<_>>().join(", ");
            }
            Kind::Choice(all) => {
                choices = all.iter().map(|(of, label)| (*of, *label, *of == value)).collect();
                let label = choices.iter().find(|(.., chosen)| *chosen).map(|(_, label, _)| *label);
                shown = label.unwrap_or_default().to_owned();
            }
        }
        let within = |error: &WrongField| concerns(&error.pointer, field.path);
        let wrong = wrong.iter().any(within);
        FieldView { name: field.path, label: field.label, value, shown, lines, number, choices, wrong }
    };
    groups
        .iter()
        .map(|group| GroupView {
            id: group.id,
            title: group.title,
            about: group.about,
            fields: group.fields.iter().map(field).collect(),
            sum: None,
        })
        .collect()
}

/// Whether a refusal of `pointer` is about the field at `path`: itself, what holds it, or what lies in it.
fn concerns(pointer: &str, path: &str) -> bool {
    let holds = |outer: &str, inner: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    holds(pointer, path) || holds(path, pointer)
}

fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => items.iter().map(|item| text(Some(item))).collect::<Vec<_>>().join("\n"),
        Some(other) => other.to_string(),
    }
}

/// A draft as the API takes it: the top-level settings that the form touches, each whole. Errors: what was typed where a
/// number belongs and is none, with the field's pointer.
pub fn draft(
    groups: &[Group],
    settings: &Value,
    typed: &Typed,
) -> Result<Map<String, Value>, Vec<WrongField>> {
    let mut draft = Map::new();
    let mut wrong = Vec::new();
    for field in groups.iter().flat_map(|group| group.fields) {
        let top = field.path.split('/').nth(1).unwrap_or_default();
        let whole = draft.entry(top).or_insert_with(|| settings.get(top).cloned().unwrap_or_default());
        match read(field.kind, typed.text(field.path)) {
            Ok(value) => put(whole, field.path.split('/').nth(2), value),
            Err(detail) => wrong.push(WrongField { pointer: field.path.to_owned(), detail }),
        }
    }
    if wrong.is_empty() { Ok(draft) } else { Err(wrong) }
}

fn read(kind: Kind, text: &str) -> Result<Value, String> {
    let trimmed = text.trim();
    match kind {
        Kind::Percent => {
            // People write decimals with a comma, too.
            let number = trimmed.replace(',', ".").parse::<f64>().ok();
            let fits = |number: &f64| (0.0..=100.0).contains(number) && two_decimals(trimmed);
            number
                .filter(fits)
                .map(Value::from)
                .ok_or_else(|| format!("“{trimmed}” is not a number from 0 to 100 with at most two decimals"))
        }
        Kind::Whole(least, most) => {
            let number = trimmed.parse::<u32>().ok().filter(|number| (least..=most).contains(number));
            number
                .map(Value::from)
                .ok_or_else(|| format!("“{trimmed}” is not a whole number from {least} to {most}"))
        }
        Kind::Line => Ok(trimmed.into()),
        Kind::OptionalLine if trimmed.is_empty() => Ok(Value::Null),
        Kind::OptionalLine => Ok(trimmed.into()),
        // Browsers send lines with a carriage return.
        Kind::Text => Ok(trimmed.replace("\r\n", "\n").into()),
        Kind::Lines => Ok(trimmed.lines().map(str::trim).filter(|line| !line.is_empty()).collect()),
        Kind::Choice(_) => Ok(trimmed.parse::<u32>().map_or_else(|_| trimmed.into(), Value::from)),
    }
}

fn two_decimals(number: &str) -> bool {
    number.split_once(['.', ',']).is_none_or(|(_, decimals)| decimals.len() <= 2)
}

/// Puts a value in the place of a setting, or of a part of it.
fn put(whole: &mut Value, part: Option<&str>, value: Value) {
    match (part, whole) {
        (None, whole) => *whole = value,
        (Some(part), Value::Object(parts)) => drop(parts.insert(part.to_owned(), value)),
        (Some(part), whole) => *whole = Value::Object(Map::from_iter([(part.to_owned(), value)])),
    }
}

/// What is wrong as sentences, each with its field's label where it is about one.
pub fn sentences(groups: &[Group], wrong: &[WrongField]) -> Vec<String> {
    let fields = || groups.iter().flat_map(|group| group.fields);
    let sentence = |error: &WrongField| {
        let field = fields().find(|field| error.pointer == field.path);
        match field {
            Some(field) => crate::api::sentence(&format!("{}: {}", field.label, error.detail)),
            None => crate::api::sentence(&error.detail),
        }
    };
    wrong.iter().map(sentence).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const GROUPS: [Group; 1] = [Group {
        id: "g",
        title: "G",
        about: "",
        fields: &[
            Field { path: "/weights/login", label: "Login", kind: Kind::Percent },
            Field { path: "/days", label: "Days", kind: Kind::Whole(1, 7) },
            Field { path: "/mail/accent", label: "Accent", kind: Kind::OptionalLine },
            Field { path: "/ids", label: "Ids", kind: Kind::Lines },
            Field {
                path: "/every",
                label: "Every",
                kind: Kind::Choice(&[("30", "30 days"), ("60", "60 days")]),
            },
        ],
    }];

    fn settings() -> Value {
        json!({
            "weights": {"login": 33.33, "adoption": 66.67}, "days": 3, "mail": {"footer": "1 Street"},
            "ids": ["a", "b"], "every": 60, "name": "Acme",
        })
    }

    fn typed(changed: &[(&str, &str)]) -> Typed {
        let mut typed = Typed::default();
        for field in views(&GROUPS, &settings(), None, &[]).into_iter().flat_map(|group| group.fields) {
            typed.put(field.name, &field.value);
        }
        for (name, text) in changed {
            typed.put(name, text);
        }
        typed
    }

    #[test]
    fn a_form_that_nobody_touched_says_what_the_settings_say() {
        let mut expected = settings();
        expected.as_object_mut().unwrap().remove("name");
        expected["mail"]["accent"] = Value::Null;
        let draft = draft(&GROUPS, &settings(), &typed(&[])).unwrap();
        assert_eq!(Value::Object(draft), expected, "what has no field stays, beside those that have one");
    }

    #[test]
    fn what_is_no_number_is_named_by_its_label() {
        let typed = typed(&[("/weights/login", "half"), ("/days", "8")]);
        let wrong = draft(&GROUPS, &settings(), &typed).unwrap_err();
        assert_eq!(
            sentences(&GROUPS, &wrong),
            [
                "Login: “half” is not a number from 0 to 100 with at most two decimals.",
                "Days: “8” is not a whole number from 1 to 7.",
            ]
        );
    }

    #[test]
    fn decimals_are_read_with_a_point_or_a_comma() {
        for text in ["33.3", "33,3", " 33.30 "] {
            assert_eq!(read(Kind::Percent, text), Ok(json!(33.3)), "{text}");
        }
        for text in ["33.333", "-1", "101", "", "NaN", "1e1000"] {
            assert!(read(Kind::Percent, text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_refusal_marks_its_fields() {
        let wrong = |pointer: &str| {
            let wrong = [WrongField { pointer: pointer.to_owned(), detail: String::new() }];
            let fields = views(&GROUPS, &settings(), None, &wrong).remove(0).fields;
            fields.into_iter().filter(|field| field.wrong).map(|field| field.name).collect::<Vec<_>>()
        };
        assert_eq!(wrong("/weights"), ["/weights/login"]);
        assert_eq!(wrong("/mail/accent"), ["/mail/accent"]);
        assert_eq!(wrong("/ids/3"), ["/ids"]);
        assert_eq!(wrong("/day"), Vec::<&str>::new());
    }
}
