//! The CSM's API on the embedded store: every route, used well and badly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod access;
mod actions;
mod common;
mod companies;
mod company;
mod export;
mod members;
mod openapi;
mod patch;
mod repeat;
mod rules;
mod scored;
mod settings;
mod sources;
mod timeline;
mod tokens;
mod versions;
mod walks;
mod webhooks;
mod what_if;
mod why;
