//! The one integration-test binary.

mod journal;
mod peers_aws;
mod rehearsal_kubernetes;
mod rehearsal_wire;
mod tidy;
mod wire_aws;
mod wire_kubernetes;
mod wire_server;
mod wire_slack;
