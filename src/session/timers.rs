//! Waiting as arithmetic: backoff between attempts. The randomness for the jitter is an argument.

use jiff::SignedDuration;

/// The first wait.
const FIRST_MS: u64 = 500;
/// No wait is longer.
const MOST_MS: u64 = 30_000;

/// The wait before attempt `attempt + 1`, after `attempt` failures in a row (from 1): 0.5 s doubling to at most 30 s,
/// of which the upper half is jittered by `roll` in `[0, 1)` ("equal jitter"), so that panels do not ask in step.
pub fn backoff(attempt: u32, roll: f64) -> SignedDuration {
    let doublings = attempt.saturating_sub(1).min(16);
    let whole = FIRST_MS.saturating_mul(1 << doublings).min(MOST_MS);
    let half = whole / 2;
    let jitter = (half as f64 * roll.clamp(0.0, 1.0)) as u64;
    SignedDuration::from_millis(i64::try_from(half + jitter).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

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
