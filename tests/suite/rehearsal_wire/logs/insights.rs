//! Logs Insights: the life of a query, its rows and figures, its refusals.

use std::collections::BTreeMap;

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata as _;
use aws_sdk_cloudwatchlogs::operation::get_query_results::GetQueryResultsOutput;
use aws_sdk_cloudwatchlogs::operation::start_query::StartQueryError;
use aws_sdk_cloudwatchlogs::types::QueryStatus;
use jiff::SignedDuration;
use pagerdeck::rehearsal::server::Rehearsal;

use super::super::{after, client, play_with, rehearse};
use super::{FLOOD, read};

fn ask(
    rehearsal: &Rehearsal,
    client: &Client,
    query: &str,
) -> aws_sdk_cloudwatchlogs::operation::start_query::builders::StartQueryFluentBuilder {
    let (from, to) = (after(rehearsal, -30 * 60).as_second(), after(rehearsal, 0).as_second());
    client.start_query().log_group_name("/ecs/my-api").start_time(from).end_time(to).query_string(query)
}

async fn results(client: &Client, id: &str) -> GetQueryResultsOutput {
    client.get_query_results().query_id(id).send().await.unwrap()
}

fn pass(rehearsal: &Rehearsal, millis: i64) {
    rehearsal.clock.jump_to(rehearsal.clock.now() + SignedDuration::from_millis(millis));
}

/// The rows of a complete query, by column.
async fn rows(rehearsal: &Rehearsal, query: &str) -> Vec<BTreeMap<String, String>> {
    let client = client!(aws_sdk_cloudwatchlogs, rehearsal);
    let id = ask(rehearsal, &client, query).send().await.unwrap().query_id.unwrap();
    pass(rehearsal, 2_000);
    let answer = results(&client, &id).await;
    assert_eq!(answer.status(), Some(&QueryStatus::Complete), "{query}");
    let cell = |field: &aws_sdk_cloudwatchlogs::types::ResultField| {
        (field.field().unwrap().to_owned(), field.value().unwrap().to_owned())
    };
    answer.results().iter().map(|row| row.iter().map(cell).collect()).collect()
}

#[tokio::test]
async fn a_query_is_scheduled_then_runs_then_counts_what_paging_counts() {
    let rehearsal = rehearse("oom-leak").await;
    pass(&rehearsal, 1_000);
    let client = client!(aws_sdk_cloudwatchlogs, rehearsal);
    let query = "filter @message like /OOMKilled/ | stats count(*) as kills by bin(1m) | sort kills desc";
    let id = ask(&rehearsal, &client, query).send().await.unwrap().query_id.unwrap();
    assert_eq!(results(&client, &id).await.status(), Some(&QueryStatus::Scheduled));
    pass(&rehearsal, 500);
    let running = results(&client, &id).await;
    assert_eq!((running.status(), running.results().len()), (Some(&QueryStatus::Running), 0));
    pass(&rehearsal, 1_000);
    let complete = results(&client, &id).await;
    assert_eq!(complete.status(), Some(&QueryStatus::Complete));
    let column = |row: &[aws_sdk_cloudwatchlogs::types::ResultField], name: &str| {
        row.iter().find(|field| field.field() == Some(name)).unwrap().value().unwrap().to_owned()
    };
    let counts: Vec<u64> = complete.results().iter().map(|row| column(row, "kills").parse().unwrap()).collect();
    assert_eq!(counts.iter().sum::<u64>(), 14);
    assert!(counts.windows(2).all(|pair| pair[0] >= pair[1]), "{counts:?}");
    assert!(column(&complete.results()[0], "bin(1m)").ends_with(":00.000"));
    let whole = read(&rehearsal, None, 10_000).await.events.len() as f64;
    let figures = complete.statistics().unwrap();
    assert_eq!((figures.records_matched(), figures.records_scanned()), (14.0, whole));
    assert!(figures.bytes_scanned() > whole * 10.0);
    rehearsal.stop().await;
}

#[tokio::test]
async fn rows_of_events_have_a_pointer_and_json_is_discovered() {
    let rehearsal = play_with(&FLOOD.replace("/flood", "/ecs/my-api")).await;
    pass(&rehearsal, 1_000);
    let latest =
        rows(&rehearsal, "fields @timestamp, @message, @logStream, @log | sort @timestamp desc | limit 3").await;
    assert_eq!(latest.len(), 3);
    assert_eq!(latest[0].keys().collect::<Vec<_>>(), ["@log", "@logStream", "@message", "@ptr", "@timestamp"]);
    assert_eq!(latest[0]["@log"], "123456789012:/ecs/my-api");
    assert!(
        latest[0]["@timestamp"].starts_with("2026-05-01 09:3") && latest[0]["@timestamp"] >= latest[2]["@timestamp"]
    );
    let plain = rows(&rehearsal, "filter @message = 'left'").await;
    assert_eq!(plain.len(), 2);
    assert!(plain[0]["@timestamp"] > plain[1]["@timestamp"], "the latest first where nothing is said");
    let levels =
        rows(&rehearsal, "stats count(*), avg(took) as mean, max(took), pct(took, 50) by level | sort level asc").await;
    let words: Vec<Option<&str>> = levels.iter().map(|row| row.get("level").map(String::as_str)).collect();
    assert_eq!(words, [Some("INFO"), Some("WARN"), None], "four lines have no level");
    assert_eq!((levels[2]["count(*)"].as_str(), levels[0]["max(took)"].as_str()), ("4", "900"));
    assert_eq!(levels.iter().map(|row| row["count(*)"].parse::<u64>().unwrap()).sum::<u64>(), 20_004);
    assert!((430.0..470.0).contains(&levels[0]["mean"].parse::<f64>().unwrap()));
    let parsed = rows(&rehearsal, "filter took in [7, 8] and not level = 'INFO' | parse @message '\"pod\":\"*\"' as who | stats count(*) as n by who").await;
    assert_eq!(parsed.len(), 6, "one a pod: {parsed:?}");
    let many = rows(&rehearsal, "fields @message").await;
    assert_eq!(many.len(), 10_000, "no answer has more rows");
    rehearsal.stop().await;
}

#[tokio::test]
async fn a_query_can_be_stopped_once_and_thirty_run_at_a_time() {
    let rehearsal = rehearse("oom-leak").await;
    let client = client!(aws_sdk_cloudwatchlogs, rehearsal);
    let mut last = String::new();
    for _ in 0..30 {
        last = ask(&rehearsal, &client, "stats count(*)").send().await.unwrap().query_id.unwrap();
    }
    let refused = ask(&rehearsal, &client, "stats count(*)").send().await.unwrap_err();
    assert_eq!(refused.code(), Some("LimitExceededException"));
    assert!(client.stop_query().query_id(&last).send().await.unwrap().success());
    assert_eq!(results(&client, &last).await.status(), Some(&QueryStatus::Cancelled));
    assert!(ask(&rehearsal, &client, "stats count(*)").send().await.is_ok(), "there is room again");
    let again = client.stop_query().query_id(&last).send().await.unwrap_err();
    assert_eq!(again.code(), Some("InvalidParameterException"));
    let unknown = client.get_query_results().query_id("00000000-0000-4000-8000-00000000abcd").send().await.unwrap_err();
    assert_eq!(unknown.code(), Some("ResourceNotFoundException"));
    rehearsal.stop().await;
}

#[tokio::test]
async fn a_malformed_query_says_where() {
    let rehearsal = rehearse("oom-leak").await;
    let client = client!(aws_sdk_cloudwatchlogs, rehearsal);
    let refused =
        ask(&rehearsal, &client, "stats count(*) by bin(soon)").send().await.unwrap_err().into_service_error();
    let StartQueryError::MalformedQueryException(malformed) = refused else { panic!("{refused:?}") };
    let location = malformed.query_compile_error().unwrap().location().unwrap();
    assert_eq!(location.start_char_offset(), Some(22));
    let nowhere = ask(&rehearsal, &client, "stats count(*)").log_group_names("/ecs/orders").send().await.unwrap_err();
    assert_eq!(nowhere.code(), Some("InvalidParameterException"), "by name or by names, not both");
    let missing = ask(&rehearsal, &client, "stats count(*)").log_group_name("/nope").send().await.unwrap_err();
    assert_eq!(missing.code(), Some("ResourceNotFoundException"));
    rehearsal.stop().await;
}
