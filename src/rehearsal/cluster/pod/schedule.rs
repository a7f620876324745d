//! The scheduler: a pod goes to the node with the most memory that nobody has asked for, or waits and says why.

use std::collections::BTreeMap;

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
        match pinned.map_or_else(|| self.place_for(&pod), Ok) {
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

    /// The same as the roomiest node, which is not looked for again for a pod of the same wants while nothing has moved:
    /// a crowd that finds no room asks every few seconds.
    fn place_for(&mut self, pod: &Value) -> Result<String, String> {
        let (seating, wants) = (self.store.seating(), pod["spec"].to_string());
        if self.refused.0 != seating {
            self.refused = (seating, BTreeMap::new());
        }
        if let Some(why) = self.refused.1.get(&wants) {
            return Err(why.clone());
        }
        let found = self.roomiest_node(pod);
        if let Err(why) = &found {
            self.refused.1.insert(wants, why.clone());
        }
        found
    }

    /// The node with the most unrequested memory that a pod fits on, or the scheduler's words.
    pub(in super::super) fn roomiest_node(&self, pod: &Value) -> Result<String, String> {
        Usage::of(&self.store, pod).roomiest(&self.store)
    }
}
