//! Lambda entry point of `react`.

use barometer_cloud::{Clock, config, lambda, telemetry};
use react::Deps;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::init();
    let deps = config::from_env(|environment| {
        let aws = environment.aws();
        Deps { table: environment.table(&aws), bus: environment.bus(&aws), clock: Clock::system() }
    })?;
    lambda::serve_events(deps, |event, deps: Deps| async move { react::handle(event, &deps).await }).await
}
