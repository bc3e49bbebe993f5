//! The one tolerant pass over JSON that doesn't parse. Rule: ingestion, reading a request.
//!
//! Real clients send all of this, and a 400 would lose the whole batch: Python writes `NaN` and `Infinity`,
//! JavaScript cuts strings through an emoji and leaves half a surrogate pair, editors leave a byte order
//! mark. Nesting needs no cut: values that aren't read are skipped without recursion.

use std::str::Utf8Chunk;

const REPLACEMENT: &[u8] = "\u{FFFD}".as_bytes();
const BYTE_ORDER_MARK: &[u8] = "\u{FEFF}".as_bytes();

/// Repairs a text. Valid JSON keeps its value; what the pass doesn't know stays as it is.
///
/// A byte order mark in front is dropped. Outside strings `NaN` and `±Infinity` become `null`. Inside strings a
/// lone surrogate becomes U+FFFD, whether written as an escape or as raw bytes. Bytes that aren't UTF-8
/// become U+FFFD.
pub fn repair(bytes: &[u8]) -> String {
    let mut rest = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let mut out = Vec::with_capacity(rest.len() + 16);
    let mut in_string = false;
    while let Some((&byte, tail)) = rest.split_first() {
        let mut taken = 1;
        match byte {
            b'"' => {
                in_string = !in_string;
                out.push(byte);
            }
            b'\\' if in_string => taken = escape(rest, &mut out),
            0xED if matches!(tail, [0xA0..=0xBF, 0x80..=0xBF, ..]) => {
                // A surrogate in three bytes: no UTF-8, but what some encoders write.
                out.extend_from_slice(REPLACEMENT);
                taken = 3;
            }
            b'A'..=b'Z' if !in_string => taken = word(rest, &mut out),
            _ => out.push(byte),
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
    match String::from_utf8(out) {
        Ok(text) => text,
        Err(error) => lossy(error.as_bytes()),
    }
}

/// Replaces what isn't UTF-8, up to a character for each byte. As the standard library does it, but the buffer has its
/// size at once: one that doubles as it grows takes twice the memory at the end.
fn lossy(bytes: &[u8]) -> String {
    let is_broken = |chunk: &Utf8Chunk<'_>| !chunk.invalid().is_empty();
    let broken = bytes.utf8_chunks().filter(is_broken).count();
    let mut text = String::with_capacity(bytes.len() + broken * (REPLACEMENT.len() - 1));
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if is_broken(&chunk) {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    text
}

/// Copies the escape at the start of `rest`, or U+FFFD for a lone surrogate; says how many bytes it took.
fn escape(rest: &[u8], out: &mut Vec<u8>) -> usize {
    let taken = match unit(rest) {
        None => 2,
        Some(0xD800..=0xDBFF) => match rest.get(6..).and_then(unit) {
            Some(0xDC00..=0xDFFF) => 12,
            _ => {
                out.extend_from_slice(REPLACEMENT);
                return 6;
            }
        },
        Some(0xDC00..=0xDFFF) => {
            out.extend_from_slice(REPLACEMENT);
            return 6;
        }
        Some(_) => 6,
    };
    let escape = rest.get(..taken).unwrap_or(rest);
    out.extend_from_slice(escape);
    escape.len()
}

/// The code unit of a `\uXXXX` at the start of `rest`.
fn unit(rest: &[u8]) -> Option<u16> {
    let digits = rest.strip_prefix(b"\\u")?.get(..4)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Replaces the word at the start of `rest`, with its sign, by `null` when it is one of Python's numbers.
fn word(rest: &[u8], out: &mut Vec<u8>) -> usize {
    let len = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    let word = rest.get(..len).unwrap_or(rest);
    if matches!(word, b"NaN" | b"Infinity") {
        if matches!(out.last(), Some(b'-' | b'+')) {
            out.pop();
        }
        out.extend_from_slice(b"null");
    } else {
        out.extend_from_slice(word);
    }
    word.len()
}

#[cfg(test)]
mod tests {
    use super::repair;

    fn check(from: &[u8], to: &str) {
        assert_eq!(repair(from), to, "{}", String::from_utf8_lossy(from));
    }

    #[test]
    fn numbers_that_json_lacks_become_null_outside_strings() {
        check(b"[NaN, Infinity,-Infinity,+Infinity]", "[null, null,null,null]");
        check(br#"{"NaN":"-Infinity \" NaN"}"#, r#"{"NaN":"-Infinity \" NaN"}"#);
        check(b"[NaNa, xNaN]", "[NaNa, xnull]");
    }

    #[test]
    fn lone_surrogates_become_the_replacement_character() {
        check(br#"["cut \ud83d"]"#, "[\"cut \u{FFFD}\"]");
        check(br#"["\ude80 cut"]"#, "[\"\u{FFFD} cut\"]");
        check(br#"["\ud83d\ud83d\ude80"]"#, "[\"\u{FFFD}\\ud83d\\ude80\"]");
        check(br#"["\ud83d\ude80"]"#, r#"["\ud83d\ude80"]"#);
        check(br#"["\\ud83d"]"#, r#"["\\ud83d"]"#);
        check(b"[\"a\xED\xA0\xBDb\"]", "[\"a\u{FFFD}b\"]");
    }

    #[test]
    fn bytes_that_are_no_utf8_and_the_byte_order_mark() {
        check(b"\xEF\xBB\xBF{}", "{}");
        check(b"[\"\xFF\xE9\"]", "[\"\u{FFFD}\u{FFFD}\"]");
        check("[\"Jané 🚀\"]".as_bytes(), "[\"Jané 🚀\"]");
    }

    #[test]
    fn ends_anywhere() {
        for cut in [&b"\"\\"[..], b"\"\\u", b"\"\\ud83", b"\"\\ud83d\\u", b"N", b"\xED\xA0", b""] {
            repair(cut);
        }
    }
}
