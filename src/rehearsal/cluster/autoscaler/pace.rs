//! How fast an autoscaler moves: what it wanted lately holds it back, and policies bound each step (`autoscaling/v2`,
//! `HorizontalPodAutoscalerBehavior` and its defaults). Pure.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::super::{quantity, shape};
use super::replicas::Tolerance;

/// How long what was wanted before keeps a workload from shrinking, unless it says otherwise.
const SHRINK_WINDOW: SignedDuration = SignedDuration::from_mins(5);
/// How far off a goal nothing is done, unless it says otherwise.
const TOLERANCE: f64 = 0.1;
/// Nothing older counts: the longest window that may be asked for.
const LONGEST: SignedDuration = SignedDuration::from_hours(1);

/// A reason with its message.
pub(super) type Words = (&'static str, &'static str);

const READY: Words = ("ReadyForNewScale", "recommended size matches current size");
const SHRINKS_LATER: Words = (
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent recommendation",
);
const GROWS_LATER: Words = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
);
const WITHIN: Words = ("DesiredWithinRange", "the desired count is within the acceptable range");
const TOO_MANY: Words = ("TooManyReplicas", "the desired replica count is more than the maximum replica count");
const TOO_FEW: Words = ("TooFewReplicas", "the desired replica count is less than the minimum replica count");
const TOO_FAST_UP: Words =
    ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate");
const TOO_FAST_DOWN: Words =
    ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate");

/// `minReplicas` and `maxReplicas`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) least: i64,
    pub(super) most: i64,
}

impl Bounds {
    /// Those of an autoscaler.
    pub(super) fn of(scaler: &Value) -> Self {
        let least = shape::number(scaler, "/spec/minReplicas").unwrap_or(1);
        Self { least, most: shape::number(scaler, "/spec/maxReplicas").unwrap_or(least).max(least) }
    }
}

/// `spec.behavior`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Pace {
    /// None given: at most twice as many at once, and fewer only after five minutes.
    Plain,
    /// Rules for each direction.
    Ruled { up: Rules, down: Rules },
}

/// The rules of one direction.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rules {
    window: SignedDuration,
    select: Select,
    policies: Vec<Policy>,
    tolerance: f64,
}

/// Which policy holds where several do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Select {
    Most,
    Least,
    Disabled,
}

/// So many pods, or percent of the pods, within a period.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Policy {
    unit: Unit,
    value: i64,
    period: SignedDuration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Pods,
    Percent,
}

impl Pace {
    /// That of an autoscaler whose defaults are filled in.
    pub(super) fn of(scaler: &Value) -> Self {
        let part = |side: &str, window| Some(Rules::of(scaler.pointer(&format!("/spec/behavior/{side}"))?, window));
        match (part("scaleUp", SignedDuration::ZERO), part("scaleDown", SHRINK_WINDOW)) {
            (Some(up), Some(down)) => Self::Ruled { up, down },
            _ => Self::Plain,
        }
    }

    /// How far off a goal nothing is done.
    pub(super) fn tolerance(&self) -> Tolerance {
        match self {
            Self::Plain => Tolerance { up: TOLERANCE, down: TOLERANCE },
            Self::Ruled { up, down } => Tolerance { up: up.tolerance, down: down.tolerance },
        }
    }
}

impl Rules {
    fn of(rules: &Value, window: SignedDuration) -> Self {
        let policies = rules.get("policies").and_then(Value::as_array).into_iter().flatten();
        let policy = |one: &Value| Policy {
            unit: if one["type"] == "Percent" { Unit::Percent } else { Unit::Pods },
            value: shape::number(one, "/value").unwrap_or(0),
            period: SignedDuration::from_secs(shape::number(one, "/periodSeconds").unwrap_or(15)),
        };
        Self {
            window: shape::number(rules, "/stabilizationWindowSeconds").map_or(window, SignedDuration::from_secs),
            select: match shape::text(rules, "/selectPolicy") {
                Some("Min") => Select::Least,
                Some("Disabled") => Select::Disabled,
                _ => Select::Most,
            },
            policies: policies.map(policy).collect(),
            tolerance: shape::text(rules, "/tolerance").and_then(quantity::milli).map_or(TOLERANCE, |one| one / 1e3),
        }
    }

    /// How many there may be by the policies, from how many there are and what was done lately. `way` is 1 up, -1 down.
    fn limit(&self, current: i64, past: &Past, now: Timestamp, way: i64) -> i64 {
        let reach = |policy: &Policy| {
            let lately = past.steps.iter().filter(|step| step.0 > now - policy.period).map(|step| step.1);
            let began = current - lately.sum::<i64>();
            match policy.unit {
                Unit::Pods => began + way * policy.value,
                Unit::Percent => {
                    let reached = began as f64 * (1.0 + (way * policy.value) as f64 / 100.0);
                    (if way > 0 { reached.ceil() } else { reached.trunc() }) as i64
                }
            }
        };
        let steps = self.policies.iter().map(|policy| way * (reach(policy) - current));
        let step = match self.select {
            Select::Disabled => None,
            Select::Most => steps.max(),
            Select::Least => steps.min(),
        };
        current + way * step.unwrap_or(0).max(0)
    }
}

/// What an autoscaler remembers: it starts anew when it does.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Past {
    /// How many it wanted, and when.
    wanted: Vec<(Timestamp, i64)>,
    /// How many it added (or took away, negative), and when.
    steps: Vec<(Timestamp, i64)>,
}

impl Past {
    /// Takes what it finds for its first wish.
    pub(super) fn begin(&mut self, now: Timestamp, current: i64) {
        if self.wanted.is_empty() {
            self.wanted.push((now, current));
        }
    }

    /// Notes a step that was taken.
    pub(super) fn stepped(&mut self, now: Timestamp, by: i64) {
        self.steps.push((now, by));
    }

    fn wanted_since(&self, since: Timestamp) -> impl Iterator<Item = i64> {
        self.wanted.iter().filter(move |wish| wish.0 > since).map(|wish| wish.1)
    }
}

/// How many there shall be, and what is to be said of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Paced {
    pub(super) replicas: i64,
    /// Why `AbleToScale` holds.
    pub(super) able: Words,
    /// Whether and why `ScalingLimited` holds.
    pub(super) limited: (Limit, Words),
}

/// Whether less was done than was wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    Reached,
    None,
}

/// How many there shall be of those that the metrics ask for; the wish is remembered.
pub(super) fn paced(
    pace: &Pace,
    past: &mut Past,
    (now, current): (Timestamp, i64),
    (wish, bounds): (i64, Bounds),
) -> Paced {
    let (steady, waits) = match pace {
        Pace::Plain => {
            let steady = past.wanted_since(now - SHRINK_WINDOW).fold(wish, i64::max);
            (steady, SHRINKS_LATER)
        }
        Pace::Ruled { up, down } => {
            let lowest = past.wanted_since(now - up.window).fold(wish, i64::min);
            let highest = past.wanted_since(now - down.window).fold(wish, i64::max);
            (current.max(lowest).min(highest), if wish >= current { GROWS_LATER } else { SHRINKS_LATER })
        }
    };
    past.wanted.retain(|known| known.0 > now - LONGEST);
    past.steps.retain(|known| known.0 > now - LONGEST);
    past.wanted.push((now, wish));
    let (replicas, why) = bounded(pace, past, (now, current), (steady, bounds));
    let limit = if replicas == steady { Limit::None } else { Limit::Reached };
    Paced { replicas, able: if steady == wish { READY } else { waits }, limited: (limit, why) }
}

/// What the bounds and the rate leave of a wish.
fn bounded(pace: &Pace, past: &Past, (now, current): (Timestamp, i64), (wish, bounds): (i64, Bounds)) -> (i64, Words) {
    let fastest = match pace {
        // Without rules a wish below the least is told whatever the present number is.
        Pace::Plain if wish < bounds.least => return (bounds.least, TOO_FEW),
        Pace::Plain => Some((current * 2).max(4)),
        Pace::Ruled { up, .. } if wish > current => Some(up.limit(current, past, now, 1)),
        Pace::Ruled { .. } => None,
    };
    if let Some(fastest) = fastest {
        let (most, why) = if bounds.most > fastest { (fastest, TOO_FAST_UP) } else { (bounds.most, TOO_MANY) };
        return if wish > most { (most, why) } else { (wish, WITHIN) };
    }
    if let Pace::Ruled { down, .. } = pace
        && wish < current
    {
        let slowest = down.limit(current, past, now, -1);
        let (least, why) = if bounds.least < slowest { (slowest, TOO_FAST_DOWN) } else { (bounds.least, TOO_FEW) };
        return if wish < least { (least, why) } else { (wish, WITHIN) };
    }
    (wish, WITHIN)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::{defaults, kind::row};
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_777_000_000 + second).unwrap()
    }

    fn pace(behavior: &Value) -> Pace {
        let mut scaler = json!({"metadata": {"name": "a"}, "spec": {"maxReplicas": 20, "behavior": behavior}});
        defaults::fill(row("horizontalpodautoscalers"), &mut scaler);
        Pace::of(&scaler)
    }

    /// Plays wishes at seconds from 6 replicas within 2 to 20; each taken step is there at once.
    fn played(pace: &Pace, wishes: &[(i64, i64)]) -> Vec<(i64, &'static str, &'static str)> {
        let (mut past, mut current) = (Past::default(), 6);
        past.begin(at(0), current);
        let mut told = Vec::new();
        for (second, wish) in wishes {
            let bounds = Bounds { least: 2, most: 20 };
            let found = paced(pace, &mut past, (at(*second), current), (*wish, bounds));
            let is_limited = found.limited.0 == Limit::Reached;
            assert_eq!(is_limited, found.limited.1 != WITHIN, "{found:?}");
            told.push((found.replicas, found.able.0, found.limited.1.0));
            if found.replicas != current {
                past.stepped(at(*second), found.replicas - current);
            }
            current = found.replicas;
        }
        told
    }

    #[test]
    fn without_rules_it_doubles_at_most_and_shrinks_after_five_minutes() {
        let plain = Pace::Plain;
        let told = played(&plain, &[(15, 30), (30, 30), (45, 30)]);
        assert_eq!(
            told,
            [
                (12, "ReadyForNewScale", "ScaleUpLimit"),
                (20, "ReadyForNewScale", "TooManyReplicas"),
                (20, "ReadyForNewScale", "TooManyReplicas"),
            ]
        );
        let told = played(&plain, &[(15, 3), (299, 3), (301, 3), (316, 1)]);
        assert_eq!(
            told,
            [
                (6, "ScaleDownStabilized", "DesiredWithinRange"),
                (6, "ScaleDownStabilized", "DesiredWithinRange"),
                (3, "ReadyForNewScale", "DesiredWithinRange"),
                (3, "ScaleDownStabilized", "DesiredWithinRange"),
            ]
        );
        assert_eq!(played(&plain, &[(400, 1)]), [(2, "ReadyForNewScale", "TooFewReplicas")]);
    }

    #[test]
    fn rules_bound_each_step_and_hold_wishes_back() {
        let given = pace(&json!({"scaleDown": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}],
            "stabilizationWindowSeconds": 0}}));
        let told = played(&given, &[(15, 3), (30, 3), (90, 3), (105, 30), (120, 30)]);
        assert_eq!(
            told,
            [
                (5, "ReadyForNewScale", "ScaleDownLimit"),
                (5, "ReadyForNewScale", "ScaleDownLimit"),
                (4, "ReadyForNewScale", "ScaleDownLimit"),
                // The defaults of the other side: the larger of four pods and twice as many, in fifteen seconds.
                (8, "ReadyForNewScale", "ScaleUpLimit"),
                (16, "ReadyForNewScale", "ScaleUpLimit"),
            ]
        );
        let slow = pace(&json!({"scaleUp": {"stabilizationWindowSeconds": 60, "selectPolicy": "Min"}}));
        let told = played(&slow, &[(15, 12), (61, 12), (76, 3)]);
        assert_eq!(
            told,
            [
                (6, "ScaleUpStabilized", "DesiredWithinRange"),
                (10, "ReadyForNewScale", "ScaleUpLimit"),
                (10, "ScaleDownStabilized", "DesiredWithinRange"),
            ]
        );
        let never = pace(&json!({"scaleUp": {"selectPolicy": "Disabled"}}));
        assert_eq!(played(&never, &[(15, 12)]), [(6, "ReadyForNewScale", "ScaleUpLimit")]);
        assert_eq!(pace(&json!({"scaleUp": {"tolerance": "50m"}})).tolerance(), Tolerance { up: 0.05, down: 0.1 });
    }
}
