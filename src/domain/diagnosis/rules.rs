//! The verdict by stated rules: one file a cause, each a list of weighed tests over the same reading of the evidence.
//!
//! No rule sees a name, a text of a log or a word of the model: only figures and how complete they are.

mod bad_deploy;
mod case;
mod collector_thrash;
mod cpu_bound;
mod crash_loop;
mod dependency_failing;
mod fix;
mod flapping_alarm;
mod limit_too_low;
mod memory_leak;
mod node_pressure;
mod nothing_wrong;
mod reading;
mod relation;
mod shared;
mod stuck_process;
mod traffic_surge;

use jiff::Timestamp;

use super::evidence::{Answer, Evidence, Payload, Question};
use super::verdict::{Cause, Confidence, Finding, MissingEvidence, RankedCause, Side, Verdict};
use case::Case;
use reading::Reading;

pub use fix::fix;
pub use reading::unrest;
pub use relation::{
    RolloutKind, Room, Scaler, SuspectRollout, autoscaler, changes_by_onset, lives_so_far, memory_now, memory_shape,
    onset, reads_memory, relations, room, suspect_rollout, tells_of_none, tells_of_rollouts,
};
pub use traffic_surge::grew_without_signs_of_a_flood;

/// The confidence from which a cause may be settled.
pub const SETTLED: f64 = 0.65;
/// How far the next cause must stay behind.
pub const MARGIN: f64 = 0.1;
/// Causes with less than this are not ranked.
const WORTH_NAMING: f64 = 0.05;
/// Support from which a cause that waits for evidence keeps others from being settled.
const INKLING: f64 = 0.15;

/// Judges the evidence.
///
/// Each cause's confidence is `0.95 · agreement · (0.6 + 0.4 · coverage)`: see
/// [`ConfidenceTerms`](super::verdict::ConfidenceTerms). A cause is settled when
/// 1. its confidence is at least [`SETTLED`],
/// 2. every test that is essential to it was answered and supports it, and
/// 3. every other cause that is not ruled out stays [`MARGIN`] behind, and is not ahead even if what was asked and is
///    missing spoke for it; one that waits for what is essential to it would have to stay [`MARGIN`] behind even then. A
///    cause that next to nothing speaks for yet is a mere possibility and keeps nothing open.
///
/// Otherwise `Inconclusive` leads, with confidence 0 and the reasons, and the candidates follow.
pub fn judge(evidence: &[Evidence], now: Timestamp) -> Verdict {
    let reading = Reading::of(evidence, now);
    let cases = weighed(&reading);
    let conclusive = settled(&cases, &reading);
    let missing = missing(evidence, &cases, &reading);
    let worth_naming = cases.iter().filter(|case| case.confidence().value() >= WORTH_NAMING);
    let mut ranked: Vec<RankedCause> =
        worth_naming.map(|case| case.ranked(|question| reading.is_unread(question))).collect();
    if !conclusive {
        ranked.insert(0, unsettled(&cases, &missing));
    }
    let rests_on = rests_on(&reading, conclusive.then(|| cases.first().map(|case| case.cause)).flatten());
    Verdict { ranked, missing, conclusive, rests_on }
}

/// Every cause weighed, the likeliest first.
fn weighed(reading: &Reading) -> Vec<Case> {
    let mut cases = vec![
        memory_leak::weigh(reading),
        limit_too_low::weigh(reading),
        traffic_surge::weigh(reading),
        collector_thrash::weigh(reading),
        cpu_bound::weigh(reading),
        bad_deploy::weigh(reading),
        crash_loop::weigh(reading),
        stuck_process::weigh(reading),
        dependency_failing::weigh(reading),
        node_pressure::weigh(reading),
        flapping_alarm::weigh(reading),
        nothing_wrong::weigh(reading),
    ];
    cases.sort_by(|a, b| b.confidence().value().total_cmp(&a.confidence().value()).then(a.cause.cmp(&b.cause)));
    cases
}

/// The answers without any one of which something else would be settled, or nothing: each is taken away and the rest is
/// weighed again.
fn rests_on(reading: &Reading, cause: Option<Cause>) -> Vec<Question> {
    let answered = Question::ALL.into_iter().filter(|question| reading.has(*question));
    let changes = |question: &Question| {
        let less = reading.without(*question);
        let cases = weighed(&less);
        let left = settled(&cases, &less).then(|| cases.first().map(|case| case.cause)).flatten();
        left != cause
    };
    answered.filter(changes).collect()
}

fn settled(cases: &[Case], reading: &Reading) -> bool {
    let Some((leading, others)) = cases.split_first() else { return false };
    let confidence = leading.confidence().value();
    let rivals = || others.iter().filter(|case| !case.is_ruled_out());
    // Both at their best come to the same at most: what waits for an essential answer may be as likely then.
    let stays_behind = |rival: &Case| {
        let at_best = rival.at_best(|question| reading.was_asked(question));
        let ahead_by = if rival.essentials_hold() { 0.0 } else { MARGIN };
        rival.supported() < INKLING || at_best + ahead_by <= confidence
    };
    confidence >= SETTLED
        && leading.essentials_hold()
        && rivals().all(|rival| rival.confidence().value() + MARGIN <= confidence && stays_behind(rival))
}

/// Questions without a whole answer. Decisive is what is essential to a cause that is not ruled out and could still win.
fn missing(evidence: &[Evidence], cases: &[Case], reading: &Reading) -> Vec<MissingEvidence> {
    let best = cases.first().map_or(0.0, |case| case.confidence().value());
    let open = |case: &&Case| !case.is_ruled_out() && case.at_best(|_| true) >= best.min(SETTLED);
    // What a cause waits for, and what would be enough to settle it.
    let enough = |case: &Case, question| {
        case.confidence().value() < SETTLED && case.at_best(|other| other == question) >= SETTLED
    };
    let decisive = |question| {
        cases.iter().filter(open).any(|case| case.waits_for(question) || best < SETTLED && enough(case, question))
    };
    Question::ALL
        .into_iter()
        .filter_map(|question| {
            let why = match evidence.iter().find(|piece| piece.question == question) {
                None if question == Question::AlarmMetric => return None,
                None => "not asked".to_owned(),
                Some(piece) => lack(&piece.answer).or_else(|| reading.unusable(question))?,
            };
            Some(MissingEvidence { question, why, decisive: decisive(question) })
        })
        .collect()
}

/// Why an answer is not whole.
fn lack(answer: &Answer) -> Option<String> {
    match answer {
        Answer::Observed { .. } => None,
        // These are bounds: nothing was left unread.
        Answer::Truncated { payload: Payload::OomKills(count), seen, of: Some(most) } if *seen == count.total => {
            Some(format!("truncated: {seen} for sure, up to {most}"))
        }
        Answer::Truncated { seen, of: Some(of), .. } => Some(format!("truncated: {seen} of {of} read")),
        Answer::Truncated { seen, of: None, .. } => Some(format!("truncated after {seen}")),
        Answer::Absent => Some("absent: asked, and there is nothing".to_owned()),
        Answer::Denied { fault } => Some(format!("denied: {}", fault.summary)),
        Answer::Failed { fault } => Some(format!("failed: {}", fault.summary)),
        Answer::NotAsked { why } => Some(format!("not asked: {why}")),
    }
}

/// The leading entry of a verdict that settles nothing: what is missing, or which causes stand too close.
fn unsettled(cases: &[Case], missing: &[MissingEvidence]) -> RankedCause {
    let mut findings: Vec<Finding> = missing
        .iter()
        .filter(|missing| missing.decisive)
        .map(|missing| note(format!("{} would decide, and is missing ({})", missing.question.word(), missing.why)))
        .collect();
    let close: Vec<String> = cases
        .iter()
        .filter(|case| !case.is_ruled_out() && case.confidence().value() >= WORTH_NAMING)
        .take(3)
        .map(|case| format!("{} {}", case.words(), case.confidence()))
        .collect();
    findings.push(note(match close.as_slice() {
        [] => "no known cause fits what was read".to_owned(),
        close => format!("not settled between the causes that fit: {}", close.join(", ")),
    }));
    RankedCause { cause: Cause::Inconclusive, confidence: Confidence::default(), findings, terms: None, called: None }
}

fn note(text: String) -> Finding {
    Finding { text, side: Side::Supports, weight: 1.0, evidence: Vec::new() }
}

#[cfg(test)]
pub(crate) mod tests;
