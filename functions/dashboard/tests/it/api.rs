//! The API behind the page, whose bus is out of reach: what is changed stands in the table all the same.

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
    orchestrator::HttpRequest,
    result::ConnectorError,
};
use axum::Router;
use barometer_cloud::{
    Bus, Clock, Table,
    clients::{self, Aws},
};
use barometer_webhook::{Client, Reach};

#[derive(Debug, Clone)]
struct Unreachable;

impl HttpConnector for Unreachable {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(Err(ConnectorError::user("no bus in these tests".into())))
    }
}

/// The whole API over a table, as programs ask it.
pub fn of_programs(table: &Table, clock: &Clock) -> Router {
    portfolio::router(portfolio(table, clock))
}

fn portfolio(table: &Table, clock: &Clock) -> portfolio::Deps {
    portfolio::Deps { table: table.clone(), clock: clock.clone(), webhooks: Client::new(Reach::PublicOnly) }
}

/// The API over a table, as the page asks it.
pub fn over(table: &Table, clock: &Clock) -> Router {
    let connector = SharedHttpConnector::new(Unreachable);
    let aws = Aws {
        region: "eu-central-1".to_owned(),
        credentials: Credentials::from_keys("test", "test", None),
        endpoint_url: None,
        http_client: http_client_fn(move |_, _| connector.clone()),
    };
    let bus = Bus::new(clients::eventbridge(&aws), "barometer");
    let statuses = update_status::Deps { table: table.clone(), bus, clock: clock.clone() };
    dashboard::api(portfolio(table, clock), statuses)
}
