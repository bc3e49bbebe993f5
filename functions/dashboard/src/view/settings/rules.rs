//! The rules of a workspace, and others to choose from.

use askama::Template;
use barometer_cloud::table::actions::Firing;
use barometer_domain::automation::AutomationRule;

use super::{
    rule_form::{ACTIONS, TRIGGERS},
    rule_words::{Endpoints, does, when},
};
use crate::{
    notice::Notice,
    view::{Scene, chrome::Chrome},
};

/// A rule.
#[derive(Debug, Clone)]
pub struct RuleRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it acts.
    pub on: bool,
    /// When it acts.
    pub when: String,
    /// What it does.
    pub does: Vec<String>,
    /// When it last took something up.
    pub last: String,
}

/// The page.
#[derive(Debug, Clone, Template)]
#[template(path = "settings/rules.html")]
pub struct RulesPage {
    chrome: Chrome,
    notice: Option<Notice>,
    version: u32,
    rows: Vec<RuleRow>,
    presets: Vec<RuleRow>,
}

impl RulesPage {
    /// The rules with what each took up last, and the presets that aren't among them.
    pub fn build(
        chrome: Chrome,
        notice: Option<Notice>,
        version: u32,
        rules: &[(AutomationRule, Option<Firing>)],
        presets: &[AutomationRule],
        endpoints: &Endpoints,
        scene: Scene<'_>,
    ) -> Self {
        let known = |preset: &AutomationRule| rules.iter().any(|(rule, _)| rule.id == preset.id);
        let last = |firing: &Option<Firing>| {
            firing.as_ref().map_or_else(|| "never yet".to_owned(), |firing| scene.minute(firing.at))
        };
        let rows = rules.iter().map(|(rule, firing)| row(rule, last(firing), endpoints)).collect();
        let presets = presets.iter().filter(|preset| !known(preset));
        let presets = presets.map(|preset| row(preset, String::new(), endpoints)).collect();
        Self { chrome, notice, version, rows, presets }
    }
}

fn row(rule: &AutomationRule, last: String, endpoints: &Endpoints) -> RuleRow {
    RuleRow {
        id: rule.id.to_string(),
        name: rule.name.clone(),
        on: rule.enabled,
        when: when(rule),
        does: rule.actions.iter().map(|action| does(action, endpoints)).collect(),
        last,
    }
}
