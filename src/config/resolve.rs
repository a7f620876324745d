//! The layering: flags over environment over file over defaults, and the checks no single layer can make.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::SignedDuration;

use super::file::{ConfigFile, KubernetesTable, LargeWindowsWord, ModelTable, SourceWord, TailWord};
use super::key_list::KeyList;
use super::lint::Read;
use super::paths::Named;
use super::places::Places;
use super::{
    AskedSurface, Aws, Cluster, ClusterSource, Config, ConfiguredService, Environment, Environments, Flags,
    LargeWindows, LogReading, LogTail, MAX_TOKENS, Model, OutputForm, OwnKeys, Paths, Poll, ProfileBy, Secret, Source,
    Stream, Surface, Timeouts, World, lint, policy, screen, sense,
};
use crate::domain::diagnosis::inference_profile::usual_model;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::log::LogGroup;
use crate::domain::observation::scope::{KubeContext, Namespace, Region};
use crate::domain::remediation::request::Mode;

/// The word that turns the model off.
const NO_MODEL: &str = "none";
/// The name of the simulated model, so that nobody takes its text for that of a real one.
const SIMULATED_MODEL: &str = "simulated.rules-v1";
/// How far back evidence looks, where nothing is said.
const MINUTES: u32 = 30;

/// Resolves everything once. Fails on a file that is broken or was named and is not there.
pub fn resolve(flags: &Flags, env: &Environment, world: World) -> Result<Config, Fault> {
    let paths = Paths::resolve(flags.config.as_deref(), env)?;
    let Read { shape: file, places } = read_file(&paths)?;
    if let Some(fault) = places.fault(sense::problems(&file), "config check") {
        return Err(fault);
    }
    assemble(flags, env, world, paths, &Read { shape: file, places })
}

/// As if there were no configuration: for what needs none, where the one there is cannot be read.
pub fn resolve_without_file(flags: &Flags, env: &Environment, world: World) -> Result<Config, Fault> {
    let paths = Paths::resolve(flags.config.as_deref(), env)?;
    assemble(flags, env, world, paths, &Read { shape: ConfigFile::default(), places: Places::default() })
}

fn assemble(
    flags: &Flags,
    env: &Environment,
    world: World,
    paths: Paths,
    written: &Read<ConfigFile>,
) -> Result<Config, Fault> {
    let file = &written.shape;
    let real = real_side(flags, env, file, &paths, world)?;
    Ok(Config {
        mode: mode(flags.mode, env),
        window: SignedDuration::from_mins(i64::from(flags.minutes.or(file.evidence.minutes).unwrap_or(MINUTES))),
        poll: poll(file),
        logs: log_reading(file),
        surface: surface(flags.surface, env),
        screen: screen::resolve(flags, env, file.screen),
        roles: file.theme.roles,
        panes: screen::panes(&file.panes),
        notices: screen::notices(file.notify),
        source: Source { flags: flags.clone(), env: env.clone(), world },
        keys: own_keys(written),
        zone: env.zone(),
        limit: flags.limit,
        record: flags.record.clone(),
        focus: flags.focus.clone(),
        log_filter: env.get("PAGERDECK_LOG").unwrap_or("warn,pagerdeck=info").to_owned(),
        aws: real.aws,
        cluster: real.cluster,
        model: real.model,
        slack: real.slack,
        services: real.services,
        log_groups: real.log_groups,
        policy: real.policy,
        environments: real.environments,
        paths,
    })
}

fn own_keys(written: &Read<ConfigFile>) -> BTreeMap<String, OwnKeys> {
    let own = |(action, keys): (&String, &KeyList)| {
        let line = written.places.line(&["keys".to_owned(), action.clone()]).unwrap_or_default();
        (action.clone(), OwnKeys { keys: keys.0.clone(), line })
    };
    written.shape.keys.iter().map(own).collect()
}

fn log_reading(file: &ConfigFile) -> LogReading {
    LogReading {
        tail: match file.log.tail {
            TailWord::Poll => LogTail::Poll,
            TailWord::Live => LogTail::Live,
        },
        large_windows: match file.log.large_windows {
            LargeWindowsWord::Insights => LargeWindows::Insights,
            LargeWindowsWord::Truncated => LargeWindows::Truncated,
        },
    }
}

/// What reaches a real world; in a rehearsal nothing but a simulated model.
#[derive(Default)]
struct RealSide {
    aws: Aws,
    cluster: Cluster,
    model: Option<Model>,
    slack: Option<Secret>,
    services: Vec<ConfiguredService>,
    log_groups: Vec<LogGroup>,
    policy: crate::domain::remediation::policy::Policy,
    environments: Environments,
}

fn real_side(
    flags: &Flags,
    env: &Environment,
    file: &ConfigFile,
    paths: &Paths,
    world: World,
) -> Result<RealSide, Fault> {
    if world == World::Rehearsal {
        let model = ModelTable { id: Some(SIMULATED_MODEL.to_owned()), ..ModelTable::default() };
        return Ok(RealSide { model: self::model(&Environment::default(), &model, None), ..RealSide::default() });
    }
    let services: Vec<ConfiguredService> = file.service.iter().cloned().map(ConfiguredService::from).collect();
    let aws = aws(flags, env, file)?;
    let groups = flags.log_groups.iter().chain(&file.log.groups);
    Ok(RealSide {
        cluster: cluster(flags, env, &file.kubernetes, &services),
        model: model(env, &file.model, aws.region.as_ref()),
        slack: slack(env, file)?,
        log_groups: groups.map(|group| LogGroup::new(group.clone())).collect(),
        policy: policy::read(paths)?.unwrap_or_default(),
        environments: Environments {
            accounts: file.environment.accounts.clone(),
            clusters: file.environment.clusters.clone(),
            colours: file.environment.colours.clone(),
        },
        services,
        aws,
    })
}

fn read_file(paths: &Paths) -> Result<Read<ConfigFile>, Fault> {
    match (lint::read(&paths.config)?, paths.config_named) {
        (Some(read), _) => Ok(read),
        (None, Named::Usual) => Ok(Read { shape: ConfigFile::default(), places: Places::default() }),
        (None, Named::ByPerson) => {
            Err(Fault::new(FaultKind::Usage, format!("There is no file {}.", paths.config.display()))
                .hint("Check --config or PAGERDECK_CONFIG; without either, defaults are used."))
        }
    }
}

fn mode(asked: Mode, env: &Environment) -> Mode {
    if env.restricts() { Mode::DryRun } else { asked }
}

fn surface(asked: AskedSurface, env: &Environment) -> Surface {
    match (asked, env.output, env.input) {
        (AskedSurface::Headless(form), _, _) => Surface::Headless(form),
        (AskedSurface::Plain, Stream::Terminal, Stream::Terminal) => Surface::Plain,
        // One that knows no sequences would show them as text.
        (AskedSurface::Natural, Stream::Terminal, Stream::Terminal) if env.get("TERM") == Some("dumb") => {
            Surface::Plain
        }
        // Keys come from standard input: without a terminal there, a screen could be looked at but not left.
        (AskedSurface::Natural, Stream::Terminal, Stream::Terminal) => Surface::Screen,
        (AskedSurface::Natural | AskedSurface::Plain, _, _) => Surface::Headless(OutputForm::Text),
    }
}

fn aws(flags: &Flags, env: &Environment, file: &ConfigFile) -> Result<Aws, Fault> {
    let env_region = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(|name| Some((name, env.get(name)?)));
    let named = flags.region.as_deref().map(|region| ("--region", region)).or(env_region);
    if let Some((by, region)) = named.filter(|(_, region)| !sense::is_region(region)) {
        return Err(Fault::new(FaultKind::Usage, format!("{by} {region:?} is no AWS region.")).hint(sense::REGION_HINT));
    }
    let region = named.map(|(_, region)| region).or(file.aws.region.as_deref());
    // An endpoint set in code would win over the SDK's per-service variables, so it is left to the SDK where there are any.
    let env_endpoint = env.get("AWS_ENDPOINT_URL").filter(|_| !env.any_with_prefix("AWS_ENDPOINT_URL_"));
    let named_by_env = env.get("AWS_PROFILE").filter(|_| flags.profile.is_none());
    let profile = flags.profile.as_deref().or(named_by_env).or(file.aws.profile.as_deref());
    Ok(Aws {
        profile: profile.map(str::to_owned),
        profile_by: if named_by_env.is_some() { ProfileBy::Environment } else { ProfileBy::Choice },
        region: region.map(Region::from),
        ca_bundle: env.get("AWS_CA_BUNDLE").map(PathBuf::from),
        endpoint: env_endpoint.or(file.aws.endpoint_url.as_deref()).map(str::to_owned),
        timeouts: timeouts(file.aws.connect_timeout_s, file.aws.answer_timeout_s, None),
    })
}

fn timeouts(connect: Option<u32>, answer: Option<u32>, idle: Option<u32>) -> Timeouts {
    let seconds =
        |given: Option<u32>, usual: Duration| given.map_or(usual, |seconds| Duration::from_secs(u64::from(seconds)));
    let usual = Timeouts::default();
    Timeouts {
        connect: seconds(connect, usual.connect),
        answer: seconds(answer, usual.answer),
        idle: seconds(idle, usual.idle),
    }
}

fn cluster(flags: &Flags, env: &Environment, file: &KubernetesTable, services: &[ConfiguredService]) -> Cluster {
    let listed = [&flags.namespaces, &file.namespaces].into_iter().find(|list| !list.is_empty());
    let of_services = services.iter().filter_map(|configured| configured.service.workload.as_ref());
    let unique: BTreeSet<Namespace> = of_services.map(|workload| workload.namespace.clone()).collect();
    let namespaces = listed.map_or_else(
        || unique.into_iter().collect(),
        |list| list.iter().map(|text| Namespace::new(text.clone())).collect(),
    );
    let timeouts = timeouts(file.connect_timeout_s, file.answer_timeout_s, None);
    let list = env.get("KUBECONFIG").unwrap_or_default();
    let kubeconfigs = list.split(':').filter(|path| !path.is_empty()).map(PathBuf::from).collect();
    let no_proxy = ["NO_PROXY", "no_proxy"].into_iter().find_map(|name| env.get(name)).unwrap_or_default().to_owned();
    Cluster { source: source(flags, env, file), namespaces, timeouts, kubeconfigs, no_proxy }
}

fn source(flags: &Flags, env: &Environment, file: &KubernetesTable) -> ClusterSource {
    let context = flags.context.as_deref().or(file.context.as_deref()).map(KubeContext::from);
    let path = file.kubeconfig.as_ref().map(|path| from_home(path, env));
    let kubeconfig = ClusterSource::Kubeconfig { path, context: context.clone() };
    match file.source {
        SourceWord::Kubeconfig => kubeconfig,
        SourceWord::InCluster => ClusterSource::InCluster,
        SourceWord::Off => ClusterSource::Off { why: "kubernetes.source is off in the configuration".to_owned() },
        SourceWord::Auto => {
            let usual = env.get("HOME").map(|home| Path::new(home).join(".kube").join("config"));
            let asked = context.is_some() || file.kubeconfig.is_some() || env.get("KUBECONFIG").is_some();
            if asked || usual.is_some_and(|path: PathBuf| path.exists()) {
                kubeconfig
            } else if env.get("KUBERNETES_SERVICE_HOST").is_some() {
                ClusterSource::InCluster
            } else {
                ClusterSource::Off { why: "there is no kubeconfig; set KUBECONFIG or --context".to_owned() }
            }
        }
    }
}

/// A path that begins with `~/`, as a shell reads it.
fn from_home(path: &Path, env: &Environment) -> PathBuf {
    match (path.strip_prefix("~"), env.get("HOME")) {
        (Ok(rest), Some(home)) => Path::new(home).join(rest),
        (Ok(_), None) | (Err(_), _) => path.to_owned(),
    }
}

fn model(env: &Environment, file: &ModelTable, region: Option<&Region>) -> Option<Model> {
    let asked_in = file.region.as_deref().map(Region::from);
    let named = env.get("BEDROCK_MODEL_ID").or(file.id.as_deref()).map(str::to_owned);
    // A region that only the profile names is known once there are clients: until then no model can be said to be usual.
    let id = named.or_else(|| asked_in.as_ref().or(region).map(usual_model));
    let usual = Some(60);
    (id.as_deref() != Some(NO_MODEL)).then(|| Model {
        id,
        region: asked_in,
        max_tokens: file.max_tokens.unwrap_or(MAX_TOKENS),
        timeouts: timeouts(file.connect_timeout_s, file.first_byte_timeout_s.or(usual), file.idle_timeout_s),
    })
}

fn slack(env: &Environment, file: &ConfigFile) -> Result<Option<Secret>, Fault> {
    let of_file = file.slack.webhook_url.as_deref().filter(|url| !url.is_empty());
    match env.get("SLACK_WEBHOOK_URL") {
        Some(url) if sense::is_webhook(url) => Ok(Some(Secret::new(url))),
        // The address itself is a secret and stays out of the message.
        Some(_) => {
            Err(Fault::new(FaultKind::Usage, "SLACK_WEBHOOK_URL is not an https address.").hint(sense::WEBHOOK_HINT))
        }
        None => Ok(of_file.map(Secret::new)),
    }
}

fn poll(file: &ConfigFile) -> Poll {
    let usual = Poll::default();
    let every = |given: Option<u32>, usual: SignedDuration| {
        given.map_or(usual, |seconds| SignedDuration::from_secs(i64::from(seconds)))
    };
    Poll {
        alarms: every(file.poll.alarms_s, usual.alarms),
        metrics: every(file.poll.metrics_s, usual.metrics),
        logs: every(file.poll.logs_s, usual.logs),
    }
}

#[cfg(test)]
pub(super) mod tests;
