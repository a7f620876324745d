//! What `--plain` says to who listens: every pane in words, a thing a line, with nothing drawn, cut or laid out in columns.

use pagerdeck::domain::diagnosis::evidence::{EvidenceSource, Question};
use pagerdeck::report::narration::Narrator;
use pagerdeck::session::{Session, update};
use pagerdeck::ui::model::overlay::Item;
use pagerdeck::ui::model::{Glyphs, Pane, Size, Ui, UiOptions};
use pagerdeck::ui::search::Search;
use pagerdeck::ui::view;

use super::fixture;
use super::rehearsed::live;

fn ui() -> Ui {
    Ui::new(UiOptions { glyphs: Glyphs::Ascii, ..UiOptions::default() }, Size::default())
}

fn heard(pane: Pane, session: &Session) -> Vec<String> {
    view::words(pane, (&ui(), session), (fixture::now(), 5))
}

fn sessions() -> [(&'static str, Session); 11] {
    [
        ("empty", fixture::empty()),
        ("triage", fixture::triage()),
        ("streaming", fixture::streaming()),
        ("gate open", fixture::gate_open()),
        ("armed", fixture::armed()),
        ("locked", fixture::locked()),
        ("stale", fixture::stale()),
        ("denied", fixture::denied()),
        ("no data", fixture::no_data()),
        ("closed", fixture::closed()),
        ("game day", fixture::game_day()),
    ]
}

/// What no screen reader can make sense of.
fn assert_words(line: &str, from: &str) {
    let drawn = |sign: char| matches!(sign, '\u{2500}'..='\u{259f}' | '\u{2800}'..='\u{28ff}' | '|' | '…');
    assert!(!line.chars().any(drawn), "drawn or cut, {from}: {line}");
    assert!(!line.contains("   ") && !line.contains("----") && !line.contains("~~~"), "laid out, {from}: {line}");
    assert!(!line.trim().is_empty() && !line.ends_with('~'), "empty or cut, {from}: {line:?}");
}

#[test]
fn every_pane_of_every_moment_is_words() {
    for (name, session) in sessions() {
        for pane in Pane::ALL {
            let lines = heard(pane, &session);
            assert!(!lines.is_empty(), "{name} {pane:?}");
            for line in &lines {
                assert_words(line, &format!("{name} {pane:?}"));
            }
        }
    }
}

#[test]
fn the_panes_of_an_open_gate_as_they_are_heard() {
    let session = fixture::gate_open();
    let told: Vec<String> = Pane::ALL.into_iter().flat_map(|pane| heard(pane, &session)).collect();
    insta::assert_snapshot!(told.join("\n"));
}

/// The state of a feed, of a step and of the data is never dropped with the picture of it.
#[test]
fn what_the_screen_warns_of_is_heard() {
    let all = |session: &Session| Pane::ALL.into_iter().flat_map(|pane| heard(pane, session)).collect::<String>();
    for (session, said) in [
        (fixture::stale(), ["STALE 3m12s ERR Credentials", "Showing the last data."]),
        (fixture::denied(), ["ERR AccessDenied", "hint: "]),
        (fixture::locked(), ["LOCKED: ", "CONTRADICTED: "]),
        (fixture::armed(), ["ARMED", "This WILL restart 6 pods"]),
        (fixture::gate_open(), ["14 exact", "GATE OPEN"]),
    ] {
        let told = all(&session).replace("Contradicted", "CONTRADICTED");
        for words in said {
            assert!(told.contains(words), "{words}: {told}");
        }
    }
}

#[test]
fn a_line_of_the_logs_is_whole_and_can_be_looked_for() {
    let session = fixture::gate_open();
    let long = session.logs.lines().iter().map(|stored| stored.line.text.to_string()).max_by_key(String::len).unwrap();
    let mut ui = ui();
    *ui.search_of(Pane::Logs) = Some(Search::filter(long.clone()));
    let lines = view::words(Pane::Logs, (&ui, &session), (fixture::now(), 5));
    assert!(lines.last().unwrap().contains(&long), "{lines:?}");
}

#[test]
fn a_thing_is_told_without_its_chart_and_each_point_after_its_time() {
    let session = fixture::gate_open();
    let role = pagerdeck::domain::observation::metric::MetricRole::Cpu;
    for item in [Item::Metric(role), Item::Evidence(session.incidents.values().next().unwrap().evidence[0].id)] {
        let lines = view::item_words(&item, (&ui(), &session), fixture::now()).unwrap();
        for line in &lines {
            assert_words(line, &format!("{item:?}"));
        }
        assert!(lines.iter().any(|line| line.starts_with("09:30:00Z ")), "{lines:?}");
    }
}

/// Where the console shows it: the graph of a metric, the query of the lines that were counted, the workload.
#[test]
fn what_is_opened_tells_where_the_console_shows_it() {
    let session = fixture::gate_open();
    let incident = session.incidents.values().next().unwrap();
    let of = |question: Question| {
        let evidence = incident.evidence.iter().find(|evidence| evidence.question == question).unwrap();
        view::item_words(&Item::Evidence(evidence.id), (&ui(), &session), fixture::now()).unwrap().join("\n")
    };
    for (question, address) in [
        (
            Question::Cpu,
            "graph: https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#metricsV2:graph=",
        ),
        (
            Question::OomKills,
            "kills: https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#logsV2:",
        ),
        (Question::LogPatterns, "$257Esource$257E$2528$257E$2527*2fecs*2fmy-api$2529$2529"),
        (Question::OomKills, "workload: https://us-east-1.console.aws.amazon.com/eks/home?region=us-east-1#/clusters/"),
    ] {
        let told = of(question);
        assert!(told.contains(address), "{question:?} {address}: {told}");
    }
    let role = pagerdeck::domain::observation::metric::MetricRole::Cpu;
    let told = view::item_words(&Item::Metric(role), (&ui(), &session), fixture::now()).unwrap().join("\n");
    let window = "start~'2026-05-01T09*3a01*3a00.000Z~end~'2026-05-01T09*3a31*3a00.000Z)";
    assert!(told.contains("~'CPUUtilization") && told.contains(window), "{told}");
    let mut files = session.clone();
    for evidence in &mut files.incidents.values_mut().next().unwrap().evidence {
        evidence.source = EvidenceSource::Files;
    }
    for evidence in &files.incidents.values().next().unwrap().evidence {
        let told = view::item_words(&Item::Evidence(evidence.id), (&ui(), &files), fixture::now()).unwrap();
        assert!(!told.join("\n").contains("https://"), "what files tell is on no page: {told:?}");
    }
}

#[test]
fn the_story_is_told_in_words() {
    let (mut session, mut narrator) = (Session::default(), Narrator::heard());
    let mut told = Vec::new();
    for record in live().records() {
        drop(update(&mut session, &record));
        told.extend(narrator.lines(&record, &session));
    }
    for line in &told {
        assert_words(line, "the story");
        assert!(!line.contains("[ok]") && !line.contains(" -- "), "{line}");
    }
    for words in ["for it: ", "supported: ", "check passed, ", "memory, exact: "] {
        assert!(told.iter().any(|line| line.contains(words)), "{words}: {told:#?}");
    }
}
