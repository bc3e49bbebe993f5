//! The feature catalogue: which names in a product's events mean which feature.

use serde::{Deserialize, Serialize};

use crate::activity::{FeatureSource, Sighting};

/// One feature of the workspace's product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// The feature's key. Without `match`, names equal to it in `properties.feature`, event, page and screen
    /// names count.
    pub key: String,
    /// The name as people read it; the key when empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// How much the feature counts, 1 to 1,000.
    #[serde(default = "one")]
    pub weight: u16,
    /// The plans that include it; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plans: Vec<String>,
    /// The names that mean it, when they aren't its key.
    #[serde(default, rename = "match", skip_serializing_if = "Match::is_empty")]
    pub names: Match,
}

fn one() -> u16 {
    1
}

/// Names that mean a feature; each exact, or a pattern in which `*` stands for any text.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// Names of tracked events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// Values of `properties.feature`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// Names of pages and screens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<String>,
}

impl Match {
    fn is_empty(&self) -> bool {
        self.events.is_empty() && self.features.is_empty() && self.pages.is_empty()
    }
}

impl Feature {
    /// Whether a company on `plan` is entitled to the feature. A company whose plan isn't known is entitled to
    /// what every plan includes.
    pub fn entitled(&self, plan: Option<&str>) -> bool {
        self.plans.is_empty() || plan.is_some_and(|plan| self.plans.iter().any(|included| included == plan))
    }

    /// Whether a name seen in an event means this feature.
    pub fn means(&self, sighting: &Sighting) -> bool {
        if self.names.is_empty() {
            return sighting.name == self.key;
        }
        let patterns = match sighting.source {
            FeatureSource::Property => &self.names.features,
            FeatureSource::Event => &self.names.events,
            FeatureSource::View => &self.names.pages,
        };
        patterns.iter().any(|pattern| matches(pattern, &sighting.name))
    }
}

/// Whether `name` fits `pattern`, in which `*` stands for any text, also none.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((first, mut pattern)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    while let Some((part, after)) = pattern.split_once('*') {
        let Some((_, behind)) = rest.split_once(part) else {
            return false;
        };
        (rest, pattern) = (behind, after);
    }
    rest.ends_with(pattern)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name, fits) in [
            ("Export", "Export", true),
            ("Export", "Exported", false),
            ("Report *", "Report Opened", true),
            ("*Opened", "Report Opened", true),
            ("R*O*d", "Report Opened", true),
            ("*", "", true),
            ("a*a", "a", false),
            ("a**b", "ab", true),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern:?} {name:?}");
        }
    }
}
