//! What leaves the program, over a session made by hand with hostile text in every place that others write.

mod page;

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
    Step {
        id: StepId(1),
        action: Action::RolloutRestart,
        target: workload(),
        why: vec![EvidenceId(1)],
        needs: Vec::new(),
        tests: Vec::new(),
        rehearsal: None,
        digest: None,
        state: StepState::Approved,
    }
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
        requests: Requests { mutating: 0, dry_run: 1, ..Requests::default() },
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
    strings(&message, &mut assert_clean);
    let mrkdwn = message["blocks"].to_string();
    assert!(mrkdwn.contains("&lt;!channel&gt;") && mrkdwn.contains("more in the transcript"));
    let sections: Vec<&Value> = blocks.iter().filter(|block| block["type"] != "header").collect();
    assert!(!serde_json::to_string(&sections).unwrap().contains("<!channel>"), "a mention would page everybody");
}

#[test]
fn the_transcript_is_labelled_and_shows_hostile_text_as_text() {
    let mut text = String::new();
    transcript::markdown(&mut text, &journaled(&session(), &[])).unwrap();
    assert!(text.starts_with("> **REHEARSAL of oom-leak"), "{text}");
    for expected in
        ["## Incident I1", "14", "**memory leak**, confidence 0.91, settled", "outcome would-run", "`[??]` Traffic"]
    {
        assert!(text.contains(expected), "{expected} is missing in\n{text}");
    }
    assert_clean(&text);
    let (prose, spans) = prose_and_spans(&text);
    assert!(!prose.contains("**bold**") && !prose.contains("<!channel>"), "{prose}");
    // A code span shows every character as itself, as long as nothing in it can end it early.
    assert!(spans.iter().any(|span| span.contains("<!channel> **bold** | 'x'")), "{spans:?}");
    assert!(spans.iter().all(|span| !span.contains('\n')), "{spans:?}");
}

#[test]
fn the_question_that_the_narrative_was_to_answer_stands_above_it() {
    let mut session = session();
    let incident = session.incidents.values_mut().next().unwrap();
    incident.narrative.inquiry = Some("Is it the **database**?".to_owned());
    let (mut text, mut page) = (String::new(), String::new());
    transcript::markdown(&mut text, &journaled(&session, &[])).unwrap();
    super::html::page(&mut page, &journaled(&session, &[])).unwrap();
    assert_clean(&text);
    let question = text.find("Asked by the person: Is it the").expect("the question");
    assert!(question < text.find("`[??]` Traffic").unwrap(), "{text}");
    assert!(page.contains("Asked by the person: Is it the **database**?"), "{page}");
}

#[test]
fn the_first_line_of_a_rehearsal_says_that_it_is_one() {
    use crate::session::event::SessionEvent;
    let session = session();
    let mut header = session.header.clone();
    let mut first = || {
        let event = Event::Session(SessionEvent::Started { header: Box::new(header.clone()) });
        let record = Record { seq: 1, at: at(0), incident: None, event };
        let lines = super::narration::Narrator::default().lines(&record, &session);
        header.origin = crate::session::header::Origin::Real;
        lines
    };
    assert!(first()[0].starts_with("REHEARSAL of oom-leak ("));
    assert!(first()[0].contains("session started"), "and of no other");
}

#[test]
fn a_promise_for_another_day_is_told_with_its_date() {
    let due = |minutes: i64| {
        let test = FollowUpTest::Person;
        let promise =
            FollowUp { text: "find it".to_owned(), test, due_at: at(minutes * 60), standing: Standing::Pending };
        follow_up_line(&promise, at(0))
    };
    assert_eq!(due(30), "find it (due 10:01 UTC)");
    assert_eq!(due(24 * 60), "find it (due 2026-05-02 09:31 UTC)");
    assert_eq!(due(15 * 60), "find it (due 2026-05-02 00:31 UTC)", "past midnight");
}

#[test]
fn a_watch_is_told_with_how_it_stands() {
    let told = |standing| {
        let test = FollowUpTest::MetricBelow { role: MetricRole::Cpu, bound: 85.0, minutes: 30 };
        follow_up_line(&FollowUp { text: "watch CPU".to_owned(), test, due_at: at(1_800), standing }, at(0))
    };
    assert_eq!(told(Standing::Pending), "watch CPU (due 10:01 UTC; pending: watched while this session is open)");
    assert_eq!(told(Standing::Held { highest: 61.04 }), "watch CPU (due 10:01 UTC; held: 61.0 at the most)");
    let failed = Standing::Failed { at: at(600), value: 97.8 };
    assert_eq!(told(failed), "watch CPU (due 10:01 UTC; FAILED: 97.8 at 09:41 UTC)");
    let holed = Standing::Unmeasured { seen: 3, of: 29 };
    assert_eq!(told(holed), "watch CPU (due 10:01 UTC; not known: 3 of 29 points were there to tell)");
    let left = "watch CPU (due 10:01 UTC; not watched to its end: the session ended before)";
    assert_eq!(told(Standing::NotWatched), left);
}

fn journaled<'a>(session: &'a Session, records: &'a [Record]) -> Journaled<'a> {
    Journaled { session, records, anchor: "7:0f" }
}

#[test]
fn no_form_tells_what_a_template_gives_to_its_environment() {
    let template = serde_json::json!({ "spec": { "containers": [{ "name": "app", "image": "my-api:41", "env": [
        { "name": "DB_PASSWORD", "value": "hunter2" }, { "name": "GREETING", "value": "salute" },
    ] }] } });
    let mut session = session();
    let step = &mut session.incidents.get_mut(&IncidentId(1)).unwrap().plan.as_mut().unwrap().steps[0];
    // As a session holds it that runs: with the bytes that would be sent.
    step.rehearsal = Some(page::rehearsal_of(undo(&step.target, &template)));
    let object = super::incident::object(&session, Some(IncidentId(1)), &Surroundings::default());
    let (mut markdown, mut page) = (String::new(), String::new());
    transcript::markdown(&mut markdown, &journaled(&session, &[])).unwrap();
    html::page(&mut page, &journaled(&session, &[])).unwrap();
    for told in [object.to_string(), transcript::json(&journaled(&session, &[])).to_string(), markdown, page] {
        assert!(told.contains("DB_PASSWORD") && told.contains("my-api:41"), "{told}");
        assert!(!told.contains("hunter2") && !told.contains("salute"), "{told}");
    }
}

/// Markdown outside of code spans, and what is inside them. An escaped backtick opens none.
fn prose_and_spans(markdown: &str) -> (String, Vec<String>) {
    let (mut prose, mut spans, mut open) = (String::new(), Vec::new(), None::<String>);
    let mut before = ' ';
    for c in markdown.chars() {
        match (&mut open, c) {
            (Some(_), '`') => spans.extend(open.take()),
            (Some(span), c) => span.push(c),
            (None, '`') if before != '\\' => open = Some(String::new()),
            (None, c) => prose.push(c),
        }
        before = c;
    }
    assert_eq!(open, None, "a span is never closed");
    (prose, spans)
}

#[test]
fn the_json_transcript_names_its_schema_and_that_it_was_simulated() {
    let record = Record {
        seq: 1,
        at: at(0),
        incident: Some(IncidentId(1)),
        event: Event::Evidence(EvidenceEvent::VerdictReached { verdict: Box::new(verdict()), offers: Vec::new() }),
    };
    let value = transcript::json(&journaled(&session(), &[record]));
    assert_eq!(value["schema"], "pagerdeck/transcript/1");
    assert_eq!(value["simulated"], true);
    assert_eq!(value["anchor"], "7:0f");
    assert_eq!(value["records"][0]["seq"], 1);
    assert_eq!(value["incidents"][0]["oom_kills"]["total"], 14);
    assert_eq!(value["incidents"][0].get("requests"), None, "a journal holds no ledger: absent is not zero");
    strings(&value, &mut assert_clean);
}

#[test]
fn narration_tells_each_sentence_once_and_findings_under_the_verdict() {
    let session = session();
    let mut narrator = narration::Narrator::new(sparkline::Signs::Blocks);
    let text = |text: &str| Record {
        seq: 2,
        at: at(5),
        incident: Some(IncidentId(1)),
        event: Event::Narrative(NarrativeEvent::TextArrived { attempt: 1, text: text.to_owned() }),
    };
    let first = narrator.lines(&text("x"), &session);
    assert_eq!(first.len(), 2, "{first:?}");
    assert!(first[0].contains("[ok] It leaks.") && first[1].contains("[??] Traffic doubled.  (It cites nothing.)"));
    assert_eq!(narrator.lines(&text("y"), &session), Vec::<String>::new(), "nothing new, nothing told");
    let judged = Record {
        seq: 3,
        at: at(6),
        incident: Some(IncidentId(1)),
        event: Event::Evidence(EvidenceEvent::VerdictReached { verdict: Box::new(verdict()), offers: Vec::new() }),
    };
    let lines = narrator.lines(&judged, &session);
    assert!(lines[0].starts_with("09:31:06Z I1 verdict of the rules: memory leak 0.91"), "{lines:?}");
    assert!(lines[1].contains("[E1]"));
    lines.iter().chain(&first).for_each(|line| assert_clean(line));
}
