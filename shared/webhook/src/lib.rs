//! Outgoing webhooks: what is sent, how it is signed, where it may go, and when it is tried again.
//!
//! Signed calls follow [Standard Webhooks](https://www.standardwebhooks.com), so a receiver verifies them with that
//! project's library in its own language. Chats that take Slack's payload get plain text and no signature.
//!
//! Only [`client`] reaches the outside, and it decides by itself where it may: an address that isn't public is refused
//! after the name was resolved and before anything is connected ([`address`], [`destination`]). The rest is pure.

pub mod address;
pub mod chat;
pub mod client;
pub mod destination;
pub mod event;
pub mod schedule;
pub mod sign;

pub use client::{Client, Https, Outcome, Reason, to_trusted};
pub use destination::{Destination, Reach, Refusal};
pub use sign::{MessageId, Secret, Secrets};
