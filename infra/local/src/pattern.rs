//! EventBridge event patterns, as far as the template uses them: every named field must hold one of the
//! listed strings, numbers, booleans or null. Operators (`prefix`, `anything-but`, …) are refused, so that
//! a rule that this home would judge otherwise than AWS can't slip in.

use serde_json::Value;
use thiserror::Error;

/// Why a pattern can't be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PatternError {
    /// Not an object, or an empty one.
    #[error("a pattern is an object that names at least one field")]
    Form,
    /// A field whose value is neither a list nor an object.
    #[error("{0}: a list of values is needed")]
    NoList(String),
    /// A list with an operator in it.
    #[error("{0}: operators are not known here")]
    Operator(String),
}

/// A rule's pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern(Vec<(String, Test)>);

#[derive(Debug, Clone, PartialEq)]
enum Test {
    OneOf(Vec<Value>),
    Within(Pattern),
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// When it isn't one, or uses an operator.
    pub fn parse(pattern: Value) -> Result<Self, PatternError> {
        let Value::Object(fields) = pattern else { return Err(PatternError::Form) };
        if fields.is_empty() {
            return Err(PatternError::Form);
        }
        let mut tests = Vec::with_capacity(fields.len());
        for (field, value) in fields {
            let test = match value {
                Value::Array(values) if values.iter().any(|v| v.is_object() || v.is_array()) => {
                    return Err(PatternError::Operator(field));
                }
                Value::Array(values) => Test::OneOf(values),
                Value::Object(_) => Test::Within(Self::parse(value)?),
                _ => return Err(PatternError::NoList(field)),
            };
            tests.push((field, test));
        }
        Ok(Self(tests))
    }

    /// Whether the rule takes this event (the whole envelope).
    #[must_use]
    pub fn matches(&self, event: &Value) -> bool {
        self.0.iter().all(|(field, test)| match (test, event.get(field)) {
            // An array in the event matches by any of its members.
            (Test::OneOf(allowed), Some(Value::Array(values))) => values.iter().any(|v| allowed.contains(v)),
            (Test::OneOf(allowed), Some(value)) => allowed.contains(value),
            (Test::Within(pattern), Some(value)) => pattern.matches(value),
            (_, None) => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_field_must_hold_one_of_its_values() {
        let pattern =
            Pattern::parse(json!({"source": ["barometer"], "detail": {"to": ["struggling", null]}})).unwrap();
        assert!(pattern.matches(&json!({"source": "barometer", "detail": {"to": "struggling"}, "x": 1})));
        assert!(pattern.matches(&json!({"source": "barometer", "detail": {"to": null}})));
        assert!(pattern.matches(&json!({"source": "barometer", "detail": {"to": ["a", "struggling"]}})));
        assert!(!pattern.matches(&json!({"source": "barometer", "detail": {"to": "healthy"}})));
        assert!(!pattern.matches(&json!({"source": "barometer", "detail": {}})));
        assert!(!pattern.matches(&json!({"source": "other", "detail": {"to": "struggling"}})));
    }

    #[test]
    fn operators_and_other_forms_are_refused() {
        assert_eq!(
            Pattern::parse(json!({"source": [{"prefix": "a"}]})),
            Err(PatternError::Operator("source".into()))
        );
        assert_eq!(Pattern::parse(json!({"source": "a"})), Err(PatternError::NoList("source".into())));
        assert_eq!(Pattern::parse(json!({})), Err(PatternError::Form));
    }
}
