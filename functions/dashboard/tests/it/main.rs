//! The page through its router, over an embedded store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod account;
mod api;
mod browser;
mod changes;
mod inbox;
mod invented;
mod issuer;
mod mail;
mod mailed_links;
mod oidc;
mod overview;
mod pages;
mod ses;
mod sessions;
mod settings;
mod sign_in;
mod sources;
mod store;
mod team;
mod today;
mod work;
