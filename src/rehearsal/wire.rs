//! The wire protocols, a file a service, each written from its published description and not from our client.

pub mod aws;
pub mod bedrock;
pub(crate) mod broken;
pub mod charts;
pub mod cloudwatch;
pub mod kubernetes;
pub(crate) mod line;
pub mod logs;
mod skew;
pub mod slack;
pub mod sts;
