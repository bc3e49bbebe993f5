//! The portfolio as CSV.

use axum::response::Response;
use barometer_cloud::views::CompanyView;
use barometer_domain::Percent;
use serde::Serialize;

use crate::csv::{self, Cell, instant, text};

/// The companies as a file.
pub fn answer(companies: &[CompanyView]) -> Response {
    let names = COLUMNS.iter().map(|(name, _)| Some(Cell::Text((*name).to_owned())));
    let rows = companies.iter().map(|company| COLUMNS.iter().map(|(_, cell)| cell(company)).collect());
    let mut text = String::new();
    for row in std::iter::once(names.collect::<Vec<_>>()).chain(rows) {
        csv::line(&mut text, row);
    }
    csv::file("companies.csv", text)
}

type Column = (&'static str, fn(&CompanyView) -> Option<Cell>);

const COLUMNS: &[Column] = &[
    ("company_id", |company| text(company.company_id.as_str())),
    ("name", |company| text(&company.name)),
    ("owner", |company| text(company.owner.as_ref()?)),
    ("plan", |company| text(company.plan.as_ref()?)),
    ("time_zone", |company| text(company.time_zone?)),
    ("language", |company| name(&company.language?)),
    ("created_at", |company| instant(company.created_at)),
    ("renewal_on", |company| text(company.renewal_on?)),
    ("notice_on", |company| text(company.notice_on?)),
    ("churned_on", |company| text(company.churned_on?)),
    ("business_status", |company| name(&company.business_status.as_ref()?.status.value)),
    ("business_status_note", |company| text(&company.business_status.as_ref()?.status.note)),
    ("business_status_author", |company| text(&company.business_status.as_ref()?.status.author)),
    ("business_status_set_at", |company| instant(company.business_status.as_ref()?.status.set_at)),
    ("business_status_review_by", |company| instant(company.business_status.as_ref()?.status.review_by)),
    ("business_status_stale", |company| text(company.business_status.as_ref()?.stale)),
    ("engagement_week", |company| text(company.engagement.as_ref()?.week)),
    ("engagement_score", |company| percent(company.engagement.as_ref()?.score?)),
    ("engagement_band", |company| name(&company.engagement.as_ref()?.band)),
    ("engagement_provisional", |company| text(company.engagement.as_ref()?.provisional)),
    ("engagement_coverage", |company| percent(company.engagement.as_ref()?.coverage)),
    ("engagement_confidence", |company| name(&company.engagement.as_ref()?.confidence)),
    ("login", |company| percent(company.engagement.as_ref()?.components.login.value?)),
    ("adoption", |company| percent(company.engagement.as_ref()?.components.adoption.value?)),
    ("feedback", |company| percent(company.engagement.as_ref()?.components.feedback.value?)),
    ("month", |company| text(company.engagement.as_ref()?.month)),
    ("month_score", |company| percent(company.engagement.as_ref()?.month_score?)),
    ("month_band", |company| name(&company.engagement.as_ref()?.month_band?)),
    ("happiness_score", |company| percent(company.happiness.score?)),
    ("happiness_level", |company| name(&company.happiness.level)),
    ("happiness_answers", |company| number(company.happiness.answers)),
    ("happiness_provisional", |company| text(company.happiness.provisional)),
    ("happiness_silent", |company| text(company.happiness.silent)),
    ("response_rate", |company| percent(company.happiness.response_rate?)),
    ("nps", |company| number(company.happiness.nps?.value)),
    ("nps_low", |company| number(company.happiness.nps?.low)),
    ("nps_high", |company| number(company.happiness.nps?.high)),
    ("quadrant", |company| name(&company.quadrant)),
    ("attention", |company| number(company.attention)),
    ("disagreement", |company| text(company.disagreement)),
    ("request_feedback", |company| text(company.request_feedback)),
    ("last_seen_at", |company| instant(company.last_seen_at?)),
    ("open_tasks", |company| number(company.open_tasks)),
    ("open_alerts", |company| number(company.open_alerts)),
    ("tags", |company| text(company.tags.iter().map(String::as_str).collect::<Vec<_>>().join("; "))),
];

fn number(value: impl ToString) -> Option<Cell> {
    Some(Cell::Number(value.to_string()))
}

fn percent(value: Percent) -> Option<Cell> {
    number(value.as_number())
}

/// A value of an enumeration, by its name in JSON.
fn name(value: &impl Serialize) -> Option<Cell> {
    text(serde_json::to_value(value).ok()?.as_str()?)
}
