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
    assert_eq!(summary["false_oom"], 1, "{card:#}");
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
    assert_eq!(home.run(&["evidence", "--log", "/nowhere"]).code, Some(1));
    assert_eq!(home.run(&["sessions", "--output", "md"]).code, Some(2));
}
