//! The names of the rehearsal's endpoints, and what a name server says of them: loopback, or nothing while a fault holds.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use bytes::Bytes;

use super::clock::SimClock;
use super::faults::FaultPlan;
use super::ledger::{Api, Arrival, DryRun, Ledger, Mutates};

/// Each API by its name. Names below `localhost` never leave a machine (RFC 6761, section 6.3).
const HOSTS: [(Api, &str); 7] = [
    (Api::CloudWatch, "monitoring.localhost"),
    (Api::Logs, "logs.localhost"),
    (Api::Bedrock, "bedrock-runtime.localhost"),
    (Api::Sts, "sts.localhost"),
    (Api::Kubernetes, "kubernetes.localhost"),
    (Api::Slack, "hooks.slack.localhost"),
    (Api::Charts, "charts.localhost"),
];

/// The name of an API's endpoint.
pub fn host(api: Api) -> &'static str {
    HOSTS.iter().find(|row| row.0 == api).map_or("localhost", |row| row.1)
}

/// The name server of a rehearsal.
#[derive(Clone, Debug)]
pub struct NameServer {
    clock: Arc<SimClock>,
    faults: Arc<FaultPlan>,
    ledger: Ledger,
}

impl NameServer {
    /// The name server of a rehearsal's parts.
    pub(super) fn new(clock: Arc<SimClock>, faults: Arc<FaultPlan>, ledger: Ledger) -> Self {
        Self { clock, faults, ledger }
    }

    /// Looks a name up. One that fails is in the ledger: it is all that such a call ever reaches.
    ///
    /// # Errors
    /// What a resolver says when there is no such name, or no answer.
    pub fn look_up(&self, name: &str) -> io::Result<IpAddr> {
        let unknown = |why: &str| io::Error::other(format!("failed to lookup address information: {why}"));
        let name = name.trim_end_matches('.');
        let Some((api, _)) = HOSTS.iter().find(|row| row.1 == name) else {
            return Err(unknown("Name or service not known"));
        };
        let now = self.clock.now();
        if !self.faults.hides(*api, now) {
            return Ok(IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
        let seq = self.ledger.arrived(Arrival {
            at: now,
            api: *api,
            operation: "lookup".to_owned(),
            verb: "DNS".to_owned(),
            path: name.to_owned(),
            dry_run: DryRun::No,
            mutating: Mutates::Reads,
            body: Bytes::new(),
        });
        self.ledger.met(seq, "unresolved");
        Err(unknown("Temporary failure in name resolution"))
    }
}
