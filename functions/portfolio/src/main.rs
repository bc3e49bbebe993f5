//! Lambda entry point.

use barometer_cloud::{Clock, config, lambda, telemetry};
use barometer_webhook::{Client, Reach};
use portfolio::Deps;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init();
    let deps = config::from_env(|environment| {
        let aws = environment.aws();
        Deps {
            table: environment.table(&aws),
            clock: Clock::system(),
            webhooks: Client::new(Reach::PublicOnly),
        }
    })?;
    lambda::serve_http(portfolio::router(deps)).await
}
