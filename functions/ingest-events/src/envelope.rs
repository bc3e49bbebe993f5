//! What stands around the events of a body.

use std::borrow::Cow;

use crate::json::{self, Syntax};

/// The fields of a body's top level, as JSON text. Of a single call they are the event's own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The events.
    pub batch: Option<&'a str>,
    /// Merged under each event's own.
    pub context: Option<&'a str>,
    /// When the client sent the body; an event's own counts first.
    pub sent_at: Option<&'a str>,
    /// Whether the body looks like a single call: it says its type.
    pub is_call: bool,
    /// Whether the body looks like a single event of PostHog: it says its name.
    pub is_event: bool,
    write_key: Option<&'a str>,
    api_key: Option<&'a str>,
    token: Option<&'a str>,
}

impl<'a> Envelope<'a> {
    /// Reads a body that is known to be JSON. A body that is an array is the batch itself.
    pub fn read(text: &'a str) -> Result<Self, Syntax> {
        let text = json::whole(text)?;
        let mut envelope = Self::default();
        if json::is_array(text) {
            envelope.batch = Some(text);
        }
        json::fields(text, |name, value| match name {
            "type" | "action" => envelope.is_call = true,
            "event" => envelope.is_event = true,
            "batch" => envelope.batch = Some(value),
            "context" => envelope.context = Some(value),
            "sentat" => envelope.sent_at = Some(value),
            "writekey" => envelope.write_key = Some(value),
            "apikey" => envelope.api_key = Some(value),
            "token" => envelope.token = Some(value),
            _ => {}
        })?;
        Ok(envelope)
    }

    /// The size of what each event of a batch inherits, in bytes. A single call's fields are its own.
    pub fn inherited_bytes(&self) -> usize {
        let inherited = [self.context, self.sent_at].into_iter().flatten().map(str::len).sum();
        if self.batch.is_some() { inherited } else { 0 }
    }

    /// The body's key: `writeKey` unless a client masked it with `***`, else `api_key`, else `token`.
    pub fn key(&self) -> Option<String> {
        let read = |value| json::text(value).ok().flatten().map(Cow::into_owned);
        read(self.write_key)
            .filter(|key| !key.contains("***"))
            .or_else(|| read(self.api_key))
            .or_else(|| read(self.token))
            .map(|key| key.trim().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::Envelope;

    #[test]
    fn the_first_key_present_counts_unless_it_is_masked() {
        for (body, key) in [
            (r#"{"token":"t","api_key":"a","writeKey":"w"}"#, Some("w")),
            (r#"{"token":"t","api_key":"a","writeKey":"wk_***"}"#, Some("a")),
            (r#"{"token":"t","api_key":null,"writeKey":""}"#, Some("t")),
            (r#"{"writeKey":"a","writeKey":"b"}"#, Some("b")),
            (r#"[{"writeKey":"a"}]"#, None),
            ("1", None),
        ] {
            assert_eq!(Envelope::read(body).unwrap().key().as_deref(), key, "{body}");
        }
    }
}
