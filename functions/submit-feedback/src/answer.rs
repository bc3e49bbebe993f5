//! `/f/{token}`: the question, and the answer to it. Only a POST writes: mail scanners open every link.

use axum::{
    body::Body,
    extract::{Path, Request, State, rejection::PathRejection},
    response::Response,
};
use barometer_cloud::{
    asking::end_back_off,
    happiness::{self, Recorded},
    lambda::Chain,
    table::{
        answers::{Answer, Source},
        asks::Ask,
    },
};
use chrono::TimeDelta;
use http::{HeaderMap, Method, StatusCode};

use crate::{
    Deps,
    failure::{Failure, Reader},
    form::{self, Form},
    link::{self, Link},
    page::{QuestionPage, ThanksPage, page},
};

/// Most revisions of an answer within an hour.
const REVISIONS_AN_HOUR: usize = 20;

/// GET and HEAD: the question, with the clicked rating chosen. Writes nothing, save for the mark that a machine was here
/// when it followed the link that people can't see.
pub async fn show(
    State(deps): State<Deps>,
    token: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let reader = Reader::of(request.method(), request.headers());
    let query = request.uri().query().unwrap_or_default();
    let asked = |name: &str| {
        form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value)
    };
    let clicked = asked("s").and_then(|value| form::rating(&value));
    let trapped = asked("h").is_some() && request.method() == Method::GET;
    link::follow(token, reader, async |token| question(&deps, reader, &token, clicked, trapped).await).await
}

async fn question(
    deps: &Deps,
    reader: Reader,
    token: &str,
    clicked: Option<u8>,
    trapped: bool,
) -> Result<Response, Failure> {
    let (link, ask) = Link::to_answer(deps, token, reader.language).await?;
    if trapped && let Err(error) = deps.table.note_scanned(&ask, deps.clock.now()).await {
        tracing::warn!(error = %Chain(&error), send_id = %ask.send_id, "a scan isn't marked");
    }
    let current = revisions(deps, &ask).await?.pop();
    let form = Form {
        rating: clicked.or_else(|| current.as_ref().map(whole)),
        comment: current.as_ref().and_then(|answer| answer.comment.clone()).unwrap_or_default(),
    };
    Ok(shown(deps, &link, token, &form, current.is_some(), None))
}

fn shown(
    deps: &Deps,
    link: &Link,
    token: &str,
    form: &Form,
    answered: bool,
    mistake: Option<&str>,
) -> Response {
    let texts = link.texts();
    let status = if mistake.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let frame = link.frame();
    page(
        status,
        &frame,
        &QuestionPage {
            frame: &frame,
            texts,
            question: &link.named(texts.question),
            token,
            unsubscribe: &link.unsubscribe(deps),
            selected: form.rating,
            comment: &form.comment,
            answered,
            mistake,
        },
    )
}

/// The number of an answer to a mail, 0 to 10.
fn whole(answer: &Answer) -> u8 {
    u8::try_from(answer.rating.value().basis_points() / 1_000).unwrap_or(10)
}

async fn revisions(deps: &Deps, ask: &Ask) -> Result<Vec<Answer>, Failure> {
    let origin = ask.send_id.to_string();
    let (workspace, company, now) = (&ask.workspace_id, &ask.company_id, deps.clock.now());
    Ok(happiness::revisions(&deps.table, workspace, company, &ask.user_id, &origin, now).await?)
}

/// POST: records the answer, or the change of one.
pub async fn submit(
    State(deps): State<Deps>,
    token: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let reader = Reader::of(request.method(), request.headers());
    let (parts, body) = request.into_parts();
    link::follow(token, reader, async |token| record(&deps, reader, &token, &parts.headers, body).await).await
}

async fn record(
    deps: &Deps,
    reader: Reader,
    token: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let (link, ask) = Link::to_answer(deps, token, reader.language).await?;
    let reader = Reader { language: link.language, ..reader };
    let form = match Form::read(headers, body).await {
        Ok(form) => form,
        Err(failure) => return Ok(reader.refuse(failure)),
    };
    let before = revisions(deps, &ask).await?;
    let mistake = |text| Ok(wrong(deps, reader, &link, token, &form, !before.is_empty(), text));
    let Some(rating) = form.rated() else { return mistake(link.texts().no_rating) };
    if form.is_too_long() {
        return mistake(link.texts().long_comment);
    }
    let now = deps.clock.now();
    let hour_ago = now - TimeDelta::hours(1);
    if before.iter().filter(|answer| answer.at > hour_ago).count() >= REVISIONS_AN_HOUR {
        return Ok(reader.refuse(Failure::TooMany));
    }
    let answer = Answer {
        user_id: ask.user_id.clone(),
        rating,
        comment: Some(form.comment.clone()).filter(|comment| !comment.is_empty()),
        at: now,
        source: Source::Mail,
        origin: ask.send_id.to_string(),
        void: None,
    };
    write(deps, &link, &ask, &answer).await?;
    let texts = link.texts();
    let recorded = texts.recorded.replace("{rating}", &whole(&answer).to_string());
    let frame = link.frame();
    Ok(page(
        StatusCode::OK,
        &frame,
        &ThanksPage {
            frame: &frame,
            texts,
            recorded: &recorded,
            token,
            unsubscribe: &link.unsubscribe(deps),
        },
    ))
}

/// The form again, as it was typed, with what is wrong about it.
fn wrong(
    deps: &Deps,
    reader: Reader,
    link: &Link,
    token: &str,
    form: &Form,
    answered: bool,
    mistake: &str,
) -> Response {
    if reader.json {
        use axum::response::IntoResponse;
        let pointer = if form.rating.is_none() { "/rating" } else { "/comment" };
        return barometer_cloud::http::Problem::invalid(
            mistake,
            vec![barometer_cloud::http::problem::FieldError {
                pointer: pointer.to_owned(),
                detail: mistake.to_owned(),
            }],
        )
        .into_response();
    }
    shown(deps, link, token, form, answered, Some(mistake))
}

/// Writes the answer and what follows from it. Once the answer is stored, it was given, whatever comes after.
async fn write(deps: &Deps, link: &Link, ask: &Ask, answer: &Answer) -> Result<(), Failure> {
    let (workspace, company) = (&ask.workspace_id, &ask.company_id);
    let recorded = happiness::record(&deps.table, workspace, company, &link.settings, answer).await?;
    if let Recorded::New(events) = &recorded {
        deps.table.publish_or_leave(&deps.bus, workspace, events).await;
    } else if ask.answered_at.is_some() {
        return Ok(());
    }
    if let Err(error) = deps.table.note_answered(ask, answer.at).await {
        tracing::warn!(error = %Chain(&error), send_id = %ask.send_id, "the ask isn't marked as answered");
    }
    let restored =
        end_back_off(&deps.table, workspace, company, &ask.user_id, &link.settings, answer.at).await;
    if let Err(error) = restored {
        tracing::warn!(error = %Chain(&error), send_id = %ask.send_id, "the back-off isn't ended");
    }
    Ok(())
}
