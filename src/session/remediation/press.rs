//! Whether a press on a step counts. The fold asks this of every decision, and the desk asks it and more first, so that a
//! press that would be left alone is told to the person and leaves no decision in the journal.

use jiff::Timestamp;

use crate::domain::remediation::approval::Decision;
use crate::domain::remediation::gate::Purpose;
use crate::domain::remediation::request::{Digest, Mode};
use crate::domain::remediation::step::{AS_PLANNED, Rehearsal, Step, StepId, StepState};
use crate::session::incident::Incident;
use crate::session::record::IncidentId;
use crate::session::state::Session;

/// What a press wants of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Press<'a> {
    /// Arm or approve just this digest.
    Approve(&'a Digest),
    /// Deny or skip it.
    Refuse,
    /// Rehearse it again.
    Rehearse,
}

impl<'a> Press<'a> {
    /// What a decision wants.
    pub fn of(decision: &'a Decision) -> Self {
        match decision {
            Decision::Approved { digest, .. } => Self::Approve(digest),
            Decision::Denied { .. } | Decision::Skipped { .. } => Self::Refuse,
        }
    }
}

/// Why a press does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Objection {
    /// The session cannot write decisions down.
    ReadOnly {
        /// Why not.
        why: String,
    },
    /// The credentials do not serve.
    LockedOut {
        /// Whose.
        whose: &'static str,
        /// What helps.
        hint: String,
    },
    /// The gate is locked, or not judged yet.
    Locked,
    /// The gate was open, and its evidence is too old by now.
    Stale,
    /// The evidence of now does not suffice for what the step would do.
    NotOffered {
        /// Which.
        step: StepId,
    },
    /// A check of the rehearsal says that the step must not run. A dry-run would else record that it would.
    CheckFailed {
        /// Which step.
        step: StepId,
        /// The check, in its own words.
        text: String,
    },
    /// The object is not what the step was planned on: rehearsing it again would change nothing about that.
    NotAsPlanned {
        /// Which step.
        step: StepId,
        /// What differs, with the way out.
        text: String,
    },
    /// There is no such step any more.
    Gone {
        /// Which.
        step: StepId,
    },
    /// The step waits for no such press.
    State {
        /// Which step.
        step: StepId,
        /// The word of its state.
        word: &'static str,
    },
    /// Another step of the plan is on its way, or nobody knows yet how it ended.
    Busy {
        /// Which step.
        step: StepId,
        /// The other.
        other: StepId,
    },
    /// What would be sent is no longer what was on screen.
    OtherDigest {
        /// Which step.
        step: StepId,
    },
    /// The time to confirm is over.
    Expired {
        /// Which step.
        step: StepId,
    },
}

impl Objection {
    /// What to tell the person: why it does not count, and the next key.
    pub fn text(&self) -> String {
        match self {
            Self::ReadOnly { why } => format!("Nothing can be decided: {why}"),
            Self::LockedOut { whose, hint } => {
                format!("Not counted: the {whose} credentials fail, and what is shown may be so no more. {hint}")
            }
            Self::Locked => "Not counted: the gate is LOCKED. Pane 4 says what would open it.".to_owned(),
            Self::Stale => "Not counted: the evidence has grown too old. r in pane 4 reads it again.".to_owned(),
            Self::NotOffered { step } => {
                format!(
                    "Not counted: the evidence of now does not suffice for {step}. Pane 5 says what it suffices for."
                )
            }
            Self::CheckFailed { step, text } => {
                format!("Not counted: {step} must not run: {text}. d rehearses it again.")
            }
            Self::NotAsPlanned { step, text } => format!("Not counted: {step} must not run: {text}."),
            Self::Gone { step } => format!("Not counted: {step} is no longer in the plan."),
            Self::State { step, word } => format!("Not counted: {step} is {word} and waits for no such key."),
            Self::Busy { step, other } => format!("Not counted: {other} is under way, and {step} waits for its end."),
            Self::OtherDigest { step } => {
                format!("Not counted: {step} is no longer what was on screen. Read it, then press again.")
            }
            Self::Expired { step } => {
                format!("Not counted: the time to confirm {step} is over. d rehearses it again.")
            }
        }
    }
}

/// Whether a press that comes now counts. The fold does not ask about credentials: a journal in which they failed unseen tells
/// of decisions that were given, and of requests that may have left.
pub fn admits(session: &Session, at: Timestamp, on: (IncidentId, StepId), press: Press<'_>) -> Result<(), Objection> {
    match press {
        Press::Approve(_) => {
            writable(session)?;
            let_in(session)?;
        }
        Press::Refuse | Press::Rehearse => {}
    }
    counts(session, at, on, press)
}

/// Whether a press that was given at this time counts.
pub(super) fn counts(
    session: &Session,
    at: Timestamp,
    (incident, step): (IncidentId, StepId),
    press: Press<'_>,
) -> Result<(), Objection> {
    let incident = session.incidents.get(&incident).ok_or(Objection::Gone { step })?;
    let found = incident.step(step).ok_or(Objection::Gone { step })?;
    let state = Objection::State { step, word: found.state.word() };
    match press {
        Press::Approve(digest) => {
            writable(session)?;
            open(session, (incident, step), at)?;
            waits(found, digest, at)?;
            alone(session.header.mode, incident, step)?;
            offered(incident, found)?;
            sound(incident, found)
        }
        Press::Refuse => {
            writable(session)?;
            if found.state.is_open_to_refusal() { Ok(()) } else { Err(state) }
        }
        Press::Rehearse => match (found.state.is_open_to_rehearsal(), incident.gate_is_open_for(step)) {
            (true, true) => offered(incident, found),
            (true, false) => Err(shut(incident, step)),
            (false, _) => Err(state),
        },
    }
}

/// Nothing is decided in a session that cannot write it down.
fn writable(session: &Session) -> Result<(), Objection> {
    let fault = session.elsewhere().or_else(|| session.read_only.clone());
    fault.map_or(Ok(()), |fault| Err(Objection::ReadOnly { why: fault.summary }))
}

/// Nothing is approved on what nobody may look at any more.
fn let_in(session: &Session) -> Result<(), Objection> {
    let refused = session.unusable_credentials();
    refused.map_or(Ok(()), |(whose, fault)| {
        Err(Objection::LockedOut { whose, hint: fault.hints.first().cloned().unwrap_or_default() })
    })
}

fn open(session: &Session, (incident, step): (&Incident, StepId), at: Timestamp) -> Result<(), Objection> {
    let purpose = incident.purpose(step);
    match &incident.gate {
        Some(gate) if gate.holds(purpose, &session.header.policy, at) => Ok(()),
        Some(gate) if gate.is_open_for(purpose) => Err(Objection::Stale),
        Some(_) | None => Err(shut(incident, step)),
    }
}

/// Why a gate is shut. For an undo it is by the age of the evidence alone, whatever pane 4 says of remedies.
fn shut(incident: &Incident, step: StepId) -> Objection {
    match (incident.purpose(step), &incident.gate) {
        (Purpose::Undo, Some(_)) => Objection::Stale,
        (Purpose::Undo, None) | (Purpose::Remedy, _) => Objection::Locked,
    }
}

/// One at a time: each step is decided on what the one before it has left. An undo need not wait for what it undoes.
fn alone(mode: Mode, incident: &Incident, step: StepId) -> Result<(), Objection> {
    let undone = incident.undos.get(&step);
    let leaves = |state: &StepState| mode == Mode::Live && *state == StepState::Approved;
    let mut others = incident.plan.iter().flat_map(|plan| &plan.steps);
    let busy = others.find(|other| {
        other.id != step && undone != Some(&other.id) && (other.state.is_in_flight() || leaves(&other.state))
    });
    busy.map_or(Ok(()), |other| Err(Objection::Busy { step, other: other.id }))
}

/// A gate that is open says that some remedy suffices, not that this one does: a step of an earlier verdict may be left.
fn offered(incident: &Incident, found: &Step) -> Result<(), Objection> {
    if incident.still_offers(found) { Ok(()) } else { Err(Objection::NotOffered { step: found.id }) }
}

/// What a check forbids would be refused at the gate; it is said before anybody types a token, and in a dry-run, too.
fn sound(incident: &Incident, found: &Step) -> Result<(), Objection> {
    match found.rehearsal.as_ref().and_then(Rehearsal::failed_check) {
        Some(check) if check.name == AS_PLANNED => {
            // While an undo is open its plan is kept, and with it what the other steps were planned on.
            let undo = incident.open_undo().filter(|undo| *undo != found.id);
            let first = undo.map_or_else(String::new, |undo| format!(", once {undo} is decided"));
            Err(Objection::NotAsPlanned { step: found.id, text: format!("{}{first}", check.text) })
        }
        Some(check) => Err(Objection::CheckFailed { step: found.id, text: format!("{}: {}", check.name, check.text) }),
        None => Ok(()),
    }
}

/// Whether the step waits for a decision on just this digest.
fn waits(found: &Step, digest: &Digest, at: Timestamp) -> Result<(), Objection> {
    let step = found.id;
    let is_armed = matches!(found.state, StepState::Armed { .. });
    // The timer may come late; the time does not.
    if matches!(found.state, StepState::Armed { until } if at >= until) || found.state == StepState::Expired {
        return Err(Objection::Expired { step });
    }
    if !is_armed && found.state != StepState::Rehearsed {
        return Err(Objection::State { step, word: found.state.word() });
    }
    if found.digest.as_ref() == Some(digest) { Ok(()) } else { Err(Objection::OtherDigest { step }) }
}
