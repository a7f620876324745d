//! One case: what a scenario expects, beside what the rules made of it.

use serde::Serialize;

use super::world::Seen;
use crate::domain::diagnosis::evidence::Payload;
use crate::domain::diagnosis::rules::judge;
use crate::domain::diagnosis::sufficiency::{Sufficiency, offers};
use crate::domain::diagnosis::verdict::{Cause, MissingEvidence};
use crate::domain::drill::Api;
use crate::rehearsal::scenario::{GateWord, ModelMode, Scenario};

/// How a case came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// As expected, also where inconclusive is what is expected.
    Right,
    /// Another cause was settled.
    Wrong,
    /// Nothing was settled where something should be.
    Abstained,
}

impl Outcome {
    /// The word in the list.
    pub fn word(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Wrong => "WRONG",
            Self::Abstained => "abstained",
        }
    }
}

/// A case.
#[derive(Clone, Debug, Serialize)]
pub struct Case {
    /// The scenario.
    pub scenario: String,
    /// `shipped` or `given`.
    pub origin: &'static str,
    /// Its seed.
    pub seed: u64,
    /// How far it is a variation of the scenario: from 0, as written, to 1.
    pub variation: f64,
    /// The cause expected.
    pub expected: String,
    /// The cause ranked first.
    pub found: String,
    /// The confidence in it.
    pub confidence: f64,
    /// Whether it is settled.
    pub conclusive: bool,
    /// The causes that fit best, three at most.
    pub ranked: Vec<String>,
    /// Whether the expected cause is among them.
    pub is_among_three: bool,
    /// How it came out.
    pub outcome: Outcome,
    /// Remedies that the evidence suffices for.
    pub offered: Vec<String>,
    /// How many of them should be.
    pub remedies_offered: u64,
    /// How many of those that should be refused are.
    pub remedies_refused: u64,
    /// Of them those that should be refused.
    pub remedies_wrong: Vec<String>,
    /// Remedies refused that should be offered.
    pub remedies_missed: Vec<String>,
    /// OOM kills counted.
    pub oom_kills: Option<u64>,
    /// OOM kills that it should count, where it says so.
    pub oom_kills_expected: Option<u64>,
    /// Whether kills were counted where there are none.
    pub false_oom: bool,
    /// What is missing and would decide.
    pub missing: Vec<String>,
    /// Milliseconds.
    pub ms: u64,
}

impl Case {
    /// Judges what was seen of a scenario.
    pub(super) fn of(scenario: &Scenario, seed: u64, found_out: &Seen) -> Self {
        let expect = &scenario.expect;
        let verdict = judge(&found_out.evidence, found_out.now);
        let offered: Vec<String> = offers(&verdict, &found_out.evidence, found_out.now)
            .into_iter()
            .filter(|offer| matches!(offer.sufficiency, Sufficiency::Sufficient { .. }))
            .map(|offer| offer.remedy.id().to_owned())
            .collect();
        let found = verdict.cause().id().to_owned();
        let fitting = verdict.ranked.iter().filter(|ranked| ranked.cause != Cause::Inconclusive);
        let ranked: Vec<String> = fitting.take(3).map(|ranked| ranked.cause.id().to_owned()).collect();
        let outcome = match (found == expect.cause && verdict.conclusive == expect.conclusive, verdict.conclusive) {
            (true, _) => Outcome::Right,
            (false, true) => Outcome::Wrong,
            (false, false) => Outcome::Abstained,
        };
        // What becomes of the model is no part of a case: where its script or a fault of its API keeps the gate locked, the
        // remedies are those of the incident that it does not explain.
        let has_script = scenario.model.mode == ModelMode::Script;
        let is_cut = scenario.faults.iter().any(|fault| fault.service == Api::Bedrock);
        let of_the_model = (has_script || is_cut) && expect.gate == Some(GateWord::Locked);
        let listed = |ids: &[String], id: &String| ids.contains(id);
        let remedies_wrong =
            offered.iter().filter(|id| !of_the_model && !listed(&expect.offered, id)).cloned().collect();
        let remedies_missed = expect.offered.iter().filter(|id| !listed(&offered, id)).cloned().collect();
        let oom_kills = kills(found_out);
        let decisive = |missing: &&MissingEvidence| missing.decisive;
        Self {
            scenario: scenario.name.clone(),
            origin: "shipped",
            variation: 0.0,
            seed,
            is_among_three: ranked.contains(&expect.cause) || outcome == Outcome::Right,
            expected: expect.cause.clone(),
            found,
            confidence: verdict.confidence().value(),
            conclusive: verdict.conclusive,
            ranked,
            outcome,
            remedies_offered: expect.offered.iter().filter(|id| listed(&offered, id)).count() as u64,
            remedies_refused: expect.refused.iter().filter(|id| !listed(&offered, id)).count() as u64,
            offered,
            remedies_wrong,
            remedies_missed,
            false_oom: oom_kills.is_some_and(|kills| kills > 0) && expect.oom_kills == Some(0),
            oom_kills,
            oom_kills_expected: expect.oom_kills,
            missing: verdict.missing.iter().filter(decisive).map(|one| one.question.word().to_owned()).collect(),
            ms: 0,
        }
    }

    /// Whether another number of kills was counted than there were.
    pub fn is_miscounted(&self) -> bool {
        self.oom_kills_expected.is_some_and(|expected| self.oom_kills != Some(expected))
    }

    /// One line for a person.
    pub(super) fn told(&self) -> String {
        let mut text = format!("{} {:.2}", self.found, self.confidence);
        if self.outcome != Outcome::Right {
            text = format!("expected {}, found {text} [{}]", self.expected, self.ranked.join(", "));
        }
        for (word, ids) in [("offered wrongly", &self.remedies_wrong), ("not offered", &self.remedies_missed)] {
            if !ids.is_empty() {
                text = format!("{text}; {word}: {}", ids.join(", "));
            }
        }
        if self.is_miscounted() {
            let told = |kills: Option<u64>| kills.map_or_else(|| "none".to_owned(), |kills| kills.to_string());
            text = format!("{text}; OOM kills: {} of {}", told(self.oom_kills), told(self.oom_kills_expected));
        }
        text
    }
}

fn kills(seen: &Seen) -> Option<u64> {
    seen.evidence.iter().find_map(|piece| match piece.answer.payload()? {
        Payload::OomKills(count) => Some(count.total),
        Payload::Series { .. }
        | Payload::Collector { .. }
        | Payload::LogPatterns { .. }
        | Payload::Workload { .. }
        | Payload::Changes { .. } => None,
    })
}
