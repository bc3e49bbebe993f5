//! Zero or missing? Whether silence means "nobody did anything" or "we were not told".

use serde::{Deserialize, Serialize};

use crate::IsoWeek;

/// What is known of a company's events in a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
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

/// Companies of a workspace, or of a part of it, that were heard in a week or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Census {
    /// Companies that sent events in the week.
    pub heard: u64,
    /// Regular companies: those with events in each of the previous four weeks.
    pub regular: u64,
    /// Of the regular ones, those that were silent in the week.
    pub silent: u64,
}

/// Weeks of events that make a company a regular sender.
pub const REGULAR_WEEKS: i64 = 4;
/// A gap needs at least this many silent regular companies …
pub const GAP_COMPANIES: u64 = 5;
/// … and at least one in this many of the regular ones (20 %).
pub const GAP_SHARE: u64 = 5;

impl Census {
    /// Counts one company, which was heard in the week or not, and is a regular sender or not.
    pub fn count(&mut self, heard: bool, regular: bool) {
        self.heard += u64::from(heard);
        self.regular += u64::from(regular);
        self.silent += u64::from(regular && !heard);
    }

    /// Adds another part of the workspace.
    pub fn add(&mut self, other: Self) {
        self.heard += other.heard;
        self.regular += other.regular;
        self.silent += other.silent;
    }

    /// Rule: data gap: at least 20 % and at least five of the regular companies are silent in the same week.
    pub fn is_data_gap(self) -> bool {
        self.silent >= GAP_COMPANIES && self.silent * GAP_SHARE >= self.regular
    }

    /// The telemetry of the whole workspace.
    pub fn telemetry(self) -> Telemetry {
        if self.heard == 0 {
            Telemetry::WorkspaceSilent
        } else if self.is_data_gap() {
            Telemetry::DataGap
        } else {
            Telemetry::Normal
        }
    }
}

/// Whether the weeks in which a company was heard make it a regular sender in `week`.
pub fn is_regular(heard: &[IsoWeek], week: IsoWeek) -> bool {
    (1..=REGULAR_WEEKS).all(|back| heard.contains(&week.plus(-back)))
}
