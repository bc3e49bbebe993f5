//! The HTTP server: `/local/*` is the home's own, everything else goes to the function whose route fits.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt as _;
use barometer_cloud::Table;
use barometer_cloud::http::client::ClientAddress;
use http::{StatusCode, header};
use http_body_util::Limited;
use ingest_events::statistics::Statistics;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::calls::Calls;
use crate::control;
use crate::engine::Engine;
use crate::faults::Faults;
use crate::mailbox::Mailbox;
use crate::routes::Routes;

/// API Gateway takes no larger body.
const MOST_BYTES: usize = 10 * 1024 * 1024;

/// What requests are answered from.
#[derive(Debug, Clone)]
pub struct Served {
    /// Time, bus and functions.
    pub engine: Arc<Engine>,
    /// Which function answers.
    pub routes: Arc<Routes>,
    /// The mails.
    pub mailbox: Mailbox,
    /// The faults.
    pub faults: Faults,
    /// The AWS calls that functions made.
    pub calls: Calls,
    /// The product's table.
    pub table: Table,
    /// Numbers about sources that wait in the process.
    pub statistics: Option<Arc<Statistics>>,
}

/// Serves until told to stop, then until what is under way is answered.
pub async fn run(listener: TcpListener, served: Served, mut stopped: watch::Receiver<bool>) {
    let until = async move { drop(stopped.wait_for(|stop| *stop).await) };
    let app = app(served).into_make_service_with_connect_info::<SocketAddr>();
    // Small answers go out at once instead of waiting for a fuller packet.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "a connection waits for fuller packets");
        }
    });
    if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(until).await {
        tracing::error!(%error, "the server stopped");
    }
}

fn app(served: Served) -> Router {
    Router::new().nest("/local", control::router()).fallback(to_function).with_state(served)
}

async fn to_function(State(served): State<Served>, request: Request) -> Response {
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > MOST_BYTES) {
        return gateway(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    }
    let Some(function) = served.routes.select(request.method(), request.uri().path()) else {
        return gateway(StatusCode::NOT_FOUND, "Not Found");
    };
    let mut request = request.map(|body| Body::new(Limited::new(body, MOST_BYTES)));
    if let Some(ConnectInfo(address)) = request.extensions().get::<ConnectInfo<SocketAddr>>() {
        let address = ClientAddress(address.ip());
        request.extensions_mut().insert(address);
    }
    served.engine.delivery.functions().serve(function, request).await
}

/// An answer of API Gateway itself.
fn gateway(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(serde_json::json!({ "message": message }))).into_response()
}
