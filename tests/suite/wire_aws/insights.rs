//! Logs Insights: started, looked at, stopped where nobody waits any more, and every way in which it does not answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::response::Response;
use pagerdeck::adapters::aws::clients::Clients;
use pagerdeck::adapters::aws::insights::{
    Finished, InsightsError, InsightsQuery, Patience, QueryEnd, counting, finding, run,
};
use pagerdeck::domain::fault::FaultKind;
use pagerdeck::domain::observation::log::Completeness;
use pagerdeck::domain::observation::scope::Window;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::server::{Asked, Server, impatient_clients, json as answer, reply};

fn query() -> InsightsQuery {
    InsightsQuery {
        groups: vec!["/ecs/my-api".into()],
        window: Window { from: "2026-05-01T09:00:00Z".parse().unwrap(), to: "2026-05-01T09:30:00Z".parse().unwrap() },
        text: counting(&[]),
    }
}

fn row(fields: &[(&str, &str)]) -> Value {
    fields.iter().map(|(field, value)| json!({"field": field, "value": value})).collect()
}

fn status(word: &str, rows: &[Value]) -> Response {
    answer(&json!({"status": word, "results": rows,
        "statistics": {"recordsMatched": 5.0, "recordsScanned": 9.0, "bytesScanned": 4096.0}}))
}

/// A service that takes the query and answers the n-th look by this.
async fn serving(look: impl Fn(usize, &Asked) -> Response + Send + Sync + 'static) -> Server {
    let looks = std::sync::atomic::AtomicUsize::new(0);
    Server::start(move |_, asked: &Asked| match asked.operation.as_str() {
        "StartQuery" => answer(&json!({"queryId": "q1"})),
        "StopQuery" => answer(&json!({"success": true})),
        _ => look(looks.fetch_add(1, Ordering::SeqCst), asked),
    })
    .await
}

async fn ask(clients: &Clients, looks: u32) -> Result<Finished, InsightsError> {
    let patience = Patience { pause: Duration::ZERO, looks };
    run(clients, &query(), patience, |_| std::future::ready(())).await
}

fn operations(server: &Server) -> Vec<String> {
    server.asked().into_iter().map(|asked| asked.operation).collect()
}

#[tokio::test]
async fn a_count_by_the_minute_is_read_to_its_last_page() {
    let minute = |at: &str, lines: &str| row(&[("bin(1m)", at), ("lines", lines)]);
    let server = serving(move |look, asked| match (look, asked.json()["nextToken"].as_str()) {
        (0, _) => status("Scheduled", &[]),
        (1, _) => status("Running", &[minute("2026-05-01 09:00:00.000", "1")]),
        (2, _) => answer(&json!({"status": "Complete", "nextToken": "t1",
            "results": [minute("2026-05-01 09:00:00.000", "600000")],
            "statistics": {"recordsMatched": 1_000_000.0, "recordsScanned": 1_000_000.0, "bytesScanned": 4096.0}})),
        (_, token) => {
            assert_eq!(token, Some("t1"));
            status("Complete", &[minute("2026-05-01 09:01:00.000", "400000")])
        }
    })
    .await;
    let minutes = ask(&server.clients(), 9).await.unwrap().minutes().unwrap();
    assert_eq!((minutes.total(), minutes.by_minute.len(), minutes.scanned), (1_000_000, 2, 4096));
    let asked = server.asked();
    let started = asked[0].json();
    assert_eq!(started["queryString"], "stats count(*) as lines by bin(1m)");
    assert_eq!(
        (started["startTime"].as_i64(), started["endTime"].as_i64()),
        (Some(1_777_626_000), Some(1_777_627_800))
    );
    assert_eq!(started["logGroupNames"], json!(["/ecs/my-api"]));
    assert!(!operations(&server).contains(&"StopQuery".to_owned()), "what is over needs no stopping");
}

#[tokio::test]
async fn lines_are_found_with_their_streams_and_what_is_missing_of_them() {
    let line = |ms: &str| {
        row(&[
            ("@timestamp", ms),
            ("@logStream", "task-1"),
            ("@log", "1:/ecs/my-api"),
            ("@message", "OOMKilled"),
            ("@ptr", ms),
        ])
    };
    let server =
        serving(move |_, _| status("Complete", &[line("2026-05-01 09:00:00.001"), line("2026-05-01 09:00:00.002")]))
            .await;
    let found = ask(&server.clients(), 1).await.unwrap().lines(&query().groups).unwrap();
    assert_eq!(found.completeness, Completeness::Truncated { seen: 2, of: Some(5) });
    let (group, event) = &found.events[1];
    assert_eq!((group.as_str(), event.stream.as_str(), event.message.as_str()), ("/ecs/my-api", "task-1", "OOMKilled"));
    assert!(finding(&["oomkilled"]).contains("filter @message like /(?i)(oomkilled)/"));
}

#[tokio::test]
async fn a_refusal_names_the_step_that_failed() {
    let cases = [
        ("AccessDeniedException", FaultKind::Denied),
        ("LimitExceededException", FaultKind::Throttled),
        ("ThrottlingException", FaultKind::Throttled),
        ("ExpiredTokenException", FaultKind::Credentials),
        ("MalformedQueryException", FaultKind::Rejected),
        ("ResourceNotFoundException", FaultKind::NotFound),
    ];
    for (code, kind) in cases {
        let refusal = move || {
            let said = json!({"__type": code, "message": "said so"}).to_string();
            reply(400, "application/x-amz-json-1.1", said)
        };
        let server = Server::start(move |_, _| refusal()).await;
        let error = ask(&server.clients(), 3).await.unwrap_err();
        assert!(matches!(error, InsightsError::StartQuery(_)) && error.kind() == kind, "{code}: {error:?}");
        assert_eq!(operations(&server), ["StartQuery"], "{code}");
        if kind == FaultKind::Denied {
            assert!(error.fault().hints[0].contains("logs:StartQuery"), "{}", error.fault());
        }
        let server = serving(move |_, _| refusal()).await;
        let error = ask(&server.clients(), 3).await.unwrap_err();
        if kind == FaultKind::Throttled {
            assert_eq!(error, InsightsError::Overdue { looks: 3 }, "{code}: it is looked at again");
        } else {
            let named = matches!(error, InsightsError::GetResults { look: 1, .. });
            assert!(named && error.kind() == kind, "{code}: {error:?}");
        }
    }
}

#[tokio::test]
async fn what_ends_without_a_result_says_how() {
    for (word, end, kind) in [
        ("Failed", QueryEnd::Failed, FaultKind::Unavailable),
        ("Cancelled", QueryEnd::Cancelled, FaultKind::Cut),
        ("Timeout", QueryEnd::TimedOut, FaultKind::Timeout),
    ] {
        let server = serving(move |_, _| status(word, &[])).await;
        let error = ask(&server.clients(), 3).await.unwrap_err();
        assert_eq!((error.clone(), error.kind()), (InsightsError::Ended(end), kind));
    }
}

#[tokio::test]
async fn what_cannot_be_read_or_does_not_come_is_told() {
    let server = serving(|_, _| status("Complete", &[row(&[("lines", "many")])])).await;
    let error = ask(&server.clients(), 1).await.unwrap().minutes().unwrap_err();
    assert_eq!(error.kind(), FaultKind::Malformed);
    let server = serving(|_, _| reply(200, "application/x-amz-json-1.1", "{\"status\": \"Comp")).await;
    let error = ask(&server.clients(), 1).await.unwrap_err();
    assert!(matches!(error.kind(), FaultKind::Malformed | FaultKind::Timeout), "{error:?}");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    assert_eq!(ask(&impatient_clients(&nobody), 1).await.unwrap_err().kind(), FaultKind::Timeout);
}

#[tokio::test]
async fn a_query_that_is_overdue_is_stopped() {
    let server = serving(|_, _| status("Running", &[])).await;
    let error = ask(&server.clients(), 3).await.unwrap_err();
    assert_eq!((error.clone(), error.kind()), (InsightsError::Overdue { looks: 3 }, FaultKind::Timeout));
    assert!(!error.is_transient(), "another scan would be charged and take as long");
    let asked = operations(&server);
    assert_eq!(asked, ["StartQuery", "GetQueryResults", "GetQueryResults", "GetQueryResults", "StopQuery"]);
    assert_eq!(server.asked().last().unwrap().json()["queryId"], "q1");
}

#[tokio::test]
async fn a_query_that_nobody_waits_for_any_more_is_stopped() {
    let (stopped, told) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
    let (signal, flag) = (Arc::clone(&stopped), Arc::clone(&told));
    let server = Server::start(move |_, asked: &Asked| match asked.operation.as_str() {
        "StopQuery" => {
            flag.store(true, Ordering::SeqCst);
            signal.notify_one();
            answer(&json!({"success": true}))
        }
        _ => answer(&json!({"queryId": "q1"})),
    })
    .await;
    let clients = server.clients();
    let question = query();
    let mut waiting = Box::pin(run(&clients, &question, Patience::default(), |_| std::future::pending()));
    // It is under way once it waits between two looks; then whoever waited goes away.
    while operations(&server).is_empty() {
        assert!(futures::poll!(&mut waiting).is_pending());
        tokio::task::yield_now().await;
    }
    assert!(tokio::time::timeout(Duration::from_millis(300), &mut waiting).await.is_err());
    drop(waiting);
    stopped.notified().await;
    assert!(told.load(Ordering::SeqCst));
}

/// Whoever waited goes while the service is still making the query: what it names then is stopped, and who leaves waits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_query_that_was_being_started_is_stopped_before_who_left_is_gone() {
    let (started, go_on) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (begun, gate) = (Arc::clone(&started), Arc::clone(&go_on));
    let server = Server::start(move |_, asked: &Asked| {
        if asked.operation == "StartQuery" {
            begun.store(true, Ordering::SeqCst);
            // The server has a thread of its own for this.
            while !gate.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
        }
        answer(&json!({"queryId": "q1", "success": true}))
    })
    .await;
    let (clients, question) = (server.clients(), query());
    let mut waiting = Box::pin(run(&clients, &question, Patience::default(), |_| std::future::pending()));
    while !started.load(Ordering::SeqCst) {
        assert!(futures::poll!(&mut waiting).is_pending());
        tokio::task::yield_now().await;
    }
    drop(waiting);
    go_on.store(true, Ordering::SeqCst);
    clients.farewells().over().await;
    assert_eq!(operations(&server), ["StartQuery", "StopQuery"]);
}

#[tokio::test]
async fn groups_of_other_accounts_are_asked_for_by_their_arns() {
    let arn = "arn:aws:logs:us-east-1:111122223333:log-group:/ecs/my-api";
    let line = row(&[
        ("@timestamp", "2026-05-01 09:00:00.001"),
        ("@log", "111122223333:/ecs/my-api"),
        ("@message", "OOMKilled"),
    ]);
    let server = serving(move |_, _| status("Complete", std::slice::from_ref(&line))).await;
    let groups = vec![format!("{arn}:*").into(), "/ecs/orders".into()];
    let asked = InsightsQuery { groups: groups.clone(), ..query() };
    let patience = Patience { pause: Duration::ZERO, looks: 1 };
    let found = run(&server.clients(), &asked, patience, |_| std::future::ready(())).await.unwrap();
    let started = server.asked()[0].json();
    assert_eq!(started["logGroupIdentifiers"], json!([arn, "/ecs/orders"]));
    assert!(started["logGroupNames"].is_null());
    assert_eq!(found.lines(&groups).unwrap().events[0].0, groups[0], "told as it was asked for");
}

#[tokio::test]
async fn a_refused_look_is_made_again_at_the_same_query() {
    let slow = || reply(400, "application/x-amz-json-1.1", r#"{"__type": "ThrottlingException", "message": "slower"}"#);
    let minute = |lines: &str| row(&[("bin(1m)", "2026-05-01 09:00:00.000"), ("lines", lines)]);
    let server = serving(move |look, asked| match (look, asked.json()["nextToken"].as_str()) {
        (0 | 2 | 4, _) => slow(),
        (1, _) => status("Running", &[]),
        (3, _) => answer(&json!({"status": "Complete", "nextToken": "t1", "results": [minute("3")]})),
        (_, token) => {
            assert_eq!(token, Some("t1"));
            status("Complete", &[])
        }
    })
    .await;
    assert_eq!(ask(&server.clients(), 9).await.unwrap().minutes().unwrap().total(), 3);
    let operations = operations(&server);
    let started = operations.iter().filter(|operation| *operation == "StartQuery").count();
    assert_eq!((started, operations.len()), (1, 7), "{operations:?}");
}
