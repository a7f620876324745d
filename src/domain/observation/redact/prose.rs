//! Secrets in sentences: `token is ..`, `invalid API key provided: ..`, `authorization: invalid token ..`.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::expressions::regex;
use super::look::{is_empty_word, is_random, is_token};

/// A word for a secret, up to five words that lead on to its value, and the value: never with a sign between, which is an
/// assignment's.
pub(super) static PROSE: LazyLock<Regex> = LazyLock::new(|| {
    let words = "password|passwd|passphrase|passcode|token|api[ _-]?key|access[_-]?key|authorization|bearer";
    let links = concat!(
        "is|was|has|value|header|string|the|a|an|invalid|bad|wrong|incorrect|expired|unknown|malformed|unrecognized|provided",
        "|supplied|given|received|presented|used|using|token|api[ _-]?key|apikey|bearer|basic|password|credential|scheme|set to"
    );
    let value = r#"(?P<quote>\\*["'`])?(?P<value>[a-z0-9+/_~.=$!%^*-]+)"#;
    regex(&format!(r"(?i)(?P<lead>(?P<word>{words}):?(?P<links>(?:\s+(?:{links}):?){{0,5}})\s+){value}"))
});

/// What stands in place of a find:
/// 1. behind a password word and `is`, `was` or `set to`: anything with a digit, and what stands in quotes;
/// 2. behind any other: what looks as if made by chance, and no word or number of prose (`token bucket`, `token 12`).
pub(super) fn replacement(found: &Captures) -> Option<String> {
    let part = |name| found.name(name).map_or("", |part| part.as_str());
    let (word, links, value) = (part("word").to_ascii_lowercase(), part("links").to_ascii_lowercase(), part("value"));
    let is_password = word.starts_with("pass") || links.ends_with("password");
    let tells = ["is", "was", "set to"].iter().any(|link| links.trim_end_matches(':').ends_with(link));
    let in_quotes = found.name("quote").is_some();
    let hide = match (is_password, tells || in_quotes) {
        _ if is_empty_word(value) => false,
        (true, true) => in_quotes && tells && value.len() >= 4 || is_token(value, usize::MAX),
        (true, false) | (false, true | false) => is_random(value),
    };
    let kind = match () {
        () if is_password => "password",
        () if word == "authorization" || word == "bearer" => "authorization",
        () => "secret",
    };
    hide.then(|| format!("{}{}[redacted:{kind}]", part("lead"), part("quote")))
}
