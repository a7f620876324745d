//! The band of an anomaly alarm. CloudWatch trains a model on up to two weeks; here it is the mean of what came before,
//! the latest half hour left out, so that an incident does not become what is usual, and so many deviations around it.

use jiff::{SignedDuration, Timestamp};

use crate::domain::observation::metric::Point;

/// How far back what is usual is taken from.
pub(super) const LEARNT: SignedDuration = SignedDuration::from_hours(3);
/// The latest that is left out.
const RECENT: SignedDuration = SignedDuration::from_mins(30);
/// Fewer points teach nothing: there is no band.
const FEWEST: usize = 10;
/// The narrowest half of a band, as a part of the mean.
const NARROWEST: f64 = 0.01;

/// A band at an instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// Its lower edge.
    pub lower: f64,
    /// Its upper edge.
    pub upper: f64,
}

/// The band at an instant over points that are ascending; `None` while too few came before.
pub(super) fn band(points: &[Point], at: Timestamp, deviations: f64) -> Option<Band> {
    let begin = points.partition_point(|point| point.at < at - LEARNT);
    let end = points.partition_point(|point| point.at < at - RECENT);
    let learnt = points.get(begin..end).filter(|learnt| learnt.len() >= FEWEST)?;
    let count = learnt.len() as f64;
    let mean = learnt.iter().map(|point| point.value).sum::<f64>() / count;
    let variance = learnt.iter().map(|point| (point.value - mean).powi(2)).sum::<f64>() / count;
    let half = deviations * variance.sqrt().max(mean.abs() * NARROWEST).max(f64::EPSILON);
    Some(Band { lower: mean - half, upper: mean + half })
}
