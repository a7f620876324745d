//! The tour: a short way through the cockpit that goes on when the person did what it asks for. It presses nothing itself.

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

    /// From 1, and of how many.
    pub fn place(self) -> (usize, usize) {
        (self as usize + 1, Self::ALL.len())
    }

    /// What to do.
    pub fn text(self, session: &Session) -> &'static str {
        match self {
            Self::Alarm if session.incidents.is_empty() => {
                "You are on call, in a rehearsal: line 1 says so. The page comes within seconds."
            }
            Self::Alarm => "An alarm fired, and line 2 names the incident. Open the selected alarm: Enter.",
            Self::Back => "Esc (or q) closes what is open and leads back, everywhere. Close it.",
            Self::Logs => "The number in a pane's title is its key. Go to the logs: 3.",
            Self::Jump => {
                "o jumps to the next OOM kill or heap error, e to the next error; f follows again. Press o or e."
            }
            Self::Analysis => "Why did it happen? The rules' verdict stands beside the model's text. Go there: 4.",
            Self::Evidence => {
                "Every sentence cites evidence such as E3: read from the source. Open one: j or k, then Enter."
            }
            Self::Remedy => "Esc closes it. What may be done about it, and what would it do? Go to the steps: 5.",
            Self::Decide if !asks(session) => "The step is being judged and rehearsed. It will ask for you.",
            Self::Decide => {
                "Read the whole card. This is a dry-run: A records \"would run\" and sends nothing. Wait a second, press A once."
            }
            Self::Done => {
                "That was all of it: alarm, evidence, verdict, decision. ? lists every key. Ctrl-X ends the tour."
            }
        }
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
    while let Some(lesson) = ui.tour.filter(|lesson| lesson.is_done(ui, session)) {
        ui.tour = Lesson::ALL.get(lesson as usize + 1).copied();
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
    fn every_lesson_fits_two_rows_of_eighty() {
        for lesson in Lesson::ALL {
            assert!(lesson.text(&Session::default()).len() <= 2 * 78 - 12, "{lesson:?}");
        }
    }
}
