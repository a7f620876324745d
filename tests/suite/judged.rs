//! `eval` and `evidence` through the program: what they print, and the code they end with.

use serde_json::Value;

use super::cli::Home;

fn card(args: &[&str]) -> (Option<i32>, Value) {
    let said = Home::new().run(&[&["eval", "--output", "json"], args].concat());
    (said.code, serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {}{}", said.out, said.err)))
}

#[test]
fn a_clean_scorecard_has_its_sums_and_ends_well() {
    let (code, card) = card(&["oom-leak", "quiet", "dependency-down", "stream-cut", "--seeds", "2"]);
    assert_eq!(code, Some(0), "{card:#}");
    let summary = &card["summary"];
    for (key, expected) in [
        ("scenarios", 8),
        ("right", 8),
        ("top3", 8),
        ("wrong", 0),
        ("abstained", 0),
        ("remedies_wrong", 0),
        ("false_oom", 0),
    ] {
        assert_eq!(summary[key], expected, "{key}: {card:#}");
    }
    assert_eq!((&card["cases"][0]["oom_kills"], &card["cases"][1]["seed"]), (&Value::from(14), &Value::from(42)));
    assert!(card["label"].as_str().unwrap().contains("not a proof"));
}

/// A variation whose own alarm comes later than a lesser one of another service is judged by its own.
#[test]
fn a_variation_is_about_the_service_of_its_scenario() {
    let (code, card) = card(&["cpu-bound", "--seeds", "4"]);
    assert_eq!((code, &card["summary"]["right"], &card["summary"]["remedies_missed"]), (Some(0), &4.into(), &0.into()));
}

#[test]
fn a_case_that_does_not_come_out_is_told_by_the_code() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    let text = "based_on = \"oom-leak\"\nname = \"mine\"\ntitle = \"t\"\nteaches = \"t\"\n\
                [expect]\ncause = \"traffic-surge\"\nconclusive = true\noom_kills = 0\n";
    std::fs::write(&path, text).unwrap();
    let (code, card) = card(&[path.to_str().unwrap()]);
    let summary = &card["given"];
    assert_eq!((code, &summary["wrong"], &summary["remedies_wrong"]), (Some(1), &Value::from(1), &Value::from(1)));
    assert_eq!((&summary["false_oom"], &summary["oom_miscounted"]), (&Value::from(1), &Value::from(1)), "{card:#}");
}

/// A count that is off and a remedy that is missed are told by the code as well.
#[test]
fn a_wrong_count_or_a_missed_remedy_is_no_clean_scorecard() {
    let folder = tempfile::tempdir().unwrap();
    let judged = |expect: &str| {
        let path = folder.path().join("mine.toml");
        let text = format!("name = \"mine\"\ntitle = \"t\"\nteaches = \"t\"\n{expect}");
        std::fs::write(&path, text).unwrap();
        let (code, card) = card(&[path.to_str().unwrap()]);
        let sum = |key: &str| card["given"][key].as_u64().unwrap();
        (code, sum("right"), sum("oom_miscounted"), sum("remedies_missed"))
    };
    let leak = |kills: u32| {
        format!(
            "based_on = \"oom-leak\"\n[expect]\ncause = \"memory-leak\"\nconclusive = true\noom_kills = {kills}\n\
             offered = [\"rollout-restart\"]\n"
        )
    };
    assert_eq!(judged(&leak(14)), (Some(0), 1, 0, 0));
    assert_eq!(judged(&leak(15)), (Some(1), 1, 1, 0));
    let more = leak(14).replace("\"rollout-restart\"", "\"rollout-restart\", \"scale\"");
    assert_eq!(judged(&more), (Some(1), 1, 0, 1));
}

#[test]
fn evidence_of_a_collector_log_is_told() {
    let home = Home::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gc.log");
    let line = |n: u32| format!("{n}.500: [Full GC {}K->{}K(100000K), 0.2500000 secs]\n", 95_000, 20_000 + n * 380);
    std::fs::write(&path, (1..200).map(line).collect::<String>()).unwrap();
    let said = home.run(&["evidence", "--gc", path.to_str().unwrap(), "--output", "json"]);
    let object: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        (said.code, &object["verdict"]["ranked"][0]["cause"]),
        (Some(0), &Value::from("memory-leak")),
        "{object:#}"
    );
    assert_eq!(home.run(&["evidence"]).code, Some(2));
    assert_eq!(home.run(&["evidence", "--log", "/nowhere"]).code, Some(2));
    assert_eq!(home.run(&["sessions", "--output", "md"]).code, Some(2));
}

/// Objects alone: what kept pods from running is in their states and events, and is kept with them.
#[test]
fn pods_and_events_that_are_saved_come_to_the_same_verdict_when_they_are_rehearsed() {
    let pod = |name: &str, status: &str| {
        format!(
            r#"{{"kind":"Pod","metadata":{{"name":"{name}","namespace":"shop","labels":{{"app":"cart"}},
                "creationTimestamp":"2026-03-03T09:00:00Z"}},"status":{status}}}"#
        )
    };
    let crashing = r#"{"phase":"Running","containerStatuses":[{"name":"app","ready":false,"restartCount":6,"image":"","imageID":"",
        "state":{"waiting":{"reason":"CrashLoopBackOff"}},"lastState":{"terminated":{"reason":"StartError","exitCode":127,
        "startedAt":"2026-03-03T09:20:00Z","finishedAt":"2026-03-03T09:20:03Z","message":"exec: \"serve\": executable file not found in $PATH"}}}]}"#;
    let ready = r#"{"phase":"Running","conditions":[{"type":"Ready","status":"True"},{"type":"ContainersReady","status":"True"}],
        "containerStatuses":[{"name":"app","ready":true,"restartCount":0,"image":"","imageID":"",
        "state":{"running":{"startedAt":"2026-03-03T08:00:00Z"}},"lastState":{}}]}"#;
    let pending = r#"{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable",
        "message":"0/3 nodes are available: 3 Insufficient memory.","lastTransitionTime":"2026-03-03T09:05:00Z"}]}"#;
    for (name, second, expected) in [("crash", crashing, "crash-loop"), ("place", pending, "node-pressure")] {
        let (home, folder) = (Home::new(), tempfile::tempdir().unwrap());
        let deployment = r#"{"kind":"Deployment","metadata":{"name":"cart","namespace":"shop"},"spec":{"replicas":2,
            "selector":{"matchLabels":{"app":"cart"}},"template":{"metadata":{"labels":{"app":"cart"}},"spec":{"containers":[
            {"name":"app","image":"cart:2","resources":{"limits":{"memory":"512Mi"}}}]}}},"status":{"readyReplicas":1}}"#;
        let event = r#"{"kind":"Event","metadata":{"name":"e","namespace":"shop"},"involvedObject":{"kind":"Pod","name":"cart-1"},
            "type":"Warning","reason":"FailedScheduling","message":"x","lastTimestamp":"2026-03-03T09:25:00Z"}"#;
        let items = [deployment.to_owned(), pod("cart-0", ready), pod("cart-1", second), event.to_owned()].join(",");
        let objects = folder.path().join("objects.json");
        std::fs::write(&objects, format!(r#"{{"kind":"List","items":[{items}]}}"#)).unwrap();
        let saved = folder.path().join(name).display().to_string();
        let objects = objects.display().to_string();
        let said = home.run(&["evidence", "--output", "json", "--objects", &objects, "--save-scenario", &saved]);
        let from_files: Value =
            serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {}{}", said.out, said.err));
        let told = |object: &Value| {
            let verdict = &object["verdict"];
            (verdict["ranked"][0]["cause"].clone(), verdict["conclusive"].clone())
        };
        assert_eq!(told(&from_files), (expected.into(), true.into()), "{from_files:#}");
        assert_eq!(home.run(&["rehearse", "--check", &saved]).code, Some(0), "{name}");
        let played = home.run(&["rehearse", &saved, "--headless", "--speed", "max", "--output", "json"]);
        assert_eq!(played.code, Some(0), "{name}: {}{}", played.out, played.err);
        let rehearsed: Value = serde_json::from_str(&played.out).unwrap();
        assert_eq!(told(&rehearsed), told(&from_files), "{rehearsed:#}");
    }
}

/// A leak as CSVs, log lines and a deployment, saved as a scenario and rehearsed: the cockpit comes to the same verdict.
#[test]
fn exports_that_are_saved_come_to_the_same_verdict_when_they_are_rehearsed() {
    let (home, folder) = (Home::new(), tempfile::tempdir().unwrap());
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let minutes = |value: &dyn Fn(usize) -> f64| {
        let row = |n: usize| format!("2026-03-03T{:02}:{:02}:00Z,{:.2}\n", 9 + n / 60, n % 60, value(n));
        std::iter::once("timestamp,value\n".to_owned()).chain((0..90).map(row)).collect::<String>()
    };
    let wave = |n: usize| (n * 7_919 % 13) as f64 / 10.0;
    let late = |n: usize| n.saturating_sub(60) as f64;
    let memory = write("memory.csv", minutes(&|n| 30.0 + wave(n) + 2.2 * late(n)));
    let cpu = write("cpu.csv", minutes(&|n| if n >= 66 { 96.0 } else { 42.0 } + wave(n)));
    let requests = write("requests.csv", minutes(&|n| 1_200.0 + 10.0 * wave(n)));
    let killed = |n: usize| match n {
        80 | 84 | 88 => "WARN node-agent: container app of pod cart-7d9f-1 OOMKilled exit=137 restarts=1",
        _ => "INFO GET /v1/orders 200",
    };
    let line = |n: usize| format!("2026-03-03T{:02}:{:02}:30Z {}\n", 9 + n / 60, n % 60, killed(n));
    let log = write("app.log", (0..88).chain([88]).map(line).collect());
    let objects = write(
        "objects.json",
        r#"{"kind":"List","items":[{"kind":"Deployment","metadata":{"name":"cart","namespace":"shop"},
            "spec":{"replicas":2,"selector":{"matchLabels":{"app":"cart"}},"template":{"metadata":{"labels":{"app":"cart"}},
            "spec":{"containers":[{"name":"app","image":"cart:2","resources":{"limits":{"memory":"512Mi"}}}]}}},
            "status":{"readyReplicas":2}}]}"#
            .to_owned(),
    );
    let saved = folder.path().join("saved").display().to_string();
    let metrics = [format!("MemoryUtilization={memory}"), format!("cpu={cpu}"), format!("RequestCount={requests}")];
    let mut args =
        vec!["evidence", "--output", "json", "--log", &log, "--objects", &objects, "--save-scenario", &saved];
    args.extend(metrics.iter().flat_map(|metric| ["--metric", metric.as_str()]));
    let said = home.run(&args);
    let from_files: Value =
        serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {}{}", said.out, said.err));
    assert_eq!(from_files["verdict"]["ranked"][0]["cause"], "memory-leak", "{from_files:#}");
    assert_eq!(home.run(&["rehearse", "--check", &saved]).code, Some(0));
    let played = home.run(&["rehearse", &saved, "--headless", "--speed", "max", "--output", "json"]);
    assert_eq!(played.code, Some(0), "{}{}", played.out, played.err);
    let rehearsed: Value = serde_json::from_str(&played.out).unwrap();
    let told = |object: &Value| {
        let verdict = &object["verdict"];
        (verdict["ranked"][0]["cause"].clone(), verdict["conclusive"].clone())
    };
    assert_eq!(told(&rehearsed), told(&from_files), "{rehearsed:#}");
}

/// What a file of others calls its things moves no cursor of ours.
#[test]
fn names_of_a_file_drive_no_terminal() {
    let home = Home::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("objects.json");
    let name = "cart\\u001b[2J\\u009b31m\\u202e";
    let objects = format!(
        r#"{{"kind":"List","items":[{{"kind":"Deployment","metadata":{{"name":"{name}","namespace":"shop"}},
        "spec":{{"replicas":2,"selector":{{"matchLabels":{{"app":"cart"}}}},"template":{{"spec":{{"containers":[
        {{"name":"app","image":"cart:2"}}]}}}}}},"status":{{"readyReplicas":0}}}}]}}"#
    );
    std::fs::write(&path, objects).unwrap();
    for form in ["text", "json"] {
        let said = home.run(&["evidence", "--objects", path.to_str().unwrap(), "--output", form]);
        let hostile = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(said.out.contains("cart") && !said.out.contains(hostile), "{form}: {:?}", said.out);
    }
}
