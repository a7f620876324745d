//! How much time the tests of a step are given, by the size of what rolls and by how its alarms are decided.

use super::Clearing;
use crate::domain::observation::workload::Workload;

/// Seconds in which memory and kills settle when the rollout is over, and an alarm of a few minutes clears.
pub(super) const SETTLING_S: u32 = 900;
/// Seconds from the last point over a threshold that CloudWatch takes in and decides on.
const INGESTION_S: u32 = 180;
/// Seconds that a rollout is given at least.
const ROLLOUT_S: u32 = 600;
/// Seconds that the pods which are replaced at a time are given: pulled, started and warm.
const MOVE_S: u32 = 300;
/// Seconds that no rollout is given more than. It is the last bound: one that stands still ends long before.
const LONGEST_S: u32 = 4 * 3_600;

/// The time of a rollout: for every move that it takes to replace the pods, as many at a time as the workload allows.
pub(super) fn of_rollout(workload: Option<&Workload>) -> u32 {
    let moves = workload.map_or(1, |workload| {
        let (down, extra) = workload.in_motion();
        workload.replicas.div_ceil(down.saturating_add(extra).max(1))
    });
    moves.saturating_mul(MOVE_S).clamp(ROLLOUT_S, LONGEST_S)
}

/// The time of an alarm, from the end of the rollout: all that decides its state must be of after it.
pub(super) fn of_alarm(clearing: &Clearing) -> u32 {
    clearing.decided_over_s.saturating_add(INGESTION_S).max(SETTLING_S)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::diagnosis::rules::tests::fixture::workload;

    #[test]
    fn a_rollout_has_time_for_each_of_its_moves() {
        for (replicas, unavailable, surge, seconds) in [
            (6, "25%", "25%", 600),
            (8, "1", "0", 2_400),
            (40, "0", "1", 12_000),
            (500, "1", "0", LONGEST_S),
            (0, "25%", "25%", 600),
        ] {
            let mut rolling = workload(6);
            rolling.replicas = replicas;
            unavailable.clone_into(&mut rolling.max_unavailable);
            surge.clone_into(&mut rolling.max_surge);
            assert_eq!(of_rollout(Some(&rolling)), seconds, "{replicas} {unavailable} {surge}");
        }
        assert_eq!(of_rollout(None), 600);
    }

    #[test]
    fn an_alarm_has_time_for_all_that_decides_it() {
        let of = |decided_over_s| of_alarm(&Clearing { alarm: "slow".into(), decided_over_s });
        assert_eq!(of(3 * 60), 900);
        assert_eq!(of(3 * 300), 1_080, "three periods of five minutes");
        assert_eq!(of(900), 1_080, "one of fifteen");
    }
}
