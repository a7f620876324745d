//! What gives way where there is little room, and what never does.

use pagerdeck::domain::diagnosis::evidence::{Answer, EvidenceId, Payload, Question};
use pagerdeck::domain::diagnosis::sufficiency::Sufficiency;
use pagerdeck::domain::fault::{Fault, FaultKind};
use pagerdeck::domain::observation::alarm::{Alarm, AlarmRule};
use pagerdeck::domain::observation::log::Completeness;
use pagerdeck::domain::observation::metric::MetricRole;
use pagerdeck::domain::observation::oom_kill::OomCount;
use pagerdeck::domain::observation::service::Service;
use pagerdeck::domain::remediation::step::{CheckState, RehearsalOutcome, Step, StepState};
use pagerdeck::session::feeds::{Feed, FeedHealth, FeedId};
use pagerdeck::session::header::Origin;
use pagerdeck::session::incident::Incident;
use pagerdeck::session::state::Credentials;
use pagerdeck::session::{IncidentId, Session};
use pagerdeck::ui::model::{Pane, Zoom};
use pagerdeck::ui::search::Search;

use super::fixture;
use super::fixture_parts;
use super::screens::{after, text, ui};

fn overview(size: (u16, u16), session: &Session) -> String {
    text(&ui(size, Pane::Alarms, Zoom::Overview), session)
}

/// Three incidents, two of them of services with long names.
fn three() -> Session {
    let mut session = fixture::gate_open();
    for (id, name) in [(2, "checkout-worker"), (3, "orders-read-model")] {
        let service = Service { name: name.into(), ..fixture_parts::service() };
        let first = fixture::incident(&mut session);
        let other = Incident::new(IncidentId(id), service, first.severity, first.opened_at);
        session.incidents.insert(other.id, other);
    }
    session
}

#[test]
fn every_incident_is_named_before_one_is_told_in_full() {
    let session = three();
    for keys in ["", "]", "] ]"] {
        let shown = text(&after(((120, 40), &session), keys), &session);
        let strip = shown.lines().nth(1).unwrap();
        for name in ["I1 P2 my-api", "I2 P2 checkout-worker", "I3 P2 orders-read-model"] {
            assert!(strip.contains(name), "{name}: {strip}");
        }
        assert!(!strip.contains("+1") && strip.ends_with("[ ] switch"), "{strip}");
    }
    let wide = overview((300, 90), &session);
    let strip = wide.lines().nth(1).unwrap();
    assert!(!strip.contains("+1") && strip.matches(" firing").count() == 3, "{strip}");
}

#[test]
fn the_log_title_always_tells_what_was_lost_and_what_it_is_filtered_by() {
    let session = fixture::gate_open();
    for cols in (60..=200).step_by(4) {
        let shown = text(&ui((cols, 40), Pane::Logs, Zoom::Zoomed), &session);
        let title = shown.lines().find(|row| row.contains("[3] LOGS")).unwrap();
        assert!(title.contains("14 exact"), "{cols}: {title}");
        // That none was lost is the last to give way, to the time of the count.
        assert!(title.contains("  0 lost ") || cols < 64 && title.contains("~09:30Z"), "{cols}: {title}");
    }
    for size in [(60, 16), (80, 24), (120, 40)] {
        let shown = text(&after((size, &session), "3 z / o o m enter"), &session);
        let title = shown.lines().find(|row| row.contains("[3] LOGS")).unwrap();
        assert!(title.contains("/oom") && title.contains(" lines"), "{size:?}: {title}");
    }
}

#[test]
fn line_one_gives_up_the_name_of_the_drill_before_a_word_of_the_scope() {
    let mut session = fixture::gate_open();
    session.header.origin =
        Origin::Rehearsal { scenario: "a-drill-with-a-name".to_owned(), seed: 1, speed: "1".to_owned() };
    session.header.environment = String::new();
    session.credentials = Credentials::Lasting;
    let shown = overview((80, 24), &session);
    let line = shown.lines().next().unwrap();
    for word in ["REHEARSAL", "123456789012", "us-east-1", "oncall-ro", "DRY-RUN"] {
        assert!(line.contains(word), "{word}: {line}");
    }
    assert!(!line.contains("a-drill"), "{line}");
    session.credentials = Credentials::ExpireAt(fixture::now() + jiff::SignedDuration::from_mins(42));
    let shown = overview((80, 24), &session);
    assert!(shown.lines().next().unwrap().contains("creds 42m"), "a time that runs down stays longer: {shown}");
}

#[test]
fn a_figure_of_the_gate_is_never_apart_from_its_word() {
    let session = fixture::gate_open();
    for size in [(60, 16), (80, 24), (100, 30), (120, 40), (140, 40), (200, 60)] {
        let shown = text(&ui(size, Pane::Rca, Zoom::Overview), &session);
        for figure in ["confidence 0.86 (gate 0.75)", "evidence 8/8", "claims 4/4", "fresh "] {
            assert!(shown.contains(figure), "{figure} at {size:?}\n{shown}");
        }
        let unheld = overview((120, 40), &session);
        assert!(!unheld.lines().any(|row| row.trim_start_matches('│').starts_with(" (rules")), "{unheld}");
    }
}

#[test]
fn the_way_into_a_rehearsal_is_on_the_lowest_screen() {
    let mut session = fixture::empty();
    let health = FeedHealth::Off { why: "No AWS region is set.".to_owned() };
    session.feeds.insert(FeedId::Alarms, Feed { health, ..Feed::default() });
    let shown = overview((60, 16), &session);
    assert!(shown.contains("FIRST CONTACT"), "{shown}");
    let foot = shown.lines().next_back().unwrap();
    assert!(foot.contains("^T rehearse") && foot.contains("r ask again") && foot.contains("? help"), "{foot}");
}

#[test]
fn no_hint_is_cut() {
    let session = fixture::gate_open();
    for keys in ["1 enter", "3 k enter", "1 v", "4 j enter", "K"] {
        let shown = text(&after(((60, 16), &session), keys), &session);
        let foot = shown.lines().next_back().unwrap();
        assert!(foot.contains("q close") && !foot.contains('…'), "{keys}: {foot}");
    }
    let armed = fixture::armed();
    let shown = text(&ui((60, 16), Pane::Remediation, Zoom::Overview), &armed);
    assert!(!shown.lines().next_back().unwrap().contains('…'), "{shown}");
}

/// A finding rests on evidence from either side; which one is what a reader wants to know.
#[test]
fn evidence_says_which_findings_it_speaks_for_and_which_it_speaks_against() {
    let session = fixture::gate_open();
    let at = session.incidents[&IncidentId(1)].answer_to(Question::Traffic).unwrap().id;
    let keys = format!("4 {} enter", "j ".repeat(at.0 as usize - 1));
    let shown = text(&after(((120, 40), &session), &keys), &session);
    assert!(shown.contains(&format!("EVIDENCE {at}")), "{shown}");
    assert!(shown.contains("finding     for ") || shown.contains("finding     against "), "{shown}");
}

/// The first step of the plan on its own screen, after a change of it.
fn card(size: (u16, u16), change: impl FnOnce(&mut Step)) -> String {
    let mut session = fixture::gate_open();
    change(&mut fixture::incident(&mut session).plan.as_mut().unwrap().steps[0]);
    text(&ui(size, Pane::Remediation, Zoom::Overview), &session)
}

/// The one check that warns is what a decision turns on: it is read to its end, whatever else gives way.
#[test]
fn a_check_that_warns_is_whole_and_first() {
    let warning = "the nodes have room for 1 more pod of 1Gi; the rollout surges by 2 and would wait for a node";
    for size in [(60, 16), (80, 24), (100, 30), (120, 40)] {
        let shown = card(size, |step| {
            let checks = &mut step.rehearsal.as_mut().unwrap().checks;
            let warns = checks.iter_mut().find(|check| check.state == CheckState::Warning).unwrap();
            warns.text = warning.to_owned();
        });
        let rows = shown.lines().map(|row| row.trim_matches(['│', ' '])).collect::<Vec<_>>().join(" ");
        assert!(rows.contains(&format!("CHECKS [!!] freeze: {warning}")), "{size:?}\n{shown}");
    }
}

#[test]
fn a_rehearsal_that_was_refused_is_told_as_one() {
    for size in [(60, 16), (80, 24), (120, 40)] {
        let shown = card(size, |step| {
            step.state = StepState::Proposed;
            let rehearsal = step.rehearsal.as_mut().unwrap();
            let fault = Fault::new(FaultKind::Rejected, "The quota of payments is used up.");
            rehearsal.outcome = RehearsalOutcome::Refused { fault };
            (rehearsal.diff, rehearsal.checks) = (Vec::new(), Vec::new());
        });
        for said in ["REFUSED", "The quota of payments is used up.", "The server refused its rehearsal"] {
            assert!(shown.contains(said), "{said} at {size:?}\n{shown}");
        }
        for wrong in ["not rehearsed", "no field would change", "bytes would be sent"] {
            assert!(!shown.contains(wrong), "{wrong} at {size:?}\n{shown}");
        }
    }
}

/// What is armed is read before it is sent: nothing of it is cut where no key but the token's own is left.
#[test]
fn no_fact_of_an_armed_step_is_cut_at_the_least_size() {
    let mut session = fixture::armed();
    session.header.scope.identity =
        Some("arn:aws:sts::123456789012:assumed-role/oncall-payments-rw/ana.example".to_owned());
    let step = &mut fixture::incident(&mut session).plan.as_mut().unwrap().steps[0];
    step.why = (1..=6).map(EvidenceId).collect();
    let rehearsal = step.rehearsal.as_mut().unwrap();
    rehearsal.blast = "6 pods replaced, at most 1 down and 2 extra at a time (maxUnavailable 25%)".to_owned();
    let shown = text(&ui((60, 16), Pane::Remediation, Zoom::Overview), &session);
    for (word, said) in [
        ("WHAT", "PATCH deployments/my-api"),
        ("WHERE", "us-east-1"),
        ("WHO", "aws oncall-payments-rw/ana.example  k8s oncall-ro"),
        ("WHY", "6 pods replaced"),
        ("UNDO", "rollout undo to revision 41"),
    ] {
        let row = shown.lines().find(|row| row.trim_start_matches('│').starts_with(word)).unwrap();
        assert!(row.contains(said) && !row.contains('…'), "{word}: {row}\n{shown}");
    }
    assert!(!shown.contains("(l)"), "l would go into the token\n{shown}");
}

#[test]
fn the_container_of_a_line_is_told_apart_in_a_narrow_pane() {
    let session = fixture::gate_open();
    let shown = text(&ui((80, 24), Pane::Logs, Zoom::Zoomed), &session);
    let row = shown.lines().rfind(|row| row.contains("starting my-api")).unwrap();
    assert!(row.contains("0405 starting"), "{row}");
}

#[test]
fn a_name_is_cut_only_where_its_own_row_has_no_room() {
    let mut session = fixture::gate_open();
    let long = "my-api-requests-failed-at-the-gateway-5xx";
    let alarm = session.alarms.values().find(|alarm| alarm.name.as_str() == "my-api-cpu-high").unwrap().clone();
    let named = Alarm { name: long.into(), value: Some(7.0), since: fixture::now(), ..alarm };
    session.alarms.insert(named.name.clone(), named);
    let shown = overview((120, 40), &session);
    let row = shown.lines().find(|row| row.contains("my-api-requests")).unwrap();
    let own = row.split('│').nth(1).unwrap();
    let gap = own.trim().split("  ").filter(|part| part.is_empty()).count();
    assert!(own.contains(long) || gap <= 2, "cut beside blanks: {own:?}");
}

#[test]
fn what_refuses_several_remedies_alike_is_told_once() {
    let mut session = fixture::locked();
    let incident = fixture::incident(&mut session);
    for offer in &mut incident.offers {
        offer.sufficiency = Sufficiency::Refused { reasons: vec!["Nothing is settled.".to_owned()] };
    }
    let remedies = incident.offers.len();
    let shown = text(&ui((200, 60), Pane::Remediation, Zoom::Zoomed), &session);
    assert!(remedies > 1 && shown.matches("refused: Nothing is settled.").count() == 1, "{shown}");
}

/// Who was paged for errors looks at errors, and sees that there are more charts than fit.
#[test]
fn the_chart_that_the_incident_was_opened_about_is_the_first() {
    let mut session = fixture::gate_open();
    let shown = overview((120, 40), &session);
    assert!(shown.contains(" 1-2 of 4 ") && shown.contains("CPU now"), "{shown}");
    let requests = session.metrics.values().next().unwrap()[&MetricRole::Requests].query.clone();
    for alarm in session.alarms.values_mut() {
        if let AlarmRule::Metric { metric, statistic, .. } = &mut alarm.rule {
            (*metric, *statistic) = (requests.metric.clone(), requests.statistic);
        }
    }
    let shown = overview((120, 40), &session);
    let row = shown.lines().find(|row| row.contains("REQ now")).expect("the first chart");
    assert!(row.find("REQ") < row.find("CPU"), "{row}");
    // Kills are counted by a metric of their own: what they are about is memory.
    let charts = session.metrics.values_mut().next().unwrap();
    let mut kills = charts[&MetricRole::Requests].clone();
    kills.query.role = MetricRole::Alarm;
    kills.query.metric.name = "pod_container_status_terminated_reason_oom_killed".to_owned();
    let query = kills.query.clone();
    charts.insert(MetricRole::Alarm, kills);
    for alarm in session.alarms.values_mut() {
        if let AlarmRule::Metric { metric, .. } = &mut alarm.rule {
            *metric = query.metric.clone();
        }
    }
    let shown = overview((120, 40), &session);
    let row = shown.lines().find(|row| row.contains("MEM now")).expect("the first chart");
    assert!(row.find("MEM") < row.find("CPU"), "{row}");
    let mut ui = ui((120, 40), Pane::Metrics, Zoom::Zoomed);
    ui.size.rows = 60;
    let shown = text(&ui, &session);
    assert!(shown.contains("oom_killed now"), "a long name leaves room for its value: {shown}");
}

/// Where the figures of the gate have no room, why it is locked has.
#[test]
fn what_locks_the_gate_is_told_before_its_figures() {
    let session = fixture::locked();
    for size in [(120, 24), (120, 28), (120, 32), (120, 40), (200, 60)] {
        let shown = overview(size, &session);
        assert!(!shown.contains("[4] RCA") || shown.contains("LOCKED: There is no"), "{size:?}\n{shown}");
    }
    let shown = text(&ui((60, 16), Pane::Rca, Zoom::Overview), &session);
    assert!(shown.contains("LOCKED: There is no"), "{shown}");
}

/// What a search hides is there, and the search is told wherever its pane is.
#[test]
fn evidence_that_a_search_hides_is_not_told_as_none() {
    let session = fixture::gate_open();
    for size in [(60, 16), (80, 24), (120, 40), (200, 60)] {
        for pane in [Pane::Rca, Pane::Alarms] {
            let mut ui = ui(size, pane, Zoom::Overview);
            ui.evidence.search = Some(Search::filter("ledger"));
            let shown = text(&ui, &session);
            let title = shown.lines().find(|row| row.contains("[4] RCA"));
            assert!(title.is_none_or(|title| title.contains("/ledger")), "{size:?} {pane:?}\n{shown}");
            let told = shown.contains("none matches /ledger (8 hidden)");
            assert!(told == (pane == Pane::Rca) && !shown.contains("none asked"), "{size:?} {pane:?}\n{shown}");
        }
    }
}

/// Of containers that ended nobody knows how, it is not told how many lines were read.
#[test]
fn kills_that_are_not_told_apart_are_told_by_their_bounds() {
    let mut session = fixture::gate_open();
    let found = fixture::incident(&mut session)
        .evidence
        .iter_mut()
        .find(|evidence| evidence.question == Question::OomKills)
        .unwrap();
    if let Answer::Observed { payload: Payload::OomKills(count) } = &found.answer {
        let completeness = Completeness::Truncated { seen: 0, of: Some(6) };
        let count = OomCount { total: 0, completeness, by_container: Vec::new(), ..count.clone() };
        found.answer = Answer::Truncated { payload: Payload::OomKills(count), seen: 0, of: Some(6) };
    }
    let shown = overview((120, 40), &session);
    assert!(shown.contains("0 to 6") && !shown.contains("in the first"), "{shown}");
}

/// What was asked for and has no points is not passed over.
#[test]
fn metrics_without_points_are_named() {
    let mut session = fixture::gate_open();
    let charts = session.metrics.values_mut().next().unwrap();
    let queries = charts.iter().map(|(role, series)| (*role, series.query.clone())).collect();
    charts.remove(&MetricRole::Memory);
    fixture::incident(&mut session).service.metrics = queries;
    for size in [(60, 16), (80, 24), (120, 40)] {
        let shown = text(&ui(size, Pane::Metrics, Zoom::Zoomed), &session);
        assert!(shown.contains("? no data in the last 30m: MEM"), "{size:?}\n{shown}");
    }
}
