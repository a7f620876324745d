//! What leaves the program, over a session made by hand with hostile text in every place that others write.

mod page;
mod told;

use jiff::Timestamp;
use serde_json::Value;

use super::incident::{Requests, Surroundings};
use super::*;
use crate::domain::diagnosis::claim::Claim;
use crate::domain::diagnosis::evidence::{Answer, Evidence, EvidenceId, EvidenceSource, Payload, Question};
use crate::domain::diagnosis::verdict::{Cause, Confidence, Finding, RankedCause, Side, Verdict};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::alarm::{Alarm, AlarmName, AlarmRule, AlarmState, Calls, Severity};
use crate::domain::observation::log::Completeness;
use crate::domain::observation::metric::MetricRole;
use crate::domain::observation::oom_kill::{ContainerKills, KillSource, OomCount};
use crate::domain::observation::scope::{Namespace, Window};
use crate::domain::observation::service::Service;
use crate::domain::observation::workload::{WorkloadKind, WorkloadRef};
use crate::domain::remediation::follow_up::{FollowUpTest, Standing};
use crate::domain::remediation::request::undo;
use crate::domain::remediation::step::{Action, Plan, StepId};
use crate::session::event::{Event, EvidenceEvent, NarrativeEvent};
use crate::session::feeds::{FeedHealth, FeedId};
use crate::session::incident::{Incident, Post, ReportState};
use crate::session::{IncidentId, Record, Session};

/// Terminal escapes, a bidi override, a mention, Markdown, and a key that must not leave.
const HOSTILE: &str = "\u{1b}[2J\u{202e}<!channel> **bold** | `x` AKIAIOSFODNN7EXAMPLE";

fn at(second: i64) -> Timestamp {
    "2026-05-01T09:31:00Z".parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_secs(second)
}

fn evidence(id: u32, question: Question, answer: Answer) -> Evidence {
    Evidence {
        id: EvidenceId(id),
        question,
        source: EvidenceSource::Combined,
        query: HOSTILE.to_owned(),
        window: Window::minutes_before(at(0), 30),
        asked_at: at(1),
        answered_at: at(2),
        answer,
    }
}

fn kills() -> Payload {
    Payload::OomKills(OomCount {
        outside: None,
        total: 14,
        source: KillSource::Logs,
        completeness: Completeness::Exact,
        by_container: vec![ContainerKills { container: "my-api-0/app".to_owned(), kills: 14 }],
        by_source: vec![(KillSource::Logs, 14)],
        heap_errors: 3,
        at: vec![at(-60)],
    })
}

fn verdict() -> Verdict {
    let finding =
        Finding { text: HOSTILE.to_owned(), side: Side::Supports, weight: 0.5, evidence: vec![EvidenceId(1)] };
    let leading = RankedCause {
        cause: Cause::MemoryLeak,
        confidence: Confidence::new(0.91),
        findings: vec![finding],
        terms: None,
        called: None,
    };
    Verdict { ranked: vec![leading], missing: Vec::new(), conclusive: true, rests_on: Vec::new() }
}

fn step() -> Step {
    let (why, state) = (vec![EvidenceId(1)], StepState::Approved);
    Step { why, state, ..Step::new(StepId(1), Action::RolloutRestart, workload()) }
}

fn workload() -> WorkloadRef {
    WorkloadRef { kind: WorkloadKind::Deployment, namespace: Namespace::from("payments"), name: "my-api".to_owned() }
}

fn incident() -> Incident {
    let service = Service { workload: Some(workload()), ..Service::bare("my-api") };
    let mut incident = Incident::new(IncidentId(1), service, Severity::P2, at(3));
    incident.alarms = vec![AlarmName::from("my-api-oomkilled")];
    let denied = Fault::new(FaultKind::Denied, HOSTILE);
    incident.evidence = vec![
        evidence(1, Question::OomKills, Answer::Observed { payload: kills() }),
        evidence(2, Question::Traffic, Answer::Denied { fault: denied }),
    ];
    incident.verdict = Some(verdict());
    incident.narrative.attempt = 1;
    incident.narrative.text = HOSTILE.to_owned();
    incident.narrative.claims = vec![
        Claim { text: format!("It leaks. {HOSTILE}"), cites: vec![EvidenceId(1)], check: ClaimCheck::Supported },
        Claim {
            text: "Traffic doubled.".to_owned(),
            cites: Vec::new(),
            check: ClaimCheck::Unsupported { why: "It cites nothing.".to_owned() },
        },
    ];
    incident.plan = Some(Plan { runbook: "memory-leak/default".to_owned(), steps: vec![step()] });
    let promise = FollowUp {
        text: HOSTILE.to_owned(),
        test: FollowUpTest::Person,
        due_at: at(1_800),
        standing: Standing::Pending,
    };
    let headline = format!("P2 my-api: memory leak {HOSTILE}");
    incident.report = Some(ReportState { headline, drafted_at: at(9), follow_ups: vec![promise], post: Post::Off });
    incident
}

fn session() -> Session {
    let mut session = Session::default();
    session.header.origin = Origin::Rehearsal { scenario: "oom-leak".to_owned(), seed: 7, speed: "max".to_owned() };
    let alarm = Alarm {
        name: AlarmName::from("my-api-oomkilled"),
        arn: "arn:aws:cloudwatch:us-east-1:123456789012:alarm:my-api-oomkilled".to_owned(),
        description: String::new(),
        state: AlarmState::Alarm,
        reason: HOSTILE.to_owned(),
        since: at(0),
        severity: Severity::P2,
        rule: AlarmRule::Composite { rule: String::new() },
        value: Some(14.0),
        evaluation: None,
        calls: Calls::default(),
    };
    session.alarms.insert(alarm.name.clone(), alarm);
    session.incidents.insert(IncidentId(1), incident());
    session
}

/// No control but line ends, no bidi override, no key.
fn journaled<'a>(session: &'a Session, records: &'a [Record]) -> Journaled<'a> {
    Journaled { session, records, anchor: "7:0f", flaw: None }
}

fn assert_clean(text: &str) {
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "a control is left in {text:?}");
    assert!(!text.contains('\u{202e}') && !text.contains("AKIAIOSFODNN7EXAMPLE"), "{text:?}");
}

fn strings(value: &Value, each: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => each(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, each)),
        Value::Object(fields) => fields.values().for_each(|item| strings(item, each)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn the_incident_object_has_its_documented_keys() {
    let around = Surroundings {
        requests: Some(Requests { mutating: 0, dry_run: 1, ..Requests::default() }),
        journal: Some("sessions/s1.jsonl".to_owned()),
        anchor: Some("7:0f".to_owned()),
        timings_ms: std::iter::once(("verdict".to_owned(), 812)).collect(),
    };
    let object = super::incident::object(&session(), Some(IncidentId(1)), &around);
    let mut keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    let mut documented = vec![
        "schema",
        "scenario",
        "mode",
        "scope",
        "alarms",
        "feeds",
        "oom_kills",
        "evidence",
        "verdict",
        "storm",
        "diagnosis",
        "narrative",
        "gate",
        "plan",
        "requests",
        "report",
        "anchor",
        "journal",
        "timings_ms",
    ];
    keys.sort_unstable();
    documented.sort_unstable();
    assert_eq!(keys, documented);
    assert_eq!(object["schema"], "pagerdeck/incident/1");
    assert_eq!(object["scenario"], "oom-leak");
    assert_eq!(object["oom_kills"]["total"], 14);
    assert_eq!(object["oom_kills"]["completeness"], "exact");
    assert_eq!(object["oom_kills"]["by_container"][0]["kills"], 14);
    assert_eq!(object["evidence"][1]["answer"]["completeness"], "denied");
    assert_eq!(object["verdict"]["ranked"][0]["cause"], "memory-leak");
    assert_eq!(object["narrative"]["claims"][1]["check"], "unsupported");
    assert_eq!(object["gate"]["open"], false);
    assert_eq!(object["plan"][0]["action"], "rollout-restart");
    assert_eq!(object["plan"][0]["decision"], "approved");
    assert_eq!(object["plan"][0]["outcome"], "would-run", "a dry-run approval runs nothing");
    assert_eq!(object["requests"]["dry_run"], 1);
    assert_eq!(object["timings_ms"]["verdict"], 812);
    strings(&object, &mut assert_clean);
}

#[test]
fn without_an_incident_the_object_is_whole_and_inconclusive() {
    let object = super::incident::object(&Session::default(), None, &Surroundings::default());
    assert_eq!(object["verdict"]["ranked"][0]["cause"], "inconclusive");
    assert_eq!(object["oom_kills"]["total"], Value::Null, "not counted is not zero");
    assert_eq!(object["scenario"], Value::Null);
    assert_eq!(object["plan"].as_array().map(Vec::len), Some(0));
    assert_eq!(object["alarms"], Value::Null, "never listed is not none");
    assert_eq!(object["requests"], Value::Null, "not counted is not zero");
}

#[test]
fn a_feed_that_fails_tells_why_in_the_object() {
    let mut session = Session::default();
    let feed = session.feeds.entry(FeedId::Alarms).or_default();
    feed.health = FeedHealth::Lost { fault: Fault::new(FaultKind::Denied, "Denied.").hint("Allow it.") };
    let object = |session: &Session| super::incident::object(session, None, &Surroundings::default());
    let told = object(&session);
    assert_eq!((&told["alarms"], &told["feeds"][0]["health"]), (&Value::Null, &Value::from("lost")));
    assert_eq!(
        (&told["feeds"][0]["name"], &told["feeds"][0]["fault"]["summary"]),
        (&"alarms".into(), &"Denied.".into())
    );
    session.feeds.entry(FeedId::Alarms).or_default().answered_at = Some(Timestamp::UNIX_EPOCH);
    assert_eq!(object(&session)["alarms"].as_array().map(Vec::len), Some(0), "listed, and none fires");
}

#[test]
fn a_count_that_was_denied_is_no_zero() {
    let mut session = session();
    let incident = session.incidents.get_mut(&IncidentId(1)).unwrap();
    incident.evidence[0].answer = Answer::Denied { fault: Fault::new(FaultKind::Denied, "Denied.") };
    let object = super::incident::object(&session, Some(IncidentId(1)), &Surroundings::default());
    assert_eq!(object["oom_kills"]["total"], Value::Null);
    assert_eq!(object["oom_kills"]["completeness"], "denied");
}

#[test]
fn the_focused_alarm_chooses_the_incident() {
    let mut session = session();
    let mut other = incident();
    (other.id, other.severity, other.alarms) = (IncidentId(2), Severity::P1, vec![AlarmName::from("other")]);
    session.incidents.insert(IncidentId(2), other);
    let chosen = |session: &Session| super::incident::chosen(session).map(|incident| incident.id);
    assert_eq!(chosen(&session), Some(IncidentId(2)), "the worst, when nothing is asked for");
    session.header.focus = Some("my-api-oomkilled".to_owned());
    assert_eq!(chosen(&session), Some(IncidentId(1)));
    session.header.focus = Some("arn:aws:cloudwatch:us-east-1:123456789012:alarm:my-api-oomkilled".to_owned());
    assert_eq!(chosen(&session), Some(IncidentId(1)));
}

#[test]
fn the_slack_message_is_labelled_escaped_and_within_limits() {
    let mut session = session();
    let incident = session.incidents.get_mut(&IncidentId(1)).unwrap();
    let many = Finding { text: format!("{HOSTILE} &{}", "<".repeat(2_000)), ..verdict().ranked[0].findings[0].clone() };
    incident.verdict.as_mut().unwrap().ranked[0].findings = vec![many; 40];
    incident.evidence =
        (1..=200).map(|id| evidence(id, Question::OomKills, Answer::Observed { payload: kills() })).collect();
    let mut message = slack::message(&session, &session.incidents[&IncidentId(1)]);
    slack::anchor(&mut message, "12:beef");
    let blocks = message["blocks"].as_array().unwrap();
    assert!(blocks.len() <= 50 && blocks.last().unwrap().to_string().contains("anchor 12:beef"));
    assert!(message["text"].as_str().unwrap().starts_with("REHEARSAL: P2 my-api"));
    for block in blocks {
        match block["type"].as_str().unwrap() {
            "header" => assert!(block["text"]["text"].as_str().unwrap().chars().count() <= 150),
            "section" => {
                if let Some(text) = block["text"]["text"].as_str() {
                    assert!(text.chars().count() <= 3_000, "{}", text.chars().count());
                }
                let fields = block["fields"].as_array().map_or(&[][..], Vec::as_slice);
                assert!(fields.len() <= 10);
                assert!(fields.iter().all(|field| field["text"].as_str().unwrap().chars().count() <= 2_000));
            }
            "context" => {}
            other => panic!("{other}"),
        }
    }
    // A line of a log may hold what Slack makes links and mentions of.
    let (texts, verbatim) = (message.to_string().matches("\"mrkdwn\"").count(), message.to_string());
    assert_eq!(verbatim.matches("\"verbatim\":true").count(), texts);
    strings(&message, &mut assert_clean);
    let mrkdwn = message["blocks"].to_string();
    assert!(mrkdwn.contains("&lt;!channel&gt;") && mrkdwn.contains("more in the transcript"));
    let sections: Vec<&Value> = blocks.iter().filter(|block| block["type"] != "header").collect();
    assert!(!serde_json::to_string(&sections).unwrap().contains("<!channel>"), "a mention would page everybody");
}
