//! `--anomalies`: each point of a metric with its score and flag, as CSV.

use std::fmt::Write as _;

use super::Exported;
use crate::domain::diagnosis::statistics;

/// The points of every series with score and flag.
pub fn anomalies(exported: &Exported) -> String {
    let mut text = String::from("metric,timestamp,value,score,flag\n");
    for (name, series) in &exported.series {
        for scored in statistics::anomalies(&series.points) {
            let point = scored.point;
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "{},{},{},{:.4},{}",
                quoted(name),
                point.at,
                point.value,
                scored.score,
                u8::from(scored.flagged)
            );
        }
    }
    text
}

/// A cell of CSV (RFC 4180): quoted where it needs to be.
pub(super) fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}
