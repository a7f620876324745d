//! The wire protocols, a file a service, each written from its published description and not from our client.

pub mod kubernetes;
