//! An incident: alarms on one service, with everything that was asked, answered, said and decided about it.

mod phase;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::event::Occasion;
use super::record::IncidentId;
use crate::domain::diagnosis::claim::{Claim, Diagnosis, DiagnosisCheck, Proposal};
use crate::domain::diagnosis::conversation::{StopReason, Usage};
use crate::domain::diagnosis::evidence::{Evidence, EvidenceId, Question};
use crate::domain::diagnosis::storm::Storm;
use crate::domain::diagnosis::sufficiency::{RemedyKind, RemedyOffer, suffices};
use crate::domain::diagnosis::verdict::{Confidence, Verdict};
use crate::domain::fault::Fault;
use crate::domain::observation::alarm::{AlarmName, Severity};
use crate::domain::observation::metric::MetricRole;
use crate::domain::observation::scope::Window;
use crate::domain::observation::service::Service;
use crate::domain::remediation::approval::Approval;
use crate::domain::remediation::follow_up::FollowUp;
use crate::domain::remediation::gate::{GateReport, NarrativeStanding, Purpose, StandsOn};
use crate::domain::remediation::step::{Plan, Step, StepId, StepState};
use crate::domain::remediation::verification::{Measurement, TestState, Watch};

pub use phase::{Baton, Phase};

/// The model's text for one incident.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Narrative {
    /// Which model; empty if none was asked.
    pub model: String,
    /// The attempt under way or last ended; 0 if none.
    pub attempt: u32,
    /// How far it got.
    pub standing: NarrativeStanding,
    /// When it was asked, opened, first spoke, last spoke.
    pub asked_at: Option<Timestamp>,
    /// When the stream opened.
    pub opened_at: Option<Timestamp>,
    /// When text first came.
    pub first_text_at: Option<Timestamp>,
    /// When text last came.
    pub last_text_at: Option<Timestamp>,
    /// The text so far, as shown.
    pub text: String,
    /// Bytes of the text that are in claims already.
    pub claimed: usize,
    /// The sentences so far, checked.
    pub claims: Vec<Claim>,
    /// The structured answer as submitted.
    pub proposal: Option<Proposal>,
    /// Why it could not be read.
    pub unreadable: Option<String>,
    /// Why the model stopped.
    pub stop: Option<StopReason>,
    /// What it used.
    pub usage: Usage,
    /// How it broke.
    pub fault: Option<Fault>,
    /// What the person wanted to know in particular.
    pub inquiry: Option<String>,
    /// The user message as sent.
    pub prompt: String,
}

/// How far the request of a step that started has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Way {
    /// Its start is on the way to the disk, or the journal is from before the way was told.
    ToDisk,
    /// Its target is looked at once more.
    Looking {
        /// Since when.
        since: Timestamp,
    },
    /// The server did not take it, as others wrote in between: its target is looked at again before it is sent again.
    LookingAgain {
        /// Since when.
        since: Timestamp,
    },
    /// It left, and cannot be called back.
    Sent {
        /// When.
        at: Timestamp,
    },
}

/// A step that started: its request leaves, unless it is called back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Started {
    /// Which.
    pub step: StepId,
    /// When it started, and then when its request left, by the clock of AWS as that was known then.
    pub at_aws: Timestamp,
    /// How far its request has come.
    pub way: Way,
}

/// A running or ended verification.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verification {
    /// Of which step.
    pub step: StepId,
    /// How long its tests have had.
    pub watch: Watch,
    /// When its request left, by the clock of AWS as that was known then: whatever began since is of the step, and a clock
    /// that is set meanwhile moves nothing of it.
    pub started_at: Timestamp,
    /// Each test in the step's order.
    pub tests: Vec<TestState>,
    /// The last measurement.
    pub last: Option<Measurement>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// A step that has changed the cluster, or may have. It outlives its plan: what ran is never told as if it had not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Which step.
    pub step: StepId,
    /// What it did.
    pub remedy: RemedyKind,
    /// What became of it.
    pub outcome: ChangeOutcome,
}

/// What spoke for a step when it was approved: what is found out later was no reason for it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ground {
    /// The verdict, in its words.
    pub cause: String,
    /// The confidence that counted.
    pub confidence: Confidence,
    /// When it was approved.
    pub at: Timestamp,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeOutcome {
    /// Its result is being watched.
    Watched,
    /// Every test passed.
    Verified,
    /// Not every test did.
    Failed,
    /// Nobody could tell: a test had no measurement.
    Unverified,
    /// Another step has put it back.
    Undone,
    /// Nobody can tell whether it was made at all.
    Unknown,
    /// Every test passed, and what it had ended began again within the hour.
    DidNotLast,
}

/// What is reported.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReportState {
    /// One line.
    pub headline: String,
    /// When it was drafted.
    pub drafted_at: Timestamp,
    /// What is promised.
    pub follow_ups: Vec<FollowUp>,
    /// What became of the post.
    pub post: Post,
}

/// What became of the post to Slack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Post {
    /// No webhook is configured.
    Off,
    /// On its way.
    Sending,
    /// Slack took it.
    Posted {
        /// When.
        at: Timestamp,
    },
    /// Slack did not.
    Failed {
        /// Why.
        fault: Fault,
    },
    /// The session ended before it was posted: it is certainly not in the channel.
    Left {
        /// What it waited for.
        fault: Fault,
    },
}

/// An incident as folded.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Incident {
    /// Its number.
    pub id: IncidentId,
    /// The worst severity among its alarms.
    pub severity: Severity,
    /// What it is about.
    pub service: Service,
    /// Its alarms, in the order they fired.
    pub alarms: Vec<AlarmName>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Where it stands.
    pub phase: Phase,
    /// Since when it is over, while it is.
    pub closed_at: Option<Timestamp>,
    /// The window of the last round of questions.
    pub window: Option<Window>,
    /// Why the last round of questions was asked.
    pub occasion: Occasion,
    /// Questions of the last round that are not answered yet.
    pub awaited: Vec<(EvidenceId, Question)>,
    /// All evidence, ascending by id; a later round does not delete an earlier one.
    pub evidence: Vec<Evidence>,
    /// The first id of the last round.
    pub round_from: EvidenceId,
    /// Pinned by the person.
    pub pins: BTreeSet<EvidenceId>,
    /// The rules' verdict.
    pub verdict: Option<Verdict>,
    /// What it suffices for.
    pub offers: Vec<RemedyOffer>,
    /// The incidents it began together with, and who of them probably moved first.
    pub storm: Option<Storm>,
    /// The model's text.
    pub narrative: Narrative,
    /// The model's structured answer, checked.
    pub diagnosis: Option<Diagnosis>,
    /// What the person chose to stand on.
    pub stands_on: StandsOn,
    /// The gate as last judged.
    pub gate: Option<GateReport>,
    /// The plan.
    pub plan: Option<Plan>,
    /// The highest step number given so far: a later plan goes on from it, so that what comes late for a step of an
    /// earlier plan meets no other step.
    pub last_step: u32,
    /// Steps that undo another, and which.
    pub undos: BTreeMap<StepId, StepId>,
    /// What spoke for the steps that were approved, when they were.
    pub grounds: BTreeMap<StepId, Ground>,
    /// The approval that is not used up.
    pub approval: Option<Approval>,
    /// What steps have changed, in order, of every plan.
    pub changes: Vec<Change>,
    /// The step that started last.
    pub started: Option<Started>,
    /// The verification under way or last ended.
    pub verification: Option<Verification>,
    /// The report.
    pub report: Option<ReportState>,
    /// Posts to Slack, of this report and of those before it, that nobody knows the end of yet.
    pub posts_under_way: u32,
}

impl Incident {
    /// The confidence that counts: of the checked diagnosis, else of the rules.
    pub fn confidence(&self) -> Option<Confidence> {
        let accepted = self.diagnosis.as_ref().filter(|diagnosis| diagnosis.check == DiagnosisCheck::Accepted);
        let rules = self.verdict.as_ref().map(Verdict::assured);
        accepted.map(|diagnosis| rules.map_or(diagnosis.confidence, |rules| rules.min(diagnosis.confidence))).or(rules)
    }

    /// What speaks for a step that is approved at an instant.
    pub fn ground(&self, at: Timestamp) -> Option<Ground> {
        let cause = self.verdict.as_ref()?.words().to_owned();
        Some(Ground { cause, confidence: self.confidence().unwrap_or_default(), at })
    }

    /// A new incident.
    pub fn new(id: IncidentId, service: Service, severity: Severity, at: Timestamp) -> Self {
        Self {
            id,
            severity,
            service,
            alarms: Vec::new(),
            opened_at: at,
            phase: Phase::Watching,
            closed_at: None,
            window: None,
            occasion: Occasion::default(),
            awaited: Vec::new(),
            evidence: Vec::new(),
            round_from: EvidenceId(1),
            pins: BTreeSet::new(),
            verdict: None,
            offers: Vec::new(),
            storm: None,
            narrative: Narrative::default(),
            diagnosis: None,
            stands_on: StandsOn::Diagnosis,
            gate: None,
            plan: None,
            last_step: 0,
            undos: BTreeMap::new(),
            grounds: BTreeMap::new(),
            approval: None,
            changes: Vec::new(),
            started: None,
            verification: None,
            report: None,
            posts_under_way: 0,
        }
    }

    /// The evidence of the last round: what verdict and gate rest on.
    pub fn round(&self) -> &[Evidence] {
        let start = self.evidence.partition_point(|evidence| evidence.id < self.round_from);
        self.evidence.get(start..).unwrap_or_default()
    }

    /// Evidence by id.
    pub fn evidence(&self, id: EvidenceId) -> Option<&Evidence> {
        self.evidence.iter().find(|evidence| evidence.id == id)
    }

    /// The newest evidence on a question.
    pub fn answer_to(&self, question: Question) -> Option<&Evidence> {
        self.evidence.iter().rev().find(|evidence| evidence.question == question)
    }

    /// A step by id.
    pub fn step(&self, id: StepId) -> Option<&Step> {
        self.plan.as_ref()?.steps.iter().find(|step| step.id == id)
    }

    /// A step by id, to change it.
    pub fn step_mut(&mut self, id: StepId) -> Option<&mut Step> {
        self.plan.as_mut()?.steps.iter_mut().find(|step| step.id == id)
    }

    /// What a step is for.
    pub fn purpose(&self, step: StepId) -> Purpose {
        if self.undos.contains_key(&step) { Purpose::Undo } else { Purpose::Remedy }
    }

    /// Whether nothing but its own state keeps a step locked, as the gate was last judged.
    pub fn gate_is_open_for(&self, step: StepId) -> bool {
        self.gate.as_ref().is_some_and(|gate| gate.is_open_for(self.purpose(step)))
    }

    /// Whether a step is still what the evidence suffices for. A plan may outlive the verdict that it was made from.
    pub fn still_offers(&self, step: &Step) -> bool {
        match self.purpose(step.id) {
            Purpose::Undo => true,
            Purpose::Remedy => suffices(&self.offers, step.action.kind()),
        }
    }

    /// How far the request of a step that runs has come.
    pub fn way_of(&self, step: StepId) -> Way {
        self.started.filter(|started| started.step == step).map_or(Way::ToDisk, |started| started.way)
    }

    /// What a step does, in a few words: `set resources`, `undo of #1: set resources`.
    pub fn step_words(&self, step: &Step) -> String {
        let words = step.action.kind().words();
        self.undos.get(&step.id).map_or_else(|| words.to_owned(), |of| format!("undo of {of}: {words}"))
    }

    /// Whether what changes of a kind have come to is that of before them: an undo puts back, and the undo of an undo sets
    /// again what that had put back.
    pub fn was_put_back(&self, remedy: RemedyKind) -> bool {
        let made = |change: &&Change| change.remedy == remedy && change.outcome != ChangeOutcome::Unknown;
        let last = self.changes.iter().rfind(made).map(|change| change.step);
        let chain = std::iter::successors(last, |step| self.undos.get(step).copied());
        chain.count().is_multiple_of(2) && last.is_some()
    }

    /// Whether an undo of a step of ours is still to be decided.
    pub fn has_open_undo(&self) -> bool {
        self.open_undo().is_some()
    }

    /// The undo of a step of ours that is still to be decided.
    pub fn open_undo(&self) -> Option<StepId> {
        let mut steps = self.plan.iter().flat_map(|plan| &plan.steps);
        steps.find(|step| self.undos.contains_key(&step.id) && !step.state.is_decided()).map(|step| step.id)
    }

    /// The changes by steps of plans that are no more.
    pub fn earlier_changes(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| self.step(change.step).is_none())
    }

    /// Keeps what became of a change.
    pub fn note_outcome(&mut self, step: StepId, outcome: ChangeOutcome) {
        self.changes.iter_mut().filter(|change| change.step == step).for_each(|change| change.outcome = outcome);
    }

    /// The metrics that its follow-ups still have to see.
    pub fn watched_roles(&self) -> impl Iterator<Item = MetricRole> {
        self.report.iter().flat_map(|report| &report.follow_ups).filter_map(FollowUp::watches)
    }

    /// Whether a step would still run without another word of the person, and can be called back: it is armed, or approved
    /// and waits for its permit, which comes once the decision is on the disk.
    pub fn is_primed(&self, step: &Step) -> bool {
        let approved = || self.approval.as_ref().is_some_and(|approval| approval.step == step.id);
        matches!(step.state, StepState::Armed { .. }) || (step.state == StepState::Approved && approved())
    }

    /// Its phase in words, the same wherever it is told: where a plan was to be made and none could be, there is none.
    pub fn phase_words(&self) -> String {
        if let Phase::Uncertain(step) = self.phase {
            return format!("UNCERTAIN {step}");
        }
        let has_none = self.phase == Phase::Planned && self.plan.is_none();
        if has_none { "no plan".to_owned() } else { self.phase.word().to_owned() }
    }

    /// Whether it is over as far as we are asked: every step is decided. It is open all the same while an alarm of it fires.
    pub fn is_settled(&self) -> bool {
        self.phase == Phase::Closed || (self.phase == Phase::Watching && self.plan.is_some())
    }

    /// The step that waits for the person: armed before rehearsed, first in first asked.
    pub fn asked_step(&self) -> Option<&Step> {
        let steps = &self.plan.as_ref()?.steps;
        let armed = steps.iter().find(|step| matches!(step.state, StepState::Armed { .. }));
        armed.or_else(|| steps.iter().find(|step| step.state == StepState::Rehearsed))
    }
}
