//! How much of what people wrote fits on a page, which has a budget of bytes.

/// Bytes that a text takes as HTML at most.
pub fn bytes(text: &str) -> usize {
    text.chars()
        .map(|char| if matches!(char, '<' | '>' | '&' | '"' | '\'') { 5 } else { char.len_utf8() })
        .sum()
}

/// A text in a list: whole when it fits into so many bytes, else its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The text, which ends with `…` when it is only the beginning.
    pub text: String,
    /// Whether there is more.
    pub cut: bool,
}

/// Cuts a text at the last blank before the room ends.
pub fn excerpt(text: &str, room: usize) -> Excerpt {
    let mut taken = 0;
    let end = text.char_indices().find(|(_, char)| {
        taken += bytes(char.encode_utf8(&mut [0; 4]));
        taken > room
    });
    let Some(fits) = end.and_then(|(end, _)| text.get(..end)) else {
        return Excerpt { text: text.to_owned(), cut: false };
    };
    let words = fits.rfind(char::is_whitespace).and_then(|blank| fits.get(..blank));
    // A text without blanks is cut within its word.
    let kept = words.filter(|words| words.len() > fits.len() / 2).unwrap_or(fits);
    Excerpt { text: format!("{} …", kept.trim_end()), cut: true }
}

/// How many of the first rows fit into a number of bytes and of rows: one at least, so that a list moves on.
pub fn fitting<T>(rows: &[T], most: usize, room: usize, size: impl Fn(&T) -> usize) -> usize {
    let mut taken = 0;
    let fit = rows.iter().take(most).take_while(|row| {
        taken += size(row);
        taken <= room
    });
    fit.count().max(1).min(rows.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_words_and_never_within_a_character() {
        assert_eq!(excerpt("all of it", 9), Excerpt { text: "all of it".to_owned(), cut: false });
        assert_eq!(excerpt("not all of it", 9).text, "not all …");
        assert_eq!(excerpt("äöüäöüäöü", 5).text, "äö …");
        assert_eq!(excerpt("<<<", 9).text, "< …", "a sign counts as it is written in HTML");
    }

    #[test]
    fn rows_fit_by_number_and_by_size_and_one_always_does() {
        let size = |row: &usize| *row;
        assert_eq!(fitting(&[1, 1, 1], 2, 100, size), 2);
        assert_eq!(fitting(&[40, 40, 40], 9, 100, size), 2);
        assert_eq!(fitting(&[400, 1], 9, 100, size), 1);
        assert_eq!(fitting(&[], 9, 100, size), 0);
    }
}
