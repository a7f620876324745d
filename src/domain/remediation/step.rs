//! A step: one action from the closed catalogue on one target, with the exact request fixed when it is rehearsed.

mod planned;
mod state;

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::request::{Digest, Request};
use super::verification::VerificationTest;
use crate::domain::diagnosis::evidence::EvidenceId;
use crate::domain::diagnosis::sufficiency::RemedyKind;
use crate::domain::fault::Fault;
use crate::domain::observation::workload::WorkloadRef;

pub use planned::PlannedOn;
pub use state::{LeftOut, Shortfall, StepState};

/// A step's number in its plan, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepId(pub u32);

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// The closed catalogue. The model never writes one of these; runbooks do, from evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Action {
    /// Replace every pod, a few at a time.
    RolloutRestart,
    /// Set a container's memory limit (and request, where it would otherwise lie above the limit).
    SetResources {
        /// Which container.
        container: String,
        /// The new limit in bytes.
        memory_limit: u64,
        /// The limit before, where there was one.
        was: Option<u64>,
    },
    /// Back to the pod template of an earlier revision.
    RolloutUndo {
        /// That revision.
        to_revision: i64,
    },
    /// Change the number of replicas.
    Scale {
        /// The new number.
        replicas: u32,
        /// The number before.
        was: u32,
    },
}

impl Action {
    /// Its kind in the catalogue.
    pub fn kind(&self) -> RemedyKind {
        match self {
            Self::RolloutRestart => RemedyKind::RolloutRestart,
            Self::SetResources { .. } => RemedyKind::SetResources,
            Self::RolloutUndo { .. } => RemedyKind::RolloutUndo,
            Self::Scale { .. } => RemedyKind::Scale,
        }
    }

    /// The one text form of a step: shown, hashed and journaled.
    pub fn text(&self, target: &WorkloadRef) -> String {
        match self {
            Self::RolloutRestart => format!("rollout restart {target}"),
            Self::SetResources { container, memory_limit, was } => {
                let was = was.map_or_else(|| "no limit".to_owned(), quantity);
                format!(
                    "set resources {target} container {container} memory limit {was} -> {}",
                    quantity(*memory_limit)
                )
            }
            Self::RolloutUndo { to_revision } => format!("rollout undo {target} to revision {to_revision}"),
            Self::Scale { replicas, was } => format!("scale {target} from {was} to {replicas}"),
        }
    }

    /// The kubectl line a person knows for it: shown beside the request, never run.
    pub fn equivalent(&self, target: &WorkloadRef) -> String {
        let (kind, name, namespace) = (target.kind.word(), &target.name, &target.namespace);
        match self {
            Self::RolloutRestart => format!("kubectl rollout restart {kind}/{name} -n {namespace}"),
            Self::SetResources { container, memory_limit, .. } => format!(
                "kubectl set resources {kind}/{name} -n {namespace} -c {container} --limits=memory={}",
                quantity(*memory_limit)
            ),
            Self::RolloutUndo { to_revision } => {
                format!("kubectl rollout undo {kind}/{name} -n {namespace} --to-revision={to_revision}")
            }
            Self::Scale { replicas, .. } => format!("kubectl scale {kind}/{name} -n {namespace} --replicas={replicas}"),
        }
    }

    /// What it can break, in one sentence.
    pub fn risk(&self) -> &'static str {
        match self {
            Self::RolloutRestart => "Every pod is replaced; in-flight requests of a pod end with it.",
            Self::SetResources { .. } => {
                "Every pod is replaced; a larger limit takes room on the nodes and may leave pods unschedulable."
            }
            Self::RolloutUndo { .. } => {
                "Every pod is replaced by the older template; what the newer one fixed is lost."
            }
            Self::Scale { .. } => "Pods are added or removed; removed pods end their requests.",
        }
    }

    /// How it is undone, in one sentence.
    pub fn undo(&self, revision: Option<i64>) -> String {
        match self {
            Self::RolloutRestart => revision.map_or_else(
                || "rollout undo to the revision before = a second rolling restart".to_owned(),
                |number| format!("rollout undo to revision {number} = a second rolling restart"),
            ),
            Self::SetResources { was: Some(bytes), .. } => {
                format!("set the memory limit back to {} = a second rolling restart", quantity(*bytes))
            }
            Self::SetResources { was: None, .. } => "remove the memory limit = a second rolling restart".to_owned(),
            Self::RolloutUndo { .. } => revision.map_or_else(
                || "rollout undo to the newer revision".to_owned(),
                |number| format!("rollout undo to revision {number}"),
            ),
            Self::Scale { was, .. } => format!("scale back to {was}"),
        }
    }
}

/// Bytes as a Kubernetes quantity: `512Mi`, `1Gi`; exact, so bytes where no binary unit fits.
pub fn quantity(bytes: impl std::borrow::Borrow<u64>) -> String {
    let bytes = *bytes.borrow();
    for (unit, size) in [("Gi", 1_u64 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)] {
        if bytes >= size && bytes.is_multiple_of(size) {
            return format!("{}{unit}", bytes / size);
        }
    }
    bytes.to_string()
}

/// The facts of the target that an approval binds to. `resourceVersion` is not among them: it moves with every status change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetFacts {
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.generation`.
    pub generation: i64,
    /// The fields the step depends on, path to canonical JSON.
    pub fields: BTreeMap<String, String>,
}

/// One field that the request would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// Its path: `spec.template.metadata.annotations["kubectl.kubernetes.io/restartedAt"]`.
    pub path: String,
    /// Before, as JSON; `None` if it was absent.
    pub before: Option<String>,
    /// After, as JSON; `None` if it goes away.
    pub after: Option<String>,
}

/// The name of the check that holds a step against the evidence it was planned on.
pub const AS_PLANNED: &str = "as planned";
/// The name of the check that says what a rollout leaves of the service.
pub const AVAILABILITY: &str = "availability";

/// How a check before a step came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckState {
    /// `[ok]`
    Ok,
    /// `[!!]`: allowed, but look.
    Warning,
    /// `[no]`: the step must not run.
    Failed,
    /// `[--]`: could not be checked.
    Unknown,
}

/// One check before a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was checked, in a few words.
    pub name: String,
    /// How it came out.
    pub state: CheckState,
    /// With what numbers, or why not.
    pub text: String,
}

/// What a rehearsal really was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum RehearsalOutcome {
    /// The server accepted the request with `dryRun=All`.
    Rehearsed,
    /// This credential may not do it.
    Forbidden {
        /// The server's answer.
        fault: Fault,
    },
    /// The server understood the request and refuses it (admission, quota, conflict, not found).
    Refused {
        /// The server's answer.
        fault: Fault,
    },
    /// A difference made here; the server was not asked.
    LocalOnly {
        /// Why.
        why: String,
    },
    /// It could not be rehearsed.
    NotRehearsable {
        /// Why.
        fault: Fault,
    },
}

impl RehearsalOutcome {
    /// The word on screen and in JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Rehearsed => "rehearsed",
            Self::Forbidden { .. } => "forbidden",
            Self::Refused { .. } => "refused",
            Self::LocalOnly { .. } => "local-only",
            Self::NotRehearsable { .. } => "not-rehearsable",
        }
    }
}

/// A rehearsal of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rehearsal {
    /// What it was.
    pub outcome: RehearsalOutcome,
    /// When.
    pub at: Timestamp,
    /// The exact request; the live step sends these bytes.
    pub request: Option<Request>,
    /// The target as it was.
    pub facts: Option<TargetFacts>,
    /// What would change.
    pub diff: Vec<FieldChange>,
    /// What was checked.
    pub checks: Vec<Check>,
    /// How many pods it touches and how, in one line.
    pub blast: String,
    /// How it is undone, in one line, with what was found (revision exists, or not).
    pub undo: String,
}

impl Rehearsal {
    /// The first check that says that the step must not run.
    pub fn failed_check(&self) -> Option<&Check> {
        self.checks.iter().find(|check| check.state == CheckState::Failed)
    }

    /// Whether every pod would be down at once.
    pub fn is_outage(&self) -> bool {
        self.checks.iter().any(|check| check.name == AVAILABILITY && check.state == CheckState::Warning)
    }
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Its number.
    pub id: StepId,
    /// What.
    pub action: Action,
    /// On what.
    pub target: WorkloadRef,
    /// The evidence it rests on.
    pub why: Vec<EvidenceId>,
    /// The object as the evidence has it; unknown of steps of older journals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_on: Option<PlannedOn>,
    /// What tells whether it worked.
    pub tests: Vec<VerificationTest>,
    /// The last rehearsal.
    pub rehearsal: Option<Rehearsal>,
    /// The digest of that rehearsal's exact request with its scope, mode and policy.
    pub digest: Option<Digest>,
    /// Where it stands.
    pub state: StepState,
}

impl Step {
    /// One of which nothing is known but what it does, and to what.
    pub fn new(id: StepId, action: Action, target: WorkloadRef) -> Self {
        Self {
            id,
            action,
            target,
            why: Vec::new(),
            planned_on: None,
            tests: Vec::new(),
            rehearsal: None,
            digest: None,
            state: StepState::Proposed,
        }
    }

    /// The one text form.
    pub fn text(&self) -> String {
        self.action.text(&self.target)
    }
}

/// Steps chosen by a runbook for a verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Which runbook.
    pub runbook: String,
    /// In order.
    pub steps: Vec<Step>,
}
