//! Asking for a link by mail.
//!
//! Nobody learns here whether an address is a member's: the answer is the same page with the same status, and it always
//! takes the same time. What is done for an address (its limit, looking it up, the link, the mail) has that time and not
//! a moment more, and an answer that would be ready earlier waits. A mail that fails is told in the log and not to the
//! asker, who can ask again.

use std::time::Duration;

use askama::Template;
use axum::response::Response;
use barometer_cloud::{
    StoreError,
    http::auth,
    lambda::Chain,
    mail::MailError,
    table::{
        credentials::hash,
        limits::{Allowed, Limit},
        sign_ins::GOOD_FOR,
    },
    workspaces,
};
use barometer_domain::{SendId, email::EmailAddress};
use barometer_message::{AddressError, Mailbox, MessageError, sign_in::SignInMail};
use chrono::TimeDelta;
use http::{HeaderMap, StatusCode, header};
use tokio::time::Instant;

use crate::{
    Deps, cookies,
    html::{self, Failure},
    pages,
    session::{self, LinkError},
    sign_in::{self, Trouble},
};

/// How long asking for a link takes, whatever comes of it: enough for the mail to be handed over.
pub const TAKES: Duration = Duration::from_secs(2);

/// How many links are mailed to one address, whoever asks.
const ADDRESS: Limit = Limit { name: "sign-in-address", most: 5, window: TimeDelta::minutes(15) };

const COOKIE: &str = "barometer_browser";
const HOST_COOKIE: &str = "__Host-barometer_browser";

/// What the asker sees.
#[derive(Template)]
#[template(path = "sign_in_asked.html")]
struct Asked<'a> {
    email: &'a EmailAddress,
    place: &'a str,
}

/// Why no mail went out, for the log.
#[derive(Debug, thiserror::Error)]
enum AskError {
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the sender isn't an address")]
    Sender(#[from] AddressError),
    #[error("the mail can't be written")]
    Message(#[from] MessageError),
    #[error(transparent)]
    Mail(#[from] MailError),
}

/// The name of the cookie by which a browser is known again.
fn cookie_name(secure: bool) -> &'static str {
    if secure { HOST_COOKIE } else { COOKIE }
}

/// The text by which the browser that asked for a link is known again.
pub fn browser<'a>(deps: &Deps, headers: &'a HeaderMap) -> Option<&'a str> {
    auth::cookie(headers, cookie_name(deps.secure_cookies))
        .filter(|text| text.starts_with("bsb_") && text.len() == 36)
}

/// A browser that is known again by a text in a cookie of its.
pub struct KnownBrowser(String);

impl KnownBrowser {
    /// What a link for it keeps.
    pub fn hash(&self) -> String {
        hash(&self.0)
    }

    /// The cookie, as long as a link lasts.
    pub fn cookie(&self, secure: bool) -> String {
        cookies::set(cookie_name(secure), &self.0, GOOD_FOR.num_seconds(), secure)
    }
}

/// The browser that sent these headers, which is to be known again. One that is known already stays the same, so that who
/// asks twice can use either link.
pub fn remember(deps: &Deps, headers: &HeaderMap) -> Result<KnownBrowser, LinkError> {
    let text = match browser(deps, headers) {
        Some(known) => known.to_owned(),
        None => workspaces::secret("bsb")?,
    };
    Ok(KnownBrowser(text))
}

/// The cookie that ends a browser's being known.
pub fn forgotten(secure: bool) -> String {
    cookies::set(cookie_name(secure), "", 0, secure)
}

/// Mails a link to whom the address belongs, if to any member, and answers the same to all.
pub async fn ask(deps: &Deps, headers: &HeaderMap, entered: &str) -> Result<Response, Failure> {
    let begun = Instant::now();
    let Ok(email) = EmailAddress::new(entered) else {
        return Ok(sign_in::again(deps, StatusCode::UNPROCESSABLE_ENTITY, Some(Trouble::Address)));
    };
    let browser = remember(deps, headers)?;
    let origin = pages::own_origin(deps, headers);
    let mail = mail(deps, &origin, &email, &browser);
    let mailed = match deps.asking_takes {
        Some(takes) => {
            let mailed = tokio::time::timeout_at(begun + takes, mail).await;
            tokio::time::sleep_until(begun + takes).await;
            mailed
        }
        None => Ok(mail.await),
    };
    match mailed {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(error = %Chain(&error), "a sign-in link wasn't mailed"),
        Err(_) => tracing::error!("a sign-in link took too long; it isn't known whether it was mailed"),
    }
    let mut response = html::page(StatusCode::OK, &Asked { email: &email, place: place(&origin) });
    if let Ok(cookie) = browser.cookie(deps.secure_cookies).parse() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

async fn mail(
    deps: &Deps,
    origin: &str,
    email: &EmailAddress,
    browser: &KnownBrowser,
) -> Result<(), AskError> {
    let now = deps.clock.now();
    if deps.table.allow(ADDRESS, email.as_str(), now).await? != Allowed::Yes {
        tracing::warn!("an address got as many sign-in links as it may for now");
        return Ok(());
    }
    if deps.table.memberships(email).await?.is_empty() {
        return Ok(());
    }
    let from: Mailbox = deps.mailer.from().parse()?;
    let code = session::new_code(&deps.table, email, None, Some(browser.hash()), now).await?;
    let mut send = [0; 16];
    getrandom::fill(&mut send).map_err(LinkError::Random)?;
    let send = SendId::from_bytes(send);
    let link = session::link(origin, &code);
    let minutes = GOOD_FOR.num_minutes();
    let mime =
        SignInMail { from: &from, to: email, link: &link, place: place(origin), minutes, send, date: now }
            .compose()?;
    deps.mailer.send(send, email.as_str(), mime).await?;
    Ok(())
}

/// Host and port of an origin.
fn place(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, place)| place)
}
