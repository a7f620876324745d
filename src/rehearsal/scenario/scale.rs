//! `[scale]`: fills a world up to the size that is asked for, so that a crowd need not be written down.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Scenario, bounds};

/// How large a world is to be; what is left out stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScaleSpec {
    /// Pods in the watched namespace.
    pub pods: u32,
    /// Alarms.
    pub alarms: u32,
    /// Log lines a second of the first service, from start on.
    pub lines_per_second: u32,
    /// Log events of the first service in the half hour before start.
    pub log_events: u32,
}

/// Pods of a workload that fills up.
const PODS_EACH: u32 = 25;
/// Pods that a node takes.
const PODS_A_NODE: u32 = 58;
/// Minutes of the window.
const WINDOW_MIN: f64 = 30.0;

impl ScaleSpec {
    /// Fills a scenario up.
    ///
    /// # Errors
    /// One sentence, where a scenario has nothing to fill up.
    pub(super) fn fill(self, scenario: &mut Scenario) -> Result<(), String> {
        for (word, asked, most) in [
            ("pods", self.pods, bounds::MANY),
            ("alarms", self.alarms, bounds::MANY),
            ("lines_per_second", self.lines_per_second, bounds::LINES_PER_SECOND),
            ("log_events", self.log_events, bounds::LOG_EVENTS),
        ] {
            if asked > most {
                return Err(format!("[scale] takes {most} for {word} at most, not {asked}."));
            }
        }
        let present: u32 = scenario.workloads.iter().map(|workload| workload.replicas).sum();
        let missing = self.pods.saturating_sub(present);
        for index in 0..missing.div_ceil(PODS_EACH) {
            let replicas = PODS_EACH.min(missing - index * PODS_EACH);
            let (namespace, at) = (&scenario.scope.namespace, scenario.dawn());
            let workload = read(&format!(
                "namespace = \"{namespace}\"\nname = \"crowd-{index:03}\"\nreplicas = {replicas}\n\
                 [[container]]\nname = \"app\"\nimage = \"registry.example.com/crowd-{index:03}:1.0\"\n\
                 memory_limit = \"128Mi\"\nmemory_request = \"64Mi\"\ncpu_request = \"20m\"\n\
                 [[revision]]\nnumber = 1\nat = \"{at}\"\n"
            ))?;
            scenario.workloads.push(workload);
        }
        for index in 0..missing.div_ceil(PODS_A_NODE) {
            let (high, low) = (1 + index / 250, index % 250);
            let name = format!("ip-10-{high}-{low}-10.ec2.internal");
            scenario.nodes.push(read(&format!("name = \"{name}\"\nmemory = \"15Gi\"\ncpu = \"7910m\"\n"))?);
        }
        let metric = scenario.metrics.first().map(|metric| metric.id.clone());
        for index in 0..self.alarms.saturating_sub(scenario.alarms.len() as u32) {
            let metric = metric.as_ref().ok_or("[scale] needs a metric for its alarms to watch.")?;
            scenario.alarms.push(read(&format!(
                "name = \"crowd-{index:04}-high\"\ndescription = \"P4: one of many that are well.\"\n\
                 condition = {{ kind = \"fixed\", state = \"ok\", since = \"-{minutes}m\", metric = \"{metric}\", \
                 statistic = \"average\", comparison = \"greater\", threshold = 1e6 }}\n",
                minutes = 60 + index % 90
            ))?);
        }
        if self.lines_per_second > 0 || self.log_events > 0 { self.flood(scenario) } else { Ok(()) }
    }

    /// One generator, whose pace is a metric that steps at start.
    fn flood(self, scenario: &mut Scenario) -> Result<(), String> {
        let service = scenario.services.iter().find(|service| !service.log_groups.is_empty());
        let service = service.ok_or("[scale] needs a service with a log group for its lines.")?;
        let (before, after) = (f64::from(self.log_events) / WINDOW_MIN, f64::from(self.lines_per_second) * 60.0);
        let pace = before.max(after);
        let written_by = service
            .workload
            .as_ref()
            .map_or_else(|| "stream = \"main\"".to_owned(), |workload| format!("workload = \"{}\"", workload.name));
        let log = read(&format!(
            "group = \"{group}\"\n{written_by}\n\
             cadence = {{ kind = \"metric\", metric = \"scale-pace\", low = 0.0, high = {pace:.3}, per_minute = {pace:.3} }}\n\
             templates = [\n\
             \"INFO  [http-nio-{{thread}}] c.e.p.AccessLog - GET /v1/orders/{{order}} 200 {{ms}}ms trace={{trace}}\",\n\
             \"INFO  [http-nio-{{thread}}] c.e.p.AccessLog - POST /v1/payments 201 {{ms}}ms trace={{trace}}\",\n\
             \"DEBUG [http-nio-{{thread}}] c.e.p.SessionCache - session {{trace}} of order {{order}} is warm\",\n]\n\
             [fields]\nthread = {{ kind = \"int\", min = 1, max = 8 }}\norder = {{ kind = \"int\", min = 10000, max = 99999 }}\n\
             ms = {{ kind = \"int\", min = 12, max = 180 }}\ntrace = {{ kind = \"hex\", digits = 12 }}\n",
            group = service.log_groups[0],
        ))?;
        scenario.logs.push(log);
        scenario.metrics.push(read(&format!(
            "id = \"scale-pace\"\nnamespace = \"Rehearsal\"\nname = \"LinesPerMinute\"\nunit = \"count\"\ndecimals = 3\n\
             history = {{ shape = \"constant\", value = {before:.3} }}\n\
             after = {{ follows = \"constant\", value = {after:.3} }}\n"
        ))?);
        Ok(())
    }
}

/// What is made here is written as an author would write it, and read by the same rules.
fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    toml::from_str(text).map_err(|error| format!("[scale] made something that cannot be read: {}", error.message()))
}

#[cfg(test)]
mod tests {
    use super::super::{HistorySpec, load};

    #[test]
    fn a_world_is_filled_up_to_its_size() {
        let scenario = load("assets/scenarios/scale/scenario.toml").unwrap();
        let pods: u32 = scenario.workloads.iter().map(|workload| workload.replicas).sum();
        assert_eq!((pods, scenario.alarms.len()), (5_000, 2_000));
        let pace = scenario.metrics.iter().find(|metric| metric.id == "scale-pace").unwrap();
        assert!(matches!(pace.history, HistorySpec::Constant { value, .. } if (value * 30.0 - 1e6).abs() < 1.0));
    }
}
