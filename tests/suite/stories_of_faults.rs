//! One rehearsal a scenario of faults, through the program: what fails on the wire is told, waited for, and never guessed.

use serde_json::Value;

use super::cli::Home;
use super::rehearsed::{Story, story};

/// What a scenario came to, which must be what it expects.
fn came_to(scenario: &str) -> Story {
    let run = story(&[scenario]);
    assert_eq!(run.code, Some(0), "{scenario} did not come to what it expects: {:#}", run.object);
    assert_eq!(run.object["requests"]["mutating"], 0, "{scenario}");
    assert!(!journal(&run).contains("clock-compared"), "{scenario}: the clock of this machine is its own");
    run
}

fn journal(run: &Story) -> String {
    String::from_utf8(run.journal.clone()).unwrap()
}

fn outcome(object: &Value) -> &Value {
    &object["plan"][0]["outcome"]
}

#[test]
fn a_throttled_account_is_waited_for() {
    let run = came_to("throttled");
    let journal = journal(&run);
    assert!(journal.contains("\"retrying\"") && journal.contains("\"throttled\""), "every wait is a record");
    for piece in run.object["evidence"].as_array().unwrap() {
        assert_ne!(piece["answer"]["completeness"], "failed", "{piece}");
    }
    assert_eq!(outcome(&run.object), "rehearsed");
}

#[test]
fn a_stream_that_breaks_keeps_what_was_said_and_the_lock() {
    let run = came_to("stream-cut");
    assert!(!run.object["narrative"]["claims"].as_array().unwrap().is_empty(), "{:#}", run.object["narrative"]);
    assert_eq!(run.object["verdict"]["ranked"][0]["cause"], "memory-leak", "the rules stand by themselves");
    assert_eq!(run.object["gate"]["open"], false);
}

#[test]
fn expired_credentials_are_named_and_no_secret_is_suspected() {
    let run = came_to("credentials-expire");
    let journal = journal(&run);
    assert!(journal.contains("aws sso login"), "the fix is named");
    assert!(!journal.contains("[redacted:secret]") && !journal.contains("kept out of the journal"), "{journal}");
}

#[test]
fn an_api_server_that_restarts_is_asked_again() {
    let run = came_to("api-server-restarts");
    assert_eq!(run.object["oom_kills"]["total"], 14);
    assert_eq!(outcome(&run.object), "rehearsed");
}

#[test]
fn a_webhook_that_denies_is_met_by_the_rehearsal_in_its_own_words() {
    let run = came_to("webhook-denies");
    let rehearsal = &run.object["plan"][0]["rehearsal"];
    assert_eq!(rehearsal["outcome"], "refused", "the role may do it; admission says no: {rehearsal:#}");
    let home = Home::new();
    let told = home.run(&["rehearse", "webhook-denies", "--headless", "--speed", "max"]);
    assert!(told.out.contains("change freeze CHG-2026-0412"), "{}", told.out);
    assert!(!told.out.contains("Needs verb `patch`"), "access is not what is missing: {}", told.out);
}

#[test]
fn a_rollout_that_would_hang_is_seen_beforehand() {
    let run = came_to("rollout-stuck");
    let checks = run.object["plan"][0]["rehearsal"]["checks"].as_array().unwrap();
    let quota = checks.iter().find(|check| check["name"] == "quota").unwrap();
    assert_eq!(quota["state"], "warning", "{quota}");
    assert!(quota["text"].as_str().unwrap().contains("leaves 0Mi"), "{quota}");
}

/// It was right to open the gate, though what was let out came to nothing: the expectation is of the decision.
#[test]
fn a_rollout_that_hangs_is_told_as_failed_and_is_what_its_scenario_expects() {
    let run = story(&["rollout-stuck", "--live", "--operator", &super::rehearsed::approving()]);
    assert_eq!(run.code, Some(0), "{:#}", run.object);
    assert_eq!(
        (&run.object["plan"][0]["outcome"], &run.object["report"]["post"]),
        (&"failed".into(), &"posted".into())
    );
    assert_eq!(run.object["gate"]["open"], false, "it is locked by now");
}

/// A drill that teaches a remedy lets it help: a rollback takes the release's errors, latency, load or leak away, replicas share a load.
#[test]
fn a_remedy_that_is_taught_helps() {
    for scenario in ["deploy-regression", "deploy-slow", "deploy-hot", "leak-by-deploy", "organic-growth", "cpu-bound"]
    {
        let run = story(&[scenario, "--live", "--operator", &super::rehearsed::approving()]);
        assert_eq!(run.object["plan"][0]["outcome"], "verified", "{scenario}: {:#}", run.object["report"]);
    }
}

#[test]
fn a_storm_is_three_incidents_and_one_cause() {
    let home = Home::new();
    let told = home.run(&["rehearse", "alarm-storm", "--headless", "--speed", "max"]);
    assert_eq!(told.code, Some(0), "{}\n{}", told.out, told.err);
    let count = |what: &str| told.out.lines().filter(|line| line.contains(what)).count();
    assert_eq!((count(" in ALARM"), count("incident opened on")), (40, 3), "{}", told.out);
    let verdicts: Vec<&str> = told.out.lines().filter(|line| line.contains("verdict of the rules")).collect();
    let judged = |words: &str| verdicts.iter().filter(|line| line.contains(words)).count();
    assert_eq!((judged("memory leak"), judged("dependency failing")), (1, 2), "{verdicts:#?}");
}

#[test]
fn a_probe_that_kills_is_not_taken_for_memory() {
    let run = came_to("probe-kills-137");
    assert_eq!(run.object["oom_kills"]["total"], 0);
    let findings = run.object["verdict"]["ranked"][0]["findings"].to_string();
    assert!(findings.contains("137 is a kill by signal") && findings.contains("a probe has the container killed"));
}

#[test]
fn pods_without_a_place_wait_where_no_node_has_room() {
    let run = came_to("node-pressure");
    let findings = run.object["verdict"]["ranked"][0]["findings"].to_string();
    assert!(findings.contains("4 of 6 pods are ready") && findings.contains("2 Insufficient memory"), "{findings}");
    assert!(run.object["plan"].as_array().is_none_or(Vec::is_empty), "{}", run.object["plan"]);
}

/// A node that is gone is told with its pods, one of them given another place and one without.
#[test]
fn a_node_that_is_gone_is_named_with_the_pods_it_took_along() {
    let run = came_to("node-not-ready");
    let findings = run.object["verdict"]["ranked"][0]["findings"].to_string();
    for words in ["a node of its pods is not ready", "5 of 6 pods are ready", "became not ready"] {
        assert!(findings.contains(words), "{words}: {findings}");
    }
    assert!(run.object["plan"].as_array().is_none_or(Vec::is_empty), "{}", run.object["plan"]);
}

/// What a Helm release owns may be patched beside it, and the card says what becomes of that. Nothing asks the repository.
#[test]
fn a_patch_beside_helm_is_told_as_one() {
    let run = came_to("helm-repo-unreachable");
    let checks = run.object["plan"][0]["rehearsal"]["checks"].to_string();
    assert!(checks.contains("Helm release my-api: its next upgrade puts its own values back"), "{checks}");
    let asked = run.object["requests"]["by_kind"].as_object().unwrap();
    assert!(!asked.keys().any(|kind| kind.starts_with("charts:")), "{asked:?}");
}

/// A game day: a drill from the palette strikes, is on record, and its requests are marked.
#[test]
fn a_drill_from_the_palette_is_on_record() {
    let script = super::rehearsed::operator("drill");
    let home = Home::new();
    let told = home.run(&["rehearse", "oom-leak", "--headless", "--speed", "max", "--operator", &script]);
    assert!(told.out.contains("game day: the model is throttled for 60 s"), "{}\n{}", told.out, told.err);
    assert!(told.out.contains("game day: every drill ends"), "{}", told.out);
    let journal = told.out.lines().rev().find_map(|line| line.strip_prefix("journal  ")).unwrap();
    let markdown = home.run(&["export", journal, "--format", "md"]).out;
    assert!(markdown.contains("the model is throttled for 60 s"), "the transcript tells of it: {markdown}");
}

/// Any fault for any time, by a few letters: it is on record with its service, its kind and its window, and can be cleared.
#[test]
fn a_fault_of_ones_own_is_let_loose_and_cleared_from_the_palette() {
    let script = super::rehearsed::operator("fault");
    let told = story(&["oom-leak", "--operator", &script]);
    let changes: Vec<Value> = game_day(&told);
    assert_eq!(changes.len(), 2, "{changes:#?}");
    let (injected, cleared) = (&changes[0], &changes[1]);
    assert_eq!((&injected["is"], &injected["fault"]["kind"]), (&"injected".into(), &"throttled".into()));
    assert_eq!(injected["fault"]["services"], serde_json::json!(["bedrock"]));
    assert!(injected["fault"]["until"].is_null(), "until it is cleared: {injected}");
    assert_eq!((&cleared["is"], &cleared["fault"]), (&"cleared".into(), &injected["fault"]));
    let journal = journal(&told);
    assert!(journal.contains("bedrock throttled: Bedrock throttles until it is cleared"), "{journal}");
    assert!(journal.contains("bedrock throttled is cleared"));
}

/// What was done to the faults of a game day.
fn game_day(told: &Story) -> Vec<Value> {
    let lines = told.records();
    let events = lines.iter().map(|record| serde_json::to_value(&record.event).unwrap());
    events.filter_map(|event| event.pointer("/event/change").cloned()).collect()
}

/// The same before the start, where nobody is at the keys.
#[test]
fn a_fault_is_asked_for_on_the_command_line() {
    let fault = ["--fault", "bedrock:throttled@..30s", "--fault", "logs:latency"];
    let told = story(&[&["oom-leak"][..], &fault].concat());
    let struck = told.object["requests"]["by_fault"].as_object().unwrap();
    assert!(struck.contains_key("bedrock:throttled") && struck.contains_key("logs:latency"), "{struck:?}");
    assert_eq!(game_day(&told).len(), 2);
    assert!(journal(&told).contains("bedrock throttled from 0s to 30s, asked for before the start"));
    let said = Home::new().run(&["rehearse", "--headless", "--fault", "slack:skewed"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert!(said.err.contains("slack knows no fault \"skewed\": it knows latency"), "{}", said.err);
}

/// The logs of a machine whose clock is four minutes off are read by the clock of AWS, and it is told.
#[test]
fn a_clock_that_is_off_is_told_and_silences_nothing() {
    for (by, told) in [
        ("250s", "4 min 10 s ahead of AWS"),
        ("-4m", "4 min behind AWS"),
        ("10m", "10 min ahead of AWS"),
        ("-10m", "10 min behind AWS"),
    ] {
        let fault =
            |service| format!("[[fault]]\nservice = \"{service}\"\neffect = {{ kind = \"skewed\", by = \"{by}\" }}\n");
        let faults = ["cloudwatch", "logs", "bedrock", "sts"].map(fault).concat();
        let scenario = format!(
            "based_on = \"oom-leak\"\nname = \"off\"\ntitle = \"t\"\nteaches = \"t\"\n{faults}\
             [expect]\ncause = \"memory-leak\"\nconclusive = true\n"
        );
        let (_home, folder) = folder(&[("scenario.toml", &scenario)]);
        let run = story(&[&folder]);
        let journal = journal(&run);
        assert_eq!(journal.matches("clock-compared").count(), 1, "told once: {journal}");
        assert_eq!(run.object["verdict"]["ranked"][0]["cause"], "memory-leak", "{by}: {:#}", run.object);
        let session = super::rehearsed::fold(&run.records());
        assert!(session.logs.total.lines > 500, "{by}: {} lines", session.logs.total.lines);
        assert!(session.timeline.entries().iter().any(|entry| entry.text.contains(told)), "{by}");
    }
}

fn folder(files: &[(&str, &str)]) -> (Home, String) {
    let home = Home::new();
    let folder = home.path().join("incident");
    std::fs::create_dir(&folder).unwrap();
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let path = folder.to_str().unwrap().to_owned();
    (home, path)
}

#[test]
fn a_folder_of_exports_is_told_what_it_lacks() {
    let files = [
        ("cpu.csv", "time,percent\n2025-11-02 03:00:00,91\n"),
        ("app.log", "2025-11-02T03:00:00Z ERROR out of memory\n"),
        ("events.json", "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": []}"),
    ];
    let (home, path) = folder(&files);
    let said = home.run(&["rehearse", &path, "--headless"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    for words in [
        "has no scenario.toml",
        "columns = { time = \"time\", value = \"percent\" }",
        "app.log: log lines",
        "objects = [\"events.json\"]",
    ] {
        assert!(said.err.contains(words), "{words}: {}", said.err);
    }
}

const LINE: &str = "{\"@timestamp\": \"2025-11-02T03:39:10Z\", \"level\": \"ERROR\", \"msg\": \"heap\"}\n";

#[test]
fn a_folder_with_data_is_restamped_and_checked() {
    let rows: Vec<String> = (0..40).map(|minute| format!("2025-11-02 03:{minute:02}:00,{}", 40 + minute)).collect();
    // As spreadsheets write it, with a byte order mark.
    let csv = format!("\u{feff}timestamp,value\n{}\n", rows.join("\n"));
    let scenario = "based_on = \"oom-leak\"\nname = \"mine\"\ntitle = \"t\"\nteaches = \"t\"\nobjects = [\"events.json\"]\n\
        [[metric]]\nid = \"cpu\"\nnamespace = \"AWS/ECS\"\nname = \"CPUUtilization\"\n\
        dimensions = { ClusterName = \"eks-prod\", ServiceName = \"my-api\" }\nunit = \"percent\"\n\
        history = { shape = \"csv\", file = \"cpu.csv\" }\n\
        [[log]]\ngroup = \"/ecs/my-api\"\ncadence = { kind = \"file\", file = \"app.jsonl\" }\n\
        [expect]\ncause = \"memory-leak\"\nconclusive = true\n";
    let pod = "{\"kind\": \"Pod\", \"apiVersion\": \"v1\", \"metadata\": {\"name\": \"my-api-5d9f-x\", \"namespace\": \"payments\", \
        \"ownerReferences\": [{\"apiVersion\": \"apps/v1\", \"kind\": \"ReplicaSet\", \"name\": \"my-api-5d9f\", \"uid\": \"u\", \
        \"controller\": true}]}, \"spec\": {\"containers\": [{\"name\": \"app\", \"image\": \"x:1\"}]}}";
    let with_pod = scenario.replace("\"events.json\"", "\"pod.json\"");
    let (home, path) =
        folder(&[("scenario.toml", with_pod.as_str()), ("cpu.csv", &csv), ("app.jsonl", LINE), ("pod.json", pod)]);
    let said = home.run(&["rehearse", "--check", &path]);
    assert!(said.out.contains("The pods of my-api are exported ones"), "{}{}", said.out, said.err);
    let event = "{\"kind\": \"Event\", \"apiVersion\": \"v1\", \"metadata\": {\"name\": \"x.1\", \"namespace\": \"payments\"}, \
        \"lastTimestamp\": \"2025-11-02T03:39:00Z\"}";
    let files = [
        ("scenario.toml", scenario),
        ("cpu.csv", &csv),
        ("app.jsonl", LINE),
        ("events.json", event),
        ("notes.txt", "what we remember\n"),
    ];
    let (home, path) = folder(&files);
    let said = home.run(&["rehearse", "--check", &path]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    for words in ["mine can be rehearsed", "orders has no metric for memory", "The file notes.txt lies in the folder"] {
        assert!(said.out.contains(words), "{words}: {}", said.out);
    }
    let said = home.run(&["rehearse", &path, "--headless", "--speed", "max"]);
    assert!(said.out.contains("CPU peak 79% at 09:30"), "the last row is the minute before start: {}", said.out);
}
