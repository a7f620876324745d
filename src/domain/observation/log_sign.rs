//! What a log line tells of trouble that the level alone does not: a dependency that fails, a configuration that is
//! wrong, a flood that is fended off. Counted over all lines of a window, so that rules see figures and no text.

mod whom;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::log::{LogLevel, LogLine};
use super::wording::automaton;

pub use whom::whom;

/// A kind of trouble that lines tell of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogSign {
    /// Something the process calls refuses, does not resolve, or does not answer.
    Dependency,
    /// A setting, file, flag or reference that the process needs is missing or wrong.
    Configuration,
    /// Requests are turned away because there are too many of them.
    Flood,
}

impl LogSign {
    /// The word on screen and in facts.
    pub fn word(self) -> &'static str {
        match self {
            Self::Dependency => "dependency",
            Self::Configuration => "configuration",
            Self::Flood => "flood",
        }
    }

    /// What it is, in a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Dependency => "a failing dependency",
            Self::Configuration => "a wrong configuration",
            Self::Flood => "requests turned away",
        }
    }
}

/// How many lines carry a sign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignCount {
    /// Which.
    pub sign: LogSign,
    /// Lines.
    pub lines: u64,
    /// First seen.
    pub first_at: Timestamp,
    /// Last seen.
    pub last_at: Timestamp,
    /// One line as an example, sanitised and redacted.
    pub example: String,
}

/// Wordings of runtimes, drivers and proxies, compared without case. What clients do to us (`reset by peer`, `broken
/// pipe`) is left out: it tells of them.
const WORDINGS: &[(&str, LogSign)] = &[
    ("connection refused", LogSign::Dependency),
    ("econnrefused", LogSign::Dependency),
    ("enotfound", LogSign::Dependency),
    ("etimedout", LogSign::Dependency),
    ("ehostunreach", LogSign::Dependency),
    ("eai_again", LogSign::Dependency),
    ("no such host", LogSign::Dependency),
    ("unknownhostexception", LogSign::Dependency),
    ("name resolution", LogSign::Dependency),
    ("name or service not known", LogSign::Dependency),
    ("unable to resolve", LogSign::Dependency),
    ("lookup failed", LogSign::Dependency),
    ("could not translate host name", LogSign::Dependency),
    ("server misbehaving", LogSign::Dependency),
    ("downstreamunavailable", LogSign::Dependency),
    ("upstream unavailable", LogSign::Dependency),
    ("server selection timed out", LogSign::Dependency),
    ("database system is starting up", LogSign::Dependency),
    ("database system is shutting down", LogSign::Dependency),
    ("read-only transaction", LogSign::Dependency),
    ("deadlock detected", LogSign::Dependency),
    ("deadlock found", LogSign::Dependency),
    ("lock wait timeout exceeded", LogSign::Dependency),
    ("too many clients already", LogSign::Dependency),
    ("could not resolve host", LogSign::Dependency),
    ("no route to host", LogSign::Dependency),
    ("connection timed out", LogSign::Dependency),
    ("connect timed out", LogSign::Dependency),
    ("connect timeout", LogSign::Dependency),
    ("connection timeout", LogSign::Dependency),
    ("read timed out", LogSign::Dependency),
    ("sockettimeoutexception", LogSign::Dependency),
    ("readtimeout", LogSign::Dependency),
    ("deadline exceeded", LogSign::Dependency),
    ("i/o timeout", LogSign::Dependency),
    ("tls handshake timeout", LogSign::Dependency),
    ("upstream timed out", LogSign::Dependency),
    ("upstream request timeout", LogSign::Dependency),
    ("no healthy upstream", LogSign::Dependency),
    ("upstream connect error", LogSign::Dependency),
    ("circuit breaker is open", LogSign::Dependency),
    ("circuitbreaker", LogSign::Dependency),
    ("circuit open", LogSign::Dependency),
    ("does not permit further calls", LogSign::Dependency),
    ("too many connections", LogSign::Dependency),
    ("remaining connection slots", LogSign::Dependency),
    ("connection is not available", LogSign::Dependency),
    ("connection pool exhausted", LogSign::Dependency),
    ("connection pool timeout", LogSign::Dependency),
    ("timeout waiting for connection", LogSign::Dependency),
    ("timed out waiting for a connection", LogSign::Dependency),
    ("failed to connect to", LogSign::Dependency),
    ("could not connect to", LogSign::Dependency),
    ("unable to connect to", LogSign::Dependency),
    ("lost connection to", LogSign::Dependency),
    ("dependency unavailable", LogSign::Dependency),
    ("communications link failure", LogSign::Dependency),
    ("broker not available", LogSign::Dependency),
    ("provisionedthroughputexceeded", LogSign::Dependency),
    ("missing required", LogSign::Configuration),
    ("required env", LogSign::Configuration),
    ("must be set", LogSign::Configuration),
    ("not found in environment", LogSign::Configuration),
    ("environment variable", LogSign::Configuration),
    ("could not resolve placeholder", LogSign::Configuration),
    ("invalid configuration", LogSign::Configuration),
    ("configuration error", LogSign::Configuration),
    ("configurationexception", LogSign::Configuration),
    ("failed to load config", LogSign::Configuration),
    ("failed to parse config", LogSign::Configuration),
    ("could not load config", LogSign::Configuration),
    ("cannot read config", LogSign::Configuration),
    ("config file not found", LogSign::Configuration),
    ("missing config", LogSign::Configuration),
    ("unknown flag", LogSign::Configuration),
    ("unrecognized option", LogSign::Configuration),
    ("unrecognised option", LogSign::Configuration),
    ("unknown option", LogSign::Configuration),
    ("executable file not found", LogSign::Configuration),
    ("exec format error", LogSign::Configuration),
    ("address already in use", LogSign::Configuration),
    ("migration failed", LogSign::Configuration),
    ("password authentication failed", LogSign::Configuration),
    ("access denied for user", LogSign::Configuration),
    ("rate limit exceeded", LogSign::Flood),
    ("rate limited", LogSign::Flood),
    ("ratelimit", LogSign::Flood),
    ("too many requests", LogSign::Flood),
    ("limiting requests", LogSign::Flood),
    ("request queue full", LogSign::Flood),
    ("blocked by waf", LogSign::Flood),
    ("load shedding", LogSign::Flood),
    ("syn flood", LogSign::Flood),
];

static AUTOMATON: LazyLock<AhoCorasick> = LazyLock::new(|| automaton(WORDINGS.iter().map(|(wording, _)| *wording)));

/// Wordings that name a setting as well as what goes wrong: an informative line with one only says that it was read.
const SETTINGS: [&str; 5] = ["circuitbreaker", "connection timeout", "connect timeout", "readtimeout", "ratelimit"];

/// The sign a line carries. A debug line tells of nothing, and an informative one of a configuration only says that it
/// was read. A header that tells what is left (`x-ratelimit-remaining`) and a breaker that closes again are none.
pub fn sign(text: &str, level: LogLevel) -> Option<LogSign> {
    AUTOMATON.find_iter(text).find_map(|found| {
        let (wording, sign) = WORDINGS.get(found.pattern().as_usize())?;
        let setting = SETTINGS.contains(wording);
        let header = text[..found.start()].ends_with('-') && text[found.end()..].starts_with('-');
        let closes = *wording == "circuitbreaker" && text.to_ascii_lowercase().contains("to closed");
        match (level, sign) {
            (LogLevel::Debug, _) | (LogLevel::Info, LogSign::Configuration) => None,
            (LogLevel::Info, _) if setting => None,
            (LogLevel::Info | LogLevel::Warn | LogLevel::Error, _) if header || closes => None,
            (LogLevel::Info | LogLevel::Warn | LogLevel::Error, sign) => Some(*sign),
        }
    })
}

/// Counts the signs of lines, one line after another.
#[derive(Clone, Debug, Default)]
pub struct SignTally(BTreeMap<LogSign, SignCount>);

/// The longest example kept, in characters.
const EXAMPLE: usize = 200;

impl SignTally {
    /// Counts a line.
    pub fn add(&mut self, line: &LogLine) {
        let Some(sign) = sign(&line.text, line.level) else { return };
        let count = self.0.entry(sign).or_insert_with(|| SignCount {
            sign,
            lines: 0,
            first_at: line.at,
            last_at: line.at,
            example: line.text.chars().take(EXAMPLE).collect(),
        });
        count.lines += 1;
        count.first_at = count.first_at.min(line.at);
        count.last_at = count.last_at.max(line.at);
    }

    /// The counts, in the order of the signs.
    pub fn counts(&self) -> Vec<SignCount> {
        self.0.values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn signs_and_their_traps() {
        use LogLevel::{Debug, Error, Info, Warn};
        use LogSign::{Configuration, Dependency, Flood};
        for (text, level, expected) in [
            ("Error: getaddrinfo ENOTFOUND ledger.shop.svc", Error, Some(Dependency)),
            ("dial tcp 10.0.3.7:5432: connect: connection refused", Error, Some(Dependency)),
            ("HikariPool-1 - Connection is not available, request timed out after 30000ms.", Warn, Some(Dependency)),
            ("rpc error: code = DeadlineExceeded desc = context deadline exceeded", Error, Some(Dependency)),
            ("upstream timed out (110) while reading response header", Error, Some(Dependency)),
            ("panic: missing required environment variable DATABASE_URL", Error, Some(Configuration)),
            ("Could not resolve placeholder 'payments.key' in value", Error, Some(Configuration)),
            ("429 Too Many Requests from 203.0.113.9", Warn, Some(Flood)),
            ("read environment variable LOG_LEVEL", Info, None),
            ("GET /v1/orders 200 x-ratelimit-remaining: 4999", Info, None),
            ("WARN x-ratelimit-remaining: 0, rate limit exceeded", Warn, Some(Flood)),
            ("RateLimiter configured permits=100", Info, None),
            ("RateLimiter 'orders' does not permit further calls", Warn, Some(Flood)),
            ("CircuitBreaker ledger changed state from OPEN to CLOSED", Warn, None),
            ("CircuitBreaker 'ledger' is OPEN and does not permit further calls", Info, Some(Dependency)),
            ("HikariPool - connection timeout: 30000", Info, None),
            ("retry after connection refused", Debug, None),
            ("dns: unable to resolve ledger.shop.svc; retrying", Warn, Some(Dependency)),
            ("ERROR: deadlock detected DETAIL: Process 12 waits for ShareLock", Error, Some(Dependency)),
            ("FATAL required env var LEDGER_URL is not set", Error, Some(Configuration)),
            ("Connection reset by peer", Warn, None),
            ("write: broken pipe", Error, None),
            ("GET /v1/orders 200 41ms", Info, None),
        ] {
            assert_eq!(sign(text, level), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>()) {
            let _ = (sign(&text, LogLevel::Error), crate::domain::observation::oom_kill::sign(&text));
        }
    }
}
