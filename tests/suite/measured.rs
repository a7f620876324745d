//! Figures against real data that was made elsewhere: run with `PAGERDECK_DATA` naming its folder, skipped without it.
//! Prints what was measured; asserts only what must never happen.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use pagerdeck::domain::diagnosis::statistics::{HeapState, anomalies, heap_reading};
use pagerdeck::domain::observation::collector_log::CollectorReader;
use pagerdeck::domain::observation::log::{LogGroup, LogLine, RawLogEvent, ingest};
use pagerdeck::domain::observation::log_template::{Miner, TemplateNumber};
use pagerdeck::domain::observation::metric::Point;

use super::skipped::data;

#[expect(clippy::print_stdout, reason = "the figures are what this is run for")]
pub fn tell(text: &str) {
    println!("{text}");
}

/// Cells of a line of CSV, quotes honoured.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut quoted) = (vec![String::new()], false);
    for c in line.chars() {
        match (c, quoted) {
            ('"', _) => quoted = !quoted,
            (',', false) => cells.push(String::new()),
            (c, _) => cells.last_mut().unwrap().push(c),
        }
    }
    cells
}

#[test]
fn a_heap_is_judged_by_its_collector_log_as_it_was_labelled() {
    let Some(folder) = data("gc") else { return };
    let labels = std::fs::read_to_string(folder.join("labels.csv")).unwrap();
    for row in labels.lines().skip(1).map(cells) {
        let text = String::from_utf8_lossy(&std::fs::read(folder.join(&row[0])).unwrap()).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        let mut states = Vec::new();
        for percent in [30, 50, 70, 100] {
            let mut reader = CollectorReader::default();
            lines[..lines.len() * percent / 100].iter().for_each(|line| reader.read(line));
            let reading = heap_reading(&reader.clone().finish(), reader.maximum()).unwrap();
            states.push(format!("{percent}%: {:?}", reading.state));
            let leaks = row[1].starts_with("leak");
            let open = leaks || row[1] == "ambiguous";
            let called = match reading.state {
                HeapState::Leak => leaks,
                HeapState::NotEnough => true,
                HeapState::Pressure => !leaks,
                HeapState::Healthy => !open,
            };
            assert!(called, "{} at {percent}%: {reading:?}", row[0]);
            if percent == 100 {
                let throughput = 100.0 - reading.time_percent.unwrap();
                let (expected, full): (f64, u64) = (row[3].parse().unwrap(), row[4].parse().unwrap());
                tell(&format!(
                    "{} ({}): throughput {throughput:.2} of {expected}, full {} of {full}; {}",
                    row[0],
                    row[1],
                    reading.full,
                    states.join(", ")
                ));
                assert_eq!(reading.full, full, "{}", row[0]);
                assert!((throughput - expected).abs() <= 0.01 * expected, "{}: {throughput}", row[0]);
            }
        }
    }
}

fn line(text: &str, n: usize) -> LogLine {
    let raw = RawLogEvent {
        id: n.to_string().into(),
        at: Timestamp::UNIX_EPOCH,
        stream: "s".to_owned(),
        message: text.to_owned(),
    };
    ingest(raw, &LogGroup::from("/g"))
}

/// The share of lines whose group holds exactly the lines of their true event (Zhu et al. 2019).
fn grouping(texts: &[String], events: &[String]) -> f64 {
    let mut miner = Miner::default();
    let given: Vec<TemplateNumber> = texts.iter().enumerate().map(|(n, text)| miner.add(&line(text, n))).collect();
    let found: Vec<TemplateNumber> = given.into_iter().map(|number| miner.settled(number)).collect();
    let mut groups: HashMap<TemplateNumber, Vec<usize>> = HashMap::new();
    let mut truth: HashMap<&String, usize> = HashMap::new();
    for (n, (group, event)) in found.iter().zip(events).enumerate() {
        groups.entry(*group).or_default().push(n);
        *truth.entry(event).or_default() += 1;
    }
    let right = groups.values().filter(|lines| {
        let event = &events[lines[0]];
        lines.iter().all(|n| events[*n] == *event) && truth[event] == lines.len()
    });
    right.map(Vec::len).sum::<usize>() as f64 / texts.len() as f64
}

#[test]
fn log_templates() {
    let Some(folder) = data("loghub") else { return };
    let (mut content_sum, mut raw_sum, mut systems) = (0.0, 0.0, 0.0);
    let mut names: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    for path in names.iter().filter(|path| path.is_dir()) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let table = std::fs::read_to_string(path.join(format!("{name}_2k.log_structured.csv"))).unwrap();
        let mut rows = table.lines().map(cells);
        let head = rows.next().unwrap();
        let place = |column: &str| head.iter().position(|cell| cell == column).unwrap();
        let (content, event) = (place("Content"), place("EventId"));
        let rows: Vec<Vec<String>> = rows.collect();
        let events: Vec<String> = rows.iter().map(|row| row[event].clone()).collect();
        let texts: Vec<String> = rows.iter().map(|row| row[content].clone()).collect();
        let bytes = std::fs::read(path.join(format!("{name}_2k.log"))).unwrap();
        let raw: Vec<String> = String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect();
        let (on_content, on_raw) = (grouping(&texts, &events), grouping(&raw[..events.len()], &events));
        tell(&format!("{name}: message column {on_content:.3}, raw lines {on_raw:.3}"));
        (content_sum, raw_sum, systems) = (content_sum + on_content, raw_sum + on_raw, systems + 1.0);
    }
    let (content, raw) = (content_sum / systems, raw_sum / systems);
    tell(&format!("mean: message column {content:.3}, raw lines {raw:.3}"));
    assert!(content >= 0.85 && raw >= 0.75, "{content} {raw}");
}

fn instant(text: &str) -> Timestamp {
    let civil: DateTime = text.split('.').next().unwrap().parse().unwrap();
    civil.to_zoned(TimeZone::UTC).unwrap().timestamp()
}

/// The sigmoid of NAB's scoring (Lavin and Ahmad 2015).
fn sigmoid(x: f64) -> f64 {
    2.0 / (1.0 + (5.0 * x).exp()) - 1.0
}

/// NAB's standard profile for one series: what is detected earliest in each window, missed windows at −1, false
/// detections at −0.11. Answers the score, windows hit, and false detections.
fn nab(flags: &[usize], windows: &[(usize, usize)]) -> (f64, usize, usize) {
    let mut score = 0.0;
    let mut hit = 0;
    for (from, to) in windows {
        match flags.iter().find(|n| (from..=to).contains(n)) {
            Some(n) => {
                score += sigmoid(-((to - n + 1) as f64) / (to - from + 1) as f64) / sigmoid(-1.0);
                hit += 1;
            }
            None => score -= 1.0,
        }
    }
    let outside = flags.iter().filter(|n| !windows.iter().any(|(from, to)| (from..=to).contains(n)));
    let mut wrong = 0;
    for n in outside {
        wrong += 1;
        let before = windows.iter().rfind(|(_, to)| to < n);
        let far = before.map_or(f64::INFINITY, |(from, to)| (n - to) as f64 / (to - from).max(1) as f64);
        score += 0.11 * if far > 3.0 { -1.0 } else { sigmoid(far) };
    }
    (score, hit, wrong)
}

#[test]
fn anomalies_of_real_metrics() {
    let Some(folder) = data("nab") else { return };
    let windows: BTreeMap<String, Vec<(String, String)>> =
        serde_json::from_str(&std::fs::read_to_string(folder.join("windows.json")).unwrap()).unwrap();
    let (mut score, mut all, mut hit, mut wrong, mut weeks) = (0.0, 0, 0, 0, 0.0);
    for (file, spans) in &windows {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let points: Vec<Point> = text
            .lines()
            .skip(1)
            .map(cells)
            .map(|row| Point { at: instant(&row[0]), value: row[1].parse().unwrap() })
            .collect();
        let place = |text: &str| points.partition_point(|point| point.at < instant(text));
        let spans: Vec<(usize, usize)> = spans.iter().map(|(from, to)| (place(from), place(to))).collect();
        // NAB lets a detector learn over the first 15 %, at most 750 points.
        let learned = (points.len() * 15 / 100).min(750);
        let scored = anomalies(&points);
        let flags: Vec<usize> = (learned..points.len()).filter(|n| scored[*n].flagged).collect();
        let (of_file, hits, falses) = nab(&flags, &spans);
        tell(&format!("{file}: windows {hits} of {}, false {falses}, score {of_file:.2}", spans.len()));
        (score, all, hit, wrong) = (score + of_file, all + spans.len(), hit + hits, wrong + falses);
        weeks += points.last().unwrap().at.duration_since(points[learned].at).as_secs_f64() / 604_800.0;
    }
    let standard = 100.0 * (score + all as f64) / (2.0 * all as f64);
    let a_week = f64::from(wrong as u32) / weeks;
    tell(&format!("NAB standard {standard:.1}, windows {hit} of {all}, {a_week:.2} false a metric-week"));
    assert!(standard >= 60.0 && a_week <= 1.0, "{standard} {a_week}");
}
