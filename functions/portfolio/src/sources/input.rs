//! What a body says about a source.

use barometer_cloud::{
    sources::{LONGEST_NAME, MAX_EVENTS, MAX_ORIGINS, NOT_AN_ORIGIN, origin},
    table::sources::Change,
};
use chrono::{DateTime, Utc};
use serde_json::Value;

use barometer_cloud::http::body::Fields;

/// Takes the fields that can be changed, `disabled` apart; what is wrong is noted.
pub fn change(fields: &mut Fields) -> Change {
    let name = fields.nullable_text("name", LONGEST_NAME);
    if name == Some(None) {
        fields.refuse("/name", "can't be null");
    }
    Change {
        name: name.flatten(),
        disabled_at: None,
        allowed_origins: origins(fields),
        rate: events(fields, "rate"),
        burst: events(fields, "burst"),
    }
}

/// Takes `disabled`: since now, or no longer.
pub fn disabled(fields: &mut Fields, now: DateTime<Utc>) -> Option<Option<DateTime<Utc>>> {
    let disabled: bool = fields.value("disabled")?;
    Some(disabled.then_some(now))
}

fn events(fields: &mut Fields, name: &str) -> Option<u32> {
    let number: u64 = fields.value(name)?;
    match u32::try_from(number) {
        Ok(number) if (1..=MAX_EVENTS).contains(&number) => Some(number),
        _ => {
            fields.refuse(format!("/{name}"), format!("a whole number of events from 1 to {MAX_EVENTS}"));
            None
        }
    }
}

fn origins(fields: &mut Fields) -> Option<Vec<String>> {
    let given: Vec<Value> = fields.value("allowed_origins")?;
    if given.len() > MAX_ORIGINS {
        fields.refuse("/allowed_origins", format!("at most {MAX_ORIGINS} origins"));
        return None;
    }
    let mut kept = Vec::new();
    for (index, text) in given.iter().enumerate() {
        match text.as_str().and_then(origin) {
            Some(origin) if kept.contains(&origin) => {}
            Some(origin) => kept.push(origin),
            None => fields.refuse(format!("/allowed_origins/{index}"), NOT_AN_ORIGIN),
        }
    }
    Some(kept)
}
