//! A window counted whole by Logs Insights, where its lines are too many to be read one by one.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What was counted. The bounds of the window are whole seconds there, so that the count may differ by the lines of one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WholeCount {
    /// Lines.
    pub lines: u64,
    /// Lines that name an error, a fatal or a critical condition: coarser than the levels that lines are read by.
    pub error_lines: u64,
    /// The minute with most lines, and how many.
    pub busiest: Option<(Timestamp, u64)>,
    /// Bytes that all queries scanned: AWS charges for them.
    pub scanned_bytes: u64,
    /// The query that counted the lines, as a person could repeat it.
    pub query: String,
}

impl WholeCount {
    /// In one sentence part, with what it cost.
    pub(super) fn words(&self) -> String {
        let busiest = self.busiest.map_or_else(String::new, |(at, lines)| {
            format!(", most in the minute of {} ({lines})", super::text::clock(at))
        });
        let scanned = super::bytes(self.scanned_bytes);
        format!(
            "{} lines in the window and {} that name an error, counted by Logs Insights{busiest}; {scanned} scanned, \
             charged by AWS",
            self.lines, self.error_lines
        )
    }
}
