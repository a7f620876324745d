//! Evidence and verdict from exported files: the same questions, rules and remedies as against the cloud, for people who
//! have only exports. Reads the files; draws no conclusion of its own.

mod contents;
mod csv;
mod lines;
mod report;
mod save;
mod scores;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use crate::adapters::kubernetes::{Objects, objects};
use crate::domain::diagnosis::evidence::{
    self, Answer, Evidence, EvidenceId, EvidenceSource, LogDigest, OtherChanges, Question,
};
use crate::domain::diagnosis::{rules, statistics};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::alarm::Bound;
use crate::domain::observation::collector_log::CollectorReader;
use crate::domain::observation::log::{Completeness, LogLine};
use crate::domain::observation::metric::{MetricRole, Point, Series};
use crate::domain::observation::oom_kill::{self, KillSign};
use crate::domain::observation::scope::Window;
use crate::domain::observation::workload::Workload;

use contents::contents;
pub use report::{json, templates, text};
pub use save::save;
pub use scores::anomalies;

/// Files as named on the command line.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// Metrics by name: a role's word, or any other for the alarm's own metric; with a unit behind it where it has one.
    pub metrics: Vec<(String, PathBuf)>,
    /// Thresholds of alarms by the metric's name.
    pub thresholds: Vec<(String, f64)>,
    /// Log files.
    pub logs: Vec<PathBuf>,
    /// The collector's log: that of one process, since its times count from its start.
    pub collector: Option<PathBuf>,
    /// Kubernetes objects and events.
    pub objects: Vec<PathBuf>,
    /// The workload it is about, where the objects hold several.
    pub workload: Option<String>,
    /// Minutes judged, up to the newest instant in the files.
    pub minutes: u32,
}

/// What was read of the files.
#[derive(Clone, Debug)]
pub struct Exported {
    /// The window judged.
    pub window: Window,
    /// The evidence.
    pub evidence: Vec<Evidence>,
    /// The lines of the logs, in the order given.
    pub lines: Vec<LogLine>,
    /// How many of them have no time, and count as at the newest instant of the files.
    pub timeless: u64,
    /// What a person should know of what was read.
    pub notes: Vec<String>,
    /// How whole the lines are that were given.
    completeness: Completeness,
    /// The series as read, whole.
    pub series: Vec<(String, Series)>,
    /// The workload, where there is one.
    pub workload: Option<Workload>,
    thresholds: BTreeMap<String, f64>,
}

/// Reads the files and answers the questions they can answer.
///
/// # Errors
/// `Usage` for a file that is not what it is given as, `Storage` for one that cannot be read.
pub fn read(files: &Files) -> Result<Exported, Fault> {
    let mut notes = Vec::new();
    let series = all_series(&files.metrics, &mut notes)?;
    let objects = all_objects(&files.objects)?;
    let dated = dated(&series, &objects).max();
    let mut texts = Vec::new();
    for path in &files.logs {
        let text = contents(path)?;
        let near = lines::near(&text, [dated, written(path)]);
        texts.push((path, text, near));
    }
    let newest = newest(&series, &objects, &texts);
    let (mut lines, mut timeless, mut is_cut) = (Vec::new(), 0, false);
    for (path, text, near) in &texts {
        let path = path.display();
        let read = lines::read(text, &path.to_string(), (newest, *near));
        if read.is_cut {
            notes.push(format!("{path}: it ends in the middle of its JSON; {} were whole and read", read.read.len()));
        }
        if read.names_no_zone {
            notes.push(format!("{path}: its times name no zone and are taken as UTC"));
        }
        lines.extend(read.read);
        timeless += read.timeless;
        is_cut |= read.is_cut;
    }
    let completeness =
        if is_cut { Completeness::Truncated { seen: lines.len() as u64, of: None } } else { Completeness::Exact };
    let window = window(newest, files.minutes, &series);
    if window.seconds() > i64::from(files.minutes) * 60 {
        notes.push(format!("{} minutes are judged: a series needs two dozen points", window.seconds() / 60));
    }
    let workload = chosen(&objects, files.workload.as_deref())?;
    let threshold = |(name, value): &(String, f64)| {
        let (name, _) = csv::named(name)?;
        if series.iter().any(|(known, _)| known == name) {
            return Ok((name.to_owned(), *value));
        }
        Err(Fault::new(FaultKind::Usage, format!("There is a threshold of {name} and no such metric."))
            .hint(format!("Give it as well: `--metric {name}=FILE.csv`.")))
    };
    let thresholds = files.thresholds.iter().map(threshold).collect::<Result<BTreeMap<String, f64>, Fault>>()?;
    let mut exported = Exported {
        window,
        evidence: Vec::new(),
        lines,
        timeless,
        notes,
        completeness,
        series,
        workload: workload.cloned(),
        thresholds,
    };
    let collector = files.collector.as_deref().map(|path| collector(path, &exported)).transpose()?;
    exported.evidence = answered(&exported, (files, &objects), collector.as_ref());
    Ok(exported)
}

/// The series of the files, by name; what a person should know of them goes to the notes.
fn all_series(metrics: &[(String, PathBuf)], notes: &mut Vec<String>) -> Result<Vec<(String, Series)>, Fault> {
    let mut series: Vec<(String, Series)> = Vec::new();
    for (name, path) in metrics {
        let (name, unit) = csv::named(name)?;
        if series.iter().any(|(known, _)| known == name) {
            return Err(Fault::new(FaultKind::Usage, format!("The metric {name} is given twice."))
                .hint("Give each file a name of its own."));
        }
        let read = csv::series(name, unit, &contents(path)?, path)?;
        notes.extend(read.notes);
        series.push((name.to_owned(), read.series));
    }
    Ok(series)
}

/// When a file was written.
fn written(path: &Path) -> Option<Timestamp> {
    std::fs::metadata(path).ok()?.modified().ok()?.try_into().ok()
}

fn all_objects(paths: &[PathBuf]) -> Result<Objects, Fault> {
    let mut values = Vec::new();
    for path in paths {
        let text = contents(path)?;
        let wrong = |why: String| {
            Fault::new(FaultKind::Usage, format!("The file {} holds no Kubernetes objects.", path.display()))
                .cause(why)
                .hint("Write one with `kubectl get deployments,replicasets,pods,events -o json`.")
        };
        if text.trim_start().starts_with(['{', '[']) {
            values.push(serde_json::from_str(&text).map_err(|error| wrong(format!("{error}.")))?);
            continue;
        }
        for document in text.split("\n---").filter(|document| !document.trim().trim_matches('-').trim().is_empty()) {
            let document = document.trim_start_matches("---");
            values.push(serde_saphyr::from_str(document).map_err(|error| wrong(error.to_string()))?);
        }
    }
    let found = objects(&values);
    let tells_nothing = found.workloads.is_empty() && found.pods.is_empty() && found.events.is_empty();
    if tells_nothing && found.passed_over > 0 {
        let what = format!("None of the {} objects given tells of an incident.", found.passed_over);
        return Err(Fault::new(FaultKind::Usage, what)
            .hint("Write some with `kubectl get deployments,replicasets,pods,events -o json`."));
    }
    Ok(found)
}

/// The newest instant that any file tells of.
fn newest(
    series: &[(String, Series)],
    objects: &Objects,
    texts: &[(&PathBuf, String, Option<Timestamp>)],
) -> Timestamp {
    let containers = objects.pods.iter().flat_map(|pod| &pod.containers);
    let begins = containers.filter_map(|one| one.running_since);
    let lines = texts.iter().filter_map(|(_, text, near)| lines::newest(text, *near));
    dated(series, objects).chain(begins).chain(lines).max().unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The times of what went on: a container may have run for months before that.
fn dated(series: &[(String, Series)], objects: &Objects) -> impl Iterator<Item = Timestamp> {
    let points = series.iter().filter_map(|(_, series)| series.latest()).map(|point| point.at);
    let events = objects.events.iter().filter_map(|event| event.last_at);
    let containers = objects.pods.iter().flat_map(|pod| &pod.containers);
    let ends = containers.filter_map(|one| one.last_end.as_ref().and_then(|end| end.finished_at));
    points.chain(events).chain(ends)
}

/// The last minutes, and at least two dozen points of the slowest series. It ends with the minute of the newest instant, and
/// behind what the last point of a series stands for.
fn window(newest: Timestamp, minutes: u32, series: &[(String, Series)]) -> Window {
    let seconds = |seconds: u32| SignedDuration::from_secs(i64::from(seconds));
    let slowest = series.iter().map(|(_, series)| series.query.period_s).max().unwrap_or_default();
    let wide = seconds(minutes.saturating_mul(60)).max(seconds(slowest.saturating_mul(24)));
    let points =
        series.iter().filter_map(|(_, series)| series.latest()?.at.checked_add(seconds(series.query.period_s)).ok());
    let minute = newest.as_second().div_euclid(60).saturating_mul(60).saturating_add(60);
    let behind = Timestamp::from_second(minute).unwrap_or(newest);
    let to = points.fold(behind, Timestamp::max);
    Window { from: to.checked_sub(wide).unwrap_or(Timestamp::UNIX_EPOCH), to }
}

/// The workload named, else the one that lacks most of its pods.
fn chosen<'a>(objects: &'a Objects, name: Option<&str>) -> Result<Option<&'a Workload>, Fault> {
    let Some(name) = name else {
        let lack = |workload: &&Workload| {
            let signs = objects.events.iter().filter(|event| event.about.contains(&workload.target.name)).count();
            (workload.replicas.saturating_sub(workload.ready), signs)
        };
        return Ok(objects.workloads.iter().rev().max_by_key(lack));
    };
    let found = objects.workloads.iter().find(|workload| workload.target.name == name);
    found.map(Some).ok_or_else(|| {
        let names: Vec<&str> = objects.workloads.iter().map(|workload| workload.target.name.as_str()).collect();
        Fault::new(FaultKind::Usage, format!("The objects hold no workload {name:?}."))
            .hint(format!("They hold {}.", if names.is_empty() { "none".to_owned() } else { names.join(", ") }))
    })
}

fn collector(path: &Path, exported: &Exported) -> Result<Answer, Fault> {
    let text = contents(path)?;
    let mut reader = CollectorReader::default();
    text.lines().for_each(|line| reader.read(line));
    let heap_errors = text.lines().filter(|line| oom_kill::sign(line) == Some(KillSign::HeapError)).count() as u64;
    // A collector's log counts from the start of its process: it is laid so that the last one ends with the window.
    let allowed = reader.maximum();
    let collections = reader.finish();
    let (last, _) = statistics::last_process(&collections);
    let times = || last.iter().filter_map(|one| one.at_s);
    let span = times().fold(0.0, f64::max) - times().fold(f64::INFINITY, f64::min);
    let back = SignedDuration::from_secs(if span.is_finite() { span.max(0.0) as i64 } else { 0 });
    let begin = exported.window.to.checked_sub(back).unwrap_or(exported.window.from);
    Ok(evidence::collector_file((&collections, allowed), heap_errors, begin))
}

/// Every question, in order; what no file answers was not asked.
fn answered(exported: &Exported, (files, objects): (&Files, &Objects), collector: Option<&Answer>) -> Vec<Evidence> {
    let mut digest = LogDigest::new(exported.window);
    exported.lines.iter().for_each(|line| digest.add(line));
    let read = (digest.summary().lines > 0).then_some((&digest, exported.completeness));
    let target = exported.workload.as_ref().map(|workload| &workload.target);
    let own: Vec<_> = objects.pods.iter().filter(|pod| pod.owner.as_ref() == target).cloned().collect();
    // Where a file holds events alone, no pod was looked at.
    let pods = target.filter(|_| !objects.pods.is_empty()).map(|_| own.as_slice());
    let events: Option<Vec<_>> = target
        .map(|target| objects.events.iter().filter(|event| event.is_about(target, &objects.pods)).cloned().collect());
    let changes = target.and_then(|target| objects.changes.get(&target.key())).cloned().unwrap_or_default();
    let others = OtherChanges { changes, unread: Vec::new() };
    let nothing = |what: &str| Answer::NotAsked { why: format!("no file tells of {what}") };
    let answer = |question: Question| match question {
        Question::Memory => of_metric(exported, MetricRole::Memory),
        Question::Traffic => of_metric(exported, MetricRole::Requests),
        Question::Cpu => of_metric(exported, MetricRole::Cpu),
        Question::Errors => of_metric(exported, MetricRole::Errors),
        Question::Latency => of_metric(exported, MetricRole::Latency),
        Question::AlarmMetric => of_others(exported),
        Question::OomKills if read.is_some() || pods.is_some() || events.is_some() => {
            evidence::oom_kills(read, pods, events.as_deref(), exported.window)
        }
        Question::OomKills | Question::LogPatterns if read.is_none() && !files.logs.is_empty() => {
            without_lines(exported)
        }
        Question::OomKills => nothing("kills"),
        Question::Collector => match (collector, series_of(exported, MetricRole::CollectorTime), read) {
            (Some(answer), _, _) => answer.clone(),
            (None, None, None) => nothing("a collector"),
            (None, series, read) => {
                let (now, before) = series.map(|(_, series)| split(series, exported.window)).unzip();
                evidence::collector(now, before, read)
            }
        },
        Question::Workload => exported.workload.as_ref().map_or_else(
            || nothing("a workload"),
            |workload| evidence::workload(workload.clone(), &objects.pods, &objects.events),
        ),
        Question::Changes => match target.and_then(|target| objects.revisions.get(&target.key())) {
            None if others.changes.is_empty() => nothing("rollouts"),
            revisions => evidence::changes(revisions.cloned().unwrap_or_default(), others.clone()),
        },
        Question::LogPatterns if read.is_some() => evidence::log_patterns(&digest, exported.completeness),
        Question::LogPatterns => nothing("logs"),
    };
    (1..)
        .zip(Question::ALL)
        .map(|(n, question)| Evidence {
            id: EvidenceId(n),
            question,
            source: EvidenceSource::Files,
            query: question.word().to_owned(),
            window: exported.window,
            asked_at: exported.window.to,
            answered_at: exported.window.to,
            answer: evidence::with_outside(answer(question), &digest),
        })
        .collect()
}

/// What logs answer of which no line is of the window: one that is empty was looked at, and lines that are all of another
/// time do not tell that there was nothing in it.
fn without_lines(exported: &Exported) -> Answer {
    match exported.lines.len() {
        0 => Answer::Absent,
        lines => Answer::NotAsked { why: format!("none of the {lines} log lines is of the window") },
    }
}

fn series_of(exported: &Exported, role: MetricRole) -> Option<&(String, Series)> {
    exported.series.iter().find(|(name, _)| csv::role(name) == Some(role))
}

fn of_metric(exported: &Exported, role: MetricRole) -> Answer {
    match series_of(exported, role) {
        Some(found) => of_series(exported, found),
        None => Answer::NotAsked { why: format!("no file tells of {}", role.word()) },
    }
}

/// Metrics that no role reads stand for the alarm's own: the one that has a threshold, else the one that moved most.
fn of_others(exported: &Exported) -> Answer {
    let is_read = |(name, _): &(String, Series)| {
        csv::role(name).is_some_and(|role| series_of(exported, role).is_some_and(|(first, _)| first == name))
    };
    let others = || exported.series.iter().filter(|one| !is_read(one));
    let moved = |(_, series): &(String, Series)| {
        let (now, before) = split(series, exported.window);
        rules::unrest(&now.points, &before.points)
    };
    let judged = others().find(|(name, _)| exported.thresholds.contains_key(name));
    match judged.or_else(|| others().max_by(|a, b| moved(a).total_cmp(&moved(b)))) {
        Some(found) => of_series(exported, found),
        None => Answer::NotAsked { why: "no file holds a metric without a role".to_owned() },
    }
}

fn of_series(exported: &Exported, (name, series): &(String, Series)) -> Answer {
    let (now, before) = split(series, exported.window);
    let answer = evidence::series(now, Some(before), exported.thresholds.get(name).copied().map(Bound::from));
    evidence::with_same_hours(answer, Ok(&series.points))
}

/// The window, and as much before it.
fn split(series: &Series, window: Window) -> (Series, Series) {
    let earliest = window.from.checked_sub(SignedDuration::from_secs(window.seconds())).unwrap_or(window.from);
    let of = |from: Timestamp, to: Timestamp| {
        let points: Vec<Point> =
            series.points.iter().copied().filter(|point| point.at >= from && point.at < to).collect();
        Series { points, ..series.clone() }
    };
    (of(window.from, window.to), of(earliest, window.from))
}

#[cfg(test)]
mod tests;
