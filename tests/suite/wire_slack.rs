//! Slack at the wire: what is posted, how each answer is told, and that the address is told nowhere.

use std::time::Duration;

use pagerdeck::adapters::install_tls_provider;
use pagerdeck::adapters::slack::{SlackError, Webhook};
use serde_json::json;

use crate::wire_server::{Reply, Server};

const SECRET: &str = "/services/T000/B000/secretpart";

async fn post(reply: impl Fn() -> Reply + Send + 'static) -> (Result<(), SlackError>, Server) {
    install_tls_provider();
    let server = Server::start(move |_| reply()).await;
    let webhook = Webhook::with_timeout(&format!("{}{SECRET}", server.url), Duration::from_millis(400)).unwrap();
    assert!(!format!("{webhook:?}").contains("secret"));
    (webhook.post(&json!({ "text": "I1 my-api: memory leak" })).await, server)
}

#[tokio::test]
async fn a_message_is_posted_once_as_json() {
    let (result, server) = post(|| Reply::Text(200, "ok")).await;
    assert_eq!(result, Ok(()));
    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].method.as_str(), seen[0].path.as_str()), ("POST", SECRET));
    assert_eq!(seen[0].body, r#"{"text":"I1 my-api: memory leak"}"#);
    assert_eq!(seen[0].content_type, "application/json");
}

#[tokio::test]
async fn each_refusal_is_told_apart_and_never_retried() {
    type Case = (fn() -> Reply, SlackError);
    let cases: [Case; 8] = [
        (|| Reply::Text(400, "invalid_blocks"), SlackError::InvalidMessage("invalid_blocks".into())),
        (|| Reply::Text(404, "no_service"), SlackError::Revoked("no_service".into())),
        (|| Reply::Text(403, "action_prohibited"), SlackError::Revoked("action_prohibited".into())),
        (|| Reply::Text(410, "channel_is_archived"), SlackError::Archived),
        (
            || Reply::Header(429, ("retry-after", "30"), "rate_limited"),
            SlackError::Throttled(Some(Duration::from_secs(30))),
        ),
        (|| Reply::Text(429, ""), SlackError::Throttled(None)),
        (|| Reply::Text(503, "rollup_error"), SlackError::Unavailable(503)),
        (|| Reply::Header(302, ("location", "http://127.0.0.1:1/"), ""), SlackError::Unexpected(302)),
    ];
    for (reply, expected) in cases {
        let (result, server) = post(reply).await;
        assert_eq!(result, Err(expected));
        assert_eq!(server.seen().len(), 1);
    }
}

/// Only what certainly did not arrive may be posted again.
#[tokio::test]
async fn a_connection_that_breaks_is_told_from_one_that_never_stood() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}{SECRET}", listener.local_addr().unwrap());
    install_tls_provider();
    let webhook = Webhook::new(&url).unwrap();
    let message = json!({});
    let (broken, ()) = futures::join!(webhook.post(&message), async {
        let (mut taken, _) = listener.accept().await.unwrap();
        let mut some = [0; 8];
        tokio::io::AsyncReadExt::read_exact(&mut taken, &mut some).await.unwrap();
    });
    assert_eq!(broken, Err(SlackError::Cut));
    let error = broken.unwrap_err();
    assert!(error.again_after(1).is_none() && error.fault().hints[0].contains("channel"), "{}", error.fault());
    drop(listener);
    let never = webhook.post(&message).await.unwrap_err();
    assert!(never == SlackError::Unreachable && never.again_after(1).is_some());
    let wait = Duration::from_secs(30);
    assert_eq!(SlackError::Throttled(Some(wait)).again_after(1), Some(wait));
    let waits = [1, 2, 5].map(|posts| SlackError::Unavailable(503).again_after(posts).map(|wait| wait.as_secs()));
    assert_eq!(waits, [Some(2), Some(4), Some(32)], "it says itself that it failed");
    assert_eq!([SlackError::TimedOut, SlackError::Unavailable(504)].map(|error| error.again_after(1)), [None; 2]);
}

#[tokio::test]
async fn the_address_is_in_no_error() {
    let echo = || Reply::Text(404, "<html>no such page: https://hooks.slack.com/services/T000/B000/secretpart</html>");
    let (echoed, _server) = post(echo).await;
    let (silent, _server) = post(|| Reply::Silence).await;
    assert_eq!(silent, Err(SlackError::TimedOut));
    let gone = Webhook::new(&format!("http://127.0.0.1:1{SECRET}")).unwrap();
    let unreachable = gone.post(&json!({})).await;
    assert_eq!(unreachable, Err(SlackError::Unreachable));
    for error in [echoed, silent, unreachable].map(Result::unwrap_err) {
        let told = format!("{error} {error:?} {:?}", error.fault());
        assert!(!told.contains("secretpart") && !told.contains("T000"), "{told}");
    }
}

#[test]
fn only_https_or_this_machine() {
    install_tls_provider();
    for (address, fine) in [
        ("https://hooks.slack.com/services/T/B/x", true),
        ("http://127.0.0.1:8080/services/T/B/x", true),
        ("http://[::1]:8080/x", true),
        ("http://hooks.slack.com/services/T/B/x", false),
        ("http://10.0.0.1/x", false),
        ("ftp://127.0.0.1/x", false),
        ("not an address", false),
        ("", false),
    ] {
        let made = Webhook::new(address);
        assert_eq!(made.is_ok(), fine, "{address}");
        if let Err(error) = made {
            assert!(address.is_empty() || !error.to_string().contains(address), "{error}");
        }
    }
}
