//! The step that asks to be decided, and since when it has been on screen whole: what the approval guard is fed with.

use jiff::Timestamp;

use super::model::overlay::ConfirmField;
use super::model::{Instants, Pane, Showing, Ui};
use crate::domain::remediation::approval::{Press, TYPED_MS, TooSoon, guard};
use crate::domain::remediation::request::Digest;
use crate::domain::remediation::step::{StepId, StepState};
use crate::session::incident::Phase;
use crate::session::{IncidentId, Session};

/// What a prompt asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A rehearsed step: `A`.
    Decide,
    /// An armed step: the typed token.
    Confirm,
}

/// A prompt. Another digest, step or stage is another prompt and starts its own grace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// Of which incident.
    pub incident: IncidentId,
    /// Which step.
    pub step: StepId,
    /// Which digest.
    pub digest: Digest,
    /// What is asked.
    pub stage: Stage,
}

/// What has been on screen since when, and when the last input came. Monotonic milliseconds.
#[derive(Clone, Debug, Default)]
pub struct PromptWatch {
    drawn: Option<(Prompt, u64)>,
    last_input: Option<u64>,
    refused: Option<u64>,
    alive: Option<(u64, Option<Timestamp>)>,
    sleep: Sleep,
}

/// Whether the program ran all the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sleep {
    /// It did.
    #[default]
    None,
    /// It did not for a while, and nothing was made of that yet.
    Unnoticed,
}

/// A silence of the program longer than this is no pause of the person: it was stopped. Awake it looks at the clock every
/// second, and once a minute on a quiet screen.
const SLEPT_MS: u64 = 150_000;

/// The monotonic clock stands still while the machine sleeps, on Linux as on macOS; the wall's goes on. So far apart they
/// tell of sleep (or of a clock that was set, after which nobody knows either what was seen when).
const APART_MS: i128 = 30_000;

/// A key that is held down sends its first repeat up to this long after its press, and nearly every terminal sends it as
/// one more press. Only a pause that is longer tells a second press from it.
const HELD_MS: u64 = 1_200;

impl PromptWatch {
    /// The screen can no longer be trusted to show it (resized, unfocused, repainted): it must be drawn again.
    pub fn forget(&mut self) {
        self.drawn = None;
    }

    /// Notes that the program runs. A frame does that, too: under a flood there may be no other sign of life for long.
    /// The wall's time is given where incident time is the wall's: that of a rehearsal runs as fast as it is told to.
    pub fn note_alive(&mut self, mono_ms: u64, wall: Option<Timestamp>) {
        let latest = mono_ms.max(self.alive.map_or(0, |(before, _)| before));
        let Some((before, wall_before)) = self.alive.replace((latest, wall)) else { return };
        let silent = mono_ms.saturating_sub(before);
        let passed = wall.zip(wall_before).map(|(wall, before)| wall.duration_since(before).as_millis());
        if silent > SLEPT_MS || passed.is_some_and(|passed| passed - i128::from(silent) > APART_MS) {
            self.sleep = Sleep::Unnoticed;
        }
    }

    /// Whether the program did not run for long, told once: what was on screen before is not what the person looks at now.
    pub fn slept(&mut self, mono_ms: u64, wall: Option<Timestamp>) -> bool {
        self.note_alive(mono_ms, wall);
        std::mem::take(&mut self.sleep) == Sleep::Unnoticed
    }

    /// Notes that there was input.
    pub fn note_input(&mut self, mono_ms: u64) {
        self.last_input = Some(self.last_input.unwrap_or(0).max(mono_ms));
    }

    /// Whether a key at this moment came with others, sooner than anybody presses them one after another.
    pub fn is_in_a_burst(&self, mono_ms: u64) -> bool {
        self.last_input.is_some_and(|before| mono_ms.saturating_sub(before) < TYPED_MS)
    }

    /// Notes which prompt a flushed frame showed whole.
    pub fn note_drawn(&mut self, prompt: Option<Prompt>, mono_ms: u64) {
        match (&self.drawn, prompt) {
            (Some((shown, _)), Some(prompt)) if *shown == prompt => {}
            (_, prompt) => self.drawn = prompt.map(|prompt| (prompt, mono_ms)),
        }
    }

    /// Whether a press at this moment counts for this prompt. After one that did not count the key may still be down.
    pub fn admits(&mut self, prompt: &Prompt, mono_ms: u64) -> Result<(), TooSoon> {
        let drawn_at = self.drawn.as_ref().filter(|(shown, _)| shown == prompt).map(|(_, at)| *at);
        let pressed = guard(Press { drawn_at, input_before: self.last_input, at: mono_ms });
        let held = self.refused.is_some_and(|before| mono_ms.saturating_sub(before) < HELD_MS);
        let admitted = if held { pressed.and(Err(TooSoon::TypingUnderWay)) } else { pressed };
        self.refused = admitted.is_err().then_some(mono_ms);
        admitted
    }
}

/// The prompt that this screen shows whole, if any: pane 5 has the keys, is large enough, and nothing lies over it.
pub fn shown(ui: &Ui, session: &Session) -> Option<Prompt> {
    if ui.focus != Pane::Remediation || ui.overlay.is_some() || !ui.layout().shows_step_whole() {
        return None;
    }
    // What a journal tells of was decided then.
    if ui.showing == Showing::Journal {
        return None;
    }
    let (incident, step) = (ui.incident(session)?, ui.step(session)?);
    if incident.phase == Phase::Closed {
        return None;
    }
    let stage = match step.state {
        StepState::Rehearsed => Stage::Decide,
        StepState::Armed { .. } => Stage::Confirm,
        _ => return None,
    };
    Some(Prompt { incident: incident.id, step: step.id, digest: step.digest.clone()?, stage })
}

/// Notes, after a frame was flushed, which prompt it showed.
pub fn note_drawn(ui: &mut Ui, session: &Session, at: Instants) {
    let prompt = shown(ui, session);
    ui.prompt.note_drawn(prompt, at.mono_ms);
}

/// The field's own prompt.
pub fn of_field(field: &ConfirmField) -> Prompt {
    Prompt { incident: field.incident, step: field.step, digest: field.digest.clone(), stage: Stage::Confirm }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_slept_is_noticed_by_the_wall_alone() {
        let wall = |seconds: i64| Timestamp::from_second(1_777_627_860 + seconds).ok();
        let slept = |steps: &[(u64, Option<Timestamp>)]| {
            let mut watch = PromptWatch::default();
            steps.iter().map(|(mono, wall)| watch.slept(*mono, *wall)).collect::<Vec<_>>()
        };
        assert_eq!(
            slept(&[(0, wall(0)), (1_000, wall(1)), (2_000, wall(3_600)), (3_000, wall(3_601))]),
            [false, false, true, false]
        );
        assert_eq!(slept(&[(0, wall(0)), (60_000, wall(60)), (61_000, wall(30))]), [false; 3], "awake, or set back");
        assert_eq!(slept(&[(0, None), (1_000, None), (200_000, None)]), [false, false, true]);
    }
}
