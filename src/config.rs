//! Flags, environment, files and defaults laid over one another into one [`Config`], resolved before the terminal opens.
//! The only module that reads the environment. Touches no network and no screen.

mod environment;
mod file;
mod key_list;
mod lint;
mod paths;
mod places;
mod policy;
mod resolve;
mod roles;
mod screen;
mod secret;
mod sense;
mod service;
mod show;
mod wording;

use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;

use crate::domain::fault::Fault;
use crate::domain::observation::log::LogGroup;
use crate::domain::observation::scope::{KubeContext, Namespace, Region, Scope};
use crate::domain::remediation::policy::Policy;
use crate::domain::remediation::request::Mode;

pub use environment::{Environment, Stream, begin_again};
pub use paths::{Named, Paths};
pub use policy::read as read_policy;
#[cfg(test)]
pub(crate) use resolve::tests::example;
pub use resolve::{resolve, resolve_without_file};
pub use roles::{NamedColour, RehearsalColour, RoleColours};
pub use screen::{Call, CallBy, EnvironmentColour, Hyperlinks, Keyboard, Markers, Notices, Panes, Theme};
pub use secret::Secret;
pub use service::{ConfiguredService, claimant};
pub use show::shown;

/// What a command line says, as far as it reaches the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--live`, else dry-run.
    pub mode: Mode,
    /// `--config FILE`.
    pub config: Option<PathBuf>,
    /// `--profile NAME`.
    pub profile: Option<String>,
    /// `--region NAME`.
    pub region: Option<String>,
    /// `--context NAME`.
    pub context: Option<String>,
    /// `--namespace NAME`, repeatable.
    pub namespaces: Vec<String>,
    /// `--log-group NAME`, repeatable.
    pub log_groups: Vec<String>,
    /// `--minutes N`: how far back evidence is read.
    pub minutes: Option<u32>,
    /// `--headless`, or `--output` in any form.
    pub surface: AskedSurface,
    /// `--mono`.
    pub colours: Option<Colours>,
    /// `--theme NAME`.
    pub theme: Option<Theme>,
    /// `--markers NAME`.
    pub markers: Option<Markers>,
    /// `--slow-link`.
    pub link: Option<Link>,
    /// `--ascii`.
    pub glyphs: Option<Glyphs>,
    /// `--record FILE`.
    pub record: Option<PathBuf>,
    /// `--for SECONDS`.
    pub limit: Option<SignedDuration>,
    /// `[ALARM]`.
    pub focus: Option<String>,
}

/// What the command line says about the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AskedSurface {
    /// Nothing: a terminal gets the screen, anything else the text.
    #[default]
    Natural,
    /// The cockpit as lines, for screen readers.
    Plain,
    /// No screen, in this form.
    Headless(OutputForm),
}

/// Which world a command is about. A rehearsal takes nothing from the configuration that could reach a real one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World {
    /// The AWS account, cluster and Slack of the configuration.
    Real,
    /// A simulated cloud: no endpoint, cluster, service, policy or webhook of the configuration is used.
    Rehearsal,
}

/// Everything a run needs to know, fixed before it starts.
#[derive(Clone, Debug)]
pub struct Config {
    /// Dry-run or live, after `DRY_RUN` had its say.
    pub mode: Mode,
    /// The AWS side.
    pub aws: Aws,
    /// The cluster side.
    pub cluster: Cluster,
    /// The model asked for the narrative; `None` turns the model off.
    pub model: Option<Model>,
    /// The Slack incoming webhook; `None` when there is none.
    pub slack: Option<Secret>,
    /// Services of the configuration with the alarms they claim.
    pub services: Vec<ConfiguredService>,
    /// Log groups that are read whatever the service.
    pub log_groups: Vec<LogGroup>,
    /// How logs are read.
    pub logs: LogReading,
    /// How far back evidence is read.
    pub window: SignedDuration,
    /// How often the feeds ask.
    pub poll: Poll,
    /// The policy in force.
    pub policy: Policy,
    /// Words for accounts and clusters, and their colours.
    pub environments: Environments,
    /// When the person is called.
    pub notices: Notices,
    /// Colours by role.
    pub roles: RoleColours,
    /// Sizes of panes.
    pub panes: Panes,
    /// How to read all this again.
    pub source: Source,
    /// Files and folders.
    pub paths: Paths,
    /// Screen or text.
    pub surface: Surface,
    /// How the screen looks.
    pub screen: Screen,
    /// Keys by action id, in place of the usual ones; the cockpit checks the ids and refuses to move an approval's keys.
    pub keys: std::collections::BTreeMap<String, OwnKeys>,
    /// The person's time zone, for clocks that are asked to be local.
    pub zone: jiff::tz::TimeZone,
    /// The file that the screen is recorded to.
    pub record: Option<PathBuf>,
    /// After how long a run without a screen ends by itself.
    pub limit: Option<SignedDuration>,
    /// The alarm to go straight to, by name or ARN.
    pub focus: Option<String>,
    /// The filter of our own log file, as `tracing` reads it.
    pub log_filter: String,
}

/// Keys of the person's own for an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnKeys {
    /// As written.
    pub keys: Vec<String>,
    /// The line of the configuration.
    pub line: usize,
}

/// The AWS side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aws {
    /// A profile; `None` for the default chain.
    pub profile: Option<String>,
    /// Who named it.
    pub profile_by: ProfileBy,
    /// The region; `None` leaves it to the profile.
    pub region: Option<Region>,
    /// `AWS_CA_BUNDLE`: authorities in place of the system's.
    pub ca_bundle: Option<PathBuf>,
    /// One endpoint for every AWS service; `None` for the real ones.
    pub endpoint: Option<String>,
    /// Time-outs of calls that answer at once.
    pub timeouts: Timeouts,
}

/// Who named a profile. One that was chosen wins over keys in the environment; beside them `AWS_PROFILE` is the lesser, as in
/// every AWS program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProfileBy {
    /// `--profile` or the configuration.
    #[default]
    Choice,
    /// The variable `AWS_PROFILE`.
    Environment,
}

/// The cluster side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cluster {
    /// Where the cluster is found.
    pub source: ClusterSource,
    /// Namespaces to watch; empty for the one of the context.
    pub namespaces: Vec<Namespace>,
    /// Time-outs of calls that answer at once.
    pub timeouts: Timeouts,
    /// The files that `KUBECONFIG` lists.
    pub kubeconfigs: Vec<PathBuf>,
    /// `NO_PROXY`: servers that are asked without a proxy.
    pub no_proxy: String,
}

/// Where the cluster is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClusterSource {
    /// A kubeconfig.
    Kubeconfig {
        /// The file; `None` for `KUBECONFIG` or the usual place.
        path: Option<PathBuf>,
        /// The context; `None` for the current one.
        context: Option<KubeContext>,
    },
    /// The service account of the pod we run in.
    InCluster,
    /// There is none.
    Off {
        /// Why, for the panel.
        why: String,
    },
}

impl Default for ClusterSource {
    fn default() -> Self {
        Self::Kubeconfig { path: None, context: None }
    }
}

/// Most tokens of an answer, where nothing is configured: the narrative is a page, and the structured answer follows it.
pub const MAX_TOKENS: u32 = 4_096;

/// The model and our patience with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// A model id or inference profile; `None` for the usual one of the region, where the region is not known yet.
    pub id: Option<String>,
    /// The region it is asked in; `None` for that of the AWS side.
    pub region: Option<Region>,
    /// Most tokens of one answer.
    pub max_tokens: u32,
    /// Connect and first byte, and the longest silence in the stream.
    pub timeouts: Timeouts,
}

/// How long a call may take before it counts as failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the connection stands.
    pub connect: Duration,
    /// Until the answer begins; for calls that answer at once, until it is whole.
    pub answer: Duration,
    /// The longest silence inside a stream.
    pub idle: Duration,
}

impl Default for Timeouts {
    /// Those of the adapters, which know why.
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), answer: Duration::from_secs(15), idle: Duration::from_mins(1) }
    }
}

/// How often the feeds ask. CloudWatch metrics are minute data: asking faster buys nothing and costs money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poll {
    /// `DescribeAlarms`.
    pub alarms: SignedDuration,
    /// `GetMetricData`.
    pub metrics: SignedDuration,
    /// `FilterLogEvents`.
    pub logs: SignedDuration,
}

/// How logs are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogReading {
    /// How the lines of followed groups come.
    pub tail: LogTail,
    /// How a window is counted that is too large to read.
    pub large_windows: LargeWindows,
}

/// How a window of logs is counted that has more lines than can be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LargeWindows {
    /// By Logs Insights, which AWS charges by the data scanned.
    #[default]
    Insights,
    /// Not at all: the count is that of the lines that were read, and says so.
    Truncated,
}

/// How the lines of followed log groups come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogTail {
    /// By asking every few seconds, which costs nothing.
    #[default]
    Poll,
    /// By Live Tail, which AWS charges by the minute and group, with polls for what is counted.
    Live,
}

impl Default for Poll {
    fn default() -> Self {
        let every = SignedDuration::from_secs;
        Self { alarms: every(4), metrics: every(30), logs: every(2) }
    }
}

/// What a configuration was made of, so that it can be read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    flags: Flags,
    env: Environment,
    world: World,
}

/// Words for line 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environments {
    /// By account number.
    pub accounts: std::collections::BTreeMap<String, String>,
    /// By cluster name; these win.
    pub clusters: std::collections::BTreeMap<String, String>,
    /// How a word is shown; one without a colour by what it seems to mean.
    pub colours: std::collections::BTreeMap<String, EnvironmentColour>,
}

impl Environments {
    /// The word for a scope: that of its cluster, else of its account, else the account itself.
    pub fn word(&self, scope: &Scope) -> String {
        let fallback = || scope.account.as_ref().map_or_else(|| "ACCOUNT ?".to_owned(), ToString::to_string);
        self.configured(scope).unwrap_or_else(fallback)
    }

    /// The word that the configuration has for a scope, or the account once it is known.
    pub fn configured(&self, scope: &Scope) -> Option<String> {
        let cluster = scope.cluster.as_ref().and_then(|cluster| self.clusters.get(cluster.as_str()));
        let account = || scope.account.as_ref().and_then(|account| self.accounts.get(account.as_str()));
        cluster.or_else(account).cloned().or_else(|| scope.account.as_ref().map(ToString::to_string))
    }
}

/// Where the story goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// The cockpit.
    Screen,
    /// The cockpit as lines: no alternate screen, commands as words.
    Plain,
    /// Standard output, without a screen.
    Headless(OutputForm),
}

/// The form of the story on standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputForm {
    /// Lines for a person.
    #[default]
    Text,
    /// One JSON object at the end.
    Json,
    /// One record a line.
    Jsonl,
}

/// How the screen looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen {
    /// Colours or none.
    pub colours: Colours,
    /// Which colours.
    pub theme: Theme,
    /// Signs beyond ASCII or none.
    pub glyphs: Glyphs,
    /// What curves are drawn with.
    pub markers: Markers,
    /// Whether the keyboard may be asked to tell more.
    pub keyboard: Keyboard,
    /// The terminal multiplexer between us and the person.
    pub multiplexer: Multiplexer,
    /// How fast the way to the person is.
    pub link: Link,
    /// Whether addresses are told to the terminal as links.
    pub hyperlinks: Hyperlinks,
}

/// Colours or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// The sixteen names, so that the person's palette rules.
    Full,
    /// Bold, reverse and underline only.
    Mono,
}

/// Signs beyond ASCII or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyphs {
    /// The locale is UTF-8.
    Unicode,
    /// It is not, or `--ascii`.
    Ascii,
}

/// The multiplexer around us: its passthrough differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Multiplexer {
    /// None that we know of.
    None,
    /// tmux.
    Tmux,
    /// GNU screen.
    Screen,
}

/// How fast the way to the person is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// The same machine.
    Local,
    /// Over SSH: fewer frames.
    Remote,
    /// A bad line: few frames, and at most 8 KiB a second.
    Slow,
}

impl Config {
    /// The same configuration, read again from its files.
    pub fn read_again(&self) -> Result<Self, Fault> {
        resolve(&self.source.flags, &self.source.env, self.source.world)
    }
}
