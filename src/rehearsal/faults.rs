//! Which fault of the scenario a request meets. Counts the requests of faults that strike only so often.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;

use super::ledger::Api;
use super::scenario::{FaultEffect, FaultSpec, Scenario};

/// A request as far as a fault looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Struck<'a> {
    /// Which API.
    pub api: Api,
    /// The operation; for Kubernetes the verb (`list`, `get`, `watch`, `patch`, …).
    pub operation: &'a str,
    /// The resource, for Kubernetes, such as `pods`.
    pub resource: Option<&'a str>,
}

/// The faults of a scenario.
#[derive(Debug)]
pub struct FaultPlan {
    start: Timestamp,
    faults: Vec<(FaultSpec, AtomicU64)>,
}

impl FaultPlan {
    /// The plan of a scenario.
    pub fn new(scenario: &Scenario) -> Self {
        let faults = scenario.faults.iter().map(|fault| (fault.clone(), AtomicU64::new(0))).collect();
        Self { start: scenario.start, faults }
    }

    /// The first fault that strikes the request now. Counts it as struck.
    pub fn strike(&self, request: Struck<'_>, now: Timestamp) -> Option<FaultEffect> {
        self.faults
            .iter()
            .find(|(fault, struck)| {
                self.matches(fault, request, now)
                    && fault.times.is_none_or(|times| struck.fetch_add(1, Ordering::Relaxed) < times)
            })
            .map(|(fault, _)| fault.effect.clone())
    }

    /// Whether a request would be denied now, without striking: what an access review asks.
    pub fn denies(&self, request: Struck<'_>, now: Timestamp) -> bool {
        self.faults.iter().any(|(fault, _)| fault.effect == FaultEffect::Denied && self.matches(fault, request, now))
    }

    fn matches(&self, fault: &FaultSpec, request: Struck<'_>, now: Timestamp) -> bool {
        fault.service.api() == request.api
            && fault.operation.as_deref().is_none_or(|operation| operation == request.operation)
            && fault.resource.as_deref().is_none_or(|resource| Some(resource) == request.resource)
            && fault.from.is_none_or(|from| self.start + from <= now)
            && fault.until.is_none_or(|until| now < self.start + until)
    }
}

impl FaultEffect {
    /// The word in the ledger.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Latency { .. } => "latency",
            Self::Throttled => "throttled",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Unavailable => "unavailable",
            Self::Cut { .. } => "cut",
            Self::Silence => "silence",
            Self::Empty => "empty",
            Self::Gone => "gone",
        }
    }
}
