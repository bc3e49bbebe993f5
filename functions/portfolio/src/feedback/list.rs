//! `GET /v1/feedback`: the inbox.

use axum::extract::State;
use barometer_cloud::{
    Table,
    http::{Json, Problem},
    table::answers::Answer,
};
use barometer_domain::{CompanyId, Percent, WorkspaceId};
use chrono::{DateTime, NaiveDate, Utc};
use http::Uri;

use super::AnswerView;
use crate::{
    Deps,
    caller::Reader,
    paging::{self, Page},
    params::{Params, no_company, wrong},
};

/// Answers of a page when the caller says nothing.
const LIMIT: usize = 50;
/// Answers that one request looks at, however few of them fit: the page then ends early, with a cursor.
const LOOKED_AT: usize = 1_000;
/// Answers read at a time.
const STEP: i32 = 100;
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
        let from = params.text("from").map(instant).transpose()?;
        Ok(Self { max_rating: max_rating.map(|most| Percent::whole(most * 10)), from, company })
    }

    fn fits(&self, company: &CompanyId, answer: &Answer) -> bool {
        self.max_rating.is_none_or(|most| answer.rating.value() <= most)
            && self.company.as_ref().is_none_or(|wanted| wanted == company)
            && !self.is_before(answer)
    }

    fn is_before(&self, answer: &Answer) -> bool {
        self.from.is_some_and(|from| answer.at < from)
    }
}

/// An instant, or the beginning of a day in UTC.
fn instant(text: &str) -> Result<DateTime<Utc>, Problem> {
    let day = || Some(text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0)?.and_utc());
    let read = text.parse::<DateTime<Utc>>().ok().or_else(day);
    read.ok_or_else(|| wrong("from", "an instant such as 2026-10-01T00:00:00Z, or a date".to_owned()))
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
    let after: Option<String> = paging::position(&params, ORDER)?;
    Ok(Json(page(&deps.table, &caller.workspace, &filter, after, limit).await?))
}

async fn page(
    table: &Table,
    workspace: &WorkspaceId,
    filter: &Filter,
    mut after: Option<String>,
    limit: usize,
) -> Result<Page<AnswerView>, Problem> {
    let (mut items, mut looked_at) = (Vec::new(), 0);
    while looked_at < LOOKED_AT {
        let found = table.inbox(workspace, after.as_deref(), STEP).await?;
        if found.is_empty() {
            return Ok(Page { items, next_cursor: None });
        }
        for (listed, company, answer) in found {
            if filter.is_before(&answer) {
                return Ok(Page { items, next_cursor: None });
            }
            looked_at += 1;
            if filter.fits(&company, &answer) {
                // One more than the page tells that there is another.
                if items.len() == limit {
                    return Ok(Page { items, next_cursor: Some(paging::cursor(ORDER, after)?) });
                }
                items.push(AnswerView::new(company, answer));
            }
            after = Some(listed);
        }
    }
    Ok(Page { items, next_cursor: Some(paging::cursor(ORDER, after)?) })
}
