//! What this credential may do, and who the server takes us for. Reviews store nothing and need no permit.
//! A review answers for RBAC alone: admission is asked by the rehearsal.

use serde_json::{Value, json};

use super::call::{Client, Resource};
use super::fault::{Doing, KubeError};
use super::map::safe;
use crate::domain::observation::workload::WorkloadRef;

/// What a review came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Allowed.
    Allowed,
    /// Not allowed, with the server's reason if it gives one.
    Denied {
        /// Why.
        reason: String,
    },
}

impl Client {
    /// Asks whether we may do something (`SelfSubjectAccessReview`).
    pub async fn may(&self, doing: &Doing) -> Result<Access, KubeError> {
        let attributes = json!({
            "verb": doing.verb,
            "group": doing.group,
            "resource": doing.resource,
            "namespace": doing.namespace.as_ref().map(ToString::to_string).unwrap_or_default(),
            "name": doing.name.clone().unwrap_or_default(),
        });
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": { "resourceAttributes": attributes },
        });
        let asking = reviewing("authorization.k8s.io", "selfsubjectaccessreviews");
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        let answer: Value = self.post_json(path, &review, &asking).await?;
        if answer.pointer("/status/allowed").and_then(Value::as_bool) == Some(true) {
            return Ok(Access::Allowed);
        }
        let reason = answer.pointer("/status/reason").and_then(Value::as_str).unwrap_or_default();
        Ok(Access::Denied { reason: safe(reason) })
    }

    /// Asks whether we may patch a workload.
    pub async fn may_patch(&self, target: &WorkloadRef) -> Result<Access, KubeError> {
        self.may(&Resource::of(target.kind).doing("patch", Some(&target.namespace), Some(&target.name))).await
    }

    /// Asks who the server takes us for (`SelfSubjectReview`).
    pub async fn whoami(&self) -> Result<String, KubeError> {
        let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
        let asking = reviewing("authentication.k8s.io", "selfsubjectreviews");
        let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
        let answer: Value = self.post_json(path, &review, &asking).await?;
        let name = answer.pointer("/status/userInfo/username").and_then(Value::as_str).unwrap_or_default();
        Ok(safe(name))
    }

    /// What tells this cluster from every other: the uid of its namespace `kube-system`, which is as old as it.
    pub async fn cluster_uid(&self) -> Result<String, KubeError> {
        let name = Some("kube-system".to_owned());
        let asking = Doing { verb: "get", group: "", resource: "namespaces", namespace: None, name };
        let found: Value = self.get_json("/api/v1/namespaces/kube-system", &asking).await?;
        Ok(safe(found.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default()))
    }
}

fn reviewing(group: &'static str, resource: &'static str) -> Doing {
    Doing { verb: "create", group, resource, namespace: None, name: None }
}
