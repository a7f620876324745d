//! The patterns behind [`super::redact`]: the literals that call for them, the expressions, and what they replace.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::{Captures, Regex};

/// Characters in a full line of a PEM block.
pub(super) const KEY_MATERIAL_LENGTH: usize = 64;

/// A family of secrets with one expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    PrivateKey,
    SlackWebhook,
    Issued,
    Jwt,
    Header,
    Cookie,
    UrlPassword,
    Flag,
    Assignment,
}

impl Pattern {
    /// In the order they run: the specific before the general, so that the kind named is the best one.
    pub(super) const ALL: [Self; 9] = [
        Self::PrivateKey,
        Self::SlackWebhook,
        Self::Issued,
        Self::Jwt,
        Self::Header,
        Self::Cookie,
        Self::UrlPassword,
        Self::Flag,
        Self::Assignment,
    ];
}

/// A set of patterns worth running.
#[derive(Clone, Copy, Default)]
pub(super) struct Candidates(u16);

impl Candidates {
    pub(super) fn contains(self, pattern: Pattern) -> bool {
        self.0 & (1 << pattern as u16) != 0
    }

    fn add(&mut self, pattern: Pattern) {
        self.0 |= 1 << pattern as u16;
    }
}

/// Literals, without case, each with the pattern it calls for.
pub(super) const LITERALS: &[(&str, Pattern)] = &[
    ("PRIVATE KEY", Pattern::PrivateKey),
    ("hooks.slack", Pattern::SlackWebhook),
    ("AKIA", Pattern::Issued),
    ("ASIA", Pattern::Issued),
    ("xox", Pattern::Issued),
    ("xapp-", Pattern::Issued),
    ("ghp_", Pattern::Issued),
    ("gho_", Pattern::Issued),
    ("ghu_", Pattern::Issued),
    ("ghs_", Pattern::Issued),
    ("ghr_", Pattern::Issued),
    ("github_pat_", Pattern::Issued),
    ("glpat-", Pattern::Issued),
    ("npm_", Pattern::Issued),
    ("pypi-", Pattern::Issued),
    ("k_live_", Pattern::Issued),
    ("sk-", Pattern::Issued),
    ("AIza", Pattern::Issued),
    ("eyJ", Pattern::Jwt),
    ("bearer", Pattern::Header),
    ("authorization", Pattern::Header),
    ("cookie", Pattern::Cookie),
    ("://", Pattern::UrlPassword),
    ("password", Pattern::Assignment),
    ("passwd", Pattern::Assignment),
    ("passphrase", Pattern::Assignment),
    ("pwd", Pattern::Assignment),
    ("secret", Pattern::Assignment),
    ("token", Pattern::Assignment),
    ("api_key", Pattern::Assignment),
    ("api-key", Pattern::Assignment),
    ("apikey", Pattern::Assignment),
    ("access_key", Pattern::Assignment),
    ("accesskey", Pattern::Assignment),
    ("accountkey", Pattern::Assignment),
    ("private_key", Pattern::Assignment),
    ("credential", Pattern::Assignment),
    ("signature", Pattern::Assignment),
];

#[expect(clippy::expect_used, reason = "constant literals, built in every test")]
static PREFILTER: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA))
        .build(LITERALS.iter().map(|(literal, _)| literal))
        .expect("the literals are constant")
});

/// Which patterns may find something in a text.
pub(super) fn candidates(text: &str) -> Candidates {
    let mut found = Candidates::default();
    for hit in PREFILTER.find_overlapping_iter(text) {
        let Some((_, pattern)) = LITERALS.get(hit.pattern().as_usize()) else { continue };
        match pattern {
            Pattern::UrlPassword if !text.contains('@') => {}
            Pattern::Assignment => {
                found.add(Pattern::Assignment);
                found.add(Pattern::Flag);
            }
            pattern => found.add(*pattern),
        }
    }
    found
}

#[expect(clippy::expect_used, reason = "constant expressions, built in every test")]
fn regex(expression: &str) -> Regex {
    Regex::new(expression).expect("the expression is constant")
}

static PRIVATE_KEY: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"(?s)-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\z)")
});
static SLACK_WEBHOOK: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i)https?://hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]+"));
static ISSUED: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"\b(?:(?P<aws>(?:AKIA|ASIA)[A-Z0-9]{16})|(?P<slack>xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,})",
        r"|(?P<github>gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,})",
        r"|(?P<key>glpat-[A-Za-z0-9_-]{20,}|npm_[A-Za-z0-9]{36,}|pypi-[A-Za-z0-9_-]{40,}|[rs]k_live_[A-Za-z0-9]{16,}",
        r"|sk-[A-Za-z0-9_-]{20,}|AIza[A-Za-z0-9_-]{35}))"
    ))
});
static JWT: LazyLock<Regex> =
    LazyLock::new(|| regex(r"\beyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]{4,})(?:\.[A-Za-z0-9_-]*){0,3}"));
static HEADER: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r#"(?i)(?P<lead>\bauthorization\\?["']?\s*[:=]\s*\\?["']?(?:basic|bearer|token|digest|aws4-hmac-sha256)?\s*|\bbearer\s+)"#,
        r#"(?P<value>[^\s"',;\\]{6,})"#
    ))
});
static COOKIE: LazyLock<Regex> = LazyLock::new(|| {
    regex(r#"(?i)(?P<lead>\b(?:set-)?cookie\\?["']?\s*[:=]\s*\\?["']?)(?P<value>[^"'\\\[\s][^"'\\\n]*)"#)
});
static URL_PASSWORD: LazyLock<Regex> = LazyLock::new(|| {
    regex(r#"(?i)(?P<lead>\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@"]*:)(?P<value>[^\s@/\["][^\s@"]{0,200})@"#)
});
static FLAG: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r#"(?i)(?P<lead>--?(?:password|passwd|passphrase|token|secret|api-?key)[ =]["']?)(?P<value>[^\s"'\-\[][^\s"']*)"#,
    )
});
static ASSIGNMENT: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"(?i)(?P<key>[a-z0-9_.-]{0,64}(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key(?:[_-]?id)?",
        r"|account[_-]?key|private[_-]?key|credentials?|signature))",
        r#"(?P<sep>\\?["']?\s*(?:=>|=|:)\s*\\?["']?)(?P<value>[^\s"'\\,;&}\])]+)"#
    ))
});

/// The text with a pattern's finds replaced, and how many; `None` when it found nothing.
pub(super) fn replace(pattern: Pattern, text: &str) -> Option<(String, u32)> {
    let regex: &Regex = match pattern {
        Pattern::PrivateKey => &PRIVATE_KEY,
        Pattern::SlackWebhook => &SLACK_WEBHOOK,
        Pattern::Issued => &ISSUED,
        Pattern::Jwt => &JWT,
        Pattern::Header => &HEADER,
        Pattern::Cookie => &COOKIE,
        Pattern::UrlPassword => &URL_PASSWORD,
        Pattern::Flag => &FLAG,
        Pattern::Assignment => &ASSIGNMENT,
    };
    let mut count = 0;
    let replaced = regex.replace_all(text, |found: &Captures| match replacement(pattern, found) {
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
        Pattern::Jwt => Some("[redacted:jwt]".to_owned()),
        Pattern::Issued => {
            let kinds = [("aws", "aws-key"), ("slack", "slack-token"), ("github", "github-token"), ("key", "api-key")];
            kinds.iter().find(|(group, _)| found.name(group).is_some()).map(|(_, kind)| format!("[redacted:{kind}]"))
        }
        Pattern::Header => is_token(part("value"), 16).then(|| format!("{}[redacted:authorization]", part("lead"))),
        Pattern::Cookie => (!is_marked(part("value"))).then(|| format!("{}[redacted:cookie]", part("lead"))),
        Pattern::UrlPassword => Some(format!("{}[redacted:password]@", part("lead"))),
        Pattern::Flag => (!is_marked(part("value"))).then(|| format!("{}[redacted:secret]", part("lead"))),
        Pattern::Assignment => assignment(part("key"), part("sep"), part("value")),
    }
}

/// What is hidden of `key = value`, decided by the key's word, the sign between and the look of the value:
/// 1. a word that says there is none (`null`, `missing`, `***`) is left;
/// 2. after a password word anything is hidden;
/// 3. after another word and `=`, or inside quotes, anything of four characters and more;
/// 4. after another word and a bare `:` (prose: "unexpected token: string") only what has a digit or is long.
fn assignment(key: &str, sep: &str, value: &str) -> Option<String> {
    let lower = key.to_ascii_lowercase();
    if is_marked(value) || is_empty_word(value) {
        return None;
    }
    let password = ["password", "passwd", "passphrase", "pwd"].iter().any(|word| lower.ends_with(word));
    let quoted = sep.contains(['"', '\'']);
    let written = sep.contains('=') || quoted;
    let hide = if password {
        written || value.len() >= 4
    } else if written {
        value.len() >= 4
    } else {
        is_token(value, 16)
    };
    let kind = if password { "password" } else { "secret" };
    hide.then(|| format!("{key}{sep}[redacted:{kind}]"))
}

fn is_marked(value: &str) -> bool {
    value.starts_with("[redacted:")
}

fn is_token(value: &str, long: usize) -> bool {
    !is_marked(value) && (value.len() >= long || (value.len() >= 6 && value.bytes().any(|b| b.is_ascii_digit())))
}

fn is_empty_word(value: &str) -> bool {
    const WORDS: [&str; 20] = [
        "null",
        "nil",
        "none",
        "true",
        "false",
        "empty",
        "missing",
        "invalid",
        "required",
        "incorrect",
        "expired",
        "unset",
        "undefined",
        "wrong",
        "rejected",
        "denied",
        "failed",
        "not",
        "must",
        "redacted",
    ];
    let bare = value.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    bare.is_empty() || WORDS.iter().any(|word| bare.eq_ignore_ascii_case(word))
}
