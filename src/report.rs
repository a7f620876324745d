//! What leaves the program as text: transcript, page, incident object, Slack message, narration. Functions of records and the
//! fold; they write to what they are given and open no file. Text from models and telemetry is cleaned once more here.

pub mod cast;
mod clean;
pub mod html;
pub mod incident;
pub mod narration;
pub mod slack;
pub mod sparkline;
pub mod transcript;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::diagnosis::claim::ClaimCheck;
use crate::domain::diagnosis::verdict::Finding;
use crate::domain::remediation::follow_up::FollowUp;
use crate::domain::remediation::request::Mode;
use crate::domain::remediation::step::{Step, StepState};
use crate::session::header::{Header, Origin};
use crate::session::{Record, Session};

/// A journal as it was read, for its transcript.
#[derive(Clone, Copy, Debug)]
pub struct Journaled<'a> {
    /// The fold of the records.
    pub session: &'a Session,
    /// All of them.
    pub records: &'a [Record],
    /// Why there are no more, where the journal goes on and cannot be read.
    pub flaw: Option<&'a str>,
    /// The place behind the last, as `LINES:HASH`: who keeps the transcript elsewhere can prove the journal by it.
    pub anchor: &'a str,
}

/// The mark before a sentence of the narrative: a sign and never a colour alone.
pub fn claim_mark(check: &ClaimCheck) -> &'static str {
    match check {
        ClaimCheck::Supported => "[ok]",
        ClaimCheck::Unchecked => "[--]",
        ClaimCheck::Unsupported { .. } => "[??]",
        ClaimCheck::Contradicted { .. } => "[!!]",
    }
}

/// Said before a timeline that does not begin with the session.
fn left_out(session: &Session) -> Option<String> {
    let dropped = session.timeline.dropped();
    (dropped > 0).then(|| format!("Before these, {dropped} more are in the journal alone."))
}

/// Said behind a sentence in which nothing could be checked.
const UNCHECKED: &str = "cites, nothing to check";

/// The ids a finding rests on, where its text does not name them already: the rules' sentences end with them.
pub(crate) fn citations(finding: &Finding) -> String {
    if finding.text.ends_with(']') || finding.evidence.is_empty() {
        return String::new();
    }
    let ids: Vec<String> = finding.evidence.iter().map(|id| format!("[{id}]")).collect();
    format!(" {}", ids.concat())
}

/// The mode without the decoration of line 1: `dry-run`, `live`.
fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::DryRun => "dry-run",
        Mode::Live => "live",
    }
}

/// `REHEARSAL` with its scenario, or nothing.
pub fn rehearsal_label(header: &Header) -> Option<String> {
    match &header.origin {
        Origin::Real => None,
        Origin::Rehearsal { scenario, seed, speed } => {
            Some(format!("REHEARSAL of {scenario} (simulated cloud, seed {seed}, speed {speed})"))
        }
    }
}

/// What became of a step: its state in kebab-case, and `would-run` for an approval that a dry-run only records.
fn outcome_word(step: &Step, mode: Mode) -> String {
    match (&step.state, mode) {
        (StepState::Approved, Mode::DryRun) => "would-run".to_owned(),
        (state, _) => state.word().to_ascii_lowercase().replace(' ', "-"),
    }
}

/// A follow-up of a report in one line: `watch CPU for 30 minutes (due 10:01 UTC)`, and with its date where that is not
/// the day the report was drafted on; then how it stands.
pub fn follow_up_line(follow_up: &FollowUp, drafted_at: Timestamp) -> String {
    let day = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
    let form = if day(follow_up.due_at) == day(drafted_at) { "%H:%M" } else { "%Y-%m-%d %H:%M" };
    let told =
        Some(follow_up.told()).filter(|told| !told.is_empty()).map_or_else(String::new, |told| format!("; {told}"));
    format!("{} (due {} UTC{told})", follow_up.text, follow_up.due_at.strftime(form))
}

#[cfg(test)]
mod tests;
