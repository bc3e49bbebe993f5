//! Lambda entry point.

use barometer_cloud::{Clock, config, lambda, telemetry};
use dashboard::{Deps, Oidc};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init();
    let deps = config::from_env(|environment| {
        let aws = environment.aws();
        Deps {
            table: environment.table(&aws),
            clock: Clock::system(),
            mailer: environment.mailer(&aws),
            secure_cookies: environment.secure_cookies(),
            origin: environment.optional_origin(),
            oidc: environment.oidc().map(Oidc::new),
            asking_takes: Some(dashboard::ASKING_TAKES),
        }
    })?;
    lambda::serve_http(dashboard::router(deps)).await
}
