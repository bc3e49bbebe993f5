#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! Scenarios across functions.

mod acting;
mod alerts;
mod audit;
mod automations;
mod broken_requests;
mod erasure;
mod feedback;
mod home;
mod import;
mod isolation;
mod json_suite;
mod killed;
mod killed_while_sending;
mod lambda_binaries;
mod mailing;
mod mails_of_rules;
mod observed;
mod openapi;
mod overview;
mod packages;
mod rebuild;
mod recorded_events;
mod restart;
mod revisions;
mod roles;
mod schemas;
mod sending;
mod signing_in;
mod status;
mod telemetry;
mod template;
mod webhooks;
mod week_of_two;
