//! What a locked gate says would open it.

use super::*;
use pagerdeck::domain::diagnosis::evidence::{Answer, Question};

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
