//! Every function in one process on one machine: store, mailbox, bus, schedules and a clock that can be moved.
//!
//! Routes, schedules and rules come from `infra/template.yaml`, the same file that AWS deploys. The functions
//! run unchanged: under their AWS SDK clients stand an embedded store, a mailbox and a bus. [`home::Home`] is
//! a whole home in process, for tests; [`cli`] is the command line.

pub mod bus;
pub mod calls;
pub mod cli;
pub mod client;
pub mod clock;
pub mod connect;
pub mod control;
pub mod courier;
pub mod delivery;
pub mod demo;
pub mod engine;
pub mod faults;
pub mod functions;
pub mod home;
pub mod import;
pub mod mailbox;
pub mod pattern;
pub mod preview;
pub mod queue;
pub mod rebuild;
pub mod records;
pub mod relay;
pub mod routes;
pub mod schedule;
pub mod serve;
pub mod server;
pub mod state;
pub mod store;
pub mod sweep;
pub mod template;
pub mod timetable;
pub mod wanted;
pub mod wiring;
pub mod workspace;
