//! The pages of sources, and the forms that change them.

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use barometer_cloud::{
    http::Problem,
    lambda::Chain,
    sources::{
        self, LONGEST_NAME, MAX_EVENTS, MAX_ORIGINS, MAX_OVERLAP, MAX_SOURCES, NOT_AN_ORIGIN, Overview,
    },
    table::{
        credentials::Scope,
        sources::{Change, Rotation},
    },
    workspaces,
};
use chrono::TimeDelta;
use http::{HeaderMap, StatusCode, header};

use crate::{
    Deps,
    form::{Sent, unreadable},
    html::{self, Failure},
    pages::{self, Visit},
    view::{
        Scene,
        sources::{Given, Place, SourcePage, SourcesPage},
    },
};

/// The form that makes a source.
#[derive(serde::Deserialize)]
pub struct New {
    name: String,
}

/// The forms that change one.
#[derive(serde::Deserialize)]
pub struct Changed {
    act: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    allowed_origins: String,
    #[serde(default)]
    rate: String,
    #[serde(default)]
    burst: String,
}

/// The form that rotates a key.
#[derive(serde::Deserialize)]
pub struct Rotate {
    overlap_hours: u16,
}

fn place(deps: &Deps, headers: &HeaderMap, visit: &Visit) -> Place {
    Place { origin: pages::origin(headers, deps.secure_cookies), admin: visit.scope >= Scope::Admin }
}

fn see(path: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, path)]).into_response()
}

fn no_source() -> Response {
    html::message(
        StatusCode::NOT_FOUND,
        "No such source",
        "There is no source with this id in your workspace.",
    )
}

fn not_allowed() -> Response {
    let text = "Sources are changed by admins.";
    html::message(StatusCode::FORBIDDEN, "You may only look", text)
}

fn no_randomness(error: getrandom::Error) -> Failure {
    tracing::error!(error = %Chain(&error), "no key");
    Problem::internal().into()
}

/// `GET /sources`
pub async fn list(State(deps): State<Deps>, visit: Visit, headers: HeaderMap) -> Result<Response, Failure> {
    show_list(&deps, &headers, &visit, StatusCode::OK, None).await
}

async fn show_list(
    deps: &Deps,
    headers: &HeaderMap,
    visit: &Visit,
    status: StatusCode,
    problem: Option<String>,
) -> Result<Response, Failure> {
    let scene = Scene { settings: &visit.settings, now: deps.clock.now() };
    let all = Overview::all(&deps.table, &visit.workspace, scene.now).await?;
    let page = SourcesPage::build(visit.chrome(), &all, place(deps, headers, visit), problem, scene);
    Ok(html::page(status, &page))
}

/// `POST /sources`
pub async fn create(
    State(deps): State<Deps>,
    visit: Visit,
    headers: HeaderMap,
    Sent(New { name }): Sent<New>,
) -> Result<Response, Failure> {
    if visit.scope < Scope::Admin {
        return Ok(not_allowed());
    }
    let wrong = match name_of(&name) {
        Err(problem) => Some(problem),
        Ok(_) if deps.table.sources(&visit.workspace).await?.len() >= MAX_SOURCES => {
            Some(format!("A workspace has at most {MAX_SOURCES} sources."))
        }
        Ok(_) => None,
    };
    if wrong.is_some() {
        return show_list(&deps, &headers, &visit, StatusCode::UNPROCESSABLE_ENTITY, wrong).await;
    }
    let name = name.trim().to_owned();
    let source = sources::new(&visit.workspace, name, visit.author.clone(), deps.clock.now());
    let source = source.map_err(no_randomness)?;
    sources::create(&deps.table, &source).await?;
    Ok(see(&format!("/sources/{}", source.id)))
}

/// `GET /sources/{id}`
pub async fn one(
    State(deps): State<Deps>,
    visit: Visit,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    show_one(&deps, &headers, &visit, &id, None).await
}

async fn show_one(
    deps: &Deps,
    headers: &HeaderMap,
    visit: &Visit,
    id: &str,
    given: Option<Given>,
) -> Result<Response, Failure> {
    let Some(source) = deps.table.source(&visit.workspace, id).await? else { return Ok(no_source()) };
    let scene = Scene { settings: &visit.settings, now: deps.clock.now() };
    let overview = Overview::read(&deps.table, source, scene.now).await?;
    let status = if given.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = SourcePage::build(visit.chrome(), &overview, place(deps, headers, visit), given, scene);
    Ok(html::page(status, &page))
}

/// `POST /sources/{id}`
pub async fn change(
    State(deps): State<Deps>,
    visit: Visit,
    Path(id): Path<String>,
    headers: HeaderMap,
    Sent(form): Sent<Changed>,
) -> Result<Response, Failure> {
    if visit.scope < Scope::Admin {
        return Ok(not_allowed());
    }
    let Some(source) = deps.table.source(&visit.workspace, &id).await? else { return Ok(no_source()) };
    let change = match form.act.as_str() {
        "enable" => Change { disabled_at: Some(None), ..Change::default() },
        // What is disabled stays so since when it was.
        "disable" => {
            let since = source.disabled_at.unwrap_or_else(|| deps.clock.now());
            Change { disabled_at: Some(Some(since)), ..Change::default() }
        }
        "change" => match read(&form) {
            Ok(change) => change,
            Err(problems) => {
                let Changed { name, allowed_origins: origins, rate, burst, .. } = form;
                let given = Given { name, origins, rate, burst, problems };
                return show_one(&deps, &headers, &visit, &id, Some(given)).await;
            }
        },
        _ => return Ok(unreadable()),
    };
    match sources::change(&deps.table, source, &change, &visit.author, deps.clock.now()).await? {
        Some(source) => Ok(see(&format!("/sources/{}", source.id))),
        None => Ok(no_source()),
    }
}

/// `POST /sources/{id}/rotate`
pub async fn rotate(
    State(deps): State<Deps>,
    visit: Visit,
    Path(id): Path<String>,
    Sent(Rotate { overlap_hours }): Sent<Rotate>,
) -> Result<Response, Failure> {
    if visit.scope < Scope::Admin {
        return Ok(not_allowed());
    }
    let overlap = TimeDelta::hours(i64::from(overlap_hours)).min(MAX_OVERLAP);
    let key = workspaces::secret("wk").map_err(no_randomness)?;
    let new = (key.as_str(), overlap);
    match sources::rotate(&deps.table, &visit.workspace, &id, new, &visit.author, deps.clock.now()).await? {
        Rotation::Done(source) => Ok(see(&format!("/sources/{}", source.id))),
        Rotation::Unknown => Ok(no_source()),
        Rotation::TooMany => Ok(html::message(
            StatusCode::CONFLICT,
            "Too many keys work already",
            "Wait until an old key has ended, or make the new one with “no longer”.",
        )),
    }
}

fn name_of(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(format!("The name has 1 to {LONGEST_NAME} characters on one line."));
    }
    Ok(name.to_owned())
}

/// Reads the form. Errors: everything that is wrong with it.
fn read(form: &Changed) -> Result<Change, Vec<String>> {
    let mut problems = Vec::new();
    let name = name_of(&form.name).map_err(|problem| problems.push(problem)).ok();
    let mut origins: Vec<String> = Vec::new();
    for line in form.allowed_origins.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match sources::origin(line) {
            Some(origin) if origins.contains(&origin) => {}
            Some(origin) => origins.push(origin),
            None => problems.push(format!("“{line}” is not {NOT_AN_ORIGIN}.")),
        }
    }
    if origins.len() > MAX_ORIGINS {
        problems.push(format!("At most {MAX_ORIGINS} origins."));
    }
    let mut events = |text: &str, what: &str| {
        let number = text.trim().parse().ok().filter(|number| (1..=MAX_EVENTS).contains(number));
        if number.is_none() {
            problems.push(format!("{what}: a whole number from 1 to {MAX_EVENTS}."));
        }
        number
    };
    let rate = events(&form.rate, "Events a second");
    let burst = events(&form.burst, "Events at once");
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Change { name, disabled_at: None, allowed_origins: Some(origins), rate, burst })
}
