//! What a CSM changes: each form becomes one request to the API, and its answer a page.

use axum::{
    extract::{Path, State},
    response::Response,
};
use chrono::{Days, NaiveTime};
use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    Deps,
    api::{Api, Refusal, segment},
    form::Sent,
    html::{self, Failure},
    notice::{Done, Notice},
    pages::{self, Visit},
    sign_in,
};

/// Hour of the day at which what was put off comes back.
const MORNING: u32 = 7;

/// The form that sets a company's status.
#[derive(Debug, Deserialize)]
pub struct Status {
    status: String,
    #[serde(default)]
    note: String,
    /// The version of the status that the visitor saw.
    #[serde(default)]
    seen: String,
}

/// `POST /companies/{company_id}/status`
pub async fn status(
    State(deps): State<Deps>,
    visit: Visit,
    Path(id): Path<String>,
    headers: HeaderMap,
    Sent(Status { status, note, seen }): Sent<Status>,
) -> Result<Response, Failure> {
    let path = format!("/v1/companies/{}/status", segment(&id));
    let body = json!({ "status": status, "note": note });
    let seen = Some(seen.as_str()).filter(|seen| !seen.is_empty());
    let answer = Api::new(&deps.api, &headers).change_upon(Method::PUT, &path, &body, seen).await?;
    match answer {
        Ok(_) => Ok(to_company(&id, Done::Status)),
        Err(refusal) if refusal.status == StatusCode::PRECONDITION_FAILED => {
            let text = "Somebody set the status in the meantime, so yours was not set. Look at theirs first; your note \
                        is still in the form.";
            let notice = Notice::problem(vec![text.to_owned()]).with_note(note);
            pages::show_company(&deps, &headers, &visit, id, Some(notice), StatusCode::CONFLICT).await
        }
        Err(refusal) => refused_at_company(&deps, &headers, &visit, id, &refusal, note).await,
    }
}

/// The form that switches a company's feedback requests.
#[derive(Debug, Deserialize)]
pub struct Requests {
    on: bool,
}

/// `POST /companies/{company_id}/feedback-requests`
pub async fn feedback_requests(
    State(deps): State<Deps>,
    visit: Visit,
    Path(id): Path<String>,
    headers: HeaderMap,
    Sent(Requests { on }): Sent<Requests>,
) -> Result<Response, Failure> {
    let done = if on { Done::RequestsOn } else { Done::RequestsOff };
    change_company(&deps, &headers, &visit, id, &json!({ "request_feedback": on }), done).await
}

/// The form with what is known of a company. An empty field clears.
#[derive(Debug, Deserialize)]
pub struct Details {
    name: String,
    owner: String,
    plan: String,
    renewal_on: String,
    notice_on: String,
    churned_on: String,
    tags: String,
}

/// `POST /companies/{company_id}/details`
pub async fn details(
    State(deps): State<Deps>,
    visit: Visit,
    Path(id): Path<String>,
    headers: HeaderMap,
    Sent(form): Sent<Details>,
) -> Result<Response, Failure> {
    let tags: Vec<&str> = form.tags.split(',').map(str::trim).filter(|tag| !tag.is_empty()).collect();
    let body = json!({
        "name": filled(&form.name), "owner": filled(&form.owner), "plan": filled(&form.plan),
        "renewal_on": filled(&form.renewal_on), "notice_on": filled(&form.notice_on),
        "churned_on": filled(&form.churned_on), "tags": tags,
    });
    change_company(&deps, &headers, &visit, id, &body, Done::Details).await
}

async fn change_company(
    deps: &Deps,
    headers: &HeaderMap,
    visit: &Visit,
    id: String,
    body: &Value,
    done: Done,
) -> Result<Response, Failure> {
    let path = format!("/v1/companies/{}", segment(&id));
    match Api::new(&deps.api, headers).change(Method::PATCH, &path, body).await? {
        Ok(_) => Ok(to_company(&id, done)),
        Err(refusal) => refused_at_company(deps, headers, visit, id, &refusal, String::new()).await,
    }
}

async fn refused_at_company(
    deps: &Deps,
    headers: &HeaderMap,
    visit: &Visit,
    id: String,
    refusal: &Refusal,
    note: String,
) -> Result<Response, Failure> {
    let notice = Notice::problem(refusal.sentences()).with_note(note);
    pages::show_company(deps, headers, visit, id, Some(notice), refusal.status).await
}

/// The form beside a task. What isn't said stays.
#[derive(Debug, Deserialize)]
pub struct Task {
    /// `done`, `cancelled`, `open`, or `snoozed` for so many days.
    #[serde(default)]
    state: String,
    #[serde(default)]
    days: u32,
    #[serde(default)]
    note: Option<String>,
    back: String,
}

/// `POST /desk/tasks/{id}`
pub async fn task(
    State(deps): State<Deps>,
    visit: Visit,
    Path(id): Path<String>,
    headers: HeaderMap,
    Sent(form): Sent<Task>,
) -> Result<Response, Failure> {
    let mut body = Map::new();
    if !form.state.is_empty() {
        body.insert("state".to_owned(), form.state.as_str().into());
    }
    if let Some(note) = &form.note {
        body.insert("note".to_owned(), filled(note).into());
    }
    if form.state == "snoozed" {
        let zone = visit.settings.time_zone;
        let day = zone.date(deps.clock.now()).checked_add_days(Days::new(form.days.into()));
        let morning = NaiveTime::from_hms_opt(MORNING, 0, 0).unwrap_or_default();
        body.insert("until".to_owned(), json!(day.map(|day| zone.instant(day, morning))));
    }
    let done = match form.state.as_str() {
        "done" => Done::Task,
        "snoozed" => Done::Snoozed,
        _ => Done::Saved,
    };
    patch(&deps, &headers, &format!("/v1/tasks/{}", segment(&id)), &body.into(), &form.back, done).await
}

/// The form beside an alert.
#[derive(Debug, Deserialize)]
pub struct Alert {
    state: String,
    #[serde(default)]
    note: String,
    back: String,
}

/// `POST /desk/alerts/{id}`
pub async fn alert(
    State(deps): State<Deps>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Sent(form): Sent<Alert>,
) -> Result<Response, Failure> {
    let note = filled(&form.note);
    let body = note
        .map_or_else(|| json!({ "state": form.state }), |note| json!({ "state": form.state, "note": note }));
    let done = if form.state == "resolved" { Done::Resolved } else { Done::Taken };
    patch(&deps, &headers, &format!("/v1/alerts/{}", segment(&id)), &body, &form.back, done).await
}

/// The form beside a disagreement.
#[derive(Debug, Deserialize)]
pub struct Disagreement {
    answer: String,
    #[serde(default)]
    reason: String,
    back: String,
}

/// `POST /desk/disagreements/{id}`
pub async fn disagreement(
    State(deps): State<Deps>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Sent(form): Sent<Disagreement>,
) -> Result<Response, Failure> {
    let reason = filled(&form.reason);
    let body = reason.map_or_else(
        || json!({ "answer": form.answer }),
        |reason| json!({ "answer": form.answer, "reason": reason }),
    );
    let path = format!("/v1/disagreements/{}", segment(&id));
    patch(&deps, &headers, &path, &body, &form.back, Done::Saved).await
}

/// The form beside what a rule is about to do.
#[derive(Debug, Deserialize)]
pub struct Action {
    /// `cancelled`, `approved` or `planned`.
    state: String,
    back: String,
}

/// `POST /desk/actions/{id}`
pub async fn action(
    State(deps): State<Deps>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Sent(form): Sent<Action>,
) -> Result<Response, Failure> {
    let done = match form.state.as_str() {
        "cancelled" => Done::Undone,
        "approved" => Done::Approved,
        _ => Done::Repeated,
    };
    let (path, body) = (format!("/v1/actions/{}", segment(&id)), json!({ "state": form.state }));
    patch(&deps, &headers, &path, &body, &form.back, done).await
}

/// The form beside an answer.
#[derive(Debug, Deserialize)]
pub struct Void {
    reason: String,
    back: String,
}

/// `POST /desk/answers/{id}/void`
pub async fn void(
    State(deps): State<Deps>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Sent(form): Sent<Void>,
) -> Result<Response, Failure> {
    let (path, body) =
        (format!("/v1/feedback/{}/void", segment(&id)), json!({ "reason": filled(&form.reason) }));
    send(&deps, &headers, Method::POST, &path, &body, &form.back, Done::Voided).await
}

async fn patch(
    deps: &Deps,
    headers: &HeaderMap,
    path: &str,
    body: &Value,
    back: &str,
    done: Done,
) -> Result<Response, Failure> {
    send(deps, headers, Method::PATCH, path, body, back, done).await
}

async fn send(
    deps: &Deps,
    headers: &HeaderMap,
    method: Method,
    path: &str,
    body: &Value,
    back: &str,
    done: Done,
) -> Result<Response, Failure> {
    let back = own_page(back);
    match Api::new(&deps.api, headers).change(method, path, body).await? {
        Ok(_) => Ok(sign_in::go(&done.at(back), &[])),
        Err(refusal) if refusal.status == StatusCode::UNAUTHORIZED => Ok(pages::please_sign_in()),
        Err(refusal) => Ok(html::refused(&refusal, back)),
    }
}

fn to_company(id: &str, done: Done) -> Response {
    sign_in::go(&done.at(&format!("/companies/{}", segment(id))), &[])
}

/// Text, unless it is blank.
fn filled(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

/// An address of ours; the start page for anything else, so that a form sends nobody elsewhere.
fn own_page(back: &str) -> &str {
    let ours = back.starts_with('/')
        && !back.starts_with("//")
        && back.bytes().all(|byte| (b'!'..=b'~').contains(&byte) && byte != b'\\');
    if ours { back } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_lead_back_to_our_own_pages_only() {
        for ours in ["/", "/today", "/companies/a%2Fb?x=1#y"] {
            assert_eq!(own_page(ours), ours);
        }
        for theirs in ["", "//evil.example", "https://evil.example", "/\\evil.example", "/a b", "/a\r\nx: y"]
        {
            assert_eq!(own_page(theirs), "/");
        }
    }
}
