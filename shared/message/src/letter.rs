//! The mail that a rule sends in a CSM's name: plain text, as a person writes, and a reply reaches the CSM.

use barometer_domain::{SendId, Settings, automation::csm_name};
use chrono::{DateTime, Utc};
use lettre::{
    Message,
    message::{Mailbox, SinglePart},
};

use crate::{MessageError, clean, raw, recipient, sender};

/// What a letter is made of.
#[derive(Debug, Clone, Copy)]
pub struct Letter<'a> {
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
    /// The send, for the message's id.
    pub send: SendId,
    /// When it is sent.
    pub date: DateTime<Utc>,
}

impl Letter<'_> {
    /// Writes the mail as it goes out (RFC 5322). Its address is the deployment's, because SES sends from no other; its
    /// name is the CSM's, and a reply goes to the CSM, else to where the workspace wants replies. Errors: [`MessageError`].
    pub fn compose(&self) -> Result<Vec<u8>, MessageError> {
        let product = sender(self.settings, self.from);
        let named = self.csm.and_then(|csm| clean::name(&csm_name(csm))).map(|csm| match &product.name {
            Some(product) => format!("{csm} ({product})"),
            None => csm,
        });
        let from = Mailbox::new(named.or(product.name), product.email);
        let replies = [self.csm, self.settings.mail.reply_to.as_deref()];
        let reply_to = replies.into_iter().flatten().find_map(|address| address.parse::<Mailbox>().ok());
        let mut message = Message::builder()
            .from(from)
            .to(recipient(self.to, self.name)?)
            .subject(clean::line(self.subject))
            .date(self.date.into())
            .message_id(Some(format!("<{}@{}>", self.send, self.from.email.domain())))
            .raw_header(raw("Auto-Submitted", "auto-generated".to_owned()));
        if let Some(reply_to) = reply_to {
            message = message.reply_to(reply_to);
        }
        let text = SinglePart::plain(format!("{}\n", clean::lines(self.text)));
        Ok(message.singlepart(text)?.formatted())
    }
}
