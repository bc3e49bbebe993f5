//! `GET /v1/feedback`: the inbox.

use axum::extract::State;
use barometer_cloud::{
    http::{Json, Problem},
    table::answers::Answer,
};
use barometer_domain::{CompanyId, Percent};
use chrono::{DateTime, Utc};
use http::Uri;

use super::AnswerView;
use crate::{
    Deps,
    caller::Reader,
    paging::{self, Fit, Page},
    params::{Params, no_company, wrong},
};

/// Answers of a page when the caller says nothing.
const LIMIT: usize = 50;
/// What a cursor belongs to.
const ORDER: &str = "feedback";

/// Which answers are wanted.
struct Filter {
    min_rating: Option<Percent>,
    max_rating: Option<Percent>,
    with_comment: bool,
    from: Option<DateTime<Utc>>,
    company: Option<CompanyId>,
}

impl Filter {
    fn read(params: &Params) -> Result<Self, Problem> {
        let with_comment = params.parse::<bool>("with_comment")?.unwrap_or_default();
        let company =
            params.text("company_id").map(|id| CompanyId::new(id).map_err(|_| no_company())).transpose()?;
        let from = params.instant("from", false)?;
        let (min_rating, max_rating) = (rating(params, "min_rating")?, rating(params, "max_rating")?);
        Ok(Self { min_rating, max_rating, with_comment, from, company })
    }

    fn fits(&self, company: &CompanyId, answer: &Answer) -> Fit {
        let value = answer.rating.value();
        let rated = self.min_rating.is_none_or(|least| value >= least)
            && self.max_rating.is_none_or(|most| value <= most);
        let said = !self.with_comment || answer.comment.as_ref().is_some_and(|it| !it.trim().is_empty());
        if self.from.is_some_and(|from| answer.at < from) {
            Fit::End
        } else if rated && said && self.company.as_ref().is_none_or(|wanted| wanted == company) {
            Fit::Yes
        } else {
            Fit::No
        }
    }
}

/// A rating on the scale from 0 to 10, as a percentage.
fn rating(params: &Params, name: &str) -> Result<Option<Percent>, Problem> {
    match params.parse::<u8>(name)? {
        Some(rating @ 0..=10) => Ok(Some(Percent::whole(rating * 10))),
        Some(_) => Err(wrong(name, "a whole number from 0 to 10".to_owned())),
        None => Ok(None),
    }
}

/// The latest answers of the workspace's users, the newest first, void ones among them. Parameters: `min_rating` and
/// `max_rating` (on the scale from 0 to 10), `with_comment`, `from`, `company_id`, `limit`, `cursor`.
pub async fn list(
    State(deps): State<Deps>,
    Reader(caller): Reader,
    uri: Uri,
) -> Result<Json<Page<AnswerView>>, Problem> {
    let known = ["min_rating", "max_rating", "with_comment", "from", "company_id", "limit", "cursor"];
    let params = Params::read(&uri, &known)?;
    let filter = Filter::read(&params)?;
    let limit = paging::limit(&params, LIMIT)?;
    let read = |after: Option<String>| {
        let (table, workspace) = (deps.table.clone(), caller.workspace.clone());
        async move {
            let found = table.inbox(&workspace, after.as_deref(), paging::STEP).await?;
            Ok(found.into_iter().map(|(listed, company, answer)| (listed, (company, answer))).collect())
        }
    };
    let Page { items, next_cursor } = paging::sift(
        paging::position(&params, ORDER)?,
        limit,
        ORDER,
        read,
        |(company, answer): &(CompanyId, Answer)| filter.fits(company, answer),
    )
    .await?;
    let items = items.into_iter().map(|(company, answer)| AnswerView::new(company, answer)).collect();
    Ok(Json(Page { items, next_cursor }))
}
