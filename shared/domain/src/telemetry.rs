//! Zero or missing? Whether silence means "nobody did anything" or "we were not told".

use serde::{Deserialize, Serialize};

/// What is known of a company's events in a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Telemetry {
    /// Events arrive normally: no activity is a real 0.
    Normal,
    /// The company has never sent an event up to the end of the week.
    NeverSent,
    /// No company of the workspace sent anything in the week.
    WorkspaceSilent,
    /// So many companies that normally send were silent that the week is excluded for all.
    DataGap,
}

/// A gap needs at least this many silent regular companies …
pub const GAP_COMPANIES: u64 = 5;
/// … and at least one in this many of the regular ones (20 %).
pub const GAP_SHARE: u64 = 5;

/// Rule: data gap: at least 20 % and at least five of the regular companies, those with events in each of
/// the previous four weeks, are silent in the same week.
pub fn is_data_gap(regular: u64, silent: u64) -> bool {
    silent >= GAP_COMPANIES && silent * GAP_SHARE >= regular
}
