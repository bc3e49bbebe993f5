//! The languages in which Barometer writes to users. A text exists in every one of them or not at all.

use serde::{Deserialize, Serialize};

/// A language of mails and pages.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
pub enum Language {
    /// English: what is written to whoever speaks none of the others.
    #[default]
    #[serde(rename = "en")]
    English,
    /// German.
    #[serde(rename = "de")]
    German,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// The language's BCP 47 tag.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// The language of a BCP 47 tag such as `de-AT`; nothing when it isn't one of ours.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next()?;
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// The language of a user: their own, else the fallback when nothing or none of ours is known of them.
    pub fn of_user(tag: Option<&str>, fallback: Self) -> Self {
        tag.and_then(Self::of_tag).unwrap_or(fallback)
    }

    /// The language that a reader likes best of ours, by an `Accept-Language` header (RFC 9110); the default
    /// when there is none.
    pub fn accepted(header: &str) -> Self {
        let mut best: Option<(f32, Self)> = None;
        for range in header.split(',') {
            let mut parts = range.split(';');
            let Some(language) = parts.next().and_then(Self::of_tag) else { continue };
            let quality = parts
                .find_map(|part| part.trim().strip_prefix("q=")?.trim().parse::<f32>().ok())
                .unwrap_or(1.0);
            // The first of equals stands first in the reader's list.
            if quality > 0.0 && best.is_none_or(|(known, _)| quality > known) {
                best = Some((quality, language));
            }
        }
        best.map_or(Self::default(), |(_, language)| language)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_and_case_do_not_matter() {
        for (tag, language) in [
            ("de", Some(Language::German)),
            ("DE-at", Some(Language::German)),
            ("en_GB", Some(Language::English)),
            ("fr", None),
            ("den", None),
            ("", None),
        ] {
            assert_eq!(Language::of_tag(tag), language, "{tag}");
        }
    }

    #[test]
    fn a_user_s_own_language_wins_over_the_workspace_s() {
        for (tag, language) in [
            (Some("en"), Language::English),
            (Some("de-AT"), Language::German),
            (Some("fr"), Language::German),
            (None, Language::German),
        ] {
            assert_eq!(Language::of_user(tag, Language::German), language, "{tag:?}");
        }
    }

    #[test]
    fn the_header_is_read_by_quality() {
        for (header, language) in [
            ("", Language::English),
            ("fr-FR, fr;q=0.9", Language::English),
            ("fr, de;q=0.8, en;q=0.7", Language::German),
            ("en;q=0.2,de;q=0.8", Language::German),
            ("de;q=0, en;q=0.1", Language::English),
            ("de-CH", Language::German),
            ("*;q=x, ;;;", Language::English),
        ] {
            assert_eq!(Language::accepted(header), language, "{header}");
        }
    }
}
