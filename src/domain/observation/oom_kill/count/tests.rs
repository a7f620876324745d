//! One kill told three ways is one kill; sources are compared, never added up.

use proptest::prelude::*;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_777_600_000 + second).unwrap()
}

fn seen(source: KillSource, container: &str, second: i64, count: u64) -> KillSighting {
    KillSighting { source, container: container.to_owned(), at: at(second), count, certainty: Certainty::Told }
}

fn at_most(container: &str, second: i64, count: u64) -> KillSighting {
    KillSighting { certainty: Certainty::AtMost, ..seen(KillSource::Status, container, second, count) }
}

fn whole(sources: &[KillSource]) -> Vec<SourceRead> {
    sources.iter().map(|source| SourceRead { source: *source, completeness: Completeness::Exact }).collect()
}

use KillSource::{Events, Logs, Status};

#[test]
fn fourteen_in_logs_statuses_and_events_are_fourteen() {
    let mut sightings = Vec::new();
    for kill in 0..14 {
        sightings.push(seen(Logs, &format!("api-{}/app", kill % 6), kill * 120, 1));
    }
    for pod in 0..6 {
        let kills = if pod < 2 { 3 } else { 2 };
        sightings.push(at_most(&format!("api-{pod}/app"), 1500 + pod, kills));
        sightings.push(seen(Events, &format!("api-{pod}"), 1500 + pod, kills));
    }
    let count = count(&sightings, &whole(&[Status, Events, Logs]), 3).unwrap();
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
    assert_eq!(count(&sightings, &whole(&[Logs]), 0).unwrap().total, 3);
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
    let count = count(&sightings, &whole(&[Logs, Events]), 0).unwrap();
    assert_eq!((count.total, count.completeness), (5, Completeness::Exact));
}

#[test]
fn streams_without_a_pod_are_not_added_to_pods() {
    let mut sightings: Vec<_> = (0..4).map(|n| seen(Logs, &format!("app/api/{n}"), n * 60, 1)).collect();
    sightings.extend((0..3).map(|n| seen(Status, &format!("api-{n}/app"), n * 60, 1)));
    let count = count(&sightings, &whole(&[Logs, Status]), 0).unwrap();
    assert_eq!((count.total, count.source), (4, Logs));
}

#[test]
fn restarts_of_an_old_pod_are_an_upper_bound() {
    let count = count(&[at_most("a/app", 0, 30)], &whole(&[Status]), 0).unwrap();
    assert_eq!((count.total, count.completeness), (1, Completeness::Truncated { seen: 1, of: Some(30) }));
}

#[test]
fn truncated_logs_stay_truncated_and_a_whole_source_of_the_same_count_is_preferred() {
    let sightings = [seen(Logs, "a/app", 0, 1), seen(Events, "a", 0, 1)];
    let cut = Completeness::Truncated { seen: 100, of: None };
    let logs = SourceRead { source: Logs, completeness: cut };
    assert_eq!(count(&sightings[..1], &[logs], 0).unwrap().completeness, cut);
    let events = SourceRead { source: Events, completeness: Completeness::Exact };
    let count = count(&sightings, &[logs, events], 0).unwrap();
    assert_eq!((count.source, count.completeness), (Events, Completeness::Exact));
}

#[test]
fn nothing_read_is_no_zero() {
    assert_eq!(count(&[], &[], 0), None);
    assert_eq!(count(&[], &whole(&[Logs]), 0).unwrap().total, 0);
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
        let counted = count(&sightings, &whole(&[Logs, Events, Status]), 0).unwrap();
        let sources: Vec<u64> = counted.by_source.iter().map(|(_, count)| *count).collect();
        prop_assert!(counted.total >= sources.iter().copied().max().unwrap_or(0));
        prop_assert!(counted.total <= sources.iter().sum());
        prop_assert_eq!(counted.total, counted.by_container.iter().map(|c| c.kills).sum::<u64>());
    }
}
