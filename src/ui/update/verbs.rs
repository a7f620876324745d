//! Decisions under the fingers: nothing here approves but a fresh press while the very digest was on screen long enough.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::super::intent::Intent;
use super::super::keymap::Action;
use super::super::model::overlay::{ConfirmField, Writing};
use super::super::model::{Confirming, Instants, Pane, Showing, Tone, Ui};
use super::super::prompt::{self, Stage};
use super::notice::{IN_A_BURST, refuse};
use super::typing;
use crate::domain::remediation::approval::MAX_WRONG_TOKENS;
use crate::domain::remediation::gate::NarrativeStanding;
use crate::domain::remediation::step::{Step, StepState};
use crate::session::Session;
use crate::session::incident::{Incident, Phase};

/// A second Ctrl-C within this time leaves.
const TWICE_MS: u64 = 2_000;
/// What is said where a step was called back in time.
const NOTHING_SENT: &str = "Stood down: nothing was sent.";
/// What is said of a token that came sooner than anybody types. Where it was typed, the link held it back.
const PASTED: &str = "Pasted, not typed: its letters came all at once. Type the name and the digest; on a link that stalls, pause halfway.";
/// The longest text the confirm field takes: a Kubernetes name and a digest, with room to spare.
const FIELD_CHARS: usize = 270;

/// Does what a verb asks of the step on screen.
pub(super) fn verb(ui: &mut Ui, action: Action, session: &Session, at: Instants) -> Vec<Intent> {
    let (Some(incident), Some(step)) = (ui.incident(session), ui.step(session)) else {
        return refuse(ui, "There is no step to decide about.", at);
    };
    if ui.showing == Showing::Journal {
        return refuse(ui, super::IN_A_REPLAY, at);
    }
    if let Some(fault) = &session.read_only {
        return refuse(ui, format!("The session is read-only: {}", fault.summary), at);
    }
    match action {
        Action::Approve => approve(ui, incident, step, (session, at)),
        Action::Deny if undecided(&step.state) => {
            ui.overlay = Some(typing::write(Writing::DenyReason(incident.id, step.id)));
            Vec::new()
        }
        Action::Skip if undecided(&step.state) => skip(ui, incident, step, (session, at)),
        Action::Rehearse if step.state == StepState::Uncertain => {
            vec![Intent::SettleUncertain { incident: incident.id, step: step.id }]
        }
        Action::Rehearse if undecided(&step.state) => vec![Intent::Rehearse { incident: incident.id, step: step.id }],
        Action::Undo if step.state.can_be_undone() => {
            // The undo is what is looked at next.
            ui.chosen_step = None;
            vec![Intent::Undo { incident: incident.id, step: step.id }]
        }
        Action::Undo if step.state == StepState::Running => {
            refuse(ui, format!("{} is RUNNING: wait until its request has ended.", step.id), at)
        }
        Action::Undo => refuse(ui, format!("{} changed nothing that could be undone.", step.id), at),
        _ => refuse(ui, format!("{} is {}: it cannot be decided now.", step.id, step.state.word()), at),
    }
}

/// A step that is armed must be stood down first, and one that is being rehearsed be waited for.
fn undecided(state: &StepState) -> bool {
    state.is_open_to_refusal() && !matches!(state, StepState::Rehearsing | StepState::Armed { .. })
}

fn approve(ui: &mut Ui, incident: &Incident, step: &Step, (session, at): (&Session, Instants)) -> Vec<Intent> {
    if step.state != StepState::Rehearsed {
        return refuse(ui, format!("{} is {}: only a REHEARSED step can be approved.", step.id, step.state.word()), at);
    }
    if let Some(first) = incident.asked_step().filter(|first| first.id != step.id) {
        return refuse(ui, format!("{} is asked first.", first.id), at);
    }
    if incident.phase == Phase::Closed {
        return refuse(ui, "The incident is closed: r in pane 4 reads and asks again.", at);
    }
    let Some(prompt) = prompt::shown(ui, session).filter(|prompt| prompt.stage == Stage::Decide) else {
        let text = "Not counted: the step is not whole on screen. Enlarge the terminal to 60x16.";
        return refuse(ui, text, at);
    };
    if let Err(too_soon) = ui.prompt.admits(&prompt, at.mono_ms) {
        return refuse(ui, too_soon.text(), at);
    }
    ui.prompt.forget();
    // Why an earlier press did not count says nothing of the step that is approved now.
    ui.message = None;
    vec![Intent::Approve { incident: prompt.incident, step: prompt.step, digest: prompt.digest }]
}

/// A skip is guarded like an approval while the step is asked: typing under way must not decide anything.
fn skip(ui: &mut Ui, incident: &Incident, step: &Step, (session, at): (&Session, Instants)) -> Vec<Intent> {
    match prompt::shown(ui, session) {
        Some(prompt) => {
            if let Err(too_soon) = ui.prompt.admits(&prompt, at.mono_ms) {
                return refuse(ui, too_soon.text(), at);
            }
        }
        None if ui.prompt.is_in_a_burst(at.mono_ms) => return refuse(ui, IN_A_BURST, at),
        None => {}
    }
    vec![Intent::Skip { incident: incident.id, step: step.id }]
}

/// Takes a key while the confirm field is open. Everything but text, Enter and the ways out is thrown away.
pub(super) fn field_key(ui: &mut Ui, key: KeyEvent, session: &Session, at: Instants) -> Vec<Intent> {
    let Some(mut field) = ui.confirm_field(session) else { return Vec::new() };
    // A frame that comes late must not be what makes the field one that was typed into.
    ui.keys.confirming = Some(Confirming::OnScreen);
    let control = key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    match key.code {
        KeyCode::Esc => {
            ui.keys.confirming = None;
            return stand_down_all(ui, session, "Esc");
        }
        KeyCode::Enter if key.kind == KeyEventKind::Press => return enter(ui, field, session, at),
        KeyCode::Backspace => field.pop(),
        KeyCode::Char('u') if control => field.clear(),
        KeyCode::Char(letter) if !control && field.came.len() < FIELD_CHARS => field.push(letter, at.mono_ms),
        _ => {}
    }
    ui.confirm = Some(field);
    Vec::new()
}

/// Esc on a step that is approved and not let out yet: a moment ago, in the confirm field, it stood down as well. Of one that
/// runs only the outbox knows whether it has left; where it has not, that is said in place of what is said here.
pub(super) fn call_back(ui: &mut Ui, session: &Session, at: Instants) -> Option<Vec<Intent>> {
    let (incident, step) = (ui.incident(session)?, ui.step(session)?);
    let said = match (incident.is_primed(step), &step.state) {
        (true, _) => NOTHING_SENT,
        (false, StepState::Running) => "Esc does not stop the cluster: what was sent goes on.",
        (false, _) => return None,
    };
    if ui.focus != Pane::Remediation {
        return None;
    }
    let intents = stand_down_all(ui, session, "Esc");
    ui.tell(Tone::Warned, said, at);
    Some(intents)
}

fn enter(ui: &mut Ui, mut field: ConfirmField, session: &Session, at: Instants) -> Vec<Intent> {
    let wanted = ui.wanted_token(session);
    if field.text.trim().is_empty() {
        return refuse(ui, "Enter alone confirms nothing: type the name and the digest first.", at);
    }
    let expected = prompt::of_field(&field);
    let Some(prompt) = prompt::shown(ui, session).filter(|shown| *shown == expected) else {
        return refuse(ui, "Not counted: the step is not whole on screen. Enlarge the terminal.", at);
    };
    let admitted = ui.prompt.admits(&prompt, at.mono_ms);
    if field.is_pasted() {
        field.clear();
        ui.confirm = Some(field);
        return refuse(ui, PASTED, at);
    }
    if let Err(too_soon) = admitted {
        return refuse(ui, too_soon.text(), at);
    }
    if wanted.is_some_and(|wanted| wanted == field.text.trim()) {
        (ui.confirm, ui.keys.confirming) = (None, None);
        ui.prompt.forget();
        return vec![Intent::Confirm { incident: prompt.incident, step: prompt.step, digest: prompt.digest }];
    }
    field.wrong += 1;
    field.clear();
    if field.wrong >= MAX_WRONG_TOKENS {
        ui.tell(Tone::Refused, format!("Three wrong tokens. {NOTHING_SENT}"), at);
        return stand_down_all(ui, session, "three wrong tokens");
    }
    ui.tell(
        Tone::Refused,
        format!("That is not the name and digest asked for. Tries left: {}.", field.tries_left()),
        at,
    );
    ui.confirm = Some(field);
    Vec::new()
}

/// Stands every step down that is armed, or approved and not let out yet, in every incident; what runs is called back where
/// it has not left.
pub(super) fn stand_down_all(ui: &mut Ui, session: &Session, why: &str) -> Vec<Intent> {
    ui.confirm = None;
    ui.prompt.forget();
    let mut intents = Vec::new();
    for incident in session.incidents.values() {
        let steps = incident.plan.iter().flat_map(|plan| &plan.steps);
        let primed = steps.filter(|step| incident.is_primed(step));
        intents.extend(primed.map(|step| Intent::StandDown {
            incident: incident.id,
            step: step.id,
            why: why.to_owned(),
        }));
    }
    let running = |incident: &Incident| incident.plan.iter().flat_map(|plan| &plan.steps).any(runs);
    if session.incidents.values().any(running) {
        intents.push(Intent::CallBack { why: why.to_owned() });
    }
    intents
}

fn runs(step: &Step) -> bool {
    step.state == StepState::Running
}

/// Stands down, then goes.
pub(super) fn leave(ui: &mut Ui, session: &Session, why: &str, how: Intent) -> Vec<Intent> {
    ui.keys.confirming = None;
    let mut intents = stand_down_all(ui, session, why);
    intents.push(how);
    intents
}

/// Ctrl-C: closes what is open, stands down, stops the stream. Twice: leaves.
pub(super) fn cancel(ui: &mut Ui, session: &Session, at: Instants) -> Vec<Intent> {
    let before = ui.keys.cancelled_at.replace(at.mono_ms);
    if before.is_some_and(|before| at.mono_ms.saturating_sub(before) <= TWICE_MS) {
        return leave(ui, session, "the person left", Intent::Quit);
    }
    (ui.overlay, ui.keys.confirming) = (None, None);
    let mut intents = stand_down_all(ui, session, "Ctrl-C");
    if intents.iter().any(|intent| matches!(intent, Intent::StandDown { .. })) {
        ui.tell(Tone::Warned, format!("{NOTHING_SENT} Ctrl-C again leaves."), at);
        return intents;
    }
    let Some(incident) = ui.incident(session) else {
        ui.tell(Tone::Told, "Ctrl-C again leaves.", at);
        return intents;
    };
    match incident.phase {
        _ if incident.narrative.standing == NarrativeStanding::UnderWay => {
            intents.push(Intent::CancelStream { incident: incident.id });
            ui.tell(Tone::Told, "The analyst was stopped. Ctrl-C again leaves.", at);
        }
        Phase::Running | Phase::Verifying => {
            let text = "Ctrl-C does not stop the cluster: what was sent goes on. Ctrl-C again leaves.";
            ui.tell(Tone::Warned, text, at);
        }
        _ => ui.tell(Tone::Told, "Ctrl-C again leaves.", at),
    }
    intents
}

/// Whether the confirm field has the keys.
pub(super) fn field_is_open(ui: &Ui, session: &Session) -> bool {
    ui.focus == Pane::Remediation && ui.confirm_field(session).is_some()
}
