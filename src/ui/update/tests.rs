//! Tables for keys, and the property that nothing stray ever approves.

mod approvals;
mod found;
mod logs;
mod opened;
mod panes;
mod pastes;
mod strays;

use std::collections::BTreeMap;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use jiff::Timestamp;

use super::{drawn, prepare, update};
use crate::domain::observation::alarm::Severity;
use crate::domain::observation::service::Service;
use crate::domain::observation::workload::{WorkloadKind, WorkloadRef};
use crate::domain::remediation::request::Digest;
use crate::domain::remediation::step::{Action, Plan, Step, StepId, StepState};
use crate::session::incident::Incident;
use crate::session::{IncidentId, Session};
use crate::ui::input::Input;
use crate::ui::intent::Intent;
use crate::ui::keymap::chord;
use crate::ui::model::{Instants, Size, Ui, UiOptions};

const I1: IncidentId = IncidentId(1);
const S1: StepId = StepId(1);

fn digest(text: &str) -> Digest {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).unwrap()
}

fn step(number: u32, state: StepState) -> Step {
    let target =
        WorkloadRef { kind: WorkloadKind::Deployment, namespace: "payments".into(), name: "my-api".to_owned() };
    Step { digest: Some(digest("7f3a0000")), state, ..Step::new(StepId(number), Action::RolloutRestart, target) }
}

fn incident(number: u32) -> Incident {
    Incident::new(IncidentId(number), Service::bare("my-api"), Severity::P2, Timestamp::UNIX_EPOCH)
}

/// One incident with one step in a state; its confirmation is `my-api 7f3a`.
pub(crate) fn session(state: StepState) -> Session {
    let mut incident = incident(1);
    incident.plan = Some(Plan { runbook: "oom-leak".to_owned(), steps: vec![step(1, state)] });
    Session { incidents: BTreeMap::from([(I1, incident)]), ..Session::default() }
}

fn set(session: &mut Session, state: StepState) {
    session.incidents.get_mut(&I1).unwrap().step_mut(S1).unwrap().state = state;
}

fn armed() -> StepState {
    StepState::Armed { until: Timestamp::MAX }
}

fn at(mono_ms: u64) -> Instants {
    Instants { now: Timestamp::UNIX_EPOCH, mono_ms }
}

/// A person at the keys: every press comes after a long pause, with a frame before it.
struct Person {
    ui: Ui,
    session: Session,
    clock: u64,
}

impl Person {
    fn new(session: Session) -> Self {
        Self { ui: Ui::new(UiOptions::default(), Size { cols: 100, rows: 30 }), session, clock: 0 }
    }

    fn waits(&mut self, ms: u64) {
        prepare(&mut self.ui, &self.session, at(self.clock));
        drawn(&mut self.ui, &self.session, at(self.clock));
        self.clock += ms;
    }

    fn sends(&mut self, input: Input) -> Vec<Intent> {
        update(&mut self.ui, input, &self.session, at(self.clock))
    }

    /// Presses keys one after another, each after two seconds.
    fn presses(&mut self, keys: &str) -> Vec<Intent> {
        let mut intents = Vec::new();
        for key in keys.split_whitespace() {
            self.waits(2_000);
            intents.extend(self.sends(key_input(key, KeyEventKind::Press)));
        }
        intents
    }

    /// Types letters quickly.
    fn types(&mut self, text: &str) -> Vec<Intent> {
        let mut intents = Vec::new();
        for letter in text.chars() {
            self.waits(40);
            let key = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE);
            intents.extend(self.sends(Input::Key(key)));
        }
        intents
    }

    fn said(&self) -> &str {
        self.ui.message.as_ref().map_or("", |message| message.text.as_str())
    }
}

fn key_input(key: &str, kind: KeyEventKind) -> Input {
    let chord = chord::parse(key).unwrap()[0];
    Input::Key(KeyEvent::new_with_kind(chord.code, chord.modifiers, kind))
}
