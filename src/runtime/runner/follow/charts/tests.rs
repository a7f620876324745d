//! What is read after an outage, and what the answers for single metrics come to.

use super::*;
use crate::adapters::aws::call::CallError;
use crate::domain::fault::FaultKind;
use crate::domain::observation::metric::{MetricId, MetricRole, Point, Statistic, Unit};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

fn at(clock: &str) -> Timestamp {
    format!("2026-05-01T{clock}Z").parse().unwrap()
}

fn query(role: MetricRole) -> MetricQuery {
    MetricQuery { role, metric: MetricId::default(), statistic: Statistic::Average, period_s: 60 }
}

/// A point for each of these minutes after nine.
fn series(role: MetricRole, minutes: std::ops::Range<i64>) -> Series {
    let points = minutes.map(|minute| Point { at: at("09:00:00") + SignedDuration::from_mins(minute), value: 1.0 });
    Series::new(query(role), Unit::Percent, points)
}

fn denied(role: MetricRole) -> Reading {
    Reading::Failed { query: query(role), source: CallError::Denied("Forbidden: not yours".to_owned()) }
}

#[test]
fn what_an_outage_kept_from_us_is_read_when_it_is_over() {
    let from = |read_to: &str, now: &str| {
        let wanted = Wanted::new(Mutex::new([(query(MetricRole::Cpu), at(read_to))].into()));
        froms(&wanted, (at(now), MINUTE)).into_values().next().unwrap()
    };
    assert_eq!(from("09:11:00", "09:12:00"), at("09:07:00"), "five minutes, for those that come late");
    assert_eq!(from("09:12:00", "09:12:00"), at("09:07:00"));
    assert_eq!(from("09:12:00", "09:19:00"), at("09:08:00"), "as at 09:13, when nobody answered");
    assert_eq!(from("02:00:00", "09:19:00"), at("08:19:00"), "no more than can be on screen");
}

#[test]
fn a_metric_that_was_not_answered_is_asked_from_where_it_was_read_to() {
    let froms = [(query(MetricRole::Cpu), at("09:07:00")), (query(MetricRole::Memory), at("09:02:00"))].into();
    let readings = vec![
        Reading::Complete(series(MetricRole::Cpu, 2..12)),
        Reading::Partial { series: series(MetricRole::Memory, 2..9), why: "PartialData".to_owned() },
        Reading::Empty(series(MetricRole::Errors, 0..0)),
        denied(MetricRole::Latency),
    ];
    let answers = Answers::of(readings, &froms).unwrap();
    assert_eq!(answers.series, [series(MetricRole::Cpu, 7..12), series(MetricRole::Memory, 2..9)]);
    assert_eq!(answers.answered, [query(MetricRole::Cpu), query(MetricRole::Errors)]);
    assert_eq!(answers.failed.len(), 1, "{:?}", answers.failed);
    assert!(answers.failed[0].contains("could not be read") && answers.failed[0].contains("not yours"));
}

#[test]
fn answers_without_a_usable_one_are_a_failure_of_the_feed() {
    let of = |readings| Answers::of(readings, &BTreeMap::new());
    let fault = of(vec![denied(MetricRole::Cpu), Reading::Empty(series(MetricRole::Errors, 0..0))]).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Denied);
    let source = CallError::Unavailable("InternalError: try again".to_owned());
    let fault = of(vec![Reading::Failed { query: query(MetricRole::Cpu), source }]).unwrap_err();
    assert!(fault.kind.is_transient(), "{fault:?}");
    let silent = of(vec![Reading::Empty(series(MetricRole::Cpu, 0..0))]).unwrap();
    assert!(silent.series.is_empty() && silent.failed.is_empty(), "silence is an answer");
}

#[test]
fn a_resumed_session_reads_on_from_its_last_points() {
    let (name, cpu) = (ServiceName::from("my-api"), query(MetricRole::Cpu));
    let mut session = Session::default();
    let now = at("09:40:00");
    assert_eq!(read_to((&session, &name), &cpu, now), now, "triage reads what was before");
    session.metrics.insert(name.clone(), [(MetricRole::Cpu, series(MetricRole::Cpu, 0..20))].into());
    assert_eq!(read_to((&session, &name), &cpu, now), at("09:20:00"));
    assert_eq!(read_to((&session, &name), &query(MetricRole::Memory), now), now);
}
