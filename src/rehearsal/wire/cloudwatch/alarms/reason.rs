//! Why an alarm is in its state: the sentence and the figures, as CloudWatch words them.

use jiff::Timestamp;
use serde_json::json;

use crate::domain::observation::alarm::{AlarmState, Comparison};
use crate::domain::observation::metric::Statistic;
use crate::rehearsal::scenario::{AlarmSpec, BandSide, ConditionSpec};
use crate::rehearsal::world::Transition;

/// The parts of a condition on a series that reasons speak of.
struct Told {
    statistic: Statistic,
    period_s: u32,
    periods: u32,
    to_alarm: u32,
    /// What a breaching point is, and what it is compared with.
    limit: String,
    threshold: Option<f64>,
}

/// What reasons speak of; `None` for a condition that is not evaluated over a series.
fn told(spec: &AlarmSpec, transition: &Transition) -> Option<Told> {
    match &spec.condition {
        ConditionSpec::Threshold {
            statistic,
            comparison,
            threshold,
            period_s,
            evaluation_periods,
            datapoints_to_alarm,
            ..
        } => Some(Told {
            statistic: *statistic,
            period_s: *period_s,
            periods: *evaluation_periods,
            to_alarm: datapoints_to_alarm.unwrap_or(*evaluation_periods),
            limit: format!("{} the threshold ({})", comparison_text(*comparison), figure(*threshold)),
            threshold: Some(*threshold),
        }),
        ConditionSpec::AnomalyBand { statistic, side, period_s, evaluation_periods, datapoints_to_alarm, .. } => {
            let edge = |value: f64| figure((value * 1e3).round() / 1e3);
            let band = transition.bands.first();
            let (lower, upper) = band.map_or_else(Default::default, |band| (edge(band.lower), edge(band.upper)));
            let limit = match side {
                BandSide::Outside => {
                    format!("less than the lower thresholds [{lower}] or greater than the upper thresholds [{upper}]")
                }
                BandSide::Above => format!("greater than the upper thresholds [{upper}]"),
                BandSide::Below => format!("less than the lower thresholds [{lower}]"),
            };
            Some(Told {
                statistic: *statistic,
                period_s: *period_s,
                periods: *evaluation_periods,
                to_alarm: datapoints_to_alarm.unwrap_or(*evaluation_periods),
                limit,
                threshold: None,
            })
        }
        ConditionSpec::Composite { .. } | ConditionSpec::Fixed { .. } => None,
    }
}

/// The reason as a sentence.
pub(super) fn reason(spec: &AlarmSpec, transition: &Transition) -> String {
    let Some(told) = told(spec, transition) else {
        return match transition.to {
            AlarmState::Ok => format!("{} transitioned to OK", spec.name),
            AlarmState::Alarm => format!("{} transitioned to ALARM", spec.name),
            AlarmState::InsufficientData => "Unchecked: Initial alarm creation".to_owned(),
        };
    };
    let is_alarm = transition.to == AlarmState::Alarm;
    let (periods, plural) = (told.periods, if told.periods == 1 { " was" } else { "s were" });
    match transition.to {
        AlarmState::InsufficientData => return format!("Insufficient Data: {periods} datapoint{plural} unknown."),
        AlarmState::Ok if transition.points.is_empty() => {
            let why = "no datapoints were received for";
            let treated = "missing datapoints were treated as [NonBreaching]";
            return format!("Threshold Crossed: {why} {periods} period(s) and {periods} {treated}.");
        }
        AlarmState::Alarm if transition.points.is_empty() => {
            let why = "no datapoints were received for";
            let treated = "missing datapoints were treated as [Breaching]";
            return format!("Threshold Crossed: {why} {periods} period(s) and {periods} {treated}.");
        }
        AlarmState::Ok | AlarmState::Alarm => {}
    }
    let count = if is_alarm { transition.breaching } else { transition.points.len() - transition.breaching };
    let shown: Vec<String> = transition
        .points
        .iter()
        .take(5)
        .map(|point| format!("{} ({})", figure(point.value), point.at.strftime("%d/%m/%y %H:%M:%S")))
        .collect();
    // As few good points end an alarm as leave too few that breach.
    let least = if is_alarm { told.to_alarm } else { (told.periods + 1).saturating_sub(told.to_alarm).max(1) };
    let (verb, plural) = if transition.points.len() == 1 { ("was", "") } else { ("were", "s") };
    format!(
        "Threshold Crossed: {count} out of the last {} datapoint{plural} [{}] {verb} {}{} (minimum {} datapoint{} for {} \
         transition).",
        transition.points.len(),
        shown.join(", "),
        if is_alarm { "" } else { "not " },
        told.limit,
        least,
        if least == 1 { "" } else { "s" },
        if is_alarm { "OK -> ALARM" } else { "ALARM -> OK" },
    )
}

/// `StateReasonData`: the figures behind the reason.
pub(super) fn figures(spec: &AlarmSpec, transition: &Transition) -> Option<serde_json::Value> {
    let told = told(spec, transition)?;
    let (newest, oldest) = (transition.points.first()?, transition.points.last()?);
    let stamp = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string();
    let mut figures = json!({
        "version": "1.0",
        "queryDate": stamp(transition.at),
        "startDate": stamp(oldest.at),
        "statistic": told.statistic.to_string(),
        "period": told.period_s,
        "recentDatapoints": transition.points.iter().rev().map(|point| point.value).collect::<Vec<f64>>(),
        "evaluatedDatapoints": [{ "timestamp": stamp(newest.at), "sampleCount": 1.0, "value": newest.value }],
    });
    if let Some(threshold) = told.threshold {
        figures["threshold"] = json!(threshold);
    } else {
        let bands = || transition.bands.iter().rev();
        figures["recentLowerThresholds"] = bands().map(|band| band.lower).collect();
        figures["recentUpperThresholds"] = bands().map(|band| band.upper).collect();
    }
    Some(figures)
}

fn figure(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.1}") } else { value.to_string() }
}

fn comparison_text(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Greater | Comparison::OutsideBand => "greater than",
        Comparison::GreaterOrEqual => "greater than or equal to",
        Comparison::Less => "less than",
        Comparison::LessOrEqual => "less than or equal to",
    }
}
