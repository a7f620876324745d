//! From a key to an action, and from an action to its topic.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind};

use super::super::contact;
use super::super::intent::Intent;
use super::super::keymap::chord::Chord;
use super::super::keymap::{Action, Binding, Meaning};
use super::super::model::log_look::Rows;
use super::super::model::overlay::{Overlay, Writing};
use super::super::model::scroll::{ListView, TextView};
use super::super::model::{ClockStyle, Colours, Confirming, Instants, Pane, ThemeName, Tone, Ui, Zoom};
use super::motion::{self, Motion, Way};
use super::notice::{IN_A_BURST, SEQUENCE_MS, refuse};
use super::{log_look, rca_motion, selection, time, typing, verbs};
use crate::domain::remediation::policy::RulesAlone;
use crate::domain::remediation::step::{Step, StepState};
use crate::session::{IncidentId, Session};

/// Keys that follow each other within this time are one person's typing.
const TYPING_MS: u64 = 1_500;

/// Takes a key. Ctrl-C, Ctrl-Z and Ctrl-L count everywhere; then what is open has the keys, then the confirm field,
/// then the pane.
pub(super) fn key(ui: &mut Ui, key: KeyEvent, session: &Session, at: Instants) -> Vec<Intent> {
    if key.kind == KeyEventKind::Release {
        return Vec::new();
    }
    let chord = Chord::of(key);
    match ui.options.keymap.meaning(&[chord], ui.focus) {
        Meaning::Is(action @ (Action::Cancel | Action::Suspend)) => return act(ui, action, session, at),
        Meaning::Is(Action::Repaint) if !typing::is_letter(chord) => return act(ui, Action::Repaint, session, at),
        _ => {}
    }
    if ui.overlay.is_some() {
        return typing::key(ui, key, session, at);
    }
    if ui.focus == Pane::Remediation && ui.confirm_field(session).is_some() {
        return verbs::field_key(ui, key, session, at);
    }
    if is_late(ui, at) {
        ui.keys.confirming = Some(Confirming::Late(at.mono_ms));
        let text = late_words(ui.step(session));
        return refuse(ui, text, at);
    }
    ui.keys.confirming = None;
    if key.code == KeyCode::Esc
        && let Some(intents) = verbs::call_back(ui, session, at)
    {
        return intents;
    }
    let Some(action) = resolve(ui, chord, at) else { return elsewhere(ui, chord, at) };
    // A held key repeats; a decision is one press.
    if action.is_verb() && key.kind != KeyEventKind::Press {
        return Vec::new();
    }
    // An approval and a skip have a guard of their own, which asks for more.
    let has_its_own = matches!(action, Action::Approve | Action::Skip);
    if !has_its_own && action.leaves_a_trace() && ui.prompt.is_in_a_burst(at.mono_ms) {
        return refuse(ui, IN_A_BURST, at);
    }
    act(ui, action, session, at)
}

/// Whether a key was meant for a confirm field that closed by itself, whyever: the first one after it, and those that follow
/// it closely. Where the person closed it, the verbs have forgotten it.
fn is_late(ui: &Ui, at: Instants) -> bool {
    ui.focus == Pane::Remediation
        && match ui.keys.confirming {
            None => false,
            Some(Confirming::OnScreen) => true,
            Some(Confirming::Late(last)) => at.mono_ms.saturating_sub(last) <= TYPING_MS,
        }
}

/// Why a key that was meant for the field counts for nothing.
fn late_words(step: Option<&Step>) -> String {
    match step.map(|step| &step.state) {
        Some(StepState::Expired) => {
            "Not taken: the confirmation expired while you typed. Pause, then d rehearses again.".to_owned()
        }
        Some(StepState::StoodDown { why }) => {
            let why = why.trim_end_matches('.');
            format!("Not taken: it stood down while you typed ({why}). Pause, then d rehearses again.")
        }
        Some(_) | None => "Not taken: the confirm field closed while you typed. Pause, then press again.".to_owned(),
    }
}

fn resolve(ui: &mut Ui, chord: Chord, at: Instants) -> Option<Action> {
    let pending = ui.keys.pending.take().filter(|(_, since)| at.mono_ms.saturating_sub(*since) <= SEQUENCE_MS);
    let mut chords = pending.map(|(chords, _)| chords).unwrap_or_default();
    chords.push(chord);
    let keymap = &ui.options.keymap;
    let (chords, meaning) = match keymap.meaning(&chords, ui.focus) {
        // A sequence that leads nowhere is forgotten, and its last key stands alone.
        Meaning::Nothing => (vec![chord], keymap.meaning(&[chord], ui.focus)),
        meaning => (chords, meaning),
    };
    match meaning {
        Meaning::Is(action) => Some(action),
        Meaning::Begins => {
            ui.keys.pending = Some((chords, at.mono_ms));
            None
        }
        Meaning::Nothing => None,
    }
}

/// A key that decides, and counts in another pane alone: it is told where.
fn elsewhere(ui: &mut Ui, chord: Chord, at: Instants) -> Vec<Intent> {
    let is_begun = ui.keys.pending.is_some();
    let Some((pane, key)) = ui.options.keymap.deciding_elsewhere(chord, ui.focus).filter(|_| !is_begun) else {
        return Vec::new();
    };
    let way = ui.options.keymap.binding(Action::Focus(pane)).map(Binding::first_key).unwrap_or_default();
    refuse(ui, format!("{key} counts in {} alone: {way} goes there. Nothing was decided.", pane.word()), at)
}

/// Does an action, by key or from the palette.
pub(super) fn act(ui: &mut Ui, action: Action, session: &Session, at: Instants) -> Vec<Intent> {
    if let Some(motion) = Motion::of(action) {
        return motion::step(ui, session, (motion, at));
    }
    match action {
        Action::Focus(_)
        | Action::NextPane
        | Action::PreviousPane
        | Action::Zoom
        | Action::Back
        | Action::Clock
        | Action::PreviousIncident
        | Action::NextIncident => place(ui, action, session, at),
        Action::NextError
        | Action::PreviousError
        | Action::NextWarning
        | Action::PreviousWarning
        | Action::NextOom
        | Action::PreviousOom
        | Action::NextMatch
        | Action::PreviousMatch
        | Action::Clear
        | Action::Follow
        | Action::Freeze => motion::look(ui, action, session, at),
        Action::Terms => selection::terms(ui, session, at),
        Action::Open | Action::Pin | Action::Raw | Action::Copy | Action::Save => {
            selection::act(ui, action, session, at)
        }
        Action::Approve | Action::Deny | Action::Skip | Action::Rehearse | Action::Undo => {
            // What was decided stays on screen: the next one does not take its place under the finger.
            ui.chosen_step = ui.step(session).map(|step| step.id);
            verbs::verb(ui, action, session, at)
        }
        Action::Filter | Action::Inquire | Action::Note | Action::Help | Action::Palette | Action::Faults => {
            open(ui, action, session, at)
        }
        Action::Investigate => selection::investigate(ui, session, at),
        Action::Workload => selection::workload(ui, session, at),
        Action::Export => vec![Intent::Export],
        Action::Reload => vec![Intent::Reload],
        Action::Theme => theme(ui, at),
        Action::TryRehearsal if contact::is_first(session) => vec![Intent::TryRehearsal],
        Action::TryRehearsal => refuse(ui, "A session is under way. Leave it, then `pagerdeck rehearse`.", at),
        Action::EndTour => {
            ui.tour = None;
            Vec::new()
        }
        Action::GameDay(drill) => vec![Intent::GameDay { drill }],
        Action::Refresh => vec![refresh(ui, session)],
        Action::StandOnRules => stand_on_rules(ui, session, at),
        Action::Repaint => {
            ui.prompt.forget();
            vec![Intent::Repaint]
        }
        Action::Suspend => verbs::leave(ui, session, "the program was suspended", Intent::Suspend),
        Action::Quit => verbs::leave(ui, session, "the person left", Intent::Quit),
        Action::Cancel => verbs::cancel(ui, session, at),
        action => particular(ui, action, session, at),
    }
}

/// The actions of single panes: citations, the time, and how the logs look.
fn particular(ui: &mut Ui, action: Action, session: &Session, at: Instants) -> Vec<Intent> {
    match action {
        Action::NextCite => rca_motion::cite(ui, Way::Onward, session, at),
        Action::PreviousCite => rca_motion::cite(ui, Way::Backward, session, at),
        Action::NextDeploy
        | Action::PreviousDeploy
        | Action::TimeOnward
        | Action::TimeBack
        | Action::TimeLeapOnward
        | Action::TimeLeapBack => time::act(ui, action, session, at),
        _ => log_look::act(ui, action, session, at),
    }
}

fn place(ui: &mut Ui, action: Action, session: &Session, at: Instants) -> Vec<Intent> {
    match action {
        Action::Focus(pane) => ui.focus = pane,
        Action::NextPane => ui.focus = ui.focus.after(1),
        Action::PreviousPane => ui.focus = ui.focus.after(Pane::ALL.len() - 1),
        Action::Zoom if ui.zoom == Zoom::Overview => ui.zoom = Zoom::Zoomed,
        Action::Zoom => ui.zoom = Zoom::Overview,
        Action::Clock => {
            ui.clock = match ui.clock {
                ClockStyle::Utc => ClockStyle::Local,
                ClockStyle::Local => ClockStyle::Relative,
                ClockStyle::Relative => ClockStyle::Utc,
            }
        }
        Action::NextIncident => return other_incident(ui, session, at, Way::Onward),
        Action::PreviousIncident => return other_incident(ui, session, at, Way::Backward),
        _ => return back(ui, at),
    }
    Vec::new()
}

/// Goes to the next theme; the configuration has the one that a session begins with.
fn theme(ui: &mut Ui, at: Instants) -> Vec<Intent> {
    if ui.options.colours == Colours::Mono {
        return refuse(ui, "Colours are off here: NO_COLOR, --mono or the configuration say so.", at);
    }
    let (next, word) = match ui.options.theme {
        ThemeName::Dark => (ThemeName::Light, "light"),
        ThemeName::Light => (ThemeName::HighContrast, "high-contrast"),
        ThemeName::HighContrast => (ThemeName::Dark, "dark"),
    };
    ui.options.theme = next;
    ui.tell(Tone::Told, format!("Theme {word}, until the end; `theme` in the configuration keeps it."), at);
    Vec::new()
}

fn back(ui: &mut Ui, at: Instants) -> Vec<Intent> {
    if ui.focus == Pane::Logs && log_look::back(ui) {
        return Vec::new();
    }
    if ui.zoom == Zoom::Zoomed {
        ui.zoom = Zoom::Overview;
    } else if ui.focus != Pane::Alarms {
        ui.focus = Pane::Alarms;
    } else {
        return refuse(ui, "Nothing to go back to. Ctrl-C twice leaves.", at);
    }
    Vec::new()
}

/// Goes along the strip, around its ends.
fn other_incident(ui: &mut Ui, session: &Session, at: Instants, way: Way) -> Vec<Intent> {
    let ids: Vec<IncidentId> = session.queue().into_iter().map(|incident| incident.id).collect();
    if ids.len() < 2 {
        return refuse(ui, "There is no other incident.", at);
    }
    let here = ui.incident(session).and_then(|incident| ids.iter().position(|id| *id == incident.id)).unwrap_or(0);
    let steps = match way {
        Way::Onward => 1,
        Way::Backward => ids.len() - 1,
    };
    ui.chosen = ids.get((here + steps) % ids.len()).copied();
    // What was held on to belongs to the other incident.
    ui.evidence = ListView::default();
    (ui.narrative, ui.cite, ui.hit) = (TextView::default(), None, None);
    ui.chosen_step = None;
    ui.confirm = None;
    // A template is one of the lines of its incident.
    if matches!(ui.log.rows, Rows::Of(_)) {
        ui.log.rows = Rows::Templates;
    }
    // What was there at the same time is what one goes to the other incident for.
    if let Some(moment) = ui.moment {
        time::point(ui, session, moment, time::Origin::Keys);
    }
    Vec::new()
}

fn open(ui: &mut Ui, action: Action, session: &Session, at: Instants) -> Vec<Intent> {
    let overlay = match action {
        Action::Filter => {
            let pane = ui.focus;
            Overlay::Filter { pane, before: ui.search_of(pane).clone(), text: String::new() }
        }
        Action::Note => typing::write(Writing::Note),
        Action::Inquire => match ui.incident(session) {
            Some(incident) if session.header.model.is_some() => typing::write(Writing::Inquiry(incident.id)),
            Some(_) => return refuse(ui, "No model is configured, so there is no analyst to ask.", at),
            None => return refuse(ui, "There is no incident to ask about.", at),
        },
        Action::Help => Overlay::Help { query: String::new(), top: 0 },
        Action::Faults => Overlay::Palette { query: "fault ".to_owned(), selected: 0 },
        _ => Overlay::Palette { query: String::new(), selected: 0 },
    };
    ui.overlay = Some(overlay);
    Vec::new()
}

fn refresh(ui: &Ui, session: &Session) -> Intent {
    match ui.incident(session) {
        Some(incident) if ui.focus == Pane::Rca => Intent::AskAgain { incident: incident.id },
        Some(_) | None => Intent::Refresh,
    }
}

fn stand_on_rules(ui: &mut Ui, session: &Session, at: Instants) -> Vec<Intent> {
    let Some(incident) = ui.incident(session) else { return refuse(ui, "There is no incident to judge.", at) };
    match session.header.policy.rules_alone {
        RulesAlone::Allowed => vec![Intent::StandOnRules { incident: incident.id }],
        RulesAlone::Forbidden => {
            refuse(ui, "The policy does not let the rules stand alone. r asks the model again.", at)
        }
    }
}
