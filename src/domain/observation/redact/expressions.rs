//! The expressions of the patterns: what is in front of a secret, and how far the secret goes.

use std::sync::LazyLock;

use regex::Regex;

use super::issued::{Family, ISSUED as FAMILIES};
use super::patterns::Pattern;
use super::prose::PROSE;

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
        Pattern::Connection => &CONNECTION,
        Pattern::Encoded => &ENCODED,
        Pattern::Prose => &PROSE,
    }
}

#[expect(clippy::expect_used, reason = "constant expressions, built in every test")]
pub(super) fn regex(expression: &str) -> Regex {
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

/// What stands between a name and its value where both are items of a list: `'Authorization', 'Bearer x'`, `(b'cookie', b'a=b')`.
const COMMA: &str = r#"\s*,\s*(?:b['"])?"#;

/// What stands between a key and its value: a sign, with colours around it.
fn sign() -> String {
    format!(r"(?:{COLOUR})*\s*(?:=>|=|:)\s*(?:{COLOUR})*")
}

/// Also of a block whose beginning was another event: the lines of base64 before its end.
static PRIVATE_KEY: LazyLock<Regex> = LazyLock::new(|| {
    let edge = |word| format!("-----{word} [A-Z0-9 ]{{0,40}}PRIVATE KEY(?: BLOCK)?-----");
    let (begin, end) = (edge("BEGIN"), edge("END"));
    let line_end = r"(?:\s|\\+[nr])+";
    let rest = format!("(?:[A-Za-z0-9+/=]{{32,}}{line_end})*(?:[A-Za-z0-9+/=]+{line_end})?{end}");
    regex(&format!(r"(?s)(?:{begin}.*?(?:{end}|\z)|{rest})"))
});
/// With the slashes as they stand in JSON (`\/`) or in a query (`%2F`), and without a scheme.
static SLACK_WEBHOOK: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"(?i)(?:https?:(?:\\{0,3}/|%2f){2})?hooks\.slack(?:-gov)?\.com(?:\\{0,3}/|%2f)(?:services|workflows|triggers)",
        r"(?:\\{0,3}/|%2f)[A-Za-z0-9_-]+(?:(?:\\{0,3}/|%2f)[A-Za-z0-9_-]*)*"
    ))
});
static ISSUED: LazyLock<Regex> = LazyLock::new(|| {
    let named = |(at, family): (usize, &Family)| format!("(?P<{}>{})", issued_group(at), family.expression);
    let families: Vec<String> = FAMILIES.iter().enumerate().map(named).collect();
    regex(&format!("{}(?:{})", open(), families.join("|")))
});

/// The group of an issued family.
pub(super) fn issued_group(at: usize) -> String {
    format!("f{at}")
}

/// Also the head alone of one that was cut (`{"alg":`, `{"typ":`, `{"kid":`).
static JWT: LazyLock<Regex> = LazyLock::new(|| {
    let token = r"eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]{4,})(?:\.[A-Za-z0-9_-]*){0,3}";
    let head = "eyJ(?:hbGci|0eXAi|raWQi)[A-Za-z0-9_-]{8,}";
    regex(&format!("{}(?:{token}|{head})", open()))
});
/// With any word as the scheme, and in the brackets in which languages print a header's values.
static HEADER: LazyLock<Regex> = LazyLock::new(|| {
    let scheme = r"(?:(?P<scheme>[a-z][a-z0-9_-]{1,30})\s+)?";
    let known = format!(r"(?:(?P<known>bearer|basic|token|api-?key)\s*:\s*|{scheme})");
    let authorization =
        format!(r#"authorization(?:(?P<key>\\*["'])?{}|\\*["']{COMMA})(?:\[\s*)?(?:\\*["'])?{known}"#, sign());
    let value = r#"(?P<value>[^\s"',;<>\\]+)(?P<end>\s*\z|["',;\\])?"#;
    // `Digest username="..", response=".."`: all of it.
    let item = r#"[a-z_]+=(?:\\*"[^"\n]*"|[^\s,"]+)"#;
    let schemes = "(?:digest|oauth|token|aws4-hmac-sha256|signature|hawk|mac|hmac|bearer)";
    let params = format!(
        r#"(?P<all>{}authorization(?:\\*["'])?{}\\*["']?{schemes}\s+)(?P<params>{item}(?:\s*,\s*{item})*)"#,
        opened("first"),
        sign()
    );
    let bare = r"(?:bearer|(?P<basic>basic))(?:\s*:)?\s+";
    regex(&format!(r#"(?i)(?:{params}|(?P<lead>{}(?:{authorization}|{bare})(?:\\*["'<])?){value})"#, open()))
});
/// Several pairs to the closing quote or the end of the line, since values may hold blanks; one pair, or one word, alone.
static COOKIE: LazyLock<Regex> = LazyLock::new(|| {
    let sessions = r"jsessionid|phpsessid|connect\.sid";
    let named = format!(r#"(?:set-)?cookies?\\*(?:["']?{}|["']{COMMA})(?:\[\s*)?\\*["']?|(?:{sessions})="#, sign());
    let lead = format!("{}(?:{named})", open());
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
/// A token may stand in place of the name, and all of it encoded. To the last `@` before the path: a password may have one itself, and so may a name (`me@example.com`). What begins with
/// digits and goes on with a path is a port.
static URL_PASSWORD: LazyLock<Regex> = LazyLock::new(|| {
    let scheme = format!(r"(?:\\[nrt]|{COLOUR}|\b)[a-z][a-z0-9+.-]{{1,20}}");
    let plain = concat!(
        r#"(?P<lead>SCHEME://[^\s:/"]*:)"#,
        r#"(?P<value>(?:[0-9]*[^\s@/\["0-9?#,][^\s@"]*|[^\s@"/?#\[]+)(?:@[^\s@/?#"]*)*)@"#
    );
    let token = r#"(?P<before>SCHEME://)(?P<user>[^\s:/@"'?#\[]{10,})@"#;
    let inside = "(?:[^\\s\"&/%\\[]|%(?:[013-9a-f][0-9a-f]|2[0-9a-e]))+?";
    let encoded = format!("(?P<encoded>SCHEME%3a%2f%2f[^\\s:/\"%@&]*(?:%3a|:)){inside}%40");
    regex(&format!("(?i)(?:{plain}|{token}|{encoded})").replace("SCHEME", &scheme))
});
/// Passwords on command lines and in statements: `curl -u NAME:PASSWORD`, `mysql -pPASSWORD`, `IDENTIFIED BY 'PASSWORD'`.
static LOGIN: LazyLock<Regex> = LazyLock::new(|| {
    let line = r"[^|;\n]{0,400}";
    let leads = [
        format!(r#"\bcurl\s(?:{line}\s)?(?:-u|--user)[ =]?\\?["']?[^\s:"'/]{{1,64}}:"#),
        format!(r"\bmysql[a-z]*\s(?:{line}\s)?(?-i:-p)"),
        format!(r"\bredis-cli\s(?:{line}\s)?-a\s+"),
        r"\bsshpass\s+-p\s*".to_owned(),
        format!(r"\b(?:docker|podman|helm|oras|skopeo|oc|az)\s(?:[a-z]+\s+)?login\s(?:{line}\s)?-p\s+"),
        r"\b(?:requirepass|masterauth)\s+".to_owned(),
        format!(r#"\b(?:create|alter)\s+user\s{line}identified\s+by\s+(?:password\s+)?["']"#),
        r#"\bwith\s+(?:encrypted\s+)?password\s+["']"#.to_owned(),
        r"\bjdbc:oracle:[a-z]+:[^\s/:@]{1,64}/".to_owned(),
    ];
    regex(&format!(r#"(?i)(?P<lead>(?:{})\\?["']?)(?P<value>[^\s"'\\@]+)"#, leads.join("|")))
});
/// `;Password=with blanks;` of a connection string: only there does a bare value hold blanks.
static CONNECTION: LazyLock<Regex> = LazyLock::new(|| {
    regex(r#"(?i)(?P<lead>;\s*(?:password|pwd)\s*=\s*)(?P<value>[^\s;"'=\[]+(?:[ \t]+[^\s;"'=\[]+)+)(?P<end>;)"#)
});
/// What was encoded for a query: `password%3Dhunter2`, `%22token%22%3A%22abc%22`, once or twice.
static ENCODED: LazyLock<Regex> = LazyLock::new(|| {
    let (quote, sign, blank) = ("(?:%(?:25)?(?:22|27))?", "%(?:25)?3[ad]", r"(?:\+|%(?:25)?20|%(?:25)?2[27])*");
    let scheme = r"(?:(?:basic|bearer|token)(?:\+|%(?:25)?20)+)?";
    let key = format!("(?P<key>[a-z0-9_.-]{{0,64}}(?:{WORDS}|authorization))");
    let sign = format!("(?P<sign>{quote}(?:{sign}|[=:]){blank}{scheme})");
    regex(&format!(r"(?i){key}{sign}(?P<value>(?:[a-z0-9._~*+/=$!-]|%[0-9a-f]{{2}})+)"))
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
    r"password|passwd|passphrase|passcode|pwd|token|(?:api|auth|functions|subscription)[_-]?key|access[_-]?key(?:[_-]?id)?|account[_-]?key|credentials?",
    r"|secret(?:[_.-]?key(?:[_.-]?base)?)?|(?:private|master)[_-]?key|(?:encryption|signing)[_.-]?key|signature",
);
static ASSIGNMENT: LazyLock<Regex> = LazyLock::new(|| {
    let words = format!(r#"{WORDS}|["'?&_.-]pass|dbpass|[?&]sig"#);
    // Where the key stands in quotes, so does the value, and a quote behind the sign opens it. Else it may as well close
    // what the key stands in (`"msg":"wrong password:","user":..`): then a value has to follow it at once.
    let (sign, list) = (sign(), r"(?:\[\s*)?");
    let in_quotes = format!(r#"(?P<in_quotes>\\*["'](?:{sign}|{COMMA}){list})(?P<sure>{}|{BARE}+)"#, quoted(""));
    let block = r"(?:[|>][+-]?\s*\n\s*)?";
    let plain = format!("(?P<plain>{sign}{list}{block})(?P<loose>{}|{BARE}+)", quoted(BARE));
    regex(&format!("(?i)(?P<key>[a-z0-9_.-]{{0,64}}(?:{words}))(?:{in_quotes}|{plain})"))
});

/// A value in quotes, the opening one included: to its closing quote or the end of the line, past escaped quotes, and at
/// all levels of JSON inside of JSON.
fn quoted(first: &str) -> String {
    let (escaped, double, single) =
        (r#"(?:[^"\\\n]|\\\\\\"|\\[^"\n])"#, r#"(?:[^"\\\n]|\\[^\n])"#, r"(?:[^'\\\n]|\\[^\n])");
    let many = if first.is_empty() { "+" } else { "*" };
    let deep = r#"\\{2,}"[^"\\\n]+"#;
    format!(r#"{deep}|\\"{first}{escaped}{many}|"{first}{double}{many}|'{first}{single}{many}"#)
}
