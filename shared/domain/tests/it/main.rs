//! The rules, checked: one module per rule, and a table of company-weeks computed by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod activity;
mod alerts;
mod answers;
mod ask;
mod bands;
mod breaker;
mod calendar;
mod catalogue;
mod days;
mod digests;
mod disagreements;
mod drop_simulation;
mod drops;
mod follow_ups;
mod golden;
mod groups;
mod happiness;
mod happiness_changes;
mod ids;
mod loose;
mod months;
mod overview;
mod quadrant;
mod ramp;
mod score;
mod settings;
mod status;
mod support;
mod tasks;
mod tokens;
mod weeks;
mod what_if;
mod why;
