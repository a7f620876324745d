//! Pane 2: the service's metrics of the last 30 minutes, CPU beside memory, then traffic and collector where there is room.
//!
//! ```text
//! ┌ [2] METRICS  my-api  last 30m ─────────────────────────── live 31s ┐
//! │ CPU now 97.8% avg 91.3% thr 85% slope +0.4%/min peak 97.8%          │
//! │ 100%┤        ⣀⠤⠒⠉                                                   │
//! │   0%┤   D        o                                                   │
//! ```

mod words;

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::look::Look;
use super::sheet::{Held, Sheet, frame, put, rows_shown};
use super::stamp;
use crate::domain::diagnosis::statistics;
use crate::domain::observation::metric::{MetricRole, Series};
use crate::domain::observation::scope::Window;
use crate::session::Session;
use crate::session::feeds::{Feed, FeedId};
use crate::ui::chart::{self, Chart, ChartStyles};
use crate::ui::format;
use crate::ui::layout::ChartForm;
use crate::ui::model::moments::{self, MINUTES, recent};
use crate::ui::model::scroll::Freeze;
use crate::ui::model::{Pace, Pane, Ui, rows};
use crate::ui::theme::Role;

pub use self::words::words;

/// Columns below which two charts do not stand side by side.
const BESIDE_COLS: u16 = 72;
/// Columns of most figures.
const FIGURE_COLS: usize = 5;
/// Rows a chart needs with its numbers.
const CHART_ROWS: u16 = 6;

/// A series whose trend leads less far over the chart than this part of its peak goes nowhere.
const FLAT: f64 = 0.01;
/// A series that goes nowhere and ends on another level than it began, by this part of its peak, has jumped.
const JUMP: f64 = 0.25;
/// CloudWatch has most points three minutes after their period at the latest, and is asked for them once a minute.
const LATE: SignedDuration = SignedDuration::from_mins(4);

/// Draws the pane.
pub fn draw(buffer: &mut Buffer, area: Rect, (ui, session): (&Ui, &Session), (look, held): (&Look, Held)) {
    let service = rows::service(ui, session).map_or("no service", |name| name.as_str());
    let mut title = super::title(Pane::Metrics, (look, held));
    title.push_span(look.span(Role::Text, format!("{service}  {}", span_words((ui, session), look))));
    if let Freeze::At { at, .. } = ui.metrics.freeze {
        let newer = |series: &&Series| series.points.iter().filter(|point| point.at >= at).count();
        let withheld: usize = rows::metrics(ui, session).iter().map(|(_, series)| newer(series)).sum();
        title.push_span(look.span(Role::Warning, format!("  PAUSED +{withheld}")));
    }
    if let Some(at) = ui.moment {
        title.push_span(look.span(Role::Accent, format!("  @{}", look.instant(at))));
    }
    super::push_search(&mut title, ui.metrics.search.as_ref(), look);
    let texts = rows::metrics(ui, session).into_iter().map(|(role, series)| rows::metric_text(role, series));
    super::push_matches(&mut title, (ui.metrics.search.as_ref(), texts), look);
    let all = rows::metrics(ui, session);
    let feed = session.metric_feed(rows::service(ui, session));
    let stamp = stamp::stamp_feed(&feed, FeedId::Metrics, look);
    let inner = frame(buffer, area, (&title, &stamp), (look, held));
    if all.is_empty() {
        empty(Sheet::new(buffer, inner, look), ui, &feed);
        return;
    }
    let inner = silent(buffer, inner, (ui, session), look);
    let facts = facts((ui, session), &feed);
    let selected = ui.metrics.scroll.span(&all.iter().map(|(role, _)| *role).collect::<Vec<_>>(), all.len()).cursor;
    let form = if inner.height < CHART_ROWS { ChartForm::Sparkline } else { ui.layout().charts };
    let shown = shown(inner, form, (all.len(), selected));
    match form {
        ChartForm::Sparkline => {
            let keyed = selected.filter(|_| held == Held::Keys);
            sparklines(Sheet::new(buffer, inner, look), (&all, shown.clone()), (&facts, keyed));
        }
        ChartForm::Full => charts(buffer, inner, (&all, shown.clone()), (&facts, selected, look)),
    }
    rows_shown(buffer, area, (shown, all.len()), look);
    if stamp::is_stale_feed(&feed, FeedId::Metrics, look) {
        buffer.set_style(inner, look.style(Role::Stale));
    }
}

/// Which time the charts show: on a quiet screen from when until when, since they have room for what is yet to come.
fn span_words((ui, session): (&Ui, &Session), look: &Look) -> String {
    match (look.pace, ui.metrics.freeze) {
        (Pace::Lively, _) | (Pace::Quiet, Freeze::At { .. }) => format!("last {MINUTES}m"),
        (Pace::Quiet, Freeze::Running) => {
            // By the clock that the points are dated by, as the charts below are drawn.
            let Window { from, to } = look.half_hour(session.clock.at_aws(look.now));
            let [from, to] = [from, to].map(|at| format::minute(at, &look.zone));
            format!("{from}{}{to}  {} now", look.sign("–", "-"), chart::present_sign(look.glyphs))
        }
    }
}

/// Says on the last row which metrics were asked for in vain; gives what is left above it.
fn silent(buffer: &mut Buffer, inner: Rect, (ui, session): (&Ui, &Session), look: &Look) -> Rect {
    let names: Vec<&str> = rows::silent_metrics(ui, session).into_iter().map(rows::role_name).collect();
    if names.is_empty() || inner.height < 2 {
        return inner;
    }
    let text = format!("? no data in the last {MINUTES}m: {}", names.join(", "));
    let row = Rect { y: inner.bottom() - 1, height: 1, ..inner };
    put(buffer, row, &Line::from(look.span(Role::Warning, text)), look);
    Rect { height: inner.height - 1, ..inner }
}

/// What charts need beside their series.
struct Facts<'a> {
    session: &'a Session,
    marks: Vec<Timestamp>,
    kills: &'a [Timestamp],
    cursor: Option<Timestamp>,
    freeze: Freeze,
    /// By the clock of AWS, as points are dated.
    asked_at: Option<Timestamp>,
}

fn facts<'a>((ui, session): (&Ui, &'a Session), feed: &Feed) -> Facts<'a> {
    let incident = ui.incident(session);
    Facts {
        session,
        marks: moments::deploys(session, incident),
        kills: moments::kills(incident),
        cursor: ui.moment,
        freeze: ui.metrics.freeze,
        asked_at: feed.answered_at.map(|at| session.clock.at_aws(at)),
    }
}

impl Facts<'_> {
    /// Whether the metrics were asked for up to the end of a window, but for what may come late.
    fn were_asked(&self, window: Window) -> bool {
        self.asked_at.is_some_and(|at| at + LATE >= window.to)
    }

    /// The half hour on screen: the last one, or the one there was when the pane was frozen.
    fn recent(&self, series: &Series, now: Timestamp) -> (Window, Series) {
        match self.freeze {
            Freeze::Running => recent(series, self.session.clock.at_aws(now)),
            Freeze::At { at, .. } => {
                let before = series.points.iter().copied().filter(|point| point.at < at);
                recent(&Series::new(series.query.clone(), series.unit, before), at)
            }
        }
    }

    /// The window to draw, and the series to draw in it.
    fn drawn(&self, series: &Series, look: &Look) -> (Window, Series) {
        let (shown, recent) = self.recent(series, look.now);
        match self.freeze {
            Freeze::Running => {
                let now = self.session.clock.at_aws(look.now);
                (moments::drawn(shown, (now, look.pace)), series.clone())
            }
            Freeze::At { .. } => (shown, recent),
        }
    }

    /// The present, where the charts go on with it.
    fn present(&self, look: &Look) -> Option<Timestamp> {
        match self.freeze {
            Freeze::Running => look.present().map(|at| self.session.clock.at_aws(at)),
            Freeze::At { .. } => None,
        }
    }

    fn threshold(&self, series: &Series) -> Option<f64> {
        moments::threshold(self.session, series)
    }
}

fn empty(mut sheet: Sheet<'_>, ui: &Ui, feed: &Feed) {
    if ui.metrics.search.is_some() {
        sheet.text(Role::Faint, "No chart matches the filter.  \\ shows all again");
        return;
    }
    stamp::explain_feed(&mut sheet, feed, FeedId::Metrics);
    if sheet.left() == usize::from(sheet.area.height) {
        sheet.text(Role::Faint, "No series yet: charts begin with the first incident.");
    }
}

/// The end of a series that has gone silent within a window: its newest point is older than any that is only late. Of a
/// longer period two may be missing.
fn silent_since(series: &Series, window: Window) -> Option<Timestamp> {
    let period = SignedDuration::from_secs(i64::from(series.query.period_s.max(1)));
    let end = series.latest()?.at + period;
    (window.to.duration_since(end) > LATE.max(period * 2)).then_some(end)
}

/// `now 97.8%`; of a series that has gone silent `last 97.8% no data since 09:19`, or `last 97.8% 12m ago` where nobody
/// could ask for more.
fn newest(series: &Series, (window, facts): (Window, &Facts<'_>), look: &Look) -> Option<[Span<'static>; 2]> {
    let latest = series.latest()?;
    let value = format::measure(latest.value, series.unit);
    let over = facts.threshold(series).is_some_and(|bound| latest.value > bound);
    let (word, role, figure) = match silent_since(series, window) {
        None => (" now ", if over { Role::Danger } else { Role::Strong }, value),
        Some(end) if facts.were_asked(window) => {
            (" last ", Role::Warning, format!("{value} no data since {}", format::minute(end, &look.zone)))
        }
        Some(end) => {
            let age = format::coarse(format::seconds_since(window.to, end));
            (" last ", Role::Warning, format!("{value} {age} ago"))
        }
    };
    Some([look.span(Role::Faint, word), look.span(role, figure)])
}

/// `now 97.8%  avg 91.3%  thr 85%  slope +0.4%/min  peak 97.8%`, in the order of worth: a word and its figure a pair.
fn numbers(
    (role, series): (MetricRole, &Series),
    (window, facts): (Window, &Facts<'_>),
    look: &Look,
) -> Vec<Span<'static>> {
    let tell = |value: f64| format::measure(value, series.unit);
    let threshold = facts.threshold(series);
    let Some(newest) = newest(series, (window, facts), look) else {
        let none = if facts.were_asked(window) { "no data" } else { "nothing read" };
        return vec![look.span(Role::Warning, format!(" ? {none} in the last {MINUTES}m"))];
    };
    let mut spans = facts.cursor.map_or_else(|| newest.to_vec(), |at| then(series, at, look));
    let average = series.mean().map(|value| ("avg", tell(value)));
    let threshold = threshold.map(|value| ("thr", tell(value)));
    let slope = statistics::trend(&series.points).map(|trend| {
        let level = series.peak().map_or(0.0, |peak| peak.value.abs());
        if trend.growth.abs() < FLAT * level {
            // The slope of most pairs of points is none where it jumped from one level to another.
            let jumped = statistics::onset(&series.points, &[]);
            return match jumped.filter(|onset| (onset.after - onset.before).abs() > JUMP * level) {
                Some(onset) => ("was", format!("{} till {}", tell(onset.before), format::minute(onset.at, &look.zone))),
                None => ("slope", "flat".to_owned()),
            };
        }
        let sign = if trend.per_minute < 0.0 { "" } else { "+" };
        // Two digits are as many as its error leaves.
        let steepness = trend.per_minute;
        let told = if steepness.abs() < 0.1 { steepness } else { (steepness * 100.0).round() / 100.0 };
        ("slope", format!("{sign}{}/min", format::mark(told, series.unit)))
    });
    let peak = series.peak().map(|point| ("peak", tell(point.value)));
    let figures = match role {
        // Where something fills up, the way it goes says more than the middle of it.
        MetricRole::Memory | MetricRole::MemoryLimit | MetricRole::CollectorTime | MetricRole::Restarts => {
            [threshold, slope, average, peak]
        }
        MetricRole::Cpu | MetricRole::Requests | MetricRole::Errors | MetricRole::Latency | MetricRole::Alarm => {
            [average, threshold, slope, peak]
        }
    };
    // What follows stays where it is while a figure is short for once, `98%` after `97.8%`. A threshold stays as long as it is.
    let mut moves = true;
    for (word, figure) in figures.into_iter().flatten() {
        let least = if moves { FIGURE_COLS } else { 0 };
        let short = least.saturating_sub(spans.last().map_or(0, Span::width));
        moves = word != "thr";
        spans.push(look.span(Role::Faint, format!("{:short$} {word} ", "")));
        spans.push(look.span(Role::Text, figure));
    }
    spans
}

/// The value of the period that an instant lies in; a hole has none.
fn then(series: &Series, at: Timestamp, look: &Look) -> Vec<Span<'static>> {
    let period = SignedDuration::from_secs(i64::from(series.query.period_s.max(1)));
    let point = series.points.iter().rev().find(|point| point.at <= at).filter(|point| at < point.at + period);
    let is_ahead = series.latest().is_some_and(|latest| at >= latest.at + period);
    let none = if is_ahead { "not read yet" } else { "no data" };
    let value = point.map_or_else(|| none.to_owned(), |point| format::measure(point.value, series.unit));
    vec![look.span(Role::Accent, format!(" @{} ", format::minute(at, &look.zone))), look.span(Role::Strong, value)]
}

/// `no data 09:12-09:17` for the longest hole between points, with the number of further ones.
fn hole_words(series: &Series, look: &Look) -> Option<String> {
    let holes = series.holes();
    let longest = holes.iter().max_by_key(|hole| hole.seconds())?;
    let more = if holes.len() > 1 { format!(" and {} more", holes.len() - 1) } else { String::new() };
    let (from, to) = (format::minute(longest.from, &look.zone), format::minute(longest.to, &look.zone));
    Some(format!(" no data {from}{}{to}{more}", look.sign("–", "-")))
}

fn heading(
    (role, series): (MetricRole, &Series),
    (window, facts): (Window, &Facts<'_>),
    (look, chosen, columns): (&Look, Held, usize),
) -> Line<'static> {
    let role_style = if chosen == Held::Keys { Role::Accent } else { Role::Title };
    // A name is never longer than what is read of it.
    let name = format::clip_start(rows::metric_name(role, series), (columns / 3).max(8), look.glyphs).into_owned();
    let mut spans = vec![look.span(role_style, name)];
    // That it has gone silent matters more than a hole before that, and there is not room for both.
    let holes = hole_words(series, look).filter(|_| silent_since(series, window).is_none());
    spans.extend(holes.map(|words| look.span(Role::Warning, words)));
    spans.extend(numbers((role, series), (window, facts), look));
    Line::from(spans)
}

/// Takes pairs of word and figure from the end until the line fits: half a figure is worse than none.
fn fitted(mut line: Line<'static>, columns: usize) -> Line<'static> {
    while line.width() > columns && line.spans.len() > 4 {
        line.spans.truncate(line.spans.len() - 2);
    }
    line
}

/// Charts beside each other.
fn columns(inner: Rect) -> usize {
    if inner.width >= BESIDE_COLS { 2 } else { 1 }
}

/// Which charts there is room for; the selected one is always among them.
fn shown(inner: Rect, form: ChartForm, (many, selected): (usize, Option<usize>)) -> Range<usize> {
    let room = match form {
        ChartForm::Sparkline => usize::from(inner.height),
        ChartForm::Full => usize::from((inner.height / CHART_ROWS).max(1)) * columns(inner),
    };
    let first = selected.map_or(0, |at| (at + 1).saturating_sub(room));
    first..(first + room).min(many)
}

fn charts(
    buffer: &mut Buffer,
    area: Rect,
    (all, shown): (&[(MetricRole, &Series)], Range<usize>),
    (facts, selected, look): (&Facts<'_>, Option<usize>, &Look),
) {
    let columns = columns(area);
    let bands = shown.len().div_ceil(columns).max(1);
    let high = area.height / bands as u16;
    let wide = area.width / columns as u16;
    for (place, at) in shown.clone().enumerate() {
        let (role, series) = all[at];
        let (column, band) = ((place % columns) as u16, (place / columns) as u16);
        let tile = Rect {
            x: area.x + column * wide,
            y: area.y + band * high,
            width: wide.saturating_sub(u16::from(columns > 1)),
            height: high,
        };
        let chosen = if selected == Some(at) && shown.len() < all.len() { Held::Keys } else { Held::Nothing };
        one(buffer, tile, (role, series), (facts, look, chosen));
    }
}

fn one(
    buffer: &mut Buffer,
    tile: Rect,
    (role, series): (MetricRole, &Series),
    (facts, look, chosen): (&Facts<'_>, &Look, Held),
) {
    let (shown, recent) = facts.recent(series, look.now);
    let columns = usize::from(tile.width);
    let line = fitted(heading((role, &recent), (shown, facts), (look, chosen, columns)), columns);
    put(buffer, Rect { height: 1, ..tile }, &line, look);
    let (window, series) = facts.drawn(series, look);
    let chart = Chart {
        threshold: facts.threshold(&series),
        deploys: &facts.marks,
        kills: facts.kills,
        cursor: facts.cursor,
        present: facts.present(look),
        ..Chart::bare(&series, window, (look.glyphs, look.markers))
    };
    let styles = chart_styles(look);
    let plot = Rect { y: tile.y + 1, height: tile.height.saturating_sub(1), ..tile };
    chart.draw(buffer, plot, &styles);
}

/// How the parts of a chart are drawn.
pub(super) fn chart_styles(look: &Look) -> ChartStyles {
    ChartStyles {
        curve: look.style(Role::Curve),
        threshold: look.style(Role::Threshold),
        axis: look.style(Role::Faint),
        deploy: look.style(Role::Deploy),
        kill: look.style(Role::Kill),
        baseline: look.style(Role::Faint),
        cursor: look.style(Role::Accent),
    }
}

fn sparklines(
    mut sheet: Sheet<'_>,
    (all, shown): (&[(MetricRole, &Series)], Range<usize>),
    (facts, selected): (&Facts<'_>, Option<usize>),
) {
    let look = sheet.look;
    let columns = (sheet.width().saturating_sub(46)).clamp(8, 40);
    for (at, (role, series)) in all.iter().enumerate().take(shown.end).skip(shown.start) {
        let (window, drawn) = facts.drawn(series, look);
        let (shown, series) = facts.recent(series, look.now);
        let threshold = facts.threshold(&series);
        let present = facts.present(look);
        let chart = Chart { threshold, present, ..Chart::bare(&drawn, window, (look.glyphs, look.markers)) };
        let mut spans = vec![
            look.span(
                Role::Title,
                format!("{:<8} ", format::clip_start(rows::metric_name(*role, &series), 8, look.glyphs)),
            ),
            look.span(Role::Curve, chart.sparkline(columns)),
        ];
        spans.extend(numbers((*role, &series), (shown, facts), look));
        sheet.row(&fitted(Line::from(spans), sheet.width()));
        if selected == Some(at) {
            sheet.select_last();
        }
    }
}
