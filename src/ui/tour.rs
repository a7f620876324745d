//! The tour: a short way through the cockpit that goes on when the person did what it asks for. It presses nothing itself.

use super::keymap::{Action, Binding, Keymap};
use super::model::overlay::{Item, Overlay};
use super::model::{Pane, Ui};
use crate::domain::remediation::step::StepState;
use crate::session::Session;

/// Rows of the band below everything else.
pub const ROWS: u16 = 2;
/// A terminal with fewer rows keeps them for the panes.
pub const LEAST_ROWS: u16 = 20;

/// Where the tour stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lesson {
    /// Wait for the page, and open the alarm.
    #[default]
    Alarm,
    /// Close it.
    Back,
    /// Go to the logs.
    Logs,
    /// Jump to a kill or an error.
    Jump,
    /// Go to the analysis.
    Analysis,
    /// Open a piece of evidence.
    Evidence,
    /// Go to the step.
    Remedy,
    /// Decide it.
    Decide,
    /// The end.
    Done,
}

impl Lesson {
    const ALL: [Self; 9] = [
        Self::Alarm,
        Self::Back,
        Self::Logs,
        Self::Jump,
        Self::Analysis,
        Self::Evidence,
        Self::Remedy,
        Self::Decide,
        Self::Done,
    ];

    /// The one after it.
    pub fn next(self) -> Option<Self> {
        Self::ALL.get(self as usize + 1).copied()
    }

    /// From 1, and of how many.
    pub fn place(self) -> (usize, usize) {
        (self as usize + 1, Self::ALL.len())
    }

    /// What to do, by the keys in force.
    pub fn text(self, keymap: &Keymap, session: &Session) -> String {
        let key = |action| keymap.binding(action).map(Binding::first_key).unwrap_or_default();
        match self {
            Self::Alarm if session.incidents.is_empty() => {
                "You are on call, in a rehearsal: line 1 says so. The page comes within seconds.".to_owned()
            }
            Self::Alarm => format!(
                "An alarm fired, and line 2 names the incident. Open the selected alarm: {}.",
                key(Action::Open)
            ),
            Self::Back => {
                format!("{} closes what is open and leads back, everywhere. Close it.", key(Action::Back))
            }
            Self::Logs => {
                format!("The number in a pane's title is its key. Go to the logs: {}.", key(Action::Focus(Pane::Logs)))
            }
            Self::Jump => {
                let (oom, error, follow) = (key(Action::NextOom), key(Action::NextError), key(Action::Follow));
                format!(
                    "{oom} jumps to the next OOM kill or heap error, {error} to the next error; {follow} follows again. \
                     Press {oom} or {error}."
                )
            }
            Self::Analysis => format!(
                "Why did it happen? The rules' verdict stands beside the model's text. Go there: {}.",
                key(Action::Focus(Pane::Rca))
            ),
            Self::Evidence => format!(
                "Every sentence cites evidence such as E3: read from the source. Open one: {} or {}, then {}.",
                key(Action::Down),
                key(Action::Up),
                key(Action::Open)
            ),
            Self::Remedy => format!(
                "{} closes it. What may be done about it, and what would it do? Go to the steps: {}.",
                key(Action::Back),
                key(Action::Focus(Pane::Remediation))
            ),
            Self::Decide if !asks(session) => "The step is being judged and rehearsed. It will ask for you.".to_owned(),
            Self::Decide => {
                "Read the whole card. This is a dry-run: A records \"would run\" and sends nothing. Wait a \
                             second, press A once."
                    .to_owned()
            }
            Self::Done => format!(
                "That was all of it: alarm, evidence, verdict, decision. {} lists every key. {} ends the tour.",
                key(Action::Help),
                key(Action::EndTour)
            ),
        }
    }

    /// How it is left, where its text does not say so.
    pub fn way_out(self, keymap: &Keymap) -> Option<String> {
        let key = keymap.binding(Action::EndTour).filter(|_| self != Self::Done)?.first_key();
        Some(format!("({key} ends the tour)"))
    }

    fn is_done(self, ui: &Ui, session: &Session) -> bool {
        match self {
            Self::Alarm => {
                matches!(&ui.overlay, Some(Overlay::Detail(opened)) if matches!(opened.item, Item::Alarm(_)))
            }
            Self::Back => ui.overlay.is_none(),
            Self::Logs => ui.focus == Pane::Logs,
            Self::Jump => !ui.logs.follows(),
            Self::Analysis => ui.focus == Pane::Rca,
            Self::Evidence => {
                matches!(&ui.overlay, Some(Overlay::Detail(opened)) if matches!(opened.item, Item::Evidence(_)))
            }
            Self::Remedy => ui.focus == Pane::Remediation && ui.overlay.is_none(),
            Self::Decide => decided(session),
            Self::Done => false,
        }
    }
}

/// Goes on as far as the person went. Never back: a lesson that was learned is over.
pub fn advance(ui: &mut Ui, session: &Session) {
    // Who decided has been through all of it, however they came there.
    if ui.tour.is_some() && decided(session) {
        ui.tour = Some(Lesson::Done);
    }
    while let Some(lesson) = ui.tour.filter(|lesson| lesson.is_done(ui, session)) {
        ui.tour = lesson.next();
        // One thing at a time: what opened the alarm does not close it in the same breath.
        if ui.tour == Some(Lesson::Back) {
            return;
        }
    }
}

fn asks(session: &Session) -> bool {
    steps(session).any(|state| *state == StepState::Rehearsed)
}

fn decided(session: &Session) -> bool {
    steps(session).any(StepState::is_decided)
}

fn steps(session: &Session) -> impl Iterator<Item = &StepState> {
    let plans = session.incidents.values().filter_map(|incident| incident.plan.as_ref());
    plans.flat_map(|plan| &plan.steps).map(|step| &step.state)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::observation::alarm::Severity;
    use crate::domain::observation::service::Service;
    use crate::session::IncidentId;
    use crate::session::incident::Incident;

    #[test]
    fn a_lesson_is_over_when_the_person_did_it_and_not_before() {
        let session = Session::default();
        let mut ui = Ui { tour: Some(Lesson::Logs), ..Ui::default() };
        advance(&mut ui, &session);
        assert_eq!(ui.tour, Some(Lesson::Logs), "the alarms have the keys");
        ui.focus = Pane::Logs;
        ui.logs.scroll = crate::ui::model::scroll::Scroll::Tail;
        advance(&mut ui, &session);
        assert_eq!(ui.tour, Some(Lesson::Jump));
        ui.focus = Pane::Rca;
        ui.logs.scroll = crate::ui::model::scroll::Scroll::default();
        advance(&mut ui, &session);
        assert_eq!(ui.tour, Some(Lesson::Evidence), "who went ahead is not held back");
        assert!(advance_alone(&session).is_none(), "without a tour nothing is told");
    }

    fn advance_alone(session: &Session) -> Option<Lesson> {
        let mut ui = Ui::default();
        advance(&mut ui, session);
        ui.tour
    }

    #[test]
    fn the_keys_that_are_told_are_those_in_force() {
        let keymap = Keymap::with([("open", vec!["l".to_owned()])]).unwrap();
        let mut session = Session::default();
        let one = Incident::new(IncidentId(1), Service::bare("my-api"), Severity::P2, jiff::Timestamp::UNIX_EPOCH);
        session.incidents.insert(IncidentId(1), one);
        assert!(Lesson::Alarm.text(&keymap, &session).ends_with("alarm: l."));
        assert!(Lesson::Alarm.text(&Keymap::default(), &session).ends_with("alarm: Enter."));
        let ways = Lesson::ALL.map(|lesson| {
            let text = lesson.text(&keymap, &session) + &lesson.way_out(&keymap).unwrap_or_default();
            text.matches("ends the tour").count()
        });
        assert_eq!(ways, [1; 9], "each says once how it is left");
    }
}
