//! One reading of all evidence for all rules: figures with the id they come from, `None` where there is no usable answer.

mod alarmed;
mod level;
mod logs;
mod place;
mod scale;
mod trouble;

use jiff::{SignedDuration, Timestamp};

use crate::domain::count::counted;
use crate::domain::diagnosis::evidence::{Answer, Evidence, EvidenceId, Payload, Question};
use crate::domain::diagnosis::statistics::{
    self, DaysBefore, HeapReading, HeapState, MemoryShape, Onset, SameHours, Shape,
};
use crate::domain::observation::alarm::Bound;
use crate::domain::observation::change::Change;
use crate::domain::observation::cluster_sign;
use crate::domain::observation::metric::{Point, Series, Unit};
use crate::domain::observation::oom_kill::{KillSource, OomCount};
use crate::domain::observation::workload::{ContainerSpec, Revision};

pub(super) use alarmed::Alarmed;
pub use level::unrest;
pub(super) use level::{Level, Rise};
pub(super) use logs::{Logs, Voice};
pub(super) use place::Workplace;
pub(super) use scale::of_memory;

/// A series whose newest period ended before this, and before two of its periods, says nothing of now: metrics come in some
/// minutes late, and requests that stopped have no points at all.
const STALE: SignedDuration = SignedDuration::from_mins(5);

/// All that rules look at.
#[derive(Clone, Debug, Default)]
pub(super) struct Reading {
    pub(super) memory: Option<Memory>,
    pub(super) kills: Option<Kills>,
    pub(super) collector: Option<Collector>,
    pub(super) traffic: Option<Level>,
    pub(super) cpu: Option<Cpu>,
    pub(super) workload: Option<Workplace>,
    pub(super) changes: Option<Changes>,
    pub(super) errors: Option<Level>,
    pub(super) latency: Option<Level>,
    pub(super) logs: Option<Logs>,
    /// The alarm's own metric, or, of files, what moved most of the metrics without a role.
    pub(super) own: Option<Level>,
    /// The first series with an alarm's threshold; the alarm's own metric before others.
    pub(super) alarmed: Option<Alarmed>,
    /// How metrics stand to the same hours of the days before.
    habits: Vec<(Question, DaysBefore)>,
    /// Questions that were asked, whatever came back. What nobody could ask is no gap in an answer.
    asked: Vec<Question>,
    unusable: Vec<(Question, String)>,
    /// Questions whose answers were refused, failed, or were read in part.
    refused: Vec<Question>,
    /// The end of the newest window.
    until: Timestamp,
}

#[derive(Clone, Debug)]
pub(super) struct Memory {
    pub(super) id: EvidenceId,
    pub(super) shape: MemoryShape,
    pub(super) first: f64,
    pub(super) latest: f64,
    pub(super) onset: Option<Onset>,
    /// Whether its values were measured in bytes.
    pub(super) in_bytes: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Kills {
    pub(super) id: EvidenceId,
    pub(super) total: u64,
    /// Whether a zero is a zero: something that would show a kill was read whole.
    pub(super) sure: bool,
    /// Whether all that would show a kill was read and shows none, but for ends that statuses no longer keep.
    pub(super) unseen: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Collector {
    pub(super) id: EvidenceId,
    pub(super) time: Option<Level>,
    pub(super) full_collections: u64,
    pub(super) pauses: u64,
    pub(super) heap_errors: u64,
    pub(super) heap: Option<HeapReading>,
    /// Whether logs were read whole, so that no pauses means none.
    pub(super) whole: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Cpu {
    pub(super) id: EvidenceId,
    pub(super) peak: f64,
    pub(super) latest: f64,
    /// The level of now.
    pub(super) lately: f64,
    pub(super) high_from: f64,
    pub(super) onset: Option<Onset>,
}

#[derive(Clone, Debug)]
pub(super) struct Changes {
    pub(super) id: EvidenceId,
    pub(super) revisions: Vec<Revision>,
    pub(super) others: Vec<Change>,
    pub(super) unread: Vec<String>,
}

/// A series, the points before it, and the constant of its alarm.
type Measured<'a> = (&'a Series, &'a [Point], Option<Bound>);

impl Reading {
    /// Reads the first evidence of each question.
    pub(super) fn of(evidence: &[Evidence], now: Timestamp) -> Self {
        let until = evidence.iter().map(|piece| piece.window.to).max().map_or(now, |to| to.min(now));
        let mut reading = Self { until, ..Self::default() };
        let containers = evidence.iter().find_map(containers).unwrap_or_default();
        let mut seen = Vec::new();
        for piece in evidence {
            if seen.contains(&piece.question) {
                continue;
            }
            seen.push(piece.question);
            if !matches!(piece.answer, Answer::NotAsked { .. }) {
                reading.asked.push(piece.question);
            }
            if matches!(piece.answer, Answer::Denied { .. } | Answer::Failed { .. } | Answer::Truncated { .. }) {
                reading.refused.push(piece.question);
            }
            if let Some(payload) = piece.answer.payload() {
                reading.take(piece, payload, (containers, now));
            }
        }
        reading.tell_lives();
        reading
    }

    /// Why an answer that was found cannot be used.
    pub(super) fn unusable(&self, question: Question) -> Option<String> {
        self.unusable.iter().find(|(of, _)| *of == question).map(|(_, why)| why.clone())
    }

    /// Whether a question has an answer that is used.
    pub(super) fn has(&self, question: Question) -> bool {
        match question {
            Question::Memory => self.memory.is_some(),
            Question::OomKills => self.kills.is_some(),
            Question::Collector => self.collector.is_some(),
            Question::Traffic => self.traffic.is_some(),
            Question::Cpu => self.cpu.is_some(),
            Question::Workload => self.workload.is_some(),
            Question::Changes => self.changes.is_some(),
            Question::LogPatterns => self.logs.is_some(),
            Question::Errors => self.errors.is_some(),
            Question::Latency => self.latency.is_some(),
            Question::AlarmMetric => self.own.is_some(),
        }
    }

    /// The same reading, had a question been asked and not answered.
    pub(super) fn without(&self, question: Question) -> Self {
        let mut less = self.clone();
        match question {
            Question::Memory => less.memory = None,
            Question::OomKills => less.kills = None,
            Question::Collector => less.collector = None,
            Question::Traffic => less.traffic = None,
            Question::Cpu => less.cpu = None,
            Question::Workload => less.workload = None,
            Question::Changes => less.changes = None,
            Question::LogPatterns => less.logs = None,
            Question::Errors => less.errors = None,
            Question::Latency => less.latency = None,
            Question::AlarmMetric => less.own = None,
        }
        less.alarmed = less.alarmed.filter(|alarmed| alarmed.question != question);
        less.habits.retain(|(of, _)| *of != question);
        less
    }

    /// How a metric stands to the same hours of the days before; `None` where nobody asked, or it cannot be used.
    pub(super) fn days_before(&self, question: Question) -> Option<&DaysBefore> {
        self.habits.iter().find(|(of, _)| *of == question).map(|(_, days)| days)
    }

    /// The comparison of a metric whose level is the usual one at these hours.
    pub(super) fn usual(&self, question: Question) -> Option<&SameHours> {
        self.days_before(question)?.known().filter(|hours| hours.is_usual())
    }

    /// The end of the newest window.
    pub(super) fn until(&self) -> Timestamp {
        self.until
    }

    /// Whether a question was asked.
    pub(super) fn was_asked(&self, question: Question) -> bool {
        self.asked.contains(&question)
    }

    /// Whether a question was asked and its answer not read, or not whole. What is known to be absent is no such gap.
    pub(super) fn is_unread(&self, question: Question) -> bool {
        self.refused.contains(&question) || self.unusable.iter().any(|(of, _)| *of == question)
    }

    /// Whether nothing usable came back of what was asked.
    pub(super) fn is_withheld(&self, question: Question) -> bool {
        self.is_unread(question) && !self.has(question)
    }

    fn take(&mut self, piece: &Evidence, payload: &Payload, (containers, now): (&[ContainerSpec], Timestamp)) {
        let id = piece.id;
        match payload {
            Payload::Series { series, baseline, threshold, side, same_hours, .. } => {
                if let Some(days) = same_hours.as_ref().filter(|_| unfit(series, piece.window.to.min(now)).is_none()) {
                    self.habits.push((piece.question, days.clone()));
                }
                let before: &[Point] = baseline.as_ref().map_or(&[], |baseline| &baseline.points);
                let bound = threshold.map(|value| Bound { value, side: *side });
                self.take_series(piece, (series, before, bound), (containers, piece.window.to.min(now)));
            }
            Payload::OomKills(count) => {
                let sure = tells_of_none(piece);
                let unseen = shows_none(count);
                self.kills = Some(Kills { id, total: count.total, sure, unseen });
                if !sure && count.total == 0 && matches!(piece.answer, Answer::Observed { .. }) {
                    let why = "in part: not read: what would show kills of pods that are gone".to_owned();
                    self.unusable.push((piece.question, why));
                }
            }
            Payload::Collector { series, baseline, pauses, full_collections, heap_errors, heap, unread, .. } => {
                self.unusable.extend(in_part(piece.question, unread));
                let before: &[Point] = baseline.as_ref().map_or(&[], |baseline| &baseline.points);
                let fit = series.as_ref().filter(|series| unfit(series, piece.window.to.min(now)).is_none());
                let unit = fit.and_then(|series| scale::of_collector(series).err());
                let fit = fit.filter(|_| unit.is_none());
                self.unusable.extend(unit.map(|why| (piece.question, why)));
                self.collector = Some(Collector {
                    id,
                    time: fit.and_then(|series| Level::of(id, (series, before))),
                    full_collections: *full_collections,
                    pauses: *pauses,
                    heap_errors: *heap_errors,
                    heap: *heap,
                    whole: tells_of_none(piece),
                });
            }
            Payload::Workload { workload, pods, events, unread } => {
                self.unusable.extend(in_part(piece.question, unread));
                let signs = cluster_sign::signs(workload, pods, events, piece.window.to.min(now));
                let workload = workload.as_ref().clone();
                self.workload = Some(Workplace {
                    id,
                    since: piece.window.from,
                    workload,
                    pods: pods.clone(),
                    signs,
                    unread: unread.clone(),
                });
            }
            Payload::Changes { revisions, others, unread } => {
                self.unusable.extend(in_part(piece.question, unread));
                let (revisions, others, unread) = (revisions.clone(), others.clone(), unread.clone());
                self.changes = Some(Changes { id, revisions, others, unread });
            }
            Payload::LogPatterns { .. } => self.logs = Logs::of(piece, payload),
        }
    }

    /// Takes a series by the question it answers, with the points before and the alarm's constant.
    fn take_series(
        &mut self,
        piece: &Evidence,
        (series, before, bound): Measured<'_>,
        (containers, until): (&[ContainerSpec], Timestamp),
    ) {
        let id = piece.id;
        if let Some(why) = unfit(series, until) {
            self.unusable.push((piece.question, why));
            return;
        }
        let alarmed = bound.and_then(|bound| Alarmed::of(id, piece.question, (series, before), bound));
        if alarmed.is_some() && (self.alarmed.is_none() || piece.question == Question::AlarmMetric) {
            self.alarmed = alarmed;
        }
        match piece.question {
            Question::Memory => match of_memory(series, containers) {
                Ok(factor) => self.memory = memory(id, series, before, factor),
                Err(why) => self.unusable.push((Question::Memory, why)),
            },
            Question::Traffic => self.traffic = Level::of(id, (series, before)),
            Question::Cpu => match scale::of_cpu(series) {
                Ok(()) => self.cpu = cpu(id, series, before, bound),
                Err(why) => self.unusable.push((Question::Cpu, why)),
            },
            Question::Errors => self.errors = Level::of(id, (series, before)),
            Question::Latency => self.latency = Level::of(id, (series, before)),
            Question::OomKills
            | Question::Collector
            | Question::Workload
            | Question::Changes
            | Question::LogPatterns => {}
            Question::AlarmMetric => self.own = Level::of(id, (series, before)),
        }
    }
}

/// Whether statuses and events were read, and nothing but statuses leaves open whether any was killed.
fn shows_none(count: &OomCount) -> bool {
    let read = |of| count.by_source.iter().any(|(source, _)| *source == of);
    let others = count.by_source.iter().filter(|(source, _)| *source != KillSource::Status);
    let told: u64 = count.total + others.map(|(_, most)| most).sum::<u64>();
    told == 0 && read(KillSource::Status) && read(KillSource::Events)
}

/// Whether a piece of evidence was read so that what it does not hold is not there.
pub(super) fn tells_of_none(piece: &Evidence) -> bool {
    let Answer::Observed { payload } = &piece.answer else { return matches!(piece.answer, Answer::Absent) };
    match payload {
        // A status is gone with its pod; the events are not.
        Payload::OomKills(count) => {
            let read = |of| count.by_source.iter().any(|(source, _)| *source == of);
            read(KillSource::Status) && read(KillSource::Events)
        }
        Payload::Collector { unread, .. } | Payload::Workload { unread, .. } | Payload::Changes { unread, .. } => {
            unread.is_empty()
        }
        Payload::LogPatterns { .. } | Payload::Series { .. } => true,
    }
}

impl Reading {
    /// The memory that leaves no room for kills among ends that statuses no longer keep: far from its limit all the while.
    pub(super) fn room_throughout(&self) -> Option<&Memory> {
        self.memory.as_ref().filter(|memory| !memory.grows() && memory.shape.peak < CALM)
    }

    /// Tells lives from falls: memory that falls back begins a new life only where a container was started anew. Of one that
    /// is collected, or a mean over pods, it does so by itself: level, where its peaks are, and else it is not known what.
    fn tell_lives(&mut self) {
        let killed = self.kills.as_ref().is_some_and(|kills| kills.total > 0);
        let started = self.workload.as_ref().and_then(Workplace::started_anew);
        let withheld = self.is_withheld(Question::Workload);
        let Some(memory) = self.memory.as_mut().filter(|memory| memory.shape.shape == Shape::RisingInEachLife) else {
            return;
        };
        let shape = &mut memory.shape;
        match started {
            Some(_) | None if killed => return,
            Some(true) => return,
            None if !withheld => return,
            Some(false) if shape.peak < CALM && shape.peak_growth < LEVEL => shape.shape = Shape::Flat,
            Some(false) | None => shape.shape = Shape::Unclear,
        }
        (shape.restarts, shape.life_per_minute, shape.floor) = (0, None, None);
    }
}

/// What of an answer was not read, where anything was not.
fn in_part(question: Question, unread: &[String]) -> Option<(Question, String)> {
    (!unread.is_empty()).then(|| (question, format!("in part: not read: {}", unread.join(", "))))
}

/// The containers of a workload as declared.
fn containers(piece: &Evidence) -> Option<&[ContainerSpec]> {
    match piece.answer.payload()? {
        Payload::Workload { workload, .. } => Some(&workload.containers),
        Payload::Series { .. }
        | Payload::OomKills(_)
        | Payload::Collector { .. }
        | Payload::LogPatterns { .. }
        | Payload::Changes { .. } => None,
    }
}

/// Why a series cannot be judged: too few points, too many holes, or it ends long ago.
fn unfit(series: &Series, until: Timestamp) -> Option<String> {
    let (Some(first), Some(last)) = (series.points.first(), series.points.last()) else {
        return Some("no points".to_owned());
    };
    if series.points.len() < statistics::FEWEST {
        return Some(format!("only {}", counted(series.points.len(), "point")));
    }
    let period = SignedDuration::from_secs(i64::from(series.query.period_s));
    if until.duration_since(last.at) > period + STALE.max(period * 2) {
        return Some(format!("its points end {} min before the window does", until.duration_since(last.at).as_mins()));
    }
    let holes: i64 = series.holes().iter().map(crate::domain::observation::scope::Window::seconds).sum();
    let span = last.at.duration_since(first.at).as_secs();
    (holes * 2 > span).then(|| "more holes than points".to_owned())
}

/// Memory in percent of its limit.
fn memory(id: EvidenceId, series: &Series, before: &[Point], factor: f64) -> Option<Memory> {
    let scaled = |points: &[Point]| points.iter().map(|p| Point { value: p.value * factor, ..*p }).collect::<Vec<_>>();
    let (points, before) = (scaled(&series.points), scaled(before));
    Some(Memory {
        id,
        shape: statistics::memory_shape(&points, &before)?,
        first: points.first()?.value,
        latest: points.last()?.value,
        onset: statistics::onset(&points, &before),
        in_bytes: series.unit == Unit::Bytes,
    })
}

/// What is left of the processor's level where a process does nothing, as a share of it.
const IDLE: f64 = 0.25;
/// Percent up to which a processor counts as idle: a runtime ticks on.
const AT_REST: f64 = 10.0;

/// The processor counts as high from the constant of an alarm on its being high, or from 85 %.
fn cpu(id: EvidenceId, series: &Series, before: &[Point], bound: Option<Bound>) -> Option<Cpu> {
    Some(Cpu {
        id,
        peak: series.peak()?.value,
        latest: series.latest()?.value,
        lately: statistics::median(statistics::late(&series.points).iter().map(|point| point.value))?,
        high_from: bound.filter(|bound| bound.is_ceiling()).map_or(85.0, |bound| bound.value),
        onset: statistics::onset(&series.points, before),
    })
}

/// Percent of its limit below which memory that does not grow is calm.
const CALM: f64 = 85.0;
/// Points of percent by which peaks may rise and be one level.
const LEVEL: f64 = 8.0;
/// Percent of its limit from which growth is near it, whatever its pace.
const NEAR: f64 = 70.0;
/// Minutes to its limit from which growth is far from it.
const HOURS: f64 = 60.0;

impl Memory {
    /// Grows, and is far from its limit and more than an hour from it: a cache that warms up does the same.
    pub(super) fn is_far(&self) -> bool {
        let per_minute = self.shape.trend.map_or(0.0, |trend| trend.per_minute);
        self.shape.shape == Shape::Rising && self.latest < NEAR && (100.0 - self.latest) > per_minute * HOURS
    }

    /// Grows, over all or within each life.
    pub(super) fn grows(&self) -> bool {
        matches!(self.shape.shape, Shape::Rising | Shape::RisingInEachLife)
    }

    /// Level, with room.
    pub(super) fn is_calm(&self) -> bool {
        matches!(self.shape.shape, Shape::Flat | Shape::Falling) && self.shape.peak < CALM
    }
}

impl Collector {
    /// The heap, where it came to this state.
    pub(super) fn heap_is(&self, state: HeapState) -> Option<&HeapReading> {
        self.heap.as_ref().filter(|heap| heap.state == state)
    }
}

impl Cpu {
    /// High now, and not for a point or two.
    pub(super) fn is_high(&self) -> bool {
        self.lately > self.high_from
    }

    /// The fall to rest of one that was at work.
    pub(super) fn went_idle(&self) -> Option<Onset> {
        self.onset.filter(|onset| onset.after <= IDLE * onset.before && onset.after <= AT_REST)
    }

    /// Whether it does no more than a runtime that ticks on.
    pub(super) fn is_at_rest(&self) -> bool {
        self.lately <= AT_REST
    }
}
