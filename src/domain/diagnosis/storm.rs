//! Alarms that began together: which incidents belong to one storm, and which of them probably moved first. A guess that
//! says so: no remedy rests on it.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::evidence::{Evidence, Payload};
use crate::domain::observation::log::LogLevel;
use crate::domain::observation::log_sign::LogSign;
use crate::domain::observation::service::{ServiceName, contains_name};

/// What began within so long of each other began together.
const TOGETHER: SignedDuration = SignedDuration::from_mins(15);

/// How sure it is who moved first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// Others name it as what fails them, and it names nobody.
    Likely,
    /// It began first, and that is all.
    Guess,
}

/// One incident as a member of a storm.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// The service.
    pub service: &'a ServiceName,
    /// When it began: its onset where the evidence tells it, else its first alarm.
    pub began: Timestamp,
    /// What was read of it.
    pub evidence: &'a [Evidence],
}

/// Incidents that began together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storm {
    /// The services, the one that began first leading.
    pub members: Vec<ServiceName>,
    /// The one that probably moved first.
    pub first_mover: ServiceName,
    /// How sure that is.
    pub certainty: Certainty,
    /// One sentence a reason.
    pub reasons: Vec<String>,
}

/// `3 services began together; my-api probably moved first: …`.
impl fmt::Display for Storm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.members.iter().map(ServiceName::as_str).collect();
        let sure = match self.certainty {
            Certainty::Likely => "probably moved first",
            Certainty::Guess => "may have moved first (a guess)",
        };
        write!(f, "{} began together; {} {sure}: {}", names.join(", "), self.first_mover, self.reasons.join(" "))
    }
}

/// The storm that a service is part of, if it began together with any other.
///
/// 1. Members are those whose beginnings form a chain with its own, each within a quarter of an hour of the next.
/// 2. The first mover is the one that most of the others name in lines of a failing dependency; among equals the one that
///    names fewer itself, then the one that began first.
pub fn storm_of(service: &ServiceName, all: &[Member<'_>]) -> Option<Storm> {
    let mut sorted: Vec<&Member<'_>> = all.iter().collect();
    sorted.sort_by(|a, b| a.began.cmp(&b.began).then_with(|| a.service.cmp(b.service)));
    let chains = sorted.chunk_by(|a, b| b.began.duration_since(a.began) <= TOGETHER);
    let members = chains.into_iter().find(|chain| chain.iter().any(|member| member.service == service))?;
    let (first, others) = members.split_first()?;
    if others.is_empty() {
        return None;
    }
    let named_by = |one: &Member<'_>| members.iter().filter(|other| names(other, one.service)).count();
    let names_others = |one: &Member<'_>| members.iter().filter(|other| names(one, other.service)).count();
    let mover = members.iter().min_by_key(|one| (std::cmp::Reverse(named_by(one)), names_others(one), one.began))?;
    let blamed: Vec<&str> =
        members.iter().filter(|other| names(other, mover.service)).map(|other| other.service.as_str()).collect();
    let mut reasons = Vec::new();
    if !blamed.is_empty() {
        reasons.push(format!("The logs of {} name it among what fails them.", blamed.join(", ")));
    }
    if mover.service == first.service {
        let lead = others.first().map_or(SignedDuration::ZERO, |next| next.began.duration_since(first.began));
        reasons.push(match lead.as_mins() {
            0 if lead.is_zero() => "Another began at the same time.".to_owned(),
            0 => "It began first, less than a minute before the next.".to_owned(),
            minutes => format!("It began first, {minutes} min before the next."),
        });
    }
    if names_others(mover) == 0 && !blamed.is_empty() {
        reasons.push("Its own logs name none of the others.".to_owned());
    }
    let likely = !blamed.is_empty() && names_others(mover) == 0;
    Some(Storm {
        members: members.iter().map(|member| member.service.clone()).collect(),
        first_mover: mover.service.clone(),
        certainty: if likely { Certainty::Likely } else { Certainty::Guess },
        reasons,
    })
}

/// Whether a member's logs name another service where they tell of a failing dependency, or in a template of errors.
fn names(member: &Member<'_>, service: &ServiceName) -> bool {
    member.service != service
        && member.evidence.iter().any(|piece| match piece.answer.payload() {
            Some(Payload::LogPatterns { templates, signs, .. }) => {
                let told = |text: &str| contains_name(text, service.as_str());
                let loud = templates.iter().filter(|template| template.level == LogLevel::Error);
                signs.iter().any(|sign| sign.sign == LogSign::Dependency && told(&sign.example))
                    || loud.into_iter().any(|template| told(&template.template) || told(&template.example))
            }
            Some(
                Payload::Series { .. }
                | Payload::OomKills(_)
                | Payload::Collector { .. }
                | Payload::Workload { .. }
                | Payload::Changes { .. },
            )
            | None => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::diagnosis::rules::tests::fixture::{Incident, now};

    fn blaming(whom: &str) -> Vec<Evidence> {
        Incident::healthy().signs(&[(LogSign::Dependency, 40)], 40).saying(whom).evidence()
    }

    #[test]
    fn the_one_that_others_name_moved_first() {
        let (api, orders, checkout, far) =
            (ServiceName::from("my-api"), ServiceName::from("orders"), ServiceName::from("checkout"), "far".into());
        let quiet = Incident::healthy().evidence();
        let blames = blaming("POST http://my-api.payments.svc/v1: connection refused");
        let minute = |n: i64| now() - SignedDuration::from_mins(30 - n);
        let all = [
            Member { service: &orders, began: minute(4), evidence: &blames },
            Member { service: &api, began: minute(6), evidence: &quiet },
            Member { service: &checkout, began: minute(9), evidence: &blames },
            Member { service: &far, began: minute(-90), evidence: &quiet },
        ];
        let storm = storm_of(&checkout, &all).unwrap();
        assert_eq!((storm.members.len(), &storm.first_mover, storm.certainty), (3, &api, Certainty::Likely), "{storm}");
        assert_eq!(storm_of(&far, &all), None);
        let silent = [all[1], Member { evidence: &quiet, ..all[0] }];
        let guess = storm_of(&api, &silent).unwrap();
        assert_eq!((&guess.first_mover, guess.certainty), (&orders, Certainty::Guess), "{guess}");
        assert_eq!(guess.reasons, ["It began first, 2 min before the next."]);
        let at_once = [Member { evidence: &quiet, ..all[1] }, Member { evidence: &quiet, began: minute(6), ..all[0] }];
        let guess = storm_of(&api, &at_once).unwrap();
        assert_eq!(guess.reasons, ["Another began at the same time."], "{guess}");
    }
}
