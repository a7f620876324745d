//! Alarms that are in an incident by the name of the service alone.

use super::*;
use crate::domain::observation::alarm::{Alarm, AlarmRule, AlarmState, Comparison, fixture};
use crate::domain::observation::metric::{MetricId, Statistic};
use crate::session::event::AlarmEvent;

fn alarm(name: &str, metric: &str, state: AlarmState) -> Alarm {
    let metric = MetricId { name: metric.to_owned(), ..MetricId::default() };
    let (statistic, comparison) = (Statistic::Maximum, Comparison::Greater);
    let rule = AlarmRule::Metric { metric, statistic, period_s: 60, comparison, threshold: 1.0 };
    Alarm { state, ..fixture::alarm(name, rule) }
}

/// A step that is verified, its own alarm OK, and another that joined and fires on.
fn verified(other: Alarm) -> Story {
    let mut story = Story::new(vec![step(S1, Action::RolloutRestart)]);
    for alarm in [alarm("high-cpu", "CPUUtilization", AlarmState::Ok), other] {
        story.session.incidents.get_mut(&I1).unwrap().alarms.push(alarm.name.clone());
        story.session.alarms.insert(alarm.name.clone(), alarm);
    }
    story.rehearse(1, S1, &Action::RolloutRestart);
    story.run(2, S1);
    let ended = VerificationEvent::Ended { step: S1, tests: vec![TestState::Passed] };
    let effects = story.commit(60, Event::Verification(ended));
    settle(&mut story, 60, effects);
    story
}

#[test]
fn what_is_of_nothing_that_the_rules_speak_of_keeps_no_incident_open_and_is_told() {
    let headline = |story: &Story| story.incident().report.as_ref().unwrap().headline.clone();
    let ended = verified(alarm("my-api-certificate-days", "DaysToExpiry", AlarmState::Alarm));
    assert_eq!(ended.incident().phase, Phase::Closed);
    let told = "rollout restart ran and was verified; my-api-certificate-days still fires, of something else";
    assert!(headline(&ended).ends_with(told), "{}", headline(&ended));
    for metric in ["CPUUtilization", "pod_container_status_terminated_reason_oom_killed", "UnHealthyHostCount"] {
        let open = verified(alarm("other", metric, AlarmState::Alarm));
        assert_eq!(open.incident().phase, Phase::Watching, "{metric}");
        assert!(!headline(&open).contains("something else"), "{metric}");
    }
}

/// What waits for the person is for the alarms that it is about, and one of something else does not hold it up.
#[test]
fn what_is_of_something_else_keeps_no_step_waiting_once_its_own_alarms_are_quiet() {
    let mut story = Story::new(vec![step(S1, Action::RolloutRestart)]);
    let own = alarm("high-cpu", "CPUUtilization", AlarmState::Alarm);
    for alarm in [own.clone(), alarm("my-api-certificate-days", "DaysToExpiry", AlarmState::Alarm)] {
        story.session.incidents.get_mut(&I1).unwrap().alarms.push(alarm.name.clone());
        story.session.alarms.insert(alarm.name.clone(), alarm);
    }
    story.rehearse(1, S1, &Action::RolloutRestart);
    let quiet = Box::new(Alarm { state: AlarmState::Ok, ..own });
    let effects = story.commit(5, Event::Alarm(AlarmEvent::Cleared { alarm: quiet }));
    settle(&mut story, 5, effects);
    assert!(matches!(story.step(S1).state, StepState::StoodDown { .. }), "{:?}", story.step(S1).state);
}
