//! The three reads that evidence is made of: metrics, logs, cluster. One read answers several questions.

mod whole;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::Means;
use super::follow::{Page, ShownGroup};
use super::patience::{Fed, persist, tell_health, wait_or_give_up};
use crate::adapters::aws::call::CallError;
use crate::adapters::aws::logs::{LogPage, LogQuery, Progress, ReadLimits, ReadOrder, ReadSummary, WindowReading};
use crate::adapters::aws::metrics::{Evaluated, Reading, evaluate, fetch, kept_since};
use crate::adapters::kubernetes::Client;
use crate::config::LargeWindows;
use crate::domain::diagnosis::evidence::{LogDigest, OtherChanges, WholeCount};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::alarm::MathQuery;
use crate::domain::observation::change::of_nodes;
use crate::domain::observation::log::{Completeness, Ingest, LogGroup};
use crate::domain::observation::metric::{MetricQuery, MetricRole, Series};
use crate::domain::observation::scope::{Window, whole_minute};
use crate::domain::observation::service::ServiceName;
use crate::domain::observation::workload::{ClusterEvent, Pod, Revision, Workload, WorkloadKind, WorkloadRef};
use crate::session::event::{Event, LogEvent};
use crate::session::feeds::{FeedHealth, FeedId};

/// The answer to each query.
pub type MetricAnswers = BTreeMap<MetricQuery, Result<Reading, Fault>>;

/// Reads every query over the window it is judged over and what came before. One call serves all that are read as far
/// back, which are all of them but those of long periods.
pub async fn metrics(means: &Means, service: &ServiceName, queries: Vec<MetricQuery>, window: Window) -> MetricAnswers {
    let mut by_span: BTreeMap<Reverse<Timestamp>, BTreeSet<MetricQuery>> = BTreeMap::new();
    let requests = queries.iter().find(|query| query.role == MetricRole::Requests);
    let beside: Vec<MetricQuery> =
        requests.into_iter().flat_map(|requests| queries.iter().filter_map(|query| query.beside(requests))).collect();
    for query in queries.into_iter().chain(beside) {
        by_span.entry(Reverse(query.read_over(window).from)).or_default().insert(query);
    }
    let mut answers = MetricAnswers::new();
    for (Reverse(from), queries) in by_span {
        let queries: Vec<MetricQuery> = queries.into_iter().collect();
        let wide = Window { from, to: whole_minute(window.to) };
        let age = means.now_at_aws().duration_since(from);
        let asked: Vec<MetricQuery> = queries.iter().map(|query| query.kept_for(age)).collect();
        let read = persist(means, service, || async {
            let clients = means.outside.aws().await?;
            fetch(clients, &asked, wide).await.map_err(|error| error.fault())
        })
        .await;
        tell_outcome(means, service, &read).await;
        match read.map(with_zeros) {
            Ok(readings) => {
                let own = queries.into_iter().zip(readings);
                answers.extend(own.map(|(query, reading)| (query.clone(), Ok(reading.in_measure_of(&query)))));
            }
            Err(fault) => answers.extend(queries.into_iter().map(|query| (query, Err(fault.clone())))),
        }
    }
    answers
}

/// Why one metric was not read, while the call was answered.
pub fn unread(query: &MetricQuery, source: &CallError) -> Fault {
    Fault::new(source.kind(), format!("{} could not be read.", query.metric)).cause(source.to_string())
}

/// Readings, their counts of failures with the zeros that nobody publishes: none before an outbreak is a level, too.
pub fn with_zeros(mut readings: Vec<Reading>) -> Vec<Reading> {
    let requests: Vec<Series> = readings
        .iter()
        .filter_map(|reading| match reading {
            Reading::Complete(series) if series.query.role == MetricRole::Requests => Some(series.clone()),
            _ => None,
        })
        .collect();
    for reading in &mut readings {
        let (Reading::Complete(series) | Reading::Empty(series)) = &*reading else { continue };
        if let Some(whole) = requests.iter().find_map(|requests| series.with_zeros(requests)) {
            *reading = Reading::Complete(whole);
        }
    }
    readings
}

/// Evaluates what an alarm compares, over a window.
pub async fn math(
    means: &Means,
    service: &ServiceName,
    queries: &[MathQuery],
    window: Window,
) -> Result<Evaluated, Fault> {
    // Lines keep their periods, since the expression is made of them: what is not kept by those is not asked for.
    let kept = Window { from: window.from.max(kept_since(queries, means.now_at_aws())), to: window.to };
    // One expression that cannot be evaluated says nothing of the feed: it is not told as its health.
    persist(means, service, || async {
        let clients = means.outside.aws().await?;
        evaluate(clients, queries, kept).await.map_err(|error| error.fault())
    })
    .await
}

/// All lines of a window, counted.
#[derive(Debug)]
pub struct LogRead {
    /// What they come to.
    pub digest: LogDigest,
    /// Whether all were read.
    pub completeness: Completeness,
    /// How many were.
    events: u64,
    /// Whether all that tell of memory running out were read.
    pub signs: Completeness,
    /// The count of the whole window, where it was too large to read and somebody was asked.
    pub whole: Option<Result<WholeCount, Fault>>,
}

/// Pages of a group that are read for evidence, where a larger window can be counted another way: about half a minute.
const PAGES: u32 = 60;
/// Pages of a larger window that are read all the same, from its end: what happened last says most of an incident.
const NEWEST_PAGES: u32 = 20;

/// Reads all groups to the end. One group that cannot be read makes the whole an error: a count over the rest would
/// look like the whole.
pub async fn logs(means: &Means, groups: &[ShownGroup], window: Window) -> Result<LogRead, Fault> {
    if groups.is_empty() {
        return Err(Fault::new(FaultKind::NotConfigured, "no log group is known for this service"));
    }
    let exact = Completeness::Exact;
    let mut read =
        LogRead { digest: LogDigest::new(window), completeness: exact, events: 0, signs: exact, whole: None };
    for shown in groups {
        let outcome = one_group(means, (shown, window), &mut read).await;
        tell_outcome(means, &shown.group, &outcome).await;
        outcome?;
    }
    read.signs = read.completeness;
    if read.completeness != Completeness::Exact && means.outside.logs.large_windows == LargeWindows::Insights {
        let names: Vec<LogGroup> = groups.iter().map(|shown| shown.group.clone()).collect();
        read.whole = Some(whole::count(means, &names, window).await.map(|whole| {
            read.digest.adopt_signs(&whole.signs);
            read.signs = whole.completeness;
            whole.count
        }));
    }
    Ok(read)
}

/// How much of a window is read at first.
fn limits(means: &Means) -> ReadLimits {
    match means.outside.logs.large_windows {
        LargeWindows::Truncated => ReadLimits::default(),
        LargeWindows::Insights => {
            let pages = NonZeroU32::new(PAGES);
            ReadLimits { pages: pages.unwrap_or(NonZeroU32::MIN), estimated: pages, ..ReadLimits::default() }
        }
    }
}

async fn one_group(means: &Means, (shown, window): (&ShownGroup, Window), read: &mut LogRead) -> Result<(), Fault> {
    let mut query = LogQuery { limits: limits(means), ..LogQuery::all(shown.group.clone(), window) };
    loop {
        // Another order counts from the start again, so that no page is counted twice.
        let mut digest = read.digest.clone();
        let summary = read_once(means, &query, shown, &mut digest).await?;
        let Some(newest) = newest_instead(&query, &summary) else {
            if let Some(gap) = gap(&shown.group, window, &summary) {
                means.post.tell(None, Event::Log(gap)).await;
            }
            read.digest = digest;
            read.completeness = worse((read.completeness, read.events), (summary.completeness, summary.events));
            read.events += summary.events;
            return Ok(());
        };
        query = newest;
    }
}

/// What of a window nobody is shown: where it was too large, what lies before the newest lines, and events that have no time.
fn gap(group: &LogGroup, window: Window, summary: &ReadSummary) -> Option<LogEvent> {
    let of = |window, missed, why: &str| LogEvent::Gap { group: group.clone(), window, missed, why: why.to_owned() };
    if summary.completeness != Completeness::Exact {
        let to = summary.first_at.unwrap_or(window.to);
        return Some(of(Window { to, ..window }, None, "there are too many to read them all"));
    }
    (summary.unreadable > 0).then(|| of(window, Some(summary.unreadable), "they have no time"))
}

/// What is read in place of a reading from the oldest on that did not come to the end, whatever ended it: the newest lines,
/// which are those of the incident. `None` where nothing is missing, or the oldest are.
fn newest_instead(query: &LogQuery, summary: &ReadSummary) -> Option<LogQuery> {
    if summary.completeness == Completeness::Exact || query.order == ReadOrder::NewestFirst {
        return None;
    }
    // A window that is known to be far too large is not read as far as one that turned out to be.
    let fewer = summary.estimated.and_then(|_| NonZeroU32::new(NEWEST_PAGES));
    let limits = ReadLimits { pages: fewer.unwrap_or(query.limits.pages), estimated: None, ..query.limits };
    Some(LogQuery { order: ReadOrder::NewestFirst, limits, ..query.clone() })
}

/// Reads a group once: every line is counted, and those that nobody was shown yet are shown.
async fn read_once(
    means: &Means,
    query: &LogQuery,
    shown: &ShownGroup,
    digest: &mut LogDigest,
) -> Result<ReadSummary, Fault> {
    let clients = persist(means, &shown.group, || means.outside.aws()).await?;
    // One page is read while another one is taken in: more of them waiting would only be held.
    let (sender, mut pages) = mpsc::channel::<LogPage>(1);
    let reading = async {
        let summary = all_pages(means, WindowReading::new(clients, query, &sender), &shown.group).await;
        drop(sender);
        summary
    };
    let counting = async {
        let mut ingest = Ingest::of(&query.group);
        while let Some(page) = pages.recv().await {
            let mut fresh = Page::new(shown, page.duplicates);
            for raw in page.events {
                let print = shown.told.early.print(&raw);
                let line = ingest.line(raw);
                digest.add(&line);
                if shown.told.seen.note(&line.id.text(), line.at) {
                    fresh.add(print, line);
                }
            }
            fresh.tell(means).await;
        }
    };
    let (summary, ()) = tokio::join!(reading, counting);
    summary
}

/// Reads page by page. A page that is refused for the moment is asked for again, and none before it: who is asked to slow
/// down must not begin anew.
async fn all_pages(means: &Means, mut window: WindowReading<'_>, group: &LogGroup) -> Result<ReadSummary, Fault> {
    let mut failures = 0;
    loop {
        match window.step().await {
            Ok(progress) => {
                if failures > 0 {
                    tell_health(means, group, FeedHealth::Live).await;
                }
                failures = 0;
                if let Progress::Done(summary) = progress {
                    return Ok(summary);
                }
            }
            Err(error) => {
                failures += 1;
                wait_or_give_up(means, group, failures, error.fault()).await?;
            }
        }
    }
}

/// What two readings are together: each with how many lines it counted.
fn worse((a, events): (Completeness, u64), (b, more): (Completeness, u64)) -> Completeness {
    let seen = events + more;
    match (a, b) {
        (Completeness::Exact, Completeness::Exact) => Completeness::Exact,
        (Completeness::Sampled { .. }, _) | (_, Completeness::Sampled { .. }) => Completeness::Sampled { seen },
        (Completeness::Truncated { of, .. }, Completeness::Exact) => {
            Completeness::Truncated { seen, of: of.map(|of| of + more) }
        }
        (Completeness::Exact, Completeness::Truncated { of, .. }) => {
            Completeness::Truncated { seen, of: of.map(|of| of + events) }
        }
        (Completeness::Truncated { .. }, Completeness::Truncated { .. }) => Completeness::Truncated { seen, of: None },
    }
}

/// What the cluster says of a workload; each part may be refused by itself.
#[derive(Debug)]
pub struct ClusterRead {
    /// The workload.
    pub workload: Result<Workload, Fault>,
    /// Its pods.
    pub pods: Result<Vec<Pod>, Fault>,
    /// Its revisions.
    pub revisions: Result<Vec<Revision>, Fault>,
    /// Changes beside them, and what of those could not be read.
    pub others: OtherChanges,
    /// Events of its namespace, and of nodes.
    pub events: Result<Vec<ClusterEvent>, Fault>,
}

impl ClusterRead {
    fn refused(fault: &Fault) -> Self {
        Self {
            workload: Err(fault.clone()),
            pods: Err(fault.clone()),
            revisions: Err(fault.clone()),
            others: OtherChanges::default(),
            events: Err(fault.clone()),
        }
    }
}

/// Reads a workload with its pods, revisions and events.
pub async fn cluster(means: &Means, target: Option<&WorkloadRef>) -> ClusterRead {
    let Some(target) = target else {
        let why = "no workload is known for this service: name it under [[service]]";
        return ClusterRead::refused(&Fault::new(FaultKind::NotConfigured, why));
    };
    let connected = persist(means, FeedId::Workloads, || means.outside.cluster()).await;
    let client = match connected {
        Ok(client) => client,
        Err(fault) => return ClusterRead::refused(&fault),
    };
    let again = FeedId::Workloads;
    let workload =
        persist(means, again, || async { client.read_workload(target).await.map_err(|error| error.fault()) }).await;
    let events =
        persist(means, again, || async { client.read_events(&target.namespace).await.map_err(|error| error.fault()) })
            .await;
    let nodes = client.read_node_events().await;
    let (events, nodes) = match (events, nodes) {
        (Ok(events), Ok(nodes)) => (Ok(with_nodes(events, nodes)), None),
        (events, nodes) => (events, nodes.err()),
    };
    let (pods, revisions, mut others) = match &workload {
        Ok(workload) => {
            let pods =
                persist(means, again, || async { client.read_pods(workload).await.map_err(|error| error.fault()) });
            let revisions = persist(means, again, || async {
                client.read_revisions(workload).await.map_err(|error| error.fault())
            });
            let parts = means.clock.busy().parts(3);
            tokio::join!(
                parts.part(Box::pin(pods)),
                parts.part(Box::pin(revisions)),
                parts.part(Box::pin(others(client, workload))),
            )
        }
        Err(fault) => (Err(fault.clone()), Err(fault.clone()), OtherChanges::default()),
    };
    let revisions = apart(target.kind, revisions, &mut others);
    others.unread.extend(nodes.map(|error| format!("node events ({})", error.fault().summary)));
    let mut events = events;
    if let (Ok(pods), Ok(events)) = (&pods, &mut events) {
        let told = client.tell_of_nodes(events, (pods, means.clock.now())).await;
        others.unread.extend(told.err().map(|error| format!("nodes ({})", error.fault().summary)));
    }
    if let (Ok(pods), Ok(events)) = (&pods, &events) {
        others.changes.extend(of_nodes(events, (target, pods)));
    }
    ClusterRead { workload, pods, revisions, others, events }
}

/// The events of a namespace with those about nodes, each once: a workload in `default` has them among its own.
fn with_nodes(mut events: Vec<ClusterEvent>, nodes: Vec<ClusterEvent>) -> Vec<ClusterEvent> {
    let known = |node: &ClusterEvent| {
        events.iter().any(|event| (&event.namespace, &event.name) == (&node.namespace, &node.name))
    };
    let new: Vec<ClusterEvent> = nodes.into_iter().filter(|node| !known(node)).collect();
    events.extend(new);
    events
}

/// Rollouts of other kinds than deployments are told beside the changes where they cannot be read: a role that was made for
/// deployments may not list controller revisions, and that takes nothing from the rest.
fn apart(
    kind: WorkloadKind,
    revisions: Result<Vec<Revision>, Fault>,
    others: &mut OtherChanges,
) -> Result<Vec<Revision>, Fault> {
    match (kind, revisions) {
        (WorkloadKind::StatefulSet | WorkloadKind::DaemonSet, Err(fault)) if fault.kind == FaultKind::Denied => {
            others.unread.push(format!("revisions of a {} ({})", kind.word(), fault.summary));
            Ok(Vec::new())
        }
        (_, revisions) => revisions,
    }
}

/// Read once: what is refused here is told, and nothing waits for it.
async fn others(client: &Client, workload: &Workload) -> OtherChanges {
    let read = client.read_changes(workload).await;
    let unread = read.unread.iter().map(|(what, error)| format!("{what} ({})", error.fault().summary));
    OtherChanges { unread: unread.chain(read.not_looked_at).collect(), changes: read.changes }
}

async fn tell_outcome<T>(means: &Means, fed: impl Into<Fed>, outcome: &Result<T, Fault>) {
    let health = match outcome {
        Ok(_) => FeedHealth::Live,
        Err(fault) => FeedHealth::Lost { fault: fault.clone() },
    };
    tell_health(means, fed, health).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_read_is_a_gap_before_what_was() {
        let at = |minute: i64| Timestamp::from_second(minute * 60).unwrap();
        let (window, group) = (Window { from: at(0), to: at(30) }, LogGroup::from("/ecs/my-api"));
        let summary = |completeness, unreadable| ReadSummary {
            completeness,
            events: 9,
            duplicates: 0,
            unreadable,
            pages: 1,
            estimated: None,
            first_at: Some(at(20)),
            last_at: Some(at(29)),
        };
        let told = |completeness, unreadable| match gap(&group, window, &summary(completeness, unreadable)) {
            Some(LogEvent::Gap { window, missed, .. }) => Some((window.from, window.to, missed)),
            _ => None,
        };
        assert_eq!(told(Completeness::Exact, 0), None);
        assert_eq!(told(Completeness::Exact, 3), Some((at(0), at(30), Some(3))));
        assert_eq!(told(Completeness::Truncated { seen: 9, of: None }, 0), Some((at(0), at(20), None)));
    }

    #[test]
    fn what_was_read_whole_counts_beside_what_was_cut() {
        let cut = |seen, of| Completeness::Truncated { seen, of };
        let exact = Completeness::Exact;
        assert_eq!(worse((exact, 7), (exact, 5)), exact);
        assert_eq!(worse((exact, 5_000), (cut(200_000, None), 200_000)), cut(205_000, None));
        assert_eq!(worse((cut(20, Some(30)), 20), (exact, 5)), cut(25, Some(35)));
        assert_eq!(worse((cut(20, Some(30)), 20), (cut(1, Some(9)), 1)), cut(21, None));
        assert_eq!(worse((Completeness::Sampled { seen: 4 }, 4), (exact, 5)), Completeness::Sampled { seen: 9 });
    }

    #[test]
    fn what_is_cut_is_read_again_from_its_newest_end() {
        let window = Window::minutes_before("2026-05-01T09:31:00Z".parse().unwrap(), 30);
        let query = LogQuery::all("/ecs/my-api".into(), window);
        let cut = Completeness::Truncated { seen: 200_000, of: None };
        let summary = |completeness, estimated| ReadSummary {
            completeness,
            events: 200_000,
            duplicates: 0,
            unreadable: 0,
            pages: 23,
            estimated,
            first_at: None,
            last_at: None,
        };
        assert_eq!(newest_instead(&query, &summary(Completeness::Exact, None)), None);
        let by_events = newest_instead(&query, &summary(cut, None)).unwrap();
        assert_eq!((by_events.order, by_events.limits.pages), (ReadOrder::NewestFirst, query.limits.pages));
        let by_look = newest_instead(&query, &summary(cut, Some(300))).unwrap();
        assert_eq!((by_look.order, by_look.limits.pages.get()), (ReadOrder::NewestFirst, NEWEST_PAGES));
        assert_eq!(newest_instead(&by_events, &summary(cut, None)), None, "once");
    }
}
