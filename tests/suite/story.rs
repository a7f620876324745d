//! One rehearsal a scenario, through the program: the founding story to its figures, its twins told apart, and what the
//! simulator's ledger saw (invariant 3).

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use pagerdeck::session::Record;
use pagerdeck::session::event::{Event, RemediationEvent};
use serde_json::Value;

use super::cli::{Home, Said};
use super::rehearsed::{Story, approving, live, operator, story};

fn texts<'a>(list: &'a Value, key: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|entry| entry[key].as_str().unwrap()).collect()
}

fn answer<'a>(object: &'a Value, question: &str) -> &'a Value {
    let evidence = object["evidence"].as_array().unwrap();
    &evidence.iter().find(|piece| piece["question"] == question).unwrap()["answer"]
}

/// What every dry-run shares, and the causes in their order.
fn came_to(scenario: &str) -> Value {
    let Story { object, code, .. } = story(&[scenario]);
    assert_eq!(code, Some(0), "{scenario} did not come to what it expects: {object:#}");
    assert_eq!((object["scenario"].as_str(), object["mode"].as_str()), (Some(scenario), Some("dry-run")));
    assert_eq!(object["requests"]["mutating"], 0, "{scenario}");
    for step in object["plan"].as_array().unwrap() {
        assert_eq!((&step["decision"], &step["outcome"]), (&Value::Null, &Value::from("rehearsed")), "{scenario}");
    }
    object
}

fn cause(object: &Value) -> &str {
    object["verdict"]["ranked"][0]["cause"].as_str().unwrap()
}

#[test]
fn the_founding_story_to_its_figures() {
    let object = came_to("oom-leak");
    assert_eq!(texts(&object["alarms"], "name"), ["my-api-oomkilled", "my-api-cpu-high"]);
    let kills = &object["oom_kills"];
    assert_eq!((&kills["total"], &kills["completeness"]), (&Value::from(14), &Value::from("exact")));
    let by_container = kills["by_container"].as_array().unwrap();
    assert_eq!(by_container.iter().map(|one| one["kills"].as_u64().unwrap()).sum::<u64>(), 14);
    let cpu = answer(&object, "cpu");
    assert_eq!(cpu["completeness"], "exact");
    let text = cpu["text"].as_str().unwrap();
    assert!(text.contains("peak 97.8%") && text.contains("mean 91.3%"), "{text}");
    assert_eq!((cause(&object), &object["verdict"]["conclusive"]), ("memory-leak", &Value::Bool(true)));
    let claims = object["narrative"]["claims"].as_array().unwrap();
    assert!(!claims.is_empty() && claims.iter().all(|claim| claim["check"] == "supported"), "{claims:#?}");
    assert_eq!(object["diagnosis"]["accepted"], true);
    assert_eq!((&object["gate"]["open"], &object["gate"]["refusals"]), (&Value::Bool(true), &Value::Array(vec![])));
    let plan = object["plan"].as_array().unwrap();
    assert_eq!(plan.len(), 1);
    assert_eq!(
        (&plan[0]["action"], &plan[0]["text"]),
        (&Value::from("rollout-restart"), &Value::from("rollout restart deployment/my-api -n payments"),)
    );
    assert_eq!(plan[0]["digest"].as_str().map(str::len), Some(64));
    let rehearsal = &plan[0]["rehearsal"];
    assert_eq!(rehearsal["outcome"], "rehearsed");
    assert_eq!(
        texts(&rehearsal["diff"], "path"),
        ["spec.template.metadata.annotations[\"kubectl.kubernetes.io/restartedAt\"]"]
    );
    assert_eq!(rehearsal["diff"][0]["before"], "\"2026-04-11T22:10:03Z\"");
    assert_eq!(
        (&object["requests"]["dry_run"], &object["requests"]["by_kind"]["kubernetes:patch deployments"]),
        (&Value::from(1), &Value::from(1),)
    );
}

#[test]
fn the_low_limit_offers_a_limit_change_and_no_plain_restart() {
    let object = came_to("limit-too-low");
    assert_eq!((cause(&object), &object["oom_kills"]["total"]), ("limit-too-low", &Value::from(14)));
    assert_eq!(texts(&object["plan"], "action"), ["set-resources"]);
    let change = &object["plan"][0]["rehearsal"]["diff"][0];
    assert_eq!(change["path"], "spec.template.spec.containers[name=app].resources.limits.memory");
    assert_eq!((&change["before"], &change["after"]), (&Value::from("\"512Mi\""), &Value::from("\"768Mi\"")));
}

#[test]
fn the_flood_refuses_a_restart() {
    let object = came_to("traffic-flood");
    assert_eq!((cause(&object), &object["verdict"]["conclusive"]), ("traffic-surge", &Value::Bool(true)));
    assert_eq!(
        (&object["oom_kills"]["total"], &object["oom_kills"]["completeness"]),
        (&Value::from(0), &Value::from("exact"),)
    );
    assert_eq!(object["plan"], Value::Array(vec![]));
    assert_eq!(object["gate"]["open"], false);
    assert!(texts(&object["gate"]["refusals"], "reason").contains(&"no-remedy"), "{:#}", object["gate"]);
    assert_eq!(object["requests"]["dry_run"], 0, "what is not offered is not even rehearsed");
}

#[test]
fn without_data_it_is_inconclusive_and_says_what_is_missing() {
    let object = came_to("no-data");
    assert_eq!((cause(&object), &object["verdict"]["conclusive"]), ("inconclusive", &Value::Bool(false)));
    let missing = texts(&object["verdict"]["missing"], "question");
    for question in ["memory", "oom-kills", "collector", "traffic", "workload", "log-patterns"] {
        assert!(missing.contains(&question), "{question} is not among {missing:?}");
    }
    assert_eq!(
        (&object["oom_kills"]["total"], &object["oom_kills"]["completeness"]),
        (&Value::Null, &Value::from("denied"),)
    );
    assert_eq!(texts(&object["gate"]["refusals"], "reason"), ["inconclusive"]);
    assert_eq!(object["plan"], Value::Array(vec![]));
}

#[test]
fn a_model_that_names_what_does_not_exist_keeps_the_gate_locked() {
    let object = came_to("model-hallucinates");
    assert_eq!(cause(&object), "memory-leak", "the rules are not moved by it");
    assert_eq!(object["diagnosis"]["accepted"], false);
    let reasons = object["diagnosis"]["reasons"].to_string();
    assert!(reasons.contains("payments-cache") && reasons.contains("does not exist"), "{reasons}");
    assert_eq!(object["gate"]["open"], false);
    assert!(texts(&object["gate"]["refusals"], "reason").contains(&"diagnosis-rejected"));
    assert_eq!((&object["plan"], &object["requests"]["dry_run"]), (&Value::Array(vec![]), &Value::from(0)));
}

/// Invariant 3: what was approved leaves once.
#[test]
fn a_live_rehearsal_sends_one_request_and_verifies_it() {
    let run = live();
    assert_eq!(run.code, Some(0), "{:#}", run.object);
    let step = &run.object["plan"][0];
    assert_eq!((&step["decision"], &step["outcome"]), (&Value::from("approved"), &Value::from("verified")));
    let requests = &run.object["requests"];
    assert_eq!((&requests["mutating"], &requests["dry_run"]), (&Value::from(1), &Value::from(1)));
    assert!(run.object["alarms"].as_array().unwrap().iter().all(|alarm| alarm["state"] == "ok"), "the alarms cleared");
    assert_eq!(run.object["report"]["post"], "posted");
}

/// Invariant 4: whatever is approved in a dry-run, the ledger has no request that changes anything.
#[test]
fn a_dry_run_that_is_approved_records_would_run_and_changes_nothing() {
    let run = story(&["oom-leak", "--operator", &operator("approve")]);
    assert_eq!(run.code, Some(0), "{:#}", run.object);
    let step = &run.object["plan"][0];
    assert_eq!((&step["decision"], &step["outcome"]), (&Value::from("approved"), &Value::from("would-run")));
    let requests = &run.object["requests"];
    // A further alarm may fire after the decision has closed the incident; what it opens is rehearsed as well.
    assert_eq!(requests["mutating"], 0);
    assert!(requests["dry_run"].as_u64().is_some_and(|sent| sent >= 1), "{requests}");
    assert_eq!(run.object["report"]["post"], "posted", "it is reported like any other end");
    let decided = |record: &Record| matches!(record.event, Event::Remediation(RemediationEvent::DecisionGiven { .. }));
    let started = |record: &Record| matches!(record.event, Event::Remediation(RemediationEvent::StepStarted { .. }));
    let records = run.records();
    assert_eq!(records.iter().filter(|record| decided(record)).count(), 1);
    assert!(!records.iter().any(started), "nothing was ever about to be sent");
}

/// Invariant 5, through the program: live, with somebody who approves, and no journal.
#[test]
fn without_a_journal_an_approving_person_changes_nothing() {
    let home = Home::new();
    std::fs::write(home.path().join("in-the-way"), "").unwrap();
    let script = approving();
    let args = ["rehearse", "oom-leak", "--live", "--operator", &script, "--output", "json", "--speed", "max"];
    let mut command = home.command(&args);
    command.args(["--for", "120"]).env("PAGERDECK_STATE", home.path().join("in-the-way"));
    let said = Said::of(&command.output().unwrap());
    assert_eq!(said.code, Some(1), "{}\n{}", said.out, said.err);
    assert!(said.err.contains("The journal could not be opened"), "{}", said.err);
    let object: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&object["journal"], &object["requests"]["mutating"]), (&Value::Null, &Value::from(0)));
    let step = &object["plan"][0];
    assert_eq!((&step["action"], &step["decision"]), (&Value::from("rollout-restart"), &Value::Null));
}

/// The gate locks by age in a long run; the scenario's expectation is of what was read.
#[test]
fn a_long_run_comes_to_what_its_scenario_expects() {
    let home = Home::new();
    let args = ["rehearse", "limit-too-low", "--headless", "--output", "json", "--speed", "max", "--for", "660"];
    let said = Said::of(&home.command(&args).output().unwrap());
    assert_eq!(said.code, Some(0), "{}\n{}", said.out, said.err);
    let object: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(object["gate"]["refusals"][0]["reason"], "stale");
}

/// A server that takes connections and never answers. It ends with the test.
fn silent() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    #[expect(clippy::disallowed_methods, reason = "the silent peer needs a thread of its own")]
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming().flatten() {
            held.push(stream);
        }
    });
    address
}

#[test]
fn against_a_silent_endpoint_it_ends_by_itself_and_says_how_it_stands() {
    let home = Home::new();
    let address = silent();
    let mut command = home.command(&["--headless", "--for", "3", "--output", "json"]);
    command.env("AWS_ENDPOINT_URL", &address).env("AWS_REGION", "us-east-1");
    command.env("AWS_ACCESS_KEY_ID", "x").env("AWS_SECRET_ACCESS_KEY", "x");
    let said = Said::of(&command.output().unwrap());
    // Whether the first answer has been given up by then is a matter of time-outs; either way it is said.
    assert!(said.code == Some(0) || said.code == Some(1) && !said.err.is_empty(), "{}\n{}", said.out, said.err);
    let object: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(object["alarms"], Value::Null, "nobody could list them");
    assert_eq!((&object["feeds"][0]["name"], &object["requests"]), (&"alarms".into(), &Value::Null));
    assert_eq!((cause(&object), &object["verdict"]["conclusive"]), ("inconclusive", &Value::Bool(false)));
    assert_eq!(
        (&object["oom_kills"]["total"], &object["oom_kills"]["completeness"]),
        (&Value::Null, &Value::from("not-asked"),)
    );
    let journal = std::fs::read_to_string(object["journal"].as_str().unwrap()).unwrap();
    assert!(journal.contains("the time was up"), "the journal ends in order: {journal}");
}

#[test]
fn a_run_that_a_signal_ends_has_not_done_what_was_asked() {
    let home = Home::new();
    let mut command = home.command(&["investigate", "--alarm", "x", "--output", "jsonl"]);
    command.env("AWS_ENDPOINT_URL", silent()).env("AWS_REGION", "us-east-1");
    command.env("AWS_ACCESS_KEY_ID", "x").env("AWS_SECRET_ACCESS_KEY", "x");
    let mut run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The loop tells its first record after it has begun to listen for signals.
    let mut out = BufReader::new(run.stdout.take().unwrap());
    let mut first = String::new();
    out.read_line(&mut first).unwrap();
    assert!(first.contains("started"), "{first}");
    assert!(Command::new("kill").args(["-TERM", &run.id().to_string()]).status().unwrap().success());
    std::io::copy(&mut out, &mut std::io::sink()).unwrap();
    let said = Said::of(&run.wait_with_output().unwrap());
    assert_eq!(said.code, Some(143), "{}", said.err);
    assert!(said.err.contains("SIGTERM ended the run"), "{}", said.err);
}
