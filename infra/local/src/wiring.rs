//! Gives every function what it needs, as its `main` does on AWS.

use barometer_cloud::{Bus, Clock, Mailer, Table, clients, config::OidcSettings, sharded::BUDGET};
use barometer_domain::token::{Key, Keys};
use barometer_webhook::Reach;
use thiserror::Error;

use crate::functions::Functions;
use crate::records::{Record, RecordError, Records};
use crate::template::Template;

/// The product's table.
pub const TABLE: &str = "barometer";
const BUS: &str = "barometer";
/// Whom mails come from as long as they are only kept.
pub const MAIL_FROM: &str = "Barometer <barometer@localhost>";
/// The template's configuration set, by its logical id: whatever the template refers to is called so here.
const MAIL_CONFIGURATION: &str = "MailConfiguration";

/// What the functions are made of.
#[derive(Debug)]
pub struct Wiring {
    /// The product's table.
    pub table: Table,
    /// Where EventBridge clients go.
    pub events: clients::Aws,
    /// Where SES clients go.
    pub mail: clients::Aws,
    /// Whom mails come from.
    pub mail_from: String,
    /// The keys of signed links.
    pub link_keys: Keys,
    /// The home's clock.
    pub clock: Clock,
    /// The home's URL.
    pub origin: String,
    /// Where webhooks may go.
    pub webhooks: Reach,
    /// The OpenID Connect issuer that members may sign in with.
    pub oidc: Option<OidcSettings>,
}

/// Why the functions and the template don't go together.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum WiringError {
    /// The template has a function that this program doesn't.
    #[error("infra/template.yaml names {0}, which this program doesn't have")]
    NoHandler(String),
    /// This program has a function that the template doesn't.
    #[error("infra/template.yaml doesn't name {0}")]
    NotInTemplate(String),
    /// Routes lead to a function that takes events, or schedules or rules to one that answers requests.
    #[error("{0} is triggered by what it doesn't take")]
    Trigger(String),
}

/// Checks that template and program have the same functions, triggered by what they take.
///
/// # Errors
/// Naming the first function for which this isn't so.
pub fn check(functions: &Functions, template: &Template) -> Result<(), WiringError> {
    for function in &template.functions {
        if !functions.names().any(|name| name == function.name) {
            return Err(WiringError::NoHandler(function.name.clone()));
        }
        let requests = functions.answers_requests(&function.name);
        let events =
            !function.schedules.is_empty() || !function.rules.is_empty() || !function.queues.is_empty();
        if requests == events || requests == function.routes.is_empty() {
            return Err(WiringError::Trigger(function.name.clone()));
        }
    }
    let missing = functions.names().find(|name| !template.functions.iter().any(|f| f.name == *name));
    missing.map_or(Ok(()), |name| Err(WiringError::NotInTemplate(name.to_owned())))
}

/// The keys of signed links, made when the data folder is new.
///
/// # Errors
/// When the records fail.
pub async fn link_keys(records: &Records) -> Result<Keys, RecordError> {
    const KIND: &str = "home";
    const KEY: &str = "link-keys";
    let secret = match records.get::<Vec<u8>>(KIND, KEY).await? {
        Some(secret) => secret,
        None => {
            let mut secret = [0; 32];
            getrandom::fill(&mut secret).map_err(RecordError::Random)?;
            records.put(Record::new(KIND, KEY, &secret)?).await?;
            secret.to_vec()
        }
    };
    Ok(Keys::new(Key { id: 1, secret }, Vec::new()))
}

/// All functions.
#[must_use]
pub fn functions(wiring: Wiring) -> Functions {
    let Wiring { table, events, mail, mail_from, link_keys, clock, origin, webhooks, oidc } = wiring;
    let bus = Bus::new(clients::eventbridge(&events), BUS);
    let mailer = Mailer::new(clients::sesv2(&mail), mail_from, Some(MAIL_CONFIGURATION.to_owned()));

    let arranges = clock.clone();
    let ingest = ingest_events::Deps { table: table.clone(), bus: bus.clone(), clock: clock.clone() };
    let submit = submit_feedback::Deps {
        table: table.clone(),
        bus: bus.clone(),
        clock: clock.clone(),
        link_keys: link_keys.clone(),
    };
    let update = update_status::Deps { table: table.clone(), bus: bus.clone(), clock: clock.clone() };
    let webhooks = barometer_webhook::Client::new(webhooks);
    let portfolio =
        portfolio::Deps { table: table.clone(), clock: clock.clone(), webhooks: webhooks.clone() };
    // The home speaks plain HTTP, over which a browser keeps no secure cookies.
    let react = react::Deps { table: table.clone(), bus: bus.clone(), clock: clock.clone() };
    let dashboard = dashboard::Deps {
        table: table.clone(),
        clock,
        mailer: mailer.clone(),
        api: dashboard::api(portfolio.clone(), update.clone()),
        secure_cookies: false,
        origin: Some(origin.clone()),
        asking_takes: Some(dashboard::ASKING_TAKES),
        oidc: oidc.map(dashboard::Oidc::new),
    };
    let arrange = arrange_portfolio::Deps { table: table.clone(), clock: arranges };
    let score = score_week::Deps { table: table.clone(), bus: bus.clone(), budget: BUDGET };
    let roll_up = roll_up_month::Deps { table: table.clone(), bus: bus.clone(), budget: BUDGET };
    let publish = publish_changes::Deps { table: table.clone(), bus: bus.clone() };
    let erase = erase_users::Deps { table: table.clone(), budget: erase_users::BUDGET };
    let digest = send_digest::Deps { table: table.clone(), mailer: mailer.clone(), origin: origin.clone() };
    let perform = perform_actions::Deps {
        table: table.clone(),
        bus: bus.clone(),
        mailer: mailer.clone(),
        webhooks,
        link_keys: link_keys.clone(),
        origin: origin.clone(),
    };
    let track = track_mail::Deps { table: table.clone() };
    let request = request_feedback::Deps { table, mailer, link_keys, origin };

    let (ingest, statistics) = ingest_events::router_and_statistics(ingest);
    Functions::default()
        .counting(statistics)
        .http("ingest-events", ingest)
        .http("submit-feedback", submit_feedback::router(submit))
        .http("update-status", update_status::router(update))
        .http("portfolio", portfolio::router(portfolio))
        .http("dashboard", dashboard::router(dashboard))
        .event("score-week", score, |event, deps: score_week::Deps| async move {
            score_week::handle(event, &deps).await
        })
        .event("roll-up-month", roll_up, |event, deps: roll_up_month::Deps| async move {
            roll_up_month::handle(event, &deps).await
        })
        .event("arrange-portfolio", arrange, |event, deps: arrange_portfolio::Deps| async move {
            arrange_portfolio::handle(event, &deps).await
        })
        .event("publish-changes", publish, |event, deps: publish_changes::Deps| async move {
            publish_changes::handle(event, &deps).await
        })
        .event("erase-users", erase, |event, deps: erase_users::Deps| async move {
            erase_users::handle(event, &deps).await
        })
        .event("react", react, |event, deps: react::Deps| async move { react::handle(event, &deps).await })
        .event("send-digest", digest, |event, deps: send_digest::Deps| async move {
            send_digest::handle(event, &deps).await
        })
        .event("perform-actions", perform, |event, deps: perform_actions::Deps| async move {
            perform_actions::handle(event, &deps).await
        })
        .event("track-mail", track, |batch, deps: track_mail::Deps| async move {
            track_mail::handle(batch, &deps).await
        })
        .event("request-feedback", request, |event, deps: request_feedback::Deps| async move {
            request_feedback::handle(event, &deps).await
        })
}
