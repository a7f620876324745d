//! Pane 5 for who listens: each step with its state, and of the one that matters every fact on a line of its own.

use super::{changed, checks, confirm, facts, locked_words, step, verifying, why};
use crate::domain::remediation::step::{Step, StepState};
use crate::session::Session;
use crate::session::incident::Incident;
use crate::ui::format;
use crate::ui::model::Ui;
use crate::ui::view::look::Look;

/// The lines.
pub fn words((ui, session): (&Ui, &Session), look: &Look) -> Vec<String> {
    let Some(incident) = ui.incident(session) else {
        return vec!["No incident, no plan. Nothing has been changed.".to_owned()];
    };
    let Some(chosen) = ui.step(session) else {
        return locked_words(session, incident).into_iter().map(|(_, text)| text).collect();
    };
    let steps = incident.plan.as_ref().map_or(&[][..], |plan| plan.steps.as_slice());
    let others = steps.iter().filter(|other| other.id != chosen.id);
    let mut lines: Vec<String> = others.map(|other| heading(incident, other)).collect();
    lines.push(heading(incident, chosen));
    if let StepState::Armed { until } = &chosen.state {
        let left_s = session.header.on_the_wall(until.duration_since(look.now)).as_secs();
        lines.push(format!("It expires in {}.", format::span(left_s)));
    }
    lines.extend(
        facts::facts(session, (incident, chosen))
            .into_iter()
            .map(|(word, text)| format!("{word}: {}", format::flowing(&text))),
    );
    lines.extend(middle((incident, chosen), look));
    let (_, sentence) = confirm::sentence(session, (incident, chosen), look);
    // What a key of the screen would do is not told here: the question beside this says what to type.
    if !sentence.contains(": A ") && !sentence.contains("single A ") {
        lines.push(sentence);
    }
    lines.push(format!("So far: {}.", changed(session, Some(incident), look).content));
    lines
}

fn heading(incident: &Incident, step: &Step) -> String {
    let why = why(&step.state).map_or_else(String::new, |why| format!(", {why}"));
    format!("Step {}: {} {}. {}{why}.", step.id, incident.step_words(step), step.target.name, step.state.word())
}

/// What was rehearsed and checked, or once it ran, how it is verified.
fn middle((incident, step): (&Incident, &Step), look: &Look) -> Vec<String> {
    let verification = incident.verification.as_ref().filter(|running| running.step == step.id);
    match (verification, &step.rehearsal) {
        (Some(verification), _) => verifying::words(step, verification, look),
        (None, None) => vec!["Rehearsal: none yet.".to_owned()],
        (None, Some(rehearsal)) => {
            let told = step::rehearsal_words(step, rehearsal, look).into_iter();
            told.chain(checks::words(&rehearsal.checks)).collect()
        }
    }
}
