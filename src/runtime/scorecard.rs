//! The scorecard: every scenario judged without a screen, and how often the rules were right.
//!
//! A case is judged on the pure path: the world and the cluster of the scenario are asked directly for what CloudWatch,
//! Logs and Kubernetes would answer at the page, through the same tables, evidence and rules. No socket, no model: the
//! narrative has no part in it.

mod case;
mod variation;
mod world;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::clock::Clock;
use crate::domain::count::counted;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::service::ServiceName;
use crate::rehearsal::scenario::{self, Scenario};

pub use case::{Case, Outcome};
use variation::{Strength, varied};

/// What the cases are, said wherever they are counted.
const LABEL: &str = "our own regression cases, judged on the pure path (world, evidence, rules; no sockets, no model): a net, not a proof";

/// How far variations go, the next where nothing pages.
const STRENGTHS: [Strength; 4] = [Strength(1.0), Strength(0.5), Strength(0.2), Strength(0.0)];

/// What to run.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Scenarios by name, file or folder; all that ship where empty.
    pub scenarios: Vec<String>,
    /// Seeds of each: its own, as written, and variations of it by the numbers after it.
    pub seeds: u32,
}

/// All cases with their sums.
#[derive(Clone, Debug, Serialize)]
pub struct Scorecard {
    /// `pagerdeck/scorecard/1`.
    pub schema: &'static str,
    /// What the cases are.
    pub label: &'static str,
    /// The sums over shipped scenarios.
    pub summary: Summary,
    /// The sums over the files and folders given, kept apart.
    pub given: Option<Summary>,
    /// How often a settled verdict was right, by its confidence.
    pub calibration: Vec<Band>,
    /// Seconds it took.
    pub seconds: f64,
    /// Each case.
    pub cases: Vec<Case>,
}

/// Sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Cases.
    pub scenarios: u64,
    /// Of them variations: the others are as written, and of one scenario they are alike but for what is drawn from the seed.
    pub varied: u64,
    /// The verdict is the expected one.
    pub right: u64,
    /// The expected cause is among the first three.
    pub top3: u64,
    /// Another cause was settled.
    pub wrong: u64,
    /// Nothing was settled where something should be.
    pub abstained: u64,
    /// Remedies offered that should be offered.
    pub remedies_offered: u64,
    /// Remedies refused that should be refused.
    pub remedies_refused: u64,
    /// Remedies offered that should be refused.
    pub remedies_wrong: u64,
    /// Remedies refused that should be offered.
    pub remedies_missed: u64,
    /// OOM kills counted where there are none.
    pub false_oom: u64,
    /// Cases in which another number of OOM kills was counted than there were.
    pub oom_miscounted: u64,
}

/// Settled verdicts of a confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Band {
    /// From here.
    pub from: f64,
    /// To here.
    pub to: f64,
    /// Settled verdicts.
    pub settled: u64,
    /// Of them right.
    pub right: u64,
}

/// Runs the cases.
///
/// # Errors
/// `Usage` or `Storage` for a scenario that cannot be loaded.
pub fn run(asked: &Asked) -> Result<Scorecard, Fault> {
    let clock = Clock::wall();
    let shipped = asked.scenarios.is_empty();
    let names: Vec<String> = if shipped {
        scenario::list().into_iter().map(|summary| summary.name).collect()
    } else {
        asked.scenarios.clone()
    };
    let built_in: Vec<String> = scenario::list().into_iter().map(|summary| summary.name).collect();
    let mut cases = Vec::new();
    for name in &names {
        let scenario = scenario::load(name)?;
        let origin = if built_in.contains(name) { "shipped" } else { "given" };
        let mut about = None;
        for step in 0..u64::from(asked.seeds.max(1)) {
            let seed = scenario.seed.wrapping_add(step);
            let (case, service) = judged((&scenario, seed), origin, about.as_ref())?;
            cases.push(case);
            about.get_or_insert(service);
        }
    }
    let given = cases.iter().any(|case| case.origin == "given").then(|| summed(&cases, "given"));
    Ok(Scorecard {
        schema: "pagerdeck/scorecard/1",
        label: LABEL,
        summary: if given.is_some() && !cases.iter().any(|case| case.origin == "shipped") {
            given.unwrap_or_default()
        } else {
            summed(&cases, "shipped")
        },
        given,
        calibration: calibration(&cases),
        seconds: clock.mono_ms() as f64 / 1_000.0,
        cases,
    })
}

/// Judges one case: the scenario as written by its own seed, and a variation of it by each other, which is about the same
/// service.
fn judged(
    (scenario, seed): (&Scenario, u64),
    origin: &'static str,
    about: Option<&ServiceName>,
) -> Result<(Case, ServiceName), Fault> {
    let clock = Clock::wall();
    let as_written = [Strength(0.0)];
    let strengths = if seed == scenario.seed { &as_written[..] } else { &STRENGTHS };
    let mut last = None;
    for strength in strengths {
        let varied = varied(scenario, seed, *strength);
        match world::evidence(&varied, seed, about) {
            Ok(found_out) => {
                let mut case = Case::of(&varied, seed, &found_out);
                case.origin = origin;
                case.variation = strength.0;
                case.ms = clock.mono_ms();
                return Ok((case, found_out.service));
            }
            // A variation in which nothing pages is no incident: a weaker one is.
            Err(fault) => last = Some(fault),
        }
    }
    Err(last.unwrap_or_else(|| Fault::new(FaultKind::Internal, "no variation was tried")))
}

fn summed(cases: &[Case], origin: &str) -> Summary {
    let mut sum = Summary::default();
    for case in cases.iter().filter(|case| case.origin == origin) {
        sum.scenarios += 1;
        sum.varied += u64::from(case.variation > 0.0);
        sum.right += u64::from(case.outcome == Outcome::Right);
        sum.top3 += u64::from(case.is_among_three);
        sum.wrong += u64::from(case.outcome == Outcome::Wrong);
        sum.abstained += u64::from(case.outcome == Outcome::Abstained);
        sum.remedies_offered += case.remedies_offered;
        sum.remedies_refused += case.remedies_refused;
        sum.remedies_wrong += case.remedies_wrong.len() as u64;
        sum.remedies_missed += case.remedies_missed.len() as u64;
        sum.false_oom += u64::from(case.false_oom);
        sum.oom_miscounted += u64::from(case.is_miscounted());
    }
    sum
}

fn calibration(cases: &[Case]) -> Vec<Band> {
    let mut bands: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    for case in cases.iter().filter(|case| case.conclusive) {
        let band = bands.entry((case.confidence * 10.0).floor() as u32).or_default();
        *band = (band.0 + 1, band.1 + u64::from(case.outcome == Outcome::Right));
    }
    let band = |(tenth, (settled, right)): (u32, (u64, u64))| Band {
        from: f64::from(tenth) / 10.0,
        to: f64::from(tenth + 1) / 10.0,
        settled,
        right,
    };
    bands.into_iter().map(band).collect()
}

impl Scorecard {
    /// Whether every case came to what it expects.
    pub fn is_clean(&self) -> bool {
        let clean = |sum: &Summary| {
            let remedies = sum.remedies_wrong + sum.remedies_missed;
            sum.right == sum.scenarios && remedies == 0 && sum.false_oom + sum.oom_miscounted == 0
        };
        clean(&self.summary) && self.given.as_ref().is_none_or(clean)
    }

    /// One JSON object.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// For a person.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n\n", self.label);
        let width = self.cases.iter().map(|case| case.scenario.len()).max().unwrap_or(0);
        for case in &self.cases {
            let (name, seed, word, ms) = (&case.scenario, case.seed, case.outcome.word(), case.ms);
            let _ = writeln!(text, "{word:9} {name:width$} seed {seed:<5} {} ({ms} ms)", case.told());
        }
        text.push('\n');
        for (name, sum) in self.sums() {
            let _ = writeln!(text, "{name}: {}", told(sum));
        }
        let _ = writeln!(text, "in {:.1} s", self.seconds);
        for band in &self.calibration {
            let _ =
                writeln!(text, "confidence {:.1}-{:.1}: {} of {} right", band.from, band.to, band.right, band.settled);
        }
        text
    }

    /// As Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("# Scorecard\n\n{}\n\n", self.label);
        for (name, sum) in self.sums() {
            let _ = writeln!(text, "**{name}**: {}\n", told(sum));
        }
        text.push_str("| scenario | seed | outcome | expected | found | confidence | wrong remedies | ms |\n|---|---|---|---|---|---|---|---|\n");
        for case in &self.cases {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {:.2} | {} | {} |",
                case.scenario,
                case.seed,
                case.outcome.word(),
                case.expected,
                case.found,
                case.confidence,
                case.remedies_wrong.join(", "),
                case.ms
            );
        }
        text.push_str("\n| confidence | settled | right |\n|---|---|---|\n");
        for band in &self.calibration {
            let _ = writeln!(text, "| {:.1}-{:.1} | {} | {} |", band.from, band.to, band.settled, band.right);
        }
        text
    }

    fn sums(&self) -> Vec<(&'static str, Summary)> {
        let only_given = !self.cases.iter().any(|case| case.origin == "shipped");
        let first = if only_given { "given" } else { "shipped" };
        let second = self.given.filter(|_| !only_given).map(|sum| ("given", sum));
        std::iter::once((first, self.summary)).chain(second).collect()
    }
}

fn told(sum: Summary) -> String {
    format!(
        "{} ({} of them varied), {} right, {} among the first three, {} wrong, {} abstained; remedies: {} rightly offered, {} rightly refused, {} wrong, {} missed; OOM: {} false, {} miscounted",
        counted(sum.scenarios, "case"),
        sum.varied,
        sum.right,
        sum.top3,
        sum.wrong,
        sum.abstained,
        sum.remedies_offered,
        sum.remedies_refused,
        sum.remedies_wrong,
        sum.remedies_missed,
        sum.false_oom,
        sum.oom_miscounted
    )
}
