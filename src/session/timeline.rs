//! The timeline: one line for each thing worth remembering, told from the record itself.

mod tell;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::event::{Event, FeedEvent};
use super::feeds::FeedHealth;
use super::record::{IncidentId, Record};
use crate::domain::fault::Fault;

pub use tell::tell;

/// The longest timeline kept; older entries are counted and stay in the journal.
const MOST: usize = 5_000;
/// Among so many of the last entries one that says the same of a feed is looked for: one that fails and comes back in turn
/// makes two.
const REPEATS_AMONG: usize = 4;
/// After as long a silence the same is news again.
const REPEATS_WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// What an entry is about: decides its sign and colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// Session and notes.
    Note,
    /// Alarms.
    Alarm,
    /// Feeds.
    Feed,
    /// Evidence and verdict.
    Evidence,
    /// The model.
    Narrative,
    /// Decisions and executions.
    Step,
    /// Verification.
    Verification,
    /// Reports.
    Report,
    /// Something failed.
    Fault,
}

impl EntryKind {
    /// The word that stands before the entry.
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Alarm => "alarm",
            Self::Feed => "feed",
            Self::Evidence => "evid",
            Self::Narrative => "model",
            Self::Step => "step",
            Self::Verification => "check",
            Self::Report => "report",
            Self::Fault => "FAULT",
        }
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// The record it tells of: the anchor that scrolling holds on to.
    pub seq: u64,
    /// When; of what was told again the last time.
    pub at: Timestamp,
    /// The incident, where there is one.
    pub incident: Option<IncidentId>,
    /// What it is about.
    pub kind: EntryKind,
    /// The line, with how often it was told and since when.
    pub text: String,
    /// How often.
    pub times: u32,
    /// When first.
    pub since: Timestamp,
    /// The whole of a feed's fault: two that are told alike may differ in why.
    #[serde(skip)]
    pub fault: Option<Fault>,
}

impl Entry {
    fn of(record: &Record, (kind, text): (EntryKind, String)) -> Self {
        let Record { seq, at, incident, .. } = *record;
        Self { seq, at, incident, kind, text, times: 1, since: at, fault: fault_of(&record.event).cloned() }
    }

    /// What was told each time.
    fn said(&self) -> &str {
        let count = self.repeats().map_or(0, |count| count.len());
        &self.text[..self.text.len() - count]
    }

    fn repeats(&self) -> Option<String> {
        (self.times > 1).then(|| format!(" ({} times since {}Z)", self.times, self.since.strftime("%H:%M:%S")))
    }

    /// Whether another says the same again, soon enough to be no news.
    fn is_said_again(&self, by: &Self) -> bool {
        (self.said(), self.incident, &self.fault) == (by.said(), by.incident, &by.fault)
            && by.at.duration_since(self.at) <= REPEATS_WITHIN
    }

    /// The same told once more: it stands where it was told last, for the foot is how things are.
    fn again(self, before: &Self) -> Self {
        let mut entry = Self { times: before.times + 1, since: before.since, ..self };
        entry.text.extend(entry.repeats());
        entry
    }
}

/// Entries in order.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Timeline {
    entries: std::collections::VecDeque<Entry>,
    dropped: u64,
}

impl Timeline {
    /// The entries held, oldest first.
    pub fn entries(&self) -> &std::collections::VecDeque<Entry> {
        &self.entries
    }

    /// Entries that are in the journal alone.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Adds what a record tells. What is told of a feed over and over has one entry, the newest.
    pub fn fold(&mut self, record: &Record) {
        let Some(told) = tell(&record.event) else { return };
        let entry = Entry::of(record, told);
        let recent = self.entries.iter().enumerate().rev().take(REPEATS_AMONG);
        let mut recent = recent.filter(|_| matches!(record.event, Event::Feed(_)));
        let before = recent.find(|(_, before)| before.is_said_again(&entry)).map(|(place, _)| place);
        let entry = match before.and_then(|place| self.entries.remove(place)) {
            Some(before) => entry.again(&before),
            None => entry,
        };
        self.entries.push_back(entry);
        if self.entries.len() > MOST {
            self.entries.pop_front();
            self.dropped += 1;
        }
    }
}

/// The fault that a feed is lost for, or fails with.
fn fault_of(event: &Event) -> Option<&Fault> {
    let Event::Feed(
        FeedEvent::Changed { health, .. }
        | FeedEvent::GroupChanged { health, .. }
        | FeedEvent::ServiceChanged { health, .. },
    ) = event
    else {
        return None;
    };
    match health {
        FeedHealth::Lost { fault } | FeedHealth::Retrying { fault, .. } => Some(fault),
        FeedHealth::Live | FeedHealth::Off { .. } | FeedHealth::Connecting => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::FaultKind;
    use crate::session::event::SessionEvent;
    use crate::session::feeds::FeedId;

    /// A feed that fails and comes back in turn fills no screen, and what else happened stays in sight.
    #[test]
    fn what_a_feed_says_over_and_over_is_one_entry_with_its_count() {
        let mut timeline = Timeline::default();
        let mut seq = 0;
        let mut fold = |timeline: &mut Timeline, second: i64, event: Event| {
            seq += 1;
            let at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second);
            timeline.fold(&Record { seq, at, incident: None, event });
        };
        let health = |health| Event::Feed(FeedEvent::Changed { feed: FeedId::Workloads, health });
        let lost = || health(FeedHealth::Lost { fault: Fault::new(FaultKind::Cut, "It ended.") });
        let note = || Event::Session(SessionEvent::Noted { text: "seen".to_owned() });
        for second in 0..100 {
            fold(&mut timeline, second, lost());
            fold(&mut timeline, second, health(FeedHealth::Live));
        }
        fold(&mut timeline, 100, note());
        fold(&mut timeline, 101, note());
        fold(&mut timeline, 102, lost());
        fold(&mut timeline, 800, lost());
        let told: Vec<(u64, &str)> = timeline.entries().iter().map(|entry| (entry.seq, entry.text.as_str())).collect();
        let expected = [
            (200, "workloads live (100 times since 00:00:00Z)"),
            (201, "note: seen"),
            (202, "note: seen"),
            (203, "workloads lost: It ended. (101 times since 00:00:00Z)"),
            (204, "workloads lost: It ended."),
        ];
        assert_eq!(told, expected, "what is so now stands at the foot");
    }

    #[test]
    fn faults_that_are_told_alike_and_differ_in_why_are_two_entries() {
        let mut timeline = Timeline::default();
        for (seq, cause) in [(1, "reset by peer"), (2, "timed out"), (3, "timed out")] {
            let fault = Fault { causes: vec![cause.to_owned()], ..Fault::new(FaultKind::Cut, "It ended.") };
            let health = FeedHealth::Retrying { attempt: 1, fault, until: Timestamp::UNIX_EPOCH };
            let event = Event::Feed(FeedEvent::Changed { feed: FeedId::Workloads, health });
            timeline.fold(&Record { seq, at: Timestamp::UNIX_EPOCH, incident: None, event });
        }
        let told: Vec<(u64, u32)> = timeline.entries().iter().map(|entry| (entry.seq, entry.times)).collect();
        assert_eq!(told, [(1, 1), (3, 2)]);
    }
}
