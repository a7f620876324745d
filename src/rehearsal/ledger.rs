//! The ledger: every request the simulated cloud received, in order. The proof of what a session did and did not do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;

pub use crate::domain::drill::Api;

/// Whether a request asked for a rehearsal of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DryRun {
    /// It meant it.
    No,
    /// `dryRun=All`.
    All,
}

/// What a request would do to the world if it meant it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutates {
    /// Nothing.
    Reads,
    /// Nothing, though it is a POST: an access review.
    AccessReview,
    /// It changes objects.
    Writes,
}

/// A request as received and answered.
#[derive(Clone, Debug)]
pub struct LedgerEntry {
    /// Its number, from 1.
    pub seq: u64,
    /// Incident time of its arrival.
    pub at: Timestamp,
    /// Which API.
    pub api: Api,
    /// The operation, such as `FilterLogEvents` or `patch deployments`.
    pub operation: String,
    /// The HTTP method.
    pub verb: String,
    /// Path and query.
    pub path: String,
    /// Whether it was a rehearsal.
    pub dry_run: DryRun,
    /// What it would do.
    pub mutating: Mutates,
    /// The HTTP status it got; 0 while unanswered or when the connection was cut.
    pub status: u16,
    /// The fault of the scenario it met, by its word.
    pub fault: Option<&'static str>,
    /// Its body.
    pub body: Bytes,
}

/// A request as it comes in.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Incident time.
    pub at: Timestamp,
    /// Which API.
    pub api: Api,
    /// The operation.
    pub operation: String,
    /// The HTTP method.
    pub verb: String,
    /// Path and query.
    pub path: String,
    /// Whether it was a rehearsal.
    pub dry_run: DryRun,
    /// What it would do.
    pub mutating: Mutates,
    /// Its body.
    pub body: Bytes,
}

/// Counts over a ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerSummary {
    /// Kubernetes writes without `dryRun=All`; access reviews, Slack posts and reads are none.
    pub mutating: u64,
    /// Kubernetes writes with `dryRun=All`.
    pub dry_run: u64,
    /// Requests by `api:operation`.
    pub by_kind: BTreeMap<String, u64>,
    /// Requests that met a fault, by `api:fault`.
    pub by_fault: BTreeMap<String, u64>,
}

/// The ledger; cheap to clone, all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    entries: Arc<Mutex<Vec<LedgerEntry>>>,
}

impl Ledger {
    /// Writes a request down on arrival, so that one that is never answered is there too. Answers its number.
    pub fn arrived(&self, arrival: Arrival) -> u64 {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let seq = entries.len() as u64 + 1;
        entries.push(LedgerEntry {
            seq,
            at: arrival.at,
            api: arrival.api,
            operation: arrival.operation,
            verb: arrival.verb,
            path: arrival.path,
            dry_run: arrival.dry_run,
            mutating: arrival.mutating,
            status: 0,
            fault: None,
            body: arrival.body,
        });
        seq
    }

    /// Notes the status a request was answered with.
    pub fn answered(&self, seq: u64, status: u16) {
        self.amend(seq, |entry| entry.status = status);
    }

    /// Notes the fault a request met.
    pub fn met(&self, seq: u64, fault: &'static str) {
        self.amend(seq, |entry| entry.fault = Some(fault));
    }

    fn amend(&self, seq: u64, change: impl FnOnce(&mut LedgerEntry)) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = seq.checked_sub(1).and_then(|index| entries.get_mut(index as usize)) {
            change(entry);
        }
    }

    /// Every request so far.
    pub fn entries(&self) -> Vec<LedgerEntry> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The counts so far.
    pub fn summary(&self) -> LedgerSummary {
        let mut summary = LedgerSummary::default();
        for entry in self.entries.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            *summary.by_kind.entry(format!("{}:{}", entry.api.word(), entry.operation)).or_default() += 1;
            if let Some(fault) = entry.fault {
                *summary.by_fault.entry(format!("{}:{fault}", entry.api.word())).or_default() += 1;
            }
            match (entry.api, entry.mutating, entry.dry_run) {
                (Api::Kubernetes, Mutates::Writes, DryRun::No) => summary.mutating += 1,
                (Api::Kubernetes, Mutates::Writes, DryRun::All) => summary.dry_run += 1,
                _ => {}
            }
        }
        summary
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(api: Api, mutating: Mutates, dry_run: DryRun) -> Arrival {
        Arrival {
            at: Timestamp::UNIX_EPOCH,
            api,
            operation: "patch deployments".to_owned(),
            verb: "PATCH".to_owned(),
            path: "/".to_owned(),
            dry_run,
            mutating,
            body: Bytes::new(),
        }
    }

    #[test]
    fn counts_only_kubernetes_writes_that_meant_it() {
        let ledger = Ledger::default();
        ledger.arrived(arrival(Api::Kubernetes, Mutates::Writes, DryRun::All));
        ledger.arrived(arrival(Api::Kubernetes, Mutates::AccessReview, DryRun::No));
        ledger.arrived(arrival(Api::Slack, Mutates::Writes, DryRun::No));
        assert_eq!((ledger.summary().mutating, ledger.summary().dry_run), (0, 1));
        let seq = ledger.arrived(arrival(Api::Kubernetes, Mutates::Writes, DryRun::No));
        ledger.answered(seq, 409);
        ledger.met(seq, "latency");
        assert_eq!(ledger.summary().by_fault, [("kubernetes:latency".to_owned(), 1)].into());
        let last = ledger.entries().pop().unwrap();
        assert_eq!((ledger.summary().mutating, last.seq, last.status, last.fault), (1, 4, 409, Some("latency")));
    }
}
