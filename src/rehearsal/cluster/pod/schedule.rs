//! The scheduler: a pod goes to the node with the most memory that nobody has asked for, or waits and says why.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::Cluster;
use super::super::event::Tone;
use super::super::shape::{self, set};
use super::fit::Usage;
use super::{Running, Stay};

/// How long a pod that fits no node waits before it is tried again.
const UNSCHEDULABLE_RETRY: SignedDuration = SignedDuration::from_secs(10);

impl Cluster {
    /// Puts a pod on the node with the most room, or says why it cannot.
    pub(in super::super) fn schedule_pod(&mut self, uid: &str) {
        let Some(key) = self.runs.get(uid).map(|run| run.key.clone()) else { return };
        let Some(pod) = self.store.get(&key).cloned() else { return };
        // A daemon is made for its node.
        let pinned = shape::text(&pod, "/spec/nodeName").map(str::to_owned);
        match pinned.map_or_else(|| self.roomiest_node(&pod), Ok) {
            Ok(node) => {
                let mut placed = (*pod).clone();
                set(&mut placed, &["spec", "nodeName"], json!(node));
                self.store.put(key.clone(), placed);
                let now = self.now;
                if let Some(run) = self.runs.get_mut(uid) {
                    run.stay = Stay::Settled;
                    // A pod that had to wait for room starts from now, not from its birth.
                    let late = now.duration_since(run.born_at);
                    for container in &mut run.containers {
                        if let Running::Creating(at) = &mut container.state {
                            *at += late;
                        }
                    }
                }
                let text = format!("Successfully assigned {}/{} to {node}", key.namespace, key.name);
                self.say(uid, Tone::Normal, "Scheduled", &text);
            }
            Err(why) => {
                let again = self.now + UNSCHEDULABLE_RETRY;
                self.say(uid, Tone::Warning, "FailedScheduling", &why);
                if let Some(run) = self.runs.get_mut(uid) {
                    run.stay = Stay::Unscheduled(again);
                    run.waits_for = why;
                }
            }
        }
        self.show_pod(uid);
    }

    /// The node with the most unrequested memory that a pod fits on, or the scheduler's words.
    pub(in super::super) fn roomiest_node(&self, pod: &Value) -> Result<String, String> {
        Usage::of(&self.store, pod).roomiest(&self.store)
    }
}
