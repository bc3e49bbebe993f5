//! `GET /settings/versions`: every save of the settings.

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use http::{HeaderMap, StatusCode};

use super::saving::Versions;
use crate::{
    Deps,
    address::parameter,
    api::{Api, segment},
    html::{self, Failure},
    pages::Visit,
    view::{Scene, settings::versions::VersionsPage},
};

/// Versions of a page.
const LIMIT: usize = 10;

/// The page.
pub async fn show(
    State(deps): State<Deps>,
    visit: Visit,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let api = Api::new(&deps.api, &headers);
    let query = query.unwrap_or_default();
    let cursor = parameter(&query, "cursor").unwrap_or_default();
    let cursor = segment(&cursor);
    let found = api.ask::<Versions>(&format!("/v1/settings/versions?limit={LIMIT}&cursor={cursor}")).await?;
    let Versions { items, next_cursor } = match found {
        Ok(found) => found,
        Err(refusal) => return Ok(html::refused(&refusal, "/settings/versions")),
    };
    let next = next_cursor.map(|cursor| segment(&cursor).to_string());
    // What the last of the page changed shows beside the first of the next.
    let before = match &next {
        Some(next) => {
            api.get::<Versions>(&format!("/v1/settings/versions?limit=1&cursor={next}")).await?.items
        }
        None => Vec::new(),
    };
    let next = next.map(|next| format!("/settings/versions?cursor={next}"));
    let scene = Scene { settings: &visit.settings, now: deps.clock.now() };
    Ok(html::page(StatusCode::OK, &VersionsPage::build(visit.chrome(), &items, before.first(), next, scene)))
}
