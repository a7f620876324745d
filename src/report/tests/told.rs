//! What the transcripts and the lines of a run without a screen tell.

use super::*;

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
fn a_timeline_that_begins_late_says_so() {
    use crate::session::event::SessionEvent;
    let mut session = session();
    for seq in 1..=5_003 {
        let event = Event::Session(SessionEvent::Noted { text: format!("note {seq}") });
        session.timeline.fold(&Record { seq, at: at(0), incident: None, event });
    }
    let (mut text, mut page) = (String::new(), String::new());
    transcript::markdown(&mut text, &journaled(&session, &[])).unwrap();
    super::html::page(&mut page, &journaled(&session, &[])).unwrap();
    let said = format!("Before these, {} more are in the journal alone.", session.timeline.dropped());
    assert!(session.timeline.dropped() >= 3 && text.contains(&said) && page.contains(&said), "{said}");
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
