//! The same loop without a screen: streams the story, approves nothing, and ends when the previews are done.

mod told;

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write};
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::mpsc;

use super::core::Core;
use super::desk::{self, Hands, Wish};
use super::ending::Ending;
use super::inbox::{Inbox, Lane, Signal};
use super::operator::Operator;
use super::virtual_screen::VirtualScreen;
use super::waits::Waits;
use crate::config::{Glyphs, OutputForm};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::sanitise;
use crate::report::narration::Narrator;
use crate::report::sparkline::Signs;
use crate::session::incident::Incident;
use crate::ui::input::Input;
use told::{is_rehearsed, is_told};

pub use told::has_come_to_its_point;

/// Incident time after which a run ends whatever happens, unless `--for` says otherwise.
const LAST_END_S: i64 = 1_800;
/// Wall time between two looks at the operator's script.
const TICK: Duration = Duration::from_millis(20);

/// How a run without a screen goes.
pub struct Headless {
    /// In which form the story is written.
    pub form: OutputForm,
    /// Writes it as text.
    pub narrator: Narrator,
    /// End after this much incident time; else when the story is told.
    pub lasting: Option<SignedDuration>,
    /// Presses the keys, against the simulator alone.
    pub operator: Option<(Operator, VirtualScreen)>,
    /// Tells what is waited for when nothing else is told.
    pub waits: Waits,
}

/// When, on the monotonic clock, what was first there; milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// An alarm fired.
    pub alarm: Option<u64>,
    /// All evidence was in and the rules had judged.
    pub verdict: Option<u64>,
    /// The first text of the narrative.
    pub first_text: Option<u64>,
    /// The gate was judged.
    pub gate: Option<u64>,
    /// Every step was rehearsed.
    pub rehearsed: Option<u64>,
    /// The end.
    pub total: u64,
}

impl Timings {
    /// By name, those that were reached.
    pub fn by_name(&self) -> BTreeMap<String, u64> {
        let reached = [
            ("alarm", self.alarm),
            ("verdict", self.verdict),
            ("first_text", self.first_text),
            ("gate", self.gate),
            ("rehearsed", self.rehearsed),
            ("total", Some(self.total)),
        ];
        reached.into_iter().filter_map(|(name, at)| Some((name.to_owned(), at?))).collect()
    }
}

/// Why the loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The story is told.
    Told,
    /// The time that was asked for was up.
    TimeUp,
    /// No time was asked for, and the story did not come to its end in half an hour.
    GaveUp,
    /// Who read it has closed the pipe: there is nobody to tell the rest to.
    Unread,
    /// A signal.
    Signalled(Signal),
}

impl Ended {
    /// Why the session ended, for its last record.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Told => "the story is told",
            Self::TimeUp => "the time was up",
            Self::GaveUp => "the story did not come to its end",
            Self::Unread => "the output was closed",
            Self::Signalled(_) => "a signal",
        }
    }

    /// How a run ended that did not do what was asked; `None` where it did. A reader that has seen enough is no fault.
    pub fn cut_short(self) -> Option<Result<Ending, Fault>> {
        match self {
            Self::Told | Self::TimeUp => None,
            Self::Unread => Some(Ok(Ending::Done)),
            Self::GaveUp => {
                let text = format!("The story was not told within {} minutes.", LAST_END_S / 60);
                let hint = "The journal says what it waited for; `--for` gives it another time.";
                Some(Err(Fault::new(FaultKind::Timeout, text).hint(hint)))
            }
            Self::Signalled(signal) => {
                let why = format!("{} ended the run before its story was told.", signal.word());
                Some(Ok(Ending::Signalled { number: signal.number(), why }))
            }
        }
    }
}

/// Whether anybody still reads what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// As far as is known.
    There,
    /// The pipe is closed.
    Gone,
}

/// Runs the loop until the story is told.
pub async fn run(
    core: &mut Core,
    inbox: &mut mpsc::Receiver<Inbox>,
    headless: &mut Headless,
    out: &mut dyn Write,
) -> Result<(Ended, Timings), Fault> {
    let mut timings = Timings::default();
    let started = core.clock.now();
    let mut held = Held::default();
    let ended = loop {
        let instant = match turn(core, inbox, headless, &mut held).await {
            Turn::Signalled(signal) => break Ended::Signalled(signal),
            Turn::Taken(instant) => instant,
        };
        note(&mut timings, core);
        if print(core, headless, out)? == Audience::Gone {
            break Ended::Unread;
        }
        if instant == Instant::UnderWay {
            continue;
        }
        let passed = core.clock.now().duration_since(started);
        if headless.lasting.is_some_and(|lasting| passed >= lasting) {
            break Ended::TimeUp;
        }
        if headless.lasting.is_none() && is_told(core, headless, started) {
            break Ended::Told;
        }
        if passed.as_secs() >= LAST_END_S && headless.lasting.is_none() {
            break Ended::GaveUp;
        }
        if instant == Instant::Over {
            core.clock.jump();
        }
    };
    timings.total = core.clock.mono_ms();
    Ok((ended, timings))
}

/// What came in while time stands still, until all that is in flight has come in: taken in the order of those who tell it.
#[derive(Debug, Default)]
struct Held(Vec<(Lane, Inbox)>);

impl Held {
    /// Keeps an event back where its turn is not known yet; gives back everything else.
    fn hold(&mut self, core: &Core, message: Inbox) -> Option<Inbox> {
        match message {
            Inbox::Event { ref lane, .. } if core.clock.stands_still() => {
                self.0.push((lane.clone(), message));
                None
            }
            other => Some(other),
        }
    }

    /// Hands over what was kept back. What one lane told stays in its order.
    fn release(&mut self, core: &mut Core) {
        let mut held = std::mem::take(&mut self.0);
        held.sort_by(|one, other| one.0.cmp(&other.0));
        for (_, message) in held {
            core.receive(message);
        }
    }
}

/// What a turn came to.
enum Turn {
    Signalled(Signal),
    Taken(Instant),
}

/// How far the instant of a standing clock is told. A run ends, and time moves on, only when it is over: whatever else an
/// end would hang on is the machine's speed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Instant {
    /// Something of it is still to come.
    UnderWay,
    /// All that it brings has come.
    Over,
    /// The clock runs by itself.
    Passing,
}

/// One turn: waits for something, takes in all there is, and lets effects out.
async fn turn(core: &mut Core, inbox: &mut mpsc::Receiver<Inbox>, headless: &mut Headless, held: &mut Held) -> Turn {
    let stands = core.clock.stands_still();
    let wait = if stands { Duration::from_millis(1) } else { TICK };
    let first = tokio::select! {
        biased;
        message = inbox.recv() => message,
        // Who has told everything lands a moment later, and then time may move at once.
        () = core.clock.busy().landed(), if stands => None,
        () = tokio::time::sleep(wait) => None,
    };
    for message in first.into_iter().chain(std::iter::from_fn(|| inbox.try_recv().ok())) {
        if let Some(signal) = held.hold(core, message).and_then(|message| take(core, message, headless)) {
            return Turn::Signalled(signal);
        }
    }
    if is_settled(core, inbox) {
        held.release(core);
    }
    core.pump();
    // A script waits until all has come that this instant brings: what a key meets must not depend on the machine.
    let all_is_in = held.0.is_empty() && is_settled(core, inbox);
    let script = if all_is_in || !core.clock.stands_still() { Script::GoesOn } else { Script::Waits };
    operate(core, headless, script);
    let script_waits = headless.operator.as_ref().is_some_and(|(operator, _)| operator.is_busy(&core.session));
    let is_over = !script_waits && held.0.is_empty() && is_settled(core, inbox);
    Turn::Taken(match core.clock.stands_still() {
        false => Instant::Passing,
        true if is_over => Instant::Over,
        true => Instant::UnderWay,
    })
}

/// Whether all is in that the instant brings. Of two that wake in one instant the first may have answered before the
/// second has taken off, so this is asked first.
fn is_settled(core: &Core, inbox: &mpsc::Receiver<Inbox>) -> bool {
    !core.clock.is_waking() && core.is_idle() && inbox.is_empty()
}

/// Whether the next key of a script may be pressed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    GoesOn,
    Waits,
}

fn take(core: &mut Core, message: Inbox, headless: &mut Headless) -> Option<Signal> {
    match core.receive(message)? {
        Inbox::Input { input, .. } => {
            press(core, headless, input);
            None
        }
        // There is no screen to come back to; and `receive` has dealt with the rest.
        Inbox::Signal(Signal::Continue)
        | Inbox::Event { .. }
        | Inbox::Acknowledged { .. }
        | Inbox::JournalFailed(_)
        | Inbox::Hidden { .. }
        | Inbox::TaskPanicked { .. }
        | Inbox::Saved(_) => None,
        Inbox::Signal(signal) => Some(signal),
    }
}

fn operate(core: &mut Core, headless: &mut Headless, script: Script) {
    let Some((operator, screen)) = headless.operator.as_mut() else { return };
    screen.draw(core);
    if script == Script::Waits {
        return;
    }
    if let Some(input) = operator.next(&core.session, core.clock.mono_ms()) {
        press(core, headless, input);
        core.pump();
    }
}

fn press(core: &mut Core, headless: &mut Headless, input: Input) {
    let Some((_, screen)) = headless.operator.as_mut() else { return };
    for intent in screen.input(core, input) {
        match desk::apply(core, Hands::Script, intent) {
            Wish::Tell(text) => screen.tell(core, &text),
            Wish::Done
            | Wish::Repaint
            | Wish::Suspend
            | Wish::Copy(_)
            | Wish::Save { .. }
            | Wish::Export
            | Wish::Reload
            | Wish::TryRehearsal
            | Wish::Quit => {}
        }
    }
}

fn print(core: &mut Core, headless: &mut Headless, out: &mut dyn Write) -> Result<Audience, Fault> {
    let fresh = core.take_fresh();
    if headless.form == OutputForm::Text
        && let Some(line) = headless.waits.line(&fresh, &core.session, core.clock.mono_ms())
        && write_line(out, &line)? == Audience::Gone
    {
        return Ok(Audience::Gone);
    }
    for record in fresh {
        let lines = match headless.form {
            OutputForm::Text => headless.narrator.lines(&record, &core.session),
            OutputForm::Jsonl => serde_json::to_string(&record).into_iter().collect(),
            OutputForm::Json => Vec::new(),
        };
        for line in lines {
            if write_line(out, &line)? == Audience::Gone {
                return Ok(Audience::Gone);
            }
        }
    }
    Ok(Audience::There)
}

/// The signs that may be written.
pub fn signs(glyphs: Glyphs) -> Signs {
    match glyphs {
        Glyphs::Unicode => Signs::Blocks,
        Glyphs::Ascii => Signs::Ascii,
    }
}

/// Writes a line to where the story goes, and tells whether anybody is there to read it.
pub fn write_line(out: &mut dyn Write, line: &str) -> Result<Audience, Fault> {
    match writeln!(out, "{}", sanitise::output(line)).and_then(|()| out.flush()) {
        Ok(()) => Ok(Audience::There),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Audience::Gone),
        Err(error) => Err(Fault::new(FaultKind::Storage, "The output could not be written.").cause(error.to_string())),
    }
}

/// What an incident has come to.
type Test = fn(&Incident) -> bool;

fn note(timings: &mut Timings, core: &Core) {
    let session = &core.session;
    let any = |test: Test| session.incidents.values().any(test);
    if timings.alarm.is_none() && !session.firing().is_empty() {
        timings.alarm = Some(core.clock.mono_ms());
    }
    let marks: [(&mut Option<u64>, Test); 4] = [
        (&mut timings.verdict, |incident| incident.verdict.is_some()),
        (&mut timings.first_text, |incident| incident.narrative.first_text_at.is_some()),
        (&mut timings.gate, |incident| incident.gate.is_some()),
        (&mut timings.rehearsed, |incident| incident.plan.is_some() && is_rehearsed(incident)),
    ];
    for (mark, is_reached) in marks {
        if mark.is_none() && any(is_reached) {
            *mark = Some(core.clock.mono_ms());
        }
    }
}
