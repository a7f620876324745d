//! Waiting as arithmetic: backoff between attempts. The randomness for the jitter is an argument.

use jiff::SignedDuration;

use crate::domain::fault::Fault;

/// The first wait.
const FIRST_MS: u64 = 500;
/// No wait is longer.
const MOST_MS: u64 = 30_000;
/// No wait that the other side asks for is obeyed for longer: a server that names a day has named it by mistake.
const MOST_ASKED: SignedDuration = SignedDuration::from_mins(5);

/// The wait before attempt `attempt + 1`, after `attempt` failures in a row (from 1): 0.5 s doubling to at most 30 s,
/// of which the upper half is jittered by `roll` in `[0, 1)` ("equal jitter"), so that panels do not ask in step.
pub fn backoff(attempt: u32, roll: f64) -> SignedDuration {
    let doublings = attempt.saturating_sub(1).min(16);
    let whole = FIRST_MS.saturating_mul(1 << doublings).min(MOST_MS);
    let half = whole / 2;
    let jitter = (half as f64 * roll.clamp(0.0, 1.0)) as u64;
    SignedDuration::from_millis(i64::try_from(half + jitter).unwrap_or(i64::MAX))
}

/// The wait after `attempt` failures in a row of which this is the last: never shorter than the other side asks for.
pub fn wait_after(fault: &Fault, attempt: u32, roll: f64) -> SignedDuration {
    let asked = fault.wait.unwrap_or_default().min(MOST_ASKED);
    backoff(attempt, roll).max(asked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::FaultKind;

    #[test]
    fn a_wait_that_is_asked_for_is_obeyed() {
        let fault = Fault::new(FaultKind::Throttled, "Slow down.");
        let asking = |seconds| fault.clone().asks_to_wait(SignedDuration::from_secs(seconds));
        for (fault, attempt, seconds) in [
            (asking(20), 1, 20),
            (asking(20), 9, 30),
            (asking(1), 2, 1),
            (asking(86_400), 1, 300),
            (fault.clone(), 4, 4),
        ] {
            assert_eq!(wait_after(&fault, attempt, 1.0), SignedDuration::from_secs(seconds), "{attempt} {fault:?}");
        }
    }

    #[test]
    fn waits_double_and_stop_growing() {
        let waits: Vec<i64> =
            (1..=10).map(|attempt| i64::try_from(backoff(attempt, 1.0).as_millis()).unwrap()).collect();
        assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000]);
        assert_eq!(backoff(u32::MAX, 1.0), SignedDuration::from_secs(30));
    }

    #[test]
    fn jitter_takes_at_most_half() {
        assert_eq!(backoff(3, 0.0).as_millis(), 1_000);
        assert_eq!(backoff(3, 0.5).as_millis(), 1_500);
        assert_eq!(backoff(3, f64::NAN).as_millis(), 1_000);
    }
}
