//! The place has no room: pods are evicted, no node takes them, a quota forbids them, or the node itself is in trouble.

use super::case::{Case, Need, Outcome};
use super::reading::Reading;
use super::shared;
use crate::domain::count::{counted, either};
use crate::domain::diagnosis::evidence::Question;
use crate::domain::diagnosis::verdict::Cause;
use crate::domain::observation::change::ChangeKind;
use crate::domain::observation::cluster_sign::Trouble;

pub(super) fn weigh(reading: &Reading) -> Case {
    Case::new(Cause::NodePressure)
        .called(called(reading).map(str::to_owned))
        .test(Question::Workload, 0.5, Need::Essential, told(reading))
        .test(Question::Workload, 0.2, Need::Helpful, short(reading))
        .test(Question::Workload, 0.15, Need::Excluding, not_by_itself(reading))
        .test(Question::Changes, 0.1, Need::Helpful, of_nodes(reading))
        .test(Question::Memory, 0.1, Need::Helpful, shared::memory_does_not_grow(reading))
        .test(Question::Traffic, 0.05, Need::Helpful, shared::traffic_is_normal(reading))
}

/// What it is, where it is no pressure on a node.
fn called(reading: &Reading) -> Option<&'static str> {
    let place = reading.workload.as_ref()?;
    let sign = place.sign(Trouble::NodeLost).or_else(|| place.loudest(Trouble::is_of_the_place))?;
    match sign.trouble {
        Trouble::NodeLost => Some("node lost"),
        Trouble::Unplaceable => Some("no node fits"),
        Trouble::Quota => Some("quota used up"),
        Trouble::Storage => Some("volume not mounted"),
        Trouble::Network => Some("no network for new pods"),
        Trouble::Unschedulable
        | Trouble::Evicted
        | Trouble::Node
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
        | Trouble::DiskLimit => None,
    }
}

fn told(reading: &Reading) -> Outcome {
    let Some(place) = &reading.workload else { return Outcome::Open };
    // A node that is gone is why pods are given up and why there is no room: it is told first, however often the rest is.
    let lost = place.sign(Trouble::NodeLost);
    let other = place.loudest(|trouble| trouble.is_of_the_place() && trouble != Trouble::NodeLost);
    let words: Vec<String> = lost
        .into_iter()
        .chain(other)
        .map(|sign| format!("{} ({}x: {})", sign.trouble.words(), sign.count, sign.text))
        .collect();
    match words.as_slice() {
        [_, ..] => Outcome::For(words.join("; "), vec![place.id]),
        // Its kubelet probes it, and tells so: the node is there, and what was not read is of nodes alone.
        [] if place.events_unread().is_none() && place.sign(Trouble::Unanswered).is_some() => {
            Outcome::Against("its node probes it, and no event of its own tells of a lack".to_owned(), vec![place.id])
        }
        [] if !place.unread.is_empty() => Outcome::Open,
        [] => Outcome::Against("no event tells of nodes, quotas or evictions".to_owned(), vec![place.id]),
    }
}

fn short(reading: &Reading) -> Outcome {
    let Some(place) = &reading.workload else { return Outcome::Open };
    let Some(text) = place.told_ready() else { return Outcome::Open };
    if place.is_whole() { Outcome::Against(text, vec![place.id]) } else { Outcome::For(text, vec![place.id]) }
}

/// What happened to the nodes themselves right before.
fn of_nodes(reading: &Reading) -> Outcome {
    let of = |kind| kind == ChangeKind::Node;
    let (Some(changes), Some((change, minutes))) = (&reading.changes, shared::suspect_change(reading, of)) else {
        return Outcome::Moot;
    };
    Outcome::For(format!("{} {}", change.words(), shared::before_onset(minutes)), vec![changes.id])
}

/// Containers that end by themselves would end on any node.
fn not_by_itself(reading: &Reading) -> Outcome {
    let Some(place) = &reading.workload else { return Outcome::Open };
    let stuck = place.stuck();
    match stuck.first() {
        Some(first) => Outcome::Against(
            format!(
                "{} {} up where {} ({}: {})",
                counted(stuck.len(), "container"),
                either(stuck.len(), "does not come", "do not come"),
                either(stuck.len(), "it is", "they are"),
                first.name,
                first.state
            ),
            vec![place.id],
        ),
        None => Outcome::For("the containers that have a place run".to_owned(), vec![place.id]),
    }
}

#[cfg(test)]
mod tests {
    use super::super::judge;
    use super::super::tests::fixture::{Incident, Stand, now, stuck, table};
    use super::*;

    #[test]
    fn node_pressure_holds_for_pods_that_find_no_room_alone() {
        let waiting = || Incident::healthy().pending(2);
        let scheduling = "0/3 nodes are available: 3 Insufficient memory.";
        let quota = "pods \"my-api-9\" is forbidden: exceeded quota: compute";
        table(
            weigh,
            &[
                ("unschedulable", waiting().event("Pod/my-api-1", "FailedScheduling", scheduling), Stand::Holds),
                ("quota", waiting().event("ReplicaSet/my-api-41", "FailedCreate", quota), Stand::Holds),
                (
                    "evicted",
                    waiting().event("Pod/my-api-77", "Evicted", "The node was low on resource: memory."),
                    Stand::Holds,
                ),
                (
                    "node in trouble",
                    waiting().event("Node/ip-10-0-11-23", "NodeNotReady", "Node status is now: NodeNotReady"),
                    Stand::Holds,
                ),
                (
                    "a volume that another node holds",
                    waiting().event("Pod/my-api-1", "FailedAttachVolume", "Multi-Attach error for volume"),
                    Stand::Holds,
                ),
                (
                    "its own disk is full",
                    waiting().event("Pod/my-api-1", "Evicted", "Usage of EmptyDir volume \"tmp\" exceeds the limit"),
                    Stand::RuledOut,
                ),
                ("not ready by themselves", Incident::healthy().unready(), Stand::RuledOut),
                (
                    "scheduled since",
                    Incident::healthy().event("Pod/my-api-1", "FailedScheduling", scheduling),
                    Stand::RuledOut,
                ),
                ("no word of it", waiting(), Stand::RuledOut),
                ("no word of it could be read", waiting().events_unread(), Stand::Waits(Question::Workload)),
                (
                    "no word of nodes",
                    waiting().workload_unread("node events (denied)"),
                    Stand::Waits(Question::Workload),
                ),
                ("its node probes it", stuck().workload_unread("node events (denied)"), Stand::RuledOut),
                ("and no event of it was read", stuck().events_unread(), Stand::Waits(Question::Workload)),
                (
                    "crashing by itself",
                    Incident::healthy().crash_loop("waiting: CrashLoopBackOff").event(
                        "Pod/my-api-77",
                        "Evicted",
                        "low on memory",
                    ),
                    Stand::RuledOut,
                ),
                ("cluster denied", waiting().without(Question::Workload), Stand::Waits(Question::Workload)),
            ],
        );
    }

    #[test]
    fn what_is_no_pressure_on_a_node_is_not_called_so() {
        let volume = ("FailedAttachVolume", "Multi-Attach error for volume", "volume not mounted");
        let network =
            ("FailedCreatePodSandBox", "failed to assign an IP address to container", "no network for new pods");
        let full = ("FailedScheduling", "0/3 nodes are available: 3 Insufficient memory.", "node pressure");
        for (reason, message, words) in [volume, network, full] {
            let incident = Incident::healthy().pending(2).event("Pod/my-api-1", reason, message);
            let verdict = judge(&incident.evidence(), now());
            assert_eq!((verdict.words(), verdict.cause()), (words, Cause::NodePressure), "{reason}");
        }
    }

    #[test]
    fn cases_of_lost_nodes() {
        table(
            weigh,
            &[
                (
                    "lost with its node",
                    Incident::healthy().lost(2, "Unknown").event("Pod/my-api-1", "NodeNotReady", "Node is not ready"),
                    Stand::Holds,
                ),
                (
                    "given up, and nothing in its place yet",
                    Incident::healthy().lost(2, "Terminating").event(
                        "Pod/my-api-1",
                        "TaintManagerEviction",
                        "Marking for deletion Pod payments/my-api-1",
                    ),
                    Stand::Holds,
                ),
                (
                    "replaced since",
                    Incident::healthy().event("Node/ip-10-0-11-23", "NodeNotReady", "Node status is now: NodeNotReady"),
                    Stand::RuledOut,
                ),
                (
                    "drained in good order",
                    Incident::healthy().event("Node/ip-10-0-11-23", "NodeNotSchedulable", "NodeNotSchedulable"),
                    Stand::RuledOut,
                ),
            ],
        );
    }
}
