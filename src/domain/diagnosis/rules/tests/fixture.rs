//! An incident made by hand: healthy to begin with, one thing after another made sick.

mod pods;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

pub(in super::super) use super::stand::{Stand, table};
use crate::domain::diagnosis::evidence::{
    self, Answer, Evidence, EvidenceId, EvidenceSource, OtherChanges, Payload, Question,
};
use crate::domain::diagnosis::statistics::DAYS_ASKED;
use crate::domain::diagnosis::statistics::tests::{jitter, points};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::alarm::Bound;
use crate::domain::observation::change::{Change, ChangeKind, FieldChange};
use crate::domain::observation::log::{Completeness, LogLevel};
use crate::domain::observation::log_sign::{LogSign, SignCount};
use crate::domain::observation::log_template::TemplateCount;
use crate::domain::observation::metric::{MetricId, MetricQuery, MetricRole, Point, Series, Statistic, Unit};
use crate::domain::observation::oom_kill::{ContainerKills, KillSource, OomCount};
use crate::domain::observation::scope::Window;
use crate::domain::observation::workload::{ContainerSpec, Revision, Workload, WorkloadKind, WorkloadRef};

fn start() -> Timestamp {
    points([0.0])[0].at
}

/// The end of the window.
pub(crate) fn now() -> Timestamp {
    start() + SignedDuration::from_mins(30)
}

/// The answers of an incident, by question.
#[derive(Clone)]
pub(crate) struct Incident(BTreeMap<Question, Answer>);

impl Incident {
    pub(crate) fn healthy() -> Self {
        let calm = |level: f64, noise: f64| (0..30).map(move |n| level + noise * jitter(n)).collect::<Vec<_>>();
        Self(BTreeMap::new())
            .memory(calm(54.0, 1.0))
            .traffic(calm(1_240.0, 30.0))
            .cpu(calm(43.0, 1.0))
            .collector(calm(3.0, 0.3))
            .kills(0)
            .pods("running", None)
            .rollout(-20_000)
            .errors(calm(2.0, 1.0))
            .latency(calm(0.04, 0.002))
            .signs(&[], 0)
    }

    fn series(mut self, question: Question, role: MetricRole, values: impl IntoIterator<Item = f64>) -> Self {
        let bound = (question == Question::Cpu).then_some(85.0).map(Bound::from);
        let unit = match question {
            Question::Traffic | Question::Errors => Unit::Count,
            Question::Latency => Unit::Seconds,
            _ => Unit::Percent,
        };
        let answer = evidence::series(series(role, unit, values), None, bound);
        self.0.insert(question, answer);
        self
    }

    pub(crate) fn memory(self, values: impl IntoIterator<Item = f64>) -> Self {
        self.series(Question::Memory, MetricRole::Memory, values)
    }

    pub(crate) fn traffic(self, values: impl IntoIterator<Item = f64>) -> Self {
        self.series(Question::Traffic, MetricRole::Requests, values)
    }

    pub(crate) fn cpu(self, values: impl IntoIterator<Item = f64>) -> Self {
        self.series(Question::Cpu, MetricRole::Cpu, values)
    }

    pub(crate) fn errors(self, values: impl IntoIterator<Item = f64>) -> Self {
        self.series(Question::Errors, MetricRole::Errors, values)
    }

    pub(crate) fn latency(self, values: impl IntoIterator<Item = f64>) -> Self {
        self.series(Question::Latency, MetricRole::Latency, values)
    }

    /// Failed requests, so many a minute from a minute on.
    pub(crate) fn errors_from(self, minute: usize, level: f64) -> Self {
        self.errors((0..30).map(move |n| if n >= minute { level } else { 2.0 } + jitter(n)))
    }

    /// Response time, so many seconds from a minute on.
    pub(crate) fn latency_from(self, minute: usize, level: f64) -> Self {
        self.latency((0..30).map(move |n| if n >= minute { level } else { 0.04 } + 0.002 * jitter(n)))
    }

    /// The level of a metric at these hours of the days before.
    pub(crate) fn usually(self, question: Question, level: f64) -> Self {
        let of_day = |day: i64| (0..30).map(move |n| (day, n));
        let point = |(day, minute): (i64, i64)| Point {
            at: start() - SignedDuration::from_hours(24 * day) + SignedDuration::from_mins(minute),
            value: level * (1.0 + 0.01 * jitter((day + minute) as usize)),
        };
        let earlier: Vec<Point> = DAYS_ASKED.into_iter().flat_map(of_day).map(point).collect();
        self.compared(question, Ok(&earlier))
    }

    /// The days before could not be read.
    pub(crate) fn days_unread(self, question: Question) -> Self {
        self.compared(question, Err("throttled".to_owned()))
    }

    fn compared(mut self, question: Question, earlier: Result<&[Point], String>) -> Self {
        if let Some(answer) = self.0.remove(&question) {
            self.0.insert(question, evidence::with_same_hours(answer, earlier));
        }
        self
    }

    /// Log lines by sign, among so many errors.
    pub(crate) fn signs(mut self, signs: &[(LogSign, u64)], errors: u64) -> Self {
        let count = |(sign, lines): &(LogSign, u64)| SignCount {
            sign: *sign,
            lines: *lines,
            first_at: start() + SignedDuration::from_mins(12),
            last_at: now(),
            example: String::new(),
        };
        let signs = signs.iter().map(count).collect();
        let payload = Payload::LogPatterns {
            outside: None,
            lines: 9_000,
            errors,
            warnings: 0,
            mined: 0,
            templates: Vec::new(),
            signs,
            excerpts: Vec::new(),
            whole: None,
        };
        self.0.insert(Question::LogPatterns, Answer::Observed { payload });
        self
    }

    /// The example of each sign.
    pub(crate) fn saying(mut self, text: &str) -> Self {
        if let Some(Answer::Observed { payload: Payload::LogPatterns { signs, .. } }) =
            self.0.get_mut(&Question::LogPatterns)
        {
            for sign in signs.iter_mut() {
                text.clone_into(&mut sign.example);
            }
        }
        self
    }

    /// A template of errors, first seen in a minute.
    pub(crate) fn new_error(mut self, minute: i64) -> Self {
        if let Some(Answer::Observed { payload: Payload::LogPatterns { templates, .. } }) =
            self.0.get_mut(&Question::LogPatterns)
        {
            templates.push(TemplateCount {
                template: "boom".to_owned(),
                level: LogLevel::Error,
                count: 80,
                first_at: start() + SignedDuration::from_mins(minute),
                last_at: now(),
                example: String::new(),
                by_part: Vec::new(),
            });
        }
        self
    }

    /// A line a second until a minute, and none from then on; the signs and errors stay.
    pub(crate) fn lines_until(mut self, minute: u32) -> Self {
        if let Some(Answer::Observed { payload: Payload::LogPatterns { lines, templates, .. } }) =
            self.0.get_mut(&Question::LogPatterns)
        {
            *lines = 60 * u64::from(minute);
            *templates = vec![TemplateCount {
                template: "GET <*> 200".to_owned(),
                level: LogLevel::Info,
                count: *lines,
                first_at: start(),
                last_at: start() + SignedDuration::from_mins(i64::from(minute)),
                example: String::new(),
                by_part: (0..30).map(|part| if part < minute { 60 } else { 0 }).collect(),
            }];
        }
        self
    }

    /// Log lines by sign, among so many errors of a few lines.
    pub(crate) fn few_lines(self, many: u64, signs: &[(LogSign, u64)], errors: u64) -> Self {
        let mut incident = self.signs(signs, errors);
        if let Some(Answer::Observed { payload: Payload::LogPatterns { lines, .. } }) =
            incident.0.get_mut(&Question::LogPatterns)
        {
            *lines = many;
        }
        incident
    }

    /// The alarm's own metric.
    pub(crate) fn own(self, values: impl IntoIterator<Item = f64>) -> Self {
        self.series(Question::AlarmMetric, MetricRole::Alarm, values)
    }

    /// The constant that an alarm compares a series with.
    pub(crate) fn bounded(mut self, question: Question, bound: Bound) -> Self {
        if let Some(Answer::Observed { payload: Payload::Series { threshold, side, .. } }) = self.0.get_mut(&question) {
            (*threshold, *side) = (Some(bound.value), bound.side);
        }
        self
    }

    /// Nobody could ask.
    pub(crate) fn never_asked(mut self, question: Question) -> Self {
        self.0.insert(question, Answer::NotAsked { why: "no metric is known".to_owned() });
        self
    }

    pub(crate) fn collector(mut self, values: impl IntoIterator<Item = f64>) -> Self {
        let series = series(MetricRole::CollectorTime, Unit::Percent, values);
        self.0.insert(Question::Collector, evidence::collector(Some(series), None, None));
        self
    }

    /// The collector's metric was refused, and the logs tell of no collection.
    pub(crate) fn collector_unread(mut self) -> Self {
        let digest = evidence::LogDigest::new(Window { from: start(), to: now() });
        let of_logs = evidence::collector(None, None, Some((&digest, Completeness::Exact)));
        let answer = evidence::in_part(of_logs, vec!["its metric (denied)".to_owned()]);
        self.0.insert(Question::Collector, answer);
        self
    }

    pub(crate) fn kills(mut self, total: u64) -> Self {
        let container = ContainerKills { container: "my-api-1/app".to_owned(), kills: total };
        let count = OomCount {
            outside: None,
            total,
            source: KillSource::Logs,
            completeness: Completeness::Exact,
            by_container: if total > 0 { vec![container] } else { Vec::new() },
            by_source: vec![(KillSource::Logs, total), (KillSource::Events, total), (KillSource::Status, total)],
            heap_errors: 0,
            at: Vec::new(),
        };
        self.0.insert(Question::OomKills, Answer::Observed { payload: Payload::OomKills(count) });
        self
    }

    /// A rollout so many minutes after the window's start.
    pub(crate) fn rollout(mut self, minute: i64) -> Self {
        let revision = |number: i64, minute: i64| Revision {
            number,
            created_at: Some(start() + SignedDuration::from_mins(minute)),
            images: BTreeMap::from([("app".to_owned(), format!("my-api:{number}"))]),
            replicas: Some(6),
            replica_set: format!("my-api-{number}"),
            changed: Vec::new(),
            earlier: Vec::new(),
        };
        self.0.insert(
            Question::Changes,
            evidence::changes(vec![revision(40, -40_000), revision(41, minute)], OtherChanges::default()),
        );
        self
    }

    fn revisions(mut self, change: impl FnOnce(&mut Vec<Revision>, &mut Vec<String>)) -> Self {
        if let Some(Answer::Observed { payload: Payload::Changes { revisions, unread, .. } }) =
            self.0.get_mut(&Question::Changes)
        {
            change(revisions, unread);
        }
        self
    }

    /// A restart so many minutes after the window's start: a revision of the same template.
    pub(crate) fn restarted(self, minute: i64) -> Self {
        self.rollout(minute).revisions(|all, _| all[1].images = all[0].images.clone())
    }

    /// A rollout that raised the memory limit and did nothing else.
    pub(crate) fn limit_raised(self, minute: i64) -> Self {
        let [before, after] = ["512Mi", "768Mi"].map(|limit| Some(limit.to_owned()));
        let field = "containers.app.resources.limits.memory".to_owned();
        self.restarted(minute)
            .revisions(|all, _| all[1].changed = vec![FieldChange { field, before, after }])
            .limited(768)
    }

    /// Another revision after the newest.
    pub(crate) fn rolled_out_again(self, minute: i64) -> Self {
        let at = Some(start() + SignedDuration::from_mins(minute));
        let images = BTreeMap::from([("app".to_owned(), "my-api:42".to_owned())]);
        let replica_set = "my-api-42".to_owned();
        self.revisions(|all, _| {
            let newest = Revision { number: 42, created_at: at, images, replica_set, ..all[1].clone() };
            all.push(newest);
        })
    }

    /// Back to the revision before, so many minutes after the window's start: its replica set is old, its pods are new.
    pub(crate) fn rolled_back(self, minute: i64) -> Self {
        let back = self.rollout(-10_000).revisions(|all, _| {
            let old = &mut all[0];
            (old.number, old.earlier) = (42, vec![40]);
            all.sort_by_key(|revision| revision.number);
        });
        back.made_by("my-api-40", start() + SignedDuration::from_mins(minute))
    }

    /// Changes of which a part could not be read.
    pub(crate) fn changes_unread(self, what: &str) -> Self {
        self.revisions(|_, unread| unread.push(what.to_owned()))
    }

    /// A change beside the rollouts, so many minutes after the window's start.
    pub(crate) fn other_change(mut self, kind: ChangeKind, minute: i64) -> Self {
        if let Some(Answer::Observed { payload: Payload::Changes { others, .. } }) = self.0.get_mut(&Question::Changes)
        {
            others.push(Change {
                kind,
                name: "payments".to_owned(),
                at: Some(start() + SignedDuration::from_mins(minute)),
                what: "edited".to_owned(),
                fields: Vec::new(),
            });
        }
        self
    }

    /// The answer was refused.
    pub(crate) fn denied(self, question: Question) -> Self {
        self.withheld(question, Answer::Denied { fault: Fault::new(FaultKind::Denied, "It was so.") })
    }

    pub(crate) fn without(mut self, question: Question) -> Self {
        self.0.insert(question, Answer::Absent);
        self
    }

    pub(crate) fn withheld(mut self, question: Question, answer: Answer) -> Self {
        self.0.insert(question, answer);
        self
    }

    /// The answer to a question as it stands.
    pub(crate) fn answer(&self, question: Question) -> Option<&Answer> {
        self.0.get(&question)
    }

    /// The evidence in the order of the questions: E1 memory, E2 kills, E3 collector, E4 traffic, E5 CPU, ….
    pub(crate) fn evidence(&self) -> Vec<Evidence> {
        let piece = |(n, question): (u32, Question)| {
            Some(Evidence {
                id: EvidenceId(n),
                question,
                source: EvidenceSource::Combined,
                query: String::new(),
                window: Window { from: start(), to: now() },
                asked_at: now(),
                answered_at: now(),
                answer: self.0.get(&question)?.clone(),
            })
        };
        (1..).zip(Question::ALL).filter_map(piece).collect()
    }
}

/// Processes that stop at minute 18: every request fails, no line is written, the processor rests, a probe waits in vain.
pub(crate) fn stuck() -> Incident {
    let in_vain = "Readiness probe failed: Get \"http://10.0.0.7:8080/ready\": context deadline exceeded";
    cut().unready().event("Pod/my-api-1", "Unhealthy", in_vain)
}

/// The same without the probe: nobody reaches processes that may be well.
pub(crate) fn cut() -> Incident {
    Incident::healthy()
        .errors_from(18, 1_200.0)
        .cpu((0..30).map(|n| if n >= 18 { 1.0 } else { 43.0 } + 0.3 * jitter(n)))
        .lines_until(18)
}

pub(crate) fn target() -> WorkloadRef {
    WorkloadRef { kind: WorkloadKind::Deployment, namespace: "payments".into(), name: "my-api".to_owned() }
}

fn series(role: MetricRole, unit: Unit, values: impl IntoIterator<Item = f64>) -> Series {
    let query = MetricQuery { role, metric: MetricId::default(), statistic: Statistic::Average, period_s: 60 };
    let points: Vec<Point> = points(values);
    Series::new(query, unit, points)
}

pub(crate) fn workload(ready: u32) -> Workload {
    let app = ContainerSpec {
        name: "app".to_owned(),
        image: "my-api:41".to_owned(),
        memory_limit: Some(512 << 20),
        memory_request: Some(384 << 20),
        cpu_limit_milli: Some(1_000),
    };
    Workload {
        uid: "u".to_owned(),
        generation: 1,
        observed_generation: 1,
        replicas: 6,
        ready,
        updated: 6,
        available: ready,
        max_unavailable: "25%".to_owned(),
        max_surge: "25%".to_owned(),
        revision: Some(41),
        containers: vec![app],
        ..Workload::named(target())
    }
}
