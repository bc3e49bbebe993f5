//! What became of the rows, counted.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// The counts of an import.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// Rows without the header.
    pub rows: u64,
    /// Rows that are in.
    pub accepted: u64,
    /// Of them, those whose company isn't known yet.
    pub unattributed: u64,
    /// A tool's own bookkeeping.
    pub skipped: u64,
    /// Rows that aren't in, by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Remarks about rows that are in, by reason.
    pub remarks: BTreeMap<String, u64>,
}

impl Summary {
    /// Rows that aren't in.
    #[must_use]
    pub fn all_rejected(&self) -> u64 {
        self.rejected.values().sum()
    }

    /// Adds another's counts.
    pub fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.accepted += other.accepted;
        self.unattributed += other.unattributed;
        self.skipped += other.skipped;
        for (code, count) in &other.rejected {
            *self.rejected.entry(code.clone()).or_default() += count;
        }
        for (code, count) in &other.remarks {
            *self.remarks.entry(code.clone()).or_default() += count;
        }
    }

    /// Prints it for a person.
    ///
    /// # Errors
    /// When `out` is closed.
    pub fn print(&self, out: &mut impl Write, errors: &Path, verb: &str) -> io::Result<()> {
        writeln!(out, "rows      {:>9}", self.rows)?;
        writeln!(out, "{verb:<9} {:>9}", self.accepted)?;
        if self.unattributed > 0 {
            let why = "kept for 7 days until group() or a users import names their company";
            writeln!(out, "  waiting {:>9}  {why}", self.unattributed)?;
        }
        if self.skipped > 0 {
            writeln!(out, "skipped   {:>9}  the tool's own bookkeeping, nobody's activity", self.skipped)?;
        }
        writeln!(out, "rejected  {:>9}", self.all_rejected())?;
        for (code, count) in &self.rejected {
            let why = if code == "too_old" { "  older than the workspace keeps its log" } else { "" };
            writeln!(out, "  {count:>15}  {code}{why}")?;
        }
        if !self.remarks.is_empty() {
            writeln!(out, "remarks   {:>9}  on rows that are in", self.remarks.values().sum::<u64>())?;
            for (code, count) in &self.remarks {
                writeln!(out, "  {count:>15}  {code}")?;
            }
        }
        if self.all_rejected() > 0 || !self.remarks.is_empty() {
            writeln!(out, "each with its reason in {}", errors.display())?;
        }
        Ok(())
    }
}
