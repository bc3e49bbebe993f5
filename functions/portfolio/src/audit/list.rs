//! `GET /v1/audit`: who changed what.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use barometer_cloud::{
    http::{Json, Problem},
    table::audit::Entry,
};
use http::{HeaderMap, HeaderValue, Uri, header};

use super::{EntryView, Filter, export, known};
use crate::{
    Deps, accept,
    caller::Admin,
    paging::{self, Fit, Page},
    params::Params,
};

/// Entries of a page when the caller says nothing.
const LIMIT: usize = 50;

/// What a cursor belongs to.
const ORDER: &str = "audit";

/// The workspace's entries, the newest first. Parameters: `from` and `to` (instants or days; the last 90 days unless
/// said, at most five years), `by`, `action`, `subject` (`kind:id`), `limit`, `cursor`. A client that prefers
/// `application/x-ndjson` or `text/csv` gets the [export](export).
pub async fn list(
    State(deps): State<Deps>,
    Admin(caller): Admin,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut response = if accept::prefers(&headers, "application/x-ndjson") {
        export::ndjson(State(deps), Admin(caller), uri).await?
    } else if accept::prefers(&headers, "text/csv") {
        export::csv(State(deps), Admin(caller), uri).await?
    } else {
        let params = Params::read(&uri, &known(&["limit", "cursor"]))?;
        let (filter, limit) = (Filter::read(&params, deps.clock.now())?, paging::limit(&params, LIMIT)?);
        let fits = |entry: &Entry| if filter.fits(entry) { Fit::Yes } else { Fit::No };
        let read = |after: Option<String>| {
            let (table, workspace, span) = (deps.table.clone(), caller.workspace.clone(), filter.span);
            async move {
                let step = usize::try_from(paging::STEP).unwrap_or(usize::MAX);
                let found = table.audit(&workspace, span, after.as_deref(), true, step).await?;
                Ok(found.into_iter().map(|entry| (entry.place(), entry)).collect())
            }
        };
        let Page { items, next_cursor } =
            paging::sift(paging::position(&params, ORDER)?, limit, ORDER, read, fits).await?;
        Json(Page { items: items.into_iter().map(EntryView::from).collect(), next_cursor }).into_response()
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
    Ok(response)
}
