//! Keys that move, look, open and write.

use std::sync::Arc;

use jiff::SignedDuration;

use super::*;
use crate::domain::observation::alarm::{Alarm, AlarmState, fixture};
use crate::domain::observation::log::{BatchSummary, LogEventId, LogLevel, LogLine};
use crate::domain::observation::oom_kill::KillSign;
use crate::domain::observation::skew::ClockSkew;
use crate::session::logs::{LogBoard, StoredLine};
use crate::ui::model::overlay::{Item, Overlay, Telling};
use crate::ui::model::scroll::{Freeze, Scroll};
use crate::ui::model::{ClockStyle, Pane, Zoom, rows};

pub(super) fn line(second: i64, level: LogLevel, text: &str) -> LogLine {
    LogLine {
        id: LogEventId::new(format!("{second}-{text}")),
        at: Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second),
        group: "/ecs/my-api".into(),
        stream: "pod".into(),
        level,
        text: text.into(),
        kill: text.contains("OOMKilled").then_some(KillSign::OomKill),
    }
}

/// 100 lines: an error every ten, a warning every 25, a kill at 33 and 77.
pub(super) fn busy() -> Session {
    let mut session = session(StepState::Rehearsed);
    session.header.log_groups = vec!["/ecs/my-api".into()];
    let lines: Vec<LogLine> = (0..100).map(numbered).collect();
    session.logs.fold_batch(&"/ecs/my-api".into(), &BatchSummary::default(), &lines);
    session
}

pub(super) fn numbered(second: i64) -> LogLine {
    match second {
        33 | 77 => line(second, LogLevel::Info, "OOMKilled exit=137"),
        _ if second % 10 == 0 => line(second, LogLevel::Error, &format!("failed {second}")),
        _ if second % 25 == 0 => line(second, LogLevel::Warn, &format!("slow {second}")),
        _ => line(second, LogLevel::Info, &format!("GET {second}")),
    }
}

pub(super) fn selected(person: &Person) -> String {
    let shown = rows::logs(&person.ui, &person.session, rows::log_height(&person.ui));
    shown.cursor.map(|cursor| shown.lines[cursor].line.text.to_string()).unwrap_or_default()
}

fn on_screen(person: &Person) -> Vec<u64> {
    let shown = rows::logs(&person.ui, &person.session, rows::log_height(&person.ui));
    shown.lines.iter().map(|stored| stored.number).collect()
}

#[test]
fn numbers_tab_and_zoom_move_the_focus() {
    let mut person = Person::new(Session::default());
    for (key, pane) in ["1", "2", "3", "4", "5", "6"].into_iter().zip(Pane::ALL) {
        assert_eq!(person.presses(key), []);
        assert_eq!(person.ui.focus, pane);
    }
    person.presses("tab");
    assert_eq!(person.ui.focus, Pane::Alarms);
    person.presses("backtab z");
    assert_eq!((person.ui.focus, person.ui.zoom), (Pane::Timeline, Zoom::Zoomed));
    person.presses("q");
    assert_eq!((person.ui.focus, person.ui.zoom), (Pane::Timeline, Zoom::Overview));
    person.presses("esc");
    assert_eq!(person.ui.focus, Pane::Alarms);
    person.presses("h");
    assert!(person.said().contains("Ctrl-C twice"), "{}", person.said());
}

#[test]
fn jumps_find_errors_warnings_and_kills_from_any_pane() {
    let mut person = Person::new(busy());
    person.presses("o");
    assert_eq!((person.ui.focus, selected(&person).as_str()), (Pane::Logs, "OOMKilled exit=137"), "the last one first");
    person.presses("O");
    assert_eq!(on_screen(&person).first(), Some(&33));
    person.presses("O");
    assert!(person.said().starts_with("No OOM kill or heap error before"), "{}", person.said());
    for (key, text) in
        [("e", "failed 40"), ("E", "failed 30"), ("w", "slow 75"), ("W", "slow 25"), ("o", "OOMKilled exit=137")]
    {
        person.presses(key);
        assert_eq!(selected(&person), text, "{key}");
    }
}

#[test]
fn new_lines_move_nothing_that_is_held_and_follow_is_a_mode() {
    let mut person = Person::new(busy());
    person.presses("3 k k k");
    let (before, line_before) = (on_screen(&person), selected(&person));
    assert_eq!(line_before, "GET 96");
    let late: Vec<LogLine> = (0..50).map(|n| line(n, LogLevel::Info, "late")).chain((100..150).map(numbered)).collect();
    person.session.logs.fold_batch(&"/ecs/my-api".into(), &BatchSummary::default(), &late);
    assert_eq!((on_screen(&person), selected(&person)), (before, line_before));
    person.presses("f");
    assert_eq!(selected(&person), "GET 149");
    assert!(person.ui.logs.follows());
    person.presses("f");
    let held = on_screen(&person);
    person.session.logs.fold_batch(&"/ecs/my-api".into(), &BatchSummary::default(), &[numbered(150)]);
    assert_eq!(on_screen(&person), held);
}

#[test]
fn the_pane_holds_the_lines_of_the_incident_on_screen_alone() {
    let mut person = Person::new(busy());
    let other: Vec<LogLine> =
        (0..100).map(|n| LogLine { group: "/ecs/other".into(), ..line(n, LogLevel::Error, "not ours") }).collect();
    person.presses("3 p");
    person.session.logs.fold_batch(&"/ecs/other".into(), &BatchSummary::default(), &other);
    assert_eq!(rows::logs(&person.ui, &person.session, 5).withheld, 0);
    person.presses("p");
    person.types("gg");
    let texts: Vec<String> = (0..3)
        .map(|_| {
            let text = selected(&person);
            person.presses("j");
            text
        })
        .collect();
    assert_eq!(texts, ["failed 0", "GET 1", "GET 2"]);
    person.presses("e");
    assert_eq!(selected(&person), "failed 10", "a jump passes over the lines of others");
}

/// Points are dated by AWS: one that is ahead of it would let more come for as long.
#[test]
fn charts_are_frozen_by_the_clock_that_dates_their_points() {
    let mut session = busy();
    let ahead = SignedDuration::from_mins(10);
    session.clock = ClockSkew::NONE.remeasured(ahead);
    let mut person = Person::new(session);
    person.presses("2 p");
    let Freeze::At { at: held, .. } = person.ui.metrics.freeze else { panic!("{}", person.said()) };
    assert_eq!(held, at(person.clock).now - ahead);
}

#[test]
fn a_frozen_pane_counts_what_it_withholds() {
    let mut person = Person::new(busy());
    person.presses("3 p");
    let before = on_screen(&person);
    person.session.logs.fold_batch(&"/ecs/my-api".into(), &BatchSummary::default(), &[numbered(200), numbered(201)]);
    assert_eq!(on_screen(&person), before);
    assert_eq!(rows::logs(&person.ui, &person.session, 5).withheld, 2);
    person.presses("p");
    assert_eq!(selected(&person), "GET 201");
    person.presses("5 p");
    assert!(person.said().contains("never held back"), "{}", person.said());
}

#[test]
fn a_filter_hides_then_marks_then_is_forgotten() {
    let mut person = Person::new(busy());
    person.presses("3 /");
    person.types("failed");
    person.presses("enter");
    assert_eq!(on_screen(&person).len(), 10);
    person.types("gg");
    assert_eq!(selected(&person), "failed 0");
    person.presses("n");
    assert_eq!(selected(&person), "failed 10");
    person.presses("\\");
    assert_eq!(selected(&person), "failed 10", "the same line, with its neighbours");
    assert!(on_screen(&person).len() > 10);
    person.presses("n N N");
    assert_eq!(selected(&person), "failed 0");
    person.presses("\\ n");
    assert!(person.said().contains("/ begins"), "{}", person.said());
    person.presses("/");
    person.types("zzz");
    assert!(on_screen(&person).is_empty());
    person.presses("esc");
    assert!(!on_screen(&person).is_empty(), "Esc takes the filter back");
}

#[test]
fn pages_and_ends_of_the_logs() {
    let mut person = Person::new(busy());
    person.presses("3");
    person.types("gg");
    assert_eq!(selected(&person), "failed 0");
    person.presses("ctrl-d");
    let half = rows::log_height(&person.ui) / 2;
    assert_eq!(selected(&person), &*numbered(i64::try_from(half).unwrap()).text);
    person.presses("ctrl-u j down k G");
    assert_eq!(selected(&person), "GET 99");
    assert!(!person.ui.logs.follows(), "G goes to the end, f follows");
}

/// A board that holds about a hundred lines.
fn small() -> LogBoard {
    let one = StoredLine { number: 0, line: Arc::new(numbered(0)) }.bytes();
    let mut board = LogBoard::with_cap(100 * (one + 10));
    let lines: Vec<LogLine> = (0..100).map(numbered).collect();
    board.fold_batch(&"/ecs/my-api".into(), &BatchSummary::default(), &lines);
    board
}

/// Every line of before has left the ring.
fn floods(person: &mut Person) {
    for page in 1..4 {
        let more: Vec<LogLine> = (100 * page..100 * (page + 1)).map(numbered).collect();
        person.session.logs.fold_batch(&"/ecs/my-api".into(), &BatchSummary::default(), &more);
        person.waits(1_000);
    }
    assert!(person.session.logs.lines().front().unwrap().number > 150);
}

#[test]
fn what_is_held_outlives_the_ring() {
    let mut person = Person::new(busy());
    person.session.logs = small();
    person.presses("3");
    person.types("ggjjjjj");
    person.waits(1_000);
    let before = on_screen(&person);
    floods(&mut person);
    assert_eq!((selected(&person).as_str(), on_screen(&person)), ("GET 5", before));
    person.presses("enter");
    assert!(!person.said().contains("Nothing"), "{}", person.said());
    person.presses("q f");
    assert_eq!(selected(&person), "GET 399");
}

#[test]
fn what_is_frozen_outlives_the_ring() {
    let mut person = Person::new(busy());
    person.session.logs = small();
    person.presses("3 p");
    person.waits(1_000);
    let before = on_screen(&person);
    assert!(!before.is_empty());
    floods(&mut person);
    assert_eq!(on_screen(&person), before);
    person.types("kkk");
    assert_eq!(selected(&person), "GET 96");
    person.presses("p f");
    assert!(on_screen(&person).contains(&399));
}

/// What is kept is a part of the log, and not its end.
#[test]
fn from_what_is_held_the_way_goes_on_into_the_ring() {
    for key in ["G", "e", "j"] {
        let mut person = Person::new(busy());
        person.session.logs = small();
        person.presses("3 G");
        person.waits(1_000);
        assert_eq!(selected(&person), "GET 99");
        floods(&mut person);
        assert_eq!(selected(&person), "GET 99");
        let ring = person.session.logs.lines();
        let found = match key {
            "G" => ring.back(),
            "e" => ring.iter().find(|stored| stored.line.level == LogLevel::Error),
            _ => ring.front(),
        };
        let expected = found.unwrap().line.text.to_string();
        person.presses(key);
        assert_eq!(selected(&person), expected, "{key}: {}", person.said());
        person.waits(1_000);
        assert_eq!(selected(&person), expected, "{key}: it stays there");
    }
}

#[test]
fn what_is_frozen_says_that_it_looks_among_the_kept_lines_alone() {
    let mut person = Person::new(busy());
    person.session.logs = small();
    person.presses("3 p");
    person.waits(1_000);
    floods(&mut person);
    person.presses("k e");
    assert!(person.said().contains("No error after this line among those that are kept"), "{}", person.said());
    person.presses("G");
    assert_eq!(selected(&person), "GET 99");
    assert!(!person.said().contains("no later line"), "it is the end: {}", person.said());
}

fn alarm(name: &str, state: AlarmState) -> Alarm {
    Alarm { state, reason: format!("{name} says so"), ..fixture::any(name) }
}

#[test]
fn a_new_alarm_takes_neither_focus_nor_selection() {
    let mut person = Person::new(Session::default());
    for name in ["b", "d", "f"] {
        person.session.alarms.insert(name.into(), alarm(name, AlarmState::Alarm));
    }
    person.presses("1 j");
    assert_eq!(
        rows::selected_alarm(&person.ui, &person.session).map(crate::domain::observation::alarm::AlarmName::as_str),
        Some("d")
    );
    for name in ["a", "c"] {
        person.session.alarms.insert(name.into(), alarm(name, AlarmState::Alarm));
    }
    assert_eq!(
        rows::selected_alarm(&person.ui, &person.session).map(crate::domain::observation::alarm::AlarmName::as_str),
        Some("d")
    );
    person.session.incidents.insert(IncidentId(2), incident(2));
    assert_eq!(person.ui.focus, Pane::Alarms);
}

#[test]
fn an_alarm_without_an_incident_gets_one_when_asked_for() {
    let mut person = Person::new(Session::default());
    person.presses("1 I");
    assert!(person.said().contains("No alarm is selected"), "{}", person.said());
    person.session.alarms.insert("low".into(), alarm("low", AlarmState::Ok));
    assert_eq!(person.presses("I"), [Intent::Investigate { alarm: "low".into() }]);
    let mut own = incident(1);
    own.alarms.push("low".into());
    person.session.incidents.insert(own.id, own);
    assert_eq!(person.presses("I"), []);
    assert!(person.said().contains("low is in I1 already"), "{}", person.said());
    person.session.incidents.get_mut(&I1).unwrap().phase = crate::session::incident::Phase::Closed;
    assert_eq!(person.presses("I"), [Intent::Investigate { alarm: "low".into() }], "a closed one is over");
}

#[test]
fn incidents_are_switched_by_hand_alone() {
    let mut person = Person::new(session(StepState::Rehearsed));
    person.presses("]");
    assert!(person.said().contains("no other incident"), "{}", person.said());
    person.session.incidents.insert(IncidentId(2), incident(2));
    let shown = |person: &Person| person.ui.incident(&person.session).map(|incident| incident.id.0);
    assert_eq!(shown(&person), Some(1));
    person.presses("]");
    assert_eq!(shown(&person), Some(2));
    person.presses("]");
    assert_eq!(shown(&person), Some(1));
    person.presses("[");
    assert_eq!(shown(&person), Some(2));
}

#[test]
fn incidents_are_switched_in_the_order_of_the_strip() {
    use crate::domain::observation::alarm::Severity::{P1, P2, P3};
    use crate::session::incident::Phase;
    let mut person = Person::new(Session::default());
    for (number, severity, phase) in
        [(1, P1, Phase::Closed), (2, P3, Phase::Triage), (3, P1, Phase::Triage), (4, P2, Phase::Triage)]
    {
        let incident = Incident { severity, phase, ..incident(number) };
        person.session.incidents.insert(IncidentId(number), incident);
    }
    let shown = |person: &Person| person.ui.incident(&person.session).map(|incident| incident.id.0);
    assert_eq!(shown(&person), Some(3), "what is closed comes last");
    let onward: Vec<_> = (0..4).map(|_| (person.presses("]"), shown(&person)).1).collect();
    assert_eq!(onward, [Some(4), Some(2), Some(1), Some(3)]);
    let back: Vec<_> = (0..4).map(|_| (person.presses("["), shown(&person)).1).collect();
    assert_eq!(back, [Some(1), Some(2), Some(4), Some(3)]);
}

#[test]
fn what_is_selected_is_opened_copied_and_saved() {
    let mut person = Person::new(busy());
    let copied = person.presses("3 y");
    assert!(matches!(copied.as_slice(), [Intent::Copy { text }] if text.ends_with("GET 99")), "{copied:?}");
    person.presses("enter");
    let opened = |person: &Person| match &person.ui.overlay {
        Some(Overlay::Detail(opened)) => Some((opened.item.clone(), opened.telling)),
        _ => None,
    };
    assert_eq!(opened(&person), Some((Item::Line(99), Telling::Told)));
    person.presses("v");
    assert_eq!(opened(&person), Some((Item::Line(99), Telling::Raw)));
    let saved = person.presses("Y");
    assert!(
        matches!(saved.as_slice(), [Intent::Save { name, text }] if name == "log-99.json" && text.starts_with('{'))
    );
    person.presses("q");
    assert!(person.ui.overlay.is_none());
    let pinned = person.presses("space");
    assert!(matches!(pinned.as_slice(), [Intent::Note { text }] if text.ends_with("pod: GET 99")), "{pinned:?}");
    person.presses("6 space");
    assert!(person.said().contains("Nothing is selected"), "{}", person.said());
    assert_eq!(person.presses("5 enter enter"), []);
    assert_eq!(person.ui.zoom, Zoom::Zoomed, "Enter shows a step whole, then everything about it, and decides nothing");
}

#[test]
fn an_empty_pane_gives_away_the_hint_it_shows() {
    use crate::domain::fault::{Fault, FaultKind};
    use crate::session::feeds::{Feed, FeedHealth, FeedId};
    let mut person = Person::new(Session::default());
    assert_eq!(person.presses("1 y"), []);
    let fault = Fault::new(FaultKind::Denied, "Denied.").hint("Needs cloudwatch:DescribeAlarms.");
    let feed = Feed { health: FeedHealth::Lost { fault }, ..Feed::default() };
    person.session.feeds.insert(FeedId::Alarms, feed);
    let text = "Denied.\nNeeds cloudwatch:DescribeAlarms.".to_owned();
    assert_eq!(person.presses("y"), [Intent::Copy { text }]);
}

#[test]
fn notes_take_text_and_pastes() {
    let mut person = Person::new(Session::default());
    person.presses("m");
    person.types("q1 A5");
    person.sends(Input::Paste("\r\ntwo".to_owned()));
    assert_eq!(person.presses("enter"), [Intent::Note { text: "q1 A5\ntwo".to_owned() }]);
    assert_eq!(person.presses("m esc i"), []);
    assert!(person.said().contains("no incident"), "{}", person.said());
    assert_eq!(person.sends(Input::Paste("q".to_owned())), [], "a paste is never keys");
}

#[test]
fn single_wishes() {
    let mut person = Person::new(session(StepState::Rehearsed));
    assert_eq!(person.presses("x ctrl-l r"), [Intent::Export, Intent::Repaint, Intent::Refresh]);
    assert_eq!(person.presses("4 r R"), [Intent::AskAgain { incident: I1 }, Intent::StandOnRules { incident: I1 }]);
    assert_eq!(person.presses("1 R"), [], "the rules are chosen in pane 4 alone");
    person.session.header.policy.rules_alone = crate::domain::remediation::policy::RulesAlone::Forbidden;
    assert_eq!(person.presses("4 R"), []);
    person.presses("t");
    assert_eq!(person.ui.clock, ClockStyle::Local);
    assert_eq!(person.presses("ctrl-z"), [Intent::Suspend]);
    person.presses(":");
    person.types("quit");
    assert_eq!(person.presses("enter"), [Intent::Quit]);
}

#[test]
fn ctrl_c_stops_the_stream_and_says_what_it_does_not_stop() {
    use crate::domain::remediation::gate::NarrativeStanding;
    use crate::session::incident::Phase;
    let mut person = Person::new(session(StepState::Running));
    person.session.incidents.get_mut(&I1).unwrap().narrative.standing = NarrativeStanding::UnderWay;
    let called_back = || Intent::CallBack { why: "Ctrl-C".to_owned() };
    assert_eq!(person.presses("ctrl-c"), [called_back(), Intent::CancelStream { incident: I1 }]);
    let incident = person.session.incidents.get_mut(&I1).unwrap();
    (incident.narrative.standing, incident.phase) = (NarrativeStanding::Complete, Phase::Running);
    person.waits(10_000);
    assert_eq!(person.presses("ctrl-c"), [called_back()]);
    assert!(person.said().contains("does not stop the cluster"), "{}", person.said());
}

#[test]
fn messages_and_half_sequences_lapse() {
    let mut person = Person::new(busy());
    person.presses("h");
    assert!(!person.said().is_empty());
    person.clock += 60_000;
    person.sends(Input::Tick);
    assert!(person.said().is_empty());
    person.presses("3 g");
    person.clock += 60_000;
    person.sends(key_input("g", KeyEventKind::Press));
    assert_eq!(person.ui.logs.scroll, Scroll::Tail, "two g a minute apart are not gg");
}

#[test]
fn the_help_is_searched_and_scrolled() {
    let mut person = Person::new(Session::default());
    person.presses("? down");
    person.types("oom");
    assert!(matches!(&person.ui.overlay, Some(Overlay::Help { query, top: 0 }) if query == "oom"));
    person.presses("esc ? ?");
    assert!(person.ui.overlay.is_none());
}

/// What is told as the way back is one wherever the way there is.
#[test]
fn f_goes_back_to_the_present_from_every_pane_and_an_opened_chart_is_pointed_into() {
    for pane in ["1", "2", "3", "5", "6"] {
        let mut person = Person::new(session(StepState::Rehearsed));
        person.presses(&format!("{pane} ,"));
        assert!(person.ui.moment.is_some(), "{pane}");
        person.presses("f");
        assert_eq!(person.ui.moment, None, "{pane}");
    }
}
