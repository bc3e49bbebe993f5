//! The mails to people. The one that asks: one question, eleven links, twice: as text and as HTML. Which bytes come out follows from the
//! ask alone, so the same ask is always the same mail.

use barometer_domain::{SendId, Settings, WorkspaceId, language::Language};
use chrono::{DateTime, Utc};
use lettre::{
    Address, Message,
    message::{
        MultiPart, SinglePart,
        header::{HeaderName, HeaderValue},
    },
};

mod clean;
pub mod letter;
pub mod sign_in;
pub mod texts;
mod written;

pub use lettre::{address::AddressError, message::Mailbox};
pub use written::{Words, Written};

/// What a mail is made of.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The language of all of it.
    pub language: Language,
    /// The workspace's settings: the product that is asked about, how the mail looks and where a reply goes.
    pub settings: &'a Settings,
    /// The deployment's sender.
    pub from: &'a Mailbox,
    /// The user's address.
    pub to: &'a str,
    /// The user's name.
    pub name: Option<&'a str>,
    /// Public address of the pages, without a slash at the end.
    pub origin: &'a str,
    /// Token of the answer page.
    pub feedback: &'a str,
    /// Token of the unsubscribe page.
    pub unsubscribe: &'a str,
    /// The workspace, for the list's id.
    pub workspace: &'a WorkspaceId,
    /// The send, for the message's id.
    pub send: SendId,
    /// When it is sent.
    pub date: DateTime<Utc>,
}

/// A mail can't be written.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// The deployment's sender is none that mail can come from.
    #[error("the sender isn't an address")]
    Sender(#[source] AddressError),
    /// The user's address is none that mail can be sent to.
    #[error("the address isn't one")]
    Recipient,
    /// The library refuses the parts.
    #[error("the mail can't be put together")]
    Message(#[from] lettre::error::Error),
    /// The page can't be rendered.
    #[error("the mail can't be rendered")]
    Render(#[from] askama::Error),
}

/// Writes the mail as it goes out (RFC 5322). Errors: [`MessageError`].
pub fn compose(ask: &Question<'_>) -> Result<Vec<u8>, MessageError> {
    let words = Words {
        language: ask.language,
        settings: ask.settings,
        name: ask.name,
        origin: ask.origin,
        feedback: ask.feedback,
        unsubscribe: ask.unsubscribe,
    };
    let Written { subject, text, html } = words.write()?;
    let reply_to: Option<Mailbox> =
        ask.settings.mail.reply_to.as_deref().and_then(|address| address.parse().ok());
    let unsubscribe = list_unsubscribe(&words.unsubscribe_url(), reply_to.as_ref());
    let mut message = Message::builder()
        .from(sender(ask.settings, ask.from))
        .to(recipient(ask.to, ask.name)?)
        .subject(subject)
        .date(ask.date.into())
        .message_id(Some(format!("<{}@{}>", ask.send, ask.from.email.domain())))
        .raw_header(raw("List-Unsubscribe", unsubscribe))
        .raw_header(raw("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()))
        .raw_header(raw("List-Id", format!("<{}.feedback.{}>", ask.workspace, host(ask.origin))))
        .raw_header(raw("Auto-Submitted", "auto-generated".to_owned()));
    if let Some(reply_to) = reply_to {
        message = message.reply_to(reply_to);
    }
    let parts = MultiPart::alternative()
        .boundary(format!("barometer-{}", ask.send))
        .singlepart(SinglePart::plain(text))
        .singlepart(SinglePart::html(html));
    Ok(message.multipart(parts)?.formatted())
}

/// Whom mails come from: the deployment's address under the workspace's name, because people know the product and not who
/// runs Barometer.
pub fn sender(settings: &Settings, deployment: &Mailbox) -> Mailbox {
    let named = clean::name(&settings.mail.sender_name).or_else(|| clean::name(settings.product()));
    Mailbox::new(named.or_else(|| deployment.name.clone()), deployment.email.clone())
}

fn recipient(address: &str, name: Option<&str>) -> Result<Mailbox, MessageError> {
    // Only the address itself: SES takes none with letters beyond ASCII, and no name in here.
    let email: Address = address.trim().parse().map_err(|_| MessageError::Recipient)?;
    if !address.is_ascii() || address.chars().any(char::is_control) {
        return Err(MessageError::Recipient);
    }
    Ok(Mailbox::new(name.and_then(clean::name), email))
}

/// RFC 8058 wants one HTTPS address; a mail address may stand beside it.
fn list_unsubscribe(url: &str, reply_to: Option<&Mailbox>) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || "@.+-_".contains(char);
    match reply_to.map(|mailbox| mailbox.email.to_string()).filter(|address| address.chars().all(plain)) {
        Some(address) => format!("<{url}>,\r\n <mailto:{address}?subject=unsubscribe>"),
        None => format!("<{url}>"),
    }
}

/// A header of ASCII that is written as it is: the library would fold or encode long words.
fn raw(name: &'static str, value: String) -> HeaderValue {
    let plain = value.replace("\r\n", "");
    HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), plain, value)
}

/// The host of an origin, without a port: the domain of the list's id.
fn host(origin: &str) -> &str {
    let rest = origin.split_once("://").map_or(origin, |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or(rest)
}

#[cfg(test)]
mod readers;
#[cfg(test)]
mod tests;
