//! `pagerdeck investigate` as a shell runs it, against an AWS that nobody here wrote: MiniStack, on loopback, loaded
//! through its own API. Skipped, and said to be skipped, as in `peers_aws`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tempfile::TempDir;

use crate::peers_aws::{GROUP, Peer, load_lines, load_metrics, ministack, now, sdk};
use crate::skipped::data;

const ALARM: &str = "my-api-cpu-high";

/// The program without a kubeconfig, in a home of its own, at the peer.
fn pagerdeck(home: &Path, peer: &Peer, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pagerdeck"));
    command
        .args(args)
        .env_clear()
        .envs([("LANG", "C.UTF-8"), ("AWS_REGION", "us-east-1"), ("AWS_ENDPOINT_URL", &peer.url)])
        .envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_EC2_METADATA_DISABLED", "true")])
        .env("HOME", home)
        .env("XDG_STATE_HOME", home.join("state"))
        .current_dir(home)
        .stdin(Stdio::null());
    command
}

fn investigate(home: &Path, peer: &Peer, more: &[&str]) -> (Output, String) {
    let args = [&["investigate", "--alarm", ALARM, "--log-group", GROUP], more].concat();
    let output = pagerdeck(home, peer, &args).output().unwrap();
    let told = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    (output, told)
}

/// A series a minute until now, an alarm on it, and the lines, all within the last half hour.
async fn load(peer: &Peer, values: &[f64], lines: &[String]) {
    let config = sdk(peer);
    let newest = Timestamp::from_second(now().as_second() / 60 * 60).unwrap();
    load_metrics(&aws_sdk_cloudwatch::Client::new(&config), newest, values).await;
    let first = now() - SignedDuration::from_mins(20);
    load_lines(&aws_sdk_cloudwatchlogs::Client::new(&config), first, lines).await;
}

fn evidence<'a>(object: &'a Value, question: &str) -> (&'a str, &'a str) {
    let all = object["evidence"].as_array().unwrap();
    let answer = &all.iter().find(|evidence| evidence["question"] == question).unwrap()["answer"];
    (answer["completeness"].as_str().unwrap(), answer["text"].as_str().unwrap())
}

/// What holds of any data: the alarm, every line counted, the reply heard, nothing settled, nothing changed.
fn check(object: &Value, lines: usize) {
    assert_eq!(object["schema"], "pagerdeck/incident/1");
    assert_eq!((&object["alarms"][0]["name"], &object["alarms"][0]["state"]), (&ALARM.into(), &"alarm".into()));
    let (completeness, text) = evidence(object, "log-patterns");
    assert_eq!(completeness, "exact");
    assert!(text.replace(',', "").starts_with(&format!("{lines} lines ")), "{text}");
    let (completeness, text) = evidence(object, "cpu");
    assert!(completeness == "exact" && text.contains(" points)"), "{completeness} {text}");
    assert!(object["narrative"]["text"].as_str().unwrap().contains("claude-sonnet-4"), "{}", object["narrative"]);
    assert_eq!(object["verdict"]["conclusive"], false);
    assert_eq!(object["verdict"]["ranked"][0]["cause"], "inconclusive");
    assert_eq!((&object["gate"]["open"], &object["plan"]), (&false.into(), &Value::Array(Vec::new())));
    assert_eq!(object["requests"], Value::Null, "nobody counts what a world of others receives");
}

#[tokio::test]
async fn an_alarm_is_investigated_on_a_cloud_of_others() {
    let Some(peer) = ministack() else { return };
    let values: Vec<f64> = (0..30).map(|n| 80.0 + f64::from(n) * 0.5).collect();
    let lines: Vec<String> = (0..3_000).map(|n| format!("INFO GET /v1/orders/{n} 200 {}ms", n % 90)).collect();
    load(&peer, &values, &lines).await;
    let home = TempDir::new().unwrap();

    let (_, told) = investigate(home.path(), &peer, &["--output", "json"]);
    let object: Value = serde_json::from_str(&told).unwrap();
    check(&object, lines.len());
    assert_eq!(object["oom_kills"]["total"], 0);
    assert_eq!(object["oom_kills"]["completeness"], "exact");

    let (_, text) = investigate(home.path(), &peer, &[]);
    let row = text.lines().find(|line| line.contains("threshold 85") && line.contains('|')).unwrap();
    // Whether the present minute is in it is a matter of the second.
    assert!(row.contains("▇██") && row.contains("0 to 94."), "{row}");
    assert!(
        text.contains(&format!("{ALARM} in ALARM")) && text.contains("verdict of the rules: inconclusive"),
        "{text}"
    );
    assert!(investigate(home.path(), &peer, &["--ascii"]).1.is_ascii());

    let (_, records) = investigate(home.path(), &peer, &["--output", "jsonl"]);
    let records: Vec<Value> = records.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(records.windows(2).all(|pair| pair[0]["seq"].as_u64() < pair[1]["seq"].as_u64()));

    // What was seen was also kept.
    let journal = object["journal"].as_str().unwrap();
    assert!(pagerdeck(home.path(), &peer, &["verify", journal]).status().unwrap().success());
}

#[tokio::test]
async fn an_alarm_that_does_not_exist_is_said_at_once() {
    let Some(peer) = ministack() else { return };
    let home = TempDir::new().unwrap();
    let output = pagerdeck(home.path(), &peer, &["investigate", "--alarm", "nowhere"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("There is no alarm `nowhere` among the 0 of us-east-1.") && said.contains("hint:"), "{said}");
}

/// Real exported data, where `PAGERDECK_DATA` says it lies: a CPU series and a collector's log.
#[tokio::test]
async fn real_data_is_counted_exactly() {
    let (Some(nab), Some(collector)) = (data("nab"), data("gc")) else { return };
    let Some(peer) = ministack() else { return };
    let series = std::fs::read_to_string(nab.join("ec2_cpu_utilization_5f5533.csv")).unwrap();
    let values: Vec<f64> =
        series.lines().skip(1).take(30).map(|line| line.split_once(',').unwrap().1.parse().unwrap()).collect();
    let log = std::fs::read(collector.join("ps-details-memoryleak2.log")).unwrap();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<String> = log.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
    load(&peer, &values, &lines[..lines.len().min(10_000)]).await;
    let home = TempDir::new().unwrap();
    let (_, told) = investigate(home.path(), &peer, &["--output", "json"]);
    let object: Value = serde_json::from_str(&told).unwrap();
    check(&object, lines.len().min(10_000));
}
