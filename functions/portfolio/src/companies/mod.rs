//! The portfolio: all companies of a workspace, filtered and sorted, a page at a time.

mod csv;
pub mod list;
