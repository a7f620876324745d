//! The simulated AWS before boto3: what it answers, each error it words, and its event streams, which botocore's own
//! parser takes apart. Needs `tests/peers/install.sh`; skipped, or failed where required, as the other peers.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use pagerdeck::rehearsal::clock::Speed;
use pagerdeck::rehearsal::scenario::{ModelException, Scenario, load, parse};
use pagerdeck::rehearsal::{self, Rehearsal, StartOptions};
use serde_json::{Value, json};

use super::peers_aws::peer;

/// A Python that asks by boto3.
struct Boto {
    child: Child,
    asks: ChildStdin,
    says: BufReader<ChildStdout>,
    rehearsal: Rehearsal,
}

impl Boto {
    /// One that asks a rehearsal of this scenario; `None` where boto3 is not installed.
    async fn of(scenario: Scenario) -> Option<Self> {
        let python = peer("venv/bin/python")?;
        let rehearsal = rehearsal::start(scenario, StartOptions { speed: Speed::Max, seed: None }).await.unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/runtime.py");
        let mut child = Command::new(python)
            .arg(script)
            .arg(&rehearsal.endpoints.aws)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (asks, says) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Some(Self { child, asks, says, rehearsal })
    }

    fn ask(&mut self, case: &Value) -> Value {
        tokio::task::block_in_place(|| {
            writeln!(self.asks, "{case}").unwrap();
            let mut line = String::new();
            self.says.read_line(&mut line).unwrap();
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{case}: {error}: {line:?}"))
        })
    }

    fn call(&mut self, client: &str, call: &str, with: &Value) -> Value {
        self.ask(&json!({ "client": client, "call": call, "with": with }))
    }

    async fn end(mut self) {
        drop(self.asks);
        let ended = tokio::task::block_in_place(|| self.child.wait().unwrap());
        assert!(ended.success(), "{ended}");
        self.rehearsal.stop().await;
    }
}

/// `oom-leak` with other words appended.
fn with(more: &str) -> Scenario {
    let text = format!(
        "based_on = \"oom-leak\"\nname = \"test\"\ntitle = \"t\"\nteaches = \"t\"\n\
         {more}\n[expect]\ncause = \"memory-leak\"\nconclusive = true\n"
    );
    parse(&text, "test").unwrap()
}

fn script(chunks: &str) -> Scenario {
    with(&format!("[model]\nmode = \"script\"\n[[model.turn]]\nchunk = [{chunks}]\n"))
}

fn asked() -> Value {
    json!({ "modelId": "us.anthropic.claude-sonnet-4-20250514-v1:0", "messages": messages() })
}

fn messages() -> Value {
    json!([{ "role": "user", "content": [{ "text": "What is wrong?" }] }])
}

const PARTS: &str = "{ kind = \"thinking\", text = \"Memory first.\" }, { kind = \"redacted\" }, \
    { kind = \"text\", text = \"It leaks.\" }, { kind = \"tool\", name = \"look\", input = { minutes = 5 } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boto3_reads_a_model_in_one_piece_and_as_a_stream() {
    let Some(mut boto) = Boto::of(script(PARTS)).await else { return };
    let whole = boto.call("bedrock-runtime", "converse", &asked())["answer"].clone();
    let content = &whole["output"]["message"]["content"];
    assert_eq!(content[0]["reasoningContent"]["reasoningText"]["text"], "Memory first.", "{whole}");
    assert!(content[1]["reasoningContent"]["redactedContent"].is_string(), "{content}");
    assert_eq!((&content[2]["text"], &content[3]["toolUse"]["input"]), (&json!("It leaks."), &json!({ "minutes": 5 })));
    assert_eq!(whole["stopReason"], "tool_use");
    let streamed = boto.call("bedrock-runtime", "converse_stream", &asked())["events"].clone();
    let events = streamed.as_array().unwrap();
    let deltas: Vec<&Value> = events.iter().filter_map(|event| event.pointer("/contentBlockDelta/delta")).collect();
    let joined = |pointer: &str| deltas.iter().filter_map(|delta| delta.pointer(pointer)?.as_str()).collect::<String>();
    assert_eq!(joined("/reasoningContent/text"), "Memory first.");
    assert_eq!(joined("/text"), "It leaks.");
    assert_eq!(joined("/toolUse/input"), "{\"minutes\":5}");
    let signature = content[0]["reasoningContent"]["reasoningText"]["signature"].as_str();
    assert_eq!(Some(joined("/reasoningContent/signature").as_str()), signature);
    let count = json!({ "modelId": "m", "input": { "converse": { "messages": messages() } } });
    let counted = boto.call("bedrock-runtime", "count_tokens", &count)["answer"]["inputTokens"].clone();
    assert_eq!(counted, whole["usage"]["inputTokens"]);
    boto.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn botocores_own_parser_takes_every_frame_apart() {
    let Some(mut boto) = Boto::of(script(PARTS)).await else { return };
    let said =
        boto.ask(&json!({ "frames": "/model/simulated.rules-v1/converse-stream", "with": { "messages": messages() } }));
    let frames = said["frames"].as_array().unwrap();
    let names: Vec<&str> = frames.iter().filter_map(|frame| frame["headers"][":event-type"].as_str()).collect();
    assert_eq!(names.len(), frames.len());
    assert_eq!((names[0], &names[names.len() - 2..]), ("messageStart", &["messageStop", "metadata"][..]));
    assert!(frames.iter().all(|frame| frame["headers"][":content-type"] == "application/json"));
    assert!(frames.iter().all(|frame| frame["headers"][":message-type"] == "event"));
    let stops = names.iter().filter(|name| **name == "contentBlockStop").count();
    assert_eq!(stops, 4, "one a block: {names:?}");
    boto.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boto3_reads_every_exception_of_a_model() {
    for exception in ModelException::ALL {
        let shape = exception.shape();
        let name = format!("{}{}", shape[..1].to_lowercase(), &shape[1..]);
        let part = format!("{{ kind = \"exception\", exception = \"{name}\" }}");
        let Some(mut first) = Boto::of(script(&part)).await else { return };
        for call in ["converse", "converse_stream"] {
            let refused = first.call("bedrock-runtime", call, &asked());
            // A shape that the operation does not declare is still read by its code, as the general error.
            let typed = refused["type"] == shape || refused["type"] == "ClientError";
            assert!(typed && refused["error"]["Code"] == shape, "{call} {shape}: {refused}");
            assert_eq!(refused["status"], exception.status(), "{refused}");
            assert_eq!(refused["error"]["Message"], exception.words(), "{refused}");
        }
        first.end().await;
        let Some(frame) = exception.frame() else { continue };
        let mut late = Boto::of(script(&format!("{{ kind = \"text\", text = \"So \" }}, {part}"))).await.unwrap();
        let heard = late.call("bedrock-runtime", "converse_stream", &asked());
        assert_eq!(heard["error"]["Code"], frame, "{heard}");
        assert_eq!(heard["error"]["Message"], exception.words(), "{heard}");
        assert!(!heard["events"].as_array().unwrap().is_empty(), "what came before it was read");
        late.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boto3_reads_embeddings_and_their_refusals() {
    let Some(mut boto) = Boto::of(load("oom-leak").unwrap()).await else { return };
    let titan = |body: &Value| json!({ "modelId": "amazon.titan-embed-text-v2:0", "body": body.to_string() });
    let body = boto.call("bedrock-runtime", "invoke_model", &titan(&json!({ "inputText": "a leak" })));
    assert_eq!(body["answer"]["body"]["embedding"].as_array().unwrap().len(), 1024, "{body}");
    let refused = boto.call("bedrock-runtime", "invoke_model", &titan(&json!({})));
    assert_eq!((&refused["type"], &refused["status"]), (&json!("ValidationException"), &json!(400)), "{refused}");
    let cohere = json!({ "texts": ["a", "b"], "input_type": "search_query", "embedding_types": ["float"] });
    let asked = json!({ "modelId": "cohere.embed-multilingual-v3", "body": cohere.to_string() });
    let body = boto.call("bedrock-runtime", "invoke_model", &asked)["answer"]["body"].clone();
    assert_eq!(body["embeddings"]["float"].as_array().unwrap().len(), 2, "{body}");
    boto.end().await;
}

/// Who asks, in the query protocol; and what is not simulated, which is not found in the shape of each protocol.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boto3_reads_who_is_asking_and_what_is_not_there() {
    let Some(mut boto) = Boto::of(load("oom-leak").unwrap()).await else { return };
    let identity = boto.call("sts", "get_caller_identity", &json!({}));
    assert_eq!(identity["answer"]["Account"], "123456789012", "{identity}");
    let call = json!({ "RoleArn": "arn:aws:iam::123456789012:role/x", "RoleSessionName": "x" });
    let role = boto.call("sts", "assume_role", &call);
    assert_eq!((&role["error"]["Code"], &role["status"]), (&json!("InvalidAction"), &json!(400)), "{role}");
    let stacks = boto.call("cloudformation", "list_stacks", &json!({}));
    assert_eq!((&stacks["status"], &stacks["type"]), (&json!(404), &json!("ClientError")), "{stacks}");
    let tables = boto.call("dynamodb", "list_tables", &json!({}));
    assert_eq!(tables["status"], 404, "{tables}");
    // boto3 speaks JSON to CloudWatch, and the Rust SDK CBOR: the one that is served.
    let alarms = boto.call("cloudwatch", "describe_alarms", &json!({}));
    assert_eq!(
        (&alarms["status"], &alarms["error"]["Code"]),
        (&json!(404), &json!("UnknownOperationException")),
        "{alarms}"
    );
    let buckets = boto.call("s3", "list_buckets", &json!({}));
    assert_eq!(buckets["status"], 404, "{buckets}");
    boto.end().await;
}

/// The refusals of a fault, by each service and in its own protocol.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boto3_reads_every_refusal_of_a_fault() {
    let calls = [
        ("sts", "sts", "get_caller_identity", json!({})),
        ("logs", "logs", "describe_log_groups", json!({})),
        ("bedrock", "bedrock-runtime", "converse", asked()),
    ];
    // The code in the order of `calls`.
    let table = [
        ("throttled", ["Throttling", "ThrottlingException", "ThrottlingException"]),
        ("denied", ["AccessDenied", "AccessDeniedException", "AccessDeniedException"]),
        ("expired", ["ExpiredToken", "ExpiredTokenException", "ExpiredTokenException"]),
        ("skewed", ["SignatureDoesNotMatch", "InvalidSignatureException", "InvalidSignatureException"]),
        ("unavailable", ["ServiceUnavailable", "ServiceUnavailableException", "ServiceUnavailableException"]),
    ];
    for (effect, codes) in table {
        let faults: Vec<String> = calls
            .iter()
            .map(|call| format!("[[fault]]\nservice = \"{}\"\neffect = {{ kind = \"{effect}\" }}\n", call.0))
            .collect();
        let Some(mut boto) = Boto::of(with(&faults.concat())).await else { return };
        for ((_, client, call, asked), code) in calls.iter().zip(codes) {
            let refused = boto.call(client, call, asked);
            assert_eq!(refused["error"]["Code"], code, "{effect} {client}: {refused}");
            assert!(refused["error"]["Message"].as_str().is_some_and(|words| !words.is_empty()), "{refused}");
        }
        boto.end().await;
    }
}
