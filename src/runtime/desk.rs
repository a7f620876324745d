//! Where the person's wishes become events: each wish is checked against the session once more, then committed.

use crate::domain::drill::{Drill, DrillChange};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::{redact, sanitise};
use crate::domain::remediation::approval::Decision;
use crate::domain::remediation::policy::Confirm;
use crate::domain::remediation::request::{Digest, Mode};
use crate::domain::remediation::runbook;
use crate::domain::remediation::step::{Step, StepId};
use crate::rehearsal::clock::Speed;
use crate::session::effect::Effect;
use crate::session::event::{AlarmEvent, Event, NarrativeEvent, RemediationEvent, SessionEvent};
use crate::session::header::Origin;
use crate::session::remediation::{self, Press};
use crate::session::{IncidentId, narrative, triage};
use crate::ui::intent::Intent;

use super::core::Core;

/// The fastest a rehearsal may run for a person to approve anything in it.
const FASTEST_FOR_A_PERSON: f64 = 10.0;

/// What is left for the face to do: what concerns the terminal or the disk.
#[derive(Debug, PartialEq, Eq)]
pub enum Wish {
    /// Nothing.
    Done,
    /// Tell the person.
    Tell(String),
    /// Leave.
    Quit,
    /// Stop the process until the shell continues it.
    Suspend,
    /// Draw everything again.
    Repaint,
    /// Put a text on the clipboard.
    Copy(String),
    /// Write a text to a file.
    Save {
        /// A plain name.
        name: String,
        /// The text.
        text: String,
    },
    /// Write the transcript out.
    Export,
    /// Read the configuration again.
    Reload,
    /// Leave for a rehearsal.
    TryRehearsal,
}

/// Who presses the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hands {
    /// A person.
    Person,
    /// A script, which exists against the simulator alone.
    Script,
}

/// Carries one wish out.
pub fn apply(core: &mut Core, hands: Hands, intent: Intent) -> Wish {
    match intent {
        Intent::Quit => Wish::Quit,
        Intent::Suspend => Wish::Suspend,
        Intent::Repaint => Wish::Repaint,
        Intent::Copy { text } => Wish::Copy(text),
        Intent::Save { name, text } => Wish::Save { name, text },
        Intent::Export => Wish::Export,
        Intent::Reload => Wish::Reload,
        Intent::TryRehearsal => Wish::TryRehearsal,
        Intent::Approve { incident, step, digest } => approve(core, hands, (incident, step), &digest),
        Intent::Confirm { incident, step, digest } => decide(core, (incident, step), |by, expires_at| {
            Decision::Approved { digest, confirm: Confirm::Typed, by, expires_at }
        }),
        Intent::Deny { incident, step, reason } => {
            let reason = clean(&reason);
            decide(core, (incident, step), |by, _| Decision::Denied { reason, by })
        }
        Intent::Skip { incident, step } => decide(core, (incident, step), |by, _| Decision::Skipped { by }),
        Intent::Rehearse { incident, step } => match objection(core, (incident, step), Press::Rehearse) {
            Some(told) => told,
            None => remediate(core, incident, RemediationEvent::RehearsalAsked { step }),
        },
        Intent::StandDown { incident, step, why } => {
            remediate(core, incident, RemediationEvent::StoodDown { step, why })
        }
        Intent::CallBack { why } => called_back(core, &why),
        Intent::Undo { incident, step } => undo(core, incident, step),
        Intent::GameDay { drill } => drilled(core, drill),
        Intent::Inject { injection } => {
            let fault = injection.at(core.clock.now());
            let text = format!("{}: {}", fault.word(), injection.text());
            game_day(core, DrillChange::Injected { fault }, text)
        }
        Intent::ClearFault { fault } => {
            let text = format!("{} is cleared", fault.word());
            game_day(core, DrillChange::Cleared { fault }, text)
        }
        Intent::SettleUncertain { incident, step } => {
            if let Some(fault) = core.session.elsewhere() {
                return Wish::Tell(fault.to_string());
            }
            if let Some(found) = step_of(core, incident, step).cloned() {
                let started = core.session.incidents.get(&incident).and_then(|incident| incident.started);
                let left_at = started.filter(|started| started.step == step).map(|started| started.at_aws);
                core.runner.look(incident, (found, left_at));
            }
            Wish::Tell("Looking at the cluster; nothing is sent.".to_owned())
        }
        Intent::AskAgain { .. }
        | Intent::StandOnRules { .. }
        | Intent::Inquire { .. }
        | Intent::CancelStream { .. }
        | Intent::Note { .. }
        | Intent::TogglePin { .. }
        | Intent::Inspect { .. }
        | Intent::Investigate { .. }
        | Intent::Refresh => inquire(core, intent),
    }
}

fn called_back(core: &mut Core, why: &str) -> Wish {
    let steps: Vec<String> = core.call_back(why).iter().map(ToString::to_string).collect();
    if steps.is_empty() {
        return Wish::Done;
    }
    Wish::Tell(format!("Called back: {} changed nothing. d rehearses it again.", steps.join(", ")))
}

fn inquire(core: &mut Core, intent: Intent) -> Wish {
    match intent {
        Intent::AskAgain { incident } => {
            if let Some(fault) = core.session.elsewhere() {
                return Wish::Tell(fault.to_string());
            }
            let effects = triage::ask_again(&core.session, incident, core.now());
            core.runner.refresh();
            core.conclude(effects);
        }
        Intent::StandOnRules { incident } => {
            core.runner.stop_asking(incident);
            let by = who(core);
            core.commit(Some(incident), Event::Narrative(NarrativeEvent::RulesChosen { by }));
        }
        Intent::Inquire { incident, text } => {
            if core.session.header.model.is_none() {
                return Wish::Tell("There is no model in this session: only the rules speak.".to_owned());
            }
            let effects = narrative::ask_on_request(&core.session, incident, Some(&clean(&text)));
            core.conclude(effects);
        }
        Intent::CancelStream { incident } => stop_stream(core, incident),
        Intent::Note { text } => {
            core.commit(None, Event::Session(SessionEvent::Noted { text: clean(&text) }));
        }
        Intent::TogglePin { incident, evidence } => {
            core.commit(Some(incident), Event::Session(SessionEvent::PinToggled { evidence }));
        }
        Intent::Inspect { alarm } => core.conclude(vec![Effect::Inspect { alarm }]),
        Intent::Investigate { alarm } => {
            core.commit(None, Event::Alarm(AlarmEvent::Chosen { name: alarm }));
        }
        Intent::Refresh => core.runner.refresh(),
        // The rest is settled by `apply`.
        Intent::Quit
        | Intent::Suspend
        | Intent::Repaint
        | Intent::Copy { .. }
        | Intent::Save { .. }
        | Intent::Export
        | Intent::Reload
        | Intent::TryRehearsal
        | Intent::GameDay { .. }
        | Intent::Inject { .. }
        | Intent::ClearFault { .. }
        | Intent::Approve { .. }
        | Intent::Confirm { .. }
        | Intent::Deny { .. }
        | Intent::Skip { .. }
        | Intent::Rehearse { .. }
        | Intent::StandDown { .. }
        | Intent::CallBack { .. }
        | Intent::Undo { .. }
        | Intent::SettleUncertain { .. } => {}
    }
    Wish::Done
}

fn stop_stream(core: &mut Core, incident: IncidentId) {
    core.runner.stop_asking(incident);
    let attempt = core.session.incidents.get(&incident).map_or(0, |incident| incident.narrative.attempt);
    let fault = Fault::new(FaultKind::Cut, "The narrative was stopped by the person.")
        .hint("Ask again with r, or stand on the rules with R.");
    core.commit(Some(incident), Event::Narrative(NarrativeEvent::Broke { attempt, fault }));
}

/// Lets a drill begin, or ends all.
fn drilled(core: &mut Core, drill: Drill) -> Wish {
    let change = match drill.injection() {
        Some(injection) => DrillChange::Injected { fault: injection.at(core.clock.now()) },
        None => DrillChange::AllCleared,
    };
    game_day(core, change, drill.text().to_owned())
}

/// Changes the faults of a game day. A session on the real endpoints has nothing that could be made to fail.
fn game_day(core: &mut Core, change: DrillChange, text: String) -> Wish {
    let Some(faults) = &core.game_day else {
        return Wish::Tell("A game day is for rehearsals: the real cloud is not made to fail.".to_owned());
    };
    faults.change(&change, core.clock.now());
    core.commit(None, Event::Session(SessionEvent::GameDay { text, change: Some(change) }));
    Wish::Done
}

/// What a person wrote, fit for the journal.
fn clean(text: &str) -> String {
    redact::redact(&sanitise::line(text)).text
}

fn step_of(core: &Core, incident: IncidentId, step: StepId) -> Option<&Step> {
    core.session.incidents.get(&incident)?.step(step)
}

fn who(core: &Core) -> String {
    core.session.header.scope.identity.clone().unwrap_or_else(|| "the person at the terminal".to_owned())
}

fn remediate(core: &mut Core, incident: IncidentId, event: RemediationEvent) -> Wish {
    core.commit(Some(incident), Event::Remediation(event));
    Wish::Done
}

/// A press that the fold would leave alone is no decision: it is told, and not written down as one.
fn objection(core: &Core, at: (IncidentId, StepId), press: Press<'_>) -> Option<Wish> {
    let objection = remediation::admits(&core.session, core.now(), at, press).err()?;
    Some(Wish::Tell(objection.text()))
}

fn decide(
    core: &mut Core,
    (incident, step): (IncidentId, StepId),
    decision: impl FnOnce(String, jiff::Timestamp) -> Decision,
) -> Wish {
    let expires_at = falls_at(core);
    let decision = decision(who(core), expires_at);
    if let Some(told) = objection(core, (incident, step), Press::of(&decision)) {
        return told;
    }
    remediate(core, incident, RemediationEvent::DecisionGiven { step, decision })
}

/// The incident time at which an approval that is given now falls.
fn falls_at(core: &Core) -> jiff::Timestamp {
    core.now() + core.clock.while_a_person_has(core.session.header.policy.approval_ttl())
}

fn approve(core: &mut Core, hands: Hands, (incident, step): (IncidentId, StepId), digest: &Digest) -> Wish {
    if let Some(refusal) = too_fast(core, hands) {
        return Wish::Tell(refusal);
    }
    if let Some(told) = objection(core, (incident, step), Press::Approve(digest)) {
        return told;
    }
    let Some(found) = step_of(core, incident, step) else { return Wish::Done };
    let header = &core.session.header;
    let (namespace, action) = (found.target.namespace.clone(), found.action.kind());
    let approved = |confirm| {
        let digest = digest.clone();
        move |by, expires_at| Decision::Approved { digest, confirm, by, expires_at }
    };
    match header.mode {
        Mode::DryRun => decide(core, (incident, step), approved(Confirm::Key)),
        Mode::Live => match header.policy.live_rule(&header.scope, &namespace, action) {
            Err(refusal) => Wish::Tell(refusal.0),
            Ok(rule) => match rule.confirm {
                Confirm::Key => decide(core, (incident, step), approved(Confirm::Key)),
                Confirm::Typed => {
                    let until = falls_at(core);
                    remediate(core, incident, RemediationEvent::StepArmed { step, digest: digest.clone(), until })
                }
            },
        },
    }
}

fn too_fast(core: &Core, hands: Hands) -> Option<String> {
    let person = match hands {
        Hands::Person => true,
        Hands::Script => false,
    };
    let fast = match core.clock.speed() {
        Some(Speed::Times(factor)) => factor > FASTEST_FOR_A_PERSON,
        Some(Speed::Max) => true,
        None => false,
    };
    (person && fast && matches!(core.session.header.origin, Origin::Rehearsal { .. }))
        .then(|| "This rehearsal runs too fast for a person to approve: use --speed 10 or slower.".to_owned())
}

fn undo(core: &mut Core, incident: IncidentId, step: StepId) -> Wish {
    if let Some(fault) = core.session.elsewhere() {
        return Wish::Tell(fault.to_string());
    }
    if let Some(found) = step_of(core, incident, step).filter(|step| !step.state.can_be_undone()) {
        return Wish::Tell(format!("{} is {}: it changed nothing that could be undone.", found.id, found.state.word()));
    }
    let found = core.session.incidents.get(&incident);
    match found.and_then(|found| runbook::with_undo(found.plan.as_ref()?, step, found.last_step)) {
        Some(plan) => {
            let undo = plan.steps.last().map(|undo| undo.id);
            remediate(core, incident, RemediationEvent::UndoProposed { of: step, plan: Box::new(plan) });
            let known = core.session.incidents.get(&incident);
            let is_read = known.is_some_and(|incident| incident.gate.is_some());
            let told = match (undo.and_then(|undo| step_of(core, incident, undo)), is_read) {
                (Some(undo), true) => format!("{} undoes {step} and is rehearsed first.", undo.id),
                (Some(undo), false) => {
                    format!("{} undoes {step}: the evidence is read again, then it is rehearsed.", undo.id)
                }
                (None, _) => format!("An undo of {step} is proposed already."),
            };
            Wish::Tell(told)
        }
        None => Wish::Tell(
            "No undo is offered: what this step replaced was the broken state. The way back is on its UNDO line."
                .to_owned(),
        ),
    }
}
