//! The simulated webhook: what it takes, and the words it refuses with.

use pagerdeck::rehearsal::ledger::Api;

use super::{raw, rehearse};

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

#[tokio::test]
async fn the_webhook_takes_a_message_and_refuses_what_slack_refuses() {
    let rehearsal = rehearse("oom-leak").await;
    let hook = rehearsal.endpoints.slack.clone();
    let long =
        format!(r#"{{"blocks":[{{"type":"header","text":{{"type":"plain_text","text":"{}"}}}}]}}"#, "x".repeat(151));
    for (body, status, word) in [
        (r#"{"text":"hello"}"#, 200, "ok"),
        ("{}", 400, "no_text"),
        ("{nonsense", 400, "invalid_payload"),
        (long.as_str(), 400, "invalid_blocks"),
    ] {
        let answer = raw::exchange(&hook, "POST", &JSON, body.as_bytes()).await;
        assert_eq!((answer.status, answer.text().as_str()), (status, word), "{body}");
    }
    let other = raw::exchange(&format!("{hook}x"), "POST", &JSON, br#"{"text":"t"}"#).await;
    assert_eq!((other.status, other.text().as_str()), (404, "no_service"));
    let entries = rehearsal.ledger.entries();
    assert_eq!((entries.len(), entries[0].api, entries[0].status), (5, Api::Slack, 200));
    assert_eq!((rehearsal.ledger.summary().by_kind["slack:post"], rehearsal.ledger.summary().mutating), (5, 0));
    rehearsal.stop().await;
}
