//! Follow-ups through the fold: watched by what is read, settled once, and left or taken up with the session.

use super::*;
use crate::domain::observation::alarm::Severity;
use crate::domain::observation::metric::{MetricId, MetricQuery, Point, Series, Statistic, Unit};
use crate::domain::observation::service::Service;
use crate::domain::observation::skew::ClockSkew;
use crate::session::event::{MetricEvent, SessionEvent, TimerEvent};
use crate::session::incident::Phase;
use crate::session::update;

const I1: IncidentId = IncidentId(1);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_777_627_860 + second).unwrap()
}

fn query() -> MetricQuery {
    let (role, metric) = (MetricRole::Cpu, MetricId::default());
    MetricQuery { role, metric, statistic: Statistic::Average, period_s: 60 }
}

fn commit(session: &mut Session, second: i64, event: Event) -> Vec<Effect> {
    let record = Record { seq: session.seq + 1, at: at(second), incident: Some(I1), event };
    update(session, &record)
}

/// A closed incident whose report was just drafted.
fn drafted(slack: SlackUse) -> (Session, Vec<Effect>) {
    let mut session = Session { now: at(0), ..Session::default() };
    session.header.slack = slack;
    let mut incident = Incident::new(I1, Service::bare("my-api"), Severity::P2, at(0));
    incident.service.metrics.insert(MetricRole::Cpu, query());
    incident.phase = Phase::Closed;
    session.incidents.insert(I1, incident);
    let (headline, follow_ups) = draft(&session, I1);
    let effects = commit(&mut session, 0, Event::Report(ReportEvent::Drafted { headline, follow_ups }));
    (session, effects)
}

/// The points of some minutes are read; what follows is committed. Gives what is left to do.
fn read(session: &mut Session, second: i64, values: impl IntoIterator<Item = (i64, f64)>) -> Vec<Effect> {
    let points = values.into_iter().map(|(minute, value)| Point { at: at(minute * 60), value });
    let series = Series::new(query(), Unit::Percent, points);
    let effects = commit(session, second, Event::Metric(MetricEvent::Read { service: "my-api".into(), series }));
    concluded(session, second, effects)
}

fn concluded(session: &mut Session, second: i64, effects: Vec<Effect>) -> Vec<Effect> {
    let mut left = Vec::new();
    for effect in effects {
        match effect {
            Effect::Conclude { event, .. } => left.extend(commit(session, second, *event)),
            other => left.push(other),
        }
    }
    left
}

fn standing(session: &Session) -> Standing {
    let report = session.incidents[&I1].report.as_ref().unwrap();
    report.follow_ups.iter().find(|one| matches!(one.test, FollowUpTest::MetricBelow { .. })).unwrap().standing
}

fn is_watched(session: &Session) -> bool {
    session.incidents[&I1].watched_roles().next().is_some()
}

#[test]
fn a_promise_is_watched_by_what_is_read_and_settled_once() {
    let (mut session, effects) = drafted(SlackUse::Off);
    let timer =
        Effect::Schedule { incident: I1, purpose: TimerPurpose::FollowUp, after: SignedDuration::from_mins(35) };
    assert_eq!(effects, [timer], "and nothing is to be posted");
    assert!(is_watched(&session));
    assert_eq!(read(&mut session, 1_700, (0..28).map(|minute| (minute, 43.0))), []);
    assert_eq!(standing(&session), Standing::Pending);
    assert_eq!(read(&mut session, 1_860, (28..31).map(|minute| (minute, 44.0))), []);
    assert_eq!(standing(&session), Standing::Held { highest: 44.0 });
    assert!(!is_watched(&session) && read(&mut session, 1_920, [(31, 99.0)]).is_empty());
    assert_eq!(standing(&session), Standing::Held { highest: 44.0 }, "what comes after is not of it");
}

/// The clock of the machine is ten minutes ahead: the points of its next half hour are dated ten minutes earlier.
#[test]
fn a_promise_is_held_against_points_by_the_clock_that_dates_them() {
    let (mut session, _) = drafted(SlackUse::Off);
    session.clock = ClockSkew::NONE.remeasured(SignedDuration::from_mins(10));
    assert_eq!(read(&mut session, 1_860, (-20..-10).map(|minute| (minute, 99.0))), [], "before it");
    read(&mut session, 1_860, (-10..20).map(|minute| (minute, 44.0)));
    assert_eq!(standing(&session), Standing::Held { highest: 44.0 });
}

#[test]
fn what_did_not_hold_is_settled_at_once_and_posted() {
    let (mut session, effects) = drafted(SlackUse::Post);
    assert!(effects.contains(&Effect::Notify { incident: I1 }));
    commit(&mut session, 1, Event::Report(ReportEvent::Posted));
    assert_eq!(read(&mut session, 300, [(2, 97.0), (3, 97.0)]), [], "two minutes are no trend");
    assert_eq!(read(&mut session, 360, [(4, 98.0)]), [Effect::Notify { incident: I1 }]);
    assert_eq!(standing(&session), Standing::Failed { at: at(240), value: 98.0 });
    assert_eq!(session.incidents[&I1].report.as_ref().unwrap().post, Post::Sending);
}

#[test]
fn a_watch_without_points_ends_by_its_timer() {
    let (mut session, _) = drafted(SlackUse::Off);
    let fired = || Event::Timer(TimerEvent::Fired { purpose: TimerPurpose::FollowUp });
    let effects = commit(&mut session, 2_099, fired());
    assert_eq!(concluded(&mut session, 2_099, effects), []);
    assert_eq!(standing(&session), Standing::Pending);
    let effects = commit(&mut session, 2_100, fired());
    concluded(&mut session, 2_100, effects);
    assert_eq!(standing(&session), Standing::Unmeasured { seen: 0, of: 30 });
}

#[test]
fn a_session_that_ends_before_says_so_and_one_that_goes_on_in_time_watches_on() {
    let end = || Event::Session(SessionEvent::Ended { reason: "the person left".to_owned() });
    let resumed = || Event::Session(SessionEvent::Resumed { note: String::new() });
    let (mut session, _) = drafted(SlackUse::Off);
    commit(&mut session, 60, end());
    assert_eq!(standing(&session), Standing::NotWatched);
    let effects = commit(&mut session, 600, resumed());
    assert!(effects.contains(&Effect::Follow { incident: I1 }), "{effects:?}");
    let after = SignedDuration::from_secs(1_500);
    assert!(
        effects.contains(&Effect::Schedule { incident: I1, purpose: TimerPurpose::FollowUp, after }),
        "{effects:?}"
    );
    assert_eq!(standing(&session), Standing::Pending);

    let (mut crashed, _) = drafted(SlackUse::Off);
    let effects = commit(&mut crashed, 9_000, resumed());
    assert_eq!((standing(&crashed), effects), (Standing::NotWatched, Vec::new()), "nobody looked in between");
}

fn post(session: &Session) -> &Post {
    &session.incidents[&I1].report.as_ref().unwrap().post
}

/// Of two reports under way the end of the first says nothing of the second.
#[test]
fn a_report_is_posted_when_the_newest_of_its_posts_is() {
    let (mut session, _) = drafted(SlackUse::Post);
    let (headline, follow_ups) = draft(&session, I1);
    commit(&mut session, 1, Event::Report(ReportEvent::Drafted { headline, follow_ups }));
    commit(&mut session, 2, Event::Report(ReportEvent::Posted));
    assert_eq!(post(&session), &Post::Sending, "the newer one");
    commit(&mut session, 3, Event::Report(ReportEvent::Posted));
    assert_eq!(post(&session), &Post::Posted { at: at(3) });
}

/// What certainly is not in the channel is posted by a resumed session; what may be there is not posted twice.
#[test]
fn a_report_that_was_left_is_posted_when_the_session_goes_on() {
    let fault = Fault::new(FaultKind::Throttled, "It waits.");
    for (end, again) in [
        (Some(ReportEvent::PostLeft { fault: fault.clone() }), true),
        (Some(ReportEvent::PostFailed { fault: fault.clone() }), false),
        (None, false),
    ] {
        let (mut session, _) = drafted(SlackUse::Post);
        let is_left = matches!(end, Some(ReportEvent::PostLeft { .. }));
        if let Some(event) = end.clone() {
            commit(&mut session, 1, Event::Report(event));
        }
        let ended = Event::Session(SessionEvent::Ended { reason: "the person left".to_owned() });
        commit(&mut session, 1, ended);
        assert_eq!(matches!(post(&session), Post::Left { .. }), is_left, "{end:?}");
        assert_ne!(post(&session), &Post::Sending, "nobody hears of it any more");
        let effects = commit(&mut session, 600, Event::Session(SessionEvent::Resumed { note: String::new() }));
        assert_eq!(effects.contains(&Effect::Notify { incident: I1 }), again, "{end:?}");
        assert_eq!(post(&session) == &Post::Sending, again);
    }
}
