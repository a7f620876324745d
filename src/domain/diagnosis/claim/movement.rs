//! Sentences that say which way something went, held against the evidence.

use super::number::{Measure, numbers, spelled};
use crate::domain::count::either;
use crate::domain::diagnosis::evidence::{Evidence, EvidenceId, Fact, Question, facts, number};
use crate::domain::diagnosis::rules;
use crate::domain::diagnosis::statistics::Shape;

/// Words of a rise.
const ROSE: [&str; 31] = [
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
    "climbing",
    "surged",
    "surge",
    "surging",
    "spiked",
    "spike",
    "spiking",
    "increased",
    "increases",
    "increasing",
    "doubled",
    "tripled",
    "quadrupled",
    "jumped",
    "jumps",
    "exploded",
    "explodes",
    "soared",
    "ballooned",
    "skyrocketed",
    "multiplied",
];
/// Words of a rise that did not come: `did not rise`. Elsewhere they may be nouns.
const RISE: [&str; 6] = ["rise", "grow", "climb", "increase", "jump", "double"];
/// Words of a fall.
const FELL: [&str; 24] = [
    "fell",
    "falls",
    "falling",
    "fallen",
    "dropped",
    "drops",
    "dropping",
    "shrank",
    "shrinks",
    "shrinking",
    "shrunk",
    "halved",
    "declined",
    "declines",
    "declining",
    "decreased",
    "decreases",
    "decreasing",
    "sank",
    "collapsed",
    "plunged",
    "plummeted",
    "improved",
    "improves",
];
const FLAT: [&str; 8] = ["flat", "steady", "stable", "unchanged", "constant", "normal", "calm", "ordinary"];
const DENIED: [&str; 8] = ["not", "no", "never", "without", "didn't", "doesn't", "isn't", "nor"];
/// What may stand between a denial and what it denies, beside words in -ly: `has not been rising`, `shows no clear rise`.
const BETWEEN: [&str; 34] = [
    "a",
    "an",
    "any",
    "the",
    "be",
    "been",
    "being",
    "to",
    "have",
    "has",
    "had",
    "even",
    "yet",
    "still",
    "longer",
    "stay",
    "stayed",
    "remain",
    "remained",
    "show",
    "sign",
    "signs",
    "of",
    "significant",
    "notable",
    "marked",
    "clear",
    "much",
    "visible",
    "sustained",
    "sudden",
    "further",
    "corresponding",
    "such",
];

/// What a clause says of its subject.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    Rose,
    DidNotRise,
    Fell,
}

/// What the evidence says of what a sentence says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It says nothing that could be held against it.
    Nothing,
    /// These pieces say so as well.
    Held(Vec<EvidenceId>),
    /// The evidence says otherwise, in its words.
    Otherwise(String),
}

/// Holds against the evidence which way a sentence says that things went.
pub(super) fn told(sentence: &str, evidence: &[Evidence]) -> Told {
    let joined = clauses(sentence);
    let mut held = Vec::new();
    for clause in joined.split([',', ';', ':', '(']) {
        let words = words(clause);
        let levels = LEVELS.iter().map(|of| level(&words, *of, evidence));
        let others =
            [kills(&words, evidence), memory(&words, evidence), leak(&words, evidence), pods(&words, evidence)];
        for told in others.into_iter().chain(levels) {
            match told {
                Told::Nothing => {}
                Told::Held(ids) => held.extend(ids),
                Told::Otherwise(why) => return Told::Otherwise(why),
            }
        }
    }
    match against_itself(&joined) {
        Some(why) => Told::Otherwise(why),
        None if held.is_empty() => Told::Nothing,
        None => Told::Held(held),
    }
}

/// A sentence in small letters, with a semicolon between what is said of one thing and of the next.
fn clauses(sentence: &str) -> String {
    let text = [" while ", " but ", " although ", " whereas ", " and ", " before ", " after ", " until ", " so "]
        .iter()
        .fold(sentence.to_lowercase(), |text, joint| text.replace(joint, "; "));
    // What comes without another thing says nothing of it: `the growth is without an increase in requests`.
    [" without ", " with no "].iter().fold(text, |text, lacks| text.replace(lacks, &format!(";{lacks}")))
}

fn words(clause: &str) -> Vec<&str> {
    clause.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty()).collect()
}

/// Words that say of something that there is none.
const NONE: [&str; 8] = ["no", "none", "zero", "nothing", "nobody", "never", "without", "neither"];
/// Words of a clause that says why something is not known.
const UNKNOWN: [&str; 7] = ["read", "known", "asked", "denied", "available", "answer", "permission"];
/// What is no count of these: `no pod is missing`.
const OTHERS: [&str; 9] = ["pod", "pods", "container", "containers", "replica", "replicas", "node", "nodes", "event"];
/// What is counted, by the words that speak of it.
const COUNTED: [(Question, &[&str]); 5] = [
    (Question::OomKills, &["oom", "oomkill", "oomkills", "oomkilled", "kill", "kills", "killed"]),
    (Question::LogPatterns, &["log", "logs", "line", "lines", "error", "errors", "warning", "warnings", "template"]),
    (Question::Changes, &ROLLOUTS),
    (Question::Changes, &CHANGES),
    (Question::Collector, &["collector", "gc", "collection", "collections", "pause", "pauses"]),
];
/// What is counted by the revisions alone, and what by whatever was changed.
const ROLLOUTS: [&str; 6] = ["rollout", "rollouts", "revision", "revisions", "deploy", "deployed"];
const CHANGES: [&str; 3] = ["change", "changed", "changes"];

/// The first of the cited pieces that was not read whole, where a sentence says that there is none of what it counts.
pub(super) fn said_of_a_part(sentence: &str, cited: &[EvidenceId], evidence: &[Evidence]) -> Option<EvidenceId> {
    let joined = clauses(sentence);
    joined.split([',', ';', ':', '(']).find_map(|clause| {
        let words = words(clause);
        let has = |list: &[&str]| words.iter().any(|word| list.contains(word));
        let zero = || numbers(clause).iter().any(|number| number.value == 0.0 && number.measure == Measure::Plain);
        if !has(&NONE) && !zero() || has(&UNKNOWN) {
            return None;
        }
        let of: Vec<Question> = COUNTED.iter().filter(|(_, known)| has(known)).map(|(question, _)| *question).collect();
        let of_another = of.is_empty() && (has(&OTHERS) || SUBJECTS.iter().any(|(_, known)| has(known)));
        let counts = |piece: &&Evidence| {
            let counted = COUNTED.iter().any(|(question, _)| *question == piece.question);
            counted && !of_another && (of.is_empty() || of.contains(&piece.question))
        };
        let is_whole = |piece: &&Evidence| {
            rules::tells_of_none(piece) || has(&ROLLOUTS) && !has(&CHANGES) && rules::tells_of_rollouts(piece)
        };
        let pieces = evidence.iter().filter(|piece| cited.contains(&piece.id)).filter(counts);
        pieces.filter(|piece| !is_whole(piece)).map(|piece| piece.id).next()
    })
}

/// A rise whose numbers fall, or a fall whose numbers rise: `dropped from 1 to 15`.
fn against_itself(text: &str) -> Option<String> {
    // A comma within a number parts nothing.
    text.split([';', ':', '(']).find_map(|clause| {
        let (before, range) = clause.split_once(" from ")?;
        let (from, to) = range.split_once(" to ")?;
        // The verb of the range stands right before it: `lines went from 2 to 14` tells nothing of what fell earlier in the
        // sentence, nor do `dropped requests`.
        let part = before.rsplit(", ").next().unwrap_or(before);
        let words = words(part);
        let words = &words[words.len().saturating_sub(2)..];
        let [from, to] = [numbers(from), numbers(to)];
        // What improves may rise as well.
        if words.iter().any(|word| word.starts_with("improve")) {
            return None;
        }
        // Only a range that is two numbers and nothing between: of more, nobody knows which is meant.
        let ([from], Some(to)) = (from.as_slice(), to.first()) else { return None };
        let opposite = match said(words)? {
            Said::Rose => to.value < from.value,
            Said::Fell => to.value > from.value,
            Said::DidNotRise => false,
        };
        (opposite && from.measure == to.measure).then(|| format!("{} to {} is the other way", from.text, to.text))
    })
}

fn said(words: &[&str]) -> Option<Said> {
    let has = |list: &[&str]| words.iter().any(|word| list.contains(word));
    let of_rise = |at: &usize| {
        let word = words.get(*at).copied().unwrap_or_default();
        ROSE.contains(&word) || RISE.contains(&word) && denial(words, *at) == Denial::OfIt
    };
    let rose = (0..words.len()).find(of_rise);
    let flat = words.iter().position(|word| FLAT.contains(word));
    match (rose, has(&FELL), flat) {
        (Some(at), false, None) => match denial(words, at) {
            Denial::No => Some(Said::Rose),
            Denial::OfIt => Some(Said::DidNotRise),
            Denial::OfAnother => None,
        },
        (None, false, Some(at)) => match denial(words, at) {
            Denial::No => Some(Said::DidNotRise),
            Denial::OfIt => Some(Said::Rose),
            Denial::OfAnother => None,
        },
        (None, true, None) => (!has(&DENIED)).then_some(Said::Fell),
        // Of two words, and of a fall denied, nobody knows which counts.
        (Some(_), true, _) | (None, true, Some(_)) | (Some(_), false, Some(_)) | (None, false, None) => None,
    }
}

/// What a denial in a clause denies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Denial {
    No,
    OfIt,
    /// It may be another thing: `the growth is not explained by increased traffic`.
    OfAnother,
}

/// Whether the word of a clause is denied.
fn denial(words: &[&str], at: usize) -> Denial {
    let (before, after) = words.split_at(at.min(words.len()));
    let Some(denied) = before.iter().rposition(|word| DENIED.contains(word)) else {
        let is_of_another = after.iter().any(|word| DENIED.contains(word));
        return if is_of_another { Denial::OfAnother } else { Denial::No };
    };
    // `No traffic increase`.
    let named = before.get(denied).is_some_and(|word| matches!(*word, "no" | "without"));
    let is_subject = |word: &str| SUBJECTS.iter().any(|(_, known)| known.contains(&word));
    let passes =
        |word: &&str| BETWEEN.contains(word) || word.ends_with("ly") && *word != "only" || named && is_subject(word);
    let between = before.get(denied + 1..).unwrap_or_default();
    if between.iter().all(passes) { Denial::OfIt } else { Denial::OfAnother }
}

fn of(evidence: &[Evidence], question: Question) -> Option<&Evidence> {
    evidence.iter().find(|piece| piece.question == question && piece.answer.payload().is_some())
}

fn fact(piece: &Evidence, name: &str) -> Option<Fact> {
    facts(piece).into_iter().find(|fact| fact.name == name)
}

/// Words by which a clause is known to be about a thing, the more telling first: `failed requests` are failures, and the
/// `CPU load` is no traffic.
const SUBJECTS: [(Option<Question>, &[&str]); 6] = [
    (Some(Question::Errors), &["error", "errors", "failed", "failing", "failures", "failure", "5xx", "4xx"]),
    (None, &["collector", "gc", "collection", "collections", "kills", "restarts", "log", "logs", "lines"]),
    (Some(Question::Latency), &["latency", "response", "answers", "p50", "p90", "p95", "p99"]),
    (Some(Question::Cpu), &["cpu", "processor"]),
    (Some(Question::Memory), &["memory", "heap"]),
    (Some(Question::Traffic), &["traffic", "requests", "request", "load"]),
];

/// What a clause is about. A subject stands before its verb: only the first words up to it are searched, or the first few
/// where the clause begins with the verb.
fn subject(words: &[&str]) -> Option<Question> {
    let moves = |word: &&str| ROSE.contains(word) || FELL.contains(word) || FLAT.contains(word);
    let until = words.iter().position(moves).filter(|at| *at > 0).unwrap_or(4).min(4);
    let before = words.get(..until).unwrap_or(words);
    SUBJECTS.iter().find(|(_, known)| before.iter().any(|word| known.contains(word)))?.0
}

/// Metrics of which a level is said, each as the subject of what the evidence says.
const LEVELS: [(Question, &str); 4] = [
    (Question::Traffic, "requests are"),
    (Question::Cpu, "CPU is"),
    (Question::Errors, "failures are"),
    (Question::Latency, "response times are"),
];

/// How many times as much, where a metric was read.
fn level(words: &[&str], (question, name): (Question, &str), evidence: &[Evidence]) -> Told {
    if subject(words) != Some(question) {
        return Told::Nothing;
    }
    let Some(piece) = of(evidence, question) else { return Told::Nothing };
    let (Some(ratio), Some(said)) = (fact(piece, "ratio"), said(words)) else { return Told::Nothing };
    let times = ratio.value;
    let (differs, holds) = match said {
        Said::Rose => (times < 1.2, times >= 1.2),
        Said::DidNotRise => (times >= 2.0, times < 1.5),
        Said::Fell => (times >= 0.95, times < 0.95),
    };
    // A processor at its limit or a failure now and then may rise by little and still be said to.
    let small = question != Question::Traffic && (0.9..1.2).contains(&times);
    if differs && !small {
        return Told::Otherwise(format!("{name} {times:.1}x as before [{}]", piece.id));
    }
    if holds { Told::Held(vec![piece.id]) } else { Told::Nothing }
}

fn memory(words: &[&str], evidence: &[Evidence]) -> Told {
    if subject(words) != Some(Question::Memory) {
        return Told::Nothing;
    }
    let Some((piece, said)) = of(evidence, Question::Memory).zip(said(words)) else { return Told::Nothing };
    // In percent of its limit: what is growth there is nothing in bytes.
    let Some(shape) = rules::memory_shape(evidence) else { return Told::Nothing };
    match (said, shape.shape) {
        (Said::Rose, Shape::Flat | Shape::Falling) | (Said::DidNotRise | Said::Fell, Shape::Rising) => {
            let (first, last) = (number(shape.first), number(shape.last));
            Told::Otherwise(format!("memory went from {first} to {last} [{}]", piece.id))
        }
        (Said::Rose, Shape::Rising | Shape::RisingInEachLife)
        | (Said::DidNotRise, Shape::Flat | Shape::Falling)
        | (Said::Fell, Shape::Falling) => Told::Held(vec![piece.id]),
        (Said::Rose, Shape::AtTheBrim | Shape::Unclear)
        | (Said::DidNotRise, Shape::RisingInEachLife | Shape::AtTheBrim | Shape::Unclear)
        | (Said::Fell, Shape::Flat | Shape::RisingInEachLife | Shape::AtTheBrim | Shape::Unclear) => Told::Nothing,
    }
}

/// What leaks grows. Whether what does not grow leaks all the same is not told here.
fn leak(words: &[&str], evidence: &[Evidence]) -> Told {
    let leaks = words.iter().any(|word| matches!(*word, "leak" | "leaks" | "leaked" | "leaking"));
    let denied = words.iter().any(|word| DENIED.contains(word));
    let grows = rules::memory_shape(evidence)
        .is_some_and(|shape| matches!(shape.shape, Shape::Rising | Shape::RisingInEachLife));
    match of(evidence, Question::Memory) {
        Some(piece) if leaks && !denied && grows => Told::Held(vec![piece.id]),
        Some(_) | None => Told::Nothing,
    }
}

/// `no OOM kills` and `no container was killed for its memory` against a count, and a count against another.
fn kills(words: &[&str], evidence: &[Evidence]) -> Told {
    let Some(piece) = of(evidence, Question::OomKills) else { return Told::Nothing };
    let Some(total) = fact(piece, "total").map(|fact| fact.value) else { return Told::Nothing };
    let Some((said, of_one)) = none_killed(words).or_else(|| counted_kills(words)) else { return Told::Nothing };
    let differs = if said == 0.0 { total > 0.0 } else { said > total || (said - total).abs() > 0.5 && !of_one };
    if !differs {
        return Told::Held(vec![piece.id]);
    }
    let were = either(total, "OOM kill was", "OOM kills were");
    Told::Otherwise(format!("{} {were} counted [{}]", number(total), piece.id))
}

/// `No container was killed for its memory`.
fn none_killed(words: &[&str]) -> Option<(f64, bool)> {
    let denied = words.first().is_some_and(|word| matches!(*word, "no" | "none"));
    let killed = words.iter().position(|word| *word == "killed")?;
    let for_memory = words.iter().skip(killed).any(|word| *word == "memory") || words.get(..killed)?.contains(&"oom");
    (denied && for_memory).then_some((0.0, false))
}

/// So many OOM kills, and whether they may be those of one container or of one time.
fn counted_kills(words: &[&str]) -> Option<(f64, bool)> {
    let at = words.iter().position(|word| word.starts_with("oom"))?;
    let next = words.get(at + 1).copied().unwrap_or_default();
    let counted = words.get(at)?.starts_with("oomkill") || next.starts_with("kill");
    // `The six OOMKilled pods` counts pods.
    if !counted || words.iter().skip(at + 1).take(2).any(|word| KILLED.contains(word)) {
        return None;
    }
    let before = at.checked_sub(1).and_then(|at| words.get(at))?;
    let said = if matches!(*before, "no" | "without" | "zero") { 0.0 } else { value(before)? };
    let of_one = words.iter().any(|word| matches!(*word, "of" | "from" | "each" | "last" | "first" | "in"));
    Some((said, of_one))
}

/// What is killed.
const KILLED: [&str; 8] = ["pod", "pods", "container", "containers", "replica", "replicas", "process", "processes"];

/// All pods, and another number of them than there is of any kind: `it runs two pods`. How many of them did something is
/// held against the numbers of the evidence, as every other number is.
fn pods(words: &[&str], evidence: &[Evidence]) -> Told {
    otherwise_many_pods(words, evidence).map_or(Told::Nothing, Told::Otherwise)
}

fn otherwise_many_pods(words: &[&str], evidence: &[Evidence]) -> Option<String> {
    let at = words.iter().position(|word| *word == "pods")?;
    let (nth, said) = (at.saturating_sub(2)..at).rev().find_map(|n| Some((n, value(words.get(n)?)?)))?;
    let lead = nth.checked_sub(1).and_then(|n| words.get(n))?;
    // `It has two pods that restarted` is of some of them.
    let is_citation = |word: &&str| word.strip_prefix('e').is_some_and(|id| id.bytes().all(|b| b.is_ascii_digit()));
    let ends = words.get(at + 1..).unwrap_or_default().iter().all(is_citation);
    let of_all = ends && matches!(*lead, "all" | "run" | "runs" | "has" | "have");
    let piece = of(evidence, Question::Workload)?;
    let counts: Vec<f64> =
        facts(piece).iter().filter(|fact| OF_PODS.contains(&fact.name.as_str())).map(|fact| fact.value).collect();
    let differs = counts.iter().all(|count| (count - said).abs() > 0.5);
    let there = fact(piece, "replicas")?.value;
    (of_all && !counts.is_empty() && differs).then(|| format!("{} pods are wanted [{}]", number(there), piece.id))
}

/// Facts that count pods.
const OF_PODS: [&str; 6] = ["replicas", "ready", "not-ready", "updated", "available", "pods"];

/// A number in digits or in a word.
fn value(word: &str) -> Option<f64> {
    word.parse().ok().or_else(|| spelled(word))
}
