//! Lambda entry point of `publish-changes`.

use barometer_cloud::{config, lambda, telemetry};
use publish_changes::Deps;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::init();
    let deps = config::from_env(|environment| {
        let aws = environment.aws();
        Deps { table: environment.table(&aws), bus: environment.bus(&aws) }
    })?;
    lambda::serve_events(deps, |event, deps: Deps| async move { publish_changes::handle(event, &deps).await })
        .await
}
