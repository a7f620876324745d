//! What lies over the panes, and what is being typed: help, palette, filter, writing, one thing opened, the confirm field.

use tui_textarea::TextArea;

use super::super::search::Search;
use super::{Pane, Showing, Ui};
use crate::domain::diagnosis::evidence::EvidenceId;
use crate::domain::observation::alarm::AlarmName;
use crate::domain::observation::metric::MetricRole;
use crate::domain::observation::workload::WorkloadRef;
use crate::domain::remediation::approval::{MAX_WRONG_TOKENS, token, were_typed};
use crate::domain::remediation::request::Digest;
use crate::domain::remediation::step::{StepId, StepState};
use crate::session::{IncidentId, Session};

/// One thing that can be opened on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// An alarm.
    Alarm(AlarmName),
    /// A chart.
    Metric(MetricRole),
    /// A log line by its number.
    Line(u64),
    /// A piece of evidence of the incident on screen.
    Evidence(EvidenceId),
    /// The verdict of the incident on screen.
    Verdict,
    /// A step of the incident on screen.
    Step(StepId),
    /// A timeline entry by its sequence number.
    Entry(u64),
    /// A workload.
    Workload(WorkloadRef),
}

/// How an opened thing is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// For reading.
    Told,
    /// As JSON.
    Raw,
}

/// What a text area is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writing {
    /// A note on the timeline.
    Note,
    /// A question to the analyst.
    Inquiry(IncidentId),
    /// Why a step is denied.
    DenyReason(IncidentId, StepId),
}

/// What lies over the panes. While one is open the keys are its own.
#[derive(Clone, Debug)]
pub enum Overlay {
    /// The keys, searchable.
    Help {
        /// What is searched for.
        query: String,
        /// The first row on screen.
        top: usize,
    },
    /// All actions, found by a few letters.
    Palette {
        /// The letters.
        query: String,
        /// Which of the found ones is selected.
        selected: usize,
    },
    /// A filter being typed in the footer; it applies as it is typed.
    Filter {
        /// For which pane.
        pane: Pane,
        /// What was searched for before, for Esc.
        before: Option<Search>,
        /// The text so far.
        text: String,
    },
    /// The columns of the log pane.
    Columns {
        /// Which of them is selected.
        selected: usize,
    },
    /// A text area.
    Write {
        /// What for.
        writing: Writing,
        /// The text.
        area: Box<TextArea<'static>>,
    },
    /// One thing opened.
    Detail(Box<Opened>),
}

/// One thing opened, and where its reader stands.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Which.
    pub item: Item,
    /// How.
    pub telling: Telling,
    /// The first row on screen.
    pub top: usize,
    /// Which of its addresses is chosen.
    pub link: Option<usize>,
    /// What is searched for in it.
    pub search: Option<Search>,
    /// The row of the match that was gone to.
    pub found: Option<usize>,
    /// What is being typed to search for.
    pub typing: Option<String>,
}

impl Opened {
    /// A thing just opened.
    pub fn new(item: Item, telling: Telling) -> Self {
        Self { item, telling, top: 0, link: None, search: None, found: None, typing: None }
    }
}

/// What has been typed to confirm an armed step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfirmField {
    /// Of which incident.
    pub incident: IncidentId,
    /// Which step.
    pub step: StepId,
    /// Which digest.
    pub digest: Digest,
    /// The text.
    pub text: String,
    /// When each of its letters came, monotonic milliseconds.
    pub came: Vec<u64>,
    /// How often a wrong token was entered.
    pub wrong: u8,
}

impl ConfirmField {
    /// Wrong tokens left before the step stands down.
    pub fn tries_left(&self) -> u8 {
        MAX_WRONG_TOKENS.saturating_sub(self.wrong)
    }

    /// Takes a letter.
    pub fn push(&mut self, letter: char, mono_ms: u64) {
        self.text.push(letter);
        self.came.push(mono_ms);
    }

    /// Takes the last letter back.
    pub fn pop(&mut self) {
        self.text.pop();
        self.came.pop();
    }

    /// Takes everything back.
    pub fn clear(&mut self) {
        self.text.clear();
        self.came.clear();
    }

    /// Whether it came sooner than anybody types: a paste that no brackets told of.
    pub fn is_pasted(&self) -> bool {
        !were_typed(&self.came)
    }
}

impl Ui {
    /// The confirm field, open exactly while the step on screen is armed: with what was typed for that very digest.
    pub fn confirm_field(&self, session: &Session) -> Option<ConfirmField> {
        if self.showing == Showing::Journal {
            return None;
        }
        let incident = self.incident(session)?;
        let step = incident.asked_step().filter(|step| matches!(step.state, StepState::Armed { .. }))?;
        let fresh = ConfirmField {
            incident: incident.id,
            step: step.id,
            digest: step.digest.clone()?,
            text: String::new(),
            came: Vec::new(),
            wrong: 0,
        };
        let same = |typed: &&ConfirmField| {
            (typed.incident, typed.step) == (fresh.incident, fresh.step) && typed.digest == fresh.digest
        };
        Some(self.confirm.as_ref().filter(same).cloned().unwrap_or(fresh))
    }

    /// The text that confirms the armed step: `my-api 7f3a`.
    pub fn wanted_token(&self, session: &Session) -> Option<String> {
        let field = self.confirm_field(session)?;
        let step = session.incidents.get(&field.incident)?.step(field.step)?;
        Some(token(&step.target.name, &field.digest))
    }
}
