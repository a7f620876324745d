//! The faults a scenario may hold: what the wire shows while they last.

use aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata as _;
use pagerdeck::rehearsal::ledger::Api;

use super::{after, client, play_with, raw, rehearse};

#[tokio::test]
async fn denied_logs_say_which_permission_is_missing_and_the_ledger_marks_it() {
    let rehearsal = rehearse("no-data").await;
    let client = client!(aws_sdk_cloudwatchlogs, rehearsal);
    let denied = client.filter_log_events().log_group_name("/ecs/my-api").send().await.unwrap_err();
    assert_eq!(denied.code(), Some("AccessDeniedException"));
    assert!(denied.message().unwrap().contains("logs:FilterLogEvents"), "{denied:?}");
    let entry = &rehearsal.ledger.entries()[0];
    assert_eq!((entry.api, entry.fault, entry.status), (Api::Logs, Some("denied"), 400));
    rehearsal.stop().await;
}

#[tokio::test]
async fn throttling_strikes_as_often_as_written_in_the_words_of_each_service() {
    let rehearsal = play_with(
        "[[fault]]\nservice = \"cloudwatch\"\noperation = \"DescribeAlarms\"\ntimes = 1\neffect = { kind = \"throttled\" }\n\
         [[fault]]\nservice = \"bedrock\"\neffect = { kind = \"throttled\" }\n\
         [[fault]]\nservice = \"sts\"\neffect = { kind = \"expired\" }\n",
    )
    .await;
    let alarms = client!(aws_sdk_cloudwatch, rehearsal);
    assert_eq!(alarms.describe_alarms().send().await.unwrap_err().code(), Some("Throttling"));
    rehearsal.clock.jump_to(after(&rehearsal, 1));
    assert!(alarms.describe_alarms().send().await.is_ok(), "once only");
    let who = client!(aws_sdk_sts, rehearsal).get_caller_identity().send().await.unwrap_err();
    assert_eq!(who.code(), Some("ExpiredToken"));
    let url = format!("{}/model/simulated.rules-v1/converse-stream", rehearsal.endpoints.aws);
    let answer = raw::exchange(&url, "POST", &[("content-type", "application/json")], b"{}").await;
    assert_eq!(answer.status, 429);
    assert!(answer.head.contains("x-amzn-errortype: throttlingexception") && answer.text().contains("Too many tokens"));
    rehearsal.stop().await;
}

#[tokio::test]
async fn a_fault_has_its_window_of_incident_time() {
    let rehearsal = play_with(
        "[[fault]]\nservice = \"logs\"\nfrom = \"10s\"\nuntil = \"20s\"\neffect = { kind = \"unavailable\" }\n",
    )
    .await;
    let client = client!(aws_sdk_cloudwatchlogs, rehearsal);
    let works = async || client.describe_log_groups().send().await.is_ok();
    assert!(works().await);
    rehearsal.clock.jump_to(after(&rehearsal, 10));
    assert!(!works().await);
    rehearsal.clock.jump_to(after(&rehearsal, 20));
    assert!(works().await);
    rehearsal.stop().await;
}

#[tokio::test]
async fn silence_accepts_and_says_nothing_and_a_cut_ends_early() {
    let rehearsal = play_with(
        "[[fault]]\nservice = \"cloudwatch\"\noperation = \"DescribeAlarms\"\neffect = { kind = \"silence\" }\n\
         [[fault]]\nservice = \"cloudwatch\"\noperation = \"ListMetrics\"\neffect = { kind = \"cut\", after_bytes = 40 }\n\
         [[fault]]\nservice = \"cloudwatch\"\noperation = \"GetMetricData\"\neffect = { kind = \"empty\" }\n",
    )
    .await;
    let url = format!("{}/service/GraniteServiceVersion20100801/operation/", rehearsal.endpoints.aws);
    let quiet = raw::send(&format!("{url}DescribeAlarms"), "POST", &[], &[0xa0]).await;
    while rehearsal.ledger.entries().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(rehearsal.ledger.entries()[0].status, 0, "still unanswered");
    assert_eq!(quiet.try_read(&mut [0; 1]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    let cut = raw::exchange(&format!("{url}ListMetrics"), "POST", &[], &[0xa0]).await;
    assert!(!cut.body.ends_with(b"0\r\n\r\n"), "the body has no end");
    let empty = raw::exchange(&format!("{url}GetMetricData"), "POST", &[], &[0xa0]).await;
    assert_eq!((empty.status, empty.body), (200, vec![0xa0]));
    rehearsal.stop().await;
}
