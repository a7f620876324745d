//! Searching in the analysis, whose text and evidence are walked as one, and in the plan, where nothing is ever hidden.

use super::*;
use crate::domain::diagnosis::evidence::{Answer, Evidence, EvidenceId, EvidenceSource, Question};
use crate::domain::observation::scope::Window;
use crate::domain::remediation::gate::NarrativeStanding;
use crate::ui::model::log_look::Rows;
use crate::ui::model::{Pane, rows};

fn evidence(number: u32, query: &str) -> Evidence {
    Evidence {
        id: EvidenceId(number),
        question: Question::Memory,
        source: EvidenceSource::CloudwatchMetrics,
        query: query.to_owned(),
        window: Window::minutes_before(Timestamp::UNIX_EPOCH, 30),
        asked_at: Timestamp::UNIX_EPOCH,
        answered_at: Timestamp::UNIX_EPOCH,
        answer: Answer::Absent,
    }
}

/// Two finds of `heap` in the text, and two in the evidence with one between them that has none.
fn analysed() -> Session {
    let mut session = session(StepState::Rehearsed);
    let incident = session.incidents.get_mut(&I1).unwrap();
    let filler = "Nothing else moved.\n\n".repeat(60);
    incident.narrative.attempt = 1;
    incident.narrative.text = format!("The heap grew.\n\n{filler}The **heap** was full.\n");
    incident.narrative.standing = NarrativeStanding::Complete;
    incident.evidence = vec![evidence(1, "the heap"), evidence(2, "the requests"), evidence(3, "heap errors")];
    session
}

fn selected(person: &Person) -> Option<EvidenceId> {
    rows::selected_evidence(&person.ui, &person.session)
}

#[test]
fn a_search_in_the_analysis_goes_through_the_text_and_then_the_evidence() {
    let mut person = Person::new(analysed());
    person.presses("4");
    person.types("/heap");
    person.presses("enter");
    assert_eq!(rows::evidence(&person.ui, &person.session).len(), 2, "the evidence that matches is left");
    let first = person.ui.narrative;
    person.presses("n");
    assert_eq!((person.ui.hit, person.ui.narrative), (Some(0), first), "it is on screen already");
    person.presses("n");
    assert_eq!(person.ui.hit, Some(1));
    assert_ne!(person.ui.narrative, first, "the text is brought there");
    assert!(person.said().contains("2 of 2"), "{}", person.said());
    person.presses("n");
    assert_eq!(selected(&person), Some(EvidenceId(1)));
    person.presses("n");
    assert_eq!(selected(&person), Some(EvidenceId(3)));
    person.presses("n");
    assert!(person.said().starts_with("No further match"), "{}", person.said());
    person.presses("N");
    assert_eq!(selected(&person), Some(EvidenceId(1)));
    person.presses("N");
    assert_eq!(person.ui.hit, Some(1), "back into the text");
    person.presses("N N");
    assert!(person.said().starts_with("No further match"), "{}", person.said());
    person.presses("\\ \\");
    assert_eq!((person.ui.hit, person.ui.evidence.search.is_none()), (None, true));
}

#[test]
fn another_search_begins_at_the_top_again() {
    let mut person = Person::new(analysed());
    person.presses("4");
    person.types("/heap");
    person.presses("enter n n");
    assert_eq!(person.ui.hit, Some(1));
    person.types("/full");
    assert_eq!(person.ui.hit, None);
    person.presses("enter n");
    assert_eq!(person.ui.hit, Some(0));
}

#[test]
fn a_search_in_the_plan_hides_no_step_and_goes_to_the_one_that_matches() {
    let mut person = Person::new(session(StepState::Rehearsed));
    let mut second = step(2, StepState::Proposed);
    second.action = Action::Scale { replicas: 9, was: 6 };
    let plan = person.session.incidents.get_mut(&I1).unwrap().plan.as_mut().unwrap();
    plan.steps.push(second);
    person.presses("5");
    person.types("/--replicas=9");
    person.presses("enter");
    assert_eq!(rows::steps(&person.ui, &person.session).len(), 2);
    assert_eq!(person.ui.step(&person.session).map(|step| step.id), Some(S1), "typing moves nothing");
    person.presses("n");
    assert_eq!(person.ui.step(&person.session).map(|step| step.id), Some(StepId(2)));
    person.presses("n");
    assert!(person.said().starts_with("No further match"), "{}", person.said());
    person.presses("\\");
    assert_eq!(person.said(), "The search is forgotten.");
}

#[test]
fn letters_of_a_search_decide_nothing_and_the_step_must_be_seen_again() {
    let mut person = Person::new(session(StepState::Rehearsed));
    person.presses("5");
    assert_eq!(person.ui.focus, Pane::Remediation);
    assert_eq!(person.types("/A"), []);
    assert_eq!(person.ui.step_search.as_ref().map(|search| search.text().to_owned()), Some("A".to_owned()));
    person.sends(key_input("enter", KeyEventKind::Press));
    assert_eq!(person.sends(key_input("A", KeyEventKind::Press)), [], "no frame has shown it since");
}

/// What was said was about the key before: it does not hide the keys of what is done next.
#[test]
fn a_message_goes_with_the_next_key_but_not_before_it_was_read() {
    let mut person = Person::new(session(StepState::Rehearsed));
    person.presses("3 n");
    assert!(!person.said().is_empty());
    person.types("z");
    assert!(!person.said().is_empty(), "a key right after it takes nothing away");
    person.presses("z");
    assert_eq!(person.said(), "");
}

/// What is done to the logs from the palette is seen.
#[test]
fn an_action_of_the_logs_goes_to_the_logs() {
    let mut person = Person::new(session(StepState::Rehearsed));
    person.presses("1 :");
    person.types("fold");
    person.presses("enter");
    assert_eq!((person.ui.focus, person.ui.log.rows), (Pane::Logs, Rows::Templates));
}

/// A key of pane 5 that is pressed elsewhere counts for nothing, and is told where it would.
#[test]
fn a_key_that_decides_is_told_its_pane() {
    let mut person = Person::new(session(StepState::Rehearsed));
    for (pane, key, way) in [("1", "A", "5 goes there"), ("3", "U", "5 goes there"), ("3", "R", "4 goes there")] {
        assert_eq!(person.presses(&format!("{pane} {key}")), [], "{key} in {pane}");
        assert!(person.said().contains(way), "{key} in {pane}: {}", person.said());
    }
}

/// What was decided stays on screen until the person goes on.
#[test]
fn the_step_that_was_decided_stays_on_screen() {
    let mut session = session(StepState::Rehearsed);
    let plan = session.incidents.get_mut(&I1).unwrap().plan.as_mut().unwrap();
    plan.steps.push(step(2, StepState::Rehearsed));
    let mut person = Person::new(session);
    assert_eq!(person.presses("5 A").len(), 1);
    set(&mut person.session, StepState::Approved);
    assert_eq!(person.ui.step(&person.session).map(|step| step.id), Some(S1));
    person.presses("j");
    assert_eq!(person.ui.step(&person.session).map(|step| step.id), Some(StepId(2)));
}
