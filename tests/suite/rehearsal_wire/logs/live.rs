//! Live Tail through the real SDK: what is told each second, sampling, refusals, ends and faults.

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::config::interceptors::BeforeSerializationInterceptorContextMut;
use aws_sdk_cloudwatchlogs::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata as _;
use aws_sdk_cloudwatchlogs::operation::start_live_tail::StartLiveTailOutput;
use aws_sdk_cloudwatchlogs::operation::start_live_tail::builders::StartLiveTailFluentBuilder;
use aws_sdk_cloudwatchlogs::types::StartLiveTailResponseStream::{SessionStart, SessionUpdate};
use aws_sdk_cloudwatchlogs::types::error::StartLiveTailResponseStreamError;
use aws_sdk_cloudwatchlogs::types::{LiveTailSessionStart, LiveTailSessionUpdate};
use aws_smithy_runtime_api::client::endpoint::EndpointPrefix;
use pagerdeck::rehearsal::server::Rehearsal;

use super::super::{BehaviorVersion, Region, RetryConfig, after, credentials, play_with, rehearse};

/// Leaves `stream-` away, which is no name of a loopback address.
#[derive(Debug)]
struct NoPrefix;

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for NoPrefix {
    fn name(&self) -> &'static str {
        "NoPrefix"
    }

    fn modify_before_serialization(
        &self,
        _: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        settings: &mut ConfigBag,
    ) -> Result<(), aws_smithy_runtime_api::box_error::BoxError> {
        settings.interceptor_state().unset::<EndpointPrefix>();
        Ok(())
    }
}

fn arn(group: &str) -> String {
    format!("arn:aws:logs:us-east-1:123456789012:log-group:{group}")
}

fn tail(rehearsal: &Rehearsal, group: &str) -> StartLiveTailFluentBuilder {
    let config = aws_sdk_cloudwatchlogs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials())
        .retry_config(RetryConfig::disabled())
        .interceptor(NoPrefix)
        .endpoint_url(&rehearsal.endpoints.aws);
    Client::from_conf(config.build()).start_live_tail().log_group_identifiers(arn(group))
}

async fn begun(session: &mut StartLiveTailOutput) -> LiveTailSessionStart {
    match session.response_stream.recv().await.unwrap().unwrap() {
        SessionStart(start) => start,
        other => panic!("{other:?}"),
    }
}

async fn told(session: &mut StartLiveTailOutput) -> LiveTailSessionUpdate {
    match session.response_stream.recv().await.unwrap().unwrap() {
        SessionUpdate(update) => update,
        other => panic!("{other:?}"),
    }
}

fn is_sampled(update: &LiveTailSessionUpdate) -> bool {
    update.session_metadata().unwrap().sampled()
}

#[tokio::test]
async fn each_second_tells_what_came_in_and_nothing_is_lost_or_told_twice() {
    let rehearsal = rehearse("oom-leak").await;
    let mut session = tail(&rehearsal, "/ecs/my-api").send().await.unwrap();
    let start = begun(&mut session).await;
    assert_eq!(start.log_group_identifiers(), [arn("/ecs/my-api")]);
    let mut heard = Vec::new();
    for second in 1..=20 {
        rehearsal.clock.jump_to(after(&rehearsal, second));
        let update = told(&mut session).await;
        assert!(!is_sampled(&update));
        heard.extend(
            update.session_results().iter().map(|event| (event.timestamp(), event.message().map(str::to_owned))),
        );
    }
    // A jump over many seconds tells those in which something came in.
    rehearsal.clock.jump_to(after(&rehearsal, 60));
    let client = super::client!(aws_sdk_cloudwatchlogs, rehearsal);
    let ask = client.filter_log_events().log_group_name("/ecs/my-api");
    let read = ask.start_time(after(&rehearsal, -10).as_millisecond()).send().await.unwrap();
    let came_in = |event: &aws_sdk_cloudwatchlogs::types::FilteredLogEvent| {
        event.ingestion_time().unwrap() > after(&rehearsal, 0).as_millisecond()
    };
    let all: Vec<_> = read
        .events()
        .iter()
        .filter(|event| came_in(event))
        .map(|event| (event.timestamp(), event.message().map(str::to_owned)))
        .collect();
    while heard.len() < all.len() {
        heard.extend(
            told(&mut session)
                .await
                .session_results()
                .iter()
                .map(|event| (event.timestamp(), event.message().map(str::to_owned))),
        );
    }
    heard.sort();
    let mut all = all;
    all.sort();
    assert!(all.len() > 50 && heard == all, "{} and {}", all.len(), heard.len());
    rehearsal.stop().await;
}

#[tokio::test]
async fn above_five_hundred_a_second_a_sample_is_told_and_said_to_be_one() {
    let flood = "[[log]]\ngroup = \"/flood\"\nworkload = \"my-api\"\ncadence = { kind = \"steady\", per_minute = 60000 }\n\
        templates = [\"{level} took {ms} ms\"]\n\
        fields = { level = { kind = \"pick\", of = [\"INFO\", \"WARN\"] }, ms = { kind = \"int\", min = 1, max = 900 } }\n";
    let rehearsal = play_with(flood).await;
    let mut all = tail(&rehearsal, "/flood").send().await.unwrap();
    let mut some =
        tail(&rehearsal, "/flood").log_event_filter_pattern("%WARN took 1[0-9]{2} ms%").send().await.unwrap();
    begun(&mut all).await;
    assert_eq!(begun(&mut some).await.log_event_filter_pattern(), Some("%WARN took 1[0-9]{2} ms%"));
    rehearsal.clock.jump_to(after(&rehearsal, 1));
    let (sample, whole) = (told(&mut all).await, told(&mut some).await);
    assert_eq!((sample.session_results().len(), is_sampled(&sample)), (500, true));
    let messages: Vec<&str> = whole.session_results().iter().filter_map(|event| event.message()).collect();
    assert!(!is_sampled(&whole) && (20..120).contains(&messages.len()), "{}", messages.len());
    assert!(messages.iter().all(|message| message.starts_with("WARN took 1")));
    let stream = whole.session_results()[0].log_stream_name().unwrap().to_owned();
    let mut one = tail(&rehearsal, "/flood").log_stream_names(&stream).send().await.unwrap();
    begun(&mut one).await;
    rehearsal.clock.jump_to(after(&rehearsal, 2));
    let own = told(&mut one).await;
    assert!(!own.session_results().is_empty());
    assert!(own.session_results().iter().all(|event| event.log_stream_name() == Some(&stream)));
    rehearsal.stop().await;
}

#[tokio::test]
async fn late_events_are_told_when_they_come_in() {
    let late = "[[log]]\ngroup = \"/late\"\nstream = \"s\"\nlate = { share = 0.5, by = \"40s\" }\n\
        cadence = { kind = \"steady\", per_minute = 600 }\ntemplates = [\"n\"]\n";
    let rehearsal = play_with(late).await;
    let mut session = tail(&rehearsal, "/late").send().await.unwrap();
    begun(&mut session).await;
    rehearsal.clock.jump_to(after(&rehearsal, 1));
    let update = told(&mut session).await;
    let old = after(&rehearsal, -15).as_millisecond();
    assert!(update.session_results().iter().any(|event| event.timestamp().unwrap() < old), "{update:?}");
    let second = after(&rehearsal, 0).as_millisecond() + 1..=after(&rehearsal, 1).as_millisecond();
    assert!(update.session_results().iter().all(|event| second.contains(&event.ingestion_time().unwrap())));
    rehearsal.stop().await;
}

#[tokio::test]
async fn what_a_session_may_not_ask_is_refused() {
    let rehearsal = rehearse("oom-leak").await;
    let code = async |ask: StartLiveTailFluentBuilder| ask.send().await.unwrap_err().code().map(str::to_owned);
    let own = || tail(&rehearsal, "/ecs/my-api");
    let (invalid, none) = (Some("InvalidParameterException".to_owned()), Some("ResourceNotFoundException".to_owned()));
    assert_eq!(code(own().set_log_group_identifiers(Some(vec!["/ecs/my-api".to_owned()]))).await, invalid, "no ARN");
    assert_eq!(code(own().log_group_identifiers(format!("{}:*", arn("/ecs/orders")))).await, invalid, "an asterisk");
    assert_eq!(code(tail(&rehearsal, "/nope")).await, none);
    assert_eq!(code(own().log_event_filter_pattern("a.b")).await, invalid);
    assert_eq!(code(own().log_stream_names("a").log_stream_name_prefixes("b")).await, invalid);
    assert_eq!(code(own().log_group_identifiers(arn("/ecs/orders")).log_stream_names("a")).await, invalid);
    let mut open = Vec::new();
    for _ in 0..15 {
        open.push(own().send().await.unwrap());
    }
    assert_eq!(code(own()).await.as_deref(), Some("LimitExceededException"));
    rehearsal.stop().await;
}

/// The exception that ends a session; a connection that breaks has none.
fn ending(error: Option<&StartLiveTailResponseStreamError>) -> &'static str {
    match error {
        Some(StartLiveTailResponseStreamError::SessionStreamingException(_)) => "SessionStreamingException",
        Some(StartLiveTailResponseStreamError::SessionTimeoutException(_)) => "SessionTimeoutException",
        _ => "broken",
    }
}

/// What ends a session of which so many updates were told.
async fn end(rehearsal: &Rehearsal, last: i64) -> (usize, Option<String>) {
    let mut session = match tail(rehearsal, "/ecs/my-api").send().await {
        Ok(session) => session,
        Err(refused) => return (0, refused.code().map(str::to_owned)),
    };
    let mut updates = 0;
    begun(&mut session).await;
    for second in 1..=last {
        rehearsal.clock.jump_to(after(rehearsal, second));
        match session.response_stream.recv().await {
            Ok(Some(SessionUpdate(_))) => updates += 1,
            Ok(other) => return (updates, other.map(|event| format!("{event:?}"))),
            Err(error) => return (updates, Some(ending(error.as_service_error()).to_owned())),
        }
    }
    (updates, None)
}

#[tokio::test]
async fn faults_befall_a_session_before_it_and_while_it_is_open() {
    let when = "from = \"3s\"\nuntil = \"4s\"\n";
    for (window, effect, ending) in [
        ("", "{ kind = \"throttled\" }", (0, Some("ThrottlingException"))),
        ("", "{ kind = \"denied\" }", (0, Some("AccessDeniedException"))),
        ("", "{ kind = \"reset\" }", (0, None)),
        ("", "{ kind = \"stream\", after_frames = 4 }", (2, Some("broken"))),
        (
            "",
            "{ kind = \"stream\", after_frames = 3, exception = \"SessionStreamingException\" }",
            (1, Some("SessionStreamingException")),
        ),
        (when, "{ kind = \"cut\" }", (2, Some("broken"))),
        (when, "{ kind = \"reset\" }", (2, Some("broken"))),
        (when, "{ kind = \"unavailable\" }", (2, Some("SessionStreamingException"))),
        (when, "{ kind = \"throttled\" }", (5, None)),
    ] {
        let fault =
            format!("[[fault]]\nservice = \"logs\"\noperation = \"StartLiveTail\"\n{window}effect = {effect}\n");
        let rehearsal = play_with(&fault).await;
        let (updates, how) = end(&rehearsal, 5).await;
        assert_eq!((updates, how.as_deref()), ending, "{window} {effect}");
        rehearsal.stop().await;
    }
}

#[tokio::test]
async fn a_silence_holds_updates_back_and_three_hours_end_a_session() {
    let silence = "[[fault]]\nservice = \"logs\"\noperation = \"StartLiveTail\"\nfrom = \"2s\"\nuntil = \"5s\"\neffect = { kind = \"silence\" }\n";
    let rehearsal = play_with(silence).await;
    let mut session = tail(&rehearsal, "/ecs/my-api").send().await.unwrap();
    begun(&mut session).await;
    rehearsal.clock.jump_to(after(&rehearsal, 1));
    told(&mut session).await;
    rehearsal.clock.jump_to(after(&rehearsal, 3));
    let waited = tokio::time::timeout(std::time::Duration::from_millis(150), session.response_stream.recv()).await;
    assert!(waited.is_err(), "nothing is said: {waited:?}");
    rehearsal.clock.jump_to(after(&rehearsal, 6));
    assert!(!told(&mut session).await.session_results().is_empty(), "what was held back comes");
    rehearsal.clock.jump_to(after(&rehearsal, 3 * 60 * 60));
    let error = loop {
        match session.response_stream.recv().await {
            Ok(Some(SessionUpdate(_))) => {}
            other => break other.unwrap_err(),
        }
    };
    assert_eq!(ending(error.as_service_error()), "SessionTimeoutException");
    rehearsal.stop().await;
}
