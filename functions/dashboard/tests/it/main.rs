//! The page through its router, over an embedded store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod api;
mod browser;
mod changes;
mod inbox;
mod invented;
mod mail;
mod overview;
mod pages;
mod ses;
mod sign_in;
mod sources;
mod store;
mod today;
mod work;
