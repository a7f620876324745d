//! A table of the model's, fitted into a width: wide columns give way, and cells wrap.

use super::cut::Run;
use super::{Measure, Part};
use crate::ui::format;
use crate::ui::theme::Role;

/// The least a column may shrink to.
const LEAST: usize = 5;

/// A table being read.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    /// Where each row begins in the text, and its cells. The first one is the head.
    pub(super) rows: Vec<(usize, Vec<String>)>,
    /// The cell being read.
    pub(super) cell: String,
    /// Where the last cell ended in the text that is parsed.
    pub(super) read: usize,
}

impl Table {
    /// The cell is read whole; it ended there.
    pub(super) fn end_cell(&mut self, at: usize) {
        let cell = std::mem::take(&mut self.cell);
        if let Some((_, cells)) = self.rows.last_mut() {
            cells.push(cell);
        }
        self.read = at;
    }

    /// The row is over. Markdown drops what it holds beyond the columns of the head; here it stays, with the last cell.
    pub(super) fn end_row(&mut self, beyond: &str) {
        let beyond = beyond.trim_matches(|sign: char| sign == '|' || sign.is_whitespace());
        let last = self.rows.last_mut().and_then(|(_, cells)| cells.last_mut());
        if let Some(last) = last.filter(|_| !beyond.is_empty()) {
            last.push_str(" | ");
            last.push_str(beyond);
        }
    }

    /// The rows on screen: where each begins in the text, whether it begins a row of the table, and its parts.
    pub(super) fn laid(&self, measure: Measure) -> Vec<(usize, bool, Vec<Part>)> {
        let widths = self.widths(measure.columns);
        let mut laid = Vec::new();
        for (number, (at, cells)) in self.rows.iter().enumerate() {
            let wrapped: Vec<Vec<&str>> =
                cells.iter().zip(&widths).map(|(cell, width)| format::wrap(cell, *width)).collect();
            let high = wrapped.iter().map(Vec::len).max().unwrap_or(1);
            let role = if number == 0 { Role::Strong } else { Role::Model };
            for row in 0..high {
                let texts = wrapped.iter().map(|parts| parts.get(row).copied().unwrap_or_default());
                laid.push((*at, row == 0, parts(texts.zip(&widths), (role, measure))));
            }
            if number == 0 {
                let across = measure.glyphs.pick("─", "-");
                let total = widths.iter().sum::<usize>() + widths.len().saturating_sub(1) * 3;
                laid.push((*at, false, vec![Part { role: Role::Rule, text: across.repeat(total), cite: None }]));
            }
        }
        laid
    }

    fn widths(&self, columns: usize) -> Vec<usize> {
        let count = self.rows.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
        let widest = |at: usize| {
            let cells = self.rows.iter().filter_map(|(_, cells)| cells.get(at));
            cells.map(|cell| format::width(cell)).max().unwrap_or(0).max(1)
        };
        let mut widths: Vec<usize> = (0..count).map(widest).collect();
        let room = columns.saturating_sub(count.saturating_sub(1) * 3);
        while widths.iter().sum::<usize>() > room {
            let Some(widest) = widths.iter_mut().max().filter(|width| **width > LEAST) else { break };
            *widest -= 1;
        }
        widths
    }
}

fn parts<'t>(cells: impl Iterator<Item = (&'t str, &'t usize)>, (role, measure): (Role, Measure)) -> Vec<Part> {
    let mut row: Vec<Part> = Vec::new();
    for (at, (text, width)) in cells.enumerate() {
        if at > 0 {
            let text = format!(" {} ", measure.glyphs.pick("│", "|"));
            row.push(Part { role: Role::Rule, text, cite: None });
        }
        row.extend(Run::of(role, text).rows(usize::MAX).into_iter().flat_map(|(_, parts)| parts));
        let pad = width.saturating_sub(format::width(text));
        row.push(Part { role, text: " ".repeat(pad), cite: None });
    }
    row
}
