//! The model's text as rows: Markdown, the mark of each claim, and citations that can be gone to. What is settled is laid
//! out once; only the tail that still changes is parsed again.

mod claims;
mod cut;
mod found;
mod markdown;
mod table;

use super::model::Glyphs;
use super::theme::Role;
use crate::domain::diagnosis::evidence::EvidenceId;
use crate::session::IncidentId;
use crate::session::incident::Incident;

use self::claims::{Placed, place};
pub use self::found::Hit;
use self::markdown::{Block, blocks};

/// How a claim stands, for its mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its evidence holds it.
    Supported,
    /// It cites, and nothing in it could be checked.
    Unchecked,
    /// Nothing backs it.
    Unsupported,
    /// The evidence says otherwise.
    Contradicted,
}

/// A part of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub role: Role,
    /// Its text.
    pub text: String,
    /// The evidence it cites, where it is a citation.
    pub cite: Option<EvidenceId>,
}

/// One row of the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextRow {
    /// Where in the text it begins, in bytes: what scrolling holds on to, at any width.
    pub at: usize,
    /// The mark before it, where a claim begins.
    pub mark: Option<Standing>,
    /// Its parts.
    pub parts: Vec<Part>,
}

impl TextRow {
    /// Its text.
    pub fn text(&self) -> String {
        self.parts.iter().map(|part| part.text.as_str()).collect()
    }
}

/// For which width and signs rows are laid out; the mark's two columns are not in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    /// Columns.
    pub columns: usize,
    /// Signs.
    pub glyphs: Glyphs,
}

/// The rows that will not change any more, as far as they have been laid out.
#[derive(Clone, Debug, Default)]
pub struct Settled {
    key: Option<(IncidentId, u32, Measure)>,
    rows: Vec<TextRow>,
    /// Bytes of the text that are in them.
    upto: usize,
    /// Claims that are in them.
    claims: usize,
    /// Bytes handed to the parser so far: what laying out has cost.
    pub parsed: usize,
}

/// The rows of a text: those settled, and those of the tail.
#[derive(Clone, Debug)]
pub struct Rows<'a> {
    settled: &'a [TextRow],
    tail: Vec<TextRow>,
}

impl Rows<'_> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.settled.len() + self.tail.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// From the top.
    pub fn iter(&self) -> impl Iterator<Item = &TextRow> {
        self.settled.iter().chain(&self.tail)
    }

    /// The first row that begins at or after a place in the text; the last one where there is none.
    pub fn at(&self, place: usize) -> usize {
        self.iter().position(|row| row.at >= place).unwrap_or(self.len().saturating_sub(1))
    }

    /// Where a row begins in the text.
    pub fn place(&self, row: usize) -> usize {
        self.iter().nth(row).or(self.iter().last()).map_or(0, |row| row.at)
    }

    /// The citations from the top: the row and the evidence.
    pub fn cites(&self) -> Vec<(usize, EvidenceId)> {
        let rows = self.iter().enumerate();
        rows.flat_map(|(at, row)| row.parts.iter().filter_map(move |part| Some((at, part.cite?)))).collect()
    }
}

impl Settled {
    /// Lays out what has become settled since the last time. Another incident, attempt or width begins anew.
    pub fn advance(&mut self, incident: &Incident, measure: Measure) {
        let key = Some((incident.id, incident.narrative.attempt, measure));
        if self.key != key {
            *self = Self { key, parsed: self.parsed, ..Self::default() };
        }
        let narrative = &incident.narrative;
        loop {
            let Some(rest) = narrative.text.get(self.upto..) else { return };
            if rest.is_empty() {
                return;
            }
            self.parsed += rest.len();
            let Some(end) = settled_end(rest, narrative.claimed.saturating_sub(self.upto)) else { return };
            let end = self.upto + end;
            let placed = place(&narrative.text, &narrative.claims, (self.upto, self.claims));
            let inside: Vec<Placed<'_>> = placed.into_iter().take_while(|claim| claim.to <= end).collect();
            self.rows.extend(markdown::rows(&narrative.text[self.upto..end], (self.upto, &inside), measure));
            self.claims = inside.last().map_or(self.claims, |last| last.number + 1);
            self.upto = end;
        }
    }

    /// The rows of a text now. What is not settled, or was laid out for something else, is laid out here and not kept.
    pub fn rows<'a>(&'a self, incident: &Incident, measure: Measure) -> Rows<'a> {
        let narrative = &incident.narrative;
        let ours = self.key == Some((incident.id, narrative.attempt, measure)) && self.upto <= narrative.text.len();
        let (settled, upto, claims) =
            if ours { (self.rows.as_slice(), self.upto, self.claims) } else { (&[][..], 0, 0) };
        let rest = narrative.text.get(upto..).unwrap_or_default();
        let placed = place(&narrative.text, &narrative.claims, (upto, claims));
        Rows { settled, tail: markdown::rows(rest, (upto, &placed), measure) }
    }
}

/// How far a text is settled, given how much of it is in claims:
/// 1. a block that another one follows;
/// 2. in a paragraph, a sentence that another one follows in the same line, or a line that a line of words follows: what
///    may still become a table or a heading is left alone, and so is what an open sign of emphasis may reach over.
fn settled_end(rest: &str, claimed: usize) -> Option<usize> {
    let found = blocks(rest);
    let (last, before) = found.split_last()?;
    // The start of the last block: blank lines before it belong to what is over.
    if let Some(ended) = before.last().filter(|ended| ended.range.end <= claimed) {
        return Some(last.range.start.min(claimed).max(ended.range.end));
    }
    let Block { range, is_paragraph: true } = last else { return None };
    let words = rest.get(range.start..claimed.min(range.end))?;
    let is_end = |(at, _): &(usize, &str)| {
        let (head, tail) = words.split_at(*at);
        let line = head.rsplit('\n').next().unwrap_or_default();
        let follows = match tail.as_bytes() {
            [b' ', next, ..] => !next.is_ascii_whitespace() && head.ends_with(['.', '!', '?', ']']),
            [b'\n', next, ..] => next.is_ascii_alphabetic(),
            _ => false,
        };
        follows && !line.contains('|') && is_balanced(head)
    };
    let end = words.rmatch_indices([' ', '\n']).find(is_end).map(|(at, _)| at + 1)?;
    Some(range.start + end)
}

fn is_balanced(text: &str) -> bool {
    let count = |sign: char| text.matches(sign).count();
    count('*').is_multiple_of(2) && count('`').is_multiple_of(2) && count('[') == count(']')
}

#[cfg(test)]
mod tests;
