//! The patterns behind [`super::redact`]: the literals that call for them, the expressions, and what they replace.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::{Captures, Regex};

/// Characters in a full line of a block of a key: 64 in PEM, 70 as OpenSSH writes it, 76 in MIME.
pub(super) const KEY_MATERIAL_LENGTHS: std::ops::RangeInclusive<usize> = 64..=76;

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
    Login,
    Pair,
    Element,
    Assignment,
}

impl Pattern {
    /// In the order they run: the specific before the general, so that the kind named is the best one.
    pub(super) const ALL: [Self; 12] = [
        Self::PrivateKey,
        Self::SlackWebhook,
        Self::Issued,
        Self::Jwt,
        Self::Header,
        Self::Cookie,
        Self::UrlPassword,
        Self::Flag,
        Self::Login,
        Self::Pair,
        Self::Element,
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
    ("access-key", Pattern::Assignment),
    ("accesskey", Pattern::Assignment),
    ("account_key", Pattern::Assignment),
    ("account-key", Pattern::Assignment),
    ("accountkey", Pattern::Assignment),
    ("private_key", Pattern::Assignment),
    ("private-key", Pattern::Assignment),
    ("privatekey", Pattern::Assignment),
    ("encryption_key", Pattern::Assignment),
    ("encryption-key", Pattern::Assignment),
    ("encryption.key", Pattern::Assignment),
    ("encryptionkey", Pattern::Assignment),
    ("signing_key", Pattern::Assignment),
    ("signing-key", Pattern::Assignment),
    ("signing.key", Pattern::Assignment),
    ("signingkey", Pattern::Assignment),
    ("master_key", Pattern::Assignment),
    ("master-key", Pattern::Assignment),
    ("masterkey", Pattern::Assignment),
    ("_pass", Pattern::Assignment),
    ("-pass", Pattern::Assignment),
    (".pass", Pattern::Assignment),
    ("\"pass", Pattern::Assignment),
    ("'pass", Pattern::Assignment),
    ("?pass", Pattern::Assignment),
    ("&pass", Pattern::Assignment),
    ("dbpass", Pattern::Assignment),
    ("?sig=", Pattern::Assignment),
    ("&sig=", Pattern::Assignment),
    ("credential", Pattern::Assignment),
    ("signature", Pattern::Assignment),
    ("curl ", Pattern::Login),
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
            Pattern::Assignment if found.contains(Pattern::Assignment) => {}
            Pattern::Assignment => {
                found.add(Pattern::Assignment);
                found.add(Pattern::Flag);
                if text.contains("alue") || text.contains("ALUE") {
                    found.add(Pattern::Pair);
                }
                if text.contains("</") {
                    found.add(Pattern::Element);
                }
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

/// A colour, as it came or as the sanitiser leaves it.
const COLOUR: &str = r"(?:\\x1b|\x1b)\[[0-9;]*m";

/// Where a word begins: also right behind an escaped line end and a colour, whose last letter would join it.
fn open() -> String {
    format!(r"(?P<open>\\[nrt]|{COLOUR}|\b)")
}

/// What stands between a key and its value: a sign, with colours around it.
fn sign() -> String {
    format!(r"(?:{COLOUR})*\s*(?:=>|=|:)\s*(?:{COLOUR})*")
}

static PRIVATE_KEY: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"(?s)-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\z)")
});
/// With the slashes as they stand in JSON (`\/`) or in a query (`%2F`), and without a scheme.
static SLACK_WEBHOOK: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"(?i)(?:https?:(?:\\{0,3}/|%2f){2})?hooks\.slack(?:-gov)?\.com(?:\\{0,3}/|%2f)(?:services|workflows|triggers)",
        r"(?:\\{0,3}/|%2f)[A-Za-z0-9_-]+(?:(?:\\{0,3}/|%2f)[A-Za-z0-9_-]*)*"
    ))
});
static ISSUED: LazyLock<Regex> = LazyLock::new(|| {
    let issued = concat!(
        r"(?:(?P<aws>(?:AKIA|ASIA)[A-Z0-9]{16})|(?P<slack>xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,})",
        r"|(?P<github>gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,})",
        r"|(?P<key>glpat-[A-Za-z0-9_-]{20,}|npm_[A-Za-z0-9]{36,}|pypi-[A-Za-z0-9_-]{40,}|[rs]k_live_[A-Za-z0-9]{16,}",
        r"|sk-[A-Za-z0-9_-]{20,}|AIza[A-Za-z0-9_-]{35}))"
    );
    regex(&format!("{}{issued}", open()))
});
static JWT: LazyLock<Regex> = LazyLock::new(|| {
    let token = r"eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]{4,})(?:\.[A-Za-z0-9_-]*){0,3}";
    regex(&format!("{}{token}", open()))
});
/// With any word as the scheme, and in the brackets in which languages print a header's values.
static HEADER: LazyLock<Regex> = LazyLock::new(|| {
    let authorization = format!(r#"authorization\\?["']?{}(?:\[\s*)?\\?["']?(?:[a-z][a-z0-9_-]{{1,30}}\s+)?"#, sign());
    let value = r#"(?P<value>[^\s"',;\\]{6,})"#;
    regex(&format!(r"(?i)(?P<lead>{}(?:{authorization}|bearer\s+)){value}", open()))
});
/// Several pairs to the closing quote or the end of the line, since values may hold blanks; one pair, or one word, alone.
static COOKIE: LazyLock<Regex> = LazyLock::new(|| {
    let lead = format!(r#"{}(?:set-)?cookies?\\?["']?{}(?:\[\s*)?\\?["']?"#, open(), sign());
    let pair = r#"(?:expires=[^;"'\\\n]*|[^\s=;,"'\\\[]+=[^\s;"'\\]*)"#;
    let several = r#"(?:[^"'\\\n;=]*=[^"'\\\n;]*;|[^\s"'\\;=]*;\s*[^\s"'\\;=]+=)[^"'\\\n]*"#;
    regex(&format!(r#"(?i)(?P<lead>{lead})(?:(?P<value>{several}|{pair})|(?P<word>[^\s;,"'\\\[\]]+))"#))
});
/// To the last `@` before the path: a password may have one itself, and so may a name (`me@example.com`). What begins with
/// digits and goes on with a path is a port.
static URL_PASSWORD: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r#"(?i)(?P<lead>\b[a-z][a-z0-9+.-]{1,20}://[^\s:/"]*:)"#,
        r#"(?P<value>(?:[0-9]*[^\s@/\["0-9?#,][^\s@"]*|[^\s@"/?#\[]+)(?:@[^\s@/?#"]*)*)@"#
    ))
});
/// `curl -u NAME:PASSWORD`.
static LOGIN: LazyLock<Regex> = LazyLock::new(|| {
    regex(r#"(?i)(?P<lead>\bcurl\s(?:[^|;]{0,400}\s)?(?:-u|--user)[ =]?\\?["']?[^\s:"'/]{1,64}:)(?P<value>[^\s"'\\]+)"#)
});
/// An environment printed as a list: `{"name":"DB_PASSWORD","value":"hunter2"}`, `{Name:DB_PASSWORD Value:hunter2}`.
static PAIR: LazyLock<Regex> = LazyLock::new(|| {
    let quote = r#"\\?["']?"#;
    let name = format!(r"\bname{quote}\s*[:=]\s*{quote}[a-z0-9_.-]{{0,64}}(?:{WORDS}|_pass){quote}");
    let value = format!(r"{}|{BARE}+", quoted(""));
    regex(&format!(r"(?i)(?P<lead>{name}\s*,?\s*{quote}value{quote}\s*[:=]\s*)(?P<value>{value})"))
});
/// `<password>hunter2</password>`.
static ELEMENT: LazyLock<Regex> = LazyLock::new(|| {
    let tag = format!(r"<[a-z0-9_.:-]{{0,40}}(?:{WORDS})(?:\s[^<>]{{0,80}})?>");
    regex(&format!(r"(?i)(?P<lead>{tag})(?P<value>[^<>\s][^<>]*)</"))
});
static FLAG: LazyLock<Regex> = LazyLock::new(|| {
    let words = r"(?:password|passwd|passphrase|pass|pwd|token|secret|(?:api|access|secret|private|encryption|signing)[_-]?key)";
    // The value of a flag is the next word, or the next item of a list: `["--password", "hunter2"]`.
    let sep = r#"(?:[ =]|\\?["']\s*,\s*)"#;
    let value = format!(r#"{}|[^\s"'\-\[][^\s"']*"#, quoted(r#"[^"'\\\n-]"#));
    regex(&format!(r"(?i)(?P<lead>--?(?:[a-z0-9_.-]{{0,40}}[_.-])?{words}{sep})(?P<value>{value})"))
});
/// What ends a bare value and begins none.
const BARE: &str = r#"[^\s"'\\,;&}\])]"#;
/// The words that make a secret of a value.
const WORDS: &str = concat!(
    r"password|passwd|passphrase|pwd|token|api[_-]?key|access[_-]?key(?:[_-]?id)?|account[_-]?key|credentials?",
    r"|secret(?:[_.-]?key(?:[_.-]?base)?)?|(?:private|master)[_-]?key|(?:encryption|signing)[_.-]?key|signature",
);
static ASSIGNMENT: LazyLock<Regex> = LazyLock::new(|| {
    let words = format!(r#"{WORDS}|["'?&_.-]pass|dbpass|[?&]sig"#);
    // Where the key stands in quotes, so does the value, and a quote behind the sign opens it. Else it may as well close
    // what the key stands in (`"msg":"wrong password:","user":..`): then a value has to follow it at once.
    let (sign, list) = (sign(), r"(?:\[\s*)?");
    let in_quotes = format!(r#"(?P<in_quotes>\\?["']{sign}{list})(?P<sure>{}|{BARE}+)"#, quoted(""));
    let plain = format!("(?P<plain>{sign}{list})(?P<loose>{}|{BARE}+)", quoted(BARE));
    regex(&format!("(?i)(?P<key>[a-z0-9_.-]{{0,64}}(?:{words}))(?:{in_quotes}|{plain})"))
});

/// A value in quotes, the opening one included: to its closing quote or the end of the line, past escaped quotes, and at
/// both levels of JSON inside of JSON.
fn quoted(first: &str) -> String {
    let (escaped, double, single) =
        (r#"(?:[^"\\\n]|\\\\\\"|\\[^"\n])"#, r#"(?:[^"\\\n]|\\[^\n])"#, r"(?:[^'\\\n]|\\[^\n])");
    let many = if first.is_empty() { "+" } else { "*" };
    format!(r#"\\"{first}{escaped}{many}|"{first}{double}{many}|'{first}{single}{many}"#)
}

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
        Pattern::Login => &LOGIN,
        Pattern::Pair => &PAIR,
        Pattern::Element => &ELEMENT,
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
        Pattern::Jwt => Some(format!("{}[redacted:jwt]", part("open"))),
        Pattern::Issued => {
            let kinds = [("aws", "aws-key"), ("slack", "slack-token"), ("github", "github-token"), ("key", "api-key")];
            let kind = kinds.iter().find(|(group, _)| found.name(group).is_some());
            kind.map(|(_, kind)| format!("{}[redacted:{kind}]", part("open")))
        }
        Pattern::Header | Pattern::Cookie | Pattern::Pair | Pattern::Element | Pattern::Login
            if is_mark_in(part("lead"), part("value")) =>
        {
            None
        }
        Pattern::Header => is_token(part("value"), 16).then(|| format!("{}[redacted:authorization]", part("lead"))),
        Pattern::Cookie => {
            let hide =
                !part("value").is_empty() || is_token(part("word"), 16) && !is_mark_in(part("lead"), part("word"));
            hide.then(|| format!("{}[redacted:cookie]", part("lead")))
        }
        // A figure among others has a name and a value as well.
        Pattern::Pair if part("value").bytes().all(|b| b.is_ascii_digit() || b == b'.') => None,
        Pattern::Pair | Pattern::Flag => flag(part("lead"), Value::of(part("value"))),
        Pattern::Element => flag(part("lead"), Value::of(part("value"))).map(|hidden| format!("{hidden}</")),
        Pattern::Login => Some(format!("{}[redacted:password]", part("lead"))),
        Pattern::UrlPassword => Some(format!("{}[redacted:password]@", part("lead"))),
        Pattern::Assignment => {
            let (sign, value) = [("in_quotes", "sure"), ("plain", "loose")]
                .map(|(sign, value)| (part(sign), part(value)))
                .into_iter()
                .find(|(_, value)| !value.is_empty())?;
            assignment(part("key"), sign, Value::of(value))
        }
    }
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
        let opens = [r#"\""#, "\"", "'"].into_iter().find(|quote| written.starts_with(quote));
        let (quote, text) = written.split_at(opens.map_or(0, str::len));
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

/// Whether a value is a mark, or the inside of one whose bracket was taken for that of a list.
fn is_mark_in(lead: &str, value: &str) -> bool {
    is_marked(value) || is_inside_of_mark(lead, value)
}

fn is_inside_of_mark(lead: &str, value: &str) -> bool {
    lead.ends_with('[') && value.starts_with("redacted:")
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
