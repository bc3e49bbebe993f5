//! The feature catalogue: which names in events count as features, chosen from those that came.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use barometer_cloud::features::{SeenName, SeenNames};
use barometer_domain::{
    activity::{FeatureSource, Sighting},
    catalogue::Feature,
};
use serde_json::{Map, Value};

use super::what_if::Preview;
use crate::{
    api::{WrongField, sentence},
    notice::Notice,
    settings::Typed,
    view::chrome::Chrome,
};

/// Rows of a page.
pub const ROWS: usize = 50;

/// A name that counts as a feature, or could.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeatureRow {
    /// The feature's key; empty in the row for another one.
    pub key: String,
    /// Whether it counts.
    pub on: bool,
    /// The name as people read it.
    pub label: String,
    /// How much it counts.
    pub weight: String,
    /// The plans that include it, with commas between.
    pub plans: String,
    /// The names that mean it, when they aren't its key.
    pub means: String,
    /// Where and how widely it was seen.
    pub seen: String,
}

/// The page.
#[derive(Debug, Clone, Template)]
#[template(path = "settings/catalogue.html")]
pub struct CataloguePage {
    chrome: Chrome,
    notice: Option<Notice>,
    version: u32,
    /// Features of the catalogue; nothing before one is accepted.
    features: Option<usize>,
    rows: Vec<FeatureRow>,
    from: usize,
    total: usize,
    looked_at: usize,
    note: String,
    preview: Option<Preview>,
}

/// What the page is built from.
pub struct Built<'a> {
    /// The version that the visitor sees.
    pub version: u32,
    /// The catalogue, once there is one.
    pub catalogue: Option<&'a [Feature]>,
    /// What came.
    pub seen: &'a SeenNames,
    /// The first row of the page.
    pub from: usize,
    /// What was typed, if a form was sent.
    pub typed: Option<&'a Typed>,
    /// What it would change.
    pub preview: Option<Preview>,
}

impl CataloguePage {
    /// The page of the catalogue as it stands, or of what was typed.
    pub fn build(chrome: Chrome, notice: Option<Notice>, built: Built<'_>) -> Self {
        let Built { version, catalogue, seen, from, typed, preview } = built;
        let features = catalogue.unwrap_or_default();
        let all = rows(features, seen);
        let total = all.len();
        let rows = match typed {
            None => all.into_iter().skip(from).take(ROWS).collect(),
            Some(typed) => typed_rows(typed, &all),
        };
        Self {
            version,
            features: catalogue.map(<[Feature]>::len),
            rows,
            from,
            total,
            looked_at: seen.companies,
            note: typed.map(|typed| typed.text("note").to_owned()).unwrap_or_default(),
            preview,
            chrome,
            notice,
        }
    }

    fn pages(&self) -> Vec<(usize, bool)> {
        let starts = (0..self.total).step_by(ROWS).map(|start| (start, start == self.from));
        if self.total > ROWS { starts.collect() } else { Vec::new() }
    }
}

/// The catalogue's features in their order, then the names that mean none of them, the most widely used first.
fn rows(features: &[Feature], seen: &SeenNames) -> Vec<FeatureRow> {
    let meant = |feature: &Feature, name: &SeenName| {
        let sighting = |source| Sighting { source, name: name.name.clone() };
        name.sources.iter().any(|source| feature.means(&sighting(*source)))
    };
    let known = features.iter().map(|feature| {
        let names: Vec<&SeenName> = seen.names.iter().filter(|name| meant(feature, name)).collect();
        let widest = names.iter().map(|name| name.companies).max();
        FeatureRow {
            key: feature.key.clone(),
            on: true,
            label: feature.label.clone(),
            weight: feature.weight.to_string(),
            plans: feature.plans.join(", "),
            means: means(feature),
            seen: widest.map_or_else(|| "not seen".to_owned(), |companies| at(companies, seen.companies)),
        }
    });
    let proposed = seen.names.iter().filter(|name| !features.iter().any(|feature| meant(feature, name)));
    let proposed = proposed.map(|name| FeatureRow {
        key: name.name.clone(),
        weight: "1".to_owned(),
        seen: format!("{} · {}", at(name.companies, seen.companies), kinds(&name.sources)),
        ..FeatureRow::default()
    });
    known.chain(proposed).collect()
}

fn at(companies: usize, of: usize) -> String {
    format!("at {companies} of {of}")
}

fn kinds(sources: &BTreeSet<FeatureSource>) -> String {
    let kind = |source: &FeatureSource| match source {
        FeatureSource::Property => "feature",
        FeatureSource::Event => "event",
        FeatureSource::View => "page",
    };
    sources.iter().map(kind).collect::<Vec<_>>().join(", ")
}

fn means(feature: &Feature) -> String {
    let names = &feature.names;
    [&names.events, &names.features, &names.pages]
        .into_iter()
        .flatten()
        .cloned()
        .collect::<Vec<_>>()
        .join(", ")
}

/// The names of a row's fields.
pub fn names(number: usize) -> [String; 5] {
    ["key", "on", "label", "weight", "plans"].map(|name| format!("{name}{number}"))
}

/// The rows as they were typed.
fn typed_rows(typed: &Typed, all: &[FeatureRow]) -> Vec<FeatureRow> {
    let known: BTreeMap<&str, &FeatureRow> = all.iter().map(|row| (row.key.as_str(), row)).collect();
    let count = typed.text("rows").parse().unwrap_or(0).min(ROWS + 1);
    let row = |number| {
        let [key, on, label, weight, plans] = names(number);
        let key = typed.text(&key).trim().to_owned();
        let (means, seen) = known.get(key.as_str()).map(|row| (row.means.clone(), row.seen.clone())).unzip();
        FeatureRow {
            on: typed.has(&on),
            label: typed.text(&label).trim().to_owned(),
            weight: typed.text(&weight).trim().to_owned(),
            plans: typed.text(&plans).trim().to_owned(),
            means: means.unwrap_or_default(),
            seen: seen.unwrap_or_default(),
            key,
        }
    };
    (0..count).map(row).filter(|row| !row.key.is_empty()).collect()
}

/// The catalogue with what was typed: rows that are ticked are features, the others of the page aren't, and what isn't
/// on the page stays. Null when no feature is left. Errors: a weight that is no number.
pub fn draft(catalogue: &Value, typed: &Typed) -> Result<Value, Vec<String>> {
    let mut features: Vec<Map<String, Value>> = match catalogue {
        Value::Array(features) => {
            features.iter().filter_map(|feature| feature.as_object().cloned()).collect()
        }
        _ => Vec::new(),
    };
    let mut wrong = Vec::new();
    for row in typed_rows(typed, &[]) {
        let is = |feature: &Map<String, Value>| feature.get("key").and_then(Value::as_str) == Some(&row.key);
        if !row.on {
            features.retain(|feature| !is(feature));
            continue;
        }
        let Ok(weight) = row.weight.parse::<u16>() else {
            wrong.push(format!("{}: the weight is a whole number from 1 to 1,000.", row.key));
            continue;
        };
        let plans: Value = row.plans.split(',').map(str::trim).filter(|plan| !plan.is_empty()).collect();
        let said = [
            ("key", row.key.as_str().into()),
            ("label", row.label.into()),
            ("weight", weight.into()),
            ("plans", plans),
        ];
        let said = said.map(|(name, value): (&str, Value)| (name.to_owned(), value));
        match features.iter_mut().find(|feature| is(feature)) {
            Some(feature) => feature.extend(said),
            None => features.push(Map::from_iter(said)),
        }
    }
    match features {
        _ if !wrong.is_empty() => Err(wrong),
        features if features.is_empty() => Ok(Value::Null),
        features => Ok(features.into_iter().collect()),
    }
}

/// What the API refused, each with the feature that it is about.
pub fn sentences(draft: &Value, wrong: &[WrongField]) -> Vec<String> {
    let of = |error: &WrongField| {
        let index = error.pointer.strip_prefix("/catalogue/")?.split('/').next()?;
        let feature = draft.pointer(&format!("/catalogue/{index}/key"))?;
        feature.as_str().map(|key| format!("{key}: {}", error.detail))
    };
    wrong.iter().map(|error| sentence(&of(error).unwrap_or_else(|| error.detail.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn typed(rows: &[[&str; 5]]) -> Typed {
        let mut typed = Typed::default();
        typed.put("rows", &rows.len().to_string());
        for (number, row) in rows.iter().enumerate() {
            for (name, text) in names(number).iter().zip(row) {
                if !(name.starts_with("on") && text.is_empty()) {
                    typed.put(name, text);
                }
            }
        }
        typed
    }

    #[test]
    fn what_is_ticked_counts_and_what_is_not_on_the_page_stays() {
        let before = json!([
            {"key": "far", "weight": 7},
            {"key": "export", "weight": 1, "match": {"events": ["Export *"]}},
            {"key": "gone"},
        ]);
        let typed = typed(&[
            ["export", "1", "Exports", "3", "pro, , team"],
            ["gone", "", "", "1", ""],
            ["new", "1", "", "1", ""],
            ["seen", "", "", "1", ""],
            ["", "1", "", "1", ""],
        ]);
        let expected = json!([
            {"key": "far", "weight": 7},
            {"key": "export", "label": "Exports", "weight": 3, "plans": ["pro", "team"], "match": {"events": ["Export *"]}},
            {"key": "new", "label": "", "weight": 1, "plans": []},
        ]);
        assert_eq!(draft(&before, &typed), Ok(expected));
    }

    #[test]
    fn without_a_feature_there_is_no_catalogue() {
        assert_eq!(draft(&json!([{"key": "a"}]), &typed(&[["a", "", "", "1", ""]])), Ok(Value::Null));
        assert_eq!(draft(&Value::Null, &typed(&[])), Ok(Value::Null));
    }

    #[test]
    fn a_weight_that_is_no_number_is_named_with_its_feature() {
        let wrong = draft(&Value::Null, &typed(&[["a", "1", "", "much", ""]])).unwrap_err();
        assert_eq!(wrong, ["a: the weight is a whole number from 1 to 1,000."]);
        let refused = [WrongField { pointer: "/catalogue/0/weight".into(), detail: "too much".into() }];
        assert_eq!(sentences(&json!({"catalogue": [{"key": "export"}]}), &refused), ["Export: too much."]);
    }

    #[test]
    fn names_that_mean_a_feature_are_not_proposed_again() {
        let features: Vec<Feature> =
            serde_json::from_value(json!([{"key": "reports", "match": {"events": ["Report *"]}}])).unwrap();
        let name = |name: &str, source, companies| SeenName {
            name: name.to_owned(),
            sources: [source].into(),
            companies,
        };
        let seen = SeenNames {
            names: vec![
                name("Report Opened", FeatureSource::Event, 3),
                name("Report Opened?", FeatureSource::View, 2),
            ],
            companies: 4,
        };
        let told: Vec<_> =
            rows(&features, &seen).into_iter().map(|row| (row.key, row.on, row.seen)).collect();
        assert_eq!(
            told,
            [
                ("reports".to_owned(), true, "at 3 of 4".to_owned()),
                ("Report Opened?".to_owned(), false, "at 2 of 4 · page".to_owned()),
            ]
        );
    }
}
