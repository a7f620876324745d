//! What the cockpit is flown against: the simulator for alarms and metrics, a log service that has so many new lines every
//! second, a model that notes when it sent each word, and services that are silent or throttle.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use jiff::Timestamp;
use pagerdeck::rehearsal::clock::Speed;
use pagerdeck::rehearsal::{Rehearsal, StartOptions, scenario, start};

/// The founding incident, paged now.
const SCENARIO: &str = "based_on = \"oom-leak\"\nname = \"bench\"\ntitle = \"A bench\"\nteaches = \"Nothing.\"\n";
/// What every scenario says it comes to.
const EXPECT: &str = "[expect]\ncause = \"memory-leak\"\nconclusive = true\n";
/// The service as a configuration names it.
const CONFIG: &str = r#"
[[service]]
name = "my-api"
log_groups = ["/ecs/my-api"]
[service.metrics]
cpu = { namespace = "AWS/ECS", name = "CPUUtilization", dimensions = { ClusterName = "eks-prod", ServiceName = "my-api" } }
memory = { namespace = "AWS/ECS", name = "MemoryUtilization", dimensions = { ClusterName = "eks-prod", ServiceName = "my-api" } }
"#;
/// The most that one page of `FilterLogEvents` holds.
const PAGE: u64 = 10_000;

/// Everything, listening on loopback.
pub struct Cloud {
    _runtime: tokio::runtime::Runtime,
    rehearsal: Rehearsal,
    logs: String,
    model: String,
    /// Lines given out.
    pub served: Arc<AtomicU64>,
    /// When each word was sent.
    pub sent: Arc<Mutex<Vec<Instant>>>,
}

impl Cloud {
    /// Logs and words at these rates a second.
    pub fn start(home: &Path, (lines, words): (u64, u64)) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let page = jiff::Timestamp::from_second(Timestamp::now().as_second()).unwrap();
        let file = home.join("bench.toml");
        std::fs::write(&file, format!("{SCENARIO}start = \"{page}\"\n{EXPECT}")).unwrap();
        std::fs::write(home.join("config.toml"), CONFIG).unwrap();
        let scenario = scenario::load(file.to_str().unwrap()).unwrap();
        let options = StartOptions { speed: Speed::Times(1.0), seed: None };
        let rehearsal = runtime.block_on(start(scenario, options)).unwrap();
        let (served, sent) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (began, counted) = (Instant::now(), Arc::clone(&served));
        let logs = serve(move |stream, target, body| log_service(stream, (target, body), (began, lines, &counted)));
        let noted = Arc::clone(&sent);
        let model = serve(move |stream, _, _| model_service(stream, words, &noted));
        Self { _runtime: runtime, rehearsal, logs, model, served, sent }
    }

    /// The environment that leads there.
    pub fn env(&self, home: &Path) -> Vec<(String, String)> {
        let mut env = access(&self.rehearsal.endpoints.aws, home);
        let own = [("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", &self.logs), ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &self.model)];
        env.extend(own.map(|(name, value)| (name.to_owned(), value.clone())));
        env
    }
}

/// Static credentials, no cluster, and all services at one address.
pub fn access(endpoint: &str, home: &Path) -> Vec<(String, String)> {
    let config = home.join("config.toml");
    if !config.exists() {
        std::fs::write(&config, CONFIG).unwrap();
    }
    let path = |name: &str| home.join(name).to_str().unwrap().to_owned();
    [
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "bench".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "bench".to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ("KUBECONFIG", path("no-kubeconfig")),
        ("PAGERDECK_CONFIG", path("config.toml")),
        ("PAGERDECK_STATE", path("state")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

/// Accepts and says nothing, for as long as the process lives.
pub fn silent() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut kept: Vec<TcpStream> = Vec::new();
        kept.extend(listener.incoming().filter_map(Result::ok));
    });
    address
}

/// Throttles whatever is asked.
pub fn throttled() -> String {
    serve(|stream, _, _| {
        let body = br#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#;
        answer(stream, ("400 Bad Request", "application/json"), body)
    })
}

type Reply = std::io::Result<()>;

/// A small HTTP server: one thread a connection, one request after the other.
fn serve(reply: impl Fn(&mut TcpStream, &str, &[u8]) -> Reply + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let reply = Arc::new(reply);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().filter_map(Result::ok) {
            let reply = Arc::clone(&reply);
            std::thread::spawn(move || {
                while let Some((target, body)) = request(&mut stream) {
                    if reply(&mut stream, &target, &body).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

/// The operation and body of the next request of a connection.
fn request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut read = Vec::new();
    let mut buffer = [0; 16_384];
    let head = loop {
        if let Some(end) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break end + 4;
        }
        match stream.read(&mut buffer) {
            Ok(length @ 1..) => read.extend_from_slice(&buffer[..length]),
            _ => return None,
        }
    };
    let text = String::from_utf8_lossy(&read[..head]).to_ascii_lowercase();
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let length: usize = value("content-length:").and_then(|length| length.parse().ok()).unwrap_or(0);
    let target = value("x-amz-target:").unwrap_or_default().to_owned();
    while read.len() < head + length {
        match stream.read(&mut buffer) {
            Ok(length @ 1..) => read.extend_from_slice(&buffer[..length]),
            _ => return None,
        }
    }
    Some((target, read.split_off(head)))
}

fn answer(stream: &mut TcpStream, (status, kind): (&str, &str), body: &[u8]) -> Reply {
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body].concat())
}

/// Lines that were written since the last question, each once, a page at a time.
fn log_service(
    stream: &mut TcpStream,
    (target, body): (&str, &[u8]),
    (began, rate, served): (Instant, u64, &AtomicU64),
) -> Reply {
    let kind = ("200 OK", "application/x-amz-json-1.1");
    if target.ends_with("describeloggroups") {
        return answer(stream, kind, br#"{"logGroups":[{"logGroupName":"/ecs/my-api"}]}"#);
    }
    if !target.ends_with("filterlogevents") {
        return answer(stream, ("400 Bad Request", kind.1), br#"{"__type":"UnknownOperationException"}"#);
    }
    let asked: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let now = Timestamp::now().as_millisecond();
    // A window that has long ended is somebody's evidence, not the tail.
    let is_history = asked["endTime"].as_i64().is_some_and(|end| end < now - 60_000);
    let due = began.elapsed().as_millis() as u64 * rate / 1_000;
    let from = served.load(Ordering::SeqCst);
    let to = if is_history { from } else { due.min(from + PAGE).max(from) };
    served.store(to, Ordering::SeqCst);
    let mut text = String::with_capacity((to - from) as usize * 256 + 64);
    text.push_str("{\"events\":[");
    for n in from..to {
        let comma = if n == from { "" } else { "," };
        let _ = write!(
            text,
            "{comma}{{\"logStreamName\":\"my-api-7d9f-{:04}/app\",\"timestamp\":{now},\"ingestionTime\":{now},\
             \"eventId\":\"{n:056}\",\"message\":\"INFO  [http-nio-{}] c.e.p.AccessLog - GET /v1/orders/{n} 200 {}ms \
             trace={:012x}\"}}",
            n % 6,
            n % 4,
            n % 97,
            n.wrapping_mul(0x9e37_79b9_7f4a) & 0xffff_ffff_ffff,
        );
    }
    text.push_str("],\"searchedLogStreams\":[]");
    if to < due && !is_history {
        // Each page has a token of its own: one offered twice is an error.
        let _ = write!(text, ",\"nextToken\":\"from-{to}\"");
    }
    text.push('}');
    answer(stream, kind, text.as_bytes())
}

/// A stream of numbered words in sentences of twelve, until the person at the other end leaves; at no rate one word alone.
fn model_service(stream: &mut TcpStream, rate: u64, sent: &Mutex<Vec<Instant>>) -> Reply {
    sent.lock().unwrap().clear();
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes())?;
    stream.set_nodelay(true)?;
    chunk(stream, &frame("messageStart", "{\"role\":\"assistant\"}"))?;
    let began = Instant::now();
    let words = if rate == 0 { 1 } else { 99_999_u64 };
    for n in 0..words {
        let due = began + Duration::from_micros(n * 1_000_000 / rate.max(1));
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let end = if n % 12 == 11 { "." } else { "" };
        let delta = format!("{{\"contentBlockIndex\":0,\"delta\":{{\"text\":\"w{n:05}{end} \"}}}}");
        let bytes = frame("contentBlockDelta", &delta);
        sent.lock().unwrap().push(Instant::now());
        chunk(stream, &bytes)?;
    }
    chunk(stream, &frame("contentBlockStop", "{\"contentBlockIndex\":0}"))?;
    chunk(stream, &frame("messageStop", "{\"stopReason\":\"end_turn\"}"))?;
    stream.write_all(b"0\r\n\r\n")
}

fn frame(event: &str, payload: &str) -> Vec<u8> {
    let header = |name: &'static str, value: &str| Header::new(name, HeaderValue::String(value.to_owned().into()));
    let message = Message::new(payload.as_bytes().to_vec())
        .add_header(header(":event-type", event))
        .add_header(header(":content-type", "application/json"))
        .add_header(header(":message-type", "event"));
    let mut bytes = Vec::new();
    write_message_to(&message, &mut bytes).unwrap();
    bytes
}

fn chunk(stream: &mut TcpStream, bytes: &[u8]) -> Reply {
    stream.write_all(&[format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat())
}
