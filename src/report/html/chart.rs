//! A series as a drawing in the page: holes stay holes, the threshold is a line, the scale begins at zero.

use std::fmt;

use super::markup::Page;
use crate::domain::diagnosis::evidence::{Evidence, Payload};
use crate::domain::observation::metric::{Point, Series};
use crate::domain::observation::scope::Window;

/// The drawing's own units; the page stretches them.
const WIDE: f64 = 300.0;
const HIGH: f64 = 60.0;
/// Room above the highest value, as a factor.
const HEADROOM: f64 = 1.05;

/// Draws the series behind a piece of evidence, where there is one.
pub(super) fn chart(page: &mut Page<'_>, evidence: &Evidence) -> fmt::Result {
    let Some((series, threshold)) = evidence.answer.payload().and_then(Payload::series) else {
        return Ok(());
    };
    let points: Vec<Point> = series.within(evidence.window).collect();
    let highest = points.iter().map(|point| point.value).chain(threshold).fold(0.0, f64::max);
    let lowest = points.iter().map(|point| point.value).fold(0.0, f64::min);
    if points.is_empty() || highest - lowest <= 0.0 {
        return Ok(());
    }
    let scale = Scale { window: evidence.window, lowest, span: (highest - lowest) * HEADROOM };
    page.raw("<svg viewBox=\"0 0 300 60\" preserveAspectRatio=\"none\" role=\"img\">")?;
    page.leaf(("title", ""), format!("{} {}", series.query.metric, series.query.statistic))?;
    for run in runs(&points, series) {
        let run: Vec<(f64, f64)> = run.iter().map(|point| scale.place(point)).collect();
        match run.as_slice() {
            [(x, y)] => page.shape("circle", &[("cx", *x), ("cy", *y), ("r", 1.5)])?,
            several => page.polyline(several)?,
        }
    }
    if let Some(bound) = threshold {
        let y = scale.high(bound);
        page.shape("line", &[("x1", 0.0), ("x2", WIDE), ("y1", y), ("y2", y)])?;
    }
    page.raw("</svg>\n")
}

/// From time and value to the drawing's units.
struct Scale {
    window: Window,
    lowest: f64,
    span: f64,
}

impl Scale {
    fn place(&self, point: &Point) -> (f64, f64) {
        let whole = self.window.to.duration_since(self.window.from).as_secs_f64().max(1.0);
        let part = point.at.duration_since(self.window.from).as_secs_f64() / whole;
        (part * WIDE, self.high(point.value))
    }

    fn high(&self, value: f64) -> f64 {
        HIGH - (value - self.lowest) / self.span * HIGH
    }
}

/// Points without a hole between them.
fn runs<'p>(points: &'p [Point], series: &Series) -> impl Iterator<Item = &'p [Point]> {
    let period = jiff::SignedDuration::from_secs(i64::from(series.query.period_s.max(1)));
    points.chunk_by(move |one, next| next.at.duration_since(one.at) <= period)
}
