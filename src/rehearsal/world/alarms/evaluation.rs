//! One evaluation of an alarm ("Evaluating an alarm" and "Configuring how CloudWatch alarms treat missing data").

use jiff::{SignedDuration, Timestamp};

use super::super::band::{self, Band};
use super::super::math::{Line, Outcome, Scope};
use super::{Limit, MINUTE, Rule, Sight, Transition};
use crate::domain::observation::alarm::{AlarmState, Comparison};
use crate::domain::observation::metric::Point;
use crate::rehearsal::scenario::{BandSide, MissingWord};

/// Periods looked at beyond those of the alarm, so that a missing point need not decide: the guide shows 5 for 3.
const FURTHER: usize = 2;

/// A point that is there, and whether it breaches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// Periods back from the newest, from 1.
    pub(super) age: usize,
    pub(super) is_breaching: bool,
    pub(super) point: Point,
    pub(super) band: Option<Band>,
}

impl Sight<'_> {
    /// Goes through the evaluations from one end of minutes to another, each one's state told to the next.
    pub(super) fn evaluations(
        &self,
        rule: &Rule<'_>,
        ends: (Timestamp, Timestamp),
        was: AlarmState,
    ) -> Vec<Transition> {
        let period = SignedDuration::from_secs(rule.period_s);
        let range = (0..rule.periods + FURTHER).fold(SignedDuration::ZERO, |range, _| range + period);
        let reach = match rule.limit {
            Limit::Constant(..) => range,
            Limit::Band(..) => range + band::LEARNT,
        };
        // Periods of a minute are the same seen from any minute, so that one reading serves all evaluations.
        let is_shared = period == MINUTE && rule.math.is_none();
        let shared = is_shared.then(|| self.line(rule, ends.0 - reach, ends.1));
        let (mut end, mut state, mut transitions) = (ends.0, was, Vec::new());
        while end <= ends.1 {
            let own = shared.is_none().then(|| self.line(rule, end - reach, end));
            let points = own.as_ref().or(shared.as_ref()).map_or(&[][..], |line| line.points.as_slice());
            let points = &points[..points.partition_point(|point| point.at < end)];
            let transition = evaluation(rule, points, (end - range, end), state);
            if transition.to != state {
                state = transition.to;
                transitions.push(transition);
            }
            end += MINUTE;
        }
        transitions
    }

    /// The series that is compared, by periods from `from` on.
    fn line(&self, rule: &Rule<'_>, from: Timestamp, to: Timestamp) -> Line {
        let of_metric = |id: &str, from: Timestamp, to: Timestamp| {
            let step = SignedDuration::from_secs(rule.period_s);
            let mut points = Vec::new();
            let mut at = from;
            while at < to {
                if let Some(value) = self.combined(id, rule.statistic, (at, at + step)) {
                    points.push(Point { at, value });
                }
                at += step;
            }
            Line { label: id.to_owned(), period_s: rule.period_s, points }
        };
        let Some((expression, math)) = &rule.math else { return of_metric(rule.metric, from, to) };
        let lines = |name: &str, from: Timestamp, to: Timestamp| {
            let id = math.inputs.get(name).ok_or_else(|| format!("{name:?} is no input"))?;
            Ok(Outcome::One(of_metric(id, from, to)))
        };
        let metrics: Vec<String> = math.inputs.keys().cloned().collect();
        let scope = Scope { from, to, period_s: rule.period_s, lines: &lines, metrics: &metrics };
        match expression.evaluate(&scope) {
            Ok(Outcome::One(line)) => line,
            // An alarm watches one series: anything else has no point for it.
            _ => Line { label: String::new(), period_s: rule.period_s, points: Vec::new() },
        }
    }
}

/// The evaluation over the periods of a range, all of whose points are before its end.
fn evaluation(rule: &Rule<'_>, points: &[Point], (begin, end): (Timestamp, Timestamp), was: AlarmState) -> Transition {
    let newest_first = points.iter().rev().take_while(|point| point.at >= begin);
    let found = newest_first.filter_map(|point| {
        let age = (end.duration_since(point.at).as_secs() / rule.period_s.max(1)) as usize;
        let (is_breaching, band) = match rule.limit {
            Limit::Constant(comparison, threshold) => (breaches(comparison, point.value, threshold), None),
            Limit::Band(side, deviations) => {
                let band = band::band(points, point.at, deviations)?;
                (leaves(side, point.value, band), Some(band))
            }
        };
        Some(Found { age, is_breaching, point: *point, band })
    });
    let mut found: Vec<Found> = found.collect();
    let to = state(&found, (rule.periods, rule.to_alarm), rule.missing, was);
    found.truncate(rule.periods);
    Transition {
        at: end + rule.delay,
        to,
        breaching: found.iter().filter(|found| found.is_breaching).count(),
        bands: found.iter().filter_map(|found| found.band).collect(),
        points: found.into_iter().map(|found| found.point).collect(),
    }
}

/// The state after an evaluation of N periods of which M must breach.
///
/// 1. As many points as periods, or more: the newest decide, and nothing is filled in.
/// 2. Fewer: missing ones are filled in as few times as possible, as breaching or as not, or
/// 3. are left out. Then M breaching points alarm, and so does a breach at least M periods old behind which nothing was
///    well; a point that is well makes it OK; else the data are insufficient, or the state stays.
pub(super) fn state(
    found: &[Found],
    (periods, to_alarm): (usize, usize),
    missing: MissingWord,
    was: AlarmState,
) -> AlarmState {
    let judged = &found[..found.len().min(periods)];
    let breaching = judged.iter().filter(|found| found.is_breaching).count();
    let decided = |is_alarm: bool| if is_alarm { AlarmState::Alarm } else { AlarmState::Ok };
    if found.len() >= periods || breaching >= to_alarm {
        return decided(breaching >= to_alarm);
    }
    let oldest = judged.last().map_or(0, |found| found.age);
    match missing {
        MissingWord::Breaching => decided(breaching + periods - judged.len() >= to_alarm),
        MissingWord::NotBreaching => AlarmState::Ok,
        MissingWord::Missing | MissingWord::Ignore if breaching < judged.len() => AlarmState::Ok,
        MissingWord::Missing if oldest >= to_alarm => AlarmState::Alarm,
        MissingWord::Missing => AlarmState::InsufficientData,
        MissingWord::Ignore => was,
    }
}

fn breaches(comparison: Comparison, value: f64, threshold: f64) -> bool {
    match comparison {
        Comparison::Greater | Comparison::OutsideBand => value > threshold,
        Comparison::GreaterOrEqual => value >= threshold,
        Comparison::Less => value < threshold,
        Comparison::LessOrEqual => value <= threshold,
    }
}

fn leaves(side: BandSide, value: f64, band: Band) -> bool {
    let (is_above, is_below) = (value > band.upper, value < band.lower);
    match side {
        BandSide::Outside => is_above || is_below,
        BandSide::Above => is_above,
        BandSide::Below => is_below,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tables of the guide: points of the evaluation range, oldest first (`0` well, `X` breaching, `-` missing), and
    /// the state by how missing ones count. `=` is the state it had.
    #[test]
    fn missing_points_count_as_the_guide_shows() {
        let tables = [
            (3, 3, "0-X-X", "OOOO"),
            (3, 3, "0----", "OOOO"),
            (3, 3, "-----", "I=AO"),
            (3, 3, "0XX-X", "AAAA"),
            (3, 3, "----X", "I=AO"),
            (3, 3, "X----", "A=AO"),
            (3, 2, "0-X-X", "AAAA"),
            (3, 2, "00X0X", "AAAA"),
            (3, 2, "0-X--", "OOAO"),
            (3, 2, "----0", "OOAO"),
            (3, 2, "----X", "I=AO"),
        ];
        let words = [MissingWord::Missing, MissingWord::Ignore, MissingWord::Breaching, MissingWord::NotBreaching];
        for (periods, to_alarm, points, expected) in tables {
            let found: Vec<Found> = points
                .chars()
                .rev()
                .zip(1..)
                .filter(|(sign, _)| *sign != '-')
                .map(|(sign, age)| {
                    let point = Point { at: Timestamp::UNIX_EPOCH, value: 0.0 };
                    Found { age, is_breaching: sign == 'X', point, band: None }
                })
                .collect();
            for (word, expected) in words.into_iter().zip(expected.chars()) {
                for was in [AlarmState::Ok, AlarmState::Alarm] {
                    let expected = match expected {
                        'O' => AlarmState::Ok,
                        'A' => AlarmState::Alarm,
                        'I' => AlarmState::InsufficientData,
                        _ => was,
                    };
                    let state = state(&found, (periods, to_alarm), word, was);
                    assert_eq!(state, expected, "{to_alarm} of {periods} over {points} as {word:?}");
                }
            }
        }
    }
}
