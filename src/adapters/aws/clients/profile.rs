//! What a profile of the shared files says, and nothing else says in its place.

use std::borrow::Cow;
use std::path::PathBuf;

use aws_config::default_provider::region::DefaultRegionChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::os_shim_internal::{Env, Fs};

use crate::domain::observation::scope::Region;

/// The bundle that a profile names by `ca_bundle`; `None` for the profile in force.
#[expect(deprecated, reason = "the name by which this library gives out another's type")]
pub(super) async fn authorities(profile: Option<&str>) -> Option<PathBuf> {
    let chosen = profile.map(|name| Cow::Owned(name.to_owned()));
    // What is wrong with the files is told when the credentials are looked for.
    let files = aws_config::profile::profile_file::ProfileFiles::default();
    let profiles = aws_config::profile::load(&Fs::real(), &Env::real(), &files, chosen).await.ok()?;
    profiles.get("ca_bundle").map(PathBuf::from)
}

/// The credentials of a profile and of nothing else: the SDK's own chain looks at the environment first, and where a profile is
/// missing at the machine's role.
pub(super) async fn credentials(
    profile: &str,
    region: Option<&Region>,
    http: Option<SharedHttpClient>,
) -> ProfileFileCredentialsProvider {
    let region = match region {
        Some(region) => Some(aws_config::Region::new(region.as_str().to_owned())),
        None => DefaultRegionChain::builder().profile_name(profile).build().region().await,
    };
    let config = ProviderConfig::without_region().with_region(region);
    let config = match http {
        Some(http) => config.with_http_client(http),
        None => config,
    };
    ProfileFileCredentialsProvider::builder().configure(&config).profile_name(profile).build()
}
