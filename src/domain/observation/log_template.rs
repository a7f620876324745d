//! Log templates: the constant part of lines that differ only in ids and numbers, counted exactly.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::log::LogLevel;

/// One template and what was counted of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TemplateCount {
    /// The text with `<*>` where lines differ.
    pub template: String,
    /// The loudest level seen.
    pub level: LogLevel,
    /// Lines of this template.
    pub count: u64,
    /// First seen.
    pub first_at: Timestamp,
    /// Last seen.
    pub last_at: Timestamp,
    /// One line as an example, sanitised and redacted.
    pub example: String,
}
