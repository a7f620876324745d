//! A series that carries its alarm's threshold: which side it is on, and how often it changed sides.

use crate::domain::diagnosis::evidence::{EvidenceId, Question};
use crate::domain::diagnosis::statistics::median;
use crate::domain::observation::metric::{Point, Series};

/// Crossings from which an alarm flaps: up, down, up, down, up.
const FLAPS: usize = 3;
/// How far beyond its threshold a flapping series goes at most, as a share of it.
const NEAR: f64 = 0.12;

/// A series against the threshold of its alarm.
#[derive(Clone, Debug)]
pub(in super::super) struct Alarmed {
    pub(in super::super) id: EvidenceId,
    /// The question it answers.
    pub(in super::super) question: Question,
    pub(in super::super) threshold: f64,
    /// Whether its last points are on the bad side.
    pub(in super::super) breaches: bool,
    /// How often it went over to the bad side.
    pub(in super::super) crossings: usize,
    /// How far it went beyond, as a share of the threshold.
    pub(in super::super) excess: f64,
}

impl Alarmed {
    /// Reads a series. Above is the bad side of the usual roles; of another metric it is the side on which the window
    /// before was not. `None` without a threshold, points, or a known bad side.
    pub(super) fn of(
        id: EvidenceId,
        question: Question,
        (series, before): (&Series, &[Point]),
        threshold: f64,
    ) -> Option<Self> {
        let sign = if question == Question::AlarmMetric {
            let usual = median(before.iter().map(|point| point.value))?;
            if usual > threshold { -1.0 } else { 1.0 }
        } else {
            1.0
        };
        let beyond = |point: &Point| (point.value - threshold) * sign > 0.0;
        let tail = series.points.get(series.points.len().checked_sub(3)?..)?;
        let crossings = series.points.windows(2).filter(|pair| !beyond(&pair[0]) && beyond(&pair[1])).count();
        let excess = series.points.iter().map(|point| (point.value - threshold) * sign).fold(0.0, f64::max);
        Some(Self {
            id,
            question,
            threshold,
            breaches: tail.iter().filter(|point| beyond(point)).count() >= 2,
            crossings,
            excess: if threshold.abs() > f64::EPSILON { excess / threshold.abs() } else { f64::INFINITY },
        })
    }

    /// Whether it goes over and comes back, again and again.
    pub(in super::super) fn flaps(&self) -> bool {
        self.crossings >= FLAPS
    }

    /// Whether it never went far beyond.
    pub(in super::super) fn stays_near(&self) -> bool {
        self.excess <= NEAR
    }
}
