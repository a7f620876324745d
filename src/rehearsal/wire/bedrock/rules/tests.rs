//! The rules model over requests made by hand: it writes up what it was sent, and nothing else.

use super::*;

fn request(document: &Value, more: &[Value]) -> Value {
    let first =
        json!({ "role": "user", "content": [{ "text": format!("Look.\n<evidence>\n{document}\n</evidence>") }] });
    let mut messages = vec![first];
    messages.extend_from_slice(more);
    json!({ "messages": messages, "toolConfig": { "tools": [{ "toolSpec": { "name": "submit_diagnosis" } }] } })
}

fn leak() -> Value {
    json!({
        "schema": "pagerdeck/evidence/1", "incident": "I1", "service": "my-api",
        "workload": { "kind": "deployment", "namespace": "payments", "name": "my-api" },
        "alarms": [],
        "evidence": [
            { "id": "E1", "question": "memory", "completeness": "exact", "answer": "a", "facts": [
                { "name": "latest", "value": 98.04, "unit": "percent" },
                { "name": "slope", "value": 3.1, "unit": "percent-per-minute" }] },
            { "id": "E2", "question": "oom-kills", "completeness": "exact", "answer": "b", "facts": [
                { "name": "total", "value": 14.0, "unit": "count" }, { "name": "heap-errors", "value": 37.0, "unit": "count" }] },
            { "id": "E3", "question": "traffic", "completeness": "denied", "answer": "c", "facts": [] },
            { "id": "E4", "question": "changes", "completeness": "exact", "answer": "no rollout in the window.", "facts": [] }],
        "verdict": { "ranked": [{ "cause": "memory-leak", "confidence": 0.91, "findings": [
            { "text": "t", "side": "supports", "weight": 0.5, "evidence": ["E1", "E2", "E9"] }] }],
            "missing": [{ "question": "traffic", "why": "denied" }], "conclusive": true }
    })
}

fn parts(answer: &Answer) -> (String, Option<Value>) {
    let text = answer
        .chunks
        .iter()
        .find_map(|chunk| if let ChunkSpec::Text { text } = chunk { Some(text.clone()) } else { None });
    let tool = answer
        .chunks
        .iter()
        .find_map(|chunk| if let ChunkSpec::Tool { input, .. } = chunk { Some(input.clone()) } else { None });
    (text.unwrap(), tool)
}

#[test]
fn it_copies_numbers_cites_and_says_what_is_not_known() {
    let (text, tool) = parts(&answer(&request(&leak(), &[])));
    for part in [
        "98.0%",
        "3.1 %/min",
        "14 times",
        "37 heap errors",
        "[E1]",
        "[E2]",
        "no rollout in the window [E4].",
        "Traffic is not known: this role may not read it [E3].",
    ] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    assert!(!text.contains("E9"), "it cites only what is in the document: {text}");
    let tool = tool.unwrap();
    assert_eq!(tool["cause"], "memory-leak");
    assert_eq!(tool["confidence"], 0.86);
    assert_eq!(tool["evidence"], json!(["E1", "E2"]));
    assert_eq!(tool["remedies"], json!(["rollout-restart"]));
    assert_eq!(tool["unknowns"], json!(["Traffic: denied"]));
    assert_eq!(tool["workload"]["name"], "my-api");
    assert!(!tool["summary"].as_str().unwrap().contains('['));
}

#[test]
fn it_reads_the_request_and_not_the_scenario() {
    let mut other = leak();
    other["evidence"][1]["facts"][0]["value"] = json!(3.0);
    let (text, _) = parts(&answer(&request(&other, &[])));
    assert!(text.contains("OOMKilled 3 times") && !text.contains("14"), "{text}");
}

#[test]
fn without_a_settled_cause_it_submits_none() {
    let mut open = leak();
    open["verdict"] = json!({ "ranked": [{ "cause": "inconclusive", "confidence": 0.2, "findings": [] }], "missing": [], "conclusive": false });
    let (text, tool) = parts(&answer(&request(&open, &[])));
    assert!(text.starts_with("The evidence does not settle"), "{text}");
    let tool = tool.unwrap();
    assert_eq!((&tool["cause"], &tool["remedies"]), (&json!("inconclusive"), &json!([])));
}

#[test]
fn a_question_afterwards_is_answered_from_the_same_evidence() {
    let more = [
        json!({ "role": "assistant", "content": [{ "text": "…" }] }),
        json!({ "role": "user", "content": [{ "text": "What about the heap?" }] }),
    ];
    let answered = answer(&request(&leak(), &more));
    let (text, tool) = parts(&answered);
    assert!(text.contains("98.0%") && tool.is_none() && answered.stop_reason == "end_turn", "{text}");
    let none = answer(&json!({ "messages": [{ "role": "user", "content": [{ "text": "hello" }] }] }));
    assert!(parts(&none).0.contains("no evidence"));
}
