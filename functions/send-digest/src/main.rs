//! Lambda entry point of `send-digest`.

use barometer_cloud::{config, lambda, telemetry};
use send_digest::Deps;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::init();
    let deps = config::from_env(|environment| {
        let aws = environment.aws();
        Deps {
            table: environment.table(&aws),
            mailer: environment.mailer(&aws),
            origin: environment.origin(),
        }
    })?;
    lambda::serve_events(deps, |event, deps: Deps| async move { send_digest::handle(event, &deps).await })
        .await
}
