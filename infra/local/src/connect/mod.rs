//! What stands under the AWS SDK clients in place of AWS. The handlers use the clients as they are.

use aws_smithy_runtime_api::client::http::{
    HttpConnector, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde_json::Value;

pub mod dynamodb;
pub mod eventbridge;
pub mod ses;
pub mod ses_events;
mod simple_mail;

/// A client whose every call goes to `connector`.
fn client(connector: impl HttpConnector + 'static) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(connector);
    http_client_fn(move |_, _| connector.clone())
}

fn json(status: u16, body: &Value) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(status).map_err(|e| ConnectorError::other(e.into(), None))?;
    let mut response = HttpResponse::new(status, SdkBody::from(body.to_string()));
    response.headers_mut().insert("content-type", "application/json");
    Ok(response)
}

/// An error in the form that every AWS JSON protocol reads: the kind in the header and in the body.
fn error(status: u16, kind: &'static str, message: &str) -> Result<HttpResponse, ConnectorError> {
    let mut response = json(status, &serde_json::json!({"__type": kind, "message": message}))?;
    response.headers_mut().insert("x-amzn-errortype", kind);
    Ok(response)
}

/// What a caller sees of a connection that was reset.
fn reset() -> ConnectorError {
    ConnectorError::io(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into())
}
