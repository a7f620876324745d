//! The shape of `config.toml`. Every field may be missing, none may be unknown.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::key_list::KeyList;
use super::service::ServiceTable;
use super::{Call, CallBy, EnvironmentColour, Hyperlinks, Keyboard, Link, Markers, RoleColours, Theme};

/// The whole file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ConfigFile {
    pub(super) aws: AwsTable,
    pub(super) kubernetes: KubernetesTable,
    pub(super) model: ModelTable,
    pub(super) slack: SlackTable,
    pub(super) log: LogTable,
    pub(super) evidence: EvidenceTable,
    pub(super) poll: PollTable,
    pub(super) environment: EnvironmentTable,
    pub(super) screen: ScreenTable,
    pub(super) theme: ThemeTable,
    pub(super) panes: PanesTable,
    pub(super) notify: NotifyTable,
    pub(super) keys: BTreeMap<String, KeyList>,
    pub(super) service: Vec<ServiceTable>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AwsTable {
    pub(super) profile: Option<String>,
    pub(super) region: Option<String>,
    pub(super) endpoint_url: Option<String>,
    pub(super) connect_timeout_s: Option<u32>,
    pub(super) answer_timeout_s: Option<u32>,
}

/// Where the cluster is looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SourceWord {
    /// A kubeconfig if there is one, else the pod's own account if we run in one.
    #[default]
    Auto,
    Kubeconfig,
    InCluster,
    Off,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct KubernetesTable {
    pub(super) source: SourceWord,
    pub(super) kubeconfig: Option<PathBuf>,
    pub(super) context: Option<String>,
    pub(super) namespaces: Vec<String>,
    pub(super) connect_timeout_s: Option<u32>,
    pub(super) answer_timeout_s: Option<u32>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ModelTable {
    pub(super) id: Option<String>,
    pub(super) region: Option<String>,
    pub(super) max_tokens: Option<u32>,
    pub(super) connect_timeout_s: Option<u32>,
    pub(super) first_byte_timeout_s: Option<u32>,
    pub(super) idle_timeout_s: Option<u32>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SlackTable {
    pub(super) webhook_url: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LogTable {
    pub(super) groups: Vec<String>,
    pub(super) tail: TailWord,
    pub(super) large_windows: LargeWindowsWord,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum LargeWindowsWord {
    #[default]
    Insights,
    Truncated,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum TailWord {
    #[default]
    Poll,
    Live,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct EvidenceTable {
    pub(super) minutes: Option<u32>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_field_names, reason = "the keys of the file name their unit")]
pub(super) struct PollTable {
    pub(super) alarms_s: Option<u32>,
    pub(super) metrics_s: Option<u32>,
    pub(super) logs_s: Option<u32>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct EnvironmentTable {
    pub(super) accounts: BTreeMap<String, String>,
    pub(super) clusters: BTreeMap<String, String>,
    pub(super) colours: BTreeMap<String, EnvironmentColour>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ThemeTable {
    pub(super) roles: RoleColours,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PanesTable {
    pub(super) left: Option<u32>,
    pub(super) alarms: Option<u32>,
    pub(super) metrics: Option<u32>,
    pub(super) band: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct NotifyTable {
    pub(super) when: Option<Call>,
    pub(super) by: Option<CallBy>,
    pub(super) alarm: Option<Call>,
    pub(super) diagnosis: Option<Call>,
    pub(super) step: Option<Call>,
    pub(super) verification: Option<Call>,
    pub(super) credentials: Option<Call>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ColoursWord {
    Full,
    Mono,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum GlyphsWord {
    Unicode,
    Ascii,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ScreenTable {
    pub(super) colours: Option<ColoursWord>,
    pub(super) glyphs: Option<GlyphsWord>,
    pub(super) theme: Option<Theme>,
    pub(super) markers: Option<Markers>,
    pub(super) keyboard: Option<Keyboard>,
    pub(super) link: Option<Link>,
    pub(super) hyperlinks: Option<Hyperlinks>,
}
