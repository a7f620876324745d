//! The one integration-test binary.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, and so do the functions it shares with others"
)]

mod adrift;
mod asked;
mod at_rest;
mod bare;
mod cli;
mod crash;
mod fixture;
mod fixture_parts;
mod gate;
mod grammar;
mod heard;
mod hostile;
mod hostile_lines;
mod hostile_terminal;
mod journal;
mod judged;
mod links;
mod measured;
mod measured_cases;
mod narrow;
mod peers_aws;
mod peers_bedrock;
mod peers_boto;
mod peers_investigate;
mod peers_kubernetes;
mod peers_parity;
mod peers_schemas;
mod peers_sshd;
mod peers_tmux;
mod plain_dump;
mod rehearsal_checks;
mod rehearsal_kubernetes;
mod rehearsal_wire;
mod rehearsed;
mod repeatable;
mod replay;
mod screens;
mod skipped;
mod stale;
mod stories_of_faults;
mod story;
mod tailed;
mod terminal;
mod tidy;
mod ways_out;
mod wire_aws;
mod wire_kubernetes;
mod wire_server;
mod wire_slack;
