//! `[[service]]`: what an alarm is about, in the team's own words, and which alarms belong to it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::places::Problem;
use super::sense;
use crate::domain::observation::alarm::AlarmName;
use crate::domain::observation::log::LogGroup;
use crate::domain::observation::metric::{MetricId, MetricQuery, MetricRole, Statistic};
use crate::domain::observation::scope::AccountId;
use crate::domain::observation::service::{Origin, Service, ServiceName};
use crate::domain::observation::workload::WorkloadRef;

/// A service of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfiguredService {
    /// The service.
    pub service: Service,
    /// Names of its alarms; `*` stands for any text. Empty: every alarm whose name begins with the service's.
    pub alarms: Vec<String>,
}

impl ConfiguredService {
    /// How closely this service's patterns or its name tell that an alarm is about it.
    fn claim(&self, alarm: &AlarmName) -> Option<Claim> {
        let name = alarm.as_str();
        if self.alarms.is_empty() {
            let own = self.service.name.as_str();
            let rest = name.strip_prefix(own).filter(|rest| !rest.starts_with(char::is_alphanumeric))?;
            return Some(Claim { told: name.len() - rest.len(), by: By::Name });
        }
        let matching = self.alarms.iter().filter(|pattern| matches(pattern, name));
        let told = matching.map(|pattern| pattern.len() - pattern.matches('*').count()).max()?;
        Some(Claim { told, by: By::Pattern })
    }
}

/// A claim on an alarm. Of two the one that tells more of the alarm's name holds: `my-api` claims `my-api-worker-cpu` only
/// while no service is called `my-api-worker`, in whichever order they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Claim {
    /// Bytes of the alarm's name that are written out.
    told: usize,
    by: By,
}

/// Between claims that tell as much, a pattern was written for alarms and a name was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    Name,
    Pattern,
}

/// The service that an alarm is about by its name: that of the closest claim, and of equal ones the first.
pub fn claimant<'a>(services: &'a [ConfiguredService], alarm: &AlarmName) -> Option<&'a Service> {
    let claims = services.iter().filter_map(|one| Some((one.claim(alarm)?, &one.service)));
    claims.rev().max_by_key(|(claim, _)| *claim).map(|(_, service)| service)
}

/// `*` stands for any text, also none; every other character for itself.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(last)
}

/// One `[[service]]` table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceTable {
    name: ServiceName,
    #[serde(default)]
    alarms: Vec<String>,
    #[serde(default)]
    workload: Option<WorkloadRef>,
    #[serde(default)]
    log_groups: Vec<LogGroup>,
    #[serde(default)]
    metrics: BTreeMap<MetricRole, MetricTable>,
    #[serde(default)]
    helm_release: Option<String>,
    #[serde(default)]
    links: Vec<String>,
}

/// One metric of a service.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MetricTable {
    namespace: String,
    name: String,
    #[serde(default)]
    dimensions: BTreeMap<String, String>,
    #[serde(default)]
    account: Option<AccountId>,
    #[serde(default = "average", deserialize_with = "statistic")]
    statistic: Statistic,
    #[serde(default = "minute", deserialize_with = "period")]
    period_s: u32,
}

fn average() -> Statistic {
    Statistic::Average
}

fn minute() -> u32 {
    60
}

/// `Average` or `average`, `Maximum`, `Minimum`, `Sum`, `SampleCount`, and percentiles as `p99` or `p99.9`.
fn statistic<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Statistic, D::Error> {
    let word = String::deserialize(deserializer)?;
    read_statistic(&word).ok_or_else(|| {
        D::Error::custom(format!(
            "{word:?} is no statistic; use Average, Maximum, Minimum, Sum, SampleCount or a percentile such as p99"
        ))
    })
}

fn read_statistic(word: &str) -> Option<Statistic> {
    let plain = word.to_ascii_lowercase().replace('-', "");
    match plain.as_str() {
        "average" => Some(Statistic::Average),
        "maximum" => Some(Statistic::Maximum),
        "minimum" => Some(Statistic::Minimum),
        "sum" => Some(Statistic::Sum),
        "samplecount" => Some(Statistic::SampleCount),
        _ => {
            let (whole, tenth) = plain.strip_prefix('p')?.split_once('.').unwrap_or((&plain[1..], "0"));
            let tenth: u16 = (tenth.len() == 1).then(|| tenth.parse().ok())??;
            let tenths = whole.parse::<u16>().ok()?.checked_mul(10)? + tenth;
            (1..1_000).contains(&tenths).then_some(Statistic::Percentile(tenths))
        }
    }
}

/// The longest period of a metric, seconds: a day.
const LONGEST_PERIOD: u32 = 86_400;

/// CloudWatch takes 1, 5, 10, 20, 30 seconds or a multiple of 60.
fn period<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let seconds = u32::deserialize(deserializer)?;
    let is_minutes = (60..=LONGEST_PERIOD).contains(&seconds) && seconds.is_multiple_of(60);
    let allowed = matches!(seconds, 1 | 5 | 10 | 20 | 30) || is_minutes;
    if allowed {
        Ok(seconds)
    } else {
        Err(D::Error::custom(format!(
            "a period of {seconds} s is none of 1, 5, 10, 20, 30 or a multiple of 60 up to 86400"
        )))
    }
}

impl ServiceTable {
    /// What of the table nobody can mean, by the keys inside of it.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let name = self.name.as_str();
        if !sense::is_word(name) {
            problems.push(Problem::new(["name"], format!("[[service]] {name:?}: its name cannot be shown.")));
        }
        let empty = |key: &str, what: &str, texts: Vec<&str>| {
            let texts = texts.into_iter().zip(0..).filter(|(text, _)| text.trim().is_empty());
            let problem = |(_, number): (&str, usize)| {
                Problem::new([key, &number.to_string()], format!("[[service]] {name:?}: {what} is empty."))
            };
            texts.map(problem).collect::<Vec<_>>()
        };
        problems.extend(empty("alarms", "a pattern of alarms", self.alarms.iter().map(String::as_str).collect()));
        problems.extend(empty("log_groups", "a log group", self.log_groups.iter().map(LogGroup::as_str).collect()));
        problems.extend(self.metrics.iter().flat_map(|(role, metric)| metric.problems(role.word())));
        let links = self.links.iter().zip(0..).filter(|(link, _)| !sense::is_address(link));
        problems.extend(links.map(|(link, number): (&String, usize)| {
            Problem::new(["links", &number.to_string()], format!("the link {link:?} is no address of a page."))
                .hint("Write it whole, from https:// on.")
        }));
        if let Some(workload) = &self.workload {
            let parts = [("namespace", workload.namespace.as_str()), ("name", &workload.name)];
            let wrong = parts.into_iter().filter_map(|(key, text)| Some((key, sense::no_name(text)?)));
            problems.extend(wrong.map(|(key, what)| Problem::new(["workload", key], what)));
        }
        problems
    }
}

impl MetricTable {
    fn problems(&self, role: &str) -> Vec<Problem> {
        let texts = [("namespace", &self.namespace), ("name", &self.name)];
        let empty = texts
            .into_iter()
            .filter(|(_, text)| text.trim().is_empty())
            .map(|(key, _)| Problem::new(["metrics", role, key], format!("the {key} of the metric {role} is empty.")));
        let account = self.account.as_ref().and_then(|account| sense::no_account(account.as_str()));
        empty.chain(account.map(|what| Problem::new(["metrics", role, "account"], what))).collect()
    }
}

/// Services of one name, of which none could be told from the other.
pub(super) fn named_twice(tables: &[ServiceTable]) -> Vec<Problem> {
    let earlier = |at: usize| tables[..at].iter().any(|table| table.name == tables[at].name);
    let problem = |at: usize| {
        let what = format!("two [[service]] tables are named {:?}.", tables[at].name.as_str());
        Problem::new(["service", &at.to_string(), "name"], what).hint("Give each service a name of its own.")
    };
    (0..tables.len()).filter(|at| earlier(*at)).map(problem).collect()
}

impl From<ServiceTable> for ConfiguredService {
    fn from(table: ServiceTable) -> Self {
        let query = |(role, metric): (MetricRole, MetricTable)| {
            let id = MetricId {
                namespace: metric.namespace,
                name: metric.name,
                dimensions: metric.dimensions,
                account: metric.account,
            };
            (role, MetricQuery { role, metric: id, statistic: metric.statistic, period_s: metric.period_s })
        };
        let service = Service {
            name: table.name,
            workload: table.workload,
            log_groups: table.log_groups,
            metrics: table.metrics.into_iter().map(query).collect(),
            helm_release: table.helm_release,
            links: table.links,
            origin: Origin::Configured,
        };
        Self { service, alarms: table.alarms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_letters() {
        for (pattern, name, expected) in [
            ("my-api-*", "my-api-cpu-high", true),
            ("my-api-*", "my-apis", false),
            ("*-cpu-*", "my-api-cpu-high", true),
            ("*cpu", "my-api-cpu-high", false),
            ("*", "", true),
            ("a*a", "a", false),
            ("exact", "exact", true),
            ("exact", "exactly", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    fn services(tables: &[&str]) -> Vec<ConfiguredService> {
        tables.iter().map(|text| ConfiguredService::from(toml::from_str::<ServiceTable>(text).unwrap())).collect()
    }

    fn claims(tables: &[&str], alarm: &str) -> String {
        claimant(&services(tables), &AlarmName::from(alarm)).map(|service| service.name.to_string()).unwrap_or_default()
    }

    #[test]
    fn without_patterns_the_name_decides() {
        for (alarm, expected) in [("my-api-cpu", true), ("my-api", true), ("my-apis-cpu", false), ("orders", false)] {
            assert_eq!(claims(&["name = \"my-api\""], alarm) == "my-api", expected, "{alarm}");
        }
    }

    #[test]
    fn the_closest_claim_holds_in_whichever_order_they_are_written() {
        let api = "name = \"my-api\"";
        let worker = "name = \"my-api-worker\"";
        let by_pattern = "name = \"jobs\"\nalarms = [\"my-api-worker-*\"]";
        let wide = "name = \"rest\"\nalarms = [\"*\", \"my-*\"]";
        for (one, other, alarm, expected) in [
            (api, worker, "my-api-worker-cpu-high", "my-api-worker"),
            (api, worker, "my-api-cpu-high", "my-api"),
            (api, by_pattern, "my-api-worker-cpu-high", "jobs"),
            (api, by_pattern, "my-api-worker", "my-api"),
            (worker, wide, "my-api-worker-cpu-high", "my-api-worker"),
            (worker, wide, "orders-cpu", "rest"),
            (api, "name = \"own\"\nalarms = [\"my-api*\"]", "my-api-cpu", "own"),
        ] {
            assert_eq!(claims(&[one, other], alarm), expected, "{alarm}: {one}, {other}");
            assert_eq!(claims(&[other, one], alarm), expected, "{alarm}: {other}, {one}");
        }
        let twins = ["name = \"a\"\nalarms = [\"x-*\"]", "name = \"b\"\nalarms = [\"x-*\"]"];
        assert_eq!(claims(&twins, "x-cpu"), "a", "of equal claims the first");
    }

    #[test]
    fn statistics_are_read_in_the_spelling_of_cloudwatch_and_of_scenarios() {
        for (word, expected) in [
            ("Average", Some(Statistic::Average)),
            ("sample-count", Some(Statistic::SampleCount)),
            ("p99", Some(Statistic::Percentile(990))),
            ("p99.9", Some(Statistic::Percentile(999))),
            ("p0", None),
            ("p100", None),
            ("p9.95", None),
            ("median", None),
            ("", None),
        ] {
            assert_eq!(read_statistic(word), expected, "{word}");
        }
    }
}
