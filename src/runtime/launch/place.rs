//! Where a session goes on: at the place it was, as far as nobody says otherwise, and at no other.

use std::time::Duration;

use crate::config::{ClusterSource, Config};
use crate::domain::observation::scope::Scope;
use crate::runtime::outside::Outside;

/// Looked for so long before the session goes on. Where nobody answers, what is learned later is held against the session's.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks for the region and the context that a session had, where the command line and the configuration name none: the
/// kubeconfig's current one may have become another since.
pub(super) fn as_it_was(config: &mut Config, scope: &Scope) {
    if let ClusterSource::Kubeconfig { context: context @ None, .. } = &mut config.cluster.source {
        context.clone_from(&scope.context);
    }
    if config.aws.region.is_none() && !scope.region.as_str().is_empty() {
        config.aws.region = Some(scope.region.clone());
    }
}

/// Why a session does not go on here; `None` where it is its place, or nobody could tell.
pub(super) async fn another(outside: &Outside, scope: &Scope) -> Option<String> {
    let who = Box::pin(async {
        let clients = outside.aws().await.ok()?;
        outside.learn_region(clients.region().clone());
        let identity = clients.identity().await.ok()?;
        outside.learn_identity(identity.account, identity.arn);
        Some(())
    });
    let cluster = Box::pin(outside.learn_cluster());
    let _ = tokio::time::timeout(PATIENCE, async { tokio::join!(who, cluster) }).await;
    let (there, here) = scope.told_apart(&outside.scope())?;
    Some(format!(
        "This session is of {there}, and this is {here}. Resume it with the --context, --profile and --region that it had, or look at it with `pagerdeck replay`."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::names::Names;
    use crate::config::{AskedSurface, Environment, Flags, OutputForm, World, resolve};
    use crate::domain::observation::scope::{KubeContext, Region};
    use crate::runtime::outside::{AwsAccess, ClusterAccess};

    #[test]
    fn a_session_asks_for_its_own_context_unless_another_is_named() {
        let was = Scope { context: Some("prod".into()), region: "eu-west-1".into(), ..Scope::default() };
        for (named, expected) in [(None, "prod"), (Some("staging"), "staging")] {
            let home = tempfile::tempdir().unwrap();
            let context = named.map(str::to_owned);
            let surface = AskedSurface::Headless(OutputForm::Text);
            let flags = Flags { context, surface, ..Flags::default() };
            let env = [("HOME", home.path().to_str().unwrap()), ("KUBECONFIG", "/nowhere")];
            let mut config = resolve(&flags, &Environment::of(env), World::Real).unwrap();
            as_it_was(&mut config, &was);
            let ClusterSource::Kubeconfig { context, .. } = &config.cluster.source else { panic!("{config:?}") };
            assert_eq!(context.as_ref().map(KubeContext::as_str), Some(expected));
            assert_eq!(config.aws.region.as_ref().map(Region::as_str), Some("eu-west-1"));
        }
    }

    #[tokio::test]
    async fn a_session_goes_on_in_no_other_region_and_where_nobody_answers() {
        crate::adapters::install_tls_provider();
        let names = Names::new(|_| Ok([127, 0, 0, 1].into()));
        let access = AwsAccess::Rehearsal { endpoint: "http://127.0.0.1:9".to_owned(), names };
        let here = Scope { region: "us-east-1".into(), ..Scope::default() };
        let outside = Outside::new(access, ClusterAccess::Off { why: "a test".to_owned() }, here.clone());
        assert_eq!(another(&outside, &here).await, None);
        let there = Scope { region: "eu-west-1".into(), ..Scope::default() };
        assert!(another(&outside, &there).await.is_some_and(|why| why.contains("eu-west-1")));
    }
}
