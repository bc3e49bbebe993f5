//! Settings by way of the API: read, saved upon the version that the visitor saw, and what is said about it.

use barometer_cloud::{http::Problem, lambda::Chain};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    address::parameter,
    api::{Api, Refusal},
    html::Failure,
    notice::Notice,
    view::settings::diff,
};

/// Versions in which the one that the visitor saw is looked for.
const LOOKED_BACK: usize = 50;

/// The settings as they stand.
pub struct Current {
    /// Their version.
    pub version: u32,
    /// As the API writes them, without what is known of the save.
    pub value: Value,
}

/// A version as the API shows it.
#[derive(Debug, Clone, Deserialize)]
pub struct Version {
    /// Its number.
    pub version: u32,
    /// When it was saved.
    pub saved_at: chrono::DateTime<chrono::Utc>,
    /// Who saved it.
    pub author: String,
    /// Why.
    pub note: String,
    /// The settings.
    #[serde(flatten)]
    pub settings: Map<String, Value>,
}

/// A page of versions.
#[derive(Deserialize)]
pub struct Versions {
    /// The newest first.
    pub items: Vec<Version>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
}

/// What came of a save.
pub enum Saved {
    /// A new version.
    As(u32),
    /// Nothing had changed.
    Same,
    /// Somebody else saved in between.
    Outdated,
    /// The API refused.
    Refused(Refusal),
}

/// Reads the settings.
pub async fn current(api: &Api<'_>) -> Result<Current, Failure> {
    let Version { version, settings, .. } = api.get("/v1/settings").await?;
    Ok(Current { version, value: Value::Object(settings) })
}

/// Saves a draft, fields as the API takes them, upon the version that the visitor saw.
pub async fn save(api: &Api<'_>, draft: &Value, seen: &str) -> Result<Saved, Failure> {
    match api.change_upon(Method::PUT, "/v1/settings", draft, Some(seen)).await? {
        Err(refusal) if refusal.status == StatusCode::PRECONDITION_FAILED => Ok(Saved::Outdated),
        Err(refusal) => Ok(Saved::Refused(refusal)),
        Ok(answer) => {
            let Version { version, .. } = Version::deserialize(answer).map_err(|error| {
                tracing::error!(error = %Chain(&error), "the API's answer can't be read");
                Problem::internal()
            })?;
            Ok(if version.to_string() == seen { Saved::Same } else { Saved::As(version) })
        }
    }
}

/// That somebody else saved in between: who, and what differs now from what the visitor saw.
pub async fn outdated(api: &Api<'_>, seen: &str) -> Result<Notice, Failure> {
    let versions: Versions = api.get(&format!("/v1/settings/versions?limit={LOOKED_BACK}")).await?;
    let mut lines = Vec::new();
    if let Some(now) = versions.items.first() {
        lines.push(format!(
            "{} saved version {} in the meantime, so yours was not saved. What you typed is still here.",
            now.author, now.version
        ));
        if let Some(before) = versions.items.iter().find(|version| version.version.to_string() == seen) {
            let fields = diff::fields(&before.settings, &now.settings).join(", ");
            lines.push(format!("Since the version that you saw, these changed: {fields}."));
        }
        lines.push("Saving again replaces what stands now by what you typed.".to_owned());
    }
    Ok(Notice::problem(lines))
}

/// The address of a page that says what was saved.
pub fn told_at(page: &str, saved: u32) -> String {
    format!("{page}?saved={saved}")
}

/// The address of a page that says that nothing had changed.
pub fn same_at(page: &str) -> String {
    format!("{page}?saved=same")
}

/// What an address says that was saved or done. `scores` says whether the page's settings decide scores.
pub fn told(query: &str, scores: bool) -> Option<Notice> {
    let Some(saved) = parameter(query, "saved") else { return Notice::of(query) };
    let line = match saved.parse::<u32>() {
        Ok(version) if scores => format!(
            "Saved as version {version}. Weeks are scored with it from now on, and a dashed line marks in every trend \
             where that begins; weeks that were published stay as they are."
        ),
        Ok(version) => format!("Saved as version {version}."),
        Err(_) if saved == "same" => "Nothing had changed, so there is no new version.".to_owned(),
        Err(_) => return None,
    };
    Some(Notice { problem: false, lines: vec![line], note: String::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_which_version_it_became_and_nothing_that_it_was_told_to_say() {
        assert_eq!(told("saved=7", false).unwrap().lines, ["Saved as version 7."]);
        assert!(told("saved=7", true).unwrap().lines[0].contains("a dashed line marks"));
        assert!(told("saved=same", true).unwrap().lines[0].starts_with("Nothing had changed"));
        assert_eq!(told("saved=%3Cb%3E", false), None);
        assert_eq!(told("done=saved", false).unwrap().lines, ["Saved."]);
    }
}
