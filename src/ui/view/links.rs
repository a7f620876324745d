//! Where addresses stand on screen, for terminals that can be told so: the rows of the page that is open, and no others.

use jiff::Timestamp;
use ratatui::layout::Rect;

use super::look::Look;
use super::overlay::detail;
use crate::session::Session;
use crate::ui::format;
use crate::ui::model::Ui;
use crate::ui::model::overlay::Overlay;
use crate::ui::page::{self, Desk, Laid};

/// A stretch of cells that shows a part of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The cells.
    pub area: Rect,
    /// The whole address.
    pub url: String,
    /// Which of the page's addresses it is.
    pub number: usize,
}

/// The addresses on screen.
pub fn links(ui: &Ui, session: &Session, now: Timestamp) -> Vec<Link> {
    let Some(Overlay::Detail(opened)) = &ui.overlay else { return Vec::new() };
    let look = Look::of(ui, now);
    let desk = Desk { ui, session, look: &look };
    let Some(page) = page::of(&opened.item, opened.telling, desk) else { return Vec::new() };
    let area = ui.layout().overlay(u16::MAX, u16::MAX);
    let (rows, high) = detail::rows(desk, opened, area);
    let top = opened.top.min(rows.len().saturating_sub(high));
    let urls = page.links();
    let on_screen = rows.iter().skip(top).take(high).zip(area.y + 1..);
    on_screen.filter_map(|(row, y)| link(row, (area, y), &urls)).collect()
}

fn link(row: &Laid, (area, y): (Rect, u16), urls: &[&str]) -> Option<Link> {
    let number = row.link?;
    let [(_, word), (_, part)] = row.parts.as_slice() else { return None };
    let (before, width) = (format::width(word) as u16, format::width(part) as u16);
    let room = area.width.saturating_sub(2).saturating_sub(before);
    let area = Rect { x: area.x + 1 + before, y, width: width.min(room), height: 1 };
    Some(Link { area, url: (*urls.get(number)?).to_owned(), number })
}
