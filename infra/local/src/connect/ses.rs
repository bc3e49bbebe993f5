//! SES v2's `SendEmail`: the mail goes to the home's mailbox instead of out into the world.

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpClient};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;

use super::error;
use super::simple_mail::{self, Simple};
use crate::faults::{Effect, Faults, Service};
use crate::mailbox::{Mailbox, Posted};

const SEND_EMAIL: &str = "/v2/email/outbound-emails";
/// A record holds 400 KB; the mail stands in it as base64 with some fields around.
const MOST_BYTES: usize = 280 * 1024;

/// A client whose mails end in `mailbox`.
#[must_use]
pub fn client(mailbox: Mailbox, faults: Faults) -> SharedHttpClient {
    super::client(Connector { mailbox, faults })
}

#[derive(Debug, Clone)]
struct Connector {
    mailbox: Mailbox,
    faults: Faults,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendEmail {
    #[serde(default)]
    from_email_address: String,
    #[serde(default)]
    destination: Destination,
    content: Content,
    #[serde(default)]
    email_tags: Vec<Tag>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Destination {
    to_addresses: Vec<String>,
    cc_addresses: Vec<String>,
    bcc_addresses: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    raw: Option<Raw>,
    simple: Option<Simple>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Raw {
    data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    name: String,
    value: String,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = self.clone();
        HttpConnectorFuture::new(async move {
            match connector.faults.meet(Service::Ses).await {
                Effect::None => connector.send(&request, false).await,
                Effect::Drop => connector.send(&request, true).await,
                Effect::Throttle => error(429, "TooManyRequestsException", "Maximum sending rate exceeded."),
                Effect::Error => error(500, "InternalServiceErrorException", "Asked for by /local/faults."),
            }
        })
    }
}

impl Connector {
    async fn send(&self, request: &HttpRequest, forget: bool) -> Result<HttpResponse, ConnectorError> {
        let path = request.uri().split('?').next().unwrap_or_default();
        if request.method() != "POST" || !path.ends_with(SEND_EMAIL) {
            return error(404, "NotFoundException", "This home knows SendEmail only.");
        }
        let Ok(mail) = serde_json::from_slice::<SendEmail>(request.body().bytes().unwrap_or_default()) else {
            return error(400, "BadRequestException", "Not a SendEmail request.");
        };
        let posted = match mail.posted(self.mailbox.now()) {
            Ok(posted) => posted,
            Err(problem) => return error(400, "BadRequestException", &problem),
        };
        if posted.raw.len() > MOST_BYTES {
            return error(400, "MessageRejected", "This home keeps mails of up to 280 KB.");
        }
        let sent = if forget { Ok(self.mailbox.message_id()) } else { self.mailbox.deliver(posted).await };
        match sent {
            Ok(id) => super::json(200, &json!({ "MessageId": id })),
            Err(failure) => {
                tracing::error!(error = %failure, "a mail could not be kept");
                error(500, "InternalServiceErrorException", "The mail could not be kept.")
            }
        }
    }
}

impl SendEmail {
    fn posted(self, now: chrono::DateTime<chrono::Utc>) -> Result<Posted, String> {
        let Destination { to_addresses, cc_addresses, bcc_addresses } = self.destination;
        let raw = match (self.content.raw, self.content.simple) {
            (Some(raw), None) => STANDARD.decode(raw.data).map_err(|e| format!("Raw.Data: {e}"))?,
            (None, Some(simple)) => {
                simple_mail::compose(&self.from_email_address, &to_addresses, &cc_addresses, simple, now)
                    .map_err(|e| e.to_string())?
            }
            _ => return Err("Content needs exactly one of Raw and Simple.".to_owned()),
        };
        Ok(Posted {
            to: [to_addresses, cc_addresses, bcc_addresses].concat(),
            raw,
            send_id: self.email_tags.into_iter().find(|tag| tag.name == "send_id").map(|tag| tag.value),
        })
    }
}
