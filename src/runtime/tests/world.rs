//! A session under random hands: the loop's core over an outside that never answers, a journal that acknowledges when told
//! to, two clocks that jump, and the screen's own state. Does what an act says, as the cockpit would.

use std::collections::BTreeMap;
use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use super::acts::{Act, Object, Planted, Wishes};
use super::verdicts::{Offered, offers, settled};
use crate::adapters::names::Names;
use crate::domain::diagnosis::sufficiency::RemedyKind;
use crate::domain::diagnosis::verdict::Confidence;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::alarm::Severity;
use crate::domain::observation::scope::{ClusterHome, Scope};
use crate::domain::observation::service::Service;
use crate::domain::observation::workload::{ClusterChange, Workload, WorkloadKind, WorkloadRef};
use crate::domain::remediation::gate::{GateReport, Refusal, RefusalReason, Share, StandsOn};
use crate::domain::remediation::policy::{Confirm, LiveRule, Policy};
use crate::domain::remediation::request::of_action;
use crate::domain::remediation::step::{
    Action, Plan, Rehearsal, RehearsalOutcome, Step, StepId, StepState, TargetFacts,
};
use crate::rehearsal::clock::{SimClock, Speed};
use crate::runtime::clock::Clock;
use crate::runtime::core::{Core, Watched};
use crate::runtime::departure::Departure;
use crate::runtime::desk::{self, Hands};
use crate::runtime::inbox::{Inbox, Lane, Postbox};
use crate::runtime::outside::{AwsAccess, ClusterAccess, Outside};
use crate::runtime::runner::{Means, Runner};
use crate::runtime::scribe::Scribe;
use crate::runtime::tasks::Tasks;
use crate::session::event::{
    Event, EvidenceEvent, Execution, FeedEvent, RemediationEvent, SessionEvent, TimerPurpose, WorkloadEvent,
};
use crate::session::feeds::{FeedHealth, FeedId};
use crate::session::incident::Incident;
use crate::session::{IncidentId, Record, Session};
use crate::ui::input::Input;
use crate::ui::intent::Intent;
use crate::ui::model::{Instants, Size, Ui, UiOptions};
use crate::ui::update;

pub(super) const INCIDENT: IncidentId = IncidentId(1);
pub(super) const STEP: StepId = StepId(1);

pub(super) struct World {
    pub(super) core: Core,
    pub(super) ui: Ui,
    pub(super) mono: u64,
    pub(super) synced: u64,
    planted: Planted,
    generation: i64,
    uid: u32,
    over: bool,
    /// How many requests have left.
    pub(super) left: usize,
    answered: usize,
    gone: Step,
    _inbox: mpsc::Receiver<Inbox>,
}

pub(super) fn target() -> WorkloadRef {
    WorkloadRef { kind: WorkloadKind::Deployment, namespace: "payments".into(), name: "my-api".to_owned() }
}

fn start() -> Timestamp {
    "2026-05-01T09:31:00Z".parse().unwrap()
}

fn policy(confirm: Confirm) -> Policy {
    let rule = LiveRule {
        account: "123456789012".to_owned(),
        cluster: "eks-prod".to_owned(),
        namespaces: vec!["payments".to_owned()],
        actions: vec![RemedyKind::RolloutRestart],
        confirm,
    };
    Policy { live: vec![rule], ..Policy::default() }
}

fn scope() -> Scope {
    Scope {
        account: Some("123456789012".into()),
        region: "us-east-1".into(),
        cluster: Some("eks-prod".into()),
        cluster_home: Some(ClusterHome { account: "123456789012".into(), region: "us-east-1".into() }),
        context: Some("eks-prod".into()),
        identity: Some("arn:aws:sts::123456789012:assumed-role/oncall/ana".to_owned()),
        ..Scope::default()
    }
}

fn gate(now: Timestamp, refusals: Vec<Refusal>) -> GateReport {
    GateReport {
        stands_on: StandsOn::Rules,
        confidence: Confidence::new(0.9),
        needed: Confidence::new(0.75),
        evidence: Share { n: 8, of: 8 },
        claims: Share::default(),
        oldest: Some(now),
        at: now,
        refusals,
    }
}

fn step() -> Step {
    Step::new(STEP, Action::RolloutRestart, target())
}

fn incident(id: IncidentId, severity: Severity) -> Incident {
    let service = Service { workload: Some(target()), ..Service::bare("my-api") };
    let mut incident = Incident::new(id, service, severity, start());
    incident.gate = Some(gate(start(), Vec::new()));
    incident.offers = offers(Offered::Yes);
    incident.plan = Some(Plan { runbook: "memory-leak".to_owned(), steps: vec![step()] });
    incident
}

fn session(wishes: Wishes) -> Session {
    let mut session = Session::default();
    session.header.mode = wishes.mode;
    session.header.policy = policy(wishes.confirm);
    session.header.scope = scope();
    session.header.environment = "PROD".to_owned();
    session.now = start();
    session.incidents.insert(INCIDENT, incident(INCIDENT, Severity::P2));
    session
}

fn standing(at: Timestamp) -> Clock {
    Clock::simulated(Arc::new(SimClock::new(at, Speed::Max)))
}

impl World {
    pub(super) fn new(wishes: Wishes, planted: Planted) -> Self {
        let (sender, inbox) = mpsc::channel(8);
        let nowhere = AwsAccess::Rehearsal {
            endpoint: "http://127.0.0.1:9".to_owned(),
            names: Names::new(|_| Ok([127, 0, 0, 1].into())),
        };
        let off = ClusterAccess::Off { why: "a test".to_owned() };
        let means = Means {
            outside: Arc::new(Outside::new(nowhere, off, scope())),
            post: Postbox::new(sender.clone()),
            clock: standing(start()),
            nudge: Arc::default(),
            failing: Arc::default(),
        };
        let runner = Runner::new(means, Tasks::new(sender), Vec::new());
        let scribe = Scribe::none(std::path::Path::new("nowhere"));
        let core = Core::new(session(wishes), standing(start()), runner, scribe, Watched::ByPrinter);
        let ui = Ui::new(UiOptions::default(), Size { cols: 100, rows: 32 });
        let (mono, synced, generation, uid) = (60_000, 0, 41, 1);
        let gone = Step { state: StepState::Proposed, ..step() };
        Self {
            core,
            ui,
            mono,
            synced,
            planted,
            generation,
            uid,
            over: false,
            left: 0,
            answered: 0,
            gone,
            _inbox: inbox,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.over || self.found().is_none()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.core.clock.now()
    }

    /// The step that all is about, or what stands for it once a new round of evidence has put the plan away.
    pub(super) fn step(&self) -> &Step {
        self.found().unwrap_or(&self.gone)
    }

    fn found(&self) -> Option<&Step> {
        self.core.session.incidents[&INCIDENT].step(STEP)
    }

    /// The gate before that step.
    pub(super) fn step_gate(&self) -> Option<&GateReport> {
        self.core.session.incidents[&INCIDENT].gate.as_ref()
    }

    pub(super) fn is_locked(&self) -> bool {
        !self.step_gate().is_some_and(GateReport::is_open)
    }

    /// What stands in the confirm field.
    pub(super) fn typed(&self) -> String {
        self.ui.confirm_field(&self.core.session).map(|field| field.text).unwrap_or_default()
    }

    /// The object as it is by now.
    pub(super) fn facts(&self) -> TargetFacts {
        TargetFacts { uid: format!("uid-{}", self.uid), generation: self.generation, fields: BTreeMap::new() }
    }

    /// Lets it happen, and gives the records that were committed by it.
    pub(super) fn happens(&mut self, act: &Act) -> Vec<Record> {
        match act {
            Act::Key(..) | Act::Paste(_) | Act::Burst(_) | Act::Focus(_) | Act::Resize(..) | Act::Draw | Act::Tick => {
                self.seen(act);
            }
            Act::Pass(_) | Act::MonotonicJumps(_) | Act::IncidentJumps(_) => self.passes(act),
            Act::Acknowledged { .. } | Act::JournalFails => self.written(act),
            Act::Leaves(reason) => {
                self.core.stand_down(reason);
                self.over = true;
                // Nothing is let out any more: the loop has ended.
                return self.core.take_fresh();
            }
            other => self.told(other),
        }
        if self.planted == Planted::DiskBelieved {
            let seq = self.core.session.seq;
            self.core.receive(Inbox::Acknowledged { written: seq, synced: seq });
        }
        self.core.pump();
        self.core.take_fresh()
    }

    fn seen(&mut self, act: &Act) {
        let now = if self.planted == Planted::SleepUnseen { start() } else { self.now() };
        let at = Instants { now, mono_ms: self.mono };
        match act {
            Act::Key(key, late) => {
                let mono_ms = self.mono.saturating_sub(*late);
                self.input(Input::Key(*key), Instants { mono_ms, ..at });
            }
            Act::Paste(text) => self.input(Input::Paste(text.clone()), at),
            Act::Burst(keys) => {
                self.input(Input::Burst, at);
                keys_of(keys).for_each(|key| self.input(Input::Key(key), at));
            }
            Act::Focus(focus) => self.input(Input::Focus(*focus), at),
            Act::Resize(cols, rows) => self.input(Input::Resize { cols: *cols, rows: *rows }, at),
            Act::Tick => self.input(Input::Tick, at),
            _ => update::drawn(&mut self.ui, &self.core.session, at),
        }
    }

    fn input(&mut self, input: Input, at: Instants) {
        let planted = self.weakness(&input);
        let at = match self.planted {
            Planted::HasteCounts => Instants { mono_ms: at.mono_ms + 3_600_000, ..at },
            _ => at,
        };
        for intent in update::update(&mut self.ui, input, &self.core.session, at).into_iter().chain(planted) {
            if self.planted == Planted::CallLost && matches!(intent, Intent::CallBack { .. }) {
                continue;
            }
            desk::apply(&mut self.core, Hands::Person, intent);
        }
        if let (Planted::SpeedUnseen, Some(field)) = (self.planted, &mut self.ui.confirm) {
            field.came = (0..field.came.len() as u64).map(|letter| letter * 100).collect();
        }
    }

    fn weakness(&self, input: &Input) -> Option<Intent> {
        use crossterm::event::KeyCode::{Char, Enter};
        let digest = self.step().digest.clone()?;
        let is_armed = matches!(self.step().state, StepState::Armed { .. });
        let (incident, step) = (INCIDENT, STEP);
        match (self.planted, input) {
            (Planted::YesApproves, Input::Key(key)) if key.code == Char('y') => {
                Some(Intent::Approve { incident, step, digest })
            }
            (Planted::EnterConfirms, Input::Key(key)) if key.code == Enter && is_armed => {
                Some(Intent::Confirm { incident, step, digest })
            }
            (Planted::PasteConfirms, Input::Paste(_)) if is_armed => Some(Intent::Confirm { incident, step, digest }),
            _ => None,
        }
    }

    fn passes(&mut self, act: &Act) {
        match act {
            Act::MonotonicJumps(ms) => self.mono = self.mono.saturating_add_signed(*ms),
            Act::IncidentJumps(seconds) => {
                // A clock of its own: the standing one never goes back, the wall's may.
                self.core.clock = standing(self.now() + SignedDuration::from_secs(*seconds));
            }
            Act::Pass(ms) => {
                self.mono += ms;
                self.core.clock.jump_to(self.now() + SignedDuration::from_millis(i64::try_from(*ms).unwrap()));
            }
            _ => {}
        }
    }

    fn written(&mut self, act: &Act) {
        match act {
            Act::Acknowledged { behind, synced } => {
                let seq = self.core.session.seq.saturating_sub(*behind);
                self.synced = if *synced { self.synced.max(seq) } else { self.synced };
                self.core.receive(Inbox::Acknowledged { written: seq, synced: self.synced });
            }
            _ => drop(self.core.receive(Inbox::JournalFailed(Fault::new(FaultKind::Storage, "The disk is full.")))),
        }
    }

    fn told(&mut self, act: &Act) {
        let now = self.now();
        let event = match act {
            Act::Rehearsed(object) => self.rehearsed(*object, RehearsalOutcome::Rehearsed),
            Act::RehearsalRefused => {
                let fault = Fault::new(FaultKind::Rejected, "The quota is used up.");
                self.rehearsed(Object::Same, RehearsalOutcome::Refused { fault })
            }
            Act::Watched(object) => self.watched(*object),
            Act::Verdict(offered) => {
                let verdict = settled();
                let offered = if self.planted == Planted::OldVerdictStands { Offered::Yes } else { *offered };
                let (verdict, offers) = (Box::new(verdict), offers(offered));
                Event::Evidence(EvidenceEvent::VerdictReached { verdict, offers })
            }
            Act::GateOpens => judged(gate(now, Vec::new())),
            Act::GateLocks => {
                let refusal =
                    Refusal { reason: RefusalReason::Contradicted, text: "No.".to_owned(), unlock: "r".to_owned() };
                judged(gate(now, vec![refusal]))
            }
            Act::ScopeChanges => {
                let identity = Some("arn:aws:sts::123456789012:assumed-role/admin/ana".to_owned());
                Event::Session(SessionEvent::ScopeLearned { scope: Scope { identity, ..scope() }, environment: None })
            }
            Act::FeedFails => {
                let unseen = self.planted == Planted::ExpiryUnseen;
                let kind = if unseen { FaultKind::Timeout } else { FaultKind::Credentials };
                let fault = Fault::new(kind, "The credentials expired.");
                Event::Feed(FeedEvent::Changed { feed: FeedId::Alarms, health: FeedHealth::Lost { fault } })
            }
            Act::FeedAnswers => Event::Feed(FeedEvent::Changed { feed: FeedId::Alarms, health: FeedHealth::Live }),
            Act::ArmTimerFires => {
                let Some(digest) = self.step().digest.clone() else { return };
                crate::runtime::core::fired(TimerPurpose::ArmExpiry { step: STEP, digest })
            }
            Act::Departs if !self.departs() => return,
            Act::Departs => {
                self.left += 1;
                Event::Remediation(RemediationEvent::RequestLeft { step: STEP })
            }
            // An answer comes once, and to what was sent.
            Act::Finished if self.answered == self.left => return,
            Act::Finished => {
                self.answered += 1;
                let is_told = self.core.handed.last().is_some_and(Departure::ends);
                assert!(is_told, "what left has an end");
                let fault = Fault::new(FaultKind::Timeout, "No answer.");
                Event::Remediation(RemediationEvent::StepFinished {
                    step: STEP,
                    execution: Execution::Unknown { fault },
                })
            }
            other => return self.beside(other),
        };
        self.core.receive(Inbox::Event { incident: Some(INCIDENT), event: Box::new(event), lane: Lane::default() });
    }

    /// Whether the task that was handed the last permit lets its request go now.
    fn departs(&self) -> bool {
        let Some(departure) = self.core.handed.last() else { return false };
        let is_called_back = departure.is_over() && matches!(self.step().state, StepState::StoodDown { .. });
        departure.leaves() || (self.planted == Planted::CallUnheard && is_called_back)
    }

    /// What is told by nobody's event.
    fn beside(&mut self, act: &Act) {
        match act {
            Act::PolicyChanges => self.core.session.header.policy.approval_ttl_s += 1,
            Act::TaskPanics => drop(self.core.receive(Inbox::TaskPanicked { name: "a task" })),
            Act::WorseIncident => {
                let id = IncidentId(2);
                self.core.session.incidents.entry(id).or_insert_with(|| incident(id, Severity::P1));
            }
            _ => {}
        }
    }

    fn moves(&mut self, object: Object) {
        match object {
            Object::Same => {}
            Object::Changed => self.generation += 1,
            Object::Another => self.uid += 1,
        }
    }

    fn rehearsed(&mut self, object: Object, outcome: RehearsalOutcome) -> Event {
        self.moves(object);
        let at = self.now();
        let rehearsal = Rehearsal {
            outcome,
            at,
            request: of_action(&Action::RolloutRestart, &target(), at),
            facts: Some(self.facts()),
            diff: Vec::new(),
            checks: Vec::new(),
            blast: "6 pods".to_owned(),
            undo: "rollout undo to revision 41".to_owned(),
        };
        Event::Remediation(RemediationEvent::StepRehearsed { step: STEP, rehearsal: Box::new(rehearsal), digest: None })
    }

    fn watched(&mut self, object: Object) -> Event {
        self.moves(object);
        let TargetFacts { uid, generation, .. } = self.facts();
        let workload = Workload {
            uid,
            generation,
            observed_generation: generation,
            replicas: 6,
            ready: 4,
            updated: 6,
            available: 4,
            max_unavailable: "25%".to_owned(),
            max_surge: "25%".to_owned(),
            revision: Some(41),
            ..Workload::named(target())
        };
        let change = ClusterChange::Workload { workload: Box::new(workload) };
        Event::Workload(WorkloadEvent::Changed { change })
    }
}

/// The keys of a paste as a terminal without brackets hands them over.
pub(super) fn keys_of(text: &str) -> impl Iterator<Item = KeyEvent> {
    text.chars().map(|letter| match letter {
        '\n' => KeyEvent::from(KeyCode::Enter),
        letter => KeyEvent::from(KeyCode::Char(letter)),
    })
}

fn judged(report: GateReport) -> Event {
    Event::Remediation(RemediationEvent::GateJudged { report: Box::new(report) })
}
