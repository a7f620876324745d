//! Which concrete step a remedy becomes.

use jiff::SignedDuration;

use super::*;
use crate::domain::diagnosis::evidence::{self, OtherChanges, Question};
use crate::domain::diagnosis::rules::judge;
use crate::domain::diagnosis::rules::tests::fixture::{Incident, now, stuck, target, workload};
use crate::domain::diagnosis::rules::tests::leak;
use crate::domain::diagnosis::sufficiency::offers;
use crate::domain::observation::workload::{ContainerSpec, Revision};

fn revision(number: i64, minute: i64) -> Revision {
    Revision {
        number,
        created_at: Some(now() - SignedDuration::from_mins(30 - minute)),
        images: [("app".to_owned(), format!("my-api:{number}"))].into(),
        replicas: Some(6),
        replica_set: format!("my-api-{number}"),
        changed: Vec::new(),
        earlier: Vec::new(),
    }
}

fn actions(incident: &Incident) -> Vec<Action> {
    steps(incident).into_iter().map(|step| step.action).collect()
}

fn steps(incident: &Incident) -> Vec<Step> {
    let evidence = incident.evidence();
    let verdict = judge(&evidence, now());
    let offers = offers(&verdict, &evidence, now());
    let (target, alarms) = (target(), Vec::new());
    let input = PlanInput {
        verdict: &verdict,
        offers: &offers,
        evidence: &evidence,
        target: &target,
        alarms: &alarms,
        last_step: 0,
    };
    plan(input).into_iter().flat_map(|plan| plan.steps).collect()
}

#[test]
fn an_undo_goes_back_to_the_revision_before_the_suspect_whatever_came_after_it() {
    let hot = || (0..30).map(|n| if n >= 8 { 97.0 } else { 43.0 });
    let after = |revisions: Vec<Revision>| {
        let changes = evidence::changes(revisions, OtherChanges::default());
        let incident = Incident::healthy().cpu(hot());
        actions(&incident.withheld(Question::Changes, changes))
    };
    let undo = [Action::RolloutUndo { to_revision: 41 }];
    assert_eq!(after(vec![revision(41, -40_000), revision(42, 4)]), undo);
    let restart = Revision { images: revision(42, 4).images, ..revision(43, 14) };
    let restarted_since = vec![revision(41, -40_000), revision(42, 4), restart];
    assert_eq!(after(restarted_since), undo, "43 is a restart of the suspect, and 42 is the suspect");
    assert_eq!(actions(&leak()), [Action::RolloutRestart]);
}

/// A revision that a rollback gave a new number.
fn again(number: i64, minute: i64, earlier: i64) -> Revision {
    Revision { earlier: vec![earlier], ..revision(number, minute) }
}

#[test]
fn what_was_rolled_back_already_is_not_rolled_back_further() {
    let hot = (0..30).map(|n| if n >= 8 { 97.0 } else { 43.0 });
    let revisions = vec![revision(39, -50_000), revision(41, 4), again(42, -40_000, 40)];
    let changes = evidence::changes(revisions, OtherChanges::default());
    let incident = Incident::healthy().cpu(hot).withheld(Question::Changes, changes);
    assert_eq!(actions(&incident), []);
    let evidence = incident.evidence();
    let offers = offers(&judge(&evidence, now()), &evidence, now());
    let suspect = suspect_rollout(&evidence, Cause::BadDeploy).unwrap();
    assert_eq!((suspect.revision, suspect.previous), (41, Some(42)), "42 ran before it, as 40");
    let undo = offers.into_iter().find(|offer| offer.remedy == RemedyKind::RolloutUndo).unwrap();
    let why = "Revision 41 does not run any more: it was rolled back, as revision 42.";
    assert_eq!(undo.sufficiency, Sufficiency::Refused { reasons: vec![why.to_owned()] });
}

#[test]
fn memory_is_tested_where_it_was_read_and_is_what_ails() {
    let tested = |incident: &Incident| {
        let is_of_memory = |test: &VerificationTest| matches!(test, VerificationTest::MemoryBelow { .. });
        let steps = steps(incident);
        assert_eq!(steps.len(), 1);
        steps[0].tests.iter().any(is_of_memory)
    };
    let metrics = [Question::Cpu, Question::Memory, Question::Traffic, Question::Errors, Question::Latency];
    let cluster_alone = metrics.into_iter().fold(Incident::healthy(), Incident::never_asked);
    assert!(tested(&leak()));
    assert!(!tested(&cluster_alone.killed_after(4)), "nothing could ever be measured");
    assert!(!tested(&stuck().memory([83.0; 30])), "it stands there on good days too");
}

/// Memory at its limit, killed, and full again at once.
fn brim() -> Incident {
    leak().memory((0..30).map(|n| if n % 9 == 4 { 62.0 } else { 98.5 }))
}

#[test]
fn an_open_gate_has_a_plan_and_what_is_not_known_is_refused_with_its_reason() {
    let limited = |names: &[&str]| {
        let mut workload = workload(6);
        let one = workload.containers[0].clone();
        workload.containers =
            names.iter().map(|name| ContainerSpec { name: (*name).to_owned(), ..one.clone() }).collect();
        brim().withheld(Question::Workload, evidence::workload(workload, &[], &[]))
    };
    let named = [Action::SetResources { container: "app".to_owned(), memory_limit: 768 << 20, was: Some(512 << 20) }];
    assert_eq!(actions(&limited(&["app"])), named);
    // The kills of the fixture name pod and container.
    assert_eq!(actions(&limited(&["log-router", "app"])), named);
    let unknown = limited(&["log-router", "api"]);
    assert_eq!(actions(&unknown), []);
    let evidence = unknown.evidence();
    let offers = offers(&judge(&evidence, now()), &evidence, now());
    let offer = offers.iter().find(|offer| offer.remedy == RemedyKind::SetResources).unwrap();
    let Sufficiency::Refused { reasons } = &offer.sufficiency else {
        panic!("it is offered without a step: {offer:?}")
    };
    assert!(reasons[0].starts_with("app was killed, and the manifest does not hold it"), "{reasons:?}");
}

/// An undo is made from a step that has changed the template: it rests on the object alone.
#[test]
fn a_step_is_bound_to_the_workload_of_its_evidence_and_its_undo_to_the_object() {
    let planned = steps(&brim());
    let of_evidence = brim().evidence();
    let found = super::workload(&of_evidence).unwrap();
    let on = PlannedOn::of(&planned[0].action, found);
    assert_eq!(planned[0].planned_on.as_ref(), Some(&on));
    let plan = Plan { runbook: String::new(), steps: planned };
    let undo = with_undo(&plan, StepId(1), 1).unwrap().steps.pop().unwrap();
    assert_eq!(undo.planned_on, Some(on.object_alone()));
}

/// Each of them can be had without the others.
#[test]
fn remedies_are_alternatives_and_what_came_right_before_goes_back_first() {
    let undo = Action::RolloutUndo { to_revision: 40 };
    let leak = leak().rollout(-8);
    assert_eq!(actions(&leak), [undo.clone(), Action::RolloutRestart]);
    let kinds: Vec<RemedyKind> = actions(&brim().rollout(-2)).iter().map(Action::kind).collect();
    assert_eq!(kinds, [RemedyKind::RolloutUndo, RemedyKind::SetResources]);
    for step in steps(&leak) {
        assert_eq!(step.state, StepState::Proposed, "{}", step.id);
    }
}
