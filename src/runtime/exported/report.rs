//! What the files came to, as text, as one JSON object, and the lines by template as CSV.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Exported;
use super::scores::quoted;
use crate::domain::diagnosis::evidence::{answer_text, facts};
use crate::domain::diagnosis::rules::{changes_by_onset, fix, judge};
use crate::domain::diagnosis::sufficiency::{RemedyOffer, Sufficiency, offers};
use crate::domain::diagnosis::verdict::{Side, Verdict};
use crate::domain::observation::log_template::{Miner, TemplateNumber};
use crate::domain::observation::redact::redact;

/// The name and version of the JSON object.
const SCHEMA: &str = "pagerdeck/evidence-files/1";

fn concluded(exported: &Exported) -> (Verdict, Vec<RemedyOffer>) {
    let verdict = judge(&exported.evidence, exported.window.to);
    let offers = offers(&verdict, &exported.evidence, exported.window.to);
    (verdict, offers)
}

/// One JSON object: `schema`, `window`, `workload`, `lines_without_time`, `notes[]`, `evidence[]`, `changes[]`, `verdict`, `fix`, `offers[]`.
pub fn json(exported: &Exported) -> String {
    let (verdict, offers) = concluded(exported);
    let evidence: Vec<Value> = exported
        .evidence
        .iter()
        .map(|piece| {
            json!({
                "id": piece.id,
                "question": piece.question,
                "answer": { "completeness": piece.answer.completeness(), "text": redact(&answer_text(piece)).text },
                "facts": facts(piece),
                "source": piece.source,
                "window": piece.window,
            })
        })
        .collect();
    json!({
        "schema": SCHEMA,
        "window": exported.window,
        "workload": exported.workload.as_ref().map(|workload| workload.target.to_string()),
        "lines_without_time": exported.timeless,
        "notes": exported.notes,
        "evidence": evidence,
        "changes": changes_by_onset(&exported.evidence),
        "verdict": verdict,
        "fix": fix(&verdict, &exported.evidence),
        "offers": offers,
    })
    .to_string()
}

/// The same for a person.
pub fn text(exported: &Exported) -> String {
    let (verdict, offers) = concluded(exported);
    let mut text = String::new();
    let mut say = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    let settled = if verdict.conclusive { "settled" } else { "not settled" };
    say(format!("{} ({settled}, confidence {})", verdict.words(), verdict.confidence()));
    for finding in verdict.leading().map(|leading| leading.findings.as_slice()).unwrap_or_default() {
        let sign = if finding.side == Side::Supports { '+' } else { '-' };
        say(format!("  {sign} {:.2} {}", finding.weight, finding.text));
    }
    if !verdict.rests_on.is_empty() {
        let words: Vec<&str> = verdict.rests_on.iter().map(|question| question.word()).collect();
        say(format!("  it rests on {}", words.join(", ")));
    }
    for missing in verdict.missing.iter().filter(|missing| missing.decisive) {
        say(format!("  missing, and would decide: {} ({})", missing.question.word(), missing.why));
    }
    for ranked in verdict.ranked.iter().skip(1).take(3) {
        say(format!("  then {} {}", ranked.words(), ranked.confidence));
    }
    say(String::new());
    say(format!("window {} to {}", exported.window.from, exported.window.to));
    for piece in &exported.evidence {
        say(format!("{} {}: {}", piece.id, piece.question.word(), redact(&answer_text(piece)).text));
    }
    for note in &exported.notes {
        say(format!("note: {note}"));
    }
    if exported.timeless > 0 {
        let (without, of) = (exported.timeless, exported.lines.len());
        say(format!("{without} of {of} log lines have no time and count as at the newest instant of the files"));
    }
    let changes = changes_by_onset(&exported.evidence);
    if !changes.is_empty() {
        say(String::new());
    }
    for change in changes {
        say(format!("changed  {change}"));
    }
    say(String::new());
    for offer in &offers {
        match &offer.sufficiency {
            Sufficiency::Sufficient { why } => say(format!("offered  {}: {why}", offer.remedy.words())),
            Sufficiency::Refused { reasons } => {
                say(format!("refused  {}: {}", offer.remedy.words(), reasons.join(" ")));
            }
        }
    }
    text
}

/// Each line's template, then the templates with their counts: two tables of CSV with an empty line between.
pub fn templates(exported: &Exported) -> String {
    let mut miner = Miner::default();
    let given: Vec<TemplateNumber> = exported.lines.iter().map(|line| miner.add(line)).collect();
    let mut text = String::from("line,template\n");
    for (n, number) in given.into_iter().enumerate() {
        // Writing to a string does not fail. A template may have been joined to another by a later line.
        let _ = writeln!(text, "{},T{}", n + 1, miner.settled(number).0 + 1);
    }
    text.push_str("\ntemplate,lines,level,first_at,last_at,text\n");
    for (number, count) in miner.numbered() {
        let (level, template) = (count.level.word(), quoted(&count.template));
        let _ =
            writeln!(text, "T{},{},{level},{},{},{template}", number.0 + 1, count.count, count.first_at, count.last_at);
    }
    text
}
