//! The stylesheets: inline in the pages, allowed by their hashes.

use std::sync::LazyLock;

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

static SHEET: LazyLock<String> = LazyLock::new(|| squeeze(include_str!("../templates/page.css")));

static COMPANY: LazyLock<String> = LazyLock::new(|| squeeze(include_str!("../templates/company.css")));

static SOURCES: LazyLock<String> = LazyLock::new(|| squeeze(include_str!("../templates/sources.css")));

static MAIL: LazyLock<String> = LazyLock::new(|| squeeze(include_str!("../templates/mail.css")));

static DAY: LazyLock<String> = LazyLock::new(|| squeeze(include_str!("../templates/day.css")));

static OVERVIEW: LazyLock<String> = LazyLock::new(|| squeeze(include_str!("../templates/overview.css")));
static SETTINGS: LazyLock<String> =
    LazyLock::new(|| squeeze(include_str!("../templates/settings/settings.css")));

/// The stylesheet of every page.
pub fn sheet() -> &'static str {
    &SHEET
}

/// What the page of a company needs beyond it.
pub fn company_sheet() -> &'static str {
    &COMPANY
}

/// What the pages of sources need beyond it.
pub fn sources_sheet() -> &'static str {
    &SOURCES
}

/// What the page of mails needs beyond it.
pub fn mail_sheet() -> &'static str {
    &MAIL
}

/// What the pages of the day and of the inbox need beyond it.
pub fn day_sheet() -> &'static str {
    &DAY
}

/// What the overview needs beyond it.
pub fn overview_sheet() -> &'static str {
    &OVERVIEW
}

/// What the pages of settings need beyond it.
pub fn settings_sheet() -> &'static str {
    &SETTINGS
}

/// The `Content-Security-Policy` of every page: these stylesheets, scripts, frames and answers of ours, forms to
/// ourselves, and nothing else.
pub fn policy() -> String {
    let sheets = [
        sheet(),
        company_sheet(),
        sources_sheet(),
        mail_sheet(),
        day_sheet(),
        overview_sheet(),
        settings_sheet(),
    ]
    .map(|sheet| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(sheet))))
    .join(" ");
    format!(
        "default-src 'none'; style-src {sheets}; script-src 'self'; connect-src 'self'; img-src data:; frame-src 'self'; form-action 'self'; \
         frame-ancestors 'none'; base-uri 'none'"
    )
}

/// Drops comments, indentation and the blanks that mean nothing, since every page carries the sheet.
fn squeeze(css: &str) -> String {
    let mut rest = css;
    let mut kept = String::with_capacity(css.len());
    while let Some((before, after)) = rest.split_once("/*") {
        kept.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    let lines: String = kept.lines().map(str::trim).collect();
    [(" {", "{"), ("{ ", "{"), (": ", ":"), ("; ", ";"), (", ", ","), (";}", "}"), (" }", "}")]
        .into_iter()
        .fold(lines, |css, (long, short)| css.replace(long, short))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squeezes_without_changing_meaning() {
        assert_eq!(squeeze("a b {\n  color: red;\n  margin: 0 1px;\n}\n/* why */\nc, d { top: 0 }"), {
            "a b{color:red;margin:0 1px}c,d{top:0}"
        });
        for sheet in [
            sheet(),
            company_sheet(),
            sources_sheet(),
            mail_sheet(),
            day_sheet(),
            overview_sheet(),
            settings_sheet(),
        ] {
            assert!(!sheet.contains("/*") && !sheet.contains("</"));
        }
    }

    #[test]
    fn the_policy_allows_the_sheets_and_our_own_script_and_nothing_inline() {
        let policy = policy();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
        assert!(!policy.contains("unsafe"));
        assert!(policy.contains("; script-src 'self'; connect-src 'self';"));
    }
}
