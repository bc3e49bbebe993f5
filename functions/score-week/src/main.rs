//! Lambda entry point of `score-week`.

use barometer_cloud::{config, lambda, sharded::BUDGET, telemetry};
use score_week::Deps;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::init();
    let deps = config::from_env(|environment| {
        let aws = environment.aws();
        Deps { table: environment.table(&aws), bus: environment.bus(&aws), budget: BUDGET }
    })?;
    lambda::serve_events(deps, |event, deps: Deps| async move { score_week::handle(event, &deps).await })
        .await
}
