//! When the terminal is rung: a diagnosis is ready, a step waits, a verification failed, and nobody is looking.

use std::collections::BTreeMap;

use crate::domain::remediation::step::{StepId, StepState};
use crate::session::incident::Incident;
use crate::session::{IncidentId, Session};
use crate::ui::input::Focus;

/// What was told of an incident so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Told {
    diagnosed: Option<u32>,
    waits: Option<StepId>,
    failed: Option<StepId>,
}

impl Told {
    fn of(incident: &Incident) -> Self {
        let steps = incident.plan.as_ref().map_or(&[][..], |plan| &plan.steps);
        let failed = steps.iter().find(|step| matches!(step.state, StepState::Failed { .. }));
        Self {
            diagnosed: incident.diagnosis.as_ref().map(|_| incident.narrative.attempt),
            waits: incident.asked_step().map(|step| step.id),
            failed: failed.map(|step| step.id),
        }
    }
}

/// Rings once for each piece of news, and only while the window is not looked at.
#[derive(Clone, Debug, Default)]
pub struct Bell {
    away: bool,
    told: BTreeMap<IncidentId, Told>,
}

impl Bell {
    /// The window gained or lost the keyboard.
    pub fn focus(&mut self, focus: Focus) {
        self.away = focus == Focus::Lost;
    }

    /// What to ring for, if anything: news since the last call. What happens while the person looks is no news later.
    pub fn news(&mut self, session: &Session) -> Option<String> {
        let mut news = None;
        for (id, incident) in &session.incidents {
            let present = Told::of(incident);
            let before = self.told.entry(*id).or_default();
            if *before != present {
                news = words(incident, (before, &present)).or(news);
                *before = present;
            }
        }
        news.filter(|_| self.away)
    }
}

/// The most pressing of what is new.
fn words(incident: &Incident, (before, present): (&Told, &Told)) -> Option<String> {
    let name = format!("{} {}", incident.id, incident.service.name);
    let new = |old: Option<StepId>, new: Option<StepId>| new.filter(|_| old != new);
    if let Some(step) = new(before.failed, present.failed) {
        return Some(format!("{name}: {step} failed"));
    }
    if let Some(step) = new(before.waits, present.waits) {
        return Some(format!("{name}: {step} waits for a decision"));
    }
    present.diagnosed.filter(|_| before.diagnosed != present.diagnosed).map(|_| format!("{name}: diagnosis ready"))
}
