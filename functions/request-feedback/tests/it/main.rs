//! The sweep on the embedded store, with SES played in process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod asking;
mod ending;
mod holding_back;
mod looking;
mod support;
