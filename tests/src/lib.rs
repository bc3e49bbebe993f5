//! Support for the scenarios in `tests/it` and the store suite in `tests/store`.

pub mod aws_endpoint;
pub mod binary;
pub mod faulty;
pub mod runtime_api;
pub mod store;
pub mod template;
