//! Which fault a request meets: those of the scenario, and those that a person injects during a game day. Counts the
//! requests of faults that strike only so often.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use super::clock::SimClock;
use super::ledger::Api;
use super::scenario::{FaultEffect, FaultSpec, Scenario, ServiceWord};
use crate::domain::drill::Drill;

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

/// How often a fault has struck. All that it meets in one instant counts once: which of two requests that go out together
/// comes in first is the machine's choice, and a clock that stands has many in one instant.
#[derive(Clone, Copy, Debug, Default)]
struct Strikes {
    count: u64,
    last: Option<Timestamp>,
}

impl Strikes {
    /// Whether one is left now of so many.
    fn has_left(self, times: u64, now: Timestamp) -> bool {
        self.last == Some(now) || self.count < times
    }

    fn strike(&mut self, now: Timestamp) {
        self.count += u64::from(self.last != Some(now));
        self.last = Some(now);
    }
}

/// The faults of a scenario, and those injected since.
#[derive(Debug)]
pub struct FaultPlan {
    start: Timestamp,
    faults: Vec<(FaultSpec, Mutex<Strikes>)>,
    injected: Mutex<Vec<FaultSpec>>,
    /// Counts the restarts of the API server that were injected, for the watches that are open.
    restarts: watch::Sender<u64>,
}

impl FaultPlan {
    /// The plan of a scenario.
    pub fn new(scenario: &Scenario) -> Self {
        let faults = scenario.faults.iter().map(|fault| (fault.clone(), Mutex::default())).collect();
        Self { start: scenario.start, faults, injected: Mutex::default(), restarts: watch::Sender::new(0) }
    }

    /// The first fault that strikes the request now, the injected ones before the scenario's. Counts it as struck.
    pub fn strike(&self, request: Struck<'_>, now: Timestamp) -> Option<FaultEffect> {
        let injected = self.injected.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fault) = injected.iter().rev().find(|fault| self.matches(fault, request, now)) {
            return Some(fault.effect.clone());
        }
        self.faults
            .iter()
            .find(|(fault, strikes)| {
                let mut strikes = strikes.lock().unwrap_or_else(PoisonError::into_inner);
                let hits =
                    self.matches(fault, request, now) && fault.times.is_none_or(|most| strikes.has_left(most, now));
                if hits {
                    strikes.strike(now);
                }
                hits
            })
            .map(|(fault, _)| fault.effect.clone())
    }

    /// The fault that would strike a request now, without striking: what befalls an answer that is still under way.
    pub fn standing(&self, request: Struck<'_>, now: Timestamp) -> Option<FaultEffect> {
        let injected = self.injected.lock().unwrap_or_else(PoisonError::into_inner);
        let is_left = |(fault, strikes): &&(FaultSpec, Mutex<Strikes>)| {
            let strikes = *strikes.lock().unwrap_or_else(PoisonError::into_inner);
            fault.times.is_none_or(|most| strikes.has_left(most, now)) && self.matches(fault, request, now)
        };
        let later = injected.iter().rev().find(|fault| self.matches(fault, request, now));
        later.or_else(|| self.faults.iter().find(is_left).map(|(fault, _)| fault)).map(|fault| fault.effect.clone())
    }

    /// Whether a request would be denied now, without striking: what an access review asks.
    pub fn denies(&self, request: Struck<'_>, now: Timestamp) -> bool {
        let denies = |fault: &FaultSpec| fault.effect == FaultEffect::Denied && self.matches(fault, request, now);
        let injected = self.injected.lock().unwrap_or_else(PoisonError::into_inner);
        injected.iter().any(denies) || self.faults.iter().any(|(fault, _)| denies(fault))
    }

    /// Whether the name of an API does not resolve now.
    pub fn hides(&self, api: Api, now: Timestamp) -> bool {
        let any = |fault: &FaultSpec| {
            fault.effect == FaultEffect::Unresolved && fault.service.api() == api && self.holds(fault, now)
        };
        let injected = self.injected.lock().unwrap_or_else(PoisonError::into_inner);
        injected.iter().any(any) || self.faults.iter().any(|(fault, _)| any(fault))
    }

    /// Lets a drill begin now; a later one stands before an earlier one. The last, [`Drill::Calm`], ends them all.
    pub fn inject(&self, drill: Drill, now: Timestamp) {
        let from = now.duration_since(self.start);
        let until = from + SignedDuration::from_secs(i64::from(drill.seconds()));
        let mut injected = self.injected.lock().unwrap_or_else(PoisonError::into_inner);
        if drill == Drill::Calm {
            injected.clear();
            return;
        }
        injected.extend(faults_of(drill).into_iter().map(|(service, effect)| FaultSpec {
            service,
            operation: operation_of(drill).map(str::to_owned),
            resource: None,
            from: Some(from),
            until: Some(until),
            times: None,
            effect,
        }));
        drop(injected);
        if matches!(drill, Drill::RestartApiServer | Drill::ForgetVersions) {
            self.restarts.send_modify(|count| *count += 1);
        }
    }

    /// The next time that the API server goes away after an instant, by the scenario or by a drill. Whoever is to be told
    /// must hold this from the moment it counts: a restart between that moment and the first look is not missed.
    pub fn next_restart(&self, now: Timestamp) -> Restart {
        let restarts = self.faults.iter().filter(|(fault, _)| fault.effect == FaultEffect::Restart);
        let declared = restarts.filter_map(|(fault, _)| Some(self.start + fault.from?)).filter(|at| *at > now).min();
        Restart { declared, injected: self.restarts.subscribe() }
    }

    fn matches(&self, fault: &FaultSpec, request: Struck<'_>, now: Timestamp) -> bool {
        fault.service.api() == request.api
            && fault.operation.as_deref().is_none_or(|operation| operation == request.operation)
            && fault.resource.as_deref().is_none_or(|resource| Some(resource) == request.resource)
            && self.holds(fault, now)
    }

    fn holds(&self, fault: &FaultSpec, now: Timestamp) -> bool {
        fault.from.is_none_or(|from| self.start + from <= now)
            && fault.until.is_none_or(|until| now < self.start + until)
    }
}

/// A restart of the API server that is to come.
#[derive(Debug)]
pub struct Restart {
    declared: Option<Timestamp>,
    injected: watch::Receiver<u64>,
}

impl Restart {
    /// Waits until it comes.
    pub async fn comes(mut self, clock: &SimClock) {
        let declared = async {
            match self.declared {
                Some(at) => clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = declared => {}
            // An error means that the plan is gone, and the server with it.
            _ = self.injected.changed() => {}
        }
    }
}

/// What a drill does to which API.
fn faults_of(drill: Drill) -> Vec<(ServiceWord, FaultEffect)> {
    use ServiceWord::{Bedrock, Charts, Cloudwatch, Kubernetes, Logs, Slack, Sts};
    let aws = |effect: FaultEffect| [Cloudwatch, Logs, Bedrock, Sts].map(|service| (service, effect.clone())).to_vec();
    match drill {
        Drill::ThrottleLogs => vec![(Logs, FaultEffect::Throttled)],
        Drill::ThrottleMetrics => vec![(Cloudwatch, FaultEffect::Throttled)],
        Drill::SilenceLogs => vec![(Logs, FaultEffect::Silence)],
        Drill::DenyLogs => vec![(Logs, FaultEffect::Denied)],
        Drill::ExpireCredentials => aws(FaultEffect::Expired),
        Drill::SlowAws => aws(FaultEffect::Latency { delay: SignedDuration::from_secs(3) }),
        Drill::BreakModel => {
            let exception = Some("modelStreamErrorException".to_owned());
            vec![(Bedrock, FaultEffect::Stream { after_frames: 40, exception })]
        }
        Drill::ThrottleModel => vec![(Bedrock, FaultEffect::Throttled)],
        Drill::RestartApiServer => vec![(Kubernetes, FaultEffect::Restart)],
        Drill::ForgetVersions => vec![(Kubernetes, FaultEffect::Gone)],
        Drill::RefuseSlack => vec![(Slack, FaultEffect::Throttled)],
        Drill::HideAws => aws(FaultEffect::Unresolved),
        Drill::HideCluster => vec![(Kubernetes, FaultEffect::Unresolved)],
        Drill::SkewClock => aws(FaultEffect::Skewed),
        Drill::FailAws => aws(FaultEffect::Unavailable),
        Drill::ResetLogs => vec![(Logs, FaultEffect::Reset)],
        Drill::GarbleMetrics => vec![(Cloudwatch, FaultEffect::Malformed)],
        Drill::CutModel => vec![(Bedrock, FaultEffect::Stream { after_frames: 40, exception: None })],
        Drill::SmallPages => {
            let pages = |size| FaultEffect::Pages { size };
            vec![(Logs, pages(50)), (Cloudwatch, pages(20)), (Kubernetes, pages(2))]
        }
        Drill::DenyCluster => vec![(Kubernetes, FaultEffect::Denied)],
        Drill::CutLogs => vec![(Logs, FaultEffect::Cut { after_bytes: 200 })],
        Drill::SlowCluster => vec![(Kubernetes, FaultEffect::Latency { delay: SignedDuration::from_secs(3) })],
        Drill::ThrottleCluster => vec![(Kubernetes, FaultEffect::Throttled)],
        Drill::FailCluster => vec![(Kubernetes, FaultEffect::Unavailable)],
        Drill::SilenceCluster => vec![(Kubernetes, FaultEffect::Silence)],
        Drill::ExpireCluster => vec![(Kubernetes, FaultEffect::Expired)],
        Drill::HideCharts => vec![(Charts, FaultEffect::Unresolved)],
        Drill::Calm => Vec::new(),
    }
}

fn operation_of(drill: Drill) -> Option<&'static str> {
    (drill == Drill::ForgetVersions).then_some("watch")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::scenario::load;

    fn request(api: Api, operation: &'static str) -> Struck<'static> {
        Struck { api, operation, resource: None }
    }

    #[test]
    fn a_drill_strikes_its_apis_for_its_time_and_calm_ends_it() {
        let scenario = load("oom-leak").unwrap();
        let plan = FaultPlan::new(&scenario);
        let begins = scenario.start + SignedDuration::from_secs(10);
        let logs = request(Api::Logs, "FilterLogEvents");
        assert_eq!(plan.strike(logs, begins), None);
        plan.inject(Drill::ThrottleLogs, begins);
        let last = begins + SignedDuration::from_secs(59);
        assert_eq!(plan.strike(logs, last), Some(FaultEffect::Throttled));
        assert_eq!(plan.strike(request(Api::CloudWatch, "DescribeAlarms"), last), None);
        assert_eq!(plan.strike(logs, last + SignedDuration::from_secs(1)), None, "it ends by itself");
        plan.inject(Drill::ExpireCredentials, begins);
        assert_eq!(plan.strike(logs, last), Some(FaultEffect::Expired), "the later one stands first");
        plan.inject(Drill::Calm, last);
        assert_eq!(plan.strike(logs, last), None);
    }

    #[test]
    fn requests_of_one_instant_meet_a_counted_fault_together() {
        let text = "based_on = \"oom-leak\"\nname = \"test\"\ntitle = \"t\"\nteaches = \"t\"\n\
            [[fault]]\nservice = \"logs\"\ntimes = 2\neffect = { kind = \"throttled\" }\n\
            [expect]\ncause = \"memory-leak\"\nconclusive = true\n";
        let scenario = crate::rehearsal::scenario::parse(text, "test").unwrap();
        let plan = FaultPlan::new(&scenario);
        let struck = |seconds: i64| {
            let now = scenario.start + SignedDuration::from_secs(seconds);
            plan.strike(request(Api::Logs, "FilterLogEvents"), now).is_some()
        };
        assert_eq!([1, 1, 1, 2, 2, 3, 4].map(struck), [true, true, true, true, true, false, false]);
    }

    #[test]
    fn every_drill_strikes_what_exists() {
        for drill in Drill::ALL {
            for (service, effect) in faults_of(drill) {
                assert!(effect.is_of(service.api()), "{drill:?}");
            }
            assert_eq!(faults_of(drill).is_empty(), drill == Drill::Calm, "{drill:?}");
        }
    }

    #[tokio::test]
    async fn an_injected_restart_reaches_who_waits_for_one() {
        let scenario = load("oom-leak").unwrap();
        let plan = FaultPlan::new(&scenario);
        let clock = SimClock::new(scenario.start, crate::rehearsal::clock::Speed::Max);
        let mut waiting = Box::pin(plan.next_restart(clock.now()).comes(&clock));
        assert!(futures::poll!(&mut waiting).is_pending());
        let before_its_first_look = plan.next_restart(clock.now());
        plan.inject(Drill::RestartApiServer, scenario.start);
        waiting.await;
        before_its_first_look.comes(&clock).await;
    }
}
