//! The one colour of a workspace on mails and pages, which white text must be readable on.
//!
//! Contrast after WCAG 2.2: relative luminance L = 0.2126 R + 0.7152 G + 0.0722 B of the linearised channels, contrast
//! (1.05) / (L + 0.05) against white. It decides no number of the product, so it is computed in floating point; no
//! colour lies closer to the limit than a million times the rounding error.

/// Least contrast of text (WCAG 2.2, criterion 1.4.3).
pub const LEAST_CONTRAST: f64 = 4.5;

/// A colour of sRGB on which white text is readable. Shown as `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accent([u8; 3]);

/// A text that is no accent.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum AccentError {
    /// Not of the form `#rrggbb`.
    #[error("a colour is written as # and six hexadecimal digits, such as #1c5688")]
    Form,
    /// White text on it can't be read well. Cut after two digits, so that it never looks like enough.
    #[error(
        "white text on this colour has a contrast of {:.2}:1; it must be {LEAST_CONTRAST}:1 or more. Take a darker colour",
        (.0 * 100.0).floor() / 100.0
    )]
    Contrast(f64),
}

impl Accent {
    /// Reads `#rrggbb`, with digits of either case. Errors: another form, or a colour that is too light.
    pub fn new(text: &str) -> Result<Self, AccentError> {
        let colour = colour(text).ok_or(AccentError::Form)?;
        let contrast = contrast_with_white(colour);
        if contrast >= LEAST_CONTRAST { Ok(Self(colour)) } else { Err(AccentError::Contrast(contrast)) }
    }
}

impl Default for Accent {
    /// A quiet blue, 7.67:1.
    fn default() -> Self {
        Self([0x1c, 0x56, 0x88])
    }
}

impl std::fmt::Display for Accent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

fn colour(text: &str) -> Option<[u8; 3]> {
    let digits = text.strip_prefix('#')?;
    if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
    Some([red, green, blue])
}

fn contrast_with_white(colour: [u8; 3]) -> f64 {
    let [red, green, blue] = colour.map(|channel| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    });
    1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrasts_are_those_of_wcag() {
        for (text, hundredths) in [
            ("#000000", 2_100),
            ("#ffffff", 100),
            ("#0000ff", 859),
            ("#ff0000", 399),
            ("#008000", 513),
            ("#767676", 454),
            ("#777777", 447),
            ("#595959", 700),
            ("#1c5688", 767),
        ] {
            let contrast = contrast_with_white(colour(text).unwrap());
            assert_eq!((contrast * 100.0) as u32, hundredths, "{text} {contrast}");
        }
    }

    #[test]
    fn the_limit_lies_between_two_neighbouring_greys() {
        assert_eq!(Accent::new("#767676").unwrap().to_string(), "#767676");
        let error = Accent::new("#777777").unwrap_err().to_string();
        assert!(error.contains("a contrast of 4.47:1; it must be 4.5:1 or more"), "{error}");
    }

    #[test]
    fn only_six_digits_are_a_colour() {
        assert_eq!(Accent::new("#1C5688"), Ok(Accent::default()));
        for text in
            ["", "#", "1c5688", "#1c568", "#1c56888", "#1c568g", "blue", "#+c5688", "#1c5688;", "#ÿÿÿ"]
        {
            assert_eq!(Accent::new(text), Err(AccentError::Form), "{text:?}");
        }
    }
}
