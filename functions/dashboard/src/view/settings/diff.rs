//! What differs between two JSON objects, for people.

use serde_json::{Map, Value};

/// Longest text of a side that is shown, in characters.
const LONGEST: usize = 160;

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// What, such as `weights: login`.
    pub what: String,
    /// As it was; empty when it wasn't there.
    pub from: String,
    /// As it is; empty when it isn't there any more.
    pub to: String,
}

/// Everything that differs between what was and what is, in the order of names.
pub fn changes(from: &Value, to: &Value) -> Vec<Changed> {
    let (mut found, nothing) = (Vec::new(), Value::Object(Map::new()));
    // What began or ended is told by its parts, too.
    let side = |side: &Value, other: &Value| {
        if side.is_null() && other.is_object() { nothing.clone() } else { side.clone() }
    };
    let sides = (side(from, to), side(to, from));
    compare("", Some(&sides.0), Some(&sides.1), &mut found);
    found
}

/// The top-level names that differ, as people read them.
pub fn fields(from: &Map<String, Value>, to: &Map<String, Value>) -> Vec<String> {
    let names = from.keys().chain(to.keys().filter(|name| !from.contains_key(*name)));
    names.filter(|name| from.get(*name) != to.get(*name)).map(|name| word(name)).collect()
}

/// A name as people read it: `feature_days` is `feature days`.
fn word(name: &str) -> String {
    name.replace('_', " ")
}

fn compare(at: &str, from: Option<&Value>, to: Option<&Value>, found: &mut Vec<Changed>) {
    // Whether nothing is said or null makes no difference to a reader.
    let (from, to) = (from.filter(|value| !value.is_null()), to.filter(|value| !value.is_null()));
    if from == to {
        return;
    }
    match (from, to) {
        (Some(Value::Object(from)), Some(Value::Object(to))) => {
            let names = from.keys().chain(to.keys().filter(|name| !from.contains_key(*name)));
            for name in names {
                compare(&below(at, &word(name)), from.get(name), to.get(name), found);
            }
        }
        (Some(Value::Array(from)), Some(Value::Array(to))) if named(from) && named(to) => {
            let known = |list: &[Value], name: &str| list.iter().any(|item| name_of(item) == Some(name));
            let added = to.iter().filter_map(name_of).filter(|name| !known(from, name));
            let find =
                |list: &'_ [Value], name: &str| list.iter().find(|item| name_of(item) == Some(name)).cloned();
            let before = found.len();
            for name in from.iter().filter_map(name_of).chain(added) {
                let sides = (find(from, name), find(to, name));
                compare(&below(at, name), sides.0.as_ref(), sides.1.as_ref(), found);
            }
            if found.len() == before {
                found.push(Changed { what: at.to_owned(), from: "another order".into(), to: String::new() });
            }
        }
        (from, to) => {
            found.push(Changed { what: at.to_owned(), from: text(from), to: text(to) });
        }
    }
}

fn below(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}: {name}") }
}

/// Whether the items of a list can be told apart by name: rules by id, features by key.
fn named(list: &[Value]) -> bool {
    list.iter().all(|item| name_of(item).is_some())
}

fn name_of(item: &Value) -> Option<&str> {
    item.get("id").or_else(|| item.get("key")).and_then(Value::as_str)
}

/// A value as a few words.
fn text(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => return String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(on)) => if *on { "yes" } else { "no" }.to_owned(),
        Some(Value::Array(items)) if items.iter().all(|item| !item.is_array() && !item.is_object()) => {
            items.iter().map(|item| self::text(Some(item))).collect::<Vec<_>>().join(", ")
        }
        Some(Value::Object(object)) => match object.get("name").or_else(|| object.get("label")) {
            Some(Value::String(name)) => name.clone(),
            _ => object
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| format!("{} {}", word(name), self::text(Some(value))))
                .collect::<Vec<_>>()
                .join(", "),
        },
        Some(Value::Array(items)) => {
            format!("{} {}", items.len(), if items.len() == 1 { "entry" } else { "entries" })
        }
        Some(other) => other.to_string(),
    };
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(from: &Value, to: &Value) -> Vec<String> {
        let line = |changed: Changed| format!("{} | {} | {}", changed.what, changed.from, changed.to);
        changes(from, to).into_iter().map(line).collect()
    }

    #[test]
    fn only_what_differs_is_named() {
        let from = json!({"weights": {"login": 50, "adoption": 50}, "login_days": 1, "same": [1]});
        let to = json!({"weights": {"login": 60, "adoption": 40}, "login_days": 3, "same": [1]});
        assert_eq!(
            told(&from, &to),
            ["login days | 1 | 3", "weights: adoption | 50 | 40", "weights: login | 50 | 60"]
        );
        assert_eq!(fields(from.as_object().unwrap(), to.as_object().unwrap()), ["login days", "weights"]);
        assert_eq!(told(&from, &from), Vec::<String>::new());
    }

    #[test]
    fn rules_and_features_are_compared_by_their_name_and_not_by_their_place() {
        let from = json!({"rules": [{"id": "a", "enabled": true}, {"id": "b", "name": "Be"}]});
        let to = json!({"rules": [{"id": "c", "name": "Ce"}, {"id": "a", "enabled": false}]});
        assert_eq!(
            told(&from, &to),
            ["rules: a: enabled | yes | no", "rules: b | Be | ", "rules: c |  | Ce"]
        );
        let turned = json!({"rules": [{"id": "b", "name": "Be"}, {"id": "a", "enabled": true}]});
        assert_eq!(told(&from, &turned), ["rules | another order | "]);
    }

    #[test]
    fn sides_that_are_null_or_long_stay_short() {
        let made = told(&Value::Null, &json!({"label": "x", "end": null, "scope": "read"}));
        assert_eq!(made, ["label |  | x", "scope |  | read"]);
        let long = told(&json!({"footer": ""}), &json!({"footer": "ä".repeat(500)}));
        assert_eq!(long[0].chars().count(), "footer |  | ".len() + LONGEST + 1);
        assert_eq!(told(&json!({"to": null}), &json!({"to": ["a", "b"]})), ["to |  | a, b"]);
    }
}
