//! What a locked gate says would open it.

use super::*;
use pagerdeck::domain::diagnosis::evidence::{Answer, Question};
use pagerdeck::domain::diagnosis::verdict::{ConfidenceTerms, MissingEvidence};
use pagerdeck::domain::fault::{Fault, FaultKind};

/// Asking again brings nothing that nobody could ask for.
#[test]
fn evidence_that_nobody_could_ask_for_is_not_unlocked_by_asking_again() {
    let unlock = |unknown: &[Question]| {
        let mut case = judged();
        case.incident.verdict = Some(fixture_parts::inconclusive(&[Question::Memory, Question::Cpu]));
        for evidence in case.incident.evidence.iter_mut().filter(|evidence| unknown.contains(&evidence.question)) {
            evidence.answer = Answer::NotAsked { why: "no metric is known".to_owned() };
        }
        case.report().refusals[0].unlock.clone()
    };
    assert_eq!(unlock(&[]), "evidence on memory, cpu: ask again with r");
    assert_eq!(
        unlock(&[Question::Cpu]),
        "evidence on memory: ask again with r; on cpu: say under [[service]] where it is read"
    );
    assert_eq!(
        unlock(&[Question::Memory, Question::Cpu]),
        "evidence on memory, cpu: say under [[service]] where it is read"
    );
}

/// A right that this credential does not have is not gained by asking again: it is named, once.
#[test]
fn evidence_that_was_denied_is_unlocked_by_the_right_to_read_it() {
    let mut case = judged();
    case.incident.verdict =
        Some(fixture_parts::inconclusive(&[Question::Memory, Question::OomKills, Question::LogPatterns]));
    let denied = |hints: &[&str]| {
        let fault = Fault::new(FaultKind::Denied, "It was denied.");
        Answer::Denied { fault: hints.iter().fold(fault, |fault, hint| fault.hint(*hint)) }
    };
    for evidence in &mut case.incident.evidence {
        if matches!(evidence.question, Question::OomKills | Question::LogPatterns) {
            evidence.answer = denied(&["The identity lacks `logs:FilterLogEvents`."]);
        }
    }
    assert_eq!(
        case.report().refusals[0].unlock,
        "evidence on memory: ask again with r; on oom-kills, log-patterns: the identity lacks logs:FilterLogEvents; then r"
    );
}

/// What was submitted and cannot be read is told from what was never submitted.
#[test]
fn an_unreadable_diagnosis_is_told_as_such() {
    let mut it = judged();
    it.incident.diagnosis = None;
    let told = |it: &Judged| it.report().refusals.first().map(|refusal| refusal.text.clone()).unwrap();
    assert!(told(&it).contains("submitted no structured diagnosis"), "{}", told(&it));
    it.incident.narrative.unreadable = Some("the field \"workload\" is missing.".to_owned());
    assert!(told(&it).ends_with("is unreadable: the field \"workload\" is missing."), "{}", told(&it));
}

/// A confidence that falls below the bound where what was refused speaks against the cause keeps the gate locked, and what was
/// refused is named.
#[test]
fn what_was_not_read_is_held_against_the_cause() {
    let mut it = judged();
    let terms =
        |unread: f64| ConfidenceTerms { supports: 0.75, against: 0.0, open: 0.25, cap: 1.0, unread, cap_at_worst: 1.0 };
    let mut with = |unread: f64| {
        let verdict = it.incident.verdict.as_mut().unwrap();
        verdict.ranked[0].terms = Some(terms(unread));
        let why = "denied: It was so.".to_owned();
        verdict.missing = vec![MissingEvidence { question: Question::OomKills, why, decisive: false }];
        it.report()
    };
    assert!(with(0.0).is_open());
    let locked = with(0.25);
    let refusal = &locked.refusals[0];
    assert_eq!(refusal.reason, RefusalReason::LowConfidence);
    assert!(refusal.text.contains("falls to 0.71, below 0.75, if what was not read (oom-kills)"), "{}", refusal.text);
    assert_eq!(refusal.unlock, "the right to read oom-kills, then ask again with r");
    let missing = |question, why: &str| MissingEvidence { question, why: why.to_owned(), decisive: false };
    let cut = missing(Question::OomKills, "truncated: 4 of 14 read");
    let in_part = missing(Question::Workload, "in part: not read: events (denied)");
    it.incident.verdict.as_mut().unwrap().missing = vec![in_part, cut];
    let unlock = it.report().refusals[0].unlock.clone();
    assert_eq!(unlock, "the right to read workload and a whole answer on oom-kills, then ask again with r");
}
