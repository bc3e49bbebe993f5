//! CSV files (RFC 4180): header row, CRLF, quotes where needed, empty cells for what is unknown.

use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use http::{HeaderName, HeaderValue, header};

/// One cell.
pub enum Cell {
    /// Words, which a spreadsheet must not take for a formula.
    Text(String),
    /// A number of ours, which may be negative.
    Number(String),
}

/// Words in a cell.
pub fn text(value: impl ToString) -> Option<Cell> {
    Some(Cell::Text(value.to_string()))
}

/// An instant in a cell.
pub fn instant(at: DateTime<Utc>) -> Option<Cell> {
    text(at.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// Adds a line to a file.
pub fn line(file: &mut String, cells: impl IntoIterator<Item = Option<Cell>>) {
    let cells: Vec<String> = cells.into_iter().map(|cell| cell.map_or(String::new(), escape)).collect();
    file.push_str(&cells.join(","));
    file.push_str("\r\n");
}

/// A file as an answer.
pub fn file(name: &'static str, text: String) -> Response {
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{name}\""));
    let headers: [(HeaderName, HeaderValue); 2] = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8; header=present")),
        (header::CONTENT_DISPOSITION, disposition.unwrap_or_else(|_| HeaderValue::from_static("attachment"))),
    ];
    (headers, text).into_response()
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
