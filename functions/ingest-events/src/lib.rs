//! Takes the activity that a product posts.
//!
//! In: requests as the official clients of Segment and RudderStack send them, compressed or not, on the paths of
//! [`route`]. Out: exactly 200 with what was accepted and what was rejected and why, or a problem document.
//!
//! Reading is pure and stands apart from storing: [`request`] undoes what surrounds the JSON, [`segment`] reads
//! one protocol's events into [`event::Event`], [`read`] puts both together, [`answer`] says what became of it.
//! Another protocol is another module beside [`segment`] that produces the same events.

pub mod answer;
pub mod cors;
pub mod device;
pub mod documents;
pub mod envelope;
pub mod event;
pub mod fault;
pub mod json;
pub mod key;
pub mod limits;
pub mod open;
pub mod read;
pub mod refusal;
pub mod request;
pub mod route;
pub mod segment;
pub mod time;
pub mod tolerant;
