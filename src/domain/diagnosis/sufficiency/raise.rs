//! Which container a higher memory limit is for. Of several none is guessed: memory for the wrong one helps nothing.

use std::collections::BTreeMap;

use crate::domain::diagnosis::evidence::{Evidence, Payload};
use crate::domain::observation::oom_kill::ContainerKills;
use crate::domain::observation::workload::ContainerSpec;

/// The container whose limit is raised:
/// 1. the one that was killed most, where a kill names one (`pod/container`), the manifest holds it and it has a limit;
///    one that is put into pods beside the manifest (a sidecar) is given its limit elsewhere;
/// 2. else the only one with a limit.
///
/// # Errors
/// Why it is not known, as a sentence.
pub fn to_raise<'a>(containers: &'a [ContainerSpec], killed: &[ContainerKills]) -> Result<&'a ContainerSpec, String> {
    let mut by_name: BTreeMap<&str, u64> = BTreeMap::new();
    let named = killed.iter().filter_map(|kills| Some((kills.container.rsplit_once('/')?.1, kills.kills)));
    for (name, kills) in named.filter(|(name, _)| is_a_name(name)) {
        *by_name.entry(name).or_default() += kills;
    }
    if let Some((name, _)) = by_name.into_iter().rev().max_by_key(|(_, kills)| *kills) {
        let Some(container) = containers.iter().find(|container| container.name == name) else {
            return Err(format!("{name} was killed, and the manifest does not hold it: its limit is set elsewhere."));
        };
        let unlimited = || format!("The container {} was killed and has no memory limit to raise.", container.name);
        return container.memory_limit.map(|_| container).ok_or_else(unlimited);
    }
    let limited: Vec<&ContainerSpec> = containers.iter().filter(|one| one.memory_limit.is_some()).collect();
    match limited.as_slice() {
        [] => Err("No container has a memory limit to raise.".to_owned()),
        [only] => Ok(only),
        [_, _, ..] => {
            let each: Vec<&str> = limited.iter().map(|container| container.name.as_str()).collect();
            Err(format!(
                "Of {} each has a memory limit, and no kill names one: which is too low is not known.",
                each.join(", ")
            ))
        }
    }
}

/// Whether a kill's last word can be the name of a container: a control group of the kernel's (`cri-containerd-9f.scope`) and
/// the id of a task at the end of a stream's name are none.
fn is_a_name(word: &str) -> bool {
    !word.contains('.') && !word.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
}

/// Kills by container, the most first, as the evidence counts them.
pub fn killed(evidence: &[Evidence]) -> &[ContainerKills] {
    let found = evidence.iter().find_map(|evidence| match evidence.answer.payload()? {
        Payload::OomKills(count) => Some(count.by_container.as_slice()),
        Payload::Series { .. }
        | Payload::Workload { .. }
        | Payload::Collector { .. }
        | Payload::LogPatterns { .. }
        | Payload::Changes { .. } => None,
    });
    found.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(name: &str, memory_limit: Option<u64>) -> ContainerSpec {
        let (name, image) = (name.to_owned(), format!("{name}:1"));
        ContainerSpec { name, image, memory_limit, memory_request: None, cpu_limit_milli: None }
    }

    #[test]
    fn memory_goes_to_the_container_that_was_killed_and_to_none_by_guess() {
        let limit = Some(512 << 20);
        let raised = |containers: &[ContainerSpec], named: &[&str]| {
            let kills: Vec<ContainerKills> =
                named.iter().map(|container| ContainerKills { container: (*container).to_owned(), kills: 3 }).collect();
            to_raise(containers, &kills).map(|container| container.name.clone())
        };
        let two = [container("api", limit), container("legacy-api", limit)];
        assert_eq!(raised(&two, &["my-api-1/legacy-api"]).as_deref(), Ok("legacy-api"));
        assert_eq!(raised(&two, &["my-api-1", "my-api-2/api"]).as_deref(), Ok("api"));
        let beside = [container("log-router", limit), container("api", limit)];
        let unknown =
            "Of log-router, api each has a memory limit, and no kill names one: which is too low is not known.";
        assert_eq!(
            raised(&beside, &["my-api-1"]),
            Err(unknown.to_owned()),
            "a pod is killed, which of the two is open"
        );
        assert_eq!(raised(&beside, &[]), Err(unknown.to_owned()));
        let one = [container("log-router", None), container("api", limit)];
        assert_eq!(raised(&one, &["my-api-1"]).as_deref(), Ok("api"));
        let without = "The container log-router was killed and has no memory limit to raise.";
        assert_eq!(raised(&one, &["my-api-1/log-router"]), Err(without.to_owned()));
        assert!(raised(&[container("api", None)], &[]).is_err());
        let injected = raised(&[container("api", limit)], &["my-api-1/istio-proxy"]);
        assert!(injected.as_ref().is_err_and(|why| why.starts_with("istio-proxy was killed")), "{injected:?}");
        let both = ["my-api-1/api", "my-api-1/istio-proxy", "my-api-2/istio-proxy"];
        assert!(raised(&[container("api", limit)], &both).is_err(), "the one that is killed most");
    }
}
