//! Lambda entry point of `arrange-portfolio`.

use arrange_portfolio::Deps;
use barometer_cloud::{Clock, config, lambda, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::init();
    let deps = config::from_env(|environment| {
        let aws = environment.aws();
        Deps { table: environment.table(&aws), clock: Clock::system() }
    })?;
    lambda::serve_events(
        deps,
        |event, deps: Deps| async move { arrange_portfolio::handle(event, &deps).await },
    )
    .await
}
