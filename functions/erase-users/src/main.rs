//! Lambda entry point of `erase-users`.

use barometer_cloud::{config, lambda, telemetry};
use erase_users::{BUDGET, Deps};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::init();
    let deps = config::from_env(|environment| {
        let aws = environment.aws();
        Deps { table: environment.table(&aws), budget: BUDGET }
    })?;
    lambda::serve_events(deps, |event, deps: Deps| async move { erase_users::handle(event, &deps).await })
        .await
}
