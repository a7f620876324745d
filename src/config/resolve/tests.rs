//! The layering, case by case, over files in a folder of their own.

use super::*;
use crate::config::claimant;
use crate::domain::observation::alarm::AlarmName;
use crate::domain::observation::metric::{MetricRole, Statistic};
use crate::domain::observation::scope::{AccountId, ClusterName, Scope};

/// Resolves with a configuration file of this text.
fn with_file(text: &str, flags: Flags, vars: &[(&str, &str)], world: World) -> Result<Config, Fault> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, text).unwrap();
    let mut env = Environment::of([("HOME", "/nowhere")]);
    for (name, value) in vars {
        env.set(name, value);
    }
    resolve(&Flags { config: Some(path), ..flags }, &env, world)
}

const FILE: &str = r#"
[aws]
region = "eu-west-1"
profile = "file"
answer_timeout_s = 9
[kubernetes]
context = "from-file"
[environment]
accounts = { "123456789012" = "PROD" }
clusters = { "eks-stage" = "STAGING" }
[slack]
webhook_url = "https://hooks.example.test/file"
[log]
groups = ["/shared"]
[[service]]
name = "my-api"
alarms = ["my-api-*", "api5xx"]
workload = { kind = "deployment", namespace = "payments", name = "my-api" }
log_groups = ["/ecs/my-api"]
links = ["https://runbooks.example.test/my-api"]
[service.metrics.cpu]
namespace = "AWS/ECS"
name = "CPUUtilization"
dimensions = { ClusterName = "prod", ServiceName = "my-api" }
[service.metrics.latency]
namespace = "AWS/ApplicationELB"
name = "TargetResponseTime"
statistic = "p99"
period_s = 300
"#;

#[test]
fn a_service_is_read_whole() {
    let config = with_file(FILE, Flags::default(), &[], World::Real).unwrap();
    let service = claimant(&config.services, &AlarmName::from("my-api-cpu-high")).unwrap();
    assert_eq!(service.metrics[&MetricRole::Cpu].statistic, Statistic::Average);
    assert_eq!(service.metrics[&MetricRole::Latency].statistic, Statistic::Percentile(990));
    assert_eq!(service.metrics[&MetricRole::Latency].period_s, 300);
    assert_eq!(claimant(&config.services, &AlarmName::from("api5xx")).map(|s| s.name.as_str()), Some("my-api"));
    assert_eq!(claimant(&config.services, &AlarmName::from("orders")), None);
    assert_eq!(config.cluster.namespaces, [Namespace::from("payments")], "from the services, when none is named");
}

#[test]
fn flags_win_over_environment_and_environment_over_file() {
    let env = [("AWS_REGION", "us-east-1"), ("SLACK_WEBHOOK_URL", "https://hooks.example.test/env")];
    let by_file = with_file(FILE, Flags::default(), &[], World::Real).unwrap();
    let by_env = with_file(FILE, Flags::default(), &env, World::Real).unwrap();
    let flags = Flags {
        region: Some("ap-south-1".to_owned()),
        context: Some("flag".to_owned()),
        namespaces: vec!["other".to_owned()],
        ..Flags::default()
    };
    let by_flag = with_file(FILE, flags, &env, World::Real).unwrap();
    let region = |config: &Config| config.aws.region.as_ref().map(ToString::to_string).unwrap();
    assert_eq!([region(&by_file), region(&by_env), region(&by_flag)], ["eu-west-1", "us-east-1", "ap-south-1"]);
    let slack = |config: &Config| config.slack.as_ref().unwrap().reveal().to_owned();
    assert!(slack(&by_file).ends_with("file") && slack(&by_env).ends_with("env"));
    let context = |config: &Config| match &config.cluster.source {
        ClusterSource::Kubeconfig { context, .. } => context.as_ref().map(ToString::to_string),
        other => panic!("{other:?}"),
    };
    assert_eq!(context(&by_env).as_deref(), Some("from-file"));
    assert_eq!(context(&by_flag).as_deref(), Some("flag"));
    assert_eq!(by_flag.cluster.namespaces, [Namespace::from("other")]);
    assert_eq!(by_file.aws.timeouts.answer, Duration::from_secs(9));
}

#[test]
fn the_model_follows_the_geography_and_can_be_turned_off() {
    let model = |text: &str, vars: &[(&str, &str)]| {
        with_file(text, Flags::default(), vars, World::Real).unwrap().model.and_then(|model| model.id)
    };
    assert!(model("", &[("AWS_REGION", "ap-northeast-1")]).unwrap().starts_with("apac.anthropic."));
    assert!(model(FILE, &[]).unwrap().starts_with("eu.anthropic."));
    assert!(model("[model]\nregion = \"us-west-2\"", &[("AWS_REGION", "eu-west-1")]).unwrap().starts_with("us."));
    assert_eq!(model("[model]\nid = \"file\"", &[("BEDROCK_MODEL_ID", "env")]).as_deref(), Some("env"));
    assert_eq!(model("[model]\nid = \"none\"", &[]), None);
}

/// A region may stand in the profile alone, which is read when the clients are made: a guess would be refused there.
#[test]
fn without_a_region_the_model_is_left_open() {
    let open = with_file("", Flags::default(), &[], World::Real).unwrap().model.unwrap();
    assert_eq!((open.id, open.region), (None, None));
    assert!(with_file("[model]\nid = \"none\"", Flags::default(), &[], World::Real).unwrap().model.is_none());
}

#[test]
fn the_environment_can_only_restrict() {
    let mode = |asked, word: &'static str| {
        let flags = Flags { mode: asked, ..Flags::default() };
        with_file("", flags, &[("DRY_RUN", word)], World::Real).unwrap().mode
    };
    assert_eq!(mode(Mode::Live, "true"), Mode::DryRun);
    assert_eq!(mode(Mode::Live, "false"), Mode::Live);
    assert_eq!(mode(Mode::DryRun, "false"), Mode::DryRun);
}

#[test]
fn a_rehearsal_takes_nothing_that_reaches_a_real_world() {
    let env = [("SLACK_WEBHOOK_URL", "https://hooks.example.test/env"), ("AWS_ENDPOINT_URL", "http://10.0.0.1")];
    let config = with_file(FILE, Flags::default(), &env, World::Rehearsal).unwrap();
    assert_eq!(config.slack, None);
    assert!(config.model.unwrap().id.unwrap().starts_with("simulated."));
    assert_eq!(config.aws, Aws::default());
    assert_eq!(config.cluster, Cluster::default());
    assert!(config.services.is_empty() && config.log_groups.is_empty() && config.policy.live.is_empty());
}

#[test]
fn keys_and_zone_are_the_persons_also_in_a_rehearsal() {
    let text = "[keys]\nzoom = [\"f2\", \"ctrl-w\"]\nfollow = \"F\"\n";
    let config = with_file(text, Flags::default(), &[("TZ", "UTC")], World::Rehearsal).unwrap();
    assert_eq!(config.keys["zoom"].keys, ["f2", "ctrl-w"]);
    assert_eq!(config.keys["zoom"].line, 2);
    assert_eq!(config.keys["follow"].keys, ["F"], "one needs no list");
    assert_eq!(config.zone.iana_name(), Some("UTC"));
}

#[test]
fn labels_prefer_the_cluster() {
    let labels = with_file(FILE, Flags::default(), &[], World::Real).unwrap().environments;
    let scope = |account: Option<&str>, cluster: Option<&str>| Scope {
        account: account.map(AccountId::from),
        cluster: cluster.map(ClusterName::from),
        ..Scope::default()
    };
    assert_eq!(labels.word(&scope(Some("123456789012"), None)), "PROD");
    assert_eq!(labels.word(&scope(Some("123456789012"), Some("eks-stage"))), "STAGING");
    assert_eq!(labels.word(&scope(Some("999999999999"), None)), "999999999999");
    assert_eq!(labels.word(&scope(None, None)), "ACCOUNT ?");
}

#[test]
fn broken_files_are_usage_faults_that_say_where() {
    for (text, expected) in [
        ("[aws]\nregoin = \"x\"\n", "line 2: unknown field `regoin`"),
        ("[[service]]\nname = \"a\"\n[[service]]\nname = \"a\"\n", "line 4: two [[service]] tables"),
        ("[[service]]\nname = \"a\"\nhealm_release = \"x\"\n", "line 3"),
        ("[service.metrics]\n", "line 1"),
        ("[theme.roles]\nfaint = \"gray\"\ndangr = \"red\"\n", "line 3: unknown field `dangr`"),
        ("[theme.roles]\ndanger = \"redd\"\n", "line 2: unknown variant `redd`"),
        ("[theme.roles]\ndanger = \"magenta\"\n", "line 2: unknown variant `magenta`"),
        ("[theme.roles]\nrehearsal = \"red\"\n", "line 2: unknown variant `red`"),
        ("[poll]\nlogs_s = 0\n", "line 2: poll.logs_s is 0, not a whole number of seconds from 1 to 3600"),
        ("[slack]\nwebhook_url = \"ftp://secret-word\"\n", "line 2: slack.webhook_url is not an https address"),
        ("[evidence]\nminutes = 1\n", "line 2: evidence.minutes is 1, not a whole number of minutes from 5 to 1440"),
        ("[panes]\n\nleft = 5\n", "line 3: panes.left is 5, not a whole number of percent from 10 to 80"),
        ("[aws]\nregion = \"not a region!\"\n", "line 2: aws.region \"not a region!\" is no AWS region"),
    ] {
        let fault = with_file(text, Flags::default(), &[], World::Real).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Usage);
        assert!(fault.to_string().contains(expected), "{fault}");
        assert!(!fault.to_string().contains("secret-word"), "{fault}");
    }
    for (flags, vars) in [
        (Flags { region: Some("us-east-1a".to_owned()), ..Flags::default() }, vec![]),
        (Flags { region: Some(String::new()), ..Flags::default() }, vec![]),
        (Flags::default(), vec![("AWS_REGION", "not a region!")]),
    ] {
        let fault = with_file("", flags, &vars, World::Real).unwrap_err();
        assert!(fault.summary.contains("is no AWS region") && !fault.hints.is_empty(), "{fault}");
    }
    let missing = Flags { config: Some(PathBuf::from("nowhere.toml")), ..Flags::default() };
    let fault = resolve(&missing, &Environment::of([("HOME", "/nowhere")]), World::Real).unwrap_err();
    assert!(fault.summary.contains("nowhere.toml"), "{fault}");
}

#[test]
fn a_screen_needs_a_terminal_on_both_sides() {
    use Stream::{Other, Terminal};
    let with = |output, input, asked| {
        let mut env = Environment::default();
        (env.output, env.input) = (output, input);
        surface(asked, &env)
    };
    assert_eq!(with(Terminal, Terminal, AskedSurface::Natural), Surface::Screen);
    assert_eq!(with(Terminal, Other, AskedSurface::Natural), Surface::Headless(OutputForm::Text));
    assert_eq!(with(Other, Terminal, AskedSurface::Natural), Surface::Headless(OutputForm::Text));
    let json = AskedSurface::Headless(OutputForm::Json);
    assert_eq!(with(Terminal, Terminal, json), Surface::Headless(OutputForm::Json));
    let mut dumb = Environment::of([("TERM", "dumb")]);
    (dumb.output, dumb.input) = (Terminal, Terminal);
    assert_eq!(surface(AskedSurface::Natural, &dumb), Surface::Plain, "it knows no sequences");
}

#[test]
fn logs_are_polled_and_large_windows_counted_unless_a_file_says_otherwise() {
    let usual = with_file("", Flags::default(), &[], World::Real).unwrap().logs;
    assert_eq!((usual.tail, usual.large_windows), (LogTail::Poll, LargeWindows::Insights));
    let file = "[log]\ntail = \"live\"\nlarge_windows = \"truncated\"\n";
    for world in [World::Real, World::Rehearsal] {
        let logs = with_file(file, Flags::default(), &[], world).unwrap().logs;
        assert_eq!((logs.tail, logs.large_windows), (LogTail::Live, LargeWindows::Truncated), "{world:?}");
    }
    assert!(with_file("[log]\ntail = \"always\"\n", Flags::default(), &[], World::Real).is_err());
}

/// The example that ships names every key there is: with its comments taken away it is a whole configuration.
#[test]
fn the_example_names_every_key() {
    let whole = example();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, &whole).unwrap();
    let env = Environment::of([("HOME", "/nowhere")]);
    let config = resolve(&Flags { config: Some(path), ..Flags::default() }, &env, World::Real).unwrap();
    let example: toml::Table = toml::from_str(&whole).unwrap();
    let shown = super::super::shown(&config);
    for (section, keys) in shown.as_object().unwrap().iter().filter(|(section, _)| *section != "service") {
        let Some(keys) = keys.as_object() else { continue };
        for key in keys.keys() {
            assert!(example[section].get(key).is_some(), "{section}.{key} is not in the example");
        }
    }
    assert!(example["service"][0].get("helm_release").is_some());
}

/// The example that ships, its comments taken away.
pub(crate) fn example() -> String {
    let text = include_str!("../../../assets/config/config.toml");
    let uncommented = |line: &str| match line.strip_prefix("# ") {
        Some(rest) if rest.starts_with('[') || rest.split_once(" = ").is_some_and(|(key, _)| is_key(key)) => {
            rest.to_owned()
        }
        _ => line.to_owned(),
    };
    text.lines().map(uncommented).collect::<Vec<_>>().join("\n")
}

fn is_key(text: &str) -> bool {
    text.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_')
}
