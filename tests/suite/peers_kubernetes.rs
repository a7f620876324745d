//! The rehearsal's cluster before clients that nobody here wrote: kubectl and helm of two releases each.
//!
//! The commands and what each must come to stand in `tests/peers/*.toml`. Needs `tests/peers/install.sh`; where a program
//! is absent the test says `skipped`, and with `PAGERDECK_REQUIRE_PEERS=1` that is a failure.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pagerdeck::rehearsal::clock::Speed;
use pagerdeck::rehearsal::scenario::load;
use pagerdeck::rehearsal::{self, Endpoints, StartOptions};
use serde::Deserialize;
use serde_json::Value;

use super::peers_aws::peer;

/// One command with what it must come to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    run: String,
    #[serde(default)]
    stdin: String,
    #[serde(default)]
    code: i32,
    /// Words on either stream; `a|b` is met by either.
    #[serde(default)]
    says: Vec<String>,
    /// Cells of rows of the printed table, by their column.
    #[serde(default)]
    rows: Vec<BTreeMap<String, String>>,
    /// How many rows the table has.
    count: Option<usize>,
    /// How many lines are printed.
    lines: Option<usize>,
    /// How many bytes are printed.
    bytes: Option<usize>,
    /// What stands at JSON pointers of the printed object.
    #[serde(default)]
    json: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Table {
    command: Vec<Row>,
}

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

/// The programs of one release, pointed at one cluster.
struct Clients {
    programs: PathBuf,
    home: tempfile::TempDir,
    charts: String,
}

fn files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers")
}

impl Clients {
    fn new(programs: PathBuf, endpoints: &Endpoints) -> Self {
        let server = &endpoints.kubernetes;
        let home = tempfile::tempdir().unwrap();
        let text = serde_json::json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "eks-prod",
            "clusters": [{"name": "eks-prod", "cluster": {"server": server}}],
            "contexts": [{"name": "eks-prod", "context": {"cluster": "eks-prod", "user": "oncall",
                "namespace": "payments"}}],
            "users": [{"name": "oncall", "user": {"token": "rehearsal"}}],
        });
        std::fs::write(home.path().join("kubeconfig"), text.to_string()).unwrap();
        Self { programs, home, charts: endpoints.charts.clone() }
    }

    fn say(&self, line: &str, stdin: &str) -> Said {
        let mut words = words(line).into_iter();
        let program = self.programs.join(words.next().unwrap());
        // A client that waits for what never comes must not hold the suite.
        let mut child = Command::new("timeout")
            .arg("90")
            .arg(program)
            .args(words)
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", "/usr/bin:/bin")
            .env("KUBECONFIG", self.home.path().join("kubeconfig"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// `{pod x}`, `{files}`, `{home}` and `{charts}` (the address of the chart repository) filled in.
    fn filled(&self, line: &str) -> String {
        let mut line = line.replace("{files}", files().to_str().unwrap()).replace("{charts}", &self.charts);
        line = line.replace("{home}", self.home.path().to_str().unwrap());
        while let Some((before, rest)) = line.clone().split_once("{pod ") {
            let (app, after) = rest.split_once('}').unwrap();
            let found =
                self.say(&format!("kubectl get pods -l app={app} -o jsonpath='{{.items[0].metadata.name}}'"), "");
            line = format!("{before}{}{after}", found.out);
        }
        line
    }
}

/// A command line in words, with single quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for letter in line.chars() {
        match letter {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            other => words.last_mut().unwrap().push(other),
        }
    }
    words
}

/// The rows of a printed table: cells by the heading they stand under.
fn printed(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut lines = text.lines().filter(|line| !line.is_empty());
    let separator = if text.contains('\t') { "\t" } else { "  " };
    let mut heading = lines.next();
    // `rollout history` names its object first.
    if heading.is_some_and(|line| line.trim() == line.to_lowercase().trim()) {
        heading = lines.next();
    }
    let Some(heading) = heading else { return Vec::new() };
    if separator == "\t" {
        let names: Vec<&str> = heading.split('\t').map(str::trim).collect();
        let row = |line: &str| {
            names.iter().copied().map(str::to_owned).zip(line.split('\t').map(|cell| cell.trim().to_owned())).collect()
        };
        return lines.map(row).collect();
    }
    let mut starts = Vec::new();
    for name in heading.split("  ").map(str::trim).filter(|name| !name.is_empty()) {
        let from = starts.last().map_or(0, |(start, known): &(usize, &str)| start + known.len());
        starts.push((from + heading[from..].find(name).unwrap(), name));
    }
    let cell = |line: &str, index: usize| {
        let end = starts.get(index + 1).map_or(line.len(), |next| next.0.min(line.len()));
        line.get(starts[index].0.min(end)..end).unwrap_or_default().trim().to_owned()
    };
    lines
        .map(|line| starts.iter().enumerate().map(|(index, start)| (start.1.to_owned(), cell(line, index))).collect())
        .collect()
}

/// What is wrong with an answer.
fn complaints(row: &Row, said: &Said) -> Vec<String> {
    let mut wrong = Vec::new();
    if said.code != Some(row.code) {
        wrong.push(format!("exit code {:?}, not {}", said.code, row.code));
    }
    let all = format!("{}{}", said.out, said.err);
    for words in row.says.iter().filter(|words| !words.split('|').any(|word| all.contains(word))) {
        wrong.push(format!("does not say {words:?}"));
    }
    let table = printed(&said.out);
    for wanted in &row.rows {
        let is_met = |found: &BTreeMap<String, String>| wanted.iter().all(|cell| found.get(cell.0) == Some(cell.1));
        if !table.iter().any(is_met) {
            wrong.push(format!("no row with {wanted:?}"));
        }
    }
    let counts = [
        ("rows", row.count, table.len()),
        ("lines", row.lines, said.out.lines().count()),
        ("bytes", row.bytes, said.out.len()),
    ];
    for (what, wanted, found) in counts {
        if wanted.is_some_and(|wanted| wanted != found) {
            wrong.push(format!("{found} {what}, not {wanted:?}"));
        }
    }
    if !row.json.is_empty() {
        let object: Value = serde_json::from_str(&said.out).unwrap_or_default();
        for (pointer, wanted) in &row.json {
            let found = object.pointer(pointer);
            if found != Some(wanted) {
                wrong.push(format!("{pointer} is {found:?}, not {wanted}"));
            }
        }
    }
    wrong
}

async fn table(name: &str, release: &str) {
    let Some(programs) = peer(&format!("kubernetes/{release}")) else { return };
    let scenario = load(files().join("cluster.toml").to_str().unwrap()).unwrap();
    let options = StartOptions { speed: Speed::Times(20.0), seed: None };
    let rehearsal = rehearsal::start(scenario, options).await.unwrap();
    let clients = Clients::new(programs, &rehearsal.endpoints);
    let text = std::fs::read_to_string(files().join(name)).unwrap();
    let rows = toml::from_str::<Table>(&text).unwrap().command;
    let mut wrong = Vec::new();
    tokio::task::block_in_place(|| {
        for row in &rows {
            let line = clients.filled(&row.run);
            let said = clients.say(&line, &row.stdin);
            let found = complaints(row, &said);
            if !found.is_empty() {
                wrong.push(format!("$ {line}\n  {}\n{}{}", found.join("\n  "), said.out, said.err));
            }
        }
    });
    for entry in rehearsal.ledger.entries().iter().filter(|entry| entry.status >= 500 || entry.status == 415) {
        wrong.push(format!("{} {} was answered {}", entry.verb, entry.path, entry.status));
    }
    rehearsal.stop().await;
    assert!(wrong.is_empty(), "{} of {} commands of {release}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_1_37_takes_the_rehearsal_for_a_cluster() {
    table("kubectl.toml", "1.37").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_1_32_takes_the_rehearsal_for_a_cluster() {
    table("kubectl.toml", "1.32").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn helm_4_3_takes_the_rehearsal_for_a_cluster() {
    table("helm.toml", "1.37").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn helm_3_17_takes_the_rehearsal_for_a_cluster() {
    table("helm.toml", "1.32").await;
}
