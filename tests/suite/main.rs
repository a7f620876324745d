//! The one integration-test binary.
mod journal;
mod peers_aws;
mod wire_aws;
