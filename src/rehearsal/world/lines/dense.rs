//! Generators that flood: their lines are written by the second, each second from its own dice. Who polls reads a second
//! many times, so the last ones that were read are kept, and no more of them.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::tape::Wanted;
use super::text::{Dice, Draw};
use super::{LogEvent, Moment, Place, arrival, running, stream_of};
use crate::rehearsal::behaviour::Life;
use crate::rehearsal::scenario::{Cadence, LogSpec};
use crate::rehearsal::world::{Sight, minute_of};

/// Lines a minute from which on a generator floods.
const FLOOD: f64 = 1_000.0;
/// One second: the grain of a flood.
pub(super) const SECOND: SignedDuration = SignedDuration::from_secs(1);
/// Lines of floods that are kept at most: some ten MiB.
const KEPT: usize = 50_000;

/// Seconds that are over, by generator.
#[derive(Debug, Default)]
pub(super) struct Floods {
    seconds: HashMap<(usize, Timestamp), Arc<[LogEvent]>>,
    lines: usize,
}

impl Floods {
    fn keep(&mut self, key: (usize, Timestamp), lines: &Arc<[LogEvent]>) {
        if self.lines + lines.len() > KEPT {
            *self = Self::default();
        }
        // Another reader may have been as far.
        if self.seconds.insert(key, Arc::clone(lines)).is_none() {
            self.lines += lines.len();
        }
    }
}

/// Whether a generator floods.
pub(super) fn is_dense(log: &LogSpec) -> bool {
    match &log.cadence {
        Cadence::Steady { per_minute } | Cadence::Metric { per_minute, .. } => *per_minute >= FLOOD,
        Cadence::EachKill { .. } | Cadence::EachStart { .. } | Cadence::Once { .. } | Cadence::File { .. } => false,
    }
}

impl Sight<'_> {
    /// Adds the wanted lines of a generator in a slice, ascending by time: in a second, or in a longer one none.
    pub(super) fn flood(
        &self,
        index: usize,
        slice: (Timestamp, Timestamp),
        wanted: &Wanted,
        lines: &mut Vec<LogEvent>,
    ) {
        let Some(log) = self.scenario().logs.get(index).filter(|log| self.is_on_within(log, slice)) else { return };
        let all = self.flooded(index, log, slice.0);
        lines.extend(all.iter().filter(|line| wanted.takes(&line.place)).cloned());
    }

    /// All lines of a generator in a second. One that is over does not change any more, and is kept for the next reader.
    fn flooded(&self, index: usize, log: &LogSpec, second: Timestamp) -> Arc<[LogEvent]> {
        let (known, key) = (&self.world.settled_lines, (index, second));
        let kept = known.lock().unwrap_or_else(PoisonError::into_inner).floods.seconds.get(&key).cloned();
        if let Some(lines) = kept {
            return lines;
        }
        let lines: Arc<[LogEvent]> = self.second_of_lines(index, log, second).into();
        if second + SECOND <= self.now {
            known.lock().unwrap_or_else(PoisonError::into_inner).floods.keep(key, &lines);
        }
        lines
    }

    fn second_of_lines(&self, index: usize, log: &LogSpec, second: Timestamp) -> Vec<LogEvent> {
        let mut dice = Dice::of(self.world.seed, index, second.as_second());
        let rate = self.rate(log, minute_of(second)) / 60.0;
        let count = rate.floor() as usize + usize::from(dice.unit() < rate.fract());
        let running = running(self.lives_of(log.workload.as_ref()), second);
        let streams: Vec<Arc<str>> = match &log.stream {
            Some(stream) => vec![stream.as_str().into()],
            None if log.workload.is_some() => running.iter().map(|life| stream_of(life)).collect(),
            None => vec!["main".into()],
        };
        if streams.is_empty() {
            return Vec::new();
        }
        let mut lines = Vec::with_capacity(count);
        for nth in 0..count {
            let mut own = dice.line(nth);
            let share = (nth as f64 + own.unit()) / count as f64;
            let at = second + SignedDuration::from_millis(((share * 1_000.0) as i64).min(999));
            let (number, taken) = (own.next(), (own.unit() * streams.len() as f64) as usize);
            let mut draw = Draw::Dice(own);
            let place = Place { at, ingested: arrival(log, at, &mut draw), source: index as u32, number };
            if !self.is_on(log, at) {
                continue;
            }
            let life = running.get(taken).copied();
            let moment = Moment { at, life, restarts: 0, key: String::new(), text: None };
            if let Some(message) = self.said(log, &moment, &mut draw) {
                lines.push(LogEvent { place, stream: Arc::clone(&streams[taken]), message: message.into() });
            }
        }
        lines
    }

    /// Whether a generator may write in a slice of time at all: most of the time most floods are over.
    pub(super) fn is_on_within(&self, log: &LogSpec, (begin, end): (Timestamp, Timestamp)) -> bool {
        let offset = |at: Timestamp| at.duration_since(self.scenario().start);
        log.from.is_none_or(|from| from < offset(end)) && log.until.is_none_or(|until| offset(begin) < until)
    }

    /// The streams of a flood without writing a line: every container that lived while it was on.
    pub(super) fn flooding_streams(&self, log: &LogSpec) -> Vec<(Arc<str>, Timestamp, Timestamp)> {
        let start = self.scenario().start;
        let begin = log.from.map_or(self.scenario().dawn(), |from| (start + from).max(self.scenario().dawn()));
        let end = log.until.map_or(self.now, |until| (start + until).min(self.now));
        let whole = |name: &str| vec![(name.into(), begin, end)];
        let named = match &log.stream {
            Some(stream) => whole(stream),
            None if log.workload.is_none() => whole("main"),
            None => {
                let lives = self.lives_of(log.workload.as_ref()).iter();
                let span = |life: &Life| (life.started_at.max(begin), life.ended_at.unwrap_or(end).min(end));
                lives
                    .map(|life| (stream_of(life), span(life)))
                    .map(|(name, (first, last))| (name, first, last))
                    .collect()
            }
        };
        named.into_iter().filter(|(_, first, last)| first < last).collect()
    }
}
