//! Whether the screen may fall quiet: nobody touches it and nothing happens that is told by the second.

use std::time::Duration;

use super::clock::Clock;
use super::inbox::Inbox;
use crate::domain::remediation::gate::NarrativeStanding;
use crate::domain::remediation::step::StepState;
use crate::rehearsal::clock::Speed;
use crate::session::Session;
use crate::session::event::{Event, LogEvent};
use crate::session::incident::Incident;
use crate::ui::model::{Pace, Ui};

/// How long nothing may have happened before the screen falls quiet.
const AFTER_MS: u64 = 10_000;
/// How often a quiet screen is looked at: a feed that goes stale is told within this.
const TICK: Duration = Duration::from_secs(5);

/// When something last happened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet {
    stirred_at: u64,
}

impl Quiet {
    /// Notes a message, if it is one that people watch for.
    pub fn note(&mut self, message: &Inbox, mono_ms: u64) {
        let stirs = match message {
            Inbox::Event { event, .. } => is_news(event),
            // A journal that goes on as before is none.
            Inbox::Acknowledged { .. } => false,
            Inbox::Hidden { .. }
            | Inbox::JournalFailed(_)
            | Inbox::Input { .. }
            | Inbox::Signal(_)
            | Inbox::TaskPanicked { .. }
            | Inbox::Saved(_) => true,
        };
        if stirs {
            self.stirred_at = mono_ms;
        }
    }

    /// The pace at this moment.
    pub fn pace(self, (ui, session): (&Ui, &Session), mono_ms: u64) -> Pace {
        let long_ago = mono_ms.saturating_sub(self.stirred_at) >= AFTER_MS;
        let busy = ui.message.is_some() || session.incidents.values().any(counts_seconds);
        if long_ago && !busy { Pace::Quiet } else { Pace::Lively }
    }

    /// How long a quiet screen may be left alone: until the minute of its clock is over at the latest.
    pub fn tick(clock: &Clock) -> Duration {
        let now = clock.now();
        let left_ms = 60_000 - now.as_millisecond().rem_euclid(60_000);
        let factor = match clock.speed() {
            Some(Speed::Times(factor)) => factor.max(0.01),
            Some(Speed::Max) | None => 1.0,
        };
        TICK.min(Duration::from_secs_f64(left_ms as f64 / 1_000.0 / factor) + Duration::from_millis(5))
    }
}

/// What a feed says of itself, and points of a series, are drawn when they come and are no reason to count seconds.
fn is_news(event: &Event) -> bool {
    match event {
        Event::Feed(_) | Event::Metric(_) | Event::Workload(_) | Event::Timer(_) => false,
        Event::Log(LogEvent::Batch { lines, .. }) => !lines.is_empty(),
        _ => true,
    }
}

/// Whether something of an incident is told by the second.
fn counts_seconds(incident: &Incident) -> bool {
    let steps = incident.plan.iter().flat_map(|plan| &plan.steps);
    let moves = steps.into_iter().any(|step| {
        matches!(
            step.state,
            StepState::Rehearsing | StepState::Armed { .. } | StepState::Running | StepState::Verifying
        )
    });
    moves || incident.narrative.standing == NarrativeStanding::UnderWay
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::inbox::Lane;
    use crate::session::event::FeedEvent;
    use crate::session::feeds::FeedId;
    use crate::ui::input::Input;

    #[test]
    fn what_a_feed_says_of_itself_does_not_stir_and_a_key_does() {
        let (ui, session) = (Ui::default(), Session::default());
        let mut quiet = Quiet::default();
        let answered = Event::Feed(FeedEvent::Answered { feed: FeedId::Alarms });
        quiet.note(&Inbox::Event { incident: None, event: Box::new(answered), lane: Lane::default() }, 9_000);
        assert_eq!(quiet.pace((&ui, &session), 9_999), Pace::Lively);
        assert_eq!(quiet.pace((&ui, &session), 10_000), Pace::Quiet);
        quiet.note(&Inbox::Input { input: Input::Tick, mono_ms: 11_000 }, 11_000);
        assert_eq!(quiet.pace((&ui, &session), 20_000), Pace::Lively);
    }

    #[test]
    fn a_narrative_under_way_is_told_by_the_second_however_long_it_is_silent() {
        use crate::domain::observation::alarm::Severity;
        use crate::domain::observation::service::Service;
        use crate::session::IncidentId;
        let mut session = Session::default();
        let mut incident =
            Incident::new(IncidentId(1), Service::bare("my-api"), Severity::P2, jiff::Timestamp::UNIX_EPOCH);
        incident.narrative.standing = NarrativeStanding::UnderWay;
        session.incidents.insert(incident.id, incident);
        assert_eq!(Quiet::default().pace((&Ui::default(), &session), 600_000), Pace::Lively);
    }
}
