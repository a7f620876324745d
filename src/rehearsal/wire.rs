//! The wire protocols, a file a service, each written from its published description and not from our client.

pub mod aws;
pub mod bedrock;
pub mod cloudwatch;
pub mod kubernetes;
pub mod logs;
pub mod slack;
pub mod sts;
