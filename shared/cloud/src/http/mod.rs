//! HTTP answers that every function gives the same way: problem documents, credentials, JSON bodies, pages.

pub mod auth;
pub mod body;
pub mod client;
pub mod json;
pub mod pages;
pub mod problem;
pub mod replay;

pub use json::Json;
pub use problem::Problem;
