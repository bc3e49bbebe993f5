//! Lambda entry point.

use barometer_cloud::{Clock, config, lambda, telemetry};
use barometer_webhook::{Client, Reach};
use dashboard::{Deps, Oidc};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init();
    let deps = config::from_env(|environment| {
        let aws = environment.aws();
        let (table, bus, clock) = (environment.table(&aws), environment.bus(&aws), Clock::system());
        let portfolio = portfolio::Deps {
            table: table.clone(),
            clock: clock.clone(),
            webhooks: Client::new(Reach::PublicOnly),
        };
        let statuses = update_status::Deps { table: table.clone(), bus, clock: clock.clone() };
        Deps {
            api: dashboard::api(portfolio, statuses),
            table,
            clock,
            mailer: environment.mailer(&aws),
            secure_cookies: environment.secure_cookies(),
            origin: environment.optional_origin(),
            oidc: environment.oidc().map(Oidc::new),
            asking_takes: Some(dashboard::ASKING_TAKES),
        }
    })?;
    lambda::serve_http(dashboard::router(deps)).await
}
