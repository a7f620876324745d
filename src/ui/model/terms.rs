//! How the verdict comes about, as text: each cause with its formula term by term, what the verdict rests on, what would
//! change it, and every change placed against the onset.

use crate::domain::diagnosis::rules::changes_by_onset;
use crate::domain::diagnosis::verdict::{RankedCause, Side, Verdict};
use crate::session::incident::Incident;

/// The lines of an incident's verdict.
pub fn lines(verdict: &Verdict, incident: &Incident) -> Vec<String> {
    let mut lines = vec![
        "confidence = min(cap, 0.95 x agreement x (0.6 + 0.4 x coverage))".to_owned(),
        "agreement = supports / (supports + against); coverage = answered / (answered + open), by weight".to_owned(),
    ];
    for ranked in &verdict.ranked {
        lines.push(String::new());
        lines.extend(cause(ranked));
    }
    lines.push(String::new());
    let words: Vec<&str> = verdict.rests_on.iter().map(|question| question.word()).collect();
    let rests = if words.is_empty() { "no single answer".to_owned() } else { words.join(", ") };
    lines.push(format!("rests on {rests}: without any one of them the verdict would be another"));
    for missing in &verdict.missing {
        let word = if missing.decisive { "missing, and could change it" } else { "missing" };
        lines.push(format!("{word}: {} ({})", missing.question.word(), missing.why));
    }
    lines.extend(incident.storm.iter().map(|storm| format!("storm: {storm}")));
    lines.extend(changes_by_onset(incident.round()).into_iter().map(|change| format!("changed: {change}")));
    lines
}

fn cause(ranked: &RankedCause) -> Vec<String> {
    let head = format!("{} {}", ranked.words(), ranked.confidence);
    let terms = ranked.terms.map_or(head.clone(), |terms| {
        let (supports, against, open) = (terms.supports, terms.against, terms.open);
        let (agreement, coverage) = (terms.agreement(), terms.coverage());
        let capped = if terms.cap < 1.0 { format!(", at most {:.2}", terms.cap) } else { String::new() };
        format!(
            "{head} = 0.95 x {agreement:.2} x (0.6 + 0.4 x {coverage:.2}){capped}  [supports {supports:.2}, against \
             {against:.2}, open {open:.2}]"
        )
    });
    let finding = |finding: &crate::domain::diagnosis::verdict::Finding| {
        let sign = match finding.side {
            Side::Supports => "+",
            Side::Against => "-",
        };
        format!("  {sign} {:.2} {}", finding.weight, finding.text)
    };
    std::iter::once(terms).chain(ranked.findings.iter().map(finding)).collect()
}
