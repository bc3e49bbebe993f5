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
    max_rating: Option<Percent>,
    from: Option<DateTime<Utc>>,
    company: Option<CompanyId>,
}

impl Filter {
    fn read(params: &Params) -> Result<Self, Problem> {
        let max_rating = params.parse::<u8>("max_rating")?;
        if max_rating.is_some_and(|most| most > 10) {
            return Err(wrong("max_rating", "a whole number from 0 to 10".to_owned()));
        }
        let company =
            params.text("company_id").map(|id| CompanyId::new(id).map_err(|_| no_company())).transpose()?;
        let from = params.instant("from", false)?;
        Ok(Self { max_rating: max_rating.map(|most| Percent::whole(most * 10)), from, company })
    }

    fn fits(&self, company: &CompanyId, answer: &Answer) -> Fit {
        let low = self.max_rating.is_none_or(|most| answer.rating.value() <= most);
        if self.from.is_some_and(|from| answer.at < from) {
            Fit::End
        } else if low && self.company.as_ref().is_none_or(|wanted| wanted == company) {
            Fit::Yes
        } else {
            Fit::No
        }
    }
}

/// The latest answers of the workspace's users, the newest first, void ones among them. Parameters: `max_rating` (on the
/// scale from 0 to 10), `from`, `company_id`, `limit`, `cursor`.
pub async fn list(
    State(deps): State<Deps>,
    Reader(caller): Reader,
    uri: Uri,
) -> Result<Json<Page<AnswerView>>, Problem> {
    let params = Params::read(&uri, &["max_rating", "from", "company_id", "limit", "cursor"])?;
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
