//! Old data never looks new: what is no longer read has its age wherever it is counted, charted or decided upon.

use jiff::SignedDuration;
use pagerdeck::domain::diagnosis::evidence::Question;
use pagerdeck::domain::fault::{Fault, FaultKind};
use pagerdeck::domain::observation::alarm::AlarmState;
use pagerdeck::domain::observation::skew::ClockSkew;
use pagerdeck::session::Session;
use pagerdeck::session::feeds::{Feed, FeedHealth, FeedId};
use pagerdeck::ui::model::{Pace, Pane, Zoom};

use super::fixture;
use super::screens::{after, text, ui};

/// The newest point of every series is `minutes` old at the least.
fn silent_for(minutes: i64, session: &mut Session) {
    let end = fixture::now() - SignedDuration::from_mins(minutes);
    for series in session.metrics.values_mut().flat_map(|by_role| by_role.values_mut()) {
        series.points.retain(|point| point.at < end);
    }
}

/// A series that has gone silent has no value of now, whether nothing came or nobody could ask.
#[test]
fn a_value_that_is_old_is_not_told_as_that_of_now() {
    for size in [(120, 40), (80, 24)] {
        let ui = ui(size, Pane::Metrics, Zoom::Overview);
        let mut session = fixture::gate_open();
        silent_for(3, &mut session);
        assert!(text(&ui, &session).contains("CPU") && text(&ui, &session).contains(" now "), "only late");
        silent_for(12, &mut session);
        let shown = text(&ui, &session);
        assert!(!shown.contains(" now ") && shown.contains("last 84.6% no data since 09:20"), "{shown}");
        let feed = session.feeds.get_mut(&FeedId::Metrics).unwrap();
        feed.answered_at = Some(fixture::now() - SignedDuration::from_mins(12));
        let shown = text(&ui, &session);
        assert!(!shown.contains("no data since") && shown.contains("% 11m ago"), "nobody asked: {shown}");
        session.metrics.values_mut().flat_map(|by_role| by_role.values_mut()).for_each(|series| series.points.clear());
        assert!(text(&ui, &session).contains("? nothing read in the last 30m"), "{}", text(&ui, &session));
    }
}

/// Alarms that nobody reads any more are counted elsewhere, too: with the age of that count.
#[test]
fn counts_of_alarms_that_are_not_read_have_their_age() {
    let lost = |session: &mut Session| {
        let health = FeedHealth::Lost { fault: Fault::new(FaultKind::Denied, "DescribeAlarms denied.") };
        let answered_at = Some(fixture::now() - SignedDuration::from_mins(31));
        session.feeds.insert(FeedId::Alarms, Feed { health, answered_at, ..Feed::default() });
    };
    let mut open = fixture::gate_open();
    lost(&mut open);
    let shown = text(&ui((80, 24), Pane::Logs, Zoom::Overview), &open);
    assert!(shown.contains("2 of 2 firing ~31m") && shown.contains("1 Alarms 3! ~31m"), "{shown}");
    let shown = text(&ui((60, 16), Pane::Logs, Zoom::Overview), &open);
    assert!(shown.contains(" 1 Alarms 3~ ") && shown.contains("6 Time"), "{shown}");
    let mut closed = fixture::closed();
    closed.alarms.values_mut().for_each(|alarm| alarm.state = AlarmState::Ok);
    assert!(text(&ui((80, 24), Pane::Rca, Zoom::Overview), &closed).contains(", nothing fires"));
    lost(&mut closed);
    let shown = text(&ui((80, 24), Pane::Rca, Zoom::Overview), &closed);
    assert!(!shown.contains("nothing fires") && shown.contains(", alarms not read since 09:00:07Z"), "{shown}");
    for (cols, counted) in [(59, "not armed 3 firing/41 ~31m"), (40, "not armed ~3 firing")] {
        let shown = text(&ui((cols, 10), Pane::Alarms, Zoom::Overview), &open);
        assert!(shown.contains(counted) && shown.contains("alarms not read since 09:00:07Z"), "{shown}");
        assert!(shown.lines().next().unwrap().contains("DRY-RUN"), "{shown}");
    }
}

/// Nothing counts the kills again by itself: the count says when it was made, and the lines of others are not its own.
#[test]
fn a_count_of_kills_has_its_time_and_counts_its_own() {
    let mut session = fixture::gate_open();
    let logs = |size, session: &Session| text(&ui(size, Pane::Logs, Zoom::Overview), session);
    let kills = |session: &mut Session| {
        let found = &mut fixture::incident(session).evidence;
        found.iter().position(|evidence| evidence.question == Question::OomKills).unwrap()
    };
    let at = kills(&mut session);
    fixture::incident(&mut session).evidence[at].answered_at = fixture::now();
    let wide = logs((200, 60), &session);
    assert!(wide.contains("OOMKilled 14 exact 09:31:07Z  4.3/s  0 lost"), "{wide}");
    let narrow = logs((80, 24), &session);
    assert!(narrow.contains("OOMKilled 14 exact 09:31Z") && narrow.contains("3 Logs OOM 14 "), "{narrow}");
    for size in [(60, 16), (120, 40)] {
        let shown = logs(size, &session);
        assert!(shown.contains("14 exact 09:31"), "a count never goes without its time: {shown}");
    }
    // Lines have told of kills since: the count is no longer the number.
    fixture::incident(&mut session).evidence[at].answered_at = fixture::now() - SignedDuration::from_mins(5);
    let narrow = logs((80, 24), &session);
    assert!(narrow.contains("OOMKilled 14 exact ~09:26Z") && narrow.contains("3 Logs OOM~14 "), "{narrow}");
    fixture::incident(&mut session).evidence[at].answered_at = fixture::now() - SignedDuration::from_mins(40);
    assert!(logs((200, 60), &session).contains("OOMKilled 14 exact ~08:51:07Z  4.3/s"));
    let narrow = logs((80, 24), &session);
    assert!(narrow.contains("OOMKilled 14 exact ~08:51Z  0 lost") && narrow.contains("3 Logs OOM~14 "), "{narrow}");

    fixture::incident(&mut session).evidence.remove(at);
    let lines = session.logs.total.kills;
    assert!(lines > 0 && logs((200, 60), &session).contains(&format!("OOM lines {lines} (kills not counted yet)")));
    fixture::incident(&mut session).service.log_groups = vec!["/ecs/orders".into()];
    assert!(logs((200, 60), &session).contains("OOM lines 0 (kills not counted yet)"), "the lines are another's");
}

/// What the cluster's watch once told is not what it tells, and a step says so where it is decided.
#[test]
fn a_watch_that_is_lost_is_said_beside_what_it_told() {
    let lost = |session: &mut Session| {
        let health = FeedHealth::Lost { fault: Fault::new(FaultKind::Credentials, "The token expired.") };
        session.feeds.get_mut(&FeedId::Workloads).unwrap().health = health;
    };
    let (mut open, mut armed) = (fixture::gate_open(), fixture::armed());
    assert!(text(&after(((80, 24), &open), "K"), &open).contains("as the cluster's watch tells it now"));
    lost(&mut open);
    let page = text(&after(((80, 24), &open), "K"), &open);
    assert!(page.contains("ERR Credentials: as the watch last told it, 09:30:58Z"), "{page}");
    lost(&mut armed);
    for size in [(60, 16), (80, 24), (120, 40)] {
        let step = text(&ui(size, Pane::Remediation, Zoom::Overview), &armed);
        assert!(step.contains("WATCH LOST  nothing has been changed"), "{step}");
        assert!(step.contains("restart 6 pods (as of 09:30:58Z)"), "{step}");
    }
}

/// The metrics of one service fail by themselves: another's are neither stale for it nor live for it.
#[test]
fn charts_have_the_stamp_of_their_own_service() {
    let mut session = fixture::gate_open();
    let answered_at = Some(fixture::now() - SignedDuration::from_secs(31));
    let fault = Fault::new(FaultKind::Denied, "GetMetricData denied.");
    let (lost, live) = (FeedHealth::Lost { fault }, FeedHealth::Live);
    let feed = |health: &FeedHealth| Feed { health: health.clone(), answered_at, ..Feed::default() };
    let ui = ui((120, 40), Pane::Metrics, Zoom::Overview);
    session.service_feeds = [("my-api".into(), feed(&lost)), ("orders".into(), feed(&live))].into();
    assert!(text(&ui, &session).contains("STALE 31s ERR AccessDenied"), "{}", text(&ui, &session));
    session.service_feeds = [("my-api".into(), feed(&live)), ("orders".into(), feed(&lost))].into();
    assert!(text(&ui, &session).contains("live 31s") && !text(&ui, &session).contains("AccessDenied"));
}

/// Points and lines are dated by the clock of AWS: the span that is named is the span that is drawn.
#[test]
fn the_window_of_a_quiet_screen_is_named_by_the_clock_that_its_points_are_dated_by() {
    let mut session = fixture::gate_open();
    let named = |session: &Session, pane| {
        let mut ui = ui((120, 40), pane, Zoom::Zoomed);
        ui.pace = Pace::Quiet;
        text(&ui, session)
    };
    assert!(named(&session, Pane::Metrics).contains("09:00–10:00"), "{}", named(&session, Pane::Metrics));
    session.clock = ClockSkew::NONE.remeasured(SignedDuration::from_mins(45));
    let shown = named(&session, Pane::Metrics);
    assert!(shown.contains("08:00–09:00"), "{shown}");
    let strip = named(&session, Pane::Logs);
    assert!(strip.contains("08:00 ") && strip.contains(" 09:00"), "{strip}");
}
