//! Log lines by generator: a pure function of scenario, seed, minute and lives, so that a line asked for twice is one.

use std::sync::{Arc, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::{MINUTE, Sight, minute_of};
use crate::rehearsal::behaviour::{Life, LifeEnd, mixed, unit};
use crate::rehearsal::scenario::{Cadence, FieldSpec, LogSpec};

/// A line as CloudWatch Logs holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEvent {
    /// 56 digits, ascending with time, as the real ones.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Pod and container, or what the scenario says.
    pub stream: String,
    /// The text.
    pub message: String,
}

/// A line about to be written.
struct Moment<'a> {
    at: Timestamp,
    life: Option<&'a Life>,
    restarts: usize,
    /// Tells lines of one generator apart.
    key: String,
}

impl<'a> Sight<'a> {
    /// The groups of the scenario, sorted.
    pub fn log_groups(&self) -> Vec<&'a str> {
        let mut groups: Vec<&str> = self.scenario().logs.iter().map(|log| log.group.as_str()).collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    /// The events of a group with `from <= at < to` that have happened by now, ascending by time and id.
    pub fn log_events(&self, group: &str, from: Timestamp, to: Timestamp) -> Vec<LogEvent> {
        let to = to.min(self.now + SignedDuration::from_millis(1));
        let mut events = Vec::new();
        for (index, log) in self.scenario().logs.iter().enumerate().filter(|(_, log)| log.group == group) {
            let mut minute = minute_of(from.max(self.scenario().dawn()));
            while minute < to {
                let all = self.minute_of_lines(index, log, minute);
                events.extend(all.iter().filter(|event| event.at >= from && event.at < to).cloned());
                minute += MINUTE;
            }
        }
        events.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        events
    }

    /// All lines of a generator in a minute. What is complete is kept: the past does not change.
    fn minute_of_lines(&self, index: usize, log: &LogSpec, minute: Timestamp) -> Arc<[LogEvent]> {
        let known = &self.world.settled_lines;
        if let Some(lines) = known.lock().unwrap_or_else(PoisonError::into_inner).get(&(index, minute)) {
            return Arc::clone(lines);
        }
        let lines: Arc<[LogEvent]> = self
            .moments(index, log, minute)
            .into_iter()
            .filter(|moment| moment.at >= minute && moment.at < minute + MINUTE && moment.at <= self.now)
            .filter_map(|moment| self.written(index, log, &moment))
            .collect();
        if minute + MINUTE <= self.now {
            known.lock().unwrap_or_else(PoisonError::into_inner).insert((index, minute), Arc::clone(&lines));
        }
        lines
    }

    fn moments(&self, index: usize, log: &LogSpec, minute: Timestamp) -> Vec<Moment<'a>> {
        let lives = self.lives_of(log.workload.as_ref());
        let one = |at, life, restarts, key| Moment { at, life, restarts, key };
        match &log.cadence {
            Cadence::Steady { per_minute } => self.spread(index, log, minute, *per_minute),
            Cadence::Metric { metric, low, high, per_minute } => {
                let value = self.value(metric, minute - MINUTE).unwrap_or(*low);
                let share = ((value - low) / (high - low)).clamp(0.0, 1.0);
                self.spread(index, log, minute, per_minute * share)
            }
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
            Cadence::File { .. } => {
                let filed = self.world.filed.get(&index).map_or(&[][..], Vec::as_slice);
                filed.iter().enumerate().map(|(nth, line)| one(line.0, None, 0, nth.to_string())).collect()
            }
        }
    }

    /// Lines over a minute, each by a container that ran at the time.
    fn spread(&self, index: usize, log: &LogSpec, minute: Timestamp, per_minute: f64) -> Vec<Moment<'a>> {
        let lives = self.lives_of(log.workload.as_ref());
        let whole = per_minute.floor();
        let draw = |what: &str| unit(self.world.seed, &format!("log {index}"), &format!("{minute} {what}"));
        let count = whole as usize + usize::from(draw("count") < per_minute - whole);
        (0..count)
            .filter_map(|nth| {
                let offset = SignedDuration::from_millis((draw(&format!("at {nth}")) * 60_000.0) as i64);
                let at = minute + offset;
                let running = running(lives, at);
                let taken = (draw(&format!("pod {nth}")) * running.len() as f64) as usize;
                if log.workload.is_some() && running.is_empty() {
                    return None;
                }
                Some(Moment { at, life: running.get(taken).copied(), restarts: 0, key: format!("{minute} {nth}") })
            })
            .collect()
    }

    fn written(&self, index: usize, log: &LogSpec, moment: &Moment<'_>) -> Option<LogEvent> {
        let generator = format!("log {index}");
        let message = if let Cadence::File { .. } = &log.cadence {
            self.world.filed.get(&index)?.get(moment.key.parse::<usize>().ok()?)?.1.clone()
        } else {
            let drawn = unit(self.world.seed, &generator, &format!("template {}", moment.key));
            let template = log.templates.get((drawn * log.templates.len() as f64) as usize)?;
            self.filled(&generator, log, template, moment)
        };
        let stream = match (&log.stream, moment.life) {
            (Some(stream), _) => stream.clone(),
            (None, Some(life)) => format!("{}/{}", life.pod, life.container),
            (None, None) => "main".to_owned(),
        };
        let number = mixed(self.world.seed, &generator, &format!("id {}", moment.key));
        let id = format!("{:020}{index:016}{number:020}", moment.at.as_millisecond().max(0));
        Some(LogEvent { id, at: moment.at, stream, message })
    }

    fn filled(&self, generator: &str, log: &LogSpec, template: &str, moment: &Moment<'_>) -> String {
        let mut text = String::with_capacity(template.len() + 16);
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let Some((name, tail)) = after.split_once('}') else {
                text.push('{');
                rest = after;
                continue;
            };
            match (name, moment.life) {
                ("pod", Some(life)) => text.push_str(&life.pod),
                ("container", Some(life)) => text.push_str(&life.container),
                ("time", _) => text.push_str(&moment.at.to_string()),
                ("restarts", _) => text.push_str(&moment.restarts.to_string()),
                _ => text.push_str(&self.field(generator, log, name, moment)),
            }
            rest = tail;
        }
        text.push_str(rest);
        text
    }

    fn field(&self, generator: &str, log: &LogSpec, name: &str, moment: &Moment<'_>) -> String {
        let what = format!("{name} {}", moment.key);
        let drawn = unit(self.world.seed, generator, &what);
        match log.fields.get(name) {
            Some(FieldSpec::Int { min, max }) => (min + (drawn * (max - min + 1) as f64) as i64).to_string(),
            Some(FieldSpec::Pick { of }) => of.get((drawn * of.len() as f64) as usize).cloned().unwrap_or_default(),
            Some(FieldSpec::Hex { digits }) => {
                let bits = format!("{:016x}", mixed(self.world.seed, generator, &what));
                bits[..usize::from(*digits).min(16)].to_owned()
            }
            Some(FieldSpec::Metric { metric }) => {
                let value = self.value(metric, minute_of(moment.at) - MINUTE);
                value.map_or_else(|| "-".to_owned(), |value| value.to_string())
            }
            None => format!("{{{name}}}"),
        }
    }
}

/// Lives with their number in their pod, from 1.
fn numbered(lives: &[Life]) -> impl Iterator<Item = (&Life, usize)> {
    lives.iter().map(|life| {
        let earlier = |other: &&Life| other.pod == life.pod && other.started_at <= life.started_at;
        (life, lives.iter().filter(earlier).count())
    })
}

fn running(lives: &[Life], at: Timestamp) -> Vec<&Life> {
    lives.iter().filter(|life| life.runs_at(at)).collect()
}
