//! The SDK clients: built once from values, with our time-outs and without the SDK's retries, but one for the clock.
//!
//! A rehearsal's clients carry made-up credentials and refuse every endpoint that is not on loopback.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use aws_config::{AppName, BehaviorVersion, SdkConfig};
use aws_sdk_sts::config::{Credentials, ProvideCredentials, SharedCredentialsProvider, StalledStreamProtectionConfig};
use aws_smithy_http_client::tls;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use jiff::Timestamp;

use super::call::{CallError, Step};
use super::clock::AwsClock;
use super::insights::Farewells;
use crate::adapters::budget::{Budget, Family};
use crate::adapters::names::Names;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::scope::{AccountId, Region};

mod authorities;
mod profile;
mod repeat;

use repeat::RefusedForItsTime;

/// How long the provider of the credentials may take. It is asked past the SDK's cache, and so past its time-out; a
/// program that makes them may wait for a touch or a browser.
const CREDENTIALS_WITHIN: Duration = Duration::from_secs(10);

/// How long a call may take. The model has time-outs of its own, since its answers stream for minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallTimeouts {
    /// Until the connection stands, TLS included.
    pub connect: Duration,
    /// From the request sent to the first byte of the answer.
    pub first_byte: Duration,
    /// The whole attempt.
    pub attempt: Duration,
    /// How long an answer may trickle below one byte a second before it counts as stalled.
    pub stalled: Duration,
}

impl Default for CallTimeouts {
    /// 5 s, 15 s, 30 s, 10 s: a bastion far away takes seconds to connect, a page of 10,000 log events takes a few seconds, and a person waits for it.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(15),
            attempt: Duration::from_secs(30),
            stalled: Duration::from_secs(10),
        }
    }
}

/// Endpoints that replace those of AWS. What is not set here is left to the SDK's own settings and environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// For every service that has none of its own below.
    pub all: Option<String>,
    /// For CloudWatch.
    pub cloudwatch: Option<String>,
    /// For CloudWatch Logs.
    pub logs: Option<String>,
    /// For the Bedrock runtime.
    pub bedrock: Option<String>,
    /// For STS.
    pub sts: Option<String>,
}

/// The names that a rehearsal's services are asked for by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hosts {
    /// CloudWatch.
    pub cloudwatch: &'static str,
    /// CloudWatch Logs.
    pub logs: &'static str,
    /// The Bedrock runtime.
    pub bedrock: &'static str,
    /// STS.
    pub sts: &'static str,
}

/// What the clients are built from. What is `None` is left to the SDK's default chain.
#[derive(Clone, Debug, Default)]
pub struct ClientOptions {
    /// A profile that was chosen: it wins over keys in the environment, and there has to be one.
    pub profile: Option<String>,
    /// The region.
    pub region: Option<Region>,
    /// Endpoint overrides.
    pub endpoints: Endpoints,
    /// The authorities that are trusted in place of the system's; where none is named here, those that the profile names.
    pub ca_bundle: Option<PathBuf>,
    /// Time-outs.
    pub timeouts: CallTimeouts,
    /// Where the model is reached otherwise.
    pub model: ModelOptions,
}

/// How the model is reached, where that differs from the rest. What is `None` is as for every other service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelOptions {
    /// The region it is asked in.
    pub region: Option<Region>,
    /// Until its connection stands, TLS included.
    pub connect: Option<Duration>,
}

/// Why the clients could not be built, or the identity not be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientsError {
    /// No region is set anywhere.
    #[error("no AWS region is set")]
    FindRegion,
    /// An endpoint is no address.
    #[error("the endpoint {endpoint:?} is no HTTP address")]
    ReadEndpoint {
        /// As given.
        endpoint: String,
    },
    /// The authorities of a person's own could not be read.
    #[error("the certificates of {path:?} cannot be used: {why}")]
    ReadAuthorities {
        /// The bundle.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// A rehearsal was given an endpoint that is not on this machine.
    #[error("the rehearsal endpoint {endpoint:?} is not on loopback")]
    KeepToLoopback {
        /// As given.
        endpoint: String,
    },
    /// STS did not say who we are.
    #[error("STS did not say who we are")]
    AskIdentity(#[source] CallError),
    /// The credentials could not be loaded.
    #[error("the credentials could not be loaded")]
    LoadCredentials(#[source] CallError),
}

impl ClientsError {
    /// As a person reads it.
    pub fn fault(&self) -> Fault {
        match self {
            Self::FindRegion => Fault::new(FaultKind::NotConfigured, "No AWS region is set.")
                .hint("Give `--region`, set AWS_REGION, or set a region in the profile."),
            Self::ReadEndpoint { endpoint } => {
                Fault::new(FaultKind::Usage, format!("The endpoint {endpoint:?} is no HTTP address."))
                    .hint("An endpoint looks like `https://host` or `http://127.0.0.1:4566`.")
            }
            Self::ReadAuthorities { path, why } => {
                Fault::new(FaultKind::Usage, format!("The certificates of {} cannot be used.", path.display()))
                    .cause(format!("{why}."))
                    .hint("AWS_CA_BUNDLE, or `ca_bundle` of the profile, names a file of certificates in PEM.")
            }
            Self::KeepToLoopback { endpoint } => {
                Fault::new(FaultKind::Usage, format!("A rehearsal refuses {endpoint:?}: it is not on loopback."))
                    .hint("A rehearsal talks to this machine alone; without `rehearse` the real endpoints are used.")
            }
            Self::AskIdentity(source) => {
                source.fault(Step { summary: "AWS did not say who we are.", action: "sts:GetCallerIdentity" })
            }
            Self::LoadCredentials(source) => source
                .fault(Step { summary: "The AWS credentials could not be loaded.", action: "sts:GetCallerIdentity" }),
        }
    }
}

/// Who we are to AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account.
    pub account: AccountId,
    /// The user's or role session's ARN.
    pub arn: String,
}

/// One client a service, for one account and region, on one budget. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Clients {
    pub(super) cloudwatch: aws_sdk_cloudwatch::Client,
    pub(super) logs: aws_sdk_cloudwatchlogs::Client,
    pub(super) bedrock: aws_sdk_bedrockruntime::Client,
    sts: aws_sdk_sts::Client,
    credentials: Option<SharedCredentialsProvider>,
    /// Time-outs of calls whose answer is a stream: for the connection alone.
    streams: TimeoutConfig,
    region: Region,
    model_region: Region,
    budget: Budget,
    clock: AwsClock,
    pub(super) farewells: Farewells,
}

impl Clients {
    /// Builds the clients on the SDK's default chain. Reads files and environment; may ask the instance for a region.
    pub async fn connect(options: &ClientOptions) -> Result<Self, ClientsError> {
        options.endpoints.check()?;
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts(options.timeouts))
            .stalled_stream_protection(stalled(options.timeouts));
        if let Ok(name) = AppName::new("pagerdeck") {
            loader = loader.app_name(name);
        }
        let bundle = match &options.ca_bundle {
            Some(bundle) => Some(bundle.clone()),
            None => profile::authorities(options.profile.as_deref()).await,
        };
        let http = bundle.as_deref().map(authorities::client).transpose()?;
        if let Some(http) = &http {
            loader = loader.http_client(http.clone());
        }
        if let Some(profile) = &options.profile {
            let provider = profile::credentials(profile, options.region.as_ref(), http).await;
            loader = loader.profile_name(profile).credentials_provider(provider);
        }
        if let Some(region) = &options.region {
            loader = loader.region(aws_config::Region::new(region.as_str().to_owned()));
        }
        if let Some(endpoint) = &options.endpoints.all {
            loader = loader.endpoint_url(endpoint);
        }
        let config = loader.load().await;
        let region = config.region().map(|region| Region::new(region.as_ref())).ok_or(ClientsError::FindRegion)?;
        Ok(Self::of(&config, options, region, Budget::for_account()))
    }

    /// Builds clients for a simulated cloud on this machine: made-up credentials, nothing read from the environment,
    /// no budget.
    pub fn rehearsal(endpoint: &str, region: &Region) -> Result<Self, ClientsError> {
        Self::loopback(endpoint, region, CallTimeouts::default())
    }

    /// As [`Clients::rehearsal`], with time-outs of the caller's choice.
    pub fn loopback(endpoint: &str, region: &Region, times: CallTimeouts) -> Result<Self, ClientsError> {
        Self::simulated((endpoint, Endpoints::default()), region, times, None)
    }

    /// As [`Clients::loopback`], with each service asked for by its name, which `names` alone answers.
    pub fn named(
        endpoint: &str,
        hosts: Hosts,
        (region, times): (&Region, CallTimeouts),
        names: Names,
    ) -> Result<Self, ClientsError> {
        let port = endpoint.parse::<http::Uri>().ok().and_then(|uri| uri.port_u16());
        let port = port.ok_or_else(|| ClientsError::ReadEndpoint { endpoint: endpoint.to_owned() })?;
        let at = |host: &str| Some(format!("http://{host}:{port}"));
        let endpoints = Endpoints {
            all: None,
            cloudwatch: at(hosts.cloudwatch),
            logs: at(hosts.logs),
            bedrock: at(hosts.bedrock),
            sts: at(hosts.sts),
        };
        Self::simulated((endpoint, endpoints), region, times, Some(names))
    }

    fn simulated(
        (endpoint, endpoints): (&str, Endpoints),
        region: &Region,
        times: CallTimeouts,
        names: Option<Names>,
    ) -> Result<Self, ClientsError> {
        require_loopback(endpoint)?;
        // Later versions take a proxy from the environment, and a rehearsal would leave the machine through it.
        #[expect(deprecated, reason = "the last version whose client uses no proxy")]
        let behavior = BehaviorVersion::v2025_01_17();
        let credentials = Credentials::new("REHEARSAL", "rehearsal", None, None, "pagerdeck-rehearsal");
        let config = SdkConfig::builder()
            .behavior_version(behavior)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .region(aws_config::Region::new(region.as_str().to_owned()))
            .endpoint_url(endpoint)
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts(times))
            .stalled_stream_protection(stalled(times));
        let config = match names {
            None => config,
            Some(names) => {
                let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc);
                let client = aws_smithy_http_client::Builder::new().tls_provider(provider);
                config.http_client(client.build_with_resolver(names))
            }
        };
        let options = ClientOptions { endpoints, ..ClientOptions::default() };
        Ok(Self::of(&config.build(), &options, region.clone(), Budget::unlimited()))
    }

    fn of(config: &SdkConfig, options: &ClientOptions, region: Region, budget: Budget) -> Self {
        let (endpoints, model) = (&options.endpoints, &options.model);
        let clock = AwsClock::default();
        let mut cloudwatch = aws_sdk_cloudwatch::config::Builder::from(config)
            .interceptor(clock.listener())
            .retry_config(repeat::config())
            .retry_classifier(RefusedForItsTime);
        let mut logs = aws_sdk_cloudwatchlogs::config::Builder::from(config)
            .interceptor(clock.listener())
            .retry_config(repeat::config())
            .retry_classifier(RefusedForItsTime);
        let mut sts = aws_sdk_sts::config::Builder::from(config)
            .interceptor(clock.listener())
            .retry_config(repeat::config())
            .retry_classifier(RefusedForItsTime);
        // A model thinks for a minute and speaks for several, and a Live Tail session lasts for hours: their time-outs
        // stand around each receive, and the SDK's guard against slow streams would end a healthy one.
        let connect = config.timeout_config().and_then(TimeoutConfig::connect_timeout);
        let streams = connection_alone(connect);
        let model_region = model.region.clone().unwrap_or_else(|| region.clone());
        let mut bedrock = aws_sdk_bedrockruntime::config::Builder::from(config)
            .interceptor(clock.listener())
            .retry_config(repeat::config())
            .retry_classifier(RefusedForItsTime)
            .region(aws_config::Region::new(model_region.as_str().to_owned()))
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .timeout_config(connection_alone(model.connect.or(connect)));
        if endpoints.cloudwatch.is_some() {
            cloudwatch.set_endpoint_url(endpoints.cloudwatch.clone());
        }
        if endpoints.logs.is_some() {
            logs.set_endpoint_url(endpoints.logs.clone());
        }
        if endpoints.bedrock.is_some() {
            bedrock.set_endpoint_url(endpoints.bedrock.clone());
        }
        if endpoints.sts.is_some() {
            sts.set_endpoint_url(endpoints.sts.clone());
        }
        Self {
            cloudwatch: aws_sdk_cloudwatch::Client::from_conf(cloudwatch.build()),
            logs: aws_sdk_cloudwatchlogs::Client::from_conf(logs.build()),
            bedrock: aws_sdk_bedrockruntime::Client::from_conf(bedrock.build()),
            sts: aws_sdk_sts::Client::from_conf(sts.build()),
            credentials: config.credentials_provider(),
            streams,
            region,
            model_region,
            budget,
            clock,
            farewells: Farewells::default(),
        }
    }

    /// Settings of a call to CloudWatch Logs whose answer is a stream without an end.
    pub(super) fn without_time_limits(&self) -> aws_sdk_cloudwatchlogs::config::Builder {
        aws_sdk_cloudwatchlogs::Config::builder()
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .timeout_config(self.streams.clone())
    }

    /// The region every client talks to, but that of the model.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// The region the model is asked in.
    pub fn model_region(&self) -> &Region {
        &self.model_region
    }

    /// The clock of AWS, as the answers tell it.
    pub fn clock(&self) -> &AwsClock {
        &self.clock
    }

    /// What is still said to AWS when nobody waits for it any more.
    pub fn farewells(&self) -> &Farewells {
        &self.farewells
    }

    /// Asks STS who we are.
    pub async fn identity(&self) -> Result<Identity, ClientsError> {
        self.turn(Family::Identity).await;
        let answer = self
            .sts
            .get_caller_identity()
            .send()
            .await
            .map_err(|error| ClientsError::AskIdentity(CallError::of(&error)))?;
        let unnamed = || ClientsError::AskIdentity(CallError::Malformed("the answer names no account".to_owned()));
        let account = answer.account().ok_or_else(unnamed)?;
        let arn = answer.arn().ok_or_else(unnamed)?;
        Ok(Identity { account: account.into(), arn: arn.to_owned() })
    }

    /// When the credentials end; `None` when their provider does not say, as with long-lived keys.
    ///
    /// The provider is asked past the SDK's cache, and many make new credentials each time: a role is assumed, a program
    /// run. The answer is of those in use only when they were made at about the same time.
    pub async fn credentials_expiry(&self) -> Result<Option<Timestamp>, ClientsError> {
        let Some(provider) = &self.credentials else { return Ok(None) };
        let credentials = made_within(CREDENTIALS_WITHIN, provider.provide_credentials())
            .await
            .map_err(ClientsError::LoadCredentials)?;
        Ok(credentials.expiry().and_then(|at| Timestamp::try_from(at).ok()))
    }

    pub(super) async fn turn(&self, family: Family) {
        self.budget.turn(family).await;
    }
}

async fn made_within<E: fmt::Display>(
    limit: Duration,
    making: impl Future<Output = Result<Credentials, E>>,
) -> Result<Credentials, CallError> {
    match tokio::time::timeout(limit, making).await {
        Ok(made) => made.map_err(|error| CallError::NoCredentials(super::call::clean(&error.to_string()))),
        Err(_) => Err(CallError::TimedOut(format!("the provider of the credentials was silent for {limit:?}"))),
    }
}

impl Endpoints {
    fn check(&self) -> Result<(), ClientsError> {
        let given = [&self.all, &self.cloudwatch, &self.logs, &self.bedrock, &self.sts];
        given.into_iter().flatten().try_for_each(|endpoint| host_of(endpoint).map(drop))
    }
}

fn host_of(endpoint: &str) -> Result<String, ClientsError> {
    let unreadable = || ClientsError::ReadEndpoint { endpoint: endpoint.to_owned() };
    let uri: http::Uri = endpoint.parse().map_err(|_| unreadable())?;
    match uri.scheme_str() {
        Some("http" | "https") => uri.host().map(str::to_owned).ok_or_else(unreadable),
        _ => Err(unreadable()),
    }
}

/// A name such as `localhost` is refused too: what it stands for is decided by a file on the machine.
fn require_loopback(endpoint: &str) -> Result<(), ClientsError> {
    let host = host_of(endpoint)?;
    let address: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
    match address {
        Some(address) if address.is_loopback() => Ok(()),
        _ => Err(ClientsError::KeepToLoopback { endpoint: endpoint.to_owned() }),
    }
}

fn timeouts(times: CallTimeouts) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(times.connect)
        .read_timeout(times.first_byte)
        .operation_attempt_timeout(times.attempt)
        .build()
}

/// A bound for the connection, and none for what comes over it.
fn connection_alone(connect: Option<Duration>) -> TimeoutConfig {
    let Some(connect) = connect else { return TimeoutConfig::disabled() };
    TimeoutConfig::builder()
        .connect_timeout(connect)
        .disable_read_timeout()
        .disable_operation_attempt_timeout()
        .disable_operation_timeout()
        .build()
}

fn stalled(times: CallTimeouts) -> StalledStreamProtectionConfig {
    StalledStreamProtectionConfig::enabled().grace_period(times.stalled).build()
}

#[cfg(test)]
mod tests;
