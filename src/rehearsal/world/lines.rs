//! Log lines by generator: a pure function of scenario, seed, time and lives, so that a line asked for twice is one.
//! What is few is kept by the minute; of what is many only the last that was read, so that a million lines cost no memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::{MINUTE, Sight};
use crate::rehearsal::behaviour::{Life, LifeEnd, mixed, unit};
use crate::rehearsal::scenario::{Cadence, LogSpec};

mod dense;
mod tape;
mod text;

pub use tape::{Order, Tape};

use dense::Floods;
use text::Draw;

/// From a line's own time to when the service has it.
const ON_THE_WAY: SignedDuration = SignedDuration::from_millis(420);
/// Lines that are kept at most, over all generators.
const KEPT: usize = 50_000;

/// A line as CloudWatch Logs holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEvent {
    /// Where it stands among the others.
    pub place: Place,
    /// Pod and container, or what the scenario says.
    pub stream: Arc<str>,
    /// The text. Shared, as a line that is kept is read many times.
    pub message: Arc<str>,
}

/// The order of the service: by time, then by when it came in, then by what wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line's own time.
    pub at: Timestamp,
    /// When the service had it.
    pub ingested: Timestamp,
    source: u32,
    number: u64,
}

impl Place {
    /// The event's id: 56 digits, ascending with time, as the real ones.
    pub fn id(&self) -> String {
        let mut id = [b'0'; 56];
        let at = u64::try_from(self.at.as_millisecond()).unwrap_or(0);
        for (mut number, end, width) in [(at, 20, 20), (u64::from(self.source), 36, 16), (self.number, 56, 20)] {
            for digit in id[end - width..end].iter_mut().rev() {
                *digit = b'0' + (number % 10) as u8;
                number /= 10;
            }
        }
        String::from_utf8_lossy(&id).into_owned()
    }

    /// Before every event of an instant.
    pub fn at(at: Timestamp) -> Self {
        Self { at, ingested: at, source: 0, number: 0 }
    }

    /// As a token carries it.
    pub fn token(&self) -> String {
        let (at, ingested) = (self.at.as_millisecond(), self.ingested.as_millisecond());
        format!("{at}:{ingested}:{}:{}", self.source, self.number)
    }

    /// From a token.
    pub fn of_token(token: &str) -> Option<Self> {
        let mut parts = token.split(':');
        let place = Self {
            at: Timestamp::from_millisecond(parts.next()?.parse().ok()?).ok()?,
            ingested: Timestamp::from_millisecond(parts.next()?.parse().ok()?).ok()?,
            source: parts.next()?.parse().ok()?,
            number: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(place)
    }
}

/// A stream of a group and the times of its first and last line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamNow {
    /// Its name.
    pub name: Arc<str>,
    /// Its first line.
    pub first: Timestamp,
    /// Its last line.
    pub last: Timestamp,
}

/// Minutes as far as they are over, by generator; and of those that flood, the seconds that were read last.
#[derive(Debug, Default)]
pub(super) struct Settled {
    minutes: HashMap<(usize, Timestamp), Written>,
    lines: usize,
    floods: Floods,
}

/// The lines of a minute before an instant.
#[derive(Clone, Debug)]
struct Written {
    until: Timestamp,
    lines: Arc<[LogEvent]>,
}

/// A minute from an instant in it on.
#[derive(Clone, Copy)]
struct Span {
    minute: Timestamp,
    since: Timestamp,
}

/// A line about to be written.
struct Moment<'a> {
    at: Timestamp,
    life: Option<&'a Life>,
    restarts: usize,
    /// Tells lines of one generator apart.
    key: String,
    /// Its text, where it is not drawn.
    text: Option<&'a str>,
}

impl<'a> Sight<'a> {
    /// The groups of the scenario, sorted.
    pub fn log_groups(&self) -> Vec<&'a str> {
        let mut groups: Vec<&str> = self.scenario().logs.iter().map(|log| log.group.as_str()).collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    /// The events of a group with `from <= at < to` that have been written by now, in order.
    pub fn log_events(&self, group: &str, from: Timestamp, to: Timestamp) -> Vec<LogEvent> {
        self.log_tape(group, from, to).written().collect()
    }

    /// Whether a group has so many lines that reading it is work.
    pub fn is_flooded(&self, group: &str) -> bool {
        self.scenario().logs.iter().any(|log| log.group == group && dense::is_dense(log))
    }

    /// The streams of a group that have lines by now, by name.
    pub fn log_streams(&self, group: &str) -> Vec<StreamNow> {
        let mut streams: BTreeMap<Arc<str>, (Timestamp, Timestamp)> = BTreeMap::new();
        let mut seen = |name: Arc<str>, first: Timestamp, last: Timestamp| {
            let ends = streams.entry(name).or_insert((first, last));
            *ends = (ends.0.min(first), ends.1.max(last));
        };
        for log in self.scenario().logs.iter().filter(|log| log.group == group && dense::is_dense(log)) {
            for (name, first, last) in self.flooding_streams(log) {
                seen(name, first, last);
            }
        }
        for event in self.log_tape(group, self.scenario().dawn(), self.now).lean() {
            seen(Arc::clone(&event.stream), event.place.at, event.place.at);
        }
        streams.into_iter().map(|(name, (first, last))| StreamNow { name, first, last }).collect()
    }

    /// The lines of a generator in a minute, in order, and at least those before an instant. What is written is kept, as the
    /// past does not change: who reads a minute again while it passes adds what came since.
    fn minute_of_lines(&self, (index, minute): (usize, Timestamp), log: &'a LogSpec, to: Timestamp) -> Arc<[LogEvent]> {
        let (known, end) = (&self.world.settled_lines, minute + MINUTE);
        let kept = known.lock().unwrap_or_else(PoisonError::into_inner).minutes.get(&(index, minute)).cloned();
        let Written { until, lines } = kept.unwrap_or_else(|| Written { until: minute, lines: Arc::default() });
        if until >= end.min(to) || until > self.now {
            return lines;
        }
        let mut fresh: Vec<LogEvent> = self
            .moments(index, log, Span { minute, since: until })
            .into_iter()
            .filter(|moment| moment.at >= until && moment.at < end && moment.at <= self.now)
            .filter(|moment| self.is_on(log, moment.at))
            .filter_map(|moment| self.written(index, log, &moment))
            .collect();
        fresh.sort_by_key(|line| line.place);
        // What is of this very instant may have a sequel.
        let until = end.min(self.now);
        let over = fresh.partition_point(|line| line.place.at < until);
        let extended = |by: &[LogEvent]| {
            if by.is_empty() { Arc::clone(&lines) } else { lines.iter().chain(by).cloned().collect() }
        };
        self.settle((index, minute), over, Written { until, lines: extended(&fresh[..over]) });
        extended(&fresh)
    }

    fn settle(&self, key: (usize, Timestamp), fresh: usize, written: Written) {
        let mut known = self.world.settled_lines.lock().unwrap_or_else(PoisonError::into_inner);
        if known.lines + fresh > KEPT {
            *known = Settled { floods: std::mem::take(&mut known.floods), ..Settled::default() };
        }
        // Another reader may have come further.
        let stale = known.minutes.get(&key).is_some_and(|other| other.until > written.until);
        if !stale && written.until > key.1 {
            known.lines += fresh;
            known.minutes.insert(key, written);
        }
    }

    /// Whether a generator writes at a time at all.
    fn is_on(&self, log: &LogSpec, at: Timestamp) -> bool {
        let offset = at.duration_since(self.scenario().start);
        log.from.is_none_or(|from| from <= offset) && log.until.is_none_or(|until| offset < until)
    }

    /// Lines a minute of a generator that writes as time passes.
    fn rate(&self, log: &LogSpec, minute: Timestamp) -> f64 {
        match &log.cadence {
            Cadence::Steady { per_minute } => *per_minute,
            Cadence::Metric { metric, low, high, per_minute } => {
                let value = self.value(metric, minute - MINUTE).unwrap_or(*low);
                per_minute * ((value - low) / (high - low)).clamp(0.0, 1.0)
            }
            Cadence::EachKill { .. } | Cadence::EachStart { .. } | Cadence::Once { .. } | Cadence::File { .. } => 0.0,
        }
    }

    fn moments(&self, index: usize, log: &'a LogSpec, span: Span) -> Vec<Moment<'a>> {
        let lives = self.lives_of(log.workload.as_ref());
        let one = |at, life, restarts, key| Moment { at, life, restarts, key, text: None };
        match &log.cadence {
            Cadence::Steady { .. } | Cadence::Metric { .. } => self.spread(index, log, span),
            Cadence::EachKill { after } => numbered(lives)
                .filter(|(life, _)| matches!(life.end, Some(LifeEnd::OomKilled | LifeEnd::ProbeKilled)))
                .filter_map(|(life, nth)| {
                    Some(one(life.ended_at? + *after, Some(life), nth, format!("{} {nth}", life.pod)))
                })
                .collect(),
            Cadence::EachStart { after } => numbered(lives)
                .filter(|(life, _)| life.runs_at(life.started_at + *after))
                .map(|(life, nth)| one(life.started_at + *after, Some(life), nth - 1, format!("{} {nth}", life.pod)))
                .collect(),
            Cadence::Once { at } => at
                .iter()
                .enumerate()
                .map(|(nth, offset)| {
                    let at = self.scenario().start + *offset;
                    one(at, running(lives, at).first().copied(), 0, nth.to_string())
                })
                .collect(),
            Cadence::File { .. } => self.filed(index, span.minute),
        }
    }

    /// The lines of a file in a minute; they are in order.
    fn filed(&self, index: usize, minute: Timestamp) -> Vec<Moment<'a>> {
        let filed = self.world.filed.get(&index).map_or(&[][..], Vec::as_slice);
        let begin = filed.partition_point(|line| line.0 < minute);
        let end = filed.partition_point(|line| line.0 < minute + MINUTE);
        let lines = filed[begin..end].iter().zip(begin..);
        lines
            .map(|((at, text), nth)| Moment {
                at: *at,
                life: None,
                restarts: 0,
                key: nth.to_string(),
                text: Some(text),
            })
            .collect()
    }

    /// Lines over a minute, each by a container that ran at the time.
    fn spread(&self, index: usize, log: &LogSpec, Span { minute, since }: Span) -> Vec<Moment<'a>> {
        let lives = self.lives_of(log.workload.as_ref());
        let per_minute = self.rate(log, minute);
        let whole = per_minute.floor();
        let (generator, named) = (format!("log {index}"), minute.to_string());
        let draw = |what: &str| unit(self.world.seed, &generator, &format!("{named} {what}"));
        let count = whole as usize + usize::from(draw("count") < per_minute - whole);
        let at = |nth: usize| {
            let offset = SignedDuration::from_millis((draw(&format!("at {nth}")) * 60_000.0) as i64);
            (nth, minute + offset)
        };
        let wanted = (0..count).map(at).filter(|(_, at)| since <= *at && *at <= self.now);
        wanted
            .filter_map(|(nth, at)| {
                let running = running(lives, at);
                let taken = (draw(&format!("pod {nth}")) * running.len() as f64) as usize;
                if log.workload.is_some() && running.is_empty() {
                    return None;
                }
                let life = running.get(taken).copied();
                Some(Moment { at, life, restarts: 0, key: format!("{named} {nth}"), text: None })
            })
            .collect()
    }

    fn written(&self, index: usize, log: &LogSpec, moment: &Moment<'_>) -> Option<LogEvent> {
        let generator = format!("log {index}");
        let mut draw = Draw::Keyed { seed: self.world.seed, generator: &generator, key: &moment.key };
        let message = match moment.text {
            Some(text) => text.into(),
            None => self.said(log, moment, &mut draw)?.into(),
        };
        let stream = match (&log.stream, moment.life) {
            (Some(stream), _) => stream.as_str().into(),
            (None, Some(life)) => stream_of(life),
            (None, None) => "main".into(),
        };
        let number = mixed(self.world.seed, &generator, &format!("id {}", moment.key));
        let ingested = arrival(log, moment.at, &mut draw);
        Some(LogEvent { place: Place { at: moment.at, ingested, source: index as u32, number }, stream, message })
    }
}

/// When the service has a line: soon, or late where the generator has late ones.
fn arrival(log: &LogSpec, at: Timestamp, draw: &mut Draw<'_>) -> Timestamp {
    match &log.late {
        Some(late) if draw.unit("late") < late.share => {
            let by = late.by.as_millis() as f64 * (1.0 - draw.unit("how late") / 2.0);
            at + ON_THE_WAY.max(SignedDuration::from_millis(by as i64))
        }
        _ => at + ON_THE_WAY,
    }
}

/// The latest that a line of a generator comes in.
fn latest_arrival(log: &LogSpec) -> SignedDuration {
    log.late.as_ref().map_or(ON_THE_WAY, |late| late.by.max(ON_THE_WAY))
}

fn stream_of(life: &Life) -> Arc<str> {
    format!("{}/{}", life.pod, life.container).into()
}

/// Lives, which are in order of start, with their number in their pod, from 1.
fn numbered(lives: &[Life]) -> impl Iterator<Item = (&Life, usize)> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    lives.iter().map(move |life| {
        let count = counts.entry(life.pod.as_str()).or_default();
        *count += 1;
        (life, *count)
    })
}

fn running(lives: &[Life], at: Timestamp) -> Vec<&Life> {
    lives.iter().filter(|life| life.runs_at(at)).collect()
}
