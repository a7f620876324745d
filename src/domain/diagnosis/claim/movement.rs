//! Sentences that say which way something went, held against the evidence.

use crate::domain::diagnosis::evidence::{Evidence, Fact, Payload, Question, facts, number};
use crate::domain::diagnosis::statistics::{self, Shape};

/// A word of movement counts with one of these endings cut off beforehand.
const ROSE: [&str; 16] = [
    "rose",
    "rises",
    "rising",
    "risen",
    "grew",
    "grows",
    "growing",
    "grown",
    "climbed",
    "climbs",
    "surged",
    "surge",
    "spiked",
    "spike",
    "increased",
    "increases",
];
const FLAT: [&str; 8] = ["flat", "steady", "stable", "unchanged", "constant", "normal", "calm", "ordinary"];
const DENIED: [&str; 8] = ["not", "no", "never", "without", "didn't", "doesn't", "isn't", "nor"];

/// What a clause says of its subject.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    Rose,
    DidNotRise,
}

/// What the evidence says where a sentence says otherwise.
pub(super) fn contradiction(sentence: &str, evidence: &[Evidence]) -> Option<String> {
    let lower = sentence.to_lowercase();
    let joined = [" while ", " but ", " although ", " whereas ", " and ", " before ", " after ", " until ", " so "]
        .iter()
        .fold(lower.clone(), |text, joint| text.replace(joint, "; "));
    joined.split([',', ';', ':', '(']).find_map(|clause| {
        let words: Vec<&str> =
            clause.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|w| !w.is_empty()).collect();
        kills(&words, evidence).or_else(|| traffic(&words, evidence)).or_else(|| memory(&words, evidence))
    })
}

fn said(words: &[&str]) -> Option<Said> {
    let has = |list: &[&str]| words.iter().any(|word| list.contains(word));
    match (has(&ROSE), has(&FLAT), has(&DENIED)) {
        (true, false, false) | (false, true, true) => Some(Said::Rose),
        (true, false, true) | (false, true, false) => Some(Said::DidNotRise),
        (true, true, _) | (false, false, _) => None,
    }
}

fn of(evidence: &[Evidence], question: Question) -> Option<&Evidence> {
    evidence.iter().find(|piece| piece.question == question && piece.answer.payload().is_some())
}

fn fact(piece: &Evidence, name: &str) -> Option<Fact> {
    facts(piece).into_iter().find(|fact| fact.name == name)
}

/// A subject stands before its verb: only the first words of a clause are searched.
fn is_about(words: &[&str], subjects: &[&str]) -> bool {
    words.iter().take(4).any(|word| subjects.contains(word))
}

fn traffic(words: &[&str], evidence: &[Evidence]) -> Option<String> {
    if !is_about(words, &["traffic", "requests", "request", "load"]) {
        return None;
    }
    let piece = of(evidence, Question::Traffic)?;
    let times = fact(piece, "ratio")?.value;
    match said(words)? {
        Said::Rose if times < 1.2 => Some(format!("requests are {times:.1}x as before [{}]", piece.id)),
        Said::DidNotRise if times >= 2.0 => Some(format!("requests are {times:.1}x as before [{}]", piece.id)),
        Said::Rose | Said::DidNotRise => None,
    }
}

fn memory(words: &[&str], evidence: &[Evidence]) -> Option<String> {
    if !is_about(words, &["memory", "heap"]) {
        return None;
    }
    let piece = of(evidence, Question::Memory)?;
    let Payload::Series { series, baseline, .. } = piece.answer.payload()? else { return None };
    let before = baseline.as_ref().map_or(&[][..], |baseline| &baseline.points);
    let shape = statistics::memory_shape(&series.points, before)?;
    let range = format!("memory went from {} to {} [{}]", number(shape.first), number(shape.last), piece.id);
    match (said(words)?, shape.shape) {
        (Said::Rose, Shape::Flat | Shape::Falling) | (Said::DidNotRise, Shape::Rising) => Some(range),
        (Said::Rose, Shape::Rising | Shape::RisingInEachLife | Shape::AtTheBrim | Shape::Unclear)
        | (
            Said::DidNotRise,
            Shape::Flat | Shape::Falling | Shape::RisingInEachLife | Shape::AtTheBrim | Shape::Unclear,
        ) => None,
    }
}

/// `no OOM kills` against a count, and a count against another.
fn kills(words: &[&str], evidence: &[Evidence]) -> Option<String> {
    let at = words.iter().position(|word| word.starts_with("oom"))?;
    let next = words.get(at + 1).copied().unwrap_or_default();
    let counted = words.get(at)?.starts_with("oomkill") || next.starts_with("kill");
    let piece = of(evidence, Question::OomKills)?;
    let total = fact(piece, "total")?.value;
    let before = at.checked_sub(1).and_then(|at| words.get(at))?;
    let said = if matches!(*before, "no" | "without" | "zero") { 0.0 } else { before.parse().ok()? };
    let of_one = words.iter().any(|word| matches!(*word, "of" | "from" | "each" | "last" | "first" | "in"));
    let differs = if said == 0.0 { total > 0.0 } else { said > total || (said - total).abs() > 0.5 && !of_one };
    (counted && differs).then(|| format!("{} OOM kills were counted [{}]", number(total), piece.id))
}
