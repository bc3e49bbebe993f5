//! Lambda entry point of `ingest-events`.

use barometer_cloud::{Clock, config, lambda, telemetry};
use ingest_events::Deps;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init();
    let deps = config::from_env(|environment| {
        let aws = environment.aws();
        Deps { table: environment.table(&aws), bus: environment.bus(&aws), clock: Clock::system() }
    })?;
    lambda::serve_http(ingest_events::router(deps)).await
}
