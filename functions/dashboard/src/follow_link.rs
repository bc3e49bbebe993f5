//! The page behind a link that signs in. Its buttons post, so that a mail scanner that opens links uses none up.

use askama::Template;
use axum::{
    Form,
    extract::{Path, State, rejection::FormRejection},
    response::Response,
};
use barometer_cloud::table::team::Member;
use http::{Extensions, HeaderMap, StatusCode};

use crate::{
    Deps, ask_link,
    html::{self, Failure},
    session::Shown,
    sign_in::{self, Trouble, again},
};

/// One button for each workspace.
#[derive(Template)]
#[template(path = "sign_in_link.html")]
struct SignInLink<'a> {
    choices: &'a [Choice],
}

/// A workspace that can be signed in to.
struct Choice {
    id: String,
    name: String,
}

/// What a button sends.
#[derive(serde::Deserialize)]
pub struct Chosen {
    #[serde(default)]
    workspace: String,
}

/// What a code opens.
enum Opened {
    /// Memberships, at least one.
    For(Vec<Member>),
    /// It is good, and not in this browser.
    ElsewhereOnly,
    /// Nothing any more.
    Nothing,
}

async fn open(deps: &Deps, headers: &HeaderMap, code: &str) -> Result<Opened, Failure> {
    let Some(link) = deps.table.sign_in(code, deps.clock.now()).await? else { return Ok(Opened::Nothing) };
    if !link.is_for(ask_link::browser(deps, headers)) {
        return Ok(Opened::ElsewhereOnly);
    }
    let mut members = deps.table.memberships(&link.email).await?;
    members.retain(|member| link.workspace_id.as_ref().is_none_or(|only| *only == member.workspace_id));
    Ok(if members.is_empty() { Opened::Nothing } else { Opened::For(members) })
}

/// `GET /sign-in/{code}`
pub async fn show(
    State(deps): State<Deps>,
    Path(code): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    match open(&deps, &headers, &code).await? {
        Opened::For(members) => choose(&deps, &members).await,
        other => Ok(refused(&deps, &other)),
    }
}

/// `POST /sign-in/{code}`
pub async fn follow(
    State(deps): State<Deps>,
    Path(code): Path<String>,
    headers: HeaderMap,
    extensions: Extensions,
    form: Result<Form<Chosen>, FormRejection>,
) -> Result<Response, Failure> {
    if let Some(refused) = sign_in::too_often(&deps, &extensions).await? {
        return Ok(refused);
    }
    let opened = open(&deps, &headers, &code).await?;
    let Opened::For(members) = &opened else { return Ok(refused(&deps, &opened)) };
    let workspace = form.map(|Form(Chosen { workspace })| workspace).unwrap_or_default();
    let chosen = match members.as_slice() {
        [only] => Some(only),
        several => several.iter().find(|member| member.workspace_id.as_str() == workspace),
    };
    match chosen {
        Some(member) => {
            sign_in::welcome(&deps, &headers, Shown::Link(member, &code), || refused(&deps, &Opened::Nothing))
                .await
        }
        None => choose(&deps, members).await,
    }
}

async fn choose(deps: &Deps, members: &[Member]) -> Result<Response, Failure> {
    let mut choices = Vec::new();
    for member in members {
        let settings = deps.table.settings(&member.workspace_id).await?;
        let name = settings.map(|version| version.settings.name).unwrap_or_default();
        choices.push(Choice { id: member.workspace_id.to_string(), name });
    }
    Ok(html::page(StatusCode::OK, &SignInLink { choices: &choices }))
}

fn refused(deps: &Deps, opened: &Opened) -> Response {
    match opened {
        Opened::ElsewhereOnly => html::message(
            StatusCode::FORBIDDEN,
            "This is another browser",
            "The link works only in the browser in which you asked for it, and at the address that you used there. Open \
             it there: it hasn’t been used up. Or ask for another link from here.",
        ),
        Opened::For(_) | Opened::Nothing => again(deps, StatusCode::FORBIDDEN, Some(Trouble::Link)),
    }
}
