//! Invariants 3 and 5 at the outbox: nothing that moves the world leaves before its records are on the disk, and nothing
//! at all once the journal is gone.

use std::collections::BTreeMap;

use super::*;
use crate::domain::diagnosis::sufficiency::{RemedyKind, RemedyOffer, Sufficiency};
use crate::domain::diagnosis::verdict::Confidence;
use crate::domain::observation::alarm::Severity;
use crate::domain::observation::scope::Scope;
use crate::domain::observation::service::{Origin, Service};
use crate::domain::observation::workload::{WorkloadKind, WorkloadRef};
use crate::domain::remediation::approval::Decision;
use crate::domain::remediation::gate::{GateReport, Share, StandsOn};
use crate::domain::remediation::policy::{Confirm, LiveRule, Policy};
use crate::domain::remediation::request::{Mode, of_action};
use crate::domain::remediation::step::{Action, Plan, Rehearsal, RehearsalOutcome, Step, TargetFacts};
use crate::session::event::{Event, RemediationEvent};
use crate::session::feeds::{FeedHealth, FeedId};
use crate::session::incident::Incident;
use crate::session::{Record, update};

const INCIDENT: IncidentId = IncidentId(1);
const STEP: StepId = StepId(1);
/// The records of the decision and of the start.
const DECISION: u64 = 10;
const START: u64 = 11;

fn now() -> Timestamp {
    Timestamp::from_second(1_777_627_860).unwrap()
}

fn target() -> WorkloadRef {
    WorkloadRef { kind: WorkloadKind::Deployment, namespace: "payments".into(), name: "my-api".to_owned() }
}

fn policy() -> Policy {
    let rule = LiveRule {
        account: "123456789012".to_owned(),
        cluster: "eks-prod".to_owned(),
        namespaces: vec!["payments".to_owned()],
        actions: vec![RemedyKind::RolloutRestart],
        confirm: Confirm::Key,
    };
    Policy { live: vec![rule], ..Policy::default() }
}

fn open_gate() -> GateReport {
    GateReport {
        stands_on: StandsOn::Rules,
        confidence: Confidence::new(0.9),
        needed: Confidence::new(0.75),
        evidence: Share { n: 8, of: 8 },
        claims: Share::default(),
        oldest: Some(now()),
        at: now(),
        refusals: Vec::new(),
    }
}

fn step() -> Step {
    Step::new(STEP, Action::RolloutRestart, target())
}

/// A live session whose one step is rehearsed and waits for the person.
fn waiting() -> Session {
    let mut session = Session::default();
    session.header.mode = Mode::Live;
    session.header.policy = policy();
    session.header.scope = Scope {
        account: Some("123456789012".into()),
        region: "us-east-1".into(),
        cluster: Some("eks-prod".into()),
        ..Scope::default()
    };
    let service = Service {
        name: "my-api".into(),
        workload: Some(target()),
        log_groups: Vec::new(),
        metrics: BTreeMap::new(),
        helm_release: None,
        links: Vec::new(),
        origin: Origin::Configured,
    };
    let mut incident = Incident::new(INCIDENT, service, Severity::P2, now());
    incident.gate = Some(open_gate());
    let sufficiency = Sufficiency::Sufficient { why: String::new() };
    incident.offers = vec![RemedyOffer { remedy: RemedyKind::RolloutRestart, sufficiency }];
    incident.plan = Some(Plan { runbook: "memory-leak".to_owned(), steps: vec![step()] });
    session.incidents.insert(INCIDENT, incident);
    let rehearsal = Rehearsal {
        outcome: RehearsalOutcome::Rehearsed,
        at: now(),
        request: of_action(&Action::RolloutRestart, &target(), now()),
        facts: Some(TargetFacts { uid: "u".to_owned(), generation: 1, fields: BTreeMap::new() }),
        diff: Vec::new(),
        checks: Vec::new(),
        blast: String::new(),
        undo: String::new(),
    };
    let rehearsed = RemediationEvent::StepRehearsed { step: STEP, rehearsal: Box::new(rehearsal), digest: None };
    assert_eq!(fold(&mut session, DECISION - 1, rehearsed), []);
    session
}

fn fold(session: &mut Session, seq: u64, event: RemediationEvent) -> Vec<Effect> {
    let event = Event::Remediation(event);
    update(session, &Record { seq, at: now(), incident: Some(INCIDENT), event })
}

/// The same with the approval given and its effect in the outbox.
fn approved() -> (Session, Outbox) {
    let mut session = waiting();
    let digest = session.incidents[&INCIDENT].step(STEP).unwrap().digest.clone().unwrap();
    let expires_at = now() + jiff::SignedDuration::from_secs(60);
    let decision = Decision::Approved { digest, confirm: Confirm::Key, by: "ana".to_owned(), expires_at };
    let mut outbox = Outbox::default();
    let effects = fold(&mut session, DECISION, RemediationEvent::DecisionGiven { step: STEP, decision });
    assert_eq!(effects, [Effect::Execute { incident: INCIDENT, step: STEP }]);
    for effect in effects {
        outbox.push(DECISION, effect);
    }
    (session, outbox)
}

/// The same with the start stamped and the permit held.
fn started() -> (Session, Outbox) {
    let (mut session, mut outbox) = approved();
    outbox.acknowledge(DECISION, DECISION);
    let Some(Released::Start { digest, permit, .. }) = outbox.release(&session, now()).pop() else {
        panic!("no permit for a durable decision");
    };
    assert_eq!(fold(&mut session, START, RemediationEvent::StepStarted { step: STEP, digest }), []);
    outbox.hold(START, (INCIDENT, STEP), permit);
    (session, outbox)
}

/// The same with the permit handed to who sends it.
fn handed() -> (Session, Outbox, Departure) {
    let (session, mut outbox) = started();
    outbox.acknowledge(START, START);
    let Some(Released::Send { departure, .. }) = outbox.release(&session, now()).pop() else {
        panic!("the start is on the disk");
    };
    (session, outbox, departure)
}

fn read() -> Effect {
    Effect::Follow { incident: INCIDENT }
}

#[test]
fn a_decision_is_carried_out_only_once_it_is_on_the_disk() {
    let (session, mut outbox) = approved();
    assert!(outbox.release(&session, now()).is_empty(), "nothing is acknowledged");
    outbox.acknowledge(DECISION, DECISION - 1);
    assert!(outbox.release(&session, now()).is_empty(), "written is not synced");
    outbox.acknowledge(DECISION, DECISION);
    let released = outbox.release(&session, now());
    assert!(matches!(released.as_slice(), [Released::Start { .. }]), "{released:?}");
    assert!(outbox.release(&session, now()).is_empty(), "once");
}

#[test]
fn a_read_needs_only_to_be_written_and_waits_for_its_turn() {
    let (session, mut outbox) = approved();
    outbox.push(DECISION + 1, read());
    outbox.acknowledge(DECISION + 1, DECISION - 1);
    assert!(outbox.release(&session, now()).is_empty(), "what follows a decision does not overtake it");
    let mut outbox = Outbox::default();
    outbox.push(0, read());
    assert!(
        matches!(outbox.release(&session, now()).as_slice(), [Released::Run(_)]),
        "an ephemeral one waits for none"
    );
    outbox.push(5, read());
    assert!(outbox.release(&session, now()).is_empty());
    outbox.acknowledge(5, 0);
    assert!(matches!(outbox.release(&session, now()).as_slice(), [Released::Run(_)]));
}

#[test]
fn a_request_leaves_only_once_its_start_is_on_the_disk_and_leaves_once() {
    let (session, mut outbox) = started();
    assert!(outbox.release(&session, now()).is_empty());
    outbox.acknowledge(START, START - 1);
    assert!(outbox.release(&session, now()).is_empty(), "written is not synced");
    outbox.acknowledge(START, START);
    assert!(matches!(outbox.release(&session, now()).as_slice(), [Released::Send { .. }]));
    assert!(outbox.release(&session, now()).is_empty() && outbox.is_empty());
}

#[test]
fn an_approval_is_used_once() {
    let (session, mut outbox) = started();
    outbox.push(START, Effect::Execute { incident: INCIDENT, step: STEP });
    outbox.acknowledge(START, START);
    let released = outbox.release(&session, now());
    assert!(matches!(released.as_slice(), [Released::Send { .. }]), "no second permit: {released:?}");
}

/// The disk was slow, the person stood the step down and rehearsed it again: what is left of the first decision says nothing
/// about the second.
#[test]
fn a_decision_that_fell_stands_nothing_down_that_is_rehearsed_anew() {
    let (mut session, mut outbox) = approved();
    fold(&mut session, DECISION + 1, RemediationEvent::StoodDown { step: STEP, why: "Ctrl-C".to_owned() });
    fold(&mut session, DECISION + 2, RemediationEvent::RehearsalAsked { step: STEP });
    outbox.acknowledge(DECISION + 2, DECISION + 2);
    let released = outbox.release(&session, now());
    assert!(released.is_empty() && outbox.is_empty(), "{released:?}");
}

/// Whatever comes first, the disk or whoever calls back: the permit went one way, once, and never the other as well.
#[test]
fn a_permit_is_sent_or_called_back_and_never_both() {
    let why = || Fault::new(FaultKind::Rejected, "Called back.");
    let (session, mut outbox) = started();
    assert!(matches!(outbox.call_back(&why()).as_slice(), [Released::Withhold { step: STEP, .. }]));
    outbox.acknowledge(START, START);
    assert!(outbox.release(&session, now()).is_empty(), "the disk came late");
    assert!(outbox.call_back(&why()).is_empty(), "once");

    let (session, mut outbox) = started();
    outbox.acknowledge(START, START);
    assert!(matches!(outbox.call_back(&why()).as_slice(), [Released::Withhold { .. }]), "acknowledged, and still here");
    assert!(outbox.release(&session, now()).is_empty());

    let (_, mut outbox, departure) = handed();
    assert!(departure.leaves());
    assert!(outbox.call_back(&why()).is_empty(), "what was sent cannot be called back");
    assert!(!departure.came_back() && !departure.leaves(), "but it is not sent again");

    let (_, mut outbox, departure) = handed();
    assert!(departure.leaves() && departure.came_back());
    assert!(
        matches!(outbox.call_back(&why()).as_slice(), [Released::Withhold { .. }]),
        "before it is sent again it can"
    );

    let (session, mut outbox, departure) = handed();
    assert!(
        matches!(outbox.call_back(&why()).as_slice(), [Released::Withhold { step: STEP, .. }]),
        "it looks once more"
    );
    assert!(!departure.leaves(), "whatever the look comes to");
    assert!(outbox.call_back(&why()).is_empty() && outbox.release(&session, now()).is_empty(), "told once");

    let (_, mut outbox, departure) = handed();
    assert!(departure.ends(), "it ended before it left");
    assert!(outbox.call_back(&why()).is_empty(), "and that is told by who sends it");
}

#[test]
fn a_permit_whose_facts_moved_before_its_request_left_is_not_let_out() {
    let expired = |session: &mut Session| {
        let fault = Fault::new(FaultKind::Credentials, "Expired.");
        session.feeds.entry(FeedId::Alarms).or_default().health = FeedHealth::Lost { fault };
    };
    let moves: [fn(&mut Session); 4] = [
        expired,
        |session| session.header.scope.account = Some("999999999999".into()),
        |session| session.header.policy.approval_ttl_s += 1,
        |session| session.incidents.get_mut(&INCIDENT).unwrap().plan = None,
    ];
    for moved in moves {
        let (mut session, mut outbox) = started();
        moved(&mut session);
        outbox.acknowledge(START, START);
        let released = outbox.release(&session, now());
        assert!(matches!(released.as_slice(), [Released::Withhold { .. }]), "{released:?}");
        assert!(outbox.release(&session, now()).is_empty());

        let (mut session, mut outbox, departure) = handed();
        moved(&mut session);
        let released = outbox.release(&session, now());
        assert!(
            matches!(released.as_slice(), [Released::Withhold { .. }]),
            "while the object is looked at: {released:?}"
        );
        assert!(!departure.leaves() && outbox.release(&session, now()).is_empty());
    }
}

#[test]
fn a_decision_gets_no_permit_while_the_credentials_fail() {
    let (mut session, mut outbox) = approved();
    let fault = Fault::new(FaultKind::Credentials, "Expired.");
    session.feeds.entry(FeedId::Workloads).or_default().health = FeedHealth::Lost { fault };
    outbox.acknowledge(DECISION, DECISION);
    let released = outbox.release(&session, now());
    assert!(
        matches!(released.as_slice(), [Released::Refuse { refusal: AdmissionRefusal::LockedOut, .. }]),
        "{released:?}"
    );
}

/// Found by random sessions: a stalled disk, a decision that fell, and another one on the same step.
#[test]
fn a_decision_that_fell_while_the_disk_was_slow_lends_its_effect_to_no_other() {
    let (mut session, mut outbox) = approved();
    fold(&mut session, DECISION + 1, RemediationEvent::StoodDown { step: STEP, why: "moved".to_owned() });
    fold(&mut session, DECISION + 2, RemediationEvent::RehearsalAsked { step: STEP });
    let rehearsal = waiting().incidents[&INCIDENT].step(STEP).unwrap().rehearsal.clone().unwrap();
    let rehearsed = RemediationEvent::StepRehearsed { step: STEP, rehearsal: Box::new(rehearsal), digest: None };
    fold(&mut session, DECISION + 3, rehearsed);
    let digest = session.incidents[&INCIDENT].step(STEP).unwrap().digest.clone().unwrap();
    let expires_at = now() + jiff::SignedDuration::from_secs(60);
    let decision = Decision::Approved { digest, confirm: Confirm::Key, by: "ana".to_owned(), expires_at };
    for effect in fold(&mut session, DECISION + 4, RemediationEvent::DecisionGiven { step: STEP, decision }) {
        outbox.push(DECISION + 4, effect);
    }
    outbox.acknowledge(DECISION + 4, DECISION + 4);
    let released = outbox.release(&session, now());
    assert!(matches!(released.as_slice(), [Released::Start { .. }]), "one decision, one permit: {released:?}");
}

#[test]
fn after_the_journal_is_gone_nothing_that_moves_the_world_leaves() {
    let (session, mut outbox) = approved();
    outbox.push(DECISION, read());
    let told = outbox.close();
    assert!(
        matches!(told.as_slice(), [Released::Refuse { refusal: AdmissionRefusal::NotDurable, .. }]),
        "the person is told of what did not leave: {told:?}"
    );
    assert!(
        matches!(outbox.release(&session, now()).as_slice(), [Released::Run(Effect::Follow { .. })]),
        "reads go on"
    );
    outbox.acknowledge(u64::MAX, u64::MAX);
    assert!(outbox.release(&session, now()).is_empty());

    let (session, mut outbox) = started();
    let told = outbox.close();
    assert!(matches!(told.as_slice(), [Released::Withhold { incident: INCIDENT, step: STEP, .. }]), "{told:?}");
    outbox.acknowledge(u64::MAX, u64::MAX);
    assert!(outbox.release(&session, now()).is_empty(), "a late acknowledgement brings no permit back");

    let (_, mut outbox, departure) = handed();
    assert!(matches!(outbox.close().as_slice(), [Released::Withhold { .. }]) && !departure.leaves());
}

#[test]
fn a_session_that_became_read_only_gets_no_permit_though_the_decision_was_synced() {
    let (mut session, mut outbox) = approved();
    let fault = crate::domain::fault::Fault::new(crate::domain::fault::FaultKind::Storage, "The disk is full.");
    session.read_only = Some(fault);
    outbox.acknowledge(DECISION, DECISION);
    let released = outbox.release(&session, now());
    assert!(
        matches!(released.as_slice(), [Released::Refuse { refusal: AdmissionRefusal::NotDurable, .. }]),
        "{released:?}"
    );
}
