//! Our own charts: a line in braille, blocks or ASCII with its threshold, its marks and its holes; and sparklines.
//! A period without a point stays empty: never zero, never a line across.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::model::{Glyphs, Markers};
use crate::domain::observation::metric::{Point, Series};
use crate::domain::observation::scope::Window;
use crate::report::sparkline::Signs;

/// Styles of a chart's parts.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChartStyles {
    /// The curve.
    pub curve: Style,
    /// The threshold line.
    pub threshold: Style,
    /// Numbers at the axis.
    pub axis: Style,
    /// `D`
    pub deploy: Style,
    /// `o`
    pub kill: Style,
    /// The period before.
    pub baseline: Style,
    /// The instant pointed at.
    pub cursor: Style,
}

/// Another day under the curve, by a sign of its own.
#[derive(Clone, Debug)]
pub struct Overlay {
    /// The sign, one column wide.
    pub sign: &'static str,
    /// How many days before.
    pub days: u32,
    /// Its points, shifted into the window.
    pub points: Vec<Point>,
}

/// What a chart shows.
#[derive(Clone, Copy, Debug)]
pub struct Chart<'a> {
    /// The series.
    pub series: &'a Series,
    /// The window, left to right.
    pub window: Window,
    /// The alarm's threshold, in the unit of the series.
    pub threshold: Option<f64>,
    /// Rollouts.
    pub deploys: &'a [Timestamp],
    /// OOM kills.
    pub kills: &'a [Timestamp],
    /// Points of the period before, shifted into the window.
    pub baseline: &'a [Point],
    /// Other days.
    pub days: &'a [Overlay],
    /// The instant pointed at, as in logs and timeline.
    pub cursor: Option<Timestamp>,
    /// The present: where the window goes on beyond it, what is right of it is yet to come, and is marked off.
    pub present: Option<Timestamp>,
    /// Which characters may be used.
    pub glyphs: Glyphs,
    /// What the curve is drawn with.
    pub markers: Markers,
}

/// Every so many turns a day is seen on top of the curve: one that is as today would be hidden under it.
const SEEN_THROUGH: usize = 3;
/// Columns of the numbers at the left.
const AXIS: u16 = 6;

impl<'a> Chart<'a> {
    /// A series alone.
    pub fn bare(series: &'a Series, window: Window, (glyphs, markers): (Glyphs, Markers)) -> Self {
        let (deploys, kills, baseline): (&[Timestamp], &[Timestamp], &[Point]) = (&[], &[], &[]);
        Self {
            series,
            window,
            threshold: None,
            deploys,
            kills,
            baseline,
            days: &[],
            cursor: None,
            present: None,
            glyphs,
            markers,
        }
    }

    /// The upper end of the axis: 100 for percents within it, else the least 1, 2 or 5 times a power of ten above all.
    pub fn top(&self) -> f64 {
        let days = self.days.iter().flat_map(|day| &day.points).filter(|point| self.window.contains(point.at));
        let before = self.baseline.iter().chain(days).map(|point| point.value);
        let peak = self.series.within(self.window).map(|point| point.value).chain(before).fold(0.0, f64::max);
        let most = peak.max(self.threshold.unwrap_or(0.0));
        match self.series.unit {
            crate::domain::observation::metric::Unit::Percent if most <= 100.0 => 100.0,
            _ => nice_above(most),
        }
    }

    /// Draws into an area of at least 12 by 2 cells; smaller ones stay empty.
    pub fn draw(&self, buffer: &mut Buffer, area: Rect, styles: &ChartStyles) {
        let area = area.intersection(buffer.area);
        if area.width < AXIS + 6 || area.height < 2 {
            return;
        }
        let plot = Rect { x: area.x + AXIS, width: area.width - AXIS, ..area };
        let top = self.top();
        self.axis(buffer, Rect { width: AXIS, ..area }, (top, styles));
        self.cursor_line(buffer, plot, styles);
        self.before(buffer, plot, (top, styles));
        self.other_days(buffer, plot, (top, styles, 1));
        self.threshold_line(buffer, plot, (top, styles));
        self.curve(buffer, plot, (top, styles.curve));
        self.threshold_seen_through(buffer, plot, (top, styles));
        self.other_days(buffer, plot, (top, styles, SEEN_THROUGH));
        self.marks(buffer, plot, styles);
        self.present_mark(buffer, plot, (top, styles));
    }

    /// At the height of the newest value, so that between a curve and it lies what has not been read.
    fn present_mark(&self, buffer: &mut Buffer, plot: Rect, (top, styles): (f64, &ChartStyles)) {
        let Some(column) = self.present_column(usize::from(plot.width)) else { return };
        let row = self.series.latest().map_or(plot.height - 1, |newest| self.curve_row(newest.value, top, plot.height));
        buffer[(plot.x + column as u16, plot.y + row)].set_symbol(present_sign(self.glyphs)).set_style(styles.curve);
    }

    /// The row in which the curve shows a value, which is not always that of a line: it has finer steps.
    fn curve_row(&self, value: f64, top: f64, rows: u16) -> u16 {
        let share = (value / top).clamp(0.0, 1.0);
        match self.markers {
            Markers::Braille => ((1.0 - share) * f64::from(rows * 4 - 1)).round() as u16 / 4,
            Markers::Block => rows - ((share * f64::from(rows * 8)).round() as u16).max(1).div_ceil(8),
            Markers::Dot | Markers::Ascii => row_of(value, top, rows),
        }
    }

    /// The first column that is yet to come whole.
    fn present_column(&self, columns: usize) -> Option<usize> {
        let present = self.present.filter(|at| self.window.contains(*at))?;
        Some(self.column(present, columns) + 1).filter(|column| *column < columns)
    }

    fn axis(&self, buffer: &mut Buffer, area: Rect, (top, styles): (f64, &ChartStyles)) {
        let rows = area.height;
        let tick = self.glyphs.pick("┤", "|");
        for row in 0..rows {
            let labelled = row == 0 || row + 1 == rows || (rows >= 5 && rows % 2 == 1 && row == rows / 2);
            let share = 1.0 - f64::from(row) / f64::from(rows - 1);
            let label = if labelled { super::format::mark(top * share, self.series.unit) } else { String::new() };
            let text = format!("{label:>5}{tick}");
            buffer.set_stringn(area.x, area.y + row, text, usize::from(AXIS), styles.axis);
        }
    }

    fn threshold_line(&self, buffer: &mut Buffer, plot: Rect, (top, styles): (f64, &ChartStyles)) {
        let Some(bound) = self.threshold.filter(|bound| (0.0..=top).contains(bound)) else { return };
        let row = row_of(bound, top, plot.height);
        let line = self.glyphs.pick("╌", "-").repeat(usize::from(plot.width));
        buffer.set_stringn(plot.x, plot.y + row, line, usize::from(plot.width), styles.threshold);
    }

    /// Columns that are filled beyond the threshold would hide it: it stands out of them.
    fn threshold_seen_through(&self, buffer: &mut Buffer, plot: Rect, (top, styles): (f64, &ChartStyles)) {
        let Some(bound) = self.threshold.filter(|bound| (0.0..=top).contains(bound)) else { return };
        let row = plot.y + row_of(bound, top, plot.height);
        for x in plot.left()..plot.right() {
            if buffer[(x, row)].symbol() == EIGHTHS[7] {
                buffer[(x, row)].set_symbol(self.glyphs.pick("╌", "-")).set_style(styles.threshold);
            }
        }
    }

    fn cursor_line(&self, buffer: &mut Buffer, plot: Rect, styles: &ChartStyles) {
        let Some(at) = self.cursor.filter(|at| self.window.contains(*at)) else { return };
        let x = plot.x + self.column(at, usize::from(plot.width)) as u16;
        for y in plot.top()..plot.bottom() {
            buffer[(x, y)].set_symbol(self.glyphs.pick("│", "|")).set_style(styles.cursor);
        }
    }

    /// One dot a point: it must not be taken for the curve.
    fn before(&self, buffer: &mut Buffer, plot: Rect, (top, styles): (f64, &ChartStyles)) {
        for point in self.baseline.iter().filter(|point| self.window.contains(point.at)) {
            let x = plot.x + self.column(point.at, usize::from(plot.width)) as u16;
            let y = plot.y + row_of(point.value, top, plot.height);
            buffer[(x, y)].set_symbol(self.glyphs.pick("·", ".")).set_style(styles.baseline);
        }
    }

    /// The days take turns by the column: days that are alike stay apart, and none hides another. `every` so many turns.
    fn other_days(&self, buffer: &mut Buffer, plot: Rect, (top, styles, every): (f64, &ChartStyles, usize)) {
        let columns = usize::from(plot.width);
        for (turn, day) in self.days.iter().enumerate() {
            let inside = day.points.iter().copied().filter(|point| self.window.contains(point.at));
            let values = self.stepped(inside, columns).into_iter().enumerate();
            for (column, value) in values.skip(turn).step_by(self.days.len() * every) {
                let Some(value) = value else { continue };
                let at = (plot.x + column as u16, plot.y + row_of(value, top, plot.height));
                buffer[at].set_symbol(day.sign).set_style(styles.baseline);
            }
        }
    }

    fn curve(&self, buffer: &mut Buffer, plot: Rect, (top, style): (f64, Style)) {
        match self.markers {
            Markers::Braille => self.braille(buffer, plot, (top, style)),
            Markers::Block => self.blocks(buffer, plot, (top, style)),
            Markers::Dot => self.signs(buffer, plot, (top, "•", style)),
            Markers::Ascii => self.signs(buffer, plot, (top, "*", style)),
        }
    }

    fn braille(&self, buffer: &mut Buffer, plot: Rect, (top, style): (f64, Style)) {
        let (wide, high) = (usize::from(plot.width) * 2, usize::from(plot.height) * 4);
        let mut dots = vec![0_u8; usize::from(plot.width) * usize::from(plot.height)];
        let mut set = |x: usize, y: usize| {
            if x < wide && y < high {
                dots[(y / 4) * usize::from(plot.width) + x / 2] |= DOTS[y % 4][x % 2];
            }
        };
        let place = |point: Point| {
            let y = (1.0 - (point.value / top).clamp(0.0, 1.0)) * (high - 1) as f64;
            (self.column(point.at, wide), y.round() as usize)
        };
        let mut before: Option<Point> = None;
        for point in self.series.within(self.window) {
            let to = place(point);
            match before.filter(|earlier| self.joined(*earlier, point)) {
                Some(earlier) => line(place(earlier), to, &mut set),
                None => set(to.0, to.1),
            }
            before = Some(point);
        }
        for (at, bits) in dots.into_iter().enumerate().filter(|(_, bits)| *bits != 0) {
            let (x, y) = (at % usize::from(plot.width), at / usize::from(plot.width));
            let symbol = char::from_u32(0x2800 + u32::from(bits)).unwrap_or(' ');
            buffer[(plot.x + x as u16, plot.y + y as u16)].set_char(symbol).set_style(style);
        }
    }

    /// Columns filled from below, in eighths of a cell. Zero shows as the least of them: it is not the same as no data.
    fn blocks(&self, buffer: &mut Buffer, plot: Rect, (top, style): (f64, Style)) {
        let rows = usize::from(plot.height);
        for (column, value) in self.columns(usize::from(plot.width)).into_iter().enumerate() {
            let Some(value) = value else { continue };
            let eighths = (((value / top).clamp(0.0, 1.0) * (rows * 8) as f64).round() as usize).max(1);
            for row in 0..eighths.div_ceil(8) {
                let symbol = EIGHTHS[(eighths - row * 8).min(8) - 1];
                let at = (plot.x + column as u16, plot.y + (rows - 1 - row) as u16);
                buffer[at].set_symbol(symbol).set_style(style);
            }
        }
    }

    fn signs(&self, buffer: &mut Buffer, plot: Rect, (top, sign, style): (f64, &str, Style)) {
        for (column, value) in self.columns(usize::from(plot.width)).into_iter().enumerate() {
            let Some(value) = value else { continue };
            let row = row_of(value, top, plot.height);
            buffer[(plot.x + column as u16, plot.y + row)].set_symbol(sign).set_style(style);
        }
    }

    fn marks(&self, buffer: &mut Buffer, plot: Rect, styles: &ChartStyles) {
        let bottom = plot.y + plot.height - 1;
        let mut mark = |at: &Timestamp, symbol: &str, style: Style| {
            if self.window.contains(*at) {
                let x = plot.x + self.column(*at, usize::from(plot.width)) as u16;
                buffer[(x, bottom)].set_symbol(symbol).set_style(style);
            }
        };
        self.kills.iter().for_each(|at| mark(at, "o", styles.kill));
        self.deploys.iter().for_each(|at| mark(at, "D", styles.deploy));
    }

    /// Two points are joined if no period between them is missing.
    fn joined(&self, earlier: Point, later: Point) -> bool {
        let period = i64::from(self.series.query.period_s.max(1));
        later.at.duration_since(earlier.at).as_secs() <= period + period / 2
    }

    fn column(&self, at: Timestamp, columns: usize) -> usize {
        column(self.window, at, columns)
    }

    /// The series by column.
    fn columns(&self, columns: usize) -> Vec<Option<f64>> {
        self.stepped(self.series.within(self.window), columns)
    }

    /// The last value of each column; a column inside a joined stretch takes the value before it.
    fn stepped(&self, points: impl Iterator<Item = Point>, columns: usize) -> Vec<Option<f64>> {
        let mut values = vec![None; columns];
        let mut before: Option<Point> = None;
        for point in points {
            let to = self.column(point.at, columns);
            if let Some(earlier) = before.filter(|earlier| self.joined(*earlier, point)) {
                let from = self.column(earlier.at, columns);
                values[from..to].iter_mut().for_each(|value| *value = Some(earlier.value));
            }
            values[to] = Some(point.value);
            before = Some(point);
        }
        values
    }

    /// One row of `columns` signs, a blank where there is no point.
    pub fn sparkline(&self, columns: usize) -> String {
        let top = self.top();
        let signs = match self.glyphs {
            Glyphs::Unicode => Signs::Blocks,
            Glyphs::Ascii => Signs::Ascii,
        };
        let present = self.present_column(columns);
        let sign = |(at, value): (usize, Option<f64>)| match value {
            _ if present == Some(at) => present_sign(self.glyphs).to_owned(),
            Some(value) => signs.level(value / top).to_string(),
            None => " ".to_owned(),
        };
        self.columns(columns).into_iter().enumerate().map(sign).collect()
    }
}

/// What marks the present off from what is yet to come.
pub fn present_sign(glyphs: Glyphs) -> &'static str {
    glyphs.pick("◂", "<")
}

/// A cell filled from below.
const EIGHTHS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
/// The bits of a braille cell by row and column.
const DOTS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

fn column(window: Window, at: Timestamp, columns: usize) -> usize {
    let whole = window.to.duration_since(window.from).as_millis().max(1);
    let part = at.duration_since(window.from).as_millis().clamp(0, whole);
    ((part * columns as i128 / whole) as usize).min(columns.saturating_sub(1))
}

fn row_of(value: f64, top: f64, rows: u16) -> u16 {
    let share = 1.0 - (value / top).clamp(0.0, 1.0);
    (share * f64::from(rows.saturating_sub(1))).round() as u16
}

fn nice_above(most: f64) -> f64 {
    if most <= 0.0 || !most.is_finite() {
        return 1.0;
    }
    let power = 10_f64.powf(most.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|top| *top >= most).unwrap_or(most)
}

/// Bresenham's line (1965).
fn line(from: (usize, usize), to: (usize, usize), set: &mut impl FnMut(usize, usize)) {
    // A terminal has far fewer columns than this: nothing is ever cut.
    let signed = |place: usize| i64::try_from(place).unwrap_or(i64::MAX / 4);
    let (mut x, mut y) = (signed(from.0), signed(from.1));
    let (end_x, end_y) = (signed(to.0), signed(to.1));
    let (dx, dy) = ((end_x - x).abs(), -(end_y - y).abs());
    let (step_x, step_y) = ((end_x - x).signum(), (end_y - y).signum());
    let mut error = dx + dy;
    loop {
        set(x as usize, y as usize);
        if (x, y) == (end_x, end_y) {
            return;
        }
        let twice = 2 * error;
        if twice >= dy {
            error += dy;
            x += step_x;
        }
        if twice <= dx {
            error += dx;
            y += step_y;
        }
    }
}

#[cfg(test)]
mod tests;
