//! Values that come from forms and other people's systems, made fit for one place in a mail.

/// Longest name in a greeting, in characters; whoever has a longer one is greeted without.
const LONGEST_GREETING: usize = 60;
/// Longest name anywhere else, in characters.
const LONGEST_NAME: usize = 120;

/// A value of one line: no control characters, no line ends, nothing that turns the direction of what follows;
/// spaces in a row are one. What looks like the beginning of an encoded word (RFC 2047) is taken apart, because some
/// readers would decode it.
pub fn line(text: &str) -> String {
    let shown: String = text.chars().map(|char| if is_hidden(char) { ' ' } else { char }).collect();
    shown.split_whitespace().collect::<Vec<_>>().join(" ").replace("=?", "= ?")
}

/// Several lines, cleaned one by one.
pub fn lines(text: &str) -> String {
    text.lines().map(line).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// A name of somebody or something, cut where it is too long to be one; nothing when nothing is left of it.
pub fn name(text: &str) -> Option<String> {
    Some(line(text)).filter(|name| !name.is_empty()).map(|name| name.chars().take(LONGEST_NAME).collect())
}

/// A name to greet somebody by. Names come from whoever filled in a form somewhere: one that could be an address or a
/// link is none.
pub fn greetable(text: &str) -> Option<String> {
    Some(line(text)).filter(|name| {
        !name.is_empty()
            && name.chars().count() <= LONGEST_GREETING
            && !name.contains(['/', '@', '<', '>', ':', '{', '}'])
            && !name.to_ascii_lowercase().contains("www.")
    })
}

fn is_hidden(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}
