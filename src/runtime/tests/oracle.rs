//! What must be true of every decision and of every permit, told from the acts and records alone: kept apart from the code
//! that makes them.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use jiff::Timestamp;

use super::acts::Act;
use super::verdicts::Offered;
use super::world::{INCIDENT, World, keys_of};
use crate::domain::remediation::approval::{Decision, GRACE_MS, QUIET_MS};
use crate::domain::remediation::gate::Purpose;
use crate::domain::remediation::policy::Confirm;
use crate::domain::remediation::request::{Bound, Digest, Mode};
use crate::domain::remediation::step::{StepState, TargetFacts};
use crate::runtime::terminal::MemoryScreen;
use crate::session::event::{Event, Execution, RemediationEvent};
use crate::session::{IncidentId, Record, Session};
use crate::ui::input::Focus;
use crate::ui::model::{Pane, Ui};
use crate::ui::view;

/// The wall's clock may go on so much further than the monotonic one between two looks at them; further, the machine slept.
const AWAKE_MS: i128 = 30_000;

/// A prompt that every frame since then has shown, and the last of these frames.
struct Shown {
    prompt: (IncidentId, Digest, Stage),
    /// By `Oracle::passed`, as every time here is.
    since: u64,
    frame: (Ui, Session, Timestamp),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Decide,
    Confirm,
}

/// An approval that no permit was given for yet.
struct Approved {
    seq: u64,
    digest: Digest,
    confirm: Confirm,
    expires_at: Timestamp,
}

/// What was so before the act.
struct Before {
    mono: u64,
    gate_holds: bool,
    writable: bool,
    armed: Option<Digest>,
}

pub(super) struct Oracle {
    /// The time that has passed, milliseconds: the monotonic clock but for its jumps back. Such a jump takes from no frame the
    /// time it has been on screen, so what was noted on one side of it is not to be held against the other side's clock.
    passed: u64,
    /// When the program last looked at its clocks, and what the wall's showed.
    looked: (u64, Timestamp),
    shown: Option<Shown>,
    last_input: Option<u64>,
    /// What stands in the confirm field, and when each letter of it came.
    typed: Vec<(char, u64)>,
    before: Before,
    approval: Option<Approved>,
    /// Whether the last verdict suffices for the step's remedy, which is no undo.
    offered: Offered,
    /// Whether the credentials serve.
    served: bool,
    /// What the watch told of the object since it was last rehearsed.
    watched: Option<TargetFacts>,
    /// The record of a start whose request has not left, and what it was permitted for.
    unsent: Option<(u64, Digest)>,
    pub(super) sent: usize,
    pub(super) called_back: usize,
    pub(super) armed: usize,
    pub(super) approved: usize,
    pub(super) permits: usize,
    pub(super) refused: usize,
}

type Judged = Result<(), String>;

fn must(holds: bool, otherwise: impl FnOnce() -> String) -> Judged {
    if holds { Ok(()) } else { Err(otherwise()) }
}

impl Oracle {
    pub(super) fn new(world: &World) -> Self {
        Self {
            passed: world.mono,
            looked: (world.mono, world.now()),
            shown: None,
            last_input: None,
            typed: Vec::new(),
            before: before(world),
            approval: None,
            offered: Offered::Yes,
            served: true,
            watched: None,
            unsent: None,
            sent: 0,
            called_back: 0,
            armed: 0,
            approved: 0,
            permits: 0,
            refused: 0,
        }
    }

    /// Looks before the act.
    pub(super) fn sees(&mut self, world: &World, act: &Act) {
        self.before = before(world);
        let field_is_open = self.before.armed.is_some()
            && world.ui.focus == Pane::Remediation
            && world.ui.overlay.is_none()
            && world.ui.step(&world.core.session).is_some_and(|step| matches!(step.state, StepState::Armed { .. }));
        match act {
            Act::Key(key, late) if field_is_open && key.kind != KeyEventKind::Release => self.types(*key, *late),
            Act::Burst(keys) if field_is_open => keys_of(keys).for_each(|key| self.types(key, 0)),
            Act::Rehearsed(_) | Act::RehearsalRefused => self.watched = None,
            _ => {}
        }
    }

    fn types(&mut self, key: KeyEvent, late: u64) {
        let at = self.passed.saturating_sub(late);
        let control = key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        match key.code {
            KeyCode::Char('u') if control => self.typed.clear(),
            KeyCode::Char(letter) if !control => self.typed.push((letter, at)),
            KeyCode::Backspace => drop(self.typed.pop()),
            _ => {}
        }
    }

    /// Looks at what came of it.
    pub(super) fn judges(&mut self, world: &World, act: &Act, records: &[Record]) -> Judged {
        self.passed += world.mono.saturating_sub(self.before.mono);
        self.looks(world, act);
        if let Act::Watched(_) = act {
            self.watched = Some(world.facts());
        }
        if let Act::Verdict(offered) = act {
            self.offered = *offered;
        }
        match act {
            Act::FeedFails => self.served = false,
            Act::FeedAnswers => self.served = true,
            _ => {}
        }
        for record in records {
            if let Event::Remediation(event) = &record.event {
                self.judge_record(world, act, (record, event))?;
            }
        }
        self.leaves(world, act)?;
        self.notes(world, act);
        Ok(())
    }

    /// A request leaves once, after its start is on the disk, for the place and policy it was permitted for, and none that was
    /// called back; whatever takes the person away calls back what has not left.
    fn leaves(&mut self, world: &World, act: &Act) -> Judged {
        let sent = world.left;
        if sent > self.sent {
            let started = self.unsent.take();
            let is_durable = started.as_ref().is_some_and(|(start, _)| world.synced >= *start);
            must(sent == self.sent + 1 && is_durable, || {
                format!("{} left, started {started:?}, the disk has {}", sent - self.sent, world.synced)
            })?;
            must(self.served, || "it left, and the credentials did not serve".to_owned())?;
            must(world.core.session.read_only.is_none(), || "it left, and nothing can be written down".to_owned())?;
            if let Some((_, digest)) = &started {
                Self::is_of_here(world, digest)?;
            }
            self.sent = sent;
        }
        must(self.unsent.is_none() || !takes_away(act), || format!("{act:?}, and what was started can still leave"))
    }

    /// Whoever comes back to a machine that slept looks at a frame anew.
    fn looks(&mut self, world: &World, act: &Act) {
        let looks = matches!(
            act,
            Act::Key(..) | Act::Paste(_) | Act::Burst(_) | Act::Focus(_) | Act::Resize(..) | Act::Draw | Act::Tick
        );
        if !looks {
            return;
        }
        let (passed, wall) = std::mem::replace(&mut self.looked, (self.passed, world.now()));
        if world.now().duration_since(wall).as_millis() - i128::from(self.passed - passed) > AWAKE_MS {
            self.shown = None;
        }
    }

    fn judge_record(&mut self, world: &World, act: &Act, (record, event): (&Record, &RemediationEvent)) -> Judged {
        match event {
            RemediationEvent::StepArmed { digest, .. } => {
                self.armed += 1;
                self.typed.clear();
                self.was_pressed(world, act, (record, digest, Confirm::Key))?;
                must(world.core.session.header.mode == Mode::Live, || "a dry-run armed a step".to_owned())
            }
            RemediationEvent::DecisionGiven {
                decision: Decision::Approved { digest, confirm, expires_at, .. },
                ..
            } => {
                self.approved += 1;
                self.was_pressed(world, act, (record, digest, *confirm))?;
                Self::confirms_enough(world, *confirm)?;
                let (seq, digest, expires_at) = (record.seq, digest.clone(), *expires_at);
                self.approval = Some(Approved { seq, digest, confirm: *confirm, expires_at });
                Ok(())
            }
            RemediationEvent::StepStarted { digest, .. } => {
                self.permits += 1;
                self.unsent = Some((record.seq, digest.clone()));
                self.is_permitted(world, record, digest)
            }
            RemediationEvent::StepFinished { execution: Execution::NotApplied { .. }, .. } => {
                self.called_back += 1;
                must(self.unsent.take().is_some(), || "told as not sent what had left".to_owned())
            }
            RemediationEvent::PermitRefused { .. } => {
                self.refused += 1;
                self.approval = None;
                Ok(())
            }
            // Of another incident: what is decided about ours stands.
            _ if record.incident != Some(INCIDENT) => Ok(()),
            RemediationEvent::StoodDown { .. }
            | RemediationEvent::Expired { .. }
            | RemediationEvent::RehearsalAsked { .. }
            | RemediationEvent::DecisionGiven { .. } => {
                self.approval = None;
                self.typed.clear();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A fresh press, of the right key, while the very digest had been on screen whole for the grace, after a pause.
    fn was_pressed(&self, world: &World, act: &Act, (record, digest, confirm): (&Record, &Digest, Confirm)) -> Judged {
        let Act::Key(key, late) = act else { return Err(format!("{act:?} decided")) };
        let at = self.passed.saturating_sub(*late);
        let (stage, wanted) = match confirm {
            Confirm::Key => (Stage::Decide, KeyCode::Char('A')),
            Confirm::Typed => (Stage::Confirm, KeyCode::Enter),
        };
        let plain = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        must(key.code == wanted && key.kind == KeyEventKind::Press && plain, || format!("{key:?} decided"))?;
        let Some(shown) = &self.shown else { return Err("what was decided was not on screen".to_owned()) };
        let prompt = (record.incident.unwrap_or(IncidentId(0)), digest.clone(), stage);
        must(shown.prompt == prompt, || format!("decided {prompt:?}, on screen was {:?}", shown.prompt))?;
        must(at >= shown.since + GRACE_MS, || format!("pressed at {at}, on screen since {}", shown.since))?;
        must(self.last_input.is_none_or(|last| at >= last + QUIET_MS), || {
            format!("pressed at {at}, input before it at {:?}", self.last_input)
        })?;
        must(self.before.gate_holds, || "the gate was locked, or its evidence too old".to_owned())?;
        must(self.offered == Offered::Yes, || "the remedy is not offered any more".to_owned())?;
        must(self.served, || "the credentials did not serve".to_owned())?;
        must(self.before.writable, || "nothing can be written down".to_owned())?;
        self.is_still(world, digest)?;
        on_screen_whole(shown)?;
        if confirm == Confirm::Typed {
            let token = format!("my-api {}", digest.short());
            must(self.before.armed.as_ref() == Some(digest), || "confirmed what was not armed".to_owned())?;
            let typed: String = self.typed.iter().map(|(letter, _)| letter).collect();
            must(typed.trim() == token, || format!("confirmed {token:?} by typing {typed:?}"))?;
            let took = self.typed.last().map_or(0, |(_, at)| *at) - self.typed.first().map_or(0, |(_, at)| *at);
            let fewest = 20 * (self.typed.len() as u64 - 1);
            must(took >= fewest, || format!("{typed:?} came within {took} ms, which nobody types in"))?;
        }
        Ok(())
    }

    fn confirms_enough(world: &World, confirm: Confirm) -> Judged {
        let header = &world.core.session.header;
        let asked = header.policy.live.first().map_or(Confirm::Typed, |rule| rule.confirm);
        let enough = header.mode == Mode::DryRun || asked == Confirm::Key || confirm == Confirm::Typed;
        must(enough, || "a key approved where a typed token is asked for".to_owned())
    }

    /// Once, live, on the disk, in time, and for the world as it still is.
    fn is_permitted(&mut self, world: &World, record: &Record, digest: &Digest) -> Judged {
        let Some(approval) = self.approval.take() else { return Err("a permit without an approval".to_owned()) };
        let session = &world.core.session;
        must(session.header.mode == Mode::Live, || "a permit in a dry-run".to_owned())?;
        must(approval.digest == *digest, || "a permit for another digest".to_owned())?;
        must(world.synced >= approval.seq && record.seq > approval.seq, || {
            format!("record {} was approved, the disk has {}", approval.seq, world.synced)
        })?;
        must(world.now() < approval.expires_at, || "the approval had expired".to_owned())?;
        must(self.served, || "a permit while the credentials did not serve".to_owned())?;
        must(session.read_only.is_none(), || "nothing can be written down".to_owned())?;
        let holds =
            world.step_gate().is_some_and(|gate| gate.holds(Purpose::Remedy, &session.header.policy, world.now()));
        must(holds, || "the gate is locked, or its evidence too old".to_owned())?;
        must(self.offered == Offered::Yes, || "a permit for a remedy that is not offered".to_owned())?;
        Self::confirms_enough(world, approval.confirm)?;
        self.is_bound(world, digest)
    }

    /// The step is still what was decided on, and so is the object, as far as the watch has told.
    fn is_still(&self, world: &World, digest: &Digest) -> Judged {
        let step = world.step();
        must(step.digest.as_ref() == Some(digest), || "decided on another rehearsal".to_owned())?;
        let facts = step.rehearsal.as_ref().and_then(|rehearsal| rehearsal.facts.as_ref());
        let told = self.watched.as_ref();
        must(told.is_none() || told == facts, || format!("the object is {told:?} by now, decided on {facts:?}"))
    }

    /// The digest is of the facts as they are: object, request, scope, mode and policy.
    fn is_bound(&self, world: &World, digest: &Digest) -> Judged {
        self.is_still(world, digest)?;
        Self::is_of_here(world, digest)
    }

    /// The digest is of this request, at this place, under this policy.
    fn is_of_here(world: &World, digest: &Digest) -> Judged {
        let header = &world.core.session.header;
        let step = world.step();
        let rehearsal = step.rehearsal.as_ref().and_then(|it| it.request.as_ref().zip(it.facts.as_ref()));
        let Some((request, facts)) = rehearsal else { return Err("decided without a rehearsal".to_owned()) };
        let (text, mode) = (step.text(), header.mode);
        let bound = Bound { text: &text, request, facts, scope: &header.scope, mode, policy: &header.policy };
        must(bound.digest() == *digest, || "a permit for other facts than these".to_owned())
    }

    /// Keeps what the next judgement needs.
    fn notes(&mut self, world: &World, act: &Act) {
        match act {
            Act::Draw => self.draws(world),
            Act::Resize(..) | Act::Focus(_) => self.shown = None,
            Act::Key(key, late) => {
                let suspends = key.code == KeyCode::Char('z') && key.modifiers == KeyModifiers::CONTROL;
                if suspends && key.kind != KeyEventKind::Release {
                    self.shown = None;
                }
                self.input(self.passed.saturating_sub(*late));
            }
            Act::Paste(_) | Act::Burst(_) => self.input(self.passed),
            _ => {}
        }
        if world.typed().is_empty() {
            self.typed.clear();
        }
    }

    fn input(&mut self, at: u64) {
        self.last_input = Some(self.last_input.unwrap_or(0).max(at));
    }

    fn draws(&mut self, world: &World) {
        let session = &world.core.session;
        let seen = || {
            let step = world.ui.step(session)?;
            let stage = match step.state {
                StepState::Rehearsed => Stage::Decide,
                StepState::Armed { .. } => Stage::Confirm,
                _ => return None,
            };
            let has_the_keys = world.ui.focus == Pane::Remediation && world.ui.overlay.is_none();
            has_the_keys.then_some((world.ui.incident(session)?.id, step.digest.clone()?, stage))
        };
        let Some(prompt) = seen() else {
            self.shown = None;
            return;
        };
        let same = self.shown.take().filter(|shown| shown.prompt == prompt);
        let since = same.map_or(self.passed, |shown| shown.since);
        self.shown = Some(Shown { prompt, since, frame: (world.ui.clone(), session.clone(), world.now()) });
    }
}

fn takes_away(act: &Act) -> bool {
    match act {
        Act::Focus(focus) => *focus == Focus::Lost,
        Act::Leaves(_) => true,
        Act::Key(key, _) => {
            let out = matches!(key.code, KeyCode::Char('c' | 'z')) && key.modifiers == KeyModifiers::CONTROL;
            out && key.kind == KeyEventKind::Press
        }
        _ => false,
    }
}

fn before(world: &World) -> Before {
    let session = &world.core.session;
    let gate = world.step_gate();
    Before {
        mono: world.mono,
        gate_holds: gate
            .is_some_and(|gate| gate.holds(Purpose::Remedy, &session.header.policy, world.now().max(session.now))),
        writable: session.read_only.is_none(),
        armed: match world.step().state {
            StepState::Armed { .. } => world.step().digest.clone(),
            _ => None,
        },
    }
}

/// The frame is drawn once more and read: the decision's facts are on it.
fn on_screen_whole(shown: &Shown) -> Judged {
    let (ui, session, now) = &shown.frame;
    let mut screen = MemoryScreen::new(ui.size);
    screen.draw(|frame| view::draw(frame, ui, session, *now));
    let text = screen.text();
    // Where there is little room the field has one line of its own.
    let asks: &[&str] = match shown.prompt.2 {
        Stage::Decide => &["#"],
        Stage::Confirm => &["confirm>", ", Enter>"],
    };
    if !asks.iter().any(|ask| text.contains(ask)) {
        return Err(format!("none of {asks:?} was on the screen that was decided on:\n{text}"));
    }
    let facts = ["WHAT", "WHERE", "WHO", "UNDO", "my-api", shown.prompt.1.short()];
    match facts.into_iter().find(|fact| !text.contains(fact)) {
        None => Ok(()),
        Some(missing) => Err(format!("{missing:?} was not on the screen that was decided on:\n{text}")),
    }
}
