//! What an input does to the screen, and what it asks for. Only routes: a topic is a file beside this one.
//!
//! New data never passes here, so it can never move focus, selection or scroll.

pub mod motion;

mod keys;
mod log_look;
mod log_motion;
mod notice;
mod opened;
mod rca_motion;
mod selection;
mod time;
mod typing;
mod verbs;

use jiff::Timestamp;

use super::input::{Focus, Input};
use super::intent::Intent;
use super::model::{Confirming, Instants, Size, Ui};
use super::prompt;
use super::tour;
use super::view::narrative_measure;
use crate::session::Session;
use crate::session::header::Origin;

/// What is said of a wish where nothing can be decided any more.
pub const IN_A_REPLAY: &str = "A replay shows what has been: nothing is decided, asked or sent.";

/// Takes one input.
pub fn update(ui: &mut Ui, input: Input, session: &Session, at: Instants) -> Vec<Intent> {
    let mut intents = Vec::new();
    if ui.prompt.slept(at.mono_ms, wall(session, at)) {
        intents.extend(verbs::stand_down_all(ui, session, "the program or the machine slept"));
    }
    intents.extend(take(ui, input, session, at));
    tour::advance(ui, session);
    intents
}

fn take(ui: &mut Ui, input: Input, session: &Session, at: Instants) -> Vec<Intent> {
    match input {
        Input::Key(key) => {
            // From the first key on the incident on screen is the person's: a worse one will not take its place.
            ui.chosen = ui.incident(session).map(|incident| incident.id);
            notice::was_read(ui, at);
            let intents = keys::key(ui, key, session, at);
            ui.prompt.note_input(at.mono_ms);
            intents
        }
        Input::Paste(text) => {
            typing::paste(ui, &text, session, at);
            ui.prompt.note_input(at.mono_ms);
            Vec::new()
        }
        Input::Burst => {
            ui.prompt.note_input(at.mono_ms);
            Vec::new()
        }
        Input::Resize { cols, rows } => {
            ui.size = Size { cols, rows };
            ui.prompt.forget();
            Vec::new()
        }
        Input::Focus(Focus::Gained) => {
            ui.prompt.forget();
            Vec::new()
        }
        Input::Focus(Focus::Lost) => {
            ui.prompt.forget();
            verbs::stand_down_all(ui, session, "the window lost the keyboard")
        }
        Input::Resumed => verbs::stand_down_all(ui, session, "the program was stopped and runs again"),
        Input::Tick => {
            notice::age(ui, at);
            Vec::new()
        }
    }
}

/// Brings what is computed over lines and text up to date. The runtime calls it before every frame: it costs what came
/// since the last one, and a view only reads it.
pub fn prepare(ui: &mut Ui, session: &Session, at: Instants) {
    log_look::refresh(ui, session, at);
    if let (Some(measure), Some(incident)) = (narrative_measure(ui, at.now), ui.incident(session)) {
        ui.settled.advance(incident, measure);
    }
}

/// Notes that a frame is on screen. The runtime calls it after every frame, also when not a byte of it had to be
/// written: the approval grace of a prompt starts here.
pub fn drawn(ui: &mut Ui, session: &Session, at: Instants) {
    ui.prompt.note_alive(at.mono_ms, wall(session, at));
    prompt::note_drawn(ui, session, at);
    tour::advance(ui, session);
    if verbs::field_is_open(ui, session) {
        ui.keys.confirming = Some(Confirming::OnScreen);
    }
}

/// The wall's time, where incident time is that.
fn wall(session: &Session, at: Instants) -> Option<Timestamp> {
    match session.header.origin {
        Origin::Real => Some(at.now),
        Origin::Rehearsal { .. } => None,
    }
}

#[cfg(test)]
pub(crate) mod tests;
