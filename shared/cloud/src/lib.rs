//! What talks to the outside: the table, the bus, mail, HTTP answers, telemetry and configuration.
//!
//! Data flows one way: a function's handler reads here, asks `barometer_domain` for the rule, and writes here.
//! The same code runs on AWS and in the one-machine home; only the endpoint under the SDK clients differs.

pub mod asking;
pub mod automation;
pub mod bus;
pub mod clients;
mod clock;
pub mod config;
pub mod contacts;
pub mod erasure;
pub mod features;
pub mod happiness;
pub mod http;
pub mod invocation;
pub mod lambda;
pub mod listing;
pub mod mail;
mod metering;
pub mod metrics;
pub mod openapi;
pub mod portfolio;
pub mod sharded;
pub mod sources;
pub mod subscription;
pub mod table;
pub mod telemetry;
pub mod views;
pub mod watch;
pub mod why;
pub mod workspaces;

pub use barometer_domain::language;
pub use bus::Bus;
pub use clock::Clock;
pub use mail::Mailer;
pub use table::{StoreError, Table};
