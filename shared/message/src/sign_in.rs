//! The mail with a link that signs a member in.

use askama::Template;
use barometer_domain::{SendId, email::EmailAddress};
use chrono::{DateTime, Utc};
use lettre::{
    Message,
    message::{Mailbox, MultiPart, SinglePart},
};

use crate::{MessageError, raw, recipient};

/// What the mail is made of.
#[derive(Debug, Clone, Copy)]
pub struct SignInMail<'a> {
    /// The deployment's sender.
    pub from: &'a Mailbox,
    /// The member's address.
    pub to: &'a EmailAddress,
    /// The link.
    pub link: &'a str,
    /// Host and port of the page, for people to recognise.
    pub place: &'a str,
    /// How long the link is good for, in minutes.
    pub minutes: i64,
    /// The send, for the message's id.
    pub send: SendId,
    /// When it is sent.
    pub date: DateTime<Utc>,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Html<'a> {
    subject: &'a str,
    link: &'a str,
    place: &'a str,
    minutes: i64,
}

impl SignInMail<'_> {
    /// Writes the mail as it goes out (RFC 5322). Errors: [`MessageError`].
    pub fn compose(&self) -> Result<Vec<u8>, MessageError> {
        let Self { from, to, link, place, minutes, send, date } = *self;
        let subject = "Sign in to Barometer";
        let text = format!(
            "Open this link to sign in at {place}:\n\n{link}\n\nIt works once, for {minutes} minutes, and only in the \
             browser in which you asked for it.\n\nYou didn't ask? Then you needn't do anything: without that browser \
             nobody can sign in with it.\n"
        );
        let html = Html { subject, link, place, minutes }.render()?;
        let name = from.name.clone().or_else(|| Some("Barometer".to_owned()));
        let parts = MultiPart::alternative()
            .boundary(format!("barometer-{send}"))
            .singlepart(SinglePart::plain(text))
            .singlepart(SinglePart::html(html));
        let message = Message::builder()
            .from(Mailbox::new(name, from.email.clone()))
            .to(recipient(to.as_str(), None)?)
            .subject(subject)
            .date(date.into())
            .message_id(Some(format!("<{send}@{}>", from.email.domain())))
            .raw_header(raw("Auto-Submitted", "auto-generated".to_owned()))
            .multipart(parts)?;
        Ok(message.formatted())
    }
}

#[cfg(test)]
mod tests {
    use mailparse::MailHeaderMap;

    use super::*;

    #[test]
    fn both_parts_have_the_link_and_say_how_long_and_where_it_works() {
        let from = "feedback@example.com".parse().unwrap();
        let to = EmailAddress::new("sam@csm.example").unwrap();
        let link = "https://app.example.com/sign-in/bsi_0123456789abcdefghijABCDEFGHIJ-_";
        let mail = SignInMail {
            from: &from,
            to: &to,
            link,
            place: "app.example.com",
            minutes: 15,
            send: SendId::from_bytes([7; 16]),
            date: "2026-09-01T10:00:00Z".parse().unwrap(),
        };
        let raw = mail.compose().unwrap();
        let read = mailparse::parse_mail(&raw).unwrap();
        let header = |name: &str| read.headers.get_first_value(name).unwrap();
        assert_eq!(
            (header("To"), header("Subject")),
            ("sam@csm.example".into(), "Sign in to Barometer".into())
        );
        assert_eq!(header("From"), "Barometer <feedback@example.com>");
        assert_eq!(header("Auto-Submitted"), "auto-generated");
        let [text, html] = [0, 1].map(|part| read.subparts[part].get_body().unwrap());
        assert!(text.lines().any(|line| line.trim_end() == link), "{text}");
        assert!(html.contains(&format!("href=\"{link}\"")), "{html}");
        for part in [&text, &html] {
            for said in ["15 minutes", "app.example.com", "works once"] {
                assert!(part.contains(said), "{said}: {part}");
            }
        }
    }
}
