//! What a late, repeated or resumed event may and may not do to steps.

mod endings;
mod foreign;
mod kept;
mod lasting;
mod locked_out;
mod moved;
mod offered;
mod on_its_way;
mod undos;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::domain::diagnosis::evidence::{EvidenceId, Question};
use crate::domain::diagnosis::sufficiency::{RemedyKind, RemedyOffer, Sufficiency};
use crate::domain::diagnosis::verdict::{Confidence, Verdict};
use crate::domain::observation::alarm::Severity;
use crate::domain::observation::scope::Window;
use crate::domain::observation::service::{Origin, Service};
use crate::domain::observation::workload::{WorkloadKind, WorkloadRef};
use crate::domain::remediation::approval::Decision;
use crate::domain::remediation::gate::{GateReport, Share, StandsOn};
use crate::domain::remediation::policy::Confirm;
use crate::domain::remediation::request::{self, Mode};
use crate::domain::remediation::step::{
    Action, LeftOut, Plan, Rehearsal, RehearsalOutcome, Shortfall, Step, TargetFacts,
};
use crate::domain::remediation::verification::{TestState, VerificationTest};
use crate::session::event::{EvidenceEvent, Execution, Occasion, SessionEvent, VerificationEvent};
use crate::session::incident::Incident;
use crate::session::update;

const I1: IncidentId = IncidentId(1);
const S1: StepId = StepId(1);
const S2: StepId = StepId(2);

fn start() -> Timestamp {
    "2026-05-01T09:30:00Z".parse().unwrap()
}

fn target() -> WorkloadRef {
    WorkloadRef { kind: WorkloadKind::Deployment, namespace: "payments".into(), name: "my-api".to_owned() }
}

fn step(id: StepId, action: Action) -> Step {
    let tests = vec![VerificationTest::RolloutComplete { within_s: 600 }];
    Step { tests, ..Step::new(id, action, target()) }
}

fn raise() -> Action {
    Action::SetResources { container: "app".to_owned(), memory_limit: 768 << 20, was: Some(512 << 20) }
}

fn rehearsal(action: &Action) -> Box<Rehearsal> {
    Box::new(Rehearsal {
        outcome: RehearsalOutcome::Rehearsed,
        at: start(),
        request: request::of_action(action, &target(), start()),
        facts: Some(TargetFacts { uid: "u".to_owned(), generation: 41, fields: [].into() }),
        diff: Vec::new(),
        checks: Vec::new(),
        blast: String::new(),
        undo: String::new(),
    })
}

/// A live session with one incident whose gate is open, driven by events at chosen seconds.
struct Story {
    session: Session,
    seq: u64,
}

impl Story {
    fn new(steps: Vec<Step>) -> Self {
        let mut session = Session::default();
        session.header.mode = Mode::Live;
        let service = Service {
            name: "my-api".into(),
            workload: Some(target()),
            log_groups: Vec::new(),
            metrics: [].into(),
            helm_release: None,
            links: Vec::new(),
            origin: Origin::Configured,
        };
        let mut incident = Incident::new(I1, service, Severity::P2, start());
        incident.gate = Some(gate());
        incident.offers = offers(&RemedyKind::ALL);
        session.incidents.insert(I1, incident);
        let mut story = Self { session, seq: 0 };
        let plan = Box::new(Plan { runbook: "leak/default".to_owned(), steps });
        story.tell(0, RemediationEvent::PlanProposed { plan });
        story
    }

    fn commit(&mut self, second: i64, event: Event) -> Vec<Effect> {
        self.seq += 1;
        let at = start() + SignedDuration::from_secs(second);
        let record = Record { seq: self.seq, at, incident: Some(I1), event };
        update(&mut self.session, &record)
    }

    fn tell(&mut self, second: i64, event: RemediationEvent) -> Vec<Effect> {
        self.commit(second, Event::Remediation(event))
    }

    fn rehearse(&mut self, second: i64, step: StepId, action: &Action) {
        self.tell(second, RemediationEvent::StepRehearsed { step, rehearsal: rehearsal(action), digest: None });
    }

    fn approve(&mut self, second: i64, step: StepId) -> Vec<Effect> {
        let digest = self.step(step).digest.clone().unwrap();
        let expires_at = start() + SignedDuration::from_secs(second + 60);
        let decision = Decision::Approved { digest, confirm: Confirm::Typed, by: "who".to_owned(), expires_at };
        self.tell(second, RemediationEvent::DecisionGiven { step, decision })
    }

    fn run(&mut self, second: i64, step: StepId) {
        self.approve(second, step);
        let digest = self.step(step).digest.clone().unwrap();
        self.tell(second, RemediationEvent::StepStarted { step, digest });
        self.tell(second, RemediationEvent::StepFinished { step, execution: Execution::Applied { generation: 42 } });
    }

    fn ask_again(&mut self, second: i64) {
        let asks = vec![(EvidenceId(1), Question::Memory)];
        let window = Window::minutes_before(start(), 30);
        self.commit(second, Event::Evidence(EvidenceEvent::Asked { asks, window, occasion: Occasion::Incident }));
    }

    fn incident(&self) -> &Incident {
        &self.session.incidents[&I1]
    }

    fn step(&self, step: StepId) -> &Step {
        self.incident().step(step).unwrap()
    }
}

fn gate() -> GateReport {
    GateReport {
        stands_on: StandsOn::Rules,
        confidence: Confidence::new(0.9),
        needed: Confidence::new(0.75),
        evidence: Share { n: 1, of: 1 },
        claims: Share::default(),
        oldest: Some(start()),
        at: start(),
        refusals: Vec::new(),
    }
}

fn offers(sufficient: &[RemedyKind]) -> Vec<RemedyOffer> {
    let tested = |remedy: RemedyKind| {
        if sufficient.contains(&remedy) {
            Sufficiency::Sufficient { why: String::new() }
        } else {
            Sufficiency::Refused { reasons: Vec::new() }
        }
    };
    RemedyKind::ALL.into_iter().map(|remedy| RemedyOffer { remedy, sufficiency: tested(remedy) }).collect()
}

fn executes(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Execute { .. }))
}

#[test]
fn an_approval_counts_while_the_gate_holds_and_not_a_second_longer() {
    for (second, counts) in [(10, true), (600, true), (601, false)] {
        let mut story = Story::new(vec![step(S1, raise())]);
        story.rehearse(1, S1, &raise());
        // No timer has fired meanwhile, as on a machine that was suspended.
        assert_eq!(executes(&story.approve(second, S1)), counts, "after {second} s");
    }
}

#[test]
fn a_confirmation_after_the_time_of_the_armed_step_does_not_count() {
    for (second, counts) in [(61, true), (62, false)] {
        let mut story = Story::new(vec![step(S1, raise())]);
        story.rehearse(1, S1, &raise());
        let digest = story.step(S1).digest.clone().unwrap();
        let until = start() + SignedDuration::from_secs(62);
        story.tell(2, RemediationEvent::StepArmed { step: S1, digest, until });
        assert_eq!(executes(&story.approve(second, S1)), counts, "after {second} s");
    }
}

#[test]
fn while_evidence_is_read_again_nothing_can_be_approved_even_beside_a_running_step() {
    let mut story = Story::new(vec![step(S1, Action::RolloutRestart), step(S2, raise())]);
    story.rehearse(1, S1, &Action::RolloutRestart);
    story.rehearse(1, S2, &raise());
    story.run(2, S1);
    story.ask_again(3);
    assert_eq!(story.incident().phase, Phase::Verifying, "what runs is still being watched");
    assert_eq!(story.tell(4, RemediationEvent::RehearsalAsked { step: S2 }), []);
    assert!(!executes(&story.approve(5, S2)));
    let judged = judge_again(&story.session, I1, start());
    assert_eq!(judged, [], "a round without its verdict is not judged");
}

#[test]
fn a_rehearsal_that_comes_late_changes_no_step_that_has_run() {
    let mut story = Story::new(vec![step(S1, raise())]);
    story.rehearse(1, S1, &raise());
    story.run(2, S1);
    let before = story.step(S1).clone();
    story.rehearse(3, S1, &Action::RolloutRestart);
    assert_eq!(*story.step(S1), before);
}

#[test]
fn a_rehearsal_of_an_earlier_plan_meets_no_step_of_the_next() {
    let mut story = Story::new(vec![step(S1, Action::RolloutRestart)]);
    story.ask_again(1);
    assert_eq!(story.incident().plan, None);
    assert_eq!(story.incident().last_step, 1, "the number is not given again");
    story.rehearse(2, S1, &Action::RolloutRestart);
    assert_eq!(story.incident().plan, None);
}

/// Before steps were alternatives, one waited for another, and was left out with it.
#[test]
fn an_older_journal_whose_steps_waited_for_each_other_is_read() {
    let plan =
        Plan { runbook: "leak/default".to_owned(), steps: vec![step(S1, Action::RolloutRestart), step(S2, raise())] };
    let mut old = serde_json::to_value(RemediationEvent::PlanProposed { plan: Box::new(plan) }).unwrap();
    old["plan"]["steps"][1]["needs"] = serde_json::json!([1]);
    old["plan"]["steps"][1]["state"] = serde_json::json!({ "is": "locked", "why": "needs #1 verified" });
    let mut story = Story::new(Vec::new());
    story.tell(1, serde_json::from_value(old).unwrap());
    assert_eq!(story.step(S2).state, StepState::Proposed);
    let why = LeftOut::After { step: S1, end: "denied".to_owned() };
    story.tell(2, RemediationEvent::StepSkipped { step: S2, why: why.clone() });
    assert_eq!(story.step(S2).state, StepState::Skipped { why });
}

/// Commits effects as the loop does, and what they conclude; gives back what is left to do.
fn settle(story: &mut Story, second: i64, effects: Vec<Effect>) -> Vec<Effect> {
    let mut left = Vec::new();
    for effect in effects {
        match effect {
            Effect::Conclude { event, .. } => {
                let next = story.commit(second, *event);
                left.extend(settle(story, second, next));
            }
            other => left.push(other),
        }
    }
    left
}

#[test]
fn every_press_that_does_not_count_says_why() {
    let story = || {
        let mut story = Story::new(vec![step(S1, raise()), step(S2, Action::RolloutRestart)]);
        story.rehearse(1, S1, &raise());
        story
    };
    let digest = story().step(S1).digest.clone().unwrap();
    let other = {
        let mut story = story();
        story.rehearse(1, S2, &Action::RolloutRestart);
        story.step(S2).digest.clone().unwrap()
    };
    let at = |second| start() + SignedDuration::from_secs(second);
    let ask = |story: &Story, second, step, press| admits(&story.session, at(second), (I1, step), press).err();
    let approve = Press::Approve(&digest);
    assert_eq!(ask(&story(), 2, S1, approve), None);
    assert_eq!(ask(&story(), 2, S1, Press::Approve(&other)), Some(Objection::OtherDigest { step: S1 }));
    assert_eq!(ask(&story(), 601, S1, approve), Some(Objection::Stale));
    assert_eq!(ask(&story(), 2, StepId(9), approve), Some(Objection::Gone { step: StepId(9) }));
    assert_eq!(ask(&story(), 2, S2, approve), Some(Objection::State { step: S2, word: "PROPOSED" }));
    let mut armed = story();
    armed.tell(2, RemediationEvent::StepArmed { step: S1, digest: digest.clone(), until: at(62) });
    assert_eq!(
        (ask(&armed, 61, S1, approve), ask(&armed, 62, S1, approve)),
        (None, Some(Objection::Expired { step: S1 }))
    );
    let mut locked = story();
    locked.session.incidents.get_mut(&I1).unwrap().gate = None;
    for press in [approve, Press::Rehearse] {
        assert_eq!(ask(&locked, 2, S1, press), Some(Objection::Locked), "{press:?}");
    }
    assert_eq!(ask(&locked, 2, S1, Press::Refuse), None, "no is always possible");
    let mut running = story();
    running.run(2, S1);
    for press in [approve, Press::Refuse, Press::Rehearse] {
        assert_eq!(ask(&running, 3, S1, press), Some(Objection::State { step: S1, word: "VERIFYING" }), "{press:?}");
    }
}

#[test]
fn a_resumed_session_stands_on_no_judgement_of_the_process_before() {
    let mut story = Story::new(vec![step(S1, raise()), step(S2, Action::RolloutRestart)]);
    story.rehearse(1, S1, &raise());
    story.rehearse(1, S2, &Action::RolloutRestart);
    story.approve(2, S1);
    let digest = story.step(S1).digest.clone().unwrap();
    story.tell(2, RemediationEvent::StepStarted { step: S1, digest });
    story.commit(900, Event::Session(SessionEvent::Resumed { note: String::new() }));
    assert_eq!(story.incident().phase, Phase::Uncertain(S1));
    assert_eq!(story.tell(901, RemediationEvent::RehearsalAsked { step: S2 }), [], "the gate is not open any more");
}

#[test]
fn what_is_found_out_after_an_approval_was_no_reason_for_it() {
    let mut story = Story::new(vec![step(S1, raise())]);
    story.rehearse(1, S1, &raise());
    let verdict = Verdict { ranked: Vec::new(), missing: Vec::new(), conclusive: false, rests_on: Vec::new() };
    story.session.incidents.values_mut().for_each(|incident| incident.verdict = Some(verdict.clone()));
    story.approve(2, S1);
    story.session.incidents.values_mut().for_each(|incident| incident.verdict = None);
    let ground = &story.incident().grounds[&S1];
    assert_eq!((ground.cause.as_str(), ground.at), (verdict.words(), start() + SignedDuration::from_secs(2)));
}

#[test]
fn an_approval_that_was_not_let_out_yet_stands_down_and_one_that_was_does_not() {
    let mut story = Story::new(vec![step(S1, raise()), step(S2, Action::RolloutRestart)]);
    story.rehearse(1, S1, &raise());
    assert!(executes(&story.approve(2, S1)));
    let decision = Decision::Skipped { by: "who".to_owned() };
    story.tell(2, RemediationEvent::DecisionGiven { step: S2, decision });
    assert_eq!(story.incident().phase, Phase::Running, "an approval is under way");
    let effects = stand_down_all(&story.session, "Ctrl-C");
    settle(&mut story, 3, effects);
    assert_eq!(story.step(S1).state, StepState::StoodDown { why: "Ctrl-C".to_owned() });
    assert_eq!((&story.incident().approval, story.incident().phase), (&None, Phase::Asking), "nothing runs");
    let digest = story.step(S1).digest.clone().unwrap();
    story.tell(4, RemediationEvent::StepStarted { step: S1, digest });
    assert!(matches!(story.step(S1).state, StepState::StoodDown { .. }), "a start that comes late starts nothing");

    let mut story = Story::new(vec![step(S1, raise())]);
    story.rehearse(1, S1, &raise());
    story.run(2, S1);
    assert_eq!(stand_down_all(&story.session, "Ctrl-C"), [], "standing down stops no cluster");
}

fn told_of_object(story: &mut Story, uid: &str, generation: i64) {
    use crate::domain::observation::workload::{ClusterChange, Workload};
    let workload = Workload {
        uid: uid.to_owned(),
        generation,
        observed_generation: generation,
        replicas: 6,
        ready: 6,
        updated: 6,
        available: 6,
        ..Workload::named(target())
    };
    let change = ClusterChange::Workload { workload: Box::new(workload) };
    let effects = story.commit(3, Event::Workload(crate::session::event::WorkloadEvent::Changed { change }));
    settle(story, 3, effects);
}

#[test]
fn what_waits_stands_down_when_its_object_moves_and_not_when_the_watch_is_late() {
    for (uid, generation, stands_down) in [("u", 41, false), ("u", 40, false), ("u", 42, true), ("v", 41, true)] {
        for approved in [false, true] {
            let mut story = Story::new(vec![step(S1, Action::RolloutRestart)]);
            story.rehearse(1, S1, &Action::RolloutRestart);
            if approved {
                assert!(executes(&story.approve(2, S1)));
            }
            told_of_object(&mut story, uid, generation);
            let state = &story.step(S1).state;
            assert_eq!(matches!(state, StepState::StoodDown { .. }), stands_down, "{uid} {generation}: {state:?}");
            assert_eq!(story.incident().approval.is_some(), approved && !stands_down);
        }
    }
    let mut story = Story::new(vec![step(S1, Action::RolloutRestart)]);
    story.rehearse(1, S1, &Action::RolloutRestart);
    story.run(2, S1);
    told_of_object(&mut story, "u", 42);
    assert_eq!(story.step(S1).state, StepState::Verifying, "its own request moved it");
}
