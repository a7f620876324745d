//! The pieces of the founding story: a heap that leaks in `my-api`, its alarms, series, lines, evidence and plan.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use pagerdeck::domain::diagnosis::claim::{Claim, ClaimCheck};
use pagerdeck::domain::diagnosis::evidence::{Answer, Evidence, EvidenceId, EvidenceSource, Payload, Question};
use pagerdeck::domain::diagnosis::sufficiency::{RemedyKind, RemedyOffer, Sufficiency};
use pagerdeck::domain::diagnosis::verdict::{Cause, Confidence, Finding, MissingEvidence, RankedCause, Side, Verdict};
use pagerdeck::domain::observation::alarm::{Alarm, AlarmName, AlarmRule, AlarmState, Calls, Comparison, Severity};
use pagerdeck::domain::observation::log::{BatchSummary, Completeness, LogGroup, LogLine, RawLogEvent, ingest};
use pagerdeck::domain::observation::log_template::TemplateCount;
use pagerdeck::domain::observation::metric::{MetricId, MetricQuery, MetricRole, Point, Series, Statistic, Unit};
use pagerdeck::domain::observation::oom_kill::{ContainerKills, KillSource, OomCount};
use pagerdeck::domain::observation::scope::{Scope, Window};
use pagerdeck::domain::observation::service::{Origin, Service};
use pagerdeck::domain::observation::workload::{ClusterView, Revision, Workload, WorkloadKind, WorkloadRef};
use pagerdeck::domain::remediation::policy::{Confirm, LiveRule, Policy};
use pagerdeck::domain::remediation::request::{Bound, Mode, of_action};
use pagerdeck::domain::remediation::step::{
    Action, Check, CheckState, FieldChange, Plan, Rehearsal, RehearsalOutcome, Step, StepId, StepState, TargetFacts,
};
use pagerdeck::session::event::{AlarmEvent, Event, SessionEvent};
use pagerdeck::session::{Record, Session};

/// A time of day of the founding morning.
pub fn at(time: &str) -> Timestamp {
    format!("2026-05-01T{time}Z").parse().expect("a time of day")
}

/// Where it happens.
pub fn scope() -> Scope {
    Scope {
        account: Some("123456789012".into()),
        region: "us-east-1".into(),
        cluster: Some("eks-prod".into()),
        context: Some("eks-prod".into()),
        identity: Some("arn:aws:sts::123456789012:assumed-role/oncall-ro/ana".to_owned()),
        cluster_user: Some("oncall-ro".to_owned()),
        ..Scope::default()
    }
}

fn target() -> WorkloadRef {
    WorkloadRef { kind: WorkloadKind::Deployment, namespace: "payments".into(), name: "my-api".to_owned() }
}

fn query(role: MetricRole, name: &str) -> MetricQuery {
    let dimensions = BTreeMap::from([("ServiceName".to_owned(), "my-api".to_owned())]);
    let metric = MetricId { namespace: "AWS/ECS".to_owned(), name: name.to_owned(), dimensions, account: None };
    MetricQuery { role, metric, statistic: Statistic::Average, period_s: 60 }
}

/// The service behind the alarms.
pub fn service() -> Service {
    Service {
        name: "my-api".into(),
        workload: Some(target()),
        log_groups: vec!["/ecs/my-api".into()],
        metrics: BTreeMap::new(),
        helm_release: None,
        links: Vec::new(),
        origin: Origin::Configured,
    }
}

fn alarm(name: &str, (state, severity): (AlarmState, Severity), (metric, bound, value): (&str, f64, f64)) -> Alarm {
    Alarm {
        name: name.into(),
        arn: String::new(),
        description: format!("{name} of the payments team"),
        state,
        reason: "Threshold Crossed: 3 datapoints were over the threshold.".to_owned(),
        since: at(if state == AlarmState::Alarm { "09:25:00" } else { "04:10:00" }),
        severity,
        rule: AlarmRule::Metric {
            metric: query(MetricRole::Cpu, metric).metric,
            statistic: Statistic::Average,
            period_s: 60,
            comparison: Comparison::Greater,
            threshold: bound,
        },
        value: Some(value),
        evaluation: None,
        calls: Calls::default(),
    }
}

/// Three firing, one without data, the rest well.
pub fn alarms() -> BTreeMap<AlarmName, Alarm> {
    let firing = AlarmState::Alarm;
    let mut alarms = vec![
        alarm("my-api-cpu-high", (firing, Severity::P2), ("CPUUtilization", 85.0, 97.8)),
        alarm("my-api-oomkilled", (firing, Severity::P2), ("OomKills", 3.0, 14.0)),
        alarm("orders-5xx", (firing, Severity::P3), ("ErrorPercent", 1.0, 2.1)),
        alarm("queue-depth", (AlarmState::InsufficientData, Severity::P3), ("Depth", 100.0, 0.0)),
    ];
    for n in 0..37 {
        alarms.push(alarm(
            &format!("orders-latency-{n:02}"),
            (AlarmState::Ok, Severity::P3),
            ("Latency", 500.0, 412.0),
        ));
    }
    alarms[3].value = None;
    alarms.into_iter().map(|alarm| (alarm.name.clone(), alarm)).collect()
}

fn series(role: MetricRole, (name, unit): (&str, Unit), now: Timestamp, value: impl Fn(f64) -> Option<f64>) -> Series {
    let last = Timestamp::from_second(now.as_second() / 60 * 60 - 60).expect("a whole minute");
    let points = (0..30).filter_map(|minute| {
        let at = last - SignedDuration::from_mins(29 - minute);
        value(minute as f64).map(|value| Point { at, value })
    });
    Series::new(query(role, name), unit, points)
}

/// Thirty minutes of what the charts show; the collector's series has a hole.
pub fn metrics(now: Timestamp) -> BTreeMap<MetricRole, Series> {
    let all = [
        series(MetricRole::Cpu, ("CPUUtilization", Unit::Percent), now, |m| Some((45.0 + m * 2.2).min(97.8))),
        series(MetricRole::Memory, ("MemoryUtilization", Unit::Percent), now, |m| Some(38.0 + (m * 3.1) % 60.0)),
        series(MetricRole::Requests, ("RequestCount", Unit::Count), now, |m| Some(405.0 + (m * 7.0) % 15.0)),
        series(MetricRole::CollectorTime, ("GcTime", Unit::Percent), now, |m| {
            (!(8.0..14.0).contains(&m)).then_some((m * 1.9).min(52.0))
        }),
    ];
    all.into_iter().map(|series| (series.query.role, series)).collect()
}

fn lines(now: Timestamp) -> Vec<LogLine> {
    let group = LogGroup::from("/ecs/my-api");
    let texts = [
        "INFO GET /v1/orders/88121 200 41ms",
        "WARN GC (Allocation Failure) pause 412ms heap 498M/512M",
        "ERROR java.lang.OutOfMemoryError: Java heap space",
        "OOMKilled my-api-7d9f exit=137",
        "INFO starting my-api 4.2.1",
    ];
    let raw = |n: i64| RawLogEvent {
        id: format!("event-{n}").into(),
        at: now - SignedDuration::from_millis((119 - n) * 230),
        stream: format!("my-api-7d9f-{:04}", 400 + n % 6),
        message: texts[(n % 5) as usize].to_owned(),
    };
    (0..120).map(|n| ingest(raw(n), &group)).collect()
}

/// Fills the log board with one page.
pub fn fill_logs(session: &mut Session, now: Timestamp) {
    let lines = lines(now);
    let mut summary = BatchSummary::default();
    for line in &lines {
        summary.add(line);
    }
    session.logs.fold_batch(&LogGroup::from("/ecs/my-api"), &summary, &lines);
}

/// Folds a few records into the timeline.
pub fn tell_timeline(session: &mut Session) {
    let firing: Vec<Alarm> = session.firing().into_iter().cloned().collect();
    let header = Box::new(session.header.clone());
    let started = Event::Session(SessionEvent::Started { header });
    let raised = firing.into_iter().map(|alarm| Event::Alarm(AlarmEvent::Raised { alarm: Box::new(alarm) }));
    for (seq, event) in std::iter::once(started).chain(raised).enumerate() {
        let record = Record { seq: seq as u64 + 1, at: at("09:25:03"), incident: None, event };
        session.timeline.fold(&record);
    }
}

/// Eight answers, all read whole.
pub fn evidence(now: Timestamp) -> Vec<Evidence> {
    let metrics = metrics(now);
    let series = |role: MetricRole, threshold| Payload::Series {
        series: metrics[&role].clone(),
        baseline: None,
        threshold,
        side: None,
        band: Vec::new(),
        same_hours: None,
        earlier_days: Vec::new(),
    };
    let excerpts: Vec<LogLine> = lines(now).into_iter().skip(97).take(3).collect();
    let payloads = [
        (Question::Memory, series(MetricRole::Memory, None)),
        (Question::OomKills, Payload::OomKills(oom_count())),
        (Question::Collector, collector(metrics[&MetricRole::CollectorTime].clone(), excerpts)),
        (Question::Traffic, series(MetricRole::Requests, None)),
        (Question::Cpu, series(MetricRole::Cpu, Some(85.0))),
        (
            Question::Workload,
            Payload::Workload { workload: Box::new(workload()), pods: vec![], events: vec![], unread: vec![] },
        ),
        (Question::Changes, Payload::Changes { revisions: revisions(), others: Vec::new(), unread: Vec::new() }),
        (Question::LogPatterns, patterns()),
    ];
    let piece = |(n, (question, payload)): (usize, (Question, Payload))| Evidence {
        id: EvidenceId(n as u32 + 1),
        question,
        source: EvidenceSource::Combined,
        query: match question {
            Question::OomKills | Question::LogPatterns => "FilterLogEvents /ecs/my-api".to_owned(),
            _ => format!("GetMetricData {} my-api Average 60s", question.word()),
        },
        window: Window::minutes_before(now, 30),
        asked_at: now - SignedDuration::from_secs(41),
        answered_at: now - SignedDuration::from_secs(38),
        answer: Answer::Observed { payload },
    };
    payloads.into_iter().enumerate().map(piece).collect()
}

fn oom_count() -> OomCount {
    OomCount {
        outside: None,
        total: 14,
        source: KillSource::Logs,
        completeness: Completeness::Exact,
        by_container: vec![
            ContainerKills { container: "my-api-7d9f-0401/app".to_owned(), kills: 9 },
            ContainerKills { container: "my-api-7d9f-0404/app".to_owned(), kills: 5 },
        ],
        by_source: vec![(KillSource::Status, 2), (KillSource::Logs, 14)],
        heap_errors: 31,
        at: (0..14).map(|n| at("09:02:00") + SignedDuration::from_secs(n * 120)).collect(),
    }
}

fn collector(series: Series, excerpts: Vec<LogLine>) -> Payload {
    Payload::Collector {
        series: Some(series),
        baseline: None,
        pauses: 211,
        full_collections: 18,
        heap_errors: 31,
        heap: None,
        excerpts,
        unread: vec![],
    }
}

fn patterns() -> Payload {
    let template = TemplateCount {
        template: "GET /v1/orders/<*> 200 <*>".to_owned(),
        level: pagerdeck::domain::observation::log::LogLevel::Info,
        count: 8_412,
        first_at: at("09:01:00"),
        last_at: at("09:31:00"),
        example: "GET /v1/orders/88121 200 41ms".to_owned(),
        by_part: Vec::new(),
    };
    Payload::LogPatterns {
        outside: None,
        lines: 9_204,
        errors: 45,
        warnings: 211,
        mined: 1,
        templates: vec![template],
        signs: Vec::new(),
        excerpts: Vec::new(),
        whole: None,
    }
}

fn revisions() -> Vec<Revision> {
    let revision = |number: i64, time: &str| Revision {
        number,
        created_at: Some(at(time)),
        images: BTreeMap::from([("app".to_owned(), format!("my-api:4.2.{number}"))]),
        replicas: Some(6),
        replica_set: format!("my-api-{number}"),
        changed: Vec::new(),
        earlier: Vec::new(),
    };
    vec![revision(40, "02:10:00"), revision(41, "09:06:00")]
}

fn workload() -> Workload {
    Workload {
        uid: "3d5f".to_owned(),
        generation: 41,
        observed_generation: 41,
        replicas: 6,
        ready: 4,
        updated: 6,
        available: 4,
        max_unavailable: "25%".to_owned(),
        max_surge: "25%".to_owned(),
        revision: Some(41),
        ..Workload::named(target())
    }
}

/// The cluster with the workload.
pub fn cluster() -> ClusterView {
    let workload = workload();
    ClusterView { workloads: BTreeMap::from([(workload.target.key(), workload)]), ..ClusterView::default() }
}

fn ranked(cause: Cause, confidence: f64, findings: &[(&str, Side, u32)]) -> RankedCause {
    let finding = |(text, side, id): &(&str, Side, u32)| Finding {
        text: (*text).to_owned(),
        side: *side,
        weight: 0.5,
        evidence: vec![EvidenceId(*id)],
    };
    RankedCause {
        cause,
        confidence: Confidence::new(confidence),
        findings: findings.iter().map(finding).collect(),
        terms: None,
        called: None,
    }
}

/// A leak, with two causes that were rejected.
pub fn verdict() -> Verdict {
    let leak = [
        ("Memory grows 3.1 %/min between restarts.", Side::Supports, 1),
        ("14 OOM kills of 2 containers.", Side::Supports, 2),
        ("The collector's time rises before CPU does.", Side::Supports, 3),
    ];
    let surge = [("Requests stayed between 405 and 419 a minute.", Side::Against, 4)];
    let deploy = [("Memory grew before the rollout of 09:06, too.", Side::Against, 7)];
    Verdict {
        ranked: vec![
            ranked(Cause::MemoryLeak, 0.91, &leak),
            ranked(Cause::BadDeploy, 0.22, &deploy),
            ranked(Cause::TrafficSurge, 0.05, &surge),
        ],
        missing: Vec::new(),
        conclusive: true,
        rests_on: Vec::new(),
    }
}

/// Nothing is settled for want of these.
pub fn inconclusive(missing: &[Question]) -> Verdict {
    let lacking =
        |question: &Question| MissingEvidence { question: *question, why: "denied".to_owned(), decisive: true };
    Verdict {
        ranked: vec![ranked(Cause::Inconclusive, 0.0, &[])],
        missing: missing.iter().map(lacking).collect(),
        conclusive: false,
        rests_on: Vec::new(),
    }
}

/// A restart is offered, a scale-out is not.
pub fn offers() -> Vec<RemedyOffer> {
    vec![
        RemedyOffer {
            remedy: RemedyKind::RolloutRestart,
            sufficiency: Sufficiency::Sufficient { why: "A restart frees the heap.".to_owned() },
        },
        RemedyOffer {
            remedy: RemedyKind::Scale,
            sufficiency: Sufficiency::Refused { reasons: vec!["Traffic is flat.".to_owned()] },
        },
    ]
}

/// Four sentences that hold.
pub fn claims() -> Vec<Claim> {
    let claim = |text: &str, cites: &[u32]| Claim {
        text: text.to_owned(),
        cites: cites.iter().copied().map(EvidenceId).collect(),
        check: ClaimCheck::Supported,
    };
    vec![
        claim("Memory grew steadily for thirty minutes until containers were killed [E1].", &[1]),
        claim("14 OOM kills hit two containers [E2].", &[2]),
        claim("Traffic did not change [E4].", &[4]),
        claim("CPU is secondary: the collector's time rises first [E3].", &[3, 5]),
    ]
}

/// A policy that lets a restart run after a typed token.
pub fn live_policy() -> Policy {
    let rule = LiveRule {
        account: "123456789012".to_owned(),
        cluster: "eks-prod".to_owned(),
        namespaces: vec!["payments".to_owned()],
        actions: vec![RemedyKind::RolloutRestart],
        confirm: Confirm::Typed,
    };
    Policy { live: vec![rule], ..Policy::default() }
}

fn rehearsal(action: &Action, when: Timestamp) -> Rehearsal {
    let check = |name: &str, state, text: &str| Check { name: name.to_owned(), state, text: text.to_owned() };
    Rehearsal {
        outcome: RehearsalOutcome::Rehearsed,
        at: when,
        request: of_action(action, &target(), when),
        facts: Some(TargetFacts { uid: "3d5f".to_owned(), generation: 41, fields: BTreeMap::new() }),
        diff: vec![FieldChange {
            path: "spec.template.metadata.annotations[\"kubectl.kubernetes.io/restartedAt\"]".to_owned(),
            before: Some("\"2026-04-11T22:10:03Z\"".to_owned()),
            after: Some("\"2026-05-01T09:30:49Z\"".to_owned()),
        }],
        checks: vec![
            check("target exists", CheckState::Ok, "deployment/my-api"),
            check("access", CheckState::Ok, "patch allowed"),
            check("PDB allows 1", CheckState::Ok, "minAvailable 5 of 6"),
            check("headroom", CheckState::Ok, "2 nodes"),
            check("freeze", CheckState::Warning, "from 10:00Z"),
            check("webhook side effects", CheckState::Unknown, "could not check"),
        ],
        blast: "6 pods, maxUnavailable 25%".to_owned(),
        undo: "rollout undo to revision 41 (exists) = a second rolling restart".to_owned(),
    }
}

/// A restart, and a limit change beside it.
pub fn plan(mode: Mode, when: Timestamp) -> Plan {
    let restart = Action::RolloutRestart;
    let rehearsal = rehearsal(&restart, when);
    let (scope, policy) = (scope(), Policy::default());
    let digest = rehearsal.request.as_ref().zip(rehearsal.facts.as_ref()).map(|(request, facts)| {
        let text = restart.text(&target());
        Bound { text: &text, request, facts, scope: &scope, mode, policy: &policy }.digest()
    });
    let why = vec![EvidenceId(1), EvidenceId(2), EvidenceId(3)];
    let step = |id: u32, action: Action| Step { why: why.clone(), ..Step::new(StepId(id), action, target()) };
    let first = Step { rehearsal: Some(rehearsal), digest, state: StepState::Rehearsed, ..step(1, restart) };
    let limit = Action::SetResources { container: "app".to_owned(), memory_limit: 1 << 30, was: Some(512 << 20) };
    let second = step(2, limit);
    Plan { runbook: "memory-leak".to_owned(), steps: vec![first, second] }
}
