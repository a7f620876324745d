//! `NO_PROXY`: which servers are asked without a proxy, as kubectl reads it. This machine is never asked through one.

use std::net::IpAddr;

/// Whether a server is one of a list: `*`, an address, a range (`10.0.0.0/8`), a host with what is below it (`example.com`), or
/// only what is below it (`.example.com`); each with a port where it is for that alone.
pub(super) fn is_direct(list: &str, server: &http::Uri) -> bool {
    let host = server.host().unwrap_or_default().trim_matches(['[', ']']).to_ascii_lowercase();
    let port = server.port_u16().unwrap_or(if server.scheme_str() == Some("http") { 80 } else { 443 });
    let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let entries = list.split(',').map(|entry| entry.trim().to_ascii_lowercase());
    is_here || entries.filter(|entry| !entry.is_empty()).any(|entry| takes(&entry, &host, port))
}

fn takes(entry: &str, host: &str, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    let address: Option<IpAddr> = host.parse().ok();
    if let Some((network, bits)) = entry.split_once('/') {
        let range = network.parse().ok().zip(bits.parse().ok());
        return address.zip(range).is_some_and(|(address, (network, bits))| lies_in(address, network, bits));
    }
    if let Ok(same) = entry.trim_matches(['[', ']']).parse::<IpAddr>() {
        return address == Some(same);
    }
    let (name, only) = match entry.rsplit_once(':') {
        Some((name, only)) => (name, only.parse::<u16>().ok()),
        None => (entry, None),
    };
    let below = name.trim_start_matches('*').trim_start_matches('.');
    let is_below = host.strip_suffix(below).is_some_and(|before| before.ends_with('.'));
    let is_itself = host == below && !name.starts_with(['.', '*']);
    only.is_none_or(|only| only == port) && !below.is_empty() && (is_below || is_itself)
}

fn lies_in(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    let (own, other, width) = match (address, network) {
        (IpAddr::V4(own), IpAddr::V4(other)) => (u128::from(own.to_bits()), u128::from(other.to_bits()), 32),
        (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits(), other.to_bits(), 128),
        _ => return false,
    };
    let rest = width - bits.min(width);
    bits <= width && (rest == 128 || own >> rest == other >> rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_direct_where_the_list_says_so() {
        for (list, server, expected) in [
            ("127.0.0.1,localhost", "https://127.0.0.1:6443", true),
            ("10.0.0.0/8", "https://10.1.2.3", true),
            ("10.0.0.0/8", "https://11.1.2.3", false),
            ("fd00::/8", "https://[fd12::1]:6443", true),
            (".eks.amazonaws.com", "https://ABC.gr7.us-east-1.eks.amazonaws.com", true),
            ("eks.amazonaws.com", "https://abc.eks.amazonaws.com", true),
            (".example.com", "https://example.com", false),
            ("example.com", "https://notexample.com", false),
            ("example.com:6443", "https://example.com:6443", true),
            ("example.com:6443", "https://example.com", false),
            ("*", "https://example.com", true),
            ("", "https://example.com", false),
            ("proxy.corp", "https://example.com", false),
            ("", "https://127.0.0.1:6443", true),
            ("", "https://localhost:6443", true),
            ("", "https://[::1]:6443", true),
            ("", "https://localhost.example.com", false),
        ] {
            assert_eq!(is_direct(list, &server.parse().unwrap()), expected, "{list:?} {server}");
        }
    }
}
