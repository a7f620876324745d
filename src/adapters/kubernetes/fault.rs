//! Failures of the Kubernetes API, named by the step that failed, and how a person reads them.
//! The class is taken from types and status codes, never from the text of a message.

use std::fmt;
use std::time::Duration;

use jiff::SignedDuration;

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::redact;
use crate::domain::observation::scope::Namespace;

/// What was being asked of the API when it failed. The words double as the RBAC rule that would allow it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doing {
    /// The RBAC verb: `get`, `list`, `watch`, `patch`, `create`.
    pub verb: &'static str,
    /// The API group, empty for the core group.
    pub group: &'static str,
    /// The resource, plural.
    pub resource: &'static str,
    /// The namespace; `None` for what has none.
    pub namespace: Option<Namespace>,
    /// The object, where one is meant.
    pub name: Option<String>,
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if let Some(name) = &self.name {
            write!(f, "/{name}")?;
        }
        if let Some(namespace) = &self.namespace {
            write!(f, " in {namespace}")?;
        }
        Ok(())
    }
}

impl Doing {
    fn rule(&self) -> String {
        let group = if self.group.is_empty() { "\"\"" } else { self.group };
        let place = match &self.namespace {
            Some(namespace) => format!("a Role in namespace {namespace}"),
            None => "a ClusterRole".to_owned(),
        };
        format!("Needs verb `{}` on `{}` (apiGroup {group}) in {place}.", self.verb, self.resource)
    }
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// 401: the credentials are missing, wrong or expired.
    Unauthorized(String),
    /// The credential program of the kubeconfig failed (`aws eks get-token`, `kubelogin`, …).
    CredentialProgram(String),
    /// 403: known, but may not.
    Denied(String),
    /// 404.
    NotFound(String),
    /// 409: somebody else changed the object first.
    Conflict(String),
    /// 410: the version asked for is no longer kept; list again.
    Gone(String),
    /// 429, with the wait the server asks for.
    Throttled(Option<Duration>),
    /// Another 4xx: validation, admission, quota.
    Rejected {
        /// The status.
        code: u16,
        /// What the server says.
        message: String,
    },
    /// 5xx.
    Unavailable {
        /// The status.
        code: u16,
        /// What the server says.
        message: String,
    },
    /// No answer within the time we grant.
    TimedOut(Duration),
    /// No connection: DNS, refused, reset, TLS.
    Unreachable(String),
    /// A stream ended in the middle.
    Cut(String),
    /// An answer that could not be read.
    Malformed(String),
    /// What we would have sent could not be built.
    Unbuildable(String),
}

/// A failed call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeError {
    /// The step.
    pub doing: Box<Doing>,
    /// Why.
    pub problem: Problem,
}

impl KubeError {
    pub(super) fn new(doing: &Doing, problem: Problem) -> Self {
        Self { doing: Box::new(doing.clone()), problem }
    }

    /// The class.
    pub fn kind(&self) -> FaultKind {
        match &self.problem {
            Problem::Unauthorized(_) | Problem::CredentialProgram(_) => FaultKind::Credentials,
            Problem::Denied(_) => FaultKind::Denied,
            Problem::NotFound(_) => FaultKind::NotFound,
            Problem::Conflict(_) => FaultKind::Conflict,
            Problem::Gone(_) | Problem::Cut(_) => FaultKind::Cut,
            Problem::Throttled(_) => FaultKind::Throttled,
            Problem::Rejected { .. } => FaultKind::Rejected,
            Problem::Unavailable { .. } => FaultKind::Unavailable,
            Problem::TimedOut(_) => FaultKind::Timeout,
            Problem::Unreachable(_) => FaultKind::Unreachable,
            Problem::Malformed(_) => FaultKind::Malformed,
            Problem::Unbuildable(_) => FaultKind::Internal,
        }
    }

    /// What a person reads.
    pub fn fault(&self) -> Fault {
        let doing = &self.doing;
        let fault = Fault::new(self.kind(), self.summary());
        match &self.problem {
            Problem::Unauthorized(message) => said(fault, message)
                .hint("Renew the credentials of this context, such as by `aws sso login`.")
                .hint("For EKS: `aws eks update-kubeconfig --name CLUSTER --region REGION`, and an access entry for this role."),
            Problem::CredentialProgram(message) => said(fault, message)
                .hint("Run `kubectl get --raw /version` in another terminal to see the program's own message.")
                .hint("For EKS: `aws sso login`, then `aws eks update-kubeconfig --name CLUSTER --region REGION`."),
            Problem::Denied(message) => said(fault, message)
                .hint(doing.rule())
                .hint("`pagerdeck rbac` prints the least privilege for what is enabled."),
            Problem::Conflict(message) => {
                said(fault, message).hint("Look at what changed, then rehearse the step again.")
            }
            Problem::Rejected { message, .. } => said(fault, message)
                .hint("Validation, an admission webhook or a quota refused this request: its message names the rule."),
            Problem::TimedOut(_) | Problem::Unreachable(_) => {
                let fault = if let Problem::Unreachable(message) = &self.problem { said(fault, message) } else { fault };
                fault.hint("Check VPN, bastion and proxy, and that the cluster's endpoint is open to this network.")
            }
            Problem::Throttled(Some(wait)) => fault
                .hint(format!("The server asks to wait {} s.", wait.as_secs()))
                .asks_to_wait(SignedDuration::try_from(*wait).unwrap_or(SignedDuration::MAX)),
            Problem::Throttled(None) => fault,
            Problem::NotFound(message)
            | Problem::Gone(message)
            | Problem::Unavailable { message, .. }
            | Problem::Cut(message)
            | Problem::Malformed(message)
            | Problem::Unbuildable(message) => said(fault, message),
        }
    }

    fn summary(&self) -> String {
        let doing = &self.doing;
        match &self.problem {
            Problem::Unauthorized(_) => format!("Kubernetes does not accept our credentials to {doing} (401)."),
            Problem::CredentialProgram(_) => format!("The credential program of the kubeconfig failed before {doing}."),
            Problem::Denied(_) => format!("Kubernetes forbids us to {doing} (403)."),
            Problem::NotFound(_) => format!("Kubernetes found nothing to {doing} (404)."),
            Problem::Conflict(_) => format!("Somebody else changed the object first: {doing} (409)."),
            Problem::Gone(_) => format!("The version asked for is no longer kept: {doing} (410)."),
            Problem::Throttled(_) => format!("Kubernetes asks us to slow down: {doing} (429)."),
            Problem::Rejected { code, .. } => format!("Kubernetes refused to {doing} ({code})."),
            Problem::Unavailable { code, .. } => format!("Kubernetes failed on its side to {doing} ({code})."),
            Problem::TimedOut(after) => format!("Kubernetes did not answer within {} s: {doing}.", after.as_secs_f32()),
            Problem::Unreachable(_) => format!("The Kubernetes API cannot be reached to {doing}."),
            Problem::Cut(_) => format!("The Kubernetes API cut the answer to {doing}."),
            Problem::Malformed(_) => format!("The answer of Kubernetes could not be read: {doing}."),
            Problem::Unbuildable(_) => format!("The request could not be built: {doing}."),
        }
    }
}

impl fmt::Display for KubeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault().fmt(f)
    }
}

impl std::error::Error for KubeError {}

impl From<KubeError> for Fault {
    fn from(error: KubeError) -> Self {
        error.fault()
    }
}

/// A fault of something that failed before there was a request to name.
pub(super) fn unplaced(summary: &str, problem: Problem) -> Fault {
    let doing = Doing { verb: "connect", group: "", resource: "the cluster", namespace: None, name: None };
    let mut fault = KubeError::new(&doing, problem).fault();
    summary.clone_into(&mut fault.summary);
    fault
}

/// Adds what the server or a credential program said, made safe to draw and to keep, and cut to a readable length.
fn said(fault: Fault, message: &str) -> Fault {
    const LONGEST: usize = 400;
    let line = redact::clean(message, LONGEST);
    if line.is_empty() { fault } else { fault.cause(line) }
}

/// Classifies an error of the client library.
pub(super) fn problem_of(error: kube::Error) -> Problem {
    match error {
        kube::Error::Api(status) => problem_of_status(&status),
        kube::Error::Auth(error) => Problem::CredentialProgram(credential_text(&error)),
        kube::Error::HyperError(error) => Problem::Unreachable(chain(&error)),
        kube::Error::Service(error) => problem_of_transport(error.as_ref()),
        kube::Error::SerdeError(error) => Problem::Malformed(error.to_string()),
        kube::Error::FromUtf8(error) => Problem::Malformed(error.to_string()),
        kube::Error::ReadEvents(error) => Problem::Cut(chain(&error)),
        kube::Error::LinesCodecMaxLineLengthExceeded => Problem::Malformed("an endless line".to_owned()),
        kube::Error::HttpError(error) => Problem::Unbuildable(error.to_string()),
        kube::Error::BuildRequest(error) => Problem::Unbuildable(error.to_string()),
        kube::Error::RustlsTls(error) => Problem::Unreachable(format!("TLS: {}", chain(&error))),
        kube::Error::ProxyProtocolDisabled { .. } | kube::Error::ProxyProtocolUnsupported { .. } => {
            Problem::Unreachable("the kubeconfig asks for a proxy, which this build does not support".to_owned())
        }
        other => Problem::Unreachable(chain(&other)),
    }
}

/// Classifies a `metav1.Status` by its code.
pub(super) fn problem_of_status(status: &kube::core::Status) -> Problem {
    let message = if status.message.is_empty() { status.reason.clone() } else { status.message.clone() };
    match status.code {
        401 => Problem::Unauthorized(message),
        403 => Problem::Denied(message),
        404 => Problem::NotFound(message),
        409 => Problem::Conflict(message),
        410 => Problem::Gone(message),
        429 => Problem::Throttled(
            status
                .details
                .as_ref()
                .filter(|details| details.retry_after_seconds > 0)
                .map(|details| Duration::from_secs(u64::from(details.retry_after_seconds))),
        ),
        // Any JSON object reads as a status; one without the code of an error is none.
        code if code < 400 => Problem::Malformed(message),
        code if code >= 500 => Problem::Unavailable { code, message },
        code => Problem::Rejected { code, message },
    }
}

/// A token refreshed on the way to a request fails inside the transport: find it by its type.
fn problem_of_transport(error: &(dyn std::error::Error + 'static)) -> Problem {
    let mut current = Some(error);
    while let Some(step) = current {
        if let Some(error) = step.downcast_ref::<kube::client::AuthError>() {
            return Problem::CredentialProgram(credential_text(error));
        }
        if step.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::TimedOut) {
            return Problem::Unreachable("the connection timed out".to_owned());
        }
        current = step.source();
    }
    Problem::Unreachable(chain(error))
}

/// What the credential program wrote to standard error; its standard output may hold a token and is never told.
fn credential_text(error: &kube::client::AuthError) -> String {
    if let kube::client::AuthError::AuthExecRun { out, .. } = error {
        let text = String::from_utf8_lossy(&out.stderr);
        return format!("it ended with {}: {}", out.status, text.trim());
    }
    match error {
        kube::client::AuthError::AuthExecStart(error) => format!("it could not be started: {error}"),
        _ => "it gave no usable credentials".to_owned(),
    }
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut current = error.source();
    while let Some(cause) = current {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        current = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_asks_to_wait_is_told_with_the_wait() {
        let status: kube::core::Status =
            serde_json::from_str(r#"{ "code": 429, "message": "Slow down.", "details": { "retryAfterSeconds": 20 } }"#)
                .unwrap();
        let doing = Doing { verb: "list", group: "", resource: "pods", namespace: None, name: None };
        let fault = KubeError::new(&doing, problem_of_status(&status)).fault();
        assert_eq!((fault.kind, fault.wait), (FaultKind::Throttled, Some(SignedDuration::from_secs(20))));
    }

    #[test]
    fn what_a_server_says_holds_no_secret() {
        let fault = said(Fault::new(FaultKind::Denied, "No."), "token=abcdef0123456789 is not accepted");
        assert!(!fault.to_string().contains("abcdef0123456789"), "{fault}");
    }
}
