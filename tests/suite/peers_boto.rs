//! boto3 against the simulated CloudWatch and Logs: its parsers read pages, errors of every shape, and the frames of Live
//! Tail.
//!
//! Needs `tests/peers/install.sh`. Where the peers are absent the test says `skipped`; with `PAGERDECK_REQUIRE_PEERS=1`
//! that is a failure.

use std::process::Command;

use pagerdeck::rehearsal::clock::Speed;
use pagerdeck::rehearsal::scenario;
use pagerdeck::rehearsal::server::{StartOptions, start};
use serde_json::{Value, json};

use crate::peers_aws::peer;

/// One session breaks off, and three operations are refused by faults.
const FAULTS: &str = r#"
based_on = "oom-leak"
name = "test"
title = "t"
teaches = "t"
[[fault]]
service = "logs"
operation = "StartLiveTail"
times = 1
effect = { kind = "stream", after_frames = 4, exception = "SessionStreamingException" }
[[fault]]
service = "logs"
operation = "DescribeLogStreams"
effect = { kind = "throttled" }
[[fault]]
service = "logs"
operation = "DescribeLogGroups"
effect = { kind = "expired" }
[[fault]]
service = "cloudwatch"
operation = "ListMetrics"
effect = { kind = "denied" }
[expect]
cause = "memory-leak"
conclusive = true
"#;

/// Runs the reader against a rehearsal that passes twenty seconds in one.
async fn seen() -> Option<Value> {
    let python = peer("venv/bin/python")?;
    let scenario = scenario::parse(FAULTS, "test").unwrap();
    let begin = scenario.start.as_millisecond().to_string();
    let rehearsal = start(scenario, StartOptions { speed: Speed::Times(20.0), seed: None }).await.unwrap();
    let url = rehearsal.endpoints.aws.clone();
    let reader = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/boto.py");
    let run = move || Command::new(python).args([reader, &url, &begin]).output().unwrap();
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    rehearsal.stop().await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_reads_pages_errors_and_the_frames_of_live_tail() {
    let Some(seen) = seen().await else { return };
    assert_eq!((&seen["kills"], &seen["errors"], &seen["alarms"]), (&json!(14), &json!(true), &json!(9)));
    assert_eq!((&seen["values"], &seen["history"]), (&json!([97.8, 48.9, 30]), &json!("ConfigurationUpdate")));
    assert_eq!(seen["tail"], json!(["sessionStart", "sessionUpdate", "sessionUpdate", "sessionUpdate"]));
    assert_eq!(seen["broken"], json!(["sessionStart", "sessionUpdate", "sessionUpdate", "SessionStreamingException"]));
    for (call, code, status) in [
        ("pattern", "InvalidParameterException", 400),
        ("group", "ResourceNotFoundException", 400),
        ("query", "MalformedQueryException", 400),
        ("session", "InvalidParameterException", 400),
        ("throttled", "ThrottlingException", 400),
        ("expired", "ExpiredTokenException", 400),
        ("operation", "UnknownOperationException", 400),
        ("token", "InvalidNextToken", 400),
        ("expression", "ValidationError", 400),
        ("denied", "AccessDenied", 403),
        ("unknown", "UnknownOperationException", 400),
        ("protocol", "UnknownOperationException", 404),
    ] {
        let told = &seen["refused"][call];
        assert_eq!((&told[0], &told[1], &told[2]), (&json!(code), &json!(status), &json!(true)), "{call}");
    }
    assert_eq!(seen["refused"]["query"][3], 22, "where the query is wrong");
    for protocol in ["query", "json"] {
        assert_eq!(seen["elsewhere"][protocol], json!([404, "UnknownOperationException"]), "{protocol}");
    }
}
