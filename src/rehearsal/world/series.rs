//! Series by the minute: curves drawn before start, and what follows the lives of containers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use jiff::{SignedDuration, Timestamp};

use super::{MINUTE, Sight, minute_of};
use crate::domain::observation::metric::Point;
use crate::rehearsal::behaviour::{Life, LifeEnd, unit};
use crate::rehearsal::scenario::{AfterSpec, HistorySpec, Knot, MetricSpec, Normalise, Scenario, ZeroSpec};

/// A pod whose last container ended so long ago and never came back is taken for gone.
const FORGOTTEN: SignedDuration = SignedDuration::from_mins(6);

/// A day.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Points that are past, by metric and minute since dawn.
#[derive(Debug, Default)]
pub(super) struct Settled(Vec<Vec<Known>>);

/// What is known of a minute.
#[derive(Clone, Copy, Debug, Default)]
enum Known {
    #[default]
    Nothing,
    Value(Option<f64>),
}

impl Settled {
    fn get(&self, metric: usize, minute: usize) -> Known {
        self.0.get(metric).and_then(|minutes| minutes.get(minute)).copied().unwrap_or_default()
    }

    fn put(&mut self, metric: usize, minute: usize, value: Option<f64>) {
        if self.0.len() <= metric {
            self.0.resize_with(metric + 1, Vec::new);
        }
        let minutes = &mut self.0[metric];
        if minutes.len() <= minute {
            minutes.resize(minute + 1, Known::Nothing);
        }
        minutes[minute] = Known::Value(value);
    }
}

impl Sight<'_> {
    /// The one-minute points of a metric with `from <= at < to`, ascending, as far as they are complete by now.
    pub fn points(&self, metric: &MetricSpec, from: Timestamp, to: Timestamp) -> Vec<Point> {
        let last = minute_of(self.now) - MINUTE;
        let mut at = minute_of(from.max(self.first_day(metric)));
        let mut points = Vec::new();
        while at < to && at <= last {
            if at >= from
                && let Some(value) = self.value(&metric.id, at)
            {
                points.push(Point { at, value });
            }
            at += MINUTE;
        }
        points
    }

    /// The value of a metric in a complete minute.
    pub fn value(&self, id: &str, minute: Timestamp) -> Option<f64> {
        let (index, metric) = self.metric(id)?;
        if minute + MINUTE > self.now {
            return None;
        }
        if minute < minute_of(self.scenario().dawn()) {
            return self.on_a_day_before(metric, minute);
        }
        let nth = (minute.duration_since(minute_of(self.scenario().dawn())).as_secs() / 60) as usize;
        let known = &self.world.settled_points;
        if let Known::Value(value) = known.lock().unwrap_or_else(PoisonError::into_inner).get(index, nth) {
            return value;
        }
        let value = self.computed(metric, minute).map(|value| rounded(value, metric.decimals));
        let value = value.filter(|value| metric.zero == ZeroSpec::Told || *value > 0.0);
        known.lock().unwrap_or_else(PoisonError::into_inner).put(index, nth, value);
        value
    }

    /// The first instant of a metric.
    pub fn first_day(&self, metric: &MetricSpec) -> Timestamp {
        let days = metric.days_before.map_or(0, |before| i32::try_from(before.days).unwrap_or(i32::MAX));
        self.scenario().dawn().checked_sub(DAY * days).unwrap_or(Timestamp::MIN)
    }

    /// The value in a minute before the history: by the same minute of the day in it.
    fn on_a_day_before(&self, metric: &MetricSpec, minute: Timestamp) -> Option<f64> {
        let spec = metric.days_before?;
        let scenario = self.scenario();
        // Rounded up: a day before the first minute of the history is one day back.
        let back = (scenario.dawn().duration_since(minute).as_secs() + DAY.as_secs() - 1).div_euclid(DAY.as_secs());
        let days = u32::try_from(back).ok().filter(|days| *days <= spec.days)?;
        let twin = minute.checked_add(DAY * i32::try_from(days).ok()?).ok()?;
        if twin + MINUTE > scenario.start {
            return None;
        }
        let level = match spec.value {
            Some(value) => value,
            None => self.computed(metric, twin)?,
        };
        Some(rounded(level + self.noise(metric, minute, spec.noise), metric.decimals))
    }

    fn computed(&self, metric: &MetricSpec, minute: Timestamp) -> Option<f64> {
        if minute >= self.scenario().start {
            match &metric.after {
                AfterSpec::Pressure { healthy, sick, noise } => {
                    let pressure = self.pressure(metric.workload.as_ref()?, minute);
                    return Some(healthy + (sick - healthy) * pressure + self.noise(metric, minute, *noise));
                }
                AfterSpec::Release { image, healthy, sick, noise } => {
                    let sickness = self.share_of_release(metric.workload.as_ref()?, image, minute);
                    return Some(healthy + (sick - healthy) * sickness + self.noise(metric, minute, *noise));
                }
                AfterSpec::Constant { value, noise } => return Some(value + self.noise(metric, minute, *noise)),
                AfterSpec::Load => {
                    return Some(self.by_history(metric, minute)? * self.share(metric.workload.as_ref()?, minute)?);
                }
                AfterSpec::History => {}
            }
        }
        self.by_history(metric, minute)
    }

    /// What each pod has of a load that the declared replicas had one share each of; `None` while none runs.
    fn share(&self, workload: &String, minute: Timestamp) -> Option<f64> {
        let declared = self.scenario().workload(workload)?.replicas;
        let lives = self.lives_of(Some(workload));
        let samples = (0..6).map(|sample| minute + SignedDuration::from_secs(5 + 10 * sample));
        let running: usize = samples.map(|at| lives.iter().filter(|life| life.runs_at(at)).count()).sum();
        (running > 0).then(|| f64::from(declared) * 6.0 / running as f64)
    }

    fn by_history(&self, metric: &MetricSpec, minute: Timestamp) -> Option<f64> {
        let lives = self.lives_of(metric.workload.as_ref());
        let end = minute + MINUTE;
        match &metric.history {
            HistorySpec::Empty => None,
            HistorySpec::Constant { value, noise } => Some(value + self.noise(metric, minute, *noise)),
            HistorySpec::Curve { knots, noise, .. } => match self.world.curves.get(&metric.id)?.get(&minute) {
                Some(value) => Some(*value),
                None => Some(knots.last()?.1 + self.noise(metric, minute, *noise)),
            },
            HistorySpec::Csv { .. } => self.world.curves.get(&metric.id)?.get(&minute).copied(),
            HistorySpec::Memory => self.mean_memory(metric.workload.as_ref()?, minute),
            HistorySpec::OomTerminations => {
                let present = present_pods(lives, end);
                let killed = |life: &&Life| {
                    life.end == Some(LifeEnd::OomKilled) && life.ended_at.is_some_and(|ended| ended <= end)
                };
                Some(lives.iter().filter(killed).filter(|life| present.contains(life.pod.as_str())).count() as f64)
            }
            HistorySpec::Restarts => {
                let present = present_pods(lives, end);
                let started = |life: &&Life| life.started_at <= end && present.contains(life.pod.as_str());
                Some((lives.iter().filter(started).count().saturating_sub(present.len())) as f64)
            }
            HistorySpec::Running => Some(lives.iter().filter(|life| life.runs_at(end)).count() as f64),
        }
    }

    /// Mean memory over the running containers and the minute, percent of their own limits.
    fn mean_memory(&self, workload: &String, minute: Timestamp) -> Option<f64> {
        let behaviour = self.world.behaviour(workload)?;
        self.mean(workload, minute, |life, at| behaviour.memory_percent(life, at))
    }

    /// How hard a workload is pressed in a minute, 0 to 1.
    fn pressure(&self, workload: &String, minute: Timestamp) -> f64 {
        let Some(behaviour) = self.world.behaviour(workload) else { return 0.0 };
        self.mean(workload, minute, |life, at| behaviour.pressure(life, at)).unwrap_or(0.0)
    }

    /// How many of a workload's running containers have an image in a minute, 0 to 1.
    fn share_of_release(&self, workload: &String, image: &str, minute: Timestamp) -> f64 {
        self.mean(workload, minute, |life, _| f64::from(u8::from(life.image == image))).unwrap_or(0.0)
    }

    /// Six samples a minute over all running lives.
    fn mean(&self, workload: &String, minute: Timestamp, of: impl Fn(&Life, Timestamp) -> f64) -> Option<f64> {
        let lives = self.lives_of(Some(workload));
        let mut sum = 0.0;
        let mut count = 0_u32;
        for sample in 0..6 {
            let at = minute + SignedDuration::from_secs(5 + 10 * sample);
            for life in lives.iter().filter(|life| life.runs_at(at)) {
                sum += of(life, at);
                count += 1;
            }
        }
        (count > 0).then(|| sum / f64::from(count))
    }

    fn noise(&self, metric: &MetricSpec, minute: Timestamp, amplitude: f64) -> f64 {
        noise(self.world.seed, &metric.id, minute, amplitude)
    }
}

/// The pods that existed at an instant: created, not replaced, not long without a container.
fn present_pods(lives: &[Life], at: Timestamp) -> BTreeSet<&str> {
    let mut present = BTreeSet::new();
    for life in lives.iter().filter(|life| life.started_at <= at) {
        let gone = life.ended_at.is_some_and(|ended| {
            ended <= at && (life.end == Some(LifeEnd::Replaced) || at.duration_since(ended) > FORGOTTEN)
        });
        if gone {
            present.remove(life.pod.as_str());
        } else {
            present.insert(life.pod.as_str());
        }
    }
    present
}

/// The points of a shape that follows no lives, from dawn to start.
pub(super) fn curve(scenario: &Scenario, metric: &MetricSpec, seed: u64) -> BTreeMap<Timestamp, f64> {
    let HistorySpec::Curve { knots, noise: amplitude, normalise } = &metric.history else {
        return BTreeMap::new();
    };
    let mut minutes = Vec::new();
    let mut at = minute_of(scenario.dawn());
    while at + MINUTE <= scenario.start {
        minutes.push(at);
        at += MINUTE;
    }
    let mut values: Vec<f64> = minutes
        .iter()
        .map(|minute| {
            let offset = minute.duration_since(scenario.start);
            interpolated(knots, offset) + noise(seed, &metric.id, *minute, *amplitude)
        })
        .collect();
    if let Some(figures) = normalise {
        stretch(&mut values, *figures);
    }
    minutes.into_iter().zip(values).collect()
}

/// Stretches values so that the last `points` of them have exactly the peak, at their end, and the mean.
///
/// 1. The last value becomes the highest of the tail.
/// 2. With `k = (peak - mean) / (highest - mean of the tail)` each value becomes `peak - k * (highest - value)`: linear,
///    so that the mean of the tail lands on `mean`.
fn stretch(values: &mut [f64], figures: Normalise) {
    let from = values.len().saturating_sub(figures.points);
    let Some(tail) = values.get_mut(from..).filter(|tail| !tail.is_empty()) else { return };
    let highest = tail.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if let Some(last) = tail.last_mut() {
        *last = highest;
    }
    let mean = tail.iter().sum::<f64>() / tail.len() as f64;
    let factor = if highest > mean { (figures.peak - figures.mean) / (highest - mean) } else { 1.0 };
    for value in values.iter_mut() {
        *value = figures.peak - factor * (highest - *value);
    }
}

fn interpolated(knots: &[Knot], offset: SignedDuration) -> f64 {
    let after = knots.partition_point(|knot| knot.0 <= offset);
    match (after.checked_sub(1).and_then(|index| knots.get(index)), knots.get(after)) {
        (Some(left), Some(right)) => {
            let span = (right.0 - left.0).as_secs_f64();
            left.1 + (right.1 - left.1) * (offset - left.0).as_secs_f64() / span
        }
        (Some(only), None) | (None, Some(only)) => only.1,
        (None, None) => 0.0,
    }
}

fn noise(seed: u64, id: &str, minute: Timestamp, amplitude: f64) -> f64 {
    amplitude * (unit(seed, id, &minute.as_second().to_string()) * 2.0 - 1.0)
}

fn rounded(value: f64, decimals: u8) -> f64 {
    let factor = 10_f64.powi(i32::from(decimals));
    ((value * factor).round() / factor).max(0.0)
}
