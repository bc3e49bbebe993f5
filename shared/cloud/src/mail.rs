//! Sending mail through SES, with every way it can end told apart.

use aws_sdk_sesv2::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    primitives::Blob,
    types::{Destination, EmailContent, MessageTag, RawMessage},
};
use barometer_domain::SendId;

/// How a call that didn't succeed ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// SES didn't take it and didn't send it: throttled, over quota, paused. It may be tried again later.
    #[error("SES didn't take the mail for now ({0})")]
    NotSent(String),
    /// SES will never take it: a malformed or rejected message, an identity that isn't verified.
    #[error("SES refused the mail ({0})")]
    Rejected(String),
    /// It can't be known whether SES took it: time-out, reset, 5xx after the request was written.
    #[error("it isn't known whether SES took the mail ({0})")]
    Unknown(String),
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
        match answer {
            Ok(answer) => Ok(answer.message_id.unwrap_or_default()),
            Err(error) => Err(classify(&error)),
        }
    }
}

/// Which of the three ends an SDK error is.
fn classify<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> MailError {
    let code = error.code().unwrap_or_default();
    match code {
        "TooManyRequestsException"
        | "ThrottlingException"
        | "LimitExceededException"
        | "SendingPausedException"
        | "AccountSuspendedException" => MailError::NotSent(code.to_owned()),
        "MessageRejected"
        | "BadRequestException"
        | "MailFromDomainNotVerifiedException"
        | "NotFoundException" => MailError::Rejected(code.to_owned()),
        _ => match error {
            // Never left this process.
            SdkError::ConstructionFailure(_) => MailError::Rejected("construction".to_owned()),
            SdkError::DispatchFailure(failure) if failure.is_user() => {
                MailError::Rejected("request".to_owned())
            }
            SdkError::ServiceError(service) if service.raw().status().is_client_error() => {
                MailError::Rejected(if code.is_empty() { "4xx" } else { code }.to_owned())
            }
            _ => MailError::Unknown(if code.is_empty() { "no answer" } else { code }.to_owned()),
        },
    }
}
