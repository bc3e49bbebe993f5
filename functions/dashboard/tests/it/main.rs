//! The page through its router, over an embedded store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod api;
mod browser;
mod changes;
mod invented;
mod mail;
mod pages;
mod ses;
mod settings;
mod sign_in;
mod sources;
mod store;
