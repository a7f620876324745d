//! Pods that were made before start in place of others, where the scheduler had them then.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::rehearsal::cluster::event::{self, Occurrence, Tone};
use crate::rehearsal::cluster::kind::row;
use crate::rehearsal::cluster::pod::{Running, Stay};
use crate::rehearsal::cluster::shape::{self, set};
use crate::rehearsal::cluster::store::Key;
use crate::rehearsal::cluster::{Cluster, Place};

impl Cluster {
    /// Makes the pod that a replica set made in place of one, now: it came up where a node had room, and waits where none had.
    pub(super) fn replace_before_start(&mut self, lost: &Value, workload: Option<Place>, start: Timestamp) {
        let owner = shape::controller(lost).and_then(|uid| {
            let mut sets = self.store.list(row("replicasets"), Some(shape::namespace(lost)));
            sets.find(|entry| shape::uid(entry.1) == uid).map(|entry| entry.1.clone())
        });
        let Some(owner) = owner else { return };
        let mut pod = self.pod_of(&owner);
        let node = self.roomiest_node(&pod);
        if let Ok(node) = &node {
            set(&mut pod, &["spec", "nodeName"], json!(node));
        }
        let stored = self.store.put(Key::of(row("pods"), &pod), pod);
        let uid = shape::uid(&stored).to_owned();
        let mut run = self.new_run(&stored, workload, self.now);
        run.stay = if node.is_ok() { Stay::Settled } else { Stay::Unscheduled(start) };
        run.waits_for = node.as_ref().err().cloned().unwrap_or_default();
        let begun: Vec<Option<Timestamp>> = run.containers.iter().map(|one| begun(one.state, start)).collect();
        self.runs.insert(uid.clone(), run);
        let (tone, reason, message) = match node {
            Ok(node) => {
                let name = shape::name(&stored);
                let placed = format!("Successfully assigned {}/{name} to {node}", shape::namespace(&stored));
                (Tone::Normal, "Scheduled", placed)
            }
            Err(why) => (Tone::Warning, "FailedScheduling", why),
        };
        let told = Occurrence { about: &stored, tone, reason, message, source: "default-scheduler" };
        event::record(&mut self.store, self.now, &told);
        if tone == Tone::Normal {
            for (index, at) in begun.into_iter().enumerate() {
                if let Some(at) = at {
                    self.begin_life(&uid, index, at);
                }
            }
        }
    }
}

/// When a container that was being created had started, if that was before start.
fn begun(state: Running, start: Timestamp) -> Option<Timestamp> {
    match state {
        Running::Creating(at) if at <= start => Some(at),
        Running::Creating(_)
        | Running::Up { .. }
        | Running::Down { .. }
        | Running::Working { .. }
        | Running::Done { .. } => None,
    }
}
