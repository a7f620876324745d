//! The outside, one room a service: real clients against whatever endpoint they are given.
//!
//! Adapters return `domain` types and typed errors named by the step that failed. They decide nothing, retry
//! nothing and know nothing of each other: waits belong to the session, so that each of them is on screen.

pub mod aws;
pub mod budget;
pub mod kubernetes;
pub mod names;
pub mod slack;

/// Installs the process-wide TLS provider. Both the AWS and the Kubernetes clients bring one, and without a choice
/// the second of them panics when it is built. Calling it again changes nothing.
pub fn install_tls_provider() {
    // An error means that a provider is installed already, which is all we ask for.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
}
