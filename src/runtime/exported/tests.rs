//! Files of every kind, and what they come to.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::domain::diagnosis::evidence::answer_text;
use crate::domain::observation::metric::Unit;
use crate::domain::observation::workload::WorkloadKind;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

fn rows(values: impl IntoIterator<Item = f64>) -> String {
    let mut text = String::from("timestamp,value\n");
    for (n, value) in values.into_iter().enumerate() {
        writeln!(text, "2026-05-01 09:{:02}:00,{value}", n % 60).unwrap();
    }
    text
}

fn files(minutes: u32) -> Files {
    Files { minutes, ..Files::default() }
}

fn cause(exported: &Exported) -> (String, bool) {
    let object: Value = serde_json::from_str(&json(exported)).unwrap();
    let verdict = &object["verdict"];
    (verdict["ranked"][0]["cause"].as_str().unwrap().to_owned(), verdict["conclusive"].as_bool().unwrap())
}

const OBJECTS: &str = r#"{"kind":"List","items":[
 {"kind":"Deployment","metadata":{"name":"cart","namespace":"shop"},"spec":{"replicas":2,"selector":{"matchLabels":{"app":"cart"}},
  "template":{"spec":{"containers":[{"name":"app","image":"cart:2","resources":{"limits":{"memory":"64Mi"}}}]}}},"status":{"readyReplicas":0}},
 {"kind":"Pod","metadata":{"name":"cart-1","namespace":"shop","labels":{"app":"cart"}},"status":{"phase":"Running","containerStatuses":[
  {"name":"app","ready":false,"restartCount":6,"image":"","imageID":"","state":{"waiting":{"reason":"CrashLoopBackOff"}},
   "lastState":{"terminated":{"reason":"REASON","exitCode":137,"startedAt":"2026-05-01T09:20:00Z","finishedAt":"2026-05-01T09:20:03Z"}}}]}},
 {"kind":"Event","metadata":{"name":"e"},"involvedObject":{"kind":"Pod","name":"cart-1"},"type":"Warning","reason":"Unhealthy",
  "message":"Liveness probe failed: HTTP probe failed with statuscode: 500","count":7,"lastTimestamp":"2026-05-01T09:20:02Z"}]}"#;

#[test]
fn objects_alone_tell_a_limit_from_a_probe() {
    let folder = Folder::new();
    for (reason, expected) in [("OOMKilled", "limit-too-low"), ("Error", "crash-loop")] {
        let path = folder.file("objects.json", &OBJECTS.replace("REASON", reason));
        let read = read(&Files { objects: vec![path], ..files(30) }).unwrap();
        assert_eq!(cause(&read), (expected.to_owned(), true), "{reason}: {}", text(&read));
        let object: Value = serde_json::from_str(&json(&read)).unwrap();
        assert!(
            object["offers"]
                .as_array()
                .unwrap()
                .iter()
                .all(|offer| offer["remedy"] != "rollout-restart" || offer["sufficiency"]["is"] == "refused"),
            "{object:#}"
        );
    }
}

/// The id of a request that stands first in a line is no time, as long as the others open with dates; where all open with
/// numbers they are times.
#[test]
fn a_number_before_one_line_is_not_the_end_of_the_window() {
    let folder = Folder::new();
    let dated = |n: u32| format!("2026-05-01 09:{:02}:{:02},000 INFO GET /v1/orders 200 {n}ms\n", n / 60, n % 60);
    let well: String = (0..1_800).map(dated).collect();
    let windows = [well.clone(), format!("{well}4815162342 request id of somebody\n")].map(|text| {
        let path = folder.file("app.log", &text);
        let read = read(&Files { logs: vec![path], ..files(30) }).unwrap();
        (read.window, read.timeless)
    });
    assert_eq!(windows[0], windows[1]);
    let epochs: Vec<String> = (0..60).map(|n| format!("{} INFO ready", 1_777_626_000 + n)).collect();
    let path = folder.file("epochs.log", &epochs.join("\n"));
    let read = read(&Files { logs: vec![path], ..files(30) }).unwrap();
    assert_eq!((read.lines[59].at.as_second(), read.timeless), (1_777_626_059, 0));
}

#[test]
fn a_metric_alone_settles_nothing() {
    let folder = Folder::new();
    let path = folder.file("cpu.csv", &rows((0..60).map(|n| if n > 40 { 97.0 } else { 43.0 })));
    let read = read(&Files { metrics: vec![("cpu".to_owned(), path)], ..files(30) }).unwrap();
    assert_eq!(cause(&read), ("inconclusive".to_owned(), false));
    assert!(text(&read).contains("cpu: CPU peak 97%"), "{}", text(&read));
}

#[test]
fn lines_are_given_their_templates_and_points_their_scores() {
    let folder = Folder::new();
    let log =
        folder.file("app.log", "2026-05-01T09:00:00Z INFO user 17 in\n2026-05-01T09:00:01Z INFO user 18 in\nplain\n");
    let cpu = folder.file("cpu.csv", &rows((0..60).map(f64::from)));
    let read = read(&Files { logs: vec![log], metrics: vec![("cpu".to_owned(), cpu)], ..files(30) }).unwrap();
    let told = templates(&read);
    assert!(
        told.starts_with("line,template\n1,T1\n2,T1\n3,T2\n\ntemplate,lines,level,first_at,last_at,text\nT1,2,INFO,"),
        "{told}"
    );
    let scored = anomalies(&read);
    assert_eq!((scored.lines().count(), scored.lines().next()), (61, Some("metric,timestamp,value,score,flag")));
}

#[test]
fn what_was_read_can_be_saved_and_rehearsed() {
    let folder = Folder::new();
    let cpu = folder.file("cpu.csv", &rows((0..60).map(|n| if n > 40 { 97.0 } else { 43.0 })));
    let log = folder.file("app.log", "2026-05-01T09:10:00Z ERROR dial tcp: connection refused\n");
    let objects = folder.file("objects.json", &OBJECTS.replace("REASON", "OOMKilled"));
    let files = Files { metrics: vec![("cpu".to_owned(), cpu)], logs: vec![log], objects: vec![objects], ..files(30) };
    let out = folder.0.path().join("saved");
    save(&read(&files).unwrap(), &out).unwrap();
    let scenario = crate::rehearsal::scenario::load(out.to_str().unwrap()).unwrap();
    assert_eq!((scenario.metrics.len(), scenario.workloads.len(), scenario.logs.len()), (1, 1, 1));
    crate::rehearsal::world::World::new(std::sync::Arc::new(scenario), 1).unwrap();
}

#[test]
fn a_saved_scenario_keeps_the_kind_of_its_workload() {
    let folder = Folder::new();
    for (written, kind) in [("StatefulSet", WorkloadKind::StatefulSet), ("DaemonSet", WorkloadKind::DaemonSet)] {
        let text = OBJECTS.replace("\"kind\":\"Deployment\"", &format!("\"kind\":\"{written}\""));
        let text = text.replace("\"readyReplicas\":0", "\"desiredNumberScheduled\":2").replace("REASON", "OOMKilled");
        let text = text.replace(
            "\"labels\":{\"app\":\"cart\"}},\"status\"",
            "\"labels\":{\"app\":\"cart\"}},\"spec\":{\"nodeName\":\"ip-10-0-1-17\"},\"status\"",
        );
        let files = Files { objects: vec![folder.file("objects.json", &text)], ..files(30) };
        let out = folder.0.path().join(written);
        save(&read(&files).unwrap(), &out).unwrap();
        let scenario = crate::rehearsal::scenario::load(out.to_str().unwrap()).unwrap();
        assert_eq!((scenario.workloads[0].kind, scenario.workloads[0].replicas), (kind, 2));
        assert_eq!(scenario.services[0].workload.as_ref().map(|target| target.kind), Some(kind));
        let nodes: Vec<&str> = scenario.nodes.iter().map(|node| node.name.as_str()).collect();
        let expected: &[&str] = if kind == WorkloadKind::DaemonSet { &["ip-10-0-1-17", "node-1"] } else { &[] };
        assert_eq!(nodes, expected, "{written}");
        crate::rehearsal::world::World::new(std::sync::Arc::new(scenario), 1).unwrap();
    }
}

#[test]
fn broken_files_are_named_with_their_line() {
    let folder = Folder::new();
    for (name, text, told) in [
        ("empty.csv", "", "line 1"),
        ("words.csv", "timestamp,value\n2026-05-01 09:00:00,many\n", "line 2"),
        ("times.csv", "timestamp,value\nyesterday,1\n", "line 2"),
    ] {
        let path = folder.file(name, text);
        let fault = read(&Files { metrics: vec![("cpu".to_owned(), path)], ..files(30) }).unwrap_err();
        assert!(fault.kind == FaultKind::Usage && fault.summary.contains(told), "{name}: {fault:?}");
    }
    let path = folder.file("objects.json", "{ not json");
    assert_eq!(read(&Files { objects: vec![path], ..files(30) }).unwrap_err().kind, FaultKind::Usage);
    let missing = folder.0.path().join("none.log");
    assert_eq!(read(&Files { logs: vec![missing], ..files(30) }).unwrap_err().kind, FaultKind::Usage);
}

#[test]
fn a_unit_is_told_and_never_guessed() {
    let folder = Folder::new();
    let slow = |head: &str| rows([412.0, 430.0]).replacen("value", head, 1);
    for (name, head, expected) in [
        ("latency", "value", Unit::None),
        ("latency", "value_ms", Unit::Milliseconds),
        ("latency", "average_seconds", Unit::Seconds),
        ("latency[ms]", "value", Unit::Milliseconds),
        ("latency[s]", "value_ms", Unit::Seconds),
        ("cpu[percent]", "value", Unit::Percent),
        ("queue[bytes]", "value", Unit::Bytes),
    ] {
        let path = folder.file("metric.csv", &slow(head));
        let thresholds = vec![(name.to_owned(), 400.0)];
        let read = read(&Files { metrics: vec![(name.to_owned(), path)], thresholds, ..files(30) }).unwrap();
        let (bare, series) = &read.series[0];
        assert_eq!((series.unit, series.points.len()), (expected, 2), "{name} {head}");
        assert!(!bare.contains('[') && read.thresholds.contains_key(bare), "{bare}");
    }
    let path = folder.file("metric.csv", &slow("value"));
    let fault = read(&Files { metrics: vec![("latency[fortnights]".to_owned(), path)], ..files(30) }).unwrap_err();
    assert!(fault.kind == FaultKind::Usage && fault.hints[0].contains("ms"), "{fault}");
}

#[test]
fn a_unit_is_taken_from_the_values_as_far_as_they_tell() {
    let folder = Folder::new();
    for (name, values, expected) in [
        ("cpu", [43.0, 97.0], Unit::Percent),
        ("cpu", [0.43, 0.97], Unit::None),
        ("cpu", [1_400.0, 1_900.0], Unit::None),
        ("memory", [54.0, 97.0], Unit::Percent),
        ("memory", [0.2, 0.97], Unit::None),
        ("memory", [900.0, 1_100.0], Unit::None),
        ("memory", [282e6, 284e6], Unit::Bytes),
        ("collector-time", [0.02, 0.6], Unit::None),
        ("errors", [1.0, 15.0], Unit::Count),
        ("errors", [0.2, 3.0], Unit::None),
    ] {
        let path = folder.file("metric.csv", &rows(values));
        let read = read(&Files { metrics: vec![(name.to_owned(), path)], ..files(30) }).unwrap();
        assert_eq!(read.series[0].1.unit, expected, "{name} {values:?}");
    }
}

#[test]
fn times_since_the_epoch_are_read_in_every_unit() {
    let expected: Timestamp = "2025-11-28T15:15:52.5Z".parse().unwrap();
    for text in ["1764342952.5", "1764342952500", "1764342952500000", "1764342952500000000", "1.7643429525e9"] {
        assert_eq!(csv::instant(text), Some(expected), "{text}");
    }
    assert_eq!(csv::instant("1764342952"), "2025-11-28T15:15:52Z".parse().ok());
    for text in ["42", "97.8", "1e3", "2025", "1.2.3", ""] {
        assert_eq!(csv::instant(text), None, "{text}");
    }
}

#[test]
fn lines_without_a_time_are_counted_and_told() {
    let folder = Folder::new();
    let zap = "{\"ts\":1764342952.5,\"msg\":\"slow\"}\n{\"ts\":1764343000.25,\"msg\":\"slower\"}\n";
    let read_log = |text: &str| read(&Files { logs: vec![folder.file("app.log", text)], ..files(30) }).unwrap();
    let timed = read_log(zap);
    assert_eq!((timed.timeless, timed.lines[0].at.as_millisecond()), (0, 1_764_342_952_500));
    assert!(!text(&timed).contains("no time"));
    let mixed = read_log(&format!("starting\nreading\n{zap}  at frame\n"));
    assert_eq!(mixed.timeless, 2, "a line after one with a time has that of it");
    assert!(text(&mixed).contains("2 of 5 log lines have no time"), "{}", text(&mixed));
    let object: Value = serde_json::from_str(&json(&mixed)).unwrap();
    assert_eq!(object["lines_without_time"], 2);
}

proptest! {
    #[test]
    fn any_text_is_a_series_or_a_clear_fault(
        text in prop_oneof![
            any::<String>(),
            "(timestamp,value\n)?([0-9TZ:. -]{0,24},(NaN|inf|-1e308|[0-9.]{0,5})\n){0,12}",
        ]
    ) {
        match csv::series("cpu", None, &text, Path::new("x.csv")) {
            Ok(csv::Read { series, .. }) => prop_assert!(series.points.windows(2).all(|pair| pair[0].at < pair[1].at)),
            Err(fault) => prop_assert_eq!(fault.kind, FaultKind::Usage),
        }
    }

    #[test]
    fn any_text_is_read_as_lines(
        text in prop_oneof![any::<String>(), "[\\[{\"}\\]:,a-z0-9 \n]{0,120}", "(\\{\"(message|timestamp|level)\":[\"a-z0-9]{0,9}\\}?\n){0,9}"]
    ) {
        let newest = lines::newest(&text, Some(Timestamp::UNIX_EPOCH)).unwrap_or(Timestamp::UNIX_EPOCH);
        prop_assert!(lines::read(&text, "f", (newest, Some(newest))).read.len() <= text.len() + 1);
    }
}

#[test]
fn what_was_given_and_tells_nothing_is_not_passed_over() {
    let folder = Folder::new();
    let cpu = folder.file("cpu.csv", &rows([43.0, 44.0, 45.0]));
    let metric = || ("cpu".to_owned(), cpu.clone());
    let ingress = folder.file("ingress.json", r#"{"kind":"Ingress","metadata":{"name":"x"}}"#);
    let none = folder.file("none.json", r#"{"kind":"List","items":[]}"#);
    let fault = |files: Files| read(&files).unwrap_err().to_string();
    assert!(
        fault(Files { metrics: vec![metric()], thresholds: vec![("nope".to_owned(), 5.0)], ..files(30) })
            .contains("nope")
    );
    assert!(fault(Files { metrics: vec![metric(), metric()], ..files(30) }).contains("twice"));
    assert!(fault(Files { objects: vec![ingress], ..files(30) }).contains("None of the 1 objects"));
    assert!(read(&Files { objects: vec![none], metrics: vec![metric()], ..files(30) }).is_ok());

    let empty = folder.file("empty.log", "");
    let read = read(&Files { logs: vec![empty], metrics: vec![metric()], ..files(30) }).unwrap();
    for question in [Question::OomKills, Question::LogPatterns] {
        let piece = read.evidence.iter().find(|piece| piece.question == question).unwrap();
        assert_eq!(piece.answer, Answer::Absent, "{question:?}");
    }
}

#[test]
fn a_comma_between_quotes_parts_no_cells() {
    let folder = Folder::new();
    let of = |row: &str| {
        let path = folder.file("a.csv", &format!("timestamp,value\n{row}\n"));
        read(&Files { metrics: vec![("cpu".to_owned(), path)], ..files(30) })
            .map(|read| read.series[0].1.points[0].value)
    };
    assert!(of("2026-05-01T09:30:00Z,\"1,234.5\"").is_err(), "it may be a thousand or one");
    assert_eq!(of("\"2026-05-01T09:30:00Z\",\"1234.5\""), Ok(1_234.5));
}

#[test]
fn events_alone_tell_of_what_they_are_about() {
    let folder = Folder::new();
    let path = folder.file(
        "events.json",
        r#"{"kind":"List","items":[{"kind":"Event","metadata":{"name":"e","namespace":"shop"},"type":"Warning",
            "involvedObject":{"kind":"Pod","name":"cart-7d9f8c6b5-x2x4q","namespace":"shop"},"reason":"FailedScheduling",
            "message":"0/3 nodes are available: 3 Insufficient memory.","count":9,"lastTimestamp":"2026-05-01T09:20:02Z"}]}"#,
    );
    let read = read(&Files { objects: vec![path], ..files(30) }).unwrap();
    assert_eq!(read.workload.as_ref().map(|workload| workload.target.name.as_str()), Some("cart"));
    let told = text(&read);
    assert!(told.contains("no node takes the pod") && !told.contains("0 of 0 pods"), "{told}");
}

/// A pod that has run for half a year dates no log, and neither do metrics of last spring; a copy made years after does
/// not either.
#[test]
fn times_without_a_year_are_of_what_their_file_ends_near_to() {
    let folder = Folder::new();
    let running = OBJECTS
        .replace(
            "\"waiting\":{\"reason\":\"CrashLoopBackOff\"}",
            "\"running\":{\"startedAt\":\"2026-05-01T08:00:00Z\"}",
        )
        .replace("REASON", "OOMKilled");
    let objects = folder.file("objects.json", &running);
    let cpu = folder.file("cpu.csv", &rows([43.0, 44.0]));
    let (fresh, copied) = ("2026-11-29T03:05:00Z", "2028-07-01T00:00:00Z");
    for (line, written, expected) in [
        ("Nov 29 03:01:00 host app[12]: OOMKilled", fresh, "2026-11-29T03:01:00Z"),
        ("E1129 03:01:00.000000       1 x.go:1] OOMKilled", fresh, "2026-11-29T03:01:00Z"),
        ("May  1 09:20:02 host app[12]: OOMKilled", copied, "2026-05-01T09:20:02Z"),
    ] {
        let log = folder.file("syslog", line);
        let at: Timestamp = written.parse().unwrap();
        std::fs::File::options().append(true).open(&log).unwrap().set_modified(at.into()).unwrap();
        for metrics in [Vec::new(), vec![("cpu".to_owned(), cpu.clone())]] {
            let files = Files { objects: vec![objects.clone()], logs: vec![log.clone()], metrics, ..files(30) };
            let read = read(&files).unwrap();
            assert_eq!(read.lines[0].at, expected.parse().unwrap(), "{line}");
            assert!(read.window.contains(read.lines[0].at), "{line}");
        }
    }
}

#[test]
fn lines_of_another_time_are_no_absence() {
    let folder = Folder::new();
    let cpu = folder.file("cpu.csv", &rows([43.0, 44.0]));
    let log = folder.file("app.log", "2025-05-01T09:00:00Z ERROR OOMKilled\n");
    let read = read(&Files { logs: vec![log], metrics: vec![("cpu".to_owned(), cpu)], ..files(30) }).unwrap();
    for question in [Question::OomKills, Question::LogPatterns] {
        let piece = read.evidence.iter().find(|piece| piece.question == question).unwrap();
        let why = "none of the 1 log lines is of the window".to_owned();
        assert_eq!(piece.answer, Answer::NotAsked { why }, "{question:?}");
    }
}

#[test]
fn lines_outside_of_the_window_are_told_beside_the_count() {
    let folder = Folder::new();
    let line = |at: &str| format!("2026-05-01T{at}Z ERROR OOMKilled my-api-1\n");
    let log = |times: &[&str]| folder.file("app.log", &times.iter().map(|at| line(at)).collect::<String>());
    let told = |log: PathBuf| {
        let read = read(&Files { logs: vec![log], ..files(30) }).unwrap();
        let of = |question| read.evidence.iter().find(|piece| piece.question == question).map(answer_text).unwrap();
        (of(Question::OomKills), of(Question::LogPatterns), text(&read))
    };
    let (kills, patterns, report) = told(log(&["07:00:00", "07:10:00", "09:00:00", "09:20:00"]));
    assert!(kills.starts_with("2 OOM kills of") && kills.ends_with("tell of 2 more outside of the window"), "{kills}");
    assert!(patterns.ends_with("2 lines lie outside of the window"), "{patterns}");
    assert!(report.contains("window 2026-05-01T08:51:00Z to 2026-05-01T09:21:00Z"), "{report}");
    let (kills, patterns, _) = told(log(&["09:00:00", "09:20:00"]));
    assert!(!kills.contains("outside") && !patterns.contains("outside"), "{kills} {patterns}");
}

/// A metric of a file with this text: its points, or the fault with its hint.
fn metric(text: &str) -> Result<(usize, Vec<String>), String> {
    let folder = Folder::new();
    let path = folder.file("cpu.csv", text);
    match read(&Files { metrics: vec![("cpu".to_owned(), path)], ..files(30) }) {
        Ok(read) => {
            let place = folder.0.path().display().to_string() + "/";
            let of_file = read.notes.iter().filter(|note| note.contains("cpu.csv"));
            Ok((read.series[0].1.points.len(), of_file.map(|note| note.replace(&place, "")).collect()))
        }
        Err(fault) => {
            assert!(!fault.hints.is_empty(), "{fault}");
            Err(format!("{} {}", fault.summary, fault.causes.join(" ")))
        }
    }
}

#[test]
fn what_a_table_leaves_out_is_said_and_what_is_two_series_is_refused() {
    let row = |n: usize, value: &str| format!("2026-05-01T09:{n:02}:00Z,{value}\n");
    let table = |values: &[&str]| values.iter().enumerate().map(|(n, value)| row(n, value)).collect::<String>();
    assert_eq!(metric(&table(&["1", "2", "3"])), Ok((3, vec![])));
    let holes = metric(&table(&["1", "NaN", "inf", "null", "-", "", "7"])).unwrap();
    assert_eq!(holes, (2, vec!["cpu.csv: 5 of 7 rows hold no number and are left out".to_owned()]));
    assert!(metric(&table(&["NaN", "NaN"])).unwrap_err().contains("No row of it has a number"));
    let twice = format!("{}{}", table(&["1", "2"]), row(1, "9"));
    assert!(metric(&twice).unwrap_err().contains("several values at 2026-05-01T09:01:00Z: in lines 2 and 3"));
    let set_back = format!("{}{}", table(&["1"; 30]), row(1, "9"));
    let expected = "cpu.csv: 1 of 31 rows have the time of another; the later one counts".to_owned();
    assert_eq!(metric(&set_back), Ok((30, vec![expected])));
    let same = format!("{}{}", table(&["1", "2"]), row(1, "2"));
    assert_eq!(metric(&same).unwrap().0, 2, "the same once more");
    let pods = "timestamp,pod-a,pod-b\n2026-05-01T09:00:00Z,1,2\n";
    assert!(metric(pods).unwrap_err().contains("several columns of values: pod-a, pod-b"));
    let labelled = "timestamp,pod,value\n2026-05-01T09:00:00Z,a,1\n2026-05-01T09:01:00Z,a,2\n";
    assert_eq!(metric(labelled).unwrap().0, 2);
    for open in ["2026-05-01 09:00:00,1\n2026-05-01 09:01:00,2\n", "2026/05/01 09:00:00,1\n2026/05/01 09:01:00,2\n"] {
        let expected = vec!["cpu.csv: its times name no zone and are taken as UTC".to_owned()];
        assert_eq!(metric(open), Ok((2, expected)), "{open}");
    }
    for parted in ["time;value\n2026-05-01T09:00:00Z;1,5\n", "time\tvalue\n2026-05-01T09:00:00Z\t1.5\n"] {
        assert_eq!(metric(parted), Ok((1, vec![])), "{parted}");
    }
}

/// A log of exactly the minutes that are judged has no line outside of them.
#[test]
fn a_window_holds_a_log_that_is_as_long_as_it_and_lines_that_were_cut_are_no_exact_count() {
    let folder = Folder::new();
    let line = |second: usize| format!("2026-05-01T09:{:02}:{:02}Z OOMKilled\n", second / 60, second % 60);
    let log = folder.file("app.log", &(0..1_800).map(line).collect::<String>());
    let whole = read(&Files { logs: vec![log], ..files(30) }).unwrap();
    assert!(whole.lines.iter().all(|line| whole.window.contains(line.at)));
    assert!(whole.notes.is_empty(), "{:?}", whole.notes);
    let cut = folder.file("app.json", r#"[{"timestamp":1777627800000,"message":"a"},{"timestamp":1777627801000,"mess"#);
    let read = read(&Files { logs: vec![cut], ..files(30) }).unwrap();
    let patterns = read.evidence.iter().find(|piece| piece.question == Question::LogPatterns).unwrap();
    assert_eq!(patterns.answer.completeness(), "truncated");
    assert!(read.notes[0].contains("it ends in the middle of its JSON; 1 were whole"), "{:?}", read.notes);
}
