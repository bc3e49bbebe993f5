//! Support for the scenarios in `tests/it`.

pub mod aws_endpoint;
pub mod binary;
pub mod runtime_api;
pub mod template;
