//! The rows of the log pane: lines, and what lies between them and was not read or is not held.

use ratatui::text::{Line, Span};

use super::super::look::Look;
use crate::domain::diagnosis::evidence::EvidenceId;
use crate::domain::observation::log::{LogGroup, LogLevel, LogLine};
use crate::domain::observation::oom_kill::KillSign;
use crate::session::logs::{LogGap, StoredLine};
use crate::ui::format::grouped;
use crate::ui::model::rows::LogRows;
use crate::ui::search::Search;
use crate::ui::theme::Role;

/// One row.
pub(super) enum Row<'a> {
    /// The line at this place of what is shown.
    Line(usize),
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

/// Puts gaps between the lines they lie between, and drops rows at the far end from what must be seen.
pub(super) fn arrange<'a>(
    shown: &LogRows<'_>,
    (gaps, older): (&[&'a LogGap], u64),
    (height, follows): (usize, bool),
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
        arranged.push(Row::Line(at));
        before = Some(stored);
    }
    let over = arranged.len().saturating_sub(height);
    let cursor_row = arranged.iter().position(|row| matches!(row, Row::Line(at) if Some(*at) == shown.cursor));
    if follows || cursor_row.is_some_and(|row| row >= height) {
        arranged.drain(..over);
    } else {
        arranged.truncate(height);
    }
    arranged
}

/// What a gap says.
pub(super) fn gap_words(gap: &LogGap, look: &Look) -> String {
    let count = gap.missed.map_or_else(|| "an unknown number of".to_owned(), grouped);
    let (from, to) = (look.clock(gap.window.from), look.clock(gap.window.to));
    format!("~~~ {from} to {to}: {count} events not read: {} ~~~", gap.why)
}

/// What is said of lines that fell out of the ring.
pub(super) fn older_words(count: u64) -> String {
    format!("~~~ {} older lines were counted and are not held; CloudWatch has them ~~~", grouped(count))
}

/// One line, with what stands at its right end.
pub(super) fn line<'a>(
    line: &'a LogLine,
    (source, cite): (Option<&'a str>, Option<EvidenceId>),
    (search, columns, look): (Option<&Search>, usize, &Look),
) -> (Line<'a>, Line<'a>) {
    let (role, word) = match (line.kill, line.level) {
        (Some(KillSign::OomKill), _) => (Role::Kill, "OOM"),
        (_, LogLevel::Error) => (Role::Danger, line.level.word()),
        (_, LogLevel::Warn) => (Role::Warning, line.level.word()),
        (_, LogLevel::Info | LogLevel::Debug) => (Role::Faint, line.level.word()),
    };
    let mut spans = vec![look.span(Role::Faint, look.stamp(line.at)), look.span(role, format!(" {word:<5} "))];
    if columns >= 90 {
        let stream = tail(&line.stream, 20);
        spans.push(look.span(Role::Faint, format!("{stream:<20} ")));
    }
    if let Some(source) = source {
        spans.push(look.span(Role::Accent, format!("{source}: ")));
    }
    let text_role = if role == Role::Faint { Role::Text } else { role };
    marked(&mut spans, without_level(&line.text, line.level.word()), (search, text_role, look));
    let right = cite.map_or_else(Line::default, |id| Line::from(look.span(Role::Accent, format!("[{id}]"))));
    (Line::from(spans), right)
}

/// The text without the level it begins with: the level has a column of its own.
fn without_level<'a>(text: &'a str, word: &str) -> &'a str {
    match text.strip_prefix(word) {
        Some(rest) if rest.starts_with(char::is_whitespace) => rest.trim_start(),
        Some(_) | None => text,
    }
}

/// The end of a stream's name tells pods apart, its start does not.
fn tail(stream: &str, columns: usize) -> &str {
    let excess = stream.chars().count().saturating_sub(columns);
    stream.char_indices().nth(excess).map_or(stream, |(at, _)| &stream[at..])
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
            stream: String::new(),
            level: LogLevel::Info,
            text: String::new(),
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
}
