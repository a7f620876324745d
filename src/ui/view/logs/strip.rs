//! The strip over the lines: how many there were when, by level, with kills, rollouts and the instant pointed at.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::super::look::Look;
use super::super::sheet::put;
use super::row::Sources;
use crate::domain::observation::scope::Window;
use crate::report::sparkline::Signs;
use crate::session::Session;
use crate::session::logs::Bucket;
use crate::ui::format;
use crate::ui::model::moments;
use crate::ui::model::{Glyphs, Ui};
use crate::ui::theme::Role;

/// Draws the two rows: lines as bars, and under them what was worst in each span and what was done.
pub(super) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    (ui, session): (&Ui, &Session),
    (sources, look): (&Sources<'_>, &Look),
) {
    let window = look.half_hour(session.clock.at_aws(look.now));
    let columns = usize::from(area.width.saturating_sub(12));
    let mut buckets = vec![Bucket::default(); columns];
    for board in sources.0.iter().filter_map(|group| session.logs.group(group)) {
        board.histogram().spread(window, &mut buckets);
    }
    let most = buckets.iter().map(|bucket| bucket.lines).max().unwrap_or(0);
    let cursor = ui.moment.filter(|at| window.contains(*at)).map(|at| column(window, at, columns));
    let from = format::minute(window.from, &look.zone);
    let to = format::minute(window.to, &look.zone);
    let bars = buckets.iter().map(|bucket| bar(*bucket, most, look));
    put(buffer, Rect { height: 1, ..area }, &row(&from, (bars, cursor), (&to, look)), look);
    let deploys = moments::deploys(session, ui.incident(session));
    let deploys: Vec<usize> =
        deploys.iter().filter(|at| window.contains(**at)).map(|at| column(window, *at, columns)).collect();
    let done = |at: usize| if deploys.contains(&at) { Done::Rollout } else { Done::Nothing };
    let marks = buckets.iter().enumerate().map(|(at, bucket)| mark(*bucket, done(at)));
    let top = format!("{:>5}", format::figure(most as f64));
    let below = Rect { y: area.y + 1, height: 1, ..area };
    put(buffer, below, &row("worst", (marks, cursor), (&top, look)), look);
}

fn column(window: Window, at: Timestamp, columns: usize) -> usize {
    let part = at.duration_since(window.from).as_millis().max(0);
    let whole = window.to.duration_since(window.from).as_millis().max(1);
    ((part * columns as i128 / whole) as usize).min(columns.saturating_sub(1))
}

/// A row of cells between its words; cells of one role are one span.
fn row(
    left: &str,
    (cells, cursor): (impl Iterator<Item = (Role, char)>, Option<usize>),
    (right, look): (&str, &Look),
) -> Line<'static> {
    let mut runs: Vec<(Role, String)> = vec![(Role::Faint, format!("{left} "))];
    for (at, (role, sign)) in cells.enumerate() {
        let (role, sign) = match (cursor == Some(at), sign) {
            (true, ' ') if look.glyphs == Glyphs::Ascii => (Role::Accent, '|'),
            (true, ' ') => (Role::Accent, '│'),
            (true, sign) => (Role::Selected, sign),
            (false, sign) => (role, sign),
        };
        match runs.last_mut() {
            Some((same, text)) if *same == role => text.push(sign),
            _ => runs.push((role, sign.to_string())),
        }
    }
    runs.push((Role::Faint, format!(" {right}")));
    runs.into_iter().map(|(role, text)| look.span(role, text)).collect()
}

fn bar(bucket: Bucket, most: u64, look: &Look) -> (Role, char) {
    let signs = match look.glyphs {
        Glyphs::Unicode => Signs::Blocks,
        Glyphs::Ascii => Signs::Ascii,
    };
    let role = match bucket {
        Bucket { lines: 0, .. } => return (Role::Text, ' '),
        Bucket { kills: 1.., .. } => Role::Kill,
        Bucket { errors: 1.., .. } => Role::Danger,
        Bucket { warnings: 1.., .. } => Role::Warning,
        _ => Role::Curve,
    };
    (role, signs.level(bucket.lines as f64 / most.max(1) as f64))
}

/// What was done in a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    Nothing,
    Rollout,
}

/// A letter says what the colour of the bar says: `o` a kill, `D` a rollout, `e` errors, `w` warnings.
fn mark(bucket: Bucket, done: Done) -> (Role, char) {
    match (bucket, done) {
        (Bucket { kills: 1.., .. }, _) => (Role::Kill, 'o'),
        (_, Done::Rollout) => (Role::Deploy, 'D'),
        (Bucket { errors: 1.., .. }, Done::Nothing) => (Role::Danger, 'e'),
        (Bucket { warnings: 1.., .. }, Done::Nothing) => (Role::Warning, 'w'),
        (_, Done::Nothing) => (Role::Faint, ' '),
    }
}
