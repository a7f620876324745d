//! Each fault of a scenario against each API, read by our own adapters: what the service would say, named as it is.

use std::time::Duration;

use pagerdeck::adapters::aws::alarms::describe_all;
use pagerdeck::adapters::aws::bedrock::{StreamTimeouts, converse_stream};
use pagerdeck::adapters::aws::clients::{CallTimeouts, Clients, Hosts};
use pagerdeck::adapters::aws::logs::{GroupSearch, find_groups};
use pagerdeck::adapters::kubernetes::Timeouts;
use pagerdeck::adapters::kubernetes::connect::{Source, connect};
use pagerdeck::adapters::names::Names;
use pagerdeck::adapters::slack::Webhook;
use pagerdeck::domain::fault::{Fault, FaultKind};
use pagerdeck::domain::observation::scope::Region;
use pagerdeck::domain::observation::workload::{WorkloadKind, WorkloadRef};
use pagerdeck::rehearsal::ledger::Api;
use pagerdeck::rehearsal::names::host;
use pagerdeck::rehearsal::server::Rehearsal;
use serde_json::json;
use tokio::sync::mpsc;

use super::play_with;
use crate::wire_aws::bedrock::question;

const APIS: [&str; 6] = ["cloudwatch", "logs", "bedrock", "sts", "kubernetes", "slack"];
/// How long a client waits for an answer that comes, however busy the machine is.
const LONG: Duration = Duration::from_secs(20);
/// How long it waits for one that does not.
const SOON: Duration = Duration::from_millis(400);

pub(super) fn aws(rehearsal: &Rehearsal) -> Clients {
    aws_within(rehearsal, LONG)
}

fn aws_within(rehearsal: &Rehearsal, wait: Duration) -> Clients {
    pagerdeck::adapters::install_tls_provider();
    let times = CallTimeouts { connect: LONG, first_byte: wait, attempt: wait * 2, stalled: wait };
    let region = Region::new("us-east-1");
    let hosts = Hosts {
        cloudwatch: host(Api::CloudWatch),
        logs: host(Api::Logs),
        bedrock: host(Api::Bedrock),
        sts: host(Api::Sts),
    };
    Clients::named(&rehearsal.endpoints.aws, hosts, (&region, times), names(rehearsal)).unwrap()
}

fn names(rehearsal: &Rehearsal) -> Names {
    let server = rehearsal.names.clone();
    Names::new(move |name| server.look_up(name))
}

async fn cluster(rehearsal: &Rehearsal, wait: Duration) -> Result<(), Fault> {
    pagerdeck::adapters::install_tls_provider();
    let url = rehearsal.endpoints.kubernetes.clone();
    let names = Some((host(Api::Kubernetes), names(rehearsal)));
    let source = Source::Rehearsal { url, cluster: "eks-prod".into(), context: "eks-prod".into(), names };
    let times = Timeouts { connect: LONG, answer: wait, watch: wait * 4, watch_grace: wait };
    let client = connect(source, times).await?.client;
    let target = WorkloadRef { kind: WorkloadKind::Deployment, namespace: "payments".into(), name: "my-api".into() };
    client.read_workload(&target).await.map(drop).map_err(|error| error.fault())
}

/// Asks an API something small and gives back what a person would read.
async fn ask(rehearsal: &Rehearsal, api: &str) -> Result<(), Fault> {
    ask_within(rehearsal, api, LONG).await
}

async fn ask_within(rehearsal: &Rehearsal, api: &str, wait: Duration) -> Result<(), Fault> {
    let aws = || aws_within(rehearsal, wait);
    match api {
        "cloudwatch" => describe_all(&aws()).await.map(drop).map_err(|error| error.fault()),
        "logs" => {
            let search = GroupSearch::Prefix("/ecs/".into());
            find_groups(&aws(), &search, 10).await.map(drop).map_err(|error| error.fault())
        }
        "bedrock" => {
            let (chunks, mut heard) = mpsc::channel(256);
            let times = StreamTimeouts { first_byte: wait, idle: wait };
            let clients = aws();
            let question = question();
            let asked = async {
                let answer = converse_stream(&clients, &question, times, &chunks).await;
                drop(chunks);
                answer
            };
            let drained = async { while heard.recv().await.is_some() {} };
            tokio::join!(asked, drained).0.map(drop).map_err(|error| error.fault())
        }
        "sts" => aws().identity().await.map(drop).map_err(|error| error.fault()),
        "kubernetes" => cluster(rehearsal, wait).await,
        _ => {
            pagerdeck::adapters::install_tls_provider();
            let by_name = (host(Api::Slack), names(rehearsal));
            let webhook = Webhook::named(&rehearsal.endpoints.slack, wait, by_name).unwrap();
            webhook.post(&json!({ "text": "x" })).await.map_err(|error| error.fault())
        }
    }
}

/// The kind of fault each API shows, in the order of `APIS`; `None` where the fault does not exist for it, or where the
/// answer cannot tell.
type Row = (&'static str, [Option<FaultKind>; 6]);

fn table() -> Vec<Row> {
    use FaultKind::{Credentials, Cut, Denied, Malformed, Throttled, Timeout, Unavailable, Unreachable};
    let all = |kind| [Some(kind); 6];
    let slack = |kind, own| [Some(kind), Some(kind), Some(kind), Some(kind), Some(kind), own];
    vec![
        ("{ kind = \"throttled\" }", all(Throttled)),
        ("{ kind = \"denied\" }", all(Denied)),
        ("{ kind = \"expired\" }", slack(Credentials, Some(Denied))),
        ("{ kind = \"unavailable\" }", all(Unavailable)),
        ("{ kind = \"silence\" }", all(Timeout)),
        // A reset meets Slack behind the request, which may have been read by then.
        ("{ kind = \"reset\" }", slack(Unreachable, Some(Cut))),
        ("{ kind = \"unresolved\" }", all(Unreachable)),
        ("{ kind = \"cut\", after_bytes = 25 }", [Some(Cut), Some(Cut), Some(Cut), Some(Cut), Some(Unreachable), None]),
        ("{ kind = \"malformed\" }", slack(Malformed, Some(FaultKind::Rejected))),
        ("{ kind = \"restart\" }", [None, None, None, None, Some(Unreachable), None]),
        ("{ kind = \"refused\", word = \"channel_is_archived\" }", [None, None, None, None, None, Some(Denied)]),
        ("{ kind = \"stream\", after_frames = 3 }", [None, None, Some(Cut), None, None, None]),
        (
            "{ kind = \"stream\", after_frames = 3, exception = \"throttlingException\" }",
            [None, None, Some(Throttled), None, None, None],
        ),
        (
            "{ kind = \"stream\", after_frames = 3, exception = \"modelStreamErrorException\" }",
            [None, None, Some(Cut), None, None, None],
        ),
        (
            "{ kind = \"stream\", after_frames = 3, exception = \"serviceUnavailableException\" }",
            [None, None, Some(Unavailable), None, None, None],
        ),
    ]
}

#[tokio::test]
async fn every_fault_of_every_api_is_named_as_it_is() {
    let mut wrong = Vec::new();
    for (effect, kinds) in table() {
        for (api, kind) in APIS.into_iter().zip(kinds) {
            let Some(kind) = kind else { continue };
            let rehearsal = play_with(&format!("[[fault]]\nservice = \"{api}\"\neffect = {effect}\n")).await;
            let wait = if kind == FaultKind::Timeout { SOON } else { LONG };
            let found = ask_within(&rehearsal, api, wait).await;
            if found.as_ref().err().map(|fault| fault.kind) != Some(kind) {
                wrong.push(format!("{api} {effect}: expected {kind:?}, found {found:?}"));
            }
            let met = rehearsal.ledger.entries().iter().filter(|entry| entry.fault.is_some()).count();
            if met == 0 {
                wrong.push(format!("{api} {effect}: the ledger shows no fault"));
            }
            rehearsal.stop().await;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The refusal tells by how much the clock is off.
#[tokio::test]
async fn a_call_that_is_refused_for_its_time_is_repeated_with_the_right_one() {
    for api in ["cloudwatch", "logs", "bedrock", "sts"] {
        let rehearsal = play_with(&format!("[[fault]]\nservice = \"{api}\"\neffect = {{ kind = \"skewed\" }}\n")).await;
        let found = ask_within(&rehearsal, api, LONG).await;
        // The one that is refused, and the one that is not: the fault lies over both.
        let met = rehearsal.ledger.entries().iter().filter(|entry| entry.fault.is_some()).count();
        assert_eq!((found.is_ok(), met), (true, 2), "{api}");
        rehearsal.stop().await;
    }
}

#[tokio::test]
async fn without_a_fault_every_api_answers() {
    let rehearsal = play_with("").await;
    for api in APIS {
        assert_eq!(ask(&rehearsal, api).await.err(), None, "{api}");
    }
    rehearsal.stop().await;
}

#[tokio::test]
async fn expired_credentials_work_again_when_they_are_renewed() {
    let rehearsal =
        play_with("[[fault]]\nservice = \"logs\"\nfrom = \"5s\"\nuntil = \"30s\"\neffect = { kind = \"expired\" }\n")
            .await;
    assert_eq!(ask(&rehearsal, "logs").await.err(), None);
    rehearsal.clock.jump_to(super::after(&rehearsal, 6));
    assert_eq!(ask(&rehearsal, "logs").await.unwrap_err().kind, FaultKind::Credentials);
    rehearsal.clock.jump_to(super::after(&rehearsal, 30));
    assert_eq!(ask(&rehearsal, "logs").await.err(), None);
    rehearsal.stop().await;
}

#[tokio::test]
async fn small_pages_add_up_to_the_same() {
    let whole = play_with("").await;
    let paged = play_with(
        "[[fault]]\nservice = \"logs\"\neffect = { kind = \"pages\", size = 1 }\n\
         [[fault]]\nservice = \"cloudwatch\"\neffect = { kind = \"pages\", size = 2 }\n",
    )
    .await;
    let search = GroupSearch::Prefix("/ecs/".into());
    let groups = async |rehearsal| find_groups(&aws(rehearsal), &search, 10).await.unwrap();
    assert_eq!(groups(&whole).await, groups(&paged).await);
    let alarms = async |rehearsal| describe_all(&aws(rehearsal)).await.unwrap().alarms.len();
    assert_eq!(alarms(&whole).await, alarms(&paged).await);
    let asked = |rehearsal: &Rehearsal, kind: &str| rehearsal.ledger.summary().by_kind[kind];
    assert!(asked(&paged, "logs:DescribeLogGroups") > asked(&whole, "logs:DescribeLogGroups"));
    assert!(asked(&paged, "cloudwatch:DescribeAlarms") > asked(&whole, "cloudwatch:DescribeAlarms"));
    whole.stop().await;
    paged.stop().await;
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_told_as_such_and_resolves_again() {
    for api in APIS {
        let fault = format!("[[fault]]\nservice = \"{api}\"\nuntil = \"30s\"\neffect = {{ kind = \"unresolved\" }}\n");
        let rehearsal = play_with(&fault).await;
        let told = ask(&rehearsal, api).await.unwrap_err();
        assert!(told.to_string().contains("DNS") || api == "kubernetes", "{api}: {told}");
        let says_why = told.causes.iter().any(|cause| cause.contains("name resolution"));
        assert!(says_why || api == "slack", "{api}: {told}");
        let entries = rehearsal.ledger.entries();
        let met: Vec<_> = entries.iter().map(|entry| (entry.operation.as_str(), entry.fault, entry.status)).collect();
        assert!(
            !met.is_empty() && met.iter().all(|entry| *entry == ("lookup", Some("unresolved"), 0)),
            "{api}: {met:?}"
        );
        rehearsal.clock.jump_to(super::after(&rehearsal, 30));
        assert_eq!(ask(&rehearsal, api).await.err(), None, "{api}");
        rehearsal.stop().await;
    }
}

#[tokio::test]
async fn a_connection_that_was_kept_open_breaks_when_the_name_is_gone() {
    let fault = "[[fault]]\nservice = \"logs\"\nfrom = \"5s\"\neffect = { kind = \"unresolved\" }\n";
    let rehearsal = play_with(fault).await;
    let clients = aws(&rehearsal);
    let search = GroupSearch::Prefix("/ecs/".into());
    assert!(find_groups(&clients, &search, 10).await.is_ok());
    rehearsal.clock.jump_to(super::after(&rehearsal, 5));
    for _ in 0..2 {
        let broken = find_groups(&clients, &search, 10).await.unwrap_err().fault();
        assert_eq!(broken.kind, FaultKind::Unreachable, "{broken}");
    }
    let met: Vec<_> = rehearsal.ledger.entries().into_iter().filter_map(|entry| entry.fault).collect();
    assert_eq!(met, ["unresolved", "unresolved"]);
    rehearsal.stop().await;
}

#[tokio::test]
async fn small_pages_of_the_cluster_go_on_where_the_last_ended() {
    let fault = "[[fault]]\nservice = \"kubernetes\"\neffect = { kind = \"pages\", size = 4 }\n";
    let rehearsal = play_with(fault).await;
    let url = format!("{}/api/v1/namespaces/payments/pods?limit=500", rehearsal.endpoints.kubernetes);
    let mut names = std::collections::BTreeSet::new();
    let mut token = String::new();
    let mut pages = 0;
    loop {
        let page = crate::rehearsal_wire::raw::exchange(&format!("{url}&continue={token}"), "GET", &[], b"").await;
        let page: serde_json::Value = serde_json::from_slice(&page.dechunked()).unwrap();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 4, "{} in a page", items.len());
        names.extend(items.iter().map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned()));
        pages += 1;
        match page["metadata"]["continue"].as_str() {
            Some(next) if !next.is_empty() => next.clone_into(&mut token),
            _ => break,
        }
    }
    assert_eq!((names.len(), pages), (11, 3), "six of my-api, three of orders, two of the ledger");
    rehearsal.stop().await;
}
