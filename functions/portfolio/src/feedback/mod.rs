//! The inbox: what users answered.

pub mod list;
pub mod void;

use axum::extract::{FromRequestParts, Path};
use barometer_cloud::{
    http::Problem,
    table::answers::{Answer, Place, Source, Void},
};
use barometer_domain::{CompanyId, Percent, UserId, answer::Rating};
use chrono::{DateTime, Utc};
use http::request::Parts;
use serde::Serialize;

/// An answer as the API shows it.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct AnswerView {
    id: String,
    company_id: CompanyId,
    user_id: UserId,
    #[serde(flatten)]
    rating: Rating,
    /// The rating as a percentage.
    value: Percent,
    /// 9 or 10 of 10: somebody for a case study or a referral.
    advocate: bool,
    /// 6 of 10 or less.
    detractor: bool,
    comment: Option<String>,
    at: DateTime<Utc>,
    source: Source,
    /// Who voided it and why; a void answer doesn't count.
    void: Option<Void>,
}

impl AnswerView {
    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// An answer of a company's user.
    pub fn new(company: CompanyId, answer: Answer) -> Self {
        Self {
            id: Place::of(&company, &answer).id(),
            company_id: company,
            user_id: answer.user_id,
            rating: answer.rating,
            value: answer.rating.value(),
            advocate: answer.rating.is_promoter(),
            detractor: answer.rating.is_detractor(),
            comment: answer.comment,
            at: answer.at,
            source: answer.source,
            void: answer.void,
        }
    }
}

/// The place that an id in the path names, checked against nothing yet.
pub struct AnswerPath(pub Place);

impl<S: Send + Sync> FromRequestParts<S> for AnswerPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id = Path::<String>::from_request_parts(parts, state).await.map_err(|_| no_answer())?;
        Place::parse(&id.0).map(Self).ok_or_else(no_answer)
    }
}

/// 404 for an answer that isn't there, or is another workspace's.
fn no_answer() -> Problem {
    Problem::not_found("there is no such answer")
}
