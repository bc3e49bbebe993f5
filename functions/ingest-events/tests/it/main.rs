//! Reading as clients see it: recorded requests, published examples, broken requests, any bytes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod broken;
mod cloudevents;
mod common;
mod events;
mod hostile;
mod jitsu;
mod lambda;
mod posthog;
mod properties;
mod published;
mod recorded;
