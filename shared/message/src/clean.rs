//! Values that come from forms and other people's systems, made fit for one place in a mail.

pub use barometer_domain::text::{greetable, line};

/// Longest name, in characters.
const LONGEST_NAME: usize = 120;

/// Several lines, cleaned one by one.
pub fn lines(text: &str) -> String {
    text.lines().map(line).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// A name of somebody or something, cut where it is too long to be one; nothing when nothing is left of it.
pub fn name(text: &str) -> Option<String> {
    Some(line(text)).filter(|name| !name.is_empty()).map(|name| name.chars().take(LONGEST_NAME).collect())
}
