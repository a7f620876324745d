//! `GetMetricData` in batches, every page, each query answered for itself; and `ListMetrics` for inference.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    DimensionFilter, MessageData, MetricDataQuery, MetricDataResult, MetricStat, ScanBy, StatusCode,
};
use jiff::Timestamp;

use super::alarms::{instant, metric_id};
use super::call::{CallError, Step, clean};
use super::clients::Clients;
use crate::adapters::budget::Family;
use crate::domain::fault::Fault;
use crate::domain::observation::metric::{MetricId, MetricQuery, Point, Series};
use crate::domain::observation::scope::Window;

mod math;
mod unit;

pub use math::{Evaluated, evaluate, kept_since, period_of};
pub use unit::unit_of;

/// The most queries a call may hold, by the API.
pub const BATCH: usize = 500;

/// Why metrics could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetricsError {
    /// A batch could not be read.
    #[error("{queries} metrics could not be read (page {page})")]
    GetData {
        /// Queries in the batch.
        queries: usize,
        /// From 1.
        page: u32,
        /// Why.
        source: CallError,
    },
    /// What an alarm compares could not be evaluated.
    #[error("what the alarm compares could not be evaluated (page {page})")]
    Evaluate {
        /// From 1.
        page: u32,
        /// Why.
        source: CallError,
    },
    /// The metrics could not be listed.
    #[error("the metrics could not be listed")]
    List(#[source] CallError),
}

impl MetricsError {
    /// As a person reads it.
    pub fn fault(&self) -> Fault {
        match self {
            Self::GetData { queries, source, .. } => source.fault(Step {
                summary: &format!("{queries} metrics could not be read."),
                action: "cloudwatch:GetMetricData",
            }),
            Self::Evaluate { source, .. } => source.fault(Step {
                summary: "What the alarm compares could not be evaluated.",
                action: "cloudwatch:GetMetricData",
            }),
            Self::List(source) => {
                source.fault(Step { summary: "The metrics could not be listed.", action: "cloudwatch:ListMetrics" })
            }
        }
    }
}

/// How one query was answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// Whole, with at least one point.
    Complete(Series),
    /// Whole, and there is no point: the metric does not exist or was silent. The series says what was asked.
    Empty(Series),
    /// Some points, and CloudWatch says there are more that it did not give.
    Partial {
        /// What came.
        series: Series,
        /// In CloudWatch's words.
        why: String,
    },
    /// No usable answer for this query, while others may be well.
    Failed {
        /// What was asked.
        query: MetricQuery,
        /// Why.
        source: CallError,
    },
}

impl Reading {
    /// What was read by a longer period than that of a query, in the measure of that query.
    #[must_use]
    pub fn in_measure_of(self, own: &MetricQuery) -> Self {
        match self {
            Self::Complete(series) => Self::Complete(series.in_measure_of(own)),
            Self::Partial { series, why } => Self::Partial { series: series.in_measure_of(own), why },
            Self::Empty(series) => Self::Empty(series),
            Self::Failed { query, source } => Self::Failed { query, source },
        }
    }
}

/// Reads every query over a window, in the order asked. The window's start is rounded down to each query's period, so
/// that its first point is whole; a period that is not over by its end has no point. Takes one turn of [`Family::MetricData`] a page.
pub async fn fetch(clients: &Clients, queries: &[MetricQuery], window: Window) -> Result<Vec<Reading>, MetricsError> {
    let mut readings = Vec::with_capacity(queries.len());
    for batch in queries.chunks(BATCH) {
        let answers = fetch_batch(clients, batch, window).await?;
        readings.extend(batch.iter().enumerate().map(|(n, query)| read(query, (&id_of(n), &answers), window)));
    }
    Ok(readings)
}

/// What the pages of a batch add up to for one query.
#[derive(Clone, Debug, Default, PartialEq)]
struct Gathered {
    points: Vec<Point>,
    status: Option<StatusCode>,
    messages: Vec<String>,
}

/// What the pages of a call add up to.
#[derive(Clone, Debug, Default, PartialEq)]
struct Answers {
    by_id: BTreeMap<String, Gathered>,
    /// What is said of the whole call, such as that it asks for too much: the rest is done as far as it goes.
    messages: Vec<String>,
}

impl Answers {
    fn get(&self, id: &str) -> Option<&Gathered> {
        self.by_id.get(id)
    }

    /// Why something is missing of which nothing is said.
    fn without(&self, what: &str) -> CallError {
        let left_out = format!("the answer leaves {what} out");
        let told: Vec<&str> =
            std::iter::once(left_out.as_str()).chain(self.messages.iter().map(String::as_str)).collect();
        CallError::Malformed(told.join("; "))
    }
}

async fn fetch_batch(clients: &Clients, batch: &[MetricQuery], window: Window) -> Result<Answers, MetricsError> {
    let from = batch.iter().map(|query| aligned(window.from, query.period_s)).min().unwrap_or(window.from);
    let asked: Vec<MetricDataQuery> = batch.iter().enumerate().map(|(n, query)| asked_for(n, query)).collect();
    let failed = |(page, source)| MetricsError::GetData { queries: batch.len(), page, source };
    every_page(clients, asked, Window { from, to: window.to }).await.map_err(failed)
}

/// Asks for everything and follows every page; a failure comes with the page it was on.
async fn every_page(
    clients: &Clients,
    asked: Vec<MetricDataQuery>,
    window: Window,
) -> Result<Answers, (u32, CallError)> {
    let mut answers = Answers::default();
    let mut token: Option<String> = None;
    for page in 1_u32.. {
        clients.turn(Family::MetricData).await;
        let request = clients
            .cloudwatch
            .get_metric_data()
            .set_metric_data_queries(Some(asked.clone()))
            .start_time(sdk_time(window.from))
            .end_time(sdk_time(window.to))
            .scan_by(ScanBy::TimestampAscending)
            .set_next_token(token.clone());
        let failed = |source| (page, source);
        let answer = request.send().await.map_err(|error| failed(CallError::of(&error)))?;
        for result in answer.metric_data_results() {
            gather(&mut answers.by_id, result).map_err(failed)?;
        }
        answers.messages.extend(answer.messages().iter().map(message));
        let next = answer.next_token.filter(|next| !next.is_empty());
        if next.is_none() {
            break;
        }
        if next == token {
            return Err(failed(CallError::Malformed("the same page was offered twice".to_owned())));
        }
        token = next;
    }
    Ok(answers)
}

fn gather(gathered: &mut BTreeMap<String, Gathered>, result: &MetricDataResult) -> Result<(), CallError> {
    let Some(id) = result.id() else { return Err(CallError::Malformed("a result without an id".to_owned())) };
    let (times, values) = (result.timestamps(), result.values());
    if times.len() != values.len() {
        return Err(CallError::Malformed(format!("{} times and {} values for one metric", times.len(), values.len())));
    }
    let one = gathered.entry(id.to_owned()).or_default();
    one.points
        .extend(times.iter().zip(values).filter_map(|(at, value)| Some(Point { at: instant(at)?, value: *value })));
    one.messages.extend(result.messages().iter().map(message));
    // A later page speaks last: the first of two pages is always "partial".
    one.status = result.status_code().cloned().or(one.status.take());
    Ok(())
}

fn message(message: &MessageData) -> String {
    clean(&format!("{}: {}", message.code().unwrap_or("no code"), message.value().unwrap_or_default()))
}

fn read(query: &MetricQuery, (id, answers): (&str, &Answers), window: Window) -> Reading {
    let failed = |source| Reading::Failed { query: query.clone(), source };
    let Some(gathered) = answers.get(id) else { return failed(answers.without("this metric")) };
    let told = |word: &str| match gathered.messages.join("; ") {
        messages if messages.is_empty() => word.to_owned(),
        messages => format!("{word}: {messages}"),
    };
    let from = aligned(window.from, query.period_s);
    let is_whole = |point: &Point| from <= point.at && query.is_over(point.at, window.to);
    let points = gathered.points.iter().copied().filter(is_whole);
    let series = Series::new(query.clone(), unit_of(query), points);
    match &gathered.status {
        Some(StatusCode::InternalError) => failed(CallError::Unavailable(told("InternalError"))),
        Some(StatusCode::Forbidden) => failed(CallError::Denied(told("Forbidden"))),
        Some(StatusCode::PartialData) => Reading::Partial { series, why: told("PartialData") },
        _ if series.points.is_empty() => Reading::Empty(series),
        _ => Reading::Complete(series),
    }
}

fn id_of(index: usize) -> String {
    format!("m{index}")
}

fn asked_for(index: usize, query: &MetricQuery) -> MetricDataQuery {
    let stat = MetricStat::builder()
        .metric(math::named(&query.metric))
        .period(i32::try_from(query.period_s).unwrap_or(60))
        .stat(query.statistic.to_string())
        .build();
    MetricDataQuery::builder()
        .id(id_of(index))
        .metric_stat(stat)
        .set_account_id(query.metric.account.as_ref().map(ToString::to_string))
        .return_data(true)
        .build()
}

fn aligned(at: Timestamp, period_s: u32) -> Timestamp {
    let second = at.as_second();
    Timestamp::from_second(second - second.rem_euclid(i64::from(period_s.max(1)))).unwrap_or(at)
}

fn sdk_time(at: Timestamp) -> DateTime {
    DateTime::from_millis(at.as_millisecond())
}

/// Which metrics to look for; what is empty is not asked for. A dimension without a value matches any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetricSearch {
    /// The namespace.
    pub namespace: Option<String>,
    /// The metric's name.
    pub name: Option<String>,
    /// Dimensions it must have.
    pub dimensions: BTreeMap<String, Option<String>>,
}

/// Metrics that exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundMetrics {
    /// At most as many as asked for.
    pub metrics: Vec<MetricId>,
    /// Whether there are more.
    pub rest: Rest,
}

/// Whether a listing was read to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rest {
    /// It was.
    #[default]
    None,
    /// Reading stopped at our limit.
    More,
}

/// Lists metrics that had points in the last two weeks, up to `most`. Takes one turn of [`Family::ListMetrics`] a page.
pub async fn find(clients: &Clients, search: &MetricSearch, most: usize) -> Result<FoundMetrics, MetricsError> {
    let filter = |(name, value): (&String, &Option<String>)| {
        DimensionFilter::builder().name(name).set_value(value.clone()).build()
    };
    let dimensions: Vec<DimensionFilter> = search.dimensions.iter().map(filter).collect();
    let mut found = FoundMetrics::default();
    let mut token: Option<String> = None;
    loop {
        clients.turn(Family::ListMetrics).await;
        let request = clients
            .cloudwatch
            .list_metrics()
            .set_namespace(search.namespace.clone())
            .set_metric_name(search.name.clone())
            .set_dimensions((!dimensions.is_empty()).then(|| dimensions.clone()))
            .set_next_token(token.clone());
        let answer = request.send().await.map_err(|error| MetricsError::List(CallError::of(&error)))?;
        let listed = answer.metrics().iter();
        found.metrics.extend(
            listed
                .filter_map(|metric| Some(metric_id(metric.namespace()?, metric.metric_name()?, metric.dimensions()))),
        );
        let next = answer.next_token.filter(|next| !next.is_empty());
        if found.metrics.len() > most || (found.metrics.len() == most && next.is_some()) {
            found.metrics.truncate(most);
            found.rest = Rest::More;
            return Ok(found);
        }
        if next.is_none() {
            return Ok(found);
        }
        if next == token {
            return Err(MetricsError::List(CallError::Malformed("the same page was offered twice".to_owned())));
        }
        token = next;
    }
}

#[cfg(test)]
mod tests;
