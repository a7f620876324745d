//! Pods on a node that does not answer: not ready at once, given up after what they tolerate, and gone only by force.

use jiff::Timestamp;

use super::super::event::{self, Occurrence, Tone};
use super::super::{Cluster, shape};
use super::Stay;
use crate::rehearsal::behaviour::LifeEnd;

impl Cluster {
    /// The node under a pod no longer answers: the pod serves nobody from now on, and is given up later, or never.
    pub(in super::super) fn lose_pod(&mut self, uid: &str, given_up: Option<Timestamp>) {
        self.end_lives(uid, None, LifeEnd::Replaced);
        let Some(run) = self.runs.get_mut(uid) else { return };
        run.stay = Stay::Lost(given_up);
        let key = run.key.clone();
        if let Some(pod) = self.store.get(&key).cloned() {
            let message = "Node is not ready".to_owned();
            let (tone, reason, source) = (Tone::Warning, "NodeNotReady", "node-controller");
            event::record(&mut self.store, self.now, &Occurrence { about: &pod, tone, reason, message, source });
        }
        self.show_pod(uid);
    }

    /// Marks a lost pod for deletion, so that its controller makes another. Its kubelet never hears of it.
    pub(in super::super) fn give_up_pod(&mut self, uid: &str) {
        let Some(run) = self.runs.get_mut(uid) else { return };
        run.stay = Stay::Lost(None);
        let key = run.key.clone();
        let Some(pod) = self.store.get(&key).cloned() else { return };
        let message = format!("Marking for deletion Pod {}/{}", key.namespace, key.name);
        let (tone, reason, source) = (Tone::Normal, "TaintManagerEviction", "taint-eviction-controller");
        event::record(&mut self.store, self.now, &Occurrence { about: &pod, tone, reason, message, source });
        if !shape::is_leaving(&pod) {
            self.mark_leaving(&key, &pod);
        }
        self.show_pod(uid);
    }
}
