//! The band of the tour, below everything else: where it stands, and what to do next.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::look::Look;
use super::sheet::Sheet;
use crate::session::Session;
use crate::ui::format;
use crate::ui::keymap::Keymap;
use crate::ui::model::Ui;
use crate::ui::theme::Role;
use crate::ui::tour::{Lesson, ROWS};

/// Draws it, if there is a tour and the screen is large enough.
pub fn draw(buffer: &mut Buffer, (ui, session): (&Ui, &Session), look: &Look) {
    let Some(lesson) = ui.lesson() else { return };
    let area = buffer.area;
    let band = Rect { y: area.y + area.height.saturating_sub(ROWS), height: ROWS.min(area.height), ..area };
    let mut sheet = Sheet::new(buffer, band, look);
    for row in rows((lesson, &ui.options.keymap, session), sheet.width()) {
        sheet.text(Role::Accent, &row);
    }
}

/// The rows; how the tour is left goes before a word of the lesson does.
fn rows((lesson, keymap, session): (Lesson, &Keymap, &Session), columns: usize) -> Vec<String> {
    let (at, of) = lesson.place();
    let lead = format!(" TOUR {at}/{of}  ");
    let room = columns.saturating_sub(lead.len()).max(1);
    let text = lesson.text(keymap, session);
    let whole = lesson.way_out(keymap).map(|way| format!("{text}  {way}"));
    let whole = whole.filter(|whole| format::wrap(whole, room).len() <= usize::from(ROWS)).unwrap_or(text);
    let parts = format::wrap(&whole, room).into_iter().enumerate();
    parts.map(|(at, part)| if at == 0 { lead.clone() + part } else { " ".repeat(lead.len()) + part }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lesson_fits_two_rows_of_eighty() {
        let mut lesson = Some(Lesson::default());
        let mut session = crate::ui::update::tests::session(crate::domain::remediation::step::StepState::Rehearsed);
        for asks in [true, false] {
            while let Some(now) = lesson {
                let rows = rows((now, &Keymap::default(), &session), 80);
                assert!(rows.len() <= usize::from(ROWS) && rows.iter().all(|row| row.len() <= 80), "{asks} {rows:?}");
                lesson = now.next();
            }
            (session, lesson) = (Session::default(), Some(Lesson::default()));
        }
    }
}
