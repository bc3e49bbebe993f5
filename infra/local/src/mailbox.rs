//! The mailbox: every mail that a function sent, kept with the other records and shown as a mail program
//! would show it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use mailparse::{MailHeaderMap, ParsedMail};
use serde::{Deserialize, Serialize};

use crate::clock::HomeClock;
use crate::records::{Record, RecordError, Records, numbered};

const KIND: &str = "mail";
/// What a message id begins with; the record's key follows.
const ID: &str = "home-";
const SEND_ID: &str = "X-Barometer-Send-Id";

/// A mail as the service was asked to send it.
#[derive(Debug, Clone)]
pub struct Posted {
    /// Whom it goes to; empty means whoever the `To` header names.
    pub to: Vec<String>,
    /// The whole message (RFC 5322).
    pub raw: Vec<u8>,
    /// The tag `send_id`.
    pub send_id: Option<String>,
}

/// A mail as `GET /local/mail` shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Mail {
    /// SES's id of the message.
    pub message_id: String,
    /// Every recipient.
    pub to: Vec<String>,
    /// The subject, decoded.
    pub subject: String,
    /// All headers in their order, decoded.
    pub headers: Vec<Header>,
    /// The plain text part.
    pub text: Option<String>,
    /// The HTML part.
    pub html: Option<String>,
    /// The whole message.
    pub raw: String,
    /// When it was handed over, by the home's clock.
    pub sent_at: DateTime<Utc>,
    /// The sender's own id, from the tag `send_id` or the header `X-Barometer-Send-Id`.
    pub send_id: Option<String>,
}

/// One header.
#[derive(Debug, Clone, Serialize)]
pub struct Header {
    /// As it was written.
    pub name: String,
    /// Decoded and unfolded.
    pub value: String,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    message_id: String,
    to: Vec<String>,
    raw: String,
    sent_at: DateTime<Utc>,
    send_id: Option<String>,
}

/// All mails. Clones share it.
#[derive(Debug, Clone)]
pub struct Mailbox {
    records: Records,
    clock: HomeClock,
    next: Arc<AtomicU64>,
}

impl Mailbox {
    /// Opens the mailbox where it left off.
    ///
    /// # Errors
    /// When the records can't be read.
    pub async fn open(records: Records, clock: HomeClock) -> Result<Self, RecordError> {
        let next = Arc::new(AtomicU64::new(records.next_number(KIND).await?));
        Ok(Self { records, clock, next })
    }

    /// What the home's clock shows.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// A mail as it is to be kept, with its message id. It is in the mailbox when the record is written.
    ///
    /// # Errors
    /// When it has no JSON form.
    pub fn record(&self, posted: Posted) -> Result<(String, Record), RecordError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let kept = Kept {
            message_id: message_id(number),
            to: posted.to,
            raw: STANDARD.encode(posted.raw),
            sent_at: self.clock.now(),
            send_id: posted.send_id,
        };
        let record = Record::new(KIND, numbered(number), &kept)?;
        Ok((kept.message_id, record))
    }

    /// The whole message of a mail.
    ///
    /// # Errors
    /// When the records can't be read.
    pub async fn raw(&self, message_id: &str) -> Result<Option<Vec<u8>>, RecordError> {
        let Some(key) = message_id.strip_prefix(ID) else { return Ok(None) };
        let kept: Option<Kept> = self.records.get(KIND, key).await?;
        Ok(kept.and_then(|kept| STANDARD.decode(&kept.raw).ok()))
    }

    /// Every mail, oldest first.
    ///
    /// # Errors
    /// When the records can't be read.
    pub async fn list(&self) -> Result<Vec<Mail>, RecordError> {
        Ok(self.records.list::<Kept>(KIND).await?.into_iter().map(|(_, kept)| kept.shown()).collect())
    }
}

fn message_id(number: u64) -> String {
    format!("{ID}{}", numbered(number))
}

impl Kept {
    fn shown(self) -> Mail {
        let raw = STANDARD.decode(&self.raw).unwrap_or_default();
        let mut mail = Mail {
            message_id: self.message_id,
            to: self.to,
            subject: String::new(),
            headers: Vec::new(),
            text: None,
            html: None,
            raw: String::from_utf8_lossy(&raw).into_owned(),
            sent_at: self.sent_at,
            send_id: self.send_id,
        };
        // A message that can't be parsed still shows: raw.
        if let Ok(parsed) = mailparse::parse_mail(&raw) {
            mail.read(&parsed);
        }
        mail
    }
}

impl Mail {
    fn read(&mut self, parsed: &ParsedMail<'_>) {
        let header = |name: &str| parsed.headers.get_first_value(name);
        self.subject = header("Subject").unwrap_or_default();
        if self.to.is_empty() {
            self.to = recipients(parsed);
        }
        if self.send_id.is_none() {
            self.send_id = header(SEND_ID);
        }
        self.headers =
            parsed.headers.iter().map(|h| Header { name: h.get_key(), value: h.get_value() }).collect();
        for part in parsed.parts() {
            let Ok(body) = part.get_body() else { continue };
            match part.ctype.mimetype.as_str() {
                "text/plain" if self.text.is_none() => self.text = Some(body),
                "text/html" if self.html.is_none() => self.html = Some(body),
                _ => {}
            }
        }
    }
}

fn recipients(parsed: &ParsedMail<'_>) -> Vec<String> {
    parsed
        .headers
        .get_all_headers("To")
        .into_iter()
        .filter_map(|header| mailparse::addrparse_header(header).ok())
        .flat_map(|list| {
            list.iter()
                .flat_map(|entry| match entry {
                    mailparse::MailAddr::Single(one) => vec![one.addr.clone()],
                    mailparse::MailAddr::Group(group) => {
                        group.addrs.iter().map(|one| one.addr.clone()).collect()
                    }
                })
                .collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(raw: &str) -> Mail {
        Kept {
            message_id: "home-1".to_owned(),
            to: Vec::new(),
            raw: STANDARD.encode(raw),
            sent_at: DateTime::UNIX_EPOCH,
            send_id: None,
        }
        .shown()
    }

    #[test]
    fn a_mail_shows_as_a_mail_program_would_show_it() {
        let mail = shown(
            "From: a@example.com\r\nTo: \"Zo\u{eb}\" <zoe@example.com>, b@example.com\r\n\
             Subject: =?utf-8?b?R3LDvMOfZQ==?=\r\nX-Barometer-Send-Id: s-1\r\n\
             List-Unsubscribe: <https://example.com/u/1>,\r\n <mailto:u@example.com>\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Transfer-Encoding: quoted-printable\r\n\r\nZufrieden=3F =E2=82=AC\r\n--x\r\n\
             Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+SGk8L2I+\r\n--x--\r\n",
        );
        assert_eq!(mail.to, ["zoe@example.com", "b@example.com"]);
        assert_eq!(mail.subject, "Grüße");
        assert_eq!(mail.send_id.as_deref(), Some("s-1"));
        assert_eq!(mail.text.as_deref().map(str::trim_end), Some("Zufrieden? €"));
        assert_eq!(mail.html.as_deref(), Some("<b>Hi</b>"));
        let unsubscribe = mail.headers.iter().find(|h| h.name == "List-Unsubscribe").unwrap();
        assert_eq!(unsubscribe.value, "<https://example.com/u/1>, <mailto:u@example.com>");
        assert!(mail.raw.contains("--x--"));
    }

    #[test]
    fn a_message_without_parts_has_its_text() {
        let mail = shown("Subject: s\r\n\r\nplain\r\n");
        assert_eq!(mail.text.as_deref(), Some("plain\r\n"));
        assert_eq!(mail.html, None);
    }
}
