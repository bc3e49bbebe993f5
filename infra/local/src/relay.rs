//! A mail server of one's own, spoken to by SMTP (`barometer serve --smtp`).

use std::error::Error as _;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::{AsyncSmtpTransportBuilder, Error};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

/// The longest that one answer of the server is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where mails go, as `smtp[s]://[user:password@]host[:port][?tls=required]`.
#[derive(Clone)]
pub struct Relay(AsyncSmtpTransportBuilder);

/// What the server made of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handed {
    /// It took it; with its words.
    Taken(String),
    /// It will never take it; with its words.
    Refused(Refusal, String),
    /// It didn't take it for now, or isn't there; with what it said, or what is wrong.
    Later(String),
    /// The connection ended before it said whether it took it.
    Open(String),
}

/// Why a server refuses for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody has the address.
    Address,
    /// The mailbox is full.
    Full,
    /// Something else, such as its policy or our sender: it says nothing about the address.
    Other,
}

impl FromStr for Relay {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self, Error> {
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)?;
        Ok(Self(builder.timeout(Some(PATIENCE))))
    }
}

impl fmt::Debug for Relay {
    /// The URL holds a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Relay")
    }
}

impl Relay {
    /// Hands one mail to the server, in one attempt.
    pub async fn hand(&self, from: &str, to: &[String], raw: &[u8]) -> Handed {
        let address = |text: &str| text.parse::<Address>();
        let envelope = address(from).and_then(|from| {
            let to: Result<Vec<Address>, _> = to.iter().map(|to| address(to)).collect();
            Ok((from, to?))
        });
        let envelope = envelope
            .map_err(|error| error.to_string())
            .and_then(|(from, to)| Envelope::new(Some(from), to).map_err(|error| error.to_string()));
        let envelope = match envelope {
            Ok(envelope) => envelope,
            Err(error) => return Handed::Refused(Refusal::Other, error),
        };
        let transport: AsyncSmtpTransport<Tokio1Executor> = self.0.clone().build();
        // First, that the server is there and lets us in: what fails here has nothing to do with the mail.
        match transport.test_connection().await {
            Ok(true) => {}
            Ok(false) => return Handed::Later("the server answers NOOP with an error".to_owned()),
            Err(error) => return Handed::Later(words(&error)),
        }
        // The transport ends the last line itself.
        let raw = raw.strip_suffix(b"\r\n").unwrap_or(raw);
        match transport.send_raw(&envelope, raw).await {
            Ok(answer) => {
                Handed::Taken(format!("{} {}", answer.code(), answer.first_line().unwrap_or_default()))
            }
            Err(error) => of_error(&error),
        }
    }
}

fn of_error(error: &Error) -> Handed {
    let words = words(error);
    if error.is_permanent() {
        let code = error.status().map(u16::from).unwrap_or_default();
        let said = error.source().map(ToString::to_string).unwrap_or_default();
        return Handed::Refused(refusal(code, &said), words);
    }
    if error.is_transient() {
        return Handed::Later(words);
    }
    // Ours: the server can't do what the mail needs.
    if error.is_client() {
        return Handed::Refused(Refusal::Other, words);
    }
    Handed::Open(words)
}

/// Rule: a 5xx is about the address when its enhanced code says so (RFC 3463, 5.1.x), or, without one, when it is a reply
/// that RFC 5321 has for mailboxes: 550, 551, 553.
fn refusal(code: u16, said: &str) -> Refusal {
    let enhanced = said.split_whitespace().next().and_then(|first| first.strip_prefix("5."));
    match (code, enhanced.and_then(|rest| rest.split('.').next())) {
        (_, Some("1")) if !said.starts_with("5.1.7") && !said.starts_with("5.1.8") => Refusal::Address,
        (_, Some("2")) if said.starts_with("5.2.1") => Refusal::Address,
        (_, Some("2")) | (552, None) => Refusal::Full,
        (550 | 551 | 553, None) => Refusal::Address,
        _ => Refusal::Other,
    }
}

fn words(error: &Error) -> String {
    let code = error.status().map(u16::from).map_or_else(String::new, |code| format!("{code} "));
    let said = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    format!("{code}{said}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_about_the_address_counts_against_it() {
        for (code, said, expected) in [
            (550, "5.1.1 no such user", Refusal::Address),
            (550, "no such user", Refusal::Address),
            (553, "", Refusal::Address),
            (550, "5.2.1 mailbox disabled", Refusal::Address),
            (552, "5.2.2 mailbox full", Refusal::Full),
            (552, "too much mail", Refusal::Full),
            (550, "5.7.1 relaying denied", Refusal::Other),
            (553, "5.1.8 sender unknown", Refusal::Other),
            (530, "authentication required", Refusal::Other),
            (554, "5.7.0 looks like spam", Refusal::Other),
        ] {
            assert_eq!(refusal(code, said), expected, "{code} {said}");
        }
    }

    #[test]
    fn a_relay_is_a_url_and_never_shows_its_password() {
        for url in [
            "smtp://127.0.0.1:2525",
            "smtps://me:secret@mail.example.com",
            "smtp://me:secret@mail.example.com:587?tls=required",
        ] {
            let relay: Relay = url.parse().unwrap();
            assert!(!format!("{relay:?}").contains("secret"));
        }
        for wrong in ["mail.example.com:25", "http://mail.example.com", "smtp://mail.example.com?tls=perhaps"]
        {
            assert!(wrong.parse::<Relay>().is_err(), "{wrong}");
        }
    }
}
