//! The loopback servers of a rehearsal: one port for AWS, one for Kubernetes, one for Slack, one
//! for Helm charts, over one world.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::behaviour::Life;
use super::clock::{SimClock, Speed};
use super::cluster::Cluster;
use super::cluster::autoscaler::gauge::Gauge;
use super::cluster::shared::SharedCluster;
use super::cluster::spec::MetricsServer;
use super::faults::FaultPlan;
use super::ledger::Ledger;
use super::names::NameServer;
use super::scenario::Scenario;
use super::wire::bedrock::Recordings;
use super::wire::cloudwatch::Listings;
use super::wire::line::{Line, Lines};
use super::wire::logs::LogSessions;
use super::wire::{aws, charts, kubernetes, slack};
use super::world::{Lives, World};
use crate::domain::fault::{Fault, FaultKind};

/// How a rehearsal is started.
#[derive(Clone, Copy, Debug)]
pub struct StartOptions {
    /// How incident time passes.
    pub speed: Speed,
    /// The seed; the scenario's own where left out.
    pub seed: Option<u64>,
}

/// Where the servers listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// All AWS services.
    pub aws: String,
    /// The Kubernetes API.
    pub kubernetes: String,
    /// The Slack webhook, whole.
    pub slack: String,
    /// The repository of Helm charts.
    pub charts: String,
}

/// What all servers of a rehearsal share.
#[derive(Debug)]
pub struct Cloud {
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// Incident time.
    pub clock: Arc<SimClock>,
    /// Where requests are written down.
    pub ledger: Ledger,
    /// What goes wrong on the wire.
    pub faults: Arc<FaultPlan>,
    /// Telemetry.
    pub world: Arc<World>,
    /// What a real model said once, for scripts that name it.
    pub recordings: Recordings,
    /// The cluster.
    pub cluster: Arc<SharedCluster>,
    /// Listings of alarms as they were written last.
    pub listings: Listings,
    /// What CloudWatch Logs keeps between requests.
    pub log_sessions: LogSessions,
    /// The seed in use.
    pub seed: u64,
    lives: Mutex<Option<(u64, Arc<Lives>)>>,
}

impl Cloud {
    /// The cloud of a scenario at its start, served by nobody yet.
    ///
    /// # Errors
    /// `Usage` or `Storage` for a scenario whose files cannot be read.
    pub fn new(scenario: Scenario, options: StartOptions) -> Result<Arc<Self>, Fault> {
        let seed = options.seed.unwrap_or(scenario.seed);
        let scenario = Arc::new(scenario);
        let world = Arc::new(World::new(Arc::clone(&scenario), seed)?);
        Ok(Arc::new(Self {
            clock: Arc::new(SimClock::new(scenario.start, options.speed)),
            ledger: Ledger::default(),
            faults: Arc::new(FaultPlan::new(&scenario)),
            listings: Listings::default(),
            log_sessions: LogSessions::default(),
            recordings: Recordings::read(&scenario)?,
            cluster: Arc::new(SharedCluster::new(cluster_of(&world, seed))),
            world,
            scenario,
            seed,
            lives: Mutex::default(),
        }))
    }

    /// What time it is, and every life of each workload's first container up to then. Gathered anew only when one began
    /// or ended since.
    pub fn lives(&self) -> (Timestamp, Arc<Lives>) {
        let now = self.clock.now();
        let lives = self.cluster.at(now, |cluster| {
            let mut kept = self.lives.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((turn, lives)) = &*kept
                && *turn == cluster.lives_turn()
            {
                return Arc::clone(lives);
            }
            let lives = Arc::new(lives_of(&self.scenario, cluster));
            *kept = Some((cluster.lives_turn(), Arc::clone(&lives)));
            lives
        });
        (now, lives)
    }
}

/// The cluster of a world's scenario, whose autoscalers go by that world's telemetry.
pub fn cluster_of(world: &Arc<World>, seed: u64) -> Cluster {
    let cluster = Cluster::new(world.scenario(), seed);
    if world.scenario().cluster.metrics_server == MetricsServer::Absent {
        return cluster.unmeasured();
    }
    let world = Arc::clone(world);
    cluster.measured_by(Gauge::new(move |cluster, namespace, workload| {
        let lives = lives_of(world.scenario(), cluster);
        world.at(cluster.now(), &lives).usage(namespace, workload)
    }))
}

/// The lives that telemetry follows: those of the first container of each workload.
pub fn lives_of(scenario: &Scenario, cluster: &Cluster) -> Lives {
    scenario
        .workloads
        .iter()
        .map(|workload| {
            let first = workload.containers.first().map(|container| container.name.as_str());
            let lives = cluster.lives(&workload.target()).iter();
            let own: Vec<Life> = lives.filter(|life| Some(life.container.as_str()) == first).cloned().collect();
            (workload.name.clone(), own)
        })
        .collect()
}

/// A running rehearsal. Dropping it stops it too.
#[derive(Debug)]
pub struct Rehearsal {
    /// Where the servers listen.
    pub endpoints: Endpoints,
    /// Incident time.
    pub clock: Arc<SimClock>,
    /// Every request received.
    pub ledger: Ledger,
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// What goes wrong on the wire: a game day adds to it.
    pub faults: Arc<FaultPlan>,
    /// Answers the names of the endpoints, for clients that ask for them by name.
    pub names: NameServer,
    tasks: Vec<JoinHandle<()>>,
}

impl Rehearsal {
    /// Stops the servers and waits until they are gone; streams under way are cut.
    pub async fn stop(mut self) {
        for task in &self.tasks {
            task.abort();
        }
        for task in self.tasks.drain(..) {
            // A cancelled task answers with an error, which is what was asked for.
            let _ = task.await;
        }
    }
}

impl Drop for Rehearsal {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Starts the servers of a scenario on loopback, each on a free port.
///
/// # Errors
/// `Usage` or `Storage` for a scenario whose files cannot be read; `Unreachable` when no port can be had.
pub async fn start(scenario: Scenario, options: StartOptions) -> Result<Rehearsal, Fault> {
    let cloud = Cloud::new(scenario, options)?;
    let (aws, aws_task) = serve(aws::router(Arc::clone(&cloud))).await?;
    let (cluster, cluster_task) = serve(kubernetes::router(Arc::clone(&cloud))).await?;
    let (slack, slack_task) = serve(slack::router(Arc::clone(&cloud))).await?;
    let (charts, charts_task) = serve(charts::router(Arc::clone(&cloud))).await?;
    let driven = Arc::clone(&cloud.cluster);
    let driving = Arc::clone(&cloud.clock);
    let drive = spawn(async move { driven.drive(&driving).await });
    Ok(Rehearsal {
        endpoints: Endpoints {
            aws: format!("http://{aws}"),
            kubernetes: format!("http://{cluster}"),
            slack: format!("http://{slack}{}", slack::WEBHOOK),
            charts: format!("http://{charts}"),
        },
        names: NameServer::new(Arc::clone(&cloud.clock), Arc::clone(&cloud.faults), cloud.ledger.clone()),
        clock: Arc::clone(&cloud.clock),
        ledger: cloud.ledger.clone(),
        scenario: Arc::clone(&cloud.scenario),
        faults: Arc::clone(&cloud.faults),
        tasks: vec![aws_task, cluster_task, slack_task, charts_task, drive],
    })
}

async fn serve(router: Router) -> Result<(SocketAddr, JoinHandle<()>), Fault> {
    let unbound = |error: std::io::Error| {
        Fault::new(FaultKind::Unreachable, "The rehearsal could not listen on 127.0.0.1.").cause(error.to_string())
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(unbound)?;
    let address = listener.local_addr().map_err(unbound)?;
    let task = spawn(async move {
        // Serving ends only with the task; an error here would be one of accept, which axum retries itself.
        let service = router.into_make_service_with_connect_info::<Line>();
        let _ = axum::serve(Lines(listener), service).await;
    });
    Ok((address, task))
}

#[expect(clippy::disallowed_methods, reason = "the rehearsal owns its server tasks and joins them in `stop`")]
fn spawn(work: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(work)
}
