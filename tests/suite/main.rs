//! The one integration-test binary.
mod peers_aws;
mod wire_aws;
