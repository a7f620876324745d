//! The listing that every watch begins with: all kinds of all chosen namespaces, and the version to follow each from.

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1 as core;

use super::super::call::{Client, Listing, Resource};
use super::super::fault::KubeError;
use super::is_refused;
use super::known::{Happening, Known, Seen};
use crate::domain::fault::Fault;
use crate::domain::observation::scope::Namespace;
use crate::domain::observation::workload::{Listed, ListedKind, WorkloadKind};

/// A kind of object that this credential may not read, or that the server does not have.
#[derive(Clone, Debug, PartialEq)]
pub struct Unreadable {
    /// The resource, plural.
    pub resource: &'static str,
    /// Where.
    pub namespace: Namespace,
    /// Whether it could be listed at all.
    pub of: Refused,
    /// Why.
    pub fault: Fault,
}

/// What of a kind of object was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Nothing of it is known.
    Listing,
    /// It is known as it was listed.
    Watching,
}

/// Where to follow a collection from.
pub(in super::super) struct Place {
    pub(super) resource: Resource,
    pub(super) namespace: Namespace,
    pub(super) version: String,
}

impl Place {
    /// What is whole once it was listed, of what somebody may miss.
    fn listed(&self) -> Option<Listed> {
        let kind = match self.resource {
            Resource::DEPLOYMENTS => ListedKind::Workloads(WorkloadKind::Deployment),
            Resource::STATEFUL_SETS => ListedKind::Workloads(WorkloadKind::StatefulSet),
            Resource::DAEMON_SETS => ListedKind::Workloads(WorkloadKind::DaemonSet),
            Resource::PODS => ListedKind::Pods,
            _ => return None,
        };
        Some(Listed { kind, namespace: self.namespace.clone() })
    }
}

/// What was listed to the end.
pub(in super::super) fn whole(places: &[Place]) -> Vec<Listed> {
    places.iter().filter_map(Place::listed).collect()
}

/// The places to follow, and what could not be read.
type Read = (Vec<Place>, Vec<Unreadable>);

/// Lists everything into `known`. Refusals are gathered; any other failure ends the reading.
pub(in super::super) async fn read_all(
    client: &Client,
    namespaces: &[Namespace],
    known: &mut Known,
) -> Result<Read, KubeError> {
    let mut read: Read = (Vec::new(), Vec::new());
    for namespace in namespaces {
        let place = Some(namespace);
        let (sets, deployments, stateful, daemons, pods, events) = tokio::join!(
            client.list::<ReplicaSet>(Resource::REPLICA_SETS, place, &[]),
            client.list::<Deployment>(Resource::DEPLOYMENTS, place, &[]),
            client.list::<StatefulSet>(Resource::STATEFUL_SETS, place, &[]),
            client.list::<DaemonSet>(Resource::DAEMON_SETS, place, &[]),
            client.list::<core::Pod>(Resource::PODS, place, &[]),
            client.list::<core::Event>(Resource::EVENTS, place, &[]),
        );
        // Replica sets first: pods find their deployments through them.
        take(sets, (Resource::REPLICA_SETS, namespace), &mut read, |set| {
            known.absorb(Seen::ReplicaSet(Happening::Present(set)));
        })?;
        take(deployments, (Resource::DEPLOYMENTS, namespace), &mut read, |deployment| {
            known.absorb(Seen::Deployment(Happening::Present(deployment)));
        })?;
        take(stateful, (Resource::STATEFUL_SETS, namespace), &mut read, |set| {
            known.absorb(Seen::StatefulSet(Happening::Present(set)));
        })?;
        take(daemons, (Resource::DAEMON_SETS, namespace), &mut read, |set| {
            known.absorb(Seen::DaemonSet(Happening::Present(set)));
        })?;
        take(pods, (Resource::PODS, namespace), &mut read, |pod| {
            known.absorb(Seen::Pod(Happening::Present(pod)));
        })?;
        take(events, (Resource::EVENTS, namespace), &mut read, |event| {
            known.absorb(Seen::Event(Happening::Present(event)));
        })?;
    }
    known.drop_old_events();
    known.heard = false;
    Ok(read)
}

fn take<K>(
    listed: Result<Listing<K>, KubeError>,
    (resource, namespace): (Resource, &Namespace),
    read: &mut Read,
    each: impl FnMut(K),
) -> Result<(), KubeError> {
    match listed {
        Ok(listing) => {
            listing.items.into_iter().for_each(each);
            read.0.push(Place { resource, namespace: namespace.clone(), version: listing.version });
            Ok(())
        }
        Err(error) if is_refused(&error) => {
            let fault = error.fault();
            let (resource, namespace) = (resource.plural, namespace.clone());
            read.1.push(Unreadable { resource, namespace, of: Refused::Listing, fault });
            Ok(())
        }
        Err(error) => Err(error),
    }
}
