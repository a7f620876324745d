//! A metric opened: a chart as large as the screen lets it be, over the period before it, with threshold, deploys and
//! kills, and the figures.

use jiff::{SignedDuration, Timestamp};

use super::{Desk, Page, link_rows, links};
use crate::domain::count::{counted, either};
use crate::domain::diagnosis::evidence::Payload;
use crate::domain::diagnosis::statistics::{self, DaysBefore, EarlierDay, time_to_limit};
use crate::domain::observation::metric::{MetricRole, Point, Series, Unit};
use crate::domain::observation::scope::Window;
use crate::session::incident::Incident;
use crate::ui::chart::Overlay;
use crate::ui::format;
use crate::ui::model::{moments, rows};
use crate::ui::theme::Role;

/// A chart, with everything that is drawn into it.
#[derive(Clone, Debug)]
pub struct Plot {
    /// The series within the window.
    pub series: Series,
    /// The window.
    pub window: Window,
    /// The period of the same length before it, shifted under it.
    pub baseline: Vec<Point>,
    /// The same hours of the days before, where evidence compared with them.
    pub same_hours: Option<DaysBefore>,
    /// Those days, shifted under it.
    pub days: Vec<Overlay>,
    /// The alarm's threshold.
    pub threshold: Option<f64>,
    /// Rollouts.
    pub deploys: Vec<Timestamp>,
    /// OOM kills.
    pub kills: Vec<Timestamp>,
}

impl Plot {
    /// The chart of a series over the last half hour, with what happened to the service of an incident.
    pub(super) fn of(series: &Series, (incident, desk): (Option<&Incident>, Desk<'_>)) -> Self {
        let (window, recent) = moments::recent(series, desk.session.clock.at_aws(desk.look.now));
        let (same_hours, days) = compared(series, desk).unzip();
        Self {
            baseline: shifted(&before(series, window, desk), window),
            same_hours: same_hours.cloned(),
            days: days.unwrap_or_default().iter().filter_map(overlay).collect(),
            threshold: moments::threshold(desk.session, series),
            deploys: moments::deploys(desk.session, incident),
            kills: moments::kills(incident).to_vec(),
            series: recent,
            window,
        }
    }
}

/// The points of the same length right before a window: of the chart itself, and of evidence on the same metric.
fn before(series: &Series, window: Window, desk: Desk<'_>) -> Vec<Point> {
    let length = window.to.duration_since(window.from);
    let earlier = Window { from: window.from - length, to: window.from };
    let evidence = desk.ui.incident(desk.session).map_or(&[][..], |incident| incident.round());
    let told = evidence.iter().filter_map(|evidence| match evidence.answer.payload() {
        Some(
            Payload::Series { series: other, baseline, .. } | Payload::Collector { series: Some(other), baseline, .. },
        ) => Some((other, baseline.as_ref()?)),
        _ => None,
    });
    let same = told.filter(|(other, _)| other.query.metric == series.query.metric);
    let told = same.flat_map(|(_, baseline)| baseline.within(earlier)).collect::<Vec<_>>();
    let all = told.into_iter().chain(series.within(earlier));
    Series::new(series.query.clone(), series.unit, all).points
}

/// What the newest evidence on the same metric says of these hours on other days, and those days.
fn compared<'a>(series: &Series, desk: Desk<'a>) -> Option<(&'a DaysBefore, &'a [EarlierDay])> {
    let evidence = desk.ui.incident(desk.session).map_or(&[][..], |incident| incident.round());
    evidence.iter().rev().find_map(|evidence| match evidence.answer.payload()? {
        Payload::Series { series: other, same_hours, earlier_days, .. }
            if other.query.metric == series.query.metric =>
        {
            Some((same_hours.as_ref()?, earlier_days.as_slice()))
        }
        Payload::Series { .. }
        | Payload::OomKills(_)
        | Payload::Collector { .. }
        | Payload::LogPatterns { .. }
        | Payload::Workload { .. }
        | Payload::Changes { .. } => None,
    })
}

fn shifted(points: &[Point], window: Window) -> Vec<Point> {
    moved(points, window.to.duration_since(window.from))
}

fn moved(points: &[Point], by: SignedDuration) -> Vec<Point> {
    let later = |point: &Point| Some(Point { at: point.at.checked_add(by).ok()?, value: point.value });
    points.iter().filter_map(later).collect()
}

fn overlay(day: &EarlierDay) -> Option<Overlay> {
    let points = moved(&day.points, SignedDuration::from_hours(24 * i64::from(day.days)));
    (!points.is_empty()).then(|| Overlay { sign: sign_of(day.days), days: day.days, points })
}

/// The sign of a day in the chart: its number where that is one figure.
fn sign_of(days: u32) -> &'static str {
    match days {
        1 => "1",
        2 => "2",
        7 => "7",
        14 => "w",
        _ => "+",
    }
}

/// The page.
pub(super) fn page(role: MetricRole, desk: Desk<'_>) -> Option<Page> {
    let all = rows::metrics(desk.ui, desk.session);
    let (_, series) = all.into_iter().find(|(other, _)| *other == role)?;
    let incident = desk.ui.incident(desk.session);
    let plot = Plot::of(series, (incident, desk));
    let mut page = Page::default();
    figures(&mut page, &plot, desk);
    page.plot(plot.clone());
    legend(&mut page, &plot, (incident, desk));
    page.head("WHAT IS READ");
    page.field("metric", format!("{} {}", series.query.metric.namespace, series.query.metric.name));
    for (name, value) in &series.query.metric.dimensions {
        page.field("dimension", format!("{name} = {value}"));
    }
    page.field("statistic", format!("{} over {}s", series.query.statistic, series.query.period_s));
    page.field("role", role.word());
    link_rows(&mut page, links::of_metric(series, plot.window, desk), desk);
    points(&mut page, &plot, desk);
    Some(page)
}

fn figures(page: &mut Page, plot: &Plot, desk: Desk<'_>) {
    let series = &plot.series;
    let tell = |value: f64| format::measure(value, series.unit);
    let Some(latest) = series.latest() else {
        page.text(Role::Warning, format!("? no data in the last {} minutes", moments::MINUTES));
        return;
    };
    let over = plot.threshold.is_some_and(|bound| latest.value > bound);
    page.toned(
        "now",
        if over { Role::Danger } else { Role::Strong },
        format!("{}  read for {}", tell(latest.value), desk.look.clock(latest.at)),
    );
    if let Some(peak) = series.peak() {
        let least = series.points.iter().map(|point| point.value).fold(f64::INFINITY, f64::min);
        let mean = series.mean().map_or_else(String::new, tell);
        page.field(
            "range",
            format!("{} to {} (peak {})  mean {mean}", tell(least), tell(peak.value), desk.look.clock(peak.at)),
        );
    }
    if !plot.baseline.is_empty() {
        let mean = plot.baseline.iter().map(|point| point.value).sum::<f64>() / plot.baseline.len() as f64;
        page.field("before", format!("mean {} in the {} minutes before", tell(mean), moments::MINUTES));
    }
    same_hours(page, plot);
    if let Some(trend) = statistics::trend(&series.points) {
        let sign = if trend.per_minute < 0.0 { "" } else { "+" };
        page.field("slope", format!("{sign}{}/min (Theil-Sen)", tell(trend.per_minute)));
    }
    let limit = plot.threshold.or((series.unit == Unit::Percent).then_some(100.0));
    if let Some((limit, forecast)) = limit.and_then(|limit| Some((limit, time_to_limit(&series.points, limit)?))) {
        let minutes = forecast.minutes.floor();
        page.toned("forecast", Role::Warning, format!("meets {} in about {minutes} min at this slope", tell(limit)));
    }
    if let Some(bound) = plot.threshold {
        let above = series.points.iter().filter(|point| point.value > bound).count();
        page.field(
            "threshold",
            format!("{}: {above} of {} above it", tell(bound), counted(series.points.len(), "point")),
        );
    }
}

fn same_hours(page: &mut Page, plot: &Plot) {
    let tell = |value: f64| format::measure(value, plot.series.unit);
    let (role, text) = match &plot.same_hours {
        None => return,
        Some(DaysBefore::Known(hours)) => {
            let (role, word) = if hours.is_usual() { (Role::Text, "as usual") } else { (Role::Warning, "UNLIKE them") };
            let (now, usual, days) = (tell(hours.now), tell(hours.usual), hours.days);
            let before = either(days, "day", "days");
            (role, format!("{now} now, {usual} on the {days} {before} before: {word}"))
        }
        Some(DaysBefore::TooFew) => {
            (Role::Text, "too few of the days before have points at these hours to compare".to_owned())
        }
        Some(DaysBefore::Unread { why }) => (Role::Warning, format!("the days before could not be read: {why}")),
    };
    page.toned("same hours", role, text);
}

/// What the signs in the chart mean.
pub(super) fn legend(page: &mut Page, plot: &Plot, (incident, desk): (Option<&Incident>, Desk<'_>)) {
    let look = desk.look;
    let mut parts = vec![(Role::Curve, look.sign("⣀⠤ now", "* now").to_owned())];
    if plot.baseline.is_empty() {
        parts.push((Role::Faint, "   nothing is known of the period before".to_owned()));
    } else {
        let before = format!("   {} {} minutes before", look.sign("·", "."), moments::MINUTES);
        parts.push((Role::Faint, before));
    }
    if plot.threshold.is_some() {
        parts.push((Role::Threshold, format!("   {} threshold", look.sign("╌╌", "--"))));
    }
    let within = |times: &[Timestamp]| times.iter().filter(|at| plot.window.contains(**at)).count();
    // What nobody asked for is not none.
    if incident.is_some() {
        parts.push((Role::Deploy, format!("   D deploy {}", within(&plot.deploys))));
    }
    if incident.is_some_and(|incident| moments::kill_count(incident).is_some()) {
        parts.push((Role::Kill, format!("   o OOM kill {}", within(&plot.kills))));
    }
    page.legend(parts);
    days(page, plot);
}

/// `1 day  2 days  7 days  w 14 days before`: each begins with its sign.
fn days(page: &mut Page, plot: &Plot) {
    let mut parts = Vec::new();
    for day in &plot.days {
        let number = day.days.to_string();
        let lead = if number == day.sign { String::new() } else { format!(" {number}") };
        let unit = either(day.days, "day", "days");
        parts.push((Role::Strong, day.sign.to_owned()));
        parts.push((Role::Faint, format!("{lead} {unit}  ")));
    }
    if let Some((_, last)) = parts.last_mut() {
        *last = format!("{} before, at the same minutes", last.trim_end());
        page.legend(parts);
    }
}

fn points(page: &mut Page, plot: &Plot, desk: Desk<'_>) {
    page.head("POINTS (newest first)");
    let period = SignedDuration::from_secs(i64::from(plot.series.query.period_s.max(1)));
    let mut after: Option<Timestamp> = None;
    for point in plot.series.points.iter().rev() {
        if after.is_some_and(|after| after.duration_since(point.at) > period) {
            page.text(Role::Warning, "          no data");
        }
        after = Some(point.at);
        let over = plot.threshold.is_some_and(|bound| point.value > bound);
        let value = format!("  {:>10}", format::measure(point.value, plot.series.unit));
        let mark = if over { "  over" } else { "" };
        page.parts([
            (Role::Faint, desk.look.clock(point.at)),
            (if over { Role::Danger } else { Role::Text }, value + mark),
        ]);
    }
}
