//! One kill told three ways is one kill; sources are compared, never added up.

use proptest::prelude::*;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_777_600_000 + second).unwrap()
}

/// A place written as `pod/container`, or as a pod or a stream alone.
fn seen(source: KillSource, place: &str, second: i64, count: u64) -> KillSighting {
    let (pod, container) = match place.split_once('/').filter(|(_, rest)| !rest.contains('/')) {
        Some((pod, container)) => (pod, Some(container.to_owned())),
        None => (place, None),
    };
    KillSighting { source, pod: pod.to_owned(), container, at: at(second), count, most: count }
}

/// What the status of a container leaves room for, and of how much of it no reason is known.
fn died(pod: &str, container: &str, most: u64, unread: u64) -> Deaths {
    Deaths { pod: pod.to_owned(), container: container.to_owned(), since: None, most, unread }
}

fn whole(sources: &[KillSource]) -> Vec<SourceRead> {
    sources.iter().map(|source| SourceRead { source: *source, completeness: Completeness::Exact }).collect()
}

use KillSource::{Events, Logs, Status};

#[test]
fn fourteen_in_logs_statuses_and_events_are_fourteen() {
    let (mut sightings, mut deaths) = (Vec::new(), Vec::new());
    for kill in 0..14 {
        sightings.push(seen(Logs, &format!("api-{}/app", kill % 6), kill * 120, 1));
    }
    for pod in 0..6 {
        let kills = if pod < 2 { 3 } else { 2 };
        sightings.push(seen(Status, &format!("api-{pod}/app"), 1500 + pod, 1));
        sightings.push(seen(Events, &format!("api-{pod}"), 1500 + pod, kills));
        deaths.push(died(&format!("api-{pod}"), "app", kills, kills - 1));
    }
    let count = count(&sightings, &whole(&[Status, Events, Logs]), &deaths, 3).unwrap();
    assert_eq!((count.total, count.source, count.completeness), (14, Logs, Completeness::Exact));
    assert_eq!(count.by_source, [(Logs, 14), (Events, 14), (Status, 14)]);
    assert_eq!(count.by_container.len(), 6);
    assert_eq!(count.by_container[0], ContainerKills { container: "api-0/app".to_owned(), kills: 3 });
    assert_eq!((count.at.len(), count.heap_errors), (14, 3));
}

#[test]
fn several_lines_about_one_kill_are_one() {
    let sightings = [
        seen(Logs, "a", 0, 1),
        seen(Logs, "a", 2, 1),
        seen(Logs, "a", 9, 1),
        seen(Logs, "b", 3, 1),
        seen(Logs, "a", 60, 1),
    ];
    assert_eq!(count(&sightings, &whole(&[Logs]), &[], 0).unwrap().total, 3);
}

#[test]
fn each_container_takes_its_best_source() {
    let sightings = [
        seen(Logs, "a/app", 0, 1),
        seen(Events, "a", 5, 3),
        seen(Logs, "b/app", 0, 1),
        seen(Logs, "b/app", 60, 1),
        seen(Events, "b", 1, 1),
    ];
    let count = count(&sightings, &whole(&[Logs, Events]), &[], 0).unwrap();
    assert_eq!((count.total, count.completeness), (5, Completeness::Exact));
}

#[test]
fn streams_without_a_pod_are_not_added_to_pods() {
    let mut sightings: Vec<_> = (0..4).map(|n| seen(Logs, &format!("app/api/{n}"), n * 60, 1)).collect();
    sightings.extend((0..3).map(|n| seen(Status, &format!("api-{n}/app"), n * 60, 1)));
    let count = count(&sightings, &whole(&[Logs, Status]), &[], 0).unwrap();
    assert_eq!((count.total, count.source), (4, Logs));
}

#[test]
fn restarts_of_an_old_pod_are_an_upper_bound() {
    let count = count(&[seen(Status, "a/app", 0, 1)], &whole(&[Status]), &[died("a", "app", 30, 29)], 0).unwrap();
    assert_eq!((count.total, count.completeness), (1, Completeness::Truncated { seen: 1, of: Some(30) }));
}

#[test]
fn truncated_logs_stay_truncated_and_a_whole_source_of_the_same_count_is_preferred() {
    let sightings = [seen(Logs, "a/app", 0, 1), seen(Events, "a", 0, 1)];
    let cut = Completeness::Truncated { seen: 100, of: None };
    let logs = SourceRead { source: Logs, completeness: cut };
    assert_eq!(count(&sightings[..1], &[logs], &[], 0).unwrap().completeness, cut);
    let events = SourceRead { source: Events, completeness: Completeness::Exact };
    let count = count(&sightings, &[logs, events], &[], 0).unwrap();
    assert_eq!((count.source, count.completeness), (Events, Completeness::Exact));
}

#[test]
fn each_container_of_a_pod_counts_whichever_source_tells_of_it() {
    let sightings = [seen(Status, "a/app", 0, 1), seen(Logs, "a/istio-proxy", 3, 1)];
    let deaths = [died("a", "app", 1, 0), died("a", "istio-proxy", 1, 1)];
    let count = count(&sightings, &whole(&[Status, Logs]), &deaths, 0).unwrap();
    let named: Vec<&str> = count.by_container.iter().map(|by| by.container.as_str()).collect();
    assert_eq!((count.total, named), (2, vec!["a/app", "a/istio-proxy"]));
}

#[test]
fn a_kill_of_a_container_and_of_its_pod_in_the_same_breath_is_one() {
    for places in [["a", "a/app"], ["a/app", "a"]] {
        let sightings = [seen(Logs, places[0], 0, 1), seen(Logs, places[1], 2, 1), seen(Logs, "a", 40, 1)];
        let count = count(&sightings, &whole(&[Logs]), &[], 0).unwrap();
        assert_eq!((count.total, count.at.len()), (2, 2), "{places:?}: {:?}", count.by_container);
    }
}

#[test]
fn what_a_source_tells_of_a_pod_beyond_its_containers_is_of_the_pod() {
    let sightings = [seen(Logs, "a/app", 0, 1), seen(Events, "a", 60, 3)];
    let count = count(&sightings, &whole(&[Logs, Events]), &[], 0).unwrap();
    let by: Vec<(&str, u64)> = count.by_container.iter().map(|by| (by.container.as_str(), by.kills)).collect();
    assert_eq!((count.total, by), (3, vec![("a", 2), ("a/app", 1)]));
}

#[test]
fn no_log_tells_of_more_kills_than_the_status_leaves_room_for() {
    let chatter: Vec<_> = (0..20).map(|n| seen(Logs, "a/app", n * 60, 1)).collect();
    let counted = |sightings: &[KillSighting], deaths: &[Deaths]| {
        let count = count(sightings, &whole(&[Logs, Status]), deaths, 0).unwrap();
        (count.total, count.completeness)
    };
    let told: Vec<_> = chatter.iter().cloned().chain([seen(Status, "a/app", 5, 1)]).collect();
    let open = |seen, of| Completeness::Truncated { seen, of: Some(of) };
    assert_eq!(counted(&told, &[died("a", "app", 1, 0)]), (1, open(1, 20)));
    assert_eq!(counted(&chatter, &[died("a", "app", 0, 0)]), (0, open(0, 20)));
    let bare: Vec<_> = (0..20).map(|n| seen(Logs, "a", n * 60, 1)).collect();
    assert_eq!(counted(&bare, &[died("a", "app", 2, 2), died("a", "log", 1, 1)]).0, 3);
    let younger = Deaths { since: Some(at(600)), ..died("a", "app", 1, 0) };
    assert_eq!(counted(&chatter, &[younger]), (20, Completeness::Exact), "an earlier pod of that name left no status");
}

#[test]
fn ends_that_no_status_keeps_are_no_zero() {
    let deaths = [died("a", "app", 7, 6)];
    let counted = |sightings: &[KillSighting]| {
        let count = count(sightings, &whole(&[Events, Status]), &deaths, 0).unwrap();
        (count.total, count.completeness, count.by_container.len())
    };
    assert_eq!(counted(&[]), (0, Completeness::Truncated { seen: 0, of: Some(6) }, 0));
    let told = [seen(Events, "a/app", 0, 1)];
    let open = Completeness::Truncated { seen: 1, of: Some(6) };
    assert_eq!(counted(&told), (1, open, 1), "how the others came is told by nobody");
}

#[test]
fn two_ends_of_a_status_are_two_however_close() {
    let sightings = [seen(Status, "a/app", 0, 1), seen(Status, "a/app", 4, 1)];
    assert_eq!(count(&sightings, &whole(&[Status]), &[], 0).unwrap().total, 2);
}

#[test]
fn nothing_read_is_no_zero() {
    assert_eq!(count(&[], &[], &[], 0), None);
    assert_eq!(count(&[], &whole(&[Logs]), &[], 0).unwrap().total, 0);
}

proptest! {
    #[test]
    fn the_total_is_never_below_the_best_source_nor_above_their_sum(
        raw in prop::collection::vec((0u8..3, 0u8..4, 0i64..600, 1u64..4), 0..40),
    ) {
        let sightings: Vec<_> = raw
            .into_iter()
            .map(|(source, pod, second, count)| {
                seen([Logs, Events, Status][usize::from(source)], &format!("p{pod}/app"), second, count)
            })
            .collect();
        let counted = count(&sightings, &whole(&[Logs, Events, Status]), &[], 0).unwrap();
        let sources: Vec<u64> = counted.by_source.iter().map(|(_, count)| *count).collect();
        prop_assert!(counted.total >= sources.iter().copied().max().unwrap_or(0));
        prop_assert!(counted.total <= sources.iter().sum());
        prop_assert_eq!(counted.total, counted.by_container.iter().map(|c| c.kills).sum::<u64>());
    }
}
