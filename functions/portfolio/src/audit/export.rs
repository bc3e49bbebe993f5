//! `GET /v1/audit.ndjson` and `/v1/audit.csv`: the audit as a file, in the order in which it happened.
//!
//! A file that passes [`LARGEST`] ends there, with room for one more entry (that has at most two sides of 64 KB), and
//! `Link: <…>; rel="next"` leads to the rest.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use barometer_cloud::{
    StoreError,
    http::{Problem, auth::Caller},
    table::{audit::Entry, instant_key},
};
use http::{HeaderValue, Uri, header};

use super::{EntryView, Filter, known};
use crate::{
    Deps,
    caller::Admin,
    csv::{self, Cell, instant, text},
    link::{LARGEST, linked},
    paging,
    params::Params,
};

/// Entries that are read at a time.
const STEP: usize = 500;

/// Entries that one answer looks at, however few of them are wanted: reading them takes seconds.
const LOOKED_AT: usize = 50_000;

/// What a cursor belongs to.
const ORDER: &str = "audit export";

/// All entries of the range, one JSON object a line.
pub async fn ndjson(State(deps): State<Deps>, Admin(caller): Admin, uri: Uri) -> Result<Response, Problem> {
    let write = |file: &mut String, entry: Entry| {
        file.push_str(&serde_json::to_string(&EntryView::from(entry)).map_err(StoreError::from)?);
        file.push('\n');
        Ok(())
    };
    let (file, next) = read(&deps, &caller, &uri, write).await?;
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    Ok(linked(([kind], file).into_response(), next))
}

/// All entries of the range as CSV; what changed stands as JSON in two cells.
pub async fn csv(State(deps): State<Deps>, Admin(caller): Admin, uri: Uri) -> Result<Response, Problem> {
    let (lines, next) = read(&deps, &caller, &uri, |file, entry| {
        csv::line(file, cells(&entry));
        Ok(())
    })
    .await?;
    let mut file = String::new();
    csv::line(&mut file, COLUMNS.map(text));
    file.push_str(&lines);
    Ok(linked(csv::file("audit.csv", file), next))
}

const COLUMNS: [&str; 9] =
    ["at", "by", "action", "subject_kind", "subject_id", "company_id", "from", "to", "id"];

fn cells(entry: &Entry) -> [Option<Cell>; 9] {
    let action = serde_json::to_value(entry.action).ok();
    [
        instant(entry.at),
        text(&entry.by),
        text(action.as_ref().and_then(|action| action.as_str()).unwrap_or_default()),
        text(&entry.subject.kind),
        text(&entry.subject.id),
        entry.company_id.as_ref().and_then(text),
        Some(&entry.from).filter(|from| !from.is_null()).and_then(text),
        Some(&entry.to).filter(|to| !to.is_null()).and_then(text),
        text(&entry.id),
    ]
}

/// The entries that are wanted, as `write` writes them, and where the rest is.
async fn read(
    deps: &Deps,
    caller: &Caller,
    uri: &Uri,
    write: impl Fn(&mut String, Entry) -> Result<(), Problem>,
) -> Result<(String, Option<String>), Problem> {
    let params = Params::read(uri, &known(&["cursor"]))?;
    let filter = Filter::read(&params, deps.clock.now())?;
    let mut after: Option<String> = paging::position(&params, ORDER)?;
    let (mut file, mut looked_at) = (String::new(), 0);
    loop {
        let found = deps.table.audit(&caller.workspace, filter.span, after.as_deref(), false, STEP).await?;
        if found.is_empty() {
            return Ok((file, None));
        }
        for entry in found {
            if file.len() >= LARGEST || looked_at >= LOOKED_AT {
                return Ok((file, Some(next(uri, &params, &filter, &paging::cursor(ORDER, after)?))));
            }
            looked_at += 1;
            after = Some(entry.place());
            if filter.fits(&entry) {
                write(&mut file, entry)?;
            }
        }
    }
}

/// The path to the rest. It names the span as it was read, so that the end doesn't move with the clock.
fn next(uri: &Uri, params: &Params, filter: &Filter, cursor: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for name in ["by", "action", "subject"] {
        if let Some(value) = params.text(name) {
            query.append_pair(name, value);
        }
    }
    query.append_pair("from", &instant_key(filter.span.from));
    query.append_pair("to", &instant_key(filter.span.to));
    query.append_pair("cursor", cursor);
    format!("{}?{}", uri.path(), query.finish())
}
