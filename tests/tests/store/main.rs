#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! The table, kind of item by kind of item: what every function relies on. Runs on the embedded store and, by
//! `tests/store-on-dynamodb-local.sh`, on Amazon's DynamoDB Local.

mod actions;
mod activity;
mod answers;
mod arrival;
mod asks;
mod attribution;
mod audit;
mod budget;
mod cases;
mod companies;
mod credentials;
mod faults;
mod idempotency;
mod killed;
mod limits;
mod log;
mod mailing;
mod members;
mod outbox;
mod portfolio;
mod runs;
mod samples;
mod sessions;
mod settings;
mod snapshots;
mod sources;
mod statuses;
mod sweep_cost;
mod users;
mod webhooks;
mod weekly;
mod workspaces;
