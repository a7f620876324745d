//! What is said in a silence: a run without a screen that waits for somebody else says for whom, and since when.

use jiff::Timestamp;

use crate::session::feeds::{Feed, FeedHealth, FeedId};
use crate::session::{Record, Session};

/// The first word of a silence comes after this, each further one after twice as long as the one before.
const FIRST_MS: u64 = 5_000;
/// However long it lasts, somebody is told this often.
const LONGEST_MS: u64 = 60_000;

/// A silence and how often it was told of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Waits {
    since: Option<u64>,
    told: u32,
}

impl Waits {
    /// The line that is due, if one is.
    pub fn line(&mut self, fresh: &[Record], session: &Session, mono_ms: u64) -> Option<String> {
        if !fresh.is_empty() {
            *self = Self { since: Some(mono_ms), told: 0 };
            return None;
        }
        let since = *self.since.get_or_insert(mono_ms);
        let due = (FIRST_MS << self.told.min(10)).min(LONGEST_MS);
        if mono_ms.saturating_sub(since) < due {
            return None;
        }
        let feeds = session.feeds.iter().map(|(id, feed)| (id.word().to_owned(), feed));
        let charts = session.service_feeds.iter();
        let charts = charts.map(|(service, feed)| (format!("{} of {service}", FeedId::Metrics.word()), feed));
        let all = feeds.chain(charts);
        let waited: Vec<String> = all.filter_map(|(name, feed)| words(&name, feed, session.now)).collect();
        self.told += 1;
        self.since = Some(mono_ms);
        (!waited.is_empty()).then(|| format!("...      still waiting: {}", waited.join("; ")))
    }
}

fn words(name: &str, feed: &Feed, now: Timestamp) -> Option<String> {
    match &feed.health {
        FeedHealth::Connecting => Some(format!("{name}: no answer yet")),
        FeedHealth::Retrying { attempt, until, fault } => {
            let left = until.duration_since(now).as_secs().max(0);
            let when = if left > 0 { format!("asked again in {left} s") } else { "asked again now".to_owned() };
            Some(format!("{name}: {} Attempt {attempt} failed, {when}", fault.summary))
        }
        FeedHealth::Off { .. } | FeedHealth::Live | FeedHealth::Lost { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_is_told_of_ever_less_often() {
        let mut session = Session::default();
        session.feeds.insert(FeedId::Alarms, Feed::default());
        let mut waits = Waits::default();
        let told: Vec<u64> =
            (0..240).map(|second| second * 1_000).filter(|at| waits.line(&[], &session, *at).is_some()).collect();
        assert_eq!(told, [5_000, 15_000, 35_000, 75_000, 135_000, 195_000]);
    }

    #[test]
    fn a_feed_that_fails_is_told_with_its_attempts() {
        use crate::domain::fault::{Fault, FaultKind};
        let fault = Fault::new(FaultKind::Unreachable, "The alarms could not be read (page 1).");
        let until = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(8);
        let health = FeedHealth::Retrying { attempt: 5, until, fault };
        let told = words("alarms", &Feed { health, ..Feed::default() }, Timestamp::UNIX_EPOCH);
        let expected = "alarms: The alarms could not be read (page 1). Attempt 5 failed, asked again in 8 s";
        assert_eq!(told.as_deref(), Some(expected));
    }

    #[test]
    fn nothing_is_said_where_nobody_is_waited_for() {
        let session = Session::default();
        let mut waits = Waits::default();
        assert!((0..100).all(|second| waits.line(&[], &session, second * 1_000).is_none()));
    }
}
