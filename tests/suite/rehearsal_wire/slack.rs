//! The simulated webhook: what it takes, and the words it refuses with.

use pagerdeck::domain::observation::service::ServiceName;
use pagerdeck::rehearsal::ledger::Api;
use pagerdeck::rehearsal::wire::slack::unescaped;
use pagerdeck::report::slack::message;

use super::{after, play_with, raw, rehearse};
use crate::rehearsed::{fold, live};

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

#[tokio::test]
async fn the_webhook_takes_one_message_a_second_after_a_burst() {
    let rehearsal = rehearse("oom-leak").await;
    let hook = rehearsal.endpoints.slack.clone();
    let say = async || raw::exchange(&hook, "POST", &JSON, br#"{"text":"hello"}"#).await;
    for _ in 0..5 {
        assert_eq!(say().await.status, 200);
    }
    let refused = say().await;
    assert_eq!((refused.status, refused.text().as_str()), (429, "rate_limited"));
    assert!(refused.head.contains("retry-after: 1"), "{}", refused.head);
    rehearsal.clock.jump_to(after(&rehearsal, 1));
    assert_eq!((say().await.status, say().await.status), (200, 429));
    rehearsal.stop().await;
}

#[tokio::test]
async fn each_word_of_a_webhook_comes_with_its_status() {
    for (word, status) in [
        ("action_prohibited", 403),
        ("channel_is_archived", 410),
        ("channel_not_found", 404),
        ("invalid_token", 403),
        ("no_service", 404),
        ("posting_to_general_channel_denied", 403),
        ("rollup_error", 500),
        ("team_disabled", 403),
        ("user_not_found", 404),
    ] {
        let fault = format!("[[fault]]\nservice = \"slack\"\neffect = {{ kind = \"refused\", word = \"{word}\" }}\n");
        let rehearsal = play_with(&fault).await;
        let answer = raw::exchange(&rehearsal.endpoints.slack, "POST", &JSON, br#"{"text":"hello"}"#).await;
        assert_eq!((answer.status, answer.text().as_str()), (status, word));
        rehearsal.stop().await;
    }
}

/// What a live rehearsal reported, and the same of a service whose name is full of marks.
#[tokio::test]
async fn what_is_posted_holds_no_mark_that_was_not_meant() {
    let rehearsal = rehearse("oom-leak").await;
    let mut session = fold(&live().records());
    for name in ["my-api", "<!channel> a&b <https://x.example|my-api> *c* -> d"] {
        for incident in session.incidents.values_mut() {
            incident.service.name = ServiceName::from(name);
            incident.report = None;
        }
        for incident in session.incidents.values() {
            let message = message(&session, incident);
            assert_eq!(unescaped(&message), Vec::<String>::new(), "{name}: {message:#}");
            // A mention would be a mark that Slack means: nobody is called by what something is named.
            let text = message["text"].as_str().unwrap();
            assert!(text.contains("my-api") && !text.contains("<!"), "{text}");
            let answer = raw::exchange(&rehearsal.endpoints.slack, "POST", &JSON, message.to_string().as_bytes()).await;
            assert_eq!((answer.status, answer.text().as_str()), (200, "ok"), "{message:#}");
        }
    }
    rehearsal.stop().await;
}
