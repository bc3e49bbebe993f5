//! What is typed into the form.

use axum::body::Body;
use barometer_domain::answer::{LONGEST_COMMENT, Rating, tidy};
use http::{HeaderMap, header};

use crate::failure::Failure;

/// Largest body: a comment of the longest kind, four bytes a character, three signs a byte, and some more.
const LARGEST_BODY: usize = 4 * 3 * LONGEST_COMMENT + 4_096;

/// The form as it was sent.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// The number chosen, if it is one of the eleven.
    pub rating: Option<u8>,
    /// The comment, tidied.
    pub comment: String,
}

impl Form {
    /// Reads a form. Errors: not a form, or too large.
    pub async fn read(headers: &HeaderMap, body: Body) -> Result<Self, Failure> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Failure::NoForm);
        }
        let body = axum::body::to_bytes(body, LARGEST_BODY).await.map_err(|_| Failure::TooLarge)?;
        let mut form = Self::default();
        for (name, value) in form_urlencoded::parse(&body) {
            match name.as_ref() {
                "rating" => form.rating = rating(&value),
                "comment" => form.comment = tidy(&value),
                _ => {}
            }
        }
        Ok(form)
    }

    /// The rating as the rules have it.
    pub fn rated(&self) -> Option<Rating> {
        Rating::nps(self.rating?).ok()
    }

    /// Whether the comment is longer than it may be.
    pub fn is_too_long(&self) -> bool {
        self.comment.chars().count() > LONGEST_COMMENT
    }
}

/// A whole number from 0 to 10, and nothing around it.
pub fn rating(text: &str) -> Option<u8> {
    if text.len() > 2 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|rating| *rating <= 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_eleven_numbers_are_ratings() {
        for rated in 0..=10_u8 {
            assert_eq!(rating(&rated.to_string()), Some(rated));
        }
        for text in ["", "11", "-1", "+8", " 8", "8.0", "١", "100", "eight", "0x8", "99999999999"] {
            assert_eq!(rating(text), None, "{text:?}");
        }
    }

    #[test]
    fn line_ends_are_one_character_and_nothing_hides() {
        assert_eq!(tidy("a\r\nb\rc\0\u{7}\td \n"), "a\nb\nc\td");
    }
}
