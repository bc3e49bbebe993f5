//! The page of mails: previews, and one test mail to whoever is named.

use axum::{
    extract::{Path, RawQuery, State},
    response::{Html, IntoResponse, Response},
};
use barometer_cloud::{
    http::Problem,
    lambda::Chain,
    table::{
        audit::{Action, Entry},
        credentials::Scope,
    },
};
use barometer_domain::{SendId, Settings, language::Language, mail, token};
use barometer_message::{Mailbox, MessageError, Question, compose, sender};
use http::{HeaderMap, StatusCode, header};

use crate::{
    Deps,
    api::Api,
    form::Sent,
    html::{self, Failure},
    notice::Notice,
    pages::{self, Visit},
    settings::{
        saving::{self, Current, Unsaved},
        typed::Typed,
    },
    view::{
        mail::{GROUPS, Look, MailPage, Outcome, sample},
        settings::fields,
    },
};

const PAGE: &str = "/settings/mail";

/// The form that sends a test.
#[derive(serde::Deserialize)]
pub struct Test {
    to: String,
    language: String,
}

fn unwritable(error: &MessageError) -> Failure {
    tracing::error!(error = %Chain(error), "a mail can't be written");
    Problem::internal().into()
}

/// The deployment's sender.
fn from(deps: &Deps) -> Result<Mailbox, MessageError> {
    deps.mailer.from().parse().map_err(MessageError::Sender)
}

/// `GET /settings/mail`
pub async fn show(
    State(deps): State<Deps>,
    visit: Visit,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let outcome = Outcome { sent: query.as_deref() == Some("sent"), ..Outcome::default() };
    let look = Look { notice: saving::told(&query.unwrap_or_default(), false), ..Look::default() };
    page(&deps, &headers, &visit, StatusCode::OK, outcome, look).await
}

/// The page; what the settings are is read.
async fn page(
    deps: &Deps,
    headers: &HeaderMap,
    visit: &Visit,
    status: StatusCode,
    outcome: Outcome,
    look: Look<'_>,
) -> Result<Response, Failure> {
    let Current { version, value } = saving::current(&Api::new(&deps.api, headers)).await?;
    let look = Look { version, settings: value, ..look };
    let origin = pages::origin(headers, deps.secure_cookies);
    let may_send = visit.scope >= Scope::Write;
    let from = from(deps).map_err(|error| unwritable(&error))?;
    let from = sender(&visit.settings, &from);
    let from = format!("{} <{}>", from.name.unwrap_or_default(), from.email);
    let page = MailPage::build(visit.chrome(), &visit.settings, &from, &origin, may_send, outcome, look)
        .map_err(|error| unwritable(&error.into()))?;
    Ok(html::page(status, &page))
}

/// `GET /settings/mail/preview/{language}`: the HTML part alone, for a frame of the page.
pub async fn preview(
    State(deps): State<Deps>,
    visit: Visit,
    Path(tag): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let Some(language) = Language::ALL.into_iter().find(|language| language.tag() == tag) else {
        return Ok(pages::not_found().await);
    };
    let origin = pages::origin(&headers, deps.secure_cookies);
    let mail = sample(&visit.settings, language, &origin).map_err(|error| unwritable(&error.into()))?;
    Ok(([(header::CONTENT_SECURITY_POLICY, policy(&visit.settings))], Html(mail.html)).into_response())
}

/// A mail's styles stand at its elements, and its logo may come from elsewhere; apart from them nothing runs, opens or
/// is fetched.
fn policy(settings: &Settings) -> String {
    let logo = settings.mail.logo_origin().unwrap_or("'none'");
    format!(
        "default-src 'none'; style-src 'unsafe-inline'; img-src {logo}; form-action 'none'; base-uri 'none'; \
         frame-ancestors 'self'; sandbox"
    )
}

/// `POST /settings/mail/look`: saves how often is asked and how mails look.
pub async fn save(
    State(deps): State<Deps>,
    visit: Visit,
    headers: HeaderMap,
    Sent(typed): Sent<Typed>,
) -> Result<Response, Failure> {
    let api = Api::new(&deps.api, &headers);
    let current = saving::current(&api).await?;
    let refused = match fields::draft(&GROUPS, &current.value, &typed) {
        Err(wrong) => (StatusCode::UNPROCESSABLE_ENTITY, wrong, None),
        Ok(mut draft) => {
            draft.insert("note".to_owned(), typed.text("note").trim().into());
            match saving::save(&api, &draft.into(), typed.text("seen"), PAGE).await? {
                Ok(saved) => return Ok(saved),
                Err(Unsaved::Outdated(notice)) => (StatusCode::CONFLICT, Vec::new(), Some(notice)),
                Err(Unsaved::Refused(refusal)) if refusal.errors.is_empty() => {
                    (refusal.status, Vec::new(), Some(Notice::problem(refusal.sentences())))
                }
                Err(Unsaved::Refused(refusal)) => (refusal.status, refusal.errors, None),
            }
        }
    };
    let (status, wrong, notice) = refused;
    let notice = notice.unwrap_or_else(|| Notice::problem(fields::sentences(&GROUPS, &wrong)));
    let look = Look { typed: Some(&typed), wrong: &wrong, notice: Some(notice), ..Look::default() };
    page(&deps, &headers, &visit, status, Outcome::default(), look).await
}

/// `POST /settings/mail`
pub async fn send(
    State(deps): State<Deps>,
    visit: Visit,
    headers: HeaderMap,
    Sent(Test { to, language }): Sent<Test>,
) -> Result<Response, Failure> {
    if visit.scope < Scope::Write {
        let text = "Test mails are sent by CSMs and admins.";
        return Ok(html::message(StatusCode::FORBIDDEN, "You may only look", text));
    }
    let to = to.trim().to_owned();
    let refuse = |status, problem: String| {
        let outcome = Outcome { problem: Some(problem), to: Some(to.clone()), sent: false };
        page(&deps, &headers, &visit, status, outcome, Look::default())
    };
    let language = Language::of_tag(&language).unwrap_or(visit.settings.mail.language);
    if !mail::is_address(&to) {
        return refuse(StatusCode::UNPROCESSABLE_ENTITY, "This is not an e-mail address.".to_owned()).await;
    }
    let now = deps.clock.now();
    let entry = Entry::new(Action::MailTested, language.tag(), &visit.author, now)?;
    let entry = entry.change(&(), &serde_json::json!({ "language": language.tag() }))?;
    if !deps.table.recording(&visit.workspace, &entry).take_test_mail(&visit.workspace, now).await? {
        let problem = "That were enough test mails for now. Try again in the next hour.".to_owned();
        return refuse(StatusCode::TOO_MANY_REQUESTS, problem).await;
    }
    let send = random_send()?;
    let mime = match write(&deps, &headers, &visit, language, &to, send) {
        Ok(mime) => mime,
        Err(MessageError::Recipient) => {
            return refuse(
                StatusCode::UNPROCESSABLE_ENTITY,
                "No mail can be sent to this address.".to_owned(),
            )
            .await;
        }
        Err(error) => return Err(unwritable(&error)),
    };
    match deps.mailer.send(send, &to, mime).await {
        Ok(_) => Ok((StatusCode::SEE_OTHER, [(header::LOCATION, "/settings/mail?sent")]).into_response()),
        Err(error) => {
            tracing::warn!(error = %Chain(&error), "a test mail wasn't sent");
            refuse(StatusCode::BAD_GATEWAY, format!("The test mail failed: {}.", Chain(&error))).await
        }
    }
}

fn random_send() -> Result<SendId, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        tracing::error!(error = %Chain(&error), "no id for a test mail");
        Failure::from(Problem::internal())
    })?;
    Ok(SendId::from_bytes(bytes))
}

/// The mail as it would be sent, with links that record nothing.
fn write(
    deps: &Deps,
    headers: &HeaderMap,
    visit: &Visit,
    language: Language,
    to: &str,
    send: SendId,
) -> Result<Vec<u8>, MessageError> {
    let from = from(deps)?;
    let test = token::of_test(language);
    compose(&Question {
        language,
        settings: &visit.settings,
        from: &from,
        to,
        name: None,
        origin: &pages::origin(headers, deps.secure_cookies),
        feedback: &test,
        unsubscribe: &test,
        workspace: &visit.workspace,
        send,
        date: deps.clock.now(),
    })
}
