//! What an alarm evaluates: the lines of its metric math, each with what it is for, and the periods that decide.

use aws_sdk_cloudwatch::types::{MetricAlarm, MetricDataQuery};

use super::{compared_expression, metric_of, period, tidy};
use crate::domain::observation::alarm::{Evaluation, MathPart, MathQuery, MathTerm, MissingData};

/// The lines, in the alarm's order; none for an alarm that names its metric.
///
/// 1. Where the alarm names a threshold line, that is the band, and what returns data beside it is compared.
/// 2. Otherwise what returns data is compared: an expression before a metric.
/// 3. Everything else is an input.
pub(super) fn queries(alarm: &MetricAlarm) -> Vec<MathQuery> {
    let entries = alarm.metrics();
    let band = alarm.threshold_metric_id();
    let is_band = |entry: &MetricDataQuery| band.is_some() && entry.id() == band;
    let returns = |entry: &&MetricDataQuery| !is_band(entry) && entry.return_data().unwrap_or(true);
    let expression = band.is_none().then(|| compared_expression(alarm)).flatten();
    let by_expression = entries.iter().find(|entry| expression.is_some() && entry.expression() == expression);
    let compared = by_expression.or_else(|| entries.iter().find(returns)).and_then(MetricDataQuery::id);
    let query = |entry: &MetricDataQuery| {
        let part = match entry.id() {
            _ if is_band(entry) => MathPart::Band,
            id if id.is_some() && id == compared => MathPart::Compared,
            _ => MathPart::Input,
        };
        Some(MathQuery { id: entry.id()?.to_owned(), label: tidy(entry.label()), part, term: term(entry)? })
    };
    entries.iter().filter_map(query).collect()
}

fn term(entry: &MetricDataQuery) -> Option<MathTerm> {
    if let Some(text) = entry.expression() {
        let period_s = entry.period().map(|seconds| period(Some(seconds)));
        return Some(MathTerm::Expression { text: text.to_owned(), period_s });
    }
    let stat = entry.metric_stat()?;
    Some(MathTerm::Metric {
        metric: metric_of(entry)?,
        statistic: stat.stat()?.to_owned(),
        period_s: period(stat.period()),
    })
}

/// How many periods decide; nothing where CloudWatch does not say.
pub(super) fn evaluation(alarm: &MetricAlarm) -> Option<Evaluation> {
    let periods = alarm.evaluation_periods().and_then(|periods| u32::try_from(periods).ok())?;
    let to_alarm = alarm.datapoints_to_alarm().and_then(|count| u32::try_from(count).ok()).unwrap_or(periods);
    let missing = match alarm.treat_missing_data() {
        Some("breaching") => MissingData::Breaching,
        Some("notBreaching") => MissingData::NotBreaching,
        Some("ignore") => MissingData::Ignore,
        _ => MissingData::Missing,
    };
    Some(Evaluation { periods, to_alarm, missing })
}
