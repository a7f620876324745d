//! Every fault that a game day offers, on every service that it is offered for: it bites in the shape of that service, the
//! ledger marks it, and it ends with its window.

use std::pin::pin;

use jiff::SignedDuration;
use pagerdeck::domain::drill::{Api, DrillChange, FaultWord, Injection, Lasts, StandingFault};
use pagerdeck::rehearsal::clock::Speed;
use pagerdeck::rehearsal::names::host;
use pagerdeck::rehearsal::scenario;
use pagerdeck::rehearsal::server::{Rehearsal, StartOptions, start};

use super::raw::{self, Answer};
use super::{after, play};

/// Enough of everything to fill more than one small page, and a chart.
const WORLD: &str = "based_on = \"oom-leak\"\nname = \"test\"\ntitle = \"t\"\nteaches = \"t\"\n\
    [scale]\npods = 6\nalarms = 30\n\
    [expect]\ncause = \"memory-leak\"\nconclusive = true\n";

/// A request by hand.
struct Request {
    url: String,
    verb: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    body: String,
}

impl Request {
    fn new(url: String, verb: &'static str) -> Self {
        Self { url, verb, headers: Vec::new(), body: String::new() }
    }

    fn with(mut self, header: (&'static str, &'static str), body: &str) -> Self {
        self.headers.push(header);
        self.body.push_str(body);
        self
    }

    async fn exchange(&self) -> Answer {
        raw::exchange(&self.url, self.verb, &self.headers, self.body.as_bytes()).await
    }
}

/// What is asked of an API; streams and watches are what some faults strike alone.
fn request(rehearsal: &Rehearsal, api: Api, kind: Option<FaultWord>) -> Request {
    let at = &rehearsal.endpoints;
    let streams = matches!(kind, Some(FaultWord::Stream | FaultWord::Exception));
    match api {
        Api::CloudWatch => {
            let url = format!("{}/service/GraniteServiceVersion20100801/operation/DescribeAlarms", at.aws);
            Request::new(url, "POST").with(("smithy-protocol", "rpc-v2-cbor"), "")
        }
        Api::Logs if streams => {
            let body = "{\"logGroupIdentifiers\":[\"arn:aws:logs:us-east-1:123456789012:log-group:/ecs/my-api\"]}";
            Request::new(at.aws.clone(), "POST").with(("x-amz-target", "Logs_20140328.StartLiveTail"), body)
        }
        Api::Logs => {
            let target = ("x-amz-target", "Logs_20140328.FilterLogEvents");
            Request::new(at.aws.clone(), "POST").with(target, "{\"logGroupName\":\"/ecs/my-api\"}")
        }
        Api::Bedrock => {
            let operation = if streams { "converse-stream" } else { "converse" };
            let body = "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"Why?\"}]}]}";
            let url = format!("{}/model/simulated.rules-v1/{operation}", at.aws);
            Request::new(url, "POST").with(("content-type", "application/json"), body)
        }
        Api::Sts => {
            let body = "Action=GetCallerIdentity&Version=2011-06-15";
            Request::new(at.aws.clone(), "POST").with(("content-type", "application/x-www-form-urlencoded"), body)
        }
        Api::Kubernetes => {
            let query = if kind == Some(FaultWord::Gone) { "watch=1" } else { "limit=500" };
            Request::new(format!("{}/api/v1/namespaces/payments/pods?{query}", at.kubernetes), "GET")
        }
        Api::Slack => {
            Request::new(at.slack.clone(), "POST").with(("content-type", "application/json"), "{\"text\":\"hello\"}")
        }
        Api::Charts => Request::new(format!("{}/index.yaml", at.charts), "GET"),
    }
}

/// What is not offered, and so never asked.
const NOTHING: (u16, &str) = (0, "");
/// The refusals, by kind and then by service in the order of `Api::ALL`.
const REFUSALS: [(FaultWord, [(u16, &str); 7]); 5] = [
    (
        FaultWord::Throttled,
        [
            (400, "com.amazonaws.cloudwatch#ThrottlingException"),
            (400, "\"__type\":\"ThrottlingException\""),
            (429, "x-amzn-errortype: throttlingexception"),
            (400, "<Code>Throttling</Code>"),
            (429, "TooManyRequests"),
            (429, "rate_limited"),
            (429, ""),
        ],
    ),
    (
        FaultWord::Denied,
        [
            (403, "cloudwatch:DescribeAlarms"),
            (400, "logs:FilterLogEvents"),
            (403, "bedrock:InvokeModel"),
            (403, "<Code>AccessDenied</Code>"),
            (403, "Forbidden"),
            (403, "action_prohibited"),
            (403, ""),
        ],
    ),
    (
        FaultWord::Expired,
        [
            (403, "com.amazonaws.cloudwatch#ExpiredTokenException"),
            (400, "\"__type\":\"ExpiredTokenException\""),
            (403, "x-amzn-errortype: expiredtokenexception"),
            (403, "<Code>ExpiredToken</Code>"),
            (401, "Unauthorized"),
            (403, "invalid_token"),
            NOTHING,
        ],
    ),
    (
        FaultWord::Skewed,
        [
            (403, "com.amazonaws.cloudwatch#InvalidSignatureException"),
            (400, "\"__type\":\"InvalidSignatureException\""),
            (403, "x-amzn-errortype: invalidsignatureexception"),
            (403, "<Code>SignatureDoesNotMatch</Code>"),
            NOTHING,
            NOTHING,
            NOTHING,
        ],
    ),
    (
        FaultWord::Unavailable,
        [
            (503, "com.amazonaws.cloudwatch#ServiceUnavailableException"),
            (503, "\"__type\":\"ServiceUnavailableException\""),
            (503, "x-amzn-errortype: serviceunavailableexception"),
            (503, "<Code>ServiceUnavailable</Code>"),
            (503, "\"reason\":\"ServiceUnavailable\""),
            (500, "rollup_error"),
            (503, ""),
        ],
    ),
];

/// How a service words a fault: the status (0 for none), and what is in head or body.
fn worded(api: Api, kind: FaultWord) -> (u16, &'static str) {
    use FaultWord as Kind;
    if let Some((_, by_service)) = REFUSALS.iter().find(|row| row.0 == kind) {
        return by_service[Api::ALL.iter().position(|known| *known == api).unwrap()];
    }
    match (kind, api) {
        (Kind::Malformed, Api::CloudWatch | Api::Bedrock | Api::Kubernetes) => {
            (200, "{\"kind\":\"List\",\"items\":[{\"metadata\"")
        }
        (Kind::Malformed, _) => (200, "<!DOCTYPE html>"),
        (Kind::Empty, Api::Logs) => (200, "\"events\":[]"),
        (Kind::Empty, Api::Bedrock) => (200, "\"content\":[]"),
        (Kind::Empty, Api::Kubernetes) => (200, "\"items\":[]"),
        (Kind::Pages, Api::Logs) => (200, "nextToken"),
        (Kind::Pages, Api::CloudWatch) => (200, "NextToken"),
        (Kind::Pages, _) => (200, "\"continue\":\""),
        (Kind::Exception, Api::Logs) => (200, "SessionStreamingException"),
        (Kind::Exception, _) => (200, "modelStreamErrorException"),
        (Kind::Gone, _) => (200, "\"code\":410"),
        (Kind::Refused, _) => (410, "channel_is_archived"),
        (Kind::Reset | Kind::Restart | Kind::Unresolved, _) => (0, ""),
        // What these look like is no matter of words.
        (_, _) => (200, ""),
    }
}

/// Whether the body was told to its end.
fn is_whole(answer: &Answer) -> bool {
    if answer.head.contains("transfer-encoding: chunked") {
        return answer.body.ends_with(b"0\r\n\r\n");
    }
    let length = answer.head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.is_none_or(|length| length.trim() == answer.body.len().to_string())
}

async fn is_well(rehearsal: &Rehearsal, api: Api) -> bool {
    let answer = request(rehearsal, api, None).exchange().await;
    let marked = rehearsal.ledger.entries().last().and_then(|entry| entry.fault);
    answer.status == 200 && is_whole(&answer) && marked.is_none()
}

/// Asks and lets incident time pass, second by second, where an answer is told over time.
async fn exchanged(rehearsal: &Rehearsal, request: &Request) -> Answer {
    let begun = rehearsal.clock.now();
    let mut answer = pin!(request.exchange());
    for turn in 0_u64.. {
        tokio::select! {
            biased;
            answer = &mut answer => return answer,
            () = tokio::task::yield_now() => {}
        }
        let seconds = i64::try_from(turn / 200).unwrap();
        if turn % 200 == 0 && seconds < 20 {
            rehearsal.clock.jump_to(begun + SignedDuration::from_secs(seconds));
        }
    }
    unreachable!("it is asked until it answers")
}

async fn stays_silent(rehearsal: &Rehearsal, request: &Request) {
    let before = rehearsal.ledger.entries().len();
    let quiet = raw::send(&request.url, request.verb, &request.headers, request.body.as_bytes()).await;
    while rehearsal.ledger.entries().len() == before {
        tokio::task::yield_now().await;
    }
    assert_eq!(quiet.try_read(&mut [0; 1]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

async fn bites(rehearsal: &Rehearsal, api: Api, kind: FaultWord) {
    let request = request(rehearsal, api, Some(kind));
    if kind == FaultWord::Silence {
        return stays_silent(rehearsal, &request).await;
    }
    if kind == FaultWord::Unresolved {
        assert!(rehearsal.names.look_up(host(api)).is_err(), "{api:?}");
    }
    let answer = exchanged(rehearsal, &request).await;
    let (status, words) = worded(api, kind);
    let told = format!("{}\n{}", answer.head, answer.text());
    assert!(answer.status == status && told.contains(words), "{api:?} {kind:?}: not {status} {words:?} but {told}");
    let breaks = matches!(kind, FaultWord::Cut | FaultWord::Stream);
    assert_eq!(is_whole(&answer), !breaks, "{api:?} {kind:?}: {told}");
    if breaks {
        assert!(!answer.body.is_empty(), "{api:?} {kind:?}: it breaks off, and does not fail to begin");
    }
    if kind == FaultWord::Empty && api == Api::CloudWatch {
        assert_eq!(answer.dechunked(), [0xa0]);
    }
}

fn let_loose(rehearsal: &Rehearsal, (api, kind): (&'static [Api], FaultWord), lasts: Lasts) -> StandingFault {
    let now = rehearsal.clock.now();
    let fault = Injection { apis: api, kind, lasts }.at(now);
    rehearsal.faults.change(&DrillChange::Injected { fault: fault.clone() }, now);
    fault
}

#[tokio::test]
async fn each_fault_bites_in_the_shape_of_its_service_and_ends_with_its_window() {
    let rehearsal = play(scenario::parse(WORLD, "test").unwrap()).await;
    let mut second = 0;
    for injection in Injection::every(Lasts::Seconds(30)) {
        let (&[api], kind) = (injection.apis, injection.kind) else { continue };
        assert!(is_well(&rehearsal, api).await, "{api:?} before {kind:?}");
        let_loose(&rehearsal, (injection.apis, kind), injection.lasts);
        bites(&rehearsal, api, kind).await;
        let met = rehearsal.ledger.entries().last().and_then(|entry| entry.fault);
        assert_eq!(met, Some(kind.word()), "{api:?}");
        second += 30;
        rehearsal.clock.jump_to(after(&rehearsal, second));
        assert!(rehearsal.names.look_up(host(api)).is_ok(), "{api:?} after {kind:?}");
        assert!(is_well(&rehearsal, api).await, "{api:?} after {kind:?}");
    }
    rehearsal.stop().await;
}

#[tokio::test]
async fn a_fault_on_all_of_aws_strikes_each_of_its_services_until_it_is_cleared() {
    let rehearsal = play(scenario::parse(WORLD, "test").unwrap()).await;
    let fault = let_loose(&rehearsal, (&Api::AWS, FaultWord::Expired), Lasts::UntilCleared);
    rehearsal.clock.jump_to(after(&rehearsal, 3_600));
    for api in Api::AWS {
        bites(&rehearsal, api, FaultWord::Expired).await;
    }
    assert!(is_well(&rehearsal, Api::Kubernetes).await);
    rehearsal.faults.change(&DrillChange::Cleared { fault }, rehearsal.clock.now());
    for api in Api::AWS {
        assert!(is_well(&rehearsal, api).await, "{api:?}");
    }
    rehearsal.stop().await;
}

/// A clock that runs: at `max` nobody waits for a late answer.
#[tokio::test]
async fn a_late_answer_is_late_by_the_clock_of_the_rehearsal() {
    let options = StartOptions { speed: Speed::Times(100.0), seed: None };
    let rehearsal = start(scenario::parse(WORLD, "test").unwrap(), options).await.unwrap();
    for apis in Api::ALL.chunks(1) {
        let fault = let_loose(&rehearsal, (apis, FaultWord::Latency), Lasts::UntilCleared);
        let asked = rehearsal.clock.now();
        let answer = request(&rehearsal, apis[0], None).exchange().await;
        let late = rehearsal.clock.now().duration_since(asked);
        assert!(answer.status == 200 && late >= SignedDuration::from_secs(3), "{apis:?}: {late:#} {answer:?}");
        rehearsal.faults.change(&DrillChange::Cleared { fault }, rehearsal.clock.now());
    }
    rehearsal.stop().await;
}
