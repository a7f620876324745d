//! AWS: who we are, and one small call for each permission.

use std::num::NonZeroU32;

use tokio::sync::mpsc;

use super::Check;
use crate::adapters::aws::alarms::{self, history};
use crate::adapters::aws::bedrock::converse_stream;
use crate::adapters::aws::clients::Clients;
use crate::adapters::aws::live_tail::{TailTimeouts, live_tail};
use crate::adapters::aws::logs::{GroupSearch, LogQuery, ReadLimits, find_groups, read_window};
use crate::adapters::aws::metrics::{MetricSearch, fetch, find};
use crate::config::{Config, LargeWindows, LogTail, Model};
use crate::domain::count::counted;
use crate::domain::diagnosis::conversation::{Message, ModelId, ModelRequest};
use crate::domain::diagnosis::inference_profile::usual_model;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::log::LogGroup;
use crate::domain::observation::metric::{MetricId, MetricQuery, MetricRole, Statistic};
use crate::domain::observation::scope::Window;
use crate::domain::observation::skew::ClockSkew;
use crate::runtime::access;
use crate::runtime::clock::wall_now;

/// The checks that need credentials.
const AFTER_IDENTITY: [&str; 7] =
    ["alarms", "alarm history", "metrics", "metric search", "logs", "large log windows", "model"];

pub(super) async fn examine(config: &Config) -> Vec<Check> {
    let clients = match Clients::connect(&access::aws(config)).await {
        Ok(clients) => clients,
        Err(error) => return without("aws", error.fault()),
    };
    let identity = clients.identity().await;
    // A refusal tells the time as well, and may be for it.
    let clock = clock(clients.clock().skew());
    let identity = match identity {
        Ok(identity) => identity,
        Err(error) => return [clock].into_iter().chain(without("aws identity", error.fault())).collect(),
    };
    let expiry = match clients.credentials_expiry().await {
        Ok(Some(at)) => format!("until {at}"),
        Ok(None) => "no expiry told".to_owned(),
        Err(error) => return without("aws identity", error.fault()),
    };
    let who = format!("{} in {}, {expiry}", identity.arn, clients.region());
    let mut checks = vec![clock, Check::fine("aws identity", who)];
    checks.push(Check::of("alarms", list_alarms(&clients).await));
    checks.push(Check::of("alarm history", read_history(&clients).await));
    checks.push(Check::of("metrics", read_metric(&clients).await));
    checks.push(Check::of("metric search", search_metrics(&clients).await));
    checks.extend(read_logs(config, &clients).await);
    checks.push(large_windows(config));
    checks.push(match &config.model {
        Some(model) => Check::of("model", ask(&clients, model).await),
        None => Check::not_asked("model", "it is off: the rules stand alone"),
    });
    checks
}

/// The clock of this machine beside that of AWS, by the first answer.
fn clock(skew: Option<ClockSkew>) -> Check {
    match skew {
        None => Check::not_asked("clock", "AWS did not say what time it is"),
        Some(ClockSkew::NONE) => Check::fine("clock", "within half a minute of AWS"),
        Some(off) => Check::missing(
            "clock",
            Fault::new(FaultKind::Rejected, format!("The clock of this machine is {off}."))
                .cause("What AWS keeps is asked for by its own clock meanwhile; every other time on the screen is off.")
                .hint(format!("Set it: {}.", ClockSkew::REMEDY)),
        ),
    }
}

fn without(name: &str, fault: Fault) -> Vec<Check> {
    let rest = AFTER_IDENTITY.into_iter().map(|name| Check::not_asked(name, "AWS could not be asked"));
    std::iter::once(Check::missing(name, fault)).chain(rest).collect()
}

async fn list_alarms(clients: &Clients) -> Result<String, Fault> {
    let listing = alarms::describe_all(clients).await.map_err(|error| error.fault())?;
    Ok(counted(listing.alarms.len(), "alarm"))
}

/// Whether the name is that of an alarm does not matter: who may not ask is refused all the same.
async fn read_history(clients: &Clients) -> Result<String, Fault> {
    history::describe(clients, &"pagerdeck-doctor".into(), 1).await.map_err(|error| error.fault())?;
    Ok("DescribeAlarmHistory answers".to_owned())
}

/// A query is charged by what it scans, so that none is tried.
fn large_windows(config: &Config) -> Check {
    let why = match config.logs.large_windows {
        LargeWindows::Insights => {
            "a Logs Insights query is charged, so none is tried; it needs logs:StartQuery, GetQueryResults, StopQuery"
        }
        LargeWindows::Truncated => "they are counted in part (`log.large_windows`)",
    };
    Check::not_asked("large log windows", why)
}

/// One metric that every account may be asked for; whether it has points does not matter.
async fn read_metric(clients: &Clients) -> Result<String, Fault> {
    let metric = MetricId { namespace: "AWS/Usage".to_owned(), name: "CallCount".to_owned(), ..MetricId::default() };
    let query = MetricQuery { role: MetricRole::Requests, metric, statistic: Statistic::Sum, period_s: 60 };
    fetch(clients, &[query], Window::minutes_before(wall_now(), 5)).await.map_err(|error| error.fault())?;
    Ok("GetMetricData answers".to_owned())
}

async fn search_metrics(clients: &Clients) -> Result<String, Fault> {
    let search = MetricSearch { namespace: Some("ContainerInsights".to_owned()), ..MetricSearch::default() };
    let found = find(clients, &search, 1).await.map_err(|error| error.fault())?;
    Ok(if found.metrics.is_empty() { "no Container Insights metrics here" } else { "Container Insights is there" }
        .to_owned())
}

/// Every configured group is read by one event; without any, one that exists.
async fn read_logs(config: &Config, clients: &Clients) -> Vec<Check> {
    let of_services = config.services.iter().flat_map(|configured| &configured.service.log_groups);
    let mut groups: Vec<LogGroup> = config.log_groups.iter().chain(of_services).cloned().collect();
    groups.sort();
    groups.dedup();
    if groups.is_empty() {
        match find_groups(clients, &GroupSearch::Prefix("/".to_owned()), 1).await {
            Ok(found) => groups = found.groups,
            Err(error) => return vec![Check::missing("logs", error.fault())],
        }
    }
    if groups.is_empty() {
        return vec![Check::not_asked("logs", "there is no log group to read")];
    }
    let mut checks = Vec::new();
    for group in &groups {
        checks.push(Check::of(format!("logs {group}"), read_one(clients, group).await));
    }
    if let (LogTail::Live, Some(group)) = (config.logs.tail, groups.first()) {
        checks.push(Check::of("live tail", tail_one(clients, group).await));
    }
    checks
}

/// A session until its first event: less than a minute is charged as one.
async fn tail_one(clients: &Clients, group: &LogGroup) -> Result<String, Fault> {
    let (updates, mut told) = mpsc::channel(4);
    tokio::select! {
        ended = live_tail(clients, group, TailTimeouts::default(), &updates) => {
            ended.map_err(|error| error.fault())?;
            Ok("a session opens and ends at once".to_owned())
        }
        _ = told.recv() => Ok(format!("a session of {group} opens")),
    }
}

async fn read_one(clients: &Clients, group: &LogGroup) -> Result<String, Fault> {
    let limits = ReadLimits { events: 1, pages: NonZeroU32::MIN, page_size: NonZeroU32::MIN, ..ReadLimits::default() };
    let query = LogQuery { limits, ..LogQuery::all(group.clone(), Window::minutes_before(wall_now(), 60)) };
    let (pages, mut read) = mpsc::channel(4);
    let (summary, ()) = futures::join!(read_window(clients, &query, &pages), async {
        // One page is all there can be; the receiver only has to be there for it.
        drop(read.recv().await);
    });
    let summary = summary.map_err(|error| error.fault())?;
    Ok(if summary.events == 0 { "readable; nothing in the last hour" } else { "readable" }.to_owned())
}

/// The shortest question there is: access, region and inference profile all show in whether the stream opens.
async fn ask(clients: &Clients, model: &Model) -> Result<String, Fault> {
    let id = model.id.clone().unwrap_or_else(|| usual_model(clients.model_region()));
    let request = ModelRequest {
        model: ModelId::new(id.clone()),
        system: "Answer with one word.".to_owned(),
        messages: vec![Message::user("Are you there?")],
        tools: Vec::new(),
        max_tokens: 1,
    };
    let times = access::model_times(model);
    let (chunks, mut heard) = mpsc::channel(16);
    let (ended, ()) = futures::join!(
        // The sender goes with this block, which ends the hearing.
        async move { converse_stream(clients, &request, times, &chunks).await },
        async { while heard.recv().await.is_some() {} }
    );
    ended.map_err(|error| error.fault())?;
    Ok(format!("{id} answers in {}", clients.model_region()))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::runtime::doctor::Outcome;

    #[test]
    fn a_clock_that_is_off_is_missed_with_the_command_that_sets_it() {
        assert!(matches!(clock(None).outcome, Outcome::NotAsked { .. }));
        assert!(matches!(clock(Some(ClockSkew::NONE)).outcome, Outcome::Fine { .. }));
        let Outcome::Missing { fault } =
            clock(Some(ClockSkew::NONE.remeasured(SignedDuration::from_secs(-250)))).outcome
        else {
            panic!("it is off");
        };
        assert_eq!(fault.summary, "The clock of this machine is 4 min 10 s behind AWS.");
        assert!(fault.hints[0].contains("chronyc makestep"), "{:?}", fault.hints);
    }
}
