//! One test a row of the table at [`classify`], through the SDK's own client.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_sesv2::config::interceptors::BeforeSerializationInterceptorContextRef;
use aws_sdk_sesv2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sesv2::error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::timeout::TimeoutConfig;

use super::*;
use crate::clients::{self, Aws};

/// What the other end does with every call.
#[derive(Debug, Clone, Copy)]
enum Ses {
    Answers(u16, &'static str, &'static str),
    AnswersNonsense(u16),
    Fails(io::ErrorKind),
    TimesOut,
    Hangs,
    IsMisused,
}

#[derive(Debug, Clone)]
struct Fake {
    ses: Ses,
    calls: Arc<AtomicU32>,
}

impl HttpConnector for Fake {
    fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
        self.calls.fetch_add(1, Ordering::SeqCst);
        match self.ses {
            Ses::Answers(status, code, message) => {
                let body = match status {
                    200 => r#"{"MessageId":"m-1"}"#.to_owned(),
                    _ => format!(r#"{{"message":"{message}"}}"#),
                };
                let mut answer = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
                if !code.is_empty() {
                    answer.headers_mut().insert("x-amzn-errortype", code);
                }
                HttpConnectorFuture::ready(Ok(answer))
            }
            Ses::AnswersNonsense(status) => {
                let answer = HttpResponse::new(status.try_into().unwrap(), SdkBody::from("<html>"));
                HttpConnectorFuture::ready(Ok(answer))
            }
            Ses::Fails(kind) => {
                HttpConnectorFuture::ready(Err(ConnectorError::io(io::Error::from(kind).into())))
            }
            Ses::TimesOut => HttpConnectorFuture::ready(Err(ConnectorError::timeout("no connection".into()))),
            Ses::Hangs => HttpConnectorFuture::new(std::future::pending()),
            Ses::IsMisused => HttpConnectorFuture::ready(Err(ConnectorError::user("no body".into()))),
        }
    }
}

fn client(http_client: SharedHttpClient, endpoint: &str) -> aws_sdk_sesv2::Client {
    clients::sesv2(&Aws {
        region: "eu-central-1".to_owned(),
        credentials: Credentials::from_keys("test", "test", None),
        endpoint_url: Some(endpoint.to_owned()),
        http_client,
    })
}

async fn post(client: aws_sdk_sesv2::Client) -> Result<String, MailError> {
    let mailer = Mailer::new(client, "a@example.com", None);
    mailer.send(SendId::from_bytes([7; 16]), "b@example.com", b"Subject: Hi\r\n\r\n".to_vec()).await
}

/// How a mail ends, which must have been one call.
async fn end(ses: Ses) -> Result<String, MailError> {
    let calls = Arc::new(AtomicU32::new(0));
    let connector = SharedHttpConnector::new(Fake { ses, calls: calls.clone() });
    let client = client(http_client_fn(move |_, _| connector.clone()), "http://127.0.0.1:1");
    // As the product's own, but nobody waits for five seconds.
    let short = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_millis(50)).build();
    let config = client.config().to_builder().timeout_config(short).build();
    let ended = post(aws_sdk_sesv2::Client::from_conf(config)).await;
    assert_eq!(calls.load(Ordering::SeqCst), 1, "{ses:?}: called once, never repeated");
    ended
}

fn answers(status: u16, code: &'static str) -> Ses {
    Ses::Answers(status, code, "no")
}

fn rejected(why: &str) -> Result<String, MailError> {
    Err(MailError::Rejected(why.to_owned()))
}

fn unknown(why: &str) -> Result<String, MailError> {
    Err(MailError::Unknown(why.to_owned()))
}

macro_rules! rows {
    ($($name:ident: $ses:expr => $end:expr;)+) => {$(
        #[tokio::test]
        async fn $name() {
            assert_eq!(end($ses).await, $end);
        }
    )+};
}

rows! {
    a_mail_that_is_taken_has_an_id: answers(200, "") => Ok("m-1".to_owned());
    too_many_requests_are_throttled: answers(429, "TooManyRequestsException") => Err(MailError::NotSent(Hold::Throttled));
    throttling_is_throttled: answers(400, "ThrottlingException") => Err(MailError::NotSent(Hold::Throttled));
    throttling_by_its_old_name_is_throttled: answers(400, "Throttling") => Err(MailError::NotSent(Hold::Throttled));
    a_429_without_a_name_is_throttled: answers(429, "") => Err(MailError::NotSent(Hold::Throttled));
    the_quota_of_a_day_is_a_quota: Ses::Answers(429, "TooManyRequestsException", "Daily message quota exceeded.")
        => Err(MailError::NotSent(Hold::Quota));
    an_exceeded_limit_is_a_quota: answers(400, "LimitExceededException") => Err(MailError::NotSent(Hold::Quota));
    paused_sending_is_paused: answers(400, "SendingPausedException") => Err(MailError::NotSent(Hold::Paused));
    a_suspended_account_is_suspended: answers(400, "AccountSuspendedException") => Err(MailError::NotSent(Hold::Suspended));
    missing_permission_is_denied: answers(403, "AccessDeniedException") => Err(MailError::NotSent(Hold::Denied));
    an_expired_token_is_denied: answers(403, "ExpiredTokenException") => Err(MailError::NotSent(Hold::Denied));
    no_credentials_are_denied: answers(401, "") => Err(MailError::NotSent(Hold::Denied));
    a_refused_connection_is_unreachable: Ses::Fails(io::ErrorKind::ConnectionRefused)
        => Err(MailError::NotSent(Hold::Unreachable));
    a_rejected_message_is_rejected: answers(400, "MessageRejected") => rejected("MessageRejected");
    a_bad_request_is_rejected: answers(400, "BadRequestException") => rejected("BadRequestException");
    a_sender_that_is_not_verified_is_rejected: answers(400, "MailFromDomainNotVerifiedException")
        => rejected("MailFromDomainNotVerifiedException");
    a_configuration_set_that_is_not_there_is_rejected: answers(404, "NotFoundException") => rejected("NotFoundException");
    a_conflict_is_rejected: answers(409, "ConflictException") => rejected("ConflictException");
    an_unknown_4xx_is_rejected: answers(418, "TeapotException") => rejected("TeapotException");
    a_4xx_without_a_name_is_rejected: Ses::AnswersNonsense(413) => rejected("413");
    a_request_that_makes_no_sense_is_rejected: Ses::IsMisused => rejected("request");
    a_request_that_came_too_slowly_is_unknown: answers(408, "RequestTimeoutException") => unknown("RequestTimeoutException");
    a_500_is_unknown: answers(500, "InternalServiceErrorException") => unknown("InternalServiceErrorException");
    a_503_that_calls_itself_throttling_is_unknown: answers(503, "ThrottlingException") => unknown("ThrottlingException");
    a_504_of_a_proxy_is_unknown: Ses::AnswersNonsense(504) => unknown("504");
    an_acceptance_that_cannot_be_read_is_unknown: Ses::AnswersNonsense(200) => unknown("200");
    a_reset_is_unknown: Ses::Fails(io::ErrorKind::ConnectionReset) => unknown("no answer");
    a_broken_pipe_is_unknown: Ses::Fails(io::ErrorKind::BrokenPipe) => unknown("no answer");
    a_connection_that_times_out_is_unknown: Ses::TimesOut => unknown("no answer");
    an_answer_that_does_not_come_is_unknown: Ses::Hangs => unknown("no answer");
}

#[derive(Debug)]
struct Fails;

impl Intercept for Fails {
    fn name(&self) -> &'static str {
        "Fails"
    }

    fn read_before_serialization(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        Err("no request".into())
    }
}

#[tokio::test]
async fn a_request_that_cannot_be_put_together_is_rejected() {
    let calls = Arc::new(AtomicU32::new(0));
    let connector = SharedHttpConnector::new(Fake { ses: Ses::Hangs, calls: calls.clone() });
    let client = client(http_client_fn(move |_, _| connector.clone()), "http://127.0.0.1:1");
    let failing = client.config().to_builder().interceptor(Fails).build();
    assert_eq!(post(aws_sdk_sesv2::Client::from_conf(failing)).await, rejected("construction"));
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_unreachable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let ended = post(client(clients::http_client(), &endpoint)).await;
    assert_eq!(ended, Err(MailError::NotSent(Hold::Unreachable)));
}

#[tokio::test]
async fn a_connection_closed_without_an_answer_is_unknown_and_used_once() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (sending, serving) = (post(client(clients::http_client(), &endpoint)), async {
        let (stream, _) = listener.accept().await.unwrap();
        // Readiness may be announced too early.
        while stream.try_read(&mut [0; 16]).is_err() {
            stream.readable().await.unwrap();
        }
        drop(stream);
        // Nobody comes a second time.
        tokio::time::timeout(Duration::from_millis(300), listener.accept()).await.is_err()
    });
    let (ended, once) = tokio::join!(sending, serving);
    assert!(matches!(ended, Err(MailError::Unknown(_))), "{ended:?}");
    assert!(once);
}

#[test]
fn the_sending_client_tries_once_and_does_not_wait_forever() {
    let connector = SharedHttpConnector::new(Fake { ses: Ses::Hangs, calls: Arc::default() });
    let client = client(http_client_fn(move |_, _| connector.clone()), "http://127.0.0.1:1");
    assert_eq!(client.config().retry_config().unwrap().max_attempts(), 1);
    let timeouts = client.config().timeout_config().unwrap();
    assert!(timeouts.connect_timeout().is_some_and(|limit| limit <= Duration::from_secs(5)));
    assert!(timeouts.operation_attempt_timeout().is_some_and(|limit| limit <= Duration::from_secs(5)));
}
