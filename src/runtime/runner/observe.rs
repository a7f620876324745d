//! Answers the questions of a round: the three reads run side by side, and each answer is told as soon as it stands.

use jiff::Timestamp;

use super::Means;
use super::days;
use super::follow::{Following, ShownGroup};
use super::read::{self, ClusterRead, LogRead, MetricAnswers};
use crate::adapters::aws::metrics::{Reading, period_of};
use crate::domain::diagnosis::evidence::{self, Answer, Evidence, EvidenceId, EvidenceSource, Question, unanswered};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::alarm::{Alarm, AlarmRule, Bound, MathPart, MathQuery, MathTerm, bound};
use crate::domain::observation::metric::{MetricId, MetricQuery, MetricRole, Point, Series, Statistic, Unit};
use crate::domain::observation::scope::Window;
use crate::domain::observation::service::Service;
use crate::domain::observation::workload::{ClusterEvent, WorkloadKind};
use crate::session::event::{Event, EvidenceEvent};
use crate::session::{IncidentId, Session};

/// A round of questions with what is needed to answer it.
#[derive(Debug)]
pub struct Order {
    incident: IncidentId,
    asks: Vec<(EvidenceId, Question)>,
    window: Window,
    service: Service,
    groups: Vec<ShownGroup>,
    /// The alarms of the incident: what is judged is held against their constants, and against no other's.
    alarms: Vec<Alarm>,
    own_metric: Option<MetricQuery>,
    own_math: Option<OwnMath>,
}

/// What the alarm itself compares, where that is metric math or an anomaly band.
#[derive(Debug)]
struct OwnMath {
    expression: String,
    queries: Vec<MathQuery>,
    bound: Option<Bound>,
}

impl Order {
    /// Takes what is needed from the session.
    pub fn of(
        (session, following): (&Session, &mut Following),
        incident: IncidentId,
        asks: Vec<(EvidenceId, Question)>,
        window: Window,
    ) -> Option<Self> {
        let found = session.incidents.get(&incident)?;
        let groups = session.log_groups(Some(found)).into_iter();
        let groups = groups.map(|group| following.told(group)).collect();
        let alarms = found.alarms.iter().filter_map(|name| session.alarms.get(name)).cloned().collect();
        let own_alarm = found.alarms.first().and_then(|name| session.alarms.get(name));
        let own_math = own_alarm.and_then(OwnMath::of);
        let own_metric = own_alarm.and_then(|alarm| {
            let AlarmRule::Metric { metric, statistic, period_s, .. } = &alarm.rule else { return None };
            Some(MetricQuery {
                role: MetricRole::Alarm,
                metric: metric.clone(),
                statistic: *statistic,
                period_s: *period_s,
            })
        });
        Some(Self { incident, asks, window, service: found.service.clone(), groups, alarms, own_metric, own_math })
    }

    /// The metric that answers a question.
    fn query(&self, question: Question) -> Option<&MetricQuery> {
        match question {
            Question::AlarmMetric => self.own_metric.as_ref(),
            other => role(other).and_then(|role| self.service.metrics.get(&role)),
        }
    }

    /// The metrics that are compared with the days before: those weighed by the hour that have points now.
    fn hourly(&self, answers: &MetricAnswers) -> Vec<MetricQuery> {
        let asked = HOURLY.into_iter().filter(|question| self.asks.iter().any(|(_, asked)| asked == question));
        let read = |query: &&MetricQuery| {
            matches!(answers.get(*query), Some(Ok(Reading::Complete(_) | Reading::Partial { .. })))
        };
        asked.filter_map(|question| self.query(question)).filter(read).cloned().collect()
    }

    /// The window a question is judged over: that of all, or a longer one for a series of long periods.
    fn window_of(&self, question: Question) -> Window {
        let math = self.own_math.as_ref().filter(|_| question == Question::AlarmMetric).map(OwnMath::query);
        math.as_ref().or(self.query(question)).map_or(self.window, |query| query.judged_over(self.window))
    }
}

/// The questions that a metric alone answers.
const OF_METRICS: [Question; 6] =
    [Question::Memory, Question::Traffic, Question::Cpu, Question::Errors, Question::Latency, Question::AlarmMetric];

/// Of them those that are compared with the same hours of the days before.
const HOURLY: [Question; 4] = [Question::Memory, Question::Traffic, Question::Cpu, Question::AlarmMetric];

/// Reads and answers. Each read tells by a lane of its own, since any of them may be the first to end.
pub async fn observe(means: Means, order: Order) {
    let asked_at = means.clock.now();
    let lanes = [means.clone(), means.clone(), means.clone(), means.clone()];
    let [of_metrics, of_cluster, of_logs, of_all] = lanes.each_ref();
    let by = |means| Teller { means, order: &order, asked_at };
    let metrics = async {
        let (means, teller) = (of_metrics, by(of_metrics));
        let answers = read_metrics(means, &order).await;
        let earlier = days::earlier(means, &order.hourly(&answers), order.window.whole_minutes()).await;
        for question in OF_METRICS {
            let answer = match &order.own_math {
                Some(math) if question == Question::AlarmMetric => math_answer(means, &order, math).await,
                _ => series_answer(&order, question, &answers),
            };
            let days = order.query(question).and_then(|query| earlier.get(query));
            let (answer, beside) = compared(answer, days);
            teller.tell_how(question, answer, beside).await;
        }
        answers
    };
    let cluster = async {
        let teller = by(of_cluster);
        let read = read::cluster(of_cluster, order.service.workload.as_ref()).await;
        teller.tell(Question::Workload, workload_answer(&read)).await;
        let changes = match &read.revisions {
            Ok(revisions) => evidence::changes(revisions.clone(), read.others.clone()),
            Err(fault) => unanswered(fault.clone()),
        };
        teller.tell(Question::Changes, changes).await;
        read
    };
    let logs = async {
        let teller = by(of_logs);
        let read = read::logs(of_logs, &order.groups, order.window).await;
        let answer = match &read {
            Ok(read) => patterns_answer(read),
            Err(fault) => unanswered(fault.clone()),
        };
        teller.tell_how(Question::LogPatterns, answer, read.as_ref().ok().and_then(counted_how)).await;
        read
    };
    let parts = means.clock.busy().parts(3);
    let (answers, cluster, logs) = tokio::join!(parts.part(metrics), parts.part(cluster), parts.part(logs));
    let teller = by(of_all);
    let how = logs.as_ref().ok().and_then(counted_how);
    teller.tell_how(Question::OomKills, oom_answer(&order, &logs, &cluster), how).await;
    teller.tell(Question::Collector, collector_answer(&order, &logs, &answers)).await;
}

struct Teller<'a> {
    means: &'a Means,
    order: &'a Order,
    asked_at: Timestamp,
}

impl Teller<'_> {
    async fn tell(&self, question: Question, answer: Answer) {
        self.tell_how(question, answer, None).await;
    }

    /// With what was asked beyond what the question always asks.
    async fn tell_how(&self, question: Question, answer: Answer, beside: Option<String>) {
        let Some((id, _)) = self.order.asks.iter().find(|(_, asked)| *asked == question) else { return };
        let (source, query) = describe(self.order, question);
        let query = beside.into_iter().fold(query, |query, more| format!("{query}; {more}"));
        let evidence = Evidence {
            id: *id,
            question,
            source,
            query,
            window: self.order.window_of(question),
            asked_at: self.asked_at,
            answered_at: self.means.clock.now(),
            answer,
        };
        let event = EvidenceEvent::Answered { evidence: Box::new(evidence) };
        self.means.post.tell(Some(self.order.incident), Event::Evidence(event)).await;
    }
}

/// Where a question was asked, and the query as a person could repeat it.
fn describe(order: &Order, question: Question) -> (EvidenceSource, String) {
    let groups = || {
        let names: Vec<&str> = order.groups.iter().map(|shown| shown.group.as_str()).collect();
        format!("FilterLogEvents {}", names.join(", "))
    };
    let target = || order.service.workload.as_ref().map_or_else(|| "no workload".to_owned(), ToString::to_string);
    let metric = |query: Option<&MetricQuery>| {
        query.map_or_else(
            || "no metric".to_owned(),
            |query| {
                let requests = order.service.metrics.get(&MetricRole::Requests);
                let is_zero = requests.is_some_and(|requests| query.beside(requests).is_some());
                let zeros = if is_zero { ", 0 where requests have a point and it has none" } else { "" };
                format!("GetMetricData {} {} {} s{zeros}", query.metric, query.statistic, query.period_s)
            },
        )
    };
    match question {
        Question::Memory | Question::Traffic | Question::Cpu | Question::Errors | Question::Latency => {
            (EvidenceSource::CloudwatchMetrics, metric(order.query(question)))
        }
        Question::AlarmMetric => {
            let math = order.own_math.as_ref().map(OwnMath::text);
            (EvidenceSource::CloudwatchMetrics, math.unwrap_or_else(|| metric(order.own_metric.as_ref())))
        }
        Question::LogPatterns => (EvidenceSource::CloudwatchLogs, groups()),
        Question::OomKills => (EvidenceSource::Combined, format!("{}; GET pods and events of {}", groups(), target())),
        Question::Collector => {
            let series = metric(order.service.metrics.get(&MetricRole::CollectorTime));
            (EvidenceSource::Combined, format!("{series}; {}", groups()))
        }
        Question::Workload => (EvidenceSource::Kubernetes, format!("GET {} and its pods", target())),
        Question::Changes => (
            EvidenceSource::Kubernetes,
            format!("GET {}, Helm secrets, config maps, autoscalers and node events of {}", rollouts(order), target()),
        ),
    }
}

/// Where the rollouts of the workload are kept.
fn rollouts(order: &Order) -> &'static str {
    match order.service.workload.as_ref().map(|target| target.kind) {
        Some(WorkloadKind::StatefulSet | WorkloadKind::DaemonSet) => "controller revisions",
        Some(WorkloadKind::Deployment) | None => "replica sets",
    }
}

fn role(question: Question) -> Option<MetricRole> {
    match question {
        Question::Memory => Some(MetricRole::Memory),
        Question::Traffic => Some(MetricRole::Requests),
        Question::Cpu => Some(MetricRole::Cpu),
        Question::Collector => Some(MetricRole::CollectorTime),
        Question::Errors => Some(MetricRole::Errors),
        Question::Latency => Some(MetricRole::Latency),
        Question::OomKills | Question::Workload | Question::Changes | Question::LogPatterns | Question::AlarmMetric => {
            None
        }
    }
}

async fn read_metrics(means: &Means, order: &Order) -> MetricAnswers {
    let mut queries: Vec<MetricQuery> = order.service.metrics.values().cloned().collect();
    if order.asks.iter().any(|(_, question)| *question == Question::AlarmMetric) {
        queries.extend(order.own_metric.clone());
    }
    read::metrics(means, &order.service.name, queries, order.window).await
}

impl OwnMath {
    fn of(alarm: &Alarm) -> Option<Self> {
        let AlarmRule::Math { expression, comparison, threshold, queries, .. } = &alarm.rule else { return None };
        let bound = threshold.map(|value| Bound { value, side: comparison.side() });
        let whole = Self { expression: expression.clone(), queries: queries.clone(), bound };
        (!queries.is_empty()).then_some(whole)
    }

    /// As a person could repeat it.
    fn text(&self) -> String {
        let lines: Vec<String> =
            self.queries.iter().map(|query| format!("{} = {}", query.id, query.term.text())).collect();
        format!("GetMetricData {}", lines.join(", "))
    }

    /// The query under which its result is kept: the name is the expression, or the metric a band is drawn around.
    fn query(&self) -> MetricQuery {
        let compared = self.queries.iter().find(|query| query.part == MathPart::Compared);
        let metric = match compared.map(|query| &query.term) {
            Some(MathTerm::Metric { metric, .. }) => metric.clone(),
            Some(MathTerm::Expression { .. }) | None => {
                MetricId { namespace: "math".to_owned(), name: self.expression.clone(), ..MetricId::default() }
            }
        };
        let period_s = period_of(&self.queries);
        MetricQuery { role: MetricRole::Alarm, metric, statistic: Statistic::Average, period_s }
    }
}

/// The result of the expression itself: what CloudWatch compares, and not what we would make of its inputs.
async fn math_answer(means: &Means, order: &Order, math: &OwnMath) -> Answer {
    if order.asks.iter().all(|(_, question)| *question != Question::AlarmMetric) {
        return Answer::NotAsked { why: "it was not asked".to_owned() };
    }
    let query = math.query();
    let window = query.read_over(order.window);
    let evaluated = match read::math(means, &order.service.name, &math.queries, window).await {
        Ok(evaluated) => evaluated,
        Err(fault) => return unanswered(fault),
    };
    let (inside, before) = split(&Series::new(query, Unit::None, evaluated.compared), order.window);
    evidence::banded(evidence::series(inside, Some(before), math.bound), &evaluated.band)
}

/// The window a series is judged over and what came before, out of one series.
fn split(series: &Series, window: Window) -> (Series, Series) {
    let window = series.query.judged_over(window).whole_minutes();
    let inside = Series { points: series.within(window).collect(), ..series.clone() };
    let before = series.points.iter().copied().filter(|point| point.at < window.from).collect();
    (inside, Series { points: before, ..series.clone() })
}

fn series_answer(order: &Order, question: Question, answers: &MetricAnswers) -> Answer {
    let Some(query) = order.query(question) else {
        return Answer::NotAsked {
            why: format!("no metric is known for {} of {}", question.word(), order.service.name),
        };
    };
    let whole = |series: &Series| {
        let (inside, before) = split(series, order.window);
        evidence::series(inside, Some(before), bound(&order.alarms, query))
    };
    match answers.get(query) {
        Some(Ok(Reading::Complete(series))) => whole(series),
        Some(Ok(Reading::Empty(_))) | None => Answer::Absent,
        Some(Ok(Reading::Partial { series, .. })) => match whole(series) {
            Answer::Observed { payload } => Answer::Truncated { payload, seen: series.points.len() as u64, of: None },
            other => other,
        },
        Some(Ok(Reading::Failed { query, source })) => unanswered(read::unread(query, source)),
        Some(Err(fault)) => unanswered(fault.clone()),
    }
}

/// With the days before, where they were asked, and what was asked.
fn compared(answer: Answer, days: Option<&Result<Vec<Point>, String>>) -> (Answer, Option<String>) {
    let Some(days) = days else { return (answer, None) };
    let days = days.as_ref().map(Vec::as_slice).map_err(Clone::clone);
    (evidence::with_same_hours(answer, days), Some(days::ASKED.to_owned()))
}

fn patterns_answer(read: &LogRead) -> Answer {
    let answer = evidence::log_patterns(&read.digest, read.completeness);
    match &read.whole {
        Some(Ok(count)) => evidence::counted_whole(answer, count.clone()),
        Some(Err(_)) | None => answer,
    }
}

/// How a window that is too large to read was counted, or why it was not.
fn counted_how(read: &LogRead) -> Option<String> {
    match read.whole.as_ref()? {
        Ok(count) => Some(format!("StartQuery {}", count.query)),
        Err(fault) => Some(format!("not counted whole: {fault}")),
    }
}

fn workload_answer(read: &ClusterRead) -> Answer {
    match (&read.workload, &read.pods) {
        (Err(fault), _) | (_, Err(fault)) => unanswered(fault.clone()),
        (Ok(workload), Ok(pods)) => {
            let answer = evidence::workload(workload.clone(), pods, read.events.as_deref().unwrap_or_default());
            let events = read.events.as_ref().err().map(|fault| format!("events ({})", fault.summary));
            let nodes = read.others.unread.iter().filter(|what| what.starts_with("node")).cloned();
            evidence::in_part(answer, events.into_iter().chain(nodes).collect())
        }
    }
}

fn oom_answer(order: &Order, logs: &Result<LogRead, Fault>, cluster: &ClusterRead) -> Answer {
    let read = logs.as_ref().ok().map(|read| (&read.digest, read.signs));
    let pods = cluster.pods.as_deref().ok();
    let events = own_events(order, cluster);
    let events = events.as_deref();
    if read.is_none() && pods.is_none() && events.is_none() {
        let fault = logs.as_ref().err().or(cluster.pods.as_ref().err());
        let nobody = || Fault::new(FaultKind::NotConfigured, "neither logs nor a workload are known");
        return unanswered(fault.cloned().unwrap_or_else(nobody));
    }
    evidence::oom_kills(read, pods, events, order.window)
}

/// The events about the workload itself, its replica sets and pods: a namespace has events of others as well.
fn own_events(order: &Order, cluster: &ClusterRead) -> Option<Vec<ClusterEvent>> {
    let events = cluster.events.as_ref().ok()?;
    let target = order.service.workload.as_ref()?;
    let pods = cluster.pods.as_deref().unwrap_or_default();
    Some(events.iter().filter(|event| event.is_about(target, pods)).cloned().collect())
}

fn collector_answer(order: &Order, logs: &Result<LogRead, Fault>, answers: &MetricAnswers) -> Answer {
    let query = order.service.metrics.get(&MetricRole::CollectorTime);
    let reading = query.and_then(|query| answers.get(query));
    let series = match reading {
        Some(Ok(Reading::Complete(series) | Reading::Partial { series, .. })) => Some(split(series, order.window)),
        Some(Ok(Reading::Empty(_) | Reading::Failed { .. }) | Err(_)) | None => None,
    };
    let metric = match reading {
        Some(Ok(Reading::Failed { query, source })) => Some(read::unread(query, source).summary),
        Some(Ok(Reading::Partial { why, .. })) => Some(format!("read in part, {why}")),
        Some(Err(fault)) => Some(fault.summary.clone()),
        Some(Ok(Reading::Complete(_) | Reading::Empty(_))) | None => None,
    };
    let metric = metric.map(|why| format!("its metric ({why})"));
    let lines = logs.as_ref().err().filter(|fault| fault.kind != FaultKind::NotConfigured);
    let unread = metric.into_iter().chain(lines.map(|fault| format!("logs ({})", fault.summary))).collect();
    let (series, baseline) = series.unzip();
    let read = logs.as_ref().ok().map(|read| (&read.digest, read.completeness));
    if series.is_none()
        && read.is_none()
        && let Err(fault) = logs
    {
        return unanswered(fault.clone());
    }
    evidence::in_part(evidence::collector(series, baseline, read), unread)
}
