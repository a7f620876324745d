//! The same minutes of some days before, for the metrics that rules weigh by the hour: one request a day for all of them
//! together, asked once. What is refused here is told, and nothing waits for it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::Means;
use crate::adapters::aws::clients::Clients;
use crate::adapters::aws::metrics::{Reading, fetch};
use crate::domain::diagnosis::statistics::{DAYS_ASKED, MINUTES_AHEAD};
use crate::domain::observation::metric::{MetricQuery, Point};
use crate::domain::observation::scope::Window;

/// The points of the days before by metric, or why they are not known.
pub type Earlier = BTreeMap<MetricQuery, Result<Vec<Point>, String>>;

/// What is asked beyond the window, as a person could repeat it.
pub const ASKED: &str = "the same minutes 1, 2, 7 and 14 days before";

/// Reads a window as it was on the days before, and half an hour more of each: the chart goes on while the incident does,
/// and it costs no further request. A day that could not be read leaves the comparison unread: fewer days would be another
/// usual level.
pub async fn earlier(means: &Means, queries: &[MetricQuery], window: Window) -> Earlier {
    let all = |outcome: Result<Vec<Point>, String>| queries.iter().map(move |query| (query.clone(), outcome.clone()));
    if queries.is_empty() {
        return Earlier::new();
    }
    let clients = match means.outside.aws().await {
        Ok(clients) => clients,
        Err(fault) => return all(Err(fault.summary)).collect(),
    };
    let day = |days| Box::pin(day((clients, means.now_at_aws()), queries, (window, days)));
    let [first, second, third, fourth] = DAYS_ASKED.map(day);
    let (first, second, third, fourth) = tokio::join!(first, second, third, fourth);
    let mut found: Earlier = all(Ok(Vec::new())).collect();
    for day in [first, second, third, fourth] {
        match day {
            Ok(readings) => queries.iter().zip(readings).for_each(|(query, reading)| add(&mut found, query, reading)),
            Err(why) => return all(Err(why)).collect(),
        }
    }
    found
}

async fn day(
    (clients, now): (&Clients, Timestamp),
    queries: &[MetricQuery],
    (window, days): (Window, i64),
) -> Result<Vec<Reading>, String> {
    let (back, ahead) = (SignedDuration::from_hours(24 * days), SignedDuration::from_mins(MINUTES_AHEAD));
    let (Ok(from), Ok(to)) = (window.from.checked_sub(back), window.to.checked_sub(back - ahead)) else {
        return Err("there is no such day".to_owned());
    };
    let asked: Vec<MetricQuery> = queries.iter().map(|query| query.kept_for(now.duration_since(from))).collect();
    let readings = fetch(clients, &asked, Window { from, to }).await.map_err(|error| error.fault().summary)?;
    Ok(readings.into_iter().zip(queries).map(|(reading, own)| reading.in_measure_of(own)).collect())
}

fn add(found: &mut Earlier, query: &MetricQuery, reading: Reading) {
    let Some(outcome) = found.get_mut(query) else { return };
    match (outcome, reading) {
        (Ok(points), Reading::Complete(series) | Reading::Partial { series, .. }) => points.extend(series.points),
        (outcome @ Ok(_), Reading::Failed { source, .. }) => *outcome = Err(source.to_string()),
        (Ok(_), Reading::Empty(_)) | (Err(_), _) => {}
    }
}
