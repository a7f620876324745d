//! A scripted operator: key presses at moments of the story, for tests and demonstrations against the simulator alone.
//!
//! The script presses keys; everything after that is what a person's press goes through: guard, gate, journal.

use std::collections::VecDeque;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde::Deserialize;

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::remediation::approval::{GRACE_MS, QUIET_MS, token};
use crate::domain::remediation::gate::NarrativeStanding;
use crate::domain::remediation::step::{Step, StepState};
use crate::session::Session;
use crate::session::incident::{Incident, Phase};
use crate::ui::input::Input;

/// Between two keys of a press: longer than the quiet time, so that each counts as a fresh one.
const BETWEEN_MS: u64 = QUIET_MS + 60;
/// Before the first key, and before one that decides: longer than the grace, so that the prompt has been read.
const BEFORE_MS: u64 = GRACE_MS + 150;

/// When a press is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// At once.
    Now,
    /// An incident is open.
    IncidentOpened,
    /// The rules have judged.
    VerdictReached,
    /// The narrative ended, well or not.
    NarrativeEnded,
    /// The gate has been judged.
    GateJudged,
    /// A step is rehearsed and waits.
    StepRehearsed,
    /// A step is armed.
    StepArmed,
    /// A step is verified.
    StepVerified,
    /// Every step is decided and the report is out.
    Reported,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Press {
    when: Moment,
    #[serde(default)]
    keys: Vec<String>,
    /// Typed letter by letter; `{token}` is the confirmation of the step that waits.
    #[serde(default, rename = "type")]
    text: Option<String>,
    /// Pressed after the text.
    #[serde(default)]
    then: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    press: Vec<Press>,
}

/// The operator with what is left of the script.
#[derive(Debug)]
pub struct Operator {
    script: VecDeque<Press>,
    keys: VecDeque<KeyEvent>,
    next_at: u64,
}

impl Operator {
    /// Reads a script.
    pub fn parse(text: &str, name: &str) -> Result<Self, Fault> {
        let script: Script = toml::from_str(text).map_err(|error| {
            Fault::new(FaultKind::Usage, format!("The operator script {name} could not be read."))
                .cause(error.to_string())
                .hint("Each [[press]] has `when`, and `keys`, `type` or `then`.")
        })?;
        for press in &script.press {
            for key in press.keys.iter().chain(&press.then) {
                key_event(key)?;
            }
        }
        Ok(Self { script: script.press.into(), keys: VecDeque::new(), next_at: 0 })
    }

    /// Whether every press has been made.
    pub fn is_done(&self) -> bool {
        self.script.is_empty() && self.keys.is_empty()
    }

    /// The moment that is still waited for.
    pub fn waits_for(&self) -> Option<Moment> {
        self.script.front().map(|press| press.when)
    }

    /// Whether a press is due or under way: incident time must not be jumped over meanwhile.
    pub fn is_busy(&self, session: &Session) -> bool {
        !self.keys.is_empty() || self.script.front().is_some_and(|press| has_come(press.when, session))
    }

    /// The next input, if it is time for one.
    pub fn next(&mut self, session: &Session, mono_ms: u64) -> Option<Input> {
        if self.keys.is_empty() {
            self.begin(session, mono_ms)?;
        }
        if mono_ms < self.next_at {
            return None;
        }
        let pressed = self.keys.pop_front();
        let pause = self.keys.front().map_or(BETWEEN_MS, pause_before);
        self.next_at = mono_ms + pause;
        pressed.map(Input::Key)
    }

    fn begin(&mut self, session: &Session, mono_ms: u64) -> Option<()> {
        let press = self.script.front().filter(|press| has_come(press.when, session))?.clone();
        self.script.pop_front();
        let keys = |names: &[String]| names.iter().filter_map(|name| key_event(name).ok()).collect::<Vec<_>>();
        self.keys.extend(keys(&press.keys));
        let text = press.text.map(|text| text.replace("{token}", &waiting_token(session).unwrap_or_default()));
        self.keys.extend(text.iter().flat_map(|text| text.chars()).map(|c| KeyEvent::from(KeyCode::Char(c))));
        self.keys.extend(keys(&press.then));
        self.next_at = mono_ms + BEFORE_MS;
        Some(())
    }
}

/// A key that decides comes after a look at the prompt, any other after a fresh start.
fn pause_before(key: &KeyEvent) -> u64 {
    match key.code {
        KeyCode::Char('A' | 'S') | KeyCode::Enter => BEFORE_MS,
        _ => BETWEEN_MS,
    }
}

fn steps(session: &Session) -> impl Iterator<Item = &Step> {
    session.incidents.values().filter_map(|incident| incident.plan.as_ref()).flat_map(|plan| &plan.steps)
}

fn waiting_token(session: &Session) -> Option<String> {
    let step = session.queue().into_iter().find_map(Incident::asked_step)?;
    Some(token(&step.target.name, step.digest.as_ref()?))
}

fn has_come(moment: Moment, session: &Session) -> bool {
    let any = |test: fn(&Incident) -> bool| session.incidents.values().any(test);
    match moment {
        Moment::Now => true,
        Moment::IncidentOpened => !session.incidents.is_empty(),
        Moment::VerdictReached => any(|incident| incident.verdict.is_some()),
        Moment::NarrativeEnded => any(|incident| {
            matches!(incident.narrative.standing, NarrativeStanding::Complete | NarrativeStanding::Broken)
        }),
        Moment::GateJudged => any(|incident| incident.gate.is_some()),
        Moment::StepRehearsed => steps(session).any(|step| step.state == StepState::Rehearsed),
        Moment::StepArmed => steps(session).any(|step| matches!(step.state, StepState::Armed { .. })),
        Moment::StepVerified => steps(session).any(|step| step.state == StepState::Verified),
        Moment::Reported => any(is_reported),
    }
}

/// A step that failed is decided and reported, though the incident stays open.
fn is_reported(incident: &Incident) -> bool {
    let mut steps = incident.plan.iter().flat_map(|plan| &plan.steps);
    incident.report.is_some() && (incident.phase == Phase::Closed || steps.all(|step| step.state.is_decided()))
}

/// A key by name: one character, or `enter`, `esc`, `tab`, `space`, `up`, `down`, `ctrl-c`, ….
fn key_event(name: &str) -> Result<KeyEvent, Fault> {
    let mut characters = name.chars();
    if let (Some(only), None) = (characters.next(), characters.next()) {
        return Ok(KeyEvent::from(KeyCode::Char(only)));
    }
    if let Some(rest) = name.strip_prefix("ctrl-")
        && let Some(letter) = rest.chars().next()
    {
        return Ok(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL));
    }
    let code = match name {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "tab" => KeyCode::Tab,
        "space" => KeyCode::Char(' '),
        "backspace" => KeyCode::Backspace,
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        _ => {
            return Err(Fault::new(FaultKind::Usage, format!("The operator script presses an unknown key {name:?}."))
                .hint("One character, or enter, esc, tab, space, backspace, up, down, ctrl-x."));
        }
    };
    Ok(KeyEvent::from(code))
}
