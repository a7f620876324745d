//! Why one call to AWS gave no usable answer: the SDK's errors sorted by what a person can do about them.

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::event_stream::RawMessage;

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::redact;
use crate::domain::observation::skew::ClockSkew;

/// The longest foreign message kept, in characters. A signature error repeats the whole request with its token.
const MAX_MESSAGE: usize = 300;

/// Why a call failed. The texts are of one line, sanitised, redacted and bounded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// No credentials could be loaded.
    #[error("no credentials, {0}")]
    NoCredentials(String),
    /// The credentials have expired.
    #[error("the credentials have expired ({0})")]
    ExpiredCredentials(String),
    /// The credentials are not those of a user or role that AWS knows.
    #[error("AWS does not know the credentials ({0})")]
    UnknownCredentials(String),
    /// The clock of this machine is too far off for a signature.
    #[error("clock skew: {0}")]
    ClockSkew(String),
    /// Known, and not allowed.
    #[error("access denied: {0}")]
    Denied(String),
    /// Asked to slow down.
    #[error("throttled: {0}")]
    Throttled(String),
    /// The thing asked for is not there.
    #[error("not found: {0}")]
    NotFound(String),
    /// Understood and refused.
    #[error("rejected: {0}")]
    Rejected(String),
    /// The service failed on its side.
    #[error("service failure: {0}")]
    Unavailable(String),
    /// No answer in time.
    #[error("no answer in time: {0}")]
    TimedOut(String),
    /// No connection.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// The answer broke off.
    #[error("the answer broke off: {0}")]
    Cut(String),
    /// The answer could not be read.
    #[error("unreadable answer: {0}")]
    Malformed(String),
    /// The request could not be built: a defect of ours.
    #[error("the request could not be built: {0}")]
    NotBuilt(String),
}

/// The step that failed, for a fault: one sentence of summary and the permission it needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step<'a> {
    /// What failed, one sentence.
    pub(super) summary: &'a str,
    /// The IAM action, such as `logs:FilterLogEvents`.
    pub(super) action: &'a str,
}

impl CallError {
    /// The class.
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::NoCredentials(_) | Self::ExpiredCredentials(_) | Self::UnknownCredentials(_) | Self::ClockSkew(_) => {
                FaultKind::Credentials
            }
            Self::Denied(_) => FaultKind::Denied,
            Self::Throttled(_) => FaultKind::Throttled,
            Self::NotFound(_) => FaultKind::NotFound,
            Self::Rejected(_) => FaultKind::Rejected,
            Self::Unavailable(_) => FaultKind::Unavailable,
            Self::TimedOut(_) => FaultKind::Timeout,
            Self::Unreachable(_) => FaultKind::Unreachable,
            Self::Cut(_) => FaultKind::Cut,
            Self::Malformed(_) => FaultKind::Malformed,
            Self::NotBuilt(_) => FaultKind::Internal,
        }
    }

    /// As a person reads it.
    pub(super) fn fault(&self, step: Step<'_>) -> Fault {
        let mut fault = Fault::new(self.kind(), step.summary).cause(sentence(&self.to_string()));
        if let Some(hint) = self.hint(step.action) {
            fault = fault.hint(hint);
        }
        fault
    }

    fn hint(&self, action: &str) -> Option<String> {
        match self {
            Self::NoCredentials(_) => Some(
                "Name a profile with `--profile`, or log in with `aws sso login`; `pagerdeck doctor` says what is missing."
                    .to_owned(),
            ),
            Self::ExpiredCredentials(_) => {
                Some("Renew the credentials in another terminal, for a single sign-on profile with `aws sso login`.".to_owned())
            }
            Self::UnknownCredentials(_) => {
                Some("Check the profile and the region: a region that is not enabled refuses every credential.".to_owned())
            }
            Self::ClockSkew(_) => Some(format!("Set the clock of this machine: {}.", ClockSkew::REMEDY)),
            Self::Denied(_) => Some(format!("The identity lacks `{action}`.")),
            Self::Throttled(_) => Some("Somebody in this account calls this API a lot; it is asked again later.".to_owned()),
            Self::Unreachable(why) if why.contains("UnknownIssuer") => Some(
                "Its certificate is of an authority that is not known here, as of a proxy that opens TLS: name that one's file \
                 by AWS_CA_BUNDLE, or by SSL_CERT_FILE for every server."
                    .to_owned(),
            ),
            Self::Unreachable(_) => {
                Some("Check the network and its DNS, the proxy settings, the region and any endpoint override.".to_owned())
            }
            Self::NotFound(_) => Some("Check the name, the account and the region.".to_owned()),
            Self::Rejected(_)
            | Self::Unavailable(_)
            | Self::TimedOut(_)
            | Self::Cut(_)
            | Self::Malformed(_)
            | Self::NotBuilt(_) => None,
        }
    }

    /// Sorts an error of the SDK.
    pub(super) fn of<E, R>(error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: HttpStatus + std::fmt::Debug,
    {
        match error {
            SdkError::ConstructionFailure(_) => before_sending(&chain(error)),
            SdkError::TimeoutError(_) => Self::TimedOut(clean(&chain(error))),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Self::TimedOut(clean(&chain(error))),
            SdkError::DispatchFailure(failure) if failure.is_io() => Self::Unreachable(clean(innermost(&chain(error)))),
            SdkError::DispatchFailure(_) => not_dispatched(&chain(error)),
            SdkError::ResponseError(_) => unreadable(&chain(error)),
            SdkError::ServiceError(refusal) => {
                let message = refusal.err().message().map_or_else(|| chain(refusal.err()), str::to_owned);
                refused(refusal.err().code(), refusal.raw().status(), &message)
            }
            other => Self::Malformed(clean(&chain(other))),
        }
    }
}

/// Where an answer may carry an HTTP status.
pub(super) trait HttpStatus {
    /// The status, where there is one.
    fn status(&self) -> Option<u16>;
}

impl HttpStatus for HttpResponse {
    fn status(&self) -> Option<u16> {
        Some(HttpResponse::status(self).as_u16())
    }
}

impl HttpStatus for RawMessage {
    fn status(&self) -> Option<u16> {
        None
    }
}

/// Makes a foreign text fit to be shown: first line, bounded, without secrets and control characters.
pub(super) fn clean(text: &str) -> String {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    redact::clean(first, MAX_MESSAGE)
}

fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// The error and its sources, outermost first, each said once.
fn chain(error: &dyn Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(current) = next {
        let part = current.to_string();
        if !parts.iter().any(|said| said.contains(&part)) {
            parts.push(part);
        }
        next = current.source();
    }
    parts.join(": ")
}

/// Without the layers of the HTTP client around what the operating system said.
fn innermost(chain: &str) -> &str {
    chain.rsplit_once("client error (Connect): ").map_or(chain, |(_, cause)| cause)
}

fn mentions(text: &str, words: &[&str]) -> bool {
    let text = text.to_ascii_lowercase();
    words.iter().any(|word| text.contains(word))
}

/// The SDK hides the type of a credentials error behind a generic one, so its words decide.
const CREDENTIAL_WORDS: [&str; 5] =
    ["credential", "sso session", "sso token", "identity resolver", "no providers in chain"];

fn before_sending(text: &str) -> CallError {
    if mentions(text, &CREDENTIAL_WORDS) { lacking(text) } else { CallError::NotBuilt(clean(text)) }
}

fn not_dispatched(text: &str) -> CallError {
    if mentions(text, &CREDENTIAL_WORDS) { lacking(text) } else { CallError::Unreachable(clean(text)) }
}

fn lacking(text: &str) -> CallError {
    if let Some((name, _)) = text.split_once("profile `").and_then(|(_, rest)| rest.split_once("` was not defined")) {
        return CallError::NoCredentials(clean(&format!("there is no profile `{name}`")));
    }
    if mentions(text, &["no credentials found in chain", "no providers in chain"]) {
        // The SDK lists its providers by their Rust names, over several lines.
        return CallError::NoCredentials(
            "neither the environment, the profile nor the machine's role has any".to_owned(),
        );
    }
    // Whoever gives the credentials was slow or busy: nothing is known against what was given before.
    if mentions(text, &["timed out", "timeout", "throttl", "rate exceeded"]) {
        CallError::TimedOut(clean(text))
    } else if mentions(text, &["expired"]) {
        CallError::ExpiredCredentials(clean(text))
    } else {
        CallError::NoCredentials(clean(text))
    }
}

fn unreadable(text: &str) -> CallError {
    if mentions(text, &["minimum throughput", "throughputbelowminimum"]) {
        CallError::TimedOut(clean(text))
    } else if mentions(
        text,
        &["incomplete", "unexpected end of file", "unexpected eof", "connection reset", "closed before", "end of file"],
    ) {
        CallError::Cut(clean(text))
    } else {
        CallError::Malformed(clean(text))
    }
}

/// Sorts what the service itself said, by its code and, where it has none that we know, by its status.
fn refused(code: Option<&str>, status: Option<u16>, message: &str) -> CallError {
    let text = clean(&match code {
        Some(code) => format!("{code}: {message}"),
        None => status.map_or_else(|| message.to_owned(), |status| format!("HTTP {status}: {message}")),
    });
    by_code(code.unwrap_or_default(), &text).unwrap_or(match status {
        Some(401) => CallError::UnknownCredentials(text),
        Some(403) => CallError::Denied(text),
        Some(404) => CallError::NotFound(text),
        Some(408) => CallError::TimedOut(text),
        Some(429) => CallError::Throttled(text),
        Some(500..) => CallError::Unavailable(text),
        Some(400..500) => CallError::Rejected(text),
        _ => CallError::Malformed(text),
    })
}

fn by_code(code: &str, text: &str) -> Option<CallError> {
    let make: fn(String) -> CallError = match code {
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => CallError::ExpiredCredentials,
        "InvalidSignatureException" | "SignatureDoesNotMatch"
            if mentions(text, &["signature expired", "not yet current"]) =>
        {
            CallError::ClockSkew
        }
        "RequestExpired" | "RequestTimeTooSkewed" | "RequestInTheFuture" => CallError::ClockSkew,
        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "IncompleteSignature"
        | "InvalidAccessKeyId"
        | "AuthFailure" => CallError::UnknownCredentials,
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "NotAuthorized" | "OptInRequired" => {
            CallError::Denied
        }
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "LimitExceededException"
        | "ServiceQuotaExceededException"
        | "throttlingException"
        | "SlowDown" => CallError::Throttled,
        "ResourceNotFoundException" | "ResourceNotFound" => CallError::NotFound,
        "ModelTimeoutException" | "RequestTimeout" | "RequestTimeoutException" => CallError::TimedOut,
        "ModelStreamErrorException" | "modelStreamErrorException" => CallError::Cut,
        "InternalFailure"
        | "InternalServerException"
        | "internalServerException"
        | "InternalServiceFault"
        | "InternalServiceError"
        | "ServiceUnavailable"
        | "ServiceUnavailableException"
        | "serviceUnavailableException"
        | "ModelNotReadyException"
        | "ModelErrorException" => CallError::Unavailable,
        "ValidationException" | "validationException" | "InvalidParameterException" | "ValidationError" => {
            CallError::Rejected
        }
        _ => return None,
    };
    Some(make(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_decides_before_the_status_does() {
        let cases = [
            (Some("ExpiredToken"), Some(403), FaultKind::Credentials),
            (Some("AccessDenied"), Some(400), FaultKind::Denied),
            (Some("ThrottlingException"), Some(400), FaultKind::Throttled),
            (Some("ResourceNotFoundException"), Some(400), FaultKind::NotFound),
            (Some("SomethingNew"), Some(400), FaultKind::Rejected),
            (Some("SomethingNew"), Some(503), FaultKind::Unavailable),
            (None, Some(429), FaultKind::Throttled),
            (None, Some(404), FaultKind::NotFound),
            (None, None, FaultKind::Malformed),
        ];
        for (code, status, kind) in cases {
            assert_eq!(refused(code, status, "said so").kind(), kind, "{code:?} {status:?}");
        }
    }

    /// Neither the end of what is shown nor what is not drawn lets a part of a secret through.
    #[test]
    fn a_secret_is_hidden_before_the_text_is_cut_and_whatever_is_not_drawn_in_it() {
        let key = "AKIAIOSFODNN7EXAMPLE";
        let begin = "x".repeat(MAX_MESSAGE - 9) + " ";
        let across = clean(&format!("{begin}{key}"));
        assert!(!across.contains("AKIA") && across.chars().count() <= MAX_MESSAGE + 1, "{across}");
        let hidden = clean("denied: pass\u{200b}word=hunter2hunter2");
        assert!(!hidden.contains("hunter2"), "{hidden}");
    }

    #[test]
    fn a_profile_that_is_missing_is_named() {
        let text = "dispatch failure: other: the credentials provider was not properly configured: ProfileFile provider could \
                    not be built: profile `nope` was not defined: `nope` was not defined";
        assert_eq!(not_dispatched(text), CallError::NoCredentials("there is no profile `nope`".to_owned()));
    }

    #[test]
    fn credentials_that_are_slow_to_come_are_not_taken_for_none() {
        let text = "dispatch failure: other: identity resolver timed out after 5s";
        assert!(matches!(not_dispatched(text), CallError::TimedOut(_)));
    }

    #[test]
    fn a_signature_that_is_late_blames_the_clock() {
        let error =
            refused(Some("InvalidSignatureException"), Some(403), "Signature expired: 20260501T093100Z is now earlier");
        assert!(matches!(error, CallError::ClockSkew(_)));
    }

    #[test]
    fn only_the_first_line_of_a_message_is_kept_and_bounded() {
        let message = format!("The signature does not match. {}\nx-amz-security-token:SECRET", "x".repeat(1_000));
        let text = refused(Some("SignatureDoesNotMatch"), Some(403), &message).to_string();
        assert!(!text.contains("SECRET"));
        assert!(text.chars().count() < MAX_MESSAGE + 40);
    }

    #[test]
    fn a_denied_call_names_the_action() {
        let fault = CallError::Denied("AccessDenied: no".into())
            .fault(Step { summary: "The alarms could not be listed.", action: "cloudwatch:DescribeAlarms" });
        assert_eq!(fault.kind, FaultKind::Denied);
        assert_eq!(fault.hints, ["The identity lacks `cloudwatch:DescribeAlarms`."]);
        assert_eq!(fault.causes, ["access denied: AccessDenied: no."]);
    }
}
