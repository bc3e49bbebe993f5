//! The pages on the embedded store, with the bus played in process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod answering;
mod mails_of_rules;
mod one_click;
mod pages;
mod scanners;
mod support;
mod unsubscribing;
