//! Processes that stopped answering before start, and whose readiness probe waits in vain since: they run, and are not ready.

use jiff::{SignedDuration, Timestamp};

use crate::rehearsal::cluster::Cluster;
use crate::rehearsal::cluster::event::{self, Occurrence, Tone};
use crate::rehearsal::cluster::pod::Running;
use crate::rehearsal::scenario::{Probe, Regime, Scenario};

/// From one failure that is told to the next.
const APART: SignedDuration = SignedDuration::from_secs(30);

impl Cluster {
    /// Takes the readiness of containers that are stuck, and tells what the kubelet told of it.
    pub(super) fn found_deaf(&mut self, scenario: &Scenario) {
        for spec in &scenario.workloads {
            if let Regime::Stuck { since, probe: Probe::Readiness, .. } = &spec.memory {
                let place = super::place(spec);
                let deaf = self.runs.iter().filter(|(_, run)| run.workload.as_ref() == Some(&place));
                for uid in deaf.map(|(uid, _)| uid.clone()).collect::<Vec<_>>() {
                    self.deafen(&uid, scenario.start + *since, scenario.start);
                }
            }
        }
    }

    fn deafen(&mut self, uid: &str, from: Timestamp, start: Timestamp) {
        let Some(run) = self.runs.get_mut(uid) else { return };
        for container in &mut run.containers {
            if let Running::Up { ready_at, since, .. } = &mut container.state
                && *since < from
            {
                *ready_at = Timestamp::MAX;
            }
        }
        let Some(pod) = self.store.get(&run.key).cloned() else { return };
        let message = "Readiness probe failed: Get \"http://:8080/ready\": context deadline exceeded (Client.Timeout exceeded \
                       while awaiting headers)";
        let mut at = from + APART;
        while at < start {
            let (tone, reason, message) = (Tone::Warning, "Unhealthy", message.to_owned());
            event::record(&mut self.store, at, &Occurrence { about: &pod, tone, reason, message, source: "kubelet" });
            at += APART;
        }
    }
}
