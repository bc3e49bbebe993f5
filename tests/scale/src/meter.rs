//! An HTTP client whose calls to the table are counted, with the capacity that the store says they consumed.
//!
//! Texts are searched, not parsed: counting must hardly show in the processor time.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use barometer_cloud::clients;
use http_body_util::BodyExt;

/// What calls came to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    pub calls: u64,
    pub read_units: f64,
    pub write_units: f64,
}

/// Counts calls. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Mutex<Tally>>);

impl Meter {
    /// What came since the last time.
    pub fn take(&self) -> Tally {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A client whose calls are counted.
    pub fn client(&self) -> SharedHttpClient {
        let (plain, meter) = (clients::http_client(), self.clone());
        http_client_fn(move |settings, components| {
            let inner = plain.http_connector(settings, components);
            SharedHttpConnector::new(Metered { inner, meter: meter.clone() })
        })
    }

    fn note(&self, operation: &str, consistent: bool, answer: &[u8]) {
        let mut tally = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let units = units(&String::from_utf8_lossy(answer));
        tally.calls += 1;
        if !matches!(operation, "GetItem" | "Query") {
            tally.write_units += units;
        } else if units > 0.0 {
            tally.read_units += units;
        } else {
            // Where a store reports nothing for a read that finds nothing: the least that AWS charges.
            tally.read_units += if consistent { 1.0 } else { 0.5 };
        }
    }
}

#[derive(Debug)]
struct Metered {
    inner: SharedHttpConnector,
    meter: Meter,
}

impl HttpConnector for Metered {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let operation = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = operation.rsplit('.').next().unwrap_or_default().to_owned();
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let consistent = body.contains("\"ConsistentRead\":true");
        let body = body.replacen('{', "{\"ReturnConsumedCapacity\":\"TOTAL\",", 1);
        request.headers_mut().insert("content-length", body.len().to_string());
        *request.body_mut() = SdkBody::from(body);
        let (inner, meter) = (self.inner.clone(), self.meter.clone());
        HttpConnectorFuture::new(async move {
            let response = inner.call(request).await?;
            let (status, headers) = (response.status(), response.headers().clone());
            let body = response.into_body().collect().await;
            let body = body.map_err(|error| ConnectorError::other(error, None))?.to_bytes();
            meter.note(&operation, consistent, &body);
            let mut response = HttpResponse::new(status, SdkBody::from(body));
            *response.headers_mut() = headers;
            Ok(response)
        })
    }
}

fn units(answer: &str) -> f64 {
    let numbers = answer.split("\"CapacityUnits\":").skip(1);
    numbers
        .filter_map(|rest| rest.split([',', '}']).next())
        .filter_map(|number| number.trim().parse::<f64>().ok())
        .sum()
}
