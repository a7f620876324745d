//! One cluster under one lock for the servers of a rehearsal, telling watches when it moved.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

use super::Cluster;
use crate::rehearsal::clock::SimClock;

/// The cluster as the servers share it.
#[derive(Debug)]
pub struct SharedCluster {
    cluster: Mutex<Cluster>,
    revision: watch::Sender<u64>,
}

impl SharedCluster {
    /// Shares a cluster.
    pub fn new(cluster: Cluster) -> Self {
        let revision = watch::Sender::new(cluster.store().revision());
        Self { cluster: Mutex::new(cluster), revision }
    }

    /// Brings the cluster to an instant and lets somebody look at it or change it.
    pub fn at<R>(&self, now: Timestamp, act: impl FnOnce(&mut Cluster) -> R) -> R {
        let mut cluster = self.cluster.lock().unwrap_or_else(PoisonError::into_inner);
        cluster.advance(now);
        let result = act(&mut cluster);
        let revision = cluster.store().revision();
        self.revision.send_if_modified(|known| std::mem::replace(known, revision) != revision);
        result
    }

    /// Tells of every move of the cluster.
    pub fn revisions(&self) -> watch::Receiver<u64> {
        self.revision.subscribe()
    }

    /// Moves the cluster whenever something in it is due. Never ends: run it beside the servers.
    pub async fn drive(&self, clock: &SimClock) {
        let mut moved = self.revisions();
        loop {
            moved.mark_unchanged();
            let next = self.at(clock.now(), |cluster| cluster.next_change());
            let sleep = next.map(|at| clock.sleep_until(at));
            let due = async {
                match sleep {
                    Some(sleep) => sleep.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => {}
                changed = moved.changed() => if changed.is_err() { return },
            }
        }
    }
}
