//! When the story of a run without a screen is told: what has to be known, and how long to wait for it.

use jiff::Timestamp;

use super::Headless;
use crate::domain::remediation::gate::NarrativeStanding;
use crate::domain::remediation::step::StepState;
use crate::runtime::core::Core;
use crate::session::Session;
use crate::session::feeds::{FeedHealth, FeedId};
use crate::session::incident::{Incident, Post};

/// Incident time that has to pass before the story may count as told: alarms that fire together come seconds apart.
const SETTLE_S: i64 = 10;
/// The same for a run about one alarm: what else fires is not its story.
const SETTLE_ONE_S: i64 = 2;
/// Failures in a row after which a run that has nothing yet gives up: about twenty seconds of waits, since a throttled or
/// restarted service comes back by itself.
const MOST_FAILURES: u32 = 7;
/// Incident time after which a run without any incident ends.
const QUIET_END_S: i64 = 60;

/// Whether each step was rehearsed, or decided without.
pub(super) fn is_rehearsed(incident: &Incident) -> bool {
    incident.plan.iter().flat_map(|plan| &plan.steps).all(|step| step.rehearsal.is_some() || step.state.is_decided())
}

/// Whether all is known that the run is for; `started` in incident time.
pub(super) fn is_told(core: &Core, headless: &Headless, started: Timestamp) -> bool {
    let passed = core.clock.now().duration_since(started).as_secs();
    let session = &core.session;
    if session.header.focus.is_some() {
        return match session.focused() {
            Some(incident) => passed >= SETTLE_ONE_S && is_judged(incident),
            None => passed >= QUIET_END_S || is_unknown(session) || is_cut_off(session),
        };
    }
    if session.incidents.is_empty() {
        return passed >= QUIET_END_S || is_cut_off(session);
    }
    let decided = match &headless.operator {
        Some((operator, _)) => operator.is_done() && is_at_rest(session),
        None => true,
    };
    passed >= SETTLE_S && decided && session.incidents.values().all(is_judged)
}

/// The alarms were listed, and the one the run is about is not among them.
fn is_unknown(session: &Session) -> bool {
    session.feed(FeedId::Alarms).health == FeedHealth::Live
        && !session.alarms.keys().any(|alarm| session.is_focus(alarm))
}

/// The alarms cannot be listed, and waiting longer would not help.
fn is_cut_off(session: &Session) -> bool {
    match session.feed(FeedId::Alarms).health {
        FeedHealth::Lost { .. } | FeedHealth::Off { .. } => true,
        FeedHealth::Retrying { attempt, .. } => attempt >= MOST_FAILURES,
        FeedHealth::Connecting | FeedHealth::Live => false,
    }
}

/// Whether there is a story, and it is judged as far as a run without a person goes.
pub fn has_come_to_its_point(session: &Session) -> bool {
    !session.incidents.is_empty() && session.incidents.values().all(is_judged)
}

/// Judged, and every step of its plan rehearsed.
fn is_judged(incident: &Incident) -> bool {
    incident.awaited.is_empty()
        && incident.verdict.is_some()
        && incident.narrative.standing != NarrativeStanding::UnderWay
        && incident.gate.is_some()
        && is_rehearsed(incident)
}

/// Nothing runs, nothing is being watched, nothing is being posted.
fn is_at_rest(session: &Session) -> bool {
    session.incidents.values().all(|incident| {
        let steps = incident.plan.iter().flat_map(|plan| &plan.steps);
        let moving = steps.into_iter().any(|step| {
            matches!(step.state, StepState::Running | StepState::Verifying)
                || (step.state == StepState::Approved && incident.approval.is_some())
        });
        let sending = incident.report.as_ref().is_some_and(|report| report.post == Post::Sending);
        !moving && !sending
    })
}
