//! Lambda entry point of `perform-actions`.

use barometer_cloud::{config, lambda, telemetry};
use barometer_webhook::{Client, Reach};
use perform_actions::Deps;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::init();
    let deps = config::from_env(|environment| {
        let aws = environment.aws();
        Deps {
            table: environment.table(&aws),
            bus: environment.bus(&aws),
            mailer: environment.mailer(&aws),
            webhooks: Client::new(Reach::PublicOnly),
            link_keys: environment.link_keys(),
            origin: environment.origin(),
        }
    })?;
    lambda::serve_events(deps, |event, deps: Deps| async move { perform_actions::handle(event, &deps).await })
        .await
}
