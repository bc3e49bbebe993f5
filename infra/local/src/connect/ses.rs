//! SES v2's `SendEmail`: the mail goes to the home's mailbox, from there on to a mail server if there is one, and what SES
//! would tell of it goes to the default bus.

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpClient};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mailparse::MailHeaderMap as _;
use serde::Deserialize;
use serde_json::json;

use super::error;
use super::ses_events::{Course, Taken};
use super::simple_mail::{self, Simple};
use crate::calls::Calls;
use crate::courier::{Courier, Outgoing};
use crate::faults::{Effect, Faults, Service};
use crate::mailbox::{Mailbox, Posted};
use crate::queue::Queues;
use crate::records::RecordError;

const SEND_EMAIL: &str = "/v2/email/outbound-emails";
/// A record holds 400 KB; the mail stands in it as base64 with some fields around.
const MOST_BYTES: usize = 280 * 1024;

/// A client whose mails end in `mailbox`, go on by `courier`, and whose events go to `queues`.
#[must_use]
pub fn client(
    mailbox: Mailbox,
    queues: Queues,
    courier: Option<Courier>,
    faults: Faults,
    calls: Calls,
) -> SharedHttpClient {
    super::client(Connector { mailbox, queues, courier, faults, calls })
}

#[derive(Debug, Clone)]
struct Connector {
    mailbox: Mailbox,
    queues: Queues,
    courier: Option<Courier>,
    faults: Faults,
    calls: Calls,
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
    configuration_set_name: Option<String>,
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
        self.calls.note(&request);
        let connector = self.clone();
        HttpConnectorFuture::new(async move {
            match connector.faults.meet(Service::Ses).await {
                Effect::Throttle => error(429, "TooManyRequestsException", "Maximum sending rate exceeded."),
                Effect::Quota => error(429, "TooManyRequestsException", "Daily message quota exceeded."),
                Effect::Paused => error(400, "SendingPausedException", "Sending is paused."),
                Effect::Reject => error(400, "MessageRejected", "Asked for by /local/faults."),
                Effect::Error => connector.fail(),
                Effect::ErrorAfterAccept => {
                    let accepted = connector.send(&request, None).await?;
                    if accepted.status().is_success() { connector.fail() } else { Ok(accepted) }
                }
                Effect::None => connector.send(&request, None).await,
                Effect::Drop => connector.send(&request, Some(Course::Vanishes)).await,
                Effect::Bounce => connector.send(&request, Some(Course::Bounces)).await,
                Effect::Complain => connector.send(&request, Some(Course::Complained)).await,
            }
        })
    }
}

impl Connector {
    fn fail(&self) -> Result<HttpResponse, ConnectorError> {
        error(500, "InternalServiceErrorException", "Asked for by /local/faults.")
    }

    /// Takes a mail, of which becomes what its recipient's address says or what is told.
    async fn send(
        &self,
        request: &HttpRequest,
        told: Option<Course>,
    ) -> Result<HttpResponse, ConnectorError> {
        let path = request.uri().split('?').next().unwrap_or_default();
        if request.method() != "POST" || !path.ends_with(SEND_EMAIL) {
            return error(404, "NotFoundException", "This home knows SendEmail only.");
        }
        let Ok(mail) = serde_json::from_slice::<SendEmail>(request.body().bytes().unwrap_or_default()) else {
            return error(400, "BadRequestException", "Not a SendEmail request.");
        };
        let sender = Sender {
            from: mail.from_email_address.clone(),
            tags: mail.email_tags.iter().map(|tag| (tag.name.clone(), tag.value.clone())).collect(),
            configuration_set: mail.configuration_set_name.clone(),
        };
        let posted = match mail.posted(self.mailbox.now()) {
            Ok(posted) => posted,
            Err(problem) => return error(400, "BadRequestException", &problem),
        };
        if posted.raw.len() > MOST_BYTES {
            return error(400, "MessageRejected", "This home keeps mails of up to 280 KB.");
        }
        match self.take(posted, &sender, told).await {
            Ok(id) => super::json(200, &json!({ "MessageId": id })),
            Err(failure) => {
                tracing::error!(error = %failure, "a mail could not be kept");
                error(500, "InternalServiceErrorException", "The mail could not be kept.")
            }
        }
    }

    /// The mail and what is told of it are kept together: a home that is killed has both or neither.
    async fn take(
        &self,
        posted: Posted,
        sender: &Sender,
        told: Option<Course>,
    ) -> Result<String, RecordError> {
        let first = posted.to.first().map_or("", String::as_str);
        let carried = self.courier.as_ref().filter(|_| told.is_none() && !Course::is_simulated(first));
        let course = match carried {
            Some(_) => Course::Leaves,
            None => told.unwrap_or_else(|| Course::of(first)),
        };
        let (to, raw) = (posted.to.clone(), posted.raw.clone());
        let (message_id, record) = self.mailbox.record(posted)?;
        let taken = Taken {
            message_id: &message_id,
            from: &sender.from,
            to: &to,
            raw: &raw,
            tags: &sender.tags,
            configuration_set: sender.configuration_set.as_deref().unwrap_or_default(),
            at: self.mailbox.now(),
        };
        // As on AWS, nothing is told of a mail without a configuration set.
        let events = if sender.configuration_set.is_some() { taken.events(course) } else { Vec::new() };
        let mut records = if course == Course::Vanishes { Vec::new() } else { vec![record] };
        if carried.is_some() {
            let from = bare(&sender_of(&sender.from, &raw));
            let to: Vec<String> = to.iter().map(|to| bare(to)).collect();
            let taken = Taken { from: &from, to: &to, ..taken };
            records.push(Outgoing::new(&taken, sender.configuration_set.clone()).record()?);
        }
        self.queues.accept(events, records).await?;
        if let Some(courier) = carried {
            courier.call();
        }
        Ok(message_id)
    }
}

/// The sender that a request names, else the message.
fn sender_of(named: &str, raw: &[u8]) -> String {
    if !named.is_empty() {
        return named.to_owned();
    }
    let headers = mailparse::parse_headers(raw).map(|(headers, _)| headers).unwrap_or_default();
    headers.get_first_value("From").unwrap_or_default()
}

/// The address of `Name <address>`; what can't be read is left as it is.
fn bare(mailbox: &str) -> String {
    let list = mailparse::addrparse(mailbox).ok().and_then(|list| list.extract_single_info());
    list.map_or_else(|| mailbox.to_owned(), |one| one.addr)
}

/// What of a request goes into its events.
struct Sender {
    from: String,
    tags: Vec<(String, String)>,
    configuration_set: Option<String>,
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
