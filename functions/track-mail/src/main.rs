//! Lambda entry point of `track-mail`.

use barometer_cloud::{config, lambda, telemetry};
use track_mail::Deps;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::init();
    let deps = config::from_env(|environment| {
        let aws = environment.aws();
        Deps { table: environment.table(&aws) }
    })?;
    lambda::serve_events(deps, |batch, deps: Deps| async move { track_mail::handle(batch, &deps).await })
        .await
}
