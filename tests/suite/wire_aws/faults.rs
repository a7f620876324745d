//! What goes wrong between us and AWS, and the words a person reads then.

use pagerdeck::adapters::aws::alarms::describe_all;
use pagerdeck::adapters::aws::bedrock::{StreamTimeouts, converse_stream};
use pagerdeck::adapters::aws::logs::{GroupSearch, find_groups};
use pagerdeck::domain::fault::{Fault, FaultKind};
use serde_json::json;
use tokio::sync::mpsc;

use super::bedrock::question;
use super::server::{Server, cbor, clients, impatient_clients, reply};

async fn cloudwatch_fault(status: u16, code: &str) -> Fault {
    let body = json!({"__type": format!("com.amazonaws.cloudwatch#{code}"), "message": "said so"});
    let server = Server::start(move |_, _| cbor(status, &body)).await;
    let fault = describe_all(&server.clients()).await.unwrap_err().fault();
    assert_eq!(server.asked().len(), 1, "the SDK must not retry by itself");
    fault
}

async fn logs_fault(status: u16, code: &str) -> Fault {
    let body = json!({"__type": code, "message": "said so"}).to_string();
    let server = Server::start(move |_, _| reply(status, "application/x-amz-json-1.1", body.clone())).await;
    let search = GroupSearch::Prefix("/ecs/".into());
    find_groups(&server.clients(), &search, 10).await.unwrap_err().fault()
}

async fn bedrock_fault(status: u16, code: &'static str, message: &str) -> Fault {
    let body = json!({"message": message}).to_string();
    let server = Server::start(move |_, _| {
        let mut response = reply(status, "application/json", body.clone());
        response.headers_mut().insert("x-amzn-errortype", code.parse().unwrap());
        response
    })
    .await;
    let (chunks, _held) = mpsc::channel(8);
    let failed = converse_stream(&server.clients(), &question(), StreamTimeouts::default(), &chunks).await;
    failed.unwrap_err().fault()
}

#[tokio::test]
async fn refusals_are_sorted_by_what_can_be_done() {
    let cases = [
        (403, "AccessDenied", FaultKind::Denied, "cloudwatch:DescribeAlarms"),
        (403, "ExpiredToken", FaultKind::Credentials, "aws sso login"),
        (403, "InvalidClientTokenId", FaultKind::Credentials, "profile"),
        (400, "Throttling", FaultKind::Throttled, "asked again later"),
        (400, "InvalidNextToken", FaultKind::Rejected, ""),
        (500, "InternalServiceFault", FaultKind::Unavailable, ""),
    ];
    for (status, code, kind, hint) in cases {
        let fault = cloudwatch_fault(status, code).await;
        assert_eq!(fault.kind, kind, "{code}");
        assert!(fault.causes[0].contains(code), "{fault}");
        assert!(hint.is_empty() || fault.hints.iter().any(|given| given.contains(hint)), "{code}: {fault}");
    }
}

#[tokio::test]
async fn the_same_words_hold_for_the_json_protocol() {
    let cases = [
        (400, "AccessDeniedException", FaultKind::Denied),
        (400, "ExpiredTokenException", FaultKind::Credentials),
        (400, "UnrecognizedClientException", FaultKind::Credentials),
        (400, "ThrottlingException", FaultKind::Throttled),
        (503, "ServiceUnavailableException", FaultKind::Unavailable),
    ];
    for (status, code, kind) in cases {
        assert_eq!(logs_fault(status, code).await.kind, kind, "{code}");
    }
    let denied = logs_fault(400, "AccessDeniedException").await;
    assert_eq!(denied.hints, ["The identity lacks `logs:DescribeLogGroups`."]);
}

#[tokio::test]
async fn what_trips_over_bedrock_has_the_hint_that_helps() {
    let cases = [
        (
            400,
            "ValidationException",
            "Invocation with on-demand throughput isn't supported.",
            FaultKind::Rejected,
            "`us.simulated.rules-v1`",
        ),
        (400, "ValidationException", "The provided model identifier is invalid.", FaultKind::Rejected, "us-east-1"),
        (
            403,
            "AccessDeniedException",
            "You don't have access to the model with the specified model ID.",
            FaultKind::Denied,
            "console",
        ),
        (
            403,
            "AccessDeniedException",
            "User is not authorized to perform the action",
            FaultKind::Denied,
            "bedrock:InvokeModelWithResponseStream",
        ),
        (
            429,
            "ThrottlingException",
            "Too many tokens, please wait before trying again.",
            FaultKind::Throttled,
            "quota",
        ),
        (
            403,
            "ExpiredTokenException",
            "The security token included in the request is expired",
            FaultKind::Credentials,
            "aws sso login",
        ),
        (
            404,
            "ResourceNotFoundException",
            "This model version has reached the end of its life.",
            FaultKind::NotFound,
            "retired",
        ),
        (503, "ServiceUnavailableException", "Bedrock is unable to process your request.", FaultKind::Unavailable, ""),
    ];
    for (status, code, message, kind, hint) in cases {
        let fault = bedrock_fault(status, code, message).await;
        assert_eq!(fault.kind, kind, "{message}");
        assert!(hint.is_empty() || fault.hints.iter().any(|given| given.contains(hint)), "{message}: {fault}");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_answer_is_malformed() {
    let server = Server::start(|_, _| reply(200, "application/cbor", "<html>a login page</html>")).await;
    assert_eq!(describe_all(&server.clients()).await.unwrap_err().fault().kind, FaultKind::Malformed);
    let server = Server::start(|_, _| reply(502, "text/html", "<html>bad gateway</html>")).await;
    assert_eq!(describe_all(&server.clients()).await.unwrap_err().fault().kind, FaultKind::Unavailable);
    let server = Server::start(|_, _| reply(404, "text/plain", "no such path")).await;
    assert_eq!(describe_all(&server.clients()).await.unwrap_err().fault().kind, FaultKind::NotFound);
}

#[tokio::test]
async fn silence_ends_by_our_own_time_out() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let error = describe_all(&impatient_clients(&url)).await.unwrap_err();
    assert_eq!(error.fault().kind, FaultKind::Timeout);
    assert!(error.fault().kind.is_transient());
}

#[tokio::test]
async fn a_closed_port_is_unreachable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let fault = describe_all(&clients(&url)).await.unwrap_err().fault();
    assert_eq!(fault.kind, FaultKind::Unreachable);
    assert!(fault.hints[0].contains("network"), "{fault}");
}

#[tokio::test]
async fn identity_names_the_account() {
    let answer = r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
        <Arn>arn:aws:sts::123456789012:assumed-role/OnCall/alice</Arn><UserId>A</UserId><Account>123456789012</Account>
        </GetCallerIdentityResult></GetCallerIdentityResponse>"#;
    let server = Server::start(move |_, _| reply(200, "text/xml", answer)).await;
    let clients = server.clients();
    let identity = clients.identity().await.unwrap();
    assert_eq!(identity.account.as_str(), "123456789012");
    assert!(identity.arn.ends_with("OnCall/alice"));
    assert_eq!(clients.credentials_expiry().await, Ok(None));
    let error = r"<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>The security token
        included in the request is expired</Message></Error></ErrorResponse>";
    let server = Server::start(move |_, _| reply(403, "text/xml", error)).await;
    assert_eq!(server.clients().identity().await.unwrap_err().fault().kind, FaultKind::Credentials);
}

/// Runs one ignored test of this binary in a process of its own, with its own environment.
fn run_alone(test: &str, name: &str, value: &str) -> std::process::Output {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]).env_remove("NO_PROXY").env_remove("no_proxy");
    command.env(name, value).output().unwrap()
}

#[test]
fn a_rehearsal_does_not_leave_the_machine_through_a_proxy() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ran = run_alone("wire_aws::faults::reaches_loopback_directly", "HTTP_PROXY", &format!("http://{closed}"));
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
#[ignore = "run by a_rehearsal_does_not_leave_the_machine_through_a_proxy, in a process of its own"]
async fn reaches_loopback_directly() {
    let server = Server::start(|_, _| cbor(200, &json!({"MetricAlarms": []}))).await;
    assert!(describe_all(&server.clients()).await.unwrap().alarms.is_empty());
}
