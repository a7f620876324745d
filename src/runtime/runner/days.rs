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
        (Ok(points), Reading::Complete(series)) => points.extend(series.points),
        (outcome @ Ok(_), Reading::Partial { why, .. }) => *outcome = Err(format!("a day came in part ({why})")),
        (outcome @ Ok(_), Reading::Failed { source, .. }) => *outcome = Err(source.to_string()),
        (Ok(_), Reading::Empty(_)) | (Err(_), _) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use bytes::Bytes;

    use super::super::follow::tests::outside_at;
    use super::super::read;
    use super::*;
    use crate::domain::observation::metric::{MetricId, MetricRole, Series, Statistic, Unit};
    use crate::domain::observation::scope::whole_minute;
    use crate::rehearsal::wire::cloudwatch::cbor::{Value, read as parse, write};
    use crate::runtime::outside::ClusterAccess;

    /// The period that a request asks by.
    fn period(body: &Bytes) -> i64 {
        let asked = parse(body).unwrap();
        asked.list("MetricDataQueries")[0].get("MetricStat").and_then(|stat| stat.int("Period")).unwrap()
    }

    #[test]
    fn a_day_that_came_in_part_is_no_day_to_compare_with() {
        let query =
            MetricQuery { role: MetricRole::Cpu, metric: MetricId::default(), statistic: Statistic::Sum, period_s: 60 };
        let series = || Series::new(query.clone(), Unit::None, [Point { at: Timestamp::UNIX_EPOCH, value: 1.0 }]);
        let mut found = Earlier::from([(query.clone(), Ok(Vec::new()))]);
        add(&mut found, &query, Reading::Complete(series()));
        assert_eq!(found[&query].as_ref().map(Vec::len), Ok(1));
        let why = "PartialData: ServiceError: it was cut".to_owned();
        add(&mut found, &query, Reading::Partial { series: series(), why });
        add(&mut found, &query, Reading::Complete(series()));
        assert_eq!(found[&query], Err("a day came in part (PartialData: ServiceError: it was cut)".to_owned()));
    }

    #[tokio::test]
    async fn what_is_kept_by_longer_periods_alone_is_asked_for_by_those() {
        crate::adapters::install_tls_provider();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<i64>>> = Arc::default();
        let log = Arc::clone(&asked);
        let app = axum::Router::new().fallback(move |body: Bytes| {
            log.lock().unwrap().push(period(&body));
            let answer = axum::response::Response::builder().header("smithy-protocol", "rpc-v2-cbor");
            std::future::ready(answer.body(axum::body::Body::from(write(&Value::Map(Vec::new())))).unwrap())
        });
        let (means, tasks, _inbox) = outside_at(&endpoint, ClusterAccess::Off { why: "a test".to_owned() });
        tasks.spawn("server", async move { drop(axum::serve(listener, app).await) });
        let query = |period_s| MetricQuery {
            role: MetricRole::Cpu,
            metric: MetricId::default(),
            statistic: Statistic::Sum,
            period_s,
        };
        let window = |minutes| Window::minutes_before(whole_minute(means.clock.now()), minutes);
        let told = || {
            let mut periods = std::mem::take(&mut *asked.lock().unwrap());
            periods.sort_unstable();
            periods
        };
        for (period_s, minutes, expected) in
            [(10, 30, [60, 60, 60, 60]), (60, 30, [60, 60, 60, 60]), (60, 1_440, [60, 60, 60, 300])]
        {
            earlier(&means, &[query(period_s)], window(minutes)).await;
            assert_eq!(told(), expected, "{period_s} s over {minutes} min");
        }
        for (minutes, expected) in [(30, 10), (240, 60)] {
            let answers = read::metrics(&means, &"my-api".into(), vec![query(10)], window(minutes)).await;
            assert_eq!(told(), [expected], "{minutes} min");
            assert!(answers.contains_key(&query(10)), "it answers what was asked");
        }
    }
}
