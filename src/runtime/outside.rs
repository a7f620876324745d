//! The outside as the session reaches it: clients, built when first needed, never before the first frame.

use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OnceCell, watch};

use crate::adapters::aws::bedrock::StreamTimeouts;
use crate::adapters::aws::clients::{CallTimeouts, ClientOptions, Clients, Hosts};
use crate::adapters::kubernetes::connect::{Source, connect};
use crate::adapters::kubernetes::{Client, KubeError, Timeouts};
use crate::adapters::names::Names;
use crate::adapters::slack::{POST_TIMEOUT, Webhook};
use crate::config::{Environments, LogReading, MAX_TOKENS, Poll};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::scope::{Namespace, Scope};
use crate::domain::observation::skew::ClockSkew;
use crate::rehearsal::Rehearsal;
use crate::rehearsal::ledger::Api;
use crate::rehearsal::names::host;

/// How AWS is reached.
#[derive(Clone, Debug)]
pub enum AwsAccess {
    /// By the SDK's own chain, with these settings.
    Real(Box<ClientOptions>),
    /// The simulator, and nothing but loopback.
    Rehearsal {
        /// Its address.
        endpoint: String,
        /// Answers the names of its services.
        names: Names,
    },
}

/// How the cluster is reached.
#[derive(Clone, Debug)]
pub enum ClusterAccess {
    /// Not at all, and why.
    Off {
        /// One sentence.
        why: String,
    },
    /// By one of the adapter's sources.
    By(Source),
}

/// Everything outside, behind clients that are built on first use.
pub struct Outside {
    aws_access: AwsAccess,
    cluster_access: ClusterAccess,
    /// Where reports go.
    pub slack: Option<Webhook>,
    /// Namespaces to watch; grows with the incidents.
    pub namespaces: watch::Sender<Vec<Namespace>>,
    /// Log groups given on the command line, for every incident.
    pub log_groups: Vec<crate::domain::observation::log::LogGroup>,
    /// How logs are read.
    pub logs: LogReading,
    /// How often the feeds ask.
    pub poll: Poll,
    /// Words for accounts and clusters.
    pub environments: Environments,
    /// How long the model may take.
    pub model_times: StreamTimeouts,
    /// Most tokens of one answer of the model.
    pub max_tokens: u32,
    /// How long the cluster may take.
    pub cluster_times: Timeouts,
    /// Whether the alarms answered when they were last asked.
    pub alarms_answer: AtomicBool,
    clock: Mutex<ClockSkew>,
    scope: Mutex<Scope>,
    aws: OnceCell<Clients>,
    cluster: OnceCell<Client>,
    cluster_known: OnceCell<()>,
}

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outside")
            .field("aws", &self.aws_access)
            .field("cluster", &self.cluster_access)
            .field("slack", &self.slack)
            .field("namespaces", &*self.namespaces.borrow())
            .field("log_groups", &self.log_groups)
            .field("logs", &self.logs)
            .field("poll", &self.poll)
            .field("environments", &self.environments)
            .field("model_times", &self.model_times)
            .field("max_tokens", &self.max_tokens)
            .field("cluster_times", &self.cluster_times)
            .finish_non_exhaustive()
    }
}

impl Outside {
    /// Nothing is connected yet.
    pub fn new(aws_access: AwsAccess, cluster_access: ClusterAccess, scope: Scope) -> Self {
        Self {
            aws_access,
            cluster_access,
            slack: None,
            namespaces: watch::Sender::new(Vec::new()),
            log_groups: Vec::new(),
            logs: LogReading::default(),
            poll: Poll::default(),
            environments: Environments::default(),
            model_times: StreamTimeouts::default(),
            max_tokens: MAX_TOKENS,
            cluster_times: Timeouts::default(),
            alarms_answer: AtomicBool::new(false),
            clock: Mutex::default(),
            scope: Mutex::new(scope),
            aws: OnceCell::new(),
            cluster: OnceCell::new(),
            cluster_known: OnceCell::new(),
        }
    }

    /// The outside of a rehearsal: the simulator's endpoints by their names, and nothing but loopback.
    pub fn of_rehearsal(rehearsal: &Rehearsal) -> Result<Self, Fault> {
        let (place, server) = (&rehearsal.scenario.scope, rehearsal.names.clone());
        let names = Names::new(move |name| server.look_up(name));
        let source = Source::Rehearsal {
            url: rehearsal.endpoints.kubernetes.clone(),
            cluster: place.cluster.clone(),
            context: place.context.clone(),
            names: Some((host(Api::Kubernetes), names.clone())),
        };
        let access = AwsAccess::Rehearsal { endpoint: rehearsal.endpoints.aws.clone(), names: names.clone() };
        let mut outside = Self::new(access, ClusterAccess::By(source), rehearsal.scenario.scope());
        let webhook = Webhook::named(&rehearsal.endpoints.slack, POST_TIMEOUT, (host(Api::Slack), names));
        outside.slack = Some(webhook.map_err(|error| error.fault())?);
        outside.watch_namespace(&place.namespace);
        Ok(outside)
    }

    /// The AWS clients. A failure is not remembered: the person may log in beside.
    pub async fn aws(&self) -> Result<&Clients, Fault> {
        self.aws
            .get_or_try_init(|| async {
                match &self.aws_access {
                    AwsAccess::Real(options) => Clients::connect(options).await.map_err(|error| error.fault()),
                    AwsAccess::Rehearsal { endpoint, names } => {
                        let region = self.scope().region;
                        let times = CallTimeouts::default();
                        Clients::named(endpoint, rehearsed_hosts(), (&region, times), names.clone())
                            .map_err(|error| error.fault())
                    }
                }
            })
            .await
    }

    /// The Kubernetes client, likewise.
    pub async fn cluster(&self) -> Result<&Client, Fault> {
        self.cluster
            .get_or_try_init(|| async {
                match &self.cluster_access {
                    ClusterAccess::Off { why } => Err(Fault::new(FaultKind::NotConfigured, why.clone())),
                    ClusterAccess::By(source) => {
                        let connection = connect(source.clone(), self.cluster_times).await?;
                        // Where nobody named a namespace, the context does; `doctor` examines the same.
                        if self.namespaces.borrow().is_empty() {
                            self.watch_namespace(&connection.identity.namespace);
                        }
                        let mut scope = self.scope.lock().unwrap_or_else(PoisonError::into_inner);
                        scope.cluster = Some(connection.identity.cluster);
                        scope.cluster_home = connection.identity.home;
                        scope.context = Some(connection.identity.context);
                        // The address of a simulator is made by chance.
                        let is_simulated = matches!(source, Source::Rehearsal { .. });
                        scope.server = Some(connection.identity.server).filter(|_| !is_simulated);
                        Ok(connection.client)
                    }
                }
            })
            .await
    }

    /// Learns who the API server takes us for, and what tells this cluster from every other. What it refuses to say is not
    /// asked again.
    pub async fn learn_cluster(&self) -> Result<(), Fault> {
        let known = self.cluster_known.get_or_try_init(|| async {
            let client = self.cluster().await?;
            let (user, uid) = tokio::join!(client.whoami(), client.cluster_uid());
            let (user, uid) = (told(user)?, told(uid)?);
            let mut scope = self.scope.lock().unwrap_or_else(PoisonError::into_inner);
            (scope.cluster_user, scope.cluster_uid) = (user, uid);
            Ok(())
        });
        known.await.copied()
    }

    /// Gives what must still be said to AWS a moment.
    pub async fn say_farewell(&self) {
        if let Some(clients) = self.aws.get() {
            // What takes longer is given up: the person wants the terminal back.
            let _ = tokio::time::timeout(FAREWELL, clients.farewells().over()).await;
        }
    }

    /// Whether there is a cluster to ask at all.
    pub fn has_cluster(&self) -> bool {
        matches!(self.cluster_access, ClusterAccess::By(_))
    }

    /// Watches a namespace from now on, if it is not watched yet.
    pub fn watch_namespace(&self, namespace: &Namespace) {
        self.namespaces.send_if_modified(|known| {
            let new = !known.contains(namespace);
            if new {
                known.push(namespace.clone());
            }
            new
        });
    }

    /// The scope as known so far.
    pub fn scope(&self) -> Scope {
        self.scope.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How far the clock of this machine is off, as far as the session was told.
    pub fn clock(&self) -> ClockSkew {
        *self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes how far it is off by the answers of AWS; whether that is another than before.
    pub fn learn_clock(&self, skew: ClockSkew) -> bool {
        let mut clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *clock, skew) != skew
    }

    /// Notes who AWS says we are.
    pub fn learn_identity(&self, account: crate::domain::observation::scope::AccountId, arn: String) -> Scope {
        let mut scope = self.scope.lock().unwrap_or_else(PoisonError::into_inner);
        scope.account = Some(account);
        scope.identity = Some(arn);
        scope.clone()
    }

    /// Notes the region the clients settled on.
    pub fn learn_region(&self, region: crate::domain::observation::scope::Region) -> Scope {
        let mut scope = self.scope.lock().unwrap_or_else(PoisonError::into_inner);
        scope.region = region;
        scope.clone()
    }
}

/// What an API server says, where it may say it.
fn told(answer: Result<String, KubeError>) -> Result<Option<String>, Fault> {
    match answer.map_err(|error| error.fault()) {
        Ok(text) => Ok(Some(text).filter(|text| !text.is_empty())),
        Err(fault) if matches!(fault.kind, FaultKind::Denied | FaultKind::NotFound) => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// How long the end of a session waits for queries to be stopped.
const FAREWELL: Duration = Duration::from_secs(1);

/// The names of a rehearsal's services.
fn rehearsed_hosts() -> Hosts {
    Hosts { cloudwatch: host(Api::CloudWatch), logs: host(Api::Logs), bedrock: host(Api::Bedrock), sts: host(Api::Sts) }
}

/// How long somebody waits for a side answer (a listing that only helps to infer) before going on without it.
pub const PATIENCE: Duration = Duration::from_secs(3);
