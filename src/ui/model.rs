//! What the screen remembers between two frames: focus, scroll, selections, filters, what is open, what is being typed.
//!
//! The session is not in it: a frame is a function of this, the session and the time.

pub mod anchors;
pub mod fold;
pub mod kept;
pub mod lanes;
pub mod log_look;
pub mod log_view;
pub mod moments;
pub mod overlay;
mod recording;
pub mod rows;
pub mod scroll;
pub mod telling;
mod terms;
pub mod walk;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use self::fold::Fold;
use self::lanes::Lanes;
use self::log_look::LogLook;
use self::overlay::{ConfirmField, Overlay};
use self::rows::LineAnchor;
use self::scroll::{ListView, Scroll, TextView};
use super::keymap::Keymap;
use super::keymap::chord::Chord;
use super::layout::{Layout, Shares, layout_with};
use super::narrative::Settled;
use super::prompt::PromptWatch;
use super::search::Search;
use super::theme::{OwnColours, Role};
use super::tour::{self, Lesson};
use crate::domain::diagnosis::evidence::EvidenceId;
use crate::domain::observation::alarm::AlarmName;
use crate::domain::observation::metric::MetricRole;
use crate::domain::remediation::step::{Step, StepId, StepState};
use crate::session::incident::Incident;
use crate::session::{IncidentId, Session};

/// The six panes; the number is the jump key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pane {
    /// 1
    #[default]
    Alarms,
    /// 2
    Metrics,
    /// 3
    Logs,
    /// 4
    Rca,
    /// 5
    Remediation,
    /// 6
    Timeline,
}

impl Pane {
    /// Every pane by number.
    pub const ALL: [Self; 6] = [Self::Alarms, Self::Metrics, Self::Logs, Self::Rca, Self::Remediation, Self::Timeline];

    /// From 0.
    pub fn index(self) -> usize {
        self as usize
    }

    /// From 1, as in the title.
    pub fn number(self) -> usize {
        self.index() + 1
    }

    /// The word in the title.
    pub fn word(self) -> &'static str {
        match self {
            Self::Alarms => "ALARMS",
            Self::Metrics => "METRICS",
            Self::Logs => "LOGS",
            Self::Rca => "RCA",
            Self::Remediation => "REMEDIATION",
            Self::Timeline => "TIMELINE",
        }
    }

    /// The pane `steps` further, around the end.
    pub fn after(self, steps: usize) -> Self {
        Self::ALL[(self.index() + steps) % Self::ALL.len()]
    }
}

/// Whether the focused pane has the screen to itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zoom {
    /// All panes there is room for.
    #[default]
    Overview,
    /// The focused one alone.
    Zoomed,
}

/// The terminal's size in cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
}

impl Default for Size {
    fn default() -> Self {
        Self { cols: 80, rows: 24 }
    }
}

/// Whether time is told by the second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// Something moves: ages and the clock are told to the second.
    #[default]
    Lively,
    /// Nothing has happened for a while: everything that only time moves is told by the minute, as a bound, so that a
    /// quiet screen writes next to nothing and still never tells old data as new.
    Quiet,
}

/// What the screen shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Showing {
    /// A session that goes on.
    #[default]
    Session,
    /// What a journal tells: nothing is read, asked or decided, and nobody wrote down when a feed answered as before.
    Journal,
}

/// Whether a frame shows what a person types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Typed {
    /// It is theirs alone.
    #[default]
    Shown,
    /// It is recorded: stars stand for what is typed, to confirm or to search, before it is known what it is.
    Hidden,
}

/// How times are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClockStyle {
    /// UTC with a `Z`.
    #[default]
    Utc,
    /// In the person's zone.
    Local,
    /// Before now.
    Relative,
}

/// The themes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThemeName {
    /// For dark and unknown backgrounds.
    #[default]
    Dark,
    /// For light backgrounds.
    Light,
    /// Stronger contrasts.
    HighContrast,
}

/// What curves are drawn with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Markers {
    /// Eight dots a cell.
    #[default]
    Braille,
    /// Filled columns.
    Block,
    /// A dot a column.
    Dot,
    /// A star a column.
    Ascii,
}

/// How the words of environments are shown, where the person said so.
pub type EnvironmentRoles = std::sync::Arc<std::collections::BTreeMap<String, Role>>;

/// Whether colours may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colours {
    /// The 16 ANSI names.
    #[default]
    Full,
    /// Reset, bold, reverse and underline only: `NO_COLOR`, `--mono`.
    Mono,
}

/// Whether glyphs beyond ASCII may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Glyphs {
    /// Boxes, blocks and braille.
    #[default]
    Unicode,
    /// `--ascii`, or a locale that is not UTF-8.
    Ascii,
}

/// What configuration and environment settle before the terminal opens.
#[derive(Clone, Debug)]
pub struct UiOptions {
    /// Roles to colours.
    pub theme: ThemeName,
    /// Whether colours may be used.
    pub colours: Colours,
    /// Colours of the person's own.
    pub own: OwnColours,
    /// Whether glyphs beyond ASCII may be used.
    pub glyphs: Glyphs,
    /// What curves are drawn with.
    pub markers: Markers,
    /// How the words of environments are shown.
    pub environments: EnvironmentRoles,
    /// Sizes of panes.
    pub shares: Shares,
    /// The person's zone, for [`ClockStyle::Local`].
    pub zone: TimeZone,
    /// The keys in force.
    pub keymap: Keymap,
}

impl Default for UiOptions {
    fn default() -> Self {
        let (theme, colours, glyphs) = (ThemeName::default(), Colours::default(), Glyphs::default());
        let (markers, environments, shares) = (Markers::default(), EnvironmentRoles::default(), Shares::default());
        let (own, zone, keymap) = (OwnColours::default(), TimeZone::UTC, Keymap::default());
        Self { theme, colours, own, glyphs, markers, environments, shares, zone, keymap }
    }
}

/// The two clocks at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instants {
    /// Incident time.
    pub now: Timestamp,
    /// The monotonic wall clock, milliseconds since the program began.
    pub mono_ms: u64,
}

/// How a message is meant: word and colour follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Something was done.
    Told,
    /// Something wants attention.
    Warned,
    /// A press did not count, or a wish cannot be met.
    Refused,
}

/// The message line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What is said.
    pub text: String,
    /// How it is meant.
    pub tone: Tone,
    /// When it was said, monotonic.
    pub mono_ms: u64,
}

/// What the screen remembers.
#[derive(Clone, Debug, Default)]
pub struct Ui {
    /// What was settled before the terminal opened.
    pub options: UiOptions,
    /// The terminal's size.
    pub size: Size,
    /// Which pane has the keys.
    pub focus: Pane,
    /// Whether it has the screen to itself.
    pub zoom: Zoom,
    /// The incident the person chose; see [`Ui::incident`].
    pub chosen: Option<IncidentId>,
    /// How times are shown.
    pub clock: ClockStyle,
    /// Whether it is a session, or a journal is replayed.
    pub showing: Showing,
    /// Whether time is told by the second.
    pub pace: Pace,
    /// Whether what is typed is shown.
    pub typed: Typed,
    /// Pane 1.
    pub alarms: ListView<AlarmName>,
    /// Pane 2: which chart.
    pub metrics: ListView<MetricRole>,
    /// Pane 3.
    pub logs: ListView<LineAnchor>,
    /// Pane 3: how it shows its lines.
    pub log: LogLook,
    /// Pane 4, right: which evidence.
    pub evidence: ListView<EvidenceId>,
    /// Pane 4, left: the model's text.
    pub narrative: TextView,
    /// What of that text is laid out for good.
    pub settled: Settled,
    /// Which of its citations was gone to.
    pub cite: Option<usize>,
    /// Which find of pane 4's search in that text was gone to; as many as there are once the evidence has its turn.
    pub hit: Option<usize>,
    /// Pane 5: the step the person chose; see [`Ui::step`].
    pub chosen_step: Option<StepId>,
    /// Pane 5: what is searched for.
    pub step_search: Option<Search>,
    /// Pane 6, by sequence number.
    pub timeline: ListView<u64>,
    /// The instant that charts, logs and timeline point at together; `None` is the present.
    pub moment: Option<Timestamp>,
    /// What lies over the panes.
    pub overlay: Option<Overlay>,
    /// What has been typed to confirm the armed step; see [`Ui::confirm_field`].
    pub confirm: Option<ConfirmField>,
    /// The message line.
    pub message: Option<Message>,
    /// Which prompt has been on screen since when, and when the last input came.
    pub prompt: PromptWatch,
    /// Keys typed that mean nothing yet.
    pub keys: KeyState,
    /// Where the tour stands, while there is one.
    pub tour: Option<Lesson>,
}

/// A confirm field that was on screen: what is still typed for it after it closed by itself must not become commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirming {
    /// It is, or was when a frame was last drawn.
    OnScreen,
    /// It closed, and this is when the last key meant for it came, monotonic milliseconds.
    Late(u64),
}

/// Keys that count only together with others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyState {
    /// The beginning of a sequence such as `g g`, and when its last key came.
    pub pending: Option<(Vec<Chord>, u64)>,
    /// When Ctrl-C was last pressed, monotonic.
    pub cancelled_at: Option<u64>,
    /// The confirm field was on screen, and what became of keys meant for it since.
    pub confirming: Option<Confirming>,
}

impl Ui {
    /// A screen of a size, with nothing touched yet: logs, timeline and narrative follow.
    pub fn new(options: UiOptions, size: Size) -> Self {
        Self {
            options,
            size,
            logs: ListView::at(Scroll::Tail),
            timeline: ListView::at(Scroll::Tail),
            ..Self::default()
        }
    }

    /// Where everything is.
    pub fn layout(&self) -> Layout {
        let band = if self.lesson().is_some() { tour::ROWS } else { 0 };
        let size = Size { rows: self.size.rows - band, ..self.size };
        layout_with(size, self.focus, self.zoom, self.options.shares)
    }

    /// The lesson on screen, where there is room for it.
    pub fn lesson(&self) -> Option<Lesson> {
        self.tour.filter(|_| self.size.rows >= tour::LEAST_ROWS)
    }

    /// The incident on screen: the one the person chose, else the worst. The first key chooses what is on screen, so
    /// that a new incident never takes the place of one that is being read.
    pub fn incident<'a>(&self, session: &'a Session) -> Option<&'a Incident> {
        let chosen = self.chosen.and_then(|id| session.incidents.get(&id));
        chosen.or_else(|| session.queue().into_iter().next())
    }

    /// The step on screen: an armed one before all, then the one the person chose, then the one that waits.
    pub fn step<'a>(&self, session: &'a Session) -> Option<&'a Step> {
        let incident = self.incident(session)?;
        let asked = incident.asked_step();
        let armed = asked.filter(|step| matches!(step.state, StepState::Armed { .. }));
        let chosen = || self.chosen_step.and_then(|id| incident.step(id));
        armed.or_else(chosen).or(asked).or_else(|| rows::default_step(incident))
    }

    /// Where a pane keeps its search.
    pub fn search_of(&mut self, pane: Pane) -> &mut Option<Search> {
        match pane {
            Pane::Alarms => &mut self.alarms.search,
            Pane::Logs => &mut self.logs.search,
            Pane::Rca => &mut self.evidence.search,
            Pane::Timeline => &mut self.timeline.search,
            Pane::Metrics => &mut self.metrics.search,
            Pane::Remediation => &mut self.step_search,
        }
    }

    /// Forgets what was computed over lines and text, for a session that is not the one before with more in it.
    pub fn forget_computed(&mut self) {
        self.settled = Settled::default();
        (self.log.fold, self.log.tally) = (Fold::default(), None);
        self.log.lanes = Lanes::default();
    }

    /// Says something on the message line.
    pub fn tell(&mut self, tone: Tone, text: impl Into<String>, at: Instants) {
        self.message = Some(Message { text: text.into(), tone, mono_ms: at.mono_ms });
    }
}
