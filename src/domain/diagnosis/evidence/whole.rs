//! A window counted whole by Logs Insights, where its lines are too many to be read one by one.

use crate::domain::count::{counted, either};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What was counted. The bounds of the window are whole seconds there, so that the count may differ by the lines of one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WholeCount {
    /// Lines.
    pub lines: u64,
    /// Lines that name an error, a fatal or a critical condition: coarser than the levels that lines are read by.
    pub error_lines: u64,
    /// The minute with most lines, and how many.
    pub busiest: Option<(Timestamp, u64)>,
    /// Bytes that all queries scanned: AWS charges for them.
    pub scanned_bytes: u64,
    /// The query that counted the lines, as a person could repeat it.
    pub query: String,
}

impl WholeCount {
    /// In one sentence part, with what it cost.
    pub(super) fn words(&self) -> String {
        let busiest = self.busiest.map_or_else(String::new, |(at, lines)| {
            format!(", most in the minute of {} ({lines})", super::text::clock(at))
        });
        let scanned = super::bytes(self.scanned_bytes);
        format!(
            "{} in the window and {} that {} an error, counted by Logs Insights{busiest}; {scanned} scanned, \
             charged by AWS",
            counted(self.lines, "line"),
            self.error_lines,
            either(self.error_lines, "names", "name")
        )
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::super::{Answer, Evidence, EvidenceId, EvidenceSource, LogDigest, Payload, Question};
    use super::super::{answer_text, counted_whole, facts, log_patterns, oom_kills};
    use super::*;
    use crate::domain::observation::log::{Completeness, LogLine, RawLogEvent, ingest};
    use crate::domain::observation::scope::Window;

    fn window() -> Window {
        Window { from: Timestamp::UNIX_EPOCH, to: Timestamp::UNIX_EPOCH + SignedDuration::from_mins(30) }
    }

    fn line(second: i64, message: &str) -> LogLine {
        let at = Timestamp::from_second(second).unwrap();
        let raw = RawLogEvent {
            id: second.to_string().as_str().into(),
            at,
            stream: "task-1".into(),
            message: message.into(),
        };
        ingest(raw, &"/ecs/my-api".into())
    }

    fn count() -> WholeCount {
        let busiest = Some((Timestamp::from_second(60).unwrap(), 41_002));
        WholeCount { lines: 1_204_331, error_lines: 512, busiest, scanned_bytes: 3 << 30, query: "stats".to_owned() }
    }

    #[test]
    fn a_part_that_was_read_says_of_how_many_it_is_and_how_they_were_counted() {
        let mut digest = LogDigest::new(window());
        digest.add(&line(1, "INFO a"));
        let read = Completeness::Truncated { seen: 1, of: None };
        let answer = counted_whole(log_patterns(&digest, read), count());
        assert!(matches!(&answer, Answer::Truncated { seen: 1, of: Some(1_204_331), .. }), "{answer:?}");
        let at = Timestamp::UNIX_EPOCH;
        let evidence = Evidence {
            id: EvidenceId(1),
            question: Question::LogPatterns,
            source: EvidenceSource::CloudwatchLogs,
            query: String::new(),
            window: window(),
            asked_at: at,
            answered_at: at,
            answer,
        };
        let text = answer_text(&evidence);
        for expected in
            ["1204331 lines in the window", "counted by Logs Insights", "(41002)", "3Gi scanned, charged by AWS"]
        {
            assert!(text.contains(expected), "{expected}: {text}");
        }
        assert!(facts(&evidence).iter().any(|fact| fact.name == "lines-in-window"));
        let whole = log_patterns(&digest, Completeness::Exact);
        assert_eq!(counted_whole(whole.clone(), count()), whole, "what was read whole needs no other count");
    }

    #[test]
    fn signs_of_the_whole_window_take_the_place_of_those_among_the_lines_read() {
        let mut digest = LogDigest::new(window());
        digest.add(&line(1, "OOMKilled a"));
        let found = [
            line(1, "OOMKilled a"),
            line(60, "OOMKilled b"),
            line(120, "no OOMKilled containers"),
            line(180, "failed: java.lang.OutOfMemoryError: x"),
            line(181, "Exception in thread main java.lang.OutOfMemoryError: x"),
            line(4_000, "OOMKilled after the window"),
        ];
        digest.adopt_signs(&found);
        assert_eq!((digest.summary().kills, digest.summary().heap_errors), (2, 2));
        let answer = oom_kills(Some((&digest, Completeness::Exact)), None, None, window());
        let Answer::Observed { payload: Payload::OomKills(count) } = answer else { unreachable!("{answer:?}") };
        assert_eq!((count.total, count.heap_errors, count.completeness), (2, 1, Completeness::Exact));
    }
}
