//! How mails and pages look and where answers to mails go: the `mail` part of the settings.

use serde::{Deserialize, Serialize};

use crate::{accent::Accent, language::Language};

/// Longest product or sender name, in characters.
pub const LONGEST_NAME: usize = 120;
/// Longest footer, in characters.
pub const LONGEST_FOOTER: usize = 1_000;
/// Longest address of a logo, in bytes.
pub const LONGEST_URL: usize = 500;
/// Longest e-mail address, in bytes (RFC 5321).
const LONGEST_ADDRESS: usize = 254;

/// How mails and pages look and where answers to mails go.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MailSettings {
    /// The product's name in the question; the workspace's name when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub product: String,
    /// The name that mails come from; the address stays the deployment's. The product's name when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sender_name: String,
    /// The colour of the bar on mails and of the buttons on pages, `#rrggbb`; never of the scale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accent: Option<String>,
    /// An image on top of mails, `https://…`; none when absent. Pages show none: they fetch nothing from elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_url: Option<String>,
    /// The language of those whose own isn't known or isn't one of ours.
    #[serde(skip_serializing_if = "is_default")]
    pub language: Language,
    /// Where a reply goes; the sender when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// The postal address in the footer.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub footer: String,
}

fn is_default(language: &Language) -> bool {
    *language == Language::default()
}

impl MailSettings {
    /// The accent, Barometer's own when none is set.
    pub fn accent(&self) -> Accent {
        self.accent.as_deref().and_then(|text| Accent::new(text).ok()).unwrap_or_default()
    }

    /// The address of the logo, if there is one that may stand in a mail.
    pub fn logo(&self) -> Option<&str> {
        self.logo_url.as_deref().filter(|url| https_origin(url).is_some())
    }

    /// Scheme, host and port of the logo, for a page's security policy.
    pub fn logo_origin(&self) -> Option<&str> {
        self.logo().and_then(https_origin)
    }

    /// What no single field's type can hold: field and what is wrong with it, for people.
    pub(crate) fn check(&self) -> Vec<(&'static str, String)> {
        let mut errors = Vec::new();
        for (field, name) in [("product", &self.product), ("sender_name", &self.sender_name)] {
            if name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
                errors.push((field, format!("at most {LONGEST_NAME} characters on one line")));
            }
        }
        if let Some(Err(error)) = self.accent.as_deref().map(Accent::new) {
            errors.push(("accent", error.to_string()));
        }
        if self.logo_url.as_deref().is_some_and(|url| https_origin(url).is_none()) {
            errors.push(("logo_url", format!("not an https:// address of at most {LONGEST_URL} bytes")));
        }
        if self.reply_to.as_deref().is_some_and(|address| !is_address(address)) {
            errors.push(("reply_to", "not an e-mail address".to_owned()));
        }
        let hidden = |char: char| char.is_control() && !matches!(char, '\n' | '\r');
        if self.footer.chars().count() > LONGEST_FOOTER || self.footer.contains(hidden) {
            errors.push(("footer", format!("at most {LONGEST_FOOTER} characters of plain text")));
        }
        errors
    }
}

/// Whether a text can be an address that mail programs take: ASCII, one `@`, nothing that ends it.
pub fn is_address(text: &str) -> bool {
    let plain = |char: char| char.is_ascii_graphic() && !"()<>[]:;,\\\"".contains(char);
    text.len() <= LONGEST_ADDRESS
        && text.chars().all(plain)
        && text
            .split_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'))
}

/// Scheme, host and port of an `https` address without user information; nothing when it is anything else.
fn https_origin(url: &str) -> Option<&str> {
    const SCHEME: &str = "https://";
    let plain = |char: char| char.is_ascii_graphic() && !"\"'<>\\^`{|}".contains(char);
    if url.len() > LONGEST_URL || !url.chars().all(plain) {
        return None;
    }
    let rest = url.strip_prefix(SCHEME)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
    let named = host.starts_with(|char: char| char.is_ascii_alphanumeric())
        && host.chars().all(|char| char.is_ascii_alphanumeric() || char == '.' || char == '-');
    let numbered = port.is_none_or(|port| port.parse::<u16>().is_ok());
    if named && numbered { url.get(..SCHEME.len() + authority.len()) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(settings: &MailSettings) -> Vec<&'static str> {
        settings.check().into_iter().map(|(field, _)| field).collect()
    }

    #[test]
    fn settings_from_before_read_as_they_were() {
        let old = r#"{"product":"Rocket","reply_to":"csm@acme.example","footer":"1 Street"}"#;
        let settings: MailSettings = serde_json::from_str(old).unwrap();
        assert_eq!((settings.accent(), settings.logo()), (Accent::default(), None));
        assert_eq!((settings.language, settings.sender_name.as_str()), (Language::English, ""));
        assert_eq!(serde_json::to_string(&settings).unwrap(), old, "and are written as they were");
        assert_eq!(settings.check(), []);
    }

    #[test]
    fn a_colour_that_is_too_light_is_refused_and_never_used() {
        let settings = MailSettings { accent: Some("#ffcc00".to_owned()), ..MailSettings::default() };
        assert_eq!(wrong(&settings), ["accent"]);
        assert_eq!(settings.accent(), Accent::default());
        let settings = MailSettings { accent: Some("#7a1f5c".to_owned()), ..settings };
        assert_eq!((wrong(&settings), settings.accent().to_string()), (vec![], "#7a1f5c".to_owned()));
    }

    #[test]
    fn a_logo_comes_by_https_from_a_host() {
        for (url, origin) in [
            ("https://cdn.example.com/logo.png", Some("https://cdn.example.com")),
            ("https://cdn.example.com:8443/a;b,c?d=e#f", Some("https://cdn.example.com:8443")),
            ("https://cdn.example.com", Some("https://cdn.example.com")),
            ("http://cdn.example.com/logo.png", None),
            ("HTTPS://cdn.example.com/logo.png", None),
            ("//cdn.example.com/logo.png", None),
            ("https:///logo.png", None),
            ("https://ann:pw@cdn.example.com/logo.png", None),
            ("https://cdn.example.com:99999/logo.png", None),
            ("https://cdn.example.com;script-src/logo.png", None),
            ("https://cdn.example.com/a b.png", None),
            ("https://cdn.example.com/\"onload=x", None),
            ("javascript:alert(1)", None),
            ("data:image/png;base64,AA", None),
            ("", None),
        ] {
            let settings = MailSettings { logo_url: Some(url.to_owned()), ..MailSettings::default() };
            assert_eq!(settings.logo_origin(), origin, "{url}");
            assert_eq!(settings.logo(), origin.map(|_| url), "{url}");
            assert_eq!(wrong(&settings).is_empty(), origin.is_some(), "{url}");
        }
        let long = format!("https://cdn.example.com/{}", "x".repeat(LONGEST_URL));
        assert_eq!(MailSettings { logo_url: Some(long), ..MailSettings::default() }.logo(), None);
    }

    #[test]
    fn names_are_one_line_and_a_footer_is_plain_text() {
        let settings = MailSettings {
            product: "Rocket\r\nBcc: x".to_owned(),
            sender_name: "x".repeat(LONGEST_NAME + 1),
            footer: "1 Street\u{7}".to_owned(),
            ..MailSettings::default()
        };
        assert_eq!(wrong(&settings), ["product", "sender_name", "footer"]);
        let settings = MailSettings {
            product: "é".repeat(LONGEST_NAME),
            sender_name: "Rocket \u{1f680}".to_owned(),
            footer: "1 Street\nSpringfield".to_owned(),
            ..MailSettings::default()
        };
        assert_eq!(settings.check(), []);
    }

    #[test]
    fn an_address_is_one_address() {
        assert!(is_address("csm+happy@mail.acme.example"));
        for text in [
            "",
            "nobody",
            "@acme.example",
            "csm@",
            "a@b@c",
            "a b@c.example",
            "a@c.example, b@c.example",
            "<a@c.example>",
            "a@c.example\r\nBcc: b@c.example",
            "zo\u{eb}@c.example",
            "\"a\"@c.example",
        ] {
            assert!(!is_address(text), "{text:?}");
        }
    }
}
