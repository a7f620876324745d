//! The lock, condition by condition: invariant 3 (no permit without a synced approval of the same digest) and invariant 6
//! (what the model says can lock and never unlock). Everything here is pure.

mod undo;
mod unlock;

use jiff::{SignedDuration, Timestamp};
use pagerdeck::domain::diagnosis::claim::{ClaimCheck, DiagnosisCheck};
use pagerdeck::domain::diagnosis::sufficiency::{RemedyKind, RemedyOffer, Sufficiency};
use pagerdeck::domain::diagnosis::verdict::{Cause, Confidence};
use pagerdeck::domain::fault::{Fault, FaultKind};
use pagerdeck::domain::remediation::approval::Approval;
use pagerdeck::domain::remediation::gate::{
    self, Admission, AdmissionRefusal, Aim, GateInput, GateReport, NarrativeStanding, Permit, Purpose, Refusal,
    RefusalReason, StandsOn,
};
use pagerdeck::domain::remediation::policy::{Confirm, LiveRule, Policy, RulesAlone};
use pagerdeck::domain::remediation::request::{Bound, Mode};
use pagerdeck::domain::remediation::step::{CheckState, Rehearsal, RehearsalOutcome, Step, StepId, StepState};
use pagerdeck::session::{IncidentId, Session, incident::Incident};
use proptest::prelude::*;

use self::undo::every_state;
use super::{fixture, fixture_parts};

/// The record that holds the approval.
const APPROVED_AT: u64 = 40;

/// Everything admission looks at, so that a case can spoil one thing of it.
struct Case {
    session: Session,
    step: Step,
    gate: GateReport,
    offers: Vec<RemedyOffer>,
    purpose: Purpose,
    approval: Approval,
    durable_seq: u64,
    now: Timestamp,
}

/// A live step for which every condition holds.
fn ready() -> Case {
    let mut session = fixture::armed();
    let mut step = fixture::incident(&mut session).step(StepId(1)).unwrap().clone();
    step.state = StepState::Approved;
    let gate = fixture::incident(&mut session).gate.clone().unwrap();
    let offers = fixture::incident(&mut session).offers.clone();
    let now = fixture::now();
    let approval = Approval {
        step: step.id,
        digest: step.digest.clone().unwrap(),
        confirm: Confirm::Typed,
        expires_at: now + SignedDuration::from_secs(45),
        seq: APPROVED_AT,
    };
    let mut case =
        Case { session, step, gate, offers, purpose: Purpose::Remedy, approval, durable_seq: APPROVED_AT, now };
    case.sign();
    case
}

impl Case {
    /// Binds step and approval to the facts as they are now, so that a case spoils nothing but what it means to.
    fn sign(&mut self) {
        let header = &self.session.header;
        let rehearsal = self.step.rehearsal.as_ref().unwrap();
        let bound = rehearsal.request.as_ref().zip(rehearsal.facts.as_ref()).map(|(request, facts)| {
            let text = self.step.text();
            Bound { text: &text, request, facts, scope: &header.scope, mode: header.mode, policy: &header.policy }
                .digest()
        });
        if let Some(digest) = bound {
            self.step.digest = Some(digest.clone());
            self.approval.digest = digest;
        }
    }

    fn policy(&mut self) -> &mut Policy {
        &mut self.session.header.policy
    }

    fn rule(&mut self, spoil: impl Fn(&mut LiveRule)) {
        self.policy().live.iter_mut().for_each(spoil);
        self.sign();
    }

    fn rehearsal(&mut self, spoil: impl FnOnce(&mut Rehearsal)) {
        if let Some(rehearsal) = &mut self.step.rehearsal {
            spoil(rehearsal);
        }
    }

    fn admit(&self) -> Result<Permit, AdmissionRefusal> {
        gate::admit(Admission {
            mode: self.session.header.mode,
            scope: &self.session.header.scope,
            policy: &self.session.header.policy,
            gate: &self.gate,
            offers: &self.offers,
            purpose: self.purpose,
            step: &self.step,
            approval: &self.approval,
            durable_seq: self.durable_seq,
            now: self.now,
        })
    }
}

fn locked() -> Refusal {
    Refusal { reason: RefusalReason::Stale, text: "Old.".to_owned(), unlock: "r".to_owned() }
}

fn policy_refusal(piece: &str) -> impl Fn(&AdmissionRefusal) -> bool {
    move |found| matches!(found, AdmissionRefusal::Policy { text } if text.contains(piece))
}

#[test]
fn when_every_condition_holds_the_permit_is_for_just_that_request() {
    let case = ready();
    let permit = case.admit().unwrap();
    assert_eq!(permit.digest(), &case.approval.digest);
    assert_eq!(permit.usable_until(), case.approval.expires_at, "never longer than the approval");
    let permitted = permit.consume();
    let rehearsal = case.step.rehearsal.as_ref().unwrap();
    assert_eq!(Some(&permitted.request), rehearsal.request.as_ref(), "the very bytes that were rehearsed");
    assert_eq!(Some(&permitted.facts), rehearsal.facts.as_ref());
    assert_eq!(permitted.target, case.step.target);
    let mut later = ready();
    later.approval.expires_at = later.now + SignedDuration::from_hours(8);
    let until = later.admit().unwrap().usable_until();
    assert_eq!(until, later.now + SignedDuration::from_secs(60), "a permit is short, however long the approval lives");
}

type Spoil = fn(&mut Case);
type Expected = Box<dyn Fn(&AdmissionRefusal) -> bool>;

fn is(expected: AdmissionRefusal) -> Expected {
    Box::new(move |found| *found == expected)
}

/// What an approval would be bound to anew: mode, scope and policy.
fn signed() -> Vec<(&'static str, Spoil, Expected)> {
    let nowhere = || -> Expected { Box::new(policy_refusal("allows no live step")) };
    vec![
        (
            "dry-run",
            |case| {
                case.session.header.mode = Mode::DryRun;
                case.sign();
            },
            is(AdmissionRefusal::DryRun),
        ),
        (
            "no rule",
            |case| {
                case.policy().live.clear();
                case.sign();
            },
            nowhere(),
        ),
        ("another namespace", |case| case.rule(|rule| rule.namespaces = vec!["billing".to_owned()]), nowhere()),
        ("another account", |case| case.rule(|rule| "999999999999".clone_into(&mut rule.account)), nowhere()),
        (
            "an unknown cluster",
            |case| {
                case.session.header.scope.cluster = None;
                case.sign();
            },
            nowhere(),
        ),
        (
            "another action",
            |case| case.rule(|rule| rule.actions = vec![RemedyKind::Scale]),
            Box::new(policy_refusal("does not allow rollout-restart")),
        ),
    ]
}

fn unsigned() -> Vec<(&'static str, Spoil, Expected)> {
    vec![
        (
            "the decision is not on the disk",
            |case| case.durable_seq = APPROVED_AT - 1,
            is(AdmissionRefusal::NotDurable),
        ),
        ("the gate is locked", |case| case.gate.refusals.push(locked()), is(AdmissionRefusal::Locked)),
        (
            "the remedy is refused by now",
            |case| case.offers.retain(|offer| offer.remedy != case.step.action.kind()),
            is(AdmissionRefusal::NotOffered),
        ),
        ("another step", |case| case.approval.step = StepId(2), is(AdmissionRefusal::NotWaiting)),
        ("expired to the second", |case| case.now = case.approval.expires_at, is(AdmissionRefusal::Expired)),
        ("never rehearsed", |case| case.step.rehearsal = None, is(AdmissionRefusal::NotRehearsed)),
        (
            "the server refused",
            |case| {
                let fault = Fault::new(FaultKind::Rejected, "quota");
                case.rehearsal(|it| it.outcome = RehearsalOutcome::Refused { fault });
            },
            is(AdmissionRefusal::NotRehearsed),
        ),
        (
            "the server was not asked",
            |case| case.rehearsal(|it| it.outcome = RehearsalOutcome::LocalOnly { why: why() }),
            is(AdmissionRefusal::NotRehearsed),
        ),
        ("no request", |case| case.rehearsal(|it| it.request = None), is(AdmissionRefusal::NotRehearsed)),
        ("no facts", |case| case.rehearsal(|it| it.facts = None), is(AdmissionRefusal::NotRehearsed)),
        (
            "a failed check",
            |case| case.rehearsal(|it| it.checks[1].state = CheckState::Failed),
            is(AdmissionRefusal::CheckFailed { name: "access".to_owned() }),
        ),
        (
            "a key where a typed confirmation is asked for",
            |case| case.approval.confirm = Confirm::Key,
            Box::new(policy_refusal("typed confirmation")),
        ),
    ]
}

/// What moved between the approval and the permit.
const MOVED: [(&str, Spoil); 6] = [
    ("another body", |case| case.rehearsal(|it| it.request.iter_mut().for_each(undo::lengthen))),
    ("another generation", |case| case.rehearsal(|it| it.facts.iter_mut().for_each(|facts| facts.generation += 1))),
    ("another object of that name", |case| {
        case.rehearsal(|it| it.facts.iter_mut().for_each(|facts| facts.uid.push('x')));
    }),
    ("another policy", |case| case.policy().approval_ttl_s += 1),
    ("another identity", |case| case.session.header.scope.identity = None),
    ("another rehearsal", |case| case.step.digest = None),
];

#[test]
fn each_condition_alone_keeps_the_permit_back() {
    for (name, spoil, expected) in signed().into_iter().chain(unsigned()) {
        let mut case = ready();
        spoil(&mut case);
        let refusal = case.admit().expect_err(name);
        assert!(expected(&refusal), "{name}: {refusal:?}");
        assert!(!refusal.text().is_empty());
    }
}

#[test]
fn an_approval_falls_with_the_facts_it_was_given_for() {
    for (name, spoil) in MOVED {
        let mut case = ready();
        spoil(&mut case);
        assert_eq!(case.admit().expect_err(name), AdmissionRefusal::OtherDigest, "{name}");
    }
}

#[test]
fn an_approval_counts_in_one_state_only() {
    for state in every_state() {
        let mut case = ready();
        case.step.state = state.clone();
        assert_eq!(case.admit().unwrap_err(), AdmissionRefusal::NotWaiting, "{state:?}");
    }
}

#[test]
fn a_single_key_is_enough_where_the_policy_says_so() {
    for confirm in [Confirm::Key, Confirm::Typed] {
        let mut case = ready();
        case.policy().live[0].confirm = Confirm::Key;
        case.approval.confirm = confirm;
        case.sign();
        assert!(case.admit().is_ok(), "{confirm:?}");
    }
}

proptest! {
    /// Whatever is spoilt, in whatever combination: a permit exists exactly when nothing is.
    #[test]
    fn no_permit_unless_every_condition_holds(
        spoilt in proptest::collection::btree_set(0_usize..60, 0..4),
        state in proptest::option::weighted(0.2, 0_usize..14),
        durable in APPROVED_AT - 3..APPROVED_AT + 3,
        late in -60_i64..60,
    ) {
        let mut case = ready();
        case.durable_seq = durable;
        case.now = case.approval.expires_at + SignedDuration::from_secs(late);
        if let Some(at) = state {
            case.step.state = every_state()[at].clone();
        }
        // In this order: what signs anew must not mend what was moved.
        let spoilers: Vec<Spoil> = signed()
            .into_iter()
            .chain(unsigned())
            .map(|(_, spoil, _)| spoil)
            .chain(MOVED.map(|(_, spoil)| spoil))
            .collect();
        let chosen: Vec<Spoil> = spoilt.iter().filter_map(|at| spoilers.get(*at).copied()).collect();
        for spoil in &chosen {
            spoil(&mut case);
        }
        let holds = chosen.is_empty() && durable >= APPROVED_AT && late < 0 && state.is_none();
        prop_assert_eq!(case.admit().is_ok(), holds, "{:?}", case.admit());
    }
}

/// What the gate judges, so that a case can spoil one thing of it.
struct Judged {
    incident: Incident,
    policy: Policy,
    now: Timestamp,
}

fn judged() -> Judged {
    let session = fixture::gate_open();
    Judged { incident: session.incidents[&IncidentId(1)].clone(), policy: Policy::default(), now: fixture::now() }
}

impl Judged {
    fn report(&self) -> GateReport {
        let incident = &self.incident;
        gate::judge(GateInput {
            verdict: incident.verdict.as_ref().unwrap(),
            offers: &incident.offers,
            evidence: &incident.evidence,
            narrative: incident.narrative.standing,
            unreadable: incident.narrative.unreadable.as_deref(),
            claims: &incident.narrative.claims,
            diagnosis: incident.diagnosis.as_ref(),
            stands_on: incident.stands_on,
            aim: Aim { service: &incident.service, alarmed: &[], scope: &fixture_parts::scope(), mode: Mode::Live },
            policy: &self.policy,
            now: self.now,
        })
    }

    fn check(&mut self, at: usize, check: ClaimCheck) {
        self.incident.narrative.claims[at].check = check;
    }
    fn is_called(&mut self, cause: Cause) {
        self.incident.verdict.as_mut().unwrap().ranked[0].cause = cause;
    }
}

fn why() -> String {
    "why".to_owned()
}

type Refused = (&'static str, fn(&mut Judged), &'static [RefusalReason]);

const OF_THE_EVIDENCE: [Refused; 7] = [
    ("as it is", |_| {}, &[]),
    ("inconclusive", |it| it.incident.verdict = Some(fixture_parts::inconclusive(&[])), &[RefusalReason::Inconclusive]),
    (
        "no remedy suffices",
        |it| {
            for offer in &mut it.incident.offers {
                offer.sufficiency = Sufficiency::Refused { reasons: vec![why()] };
            }
        },
        &[RefusalReason::NoRemedy],
    ),
    ("nothing is wrong", |it| it.is_called(Cause::NothingWrong), &[RefusalReason::NothingToDo]),
    ("no target", |it| it.incident.service.workload = None, &[RefusalReason::NoTarget]),
    ("as old as it may be", |it| it.now = it.incident.evidence[0].answered_at + SignedDuration::from_secs(600), &[]),
    (
        "a second older",
        |it| it.now = it.incident.evidence[0].answered_at + SignedDuration::from_secs(601),
        &[RefusalReason::Stale],
    ),
];

const OF_THE_NARRATIVE: [Refused; 14] = [
    (
        "under way",
        |it| it.incident.narrative.standing = NarrativeStanding::UnderWay,
        &[RefusalReason::NarrativeUnderWay],
    ),
    ("broken", |it| it.incident.narrative.standing = NarrativeStanding::Broken, &[RefusalReason::NarrativeBroken]),
    (
        "never asked",
        |it| it.incident.narrative.standing = NarrativeStanding::NotAsked,
        &[RefusalReason::NarrativeBroken],
    ),
    ("no diagnosis", |it| it.incident.diagnosis = None, &[RefusalReason::NoDiagnosis]),
    (
        "a rejected diagnosis",
        |it| {
            let reasons = vec![why(), why()];
            it.incident.diagnosis.as_mut().unwrap().check = DiagnosisCheck::Rejected { reasons };
        },
        &[RefusalReason::DiagnosisRejected, RefusalReason::DiagnosisRejected],
    ),
    (
        "one sentence contradicts",
        |it| it.check(0, ClaimCheck::Contradicted { why: why() }),
        &[RefusalReason::Contradicted],
    ),
    ("four of five are supported", |it| it.check(0, ClaimCheck::Unsupported { why: why() }), &[]),
    (
        "three of five are",
        |it| {
            it.check(0, ClaimCheck::Unsupported { why: why() });
            it.check(1, ClaimCheck::Unsupported { why: why() });
        },
        &[RefusalReason::Unsupported],
    ),
    (
        "it advises no remedy",
        |it| it.incident.diagnosis.as_mut().unwrap().proposal.remedies.clear(),
        &[RefusalReason::NotAdvised],
    ),
    (
        "nothing to check in three of five, and one of two is supported",
        |it| {
            (0..3).for_each(|at| it.check(at, ClaimCheck::Unchecked));
            it.check(3, ClaimCheck::Unsupported { why: why() });
        },
        &[RefusalReason::Unsupported],
    ),
    ("nothing to check in two of five", |it| (0..2).for_each(|at| it.check(at, ClaimCheck::Unchecked)), &[]),
    (
        "nothing to check in any",
        |it| (0..5).for_each(|at| it.check(at, ClaimCheck::Unchecked)),
        &[RefusalReason::Unsupported],
    ),
    ("not one sentence", |it| it.incident.narrative.claims.clear(), &[RefusalReason::Unsupported]),
    (
        "the model is unsure",
        |it| it.incident.diagnosis.as_mut().unwrap().confidence = Confidence::new(0.74),
        &[RefusalReason::LowConfidence],
    ),
];

const ON_THE_RULES: [Refused; 4] = [
    (
        "a broken narrative is not looked at",
        |it| {
            it.incident.stands_on = StandsOn::Rules;
            it.incident.narrative.standing = NarrativeStanding::Broken;
            it.incident.diagnosis = None;
            it.check(0, ClaimCheck::Contradicted { why: why() });
        },
        &[],
    ),
    (
        "unless the policy forbids it",
        |it| {
            it.incident.stands_on = StandsOn::Rules;
            it.policy.rules_alone = RulesAlone::Forbidden;
        },
        &[RefusalReason::Policy],
    ),
    (
        "the rules are unsure",
        |it| {
            it.incident.stands_on = StandsOn::Rules;
            it.incident.verdict.as_mut().unwrap().ranked[0].confidence = Confidence::new(0.6);
        },
        &[RefusalReason::LowConfidence],
    ),
    (
        "old evidence is old for the rules, too",
        |it| {
            it.incident.stands_on = StandsOn::Rules;
            it.now += SignedDuration::from_hours(1);
        },
        &[RefusalReason::Stale],
    ),
];

#[test]
fn the_gate_tells_just_what_keeps_it_locked() {
    for (name, spoil, expected) in OF_THE_EVIDENCE.iter().chain(&OF_THE_NARRATIVE).chain(&ON_THE_RULES) {
        let mut case = judged();
        spoil(&mut case);
        let report = case.report();
        let found: Vec<RefusalReason> = report.refusals.iter().map(|refusal| refusal.reason).collect();
        assert_eq!(found, *expected, "{name}");
        assert_eq!(report.is_open(), expected.is_empty(), "{name}");
        assert!(report.refusals.iter().all(|refusal| !refusal.text.is_empty() && !refusal.unlock.is_empty()), "{name}");
    }
}

proptest! {
    /// The model can lower what counts and never raise it, and it opens nothing that the rules leave locked.
    #[test]
    fn the_model_only_ever_lowers(rules in 0.0_f64..=1.0, model in 0.0_f64..=1.0, conclusive: bool) {
        let mut case = judged();
        let verdict = case.incident.verdict.as_mut().unwrap();
        verdict.ranked[0].confidence = Confidence::new(rules);
        verdict.conclusive = conclusive;
        case.incident.diagnosis.as_mut().unwrap().confidence = Confidence::new(model);
        let with = case.report();
        case.incident.stands_on = StandsOn::Rules;
        let alone = case.report();
        prop_assert!(with.confidence <= alone.confidence);
        prop_assert!(!with.is_open() || alone.is_open());
        prop_assert_eq!(with.is_open(), conclusive && rules.min(model) >= 0.75);
    }
}
