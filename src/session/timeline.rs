//! The timeline: one line for each thing worth remembering, told from the record itself.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::event::{
    AlarmEvent, Event, EvidenceEvent, Execution, FeedEvent, IncidentEvent, LogEvent, NarrativeEvent, Occasion,
    RemediationEvent, ReportEvent, SessionEvent, VerificationEvent,
};
use super::feeds::{FeedHealth, FeedId, Following};
use super::record::{IncidentId, Record};
use crate::domain::count::counted;
use crate::domain::fault::Fault;
use crate::domain::observation::log::LogGroup;
use crate::domain::observation::skew::ClockSkew;
use crate::domain::remediation::approval::Decision;
use crate::domain::remediation::verification::TestState;

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

/// What a record tells in one line; `None` for what only moves numbers.
pub fn tell(event: &Event) -> Option<(EntryKind, String)> {
    match event {
        Event::Session(event) => session(event),
        Event::Alarm(event) => alarm(event),
        Event::Feed(event) => feed(event),
        Event::Log(LogEvent::Gap { group, missed, why, .. }) => {
            let missed =
                missed.map_or_else(|| "an unknown number of log events".to_owned(), |n| counted(n, "log event"));
            Some((EntryKind::Feed, format!("{group}: {missed} not shown: {why}")))
        }
        Event::Incident(event) => incident(event),
        Event::Evidence(event) => Some(evidence(event)),
        Event::Narrative(event) => narrative(event),
        Event::Remediation(event) => remediation(event),
        Event::Verification(event) => verification(event),
        Event::Report(event) => Some((EntryKind::Report, report(event))),
        Event::Metric(_)
        | Event::Log(LogEvent::Batch { .. } | LogEvent::Early { .. })
        | Event::Workload(_)
        | Event::Timer(_) => None,
    }
}

fn session(event: &SessionEvent) -> Option<(EntryKind, String)> {
    match event {
        SessionEvent::Started { header } => {
            Some((EntryKind::Note, format!("session started, {}", header.mode.word().trim_matches(['*', ' ']))))
        }
        SessionEvent::Resumed { note } => Some((EntryKind::Note, format!("session resumed: {note}"))),
        SessionEvent::Noted { text } => Some((EntryKind::Note, format!("note: {text}"))),
        SessionEvent::GameDay { text, .. } => Some((EntryKind::Note, format!("game day: {text}"))),
        SessionEvent::Faulted { fault } => Some((EntryKind::Fault, fault.to_string())),
        SessionEvent::ClockCompared { skew } => Some(clock(*skew)),
        SessionEvent::BecameReadOnly { fault } => Some((EntryKind::Fault, format!("READ-ONLY: {fault}"))),
        SessionEvent::Ended { reason } => Some((EntryKind::Note, format!("session ended: {reason}"))),
        SessionEvent::PinToggled { evidence } => Some((EntryKind::Evidence, format!("pin of {evidence} toggled"))),
        SessionEvent::ScopeLearned { .. }
        | SessionEvent::NamespacesLearned { .. }
        | SessionEvent::CredentialsRead { .. } => None,
    }
}

fn clock(skew: ClockSkew) -> (EntryKind, String) {
    if skew == ClockSkew::NONE {
        return (EntryKind::Note, "the clock of this machine is that of AWS again".to_owned());
    }
    let remedy = ClockSkew::REMEDY;
    let text = format!(
        "the clock of this machine is {skew}: logs and metrics are asked by the clock of AWS, other times are off. Set it: {remedy}"
    );
    (EntryKind::Fault, text)
}

fn alarm(event: &AlarmEvent) -> Option<(EntryKind, String)> {
    let text = match event {
        AlarmEvent::Raised { alarm } => {
            let threshold = alarm.threshold().map_or_else(String::new, |bound| format!(" (threshold {bound})"));
            // To four digits behind the point: a quotient has fifteen.
            let value = alarm.value.map_or_else(String::new, |value| format!(" at {}", (value * 1e4).round() / 1e4));
            format!("{} {} in ALARM{value}{threshold}", alarm.severity.word(), alarm.name)
        }
        AlarmEvent::Cleared { alarm } => format!("{} left ALARM", alarm.name),
        AlarmEvent::Removed { name } => format!("{name} is no longer listed"),
        AlarmEvent::Chosen { name } => format!("{name} is looked into: the person asked for it"),
        AlarmEvent::Updated { .. } | AlarmEvent::Detailed { .. } => return None,
    };
    Some((EntryKind::Alarm, text))
}

fn way_of(group: &LogGroup, following: &Following) -> String {
    match following {
        Following::Polled => format!("logs {group}: polled"),
        Following::PolledInstead { why } => format!("logs {group}: polled ({why})"),
        Following::Tailed => format!("logs {group}: Live Tail"),
        Following::Sampled { window } => {
            let (from, to) = (window.from, window.to);
            format!("logs {group}: Live Tail shows a sample of {from} to {to}; it is being read whole")
        }
    }
}

fn feed(event: &FeedEvent) -> Option<(EntryKind, String)> {
    match event {
        FeedEvent::Changed { feed, health } => health_of(feed.word(), health),
        FeedEvent::GroupChanged { group, health } => health_of(&format!("{} {group}", FeedId::Logs.word()), health),
        FeedEvent::GroupFollowed { group, following } => Some((EntryKind::Feed, way_of(group, following))),
        FeedEvent::ServiceChanged { service, health } => {
            health_of(&format!("{} of {service}", FeedId::Metrics.word()), health)
        }
        FeedEvent::Unreadable { feed, why } => Some(unreadable(feed.word(), why)),
        FeedEvent::ServiceUnreadable { service, why } => {
            Some(unreadable(&format!("{} of {service}", FeedId::Metrics.word()), why))
        }
        FeedEvent::Answered { .. } | FeedEvent::GroupAnswered { .. } | FeedEvent::ServiceAnswered { .. } => None,
    }
}

fn unreadable(name: &str, why: &[String]) -> (EntryKind, String) {
    if why.is_empty() {
        return (EntryKind::Feed, format!("{name}: everything listed can be read again"));
    }
    let text = format!("{name}: {} could not be read and are missing: {}", why.len(), why.join(" "));
    (EntryKind::Fault, text)
}

fn health_of(name: &str, health: &FeedHealth) -> Option<(EntryKind, String)> {
    match health {
        FeedHealth::Lost { fault } => Some((EntryKind::Fault, format!("{name} lost: {fault}"))),
        FeedHealth::Retrying { attempt: 1, fault, .. } => {
            Some((EntryKind::Fault, format!("{name} failing: {}", fault.summary)))
        }
        FeedHealth::Live => Some((EntryKind::Feed, format!("{name} live"))),
        FeedHealth::Off { .. } | FeedHealth::Retrying { .. } | FeedHealth::Connecting => None,
    }
}

fn incident(event: &IncidentEvent) -> Option<(EntryKind, String)> {
    let text = match event {
        IncidentEvent::Opened { service, alarm } => format!("incident opened on {} by {alarm}", service.name),
        IncidentEvent::AlarmJoined { alarm } => format!("{alarm} joined the incident"),
        IncidentEvent::ServiceCorrected { service } => format!("service corrected to {}", service.name),
        IncidentEvent::StormSeen { storm } => storm.to_string(),
        IncidentEvent::Closed { reason } => format!("incident closed: {reason}"),
        IncidentEvent::Identified { .. } => return None,
    };
    Some((EntryKind::Alarm, text))
}

fn evidence(event: &EvidenceEvent) -> (EntryKind, String) {
    let text = match event {
        EvidenceEvent::Asked { asks, occasion: Occasion::Incident, .. } => {
            format!("{} asked", counted(asks.len(), "question"))
        }
        EvidenceEvent::Asked { asks, occasion: Occasion::Failed { step }, .. } => {
            format!("{} asked again: {step} failed", counted(asks.len(), "question"))
        }
        EvidenceEvent::Answered { evidence } => {
            format!("{} {}: {}", evidence.id, evidence.question.word(), evidence.answer.completeness())
        }
        EvidenceEvent::VerdictReached { verdict, .. } => {
            format!("verdict of the rules: {} {}", verdict.words(), verdict.confidence())
        }
    };
    (EntryKind::Evidence, text)
}

fn narrative(event: &NarrativeEvent) -> Option<(EntryKind, String)> {
    let text = match event {
        NarrativeEvent::Asked { model, attempt, inquiry: None, .. } => format!("asked {model} (attempt {attempt})"),
        NarrativeEvent::Asked { model, attempt, inquiry: Some(inquiry), .. } => {
            format!("asked {model} (attempt {attempt}): \"{inquiry}\"")
        }
        NarrativeEvent::Ended { stop, usage, .. } => {
            let tokens = format!("{} in, {} out", counted(usage.input, "token"), usage.output);
            if !stop.is_whole() {
                return Some((EntryKind::Fault, format!("narrative INCOMPLETE ({stop}), {tokens}")));
            }
            format!("narrative complete, {tokens}")
        }
        NarrativeEvent::Broke { fault, .. } => return Some((EntryKind::Fault, format!("narrative broke: {fault}"))),
        NarrativeEvent::ProposalUnreadable { why, .. } => format!("structured diagnosis unreadable: {why}"),
        NarrativeEvent::DiagnosisChecked { diagnosis } => {
            use crate::domain::diagnosis::claim::DiagnosisCheck;
            let cause = diagnosis.proposal.cause.words();
            match &diagnosis.check {
                DiagnosisCheck::Accepted => format!("diagnosis accepted: {cause} {}", diagnosis.confidence),
                DiagnosisCheck::Rejected { reasons } => format!("diagnosis REJECTED ({cause}): {}", reasons.join(" ")),
            }
        }
        NarrativeEvent::RulesChosen { by } => format!("{by} chose to stand on the rules alone"),
        NarrativeEvent::Opened { .. } | NarrativeEvent::TextArrived { .. } | NarrativeEvent::Proposed { .. } => {
            return None;
        }
    };
    Some((EntryKind::Narrative, text))
}

fn remediation(event: &RemediationEvent) -> Option<(EntryKind, String)> {
    let text = match event {
        RemediationEvent::GateJudged { report } if report.is_open() => format!("gate OPEN at {}", report.confidence),
        RemediationEvent::GateJudged { report } => {
            let reasons: Vec<&str> = report.refusals.iter().map(|refusal| refusal.text.as_str()).collect();
            format!("gate LOCKED: {}", reasons.join(" "))
        }
        RemediationEvent::PlanProposed { plan } => {
            let steps: Vec<String> = plan.steps.iter().map(|step| format!("{} {}", step.id, step.text())).collect();
            format!("plan: {}", steps.join("; "))
        }
        RemediationEvent::RehearsalAsked { .. } => return None,
        RemediationEvent::StepRehearsed { step, rehearsal, .. } => format!("{step} {}", rehearsal.outcome.word()),
        RemediationEvent::StepArmed { step, digest, .. } => format!("{step} ARMED {digest}"),
        RemediationEvent::DecisionGiven { step, decision } => match decision {
            Decision::Approved { digest, by, .. } => format!("{step} APPROVED {digest} by {by}"),
            Decision::Denied { reason, by } => format!("{step} DENIED by {by}: {reason}"),
            Decision::Skipped { by } => format!("{step} SKIPPED by {by}"),
        },
        RemediationEvent::StepSkipped { step, why } => format!("{step} SKIPPED: {}", why.text()),
        RemediationEvent::PermitRefused { step, refusal } => format!("{step} no permit: {}", refusal.text()),
        RemediationEvent::StepStarted { step, digest } => format!("{step} STARTED {digest}"),
        RemediationEvent::StepFinished { step, execution } => match execution {
            Execution::Applied { generation } => format!("{step} applied, generation {generation}"),
            Execution::NotApplied { fault } => format!("{step} not applied: {fault}"),
            Execution::Unknown { fault } => format!("{step} UNCERTAIN: {fault}"),
        },
        RemediationEvent::StoodDown { step, why } => format!("{step} stood down: {why}"),
        RemediationEvent::Expired { step } => format!("{step} approval expired"),
        RemediationEvent::UndoProposed { of, .. } => format!("undo of {of} proposed"),
        RemediationEvent::UncertaintySettled { step, found, .. } => format!("{step} looked at again: {found}"),
    };
    Some((EntryKind::Step, text))
}

fn verification(event: &VerificationEvent) -> Option<(EntryKind, String)> {
    let VerificationEvent::Ended { step, tests } = event else { return None };
    let passed = tests.iter().filter(|state| **state == TestState::Passed).count();
    let word = match (passed == tests.len(), tests.contains(&TestState::Failed)) {
        (true, _) => "VERIFIED",
        (false, false) if tests.contains(&TestState::Unmeasured) => "UNVERIFIED",
        (false, _) => "FAILED verification",
    };
    Some((EntryKind::Verification, format!("{step} {word}: {passed} of {} tests passed", tests.len())))
}

fn report(event: &ReportEvent) -> String {
    match event {
        ReportEvent::Drafted { headline, follow_ups } => {
            let promised: Vec<&str> = follow_ups.iter().map(|follow_up| follow_up.text.as_str()).collect();
            format!("report: {headline}; follow-ups: {}", promised.join(", "))
        }
        ReportEvent::FollowUpEnded { follow_up } => format!("follow-up: {}: {}", follow_up.text, follow_up.told()),
        ReportEvent::Posted => "report posted to Slack".to_owned(),
        ReportEvent::PostFailed { fault } => format!("report not posted: {fault}"),
        ReportEvent::Exported { path } => format!("exported to {path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::FaultKind;

    #[test]
    fn what_the_person_asks_is_told_in_their_words() {
        let asked = |inquiry: Option<&str>| NarrativeEvent::Asked {
            model: "m".to_owned(),
            attempt: 2,
            inquiry: inquiry.map(str::to_owned),
            prompt: String::new(),
        };
        let told = |inquiry| tell(&Event::Narrative(asked(inquiry))).unwrap().1;
        assert_eq!(told(None), "asked m (attempt 2)");
        assert_eq!(told(Some("Is it the database?")), "asked m (attempt 2): \"Is it the database?\"");
    }

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
