//! The expressions of the patterns: what is in front of a secret, and how far the secret goes.

use std::sync::LazyLock;

use regex::Regex;

use super::patterns::Pattern;

/// The expression of a pattern.
pub(super) fn expression(pattern: Pattern) -> &'static Regex {
    match pattern {
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
    }
}

#[expect(clippy::expect_used, reason = "constant expressions, built in every test")]
fn regex(expression: &str) -> Regex {
    Regex::new(expression).expect("the expression is constant")
}

/// A colour, as it came or as the sanitiser leaves it.
const COLOUR: &str = r"(?:\\x1b|\x1b)\[[0-9;]*m";

/// Where a word begins: also right behind an escaped line end and a colour, whose last letter would join it.
fn open() -> String {
    opened("open")
}

fn opened(group: &str) -> String {
    format!(r"(?P<{group}>\\[nrt]|{COLOUR}|\b)")
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
    let scheme = r"(?:(?P<scheme>[a-z][a-z0-9_-]{1,30})\s+)?";
    let authorization = format!(r#"authorization(?P<key>\\?["'])?{}(?:\[\s*)?\\?["']?{scheme}"#, sign());
    let value = r#"(?P<value>[^\s"',;\\]+)(?P<end>\s*\z|["',;\\])?"#;
    regex(&format!(r"(?i)(?P<lead>{}(?:{authorization}|bearer\s+)){value}", open()))
});
/// Several pairs to the closing quote or the end of the line, since values may hold blanks; one pair, or one word, alone.
static COOKIE: LazyLock<Regex> = LazyLock::new(|| {
    let lead = format!(r#"{}(?:set-)?cookies?\\?["']?{}(?:\[\s*)?\\?["']?"#, open(), sign());
    let pair = r#"(?:expires=[^;"'\\\n]*|[^\s=;,"'\\\[]+=[^\s;"'\\]*)"#;
    let several = r#"(?:[^"'\\\n;=]*=[^"'\\\n;]*;|[^\s"'\\;=]*;\s*[^\s"'\\;=]+=)[^"'\\\n]*"#;
    let one = format!(r#"(?P<lead>{lead})(?:(?P<value>{several}|{pair})|(?P<word>[^\s;,"'\\\[\]]+))"#);
    // A list of them: `["a=1; Path=/","sid=x"]`, `[a=1, sid=x]`.
    let items = r#"[^"'\\\n]*(?:\\?["']\s*,\s*\\?["'][^"'\\\n]*)+"#;
    let row = r#"[^\s=;,"'\\\[\]]+=[^\[\]"'\\\n;]*,[^\[\]"'\\\n;]*"#;
    let list = format!(r#"(?P<list>{}(?:set-)?cookies?\\?["']?{}\[\s*)"#, opened("first"), sign());
    let many = format!(r#"{list}(?:(?P<quote>\\?["'])(?P<items>{items})|(?P<row>{row}))"#);
    regex(&format!("(?i)(?:{many}|{one})"))
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
