//! Why the scheduler finds no node: `0/3 nodes are available: 1 node(s) had untolerated taint {key: value}, 2 Insufficient
//! memory. preemption: …`. What a manifest asks for is told apart from the room that nodes have.

use super::Trouble;

/// Reasons that more or healthier nodes would end.
const ROOM: [&str; 13] = [
    "insufficient",
    "too many pods",
    "enough resource",
    "memory-pressure",
    "disk-pressure",
    "pid-pressure",
    "not-ready",
    "unreachable",
    "were unschedulable",
    "was unschedulable",
    "network-unavailable",
    "max node group size reached",
    "max limit reached",
];
/// Reasons that lie in what the manifest asks for.
const ASKED_FOR: [&str; 10] = [
    "taint",
    "affinity",
    "selector",
    "topology spread",
    "persistentvolumeclaim",
    "persistent volume",
    "volume node",
    "free ports",
    "host ports",
    "no node matches",
];

/// What a message of the scheduler tells. Where one node is short of room and the others do not fit, room is what is
/// missing: nodes that are kept for others are usual.
pub(super) fn of_message(message: &str) -> Trouble {
    let text = message.to_ascii_lowercase();
    let first = text.split("preemption:").next().unwrap_or(&text);
    let says = |words: &[&str]| words.iter().any(|word| first.contains(word));
    if first.contains("persistentvolumeclaim") && first.contains("not found") {
        return Trouble::Reference;
    }
    if !says(&ROOM) && says(&ASKED_FOR) { Trouble::Unplaceable } else { Trouble::Unschedulable }
}
