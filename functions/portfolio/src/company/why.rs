//! `GET /v1/companies/{company_id}/why`: why the score changed from one week or month to another.

use axum::extract::State;
use barometer_cloud::{
    http::{Json, Problem},
    why::{self, Explained},
};
use barometer_domain::{IsoWeek, Month};
use http::Uri;

use super::range::Period;
use crate::{
    Deps,
    caller::Reader,
    params::{CompanyPath, Params, no_company, wrong},
};

/// The exact decomposition of the change and its sentence, from the latest revisions.
///
/// `from` and `to` are both weeks or both months. Without `to`, the latest one that was scored is explained; without
/// `from`, it is compared with the one before it. Errors: 404 that names the week or month of which there is no
/// snapshot.
pub async fn why(
    State(deps): State<Deps>,
    Reader(caller): Reader,
    CompanyPath(id): CompanyPath,
    uri: Uri,
) -> Result<Json<Explained>, Problem> {
    let params = Params::read(&uri, &["from", "to"])?;
    let (table, workspace) = (&deps.table, &caller.workspace);
    let company = table.company(workspace, &id).await?.ok_or_else(no_company)?;
    let explained = if of_months(&params) {
        let (from, to): (Month, _) = sides(&params, company.month.map(|score| score.month))?;
        why::months(table, workspace, &id, from, to).await?
    } else {
        let (from, to): (IsoWeek, _) = sides(&params, company.engagement.map(|score| score.week))?;
        why::weeks(table, workspace, &id, from, to).await?
    };
    Ok(Json(explained))
}

/// Whether months are compared: weeks are unless one is given.
fn of_months(params: &Params) -> bool {
    ["from", "to"].iter().filter_map(|name| params.text(name)).any(|text| text.parse::<Month>().is_ok())
}

/// The two periods that are compared; `latest` is the last that was scored. Errors: 400 for what isn't such a period,
/// and unless `from` lies before `to`; 404 when there is no latest one.
fn sides<P: Period>(params: &Params, latest: Option<P>) -> Result<(P, P), Problem> {
    let (from, to): (Option<P>, Option<P>) = (params.parse("from")?, params.parse("to")?);
    let nothing = || Problem::not_found("nothing of this company has been scored yet");
    let to = to.or(latest).ok_or_else(nothing)?;
    let from = from.unwrap_or_else(|| to.back(1));
    if from >= to {
        return Err(wrong("from", "must lie before to".to_owned()));
    }
    Ok((from, to))
}
