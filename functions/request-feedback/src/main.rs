//! Lambda entry point.

use barometer_cloud::{config, lambda, telemetry};
use request_feedback::{Deps, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::init();
    let deps = config::from_env(|environment| {
        let aws = environment.aws();
        Deps {
            table: environment.table(&aws),
            mailer: environment.mailer(&aws),
            link_keys: environment.link_keys(),
            origin: environment.origin(),
        }
    })?;
    lambda::serve_events(deps, async |event, deps: Deps| handle(event, &deps).await).await
}
