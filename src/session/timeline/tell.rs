//! What a record tells a person, in one line.

use jiff::SignedDuration;

use super::EntryKind;
use crate::domain::count::counted;
use crate::domain::observation::log::LogGroup;
use crate::domain::observation::skew::ClockSkew;
use crate::domain::remediation::approval::Decision;
use crate::domain::remediation::verification::TestState;
use crate::session::event::{
    AlarmEvent, Event, EvidenceEvent, Execution, FeedEvent, IncidentEvent, LogEvent, NarrativeEvent, Occasion,
    RemediationEvent, ReportEvent, SessionEvent, VerificationEvent,
};
use crate::session::feeds::{FeedHealth, FeedId, Following};

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
        SessionEvent::ClockCompared { skew, lead } => Some(clock(*skew, *lead)),
        SessionEvent::BecameReadOnly { fault } => Some((EntryKind::Fault, format!("READ-ONLY: {fault}"))),
        SessionEvent::Ended { reason } => Some((EntryKind::Note, format!("session ended: {reason}"))),
        SessionEvent::PinToggled { evidence } => Some((EntryKind::Evidence, format!("pin of {evidence} toggled"))),
        SessionEvent::ScopeLearned { .. }
        | SessionEvent::NamespacesLearned { .. }
        | SessionEvent::CredentialsRead { .. } => None,
    }
}

fn clock(skew: ClockSkew, lead: SignedDuration) -> (EntryKind, String) {
    if ClockSkew::NONE.led_by(lead) != ClockSkew::NONE {
        let text = format!(
            "the clock of this machine was set back: the times of this session are {} and stay so, logs and metrics are asked by the clock of AWS. A new session has the right times",
            skew.led_by(lead)
        );
        return (EntryKind::Fault, text);
    }
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
            let cause = fault.causes.first().map_or_else(String::new, |cause| format!(" {cause}"));
            Some((EntryKind::Fault, format!("{name} failing: {}{cause}", fault.summary)))
        }
        FeedHealth::Live => Some((EntryKind::Feed, format!("{name} live"))),
        FeedHealth::Off { .. } | FeedHealth::Retrying { .. } | FeedHealth::Connecting => None,
    }
}

fn incident(event: &IncidentEvent) -> Option<(EntryKind, String)> {
    let text = match event {
        IncidentEvent::Opened { service, alarm } => format!("incident opened on {} by {alarm}", service.name),
        IncidentEvent::AlarmJoined { alarm } => format!("{alarm} joined the incident"),
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
        EvidenceEvent::Asked { asks, occasion: Occasion::Undo { step }, .. } => {
            format!("{} asked again: {step}, an undo, is decided on what is so now", counted(asks.len(), "question"))
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
        RemediationEvent::LookBegan { step } => format!("{step} looks at its target once more before it is sent"),
        RemediationEvent::RequestLeft { step } => format!("{step} SENT"),
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
    let (step, tests) = match event {
        VerificationEvent::Ended { step, tests } => (step, tests),
        VerificationEvent::Lapsed { step, why } => {
            return Some((EntryKind::Verification, format!("{step} did not last: {why}")));
        }
        VerificationEvent::Measured { .. } => return None,
    };
    let count = |which| tests.iter().filter(|state| **state == which).count();
    let (passed, of) = (count(TestState::Passed), tests.len() - count(TestState::Moot));
    let word = match (passed == of, tests.contains(&TestState::Failed)) {
        (true, _) => "VERIFIED",
        (false, false) if tests.contains(&TestState::Unmeasured) => "UNVERIFIED",
        (false, _) => "FAILED verification",
    };
    Some((EntryKind::Verification, format!("{step} {word}: {passed} of {of} tests passed")))
}

fn report(event: &ReportEvent) -> String {
    match event {
        ReportEvent::Drafted { headline, follow_ups } => {
            let promised: Vec<&str> = follow_ups.iter().map(|follow_up| follow_up.text.as_str()).collect();
            format!("report: {headline}; follow-ups: {}", promised.join(", "))
        }
        ReportEvent::FollowUpEnded { follow_up } => format!("follow-up: {}: {}", follow_up.text, follow_up.told()),
        ReportEvent::Posted => "report posted to Slack".to_owned(),
        ReportEvent::PostFailed { fault } | ReportEvent::PostLeft { fault } => format!("report not posted: {fault}"),
        ReportEvent::Exported { path } => format!("exported to {path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
