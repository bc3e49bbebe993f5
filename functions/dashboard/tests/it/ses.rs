//! SES as the mailer sees it: takes everything, or throttles.

use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
    orchestrator::{HttpRequest, HttpResponse},
};
use aws_smithy_types::body::SdkBody;
use barometer_cloud::{
    Mailer,
    clients::{self, Aws},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

/// Clones share what was sent.
#[derive(Debug, Clone, Default)]
pub struct Ses {
    sent: Arc<Mutex<Vec<Value>>>,
    throttled: bool,
    silent: bool,
}

impl HttpConnector for Ses {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if self.silent {
            return HttpConnectorFuture::new(std::future::pending());
        }
        let (status, answer) = if self.throttled {
            (429, r#"{"__type":"TooManyRequestsException"}"#)
        } else {
            let mail = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
            self.sent.lock().unwrap().push(mail);
            (200, r#"{"MessageId":"m-1"}"#)
        };
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(answer))))
    }
}

impl Ses {
    pub fn throttled() -> Self {
        Self { throttled: true, ..Self::default() }
    }

    /// Never answers.
    pub fn silent() -> Self {
        Self { silent: true, ..Self::default() }
    }

    pub fn mailer(&self) -> Mailer {
        let connector = SharedHttpConnector::new(self.clone());
        let aws = Aws {
            region: "eu-central-1".to_owned(),
            credentials: Credentials::from_keys("test", "test", None),
            endpoint_url: None,
            http_client: http_client_fn(move |_, _| connector.clone()),
        };
        Mailer::new(clients::sesv2(&aws), "feedback@example.com", None)
    }

    /// The sender named beside the last mail.
    pub fn sender_given(&self) -> Option<String> {
        let sent = self.sent.lock().unwrap();
        sent.last().unwrap()["FromEmailAddress"].as_str().map(str::to_owned)
    }

    /// Whom each mail went to, and the mail.
    pub fn sent(&self) -> Vec<(String, String)> {
        let read = |mail: &Value| {
            let raw = STANDARD.decode(mail["Content"]["Raw"]["Data"].as_str().unwrap()).unwrap();
            let to = mail["Destination"]["ToAddresses"][0].as_str().unwrap().to_owned();
            (to, String::from_utf8(raw).unwrap())
        };
        self.sent.lock().unwrap().iter().map(read).collect()
    }
}
