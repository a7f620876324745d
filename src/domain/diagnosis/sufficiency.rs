//! Which remedies the verdict suffices for. The tests are code: the model cannot open a remedy they refuse.

mod lately;
mod raise;
mod tests_of_remedies;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use raise::{killed, to_raise};
pub use tests_of_remedies::offers;

/// The closed catalogue of remedies by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RemedyKind {
    /// Rolling restart of a workload.
    RolloutRestart,
    /// Raise (or set) a container's resources.
    SetResources,
    /// Back to an earlier revision of a deployment.
    RolloutUndo,
    /// Back to an earlier revision of a Helm release.
    HelmRollback,
    /// Change the number of replicas.
    Scale,
}

impl RemedyKind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::RolloutRestart, Self::SetResources, Self::RolloutUndo, Self::HelmRollback, Self::Scale];

    /// The id in JSON, scenarios and the model's answer.
    pub fn id(self) -> &'static str {
        match self {
            Self::RolloutRestart => "rollout-restart",
            Self::SetResources => "set-resources",
            Self::RolloutUndo => "rollout-undo",
            Self::HelmRollback => "helm-rollback",
            Self::Scale => "scale",
        }
    }

    /// The words on screen.
    pub fn words(self) -> &'static str {
        match self {
            Self::RolloutRestart => "rollout restart",
            Self::SetResources => "set resources",
            Self::RolloutUndo => "rollout undo",
            Self::HelmRollback => "helm rollback",
            Self::Scale => "scale",
        }
    }
}

impl fmt::Display for RemedyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

/// Whether the evidence suffices to offer a remedy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Sufficiency {
    /// It may be offered.
    Sufficient {
        /// One sentence.
        why: String,
    },
    /// It may not.
    Refused {
        /// One sentence a reason.
        reasons: Vec<String>,
    },
}

/// Whether a remedy is among those that the evidence suffices for.
pub fn suffices(offers: &[RemedyOffer], remedy: RemedyKind) -> bool {
    offers.iter().any(|offer| offer.remedy == remedy && matches!(offer.sufficiency, Sufficiency::Sufficient { .. }))
}

/// A remedy with its test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemedyOffer {
    /// Which one.
    pub remedy: RemedyKind,
    /// Whether the evidence suffices.
    pub sufficiency: Sufficiency,
}
