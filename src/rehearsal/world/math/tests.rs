//! Expressions of the guide over short series; `-` is a missing point.

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::domain::observation::metric::Point;

fn at(nth: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(60 * nth)
}

fn line(text: &str) -> Line {
    let values =
        text.split(' ').zip(0..).filter_map(|(word, nth)| Some(Point { at: at(nth), value: word.parse().ok()? }));
    Line { label: "m".to_owned(), period_s: 60, points: values.collect() }
}

fn shown(outcome: &Outcome) -> String {
    let of = |line: &Line| {
        let value =
            |nth| line.at(at(nth)).map_or_else(|| "-".to_owned(), |value| format!("{}", (value * 1e3).round() / 1e3));
        (0..5).map(value).collect::<Vec<_>>().join(" ")
    };
    match outcome {
        Outcome::Scalar(number) => format!("{number}"),
        Outcome::One(line) => of(line),
        Outcome::Many(lines) => lines.iter().map(of).collect::<Vec<_>>().join(" | "),
    }
}

fn come_to(expression: &str) -> Result<String, String> {
    let ids = ["a", "b", "errors", "requests"].map(str::to_owned);
    let lines = |id: &str, _, _| match id {
        "a" => Ok(Outcome::One(line("30 20 0 0 -"))),
        "b" => Ok(Outcome::One(line("20 - 20 - -"))),
        "errors" => Ok(Outcome::One(line("1 1 0 0 -"))),
        "requests" => Ok(Outcome::One(line("30 - 0 0 30"))),
        "third" => Ok(Outcome::One(line("0 0 20 - 20"))),
        "holes" => Ok(Outcome::One(line("- 1 - - 4"))),
        other => Err(format!("{other} is not here")),
    };
    let scope = Scope { from: at(0), to: at(5), period_s: 60, lines: &lines, metrics: &ids };
    Expression::parse(expression)?.evaluate(&scope).map(|outcome| shown(&outcome))
}

#[test]
fn expressions_come_to_what_the_guide_shows() {
    for (expression, expected) in [
        ("a < b", "0 0 1 0 -"),
        ("a >= 30", "1 0 0 0 -"),
        ("a > 15 AND b > 15", "1 0 0 0 -"),
        ("a > 15 || b > 15", "1 1 1 0 -"),
        ("IF(errors, requests, third)", "30 0 20 - -"),
        ("IF(errors, 5, third)", "5 5 20 - -"),
        ("IF(errors, requests, 5)", "30 0 5 5 -"),
        ("IF(a<25, a)", "- 20 0 0 -"),
        ("IF(a<25, 10, 2)", "2 10 10 10 -"),
        ("100 * errors / requests", "3.333 - - - 0"),
        ("a - b", "10 20 -20 0 -"),
        ("-2 * (a + 1) ^ 2", "-1922 -882 -2 -2 -"),
        ("SUM([a, b])", "50 20 20 0 -"),
        ("AVG([a, b])", "25 10 10 0 -"),
        ("MAX(METRICS())", "30 20 20 0 30"),
        ("SUM(METRICS(\"err\"))/SUM(METRICS(\"req\"))*100", "3.333 - - - 0"),
        ("a - MIN(a) + AVG(a)", "42.5 32.5 12.5 12.5 -"),
        ("SUM(100/[a, b])", "8.333 5 5 - -"),
        ("[a, b]/2", "15 10 0 0 - | 10 - 10 - -"),
        ("m = 1", "!"),
        ("DIFF(a)", "- -10 -20 0 -"),
        ("RATE(holes)", "- - - - 0.017"),
        ("DIFF_TIME(holes)", "- - - - 180"),
        ("FILL(holes, 9)", "9 1 9 9 4"),
        ("FILL(holes, REPEAT)", "- 1 1 1 4"),
        ("FILL(holes, LINEAR)", "- 1 2 3 4"),
        ("FILL(b, a)", "20 20 20 0 -"),
        ("a / PERIOD(a)", "0.5 0.333 0 0 -"),
        ("TIME_SERIES(METRIC_COUNT(METRICS()))", "4 4 4 4 4"),
        ("ABS(0 - a)", "30 20 0 0 -"),
        ("RUNNING_SUM(a)", "30 50 50 50 -"),
        ("FIRST([a, b])", "30 20 0 0 -"),
        ("a + nobody", "!"),
        ("SEARCH('x', 'Sum', 60)", "!"),
        ("[a, b] * [a, b]", "!"),
        ("a +", "!"),
        ("(a", "!"),
    ] {
        assert_eq!(come_to(expression).unwrap_or_else(|_| "!".to_owned()), expected, "{expression}");
    }
}

#[test]
fn a_band_is_learnt_from_what_came_before_the_latest_half_hour() {
    let hour: Vec<Point> =
        (0..60).map(|nth| Point { at: at(nth), value: 50.0 + f64::from(nth as i32 % 2) * 2.0 }).collect();
    let spike = Point { at: at(90), value: 500.0 };
    let points = [hour, vec![spike]].concat();
    let lines = |_: &str, _, _| Ok(Outcome::One(Line { label: "m".to_owned(), period_s: 60, points: points.clone() }));
    let scope = Scope { from: at(89), to: at(91), period_s: 60, lines: &lines, metrics: &[] };
    let Ok(Outcome::Many(edges)) = Expression::parse("ANOMALY_DETECTION_BAND(m, 3)").unwrap().evaluate(&scope) else {
        panic!("a band has two edges")
    };
    let values: Vec<f64> = edges.iter().map(|edge| edge.at(at(90)).unwrap()).collect();
    assert_eq!(values, [54.0, 48.0], "mean 51, deviation 1, upper edge first; the spike is not learnt");
    let early = Scope { from: at(5), to: at(7), ..scope };
    let edges = Expression::parse("ANOMALY_DETECTION_BAND(m)").unwrap().evaluate(&early).unwrap();
    assert!(
        matches!(edges, Outcome::Many(edges) if edges.iter().all(|edge| edge.points.is_empty())),
        "nothing learnt yet"
    );
}

/// Each of these overflowed the stack, which no caller can catch.
#[test]
fn what_is_nested_too_deeply_or_too_long_is_refused() {
    for (text, want) in [
        (format!("{}1{}", "(".repeat(500), ")".repeat(500)), "nested"),
        (format!("{}1", "-".repeat(200)), "nested"),
        (format!("{}1", "SUM([".repeat(300)), "nested"),
        (format!("1{}", "+1".repeat(20_000)), "longer than 2048 characters"),
        (format!("1{}", "+1".repeat(1_000)), "more than 300 operators"),
    ] {
        assert!(Expression::parse(&text).unwrap_err().contains(want));
    }
    assert!(Expression::parse(&format!("1{}", "+1".repeat(200))).is_ok());
}
