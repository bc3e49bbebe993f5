//! SES's `Content.Simple`: subject and bodies, of which SES makes the message itself.

use chrono::{DateTime, Utc};
use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use serde::Deserialize;
use thiserror::Error;

/// Why no message could be made.
#[derive(Debug, Error)]
pub enum ComposeError {
    /// An address that isn't one.
    #[error("{0}")]
    Address(#[from] lettre::address::AddressError),
    /// A header that can't stand in a mail.
    #[error("a header's name is not one: {0}")]
    Header(String),
    /// Neither text nor HTML.
    #[error("Body needs Text or Html.")]
    Empty,
    /// Something that a message must have is missing.
    #[error("{0}")]
    Message(#[from] lettre::error::Error),
}

/// `Content.Simple`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Simple {
    subject: Data,
    body: Body,
    #[serde(default)]
    headers: Vec<Header>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Data {
    data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    text: Option<Data>,
    html: Option<Data>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Header {
    name: String,
    value: String,
}

/// The message as it would go out.
///
/// # Errors
/// When an address, a header or the body isn't usable.
pub fn compose(
    from: &str,
    to: &[String],
    cc: &[String],
    simple: Simple,
    now: DateTime<Utc>,
) -> Result<Vec<u8>, ComposeError> {
    let mut message = Message::builder().from(from.parse()?).subject(simple.subject.data).date(now.into());
    for address in to {
        message = message.to(address.parse::<Mailbox>()?);
    }
    for address in cc {
        message = message.cc(address.parse::<Mailbox>()?);
    }
    for Header { name, value } in simple.headers {
        let named = HeaderName::new_from_ascii(name.clone()).map_err(|_| ComposeError::Header(name))?;
        message = message.raw_header(HeaderValue::new(named, value));
    }
    let message = match (simple.body.text, simple.body.html) {
        (Some(text), Some(html)) => {
            message.multipart(MultiPart::alternative_plain_html(text.data, html.data))?
        }
        (Some(text), None) => message.singlepart(SinglePart::plain(text.data))?,
        (None, Some(html)) => message.singlepart(SinglePart::html(html.data))?,
        (None, None) => return Err(ComposeError::Empty),
    };
    Ok(message.formatted())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mailparse::MailHeaderMap as _;
    use serde_json::json;

    fn composed(content: serde_json::Value) -> Result<String, ComposeError> {
        let simple = serde_json::from_value(content).unwrap();
        let to = ["Zoë <zoe@example.com>".to_owned()];
        let raw = compose("a@example.com", &to, &[], simple, DateTime::UNIX_EPOCH)?;
        Ok(String::from_utf8(raw).unwrap())
    }

    #[test]
    fn text_and_html_become_one_message() {
        let raw = composed(json!({
            "Subject": {"Data": "Grüße"},
            "Body": {"Text": {"Data": "Hi"}, "Html": {"Data": "<b>Hi</b>"}},
            "Headers": [{"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"}]
        }))
        .unwrap();
        let parsed = mailparse::parse_mail(raw.as_bytes()).unwrap();
        assert_eq!(parsed.headers.get_first_value("Subject").unwrap(), "Grüße");
        assert_eq!(parsed.subparts.len(), 2);
        assert!(raw.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click"));
        assert!(raw.contains("Date: Thu, 01 Jan 1970 00:00:00 +0000"));
    }

    #[test]
    fn a_body_is_needed() {
        let empty = composed(json!({"Subject": {"Data": "s"}, "Body": {}}));
        assert!(matches!(empty, Err(ComposeError::Empty)));
    }
}
