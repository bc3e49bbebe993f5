//! Where events and notes are sent.

use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::{
    notice::Notice,
    view::{Scene, chrome::Chrome, words::Mark},
};

/// An endpoint as the API shows it.
#[derive(Debug, Clone, Deserialize)]
pub struct Webhook {
    id: String,
    name: String,
    kind: String,
    url: String,
    enabled: bool,
    disabled_by: Option<String>,
    previous_secret_until: Option<DateTime<Utc>>,
    last_call: Option<LastCall>,
}

#[derive(Debug, Clone, Deserialize)]
struct LastCall {
    at: DateTime<Utc>,
    ok: bool,
    reason: Option<String>,
}

/// An endpoint on the page.
#[derive(Debug, Clone)]
pub struct WebhookRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it is a chat.
    pub chat: bool,
    /// Where it is.
    pub url: String,
    /// How it does.
    pub state: Mark,
    /// Whether it is sent anything.
    pub on: bool,
    /// How the latest call went.
    pub last: String,
    /// Until when the secret before this one signs too.
    pub overlap: Option<String>,
}

/// What is shown this once.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The endpoint's name.
    pub name: String,
    /// The secret.
    pub secret: String,
}

/// What was typed of a new endpoint.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// Its name.
    pub name: String,
    /// Its address.
    pub url: String,
    /// Whether it is a chat.
    pub chat: bool,
}

/// The page.
#[derive(Debug, Clone, Template)]
#[template(path = "settings/webhooks.html")]
pub struct WebhooksPage {
    chrome: Chrome,
    notice: Option<Notice>,
    rows: Vec<WebhookRow>,
    shown: Option<Shown>,
    given: Given,
}

impl WebhooksPage {
    /// The page.
    pub fn build(
        chrome: Chrome,
        notice: Option<Notice>,
        webhooks: Vec<Webhook>,
        shown: Option<Shown>,
        given: Given,
        scene: Scene<'_>,
    ) -> Self {
        let rows = webhooks.into_iter().map(|webhook| row(webhook, scene)).collect();
        Self { chrome, notice, rows, shown, given }
    }
}

fn row(webhook: Webhook, scene: Scene<'_>) -> WebhookRow {
    let state = match (webhook.enabled, webhook.disabled_by.as_deref(), &webhook.last_call) {
        (false, Some("gone"), _) => Mark { class: "l0", label: "Off: it answered 410" },
        (false, ..) => Mark { class: "lx", label: "Off" },
        (true, _, Some(call)) if !call.ok => Mark { class: "l1", label: "On, failing" },
        (true, ..) => Mark { class: "l3", label: "On" },
    };
    let last = webhook.last_call.map_or_else(
        || "none yet".to_owned(),
        |call| {
            let reason = call.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("{}, {}{reason}", scene.minute(call.at), if call.ok { "taken" } else { "failed" })
        },
    );
    WebhookRow {
        id: webhook.id,
        name: webhook.name,
        chat: webhook.kind == "chat",
        url: webhook.url,
        state,
        on: webhook.enabled,
        last,
        overlap: webhook.previous_secret_until.map(|until| scene.minute(until)),
    }
}
