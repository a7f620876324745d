//! Where the lasting fix lies, as far as the evidence tells it more closely than the cause alone.

use jiff::Timestamp;

use super::reading::{Reading, Workplace};
use crate::domain::diagnosis::evidence::Evidence;
use crate::domain::diagnosis::verdict::{Cause, FixClass, Verdict};
use crate::domain::observation::cluster_sign::Trouble;

/// The class of the fix.
///
/// Of a workload that no node takes, or that a quota forbids:
/// 1. what no node fits lies in the manifest (tolerations, affinity, selectors, claims);
/// 2. where not one of its pods has a place, what it asks for is too much: the resources in the manifest;
/// 3. where some have, nodes and quotas have no room for more.
pub fn fix(verdict: &Verdict, evidence: &[Evidence]) -> FixClass {
    let cause = verdict.cause();
    let reading = Reading::of(evidence, Timestamp::MAX);
    match (cause, &reading.workload) {
        (Cause::NodePressure, Some(place)) => of_the_place(place),
        (
            Cause::NodePressure
            | Cause::MemoryLeak
            | Cause::LimitTooLow
            | Cause::TrafficSurge
            | Cause::CollectorThrash
            | Cause::CpuBound
            | Cause::BadDeploy
            | Cause::CrashLoop
            | Cause::StuckProcess
            | Cause::DependencyFailing
            | Cause::FlappingAlarm
            | Cause::NothingWrong
            | Cause::Inconclusive,
            _,
        ) => cause.fix(),
    }
}

fn of_the_place(place: &Workplace) -> FixClass {
    match place.loudest(Trouble::is_of_the_place).map(|sign| sign.trouble) {
        Some(Trouble::Unplaceable) => FixClass::Configuration,
        Some(Trouble::Storage | Trouble::Network) => FixClass::Elsewhere,
        Some(Trouble::Unschedulable | Trouble::Quota) if !place.has_a_place() => FixClass::Limit,
        Some(
            Trouble::Unschedulable
            | Trouble::Quota
            | Trouble::Evicted
            | Trouble::Node
            | Trouble::NodeLost
            | Trouble::Image
            | Trouble::Reference
            | Trouble::Command
            | Trouble::Probe
            | Trouble::Readiness
            | Trouble::Unanswered
            | Trouble::Forbidden
            | Trouble::Selector
            | Trouble::LimitTooSmall
            | Trouble::Registry
            | Trouble::DiskLimit,
        )
        | None => FixClass::Capacity,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::fixture::{Incident, now};
    use super::*;
    use crate::domain::diagnosis::rules::judge;

    #[test]
    fn the_fix_of_pods_without_a_place_is_told_by_the_scheduler() {
        use FixClass::{Capacity, Configuration, Limit};
        let nodes = |rest: &str| format!("0/3 nodes are available: {rest}. preemption: 0/3 nodes are available: 3 x.");
        let taint = nodes("3 node(s) had untolerated taint {dedicated: gpu}");
        let affinity = nodes("3 node(s) didn't match Pod's node affinity/selector");
        let mixed =
            nodes("1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 Insufficient cpu");
        let full = nodes("3 Insufficient memory");
        let lost = nodes("3 node(s) had untolerated taint {node.kubernetes.io/not-ready: }");
        let claim = "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.";
        for (name, waiting, message, expected) in [
            ("taint", 6, taint.as_str(), Configuration),
            ("affinity", 2, &affinity, Configuration),
            ("claim", 6, claim, Configuration),
            ("none has a place", 6, &full, Limit),
            ("some have", 2, &full, Capacity),
            ("one kind of nodes is full", 6, &mixed, Limit),
            ("nodes are lost", 2, &lost, Capacity),
        ] {
            let incident = Incident::healthy().pending(waiting).event("Pod/my-api-1", "FailedScheduling", message);
            let verdict = judge(&incident.evidence(), now());
            assert_eq!(verdict.cause(), Cause::NodePressure, "{name}: {verdict:#?}");
            assert_eq!(fix(&verdict, &incident.evidence()), expected, "{name}");
        }
    }

    #[test]
    fn volumes_and_addresses_are_given_by_others() {
        for (reason, message) in [
            ("FailedAttachVolume", "Multi-Attach error for volume"),
            (
                "FailedCreatePodSandBox",
                "failed to setup network for sandbox: failed to assign an IP address to container",
            ),
        ] {
            let incident = Incident::healthy().pending(2).event("Pod/my-api-1", reason, message);
            let verdict = judge(&incident.evidence(), now());
            assert_eq!(
                (verdict.cause(), fix(&verdict, &incident.evidence())),
                (Cause::NodePressure, FixClass::Elsewhere)
            );
        }
    }
}
