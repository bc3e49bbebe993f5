//! Lambda entry point.

use barometer_cloud::{Clock, config, lambda, telemetry};
use submit_feedback::{Deps, router};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init();
    let deps = config::from_env(|environment| {
        let aws = environment.aws();
        Deps {
            table: environment.table(&aws),
            bus: environment.bus(&aws),
            clock: Clock::system(),
            link_keys: environment.link_keys(),
        }
    })?;
    lambda::serve_http(router(deps)).await
}
