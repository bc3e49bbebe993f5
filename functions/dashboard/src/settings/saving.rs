//! Settings by way of the API: read, saved upon the version that the visitor saw, and what is said about it.

use axum::response::Response;
use barometer_cloud::{http::Problem, lambda::Chain};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    address::parameter,
    api::{Api, Refusal},
    html::Failure,
    notice::Notice,
    sign_in,
    view::settings::diff,
};

/// Versions in which the one that the visitor saw is looked for.
const LOOKED_BACK: usize = 50;

/// What an address says in the place of a version when nothing had changed.
const SAME: &str = "same";

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

/// Why nothing was saved.
pub enum Unsaved {
    /// Somebody else saved in between; says who, and what differs now. For a 409.
    Outdated(Notice),
    /// The API refused.
    Refused(Refusal),
}

/// Reads the settings.
pub async fn current(api: &Api<'_>) -> Result<Current, Failure> {
    let Version { version, settings, .. } = api.get("/v1/settings").await?;
    Ok(Current { version, value: Value::Object(settings) })
}

/// Saves a draft, fields as the API takes them, upon the version that the visitor saw. Answers the way back to `page`,
/// which will say what became of it, or why nothing was saved.
pub async fn save(
    api: &Api<'_>,
    draft: &Value,
    seen: &str,
    page: &str,
) -> Result<Result<Response, Unsaved>, Failure> {
    match api.change_upon(Method::PUT, "/v1/settings", draft, Some(seen)).await? {
        Err(refusal) if refusal.status == StatusCode::PRECONDITION_FAILED => {
            Ok(Err(Unsaved::Outdated(outdated(api, seen).await?)))
        }
        Err(refusal) => Ok(Err(Unsaved::Refused(refusal))),
        Ok(answer) => {
            let Version { version, .. } = Version::deserialize(answer).map_err(|error| {
                tracing::error!(error = %Chain(&error), "the API's answer can't be read");
                Problem::internal()
            })?;
            let saved = Some(version.to_string()).filter(|version| version != seen);
            let saved = saved.as_deref().unwrap_or(SAME);
            Ok(Ok(sign_in::go(&format!("{page}?saved={saved}"), &[])))
        }
    }
}

/// That somebody else saved in between: who, and what differs now from what the visitor saw.
async fn outdated(api: &Api<'_>, seen: &str) -> Result<Notice, Failure> {
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

/// What an address says that was saved or done. `scores` says whether the page's settings decide scores.
pub fn told(query: &str, scores: bool) -> Option<Notice> {
    let Some(saved) = parameter(query, "saved") else { return Notice::of(query) };
    let line = match saved.parse::<u32>() {
        Ok(version) if scores => format!(
            "Saved as version {version}. Weeks are scored with it from now on, and a dashed line marks in every trend \
             where that begins; weeks that were published stay as they are."
        ),
        Ok(version) => format!("Saved as version {version}."),
        Err(_) if saved == SAME => "Nothing had changed, so there is no new version.".to_owned(),
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
