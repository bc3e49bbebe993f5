//! What a draft of the settings would have changed, as a table.

use std::{cmp::Reverse, collections::BTreeSet};

use barometer_domain::{
    CompanyId, IsoWeek,
    band::Standing,
    tally::{Change, Distribution, Move, Scored},
};
use serde::Deserialize;

use super::companies;
use crate::{
    api::segment,
    view::{
        names::Names,
        words::{self, Mark},
    },
};

/// Companies that the table names at most.
const NAMED: usize = 40;

/// The API's answer, as far as a page says it.
#[derive(Debug, Clone, Deserialize)]
pub struct Answer {
    companies_total: usize,
    companies_sampled: usize,
    companies: u32,
    changed: u32,
    changed_in_any_week: u32,
    not_applied: Vec<String>,
    weeks: Vec<Week>,
    moves: Vec<Move>,
    changes: Vec<Change>,
}

impl Answer {
    /// The companies that the table names.
    pub fn companies(&self) -> BTreeSet<CompanyId> {
        self.foremost().into_iter().map(|change| change.company_id.clone()).collect()
    }

    /// Those whose score changes most, the largest change first.
    fn foremost(&self) -> Vec<&Change> {
        let mut changes: Vec<&Change> = self.changes.iter().collect();
        changes.sort_by_key(|change| Reverse(difference(change).map_or(0, i32::abs)));
        changes.truncate(NAMED);
        changes
    }
}

#[derive(Debug, Clone, Deserialize)]
struct Week {
    week: IsoWeek,
    before: Distribution,
    after: Distribution,
}

/// A company that would stand elsewhere.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Its page.
    pub href: String,
    /// Where it stands.
    pub from: Mark,
    /// With which score.
    pub score: String,
    /// Where it would stand.
    pub to: Mark,
    /// With which score.
    pub would: String,
    /// By how many points that is another.
    pub by: String,
}

/// How many companies stand in a band, and would.
#[derive(Debug, Clone)]
pub struct Band {
    /// The band.
    pub mark: Mark,
    /// Now.
    pub now: u32,
    /// Under the draft.
    pub then: u32,
}

/// What the page says about a draft.
#[derive(Debug, Clone)]
pub struct Preview {
    /// In one sentence.
    pub sum: String,
    /// What else is to know.
    pub notes: Vec<String>,
    /// The bands.
    pub bands: Vec<Band>,
    /// From where to where, and how many.
    pub moves: Vec<String>,
    /// The companies, those that change most first.
    pub rows: Vec<Row>,
    /// Those that aren't named.
    pub more: usize,
}

impl Preview {
    /// Says what the API answered. `names` are those of [`Answer::companies`].
    pub fn build(answer: &Answer, names: &Names) -> Self {
        let week = answer.weeks.last();
        let of = companies(answer.companies);
        let sum = match week {
            None => "No week has been scored yet, so there is nothing to compare with.".to_owned(),
            Some(Week { week, .. }) if answer.changed == 0 => {
                format!("None of {of} would have stood in another band in {week}.")
            }
            Some(Week { week, .. }) => {
                format!("{} of {of} would have stood in another band in {week}.", answer.changed)
            }
        };
        Self {
            sum,
            notes: notes(
                answer.companies_total,
                answer.companies_sampled,
                answer.changed_in_any_week,
                &answer.not_applied,
            ),
            bands: week.map(bands).unwrap_or_default(),
            moves: answer.moves.iter().map(told).collect(),
            rows: answer.foremost().into_iter().map(|change| row(change, names)).collect(),
            more: answer.changes.len().saturating_sub(NAMED),
        }
    }
}

fn notes(total: usize, sampled: usize, any_week: u32, not_applied: &[String]) -> Vec<String> {
    let mut notes = Vec::new();
    if any_week > 0 {
        notes.push(format!(
            "{} would have done so in at least one of the last 26 weeks.",
            companies(any_week)
        ));
    }
    if sampled < total {
        notes.push(format!("This is a sample: {sampled} of {total} companies were looked at."));
    }
    if !not_applied.is_empty() {
        let fields: Vec<String> = not_applied.iter().map(|field| field.replace('_', " ")).collect();
        notes.push(format!(
            "Left out, because the past can’t show it: {}. It counts in weeks to come.",
            fields.join(", ")
        ));
    }
    notes
}

fn bands(week: &Week) -> Vec<Band> {
    let (now, then) = (week.before.standings, week.after.standings);
    [
        (Standing::Thriving, now.thriving, then.thriving),
        (Standing::Healthy, now.healthy, then.healthy),
        (Standing::Steady, now.steady, then.steady),
        (Standing::AtRisk, now.at_risk, then.at_risk),
        (Standing::Onboarding, now.onboarding, then.onboarding),
        (Standing::Insufficient, now.insufficient, then.insufficient),
    ]
    .into_iter()
    .filter(|(standing, now, then)| standing.band().is_some() || now + then > 0)
    .map(|(standing, now, then)| Band { mark: words::standing(standing), now, then })
    .collect()
}

fn told(step: &Move) -> String {
    format!("{} {} → {}", step.companies, step.from.label(), step.to.label())
}

/// What the score would be beside what it is, in basis points.
fn difference(change: &Change) -> Option<i32> {
    let points = |scored: &Scored| scored.score.map(|score| i32::from(score.basis_points()));
    Some(points(&change.to)? - points(&change.from)?)
}

fn row(change: &Change, names: &Names) -> Row {
    let shown = |scored: &Scored| scored.score.map_or_else(|| "–".to_owned(), words::number);
    let by = match difference(change) {
        None => "–".to_owned(),
        Some(0) => "±0".to_owned(),
        Some(points) => {
            let size = points.unsigned_abs();
            format!("{}{}.{:02}", if points > 0 { "+" } else { "−" }, size / 100, size % 100)
        }
    };
    let id = change.company_id.as_str();
    Row {
        name: names.whose(&change.company_id).name,
        href: format!("/companies/{}", segment(id)),
        from: words::standing(change.from.band),
        score: shown(&change.from),
        to: words::standing(change.to.band),
        would: shown(&change.to),
        by,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn preview(changes: &Value) -> Preview {
        let standings = json!({
            "thriving": 0, "healthy": 2, "steady": 1, "at_risk": 0, "onboarding": 0, "insufficient": 0,
        });
        let side = json!({ "standings": standings, "mean": 58.68 });
        let answer = json!({
            "settings_version": 1, "companies_total": 9, "companies_sampled": 3, "companies": 3,
            "changed": changes.as_array().unwrap().len(), "changed_in_any_week": 2, "weeks_left_as_stored": 0,
            "not_applied": ["time_zone"], "weeks": [{ "week": "2026-W36", "before": side, "after": side }],
            "moves": [{ "from": "healthy", "to": "steady", "companies": 1 }], "changes": changes,
        });
        let mut names = Names::default();
        names.add_company(CompanyId::new("a b").unwrap(), "A & B".to_owned());
        Preview::build(&serde_json::from_value(answer).unwrap(), &names)
    }

    #[test]
    fn who_changes_most_stands_first() {
        let changes = json!([
            { "company_id": "a b", "from": { "band": "healthy", "score": 55.21 }, "to": { "band": "steady", "score": 50 } },
            { "company_id": "c", "from": { "band": "steady", "score": 30 }, "to": { "band": "healthy", "score": 60.5 } },
            { "company_id": "d", "from": { "band": "steady", "score": 30 }, "to": { "band": "insufficient", "score": null } },
        ]);
        let preview = preview(&changes);
        let rows: Vec<_> = preview.rows.iter().map(|row| (row.name.as_str(), row.by.as_str())).collect();
        assert_eq!(rows, [("c", "+30.50"), ("A & B", "−5.21"), ("d", "–")]);
        assert_eq!(preview.rows[1].href, "/companies/a%20b");
        assert_eq!(preview.sum, "3 of 3 companies would have stood in another band in 2026-W36.");
        assert_eq!(preview.moves, ["1 Healthy → Steady"]);
        assert_eq!(preview.bands.len(), 4, "bands always, the others where somebody stands there");
        assert_eq!(preview.notes.len(), 3);
    }

    #[test]
    fn a_long_list_is_cut_and_says_so() {
        let change = json!({ "company_id": "c", "from": { "band": "steady", "score": 30 }, "to": { "band": "healthy", "score": 60 } });
        let preview = preview(&Value::Array(vec![change; NAMED + 7]));
        assert_eq!((preview.rows.len(), preview.more), (NAMED, 7));
    }
}
