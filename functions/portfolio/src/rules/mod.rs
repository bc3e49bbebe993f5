//! Rules: what is there to choose from, what one would do, and what it did. The rules themselves are settings.

pub mod dry_run;
pub mod presets;
pub mod runs;
