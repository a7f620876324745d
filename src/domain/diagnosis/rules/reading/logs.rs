//! What the logs tell: their signs, their errors, and whether they fell silent.

use jiff::{SignedDuration, Timestamp};

use crate::domain::diagnosis::evidence::{Answer, Evidence, EvidenceId, Payload};
use crate::domain::diagnosis::statistics::{self, Onset};
use crate::domain::observation::log::LogLevel;
use crate::domain::observation::log_sign::{LogSign, SignCount};
use crate::domain::observation::log_template::{PARTS, TemplateCount};
use crate::domain::observation::metric::Point;
use crate::domain::observation::scope::Window;

/// Lines a minute from which silence is none by chance: of twenty lines in five minutes, none comes by chance once in
/// 10⁸ times (Poisson).
const TALKATIVE: f64 = 4.0;

/// The log patterns as read.
#[derive(Clone, Debug)]
pub(in super::super) struct Logs {
    pub(in super::super) id: EvidenceId,
    pub(in super::super) lines: u64,
    pub(in super::super) errors: u64,
    pub(in super::super) signs: Vec<SignCount>,
    /// Templates of errors.
    pub(in super::super) loud: Vec<TemplateCount>,
    pub(in super::super) voice: Voice,
    /// Whether every line of the window was read.
    pub(in super::super) whole: bool,
}

/// Lines a minute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) enum Voice {
    /// They fell to next to nothing, and nearly nothing is left.
    Silent(Onset),
    /// They go on, or there never were many.
    Heard,
    /// Not every line is told by the minute.
    Unknown,
}

impl Logs {
    /// Reads the payload of log patterns; `None` of another.
    pub(super) fn of(piece: &Evidence, payload: &Payload) -> Option<Self> {
        let Payload::LogPatterns { lines, errors, templates, signs, .. } = payload else { return None };
        let loud = templates.iter().filter(|template| template.level == LogLevel::Error).cloned().collect();
        let whole = matches!(piece.answer, Answer::Observed { .. });
        let voice = if whole { voice(*lines, templates, piece.window) } else { Voice::Unknown };
        Some(Self { id: piece.id, lines: *lines, errors: *errors, signs: signs.clone(), loud, voice, whole })
    }

    /// The lines of a sign.
    pub(in super::super) fn sign(&self, sign: LogSign) -> Option<&SignCount> {
        self.signs.iter().find(|count| count.sign == sign)
    }
}

/// Whether logs fell silent: the onset of their lines by the minute, over all templates. It is known where the templates
/// hold every line and tell the parts of the window they came in.
fn voice(lines: u64, templates: &[TemplateCount], window: Window) -> Voice {
    let told: u64 = templates.iter().flat_map(|template| &template.by_part).map(|lines| u64::from(*lines)).sum();
    let part_s = window.seconds() as f64 / f64::from(PARTS);
    if told < lines || lines == 0 || part_s <= 0.0 {
        return Voice::Unknown;
    }
    let of_part = |n: usize| -> f64 {
        templates.iter().filter_map(|template| template.by_part.get(n)).map(|lines| f64::from(*lines)).sum()
    };
    let at = |n: usize| -> Option<Timestamp> {
        window.from.checked_add(SignedDuration::try_from_secs_f64(part_s * n as f64).ok()?).ok()
    };
    let point = |n: usize| Some(Point { at: at(n)?, value: of_part(n) * 60.0 / part_s });
    let points: Vec<Point> = (0..PARTS as usize).filter_map(point).collect();
    match super::level::fall_to_nothing(statistics::onset(&points, &[])) {
        Some(onset) if onset.before >= TALKATIVE => Voice::Silent(onset),
        Some(_) | None => Voice::Heard,
    }
}
