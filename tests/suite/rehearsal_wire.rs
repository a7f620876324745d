//! The simulated AWS and Slack on the wire: the real SDK clients as peers, and raw HTTP where a client would hide it.

mod bedrock;
mod charts;
mod cloudwatch;
mod effects;
mod faults;
mod linked;
mod logs;
mod offered;
mod raw;
mod restart;
mod skewed;
mod slack;
mod typed;

use aws_sdk_cloudwatch::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig};
use jiff::{SignedDuration, Timestamp};
use pagerdeck::rehearsal::clock::Speed;
use pagerdeck::rehearsal::scenario::{self, Scenario};
use pagerdeck::rehearsal::server::{Rehearsal, StartOptions, start};

async fn rehearse(name: &str) -> Rehearsal {
    play(scenario::load(name).unwrap()).await
}

async fn play(scenario: Scenario) -> Rehearsal {
    start(scenario, StartOptions { speed: Speed::Max, seed: None }).await.unwrap()
}

/// `oom-leak` with other words appended.
async fn play_with(more: &str) -> Rehearsal {
    let text = format!(
        "based_on = \"oom-leak\"\nname = \"test\"\ntitle = \"t\"\nteaches = \"t\"\n\
         {more}\n[expect]\ncause = \"memory-leak\"\nconclusive = true\n"
    );
    play(scenario::parse(&text, "test").unwrap()).await
}

fn after(rehearsal: &Rehearsal, seconds: i64) -> Timestamp {
    rehearsal.scenario.start + SignedDuration::from_secs(seconds)
}

fn credentials() -> Credentials {
    Credentials::new("AKIAREHEARSAL", "rehearsal", None, None, "static")
}

macro_rules! client {
    ($sdk:ident, $rehearsal:expr) => {
        $sdk::Client::from_conf(
            $sdk::Config::builder()
                .behavior_version($crate::rehearsal_wire::BehaviorVersion::latest())
                .region($crate::rehearsal_wire::Region::new("us-east-1"))
                .credentials_provider($crate::rehearsal_wire::credentials())
                .retry_config($crate::rehearsal_wire::RetryConfig::disabled())
                .endpoint_url(&$rehearsal.endpoints.aws)
                .build(),
        )
    };
}
use client;

/// An instant as the SDK writes it.
fn sdk_time(at: Timestamp) -> aws_smithy_types::DateTime {
    aws_smithy_types::DateTime::from_millis(at.as_millisecond())
}

#[tokio::test]
async fn sts_says_who_is_asking_and_the_ledger_writes_it_down() {
    let rehearsal = rehearse("oom-leak").await;
    let identity = client!(aws_sdk_sts, rehearsal).get_caller_identity().send().await.unwrap();
    assert_eq!(identity.account(), Some("123456789012"));
    assert_eq!(identity.arn(), Some("arn:aws:sts::123456789012:assumed-role/oncall/rehearsal"));
    let entries = rehearsal.ledger.entries();
    assert_eq!((entries.len(), entries[0].operation.as_str(), entries[0].status), (1, "GetCallerIdentity", 200));
    assert_eq!(rehearsal.ledger.summary().by_kind["sts:GetCallerIdentity"], 1);
    assert_eq!(rehearsal.ledger.summary().mutating, 0);
    rehearsal.stop().await;
}
