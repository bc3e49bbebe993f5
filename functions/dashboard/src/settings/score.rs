//! How scores come about: shown, tried out, and saved.

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use barometer_cloud::{http::Problem, lambda::Chain};
use barometer_domain::WorkspaceId;
use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::{
    saving::{self, Unsaved},
    typed::Typed,
};
use crate::{
    Deps,
    api::{Api, Refusal, WrongField},
    form::{Sent, unreadable},
    html::{self, Failure},
    naming,
    notice::Notice,
    pages::Visit,
    view::{
        names::Names,
        settings::{
            fields,
            score::{Built, EVEN, GROUPS, ScorePage, WEIGHTS},
            what_if::{Answer, Preview},
        },
    },
};

const PAGE: &str = "/settings";

/// What is to be shown beside the form.
#[derive(Default)]
struct Shown {
    status: StatusCode,
    notice: Option<Notice>,
    typed: Option<Typed>,
    wrong: Vec<WrongField>,
    preview: Option<Preview>,
}

/// `GET /settings`
pub async fn show(
    State(deps): State<Deps>,
    visit: Visit,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let notice = saving::told(&query.unwrap_or_default(), true);
    page(&Api::new(&deps.api, &headers), &visit, Shown { notice, ..Shown::default() }).await
}

async fn page(api: &Api<'_>, visit: &Visit, shown: Shown) -> Result<Response, Failure> {
    let current = saving::current(api).await?;
    let built = Built {
        version: current.version,
        settings: &current.value,
        typed: shown.typed.as_ref(),
        wrong: &shown.wrong,
        preview: shown.preview,
    };
    Ok(html::page(shown.status, &ScorePage::build(visit.chrome(), shown.notice, built)))
}

/// `POST /settings`: distributes the weights evenly, shows what would change, or saves.
pub async fn send(
    State(deps): State<Deps>,
    visit: Visit,
    headers: HeaderMap,
    Sent(mut typed): Sent<Typed>,
) -> Result<Response, Failure> {
    let api = Api::new(&deps.api, &headers);
    if typed.text("act") == "even" {
        for (weight, third) in WEIGHTS.into_iter().zip(EVEN) {
            typed.put(weight, third);
        }
        return page(&api, &visit, Shown { typed: Some(typed), ..Shown::default() }).await;
    }
    let current = saving::current(&api).await?;
    let mut draft = match fields::draft(&GROUPS, &current.value, &typed) {
        Ok(draft) => draft,
        Err(wrong) => {
            return page(&api, &visit, refused(StatusCode::UNPROCESSABLE_ENTITY, wrong, typed)).await;
        }
    };
    let note = typed.text("note").trim();
    draft.insert("note".to_owned(), note.into());
    let draft = Value::Object(draft);
    match typed.text("act") {
        "preview" => match preview(&deps, &api, &visit.workspace, &draft).await? {
            Ok(preview) => {
                let shown = Shown { typed: Some(typed), preview: Some(preview), ..Shown::default() };
                page(&api, &visit, shown).await
            }
            Err(refusal) => page(&api, &visit, of_refusal(refusal, typed)).await,
        },
        "save" => match saving::save(&api, &draft, typed.text("seen"), PAGE).await? {
            Ok(saved) => Ok(saved),
            Err(Unsaved::Outdated(notice)) => {
                let (status, notice) = (StatusCode::CONFLICT, Some(notice));
                page(&api, &visit, Shown { status, notice, typed: Some(typed), ..Shown::default() }).await
            }
            Err(Unsaved::Refused(refusal)) => page(&api, &visit, of_refusal(refusal, typed)).await,
        },
        _ => Ok(unreadable()),
    }
}

fn of_refusal(refusal: Refusal, typed: Typed) -> Shown {
    if refusal.errors.is_empty() {
        let notice = Some(Notice::problem(refusal.sentences()));
        return Shown { status: refusal.status, notice, typed: Some(typed), ..Shown::default() };
    }
    refused(refusal.status, refusal.errors, typed)
}

fn refused(status: StatusCode, wrong: Vec<WrongField>, typed: Typed) -> Shown {
    let notice = Some(Notice::problem(fields::sentences(&GROUPS, &wrong)));
    Shown { status, notice, typed: Some(typed), wrong, preview: None }
}

/// What a draft would have changed, or why it can't be tried.
pub async fn preview(
    deps: &Deps,
    api: &Api<'_>,
    workspace: &WorkspaceId,
    draft: &Value,
) -> Result<Result<Preview, Refusal>, Failure> {
    let answer = match api.change(Method::POST, "/v1/settings/what-if", draft).await? {
        Ok(answer) => answer,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let answer = Answer::deserialize(answer).map_err(|error| {
        tracing::error!(error = %Chain(&error), "the API's answer can't be read");
        Problem::internal()
    })?;
    let mut names = Names::default();
    naming::companies(&deps.table, workspace, answer.companies(), &mut names).await?;
    Ok(Ok(Preview::build(&answer, &names)))
}
