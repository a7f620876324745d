//! A series that carries its alarm's threshold: which side it is on, and how often it changed sides.

use crate::domain::diagnosis::evidence::{EvidenceId, Question};
use crate::domain::diagnosis::statistics::median;
use crate::domain::observation::alarm::{Bound, Side};
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
    pub(in super::super) bound: Bound,
    /// Whether its last points are on the bad side.
    pub(in super::super) breaches: bool,
    /// How often it went over to the bad side.
    pub(in super::super) crossings: usize,
    /// How far it went beyond, as a share of the threshold.
    pub(in super::super) excess: f64,
}

impl Alarmed {
    /// Reads a series against its alarm's constant. Where no side is told, above is the bad one of the usual roles, and of
    /// another metric the one on which the window before was not. `None` without points, or a known bad side.
    pub(super) fn of(
        id: EvidenceId,
        question: Question,
        (series, before): (&Series, &[Point]),
        told: Bound,
    ) -> Option<Self> {
        let unlike_before = || {
            let usual = median(before.iter().map(|point| point.value))?;
            Some(if usual > told.value { Side::Below } else { Side::Above })
        };
        let side = match told.side {
            Some(side) => side,
            None if question == Question::AlarmMetric => unlike_before()?,
            None => Side::Above,
        };
        let bound = Bound { side: Some(side), ..told };
        let beyond = |point: &Point| bound.excess(point.value) > 0.0;
        let tail = series.points.get(series.points.len().checked_sub(3)?..)?;
        let crossings = series.points.windows(2).filter(|pair| !beyond(&pair[0]) && beyond(&pair[1])).count();
        let excess = series.points.iter().map(|point| bound.excess(point.value)).fold(0.0, f64::max);
        Some(Self {
            id,
            question,
            bound,
            breaches: tail.iter().filter(|point| beyond(point)).count() >= 2,
            crossings,
            excess: if bound.value.abs() > f64::EPSILON { excess / bound.value.abs() } else { f64::INFINITY },
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

#[cfg(test)]
mod tests {
    use super::super::super::judge;
    use super::super::super::tests::fixture::{self, Incident};
    use crate::domain::diagnosis::evidence::{Question, answer_text};
    use crate::domain::diagnosis::statistics::tests::jitter;
    use crate::domain::diagnosis::verdict::Cause;
    use crate::domain::observation::alarm::{Bound, Side};

    fn below(value: f64) -> Bound {
        Bound { value, side: Some(Side::Below) }
    }

    #[test]
    fn over_the_constant_of_an_alarm_on_too_little_all_is_well() {
        let calm = || Incident::healthy().cpu((0..30).map(|n| 45.0 + jitter(n)));
        for incident in [calm().bounded(Question::Cpu, below(30.0)), calm().bounded(Question::Traffic, below(10.0))] {
            let evidence = incident.evidence();
            let verdict = judge(&evidence, fixture::now());
            assert_eq!((verdict.cause(), verdict.conclusive), (Cause::NothingWrong, true), "{verdict:#?}");
            let texts: Vec<String> = evidence.iter().map(answer_text).collect();
            assert!(texts.iter().any(|text| text.contains("; below ") && text.ends_with("for 0 min")), "{texts:#?}");
        }
    }

    #[test]
    fn under_the_constant_of_an_alarm_on_too_little_nothing_is_concluded_well() {
        let gone = Incident::healthy().traffic((0..30).map(|n| if n < 20 { 1_240.0 } else { 3.0 + jitter(n) }));
        let verdict = judge(&gone.bounded(Question::Traffic, below(10.0)).evidence(), fixture::now());
        assert_ne!(verdict.cause(), Cause::NothingWrong, "{verdict:#?}");
    }
}
