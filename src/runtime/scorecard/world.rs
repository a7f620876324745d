//! What the adapters would bring home from a scenario's cloud at the page, asked of its world without a socket.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::adapters::kubernetes::{Objects, objects, tell_once};
use crate::domain::diagnosis::evidence::{
    self, Answer, Evidence, EvidenceId, EvidenceSource, LogDigest, Payload, Question, unanswered,
};
use crate::domain::diagnosis::statistics::DAYS_ASKED;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::alarm::{
    Alarm, AlarmRule, AlarmState, Bound, Calls, Comparison, names_scaling, severity_of,
};
use crate::domain::observation::log::{Completeness, Ingest, LogGroup, RawLogEvent};
use crate::domain::observation::metric::{MetricQuery, MetricRole, Point, Series, Unit};
use crate::domain::observation::scope::Window;
use crate::domain::observation::service::{Origin, Service, ServiceName, Surroundings, infer};
use crate::domain::observation::workload::{ClusterEvent, WorkloadRef};
use crate::rehearsal::cluster::Cluster;
use crate::rehearsal::cluster::kind::row;
use crate::rehearsal::faults::{FaultPlan, Struck};
use crate::rehearsal::ledger::Api;
use crate::rehearsal::scenario::{ConditionSpec, FaultEffect, MetricSpec, Scenario, ServiceSpec, WorkloadSpec};
use crate::rehearsal::server::{cluster_of, lives_of};
use crate::rehearsal::world::{AlarmNow, Sight, World};

/// The evidence of a case, when it was judged, and what the page was about.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) evidence: Vec<Evidence>,
    pub(super) now: Timestamp,
    pub(super) service: ServiceName,
}

/// Minutes judged, as in the cockpit.
const MINUTES: i64 = 30;
/// The page comes within so long after the start.
const PAGE: SignedDuration = SignedDuration::from_mins(10);
const STEP: SignedDuration = SignedDuration::from_secs(5);

/// Waits for the page and reads what it is about: the first page, or, of a variation, the first about the service of the
/// scenario as written. A lesser alarm of another service that is there already is another incident, judged by itself.
pub(super) fn evidence(scenario: &Scenario, seed: u64, about: Option<&ServiceName>) -> Result<Seen, Fault> {
    let scenario = Arc::new(scenario.clone());
    let world = Arc::new(World::new(Arc::clone(&scenario), seed)?);
    let mut cluster = cluster_of(&world, seed);
    let mut now = scenario.start + STEP;
    loop {
        cluster.advance(now);
        let lives = lives_of(&scenario, &cluster);
        let sight = world.at(now, &lives);
        if let Some((alarm, service)) = page(&sight, about) {
            let cloud = Cloud { scenario: &scenario, sight, faults: FaultPlan::new(&scenario), now };
            let evidence = cloud.evidence((&alarm, &service), &cluster);
            return Ok(Seen { evidence, now, service: service.name });
        }
        if now >= scenario.start + PAGE {
            return Err(Fault::new(FaultKind::Usage, format!("No alarm of {} fires in time.", scenario.name)));
        }
        now += STEP;
    }
}

/// The worst of the firing alarms that page somebody, by name among equals, with the service it is about.
fn page(sight: &Sight<'_>, about: Option<&ServiceName>) -> Option<(Alarm, Service)> {
    let scenario = sight.scenario();
    let configured: Vec<Service> = scenario.services.iter().map(service).collect();
    let workloads: Vec<_> = scenario.workloads.iter().map(WorkloadSpec::target).collect();
    let groups: BTreeSet<&str> = scenario.logs.iter().map(|log| log.group.as_str()).collect();
    let log_groups: Vec<LogGroup> = groups.into_iter().map(LogGroup::new).collect();
    let around = Surroundings {
        configured: &configured,
        workloads: &workloads,
        log_groups: Some(&log_groups),
        ..Surroundings::default()
    };
    let firing = sight
        .alarms()
        .into_iter()
        .filter(|alarm| alarm.state() == AlarmState::Alarm && !names_scaling(&alarm.spec.name));
    let pages = firing.map(|alarm| {
        let alarm = told(scenario, &alarm);
        let service = infer(&alarm, &around);
        (alarm, service)
    });
    pages.filter(|(_, service)| about.is_none_or(|about| service.name == *about)).min_by(|(a, _), (b, _)| {
        a.severity.cmp(&b.severity).then_with(|| a.since.cmp(&b.since)).then_with(|| a.name.cmp(&b.name))
    })
}

fn told(scenario: &Scenario, alarm: &AlarmNow<'_>) -> Alarm {
    let spec = alarm.spec;
    let id = |name: &str| {
        scenario.metrics.iter().find(|metric| metric.id == name).map(MetricSpec::named).unwrap_or_default()
    };
    let rule = match &spec.condition {
        ConditionSpec::Threshold { comparison, threshold, math: Some(math), .. } => AlarmRule::Math {
            expression: math.expression.clone(),
            comparison: *comparison,
            threshold: Some(*threshold),
            metrics: math.inputs.values().map(|name| id(name)).collect(),
            // The pure world is judged without the wire, where these are asked.
            queries: Vec::new(),
        },
        ConditionSpec::AnomalyBand { metric, deviations, .. } => AlarmRule::Math {
            expression: format!("ANOMALY_DETECTION_BAND({metric}, {deviations})"),
            comparison: Comparison::OutsideBand,
            threshold: None,
            metrics: vec![id(metric)],
            queries: Vec::new(),
        },
        ConditionSpec::Threshold { metric, statistic, comparison, threshold, period_s, .. } => AlarmRule::Metric {
            metric: id(metric),
            statistic: *statistic,
            period_s: *period_s,
            comparison: *comparison,
            threshold: *threshold,
        },
        ConditionSpec::Fixed { metric, statistic, comparison, threshold, .. } => AlarmRule::Metric {
            metric: id(metric),
            statistic: *statistic,
            period_s: 60,
            comparison: *comparison,
            threshold: *threshold,
        },
        ConditionSpec::Composite { rule } => AlarmRule::Composite { rule: rule.clone() },
    };
    Alarm {
        name: spec.name.as_str().into(),
        arn: String::new(),
        description: spec.description.clone(),
        state: alarm.state(),
        reason: String::new(),
        since: alarm.last().map_or(scenario.start, |step| step.at),
        severity: severity_of(&spec.name, &spec.description),
        rule,
        value: None,
        evaluation: None,
        calls: Calls::default(),
    }
}

fn service(spec: &ServiceSpec) -> Service {
    let query = |(role, metric): (&MetricRole, &crate::rehearsal::scenario::ServiceMetric)| {
        let (statistic, period_s) = (metric.statistic, metric.period_s);
        (*role, MetricQuery { role: *role, metric: metric.named(), statistic, period_s })
    };
    Service {
        name: spec.name.clone(),
        workload: spec.workload.clone(),
        log_groups: spec.log_groups.clone(),
        metrics: spec.metrics.iter().map(query).collect(),
        helm_release: spec.helm_release.clone(),
        links: spec.links.clone(),
        origin: Origin::Configured,
    }
}

/// The cloud at the page.
struct Cloud<'a> {
    scenario: &'a Scenario,
    sight: Sight<'a>,
    faults: FaultPlan,
    now: Timestamp,
}

impl Cloud<'_> {
    fn evidence(&self, (alarm, service): (&Alarm, &Service), cluster: &Cluster) -> Vec<Evidence> {
        let window = Window::minutes_before(self.now, MINUTES);
        let digest = self.logs(service, window);
        let found = self.objects(cluster);
        let mut answers = BTreeMap::new();
        for question in Question::ALL {
            if let Some(answer) = self.answer(question, (alarm, service), (&digest, &found), window) {
                answers.insert(question, answer);
            }
        }
        let piece = |(n, (question, answer)): (u32, (Question, Answer))| Evidence {
            id: EvidenceId(n),
            question,
            source: EvidenceSource::Combined,
            query: question.word().to_owned(),
            window,
            asked_at: self.now,
            answered_at: self.now,
            answer,
        };
        (1..).zip(answers).map(piece).collect()
    }

    fn answer(
        &self,
        question: Question,
        (alarm, service): (&Alarm, &Service),
        (digest, found): (&Result<LogDigest, Fault>, &Read),
        window: Window,
    ) -> Option<Answer> {
        let logs = digest.as_ref().ok().map(|digest| (digest, Completeness::Exact));
        let target = service.workload.as_ref();
        let role = |role| self.role(role, alarm, service, window);
        Some(match question {
            Question::Memory => self.by_the_hour(role(MetricRole::Memory), window),
            Question::Traffic => self.by_the_hour(role(MetricRole::Requests), window),
            Question::Cpu => self.by_the_hour(role(MetricRole::Cpu), window),
            Question::Errors => role(MetricRole::Errors),
            Question::Latency => role(MetricRole::Latency),
            Question::AlarmMetric => return self.own_metric(alarm, service, window),
            Question::Collector => {
                let series = service
                    .metrics
                    .get(&MetricRole::CollectorTime)
                    .and_then(|query| self.series(query, window).ok()?);
                let (now, before) = series.unzip();
                match (&now, digest) {
                    (None, Err(fault)) => unanswered(fault.clone()),
                    _ => evidence::collector(now, before, logs),
                }
            }
            Question::LogPatterns => match digest {
                Ok(digest) => evidence::log_patterns(digest, Completeness::Exact),
                Err(fault) => unanswered(fault.clone()),
            },
            Question::OomKills => {
                let pods = found.pods.as_ref().ok().map(|objects| objects.pods.as_slice());
                let own: Option<Vec<_>> =
                    pods.map(|pods| pods.iter().filter(|pod| pod.owner.as_ref() == target).cloned().collect());
                let events: Option<Vec<_>> = found.events.as_ref().ok().map(|objects| {
                    let known = pods.unwrap_or_default();
                    let is_own = |event: &&ClusterEvent| target.is_some_and(|target| event.is_about(target, known));
                    objects.events.iter().filter(is_own).cloned().collect()
                });
                match (&logs, &own, &events, &found.pods) {
                    (None, None, None, Err(fault)) => unanswered(fault.clone()),
                    _ => evidence::oom_kills(logs, own.as_deref(), events.as_deref(), window),
                }
            }
            Question::Workload => Self::workload(target, found),
            Question::Changes => match (&found.sets, target) {
                (Err(fault), _) => unanswered(fault.clone()),
                (Ok(objects), Some(target)) => {
                    let revisions = objects.revisions.get(&target.key()).cloned().unwrap_or_default();
                    evidence::changes(revisions, found.others(&target.key()))
                }
                (Ok(_), None) => Answer::NotAsked { why: "no workload is known".to_owned() },
            },
        })
    }

    fn workload(target: Option<&WorkloadRef>, found: &Read) -> Answer {
        let Some(target) = target else { return Answer::NotAsked { why: "no workload is known".to_owned() } };
        match (&found.workloads, &found.pods) {
            (Err(fault), _) | (_, Err(fault)) => unanswered(fault.clone()),
            (Ok(all), Ok(pods)) => {
                let events = found.events.as_ref().map_or(&[][..], |objects| objects.events.as_slice());
                match all.workloads.iter().find(|workload| workload.target == *target) {
                    Some(workload) => {
                        let unread = found.events.as_ref().err().map(|fault| format!("events ({})", fault.summary));
                        let answer = evidence::workload(workload.clone(), &pods.pods, events);
                        evidence::in_part(answer, unread.into_iter().collect())
                    }
                    None => Answer::Absent,
                }
            }
        }
    }

    fn role(&self, role: MetricRole, alarm: &Alarm, service: &Service, window: Window) -> Answer {
        match service.metrics.get(&role) {
            Some(query) => self.metric((query, service.metrics.get(&MetricRole::Requests)), alarm, window),
            None => Answer::NotAsked { why: format!("no metric is known for {}", role.word()) },
        }
    }

    /// With the same minutes of the days before.
    fn by_the_hour(&self, answer: Answer, window: Window) -> Answer {
        let Some(Payload::Series { series, .. }) = answer.payload() else { return answer };
        let mut earlier = Vec::new();
        for days in DAYS_ASKED {
            let back = SignedDuration::from_hours(24 * days);
            let day = Window { from: window.from - back, to: window.to - back };
            match self.series(&series.query, day) {
                Ok(found) => earlier.extend(found.into_iter().flat_map(|(inside, _)| inside.points)),
                Err(fault) => return evidence::with_same_hours(answer, Err(fault.summary)),
            }
        }
        evidence::with_same_hours(answer, Ok(&earlier))
    }

    /// The alarm's own metric, where no role of the service reads it.
    fn own_metric(&self, alarm: &Alarm, service: &Service, window: Window) -> Option<Answer> {
        let AlarmRule::Metric { metric, statistic, period_s, .. } = &alarm.rule else { return None };
        let is_it =
            |query: &MetricQuery| (&query.metric, &query.statistic, &query.period_s) == (metric, statistic, period_s);
        if service.metrics.values().any(is_it) {
            return None;
        }
        let role = MetricRole::Alarm;
        let query = MetricQuery { role, metric: metric.clone(), statistic: *statistic, period_s: *period_s };
        let requests = service.metrics.get(&MetricRole::Requests).and_then(|requests| query.beside(requests));
        Some(self.by_the_hour(self.metric((&query, requests.as_ref()), alarm, window), window))
    }

    /// A metric, with the zeros that requests beside it tell of.
    fn metric(&self, (query, requests): (&MetricQuery, Option<&MetricQuery>), alarm: &Alarm, window: Window) -> Answer {
        let bound = alarm.bound_of(query).or_else(|| self.bound(query));
        match self.series(query, window).map(|found| self.with_zeros(found, (query, requests), window)) {
            Ok(Some((series, baseline))) => evidence::series(series, Some(baseline), bound),
            Ok(None) => Answer::Absent,
            Err(fault) => unanswered(fault),
        }
    }

    fn with_zeros(
        &self,
        found: Option<(Series, Series)>,
        (query, requests): (&MetricQuery, Option<&MetricQuery>),
        window: Window,
    ) -> Option<(Series, Series)> {
        let beside = requests.filter(|requests| query.is_zero_beside(requests));
        let Some((asked, asked_before)) = beside.and_then(|requests| self.series(requests, window).ok()?) else {
            return found;
        };
        let empty = || Series::new(query.clone(), Unit::Count, []);
        let (inside, before) = found.unwrap_or_else(|| (empty(), empty()));
        Some((inside.with_zeros(&asked)?, before.with_zeros(&asked_before)?))
    }

    /// The constant of another alarm that fires and compares the series: it belongs to the same incident.
    fn bound(&self, query: &MetricQuery) -> Option<Bound> {
        let firing = self.sight.alarms().into_iter().filter(|alarm| alarm.state() == AlarmState::Alarm);
        firing.map(|alarm| told(self.scenario, &alarm)).find_map(|alarm| alarm.bound_of(query))
    }

    /// The window it is judged over and what came before.
    fn series(&self, query: &MetricQuery, window: Window) -> Result<Option<(Series, Series)>, Fault> {
        self.struck(Api::CloudWatch, "GetMetricData", None)?;
        let Some(spec) = self.scenario.metrics.iter().find(|spec| spec.named() == query.metric) else {
            return Ok(None);
        };
        let period = SignedDuration::from_secs(i64::from(query.period_s.max(60)));
        let floor = |at: Timestamp| {
            let second = at.as_second().div_euclid(period.as_secs()) * period.as_secs();
            Timestamp::from_second(second).unwrap_or(at)
        };
        let (read, judged) = (query.read_over(window), query.judged_over(window));
        let (from, middle, to) = (floor(read.from), floor(judged.from), floor(read.to));
        let mut points = Vec::new();
        let mut at = from;
        while at < to {
            let value = self.sight.combined(&spec.id, query.statistic, (at, at + period));
            points.extend(value.map(|value| Point { at, value }));
            at += period;
        }
        let (before, inside): (Vec<Point>, Vec<Point>) = points.into_iter().partition(|point| point.at < middle);
        let series = |points| Series::new(query.clone(), spec.unit, points);
        Ok((!inside.is_empty() || !before.is_empty()).then(|| (series(inside), series(before))))
    }

    fn logs(&self, service: &Service, window: Window) -> Result<LogDigest, Fault> {
        if service.log_groups.is_empty() {
            return Err(Fault::new(FaultKind::NotConfigured, "no log group is known"));
        }
        self.struck(Api::Logs, "FilterLogEvents", None)?;
        let mut digest = LogDigest::new(window);
        for group in &service.log_groups {
            let mut ingest = Ingest::of(group);
            for event in self.sight.log_events(group.as_str(), window.from, window.to) {
                let (id, at) = (event.place.id().into(), event.place.at);
                let raw = RawLogEvent {
                    id,
                    at,
                    stream: event.stream.to_string(),
                    message: event.message.as_ref().to_owned(),
                };
                digest.add(&ingest.line(raw));
            }
        }
        Ok(digest)
    }

    fn objects(&self, cluster: &Cluster) -> Read {
        let read = |resources: &[&str]| -> Result<Objects, Fault> {
            let mut values = Vec::new();
            for resource in resources {
                self.struck(Api::Kubernetes, "list", Some(resource))?;
                values.extend(cluster.store().list(row(resource), None).map(|(_, object)| (**object).clone()));
            }
            Ok(objects(&values))
        };
        let mut events = read(&["events"]);
        if let (Ok(events), Ok(nodes)) = (&mut events, read(&["nodes"])) {
            nodes.events.into_iter().for_each(|told| tell_once(&mut events.events, told));
        }
        Read {
            workloads: read(&["deployments", "statefulsets", "daemonsets"]),
            pods: read(&["deployments", "replicasets", "pods"]),
            events,
            sets: read(&["deployments", "replicasets", "controllerrevisions"]),
            others: [
                ("secrets", read(&["deployments", "secrets"])),
                ("configmaps", read(&["deployments", "configmaps"])),
                ("horizontalpodautoscalers", read(&["deployments", "horizontalpodautoscalers"])),
                ("node events", read(&["deployments", "replicasets", "pods", "events", "nodes"])),
            ],
        }
    }

    /// The fault that a request meets for good; one that only delays, or strikes so many times, is outlived by retries.
    fn struck(&self, api: Api, operation: &str, resource: Option<&str>) -> Result<(), Fault> {
        let lasting = self.scenario.faults.iter().all(|fault| fault.times.is_none());
        match self.faults.strike(Struck { api, operation, resource }, self.now).filter(|_| lasting) {
            None
            | Some(
                FaultEffect::Latency { .. }
                | FaultEffect::Gone
                | FaultEffect::Pages { .. }
                | FaultEffect::Refused { .. }
                // The client learns what time it is by the first refusal.
                | FaultEffect::Skewed { .. }
                | FaultEffect::Stream { .. },
            ) => Ok(()),
            Some(FaultEffect::Denied) => Err(Fault::new(FaultKind::Denied, format!("{operation} is denied."))),
            Some(FaultEffect::Expired) => {
                Err(Fault::new(FaultKind::Credentials, "The credentials have expired."))
            }
            Some(FaultEffect::Throttled) => Err(Fault::new(FaultKind::Throttled, format!("{operation} is throttled."))),
            Some(FaultEffect::Empty) => Err(Fault::new(FaultKind::NotFound, format!("{operation} answers nothing."))),
            Some(FaultEffect::Malformed) => {
                Err(Fault::new(FaultKind::Malformed, format!("{operation} is unreadable.")))
            }
            Some(
                effect @ (FaultEffect::Unavailable
                | FaultEffect::Cut { .. }
                | FaultEffect::Silence
                | FaultEffect::Reset
                | FaultEffect::Unresolved
                | FaultEffect::Restart),
            ) => Err(Fault::new(FaultKind::Unavailable, format!("{operation} meets {}.", effect.word()))),
        }
    }
}

/// What the cluster answered, by what was asked.
struct Read {
    workloads: Result<Objects, Fault>,
    pods: Result<Objects, Fault>,
    events: Result<Objects, Fault>,
    sets: Result<Objects, Fault>,
    others: [(&'static str, Result<Objects, Fault>); 4],
}

impl Read {
    /// Changes beside rollouts of a workload.
    fn others(&self, key: &str) -> evidence::OtherChanges {
        let mut found = evidence::OtherChanges::default();
        for (resource, read) in &self.others {
            match read {
                Ok(objects) => found.changes.extend(objects.changes.get(key).cloned().unwrap_or_default()),
                Err(fault) => found.unread.push(format!("{resource} ({})", fault.summary)),
            }
        }
        found
    }
}
