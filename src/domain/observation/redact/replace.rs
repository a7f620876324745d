//! What is put in place of a find, or that it is left: decided by the words around it and the look of the value.

use regex::Captures;

use super::expressions::{expression, issued_group};
use super::issued::ISSUED;
use super::look::{is_empty_word, is_inside_of_mark, is_login, is_mark_in, is_marked, is_random, is_token, is_trace};
use super::patterns::Pattern;
use super::prose;

/// The text with a pattern's finds replaced, and how many; `None` when it found nothing.
pub(super) fn replace(pattern: Pattern, text: &str) -> Option<(String, u32)> {
    let mut count = 0;
    let replaced = expression(pattern).replace_all(text, |found: &Captures| match replacement(pattern, found) {
        Some(with) => {
            count += 1;
            with
        }
        None => found.get(0).map_or("", |whole| whole.as_str()).to_owned(),
    });
    (count > 0).then(|| (replaced.into_owned(), count))
}

fn replacement(pattern: Pattern, found: &Captures) -> Option<String> {
    let part = |name| found.name(name).map_or("", |part| part.as_str());
    match pattern {
        Pattern::PrivateKey => Some("[redacted:private-key]".to_owned()),
        Pattern::SlackWebhook => Some("[redacted:slack-webhook]".to_owned()),
        Pattern::Jwt => Some(format!("{}[redacted:jwt]", part("open"))),
        Pattern::Issued => {
            let family = ISSUED.iter().enumerate().find(|(at, _)| found.name(&issued_group(*at)).is_some());
            family.map(|(_, family)| format!("{}[redacted:{}]", part("open"), family.kind))
        }
        Pattern::Header | Pattern::Cookie | Pattern::Pair | Pattern::Element | Pattern::Login | Pattern::Connection
            if is_mark_in(part("lead"), part("value")) =>
        {
            None
        }
        Pattern::Header if found.name("params").is_some() => Some(format!("{}[redacted:authorization]", part("all"))),
        Pattern::Header if found.name("basic").is_some() => {
            is_login(part("value")).then(|| format!("{}[redacted:authorization]{}", part("lead"), part("end")))
        }
        Pattern::Header => {
            let ends = found.name("end").is_some();
            let hide =
                authorizes(part("scheme"), part("value"), (found.name("key").or(found.name("known")).is_some(), ends));
            hide.then(|| format!("{}[redacted:authorization]{}", part("lead"), part("end")))
        }
        Pattern::Cookie if found.name("list").is_some() => {
            let all = format!("{}{}", part("items"), part("row"));
            let told = all.contains('=') || all.split(',').any(|item| is_token(item.trim(), 16));
            told.then(|| format!("{}{}[redacted:cookie]", part("list"), part("quote")))
        }
        Pattern::Cookie => {
            let hide =
                !part("value").is_empty() || is_token(part("word"), 16) && !is_mark_in(part("lead"), part("word"));
            hide.then(|| format!("{}[redacted:cookie]", part("lead")))
        }
        // A figure among others has a name and a value as well.
        Pattern::Pair if part("value").bytes().all(|b| b.is_ascii_digit() || b == b'.') => None,
        Pattern::Pair | Pattern::Flag => flag(part("lead"), Value::of(part("value"))),
        Pattern::Element => flag(part("lead"), Value::of(part("value"))).map(|hidden| format!("{hidden}</")),
        Pattern::Login | Pattern::Connection => Some(format!("{}[redacted:password]{}", part("lead"), part("end"))),
        Pattern::UrlPassword => address(found),
        Pattern::Assignment => {
            let (sign, value) = [("in_quotes", "sure"), ("plain", "loose")]
                .map(|(sign, value)| (part(sign), part(value)))
                .into_iter()
                .find(|(_, value)| !value.is_empty())?;
            if sign.contains(',') && !is_random(value) {
                return None;
            }
            assignment(part("key"), sign, Value::of(value))
        }
        Pattern::Encoded => encoded(part("key"), part("sign"), part("value")),
        Pattern::Prose => prose::replacement(found),
    }
}

/// What is hidden of an address: the token in place of a name, or the password behind one, encoded or not.
fn address(found: &Captures) -> Option<String> {
    let part = |name| found.name(name).map(|part| part.as_str());
    if let Some(user) = part("user") {
        return is_random(user).then(|| format!("{}[redacted:secret]@", part("before").unwrap_or_default()));
    }
    if let Some(encoded) = part("encoded") {
        return Some(format!("{encoded}[redacted:password]%40"));
    }
    let lead = part("lead")?;
    (!lead.ends_with(super::MARK)).then(|| format!("{lead}[redacted:password]@"))
}

/// Whether the value of an authorization is hidden:
/// 1. what looks like a token is, unless it is the id of a trace behind prose (`denied 4bf92f35..`, `trace 4bf92f35..`);
/// 2. anything is that stands alone behind a scheme, as in a header: where the scheme begins with a capital, or the key
///    stands in quotes;
/// 3. anything is that stands alone without a scheme, where the key stands in quotes.
fn authorizes(scheme: &str, value: &str, (quoted, ends): (bool, bool)) -> bool {
    const PROSE: [&str; 10] =
        ["trace", "traceid", "trace_id", "trace-id", "request", "request_id", "request-id", "for", "of", "user"];
    let prose = is_empty_word(scheme) || PROSE.iter().any(|word| scheme.eq_ignore_ascii_case(word));
    if !scheme.is_empty() && prose {
        return is_token(value, 16) && !is_trace(value);
    }
    let header = quoted || scheme.starts_with(|c: char| c.is_ascii_uppercase());
    let object = value.starts_with(['{', '[']);
    is_token(value, 16) || ends && header && !object && !is_empty_word(value)
}

/// A value as it was written.
#[derive(Clone, Copy)]
struct Value<'a> {
    /// The quote before it, `\"` for one of JSON inside of JSON; empty where it stands bare.
    quote: &'a str,
    text: &'a str,
}

impl<'a> Value<'a> {
    fn of(written: &'a str) -> Self {
        let inside = written.trim_start_matches('\\');
        let opens = inside.starts_with(['"', '\'']).then_some(written.len() - inside.len() + 1);
        let (quote, text) = written.split_at(opens.unwrap_or(0));
        Self { quote, text }
    }

    /// Its first word: of a sentence in quotes that tells what was wrong, the rest says nothing more.
    fn word(self) -> &'a str {
        self.text.split_whitespace().next().unwrap_or_default()
    }

    /// A mark in quotes is one from end to end: what stands behind it is part of the value.
    fn is_marked(self) -> bool {
        let ends = || self.text.strip_suffix(']').is_some_and(|inside| !inside.contains(']'));
        is_marked(self.text) && (self.quote.is_empty() || ends())
    }
}

fn flag(lead: &str, value: Value<'_>) -> Option<String> {
    let left = value.is_marked() || is_empty_word(value.word());
    (!left).then(|| format!("{lead}{}[redacted:secret]", value.quote))
}

/// What is hidden of `key = value`, decided by the key's word, the sign between and the look of the value:
/// 1. a word that says there is none (`null`, `missing`, `***`) is left, and a number that counts what passed;
/// 2. after a password word anything is hidden, after `pass` from four characters on;
/// 3. after another word and `=`, or inside quotes, anything of four characters and more;
/// 4. after another word and a bare `:` (prose: "unexpected token: string") only what has a digit or is long.
///
/// A value in quotes is hidden to the quote that closes it.
fn assignment(key: &str, sign: &str, value: Value<'_>) -> Option<String> {
    let (lower, word) = (key.to_ascii_lowercase(), value.word());
    if value.is_marked() || is_empty_word(word) {
        return None;
    }
    let pass = lower.ends_with("pass");
    let password = pass || ["password", "passwd", "passphrase", "pwd"].iter().any(|word| lower.ends_with(word));
    if is_inside_of_mark(sign, value.text) || is_harmless(&lower, value.text) {
        return None;
    }
    let quoted = !value.quote.is_empty() || sign.contains(['"', '\'']);
    let written = sign.contains('=') || quoted;
    let counted = pass && value.quote.is_empty() && sign.contains('"') && word.bytes().all(|b| b.is_ascii_digit());
    let hide = match (password, written) {
        _ if counted => false,
        (true, true) => !pass || value.text.len() >= 4,
        (true, false) => value.text.len() >= 4,
        (false, true) => {
            // "Unexpected token: "end of file"" is prose.
            let prose = lower.ends_with("token") && !sign.contains(['=', '"', '\'']);
            let length = if value.quote.is_empty() || prose { word.len() } else { value.text.len() };
            length >= 4 || is_token(value.text, usize::MAX)
        }
        (false, false) => is_token(value.text, 16),
    };
    let kind = if password { "password" } else { "secret" };
    hide.then(|| format!("{key}{sign}{}[redacted:{kind}]", value.quote))
}

/// What is hidden of `key%3Dvalue`, the same as of an assignment: up to what ends a value where it is written out (`"`, `&`,
/// `,`, `}`, a blank), each as such or encoded.
fn encoded(key: &str, sign: &str, value: &str) -> Option<String> {
    const ENDS: [&str; 8] = ["%22", "%26", "%2c", "%7d", "%20", "%0a", "%3b", "%25"];
    if !sign.contains('%') {
        return None;
    }
    let lower = value.to_ascii_lowercase();
    let end = ENDS.iter().filter_map(|end| lower.find(end)).min().unwrap_or(value.len());
    let (value, rest) = value.split_at(end);
    if key.eq_ignore_ascii_case("authorization") {
        return is_token(value, 16).then(|| format!("{key}{sign}[redacted:authorization]{rest}"));
    }
    assignment(key, "=", Value::of(value))?;
    Some(format!("{key}{sign}[redacted:secret]{rest}"))
}

/// What a key of such a name holds that is no secret: a folder (`PWD=/usr/src/app`), a number of tokens, the name of an
/// algorithm (`signature=SHA256withRSA`).
fn is_harmless(key: &str, value: &str) -> bool {
    const COUNTS: [&str; 10] =
        ["max", "min", "total", "num", "count", "input", "output", "prompt", "completion", "used"];
    let digits = value.bytes().all(|b| b.is_ascii_digit());
    let counts = key.ends_with("token") && digits && key.split(['_', '.', '-']).any(|part| COUNTS.contains(&part));
    let algorithm = ["withrsa", "withecdsa", "withdsa"];
    matches!(key, "pwd" | "oldpwd") && value.starts_with('/')
        || counts
        || key.ends_with("signature") && algorithm.iter().any(|end| value.to_ascii_lowercase().ends_with(end))
}
