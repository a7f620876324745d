//! How the outside is reached, from the configuration: the one place, so that `doctor` examines what a session will use.

use crate::adapters::aws::bedrock::StreamTimeouts;
use crate::adapters::aws::clients::{CallTimeouts, ClientOptions, Endpoints, ModelOptions};
use crate::adapters::kubernetes::Timeouts;
use crate::adapters::kubernetes::connect::{Around, Source};
use crate::config::{ClusterSource, Config, Model, ProfileBy};
use crate::runtime::outside::ClusterAccess;

/// The settings of the AWS clients.
pub fn aws(config: &Config) -> ClientOptions {
    let times = config.aws.timeouts;
    let model = config
        .model
        .as_ref()
        .map(|model| ModelOptions { region: model.region.clone(), connect: Some(model.timeouts.connect) });
    ClientOptions {
        // The SDK reads AWS_PROFILE itself, behind keys in the environment.
        profile: config.aws.profile.clone().filter(|_| config.aws.profile_by == ProfileBy::Choice),
        region: config.aws.region.clone(),
        endpoints: Endpoints { all: config.aws.endpoint.clone(), ..Endpoints::default() },
        ca_bundle: config.aws.ca_bundle.clone(),
        timeouts: CallTimeouts {
            connect: times.connect,
            first_byte: times.answer,
            // A page that is large takes longer than its first byte, and no attempt may end before that is due.
            attempt: CallTimeouts::default().attempt.max(times.answer),
            ..CallTimeouts::default()
        },
        model: model.unwrap_or_default(),
    }
}

/// How long the model may take once it is connected.
pub fn model_times(model: &Model) -> StreamTimeouts {
    StreamTimeouts { first_byte: model.timeouts.answer, idle: model.timeouts.idle }
}

/// Where the cluster is.
pub fn cluster(config: &Config) -> ClusterAccess {
    match &config.cluster.source {
        ClusterSource::Kubeconfig { path, context } => {
            let (kubeconfigs, no_proxy) = (config.cluster.kubeconfigs.clone(), config.cluster.no_proxy.clone());
            let around = Around { kubeconfigs, no_proxy };
            ClusterAccess::By(Source::Kubeconfig { path: path.clone(), context: context.clone(), around })
        }
        ClusterSource::InCluster => ClusterAccess::By(Source::InCluster),
        ClusterSource::Off { why } => ClusterAccess::Off { why: why.clone() },
    }
}

/// How long the cluster may take.
pub fn cluster_times(config: &Config) -> Timeouts {
    let times = config.cluster.timeouts;
    Timeouts { connect: times.connect, answer: times.answer, ..Timeouts::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Flags, World, resolve};

    /// The configuration may not use the adapters, so that both write the figures down; there is one set of them all the same.
    #[test]
    fn what_is_not_configured_is_as_the_adapters_have_it() {
        let home = tempfile::tempdir().unwrap();
        let env = Environment::of([("HOME", home.path().to_str().unwrap())]);
        let config = resolve(&Flags::default(), &env, World::Real).unwrap();
        assert_eq!(aws(&config).timeouts, CallTimeouts::default());
        assert_eq!(config.model.as_ref().map(model_times), Some(StreamTimeouts::default()));
        assert_eq!(cluster_times(&config), Timeouts::default());
    }
}
