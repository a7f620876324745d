//! The answer of a piece of evidence in one line, with its numbers and how complete it is.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::fact::{bytes, number};
use super::patterns::rate_change;
use super::{Answer, Evidence, Fact, Payload, Question, facts};
use crate::domain::count::{counted, either};
use crate::domain::diagnosis::statistics::{DaysBefore, FROM_ZERO};
use crate::domain::observation::change::{Change, fields_in_words};
use crate::domain::observation::log::LogLevel;
use crate::domain::observation::log_template::TemplateCount;
use crate::domain::observation::metric::Unit;
use crate::domain::observation::oom_kill::{KillSource, OomCount};
use crate::domain::observation::workload::{Revision, Workload};

/// Changes beside rollouts that are told in a line.
const TOLD: usize = 3;

/// One line: what was found, with numbers; or why there is nothing.
pub fn answer_text(evidence: &Evidence) -> String {
    match &evidence.answer {
        Answer::Observed { payload } => found(evidence, payload),
        // These are bounds: of the rest nobody says by what they ended.
        Answer::Truncated { payload: payload @ Payload::OomKills(count), seen, of: Some(most) }
            if *seen == count.total =>
        {
            format!("{} (at the least: up to {most}, if the rest ended by it as well)", found(evidence, payload))
        }
        Answer::Truncated { payload, seen, of } => {
            let of = of.map_or_else(|| "an unknown number".to_owned(), |of| of.to_string());
            format!("{} (truncated: {seen} of {of} read)", found(evidence, payload))
        }
        Answer::Absent => "Asked and answered: there is nothing.".to_owned(),
        Answer::Denied { fault } => format!("Denied: {}", fault.summary),
        Answer::Failed { fault } => format!("Failed: {}", fault.summary),
        Answer::NotAsked { why } => format!("Not asked: {why}"),
    }
}

/// `09:14Z`: who reads it may have set another clock.
pub(crate) fn clock(at: Timestamp) -> String {
    at.strftime("%H:%MZ").to_string()
}

/// The facts of one evidence, by name.
struct Numbers(Vec<Fact>);

impl Numbers {
    fn fact(&self, name: &str) -> Option<&Fact> {
        self.0.iter().find(|fact| fact.name == name)
    }

    fn text(&self, name: &str) -> String {
        self.fact(name).map_or_else(|| "unknown".to_owned(), ToString::to_string)
    }

    fn time(&self, name: &str) -> Option<String> {
        self.fact(name).and_then(|fact| fact.at).map(clock)
    }
}

fn found(evidence: &Evidence, payload: &Payload) -> String {
    let numbers = Numbers(facts(evidence));
    match payload {
        Payload::Series { series, band, same_hours, .. } => {
            let name = if evidence.question == Question::AlarmMetric {
                series.query.metric.name.as_str()
            } else {
                subject(evidence.question)
            };
            let mut text = of_series(name, series.unit, &numbers);
            if let Some(DaysBefore::Unread { why }) = same_hours {
                let _ = write!(text, "; the days before were not read: {why}");
            }
            if band.is_empty() { text } else { format!("{text}; {}", of_band(&numbers)) }
        }
        Payload::OomKills(count) => of_kills(count),
        Payload::Collector { .. } => of_collector(payload, &numbers),
        Payload::LogPatterns { lines, errors, warnings, templates, signs, whole, outside, .. } => {
            let found = numbers.text("templates");
            let tokens = numbers.fact("tokens").map_or(0.0, |tokens| tokens.value) as u64;
            let kept = if numbers.fact("templates").is_some_and(|found| found.value as usize > templates.len()) {
                format!(" ({} sent)", templates.len())
            } else {
                String::new()
            };
            let noun = if found == "1" { "template" } else { "templates" };
            let (line, tokens_noun) = (either(*lines, "line", "lines"), either(tokens, "token", "tokens"));
            let whole = whole.as_ref().map_or_else(String::new, |whole| format!("{}; of those read: ", whole.words()));
            let mut text = format!(
                "{whole}{} {line} -> {found} {noun}{kept} -> about {} {tokens_noun}; {}, {}",
                grouped(*lines),
                grouped(tokens),
                counted(*errors, "error"),
                counted(*warnings, "warning")
            );
            text.extend(loudest(templates, evidence));
            text.extend(signs.iter().map(|sign| {
                format!(
                    "; {} {} of {}",
                    counted(sign.lines, "line"),
                    either(sign.lines, "tells", "tell"),
                    sign.sign.words()
                )
            }));
            if let Some(outside) = outside {
                let noun = either(*outside, "line lies", "lines lie");
                let _ = write!(text, "; {} {noun} outside of the window", grouped(*outside));
            }
            text
        }
        Payload::Workload { workload, unread, .. } => of_workload(workload, &numbers) + &not_read(unread),
        Payload::Changes { revisions, others, unread } => of_changes(revisions, (others, unread)),
    }
}

fn of_collector(payload: &Payload, numbers: &Numbers) -> String {
    let Payload::Collector { series, pauses, full_collections, heap_errors, heap, unread, .. } = payload else {
        return String::new();
    };
    let lines = if unread.iter().any(|what| what.starts_with("logs")) {
        "nothing is known of the logs".to_owned()
    } else {
        format!(
            "{}, {} and {} in the logs",
            counted(*pauses, "pause"),
            counted(*full_collections, "full collection"),
            counted(*heap_errors, "heap error")
        )
    };
    let heap = heap.as_ref().map_or(String::new(), |heap| {
        let percent = heap.time_percent.map_or_else(|| "unknown".to_owned(), |percent| format!("{}%", number(percent)));
        let (first, last) = (number(heap.floor_first), number(heap.floor_last));
        let (size, words) = (heap.size.words(), heap.state.words());
        let since = match heap.ended_before {
            0 => String::new(),
            ended => format!(" since the last start ({ended} before)"),
        };
        format!(
            "; {percent} of the time in collections{since}, the floor went from {first}% to {last}% of {size}: {words}"
        )
    });
    let lines = format!("{lines}{heap}{}", not_read(unread));
    match series {
        Some(series) => format!("{}; {lines}", of_series("collector time", series.unit, numbers)),
        None => lines,
    }
}

fn of_band(numbers: &Numbers) -> String {
    let (lower, upper) = (numbers.text("band-lower"), numbers.text("band-upper"));
    format!("its band is {lower} to {upper} now, and it was outside for {}", numbers.text("minutes-outside"))
}

/// The error written most, and when it became more or less frequent.
fn loudest(templates: &[TemplateCount], evidence: &Evidence) -> Option<String> {
    let errors = templates.iter().filter(|template| template.level == LogLevel::Error);
    let top = errors.max_by_key(|template| template.count)?;
    let mut text = format!("; most frequent error, {}: {:?}", counted(top.count, "line"), short(&top.template));
    if let Some(changed) = rate_change(top, evidence.window) {
        let (before, since) = (number(changed.before), number(changed.since));
        let _ = write!(text, ", {since} a minute since {}, {before} before", clock(changed.at));
    }
    Some(text)
}

/// `50,000`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn subject(question: Question) -> &'static str {
    match question {
        Question::Memory => "memory",
        Question::Cpu => "CPU",
        Question::Traffic => "traffic",
        Question::Collector => "collector time",
        Question::Errors => "errors",
        Question::Latency => "latency",
        Question::OomKills | Question::Workload | Question::Changes | Question::LogPatterns | Question::AlarmMetric => {
            "value"
        }
    }
}

fn of_series(subject: &str, unit: Unit, numbers: &Numbers) -> String {
    let mut text = format!("{subject} peak {}", numbers.text("peak"));
    text.extend(numbers.time("peak").map(|at| format!(" at {at}")));
    let _ = write!(text, ", latest {}, mean {}", numbers.text("latest"), numbers.text("mean"));
    let _ = write!(text, " over {} ({})", numbers.text("minutes"), with_noun(numbers, "points", "point"));
    if let (Some(ratio), Some(_)) = (numbers.fact("ratio"), numbers.fact("before")) {
        let _ = write!(text, "; {} before, {} now", numbers.text("before"), numbers.text("now"));
        // From nothing, no number of times is true.
        if ratio.value.abs() < FROM_ZERO {
            let _ = write!(text, " ({ratio})");
        }
    }
    text.extend(numbers.time("onset").map(|at| format!(", changed at {at}")));
    if numbers.fact("growth").is_some() && unit == Unit::Percent {
        // What falls back is the level of all containers together: how often one of them was started is another count.
        let falls = match numbers.fact("restarts").map_or(0.0, |fact| fact.value) {
            none if none < 1.0 => "never fell back".to_owned(),
            once if once < 2.0 => "fell back once".to_owned(),
            _ => format!("fell back {} times", numbers.text("restarts")),
        };
        let _ = write!(text, "; trend {}, {falls}", numbers.text("slope"));
    }
    if let (Some(usual), Some(days)) = (numbers.fact("same-hours-usual"), numbers.fact("same-hours-days")) {
        let _ = write!(text, "; usual at these hours (UTC) {usual} ({days} {})", either(days.value, "day", "days"));
    }
    for (word, minutes) in [("above", "minutes-above"), ("below", "minutes-below")] {
        if numbers.fact(minutes).is_some() {
            let _ = write!(text, "; {word} {} for {}", numbers.text("threshold"), numbers.text(minutes));
        }
    }
    text
}

/// A fact that counts, with its noun.
fn with_noun(numbers: &Numbers, fact: &str, one: &str) -> String {
    let noun = counted(numbers.fact(fact).map_or(0.0, |fact| fact.value), one);
    let noun = noun.split_once(' ').map_or("", |(_, noun)| noun);
    format!("{} {noun}", numbers.text(fact))
}

fn of_kills(count: &OomCount) -> String {
    let mut text =
        format!("{} of {}", counted(count.total, "OOM kill"), counted(count.by_container.len(), "container"));
    let sources: Vec<String> =
        count.by_source.iter().map(|(source, kills)| format!("{} {kills}", source.word())).collect();
    let _ = write!(text, " ({})", sources.join(", "));
    if let Some(top) = count.by_container.first() {
        let _ = write!(text, ", most of {}: {}", top.container, top.kills);
    }
    if count.by_source.iter().any(|(source, _)| *source == KillSource::Logs) {
        let _ = write!(text, "; {} apart", counted(count.heap_errors, "heap error"));
    }
    if let Some(outside) = count.outside {
        let _ = write!(text, "; the logs tell of {outside} more outside of the window");
    }
    text
}

fn of_workload(workload: &Workload, numbers: &Numbers) -> String {
    let limits: Vec<String> = workload
        .containers
        .iter()
        .map(|c| format!("{} limit {}", c.name, c.memory_limit.map_or_else(|| "none".to_owned(), bytes)))
        .collect();
    format!(
        "{}: {} of {} ready, {}, {} last ended by OOM; {}",
        workload.target,
        workload.ready,
        workload.replicas,
        with_noun(numbers, "restarts", "restart"),
        with_noun(numbers, "oom-killed", "container"),
        limits.join(", "),
    )
}

fn of_changes(revisions: &[Revision], (others, unread): (&[Change], &[String])) -> String {
    let when = |at: Option<Timestamp>| {
        at.map_or_else(|| "at an unknown time".to_owned(), |at| at.strftime("%Y-%m-%d %H:%MZ").to_string())
    };
    let none = if unread.is_empty() { "no revisions" } else { "no revision is known" };
    let mut text = revisions.last().map_or_else(
        || none.to_owned(),
        |newest| {
            let number = number(newest.number as f64);
            format!("{}, newest {number} of {}", counted(revisions.len(), "revision"), when(newest.created_at))
        },
    );
    if let Some(newest) = revisions.last().filter(|newest| !newest.changed.is_empty()) {
        let _ = write!(text, " ({})", fields_in_words(&newest.changed));
    }
    for change in others.iter().rev().take(TOLD) {
        let _ = write!(text, "; {} of {}", change.words(), when(change.at));
    }
    text + &not_read(unread)
}

fn not_read(unread: &[String]) -> String {
    if unread.is_empty() { String::new() } else { format!("; not read: {}", unread.join(", ")) }
}

fn short(text: &str) -> String {
    let mut short: String = text.chars().take(80).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
