//! Live Tail has a host of its own at AWS, `stream-logs.REGION…`; at an endpoint that replaces AWS it has none.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::endpoint::EndpointPrefix;
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextMut;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_types::endpoint_config::EndpointUrl;

/// Takes the prefix away where an endpoint is overridden: by us, by the environment or by the profile. The SDK would ask
/// `stream-127.0.0.1` for it, and has no switch.
#[derive(Debug)]
pub(super) struct OwnHost;

#[dyn_dispatch_hint]
impl Intercept for OwnHost {
    fn name(&self) -> &'static str {
        "OwnHost"
    }

    fn modify_before_serialization(
        &self,
        _context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        settings: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if settings.load::<EndpointUrl>().is_some() {
            settings.interceptor_state().unset::<EndpointPrefix>();
        }
        Ok(())
    }
}
