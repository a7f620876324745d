//! Whether the screen may fall quiet: nobody touches it and nothing happens that is told by the second.

use std::time::Duration;

use jiff::Timestamp;

use super::clock::Clock;
use super::inbox::Inbox;
use crate::domain::observation::scope::whole_minute;
use crate::domain::remediation::gate::NarrativeStanding;
use crate::domain::remediation::step::StepState;
use crate::rehearsal::clock::Speed;
use crate::session::Session;
use crate::session::event::{Event, FeedEvent, LogEvent};
use crate::session::incident::Incident;
use crate::ui::model::{Pace, Ui};
use crate::ui::view::{Freshness, freshness};

/// How long nothing may have happened before the screen falls quiet.
const AFTER_MS: u64 = 10_000;
/// How often a quiet screen is looked at: a feed that goes stale is told within this.
const TICK: Duration = Duration::from_secs(5);

/// When something last happened, and what the screen tells of the time.
#[derive(Clone, Debug, Default)]
pub struct Quiet {
    stirred_at: u64,
    shown: Option<Shown>,
}

/// What the frame on screen tells of the time.
#[derive(Clone, Debug, PartialEq)]
struct Shown {
    minute: Timestamp,
    freshness: Freshness,
    drills: usize,
}

impl Shown {
    fn of(session: &Session, now: Timestamp) -> Self {
        let drills = session.drills_at(now).count();
        Self { minute: whole_minute(now), freshness: freshness(session, now), drills }
    }
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

    /// Whether a message can wait for the end of the minute, with which the clock, the ages and the points that came in it
    /// are drawn in one frame.
    pub fn holds_back(message: &Inbox, pace: Pace) -> bool {
        matches!(message, Inbox::Event { event, .. } if pace == Pace::Quiet && can_wait(event))
    }

    /// Whether a quiet screen is drawn anew, with what was held: the minute is over, or a feed is no longer what the screen
    /// says of it.
    pub fn is_due(&self, session: &Session, now: Timestamp) -> bool {
        self.shown.as_ref() != Some(&Shown::of(session, now))
    }

    /// A frame with all there is has been drawn.
    pub fn drawn(&mut self, session: &Session, now: Timestamp) {
        self.shown = Some(Shown::of(session, now));
    }

    /// The pace at this moment.
    pub fn pace(&self, (ui, session): (&Ui, &Session), mono_ms: u64) -> Pace {
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

/// What moves figures and curves alone: points, answers that brought nothing else, and pages without a line.
fn can_wait(event: &Event) -> bool {
    match event {
        Event::Metric(_)
        | Event::Feed(
            FeedEvent::Answered { .. } | FeedEvent::ServiceAnswered { .. } | FeedEvent::GroupAnswered { .. },
        ) => true,
        Event::Log(LogEvent::Batch { lines, .. }) => lines.is_empty(),
        _ => false,
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
    use crate::session::feeds::{FeedHealth, FeedId};
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

    fn event(event: Event) -> Inbox {
        Inbox::Event { incident: None, event: Box::new(event), lane: Lane::default() }
    }

    /// A quiet screen drawn at this second, with alarms that were read then.
    fn quiet_since(second: i64) -> (Quiet, Session) {
        let at = Timestamp::from_second(second).unwrap();
        let mut session = Session::default();
        session.feeds.entry(FeedId::Alarms).or_default().change(&FeedHealth::Live, at);
        let mut quiet = Quiet::default();
        quiet.drawn(&session, at);
        (quiet, session)
    }

    #[test]
    fn points_wait_for_the_minute_on_a_quiet_screen_alone() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let answered = event(Event::Feed(FeedEvent::Answered { feed: FeedId::Metrics }));
        assert!(!Quiet::holds_back(&answered, Pace::Lively) && Quiet::holds_back(&answered, Pace::Quiet));
        let (mut quiet, session) = quiet_since(600);
        assert!(!quiet.is_due(&session, at(601)) && !quiet.is_due(&session, at(659)));
        assert!(quiet.is_due(&session, at(660)));
        quiet.drawn(&session, at(660));
        assert!(!quiet.is_due(&session, at(660)), "nothing is held any more");
    }

    #[test]
    fn a_feed_that_dies_or_grows_old_is_shown_at_once() {
        use crate::domain::fault::{Fault, FaultKind};
        let at = |second| Timestamp::from_second(second).unwrap();
        let lost = FeedHealth::Lost { fault: Fault::new(FaultKind::Denied, "No.") };
        let died = event(Event::Feed(FeedEvent::Changed { feed: FeedId::Alarms, health: lost.clone() }));
        assert!(!Quiet::holds_back(&died, Pace::Quiet));
        let (quiet, mut session) = quiet_since(600);
        session.feeds.entry(FeedId::Alarms).or_default().change(&lost, at(630));
        assert!(quiet.is_due(&session, at(630)));
        // Alarms that were read last at 600 are old from 661 on.
        let (mut quiet, session) = quiet_since(600);
        quiet.drawn(&session, at(660));
        assert!(!quiet.is_due(&session, at(660)) && quiet.is_due(&session, at(661)));
    }
}
