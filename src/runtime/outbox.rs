//! The outbox: effects wait here until the journal has acknowledged their record. The only caller of the gate.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::departure::Departure;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::remediation::gate::{self, Admission, AdmissionRefusal, Permit};
use crate::domain::remediation::request::{Bound, Digest};
use crate::domain::remediation::step::{Step, StepId, StepState};
use crate::session::effect::Effect;
use crate::session::{IncidentId, Session};

/// Effects and permits that wait for the journal.
#[derive(Debug, Default)]
pub struct Outbox {
    waiting: VecDeque<(u64, Effect)>,
    held: Vec<Held>,
    /// What was handed out with [`Released::Send`] and is not over.
    departing: Vec<Departing>,
    written: u64,
    synced: u64,
}

#[derive(Debug)]
struct Held {
    seq: u64,
    incident: IncidentId,
    step: StepId,
    permit: Permit,
}

/// What was handed to who sends it, and has perhaps not left.
#[derive(Debug)]
struct Departing {
    incident: IncidentId,
    step: StepId,
    digest: Digest,
    departure: Departure,
}

impl Held {
    fn withheld(self, fault: Fault) -> Released {
        Released::Withhold { incident: self.incident, step: self.step, fault }
    }
}

impl Departing {
    /// Keeps it from leaving, where it has not.
    fn called_back(&self, fault: &Fault) -> Option<Released> {
        let (incident, step) = (self.incident, self.step);
        self.departure.call_back().then(|| Released::Withhold { incident, step, fault: fault.clone() })
    }
}

/// Why a permit does not serve any more: what it was given for is not so, or nobody may look whether it is.
fn falls(session: &Session, (incident, step): (IncidentId, StepId), digest: &Digest) -> Option<Fault> {
    if let Some((whose, fault)) = session.unusable_credentials() {
        let text = format!("The {whose} credentials failed before its request was taken. Nothing was changed.");
        return Some(Fault { hints: fault.hints.clone(), ..Fault::new(FaultKind::Credentials, text) });
    }
    let still = |step: &Step| {
        let rehearsal = step.rehearsal.as_ref().filter(|_| step.state == StepState::Running);
        let (request, facts) = rehearsal.and_then(|it| it.request.as_ref().zip(it.facts.as_ref()))?;
        let (text, header) = (step.text(), &session.header);
        let (scope, mode, policy) = (&header.scope, header.mode, &header.policy);
        Some(Bound { text: &text, request, facts, scope, mode, policy }.digest())
    };
    let here = session.incidents.get(&incident).filter(|_| session.elsewhere.is_none());
    let found = here.and_then(|incident| incident.step(step));
    let holds = found.and_then(still).as_ref() == Some(digest);
    (!holds).then(|| Fault::new(FaultKind::Rejected, AdmissionRefusal::OtherDigest.text()))
}

/// What may be done now.
#[derive(Debug)]
pub enum Released {
    /// Run this effect.
    Run(Effect),
    /// The gate gave a permit: journal the start, then hand the permit back with [`Outbox::hold`].
    Start {
        /// Of which incident.
        incident: IncidentId,
        /// Which step.
        step: StepId,
        /// Its digest.
        digest: Digest,
        /// The permit.
        permit: Permit,
    },
    /// The gate gave none.
    Refuse {
        /// Of which incident.
        incident: IncidentId,
        /// Which step.
        step: StepId,
        /// Why.
        refusal: AdmissionRefusal,
    },
    /// The start is not on the disk, or the request is no longer what was approved: the permit is gone, and nothing was sent.
    Withhold {
        /// Of which incident.
        incident: IncidentId,
        /// Which step.
        step: StepId,
        /// Why.
        fault: Fault,
    },
    /// The start is on disk: the request may leave, unless it is called back before it does.
    Send {
        /// Of which incident.
        incident: IncidentId,
        /// Which step.
        step: StepId,
        /// The permit.
        permit: Permit,
        /// Its way out.
        departure: Departure,
    },
}

impl Outbox {
    /// Puts an effect of record `seq` in.
    pub fn push(&mut self, seq: u64, effect: Effect) {
        self.waiting.push_back((seq, effect));
    }

    /// Holds a permit until record `seq`, its start, is on disk.
    pub fn hold(&mut self, seq: u64, (incident, step): (IncidentId, StepId), permit: Permit) {
        self.held.push(Held { seq, incident, step, permit });
    }

    /// Notes what the journal has acknowledged.
    pub fn acknowledge(&mut self, written: u64, synced: u64) {
        self.written = self.written.max(written);
        self.synced = self.synced.max(synced);
    }

    /// The journal is gone: nothing that moves the world may leave any more, and what was about to is told. Reads go on.
    pub fn close(&mut self) -> Vec<Released> {
        self.written = u64::MAX;
        let mut told = Vec::new();
        self.waiting.retain(|(_, effect)| {
            let Effect::Execute { incident, step } = effect else { return true };
            let refusal = AdmissionRefusal::NotDurable;
            told.push(Released::Refuse { incident: *incident, step: *step, refusal });
            false
        });
        let fault = Fault::new(FaultKind::Storage, "The start could not be written; nothing was sent.");
        told.extend(self.call_back(&fault));
        told
    }

    /// Gives up every permit whose request has not left: those held here, and of those that were handed out with
    /// [`Released::Send`] the ones whose target is still being looked at. What is called back was not sent, and never will be.
    pub fn call_back(&mut self, fault: &Fault) -> Vec<Released> {
        let held = self.held.drain(..).map(|held| held.withheld(fault.clone()));
        let departing = self.departing.iter().filter_map(|one| one.called_back(fault));
        let told = held.chain(departing).collect();
        self.departing.retain(|one| !one.departure.is_over());
        told
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.held.is_empty()
    }

    /// Takes out what may be done now, in order.
    pub fn release(&mut self, session: &Session, now: Timestamp) -> Vec<Released> {
        let mut released = Vec::new();
        while let Some((seq, effect)) = self.waiting.front() {
            let seq = *seq;
            let needed = match effect {
                Effect::Execute { .. } => self.synced,
                Effect::Conclude { .. }
                | Effect::Identify { .. }
                | Effect::Inspect { .. }
                | Effect::Follow { .. }
                | Effect::Observe { .. }
                | Effect::Ask { .. }
                | Effect::Preview { .. }
                | Effect::Measure { .. }
                | Effect::Notify { .. }
                | Effect::Schedule { .. } => self.written,
            };
            if needed < seq {
                break;
            }
            let Some((_, effect)) = self.waiting.pop_front() else { break };
            match effect {
                Effect::Execute { incident, step } => {
                    released.extend(self.admit(session, (incident, step), (seq, now)));
                }
                other => released.push(Released::Run(other)),
            }
        }
        let synced = self.synced;
        let (ready, held) = std::mem::take(&mut self.held).into_iter().partition(|held| held.seq <= synced);
        self.held = held;
        released.extend(self.fallen(session));
        let ready: Vec<Held> = ready;
        released.extend(ready.into_iter().map(|held| self.lets_go(session, held)));
        released
    }

    /// Lets a permit out, unless what it was given for has moved while its start was on the way to the disk.
    fn lets_go(&mut self, session: &Session, held: Held) -> Released {
        let (incident, step, digest) = (held.incident, held.step, held.permit.digest().clone());
        if let Some(fault) = falls(session, (incident, step), &digest) {
            return held.withheld(fault);
        }
        let departure = Departure::default();
        self.departing.push(Departing { incident, step, digest, departure: departure.clone() });
        Released::Send { incident, step, permit: held.permit, departure }
    }

    /// Calls back what moved while its target was looked at once more.
    fn fallen(&mut self, session: &Session) -> Vec<Released> {
        self.departing.retain(|one| !one.departure.is_over());
        let fallen = |one: &Departing| {
            let fault = falls(session, (one.incident, one.step), &one.digest)?;
            one.called_back(&fault)
        };
        self.departing.iter().filter_map(fallen).collect()
    }

    /// What becomes of the decision of record `seq`.
    fn admit(
        &self,
        session: &Session,
        (id, step): (IncidentId, StepId),
        (seq, now): (u64, Timestamp),
    ) -> Option<Released> {
        let incident = session.incidents.get(&id)?;
        // The decision fell while the disk was slow, and another was given since: that one has an effect of its own, and
        // two permits for it would send the request twice.
        if incident.approval.as_ref().is_some_and(|approval| approval.seq != seq) {
            return None;
        }
        let refuse = |refusal| Released::Refuse { incident: id, step, refusal };
        let Some(found) = incident.step(step) else { return Some(refuse(AdmissionRefusal::NotWaiting)) };
        // It was used, or it fell, which was told then: a refusal now would stand down what is being rehearsed anew. Where
        // the step still reads APPROVED, what took its approval was about another step, and somebody has to say so.
        let Some(approval) = &incident.approval else {
            return (found.state == StepState::Approved).then(|| refuse(AdmissionRefusal::NotWaiting));
        };
        // While evidence or narrative are asked again there is no judgement to stand on.
        let Some(gate) = &incident.gate else { return Some(refuse(AdmissionRefusal::Locked)) };
        if session.elsewhere.is_some() {
            return Some(refuse(AdmissionRefusal::OtherDigest));
        }
        if session.read_only.is_some() {
            return Some(refuse(AdmissionRefusal::NotDurable));
        }
        if session.unusable_credentials().is_some() {
            return Some(refuse(AdmissionRefusal::LockedOut));
        }
        let admitted = gate::admit(Admission {
            mode: session.header.mode,
            scope: &session.header.scope,
            policy: &session.header.policy,
            gate,
            offers: &incident.offers,
            purpose: incident.purpose(step),
            step: found,
            approval,
            durable_seq: self.synced,
            now,
        });
        Some(match admitted {
            Ok(permit) => Released::Start { incident: id, step, digest: permit.digest().clone(), permit },
            Err(refusal) => refuse(refusal),
        })
    }
}

#[cfg(test)]
mod tests;
