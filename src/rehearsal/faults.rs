//! Which fault a request meets: those of the scenario, and those that a person injects during a game day. Counts the
//! requests of faults that strike only so often.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

use super::clock::SimClock;
use super::ledger::Api;
use super::scenario::{FaultEffect, FaultSpec, Scenario};
use crate::domain::drill::{DrillChange, FaultWord, StandingFault};

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
            fault.effect == FaultEffect::Unresolved && fault.service == api && self.holds(fault, now)
        };
        let injected = self.injected.lock().unwrap_or_else(PoisonError::into_inner);
        injected.iter().any(any) || self.faults.iter().any(|(fault, _)| any(fault))
    }

    /// Carries out what a person did to the faults of a game day. A later fault stands before an earlier one, and in the
    /// place of what stood of its kind on its APIs.
    pub fn change(&self, change: &DrillChange, now: Timestamp) {
        let mut injected = self.injected.lock().unwrap_or_else(PoisonError::into_inner);
        match change {
            DrillChange::Injected { fault } => {
                take_away(&mut injected, fault);
                injected.extend(fault.services.iter().map(|api| self.spec(fault, *api)));
            }
            DrillChange::Cleared { fault } => take_away(&mut injected, fault),
            DrillChange::AllCleared => injected.clear(),
        }
        drop(injected);
        if let DrillChange::Injected { fault } = change
            && fault.holds_at(now)
            && fault.services.contains(&Api::Kubernetes)
            && breaks_watches(fault.kind)
        {
            self.restarts.send_modify(|count| *count += 1);
        }
    }

    fn spec(&self, fault: &StandingFault, service: Api) -> FaultSpec {
        FaultSpec {
            service,
            operation: operation_of(fault.kind, service).map(str::to_owned),
            resource: None,
            from: Some(fault.from.duration_since(self.start)),
            until: fault.until.map(|until| until.duration_since(self.start)),
            times: None,
            effect: FaultEffect::usual(fault.kind, service),
        }
    }

    /// The next time that watches break after an instant, by the scenario or by a drill. Whoever is to be told must hold
    /// this from the moment it counts: a restart between that moment and the first look is not missed.
    pub fn next_restart(&self, now: Timestamp) -> Restart {
        let injected = self.injected.lock().unwrap_or_else(PoisonError::into_inner);
        let later =
            injected.iter().filter(|fault| fault.service == Api::Kubernetes && breaks_watches(fault.effect.kind()));
        let own = self.faults.iter().map(|(fault, _)| fault).filter(|fault| fault.effect == FaultEffect::Restart);
        let times = own.chain(later).filter_map(|fault| Some(self.start + fault.from?));
        let declared = times.filter(|at| *at > now).min();
        Restart { declared, injected: self.restarts.subscribe() }
    }

    fn matches(&self, fault: &FaultSpec, request: Struck<'_>, now: Timestamp) -> bool {
        fault.service == request.api
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

/// Which requests a fault strikes where it does not strike all of its API.
fn operation_of(kind: FaultWord, api: Api) -> Option<&'static str> {
    match (kind, api) {
        (FaultWord::Gone, _) => Some("watch"),
        (FaultWord::Stream | FaultWord::Exception, Api::Logs) => Some("StartLiveTail"),
        _ => None,
    }
}

/// Whether watches that are open break as it begins: with their connection, or because they must be told something new.
fn breaks_watches(kind: FaultWord) -> bool {
    matches!(kind, FaultWord::Restart | FaultWord::Gone | FaultWord::Reset | FaultWord::Cut)
}

fn take_away(injected: &mut Vec<FaultSpec>, other: &StandingFault) {
    injected.retain(|fault| fault.effect.kind() != other.kind || !other.services.contains(&fault.service));
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::domain::drill::{Drill, Injection, Lasts};
    use crate::rehearsal::scenario::load;

    fn request(api: Api, operation: &'static str) -> Struck<'static> {
        Struck { api, operation, resource: None }
    }

    fn injected(injection: Injection, now: Timestamp) -> DrillChange {
        DrillChange::Injected { fault: injection.at(now) }
    }

    fn drilled(drill: Drill, now: Timestamp) -> DrillChange {
        injected(drill.injection().unwrap(), now)
    }

    #[test]
    fn a_drill_strikes_its_apis_for_its_time_and_clearing_ends_it() {
        let scenario = load("oom-leak").unwrap();
        let plan = FaultPlan::new(&scenario);
        let begins = scenario.start + SignedDuration::from_secs(10);
        let logs = request(Api::Logs, "FilterLogEvents");
        assert_eq!(plan.strike(logs, begins), None);
        plan.change(&drilled(Drill::ThrottleLogs, begins), begins);
        let last = begins + SignedDuration::from_secs(59);
        assert_eq!(plan.strike(logs, last), Some(FaultEffect::Throttled));
        assert_eq!(plan.strike(request(Api::CloudWatch, "DescribeAlarms"), last), None);
        assert_eq!(plan.strike(logs, last + SignedDuration::from_secs(1)), None, "it ends by itself");
        plan.change(&drilled(Drill::ExpireCredentials, begins), begins);
        assert_eq!(plan.strike(logs, last), Some(FaultEffect::Expired), "the later one stands first");
        plan.change(&DrillChange::AllCleared, last);
        assert_eq!(plan.strike(logs, last), None);
    }

    #[test]
    fn one_fault_is_cleared_and_its_like_on_other_apis_stays() {
        let scenario = load("oom-leak").unwrap();
        let (plan, now) = (FaultPlan::new(&scenario), scenario.start);
        let lasts = Lasts::UntilCleared;
        plan.change(&injected(Injection { apis: &Api::AWS, kind: FaultWord::Denied, lasts }, now), now);
        let of_logs = Injection { apis: &[Api::Logs], kind: FaultWord::Denied, lasts: Lasts::Seconds(30) }.at(now);
        let struck =
            |api, operation, seconds| plan.strike(request(api, operation), now + SignedDuration::from_secs(seconds));
        plan.change(&DrillChange::Injected { fault: of_logs.clone() }, now);
        assert_eq!(struck(Api::Logs, "FilterLogEvents", 29), Some(FaultEffect::Denied));
        assert_eq!(
            struck(Api::Logs, "FilterLogEvents", 30),
            None,
            "its own time has taken the place of the longer one"
        );
        plan.change(&DrillChange::Cleared { fault: of_logs }, now);
        assert_eq!(struck(Api::Logs, "FilterLogEvents", 1), None);
        assert_eq!(struck(Api::Sts, "GetCallerIdentity", 9_999), Some(FaultEffect::Denied), "until it is cleared");
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
    fn every_kind_is_what_it_is_called_and_every_drill_strikes_what_exists() {
        for kind in FaultWord::ALL {
            for api in kind.apis() {
                assert_eq!(FaultEffect::usual(kind, *api).kind(), kind, "{api:?}");
            }
        }
        for drill in Drill::ALL {
            let injection = drill.injection();
            assert!(injection.iter().all(|one| one.apis.iter().all(|api| one.kind.is_of(*api))), "{drill:?}");
            assert_eq!(injection.is_none(), drill == Drill::Calm, "{drill:?}");
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
        plan.change(&drilled(Drill::RestartApiServer, scenario.start), scenario.start);
        waiting.await;
        before_its_first_look.comes(&clock).await;
    }
}
