//! `GET /settings/audit`: who changed what. For admins, as in the API.

use std::collections::BTreeMap;

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use barometer_cloud::table::credentials::Scope;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::admins_only;
use crate::{
    Deps,
    api::{Api, segment, sentence},
    html::{self, Failure},
    notice::Notice,
    pages::Visit,
    view::{
        Scene,
        settings::audit::{AuditPage, Entry, FILTERS, Wanted},
    },
};

/// Entries of a page.
const LIMIT: usize = 30;

#[derive(Default, Deserialize)]
struct Audit {
    items: Vec<Entry>,
    next_cursor: Option<String>,
}

/// The page.
pub async fn show(
    State(deps): State<Deps>,
    visit: Visit,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    if visit.scope < Scope::Admin {
        return Ok(admins_only());
    }
    let query = query.unwrap_or_default();
    let said: BTreeMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let value = |name: &str| said.get(name).map(|value| value.trim().to_owned()).unwrap_or_default();
    let filters = FILTERS.map(value);
    let given = FILTERS.iter().zip(&filters).filter(|(_, value)| !value.is_empty());
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish();
    let cursor = value("cursor");
    let path = format!("/v1/audit?{query}&limit={LIMIT}&cursor={}", segment(&cursor));
    let (status, notice, audit) = match Api::new(&deps.api, &headers).ask::<Audit>(&path).await? {
        Ok(audit) => (StatusCode::OK, None, audit),
        Err(refusal) => {
            let sentences =
                refusal.errors.iter().map(|error| sentence(&format!("{}: {}", error.pointer, error.detail)));
            (refusal.status, Some(Notice::problem(sentences.collect())), Audit::default())
        }
    };
    let next = audit.next_cursor.map(|cursor| format!("/settings/audit?{query}&cursor={}", segment(&cursor)));
    let scene = Scene { settings: &visit.settings, now: deps.clock.now() };
    let wanted = Wanted { filters, query };
    Ok(html::page(status, &AuditPage::build(visit.chrome(), notice, audit.items, wanted, next, scene)))
}
