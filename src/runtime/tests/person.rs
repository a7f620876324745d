//! Whose hands these are: somebody who wants the step done and is disturbed, somebody in haste, or a cat on the keyboard.
//! Everything by the dice of a seed.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::acts::{Act, Object, Wishes};
use super::verdicts::Offered;
use super::world::World;
use crate::domain::remediation::approval::token;
use crate::domain::remediation::policy::Confirm;
use crate::domain::remediation::request::Mode;
use crate::domain::remediation::step::StepState;
use crate::ui::input::Focus;
use crate::ui::model::Pane;

/// A sequence of numbers from a seed (`splitmix64`).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.next() % 100 < chance
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

pub(super) struct Person {
    wishes: Wishes,
    /// Of a hundred acts, how many come from elsewhere.
    disturbed: u64,
    pauses: &'static [u64],
}

const CALM: &[u64] = &[300, 1_000, 1_100, 1_600, 2_500, 4_000];
const HASTY: &[u64] = &[0, 20, 120, 249, 250, 300, 999, 1_000, 1_001, 1_500, 3_000];

impl Person {
    pub(super) fn new(dice: &mut Dice) -> Self {
        let mode = if dice.percent(85) { Mode::Live } else { Mode::DryRun };
        let confirm = if dice.percent(80) { Confirm::Typed } else { Confirm::Key };
        let disturbed = dice.pick(&[0, 4, 4, 8, 8, 15, 15, 30, 60, 100]);
        let pauses = if dice.percent(50) { CALM } else { HASTY };
        Self { wishes: Wishes { mode, confirm }, disturbed, pauses }
    }

    pub(super) fn wishes(&self) -> Wishes {
        self.wishes
    }

    /// What happens next.
    pub(super) fn acts(&self, world: &World, dice: &mut Dice) -> Act {
        if dice.percent(self.disturbed) {
            return noise(world, dice);
        }
        // Between any two things a frame may be drawn, time passes, and the disk comes after.
        match dice.below(10) {
            0..=2 => Act::Draw,
            3..=5 => Act::Pass(dice.pick(self.pauses)),
            6 => Act::Acknowledged { behind: dice.pick(&[0, 0, 0, 1, 2]), synced: dice.percent(80) },
            _ => self.step_on(world, dice),
        }
    }

    /// The next thing that somebody does who wants the step done.
    fn step_on(&self, world: &World, dice: &mut Dice) -> Act {
        if world.ui.overlay.is_some() {
            return press(KeyCode::Esc);
        }
        if !world.ui.layout().shows_step_whole() {
            return if world.ui.focus == Pane::Remediation { Act::Resize(100, 32) } else { letter('5') };
        }
        if world.core.session.unusable_credentials().is_some() && dice.percent(60) {
            return Act::FeedAnswers;
        }
        match &world.step().state {
            StepState::Proposed | StepState::Rehearsing => Act::Rehearsed(Object::Same),
            _ if world.ui.focus != Pane::Remediation => letter('5'),
            StepState::StoodDown { .. } if !world.core.handed.is_empty() && dice.percent(30) => Act::Departs,
            StepState::Expired | StepState::StoodDown { .. } if world.is_locked() => Act::GateOpens,
            StepState::Expired | StepState::StoodDown { .. } => letter('d'),
            StepState::Rehearsed if dice.percent(15) => Act::GateOpens,
            StepState::Rehearsed => letter('A'),
            StepState::Armed { .. } => Self::types(world, dice),
            StepState::Running if dice.percent(50) => Act::Departs,
            _ => Act::Pass(dice.pick(self.pauses)),
        }
    }

    /// The next letter of the token, or Enter when it is whole.
    fn types(world: &World, dice: &mut Dice) -> Act {
        let step = world.step();
        let wanted = step.digest.as_ref().map(|digest| token(&step.target.name, digest)).unwrap_or_default();
        let typed = world.ui.confirm_field(&world.core.session).map(|field| field.text).unwrap_or_default();
        match wanted.strip_prefix(&typed).and_then(|rest| rest.chars().next()) {
            Some(_) if dice.percent(3) => press(KeyCode::Enter),
            Some(next) => letter(next),
            None if wanted == typed => press(KeyCode::Enter),
            None => press(KeyCode::Backspace),
        }
    }
}

fn press(code: KeyCode) -> Act {
    Act::Key(KeyEvent::new(code, KeyModifiers::NONE), 0)
}

pub(super) fn letter(letter: char) -> Act {
    press(KeyCode::Char(letter))
}

/// Anything at all.
fn noise(world: &World, dice: &mut Dice) -> Act {
    match dice.below(12) {
        0..=3 => any_key(dice),
        4 => screen(world, dice),
        5 => Act::Pass(dice.pick(&[1, 16, 120, 250, 999, 1_000, 30_000, 61_000])),
        6 => clocks(dice),
        7 => Act::Draw,
        8 => disk(dice),
        9 | 10 => cloud(dice),
        _ => dice.pick(&[
            Act::Tick,
            Act::WorseIncident,
            Act::TaskPanics,
            Act::ArmTimerFires,
            Act::Finished,
            Act::Departs,
            Act::Leaves("signal terminate"),
            Act::Leaves("signal hangup"),
        ]),
    }
}

fn any_key(dice: &mut Dice) -> Act {
    let kinds = [KeyEventKind::Press, KeyEventKind::Press, KeyEventKind::Repeat, KeyEventKind::Release];
    let letters: Vec<char> = "AAAyyY aA5512346zXSdU?:jkgGmirRnN/\\0 7f3-my".chars().collect();
    let (code, modifiers) = match dice.below(8) {
        0 => (KeyCode::Enter, KeyModifiers::NONE),
        1 => (KeyCode::Esc, KeyModifiers::NONE),
        2 => (KeyCode::Char(dice.pick(&['c', 'z', 'l', 'p', 'd', 'u', 'j', 'm'])), KeyModifiers::CONTROL),
        3 => (KeyCode::Char('A'), dice.pick(&[KeyModifiers::SHIFT, KeyModifiers::ALT, KeyModifiers::CONTROL])),
        _ => (KeyCode::Char(dice.pick(&letters)), KeyModifiers::NONE),
    };
    let key = KeyEvent::new_with_kind(code, modifiers, dice.pick(&kinds));
    Act::Key(key, dice.pick(&[0, 0, 0, 30, 400, 5_000]))
}

fn screen(world: &World, dice: &mut Dice) -> Act {
    let step = world.step();
    let wanted = step.digest.as_ref().map(|digest| token(&step.target.name, digest)).unwrap_or_default();
    let (cols, rows) = dice.pick(&[(80, 24), (200, 60), (132, 43), (60, 16), (40, 10), (300, 90)]);
    match dice.below(10) {
        0 => Act::Resize(cols, rows),
        1 => Act::Focus(Focus::Lost),
        2 => Act::Focus(Focus::Gained),
        3 => Act::Paste(format!("{wanted}\n")),
        4 => Act::Paste(wanted),
        5 | 6 => Act::Burst(wanted),
        7 => Act::Burst(format!("{wanted}\n")),
        8 => Act::Burst(dice.pick(&["AAA", "SXdUA", "A my-api is down\nA\n"]).to_owned()),
        _ => Act::Paste("A".to_owned()),
    }
}

fn clocks(dice: &mut Dice) -> Act {
    match dice.below(2) {
        0 => Act::MonotonicJumps(dice.pick(&[-5_000, -1_000, -1, 1_000, 3_600_000])),
        _ => Act::IncidentJumps(dice.pick(&[-86_400, -61, -1, 1, 59, 61, 601, 86_400])),
    }
}

fn disk(dice: &mut Dice) -> Act {
    match dice.below(12) {
        0 => Act::JournalFails,
        _ => Act::Acknowledged { behind: dice.pick(&[0, 0, 1, 2, 5]), synced: dice.percent(50) },
    }
}

fn cloud(dice: &mut Dice) -> Act {
    let object = dice.pick(&[Object::Same, Object::Changed, Object::Another]);
    dice.pick(&[
        Act::Rehearsed(object),
        Act::RehearsalRefused,
        Act::Watched(object),
        Act::GateLocks,
        Act::GateOpens,
        Act::Verdict(Offered::Yes),
        Act::Verdict(Offered::No),
        Act::PolicyChanges,
        Act::ScopeChanges,
        Act::FeedFails,
        Act::FeedAnswers,
    ])
}
