#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! SES's events, as `infra/events` has them, on the embedded store.

mod events;
mod messages;
mod of_rules;
mod store;
