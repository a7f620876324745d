//! Crash loop: containers end again and again, or never start, for another reason than memory: an image, a reference, a
//! command, a probe, or the application itself. The manifest or the image must change; a restart starts the same again.

use super::case::{Case, Need, Outcome};
use super::reading::{Reading, Workplace};
use super::shared;
use crate::domain::count::{counted, either};
use crate::domain::diagnosis::evidence::Question;
use crate::domain::diagnosis::verdict::Cause;
use crate::domain::observation::cluster_sign::{ClusterSign, Trouble};
use crate::domain::observation::log_sign::LogSign;
use crate::domain::observation::workload::ContainerState;

pub(super) fn weigh(reading: &Reading) -> Case {
    Case::new(Cause::CrashLoop)
        .test(Question::Workload, 0.4, Need::Essential, stuck(reading))
        .test(Question::Workload, 0.25, Need::Essential, not_memory(reading))
        .test(Question::Workload, 0.2, Need::Helpful, reason(reading))
        .test(Question::Workload, 0.15, Need::Helpful, unready(reading))
        .test(Question::LogPatterns, 0.05, Need::Helpful, configuration(reading))
        .test(Question::LogPatterns, 0.5, Need::Helpful, dependency(reading))
        .test(Question::Traffic, 0.05, Need::Helpful, shared::traffic_is_normal(reading))
}

fn is_killed(container: &ContainerState) -> bool {
    container.last_end.as_ref().is_some_and(|end| end.reason.eq_ignore_ascii_case("OOMKilled"))
}

fn stuck(reading: &Reading) -> Outcome {
    let Some(place) = &reading.workload else { return Outcome::Open };
    let containers = place.stuck();
    match containers.first() {
        Some(first) => {
            // A container that runs came up: what is wrong with it is that it does not stay.
            let ([one, many], how) = if first.state == "running" {
                (["is ended again and again", "are ended again and again"], counted(first.restarts, "restart"))
            } else {
                (["does not come up", "do not come up"], first.state.clone())
            };
            let what = either(containers.len(), one, many);
            let text = format!("{} {what} ({}: {how})", counted(containers.len(), "container"), first.name);
            Outcome::For(text, vec![place.id])
        }
        None => none_is_stuck(place),
    }
}

fn none_is_stuck(place: &Workplace) -> Outcome {
    let told = |sign: &ClusterSign| format!("{} ({})", sign.trouble.words(), sign.text);
    match (place.loudest(Trouble::is_configuration), place.loudest(Trouble::is_from_outside)) {
        (Some(sign), _) => Outcome::For(told(sign), vec![place.id]),
        (None, Some(sign)) => Outcome::Against(told(sign), vec![place.id]),
        (None, None) if !place.is_whole() && place.events_unread().is_some() => Outcome::Open,
        (None, None) => Outcome::Against("every container came up".to_owned(), vec![place.id]),
    }
}

fn not_memory(reading: &Reading) -> Outcome {
    let Some(place) = &reading.workload else { return Outcome::Open };
    let stuck = place.stuck();
    if let Some((why, ids)) = shared::killed_at_start(reading) {
        return Outcome::Against(why, ids);
    }
    if let Some(kills) = reading.kills.as_ref().filter(|kills| kills.total > 0) {
        return Outcome::Against(counted(kills.total, "OOM kill"), vec![kills.id]);
    }
    if stuck.iter().any(|container| is_killed(container)) {
        return Outcome::Against("its containers last ended by an OOM kill".to_owned(), vec![place.id]);
    }
    if stuck.is_empty() && place.loudest(Trouble::is_configuration).is_none() {
        return Outcome::Moot;
    }
    let by_signal = stuck.iter().any(|container| container.last_end.as_ref().is_some_and(|end| end.exit_code == 137));
    let text = if by_signal {
        "exit code 137 is a kill by signal; nothing tells of memory"
    } else {
        "none of them was last ended by an OOM kill"
    };
    Outcome::For(text.to_owned(), vec![place.id])
}

/// What the cluster says of the reason; else the code they end with.
fn reason(reading: &Reading) -> Outcome {
    let Some(place) = &reading.workload else { return Outcome::Open };
    if let Some(sign) = place.loudest(Trouble::is_configuration) {
        return Outcome::For(format!("{} ({}x: {})", sign.trouble.words(), sign.count, sign.text), vec![place.id]);
    }
    let stuck = place.stuck();
    let ends: Vec<_> = stuck.iter().filter_map(|container| container.last_end.as_ref()).collect();
    match ends.first() {
        Some(end) if end.exit_code == 137 => {
            Outcome::For("they are ended by a signal, with exit code 137".to_owned(), vec![place.id])
        }
        Some(end) => Outcome::For(format!("they end by themselves with exit code {}", end.exit_code), vec![place.id]),
        None => Outcome::Open,
    }
}

fn unready(reading: &Reading) -> Outcome {
    let Some(place) = &reading.workload else { return Outcome::Open };
    let Some(text) = place.told_ready() else { return Outcome::Open };
    if place.is_whole() { Outcome::Against(text, vec![place.id]) } else { Outcome::For(text, vec![place.id]) }
}

fn configuration(reading: &Reading) -> Outcome {
    let Some(logs) = &reading.logs else { return Outcome::Open };
    match logs.sign(LogSign::Configuration) {
        Some(count) => {
            let tell = shared::lines(count.lines, ["tells", "tell"]);
            Outcome::For(format!("{tell} of a wrong configuration"), vec![logs.id])
        }
        None => Outcome::Moot,
    }
}

/// A process that ends because something it calls does not answer ends again until that does, unless the cluster itself
/// names what is wrong with the manifest.
fn dependency(reading: &Reading) -> Outcome {
    let Some(logs) = &reading.logs else { return Outcome::Moot };
    let named = reading.workload.as_ref().and_then(|place| place.loudest(Trouble::is_configuration)).is_some();
    match shared::tell_of(logs, LogSign::Dependency) {
        Some(lines) if !named && logs.sign(LogSign::Configuration).is_none() => Outcome::Against(
            format!("{} a dependency that fails", shared::lines(lines, ["names", "name"])),
            vec![logs.id],
        ),
        Some(_) | None => Outcome::Moot,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::fixture::{Incident, Stand, now, table};
    use super::*;

    fn looping() -> Incident {
        Incident::healthy().crash_loop("waiting: CrashLoopBackOff")
    }

    #[test]
    fn a_crash_loop_holds_for_what_ends_again_and_again_but_by_memory() {
        let probe = "Liveness probe failed: HTTP probe failed with statuscode: 500";
        let pull = "Failed to pull image \"my-api:41-bad\": manifest unknown";
        table(
            weigh,
            &[
                ("ends again and again", looping(), Stand::Holds),
                (
                    "image",
                    Incident::healthy().crash_loop("waiting: ImagePullBackOff").event("Pod/my-api-1", "Failed", pull),
                    Stand::Holds,
                ),
                ("missing secret", Incident::healthy().crash_loop("waiting: CreateContainerConfigError"), Stand::Holds),
                ("command", Incident::healthy().last_end("StartError", 128), Stand::Holds),
                ("application", Incident::healthy().last_end("Error", 1), Stand::Holds),
                (
                    "exit 137 by a probe",
                    Incident::healthy().last_end("Error", 137).event("Pod/my-api-1", "Unhealthy", probe),
                    Stand::Holds,
                ),
                (
                    "volume that is not there",
                    Incident::healthy().pending(3).event("Pod/my-api-1", "FailedMount", "configmap \"x\" not found"),
                    Stand::Holds,
                ),
                ("OOM kill", Incident::healthy().last_end("OOMKilled", 137), Stand::RuledOut),
                ("OOM kills counted", looping().kills(9), Stand::RuledOut),
                (
                    "limit too small to start",
                    looping().event("Pod/my-api-1", "Failed", "Minimum memory limit allowed is 6MB"),
                    Stand::RuledOut,
                ),
                ("all is up", Incident::healthy(), Stand::RuledOut),
                ("restarted often enough, long ago", Incident::healthy().killed_days_ago().unready(), Stand::RuledOut),
                (
                    "only readiness fails",
                    Incident::healthy().event("Pod/my-api-1", "Unhealthy", "Readiness probe failed: 503"),
                    Stand::RuledOut,
                ),
                ("cluster denied", looping().without(Question::Workload), Stand::Waits(Question::Workload)),
            ],
        );
    }

    #[test]
    fn a_container_that_runs_and_is_killed_is_not_one_that_does_not_come_up() {
        let told = |incident: Incident| stuck(&Reading::of(&incident.evidence(), now()));
        let says = |outcome: Outcome, words: &str| matches!(&outcome, Outcome::For(text, _) if text.contains(words));
        let killed = told(Incident::healthy().killed_again_and_again());
        assert!(says(killed.clone(), "ended again and again (app: 9 restarts)"), "{killed:?}");
        assert!(says(told(looping()), " come up (app: waiting: CrashLoopBackOff)"));
    }

    #[test]
    fn cases_told_by_the_cluster_and_the_logs() {
        let refused = "Readiness probe failed: Get \"http://10.0.0.7:8081/\": dial tcp 10.0.0.7:8081: connect: connection refused";
        table(
            weigh,
            &[
                (
                    "the volume's secret is told by the state alone",
                    Incident::healthy().says("waiting: CreateContainerError", "secret \"db\" not found"),
                    Stand::Holds,
                ),
                (
                    "the port of a readiness probe",
                    Incident::healthy().unready().event("Pod/my-api-1", "Unhealthy", refused),
                    Stand::Holds,
                ),
                (
                    "a service that selects nothing",
                    Incident::healthy().event("Service/my-api", "NoEndpoints", "its selector app=x matches no pod"),
                    Stand::Holds,
                ),
                (
                    "forbidden by admission",
                    Incident::healthy().pending(6).event(
                        "ReplicaSet/my-api-41",
                        "FailedCreate",
                        "violates PodSecurity",
                    ),
                    Stand::Holds,
                ),
                (
                    "ends because of a dependency",
                    Incident::healthy().last_end("Error", 1).signs(&[(LogSign::Dependency, 60)], 70),
                    Stand::Weak,
                ),
                (
                    "killed while it was made, told by the state alone",
                    Incident::healthy()
                        .says("waiting: RunContainerError", "container init was OOM-killed (memory limit too low?)"),
                    Stand::RuledOut,
                ),
            ],
        );
    }

    #[test]
    fn cases_that_lie_outside_of_the_manifest() {
        table(
            weigh,
            &[
                (
                    "the registry does not answer",
                    Incident::healthy().crash_loop("waiting: ImagePullBackOff").event(
                        "Pod/my-api-1",
                        "Failed",
                        "Failed to pull image \"my-api:41\": dial tcp 10.0.0.2:443: i/o timeout",
                    ),
                    Stand::RuledOut,
                ),
                (
                    "a volume that another node holds",
                    Incident::healthy().pending(3).event("Pod/my-api-1", "FailedAttachVolume", "Multi-Attach error"),
                    Stand::RuledOut,
                ),
                (
                    "a process that comes up",
                    Incident::healthy().unready().event("Pod/my-api-1", "Unhealthy", "Startup probe failed: 503"),
                    Stand::RuledOut,
                ),
            ],
        );
    }
}
