//! Reads what is behind an alarm that a person opened: how its state went, and how what it compares stands now.

use super::Means;
use crate::adapters::aws::alarms::history;
use crate::adapters::aws::metrics::{Reading, evaluate, fetch, period_of};
use crate::domain::fault::Fault;
use crate::domain::observation::alarm::{Alarm, AlarmDetail, AlarmHistory, AlarmRule, Asked, ComparedNow, MathQuery};
use crate::domain::observation::metric::{MetricQuery, MetricRole};
use crate::domain::observation::scope::{Window, whole_minute};
use crate::session::event::{AlarmEvent, Event};

/// Changes of state that are kept: a week of an alarm that flaps once a day, and a screen of one that flaps by the minute.
const MOST_TRANSITIONS: usize = 50;
/// Periods that are asked for to find the newest that has a point.
const PERIODS: i64 = 15;

/// Reads and tells. What cannot be read is told as that; the listing stays on screen.
pub async fn inspect(means: Means, alarm: Alarm) {
    let (history, now) = tokio::join!(history_of(&means, &alarm), compared_now(&means, &alarm));
    let read_at = means.clock.now();
    let detail = AlarmDetail {
        read_at,
        history: history.map_or_else(|fault| Asked::Failed { fault }, |answer| Asked::Read { answer }),
        now: now.unwrap_or_else(|fault| Asked::Failed { fault }),
    };
    let event = AlarmEvent::Detailed { name: alarm.name, detail: Box::new(detail) };
    means.post.tell(None, Event::Alarm(event)).await;
}

async fn history_of(means: &Means, alarm: &Alarm) -> Result<AlarmHistory, Fault> {
    let clients = means.outside.aws().await?;
    history::describe(clients, &alarm.name, MOST_TRANSITIONS).await.map_err(|error| error.fault())
}

async fn compared_now(means: &Means, alarm: &Alarm) -> Result<Asked<ComparedNow>, Fault> {
    let found = match &alarm.rule {
        AlarmRule::Composite { .. } => return Ok(Asked::NotAsked),
        AlarmRule::Math { queries, .. } if queries.is_empty() => return Ok(Asked::NotAsked),
        AlarmRule::Math { queries, .. } => of_math(means, queries).await?,
        AlarmRule::Metric { metric, statistic, period_s, .. } => {
            let query = MetricQuery {
                role: MetricRole::Alarm,
                metric: metric.clone(),
                statistic: *statistic,
                period_s: *period_s,
            };
            of_metric(means, query).await?
        }
    };
    Ok(found.map_or(Asked::Empty, |answer| Asked::Read { answer }))
}

fn recent(means: &Means, period_s: u32) -> Window {
    let minutes = (i64::from(period_s) * PERIODS / 60).max(PERIODS);
    Window::minutes_before(whole_minute(means.now_at_aws()), minutes)
}

async fn of_math(means: &Means, queries: &[MathQuery]) -> Result<Option<ComparedNow>, Fault> {
    let clients = means.outside.aws().await?;
    let window = recent(means, period_of(queries));
    let evaluated = evaluate(clients, queries, window).await.map_err(|error| error.fault())?;
    Ok(evaluated.now())
}

async fn of_metric(means: &Means, query: MetricQuery) -> Result<Option<ComparedNow>, Fault> {
    let clients = means.outside.aws().await?;
    let window = recent(means, query.period_s);
    let mut readings = fetch(clients, std::slice::from_ref(&query), window).await.map_err(|error| error.fault())?;
    match readings.pop() {
        Some(Reading::Complete(series) | Reading::Partial { series, .. }) => {
            Ok(series.latest().map(|point| ComparedNow { at: point.at, value: point.value, band: None }))
        }
        Some(Reading::Failed { query, source }) => {
            Err(Fault::new(source.kind(), format!("{} could not be read.", query.metric)).cause(source.to_string()))
        }
        Some(Reading::Empty(_)) | None => Ok(None),
    }
}
