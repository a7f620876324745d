//! The configuration in force, in the shape of `config.toml`: what `config show` prints can be copied into a file. Secrets
//! are told to be set, never shown.

use serde_json::{Map, Value, json};

use super::{ClusterSource, Colours, Config, ConfiguredService, Glyphs, LargeWindows, LogTail};

/// Every setting as it stands after flags, environment, file and defaults had their say. What is not set is left out.
pub fn shown(config: &Config) -> Value {
    let mut value = json!({
        "aws": {
            "profile": config.aws.profile,
            "region": config.aws.region,
            "endpoint_url": config.aws.endpoint,
            "connect_timeout_s": config.aws.timeouts.connect.as_secs(),
            "answer_timeout_s": config.aws.timeouts.answer.as_secs(),
        },
        "kubernetes": cluster(config),
        "model": config.model.as_ref().map_or_else(|| json!({ "id": "none" }), |model| json!({
            "id": model.id,
            "region": model.region,
            "max_tokens": model.max_tokens,
            "connect_timeout_s": model.timeouts.connect.as_secs(),
            "first_byte_timeout_s": model.timeouts.answer.as_secs(),
            "idle_timeout_s": model.timeouts.idle.as_secs(),
        })),
        "evidence": { "minutes": config.window.as_mins() },
        "log": {
            "groups": config.log_groups,
            "tail": match config.logs.tail { LogTail::Poll => "poll", LogTail::Live => "live" },
            "large_windows": match config.logs.large_windows {
                LargeWindows::Insights => "insights",
                LargeWindows::Truncated => "truncated",
            },
        },
        "poll": {
            "alarms_s": config.poll.alarms.as_secs(),
            "metrics_s": config.poll.metrics.as_secs(),
            "logs_s": config.poll.logs.as_secs(),
        },
        "environment": {
            "accounts": config.environments.accounts,
            "clusters": config.environments.clusters,
            "colours": config.environments.colours,
        },
        "screen": {
            "colours": match config.screen.colours { Colours::Full => "full", Colours::Mono => "mono" },
            "glyphs": match config.screen.glyphs { Glyphs::Unicode => "unicode", Glyphs::Ascii => "ascii" },
            "theme": config.screen.theme,
            "markers": config.screen.markers,
            "keyboard": config.screen.keyboard,
            "link": config.screen.link,
            "hyperlinks": config.screen.hyperlinks,
        },
        "theme": { "roles": config.roles },
        "panes": config.panes,
        "notify": config.notices,
        "keys": config.keys.iter().map(|(action, own)| (action.clone(), json!(own.keys))).collect::<Map<_, _>>(),
        "service": config.services.iter().map(service).collect::<Vec<_>>(),
    });
    leave_out_nulls(&mut value);
    value
}

fn cluster(config: &Config) -> Value {
    let cluster = &config.cluster;
    let (source, kubeconfig, context) = match &cluster.source {
        ClusterSource::Kubeconfig { path, context } => ("kubeconfig", path.as_ref(), context.as_ref()),
        ClusterSource::InCluster => ("in-cluster", None, None),
        ClusterSource::Off { .. } => ("off", None, None),
    };
    json!({
        "source": source,
        "kubeconfig": kubeconfig,
        "context": context,
        "namespaces": cluster.namespaces,
        "connect_timeout_s": cluster.timeouts.connect.as_secs(),
        "answer_timeout_s": cluster.timeouts.answer.as_secs(),
    })
}

fn service(configured: &ConfiguredService) -> Value {
    let service = &configured.service;
    let metrics: Map<String, Value> = service
        .metrics
        .iter()
        .map(|(role, query)| {
            let shown = json!({
                "namespace": query.metric.namespace,
                "name": query.metric.name,
                "dimensions": query.metric.dimensions,
                "account": query.metric.account,
                "statistic": query.statistic.to_string(),
                "period_s": query.period_s,
            });
            (role.word().to_owned(), shown)
        })
        .collect();
    json!({
        "name": service.name,
        "alarms": configured.alarms,
        "workload": service.workload,
        "log_groups": service.log_groups,
        "metrics": metrics,
        "helm_release": service.helm_release,
        "links": service.links,
    })
}

/// TOML knows no null.
fn leave_out_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(leave_out_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(leave_out_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Environment, Flags, World, resolve};
    use super::*;

    const FILE: &str = r#"
[aws]
region = "eu-central-1"
[kubernetes]
source = "kubeconfig"
context = "eks-prod"
namespaces = ["payments"]
[model]
id = "some.model"
[slack]
webhook_url = "https://hooks.example.com/secret-part"
[theme.roles]
dry-run = "light-green"
match = "default"
rehearsal = "light-magenta"
[keys]
zoom = ["f2"]
[[service]]
name = "my-api"
alarms = ["my-api-*"]
workload = { kind = "deployment", namespace = "payments", name = "my-api" }
[service.metrics.latency]
namespace = "AWS/ApplicationELB"
name = "TargetResponseTime"
statistic = "p99"
"#;

    fn read(path: &Path) -> Config {
        let env = Environment::of([("HOME", "/nowhere")]);
        resolve(&Flags { config: Some(path.to_owned()), ..Flags::default() }, &env, World::Real).unwrap()
    }

    #[test]
    fn what_is_shown_is_a_file_that_means_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let (path, copy) = (folder.path().join("config.toml"), folder.path().join("copy.toml"));
        std::fs::write(&path, FILE).unwrap();
        let first = shown(&read(&path));
        assert_eq!(first["service"][0]["metrics"]["latency"]["statistic"], "p99");
        assert_eq!(first["evidence"]["minutes"], 30);
        let roles = serde_json::json!({ "dry-run": "light-green", "match": "default", "rehearsal": "light-magenta" });
        assert_eq!(first["theme"]["roles"], roles);
        std::fs::write(&copy, toml::to_string(&first).unwrap()).unwrap();
        assert_eq!(shown(&read(&copy)), first);
    }

    #[test]
    fn no_secret_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, FILE).unwrap();
        assert!(!shown(&read(&path)).to_string().contains("secret-part"));
    }
}
