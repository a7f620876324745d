//! How many replicas a metric asks for (Kubernetes documentation, "Horizontal Pod Autoscaling", algorithm details). Pure.

/// A pod as the calculation sees it. Amounts are thousandths: of a processor, or of a byte.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PodUse {
    /// What it uses, as far as that counts.
    pub(super) stage: Stage,
    /// What it requests.
    pub(super) request: f64,
}

/// Whether what a pod uses says anything.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Stage {
    /// It uses so much.
    Counted(f64),
    /// It is not ready yet: what it uses is its start.
    Unready,
    /// It was not measured.
    Missing,
}

/// What a metric is held at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Goal {
    /// So many percent of what is requested.
    Utilization(i64),
    /// So many thousandths a pod.
    Average(f64),
}

/// How far off the goal nothing is done, as a share of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tolerance {
    pub(super) up: f64,
    pub(super) down: f64,
}

/// What a metric asks for, and what it stands at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Wanted {
    pub(super) replicas: i64,
    /// Percent of what is requested, where that is the goal.
    pub(super) utilization: Option<i64>,
    /// The mean of the pods that count, thousandths.
    pub(super) average: f64,
}

/// The replicas that a metric asks for; `None` where no pod counts.
///
/// 1. The ratio of what the counted pods use to the goal; within the tolerance nothing changes.
/// 2. Where every pod counts: `ceil(ratio * pods)`.
/// 3. Otherwise the ratio is taken again, cautiously: towards more, pods that are missing or not ready use nothing; towards
///    fewer, those that are missing use all they may. If that lands within the tolerance or turns the direction, nothing
///    changes; else `ceil(ratio * pods taken in)`.
pub(super) fn wanted(pods: &[PodUse], current: i64, goal: Goal, tolerance: Tolerance) -> Option<Wanted> {
    let counted: Vec<(f64, f64)> = pods.iter().filter_map(|pod| Some((usage(pod)?, pod.request))).collect();
    let (ratio, utilization) = ratio(&counted, goal)?;
    let average = (counted.iter().map(|pod| pod.0).sum::<f64>() / counted.len() as f64).trunc();
    let settled = |replicas| Some(Wanted { replicas, utilization, average });
    let grows = ratio > 1.0;
    let of = |stage: Stage| pods.iter().filter(move |pod| pod.stage == stage);
    let unready_count = if grows { of(Stage::Unready).count() } else { 0 };
    if unready_count == 0 && of(Stage::Missing).count() == 0 {
        let replicas = if is_near(ratio, tolerance) { current } else { whole(ratio, counted.len()) };
        return settled(replicas);
    }
    let mut taken = counted;
    if grows {
        taken.extend(of(Stage::Missing).chain(of(Stage::Unready)).map(|pod| (0.0, pod.request)));
    } else if ratio < 1.0 {
        taken.extend(of(Stage::Missing).map(|pod| (at_most(pod.request, goal), pod.request)));
    }
    let (cautious, _) = self::ratio(&taken, goal)?;
    let turned = (ratio < 1.0 && cautious > 1.0) || (grows && cautious < 1.0);
    if is_near(cautious, tolerance) || turned {
        return settled(current);
    }
    let replicas = whole(cautious, taken.len());
    let is_odd = (cautious < 1.0 && replicas > current) || (cautious > 1.0 && replicas < current);
    settled(if is_odd { current } else { replicas })
}

fn usage(pod: &PodUse) -> Option<f64> {
    if let Stage::Counted(usage) = pod.stage { Some(usage) } else { None }
}

/// What pods use to what they should, with the whole percent of their requests where that is the goal.
fn ratio(pods: &[(f64, f64)], goal: Goal) -> Option<(f64, Option<i64>)> {
    if pods.is_empty() {
        return None;
    }
    let (used, requested) = pods.iter().fold((0.0, 0.0), |sum, pod| (sum.0 + pod.0, sum.1 + pod.1));
    match goal {
        Goal::Utilization(percent) if requested > 0.0 => {
            let now = (used * 100.0 / requested).trunc();
            Some((now / percent.max(1) as f64, Some(now as i64)))
        }
        Goal::Utilization(_) => None,
        Goal::Average(amount) => Some(((used / pods.len() as f64).trunc() / amount.max(1.0), None)),
    }
}

/// What a pod that was not measured is taken to use when fewer are thought of.
fn at_most(request: f64, goal: Goal) -> f64 {
    match goal {
        Goal::Utilization(percent) => request * percent.max(100) as f64 / 100.0,
        Goal::Average(amount) => amount,
    }
}

fn is_near(ratio: f64, tolerance: Tolerance) -> bool {
    (1.0 - tolerance.down..=1.0 + tolerance.up).contains(&ratio)
}

fn whole(ratio: f64, pods: usize) -> i64 {
    (ratio * pods as f64).ceil() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENTH: Tolerance = Tolerance { up: 0.1, down: 0.1 };

    /// Pods that request half a processor: each a percent of it, not ready, or missing.
    fn pods(of: &[Stage]) -> Vec<PodUse> {
        let scaled = |stage: &Stage| match *stage {
            Stage::Counted(percent) => Stage::Counted(percent * 5.0),
            other => other,
        };
        of.iter().map(|stage| PodUse { stage: scaled(stage), request: 500.0 }).collect()
    }

    #[test]
    fn the_replicas_follow_the_ratio_and_are_cautious_about_pods_that_do_not_count() {
        use Stage::{Counted as At, Missing, Unready};
        for (name, of, want) in [
            ("far above", vec![At(97.0); 6], Some((9, 97))),
            ("just above the tolerance", vec![At(78.0); 6], Some((7, 78))),
            ("a tenth above is left alone", vec![At(77.0); 6], Some((6, 77))),
            ("a tenth below is left alone", vec![At(63.0); 6], Some((6, 63))),
            ("far below", vec![At(20.0); 6], Some((2, 20))),
            ("percents are whole", vec![At(77.9); 6], Some((6, 77))),
            ("the unready use nothing towards more", vec![At(97.0), At(97.0), Unready], Some((3, 97))),
            ("far more even so", vec![At(140.0), At(140.0), Unready], Some((4, 140))),
            ("the unready say nothing towards fewer", vec![At(20.0), At(20.0), Unready], Some((1, 20))),
            ("the missing use all towards fewer", vec![At(20.0), At(20.0), Missing], Some((2, 20))),
            ("which may keep all", vec![At(55.0), At(55.0), Missing], Some((3, 55))),
            ("the missing use nothing towards more", vec![At(97.0), Missing], Some((2, 97))),
            ("nobody counts", vec![Unready, Missing], None),
        ] {
            let found = wanted(&pods(&of), i64::try_from(of.len()).unwrap(), Goal::Utilization(70), TENTH);
            assert_eq!(found.map(|found| (found.replicas, found.utilization.unwrap())), want, "{name}");
        }
    }

    #[test]
    fn an_average_is_held_without_requests_and_a_tolerance_of_its_own_counts() {
        let pods: Vec<PodUse> = [300.0, 500.0].map(|used| PodUse { stage: Stage::Counted(used), request: 0.0 }).into();
        let found = wanted(&pods, 2, Goal::Average(250.0), TENTH);
        assert_eq!(found, Some(Wanted { replicas: 4, utilization: None, average: 400.0 }));
        let patient = Tolerance { up: 0.7, down: 0.1 };
        assert_eq!(wanted(&pods, 2, Goal::Average(250.0), patient).map(|found| found.replicas), Some(2));
        assert_eq!(wanted(&pods, 2, Goal::Utilization(70), TENTH), None, "a percentage of nothing");
    }
}
