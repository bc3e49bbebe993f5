//! The mail: one question, eleven links, twice: as text and as HTML. Which bytes come out follows from the ask
//! alone, so the same ask is always the same mail.

use askama::Template;
use barometer_cloud::language::Language;
use barometer_domain::{SendId, WorkspaceId};
use chrono::{DateTime, Utc};
use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{HeaderName, HeaderValue},
    },
};

use crate::texts::{Texts, texts};

/// Longest name in a greeting, in characters; whoever has a longer one is greeted without.
const LONGEST_GREETING: usize = 60;
/// Longest name in a header, in characters.
const LONGEST_NAME: usize = 120;

/// What a mail is made of.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// The language of all of it.
    pub language: Language,
    /// The product that is asked about.
    pub product: &'a str,
    /// The sender.
    pub from: &'a Mailbox,
    /// The user's address.
    pub to: &'a str,
    /// The user's name.
    pub name: Option<&'a str>,
    /// Where a reply goes.
    pub reply_to: Option<&'a str>,
    /// The sender's postal address.
    pub footer: &'a str,
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

struct Choice {
    href: String,
    label: String,
}

#[derive(Template)]
#[template(path = "ask.html")]
struct Html<'a> {
    language: Language,
    texts: &'a Texts,
    subject: &'a str,
    greeting: &'a str,
    question: &'a str,
    choices: &'a [Choice],
    why: &'a str,
    unsubscribe: &'a str,
    footer: &'a str,
}

/// Writes the mail. Errors: [`MessageError`].
pub fn compose(ask: &Question<'_>) -> Result<Vec<u8>, MessageError> {
    let texts = texts(ask.language);
    let product = clean(ask.product);
    let named = |text: &str| text.replace("{product}", &product);
    let subject = named(texts.subject);
    let greeting = match ask.name.map(clean).filter(|name| is_greetable(name)) {
        Some(name) => texts.greeting_by_name.replace("{name}", &name),
        None => texts.greeting.to_owned(),
    };
    let question = named(texts.question);
    let choices: Vec<Choice> = (0..=10)
        .map(|rating| Choice {
            href: format!("{}/f/{}?s={rating}", ask.origin, ask.feedback),
            label: texts.rating.replace("{rating}", &rating.to_string()),
        })
        .collect();
    let why = named(texts.why);
    let unsubscribe = format!("{}/u/{}", ask.origin, ask.unsubscribe);
    let footer = lines(ask.footer);
    let html = Html {
        language: ask.language,
        texts,
        subject: &subject,
        greeting: &greeting,
        question: &question,
        choices: &choices,
        why: &why,
        unsubscribe: &unsubscribe,
        footer: &footer,
    };
    let html = html.render()?;
    let text = plain(texts, &greeting, &question, &choices, &why, &unsubscribe, &footer);

    let reply_to: Option<Mailbox> = ask.reply_to.and_then(|address| address.parse().ok());
    let mut message = Message::builder()
        .from(ask.from.clone())
        .to(recipient(ask.to, ask.name)?)
        .subject(subject)
        .date(ask.date.into())
        .message_id(Some(format!("<{}@{}>", ask.send, ask.from.email.domain())))
        .raw_header(raw("List-Unsubscribe", list_unsubscribe(&unsubscribe, reply_to.as_ref())))
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

/// Everything that the HTML says, links included.
fn plain(
    texts: &Texts,
    greeting: &str,
    question: &str,
    choices: &[Choice],
    why: &str,
    unsubscribe: &str,
    footer: &str,
) -> String {
    let mut text = format!("{greeting}\n\n{question}\n{}\n\n", texts.scale);
    for Choice { href, label } in choices {
        text.push_str(&format!("{label}: {href}\n"));
    }
    text.push_str(&format!("\n{}\n{}\n\n-- \n{why}\n", texts.click, texts.reason));
    text.push_str(&format!("{}: {unsubscribe}\n", texts.unsubscribe));
    if !footer.is_empty() {
        text.push_str(&format!("\n{footer}\n"));
    }
    text
}

fn recipient(address: &str, name: Option<&str>) -> Result<Mailbox, MessageError> {
    // Only the address itself: SES takes none with letters beyond ASCII, and no name in here.
    let email: Address = address.trim().parse().map_err(|_| MessageError::Recipient)?;
    if !address.is_ascii() || address.chars().any(char::is_control) {
        return Err(MessageError::Recipient);
    }
    let name = name.map(clean).filter(|name| !name.is_empty());
    Ok(Mailbox::new(name.map(|name| name.chars().take(LONGEST_NAME).collect()), email))
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

/// A value of one line: no control characters, no line ends, nothing that turns the direction of what follows;
/// spaces in a row are one.
fn clean(text: &str) -> String {
    let shown: String = text.chars().map(|char| if is_hidden(char) { ' ' } else { char }).collect();
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Several lines, cleaned one by one.
fn lines(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n").trim().to_owned()
}

fn is_hidden(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Names come from whoever filled in a form somewhere: one that could be an address or a link is no greeting.
fn is_greetable(name: &str) -> bool {
    !name.is_empty()
        && name.chars().count() <= LONGEST_GREETING
        && !name.contains(['/', '@', '<', '>', ':', '{', '}'])
        && !name.to_ascii_lowercase().contains("www.")
}

#[cfg(test)]
mod tests;
