//! Markdown to rows: headings, lists, quotes, code and tables, each claim beginning a row of its own with its mark.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd, TextMergeWithOffset};

use super::claims::Placed;
use super::cut::Run;
use super::table::Table;
use super::{Measure, Part, Standing, TextRow};
use crate::domain::diagnosis::claim::ClaimCheck;
use crate::ui::format;
use crate::ui::theme::Role;

/// A block of the text that is in no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Its place.
    pub(super) range: Range<usize>,
    /// Whether it is running text.
    pub(super) is_paragraph: bool,
}

fn parser(text: &str) -> Parser<'_> {
    Parser::new_ext(text, Options::ENABLE_TABLES)
}

/// The outermost blocks of a text.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let mut depth = 0_usize;
    let mut found = Vec::new();
    for (event, range) in parser(text).into_offset_iter() {
        match event {
            Event::Start(tag) => {
                if depth == 0 {
                    found.push(Block { range, is_paragraph: tag == Tag::Paragraph });
                }
                depth += 1;
            }
            Event::End(_) => depth = depth.saturating_sub(1),
            _ if depth == 0 => found.push(Block { range, is_paragraph: false }),
            _ => {}
        }
    }
    found
}

/// The rows of a stretch of the text that begins at `base`, with the claims in it.
pub(super) fn rows(text: &str, (base, claims): (usize, &[Placed<'_>]), measure: Measure) -> Vec<TextRow> {
    let mut writer = Writer {
        text,
        base,
        claims,
        measure,
        rows: Vec::new(),
        flow: Vec::new(),
        told: 0,
        lists: Vec::new(),
        bullet: String::new(),
        quotes: 0,
        roles: vec![Role::Model],
        table: None,
        code: None,
    };
    for (event, range) in TextMergeWithOffset::new(parser(text).into_offset_iter()) {
        writer.take(event, range);
    }
    writer.flush();
    // A claim that stands nowhere in the text is shown all the same.
    for claim in claims.iter().filter(|claim| claim.from == claim.to) {
        writer.flow.push(Piece {
            claim: Some(claim.number),
            at: claim.to,
            run: Run::of(Role::Model, &claim.claim.text),
        });
        writer.flush();
    }
    writer.rows
}

/// Words of one claim, or between claims.
struct Piece {
    claim: Option<usize>,
    at: usize,
    run: Run,
}

struct Writer<'a> {
    text: &'a str,
    base: usize,
    claims: &'a [Placed<'a>],
    measure: Measure,
    rows: Vec<TextRow>,
    flow: Vec<Piece>,
    /// Claims below this number have their mark.
    told: usize,
    lists: Vec<Option<u64>>,
    bullet: String,
    quotes: usize,
    roles: Vec<Role>,
    table: Option<Table>,
    code: Option<usize>,
}

impl Writer<'_> {
    fn take(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag, range),
            Event::Text(text) if self.code.is_some() => self.code_lines(&text, range.start),
            Event::Text(text) | Event::InlineHtml(text) | Event::Html(text) => self.words(&text, range),
            Event::Code(text) => {
                self.roles.push(Role::Text);
                self.words(&text, range);
                self.roles.pop();
            }
            Event::SoftBreak => self.words(" ", range),
            Event::HardBreak => self.words("\n", range),
            Event::Rule => {
                self.flush();
                let text = self.measure.glyphs.pick("─", "-").repeat(self.measure.columns.min(40));
                self.row(self.base + range.start, vec![Part { role: Role::Rule, text, cite: None }]);
            }
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Heading { .. } => {
                self.flush();
                self.roles.push(Role::Title);
            }
            Tag::Strong => self.roles.push(Role::Strong),
            Tag::Emphasis | Tag::Link { .. } | Tag::Image { .. } => {
                let role = self.roles.last().copied().unwrap_or(Role::Model);
                self.roles.push(role);
            }
            Tag::List(first) => {
                self.flush();
                self.lists.push(first);
            }
            Tag::Item => self.item(),
            Tag::BlockQuote(_) => {
                self.flush();
                self.quotes += 1;
            }
            Tag::CodeBlock(kind) => {
                self.flush();
                self.code = Some(range.start);
                if let CodeBlockKind::Fenced(language) = kind
                    && !language.is_empty()
                {
                    let text = format!("{} {language}", self.measure.glyphs.pick("┌", "+"));
                    self.row(self.base + range.start, vec![Part { role: Role::Faint, text, cite: None }]);
                }
            }
            Tag::Table(_) => {
                self.flush();
                self.table = Some(Table::default());
            }
            Tag::TableHead | Tag::TableRow => {
                let at = self.base + range.start;
                if let Some(table) = &mut self.table {
                    table.rows.push((at, Vec::new()));
                }
            }
            _ => {}
        }
    }

    fn item(&mut self) {
        self.flush();
        let depth = self.lists.len().saturating_sub(1);
        let sign = match self.lists.last_mut() {
            Some(Some(number)) => {
                *number += 1;
                format!("{}. ", *number - 1)
            }
            _ => format!("{} ", self.measure.glyphs.pick("•", "-")),
        };
        self.bullet = "  ".repeat(depth) + &sign;
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        match tag {
            TagEnd::Paragraph | TagEnd::Item => self.flush(),
            TagEnd::Heading(_) => {
                self.flush();
                self.roles.pop();
            }
            TagEnd::Strong | TagEnd::Emphasis | TagEnd::Link | TagEnd::Image => drop(self.roles.pop()),
            TagEnd::List(_) => {
                self.flush();
                self.lists.pop();
                self.bullet.clear();
            }
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.quotes = self.quotes.saturating_sub(1);
            }
            TagEnd::CodeBlock => self.code = None,
            TagEnd::TableCell => {
                if let Some(table) = &mut self.table {
                    table.end_cell(range.end);
                }
            }
            TagEnd::TableRow => {
                if let Some(table) = &mut self.table {
                    table.end_row(self.text.get(table.read..range.end).unwrap_or_default());
                }
            }
            TagEnd::Table => self.table(),
            _ => {}
        }
    }

    /// Takes words in: cut where another claim begins.
    fn words(&mut self, text: &str, range: Range<usize>) {
        if let Some(table) = &mut self.table {
            table.cell.push_str(text);
            return;
        }
        let role = self.roles.last().copied().unwrap_or(Role::Model);
        // Where signs were taken out, bytes of the text are no bytes of the words: they stay together.
        let verbatim = text.len() == range.len();
        let mut rest = text;
        let mut at = self.base + range.start;
        while !rest.is_empty() {
            let claim = self.claim_at(at);
            // After the last claim the sentence under way begins.
            let ends = self.claims.last().map(|last| last.to);
            let next = self.claims.iter().map(|claim| claim.from).chain(ends).find(|from| *from > at);
            let cut = next.map_or(rest.len(), |next| next - at).min(rest.len());
            let cut = if verbatim && rest.is_char_boundary(cut) { cut } else { rest.len() };
            let (words, after) = rest.split_at(cut);
            self.piece(claim, at).push(role, words);
            at += cut;
            rest = after;
        }
    }

    /// The claim that a place is in, or behind.
    fn claim_at(&self, at: usize) -> Option<usize> {
        self.claims
            .iter()
            .rev()
            .find(|claim| claim.from <= at && claim.from < claim.to)
            .map(|claim| claim.number)
            .filter(|number| {
                // What comes after the last claim is the sentence under way.
                let is_last = self.claims.last().is_some_and(|last| last.number == *number);
                !is_last || self.claims.last().is_some_and(|last| at < last.to)
            })
    }

    fn piece(&mut self, claim: Option<usize>, at: usize) -> &mut Run {
        let same = self.flow.last().is_some_and(|piece| piece.claim == claim);
        if !same {
            self.flow.push(Piece { claim, at, run: Run::default() });
        }
        let last = self.flow.len() - 1;
        &mut self.flow[last].run
    }

    /// Writes the words taken in, each claim from a row of its own.
    fn flush(&mut self) {
        let quote = format!("{} ", self.measure.glyphs.pick("▏", "|")).repeat(self.quotes);
        for piece in std::mem::take(&mut self.flow) {
            if piece.run.is_blank() {
                continue;
            }
            let placed = piece.claim.and_then(|number| self.claims.iter().find(|claim| claim.number == number));
            let placed = placed.filter(|placed| placed.number >= self.told).copied();
            let mut run = piece.run;
            if let Some(placed) = &placed {
                self.told = placed.number + 1;
                add_uncited(&mut run, placed);
            }
            let blank = " ".repeat(format::width(&self.bullet));
            let lead = std::mem::replace(&mut self.bullet, blank);
            let indent = format::width(&lead) + format::width(&quote);
            let rows = run.rows(self.measure.columns.saturating_sub(indent).max(8));
            for (n, (from, parts)) in rows.into_iter().enumerate() {
                let before = if n == 0 {
                    format!("{quote}{lead}")
                } else {
                    format!("{quote}{}", " ".repeat(format::width(&lead)))
                };
                let mut row = TextRow { at: piece.at + from, mark: None, parts };
                if !before.is_empty() {
                    row.parts.insert(0, Part { role: Role::Faint, text: before, cite: None });
                }
                row.mark = placed.as_ref().filter(|_| n == 0).map(standing);
                self.rows.push(row);
            }
            let last = self.rows.last().map_or(piece.at, |row| row.at);
            self.why(placed.as_ref(), last);
        }
        if self.lists.is_empty() {
            self.bullet.clear();
        }
    }

    /// Says why a claim does not stand.
    fn why(&mut self, placed: Option<&Placed<'_>>, at: usize) {
        let (role, text) = match placed.map(|placed| &placed.claim.check) {
            Some(ClaimCheck::Unsupported { why }) => (Role::Warning, format!("UNSUPPORTED: {why}")),
            Some(ClaimCheck::Contradicted { why }) => (Role::Danger, format!("CONTRADICTED: {why}")),
            Some(ClaimCheck::Supported | ClaimCheck::Unchecked) | None => return,
        };
        for (_, mut parts) in Run::of(role, &text).rows(self.measure.columns.saturating_sub(2).max(8)) {
            parts.insert(0, Part { role, text: "  ".to_owned(), cite: None });
            self.rows.push(TextRow { at, mark: None, parts });
        }
    }

    fn row(&mut self, at: usize, parts: Vec<Part>) {
        let mark = self.mark_in(at..at + 1);
        self.rows.push(TextRow { at, mark, parts });
    }

    /// The mark of the first claim not marked yet that begins in a stretch.
    fn mark_in(&mut self, range: Range<usize>) -> Option<Standing> {
        let begins =
            |claim: &&Placed<'_>| claim.number >= self.told && range.contains(&claim.from) && claim.from < claim.to;
        let placed = *self.claims.iter().find(begins)?;
        self.told = placed.number + 1;
        Some(standing(&placed))
    }

    fn code_lines(&mut self, text: &str, start: usize) {
        let edge = format!("{} ", self.measure.glyphs.pick("│", "|"));
        let mut at = self.base + start;
        for line in text.split_inclusive('\n') {
            let width = self.measure.columns.saturating_sub(2).max(8);
            let mark = self.mark_in(at..at + line.len());
            let run = Run::of(Role::Text, line.trim_end_matches('\n'));
            let indent = run.text().len() - run.text().trim_start().len();
            for (n, (_, mut parts)) in run.rows(width.saturating_sub(indent).max(8)).into_iter().enumerate() {
                let lead = format!("{edge}{}", " ".repeat(indent));
                parts.insert(0, Part { role: Role::Faint, text: lead, cite: None });
                self.rows.push(TextRow { at, mark: mark.filter(|_| n == 0), parts });
            }
            at += line.len();
        }
    }

    fn table(&mut self) {
        let Some(table) = self.table.take() else { return };
        let starts: Vec<usize> = table.rows.iter().map(|(at, _)| *at).collect();
        for (at, begins, parts) in table.laid(self.measure) {
            let end = starts.iter().find(|start| **start > at).copied().unwrap_or(usize::MAX);
            let mark = if begins { self.mark_in(at..end) } else { None };
            self.rows.push(TextRow { at, mark, parts });
        }
    }
}

fn standing(placed: &Placed<'_>) -> Standing {
    match &placed.claim.check {
        ClaimCheck::Supported => Standing::Supported,
        ClaimCheck::Unchecked => Standing::Unchecked,
        ClaimCheck::Unsupported { .. } => Standing::Unsupported,
        ClaimCheck::Contradicted { .. } => Standing::Contradicted,
    }
}

/// Evidence that a claim rests on and does not name.
fn add_uncited(run: &mut Run, placed: &Placed<'_>) {
    let text = &placed.claim.text;
    let uncited = placed.claim.cites.iter().filter(|id| !text.contains(&id.to_string())).map(ToString::to_string);
    let cites: Vec<String> = uncited.collect();
    if !cites.is_empty() {
        run.push(Role::Accent, &format!(" [{}]", cites.join(", ")));
    }
}
