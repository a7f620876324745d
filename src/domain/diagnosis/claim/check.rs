//! One sentence against the evidence it cites.

use super::advice::advice;
use super::known::Known;
use super::movement::{Told, said_of_a_part, told};
use super::number::{Measure, Quoted, When, numbers};
use super::{Claim, ClaimCheck};
use crate::domain::diagnosis::evidence::{Evidence, EvidenceId, Fact, FactUnit, answer_text, facts};
use crate::domain::diagnosis::rules::relations;

/// Makes a claim of a sentence; `None` of a heading, which claims nothing and so counts for nothing.
pub fn claim(sentence: &str, evidence: &[Evidence], known: &Known) -> Option<Claim> {
    let (cites, check) = (cites(sentence), check(sentence, evidence, known));
    // What cites nothing and stands all the same is a heading.
    let claims = check != ClaimCheck::Unchecked || !cites.is_empty();
    claims.then(|| Claim { text: sentence.to_owned(), cites, check })
}

/// The evidence a sentence cites, in order, each once: `[E1]`, `[E1, E2]`, `[E1][E2]`.
pub fn cites(sentence: &str) -> Vec<EvidenceId> {
    let mut ids = Vec::new();
    for bracket in sentence.split('[').skip(1) {
        let Some((inner, _)) = bracket.split_once(']') else { continue };
        for part in inner.split([',', ';', ' ']).filter(|part| !part.is_empty()) {
            match EvidenceId::try_from(part.to_owned()) {
                Ok(id) if !ids.contains(&id) => ids.push(id),
                Ok(_) | Err(_) => {}
            }
        }
    }
    ids
}

/// Checks a sentence:
/// 1. what tells the reader what to do, or leads elsewhere, is advice, whatever it cites;
/// 2. what the evidence contradicts (which way traffic, memory, the processor, failures and response times went, how many kills) is contradicted, cited or not;
/// 3. names of workloads, pods, containers and services must exist;
/// 4. it must cite, and all it cites must exist; a heading of a few words need not;
/// 5. each number must be found in the cited evidence within the rounding of its printed digits, in a unit that fits; one
///    that is said to hold now, or to have held before, among the levels of then;
/// 6. that there is none of something is not known from a part of it;
/// 7. one in which no number, no movement and no gap was held against what it cites is not checked: a name that exists says nothing
///    of what is said about it.
pub fn check(sentence: &str, evidence: &[Evidence], known: &Known) -> ClaimCheck {
    let cited = cites(sentence);
    let unsupported = |why: String| ClaimCheck::Unsupported { why };
    if let Some(id) = cited.iter().find(|id| !evidence.iter().any(|piece| piece.id == **id)) {
        return unsupported(format!("there is no evidence {id}"));
    }
    if let Some(why) = advice(sentence, known) {
        return unsupported(why);
    }
    if let Some(name) = known.strangers(sentence).first() {
        return unsupported(format!("nothing named {name} exists"));
    }
    let moved = match told(sentence, evidence) {
        Told::Otherwise(why) => return ClaimCheck::Contradicted { why },
        Told::Held(ids) => ids.iter().any(|id| cited.contains(id)),
        Told::Nothing => says_unknown(sentence, &cited, evidence),
    };
    if cited.is_empty() {
        return uncited(sentence, evidence);
    }
    let numbers = numbers(sentence);
    if let Some(number) = unbacked(&numbers, &cited, evidence) {
        return unsupported(format!("{} is not in {}", number.text, list(&cited)));
    }
    if let Some(id) = said_of_a_part(sentence, &cited, evidence) {
        return unsupported(format!("it says that there is none, and not all of {id} was read"));
    }
    if moved || !numbers.is_empty() { ClaimCheck::Supported } else { ClaimCheck::Unchecked }
}

/// Words of what nobody knows.
const UNKNOWN: [&str; 7] = ["not known", "unknown", "not be read", "not read", "not asked", "denied", "missing"];

/// Whether a sentence says that something is not known of which nothing came back.
fn says_unknown(sentence: &str, cited: &[EvidenceId], evidence: &[Evidence]) -> bool {
    let lower = sentence.to_lowercase();
    let mut pieces = evidence.iter().filter(|piece| cited.contains(&piece.id));
    UNKNOWN.iter().any(|words| lower.contains(words)) && pieces.all(|piece| piece.answer.payload().is_none())
}

/// A heading claims nothing by itself. The numbers of one are those of what it leads to: they must be in some evidence.
fn uncited(sentence: &str, evidence: &[Evidence]) -> ClaimCheck {
    let unsupported = |why: String| ClaimCheck::Unsupported { why };
    if !is_heading(sentence) {
        return unsupported("it cites no evidence".to_owned());
    }
    let all: Vec<EvidenceId> = evidence.iter().map(|piece| piece.id).collect();
    match unbacked(&numbers(heading(sentence)), &all, evidence) {
        Some(number) => unsupported(format!("{} is in no evidence", number.text)),
        None => ClaimCheck::Unchecked,
    }
}

/// Words of the longest heading, and of the longest line that only leads over to the next.
const HEADING: usize = 5;
const LEADING_OVER: usize = 3;

/// A few words, marked as a heading, that end like no sentence.
fn is_heading(line: &str) -> bool {
    let text = heading(line);
    let words = text.split_whitespace().count();
    let ends = text.ends_with(['.', '!', '?', ';']);
    let marked = line.starts_with('#') || line.starts_with("**") && line.trim_end_matches(':').ends_with("**");
    !ends && (marked && words <= HEADING || text.ends_with(':') && words <= LEADING_OVER)
}

/// The words of a heading, without its marks and its own number: `## 2. Root cause`.
fn heading(line: &str) -> &str {
    let text = line.trim_matches(|c: char| matches!(c, '#' | '*' | ' '));
    let behind = text.trim_start_matches(|c: char| c.is_ascii_digit());
    match behind.strip_prefix(['.', ')']) {
        Some(words) if behind.len() < text.len() && words.starts_with(' ') => words.trim_start(),
        Some(_) | None => text,
    }
}

/// Facts of how much was read.
const READ: [&str; 3] = ["points", "steps", "tokens"];

/// The first number that no cited evidence holds.
pub(super) fn unbacked<'a>(numbers: &'a [Quoted], cited: &[EvidenceId], evidence: &[Evidence]) -> Option<&'a Quoted> {
    let pieces = || evidence.iter().filter(|piece| cited.contains(&piece.id));
    let mut held: Vec<Fact> = pieces().flat_map(facts).collect();
    let between = relations(evidence).into_iter().filter(|(_, ids)| ids.iter().any(|id| cited.contains(id)));
    held.extend(between.map(|(fact, _)| fact));
    // How much was read is no finding: thirty points are not thirty times as much.
    held.retain(|fact| !READ.contains(&fact.name.as_str()));
    let mut told = None;
    numbers.iter().find(|number| {
        let mut in_answer = || {
            let told = told.get_or_insert_with(|| pieces().map(answer_text).collect::<Vec<_>>().join(" "));
            let all = super::number::numbers(told);
            let placed = all.iter().any(|other| other.measure == number.measure && other.when.is_some());
            all.iter().any(|other| {
                let then = number.when.is_none() || !placed || other.when == number.when;
                then && other.measure == number.measure
                    && number.measure != Measure::Unknown
                    && near(number, other.value)
            })
        };
        let known = held.iter().any(|fact| is_of_then(number, fact) && matches(number, fact));
        !known && !in_answer()
    })
}

/// Facts of the level before, and of what it came to.
const OF_BEFORE: [&str; 3] = ["before", "first", "onset"];
const OF_NOW: [&str; 4] = ["now", "latest", "peak", "held-peak"];

/// Whether a fact may be of when a number is said to hold.
fn is_of_then(number: &Quoted, fact: &Fact) -> bool {
    match number.when {
        None => true,
        Some(When::Before) => !OF_NOW.contains(&fact.name.as_str()) && !fact.name.starts_with("step-"),
        Some(When::Now) => !OF_BEFORE.contains(&fact.name.as_str()),
    }
}

fn near(number: &Quoted, value: f64) -> bool {
    (number.value - value.abs()).abs() <= number.tolerance
}

/// Whether a fact is what a number may have been copied from: its unit fits and its value is near.
fn matches(number: &Quoted, fact: &Fact) -> bool {
    // A threshold and the level of other days are told without their unit.
    let unitless = fact.name == "threshold" || fact.name.starts_with("same-hours");
    let of_threshold = unitless && number.measure == Measure::Plain && near(number, fact.value);
    of_threshold || scale(number.measure, fact.unit).is_some_and(|scale| near(number, fact.value * scale))
}

/// What a fact's value is multiplied by to be in a number's measure; `None` where the units do not fit.
fn scale(measure: Measure, unit: FactUnit) -> Option<f64> {
    use FactUnit::{Bytes, Count, Milliseconds, Minutes, None as Unitless, Percent, PercentPerMinute, Seconds, Times};
    let fits: &[(FactUnit, f64)] = match measure {
        Measure::Percent => &[(Percent, 1.0), (PercentPerMinute, 1.0), (Unitless, 1.0)],
        Measure::Minutes => &[(Minutes, 1.0), (Seconds, 1.0 / 60.0)],
        Measure::Seconds => &[(Seconds, 1.0), (Milliseconds, 0.001)],
        Measure::Milliseconds => &[(Milliseconds, 1.0), (Seconds, 1_000.0)],
        Measure::Bytes => &[(Bytes, 1.0)],
        Measure::Times => &[(Times, 1.0)],
        Measure::Often => &[(Times, 1.0), (Count, 1.0)],
        // A unit may be left out of what has few words for it; percent and times are other things.
        Measure::Plain => &[(Count, 1.0), (Unitless, 1.0), (Seconds, 1.0), (Milliseconds, 1.0)],
        Measure::Unknown => &[],
    };
    fits.iter().find(|(fitting, _)| *fitting == unit).map(|(_, scale)| *scale)
}

pub(super) fn list(ids: &[EvidenceId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
