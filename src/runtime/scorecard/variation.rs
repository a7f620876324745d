//! Variations of a scenario within its cause, so that nothing rests on one curve: other amplitudes, onsets, levels, noise
//! and numbers of kills, drawn from a seed. What follows from what keeps its order: everything that begins moves together.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::domain::observation::metric::Unit;
use crate::rehearsal::behaviour::unit;
use crate::rehearsal::scenario::{
    AfterSpec, AlarmSpec, ConditionSpec, HistorySpec, KillSpec, MetricSpec, Regime, Scenario,
};

/// How far a variation goes: 1 is the whole way, 0 is the scenario as written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Strength(pub(super) f64);

/// What is older than this before start began long ago, and stays where it is.
const LATELY: SignedDuration = SignedDuration::from_hours(2);
/// What is counted before the page.
const COUNTED: SignedDuration = SignedDuration::from_secs(29 * 60 + 30);
/// The fewest kills that are a loop.
const FEWEST_KILLS: u32 = 4;

/// The scenario, varied.
pub(super) fn varied(scenario: &Scenario, seed: u64, strength: Strength) -> Scenario {
    let mut varied = scenario.clone();
    let draw = Draw { seed, strength };
    // Whole minutes, so that what is read by the minute keeps its leads.
    let shift = SignedDuration::from_mins(draw.between("onset", -5.0, 2.0).round() as i64);
    let watched = watched(scenario);
    for metric in &mut varied.metrics {
        vary_metric(metric, (&draw, shift), if watched.contains(&metric.id) { Level::Kept } else { Level::Varied });
    }
    for workload in &mut varied.workloads {
        let from = scenario.start - LATELY;
        for revision in workload.revisions.iter_mut().filter(|revision| revision.at >= from) {
            revision.at = moved(revision.at, shift);
        }
        vary_memory(&mut workload.memory, (&draw, &workload.name, shift));
    }
    // As many more or fewer are to be counted as there are.
    varied.expect.oom_kills = varied.expect.oom_kills.map(|as_written| match as_written {
        0 => 0,
        some => (some + kills(&varied)).saturating_sub(kills(scenario)),
    });
    varied
}

/// The OOM kills that a scenario's workloads go through.
fn kills(scenario: &Scenario) -> u64 {
    let of = |memory: &Regime| match memory {
        Regime::Leak { kills, .. } | Regime::Ceiling { kills, .. } => u64::from(kills.count),
        Regime::Flat { .. } | Regime::Hangs { .. } | Regime::Stuck { .. } => 0,
    };
    scenario.workloads.iter().map(|workload| of(&workload.memory)).sum()
}

/// Whether a steady level may be another: one that an alarm watches may not, or another alarm pages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Kept,
    Varied,
}

/// The metrics that alarms watch.
fn watched(scenario: &Scenario) -> BTreeSet<String> {
    let of_alarm = |alarm: &AlarmSpec| match &alarm.condition {
        ConditionSpec::Threshold { metric, math, .. } => {
            let inputs = math.iter().flat_map(|math| math.inputs.values().cloned());
            inputs.chain([metric.clone()]).collect::<Vec<_>>()
        }
        ConditionSpec::Fixed { metric, .. } | ConditionSpec::AnomalyBand { metric, .. } => vec![metric.clone()],
        ConditionSpec::Composite { .. } => Vec::new(),
    };
    scenario.alarms.iter().flat_map(of_alarm).collect()
}

fn moved(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(at)
}

struct Draw {
    seed: u64,
    strength: Strength,
}

impl Draw {
    /// A number between two around 0, as far as the strength goes.
    fn between(&self, what: &str, low: f64, high: f64) -> f64 {
        (low + unit(self.seed, "variation", what) * (high - low)) * self.strength.0
    }

    /// A factor between two around 1.
    fn factor(&self, what: &str, low: f64, high: f64) -> f64 {
        1.0 + self.between(what, low - 1.0, high - 1.0)
    }
}

/// Jitter changes most, levels less, and what a curve rises or falls by grows a little rather than shrinks: an incident
/// that does not page is none.
fn vary_metric(metric: &mut MetricSpec, (draw, shift): (&Draw, SignedDuration), level: Level) {
    let (id, most) = (metric.id.clone(), if metric.unit == Unit::Percent { 99.6 } else { f64::INFINITY });
    let jitter = draw.factor(&format!("{id} noise"), 0.4, 2.0);
    match &mut metric.history {
        HistorySpec::Constant { value, noise } => {
            if level == Level::Varied {
                *value = (*value * draw.factor(&format!("{id} level"), 0.85, 1.15)).min(most);
            }
            *noise *= jitter;
        }
        HistorySpec::Curve { knots, noise, normalise } => {
            *noise *= jitter;
            let (base, change) =
                (knots.first().map_or(0.0, |knot| knot.1), draw.factor(&format!("{id} change"), 0.97, 1.2));
            for knot in knots.iter_mut().skip(1) {
                knot.1 = (base + (knot.1 - base) * change).clamp(0.0, most);
                if knot.0 > -LATELY {
                    knot.0 += shift;
                }
            }
            // A flat figure may be asked for: the mean stays below the peak.
            if let Some(figures) = normalise {
                let room = figures.peak - figures.mean;
                figures.peak = (figures.peak + draw.between(&format!("{id} peak"), -1.0, 1.0)).min(most);
                figures.mean = figures.peak - room * draw.factor(&format!("{id} mean"), 0.8, 1.3);
            }
        }
        HistorySpec::Empty
        | HistorySpec::Memory
        | HistorySpec::OomTerminations
        | HistorySpec::Restarts
        | HistorySpec::Running
        | HistorySpec::Csv { .. } => {}
    }
    // Days before that are like the history vary with it.
    if let Some(before) = &mut metric.days_before {
        before.noise *= jitter;
    }
    match &mut metric.after {
        AfterSpec::Pressure { noise, .. } | AfterSpec::Release { noise, .. } | AfterSpec::Constant { noise, .. } => {
            *noise *= jitter;
        }
        AfterSpec::History | AfterSpec::Load => {}
    }
}

fn vary_memory(memory: &mut Regime, (draw, name, shift): (&Draw, &str, SignedDuration)) {
    let between = |what: &str, low: f64, high: f64| draw.between(&format!("{name} {what}"), low, high);
    let factor = |what: &str, low: f64, high: f64| draw.factor(&format!("{name} {what}"), low, high);
    match memory {
        Regime::Flat { level, noise } | Regime::Hangs { level, noise, .. } => {
            *level = (*level + between("level", -8.0, 8.0)).clamp(5.0, 75.0);
            *noise *= factor("noise", 0.4, 2.0);
        }
        Regime::Stuck { level, noise, since, .. } => {
            *level = (*level + between("level", -8.0, 8.0)).clamp(5.0, 75.0);
            *noise *= factor("noise", 0.4, 2.0);
            *since += shift;
        }
        Regime::Leak { floor, rate, onset, noise, kills, .. } => {
            *floor = (*floor + between("floor", -5.0, 5.0)).max(5.0);
            *rate *= factor("rate", 0.93, 1.2);
            *noise *= factor("noise", 0.4, 2.0);
            *onset += shift;
            vary_kills(kills, (factor("kills", 0.6, 1.6), shift));
        }
        Regime::Ceiling { demand, fresh, onset, noise, kills, .. } => {
            *demand *= factor("demand", 1.0, 1.1);
            *fresh = (*fresh + between("fresh", -6.0, 6.0)).max(5.0);
            *noise *= factor("noise", 0.4, 2.0);
            *onset += shift;
            vary_kills(kills, (factor("kills", 0.6, 1.6), shift));
        }
    }
}

fn vary_kills(kills: &mut KillSpec, (factor, shift): (f64, SignedDuration)) {
    if kills.count > 0 {
        kills.count = ((f64::from(kills.count) * factor).round() as u32).max(FEWEST_KILLS.min(kills.count));
    }
    // The last kill stays in the past.
    let later = shift.min(-kills.to - SignedDuration::from_secs(5)).max(SignedDuration::from_mins(-5));
    // And the first one in the half hour that is counted.
    let later = later.max((-COUNTED - kills.from).min(SignedDuration::ZERO));
    kills.from += later;
    kills.to += later;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::scenario::load;

    #[test]
    fn a_variation_is_another_incident_of_the_same_cause() {
        let scenario = load("oom-leak").unwrap();
        let (same, other) = (varied(&scenario, 7, Strength(0.0)), varied(&scenario, 7, Strength(1.0)));
        assert_eq!(format!("{:?}", same.metrics), format!("{:?}", scenario.metrics));
        assert_eq!(same.expect.oom_kills, Some(14));
        let counts: std::collections::BTreeSet<_> =
            (0..20).map(|seed| varied(&scenario, seed, Strength(1.0)).expect.oom_kills).collect();
        assert!(counts.len() > 4, "{counts:?}");
        assert_ne!(format!("{:?}", other.metrics), format!("{:?}", scenario.metrics));
        assert_eq!((other.expect.cause, other.alarms.len()), (scenario.expect.cause, scenario.alarms.len()));
    }
}
