//! What a step was planned on. A rehearsal reads the object anew; the evidence that the step rests on is older than that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Action;
use crate::domain::observation::workload::{ContainerSpec, Workload};

/// The object of the evidence, as far as a step rests on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedOn {
    /// `metadata.uid`.
    pub uid: String,
    /// What ran, where the step is about that. How many replicas there are is in the action that changes it.
    pub template: Option<Planned>,
}

/// A pod template as far as evidence has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// The revision, of a deployment.
    pub revision: Option<i64>,
    /// Its containers.
    pub containers: Vec<ContainerSpec>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

impl PlannedOn {
    /// What a step of this action rests on. An autoscaler moves the replicas and the generation of an object that runs on
    /// as it did, so neither counts for what is about the template.
    pub fn of(action: &Action, workload: &Workload) -> Self {
        let template = match action {
            Action::RolloutRestart | Action::SetResources { .. } | Action::RolloutUndo { .. } => Some(Planned {
                revision: workload.revision,
                containers: workload.containers.clone(),
                annotations: workload.template_annotations.clone(),
            }),
            Action::Scale { .. } => None,
        };
        Self { uid: workload.uid.clone(), template }
    }

    /// The same object, whatever runs in it: what an undo rests on. The step that it undoes has changed the rest.
    pub fn object_alone(&self) -> Self {
        Self { uid: self.uid.clone(), template: None }
    }

    /// What differs by now, as a clause with the way out; `None` where the step still rests on what is there.
    pub fn moved(&self, now: &Workload) -> Option<String> {
        let what = if self.uid == now.uid { self.template.as_ref()?.moved(now)? } else { OTHER.to_owned() };
        Some(format!("{what}: read the evidence again with r"))
    }
}

const OTHER: &str = "another object of this name in the evidence";

impl Planned {
    fn moved(&self, now: &Workload) -> Option<String> {
        if let (Some(then), Some(now)) = (self.revision, now.revision)
            && then != now
        {
            return Some(format!("revision {then} in the evidence, {now} now"));
        }
        if self.containers != now.containers {
            let image = |all: &[ContainerSpec]| all.iter().map(|one| one.image.clone()).collect::<Vec<_>>().join(", ");
            let (then, now) = (image(&self.containers), image(&now.containers));
            let words = format!("image {then} in the evidence, {now} now");
            return Some(if then == now { "other containers in the evidence than now".to_owned() } else { words });
        }
        let differs = self.annotations != now.template_annotations;
        differs.then(|| "another pod template in the evidence than now".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::observation::workload::{WorkloadKind, WorkloadRef};

    fn workload() -> Workload {
        let target =
            WorkloadRef { kind: WorkloadKind::Deployment, namespace: "shop".into(), name: "my-api".to_owned() };
        let container = ContainerSpec {
            name: "app".to_owned(),
            image: "my-api:4.11.2".to_owned(),
            memory_limit: Some(512 << 20),
            memory_request: None,
            cpu_limit_milli: None,
        };
        let containers = vec![container];
        let (uid, revision) = ("u".to_owned(), Some(42));
        Workload { uid, generation: 42, replicas: 6, revision, containers, ..Workload::named(target) }
    }

    /// A change to the object of the evidence.
    type Change = fn(&mut Workload);

    #[test]
    fn a_step_rests_on_what_ran_in_the_evidence_and_not_on_its_replicas_or_metadata() {
        let restart = PlannedOn::of(&Action::RolloutRestart, &workload());
        let scale = PlannedOn::of(&Action::Scale { replicas: 9, was: 6 }, &workload());
        let undo = restart.object_alone();
        let again = |what: &str| Some(format!("{what}: read the evidence again with r"));
        let hot_fix: Change = |it| it.containers[0].image = "my-api:4.11.3".to_owned();
        let stamped: Change = |it| drop(it.template_annotations.insert("restartedAt".to_owned(), "9".to_owned()));
        let image = "image my-api:4.11.2 in the evidence, my-api:4.11.3 now";
        let cases: [(Change, Option<String>); 8] = [
            (|_| (), None),
            (|it| it.revision = Some(43), again("revision 42 in the evidence, 43 now")),
            // The controller has not numbered it yet.
            (hot_fix, again(image)),
            (|it| it.containers[0].memory_limit = None, again("other containers in the evidence than now")),
            (stamped, again("another pod template in the evidence than now")),
            // An autoscaler; a label.
            (|it| (it.generation, it.replicas) = (43, 9), None),
            (|it| drop(it.labels.insert("owner".to_owned(), "me".to_owned())), None),
            (|it| it.revision = None, None),
        ];
        for (change, expected) in cases {
            let mut now = workload();
            change(&mut now);
            assert_eq!(restart.moved(&now), expected);
            assert_eq!((scale.moved(&now), undo.moved(&now)), (None, None));
        }
        let other = Workload { uid: "v".to_owned(), ..workload() };
        for on in [&restart, &scale, &undo] {
            assert_eq!(on.moved(&other), again(OTHER));
        }
    }
}
