//! Invariant 2: a session is the fold of its journal, however often it is folded, and nothing but it.

use pagerdeck::report::incident::{Surroundings, chosen, object};
use pagerdeck::session::update;
use serde_json::Value;

use super::rehearsed::{fold, live, story};

#[test]
fn folding_a_journal_twice_gives_equal_sessions() {
    let records = live().records();
    assert!(records.len() > 50, "only {} records: nothing is proven", records.len());
    let session = fold(&records);
    assert!(session == fold(&records), "two folds of one journal differ");
    let mut again = session.clone();
    drop(update(&mut again, records.last().unwrap()));
    assert!(again != session, "a record more is a session more, or equality proves nothing");
}

/// What a run told at its end, without what no journal holds.
fn told(mut object: Value) -> Value {
    let fields = object.as_object_mut().unwrap();
    for key in ["requests", "journal", "anchor", "timings_ms"] {
        assert!(fields.remove(key).is_some(), "{key}");
    }
    object
}

#[test]
fn what_a_run_told_is_what_its_journal_tells() {
    let others = ["no-data", "traffic-flood"].map(|scenario| story(&[scenario]));
    for run in others.iter().chain([live()]) {
        let session = fold(&run.records());
        let id = chosen(&session).map(|incident| incident.id);
        let from_disk = object(&session, id, &Surroundings::default());
        assert_eq!(told(run.object.clone()), told(from_disk));
    }
}
