//! `DescribeAlarms`: metric and composite alarms, every page, as the domain knows them.

use std::collections::BTreeSet;

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    AlarmType, ComparisonOperator, CompositeAlarm, Dimension, MetricAlarm, MetricDataQuery, StateValue,
};
use jiff::Timestamp;
use serde_json::Value;

use super::call::{CallError, Step};
use super::clients::Clients;
use crate::adapters::budget::Family;
use crate::domain::fault::Fault;
use crate::domain::observation::alarm::{
    Alarm, AlarmName, AlarmRule, AlarmState, Calls, Comparison, Evaluation, names_scaling, severity_of,
};
use crate::domain::observation::metric::{MetricId, Statistic};
use crate::domain::observation::scope::AccountId;
use crate::domain::observation::{redact, sanitise};

pub mod history;
mod math;

/// The most alarms a page may hold, by the API.
const PAGE: i32 = 100;

/// Why the alarms could not be listed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AlarmsError {
    /// A page could not be read.
    #[error("page {page} of the alarms could not be read")]
    DescribePage {
        /// From 1.
        page: u32,
        /// Why.
        source: CallError,
    },
}

impl AlarmsError {
    /// As a person reads it.
    pub fn fault(&self) -> Fault {
        match self {
            Self::DescribePage { page, source } => source.fault(Step {
                summary: &match page {
                    1 => "The alarms could not be listed.".to_owned(),
                    page => format!("The alarms could not be listed (page {page})."),
                },
                action: "cloudwatch:DescribeAlarms",
            }),
        }
    }
}

/// Every alarm of the account and region.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    /// The alarms, in the order of the source.
    pub alarms: Vec<Alarm>,
    /// Those of them that only scale: they page nobody, and one that scales in is in ALARM as long as all is quiet.
    pub scaling: BTreeSet<AlarmName>,
    /// One sentence an alarm that was listed and could not be read, so that none is lost silently.
    pub unreadable: Vec<String>,
}

/// Lists all metric and composite alarms, following every page. Takes one turn of [`Family::Alarms`] a page.
pub async fn describe_all(clients: &Clients) -> Result<Listing, AlarmsError> {
    let mut listing = Listing::default();
    let mut token: Option<String> = None;
    for page in 1_u32.. {
        clients.turn(Family::Alarms).await;
        let request = clients
            .cloudwatch
            .describe_alarms()
            .alarm_types(AlarmType::MetricAlarm)
            .alarm_types(AlarmType::CompositeAlarm)
            .max_records(PAGE)
            .set_next_token(token.clone());
        let failed = |source| AlarmsError::DescribePage { page, source };
        let answer = request.send().await.map_err(|error| failed(CallError::of(&error)))?;
        let next = answer.next_token.clone().filter(|next| !next.is_empty());
        listing.add_all(answer.metric_alarms().iter().map(metric_alarm));
        let scaling =
            answer.metric_alarms().iter().filter(|alarm| only_scales(alarm)).filter_map(MetricAlarm::alarm_name);
        listing.scaling.extend(scaling.map(AlarmName::from));
        listing.add_all(answer.composite_alarms().iter().map(composite_alarm));
        if next.is_none() {
            break;
        }
        if next == token {
            return Err(failed(CallError::Malformed("the same page was offered twice".to_owned())));
        }
        token = next;
    }
    Ok(listing)
}

impl Listing {
    fn add_all(&mut self, alarms: impl Iterator<Item = Result<Alarm, String>>) {
        for alarm in alarms {
            match alarm {
                Ok(alarm) => self.alarms.push(alarm),
                Err(why) => self.unreadable.push(why),
            }
        }
    }
}

/// What metric and composite alarms have in common, before it is checked.
struct Common<'a> {
    name: Option<&'a str>,
    arn: Option<&'a str>,
    description: Option<&'a str>,
    state: Option<&'a StateValue>,
    reason: Option<&'a str>,
    since: Option<&'a DateTime>,
    evaluation: Option<Evaluation>,
    calls: Calls,
}

impl Common<'_> {
    fn alarm(&self, rule: AlarmRule, value: Option<f64>) -> Result<Alarm, String> {
        let name = self.name.ok_or("An alarm without a name was listed.")?;
        let unreadable = |what: &str| format!("The alarm {name:?} was listed {what}.");
        let state = self.state.and_then(state_of).ok_or_else(|| unreadable("without a known state"))?;
        let since = self.since.and_then(instant).ok_or_else(|| unreadable("without the time of its state"))?;
        let description = tidy(self.description);
        Ok(Alarm {
            name: name.into(),
            arn: self.arn.unwrap_or_default().to_owned(),
            severity: severity_of(name, &description),
            description,
            state,
            reason: tidy(self.reason),
            since,
            rule,
            value,
            evaluation: self.evaluation,
            calls: self.calls,
        })
    }
}

fn metric_alarm(alarm: &MetricAlarm) -> Result<Alarm, String> {
    let common = Common {
        name: alarm.alarm_name(),
        arn: alarm.alarm_arn(),
        description: alarm.alarm_description(),
        state: alarm.state_value(),
        reason: alarm.state_reason(),
        // The update time moves with the reason as well; the transition is what "since" means.
        since: alarm.state_transitioned_timestamp().or(alarm.state_updated_timestamp()),
        evaluation: math::evaluation(alarm),
        calls: calls(alarm.alarm_name(), alarm.actions_enabled(), alarm.alarm_actions()),
    };
    common.alarm(rule_of(alarm), alarm.state_reason_data().and_then(latest_value))
}

/// Whether scaling is all it does: its actions say so, or its name, which a target tracking policy gives.
fn only_scales(alarm: &MetricAlarm) -> bool {
    names_scaling(alarm.alarm_name().unwrap_or_default()) || all_scale(alarm.alarm_actions())
}

fn all_scale(actions: &[String]) -> bool {
    !actions.is_empty() && actions.iter().all(|action| action.contains(":autoscaling:"))
}

/// Actions are on where nobody switched them off (`ActionsEnabled`, by default true). Whether they only scale is asked as it
/// is of what the cockpit lists: an alarm that it leaves out as one that scales does not say that it pages.
fn calls(name: Option<&str>, enabled: Option<bool>, actions: &[String]) -> Calls {
    match enabled {
        Some(false) => Calls::SwitchedOff,
        Some(true) | None if actions.is_empty() => Calls::Nobody,
        Some(true) | None if names_scaling(name.unwrap_or_default()) || all_scale(actions) => Calls::Scaling,
        Some(true) | None => Calls::Somebody,
    }
}

fn composite_alarm(alarm: &CompositeAlarm) -> Result<Alarm, String> {
    let calls = match calls(alarm.alarm_name(), alarm.actions_enabled(), alarm.alarm_actions()) {
        Calls::Somebody | Calls::Scaling if alarm.actions_suppressed_by().is_some() => Calls::Suppressed,
        calls => calls,
    };
    let common = Common {
        name: alarm.alarm_name(),
        arn: alarm.alarm_arn(),
        description: alarm.alarm_description(),
        state: alarm.state_value(),
        reason: alarm.state_reason(),
        since: alarm.state_transitioned_timestamp().or(alarm.state_updated_timestamp()),
        evaluation: None,
        calls,
    };
    common.alarm(AlarmRule::Composite { rule: tidy(alarm.alarm_rule()) }, None)
}

fn rule_of(alarm: &MetricAlarm) -> AlarmRule {
    let comparison = alarm.comparison_operator().map_or(Comparison::Greater, comparison_of);
    if let Some((metric, statistic, period_s)) = single_metric(alarm)
        && let Some(threshold) = alarm.threshold()
    {
        return AlarmRule::Metric { metric, statistic, period_s, comparison, threshold };
    }
    let promql = alarm.evaluation_criteria().and_then(|criteria| criteria.as_prom_ql_criteria().ok());
    let expression = promql
        .and_then(|criteria| criteria.query())
        .or_else(|| compared_expression(alarm))
        .map_or_else(|| plain_expression(alarm), |text| tidy(Some(text)));
    let mut metrics: Vec<MetricId> = alarm.metrics().iter().filter_map(metric_of).collect();
    metrics.extend(named_metric(alarm));
    AlarmRule::Math { expression, comparison, threshold: alarm.threshold(), metrics, queries: math::queries(alarm) }
}

/// The one metric that is compared with a constant: named on the alarm, or the only entry of its list.
fn single_metric(alarm: &MetricAlarm) -> Option<(MetricId, Statistic, u32)> {
    if let Some(metric) = named_metric(alarm) {
        let statistic =
            alarm.statistic().map(aws_sdk_cloudwatch::types::Statistic::as_str).or(alarm.extended_statistic())?;
        return Some((metric, statistic_of(statistic)?, period(alarm.period())));
    }
    let [only] = alarm.metrics() else { return None };
    let stat = only.metric_stat()?;
    Some((metric_of(only)?, statistic_of(stat.stat()?)?, period(stat.period())))
}

fn named_metric(alarm: &MetricAlarm) -> Option<MetricId> {
    let (namespace, name) = (alarm.namespace()?, alarm.metric_name()?);
    Some(metric_id(namespace, name, alarm.dimensions()))
}

fn metric_of(entry: &MetricDataQuery) -> Option<MetricId> {
    let metric = entry.metric_stat()?.metric()?;
    let account = entry.account_id().map(AccountId::from);
    Some(MetricId { account, ..metric_id(metric.namespace()?, metric.metric_name()?, metric.dimensions()) })
}

pub(super) fn metric_id(namespace: &str, name: &str, dimensions: &[Dimension]) -> MetricId {
    let dimensions = dimensions.iter().filter_map(|d| Some((d.name()?.to_owned(), d.value()?.to_owned()))).collect();
    MetricId { namespace: namespace.to_owned(), name: name.to_owned(), dimensions, account: None }
}

/// The band where there is one, else the expression whose data is returned, else the first.
fn compared_expression(alarm: &MetricAlarm) -> Option<&str> {
    let entries = alarm.metrics();
    let band = alarm.threshold_metric_id();
    let chosen = entries
        .iter()
        .find(|entry| band.is_some() && entry.id() == band)
        .or_else(|| entries.iter().find(|entry| entry.expression().is_some() && entry.return_data() == Some(true)))
        .or_else(|| entries.iter().find(|entry| entry.expression().is_some()))?;
    chosen.expression()
}

/// For a statistic the domain has no word for, such as `tm90`: what is compared, as a person would write it.
fn plain_expression(alarm: &MetricAlarm) -> String {
    let statistic = alarm.extended_statistic().unwrap_or("an unknown statistic");
    let metric = alarm.metric_name().unwrap_or("an unknown metric");
    tidy(Some(&format!("{statistic} of {metric}")))
}

fn period(seconds: Option<i32>) -> u32 {
    seconds.and_then(|seconds| u32::try_from(seconds).ok()).filter(|seconds| *seconds > 0).unwrap_or(60)
}

pub(super) fn state_of(state: &StateValue) -> Option<AlarmState> {
    match state {
        StateValue::Ok => Some(AlarmState::Ok),
        StateValue::Alarm => Some(AlarmState::Alarm),
        StateValue::InsufficientData => Some(AlarmState::InsufficientData),
        _ => None,
    }
}

fn comparison_of(operator: &ComparisonOperator) -> Comparison {
    match operator {
        ComparisonOperator::GreaterThanOrEqualToThreshold => Comparison::GreaterOrEqual,
        ComparisonOperator::LessThanThreshold | ComparisonOperator::LessThanLowerThreshold => Comparison::Less,
        ComparisonOperator::LessThanOrEqualToThreshold => Comparison::LessOrEqual,
        ComparisonOperator::LessThanLowerOrGreaterThanUpperThreshold => Comparison::OutsideBand,
        _ => Comparison::Greater,
    }
}

/// `Average`, `p99`, `p99.9`; what the domain has no word for is `None`.
pub(super) fn statistic_of(text: &str) -> Option<Statistic> {
    match text {
        "Average" => Some(Statistic::Average),
        "Maximum" => Some(Statistic::Maximum),
        "Minimum" => Some(Statistic::Minimum),
        "Sum" => Some(Statistic::Sum),
        "SampleCount" => Some(Statistic::SampleCount),
        _ => {
            let percent: f64 = text.strip_prefix('p')?.parse().ok()?;
            let tenths = (percent * 10.0).round();
            ((0.0..=1000.0).contains(&tenths) && (tenths - percent * 10.0).abs() < 1e-6)
                .then_some(Statistic::Percentile(tenths as u16))
        }
    }
}

/// The newest point that was evaluated, from the JSON that CloudWatch puts beside the reason.
fn latest_value(reason_data: &str) -> Option<f64> {
    let data: Value = serde_json::from_str(reason_data).ok()?;
    let evaluated = data["evaluatedDatapoints"].as_array().and_then(|points| {
        let timed = points.iter().filter_map(|p| Some((p["timestamp"].as_str()?, p["value"].as_f64()?)));
        timed.max_by(|a, b| a.0.cmp(b.0)).map(|(_, value)| value)
    });
    evaluated.or_else(|| data["recentDatapoints"].as_array()?.last()?.as_f64())
}

/// An instant of the SDK as ours.
pub(super) fn instant(at: &DateTime) -> Option<Timestamp> {
    Timestamp::new(at.secs(), i32::try_from(at.subsec_nanos()).ok()?).ok()
}

/// What somebody wrote, made safe.
fn tidy(text: Option<&str>) -> String {
    redact::clean(text.unwrap_or_default(), sanitise::LINE_LIMIT)
}

#[cfg(test)]
mod tests;
