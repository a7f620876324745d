//! What a search finds in the rows of the text: across the parts of a row, and from one row into the next.

use std::ops::Range;

use super::Rows;
use crate::ui::search::Search;

/// One find: rows with bytes of their text, one after another where it is wrapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Never empty.
    pub spans: Vec<(usize, Range<usize>)>,
}

impl Hit {
    /// The row it begins in.
    pub fn row(&self) -> usize {
        self.spans.first().map_or(0, |(row, _)| *row)
    }
}

/// Where a row's words lie in the text as one line.
struct Placed {
    held: Range<usize>,
    /// Blanks before the words, bytes.
    lead: usize,
}

impl Rows<'_> {
    /// Every find, from the top. Rows are read as one line, as they were before they were wrapped.
    pub fn hits(&self, search: &Search) -> Vec<Hit> {
        let (mut line, mut rows) = (String::new(), Vec::new());
        for row in self.iter() {
            let text = row.text();
            let words = text.trim();
            if !line.is_empty() {
                line.push(' ');
            }
            let from = line.len();
            line.push_str(words);
            rows.push(Placed { held: from..line.len(), lead: text.len() - text.trim_start().len() });
        }
        let found = search.ranges(&line).into_iter().map(|range| Hit { spans: spans(&rows, &range) });
        found.filter(|hit| !hit.spans.is_empty()).collect()
    }
}

/// The parts of rows that a range of the whole line is.
fn spans(rows: &[Placed], range: &Range<usize>) -> Vec<(usize, Range<usize>)> {
    let first = rows.partition_point(|row| row.held.end <= range.start);
    let within = rows.iter().enumerate().skip(first).take_while(|(_, row)| row.held.start < range.end);
    let part = |(at, row): (usize, &Placed)| {
        let (from, to) = (range.start.max(row.held.start), range.end.min(row.held.end));
        (from < to).then(|| (at, from - row.held.start + row.lead..to - row.held.start + row.lead))
    };
    within.filter_map(part).collect()
}
