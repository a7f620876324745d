//! The rows of the log pane: lines, and what lies between them and was not read or is not held.

use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;

use super::super::look::Look;
use crate::domain::count::either;
use crate::domain::diagnosis::evidence::EvidenceId;
use crate::domain::observation::log::{LogGroup, LogLevel, LogLine};
use crate::domain::observation::oom_kill::KillSign;
use crate::session::logs::{LogGap, StoredLine};
use crate::ui::format::{self, grouped};
use crate::ui::model::lanes::container;
use crate::ui::model::log_look::{Column, LogLook, Wrap};
use crate::ui::model::rows::LogRows;
use crate::ui::search::Search;
use crate::ui::theme::Role;

/// One row.
pub(super) enum Row<'a> {
    /// A part of the line at this place of what is shown; part 0 begins it.
    Line { at: usize, part: usize },
    /// A span that was not read.
    Gap(&'a LogGap),
    /// So many older lines are not held any more.
    Older(u64),
}

/// The groups whose lines are in the pane.
pub(super) struct Sources<'a>(pub(super) Vec<&'a LogGroup>);

impl<'a> Sources<'a> {
    /// The name of a line's group, where there are several and it is not that of the line above.
    pub(super) fn told_beside(&self, line: &'a LogLine, above: Option<&LogLine>) -> Option<&'a str> {
        let differs = above.is_none_or(|above| above.group != line.group);
        (self.0.len() > 1 && differs).then(|| self.short(&line.group))
    }

    /// The last part of a group's name; the whole of it where another group ends alike.
    fn short<'b>(&self, group: &'b LogGroup) -> &'b str {
        let last = last_part(group.as_str());
        let alike = self.0.iter().filter(|other| last_part(other.as_str()) == last).count();
        if alike > 1 { group.as_str() } else { last }
    }
}

fn last_part(name: &str) -> &str {
    name.rsplit('/').find(|part| !part.is_empty()).unwrap_or(name)
}

/// Puts gaps between the lines they lie between, and drops rows at the far end from what must be seen. `tall` tells how
/// many rows a line takes.
pub(super) fn arrange<'a>(
    shown: &LogRows<'_>,
    (gaps, older): (&[&'a LogGap], u64),
    (height, follows): (usize, bool),
    tall: impl Fn(usize) -> usize,
) -> Vec<Row<'a>> {
    let mut arranged: Vec<Row<'a>> = Vec::with_capacity(height);
    if older > 0 {
        arranged.push(Row::Older(older));
    }
    let mut before: Option<&StoredLine> = None;
    for (at, stored) in shown.lines.iter().enumerate() {
        if let Some(earlier) = before {
            let between = |gap: &&&LogGap| earlier.line.at < gap.window.to && gap.window.to <= stored.line.at;
            arranged.extend(gaps.iter().filter(between).map(|gap| Row::Gap(gap)));
        }
        arranged.extend((0..tall(at).clamp(1, height.max(1))).map(|part| Row::Line { at, part }));
        before = Some(stored);
    }
    let of_cursor = |row: &Row<'_>| matches!(row, Row::Line { at, .. } if Some(*at) == shown.cursor);
    let cursor_end = arranged.iter().rposition(of_cursor).map_or(0, |last| last + 1);
    let over = arranged.len().saturating_sub(height);
    let first = if follows { over } else { cursor_end.saturating_sub(height) };
    arranged.drain(..first);
    arranged.truncate(height);
    arranged
}

/// What a gap says.
pub(super) fn gap_words(gap: &LogGap, look: &Look) -> String {
    let count = gap.missed.map_or_else(|| "an unknown number of".to_owned(), grouped);
    let events = gap.missed.map_or("events", |missed| either(missed, "event", "events"));
    let (from, to) = (look.clock(gap.window.from), look.clock(gap.window.to));
    format!("~~~ {from} to {to}: {count} {events} not read: {} ~~~", gap.why)
}

/// What is said of lines that fell out of the ring.
pub(super) fn older_words(count: u64) -> String {
    format!("~~~ {} older lines were counted and are not held; CloudWatch has them ~~~", grouped(count))
}

/// How lines are told: what the pane is searched for, how it looks, and its columns.
#[derive(Clone, Copy)]
pub(super) struct Manner<'a> {
    pub(super) search: Option<&'a Search>,
    pub(super) log: &'a LogLook,
    pub(super) columns: usize,
    pub(super) look: &'a Look,
}

/// One line made ready: what stands before the text, the text in its rows, and what stands at the right end.
pub(super) struct Told<'a> {
    head: Vec<Span<'a>>,
    role: Role,
    rows: Vec<&'a str>,
    shift: usize,
    cite: Option<EvidenceId>,
}

impl<'a> Told<'a> {
    /// Makes a line ready.
    pub(super) fn of(
        stored: &'a StoredLine,
        (source, cite): (Option<&'a str>, Option<EvidenceId>),
        manner: Manner<'a>,
    ) -> Self {
        let line = stored.line.as_ref();
        let (role, word) = match (line.kill, line.level) {
            (Some(KillSign::OomKill), _) => (Role::Kill, "OOM"),
            (_, LogLevel::Error) => (Role::Danger, line.level.word()),
            (_, LogLevel::Warn) => (Role::Warning, line.level.word()),
            (_, LogLevel::Info | LogLevel::Debug) => (Role::Faint, line.level.word()),
        };
        let head = head(stored, (role, word, source), manner);
        let text = without_level(&line.text, word);
        let taken: usize = head.iter().map(Span::width).sum();
        let rows = match manner.log.wrap {
            Wrap::Cut => vec![text],
            Wrap::Wrapped => format::wrap(text, manner.columns.saturating_sub(taken + 5).max(16)),
        };
        let role = if role == Role::Faint { Role::Text } else { role };
        Self { head, role, rows, shift: manner.log.shift, cite }
    }

    /// Rows it takes.
    pub(super) fn tall(&self) -> usize {
        self.rows.len()
    }

    /// One of its rows.
    pub(super) fn row(&self, part: usize, manner: Manner<'_>) -> (Line<'a>, Line<'a>) {
        let look = manner.look;
        let text = self.rows.get(part).copied().unwrap_or_default();
        if part > 0 {
            let taken: usize = self.head.iter().map(Span::width).sum();
            let mut spans = vec![Span::raw(" ".repeat(taken))];
            marked(&mut spans, text, (manner.search, self.role, look));
            return (Line::from(spans), Line::default());
        }
        let mut spans = self.head.clone();
        let (skipped, text) = shifted(text, self.shift);
        if skipped {
            spans.push(look.span(Role::Accent, look.sign("«", "<")));
        }
        marked(&mut spans, text, (manner.search, self.role, look));
        let cite = self.cite.map(|id| Line::from(look.span(Role::Accent, format!("[{id}]"))));
        (Line::from(spans), cite.unwrap_or_default())
    }
}

fn head<'a>(
    stored: &'a StoredLine,
    (role, word, source): (Role, &'a str, Option<&'a str>),
    manner: Manner<'a>,
) -> Vec<Span<'a>> {
    let (line, look) = (stored.line.as_ref(), manner.look);
    let mut spans = Vec::with_capacity(8);
    if !manner.log.bookmarks.is_empty() {
        let sign = if manner.log.is_marked(stored) { look.sign("◆ ", "# ") } else { "  " };
        spans.push(look.span(Role::Accent, sign));
    }
    for column in &manner.log.columns {
        match column {
            Column::Time => spans.push(look.span(Role::Faint, look.stamp(line.at) + " ")),
            Column::Level => spans.push(look.span(role, format!("{word:<5} "))),
            Column::Container => {
                let name = container(line.stream.as_str());
                // As wide as whole names of pods mostly are, where the text keeps three fifths; a cut one shows that it is.
                // Without room for that the end of the name, which tells one pod from another, has to do.
                let wide = if manner.columns < 90 { 6 } else { (manner.columns / 5).clamp(20, 40) };
                let shown = format::clip_start(name, wide, look.glyphs);
                let blank = wide.saturating_sub(format::width(&shown));
                spans.push(look.lane(manner.log.lanes.place(line), shown));
                spans.push(Span::raw(" ".repeat(blank + 1)));
            }
            Column::Stream => spans.push(
                look.span(Role::Faint, format!("{} ", format::clip_start(line.stream.as_str(), 60, look.glyphs))),
            ),
        }
    }
    if let Some(source) = source {
        spans.push(look.span(Role::Accent, format!("{source}: ")));
    }
    spans
}

/// The text without its first columns, and whether anything was left out.
fn shifted(text: &str, columns: usize) -> (bool, &str) {
    if columns == 0 {
        return (false, text);
    }
    let mut passed = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        if passed >= columns {
            return (true, &text[at..]);
        }
        passed += format::width(grapheme);
    }
    (true, "")
}

/// The text without the level it begins with: the level has a column of its own.
fn without_level<'a>(text: &'a str, word: &str) -> &'a str {
    match text.strip_prefix(word) {
        Some(rest) if rest.starts_with(char::is_whitespace) => rest.trim_start(),
        Some(_) | None => text,
    }
}

fn marked<'a>(spans: &mut Vec<Span<'a>>, text: &'a str, (search, role, look): (Option<&Search>, Role, &Look)) {
    let mut from = 0;
    for range in search.map(|search| search.ranges(text)).unwrap_or_default() {
        spans.push(look.span(role, &text[from..range.start]));
        spans.push(look.span(Role::Match, &text[range.start..range.end]));
        from = range.end;
    }
    spans.push(look.span(role, &text[from..]));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_of(group: &LogGroup) -> LogLine {
        LogLine {
            id: "1".into(),
            at: jiff::Timestamp::UNIX_EPOCH,
            group: group.clone(),
            stream: "".into(),
            level: LogLevel::Info,
            text: "".into(),
            kill: None,
        }
    }

    #[test]
    fn a_group_is_named_where_it_differs_and_as_short_as_it_is_told_apart() {
        let groups: Vec<LogGroup> = ["/eks/application", "/ecs/application", "/ecs/node/"].map(LogGroup::from).into();
        let lines: Vec<LogLine> = groups.iter().map(line_of).collect();
        let sources = Sources(groups.iter().collect());
        assert_eq!(sources.told_beside(&lines[2], None), Some("node"));
        assert_eq!(sources.told_beside(&lines[0], Some(&lines[2])), Some("/eks/application"));
        assert_eq!(sources.told_beside(&lines[0], Some(&lines[0])), None);
        assert_eq!(Sources(vec![&groups[0]]).told_beside(&lines[0], None), None, "one group is named in the title");
    }

    #[test]
    fn a_shift_is_counted_in_columns_and_said() {
        assert_eq!(shifted("abcdef", 2), (true, "cdef"));
        assert_eq!(shifted("日本語", 3), (true, "語"));
        assert_eq!(shifted("ab", 9), (true, ""));
        assert_eq!(shifted("ab", 0), (false, "ab"));
    }

    #[test]
    fn the_selected_line_is_on_screen_however_tall_the_others_are() {
        let group = LogGroup::from("/g");
        let stored: Vec<StoredLine> =
            (0..10).map(|number| StoredLine { number, line: line_of(&group).into() }).collect();
        for (cursor, tall, height) in [(0, 3, 8), (4, 3, 8), (9, 3, 8), (9, 20, 8), (5, 1, 10), (3, 8, 8)] {
            let shown = LogRows { lines: stored.iter().collect(), cursor: Some(cursor), withheld: 0 };
            let rows = arrange(&shown, (&[], 0), (height, false), |_| tall);
            let begins = rows.iter().any(|row| matches!(row, Row::Line { at, part: 0 } if *at == cursor));
            assert!(begins && rows.len() <= height, "{cursor} {tall}");
        }
    }
}
