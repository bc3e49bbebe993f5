//! The feature catalogue: chosen from what events brought, tried out, and saved.

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use barometer_cloud::{features, http::Problem, lambda::Chain};
use barometer_domain::catalogue::Feature;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    saving::{self, Unsaved},
    score::preview,
    typed::Typed,
};
use crate::{
    Deps,
    address::parameter,
    api::{Api, Refusal},
    form::{Sent, unreadable},
    html::{self, Failure},
    notice::Notice,
    pages::Visit,
    view::settings::{
        catalogue::{self, Built, CataloguePage},
        what_if::Preview,
    },
};

const PAGE: &str = "/settings/catalogue";

/// What is to be shown beside the form.
#[derive(Default)]
struct Shown {
    status: StatusCode,
    notice: Option<Notice>,
    from: usize,
    typed: Option<Typed>,
    preview: Option<Preview>,
}

/// `GET /settings/catalogue`; `from` is the first row.
pub async fn show(
    State(deps): State<Deps>,
    visit: Visit,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let query = query.unwrap_or_default();
    let from = parameter(&query, "from").and_then(|from| from.parse().ok()).unwrap_or(0);
    let notice = saving::told(&query, true);
    page(&deps, &headers, &visit, Shown { notice, from, ..Shown::default() }).await
}

async fn page(deps: &Deps, headers: &HeaderMap, visit: &Visit, shown: Shown) -> Result<Response, Failure> {
    let current = saving::current(&Api::new(&deps.api, headers)).await?;
    let catalogue = current.value.get("catalogue").unwrap_or(&Value::Null);
    let catalogue = Option::<Vec<Feature>>::deserialize(catalogue).map_err(|error| {
        tracing::error!(error = %Chain(&error), "the API's catalogue can't be read");
        Problem::internal()
    })?;
    let companies = deps.table.companies(&visit.workspace).await?;
    let seen = features::seen(&deps.table, &visit.workspace, companies, deps.clock.now()).await?;
    let built = Built {
        version: current.version,
        catalogue: catalogue.as_deref(),
        seen: &seen,
        from: shown.from,
        typed: shown.typed.as_ref(),
        preview: shown.preview,
    };
    Ok(html::page(shown.status, &CataloguePage::build(visit.chrome(), shown.notice, built)))
}

/// `POST /settings/catalogue`: shows what would change, or saves.
pub async fn send(
    State(deps): State<Deps>,
    visit: Visit,
    headers: HeaderMap,
    Sent(typed): Sent<Typed>,
) -> Result<Response, Failure> {
    let api = Api::new(&deps.api, &headers);
    let from = typed.text("from").parse().unwrap_or(0);
    let refuse = |status, lines: Vec<String>, typed: Typed| {
        let notice = Some(Notice::problem(lines));
        let shown = Shown { status, notice, from, typed: Some(typed), preview: None };
        page(&deps, &headers, &visit, shown)
    };
    let current = saving::current(&api).await?;
    let catalogue = current.value.get("catalogue").unwrap_or(&Value::Null);
    let catalogue = match catalogue::draft(catalogue, &typed) {
        Ok(catalogue) => catalogue,
        Err(wrong) => return refuse(StatusCode::UNPROCESSABLE_ENTITY, wrong, typed).await,
    };
    let draft = json!({ "catalogue": catalogue, "note": typed.text("note").trim() });
    let lines = |refusal: &Refusal| match refusal.errors.as_slice() {
        [] => refusal.sentences(),
        wrong => catalogue::sentences(&draft, wrong),
    };
    match typed.text("act") {
        "preview" => match preview(&deps, &api, &visit.workspace, &draft).await? {
            Ok(preview) => {
                let shown = Shown { from, typed: Some(typed), preview: Some(preview), ..Shown::default() };
                page(&deps, &headers, &visit, shown).await
            }
            Err(refusal) => refuse(refusal.status, lines(&refusal), typed).await,
        },
        "save" => match saving::save(&api, &draft, typed.text("seen"), PAGE).await? {
            Ok(saved) => Ok(saved),
            Err(Unsaved::Outdated(notice)) => refuse(StatusCode::CONFLICT, notice.lines, typed).await,
            Err(Unsaved::Refused(refusal)) => refuse(refusal.status, lines(&refusal), typed).await,
        },
        _ => Ok(unreadable()),
    }
}
