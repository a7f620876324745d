//! Names answered in place of the system's resolver. A rehearsal's endpoints have names of their own, so that they can fail
//! to resolve as real ones do; nothing but loopback is ever answered.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};

use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use hyper_util::client::legacy::connect::dns::Name;
use reqwest::dns::{Resolve, Resolving};
use tower_service::Service;

type Answer = dyn Fn(&str) -> io::Result<IpAddr> + Send + Sync;

/// Who answers names.
#[derive(Clone)]
pub struct Names(Arc<Answer>);

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names")
    }
}

impl PartialEq for Names {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Names {}

impl Names {
    /// Names by a function that answers at once.
    pub fn new(answer: impl Fn(&str) -> io::Result<IpAddr> + Send + Sync + 'static) -> Self {
        Self(Arc::new(answer))
    }

    fn look_up(&self, name: &str) -> io::Result<IpAddr> {
        let address = (self.0)(name)?;
        if address.is_loopback() { Ok(address) } else { Err(io::Error::other("a rehearsal keeps to loopback")) }
    }

    /// The port is that of the address asked for.
    fn sockets(&self, name: &str) -> io::Result<std::vec::IntoIter<SocketAddr>> {
        self.look_up(name).map(|address| vec![SocketAddr::new(address, 0)].into_iter())
    }
}

impl ResolveDns for Names {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::ready(self.look_up(name).map(|address| vec![address]).map_err(ResolveDnsError::new))
    }
}

impl Service<Name> for Names {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = std::future::Ready<io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        std::future::ready(self.sockets(name.as_str()))
    }
}

impl Resolve for Names {
    fn resolve(&self, name: reqwest::dns::Name) -> Resolving {
        let answered = self.sockets(name.as_str());
        Box::pin(async move {
            let sockets = answered?;
            Ok(Box::new(sockets) as Box<dyn Iterator<Item = SocketAddr> + Send>)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_loopback_is_answered() {
        let names = Names::new(|name| match name {
            "near" => Ok(IpAddr::from([127, 0, 0, 1])),
            "far" => Ok(IpAddr::from([192, 0, 2, 1])),
            _ => Err(io::Error::other("Name or service not known")),
        });
        assert!(names.look_up("near").is_ok());
        assert!(names.look_up("far").unwrap_err().to_string().contains("keeps to loopback"));
        assert!(names.look_up("nowhere").unwrap_err().to_string().contains("not known"));
    }
}
