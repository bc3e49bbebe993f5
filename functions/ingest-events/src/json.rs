//! Reading JSON objects one level at a time, without building a tree.
//!
//! An event is mostly properties that no rule asks about. They are skipped as text, without recursion, so
//! neither their number nor their depth costs more than their bytes. Of a field that stands twice the last
//! value counts, as in JavaScript; `null` counts as absent.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

/// The text isn't JSON. The caller repairs it and tries once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Syntax {
    /// Line and column of what can't be read, 1 and 1 being the first; 0 when unknown.
    pub at: (usize, usize),
}

impl From<serde_json::Error> for Syntax {
    fn from(error: serde_json::Error) -> Self {
        Self { at: (error.line(), error.column()) }
    }
}

/// Hands every field of an object to `take`: its normalised name and its value's JSON. Names are normalised to
/// lower case without `_`, `-` and spaces, so `createdAt`, `created_at` and `Created At` are one; names that no rule could ask for are left out.
/// A value that is no object has no fields.
pub fn fields<'a>(text: &'a str, take: impl FnMut(&str, &'a str)) -> Result<(), Syntax> {
    if !is_object(text) {
        return Ok(());
    }
    serde_json::Deserializer::from_str(text).deserialize_map(Fields(take)).map_err(Syntax::from)
}

/// Whether a value's JSON is an object.
pub fn is_object(text: &str) -> bool {
    text.starts_with('{')
}

/// Whether a value's JSON is an array.
pub fn is_array(text: &str) -> bool {
    text.starts_with('[')
}

/// Checks that the text is one JSON value and nothing else, and returns it without the space around it.
pub fn whole(text: &str) -> Result<&str, Syntax> {
    Ok(serde_json::from_str::<&RawValue>(text)?.get())
}

/// The first `limit` elements of an array, as JSON, and the number of all.
pub fn elements(text: &str, limit: usize) -> Result<(Vec<&str>, usize), Syntax> {
    serde_json::Deserializer::from_str(text).deserialize_seq(Elements { limit }).map_err(Syntax::from)
}

/// A single value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar<'a> {
    /// `null`, or text without anything in it.
    Absent,
    /// A text, or a number as its digits.
    Text(Cow<'a, str>),
    /// Anything else.
    Other,
}

/// Reads a single value.
pub fn scalar(text: &str) -> Result<Scalar<'_>, Syntax> {
    Ok(match text.as_bytes() {
        [b'"', ..] => {
            let inner = string(text)?;
            if inner.trim().is_empty() { Scalar::Absent } else { Scalar::Text(inner) }
        }
        [b'-' | b'0'..=b'9', ..] => Scalar::Text(digits(text)),
        b"null" => Scalar::Absent,
        _ => Scalar::Other,
    })
}

/// A text, or a number as its digits; nothing for anything else.
pub fn text<'a>(value: Option<&'a str>) -> Result<Option<Cow<'a, str>>, Syntax> {
    match value.map(scalar).transpose()? {
        Some(Scalar::Text(text)) => Ok(Some(text)),
        _ => Ok(None),
    }
}

/// A number, also written as text; nothing for anything else.
pub fn number(value: Option<&str>) -> Result<Option<f64>, Syntax> {
    Ok(text(value)?.and_then(|text| text.trim().parse::<f64>().ok()).filter(|number| number.is_finite()))
}

fn string(text: &str) -> Result<Cow<'_, str>, Syntax> {
    match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) if !inner.contains('\\') => Ok(Cow::Borrowed(inner)),
        _ => Ok(Cow::Owned(serde_json::from_str(text)?)),
    }
}

/// A number's digits: `42` for `42.0` too, since a client in a language without integers writes either.
fn digits(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit()) {
        return Cow::Borrowed(text);
    }
    match text.parse::<f64>() {
        Ok(number) if number.fract() == 0.0 && number.abs() < 1e15 => Cow::Owned(format!("{number:.0}")),
        _ => Cow::Borrowed(text),
    }
}

/// Longest normalised name that a rule asks for.
const NAME_BYTES: usize = 24;

fn normalised<'b>(name: &str, buffer: &'b mut [u8; NAME_BYTES]) -> Option<&'b str> {
    let mut len = 0;
    for byte in name.bytes().filter(|byte| !matches!(byte, b'_' | b'-' | b' ')) {
        *buffer.get_mut(len)? = byte.is_ascii().then(|| byte.to_ascii_lowercase())?;
        len += 1;
    }
    std::str::from_utf8(buffer.get(..len)?).ok()
}

struct Fields<F>(F);

impl<'de, F: FnMut(&str, &'de str)> Visitor<'de> for Fields<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut buffer = [0; NAME_BYTES];
        while let Some(name) = map.next_key::<Name<'de>>()? {
            let value = map.next_value::<&'de RawValue>()?.get();
            if value != "null"
                && let Some(name) = normalised(&name.0, &mut buffer)
            {
                (self.0)(name, value);
            }
        }
        Ok(())
    }
}

/// A field's name, borrowed unless it holds escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Name<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }
            fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(Read)
    }
}

struct Elements {
    limit: usize,
}

impl<'de> Visitor<'de> for Elements {
    type Value = (Vec<&'de str>, usize);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut kept = Vec::new();
        while kept.len() < self.limit {
            match seq.next_element::<&'de RawValue>()? {
                Some(element) => kept.push(element.get()),
                None => {
                    let all = kept.len();
                    return Ok((kept, all));
                }
            }
        }
        let mut all = kept.len();
        while seq.next_element::<IgnoredAny>()?.is_some() {
            all += 1;
        }
        Ok((kept, all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, &str)>, Syntax> {
        let mut all = Vec::new();
        fields(text, |name, value| all.push((name.to_owned(), value)))?;
        Ok(all)
    }

    #[test]
    fn names_are_normalised_and_null_is_absent() {
        let all = read(r#"{ "createdAt" : 1, "Created_At":[2, {}],"x":null, "a b-c":"" ,"é":1}"#).unwrap();
        let expected = [("createdat", "1"), ("createdat", "[2, {}]"), ("abc", "\"\"")];
        assert_eq!(all, expected.map(|(name, value)| (name.to_owned(), value)));
    }

    #[test]
    fn depth_and_escapes_in_what_is_skipped_cost_nothing() {
        let deep = format!("{{\"p\":{}{},\"q\":\"\\ud83d\"}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(read(&deep).unwrap().len(), 2);
    }

    #[test]
    fn scalars() {
        for (from, to) in [("42", "42"), ("42.0", "42"), ("-7", "-7"), ("\"a\\u0062\"", "ab"), ("1.5", "1.5")]
        {
            assert_eq!(scalar(from).unwrap(), Scalar::Text(to.into()));
        }
        assert_eq!(scalar("12345678901234567890").unwrap(), Scalar::Text("12345678901234567890".into()));
        for absent in ["null", "\"\"", "\"  \""] {
            assert_eq!(scalar(absent).unwrap(), Scalar::Absent);
        }
        for other in ["true", "{}", "[]"] {
            assert_eq!(scalar(other).unwrap(), Scalar::Other);
        }
        assert!(scalar("\"\\ud83d\"").is_err());
    }

    #[test]
    fn elements_beyond_the_limit_are_counted_only() {
        assert_eq!(elements("[1, {},3]", 2).unwrap(), (vec!["1", "{}"], 3));
        assert_eq!(elements("[]", 2).unwrap(), (vec![], 0));
        assert!(elements("[1,]", 2).is_err());
    }
}
