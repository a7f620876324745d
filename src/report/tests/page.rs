//! The page: hostile text stays text, every element is closed, nothing is loaded, and what was sent is listed.

use super::*;
use crate::domain::observation::metric::{MetricId, MetricQuery, MetricRole, Point, Series, Statistic, Unit};
use crate::domain::remediation::request::{PatchType, Request};
use crate::domain::remediation::step::{Rehearsal, RehearsalOutcome};
use crate::session::event::{Execution, RemediationEvent};

/// What would end an element, an attribute or a style sheet, begin a script, or load something.
const POISON: &str = "</td></style><script>alert(\"1\")</script><img src='x' onerror=alert(1)> &amp; \u{1b}[2J\u{202e}";

/// What a page may consist of.
const TAGS: [&str; 31] = [
    "html", "head", "meta", "title", "style", "body", "section", "p", "h1", "h2", "h3", "h4", "table", "thead",
    "tbody", "tr", "th", "td", "ul", "li", "span", "div", "code", "pre", "a", "details", "summary", "svg", "polyline",
    "circle", "line",
];

fn rehearsal() -> Rehearsal {
    let body = serde_json::json!({ "a": POISON }).to_string();
    rehearsal_of(Request::new(POISON.to_owned(), PatchType::Merge, body))
}

pub(super) fn rehearsal_of(request: Request) -> Rehearsal {
    Rehearsal {
        outcome: RehearsalOutcome::Rehearsed,
        at: at(4),
        request: Some(request),
        facts: None,
        diff: Vec::new(),
        checks: Vec::new(),
        blast: POISON.to_owned(),
        undo: POISON.to_owned(),
    }
}

/// A gap of ten minutes after the third of six points, on a threshold.
fn memory() -> Payload {
    let query = MetricQuery {
        role: MetricRole::Memory,
        metric: MetricId { namespace: POISON.to_owned(), name: "memory".to_owned(), ..MetricId::default() },
        statistic: Statistic::Average,
        period_s: 60,
    };
    let minutes = [-20_i64, -19, -18, -8, -7, -6];
    let points = minutes.map(|minute| Point { at: at(minute * 60), value: (minute + 40) as f64 });
    let series = Series::new(query, Unit::Percent, points);
    let (baseline, threshold, side, same_hours) = (None, Some(30.0), None, None);
    Payload::Series { series, baseline, threshold, side, band: Vec::new(), same_hours, earlier_days: Vec::new() }
}

fn poisoned() -> Session {
    let mut session = session();
    session.header.environment = POISON.to_owned();
    let incident = session.incidents.get_mut(&IncidentId(1)).unwrap();
    incident.service.name = POISON.into();
    incident.narrative.model = POISON.to_owned();
    incident.narrative.claims[0].text = POISON.to_owned();
    incident.evidence[0].query = POISON.to_owned();
    incident.evidence.push(evidence(3, Question::Memory, Answer::Observed { payload: memory() }));
    incident.verdict.as_mut().unwrap().ranked[0].findings[0].text = POISON.to_owned();
    incident.report.as_mut().unwrap().headline = POISON.to_owned();
    let step = &mut incident.plan.as_mut().unwrap().steps[0];
    step.target.name = POISON.to_owned();
    step.rehearsal = Some(rehearsal());
    session
}

fn record(seq: u64, event: Event) -> Record {
    Record { seq, at: at(10), incident: Some(IncidentId(1)), event }
}

fn page(session: &Session, records: &[Record]) -> String {
    let mut text = String::new();
    html::page(&mut text, &journaled(session, records)).unwrap();
    text
}

/// Names of elements as they open, and their attributes; fails where one is closed that is not the last one open.
fn elements(page: &str) -> Vec<(String, String)> {
    let (mut found, mut open) = (Vec::new(), Vec::new());
    let mut rest = page.strip_prefix("<!DOCTYPE html>").expect("a page begins with its type");
    while let Some(begin) = rest.find('<') {
        let end = begin + rest[begin..].find('>').expect("a tag ends");
        let tag = &rest[begin + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "closed out of order");
            continue;
        }
        let closed = tag.ends_with('/');
        let (name, attributes) = tag.trim_end_matches('/').split_once(' ').unwrap_or((tag.trim_end_matches('/'), ""));
        found.push((name.to_owned(), attributes.to_owned()));
        if !closed {
            open.push(name.to_owned());
        }
    }
    assert_eq!(open, Vec::<String>::new(), "left open");
    found
}

#[test]
fn a_page_is_whole_loads_nothing_and_shows_hostile_text_as_text() {
    let text = page(&poisoned(), &[]);
    for (name, attributes) in elements(&text) {
        assert!(TAGS.contains(&name.as_str()), "<{name} {attributes}>");
        for word in [" src=", " onerror=", "url(", "http:", "https:"] {
            assert!(!format!(" {attributes}").contains(word), "<{name} {attributes}>");
        }
        let elsewhere = attributes.split("href=\"").skip(1).any(|target| !target.starts_with('#'));
        assert!(!elsewhere, "<{name} {attributes}>");
    }
    let style = text.split("<style>").nth(1).and_then(|rest| rest.split("</style>").next()).unwrap();
    assert!(!style.contains("url(") && !style.contains("@import"), "{style}");
    assert!(text.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;"), "it is shown");
    assert_clean(&text);
}

#[test]
fn a_page_of_a_rehearsal_says_so_before_all_else() {
    let text = page(&session(), &[]);
    let body = text.split("<body>").nth(1).unwrap();
    assert!(body.starts_with("<p class=\"simulated\">SIMULATED. REHEARSAL of oom-leak"), "{body}");
    assert!(text.contains("<title>SIMULATED: "));
    let mut real = session();
    real.header.origin = Origin::Real;
    assert!(!page(&real, &[]).contains("SIMULATED"));
}

#[test]
fn a_page_tells_verdict_evidence_claims_steps_and_timeline() {
    let text = page(&session(), &[]);
    for expected in [
        "memory leak, confidence 0.91, settled",
        "<th id=\"I1-E1\">E1</th>",
        "<td class=\"good\">exact</td>",
        "<td class=\"bad\">denied</td>",
        "<a href=\"#I1-E1\">E1</a>",
        "<span class=\"warn\">UNSUPPORTED</span> Traffic doubled.",
        "<th>Outcome</th><td>would-run</td>",
        "No request was sent that could change anything",
    ] {
        assert!(text.contains(expected), "{expected} is missing in\n{text}");
    }
}

#[test]
fn a_hole_in_a_series_is_no_line() {
    let text = page(&poisoned(), &[]);
    assert_eq!(text.matches("<polyline ").count(), 2, "three points, a hole, three points");
    assert_eq!(text.matches("<line ").count(), 1, "the threshold");
}

#[test]
fn the_ledger_lists_rehearsals_what_changed_something_and_how_it_ended() {
    let step = StepId(1);
    let mut first = rehearsal();
    first.request.as_mut().unwrap().path = "/apis/apps/v1/namespaces/payments/deployments/my-api".to_owned();
    let digest: crate::domain::remediation::request::Digest = serde_json::from_str("\"7f3a00\"").unwrap();
    let started = |seq| record(seq, Event::Remediation(RemediationEvent::StepStarted { step, digest: digest.clone() }));
    let applied = Execution::Applied { generation: 42 };
    let records = [
        record(
            1,
            Event::Remediation(RemediationEvent::StepRehearsed { step, rehearsal: Box::new(first), digest: None }),
        ),
        started(2),
        record(3, Event::Remediation(RemediationEvent::StepFinished { step, execution: applied })),
        started(4),
    ];
    let text = page(&session(), &records);
    let ledger = text.split("<h2>Requests</h2>").nth(1).unwrap();
    assert!(ledger.contains("2 requests were sent that could change something</span>; 1 with dryRun=All"), "{ledger}");
    assert!(ledger.contains("deployments/my-api?dryRun=All</code>"), "{ledger}");
    assert!(ledger.contains("deployments/my-api #7f3a</code>"), "{ledger}");
    assert!(ledger.contains("<td>applied, generation 42</td>"), "{ledger}");
    assert!(ledger.contains("<td>no answer in the journal</td>"), "what was sent last has none");
    drop(elements(&text));
}
