//! Where a run takes place: the real endpoints, or a rehearsal's.

use std::sync::Arc;

use crate::adapters::slack::Webhook;
use crate::config::Config;
use crate::domain::diagnosis::sufficiency::RemedyKind;
use crate::domain::drill::{ArrangedFault, DrillChange};
use crate::domain::fault::Fault;
use crate::domain::observation::scope::Scope;
use crate::domain::remediation::policy::{Confirm, LiveRule, Policy};
use crate::rehearsal::Rehearsal;
use crate::rehearsal::clock::Speed;
use crate::rehearsal::faults::FaultPlan;
use crate::runtime::access;
use crate::runtime::clock::Clock;
use crate::runtime::outside::{AwsAccess, Outside};
use crate::session::event::SessionEvent;
use crate::session::header::Origin;

/// What differs between a real run and a rehearsal.
pub(super) struct World {
    pub(super) clock: Clock,
    pub(super) outside: Outside,
    pub(super) origin: Origin,
    pub(super) policy: Policy,
    pub(super) scope: Scope,
    pub(super) services: Vec<crate::config::ConfiguredService>,
    /// What a game day may make fail; the real world has no such thing.
    pub(super) game_day: Option<Arc<FaultPlan>>,
    /// The faults that were asked for before the start, as they are told.
    pub(super) arranged: Vec<SessionEvent>,
}

/// The endpoints of the configuration.
pub(super) fn real_world(config: &Config) -> Result<World, Fault> {
    crate::adapters::install_tls_provider();
    let scope = Scope { region: config.aws.region.clone().unwrap_or_default(), ..Scope::default() };
    let mut outside =
        Outside::new(AwsAccess::Real(Box::new(access::aws(config))), access::cluster(config), scope.clone());
    outside.cluster_times = access::cluster_times(config);
    outside.slack = config
        .slack
        .as_ref()
        .map(|address| Webhook::new(address.reveal()))
        .transpose()
        .map_err(|error| error.fault())?;
    outside.log_groups.clone_from(&config.log_groups);
    outside.logs = config.logs;
    outside.poll = config.poll;
    if let Some(model) = &config.model {
        outside.model_times = access::model_times(model);
        outside.max_tokens = model.max_tokens;
    }
    outside.environments.clone_from(&config.environments);
    for namespace in &config.cluster.namespaces {
        outside.watch_namespace(namespace);
    }
    Ok(World {
        clock: Clock::wall(),
        outside,
        origin: Origin::Real,
        policy: config.policy.clone(),
        scope,
        services: config.services.clone(),
        game_day: None,
        arranged: Vec::new(),
    })
}

/// The endpoints of a rehearsal, and none else.
pub(super) fn rehearsed_world(
    config: &Config,
    rehearsal: &Rehearsal,
    (rate, seed): (Speed, u64),
    faults: &[ArrangedFault],
) -> Result<World, Fault> {
    crate::adapters::install_tls_provider();
    let scenario = &rehearsal.scenario;
    let place = &scenario.scope;
    let mut outside = Outside::of_rehearsal(rehearsal)?;
    outside.logs = config.logs;
    // The simulated place, and nothing else, may be changed by a live rehearsal.
    let policy = Policy {
        live: vec![LiveRule {
            account: place.account.to_string(),
            cluster: place.cluster.to_string(),
            namespaces: vec![place.namespace.to_string()],
            actions: RemedyKind::ALL.to_vec(),
            confirm: Confirm::Typed,
        }],
        ..config.policy.clone()
    };
    let word = match rate {
        Speed::Max => "max".to_owned(),
        Speed::Times(factor) => format!("{factor}"),
    };
    Ok(World {
        clock: Clock::simulated(Arc::clone(&rehearsal.clock)),
        outside,
        origin: Origin::Rehearsal { scenario: scenario.name.clone(), seed, speed: word },
        policy,
        scope: scenario.scope(),
        services: scenario.services.iter().map(configured).collect(),
        game_day: Some(Arc::clone(&rehearsal.faults)),
        arranged: faults.iter().map(|fault| arrange(rehearsal, fault)).collect(),
    })
}

/// Lets a fault strike that was asked for before the start.
fn arrange(rehearsal: &Rehearsal, fault: &ArrangedFault) -> SessionEvent {
    let start = rehearsal.scenario.start;
    let change = DrillChange::Injected { fault: fault.at(start) };
    rehearsal.faults.change(&change, start);
    SessionEvent::GameDay { text: fault.text(), change: Some(change) }
}

fn configured(spec: &crate::rehearsal::scenario::ServiceSpec) -> crate::config::ConfiguredService {
    use crate::domain::observation::metric::MetricQuery;
    use crate::domain::observation::service::{Origin, Service};
    let metrics = spec.metrics.iter().map(|(role, metric)| {
        let (statistic, period_s) = (metric.statistic, metric.period_s);
        (*role, MetricQuery { role: *role, metric: metric.named(), statistic, period_s })
    });
    crate::config::ConfiguredService {
        service: Service {
            name: spec.name.clone(),
            workload: spec.workload.clone(),
            log_groups: spec.log_groups.clone(),
            metrics: metrics.collect(),
            helm_release: spec.helm_release.clone(),
            links: spec.links.clone(),
            origin: Origin::Configured,
        },
        alarms: Vec::new(),
    }
}
