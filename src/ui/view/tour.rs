//! The band of the tour, below everything else: where it stands, and what to do next.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::look::Look;
use super::sheet::Sheet;
use crate::session::Session;
use crate::ui::model::Ui;
use crate::ui::theme::Role;
use crate::ui::tour::ROWS;

/// Draws it, if there is a tour and the screen is large enough.
pub fn draw(buffer: &mut Buffer, (ui, session): (&Ui, &Session), look: &Look) {
    let Some(lesson) = ui.lesson() else { return };
    let area = buffer.area;
    let band = Rect { y: area.y + area.height.saturating_sub(ROWS), height: ROWS.min(area.height), ..area };
    let (at, of) = lesson.place();
    let mut sheet = Sheet::new(buffer, band, look);
    let text = format!(" TOUR {at}/{of}  {}  (Ctrl-X ends the tour)", lesson.text(session));
    sheet.wrapped(Role::Accent, &text, 11);
}
