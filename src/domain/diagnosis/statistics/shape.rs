//! The shape of memory against its limit: growing, growing within each life, flat at the brim, flat, falling.

use super::onset::plateau_share;
use super::{FEWEST, Trend, median, minutes, quantile, trend};
use crate::domain::observation::metric::Point;

/// Growth in points of percent below which memory is not called growing: a warm cache does that in half an hour.
const GROWTH: f64 = 12.0;
/// A drop of so many points of percent between neighbours begins a new life (a restart).
const DROP: f64 = 12.0;
/// From here on memory is at the brim.
const BRIM: f64 = 90.0;
/// Points of percent within which a level is one level.
const BAND: f64 = 8.0;

/// Kendall's tau below which a rise is too broken by falls to be one rise.
const ORDER: f64 = 0.5;

/// Growth in points of percent from which a slow rise that goes on is seen at all.
const CREEP: f64 = 3.0;
/// Minutes within which a slow rise meets the limit, to be one that matters: later ones are the day's.
const SOON: f64 = 6.0 * 60.0;

/// What memory did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Rises through the window, with a few drops at most.
    Rising,
    /// Falls back at restarts and rises again within each life.
    RisingInEachLife,
    /// Stands at the brim, and is there again right after each restart; no growth on the way.
    AtTheBrim,
    /// Level, with room to the limit.
    Flat,
    /// Falls.
    Falling,
    /// Neither: too few points, too wild, or too little growth to name.
    Unclear,
}

/// The shape with its figures, all in percent of the limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MemoryShape {
    /// The shape.
    pub shape: Shape,
    /// The trend over the whole window.
    pub trend: Option<Trend>,
    /// The highest value.
    pub peak: f64,
    /// The median of the first fifth.
    pub first: f64,
    /// The median of the last fifth.
    pub last: f64,
    /// Drops that begin a new life.
    pub restarts: usize,
    /// The share of points within `BAND` of the top.
    pub plateau: f64,
    /// The steepest growth of a life that lasted, per minute.
    pub life_per_minute: Option<f64>,
    /// By how much the last peak before a fall is above the first.
    pub peak_growth: f64,
    /// The level that lives begin at: the median over those that began inside of the series.
    pub floor: Option<f64>,
}

/// Reads the shape of memory in percent of its limit, with the points before the window; `None` with fewer than eight points.
///
/// The order of the questions matters: what stood at the brim most of the time and grew into it no slower than in a few
/// minutes is a ceiling, however much it jitters; then growth over all; then growth within lives; then level. A leak of
/// hours looks like a ceiling at the brim and like a level below it: what the points before show of it is asked of both.
pub fn memory_shape(points: &[Point], before: &[Point]) -> Option<MemoryShape> {
    if points.len() < FEWEST {
        return None;
    }
    let fifth = (points.len() / 5).max(3);
    let peak = quantile(points.iter().map(|p| p.value), 1.0)?;
    let first = median(points.get(..fifth)?.iter().map(|p| p.value))?;
    let last = median(points.get(points.len() - fifth..)?.iter().map(|p| p.value))?;
    let lives = lives(points);
    let trend = trend(points);
    let plateau = plateau_share(points, BAND);
    let grown = grown_lives(&lives);
    let shape = MemoryShape {
        shape: Shape::Unclear,
        trend,
        peak,
        first,
        last,
        restarts: lives.len().saturating_sub(1),
        plateau,
        floor: median(lives.iter().skip(1).filter_map(|life| life.first()).map(|point| point.value)),
        peak_growth: peak_growth(&lives),
        life_per_minute: grown.iter().map(|trend| trend.per_minute).max_by(f64::total_cmp),
    };
    let shape = MemoryShape { shape: name(&shape, &lives, grown.len()), ..shape };
    Some(match (shape.shape, creep(points, before)) {
        (Shape::AtTheBrim, Some(creep)) if creep.growth >= GROWTH => MemoryShape { shape: Shape::Rising, ..shape },
        (Shape::AtTheBrim | Shape::Flat, Some(_)) => MemoryShape { shape: Shape::Unclear, ..shape },
        (
            Shape::Rising | Shape::RisingInEachLife | Shape::AtTheBrim | Shape::Flat | Shape::Falling | Shape::Unclear,
            Some(_) | None,
        ) => shape,
    })
}

fn name(found: &MemoryShape, lives: &[&[Point]], grown: usize) -> Shape {
    let rises = found.trend.is_some_and(|trend| trend.rises(GROWTH) && trend.tau >= ORDER)
        && found.last - found.first >= GROWTH;
    let brim = found.peak >= BRIM && found.plateau >= 0.6;
    if brim && !(rises && found.plateau < 0.8) {
        return Shape::AtTheBrim;
    }
    if rises {
        return Shape::Rising;
    }
    let long = lives.iter().filter(|life| life.len() >= LIFE).count();
    if found.restarts >= 1 && grown >= 2 && grown * 2 > long {
        return Shape::RisingInEachLife;
    }
    if found.trend.is_some_and(|trend| trend.falls(GROWTH)) && found.first - found.last >= GROWTH {
        return Shape::Falling;
    }
    let level = (found.last - found.first).abs() < BAND && found.restarts == 0 && found.plateau >= 0.5;
    if level && found.peak < BRIM { Shape::Flat } else { Shape::Unclear }
}

/// A slow rise that meets the limit soon if it goes on, over the window and what came before it, else over the window: in
/// order and not by chance over all and over each half. A step rises in one half at most.
fn creep(points: &[Point], before: &[Point]) -> Option<Trend> {
    let joined: Vec<Point> = before.iter().chain(points).copied().collect();
    let rise = goes_on(&joined).or_else(|| goes_on(points)).filter(|rise| rise.growth >= CREEP)?;
    let room = 100.0 - points.last()?.value;
    (room <= rise.per_minute * SOON).then_some(rise)
}

fn goes_on(points: &[Point]) -> Option<Trend> {
    let rise = |part: &[Point]| trend(part).filter(|trend| trend.rises(0.0) && trend.tau >= ORDER);
    let (early, late) = points.split_at(points.len() / 2);
    rise(early).and_then(|_| rise(late)).and_then(|_| rise(points))
}

/// Fewest points of a life from which its growth is read.
const LIFE: usize = 5;

/// The series cut where it drops.
fn lives(points: &[Point]) -> Vec<&[Point]> {
    points.chunk_by(|a, b| a.value - b.value < DROP.max(a.value * 0.15)).collect()
}

/// From the first peak that memory fell from to the last.
fn peak_growth(lives: &[&[Point]]) -> f64 {
    let fallen = lives.split_last().map_or(&[][..], |(_, fallen)| fallen);
    let peak = |life: Option<&&[Point]>| life.and_then(|life| life.last()).map_or(0.0, |point| point.value);
    peak(fallen.last()) - peak(fallen.first())
}

/// Lives that grew by [`GROWTH`] over at least four minutes, in their middle as well as over all: a fill that is over
/// after the first point or two is none.
fn grown_lives(lives: &[&[Point]]) -> Vec<Trend> {
    lives.iter().filter_map(|life| growth(life)).collect()
}

fn growth(life: &[Point]) -> Option<Trend> {
    let (first, last) = (*life.first()?, *life.last()?);
    let span = minutes(first, last);
    let middle = life.get(life.len() / 2)?;
    if life.len() < LIFE || span < 4.0 || last.value - first.value < GROWTH {
        return None;
    }
    let half_way = (middle.value - first.value) / (last.value - first.value);
    let per_minute = (last.value - first.value) / span;
    let trend = trend(life).unwrap_or(Trend {
        per_minute,
        growth: last.value - first.value,
        tau: 1.0,
        chance: 1.0,
        minutes: span,
    });
    (half_way < 0.85).then_some(trend)
}
