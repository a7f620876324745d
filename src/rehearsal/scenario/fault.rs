//! Faults on the wire: which requests, in which window of incident time, and what they meet.

use jiff::SignedDuration;
use serde::Deserialize;

use crate::rehearsal::ledger::Api;

/// A fault.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultSpec {
    /// Which API.
    pub service: ServiceWord,
    /// Which operation, such as `FilterLogEvents`; for Kubernetes the verb, such as `list`. Any where left out.
    #[serde(default)]
    pub operation: Option<String>,
    /// Which resource, for Kubernetes, such as `pods`. Any where left out.
    #[serde(default)]
    pub resource: Option<String>,
    /// Since when, from start.
    #[serde(default)]
    pub from: Option<SignedDuration>,
    /// Until when, from start.
    #[serde(default)]
    pub until: Option<SignedDuration>,
    /// Only the first so many requests that it meets.
    #[serde(default)]
    pub times: Option<u64>,
    /// What happens.
    pub effect: FaultEffect,
}

/// The APIs by the words of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceWord {
    /// CloudWatch alarms and metrics.
    Cloudwatch,
    /// CloudWatch Logs.
    Logs,
    /// Bedrock runtime.
    Bedrock,
    /// STS.
    Sts,
    /// Kubernetes.
    Kubernetes,
    /// Slack.
    Slack,
}

impl ServiceWord {
    /// The API it names.
    pub fn api(self) -> Api {
        match self {
            Self::Cloudwatch => Api::CloudWatch,
            Self::Logs => Api::Logs,
            Self::Bedrock => Api::Bedrock,
            Self::Sts => Api::Sts,
            Self::Kubernetes => Api::Kubernetes,
            Self::Slack => Api::Slack,
        }
    }
}

/// What a request meets.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum FaultEffect {
    /// A late answer, by incident time.
    Latency {
        /// How late.
        delay: SignedDuration,
    },
    /// The service's own throttling error (429 for Kubernetes and Slack).
    Throttled,
    /// Access denied, in the service's words.
    Denied,
    /// The credentials have expired.
    Expired,
    /// The service fails on its side.
    Unavailable,
    /// The connection closes after so many bytes of the body.
    Cut {
        /// Bytes sent before.
        #[serde(default)]
        after_bytes: usize,
    },
    /// The connection is accepted and nothing is ever said.
    Silence,
    /// A well-formed answer with nothing in it.
    Empty,
    /// A watch is told that its resource version is too old (410).
    Gone,
}
