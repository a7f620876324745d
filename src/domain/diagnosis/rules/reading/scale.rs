//! What the values of a series of memory or processor are a share of. One that is no percent and cannot be made one is not
//! read as one: its sentences would be wrong by orders of magnitude.

use crate::domain::observation::metric::{MetricId, Series, Unit};
use crate::domain::observation::service::{Measure, measure_of};
use crate::domain::observation::workload::ContainerSpec;

/// The most that values without a unit may reach to be taken for percent: a share is told a little over its whole at times.
const MOST_PERCENT: f64 = 105.0;
/// Values without a unit that stay below this may be shares of one as well as of a hundred.
const MOST_SHARE: f64 = 1.5;
/// Of such a share, what a collector takes where it is at rest whichever of the two it is.
const AT_REST: f64 = 0.1;

/// What the values of memory are multiplied by to be percent of the limit.
pub(in super::super) fn of_memory(series: &Series, containers: &[ContainerSpec]) -> Result<f64, String> {
    let metric = &series.query.metric;
    match (measure_of(&metric.name), series.unit) {
        (Measure::ShareOfNode, _) => Err("percent of its node, not of its limit".to_owned()),
        (Measure::Units, _) | (_, Unit::Count | Unit::Seconds | Unit::Milliseconds) => Err(in_units()),
        (_, Unit::Percent) => Ok(1.0),
        (_, Unit::Bytes) => {
            let limit = limit(metric, containers).filter(|limit| *limit > 0);
            limit.map(|limit| 100.0 / limit as f64).ok_or_else(|| "bytes without a known limit".to_owned())
        }
        (_, Unit::None) => percent(series).map(|()| 1.0),
    }
}

/// Whether the values of a processor are percent.
pub(super) fn of_cpu(series: &Series) -> Result<(), String> {
    match (measure_of(&series.query.metric.name), series.unit) {
        (Measure::Units, _) | (_, Unit::Bytes | Unit::Count | Unit::Seconds | Unit::Milliseconds) => Err(in_units()),
        (_, Unit::Percent) => Ok(()),
        (_, Unit::None) => percent(series),
    }
}

/// Whether the values of a collector's time are percent. One that is next to nothing is at rest as a share of one too.
pub(super) fn of_collector(series: &Series) -> Result<(), String> {
    match (series.unit, series.peak()) {
        (Unit::None, Some(peak)) if peak.value < AT_REST => Ok(()),
        (Unit::None | Unit::Percent | Unit::Bytes | Unit::Count | Unit::Seconds | Unit::Milliseconds, _) => {
            of_cpu(series)
        }
    }
}

fn in_units() -> String {
    "in units of its own, not in percent".to_owned()
}

fn percent(series: &Series) -> Result<(), String> {
    let peak = series.peak().map_or(0.0, |point| point.value);
    if peak > MOST_PERCENT {
        return Err(format!("in no unit that is told, and up to {peak:.0}: no percent"));
    }
    if peak <= MOST_SHARE {
        return Err(format!("in no unit that is told, and up to {peak:.2}: a share of one or of a hundred"));
    }
    Ok(())
}

/// The limit that bytes are measured against: of the container that the metric names, else of all together, as the bytes of
/// a pod are. A pod in which one container has none has none either.
fn limit(metric: &MetricId, containers: &[ContainerSpec]) -> Option<u64> {
    let named = |keys: &[&str]| {
        let mut dimensions = metric.dimensions.iter();
        dimensions.find(|(key, _)| keys.iter().any(|wanted| key.eq_ignore_ascii_case(wanted))).map(|(_, value)| value)
    };
    if let Some(name) = named(&["ContainerName", "container", "container_name"]) {
        return containers.iter().find(|container| container.name == *name)?.memory_limit;
    }
    let limits: Vec<u64> = containers.iter().filter_map(|container| container.memory_limit).collect();
    let of_pod = metric.name.starts_with("pod_") || named(&["PodName", "FullPodName", "pod", "pod_name"]).is_some();
    if limits.is_empty() || of_pod && limits.len() < containers.len() {
        return None;
    }
    Some(limits.iter().sum())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::observation::metric::{MetricQuery, MetricRole, Point, Statistic};

    fn container(name: &str, mebibytes: u64) -> ContainerSpec {
        let memory_limit = (mebibytes > 0).then_some(mebibytes << 20);
        ContainerSpec {
            name: name.to_owned(),
            image: String::new(),
            memory_limit,
            memory_request: None,
            cpu_limit_milli: None,
        }
    }

    fn series(name: &str, dimension: Option<(&str, &str)>, (unit, value): (Unit, f64)) -> Series {
        let dimensions = dimension.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let metric = MetricId { name: name.to_owned(), dimensions, ..MetricId::default() };
        let query = MetricQuery { role: MetricRole::Memory, metric, statistic: Statistic::Average, period_s: 60 };
        Series::new(query, unit, [Point { at: Timestamp::UNIX_EPOCH, value }])
    }

    #[test]
    fn bytes_are_measured_against_the_limit_of_what_they_are_of() {
        let mib = |value: u64| (value << 20) as f64;
        let with = [container("app", 1024), container("proxy", 256)];
        let open = [container("app", 1024), container("proxy", 0)];
        let pod = Some(("PodName", "cart"));
        for (name, dimension, containers, percent) in [
            ("pod_memory_working_set", pod, &with, Some(50.0)),
            ("pod_memory_working_set", pod, &open, None),
            ("container_memory_working_set", Some(("ContainerName", "proxy")), &with, Some(250.0)),
            ("container_memory_working_set", Some(("ContainerName", "app")), &open, Some(62.5)),
            ("container_memory_working_set", Some(("ContainerName", "other")), &with, None),
            ("heap_bytes", None, &with, Some(50.0)),
            ("heap_bytes", None, &open, Some(62.5)),
        ] {
            let factor = of_memory(&series(name, dimension, (Unit::Bytes, mib(640))), containers);
            assert_eq!(factor.ok().map(|factor| factor * mib(640)), percent, "{name} {dimension:?}");
        }
        assert!(of_memory(&series("heap_bytes", None, (Unit::Bytes, 1.0)), &[]).is_err());
    }

    #[test]
    fn what_is_no_percent_is_not_read_as_one() {
        for (name, unit, value, [memory, cpu]) in [
            ("MemoryUtilized", Unit::None, 80.0, [false, false]),
            ("pod_cpu_usage_total", Unit::None, 80.0, [false, false]),
            ("pod_memory_utilization", Unit::Percent, 40.0, [false, true]),
            ("memory", Unit::Percent, 140.0, [true, true]),
            ("load", Unit::None, 80.0, [true, true]),
            ("load", Unit::None, 0.97, [false, false]),
            ("load", Unit::None, 1.9, [true, true]),
            ("load", Unit::Percent, 0.97, [true, true]),
            ("load", Unit::None, 850.0, [false, false]),
            ("load", Unit::Count, 8.0, [false, false]),
        ] {
            let series = series(name, None, (unit, value));
            assert_eq!([of_memory(&series, &[]).is_ok(), of_cpu(&series).is_ok()], [memory, cpu], "{name} {value}");
        }
        for (unit, value, fit) in [
            (Unit::None, 0.05, true),
            (Unit::None, 0.6, false),
            (Unit::None, 60.0, true),
            (Unit::Percent, 0.6, true),
            (Unit::Milliseconds, 60.0, false),
        ] {
            assert_eq!(of_collector(&series("pauses", None, (unit, value))).is_ok(), fit, "{unit:?} {value}");
        }
    }
}
