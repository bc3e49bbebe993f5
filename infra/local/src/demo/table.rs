//! What the terminal shows at the end.

use std::io::{self, Write};

use barometer_cloud::views::CompanyView;
use barometer_domain::band::Standing;

/// Rows shown of the hundred; the page has them all.
const ROWS: usize = 25;

/// Writes the portfolio, most urgent first, and what it counts.
///
/// # Errors
/// When standard output is closed.
pub fn write(out: &mut impl Write, companies: &[CompanyView]) -> io::Result<()> {
    writeln!(out)?;
    writeln!(
        out,
        "{:<20} {:<12} {:<19} {:>10}  {:<21} {:<17} OWNER",
        "COMPANY", "BUSINESS", "ENGAGEMENT", "CHANGE", "HAPPINESS", "QUADRANT"
    )?;
    for company in companies.iter().take(ROWS) {
        writeln!(
            out,
            "{:<20} {:<12} {:<19} {:>10}  {:<21} {:<17} {}",
            company.name,
            company.business_status.as_ref().map_or("–", |status| status.status.value.label()),
            engagement(company),
            change(company),
            happiness(company),
            company.quadrant.label(),
            company.owner.as_deref().unwrap_or("–"),
        )?;
    }
    writeln!(out, "… {} more on the page.", companies.len().saturating_sub(ROWS))?;
    writeln!(out)?;
    let count = |standing: Standing| {
        companies
            .iter()
            .filter(|company| company.engagement.as_ref().is_some_and(|reading| reading.band == standing))
            .count()
    };
    let counts: Vec<String> = [
        Standing::Thriving,
        Standing::Healthy,
        Standing::Steady,
        Standing::AtRisk,
        Standing::Onboarding,
        Standing::Insufficient,
    ]
    .into_iter()
    .map(|standing| format!("{} {}", count(standing), standing.label()))
    .collect();
    writeln!(out, "{} companies: {}", companies.len(), counts.join(", "))
}

fn engagement(company: &CompanyView) -> String {
    match &company.engagement {
        Some(reading) => match reading.shown {
            Some(shown) => format!("{shown:>3} {}", reading.band.label()),
            None => reading.band.label().to_owned(),
        },
        None => "not scored yet".to_owned(),
    }
}

/// Against the week before, in whole percents; nothing where either has no score.
fn change(company: &CompanyView) -> String {
    let scores = company.engagement.as_ref().map(|reading| reading.trend.as_slice()).unwrap_or_default();
    match scores {
        [.., before, last] => match (before.score, last.score) {
            (Some(before), Some(last)) => {
                let change = i16::from(last.shown()) - i16::from(before.shown());
                if change == 0 { "=".to_owned() } else { format!("{change:+}") }
            }
            _ => String::new(),
        },
        _ => String::new(),
    }
}

fn happiness(company: &CompanyView) -> String {
    let reading = &company.happiness;
    match reading.score {
        Some(score) => {
            let mark = if reading.provisional { "*" } else { "" };
            format!("{:>3} {}{mark} (n={})", score.shown(), reading.level.label(), reading.answers)
        }
        None if reading.silent => "silent".to_owned(),
        None => "–".to_owned(),
    }
}
