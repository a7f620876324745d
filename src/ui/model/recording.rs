//! What of the screen's memory may be recorded: what a person types may not, to confirm, to search or to be sent.

use super::{Typed, Ui};

impl Ui {
    /// Shows the screen without what a recording must not hold, and is afterwards as it was. What is typed is not redacted
    /// but hidden: letter by letter no secret can be told from any other text. A note is recorded once it is on the
    /// timeline, redacted.
    pub fn while_recorded<T>(&mut self, show: impl FnOnce(&Self) -> T) -> T {
        self.typed = Typed::Hidden;
        let shown = show(self);
        self.typed = Typed::Shown;
        shown
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use tui_textarea::TextArea;

    use super::*;
    use crate::domain::observation::alarm::fixture;
    use crate::domain::remediation::step::StepState;
    use crate::session::Session;
    use crate::ui::input::Input;
    use crate::ui::keymap::chord;
    use crate::ui::model::overlay::{Item, Opened, Overlay, Telling, Writing};
    use crate::ui::model::{Instants, Pane, Size, UiOptions, Zoom};
    use crate::ui::search::Search;
    use crate::ui::update::tests::session;
    use crate::ui::{update, view};

    const SECRET: &str = "AKIAIOSF0DNN7";

    fn ui(focus: Pane) -> Ui {
        let mut ui = Ui::new(UiOptions::default(), Size { cols: 120, rows: 40 });
        (ui.focus, ui.zoom) = (focus, Zoom::Zoomed);
        ui
    }

    fn drawn(ui: &Ui, session: &Session) -> String {
        let mut terminal = Terminal::new(TestBackend::new(ui.size.cols, ui.size.rows)).unwrap();
        terminal.draw(|frame| view::draw(frame, ui, session, Timestamp::UNIX_EPOCH)).unwrap();
        terminal.backend().buffer().content().iter().map(ratatui::buffer::Cell::symbol).collect()
    }

    fn press(ui: &mut Ui, key: &str, session: &Session, at: Instants) {
        let chord = chord::parse(key).unwrap()[0];
        let event = crossterm::event::KeyEvent::new(chord.code, chord.modifiers);
        drop(update::update(ui, Input::Key(event), session, at));
    }

    /// A secret is on the screen and not in its recording; what is beside it is in both.
    fn is_hidden(ui: &mut Ui, session: &Session, beside: &str) {
        let told = drawn(ui, session);
        assert!(told.contains(SECRET) && told.contains(beside), "{beside}: {told}");
        let recorded = ui.while_recorded(|ui| drawn(ui, session));
        for part in [SECRET, &SECRET[..4], &SECRET[4..]] {
            assert!(!recorded.contains(part), "{beside}: {recorded}");
        }
        assert!(recorded.contains(beside), "{recorded}");
        assert_eq!(drawn(ui, session), told, "the screen itself is as it was");
    }

    #[test]
    fn what_a_pane_is_searched_for_is_not_in_a_recording_while_it_is_typed_and_afterwards() {
        let mut session = session(StepState::Rehearsed);
        session.alarms.insert("a".into(), fixture::any("a"));
        for pane in Pane::ALL {
            let at = |press: u64| Instants { now: Timestamp::UNIX_EPOCH, mono_ms: press * 2_000 };
            let mut ui = ui(pane);
            press(&mut ui, "/", &session, at(0));
            drop(update::update(&mut ui, Input::Paste(SECRET.to_owned()), &session, at(1)));
            is_hidden(&mut ui, &session, "Enter keeps it");
            press(&mut ui, "enter", &session, at(2));
            is_hidden(&mut ui, &session, pane.word());
            press(&mut ui, "n", &session, at(3));
            let said = ui.message.as_ref().map_or("", |message| message.text.as_str());
            assert!(!said.is_empty() && !said.contains(SECRET), "{pane:?}: {said}");
        }
    }

    #[test]
    fn what_is_typed_over_the_panes_is_not_in_a_recording() {
        let session = session(StepState::Armed { until: Timestamp::MAX });
        let mut opened = Opened::new(Item::Step(crate::domain::remediation::step::StepId(1)), Telling::Told);
        opened.search = Some(Search::filter(SECRET));
        let searched = Overlay::Detail(Box::new(opened.clone()));
        opened.typing = Some(SECRET.to_owned());
        let overlays = [
            (Overlay::Help { query: SECRET.to_owned(), top: 0 }, "HELP"),
            (Overlay::Palette { query: SECRET.to_owned(), selected: 0 }, "Esc closes"),
            (Overlay::Write { writing: Writing::Note, area: Box::new(TextArea::from([SECRET])) }, "NOTE"),
            (searched, "rows match"),
            (Overlay::Detail(Box::new(opened)), "rows match"),
        ];
        for (overlay, beside) in overlays {
            let mut ui = Ui { overlay: Some(overlay), ..ui(Pane::Alarms) };
            is_hidden(&mut ui, &session, beside);
        }
        let mut ui = ui(Pane::Remediation);
        let mut field = ui.confirm_field(&session).unwrap();
        field.text = SECRET.to_owned();
        ui.confirm = Some(field);
        is_hidden(&mut ui, &session, "confirm>");
    }
}
