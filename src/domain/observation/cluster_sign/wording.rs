//! The words of kubelets, runtimes and controllers, and the trouble that each tells of.

use super::{Trouble, placement};
use crate::domain::observation::workload::ClusterEvent;

/// A runtime that will not make the container in so little memory.
const TOO_SMALL: [&str; 4] = [
    "oom-killed (memory limit too low",
    "minimum memory limit allowed",
    "memory limit too low",
    "too low; should be at least",
];
const IMAGE: [&str; 9] = [
    "pull image",
    "pulling image",
    "imagepullbackoff",
    "errimagepull",
    "manifest unknown",
    "pull access denied",
    "couldn't parse image",
    "failed to resolve reference",
    "invalid reference format",
];
/// What is wrong with an image itself, or with leave to have it.
const FAULT_OF_THE_IMAGE: [&str; 10] = [
    "manifest unknown",
    "not found",
    "no such host",
    "no match for platform",
    "no matching manifest",
    "denied",
    "unauthorized",
    "forbidden",
    "couldn't parse image",
    "invalid reference format",
];
/// What a registry that is down, or that counts its callers, answers a pull with.
const REGISTRY: [&str; 15] = [
    "i/o timeout",
    "deadline exceeded",
    "client.timeout",
    "tls handshake timeout",
    "connection refused",
    "connection reset",
    "no route to host",
    "network is unreachable",
    "server misbehaving",
    "toomanyrequests",
    "too many requests",
    "service unavailable",
    "bad gateway",
    "internal server error",
    "unexpected eof",
];
/// A node that lacks what every container takes, in the words of its runtime.
const NODE: [&str; 6] = [
    "no space left on device",
    "resource temporarily unavailable",
    "too many open files",
    "unable to apply cgroup configuration",
    "input/output error",
    "deadline exceeded",
];
/// No address is left, or the plugin that gives them does not work.
const NETWORK: [&str; 8] = [
    "failed to assign an ip address",
    "insufficientfreeaddresses",
    "no available ip",
    "no ip addresses available",
    "failed to allocate for range",
    "setup network for sandbox",
    "network plugin",
    "networkplugin",
];
/// The pod's own writing is over what it may write.
const DISK_LIMIT: [&str; 3] =
    ["usage of emptydir volume", "ephemeral local storage usage", "local ephemeral storage limit"];
const COMMAND: [&str; 7] = [
    "executable file not found",
    "exec format error",
    "failed to start container",
    "runc create failed",
    "oci runtime create failed",
    "no such file or directory: unknown",
    "permission denied: unknown",
];
/// Kinds of things that a pod names.
const NAMED: [&str; 10] = [
    "secret \"",
    "configmap \"",
    "serviceaccount \"",
    "persistentvolumeclaim \"",
    "runtimeclass",
    "priorityclass",
    "storageclass",
    "hostpath type check failed",
    "couldn't find key",
    "non-existent",
];
const GONE: [&str; 6] =
    ["not found", "find key", "non-existent", "was found", "does not exist", "hostpath type check failed"];
/// A range of limits or a quota speaks.
const QUOTA: [&str; 8] = [
    "exceeded quota",
    "failed quota",
    "maximum memory usage per",
    "minimum memory usage per",
    "maximum cpu usage per",
    "minimum cpu usage per",
    "must be less than or equal to",
    "limit to request ratio",
];
const FORBIDDEN: [&str; 4] =
    ["admission webhook", "violates podsecurity", "unable to validate against any", "denied the request"];
/// Answers that only come from a wrong path or port.
const NOWHERE: [&str; 6] =
    ["statuscode: 404", "statuscode: 405", "statuscode: 401", "statuscode: 403", "connection refused", "no such host"];

/// A probe that was not answered in time.
const IN_VAIN: [&str; 4] = ["deadline exceeded", "client.timeout", "i/o timeout", "timed out"];

fn says(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// What the kubelet's words about a container tell.
pub(super) fn of_container(message: &str) -> Option<Trouble> {
    let text = message.to_ascii_lowercase();
    if says(&text, &TOO_SMALL) {
        return Some(Trouble::LimitTooSmall);
    }
    if says(&text, &NAMED) && says(&text, &GONE) {
        return Some(Trouble::Reference);
    }
    if says(&text, &IMAGE) {
        let unanswered = says(&text, &REGISTRY) && !says(&text, &FAULT_OF_THE_IMAGE);
        return Some(if unanswered { Trouble::Registry } else { Trouble::Image });
    }
    if says(&text, &COMMAND) {
        return Some(if says(&text, &NODE) { Trouble::Node } else { Trouble::Command });
    }
    None
}

/// Whether a text about an image says what is wrong with it, and not only that it is not there yet.
pub(super) fn names_a_fault_of_the_image(text: &str) -> bool {
    says(&text.to_ascii_lowercase(), &FAULT_OF_THE_IMAGE)
}

/// What an event tells. The order matters: the words of a cause outweigh the reason they are told under.
pub(super) fn of_event(event: &ClusterEvent) -> Option<Trouble> {
    let text = event.message.to_ascii_lowercase();
    if says(&text, &TOO_SMALL) {
        return Some(Trouble::LimitTooSmall);
    }
    match event.reason.as_str() {
        "FailedCreate" if says(&text, &QUOTA) => Some(Trouble::Quota),
        "FailedCreate" if says(&text, &NAMED) && says(&text, &GONE) => Some(Trouble::Reference),
        "FailedCreate" if says(&text, &FORBIDDEN) || text.contains("is invalid") => Some(Trouble::Forbidden),
        "FailedScheduling" | "NotTriggerScaleUp" => Some(placement::of_message(&event.message)),
        // The taint is gone before its time was over, and the pod stays.
        "TaintManagerEviction" if text.contains("cancelling deletion") => None,
        "Evicted" if says(&text, &DISK_LIMIT) => Some(Trouble::DiskLimit),
        "Evicted" | "Preempted" | "Preempting" | "TaintManagerEviction" => Some(Trouble::Evicted),
        "NodeNotReady" => Some(Trouble::NodeLost),
        "NodeHasDiskPressure"
        | "NodeHasInsufficientMemory"
        | "NodeHasInsufficientPID"
        | "EvictionThresholdMet"
        | "FreeDiskSpaceFailed"
        | "SystemOOM" => Some(Trouble::Node),
        "FailedMount" | "FailedAttachVolume" | "FailedBinding" | "ProvisioningFailed" => Some(of_volume(&text)),
        "FailedCreatePodSandBox" if says(&text, &NETWORK) => Some(Trouble::Network),
        "NoEndpoints" => Some(Trouble::Selector),
        "InspectFailed" | "ErrImageNeverPull" | "ErrImagePull" | "ImagePullBackOff" => Some(Trouble::Image),
        "Unhealthy" | "Killing" | "ProbeWarning" => of_probe(&text),
        _ => of_container(&event.message),
    }
}

/// What a volume waits for: something that the pod names and that is not there, else the storage itself.
fn of_volume(text: &str) -> Trouble {
    if says(text, &NAMED) && says(text, &GONE) { Trouble::Reference } else { Trouble::Storage }
}

fn of_probe(text: &str) -> Option<Trouble> {
    if says(text, &["liveness probe", "startup probe"]) {
        return Some(Trouble::Probe);
    }
    let readiness = text.contains("readiness probe");
    if readiness && says(text, &IN_VAIN) {
        return Some(Trouble::Unanswered);
    }
    (readiness && says(text, &NOWHERE)).then_some(Trouble::Readiness)
}
