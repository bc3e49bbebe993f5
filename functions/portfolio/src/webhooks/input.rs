//! What a body says about an endpoint.

use barometer_cloud::http::body::Fields;
use barometer_webhook::{Destination, Reach};

/// Longest name, in characters.
const LONGEST_NAME: usize = 100;

/// Takes `name`; what is wrong is noted.
pub fn name(fields: &mut Fields) -> Option<String> {
    let name = fields.nullable_text("name", LONGEST_NAME);
    if name == Some(None) {
        fields.refuse("/name", "can't be null");
    }
    name.flatten()
}

/// Takes `url`, as far as its text can be checked: where its name leads is checked at every call.
pub fn url(fields: &mut Fields, reach: Reach) -> Option<String> {
    let url: String = fields.value("url")?;
    match Destination::parse(&url, reach) {
        Ok(_) => Some(url),
        Err(refusal) => {
            fields.refuse("/url", refusal.to_string());
            None
        }
    }
}

/// Notes that a field is missing.
pub fn require(fields: &mut Fields, names: &[&str]) {
    for name in names {
        if !fields.has(name) {
            fields.refuse(format!("/{name}"), "is required");
        }
    }
}
