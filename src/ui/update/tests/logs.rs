//! Keys of the log pane: folding, columns, marks, and the time shared with charts and timeline.

use jiff::SignedDuration;

use super::panes::{busy, line, numbered, selected};
use super::*;
use crate::domain::observation::log::{BatchSummary, LogLevel, LogLine};
use crate::domain::observation::workload::{ClusterView, Revision};
use crate::session::event::{Event, SessionEvent};
use crate::session::{Record, Session};
use crate::ui::model::log_look::{Column, Rows, Wrap};
use crate::ui::model::overlay::Overlay;
use crate::ui::model::scroll::Scroll;
use crate::ui::model::{Pane, rows};

fn second(n: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(n)
}

fn add(person: &mut Person, lines: &[LogLine]) {
    person.session.logs.fold_batch(&"/ecs/my-api".into(), &BatchSummary::default(), lines);
}

/// The templates on screen with their counts.
fn templates(person: &mut Person) -> Vec<(String, u64)> {
    person.waits(1_000);
    rows::templates(&person.ui).into_iter().map(|(_, found)| (found.template.clone(), found.count)).collect()
}

#[test]
fn folded_lines_are_counted_by_template_and_opened_by_enter() {
    let mut person = Person::new(busy());
    person.presses("3 T");
    let found = templates(&mut person);
    assert_eq!(found.iter().map(|(_, count)| count).sum::<u64>(), 100, "{found:?}");
    assert_eq!(found[0], ("GET <*>".to_owned(), 86));
    add(&mut person, &[numbered(101), line(102, LogLevel::Error, "out of disk")]);
    let found = templates(&mut person);
    assert_eq!((found[0].1, found.last().unwrap()), (87, &("out of disk".to_owned(), 1)), "new ones come last");
    person.presses("/");
    person.types("failed");
    person.presses("enter");
    assert_eq!(templates(&mut person), [("failed <*>".to_owned(), 10)]);
    person.presses("enter");
    assert!(matches!(person.ui.log.rows, Rows::Of(_)));
    person.types("gg");
    assert_eq!(selected(&person), "failed 0");
    person.presses("j j");
    assert_eq!(selected(&person), "failed 20", "only the lines of the template");
    person.presses("q");
    assert_eq!(person.ui.log.rows, Rows::Templates);
    assert_eq!(templates(&mut person).len(), 1, "still of the lines that match");
    person.presses("\\ o");
    assert_eq!((person.ui.log.rows, selected(&person).as_str()), (Rows::Lines, "OOMKilled exit=137"));
}

/// What is looked for may stand where lines differ: their templates are found by their lines.
#[test]
fn a_filter_folds_the_lines_it_shows() {
    let mut person = Person::new(busy());
    person.presses("3 /");
    person.types("failed 20");
    person.presses("enter T");
    assert_eq!(templates(&mut person).iter().map(|(_, count)| count).sum::<u64>(), 1);
    person.presses("enter");
    assert_eq!(selected(&person), "failed 20");
    person.presses("\\");
    assert_eq!(templates(&mut person).iter().map(|(_, count)| count).sum::<u64>(), 100, "all lines again");
    assert_eq!(person.ui.log.rows, Rows::Templates);
}

#[test]
fn a_template_is_new_only_where_lines_before_the_rollout_are_known() {
    let mut person = Person::new(busy());
    person.presses("3 T");
    add(&mut person, &[line(150, LogLevel::Error, "no such column")]);
    person.waits(1_000);
    person.waits(1_000);
    let fold = &person.ui.log.fold;
    let number = fold.rows().find(|(_, found)| found.template == "no such column").unwrap().0;
    assert!(fold.is_new_since(number, second(120)));
    assert!(!fold.is_new_since(number, second(151)));
    assert!(!fold.is_new_since(number, second(-5)), "nothing is known of what was before");
    assert_eq!((fold.per_minute(number, second(160)), fold.per_minute(number, second(211))), (1, 0));
}

/// Many lines of one second, late ones among them, and a ring that was walked for the search already.
#[test]
fn a_filter_shows_what_a_walk_over_the_ring_would_find() {
    let mut person = Person::new(busy());
    let late: Vec<LogLine> = (0..40).map(|n| line(40 + n % 3, LogLevel::Info, &format!("late {n} failed"))).collect();
    add(&mut person, &late);
    person.presses("3 /");
    person.types("failed");
    person.presses("enter");
    for keys in ["j", "g g", "j j j j j j", "ctrl-d", "ctrl-d", "G", "k k k", "ctrl-u", "f"] {
        for key in keys.split(' ') {
            person.waits(10);
            person.sends(key_input(key, KeyEventKind::Press));
        }
        person.waits(10);
        let mut walked = person.ui.clone();
        walked.log.tally = None;
        for height in [3, 20] {
            let (known, found) =
                (rows::logs(&person.ui, &person.session, height), rows::logs(&walked, &person.session, height));
            assert!(!found.lines.is_empty());
            assert_eq!(known, found, "after {keys}");
        }
    }
    assert_eq!(person.ui.log.tally.as_ref().map(|tally| tally.matched), Some(50));
}

#[test]
fn matches_are_counted_as_lines_come() {
    let mut person = Person::new(busy());
    person.presses("3 /");
    person.types("failed");
    person.presses("enter");
    person.waits(1);
    let counted = |person: &Person| person.ui.log.tally.as_ref().map(|tally| (tally.matched, tally.met));
    assert_eq!(counted(&person), Some((10, 100)));
    add(&mut person, &[numbered(110), numbered(111)]);
    person.waits(1);
    assert_eq!(counted(&person), Some((11, 102)));
    person.presses("\\ \\");
    person.waits(1);
    assert_eq!(counted(&person), None);
}

#[test]
fn columns_wrap_and_shift_are_chosen() {
    let mut person = Person::new(busy());
    person.presses("3 c s t");
    assert!(matches!(person.ui.overlay, Some(Overlay::Columns { .. })));
    let chosen: Vec<Column> = person.ui.log.columns.iter().copied().collect();
    assert_eq!(chosen, [Column::Level, Column::Container, Column::Stream]);
    person.presses("j space q L L H");
    assert!(person.ui.overlay.is_none() && !person.ui.log.columns.contains(&Column::Level));
    assert_eq!(person.ui.log.shift, 20);
    person.presses("u L");
    assert_eq!((person.ui.log.wrap, person.ui.log.shift), (Wrap::Wrapped, 0));
    assert!(person.said().contains("u cuts"), "{}", person.said());
}

#[test]
fn marked_lines_are_come_back_to_in_turn() {
    let mut person = Person::new(busy());
    person.presses("3 B");
    assert!(person.said().contains("No line is marked"), "{}", person.said());
    person.types("gg");
    person.presses("j b G b k k");
    for expected in ["GET 99", "GET 1", "GET 99"] {
        person.presses("B");
        assert_eq!(selected(&person), expected);
    }
    person.presses("b B");
    assert_eq!(selected(&person), "GET 1", "a mark that was taken away is gone");
}

/// Notes at every tenth second, rollouts at seconds 20 and 60.
fn story() -> Session {
    let mut session = busy();
    for (seq, n) in (1..).zip(0..10) {
        let event = Event::Session(SessionEvent::Noted { text: format!("note {n}") });
        session.timeline.fold(&Record { seq, at: second(n * 10), incident: None, event });
    }
    let target = step(1, StepState::Rehearsed).target;
    session.incidents.get_mut(&I1).unwrap().service.workload = Some(target.clone());
    let revision = |number: i64, at: i64| Revision {
        number,
        created_at: Some(second(at)),
        images: BTreeMap::new(),
        replicas: Some(1),
        replica_set: String::new(),
        changed: Vec::new(),
        earlier: Vec::new(),
    };
    let revisions = BTreeMap::from([(target.key(), vec![revision(1, 20), revision(2, 60)])]);
    session.cluster = ClusterView { revisions, ..ClusterView::default() };
    session
}

fn entry(person: &Person) -> Option<u64> {
    super::super::motion::selected_entry(&person.ui, &person.session)
}

#[test]
fn moving_in_logs_or_timeline_moves_the_other_and_the_charts() {
    let mut person = Person::new(story());
    person.presses("3 k");
    assert_eq!((person.ui.moment, entry(&person)), (Some(second(98)), Some(10)));
    person.presses("6");
    person.types("gg");
    person.presses("j j");
    assert_eq!((person.ui.moment, selected(&person).as_str()), (Some(second(20)), "failed 20"));
    person.presses("f");
    assert_eq!((person.ui.moment, selected(&person).as_str(), entry(&person)), (None, "GET 99", Some(10)));
    assert!(person.ui.logs.follows() && person.ui.timeline.follows());
}

#[test]
fn the_time_is_moved_by_the_minute_and_to_rollouts_from_any_pane_but_that_of_the_step() {
    let mut person = Person::new(story());
    person.presses("2");
    let mut now = at(person.clock);
    now.now = second(95);
    let press = |person: &mut Person, key: &str, now: Instants| {
        drop(update(&mut person.ui, key_input(key, KeyEventKind::Press), &person.session, now));
    };
    press(&mut person, ".", now);
    assert!(person.said().contains("This is the present"), "{}", person.said());
    press(&mut person, ",", now);
    assert_eq!((person.ui.moment, selected(&person).as_str()), (Some(second(60)), "failed 60"));
    press(&mut person, ",", now);
    assert_eq!((person.ui.moment, entry(&person)), (Some(second(0)), Some(1)));
    press(&mut person, ".", now);
    press(&mut person, ".", now);
    assert_eq!(person.ui.moment, None, "back in the present");
    press(&mut person, "d", now);
    assert_eq!(person.ui.moment, Some(second(60)), "from the present the last rollout");
    press(&mut person, "D", now);
    assert_eq!((person.ui.moment, selected(&person).as_str()), (Some(second(20)), "failed 20"));
    assert!(person.said().contains("revision 1"), "{}", person.said());
    press(&mut person, "D", now);
    assert!(person.said().contains("No rollout"), "{}", person.said());
    assert_eq!(person.presses("5 d"), [Intent::Rehearse { incident: I1, step: S1 }]);
    assert_eq!(person.ui.moment, Some(second(20)));
}

#[test]
fn a_frame_lays_out_the_lines_in_view_whatever_the_ring_holds() {
    let laid = |count: i64| {
        let mut person = Person::new(busy());
        let lines: Vec<LogLine> = (100..count).map(numbered).collect();
        add(&mut person, &lines);
        let following = rows::logs(&person.ui, &person.session, 12).lines.len();
        person.presses("3");
        person.types("gg");
        person.presses("ctrl-d");
        (following, rows::logs(&person.ui, &person.session, 12).lines.len())
    };
    assert_eq!(laid(200), (12, 12));
    assert_eq!(laid(20_000), (12, 12));
}

#[test]
fn new_lines_move_nothing_while_an_instant_is_pointed_at() {
    let mut person = Person::new(story());
    person.presses("3 k k");
    let before = (person.ui.moment, selected(&person), person.ui.logs.scroll.clone());
    add(&mut person, &(100..160).map(numbered).collect::<Vec<_>>());
    person.waits(100);
    assert_eq!((person.ui.moment, selected(&person), person.ui.logs.scroll.clone()), before);
    assert!(!matches!(person.ui.logs.scroll, Scroll::Tail));
    assert_eq!(person.ui.focus, Pane::Logs);
}

/// What the other service did at that time is what one goes to it for.
#[test]
fn the_instant_stays_where_it_is_from_one_incident_to_the_next() {
    let mut session = story();
    let mut other = incident(2);
    other.service = Service::bare("orders");
    session.incidents.insert(other.id, other);
    let mut person = Person::new(session);
    person.presses("3 k k");
    let (moment, held) = (person.ui.moment, selected(&person));
    assert!(moment.is_some());
    person.presses("]");
    assert_eq!(person.ui.moment, moment);
    person.presses("[");
    assert_eq!((person.ui.moment, selected(&person)), (moment, held));
    assert!(!matches!(person.ui.logs.scroll, Scroll::Tail), "nothing follows again by itself");
}
