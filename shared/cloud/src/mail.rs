//! Sending mail through SES, with every way it can end told apart.

use aws_sdk_sesv2::{
    config::http::HttpResponse,
    error::{ConnectorError, ProvideErrorMetadata, SdkError},
    primitives::Blob,
    types::{Destination, EmailContent, MessageTag, RawMessage},
};
use barometer_domain::SendId;

use crate::metrics::{Metric, count};

/// How a call that didn't succeed ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// SES didn't take it and didn't send it. It may be tried again later.
    #[error("SES didn't take the mail for now ({0})")]
    NotSent(Hold),
    /// SES will never take it: a malformed or rejected message, an identity that isn't verified.
    #[error("SES refused the mail ({0})")]
    Rejected(String),
    /// It can't be known whether SES took it: time-out, reset, 5xx after the request was written.
    #[error("it isn't known whether SES took the mail ({0})")]
    Unknown(String),
}

/// Why SES takes no mails for now, whatever is in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Hold {
    /// Too many a second: the next ones may go.
    #[error("throttled")]
    Throttled,
    /// As many as the account may send in 24 hours.
    #[error("quota")]
    Quota,
    /// Sending is paused, for the account or the configuration set.
    #[error("paused")]
    Paused,
    /// SES shut the account down.
    #[error("suspended")]
    Suspended,
    /// This function may not send: credentials, clock or policy.
    #[error("denied")]
    Denied,
    /// Nobody took the connection, so nothing was written.
    #[error("unreachable")]
    Unreachable,
}

/// The mailer of a function.
#[derive(Debug, Clone)]
pub struct Mailer {
    client: aws_sdk_sesv2::Client,
    from: String,
    configuration_set: Option<String>,
}

impl Mailer {
    /// Sends from `from`, an address or `Name <address>`, with an optional configuration set.
    pub fn new(
        client: aws_sdk_sesv2::Client,
        from: impl Into<String>,
        configuration_set: Option<String>,
    ) -> Self {
        Self { client, from: from.into(), configuration_set }
    }

    /// The sender.
    pub fn from(&self) -> &str {
        &self.from
    }

    /// Hands one MIME message to SES, once. Returns SES's message id. Errors: [`MailError`].
    pub async fn send(&self, send: SendId, to: &str, mime: Vec<u8>) -> Result<String, MailError> {
        let raw = RawMessage::builder()
            .data(Blob::new(mime))
            .build()
            .map_err(|error| MailError::Rejected(error.to_string()))?;
        let tag = MessageTag::builder()
            .name("send_id")
            .value(send.to_string())
            .build()
            .map_err(|error| MailError::Rejected(error.to_string()))?;
        // Without `FromEmailAddress`, which SES would write over the message's own From, its name included.
        let answer = self
            .client
            .send_email()
            .destination(Destination::builder().to_addresses(to).build())
            .content(EmailContent::builder().raw(raw).build())
            .email_tags(tag)
            .set_configuration_set_name(self.configuration_set.clone())
            .send()
            .await;
        let answer = answer.map_err(|error| classify(&error));
        match &answer {
            Ok(_) => count(Metric::Sent, 1),
            Err(MailError::Unknown(_)) => count(Metric::Unknown, 1),
            Err(MailError::NotSent(_) | MailError::Rejected(_)) => {}
        }
        Ok(answer?.message_id.unwrap_or_default())
    }
}

/// Which end an error of the SDK is.
///
/// | what came back | end |
/// |---|---|
/// | `TooManyRequestsException`, `ThrottlingException`, `Throttling`, any 429 | not sent: throttled; with "daily" or "quota" in its message: quota |
/// | `LimitExceededException` | not sent: quota |
/// | `SendingPausedException` | not sent: paused |
/// | `AccountSuspendedException` | not sent: suspended |
/// | any 401 or 403 | not sent: denied |
/// | connection refused | not sent: unreachable |
/// | `MessageRejected`, `BadRequestException`, `MailFromDomainNotVerifiedException`, `NotFoundException`, any other 4xx but 408 | rejected |
/// | a request that can't be put together | rejected |
/// | 408, 5xx, time-out, reset, an answer that can't be read | unknown |
///
/// The names are those of the SES v2 API's `SendEmail`. Whether a connection was reset before or after the request
/// was written can't be told, so either is unknown.
fn classify<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> MailError {
    let code = error.code().unwrap_or_default();
    match error {
        // Never left this process.
        SdkError::ConstructionFailure(_) => MailError::Rejected("construction".to_owned()),
        SdkError::DispatchFailure(failure) if failure.is_user() => MailError::Rejected("request".to_owned()),
        SdkError::DispatchFailure(failure) if failure.as_connector_error().is_some_and(is_refused) => {
            MailError::NotSent(Hold::Unreachable)
        }
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            by_answer(status, code, error.message().unwrap_or_default())
        }
        _ => MailError::Unknown("no answer".to_owned()),
    }
}

fn by_answer(status: u16, code: &str, message: &str) -> MailError {
    let said = || if code.is_empty() { status.to_string() } else { code.to_owned() };
    match (code, status) {
        // A server's failure says nothing, whatever it calls itself.
        (_, 408 | 500..) => MailError::Unknown(said()),
        ("TooManyRequestsException" | "ThrottlingException" | "Throttling", _) | (_, 429) => {
            let message = message.to_ascii_lowercase();
            let day = message.contains("daily") || message.contains("quota");
            MailError::NotSent(if day { Hold::Quota } else { Hold::Throttled })
        }
        ("LimitExceededException", _) => MailError::NotSent(Hold::Quota),
        ("SendingPausedException", _) => MailError::NotSent(Hold::Paused),
        ("AccountSuspendedException", _) => MailError::NotSent(Hold::Suspended),
        (_, 401 | 403) => MailError::NotSent(Hold::Denied),
        (_, 400..=499) => MailError::Rejected(said()),
        _ => MailError::Unknown(said()),
    }
}

/// Only connecting can be refused, and nothing is written before.
fn is_refused(error: &ConnectorError) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<std::io::Error>()
            && error.kind() == std::io::ErrorKind::ConnectionRefused
        {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests;
