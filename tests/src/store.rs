//! A table for a test: on the embedded store or, when `BAROMETER_TEST_DYNAMODB` holds an endpoint's address, on
//! that one. The same suite runs on both.

use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use barometer::store::Store;
use barometer_cloud::{Table, clients, clients::Aws};
use http_body_util::BodyExt;
use serde_json::Value;

/// Names the endpoint of a DynamoDB-compatible store to test instead of the embedded one.
pub const ENDPOINT: &str = "BAROMETER_TEST_DYNAMODB";

/// A table of its own for one test. Dropping it deletes the table.
pub struct TestTable {
    table: Table,
    aws: Aws,
}

impl Deref for TestTable {
    type Target = Table;
    fn deref(&self) -> &Table {
        &self.table
    }
}

impl TestTable {
    /// The same table seen through another HTTP client.
    pub fn through(&self, http_client: SharedHttpClient) -> Table {
        Table::new(client(&Aws { http_client, ..self.aws.clone() }), self.table.name())
    }
}

impl Drop for TestTable {
    fn drop(&mut self) {
        // The embedded store ends with the process.
        if !is_dynamodb() {
            return;
        }
        let (aws, name) = (self.aws.clone(), self.table.name().to_owned());
        let deleted = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            // A client of its own: connections belong to the runtime that opened them.
            let client = client(&Aws { http_client: clients::http_client(), ..aws });
            runtime.block_on(client.delete_table().table_name(name).send()).map_err(std::io::Error::other)
        });
        if !matches!(deleted.join(), Ok(Ok(_))) {
            eprintln!("the table {} wasn't deleted", self.table.name());
        }
    }
}

/// Whether the tests run on another store than the embedded one.
pub fn is_dynamodb() -> bool {
    std::env::var_os(ENDPOINT).is_some()
}

/// An empty table.
pub async fn table() -> TestTable {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let aws = aws();
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("barometer-{}-{count}-{since}", std::process::id());
    let table = Table::new(client(&aws), name);
    table.create().await.expect("a table");
    TestTable { table, aws }
}

/// What a client needs to reach the store under test.
pub fn aws() -> Aws {
    static EMBEDDED: OnceLock<Store> = OnceLock::new();
    let http_client = clients::http_client();
    match std::env::var(ENDPOINT) {
        Ok(endpoint) => Aws { endpoint_url: Some(endpoint), ..barometer::store::aws(http_client) },
        Err(_) => EMBEDDED.get_or_init(|| Store::open(None).expect("the embedded store")).aws(http_client),
    }
}

/// The functions' own client, with as many attempts, but hardly any wait between them.
pub fn client(aws: &Aws) -> aws_sdk_dynamodb::Client {
    let client = clients::dynamodb(aws);
    let retry = client.config().retry_config().cloned().unwrap_or_else(RetryConfig::standard);
    let retry = retry.with_initial_backoff(Duration::from_millis(1));
    aws_sdk_dynamodb::Client::from_conf(client.config().to_builder().retry_config(retry).build())
}

/// A client whose first `times` calls the table throttles; the others go through. Counts all calls.
pub fn throttling(times: u32) -> (SharedHttpClient, Arc<AtomicU32>) {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let client = over(move |inner| Throttling { inner, times, calls: counted.clone() });
    (client, calls)
}

/// A client that asks for the capacity that every call consumes and adds it up.
pub fn metered() -> (SharedHttpClient, Meter) {
    let meter = Meter::default();
    let kept = meter.clone();
    (over(move |inner| Metered { inner, meter: kept.clone() }), meter)
}

/// A client whose calls all end in `connector`.
pub fn answering(connector: impl HttpConnector + 'static) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(connector);
    http_client_fn(move |_, _| connector.clone())
}

/// A JSON answer as AWS gives it.
pub fn answer(status: u16, body: &Value) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(status).map_err(|error| ConnectorError::other(error.into(), None))?;
    Ok(HttpResponse::new(status, SdkBody::from(body.to_string())))
}

/// A client like the functions' own with `layer` around its calls.
pub fn over<C: HttpConnector + 'static>(
    layer: impl Fn(SharedHttpConnector) -> C + Send + Sync + 'static,
) -> SharedHttpClient {
    use aws_smithy_runtime_api::client::http::HttpClient;
    let plain = clients::http_client();
    http_client_fn(move |settings, components| {
        SharedHttpConnector::new(layer(plain.http_connector(settings, components)))
    })
}

#[derive(Debug)]
struct Throttling {
    inner: SharedHttpConnector,
    times: u32,
    calls: Arc<AtomicU32>,
}

impl HttpConnector for Throttling {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if self.calls.fetch_add(1, Ordering::Relaxed) >= self.times {
            return self.inner.call(request);
        }
        let kind = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException";
        HttpConnectorFuture::ready(answer(400, &serde_json::json!({"__type": kind, "message": "Too fast."})))
    }
}

/// Capacity units by operation.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Mutex<Vec<(String, f64)>>>);

impl Meter {
    /// What was consumed since the last reading: one entry a call, with the operation's name.
    pub fn read(&self) -> Vec<(String, f64)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
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
        let mut body: Value =
            request.body().bytes().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
        if let Some(body) = body.as_object_mut() {
            body.insert("ReturnConsumedCapacity".to_owned(), "TOTAL".into());
        }
        let body = body.to_string();
        request.headers_mut().insert("content-length", body.len().to_string());
        *request.body_mut() = SdkBody::from(body);
        let (inner, meter) = (self.inner.clone(), self.meter.clone());
        HttpConnectorFuture::new(async move {
            let response = inner.call(request).await?;
            let (status, headers) = (response.status(), response.headers().clone());
            let body = response.into_body().collect().await;
            let body = body.map_err(|error| ConnectorError::other(error, None))?.to_bytes();
            let units = serde_json::from_slice::<Value>(&body).map_or(0.0, |answer| units(&answer));
            meter.0.lock().unwrap_or_else(PoisonError::into_inner).push((operation, units));
            let mut response = HttpResponse::new(status, SdkBody::from(body));
            *response.headers_mut() = headers;
            Ok(response)
        })
    }
}

fn units(answer: &Value) -> f64 {
    let of = |capacity: &Value| capacity.get("CapacityUnits").and_then(Value::as_f64).unwrap_or_default();
    match answer.get("ConsumedCapacity") {
        Some(Value::Array(tables)) => tables.iter().map(of).sum(),
        Some(capacity) => of(capacity),
        None => 0.0,
    }
}
