//! A rectangle that is written from the top, row by row, and never beyond its edges; and the frame of a pane.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::look::Look;
use crate::ui::format;
use crate::ui::search::Search;
use crate::ui::theme::Role;

/// A rectangle being written.
pub struct Sheet<'b> {
    buffer: &'b mut Buffer,
    /// The rectangle.
    pub area: Rect,
    /// How things are told.
    pub look: &'b Look,
    row: u16,
}

impl<'b> Sheet<'b> {
    /// An empty sheet.
    pub fn new(buffer: &'b mut Buffer, area: Rect, look: &'b Look) -> Self {
        let area = area.intersection(buffer.area);
        Self { buffer, area, look, row: 0 }
    }

    /// Columns.
    pub fn width(&self) -> usize {
        usize::from(self.area.width)
    }

    /// Rows not written yet.
    pub fn left(&self) -> usize {
        usize::from(self.area.height.saturating_sub(self.row))
    }

    /// What is not written yet, as a rectangle.
    pub fn rest(&self) -> Rect {
        let height = self.area.height.saturating_sub(self.row);
        Rect { y: self.area.y + self.row.min(self.area.height), height, ..self.area }
    }

    /// The buffer, for what is not text.
    pub fn buffer(&mut self) -> &mut Buffer {
        self.buffer
    }

    /// Writes a row; what does not fit is cut with a sign. Nothing happens on a full sheet.
    pub fn row(&mut self, line: &Line<'_>) {
        if self.left() == 0 {
            return;
        }
        let y = self.area.y + self.row;
        put(self.buffer, Rect { y, height: 1, ..self.area }, line, self.look);
        self.row += 1;
    }

    /// Writes a row in one role.
    pub fn text(&mut self, role: Role, text: &str) {
        let line = Line::from(self.look.span(role, text));
        self.row(&line);
    }

    /// Writes a text over as many rows as it needs, each further one indented.
    pub fn wrapped(&mut self, role: Role, text: &str, indent: usize) {
        let columns = self.width().saturating_sub(indent).max(1);
        let safe = crate::domain::observation::sanitise::text(text);
        for (at, part) in format::wrap(&safe, columns).into_iter().enumerate() {
            if self.left() == 0 {
                return;
            }
            let lead = if at == 0 { 0 } else { indent };
            self.row(&Line::from(vec![Span::raw(" ".repeat(lead)), self.look.span(role, part)]));
        }
    }

    /// Writes a row with one part at the left and one at the right edge; the right one is kept whole.
    pub fn ends(&mut self, left: &Line<'_>, right: &Line<'_>) {
        if self.left() == 0 {
            return;
        }
        let area = Rect { y: self.area.y + self.row, height: 1, ..self.area };
        ends(self.buffer, area, (left, right), self.look);
        self.row += 1;
    }

    /// Draws a line from edge to edge.
    pub fn rule(&mut self) {
        let text = self.look.sign("─", "-").repeat(self.width());
        self.row(&Line::styled(text, self.look.style(Role::Rule)));
    }

    /// Marks the row written last as the selected one.
    pub fn select_last(&mut self) {
        if self.row == 0 {
            return;
        }
        let area = Rect { y: self.area.y + self.row - 1, height: 1, ..self.area };
        // One style over the whole row: colours of their own would turn into patches when reversed.
        let style = Style::reset().patch(self.look.style(Role::Selected));
        self.buffer.set_style(area, style);
    }

    /// Greys everything written so far: it is no longer fed.
    pub fn grey(&mut self) {
        self.buffer
            .set_style(Rect { height: self.row.min(self.area.height), ..self.area }, self.look.style(Role::Stale));
    }
}

/// Writes a line into the first row of an area, cut with a sign where it does not fit.
pub fn put(buffer: &mut Buffer, area: Rect, line: &Line<'_>, look: &Look) {
    let area = area.intersection(buffer.area);
    if area.is_empty() {
        return;
    }
    buffer.set_line(area.x, area.y, line, area.width);
    if line.width() > usize::from(area.width) {
        let last = area.x + area.width - 1;
        let style = buffer[(last, area.y)].style();
        buffer.set_string(last, area.y, look.sign("…", "~"), style);
    }
}

/// Marks what a search finds in rows that are drawn already.
pub fn mark(buffer: &mut Buffer, area: Rect, search: &Search, look: &Look) {
    let area = area.intersection(buffer.area);
    for y in area.top()..area.bottom() {
        let (mut text, mut ends) = (String::new(), Vec::new());
        for x in area.left()..area.right() {
            text.push_str(buffer[(x, y)].symbol());
            ends.push(text.len());
        }
        for range in search.ranges(text.trim_end()) {
            let first = ends.partition_point(|end| *end <= range.start);
            let last = ends.partition_point(|end| *end < range.end);
            let width = (last + 1 - first) as u16;
            buffer.set_style(Rect { x: area.x + first as u16, y, width, height: 1 }, look.style(Role::Match));
        }
    }
}

/// Writes a line at the left and one at the right edge of the first row of an area. The right one is kept whole.
pub fn ends(buffer: &mut Buffer, area: Rect, (left, right): (&Line<'_>, &Line<'_>), look: &Look) {
    let wide = (right.width() as u16).min(area.width);
    let gap = u16::from(wide > 0);
    put(buffer, Rect { width: area.width.saturating_sub(wide + gap), ..area }, left, look);
    put(buffer, Rect { x: area.x + area.width - wide, width: wide, ..area }, right, look);
}

/// Whether a pane has the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// It has.
    Keys,
    /// Another has.
    Nothing,
}

/// Draws a pane's frame with its title and its stamp, and gives the rectangle inside.
pub fn frame(buffer: &mut Buffer, area: Rect, (title, stamp): (&Line<'_>, &Line<'_>), look: (&Look, Held)) -> Rect {
    let area = area.intersection(buffer.area);
    let (look, held) = look;
    if area.width < 2 || area.height < 2 {
        return Rect { height: 0, ..area };
    }
    let style = look.style(if held == Held::Keys { Role::Accent } else { Role::Rule });
    edges(buffer, area, look, style);
    let top = Rect { x: area.x + 2, width: area.width.saturating_sub(4), height: 1, ..area };
    let stamp_line = padded(stamp);
    // A stamp never hides which pane this is.
    let room = usize::from(top.width);
    let right = if stamp_line.width() + 14 <= room { stamp_line } else { shortened(stamp, room.saturating_sub(14)) };
    ends(buffer, top, (&padded(title), &right), look);
    Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: area.height - 2 }
}

/// Says on the lower edge of a frame which of so many rows are on screen, where some have no room: `1-6 of 9`.
pub fn rows_shown(buffer: &mut Buffer, area: Rect, (shown, of): (Range<usize>, usize), look: &Look) {
    let area = area.intersection(buffer.area);
    let Some(words) = place_words(shown, of).filter(|_| area.height > 2) else { return };
    let line = padded(&Line::from(look.span(Role::Faint, words)));
    let wide = line.width() as u16;
    if wide + 4 <= area.width {
        put(buffer, Rect { x: area.right() - wide - 2, y: area.bottom() - 1, width: wide, height: 1 }, &line, look);
    }
}

/// Which of so many rows are on screen; `None` where all are.
pub fn place_words(shown: Range<usize>, of: usize) -> Option<String> {
    match shown.len() {
        many if many >= of => None,
        0 => Some(format!("0 of {of}")),
        1 => Some(format!("{} of {of}", shown.end)),
        _ => Some(format!("{}-{} of {of}", shown.start + 1, shown.end)),
    }
}

/// Draws a pane's title and stamp without a box around it, and gives the rectangle below.
pub fn bare(buffer: &mut Buffer, area: Rect, (title, stamp): (&Line<'_>, &Line<'_>), look: &Look) -> Rect {
    let area = area.intersection(buffer.area);
    let top = Rect { height: area.height.min(1), ..area };
    for x in top.left()..top.right() {
        buffer[(x, top.y)].set_symbol(look.sign("─", "-")).set_style(look.style(Role::Rule));
    }
    ends(buffer, top, (&padded(title), &padded(stamp)), look);
    Rect { y: area.y + top.height, height: area.height - top.height, ..area }
}

/// A stamp without room keeps its first word (`STALE`, `RETRY`, `ERR`) and as much more as fits: none is ever hidden.
fn shortened<'l>(stamp: &Line<'l>, room: usize) -> Line<'l> {
    let Some(first) = stamp.spans.iter().find(|span| !span.content.trim().is_empty()) else { return Line::default() };
    let words: Vec<&str> = first.content.split_whitespace().collect();
    let fits = (1..=words.len()).rev().map(|n| words[..n].join(" ")).find(|text| format::width(text) + 2 <= room);
    let text = fits.or_else(|| words.first().map(|word| (*word).to_owned())).unwrap_or_default();
    padded(&Line::from(Span::styled(text, first.style)))
}

fn padded<'l>(line: &Line<'l>) -> Line<'l> {
    if line.width() == 0 {
        return Line::default();
    }
    let mut spans = vec![Span::raw(" ")];
    spans.extend(line.spans.iter().cloned());
    spans.push(Span::raw(" "));
    Line::from(spans)
}

fn edges(buffer: &mut Buffer, area: Rect, look: &Look, style: Style) {
    let (right, bottom) = (area.x + area.width - 1, area.y + area.height - 1);
    let (across, down) = (look.sign("─", "-"), look.sign("│", "|"));
    let style = Style { add_modifier: ratatui::style::Modifier::empty(), ..style };
    for x in area.x..=right {
        buffer[(x, area.y)].set_symbol(across).set_style(style);
        buffer[(x, bottom)].set_symbol(across).set_style(style);
    }
    for y in area.y..=bottom {
        buffer[(area.x, y)].set_symbol(down).set_style(style);
        buffer[(right, y)].set_symbol(down).set_style(style);
    }
    let corners = [
        ((area.x, area.y), look.sign("┌", "+")),
        ((right, area.y), look.sign("┐", "+")),
        ((area.x, bottom), look.sign("└", "+")),
        ((right, bottom), look.sign("┘", "+")),
    ];
    for (at, symbol) in corners {
        buffer[at].set_symbol(symbol);
    }
}
