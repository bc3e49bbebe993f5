//! Small pieces of sentences.

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
