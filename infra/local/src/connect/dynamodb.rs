//! Between the DynamoDB client and the embedded store: faults, and a note of every call.

use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use super::{error, reset};
use crate::calls::Calls;
use crate::faults::{Effect, Faults, Service};

/// Plain HTTP, for the loopback port of the store.
#[must_use]
pub fn plain() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_http()
}

/// Plain HTTP with the faults that were asked for; calls are noted.
#[must_use]
pub fn faulty(faults: Faults, calls: Calls) -> SharedHttpClient {
    SharedHttpClient::new(FaultyClient { inner: plain(), faults, calls })
}

#[derive(Debug)]
struct FaultyClient {
    inner: SharedHttpClient,
    faults: Faults,
    calls: Calls,
}

impl HttpClient for FaultyClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(FaultyConnector {
            inner,
            faults: self.faults.clone(),
            calls: self.calls.clone(),
        })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.inner.connector_metadata()
    }
}

#[derive(Debug)]
struct FaultyConnector {
    inner: SharedHttpConnector,
    faults: Faults,
    calls: Calls,
}

impl HttpConnector for FaultyConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.calls.note(&request);
        let (inner, faults) = (self.inner.clone(), self.faults.clone());
        HttpConnectorFuture::new(async move {
            match faults.meet(Service::Dynamodb).await {
                Effect::Throttle => error(
                    400,
                    "ProvisionedThroughputExceededException",
                    "The level of configured provisioned throughput for the table was exceeded.",
                ),
                Effect::Error => error(500, "InternalServerError", "Asked for by /local/faults."),
                Effect::Drop => {
                    inner.call(request).await?;
                    Err(reset())
                }
                _ => inner.call(request).await,
            }
        })
    }
}
