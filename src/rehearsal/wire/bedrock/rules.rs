//! The `rules` model: writes up exactly the evidence of the request, numbers copied from its facts, and submits what the
//! rules' verdict supports. It knows nothing of the world but what it was sent.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Answer;
use crate::rehearsal::scenario::ChunkSpec;

/// The tool that a diagnosis is submitted by.
const TOOL: &str = "submit_diagnosis";
/// Sentences at most, as the analyst's instructions ask.
const MOST_SENTENCES: usize = 9;

/// The evidence document, as far as it is read. Unknown members are of no concern to a model.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Document {
    service: String,
    workload: Value,
    evidence: Vec<Item>,
    verdict: Verdict,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Item {
    id: String,
    question: String,
    completeness: String,
    answer: String,
    facts: Vec<Fact>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Fact {
    name: String,
    value: f64,
    unit: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Verdict {
    ranked: Vec<Ranked>,
    missing: Vec<Value>,
    conclusive: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Ranked {
    cause: String,
    confidence: f64,
    findings: Vec<Finding>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Finding {
    text: String,
    side: String,
    evidence: Vec<String>,
}

/// The answer to a request.
pub(super) fn answer(input: &Value) -> Answer {
    let messages = input["messages"].as_array().map_or(&[][..], Vec::as_slice);
    let texts: Vec<&str> = messages.iter().flat_map(texts_of).collect();
    let Some(document) = texts.iter().rev().find_map(|text| document(text)) else {
        return said("The request held no evidence, so there is nothing to say about the incident.".to_owned());
    };
    let last = messages.last().map(texts_of).unwrap_or_default();
    let asked: Vec<&str> = last.into_iter().filter(|text| !text.contains("<evidence>")).collect();
    let spoken = messages.iter().any(|message| message["role"] == "assistant");
    if spoken {
        return said(followed_up(&document, &asked.join(" ").to_lowercase()));
    }
    let text = ChunkSpec::Text { text: narrative(&document).join(" ") };
    let tools = input["toolConfig"]["tools"].as_array().map_or(&[][..], Vec::as_slice);
    if tools.iter().any(|tool| tool["toolSpec"]["name"] == TOOL) {
        let tool = ChunkSpec::Tool { name: TOOL.to_owned(), input: submission(&document) };
        return Answer { chunks: vec![text, tool], stop_reason: "tool_use".to_owned() };
    }
    Answer { chunks: vec![text], stop_reason: "end_turn".to_owned() }
}

fn said(text: String) -> Answer {
    Answer { chunks: vec![ChunkSpec::Text { text }], stop_reason: "end_turn".to_owned() }
}

fn texts_of(message: &Value) -> Vec<&str> {
    let content = message["content"].as_array().map_or(&[][..], Vec::as_slice);
    content.iter().filter_map(|block| block["text"].as_str()).collect()
}

fn document(text: &str) -> Option<Document> {
    let (_, rest) = text.split_once("<evidence>")?;
    let (json, _) = rest.split_once("</evidence>")?;
    serde_json::from_str(json.trim()).ok()
}

/// The sentences: what is wrong, each piece of evidence that says something, what could not be learned.
fn narrative(document: &Document) -> Vec<String> {
    let mut sentences = vec![opening(document)];
    let order =
        ["memory", "oom-kills", "collector", "cpu", "traffic", "workload", "changes", "alarm-metric", "log-patterns"];
    let of = |question: &&str| document.evidence.iter().find(|item| item.question == **question);
    let gaps: Vec<&Item> = document.evidence.iter().filter(|item| !is_readable(item)).collect();
    let room = MOST_SENTENCES - 1 - gaps.len().min(4);
    sentences.extend(order.iter().filter_map(of).filter(|item| is_readable(item)).map(sentence).take(room));
    sentences.extend(gaps.into_iter().take(4).map(gap));
    sentences
}

fn opening(document: &Document) -> String {
    let subject = document.workload["name"].as_str().unwrap_or(&document.service);
    let Some(leading) = settled(document) else {
        return format!("The evidence does not settle what is wrong with {subject}.");
    };
    let cites = citation(&supporting(document));
    match leading.cause.as_str() {
        // Whether the processor only follows is a finding, or it is not said.
        "memory-leak" if leading.findings.iter().any(|finding| finding.text.contains("CPU is secondary")) => {
            format!("{subject} leaks memory, and the high CPU is a consequence of it {cites}.")
        }
        "memory-leak" => format!("{subject} leaks memory {cites}."),
        "limit-too-low" => format!("The memory limit of {subject} is too low for its steady working set {cites}."),
        "stuck-process" => format!("{subject} runs and does nothing any more {cites}."),
        "traffic-surge" => format!("{subject} receives more requests than it can take {cites}."),
        "bad-deploy" => format!("The trouble of {subject} began with its last rollout {cites}."),
        "nothing-wrong" => format!("All that was read about {subject} is healthy {cites}."),
        other => format!("The evidence about {subject} points to {} {cites}.", other.replace('-', " ")),
    }
}

/// The leading cause, where the rules hold it for settled.
fn settled(document: &Document) -> Option<&Ranked> {
    document.verdict.ranked.first().filter(|ranked| document.verdict.conclusive && ranked.cause != "inconclusive")
}

/// What a piece of evidence says, in its facts; in its own words where the facts are not the usual ones.
fn sentence(item: &Item) -> String {
    let fact = |name: &str| item.facts.iter().find(|fact| fact.name == name).map(shown);
    let cite = format!("[{}]", item.id);
    let told = match item.question.as_str() {
        "memory" => fact("latest").map(|latest| match fact("slope") {
            Some(slope) if slope_of(item).abs() >= 0.5 => {
                format!("Memory stands at {latest} of its limit and moved by {slope} over the window {cite}.")
            }
            _ => format!("Memory stands at {latest} of its limit and does not grow {cite}."),
        }),
        "oom-kills" => fact("total").map(|total| match (total.as_str(), fact("heap-errors")) {
            ("0", _) if item.completeness == "exact" && item.answer.contains("events") => {
                format!("No container was killed for its memory {cite}.")
            }
            ("0", _) => format!("Whether a container was killed for its memory is not sure {cite}."),
            (_, Some(errors)) => {
                format!(
                    "Containers were OOMKilled {total} times, beside {errors} heap errors inside the process {cite}."
                )
            }
            (_, None) => format!("Containers were OOMKilled {total} times {cite}."),
        }),
        "collector" => fact("latest").map(|latest| format!("The garbage collector takes {latest} of the time {cite}.")),
        "cpu" => fact("peak")
            .zip(fact("mean"))
            .map(|(peak, mean)| format!("CPU peaked at {peak} with a mean of {mean} over the window {cite}.")),
        "traffic" => fact("ratio").map(|ratio| match ratio_of(item) {
            near if (0.8..1.25).contains(&near) => {
                format!("Traffic did not change: requests are at {ratio} of the level before {cite}.")
            }
            _ => format!("Requests are at {ratio} of the level before {cite}."),
        }),
        "workload" => fact("ready")
            .zip(fact("replicas"))
            .map(|(ready, replicas)| format!("Of {replicas} replicas {ready} are ready {cite}.")),
        _ => None,
    };
    told.unwrap_or_else(|| {
        let answer = item.answer.trim().trim_end_matches('.');
        format!("{}: {answer} {cite}.", label(&item.question))
    })
}

fn is_readable(item: &Item) -> bool {
    matches!(item.completeness.as_str(), "exact" | "truncated")
}

/// What could not be learned, said as such.
fn gap(item: &Item) -> String {
    let why = match item.completeness.as_str() {
        "denied" => "this role may not read it",
        "failed" => "it could not be read",
        "not-asked" => "it was not asked",
        _ => "there is none",
    };
    format!("{} is not known: {why} [{}].", label(&item.question), item.id)
}

fn label(question: &str) -> &str {
    match question {
        "memory" => "Memory",
        "oom-kills" => "The number of OOM kills",
        "collector" => "The collector's share",
        "traffic" => "Traffic",
        "cpu" => "CPU",
        "workload" => "The state of the workload",
        "changes" => "What changed",
        "log-patterns" => "What the logs say",
        "alarm-metric" => "The alarm's own metric",
        other => other,
    }
}

/// A fact as the cockpit prints it: whole if whole or large, else one digit, three below one.
fn shown(fact: &Fact) -> String {
    let value = fact.value;
    let number = if value.fract() == 0.0 || value.abs() >= 1_000.0 {
        format!("{value:.0}")
    } else if value.abs() < 1.0 {
        format!("{value:.3}").trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        format!("{value:.1}")
    };
    let sign = match fact.unit.as_str() {
        "percent" => "%",
        "percent-per-minute" => " %/min",
        "bytes" => " B",
        "seconds" => " s",
        "milliseconds" => " ms",
        "minutes" => " min",
        "times" => "x",
        _ => "",
    };
    format!("{number}{sign}")
}

fn slope_of(item: &Item) -> f64 {
    value_of(item, "slope")
}

fn ratio_of(item: &Item) -> f64 {
    value_of(item, "ratio")
}

fn value_of(item: &Item, name: &str) -> f64 {
    item.facts.iter().find(|fact| fact.name == name).map_or(0.0, |fact| fact.value)
}

/// The evidence that supports the leading cause, as far as it is in the document.
fn supporting(document: &Document) -> Vec<String> {
    let findings = document.verdict.ranked.first().map_or(&[][..], |ranked| ranked.findings.as_slice());
    let mut ids: Vec<String> = Vec::new();
    for finding in findings.iter().filter(|finding| finding.side != "against") {
        for id in &finding.evidence {
            if !ids.contains(id) && document.evidence.iter().any(|item| item.id == *id) {
                ids.push(id.clone());
            }
        }
    }
    ids
}

fn citation(ids: &[String]) -> String {
    let mut cites = String::new();
    for id in ids {
        cites.extend(["[", id, "]"]);
    }
    cites
}

/// The structured diagnosis: the rules' cause, a little less sure than they are.
fn submission(document: &Document) -> Value {
    let leading = settled(document);
    let cause = leading.map_or("inconclusive", |ranked| ranked.cause.as_str());
    let ruled = document.verdict.ranked.first().map_or(0.0, |ranked| ranked.confidence);
    let confidence = if leading.is_some() { ruled - 0.05 } else { ruled.min(0.3) };
    let remedies: &[&str] = match cause {
        "memory-leak" | "stuck-process" => &["rollout-restart"],
        "limit-too-low" => &["set-resources"],
        "bad-deploy" | "crash-loop" => &["rollout-undo"],
        "traffic-surge" | "cpu-bound" => &["scale"],
        _ => &[],
    };
    let unknowns: Vec<String> = document.verdict.missing.iter().map(unknown).collect();
    json!({
        "cause": cause,
        "confidence": (confidence.clamp(0.0, 1.0) * 100.0).round() / 100.0,
        "summary": opening(document).replace(&format!(" {}", citation(&supporting(document))), ""),
        "evidence": supporting(document),
        "workload": document.workload,
        "remedies": remedies,
        "unknowns": unknowns,
    })
}

fn unknown(missing: &Value) -> String {
    match (missing["question"].as_str(), missing["why"].as_str()) {
        (Some(question), Some(why)) => format!("{}: {why}", label(question)),
        _ => missing.as_str().map_or_else(|| missing.to_string(), str::to_owned),
    }
}

/// The answer to a question after the narrative: the evidence whose subject it names.
fn followed_up(document: &Document, asked: &str) -> String {
    const SUBJECTS: [(&str, &[&str]); 7] = [
        ("memory", &["memory", "heap", "leak"]),
        ("oom-kills", &["oom", "kill", "137"]),
        ("collector", &["collector", "gc", "garbage"]),
        ("traffic", &["traffic", "request", "load"]),
        ("cpu", &["cpu", "processor"]),
        ("workload", &["pod", "replica", "workload", "limit"]),
        ("changes", &["change", "deploy", "rollout", "revision"]),
    ];
    let sentences: Vec<String> = SUBJECTS
        .iter()
        .filter(|(_, words)| words.iter().any(|word| asked.contains(word)))
        .filter_map(|(question, _)| document.evidence.iter().find(|item| item.question == *question))
        .map(|item| if is_readable(item) { sentence(item) } else { gap(item) })
        .collect();
    if sentences.is_empty() { "The evidence at hand does not answer that.".to_owned() } else { sentences.join(" ") }
}

#[cfg(test)]
mod tests;
