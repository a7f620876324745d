//! What a session keeps for a reader that does not read, on a clock that runs.

use aws_smithy_eventstream::frame::read_message_from;
use futures::StreamExt as _;

use super::*;
use crate::rehearsal::scenario::parse;
use crate::rehearsal::server::StartOptions;

const BUSY: &str = "based_on = \"oom-leak\"\nname = \"test\"\ntitle = \"t\"\nteaches = \"t\"\n\
    [[log]]\ngroup = \"/busy\"\nstream = \"s\"\ncadence = { kind = \"steady\", per_minute = 600 }\ntemplates = [\"n\"]\n\
    [expect]\ncause = \"memory-leak\"\nconclusive = true\n";

/// Ten updates wait, and each second the oldest of them goes: who comes back after a minute hears of the last seconds.
#[tokio::test]
async fn a_reader_who_is_too_slow_loses_the_oldest_updates() {
    let options = StartOptions { speed: Speed::Times(1_000.0), seed: None };
    let cloud = Cloud::new(parse(BUSY, "test").unwrap(), options).unwrap();
    let call = Call {
        api: Api::Logs,
        operation: "StartLiveTail".to_owned(),
        path: "/".to_owned(),
        body: Bytes::new(),
        signed_at: None,
        line: Line::default(),
    };
    let input = json!({"logGroupIdentifiers": ["arn:aws:logs:us-east-1:123456789012:log-group:/busy"]});
    let session = start(&cloud, &call, &input, Course { fullness: Fullness::Whole, at: None }).unwrap();
    let mut pieces = session.into_body().into_data_stream();
    for name in ["initial-response", "sessionStart"] {
        let mut bytes = pieces.next().await.unwrap().unwrap();
        let message = read_message_from(&mut bytes).unwrap();
        let is_named = |value: &str| {
            message.headers().iter().any(|header| header.value().as_string().is_ok_and(|text| text.as_str() == value))
        };
        assert!(is_named(name), "{message:?}");
    }
    let read_again_at = cloud.scenario.start + SignedDuration::from_secs(60);
    cloud.clock.reached(read_again_at).await;
    let mut bytes = pieces.next().await.unwrap().unwrap();
    let message = read_message_from(&mut bytes).unwrap();
    let update: Value = serde_json::from_slice(message.payload()).unwrap();
    let events = update["sessionResults"].as_array().unwrap();
    // The update of a second begins a second before it, and the second is a whole one.
    let oldest = read_again_at - SignedDuration::from_secs(BUFFERED + 2);
    let came_in = |event: &Value| Timestamp::from_millisecond(event["ingestionTime"].as_i64().unwrap()).unwrap();
    assert!(!events.is_empty() && events.iter().all(|event| came_in(event) >= oldest), "{events:?}");
}
