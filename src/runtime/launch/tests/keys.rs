//! Every key of the configuration file reaches what a session is made of: one that is accepted, shown and examined but not
//! used would show in an incident.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::*;
use crate::config::example;
use crate::runtime::access;
use crate::runtime::bell::Bell;
use crate::runtime::options::options;
use crate::runtime::terminal::{Pacing, ScreenOptions};

/// Each key of the example, but those of a service, with a value that is not the usual one.
const KEYS: [(&str, &str, &str); 47] = [
    ("aws", "profile", "'oncall'"),
    ("aws", "region", "'eu-south-1'"),
    ("aws", "endpoint_url", "'http://127.0.0.1:4566'"),
    ("aws", "connect_timeout_s", "11"),
    ("aws", "answer_timeout_s", "12"),
    ("kubernetes", "source", "'in-cluster'"),
    ("kubernetes", "kubeconfig", "'/etc/kubeconfig'"),
    ("kubernetes", "context", "'eks-prod'"),
    ("kubernetes", "namespaces", "['payments']"),
    ("kubernetes", "connect_timeout_s", "13"),
    ("kubernetes", "answer_timeout_s", "14"),
    ("model", "id", "'some.model'"),
    ("model", "region", "'eu-central-1'"),
    ("model", "max_tokens", "8192"),
    ("model", "connect_timeout_s", "15"),
    ("model", "first_byte_timeout_s", "16"),
    ("model", "idle_timeout_s", "17"),
    ("evidence", "minutes", "45"),
    ("log", "groups", "['/ecs/shared']"),
    ("log", "tail", "'live'"),
    ("log", "large_windows", "'truncated'"),
    ("poll", "alarms_s", "5"),
    ("poll", "metrics_s", "31"),
    ("poll", "logs_s", "3"),
    ("environment", "accounts", "{ '123456789012' = 'PROD' }"),
    ("environment", "clusters", "{ 'eks-stage' = 'STAGING' }"),
    ("environment", "colours", "{ 'PROD' = 'loud' }"),
    ("screen", "colours", "'mono'"),
    ("screen", "glyphs", "'ascii'"),
    ("screen", "theme", "'light'"),
    ("screen", "markers", "'block'"),
    ("screen", "keyboard", "'legacy'"),
    ("screen", "link", "'slow'"),
    ("screen", "hyperlinks", "'on'"),
    ("theme", "roles", "{ danger = 'light-red' }"),
    ("panes", "left", "37"),
    ("panes", "alarms", "41"),
    ("panes", "metrics", "46"),
    ("panes", "band", "26"),
    ("notify", "when", "'never'"),
    ("notify", "by", "'bell'"),
    ("notify", "alarm", "'always'"),
    ("notify", "diagnosis", "'always'"),
    ("notify", "step", "'always'"),
    ("notify", "verification", "'always'"),
    ("notify", "credentials", "'always'"),
    ("keys", "zoom", "['f2']"),
];

fn configured(home: &Path, text: &str) -> Config {
    let path = home.join("config.toml");
    std::fs::write(&path, text).unwrap();
    let env = Environment::of([("HOME", home.to_str().unwrap()), ("LANG", "C.UTF-8")]);
    resolve(&Flags { config: Some(path), ..Flags::default() }, &env, Where::Real).unwrap()
}

/// All that a session and its screen are made of, as text.
fn made_of(config: &Config) -> String {
    let world = real_world(config).unwrap();
    let header = header(config, &world, SessionId::from("a-test"));
    let header = Header { wall_started_at: Timestamp::UNIX_EPOCH, ..header };
    let screen = (options(config).unwrap(), ScreenOptions::from(config), Pacing::of(config.screen.link));
    format!("{:?} {:?} {header:?} {screen:?} {:?}", world.outside, world.services, Bell::of(config.notices))
}

#[test]
fn every_key_reaches_what_a_session_is_made_of() {
    let home = tempfile::tempdir().unwrap();
    let usual = made_of(&configured(home.path(), ""));
    for (table, key, value) in KEYS {
        let given = made_of(&configured(home.path(), &format!("[{table}]\n{key} = {value}\n")));
        assert!(given != usual, "{table}.{key} = {value} changes nothing in a session");
    }
    let tried: BTreeSet<(String, String)> =
        KEYS.iter().map(|&(table, key, _)| (table.to_owned(), key.to_owned())).collect();
    let named: toml::Table = toml::from_str(&example()).unwrap();
    for (table, keys) in named.iter().filter(|(table, _)| *table != "service") {
        for key in keys.as_table().unwrap().keys() {
            assert!(tried.contains(&(table.clone(), key.clone())), "{table}.{key} of the example is not tried");
        }
    }
}

/// What differs of the model and of the cluster, key by key: that something differs says not yet that it is the right thing.
#[test]
fn the_settings_of_model_and_cluster_are_those_of_their_keys() {
    let home = tempfile::tempdir().unwrap();
    let text: String = KEYS.iter().fold(String::new(), |text, (table, key, value)| match *table {
        "aws" | "kubernetes" | "model" if *key != "source" => format!("{text}{table}.{key} = {value}\n"),
        _ => text,
    });
    let config = configured(home.path(), &text);
    let outside = real_world(&config).unwrap().outside;
    let seconds = |time: std::time::Duration| time.as_secs();
    let (model, cluster, aws) = (outside.model_times, outside.cluster_times, access::aws(&config));
    assert_eq!((seconds(model.first_byte), seconds(model.idle), outside.max_tokens), (16, 17, 8_192));
    assert_eq!((seconds(cluster.connect), seconds(cluster.answer)), (13, 14));
    assert_eq!((seconds(aws.timeouts.connect), seconds(aws.timeouts.first_byte)), (11, 12));
    assert_eq!(aws.model.region.as_ref().map(ToString::to_string).as_deref(), Some("eu-central-1"));
    assert_eq!(aws.model.connect.map(seconds), Some(15));
}
