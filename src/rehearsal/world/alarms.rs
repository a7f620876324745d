//! Alarm states, evaluated over the series as CloudWatch does: M of N points, missing ones left open.

use jiff::{SignedDuration, Timestamp};

use super::series::combined;
use super::{MINUTE, Sight, minute_of};
use crate::domain::observation::alarm::{AlarmState, Comparison};
use crate::domain::observation::metric::{Point, Statistic};
use crate::rehearsal::scenario::{AlarmSpec, ConditionSpec};

/// An alarm as it stands.
#[derive(Clone, Debug)]
pub struct AlarmNow<'a> {
    /// As written in the scenario.
    pub spec: &'a AlarmSpec,
    /// Its transitions, ascending; never empty.
    pub transitions: Vec<Transition>,
}

impl AlarmNow<'_> {
    /// The last transition.
    pub fn last(&self) -> Option<&Transition> {
        self.transitions.last()
    }

    /// Where it stands.
    pub fn state(&self) -> AlarmState {
        self.last().map_or(AlarmState::InsufficientData, |transition| transition.to)
    }
}

/// A change of state.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// When.
    pub at: Timestamp,
    /// To which state.
    pub to: AlarmState,
    /// The points it was decided by, newest first.
    pub points: Vec<Point>,
    /// Of them breaching.
    pub breaching: usize,
}

/// A threshold condition, unpacked.
struct Rule {
    metric: String,
    statistic: Statistic,
    comparison: Comparison,
    threshold: f64,
    period_s: u32,
    periods: u32,
    to_alarm: u32,
    delay: SignedDuration,
}

impl<'a> Sight<'a> {
    /// Every alarm as it stands, in the order of the scenario.
    pub fn alarms(&self) -> Vec<AlarmNow<'a>> {
        let specs = &self.scenario().alarms;
        let mut alarms: Vec<AlarmNow<'a>> = Vec::with_capacity(specs.len());
        for spec in specs {
            let transitions = match &spec.condition {
                ConditionSpec::Threshold {
                    metric,
                    statistic,
                    comparison,
                    threshold,
                    period_s,
                    evaluation_periods,
                    datapoints_to_alarm,
                    delay,
                    math: _,
                } => self.evaluated(&Rule {
                    metric: metric.clone(),
                    statistic: *statistic,
                    comparison: *comparison,
                    threshold: *threshold,
                    period_s: (*period_s).max(60),
                    periods: (*evaluation_periods).max(1),
                    to_alarm: datapoints_to_alarm.unwrap_or(*evaluation_periods).max(1),
                    delay: *delay,
                }),
                ConditionSpec::Fixed { state, since, .. } => {
                    let at = self.scenario().start + *since;
                    vec![Transition { at, to: *state, points: Vec::new(), breaching: 0 }]
                }
                ConditionSpec::Composite { .. } => Vec::new(),
            };
            alarms.push(AlarmNow { spec, transitions });
        }
        for index in 0..alarms.len() {
            if let ConditionSpec::Composite { rule } = &alarms[index].spec.condition {
                alarms[index].transitions = self.composed(rule, &alarms);
            }
        }
        alarms
    }

    /// Goes through the evaluations since dawn, one a minute.
    fn evaluated(&self, rule: &Rule) -> Vec<Transition> {
        let dawn = minute_of(self.scenario().dawn());
        let mut transitions =
            vec![Transition { at: dawn, to: AlarmState::InsufficientData, points: Vec::new(), breaching: 0 }];
        let mut end = dawn + MINUTE;
        while end + rule.delay <= self.now {
            let (to, points, breaching) = self.evaluation(rule, end, transitions[transitions.len() - 1].to);
            if transitions[transitions.len() - 1].to != to {
                transitions.push(Transition { at: end + rule.delay, to, points, breaching });
            }
            end += MINUTE;
        }
        transitions
    }

    /// One evaluation over the periods that end at `end`.
    ///
    /// 1. No point at all: insufficient data.
    /// 2. At least M breach: alarm.
    /// 3. Fewer than M could breach even if the missing ones did: ok.
    /// 4. Else the state stays ("Configuring how CloudWatch alarms treat missing data", `missing`).
    fn evaluation(&self, rule: &Rule, end: Timestamp, was: AlarmState) -> (AlarmState, Vec<Point>, usize) {
        let period = SignedDuration::from_secs(i64::from(rule.period_s));
        let points: Vec<Point> = (1..=rule.periods)
            .filter_map(|back| {
                let at = end - SignedDuration::from_secs(i64::from(rule.period_s) * i64::from(back));
                let value = self.combined(&rule.metric, rule.statistic, at, at + period)?;
                Some(Point { at, value })
            })
            .collect();
        let breaching = points.iter().filter(|point| breaches(rule.comparison, point.value, rule.threshold)).count();
        let missing = rule.periods as usize - points.len();
        let to_alarm = rule.to_alarm as usize;
        let to = if points.is_empty() {
            AlarmState::InsufficientData
        } else if breaching >= to_alarm {
            AlarmState::Alarm
        } else if breaching + missing < to_alarm {
            AlarmState::Ok
        } else {
            was
        };
        (to, points, breaching)
    }

    /// The minutes of a period as one value.
    pub fn combined(&self, id: &str, statistic: Statistic, from: Timestamp, to: Timestamp) -> Option<f64> {
        let mut values = Vec::new();
        let mut at = from;
        while at < to {
            values.extend(self.value(id, at));
            at += MINUTE;
        }
        combined(statistic, &values)
    }

    /// A composite over the alarms its rule names: any of them, or all where it says `AND`.
    fn composed(&self, rule: &str, alarms: &[AlarmNow<'_>]) -> Vec<Transition> {
        let named: Vec<&AlarmNow<'_>> = alarms.iter().filter(|alarm| names(rule, &alarm.spec.name)).collect();
        let stands = |at: Timestamp| {
            let mut firing = named.iter().map(|alarm| {
                alarm
                    .transitions
                    .iter()
                    .rev()
                    .find(|step| step.at <= at)
                    .is_some_and(|step| step.to == AlarmState::Alarm)
            });
            let on =
                if rule.contains(" AND ") { !named.is_empty() && firing.all(|on| on) } else { firing.any(|on| on) };
            if on { AlarmState::Alarm } else { AlarmState::Ok }
        };
        let mut times: Vec<Timestamp> = named.iter().flat_map(|alarm| &alarm.transitions).map(|step| step.at).collect();
        times.push(minute_of(self.scenario().dawn()));
        times.sort_unstable();
        times.dedup();
        let mut transitions: Vec<Transition> = Vec::new();
        for at in times {
            let to = stands(at);
            if transitions.last().is_none_or(|last| last.to != to) {
                transitions.push(Transition { at, to, points: Vec::new(), breaching: 0 });
            }
        }
        transitions
    }
}

/// Whether a rule names an alarm: `ALARM("x")`, `ALARM('x')` or `ALARM(x)`.
fn names(rule: &str, alarm: &str) -> bool {
    ["\"", "'", ""].iter().any(|quote| rule.contains(&format!("({quote}{alarm}{quote})")))
}

fn breaches(comparison: Comparison, value: f64, threshold: f64) -> bool {
    match comparison {
        Comparison::Greater | Comparison::OutsideBand => value > threshold,
        Comparison::GreaterOrEqual => value >= threshold,
        Comparison::Less => value < threshold,
        Comparison::LessOrEqual => value <= threshold,
    }
}
