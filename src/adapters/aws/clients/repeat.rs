//! What the SDK repeats: nothing, but a call that was refused for the time it was signed at. The refusal told the right time and
//! the SDK has learned it, so that the second attempt is due at once, without a wait that a person would have to see.

use std::time::Duration;

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority};
use aws_smithy_types::retry::{ErrorKind, RetryConfig};

/// What services say of a time, in a code or in a message, without case.
const WORDS: [&str; 5] =
    ["signature expired", "not yet current", "requesttimetooskewed", "requestexpired", "requestinthefuture"];

/// One repeat, at once.
pub(super) fn config() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(2).with_initial_backoff(Duration::from_millis(1))
}

/// Takes a refusal for its time as the one reason to repeat a call. It runs last and forbids what others have found.
#[derive(Debug)]
pub(super) struct RefusedForItsTime;

impl ClassifyRetry for RefusedForItsTime {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let dated = context.response().filter(|answer| answer.headers().get("date").is_some());
        let refused = dated.filter(|answer| answer.status().is_client_error());
        let said = String::from_utf8_lossy(refused.and_then(|answer| answer.body().bytes()).unwrap_or_default());
        let said = said.to_ascii_lowercase();
        if WORDS.iter().any(|word| said.contains(word)) {
            return RetryAction::retryable_error_with_explicit_delay(ErrorKind::ServerError, Duration::ZERO);
        }
        RetryAction::RetryForbidden
    }

    fn name(&self) -> &'static str {
        "RefusedForItsTime"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}
