//! The way back from a step of ours: what it needs, and what it does not.

use super::*;
use pagerdeck::domain::remediation::request::Request;
use pagerdeck::domain::remediation::step::{LeftOut, Shortfall};

#[test]
fn an_undo_needs_no_cause_and_no_remedy() {
    for reason in [RefusalReason::Inconclusive, RefusalReason::NoRemedy, RefusalReason::NarrativeBroken] {
        let mut case = ready();
        case.offers.clear();
        case.gate.refusals.push(Refusal { reason, ..locked() });
        assert_eq!(case.admit().expect_err("a remedy"), AdmissionRefusal::Locked);
        case.purpose = Purpose::Undo;
        assert!(case.admit().is_ok(), "{reason:?}");
    }
    let mut old = ready();
    old.purpose = Purpose::Undo;
    old.gate.refusals.push(locked());
    assert_eq!(old.admit().expect_err("old"), AdmissionRefusal::Locked, "what is known must be fresh all the same");
}

/// The same request with a blank more in its body.
pub fn lengthen(request: &mut Request) {
    *request = Request::new(request.path.clone(), request.patch, format!("{} ", request.exact()));
}

/// Every state but the one in which an approval counts.
pub fn every_state() -> Vec<StepState> {
    let why = || "w".to_owned();
    vec![
        StepState::Proposed,
        StepState::Rehearsing,
        StepState::Rehearsed,
        StepState::Armed { until: fixture::now() },
        StepState::Running,
        StepState::Verifying,
        StepState::Verified,
        StepState::Failed { why: why(), by: Shortfall::default() },
        StepState::Undone { by: StepId(2) },
        StepState::Denied { reason: why() },
        StepState::Skipped { why: LeftOut::ByPerson },
        StepState::Expired,
        StepState::StoodDown { why: why() },
        StepState::Uncertain,
    ]
}
