//! The answers of the rehearsal's cluster against the schemas that Kubernetes publishes.
//!
//! Asks for everything the API says it serves, in each form, before and after a rollout, and for refusals too. Needs
//! `tests/peers/install.sh`; skipped, or failed where required, as the other peers.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use jiff::SignedDuration;
use pagerdeck::rehearsal::clock::Speed;
use pagerdeck::rehearsal::scenario::load;
use pagerdeck::rehearsal::{self, Rehearsal, StartOptions};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::peers_aws::peer;

/// Answers as lines for the validator.
struct Collector {
    client: Client,
    server: String,
    lines: Vec<u8>,
}

impl Collector {
    fn keep(&mut self, place: &str, object: &Value) {
        writeln!(self.lines, "{}", json!({"where": place, "object": object})).unwrap();
    }

    async fn ask(&mut self, method: &Method, path: &str, body: Option<(&str, &Value)>) -> Value {
        let mut request = self.client.request(method.clone(), format!("{}{path}", self.server));
        if let Some((media, body)) = body {
            request = request.header("content-type", media).body(body.to_string());
        }
        let text = request.send().await.unwrap().text().await.unwrap();
        let object: Value = serde_json::from_str(&text).unwrap_or_default();
        if object.is_object() {
            self.keep(&format!("{method} {path}"), &object);
        }
        object
    }

    /// The objects of a watch that ends by itself.
    async fn watch(&mut self, path: &str) {
        let url = format!("{}{path}?watch=1&timeoutSeconds=1", self.server);
        let text = self.client.get(url).send().await.unwrap().text().await.unwrap();
        for line in text.lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            self.keep(path, &event["object"]);
        }
    }

    async fn get(&mut self, path: &str) -> Value {
        self.ask(&Method::GET, path, None).await
    }

    /// Every list, every object by itself, and the scale of what has one.
    async fn everything(&mut self) {
        let groups = self.get("/apis").await;
        self.get("/api").await;
        let each = groups["groups"].as_array().unwrap().iter();
        let versions =
            each.map(|group| format!("/apis/{}", group["preferredVersion"]["groupVersion"].as_str().unwrap()));
        for version in std::iter::once("/api/v1".to_owned()).chain(versions.collect::<Vec<_>>()) {
            let page = self.get(&version).await;
            for resource in page["resources"].as_array().unwrap() {
                let verbs = resource["verbs"].as_array().unwrap();
                if verbs.contains(&json!("list")) {
                    self.resource(&version, resource).await;
                }
            }
        }
    }

    async fn resource(&mut self, version: &str, resource: &Value) {
        let plural = resource["name"].as_str().unwrap();
        let all = self.get(&format!("{version}/{plural}")).await;
        for item in all["items"].as_array().unwrap() {
            let meta = &item["metadata"];
            let place = meta["namespace"].as_str().map_or_else(String::new, |space| format!("/namespaces/{space}"));
            let one = format!("{version}{place}/{plural}/{}", meta["name"].as_str().unwrap());
            self.get(&one).await;
            if ["deployments", "statefulsets", "replicasets"].contains(&plural) {
                self.get(&format!("{one}/scale")).await;
            }
        }
    }

    /// Reviews, rehearsed writes of each language, and refusals.
    async fn writes_and_refusals(&mut self) {
        let reviews = [
            ("authentication.k8s.io", "selfsubjectreviews", json!({})),
            ("authorization.k8s.io", "selfsubjectrulesreviews", json!({"spec": {"namespace": "payments"}})),
            (
                "authorization.k8s.io",
                "selfsubjectaccessreviews",
                json!({"spec": {"resourceAttributes": {"verb": "patch", "group": "apps", "resource": "deployments"}}}),
            ),
        ];
        for (group, plural, body) in reviews {
            let path = format!("/apis/{group}/v1/{plural}");
            self.ask(&Method::POST, &path, Some(("application/json", &body))).await;
        }
        let orders = "/apis/apps/v1/namespaces/payments/deployments/orders";
        let replicas = json!({"spec": {"replicas": 2}});
        let apply = json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 5}});
        for (media, path, body) in [
            ("application/merge-patch+json", format!("{orders}?dryRun=All"), &replicas),
            ("application/strategic-merge-patch+json", format!("{orders}/scale?dryRun=All"), &replicas),
            ("application/apply-patch+yaml", format!("{orders}?fieldManager=a&force=true&dryRun=All"), &apply),
            ("application/apply-patch+yaml", format!("{orders}?fieldManager=a&dryRun=All"), &apply),
            ("application/json", orders.to_owned(), &replicas),
            ("application/merge-patch+json", format!("{orders}?dryRun=None"), &replicas),
            ("application/merge-patch+json", format!("{orders}x"), &replicas),
            ("application/merge-patch+json", orders.to_owned(), &json!({"spec": {"replicas": "many"}})),
            ("application/merge-patch+json", orders.to_owned(), &json!({"spec": {"replicas": -1}})),
        ] {
            self.ask(&Method::PATCH, &path, Some((media, body))).await;
        }
        self.ask(&Method::DELETE, "/api/v1/namespaces/payments/pods/store-0?dryRun=All", None).await;
        self.ask(&Method::DELETE, &format!("{orders}?dryRun=All"), None).await;
        self.get("/apis/nowhere.io/v1/things").await;
    }

    fn checked(&self) -> Result<String, String> {
        let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers");
        let (python, schemas) = (peer("venv/bin/python").unwrap(), peer("schemas").unwrap());
        let mut child = Command::new(python)
            .arg(files.join("validate.py"))
            .env("PYTHONPATH", schemas)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&self.lines).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() { Ok(said) } else { Err(said) }
    }
}

/// Lets incident time pass, one change after another.
fn pass(rehearsal: &Rehearsal, seconds: i64) {
    for _ in 0..seconds {
        rehearsal.clock.jump_to(rehearsal.clock.now() + SignedDuration::from_secs(1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_holds_against_the_published_schemas() {
    if peer("schemas").is_none() {
        return;
    }
    pagerdeck::adapters::install_tls_provider();
    // Reading everything takes more rights than the on-call engineer of the tests of kubectl has.
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/cluster.toml");
    let mut scenario = load(path.to_str().unwrap()).unwrap();
    scenario.cluster.access.clear();
    let rehearsal = rehearsal::start(scenario, StartOptions { speed: Speed::Max, seed: None }).await.unwrap();
    let server = rehearsal.endpoints.kubernetes.clone();
    let mut collector = Collector { client: Client::new(), server, lines: Vec::new() };
    collector.everything().await;
    collector.writes_and_refusals().await;
    let restart = json!({"spec": {"template": {"metadata": {"annotations": {"restarted": "now"}}}}});
    for place in ["deployments/my-api", "statefulsets/store", "daemonsets/agent"] {
        let path = format!("/apis/apps/v1/namespaces/payments/{place}");
        collector.ask(&Method::PATCH, &path, Some(("application/strategic-merge-patch+json", &restart))).await;
    }
    pass(&rehearsal, 6);
    collector.watch("/api/v1/pods").await;
    collector.everything().await;
    rehearsal.stop().await;
    let said = tokio::task::block_in_place(|| collector.checked());
    assert!(said.is_ok(), "{}", said.unwrap_err());
}
