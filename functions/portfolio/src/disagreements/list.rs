//! `GET /v1/disagreements`: which companies' readings contradict each other.

use axum::extract::State;
use barometer_cloud::http::{Json, Problem};
use barometer_domain::disagreement::Disagreement;
use http::Uri;

use super::DisagreementView;
use crate::{Deps, caller::Reader, cases, paging::Page};

/// The workspace's disagreements, the latest first.
pub async fn list(
    State(deps): State<Deps>,
    Reader(caller): Reader,
    uri: Uri,
) -> Result<Json<Page<DisagreementView>>, Problem> {
    let view = |case| DisagreementView::from(case);
    Ok(Json(cases::list::<Disagreement, _>(&deps.table, &caller.workspace, &uri, view).await?))
}
