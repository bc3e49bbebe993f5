//! The pages of settings: what each shows, as pure functions of what the API answers.

pub mod audit;
pub mod catalogue;
pub mod diff;
pub mod fields;
pub mod keys;
pub mod members;
pub mod rule;
pub mod rule_form;
pub mod rule_words;
pub mod rules;
pub mod score;
pub mod versions;
pub mod webhooks;
pub mod what_if;

use super::chrome::Chrome;

/// `3 companies`, `1 company`.
pub fn companies(number: impl TryInto<u64>) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    format!("{number} {}", if number == 1 { "company" } else { "companies" })
}

/// A page of the settings in their navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tab {
    /// Its name among them.
    pub name: &'static str,
    /// Its address.
    pub href: &'static str,
    /// What the link says.
    pub label: &'static str,
    /// Whether only admins may read it.
    admin: bool,
}

const fn tab(name: &'static str, href: &'static str, label: &'static str, admin: bool) -> Tab {
    Tab { name, href, label, admin }
}

const TABS: [Tab; 10] = [
    tab("score", "/settings", "Score", false),
    tab("mail", "/settings/mail", "Feedback & mail", false),
    tab("catalogue", "/settings/catalogue", "Catalogue", false),
    tab("rules", "/settings/rules", "Rules", false),
    tab("webhooks", "/settings/webhooks", "Webhooks", true),
    tab("sources", "/sources", "Sources", false),
    tab("members", "/settings/members", "Members", false),
    tab("keys", "/settings/keys", "API keys", true),
    tab("audit", "/settings/audit", "Audit", true),
    tab("versions", "/settings/versions", "Versions", false),
];

impl Chrome {
    /// The pages of settings that the visitor can open.
    pub fn tabs(&self) -> impl Iterator<Item = Tab> {
        let admin = self.admin;
        TABS.into_iter().filter(move |tab| admin || !tab.admin)
    }
}
