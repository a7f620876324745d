//! The model's part: when it is asked, what it says sentence by sentence, and its structured answer under check.

use super::effect::Effect;
use super::event::{Event, NarrativeEvent};
use super::incident::{Incident, Narrative, Phase};
use super::record::{IncidentId, Record};
use super::state::Session;
use super::triage::conclude;
use super::{judgement, remediation, standing};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::alarm::Severity;
use crate::domain::remediation::gate::{NarrativeStanding, StandsOn};

/// Concludes that the model is asked, if there is one and the incident is worth it; `None` otherwise.
///
/// A P3 beside a worse open incident is not sent by itself: a storm must not queue ahead of what hurts users.
pub fn begin(session: &Session, id: IncidentId, inquiry: Option<&str>) -> Option<Vec<Effect>> {
    let model = session.header.model.clone().filter(|_| session.elsewhere.is_none())?;
    let incident = session.incidents.get(&id)?;
    if inquiry.is_none() && !is_urgent(session, incident) {
        return None;
    }
    Some(vec![ask(session, incident, model, inquiry)])
}

/// Concludes that the model is asked because the person wants it.
pub fn ask_on_request(session: &Session, id: IncidentId, inquiry: Option<&str>) -> Vec<Effect> {
    let Some(incident) = session.incidents.get(&id) else { return Vec::new() };
    let Some(model) = session.header.model.clone().filter(|_| session.elsewhere.is_none()) else { return Vec::new() };
    vec![ask(session, incident, model, inquiry)]
}

fn ask(session: &Session, incident: &Incident, model: String, inquiry: Option<&str>) -> Effect {
    let event = NarrativeEvent::Asked {
        model,
        attempt: incident.narrative.attempt + 1,
        inquiry: inquiry.map(str::to_owned),
        prompt: judgement::prompt(session, incident, inquiry),
    };
    conclude(incident.id, Event::Narrative(event))
}

fn is_urgent(session: &Session, incident: &Incident) -> bool {
    let is_focus = incident.alarms.iter().any(|alarm| session.is_focus(alarm));
    let worse = session.incidents.values().any(|other| other.severity < incident.severity);
    is_focus || incident.severity < Severity::P3 || !worse
}

/// Folds an event about the narrative. Events of an attempt that is no longer the present one are left alone.
pub fn fold(session: &mut Session, record: &Record, event: &NarrativeEvent) -> Vec<Effect> {
    let Some(id) = record.incident else { return Vec::new() };
    match event {
        NarrativeEvent::Asked { .. } => asked(session, record, id, event),
        NarrativeEvent::Opened { attempt } => {
            if let Some(narrative) = present(session, id, *attempt) {
                narrative.opened_at = Some(record.at);
            }
            Vec::new()
        }
        NarrativeEvent::TextArrived { attempt, text } => text_arrived(session, record, *attempt, text),
        NarrativeEvent::Proposed { attempt, proposal } => {
            if let Some(narrative) = present(session, id, *attempt) {
                narrative.proposal = Some((**proposal).clone());
            }
            Vec::new()
        }
        NarrativeEvent::ProposalUnreadable { attempt, why } => {
            if let Some(narrative) = present(session, id, *attempt) {
                narrative.unreadable = Some(why.clone());
            }
            Vec::new()
        }
        NarrativeEvent::Ended { .. } | NarrativeEvent::Broke { .. } => ended(session, record, id, event),
        NarrativeEvent::DiagnosisChecked { diagnosis } => {
            if let Some(incident) = session.incidents.get_mut(&id) {
                incident.diagnosis = Some((**diagnosis).clone());
            }
            remediation::judge(session, id, record.at)
        }
        NarrativeEvent::RulesChosen { .. } => {
            rules_chosen(session, id);
            remediation::judge(session, id, record.at)
        }
    }
}

fn asked(session: &mut Session, record: &Record, id: IncidentId, event: &NarrativeEvent) -> Vec<Effect> {
    let NarrativeEvent::Asked { model, attempt, inquiry, prompt } = event else { return Vec::new() };
    let mut effects = remediation::stand_down(session, id, "the model was asked again");
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    incident.narrative = Narrative {
        model: model.clone(),
        attempt: *attempt,
        standing: NarrativeStanding::UnderWay,
        asked_at: Some(record.at),
        inquiry: inquiry.clone(),
        prompt: prompt.clone(),
        ..Narrative::default()
    };
    incident.diagnosis = None;
    incident.gate = None;
    standing::reopen(incident, Phase::Diagnosing);
    // Neither the rules nor the way back from a step of ours waits for the model.
    let is_judged = incident.stands_on == StandsOn::Rules || incident.has_open_undo();
    effects.push(Effect::Ask { incident: id, attempt: *attempt });
    if is_judged {
        effects.extend(remediation::judge(session, id, record.at));
    }
    effects
}

fn rules_chosen(session: &mut Session, id: IncidentId) {
    let Some(incident) = session.incidents.get_mut(&id) else { return };
    incident.stands_on = StandsOn::Rules;
    if incident.narrative.standing == NarrativeStanding::UnderWay {
        // Its stream was ended with the choice, so no end of it will be told.
        let summary = "The narrative was stopped: the person stands on the rules alone.";
        incident.narrative.standing = NarrativeStanding::Broken;
        incident.narrative.fault = Some(Fault::new(FaultKind::Cut, summary));
    }
}

/// The narrative, if this is its present attempt and it is still being written.
fn present(session: &mut Session, id: IncidentId, attempt: u32) -> Option<&mut Narrative> {
    let narrative = &mut session.incidents.get_mut(&id)?.narrative;
    (narrative.attempt == attempt && narrative.standing == NarrativeStanding::UnderWay).then_some(narrative)
}

fn text_arrived(session: &mut Session, record: &Record, attempt: u32, text: &str) -> Vec<Effect> {
    let Some(id) = record.incident else { return Vec::new() };
    let Some(narrative) = present(session, id, attempt) else { return Vec::new() };
    narrative.first_text_at.get_or_insert(record.at);
    narrative.last_text_at = Some(record.at);
    narrative.text.push_str(text);
    judgement::claim_whole_sentences(session, id);
    Vec::new()
}

fn ended(session: &mut Session, record: &Record, id: IncidentId, event: &NarrativeEvent) -> Vec<Effect> {
    let (NarrativeEvent::Ended { attempt, .. } | NarrativeEvent::Broke { attempt, .. }) = event else {
        return Vec::new();
    };
    let Some(narrative) = present(session, id, *attempt) else { return Vec::new() };
    match event {
        NarrativeEvent::Ended { stop, usage, .. } => {
            narrative.stop = Some(stop.clone());
            narrative.usage = *usage;
            // A reply that ran into a limit or a filter is not whole, whatever it says so far.
            narrative.standing = if stop.is_whole() { NarrativeStanding::Complete } else { NarrativeStanding::Broken };
        }
        NarrativeEvent::Broke { fault, .. } => {
            narrative.fault = Some(fault.clone());
            narrative.standing = NarrativeStanding::Broken;
        }
        NarrativeEvent::Asked { .. }
        | NarrativeEvent::Opened { .. }
        | NarrativeEvent::TextArrived { .. }
        | NarrativeEvent::Proposed { .. }
        | NarrativeEvent::ProposalUnreadable { .. }
        | NarrativeEvent::DiagnosisChecked { .. }
        | NarrativeEvent::RulesChosen { .. } => {}
    }
    let complete = narrative.standing == NarrativeStanding::Complete;
    judgement::claim_the_rest(session, id);
    match judgement::diagnosis(session, id).filter(|_| complete) {
        Some(checked) => vec![checked],
        None => remediation::judge(session, id, record.at),
    }
}
