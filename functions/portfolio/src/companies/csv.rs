//! The portfolio as CSV (RFC 4180): header row, CRLF, quotes where needed, empty cells for what is unknown.

use axum::response::{IntoResponse, Response};
use barometer_cloud::views::CompanyView;
use barometer_domain::Percent;
use chrono::{DateTime, SecondsFormat, Utc};
use http::{HeaderName, HeaderValue, header};
use serde::Serialize;

/// One cell.
enum Cell {
    /// Words, which a spreadsheet must not take for a formula.
    Text(String),
    /// A number of ours, which may be negative.
    Number(String),
}

/// The companies as a file.
pub fn answer(companies: &[CompanyView]) -> Response {
    let headers: [(HeaderName, HeaderValue); 2] = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8; header=present")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"companies.csv\"")),
    ];
    (headers, write(companies)).into_response()
}

fn write(companies: &[CompanyView]) -> String {
    let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
    let mut text = names.join(",");
    text.push_str("\r\n");
    for company in companies {
        let cells: Vec<String> =
            COLUMNS.iter().map(|(_, cell)| cell(company).map_or(String::new(), escape)).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
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
    ("tags", |company| text(company.tags.iter().map(String::as_str).collect::<Vec<_>>().join("; "))),
];

fn text(value: impl ToString) -> Option<Cell> {
    Some(Cell::Text(value.to_string()))
}

fn number(value: impl ToString) -> Option<Cell> {
    Some(Cell::Number(value.to_string()))
}

fn percent(value: Percent) -> Option<Cell> {
    number(value.as_number())
}

fn instant(at: DateTime<Utc>) -> Option<Cell> {
    text(at.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// A value of an enumeration, by its name in JSON.
fn name(value: &impl Serialize) -> Option<Cell> {
    text(serde_json::to_value(value).ok()?.as_str()?)
}

fn escape(cell: Cell) -> String {
    let text = match cell {
        Cell::Number(number) => return number,
        Cell::Text(text) => text,
    };
    // A spreadsheet runs what looks like a formula; names come from outside.
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let text = if formula { format!("'{text}") } else { text };
    if text.contains([',', '"', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_and_never_a_formula() {
        let escaped = |text: &str| escape(Cell::Text(text.to_owned()));
        assert_eq!(escaped("Acme"), "Acme");
        assert_eq!(escaped("Acme, Inc."), "\"Acme, Inc.\"");
        assert_eq!(escaped("the \"best\""), "\"the \"\"best\"\"\"");
        assert_eq!(escaped("two\nlines"), "\"two\nlines\"");
        assert_eq!(escaped("=1+1"), "'=1+1");
        assert_eq!(escaped("+49"), "'+49");
        assert_eq!(escaped("-1"), "'-1");
        assert_eq!(escaped("@me"), "'@me");
        assert_eq!(escaped("\tx"), "'\tx");
        assert_eq!(escaped("\rx"), "\"'\rx\"");
        assert_eq!(escaped("=HYPERLINK(\"x\",1)"), "\"'=HYPERLINK(\"\"x\"\",1)\"");
    }

    #[test]
    fn a_negative_number_stays_a_number() {
        assert_eq!(escape(Cell::Number("-20".to_owned())), "-20");
    }
}
