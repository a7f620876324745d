//! Who is followed, from when, and until when; over an outside that answers nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::adapters::names::Names;
use crate::domain::observation::alarm::Severity;
use crate::domain::observation::metric::{MetricId, MetricQuery, MetricRole, Statistic};
use crate::domain::observation::scope::{Scope, Window};
use crate::domain::observation::service::{Origin, Service};
use crate::domain::remediation::follow_up::{FollowUp, FollowUpTest, Standing};
use crate::runtime::clock::Clock;
use crate::runtime::inbox::{Inbox, Postbox};
use crate::runtime::outside::{AwsAccess, ClusterAccess, Outside};
use crate::session::incident::{Post, ReportState};

fn incident(number: u32, name: &str, groups: &[&str]) -> Incident {
    let service = Service {
        name: name.into(),
        workload: None,
        log_groups: groups.iter().map(|group| (*group).into()).collect(),
        metrics: BTreeMap::from([(MetricRole::Cpu, cpu(name))]),
        helm_release: None,
        links: Vec::new(),
        origin: Origin::Configured,
    };
    Incident::new(IncidentId(number), service, Severity::P2, Timestamp::UNIX_EPOCH)
}

fn cpu(name: &str) -> MetricQuery {
    let metric = MetricId { name: name.to_owned(), ..MetricId::default() };
    MetricQuery { role: MetricRole::Cpu, metric, statistic: Statistic::Average, period_s: 60 }
}

fn session(incidents: impl IntoIterator<Item = Incident>) -> Session {
    let incidents = incidents.into_iter().map(|incident| (incident.id, incident)).collect();
    Session { incidents, ..Session::default() }
}

/// What a test waits for, by its words where it does not come: a defect must fail and not hang.
pub(in crate::runtime::runner) async fn within<T>(what: &str, awaited: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_mins(2), awaited).await.unwrap_or_else(|_| panic!("{what} did not come"))
}

pub(in crate::runtime::runner) fn outside() -> (Means, Tasks, mpsc::Receiver<Inbox>) {
    // Nobody listens on the discard port: every call fails, and none of this waits for one.
    outside_at("http://127.0.0.1:9", ClusterAccess::Off { why: "a test".to_owned() })
}

/// An outside whose AWS is at an address of this machine.
pub(in crate::runtime::runner) fn outside_at(
    endpoint: &str,
    cluster: ClusterAccess,
) -> (Means, Tasks, mpsc::Receiver<Inbox>) {
    let names = Names::new(|_| Ok([127, 0, 0, 1].into()));
    let aws = AwsAccess::Rehearsal { endpoint: endpoint.to_owned(), names };
    let (sender, inbox) = mpsc::channel(1_000);
    let scope = Scope { region: "us-east-1".into(), ..Scope::default() };
    let means = Means {
        outside: Arc::new(Outside::new(aws, cluster, scope)),
        post: Postbox::new(sender.clone()),
        clock: Clock::wall(),
        nudge: Arc::default(),
        failing: Arc::default(),
    };
    (means, Tasks::new(sender), inbox)
}

fn follow_all(following: &mut Following, session: &Session, (means, tasks): (&Means, &Tasks)) {
    for incident in session.incidents.values() {
        following.begin((session, incident), (means, tasks));
    }
}

fn tails(following: &Following) -> Vec<(&str, Vec<u32>)> {
    following
        .tails
        .iter()
        .map(|(group, followed)| (group.as_str(), followed.incidents.iter().map(|id| id.0).collect()))
        .collect()
}

#[tokio::test]
async fn a_group_has_one_tail_until_its_last_incident_closes() {
    let (means, tasks, _inbox) = outside();
    let mut session = session([
        incident(1, "orders", &["/orders", "/shared"]),
        incident(2, "orders", &["/orders"]),
        incident(3, "billing", &["/shared"]),
    ]);
    let mut following = Following::default();
    follow_all(&mut following, &session, (&means, &tasks));
    follow_all(&mut following, &session, (&means, &tasks));
    assert_eq!(tails(&following), [("/orders", vec![1, 2]), ("/shared", vec![1, 3])]);
    assert_eq!(following.charts.len(), 2, "one chart feed a service");
    let shown = following.told(&"/orders".into());
    assert!(shown.told.seen.note("e1", Timestamp::UNIX_EPOCH));

    let close = |session: &mut Session, id| session.incidents.get_mut(&IncidentId(id)).unwrap().phase = Phase::Closed;
    close(&mut session, 1);
    following.end_idle(&session);
    assert_eq!(tails(&following), [("/orders", vec![2]), ("/shared", vec![3])]);
    let stop = following.tails[&LogGroup::from("/orders")].stop.clone();
    close(&mut session, 2);
    following.end_idle(&session);
    assert!(stop.token().is_cancelled());
    assert_eq!(tails(&following), [("/shared", vec![3])]);

    session.incidents.get_mut(&IncidentId(2)).unwrap().phase = Phase::Triage;
    follow_all(&mut following, &session, (&means, &tasks));
    assert!(
        !following.told(&"/orders".into()).told.seen.note("e1", Timestamp::UNIX_EPOCH),
        "what was shown stays known"
    );
    tasks.end().await;
}

#[tokio::test]
async fn a_corrected_service_lets_its_old_groups_go() {
    let (means, tasks, _inbox) = outside();
    let mut session = session([incident(1, "orders", &["/orders"])]);
    session.header.log_groups = vec!["/always".into()];
    let mut following = Following::default();
    follow_all(&mut following, &session, (&means, &tasks));
    session.incidents.get_mut(&IncidentId(1)).unwrap().service.log_groups = vec!["/orders/api".into()];
    follow_all(&mut following, &session, (&means, &tasks));
    following.end_idle(&session);
    assert_eq!(tails(&following), [("/always", vec![1]), ("/orders/api", vec![1])]);
    tasks.end().await;
}

#[tokio::test]
async fn a_service_is_charted_while_an_open_incident_is_about_it() {
    let (means, tasks, mut inbox) = outside();
    let mut session = session([incident(1, "orders", &[]), incident(2, "orders", &[]), incident(3, "billing", &[])]);
    let other = MetricQuery { role: MetricRole::Memory, ..cpu("orders") };
    let mut following = Following::default();
    follow_all(&mut following, &session, (&means, &tasks));
    let second = session.incidents.get_mut(&IncidentId(2)).unwrap();
    second.service.metrics.insert(MetricRole::Memory, other.clone());
    follow_all(&mut following, &session, (&means, &tasks));
    let orders = ServiceName::from("orders");
    assert_eq!(following.charts[&orders].charted(), [cpu("orders"), other], "one look at all, however many ask for it");

    let close = |session: &mut Session, id| session.incidents.get_mut(&IncidentId(id)).unwrap().phase = Phase::Closed;
    close(&mut session, 2);
    following.end_idle(&session);
    assert_eq!(following.charts[&orders].charted(), [cpu("orders")]);
    assert!(!following.charts[&orders].is_stopped());
    close(&mut session, 1);
    following.end_idle(&session);
    assert_eq!(following.charts.keys().map(ServiceName::as_str).collect::<Vec<_>>(), ["billing"]);
    let told = loop {
        if let Inbox::Event { event, .. } = within("the end of the chart", inbox.recv()).await.unwrap() {
            break *event;
        }
    };
    let off = FeedHealth::Off { why: ENDED.to_owned() };
    assert_eq!(told, Event::Feed(FeedEvent::ServiceChanged { service: orders, health: off }));
    tasks.end().await;
}

#[tokio::test]
async fn a_service_is_charted_as_long_as_a_follow_up_watches_it() {
    let (means, tasks, _inbox) = outside();
    let mut session = session([incident(1, "orders", &[])]);
    let one = session.incidents.get_mut(&IncidentId(1)).unwrap();
    one.service.metrics.insert(MetricRole::Memory, MetricQuery { role: MetricRole::Memory, ..cpu("orders") });
    let mut following = Following::default();
    follow_all(&mut following, &session, (&means, &tasks));
    let promise = |standing| {
        let test = FollowUpTest::MetricBelow { role: MetricRole::Cpu, bound: 85.0, minutes: 30 };
        let follow_ups = vec![FollowUp { text: "watch CPU".to_owned(), test, due_at: Timestamp::MAX, standing }];
        Some(ReportState { headline: String::new(), drafted_at: Timestamp::UNIX_EPOCH, follow_ups, post: Post::Off })
    };
    let one = session.incidents.get_mut(&IncidentId(1)).unwrap();
    (one.phase, one.report) = (Phase::Closed, promise(Standing::Pending));
    following.end_idle(&session);
    assert_eq!(following.charts[&ServiceName::from("orders")].charted(), [cpu("orders")], "what it looks at alone");
    session.incidents.get_mut(&IncidentId(1)).unwrap().report = promise(Standing::Held { highest: 43.0 });
    following.end_idle(&session);
    assert!(following.charts.is_empty());
    tasks.end().await;
}

#[test]
fn a_tail_begins_where_the_history_ends_less_the_overlap() {
    let now: Timestamp = "2026-05-01T09:31:00Z".parse().unwrap();
    let mut session = session([incident(1, "orders", &["/orders"])]);
    session.header.window_minutes = 30;
    let mut start = |window: Option<Window>, now| {
        session.incidents.get_mut(&IncidentId(1)).unwrap().window = window;
        tail_start(&session, &session.incidents[&IncidentId(1)], now)
    };
    let opened = Window::minutes_before(now, 30);
    let late = now + SignedDuration::from_secs(45);
    assert_eq!(start(Some(opened), late), now - Tail::OVERLAP, "nothing between the history and the tail is missed");
    assert_eq!(start(None, now), now - Tail::OVERLAP);
    let next_day = now + SignedDuration::from_hours(24);
    assert_eq!(start(Some(opened), next_day), next_day - SignedDuration::from_mins(30), "a resumed session");
}
