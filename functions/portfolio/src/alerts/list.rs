//! `GET /v1/alerts`: what needs somebody, or did.

use axum::extract::State;
use barometer_cloud::http::{Json, Problem};
use barometer_domain::alert::Alert;
use http::Uri;

use super::AlertView;
use crate::{Deps, caller::Reader, cases, paging::Page};

/// The workspace's alerts, the latest first.
pub async fn list(
    State(deps): State<Deps>,
    Reader(caller): Reader,
    uri: Uri,
) -> Result<Json<Page<AlertView>>, Problem> {
    let view = |case| AlertView::from(case);
    Ok(Json(cases::list::<Alert, _>(&deps.table, &caller.workspace, &uri, view).await?))
}
