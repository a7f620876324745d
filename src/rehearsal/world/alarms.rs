//! Alarm states, evaluated over the series as CloudWatch does. What is past does not change, and each alarm is evaluated
//! once a minute of incident time, however often it is asked for.

use std::collections::HashMap;
use std::sync::PoisonError;

use jiff::{SignedDuration, Timestamp};

use super::band::Band;
use super::math::Expression;
use super::samples::{Minutes, Reckoning};
use super::{MINUTE, Sight, minute_of};
use crate::domain::observation::alarm::{AlarmState, Comparison};
use crate::domain::observation::metric::{Point, Statistic};
use crate::rehearsal::scenario::{AlarmSpec, BandSide, CompositeRule, ConditionSpec, MathSpec, MissingWord};

mod evaluation;

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

    /// Where it stood at an instant.
    fn state_at(&self, at: Timestamp) -> Option<AlarmState> {
        let after = self.transitions.partition_point(|transition| transition.at <= at);
        Some(self.transitions.get(after.checked_sub(1)?)?.to)
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
    /// The band of each point, for an alarm on one.
    pub bands: Vec<Band>,
}

impl Transition {
    fn bare(at: Timestamp, to: AlarmState) -> Self {
        Self { at, to, points: Vec::new(), breaching: 0, bands: Vec::new() }
    }
}

/// How far an alarm has been evaluated.
#[derive(Debug, Default)]
pub(super) struct Evaluated(HashMap<usize, Progress>);

#[derive(Debug)]
struct Progress {
    /// The end of the next evaluation's minutes.
    next: Timestamp,
    transitions: Vec<Transition>,
}

/// A condition on a series, unpacked.
struct Rule<'a> {
    metric: &'a str,
    /// What is compared in place of the metric.
    math: Option<(Expression, &'a MathSpec)>,
    statistic: Statistic,
    limit: Limit,
    period_s: i64,
    periods: usize,
    to_alarm: usize,
    delay: SignedDuration,
    missing: MissingWord,
}

/// What a point is compared with.
#[derive(Clone, Copy)]
enum Limit {
    Constant(Comparison, f64),
    Band(BandSide, f64),
}

impl<'a> Rule<'a> {
    /// The rule of a condition; `None` for one that is not on a series.
    fn of(condition: &'a ConditionSpec) -> Option<Self> {
        match condition {
            ConditionSpec::Threshold {
                metric,
                statistic,
                comparison,
                threshold,
                period_s,
                evaluation_periods,
                datapoints_to_alarm,
                delay,
                math,
                missing,
            } => Some(Self {
                metric,
                // One that cannot be read has no point, and so insufficient data, as at CloudWatch.
                math: math.as_ref().map(|math| {
                    let read = Expression::parse(&math.expression);
                    (read.unwrap_or(Expression::List(Vec::new())), math)
                }),
                statistic: *statistic,
                limit: Limit::Constant(*comparison, *threshold),
                period_s: i64::from((*period_s).max(60)),
                periods: (*evaluation_periods).max(1) as usize,
                to_alarm: datapoints_to_alarm.unwrap_or(*evaluation_periods).max(1) as usize,
                delay: *delay,
                missing: *missing,
            }),
            ConditionSpec::AnomalyBand {
                metric,
                statistic,
                deviations,
                side,
                period_s,
                evaluation_periods,
                datapoints_to_alarm,
                delay,
                missing,
            } => Some(Self {
                metric,
                math: None,
                statistic: *statistic,
                limit: Limit::Band(*side, *deviations),
                period_s: i64::from((*period_s).max(60)),
                periods: (*evaluation_periods).max(1) as usize,
                to_alarm: datapoints_to_alarm.unwrap_or(*evaluation_periods).max(1) as usize,
                delay: *delay,
                missing: *missing,
            }),
            ConditionSpec::Composite { .. } | ConditionSpec::Fixed { .. } => None,
        }
    }
}

impl<'a> Sight<'a> {
    /// Every alarm as it stands, in the order of the scenario.
    pub fn alarms(&self) -> Vec<AlarmNow<'a>> {
        let specs = &self.scenario().alarms;
        let mut alarms: Vec<AlarmNow<'a>> = Vec::with_capacity(specs.len());
        for (index, spec) in specs.iter().enumerate() {
            let transitions = match (&spec.condition, Rule::of(&spec.condition)) {
                (_, Some(rule)) => self.evaluated(index, &rule, <[Transition]>::to_vec),
                (ConditionSpec::Fixed { state, since, .. }, None) => {
                    vec![Transition::bare(self.scenario().start + *since, *state)]
                }
                _ => Vec::new(),
            };
            alarms.push(AlarmNow { spec, transitions });
        }
        self.compose(&mut alarms);
        alarms
    }

    /// How often any alarm has changed by now: as long as it stays, each stands as it stood.
    pub fn alarms_turn(&self) -> u64 {
        let specs = self.scenario().alarms.iter().enumerate();
        let rules = specs.filter_map(|(index, spec)| Some((index, Rule::of(&spec.condition)?)));
        rules.map(|(index, rule)| self.evaluated(index, &rule, |past| past.len() as u64)).sum()
    }

    /// Goes through the evaluations since dawn that have not been made yet, one a minute, and looks at the transitions.
    fn evaluated<T>(&self, index: usize, rule: &Rule<'_>, look: impl FnOnce(&[Transition]) -> T) -> T {
        let mut known = self.world.evaluated.lock().unwrap_or_else(PoisonError::into_inner);
        let progress = known.0.entry(index).or_insert_with(|| {
            let dawn = minute_of(self.scenario().dawn());
            let first = Transition::bare(dawn, AlarmState::InsufficientData);
            Progress { next: dawn + MINUTE, transitions: vec![first] }
        });
        let last = minute_of(self.now - rule.delay);
        if progress.next <= last {
            let was = progress.transitions.last().map_or(AlarmState::InsufficientData, |last| last.to);
            let more = self.evaluations(rule, (progress.next, last), was);
            progress.transitions.extend(more);
            progress.next = last + MINUTE;
        }
        let past = progress.transitions.partition_point(|transition| transition.at <= self.now).max(1);
        look(&progress.transitions[..past])
    }

    /// The minutes of a period as one value.
    pub fn combined(
        &self,
        id: &str,
        reckoning: impl Into<Reckoning>,
        (from, to): (Timestamp, Timestamp),
    ) -> Option<f64> {
        let (_, metric) = self.metric(id)?;
        let mut values = Vec::new();
        let mut at = from;
        while at < to {
            values.extend(self.value(id, at).map(|value| (at, value)));
            at += MINUTE;
        }
        Minutes { metric, seed: self.world.seed, values }.reckoned(reckoning.into())
    }

    /// The states of composite alarms, those first whose children have theirs. A circle stays without data.
    fn compose(&self, alarms: &mut [AlarmNow<'a>]) {
        let mut waiting: Vec<(usize, CompositeRule)> = Vec::new();
        for (index, alarm) in alarms.iter().enumerate() {
            if let ConditionSpec::Composite { rule } = &alarm.spec.condition {
                waiting.extend(CompositeRule::parse(rule).ok().map(|rule| (index, rule)));
            }
        }
        let places: HashMap<&str, usize> =
            alarms.iter().enumerate().map(|(index, alarm)| (alarm.spec.name.as_str(), index)).collect();
        while !waiting.is_empty() {
            let before = waiting.len();
            waiting.retain(|(index, rule)| {
                let children: HashMap<&str, &AlarmNow<'_>> = rule
                    .names()
                    .into_iter()
                    .filter_map(|name| Some((name.as_str(), &alarms[*places.get(name.as_str())?])))
                    .collect();
                if children.values().any(|child| child.transitions.is_empty()) {
                    return true;
                }
                let transitions = self.composed(rule, &children);
                alarms[*index].transitions = transitions;
                false
            });
            if waiting.len() == before {
                break;
            }
        }
        let dawn = minute_of(self.scenario().dawn());
        for alarm in alarms.iter_mut().filter(|alarm| alarm.transitions.is_empty()) {
            alarm.transitions.push(Transition::bare(dawn, AlarmState::InsufficientData));
        }
    }

    /// A composite changes when one of its children does.
    fn composed(&self, rule: &CompositeRule, children: &HashMap<&str, &AlarmNow<'_>>) -> Vec<Transition> {
        let steps = children.values().flat_map(|child| &child.transitions).map(|step| step.at);
        let mut times: Vec<Timestamp> = steps.chain([minute_of(self.scenario().dawn())]).collect();
        times.sort_unstable();
        times.dedup();
        let mut transitions: Vec<Transition> = Vec::new();
        for at in times {
            let holds = rule.holds(&|name| children.get(name).and_then(|child| child.state_at(at)));
            let to = if holds { AlarmState::Alarm } else { AlarmState::Ok };
            if transitions.last().is_none_or(|last| last.to != to) {
                transitions.push(Transition::bare(at, to));
            }
        }
        transitions
    }
}
