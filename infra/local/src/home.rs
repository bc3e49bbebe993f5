//! The home: opens the store, puts the functions on it, serves them and lets time pass, until it is stopped.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use barometer_cloud::{Table, clients, config::OidcSettings};
use barometer_webhook::Reach;
use chrono::{DateTime, Utc};
use serde_json::Value;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::bus::Bus;
use crate::calls::Calls;
use crate::clock::HomeClock;
use crate::connect;
use crate::courier::Courier;
use crate::delivery::Delivery;
use crate::engine::{Engine, EngineError, Passed};
use crate::faults::Faults;
use crate::functions::{CallError, Functions};
use crate::mailbox::Mailbox;
use crate::queue::Queues;
use crate::records::{RecordError, Records};
use crate::relay::Relay;
use crate::routes::Routes;
use crate::server::{self, Served};
use crate::state::{ClockBack, State};
use crate::store::{self, Store};
use crate::sweep::sweep;
use crate::template::{Template, TemplateError};
use crate::timetable::Timetable;
use crate::wiring::{self, Wiring, WiringError};

const TICK: Duration = Duration::from_secs(1);
/// How often it is looked at whether a day has passed.
const SWEEP_CHECK: Duration = Duration::from_secs(60);
/// How long requests that are under way may take once the home is to stop.
const GRACE: Duration = Duration::from_secs(10);

/// How a home is to start.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Its data folder; in memory when absent.
    pub data: Option<PathBuf>,
    /// Where its clock starts; see [`State::start`] when absent.
    pub now: Option<DateTime<Utc>>,
    /// Where webhooks may go.
    pub webhooks: Reach,
    /// Delivers mails for real; without it they end in the mailbox.
    pub smtp: Option<Smtp>,
    /// The OpenID Connect issuer that members may sign in with.
    pub oidc: Option<OidcSettings>,
}

/// How mails are delivered for real.
#[derive(Debug, Clone)]
pub struct Smtp {
    /// The mail server.
    pub relay: Relay,
    /// The sender: an address or `Name <address>`.
    pub from: String,
}

impl Default for Options {
    /// In memory, on a free loopback port, at the machine's time, webhooks to public addresses only.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data: None,
            now: None,
            webhooks: Reach::PublicOnly,
            smtp: None,
            oidc: None,
        }
    }
}

/// Why a home didn't start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The address can't be listened on.
    #[error("can't listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The store didn't open.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// The product's table can't be made.
    #[error("the table can't be made")]
    Table(#[from] barometer_cloud::StoreError),
    /// The home's records can't be used.
    #[error(transparent)]
    Records(#[from] RecordError),
    /// The clock would go back.
    #[error(transparent)]
    Clock(#[from] ClockBack),
    /// The template asks for what the home can't do.
    #[error("infra/template.yaml")]
    Template(#[from] TemplateError),
    /// The functions can't be put together.
    #[error(transparent)]
    Wiring(#[from] WiringError),
}

/// A running home.
#[derive(Debug)]
pub struct Home {
    address: SocketAddr,
    served: Served,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
    background: Vec<JoinHandle<()>>,
    store: Store,
}

impl Home {
    /// Starts a home. It answers requests when this returns.
    ///
    /// # Errors
    /// When anything it needs can't be had.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        Self::start_with(options, Template::built_in()?, wiring::functions).await
    }

    async fn start_with(
        options: Options,
        template: Template,
        functions: impl FnOnce(Wiring) -> Functions,
    ) -> Result<Self, StartError> {
        let failed = |source| StartError::Listen { address: options.listen, source };
        let listener = TcpListener::bind(options.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let store = Store::open(options.data.as_deref())?;
        let (served, courier) = assemble(&template, functions, &store, origin(address), &options).await?;

        let (stop, stopped) = watch::channel(false);
        let server = tokio::spawn(server::run(listener, served.clone(), stopped.clone()));
        let mut background = vec![
            tokio::spawn(let_time_pass(served.clone(), stopped.clone())),
            tokio::spawn(deliver_events(served.engine.clone(), stopped.clone())),
            tokio::spawn(sweep_daily(served.clone(), stopped.clone())),
        ];
        background.extend(courier.map(|courier| tokio::spawn(carry_mails(courier, stopped))));
        Ok(Self { address, served, stop, server, background, store })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        origin(self.address)
    }

    /// What its clock shows.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.served.engine.clock.now()
    }

    /// The product's table, as the functions see it.
    #[must_use]
    pub fn table(&self) -> &Table {
        &self.served.table
    }

    /// The mailbox.
    #[must_use]
    pub fn mailbox(&self) -> &Mailbox {
        &self.served.mailbox
    }

    /// The faults.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.served.faults
    }

    /// The AWS calls that functions made.
    #[must_use]
    pub fn calls(&self) -> &Calls {
        &self.served.calls
    }

    /// Moves the clock and runs what becomes due; see [`Engine::move_clock`].
    ///
    /// # Errors
    /// When `to` lies in the past or the records fail.
    pub async fn move_clock(&self, to: DateTime<Utc>) -> Result<Passed, EngineError> {
        self.served.engine.move_clock(to).await
    }

    /// Calls a function and delivers what it put on the bus.
    ///
    /// # Errors
    /// When there is no such function, or it fails.
    pub async fn invoke(&self, function: &str, event: Value) -> Result<Value, CallError> {
        self.served.engine.invoke(function, event).await
    }

    /// Deletes what has expired by the home's clock and answers how much that was.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn sweep(&self) -> Result<usize, aws_sdk_dynamodb::Error> {
        sweep(&self.served.table, self.now()).await
    }

    /// Every bus event so far, as `GET /local/bus` shows it.
    ///
    /// # Errors
    /// When the records can't be read.
    pub async fn bus_log(&self) -> Result<Vec<Value>, RecordError> {
        self.served.engine.bus.log(&self.served.engine.delivery).await
    }

    /// Answers what is under way, delivers what is on the bus, stores the clock and closes the store.
    pub async fn stop(mut self) {
        self.served.engine.stop();
        self.stop.send_replace(true);
        if tokio::time::timeout(GRACE, &mut self.server).await.is_err() {
            tracing::warn!("requests were still under way at the end");
            self.server.abort();
        }
        for task in self.background {
            if task.await.is_err() {
                tracing::error!("a background task panicked");
            }
        }
        self.served.engine.drain().await;
        if let Some(statistics) = &self.served.statistics {
            statistics.write_all(self.served.engine.clock.now()).await;
        }
        if let Err(error) = self.served.engine.rest().await {
            tracing::error!(%error, "the clock could not be stored");
        }
        // The clients keep connections open, which the store waits for.
        drop(self.served);
        let store = self.store;
        if tokio::task::spawn_blocking(move || store.close()).await.is_err() {
            tracing::error!("the store panicked while closing");
        }
    }
}

async fn assemble(
    template: &Template,
    functions: impl FnOnce(Wiring) -> Functions,
    store: &Store,
    origin: String,
    options: &Options,
) -> Result<(Served, Option<Courier>), StartError> {
    let own = clients::dynamodb(&store.aws(connect::dynamodb::plain()));
    let records = Records::open(own.clone()).await?;
    Table::new(own, wiring::TABLE).create().await?;
    let state = State::start(State::load(&records).await?, options.now, Utc::now())?;
    let clock = HomeClock::starting_at(state.clock);
    let (faults, calls) = (Faults::default(), Calls::default());
    let mailbox = Mailbox::open(records.clone(), clock.clone()).await?;
    let bus = Bus::open(records.clone(), clock.clone(), template).await?;
    let queues = Queues::open(records.clone(), clock.clone(), template).await?;

    let smtp = options.smtp.as_ref();
    let courier =
        smtp.map(|smtp| Courier::new(smtp.relay.clone(), records.clone(), mailbox.clone(), queues.clone()));
    let mail =
        connect::ses::client(mailbox.clone(), queues.clone(), courier.clone(), faults.clone(), calls.clone());

    let table_client =
        clients::dynamodb(&store.aws(connect::dynamodb::faulty(faults.clone(), calls.clone())));
    let table = Table::new(table_client, wiring::TABLE);
    let functions = functions(Wiring {
        table: table.clone(),
        events: store::aws(connect::eventbridge::client(bus.clone(), faults.clone(), calls.clone())),
        mail: store::aws(mail),
        mail_from: smtp.map_or(wiring::MAIL_FROM, |smtp| &smtp.from).to_owned(),
        link_keys: wiring::link_keys(&records).await?,
        clock: clock.for_functions(),
        origin,
        webhooks: options.webhooks,
        oidc: options.oidc.clone(),
    });
    wiring::check(&functions, template)?;

    let statistics = functions.statistics();
    let delivery = Delivery::open(functions, records.clone(), clock.clone()).await?;
    let timetable = Timetable::new(template);
    let engine = Engine::new(clock, bus, queues, delivery, records, timetable, state).await?;
    let (engine, routes) = (Arc::new(engine), Arc::new(Routes::new(template)));
    Ok((Served { engine, routes, mailbox, faults, calls, table, statistics }, courier))
}

/// Also for `0.0.0.0`, which one can listen on and not go to.
fn origin(address: SocketAddr) -> String {
    match address.ip() {
        ip if ip.is_unspecified() => format!("http://localhost:{}", address.port()),
        _ => format!("http://{address}"),
    }
}

async fn let_time_pass(served: Served, mut stopped: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            _ = ticks.tick() => {}
        }
        // Outside of the select, so that stopping doesn't cut a run off.
        if let Err(error) = served.engine.tick().await {
            tracing::error!(%error, "the schedules could not run");
        }
        if let Some(statistics) = &served.statistics {
            statistics.write_due(served.engine.clock.now()).await;
        }
    }
}

/// A day of the home's clock, which may pass in a moment.
async fn sweep_daily(served: Served, mut stopped: watch::Receiver<bool>) {
    let mut swept = served.engine.clock.now();
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(SWEEP_CHECK) => {}
        }
        let now = served.engine.clock.now();
        if now - swept < chrono::TimeDelta::days(1) {
            continue;
        }
        swept = now;
        match sweep(&served.table, now).await {
            Ok(expired) => tracing::info!(expired, "swept"),
            Err(error) => tracing::warn!(%error, "the sweep for expired items failed"),
        }
    }
}

/// Mails that weren't taken wait by the home's clock, which may pass in a moment.
async fn carry_mails(courier: Courier, mut stopped: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            () = courier.called() => {}
            _ = ticks.tick() => {}
        }
        if let Err(error) = courier.carry(&stopped).await {
            tracing::error!(%error, "the mails could not be carried");
        }
    }
}

async fn deliver_events(engine: Arc<Engine>, mut stopped: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            () = engine.arrival() => {}
        }
        engine.drain().await;
    }
}

#[cfg(test)]
pub(crate) mod tests;
