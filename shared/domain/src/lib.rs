//! The rules of Barometer, and nothing else: calendar, components, weekly score, monthly roll-up, bands,
//! happiness, quadrant, status, signed links, how mails look, why a score changed, alerts and disagreements, when users
//! are asked and when mailing stops, what answers ask of a CSM, tasks and the daily digest, and the automations.
//!
//! Everything here is a pure function of its arguments. There is no AWS, no async, no clock and no
//! randomness: time comes in as an argument, so that a score computed today and one recomputed in a year
//! are the same number.
//!
//! Percentages are integers in basis points from end to end ([`Percent`]); no floating point decides a band.

pub mod accent;
pub mod activity;
pub mod alert;
pub mod answer;
pub mod ask;
pub mod automation;
pub mod band;
pub mod breaker;
pub mod calendar;
pub mod catalogue;
pub mod component;
pub mod day;
pub mod digest;
pub mod disagreement;
pub mod drop;
pub mod email;
pub mod first_week;
pub mod follow_up;
pub mod groups;
pub mod happiness;
pub mod happiness_change;
pub mod happiness_drop;
pub mod ids;
pub mod language;
pub mod loose;
pub mod mail;
pub mod member;
pub mod month;
pub mod overview;
pub mod percent;
pub mod quadrant;
pub mod ramp;
pub mod settings;
pub mod status;
pub mod tally;
pub mod task;
pub mod telemetry;
pub mod text;
pub mod token;
pub mod week;
pub mod what_if;
pub mod why;

pub use calendar::{IsoWeek, Month, Zone};
pub use ids::{CompanyId, IdError, SendId, UserId, WorkspaceId};
pub use percent::Percent;
pub use settings::Settings;
