//! How fast frames may follow each other: by the time between them, by their bytes, and by how long the terminal took.
//! Pure: milliseconds are arguments. A person's key is drawn at once and only counted.

use crate::config::Link;

/// What of the budget may be spent at once, from the first frame on and after a quiet time: a screen that changes wholly a
/// few times, as it does in the first seconds and when panes are zoomed, should not hold up the words that follow.
const BURST_MS: u64 = 1_500;
/// The longest pause that a slow terminal earns.
const LONGEST_MS: u64 = 2_000;

/// The pace of one screen.
#[derive(Clone, Copy, Debug)]
pub struct Pacing {
    apart_ms: u64,
    bytes_a_second: u64,
    last: u64,
    spent_until: u64,
    stalled_until: u64,
}

impl Pacing {
    /// The pace that a link stands: 30 frames and 38 KiB a second on the same machine, fewer over SSH, 7 KiB a second on a
    /// slow link.
    pub fn of(link: Link) -> Self {
        let (apart_ms, bytes_a_second) = match link {
            Link::Local => (33, 38 << 10),
            Link::Remote => (66, 32 << 10),
            Link::Slow => (200, 7 << 10),
        };
        Self { apart_ms, bytes_a_second, last: 0, spent_until: 0, stalled_until: 0 }
    }

    /// Notes a frame that was drawn: its bytes, and for how long the terminal did not take them.
    pub fn drawn(&mut self, at: u64, bytes: usize, stall_ms: u64) {
        self.last = at;
        let price = (bytes as u64 * 1_000).div_ceil(self.bytes_a_second);
        self.spent_until = self.spent_until.max(at) + price;
        // A terminal that needed this long for a frame gets as long again for what it has besides.
        self.stalled_until = at + (2 * stall_ms).min(LONGEST_MS);
    }

    /// When a frame that data alone asks for is due.
    pub fn due_at(&self) -> u64 {
        let paid_until = self.spent_until.saturating_sub(BURST_MS);
        (self.last + self.apart_ms).max(paid_until).max(self.stalled_until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes written in so many seconds of a flood with frames of this size.
    fn flooded(link: Link, frame: usize, seconds: u64) -> u64 {
        let mut pacing = Pacing::of(link);
        let mut written = 0;
        for now in 0..seconds * 1_000 {
            if now >= pacing.due_at() {
                pacing.drawn(now, frame, 0);
                written += frame as u64;
            }
        }
        written
    }

    #[test]
    fn a_flood_stays_within_its_budget_whatever_a_frame_costs() {
        for (link, budget) in [(Link::Local, 40 << 10), (Link::Remote, 40 << 10), (Link::Slow, 8 << 10)] {
            for frame in [200, 2_000, 8_000, 30_000] {
                let written = flooded(link, frame, 60);
                assert!(written <= budget * 60 + frame as u64, "{link:?} {frame}: {written}");
                assert!(written > 0);
            }
        }
    }

    #[test]
    fn the_first_frames_may_be_large_and_hold_up_nothing() {
        let mut pacing = Pacing::of(Link::Local);
        for at in [10, 43, 76, 109] {
            pacing.drawn(at, 12 << 10, 0);
            assert_eq!(pacing.due_at(), at + 33);
        }
        pacing.drawn(142, 36 << 10, 0);
        assert!(pacing.due_at() > 142 + 33, "what may be spent at once is spent");
    }

    #[test]
    fn small_frames_come_as_often_as_the_link_allows() {
        assert_eq!(flooded(Link::Local, 100, 1) / 100, 30);
        assert_eq!(flooded(Link::Slow, 100, 1) / 100, 4);
    }

    #[test]
    fn a_terminal_that_stalls_is_asked_less_often_until_it_recovers() {
        let mut pacing = Pacing::of(Link::Local);
        pacing.drawn(1_000, 500, 400);
        assert_eq!(pacing.due_at(), 1_800);
        pacing.drawn(1_800, 500, 60_000);
        assert_eq!(pacing.due_at(), 3_800, "never longer than the longest");
        pacing.drawn(3_800, 500, 0);
        assert_eq!(pacing.due_at(), 3_833);
    }
}
