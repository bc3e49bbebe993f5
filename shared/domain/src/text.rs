//! Small pieces of sentences, and what others wrote made fit to stand in them.

/// Longest name in a greeting, in characters; whoever has a longer one is greeted without.
const LONGEST_GREETING: usize = 60;

/// `3 answers`, `1 answer`.
pub(crate) fn count(number: impl Into<u64>, one: &str) -> String {
    let number = number.into();
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

/// Text that somebody else wrote, on one line and with at most `most` characters: what is longer ends in `…`.
pub(crate) fn one_line(text: &str, most: usize) -> String {
    let spaced: String = text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    let line = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= most {
        return line;
    }
    let cut: String = line.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", cut.trim_end())
}

/// A value of one line: no control characters, no line ends, nothing that turns the direction of what follows;
/// spaces in a row are one. What looks like the beginning of an encoded word (RFC 2047) is taken apart, because some
/// readers would decode it.
pub fn line(text: &str) -> String {
    let shown: String = text.chars().map(|char| if is_hidden(char) { ' ' } else { char }).collect();
    shown.split_whitespace().collect::<Vec<_>>().join(" ").replace("=?", "= ?")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular() {
        assert_eq!([0_u32, 1, 2].map(|number| count(number, "mail")), ["0 mails", "1 mail", "2 mails"]);
    }

    #[test]
    fn what_others_wrote_stays_on_its_line() {
        assert_eq!(one_line("  Ada\r\nBcc: eve\u{85}\t x ", 60), "Ada Bcc: eve x");
        assert_eq!(one_line("äöü", 3), "äöü");
        assert_eq!(one_line("äö üß", 4), "äö…");
    }
}
