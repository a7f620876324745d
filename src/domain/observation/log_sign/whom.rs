//! Whom a line of a failing dependency names: a host, wherever runtimes and drivers put it.

use std::sync::LazyLock;

use regex::Regex;

/// The longest name that is told.
const LONGEST: usize = 80;

/// The host that a line names as what does not answer.
///
/// 1. The host of a URL.
/// 2. What could not be resolved.
/// 3. A name with a port, and then an address with one. A line of source (`client.go:88`) is none.
pub fn whom(text: &str) -> Option<&str> {
    let found = EXPRESSIONS.iter().find_map(|expression| {
        expression
            .captures_iter(text)
            .filter_map(|found| found.get(1))
            .map(|name| name.as_str())
            .find(|name| is_host(name))
    })?;
    Some(found.trim_end_matches('.'))
}

fn is_host(name: &str) -> bool {
    let is_source = SOURCES.iter().any(|ending| name.ends_with(ending));
    !is_source && name.len() <= LONGEST && name.bytes().any(|byte| byte.is_ascii_alphanumeric())
}

const SOURCES: [&str; 12] = [".go", ".java", ".kt", ".py", ".rb", ".js", ".ts", ".rs", ".cs", ".php", ".cpp", ".scala"];

#[expect(clippy::expect_used, reason = "constant expressions, built in every test")]
static EXPRESSIONS: LazyLock<[Regex; 4]> = LazyLock::new(|| {
    [
        r"[A-Za-z][A-Za-z0-9+.-]*://(?:[^@/\s]*@)?([A-Za-z0-9._-]+)",
        r#"(?i)(?:\blookup|unknownhostexception:|\benotfound|host name|resolve host:?|getaddrinfo(?: \w+)?)\s+["']?([A-Za-z0-9][A-Za-z0-9._-]*)"#,
        r"(?:^|[^A-Za-z0-9._/-])([A-Za-z0-9._-]*[A-Za-z][A-Za-z0-9._-]*):\d{2,5}\b",
        r"(?:^|[^0-9.])(\d{1,3}(?:\.\d{1,3}){3}):\d{2,5}\b",
    ]
    .map(|text| Regex::new(text).expect("the expression is constant"))
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_named_by_url_by_lookup_and_by_port() {
        for (text, expected) in [
            ("POST http://ledger.payments.svc:8080/v1: connection refused", Some("ledger.payments.svc")),
            ("could not connect to postgres://app@db.internal/orders", Some("db.internal")),
            ("dial tcp: lookup redis on 10.0.0.10:53: no such host", Some("redis")),
            ("java.net.UnknownHostException: ledger.payments", Some("ledger.payments")),
            ("Error: getaddrinfo ENOTFOUND ledger.payments.svc", Some("ledger.payments.svc")),
            ("could not translate host name \"db-1\" to address", Some("db-1")),
            ("client.go:88 connect ledger-db:5432 timed out", Some("ledger-db")),
            ("09:30:51 dial tcp 10.0.3.7:5432: i/o timeout", Some("10.0.3.7")),
            ("circuit breaker is open", None),
            ("Worker.java:120 read timed out", None),
        ] {
            assert_eq!(whom(text), expected, "{text}");
        }
    }
}
