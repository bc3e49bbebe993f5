//! The page of one's own account: who one is, and the browsers in which one is signed in.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use barometer_cloud::{
    StoreError,
    table::{
        audit::{Action, Entry},
        credentials::Scope,
        sessions::Session,
    },
};
use chrono::{DateTime, Utc};
use http::StatusCode;

use crate::{
    Deps,
    html::{self, Failure},
    pages::Visit,
    session,
    sign_in::go,
    view::chrome::Chrome,
};

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    chrome: Chrome,
    name: String,
    role: &'static str,
    /// Whether a token and no member is signed in.
    by_token: bool,
    sessions: Vec<Row>,
}

/// A browser that is signed in.
struct Row {
    id: String,
    browser: String,
    begun: String,
    used: String,
    /// Whether it is the one that looks.
    here: bool,
}

fn row(session: Session, visit: &Visit) -> Row {
    let zone = visit.settings.time_zone;
    let shown = |at: DateTime<Utc>| zone.local(at).format("%-d %b %Y, %H:%M").to_string();
    Row {
        here: session.id == visit.session.id,
        browser: session.browser,
        begun: shown(session.begun_at),
        used: shown(session.used_at),
        id: session.id,
    }
}

/// What a role is, in a sentence's words.
fn role(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "a viewer: you may look at everything",
        Scope::Write => "a CSM: you may change companies, statuses and tasks",
        Scope::Admin => "an admin: you may change everything, settings and members too",
    }
}

async fn sessions(deps: &Deps, visit: &Visit) -> Result<Vec<Session>, Failure> {
    let holder = &visit.session.holder;
    Ok(deps.table.sessions_of(&visit.workspace, holder, deps.clock.now()).await?)
}

/// `GET /account`
pub async fn show(State(deps): State<Deps>, visit: Visit) -> Result<Response, Failure> {
    let rows = sessions(&deps, &visit).await?.into_iter().map(|session| row(session, &visit)).collect();
    let page = AccountPage {
        chrome: visit.chrome(),
        name: visit.member.as_ref().map_or_else(|| visit.author.clone(), |member| member.name.clone()),
        role: role(visit.scope),
        by_token: visit.member.is_none(),
        sessions: rows,
    };
    Ok(html::page(StatusCode::OK, &page))
}

/// `POST /account/sessions/{id}`: ends one of one's sessions.
pub async fn end(
    State(deps): State<Deps>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let mine = sessions(&deps, &visit).await?;
    // One that isn't there any more has ended as it should.
    if let Some(session) = mine.iter().find(|session| session.id == id) {
        let entry = Entry::new(Action::SessionEnded, &session.id, &visit.author, deps.clock.now())?;
        let entry = entry.change(&serde_json::json!({ "browser": session.browser }), &())?;
        match deps.table.recording(&visit.workspace, &entry).end_session(session).await {
            Ok(()) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if id == visit.session.id {
        return Ok(go("/sign-in", &[session::ended(deps.secure_cookies)]));
    }
    Ok(go("/account", &[]))
}

/// `POST /account/sign-out`: ends all of one's sessions, this one too.
pub async fn sign_out_everywhere(State(deps): State<Deps>, visit: Visit) -> Result<Response, Failure> {
    let mine = sessions(&deps, &visit).await?;
    let entry = Entry::new(Action::SignedOutEverywhere, &visit.session.id, &visit.author, deps.clock.now())?;
    let entry = entry.change(&(), &serde_json::json!({ "sessions": mine.len() }))?;
    deps.table.recording(&visit.workspace, &entry).end_sessions(&mine).await?;
    Ok(go("/sign-in", &[session::ended(deps.secure_cookies)]))
}
