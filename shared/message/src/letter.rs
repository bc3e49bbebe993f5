//! The mail that a rule sends in a CSM's name: what a person writes, a reply reaches the CSM, and a link ends such mails.

use askama::Template;
use barometer_domain::{SendId, Settings, automation::csm_name, language::Language};
use chrono::{DateTime, Utc};
use lettre::{
    Message,
    message::{Mailbox, MultiPart, SinglePart},
};

use crate::{
    MessageError, clean, list_unsubscribe, raw, recipient, sender,
    texts::{Texts, texts},
};

/// What a letter is made of.
#[derive(Debug, Clone, Copy)]
pub struct Letter<'a> {
    /// The language of subject and text, and of what stands below them.
    pub language: Language,
    /// The workspace's settings.
    pub settings: &'a Settings,
    /// The deployment's sender.
    pub from: &'a Mailbox,
    /// The CSM in whose name it is sent, by e-mail address or name.
    pub csm: Option<&'a str>,
    /// The user's address.
    pub to: &'a str,
    /// The user's name.
    pub name: Option<&'a str>,
    /// The subject.
    pub subject: &'a str,
    /// The text.
    pub text: &'a str,
    /// Public address of the pages, without a slash at the end.
    pub origin: &'a str,
    /// Token of the unsubscribe page.
    pub unsubscribe: &'a str,
    /// The send, for the message's id.
    pub send: SendId,
    /// When it is sent.
    pub date: DateTime<Utc>,
}

#[derive(Template)]
#[template(path = "letter.html")]
struct Html<'a> {
    language: Language,
    texts: &'a Texts,
    subject: &'a str,
    text: &'a str,
    why: &'a str,
    unsubscribe: &'a str,
    footer: &'a str,
}

impl Html<'_> {
    /// Everything that the HTML says, links included.
    fn plain(&self) -> String {
        let Self { texts, text, why, unsubscribe, footer, .. } = self;
        let mut plain = format!("{text}\n\n-- \n{why}\n{}: {unsubscribe}\n", texts.unsubscribe);
        if !footer.is_empty() {
            plain.push_str(&format!("\n{footer}\n"));
        }
        plain
    }
}

impl Letter<'_> {
    /// Writes the mail as it goes out (RFC 5322). Its address is the deployment's, because SES sends from no other; its
    /// name is the CSM's, and a reply goes to the CSM, else to where the workspace wants replies. One click unsubscribes
    /// (RFC 8058). Errors: [`MessageError`].
    pub fn compose(&self) -> Result<Vec<u8>, MessageError> {
        let product = sender(self.settings, self.from);
        let named = self.csm.and_then(|csm| clean::name(&csm_name(csm))).map(|csm| match &product.name {
            Some(product) => format!("{csm} ({product})"),
            None => csm,
        });
        let from = Mailbox::new(named.or(product.name), product.email);
        let mailbox = |address: Option<&str>| address.and_then(|address| address.parse::<Mailbox>().ok());
        let monitored = mailbox(self.settings.mail.reply_to.as_deref());
        let link = format!("{}/u/{}", self.origin, self.unsubscribe);
        let mut message = Message::builder()
            .from(from)
            .to(recipient(self.to, self.name)?)
            .subject(clean::line(self.subject))
            .date(self.date.into())
            .message_id(Some(format!("<{}@{}>", self.send, self.from.email.domain())))
            .raw_header(raw("List-Unsubscribe", list_unsubscribe(&link, monitored.as_ref())))
            .raw_header(raw("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()))
            .raw_header(raw("Auto-Submitted", "auto-generated".to_owned()));
        if let Some(reply_to) = mailbox(self.csm).or(monitored) {
            message = message.reply_to(reply_to);
        }
        let texts = texts(self.language);
        let html = Html {
            language: self.language,
            texts,
            subject: &clean::line(self.subject),
            text: &clean::lines(self.text),
            why: &texts.why.replace("{product}", &clean::name(self.settings.product()).unwrap_or_default()),
            unsubscribe: &link,
            footer: &clean::lines(&self.settings.mail.footer),
        };
        let parts = MultiPart::alternative()
            .boundary(format!("barometer-{}", self.send))
            .singlepart(SinglePart::plain(html.plain()))
            .singlepart(SinglePart::html(html.render()?));
        Ok(message.multipart(parts)?.formatted())
    }
}

#[cfg(test)]
mod tests;
