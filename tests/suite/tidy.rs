//! The house rules that a compiler does not know: layers, sizes, first lines, names, and who may ask for a permit.
//! Reads the sources as text; what it scans for is stated beside each test.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Lines of a file, tests in it included.
const FILE_LINES: usize = 500;
/// Lines of a function, from its `fn` to its closing brace.
const FUNCTION_LINES: usize = 60;

/// Which module may use which of ours. `domain`'s rooms are used in one direction only.
const LAYERS: &[(&str, &[&str])] = &[
    ("domain::count", &[]),
    ("domain::near", &[]),
    ("domain::drill", &["domain::near"]),
    ("domain::fault", &[]),
    ("domain::observation", &["domain::count", "domain::fault"]),
    ("domain::diagnosis", &["domain::count", "domain::fault", "domain::observation"]),
    ("domain::remediation", &["domain::count", "domain::fault", "domain::observation", "domain::diagnosis"]),
    ("session", &["domain"]),
    ("report", &["domain", "session"]),
    ("journal", &["domain", "session"]),
    ("ui", &["domain", "session", "report"]),
    ("adapters", &["domain"]),
    ("rehearsal", &["domain"]),
    ("config", &["domain"]),
    ("runtime", &["domain", "session", "report", "journal", "ui", "adapters", "rehearsal", "config"]),
    // The domain's words for faults and modes are what configuration and runtime speak to the command line in.
    ("cli", &["config", "runtime", "domain"]),
    ("main", &["cli"]),
];

/// Words that say nothing, in names of files.
const EMPTY_WORDS: &[&str] = &["manager", "helper", "util", "handler", "data", "info", "misc", "common"];

struct Source {
    /// Below the package's root, with `/`.
    path: String,
    text: String,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn walk(folder: &Path, each: &mut impl FnMut(&Path)) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() { walk(&path, each) } else { each(&path) }
    }
}

fn files(folders: &[&str], extensions: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    for folder in folders {
        walk(&root().join(folder), &mut |path| {
            let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("");
            if extensions.contains(&extension) {
                let text = std::fs::read_to_string(path).unwrap();
                let path = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
                found.push(Source { path, text });
            }
        });
    }
    assert!(!found.is_empty(), "nothing was read from {folders:?}");
    found
}

fn rust() -> Vec<Source> {
    files(&["src", "tests", "benches"], &["rs"])
}

/// Fails with every complaint at once: a person fixes them in one go.
fn settle(complaints: &[String]) {
    let mut text = String::new();
    for complaint in complaints {
        writeln!(text, "  {complaint}").unwrap();
    }
    assert!(complaints.is_empty(), "{} untidy places:\n{text}", complaints.len());
}

/// The module of a file in `src`: `src/domain/observation/log.rs` is `domain::observation::log`.
fn module_of(path: &str) -> String {
    path.trim_start_matches("src/").trim_end_matches(".rs").replace('/', "::")
}

fn within(module: &str, parent: &str) -> bool {
    module.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The text without line comments and without strings, line numbers kept. Good enough to look for paths and braces.
fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '/' if chars.peek() == Some(&'/') => {
                for c in chars.by_ref() {
                    if c == '\n' {
                        code.push('\n');
                        break;
                    }
                }
            }
            'r' if matches!(chars.peek(), Some('"' | '#'))
                && !code.ends_with(|c: char| c.is_alphanumeric() || c == '_') =>
            {
                raw_string(&mut chars, &mut code);
            }
            '"' => string(&mut chars, &mut code),
            '\'' => literal_or_lifetime(&mut chars, &mut code),
            c => code.push(c),
        }
    }
    code
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn string(chars: &mut Chars<'_>, code: &mut String) {
    while let Some(c) = chars.next() {
        match c {
            // A line that goes on behind a backslash is a line all the same.
            '\\' if chars.next() == Some('\n') => code.push('\n'),
            '"' => break,
            '\n' => code.push('\n'),
            _ => {}
        }
    }
}

fn raw_string(chars: &mut Chars<'_>, code: &mut String) {
    let mut hashes = 0;
    while chars.next_if_eq(&'#').is_some() {
        hashes += 1;
    }
    if chars.next_if_eq(&'"').is_none() {
        // A raw identifier such as `r#type`.
        return;
    }
    while let Some(c) = chars.next() {
        match c {
            '"' if (0..hashes).all(|_| chars.next_if_eq(&'#').is_some()) => break,
            '\n' => code.push('\n'),
            _ => {}
        }
    }
}

fn literal_or_lifetime(chars: &mut Chars<'_>, code: &mut String) {
    match chars.peek() {
        Some('\\') => {
            chars.next();
            chars.next();
            while chars.next().is_some_and(|c| c != '\'') {}
        }
        Some(_) => {
            let c = chars.next().unwrap();
            if chars.next_if_eq(&'\'').is_none() {
                code.push(c);
            }
        }
        None => {}
    }
}

/// Every path of ours in the code, with its line: `crate::a::b`, and each branch of `crate::a::{b, c::d}`.
fn paths_of_ours(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::").chain(code.match_indices("pagerdeck::")) {
        // `$crate` is the macro's own crate, and part of a longer word is no path of ours.
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let line = code[..at].matches('\n').count() + 1;
        let after = &code[at + code[at..].find("::").unwrap() + 2..];
        branches(after, "", &mut |path| found.push((line, path.to_owned())));
    }
    found
}

/// Follows `a::b::{c, d::e}` down to its branches; returns how many bytes were read.
fn branches(text: &str, prefix: &str, each: &mut impl FnMut(&str)) -> usize {
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '*';
    let length = text.find(|c: char| !word(c)).unwrap_or(text.len());
    let path = format!("{prefix}{}", &text[..length]);
    if !text[length..].starts_with('{') || !(path.is_empty() || path.ends_with("::")) {
        each(&path);
        return length;
    }
    let mut at = length + 1;
    while at < text.len() && !text[at..].starts_with('}') {
        let skipped = text[at..].find(|c: char| !c.is_whitespace() && c != ',').unwrap_or(text.len() - at);
        at += skipped;
        if text[at..].starts_with('}') {
            break;
        }
        let read = branches(&text[at..], &path, each);
        // `x as y` and anything unforeseen: on to the next comma or brace, and never stand still.
        let rest = &text[at + read..];
        at += read + rest.find([',', '}']).unwrap_or(rest.len()).max(usize::from(read == 0));
    }
    (at + 1).min(text.len())
}

#[test]
fn modules_use_only_the_layers_below_them() {
    let mut complaints = Vec::new();
    let mut seen = 0;
    for source in files(&["src"], &["rs"]) {
        let module = module_of(&source.path);
        if ["lib", "domain", "domain::text_id"].contains(&module.as_str()) {
            continue;
        }
        let Some((own, allowed)) = LAYERS.iter().find(|(layer, _)| within(&module, layer)) else {
            complaints.push(format!("{}: not in the layer table", source.path));
            continue;
        };
        for (line, path) in paths_of_ours(&code_of(&source.text)) {
            seen += 1;
            if let Some(other) = other_adapter(&module, &path) {
                complaints
                    .push(format!("{}:{line}: adapters know nothing of each other, and not of {other}", source.path));
            }
            let macros = path == "text_id" || path == "text_id!";
            let fine = macros || within(&path, own) || allowed.iter().any(|layer| within(&path, layer));
            if !fine {
                complaints.push(format!("{}:{line}: {own} may not use {path}", source.path));
            }
        }
    }
    let modules: Vec<String> = files(&["src"], &["rs"]).iter().map(|source| module_of(&source.path)).collect();
    for layer in LAYERS.iter().flat_map(|(own, allowed)| [&[*own][..], allowed].concat()) {
        if !modules.iter().any(|module| within(module, layer)) {
            complaints.push(format!("the layer table names {layer}, which is no module"));
        }
    }
    assert!(seen > 100, "only {seen} paths were read: the scanner is blind");
    settle(&complaints);
}

/// The adapter that another adapter's path leads into; the rate budget is shared by all.
fn other_adapter<'a>(module: &str, path: &'a str) -> Option<&'a str> {
    let mine = module.strip_prefix("adapters::")?.split("::").next()?;
    let other = path.strip_prefix("adapters::")?.split("::").next()?;
    let rooms = ["aws", "kubernetes", "helm", "slack"];
    (rooms.contains(&other) && other != mine).then_some(other)
}

/// Crates that a layer may not touch: the pure layers no I/O, the screen no network.
#[test]
fn pure_layers_touch_no_outside() {
    let io =
        ["tokio::", "aws_", "kube::", "reqwest::", "std::fs", "std::net", "std::env", "std::process", "std::thread"];
    let clocks = ["SystemTime", "Instant::now", "Timestamp::now", "Zoned::now"];
    let mut complaints = Vec::new();
    for source in files(&["src"], &["rs"]) {
        let module = module_of(&source.path);
        let pure = ["domain", "session", "report"].into_iter().any(|layer| within(&module, layer));
        let screen = within(&module, "ui");
        if !pure && !screen || source.path.ends_with("/tests.rs") {
            continue;
        }
        let tests_cut = source.text.split("#[cfg(test)]").next().unwrap_or_default();
        let code = code_of(tests_cut);
        let mut banned: Vec<&str> = io.iter().chain(&clocks).copied().collect();
        if pure {
            banned.extend(["ratatui::", "crossterm::", "axum::"]);
        }
        let found = banned.into_iter().filter(|word| code.contains(word));
        complaints.extend(found.map(|word| format!("{}: touches {word}", source.path)));
    }
    settle(&complaints);
}

#[test]
fn only_config_reads_the_environment() {
    let mut complaints = Vec::new();
    for source in files(&["src"], &["rs"]) {
        let code = code_of(&source.text);
        // Tests may be asked for more than a plain run plays.
        let may = source.path == "src/config/environment.rs" || source.path.ends_with("/tests.rs");
        if !may && (code.contains("std::env::") || code.contains("env::var")) {
            complaints.push(format!("{}: reads the environment", source.path));
        }
    }
    settle(&complaints);
}

/// By words and not by the spelling of a call: every way to the gate's `admit`, by a glob, another name or a re-export,
/// says `admit` somewhere beside the room it comes from.
#[test]
fn only_the_outbox_asks_for_a_permit() {
    let mut callers = Vec::new();
    for source in files(&["src"], &["rs"]) {
        let code = code_of(&source.text);
        if has_word(&code, "admit") && ["gate", "remediation"].iter().any(|room| has_word(&code, room)) {
            callers.push(source.path);
        }
    }
    callers.sort();
    let home = ["src/domain/remediation/gate.rs", "src/domain/remediation/gate/admission.rs"];
    callers.retain(|path| !home.contains(&path.as_str()));
    assert_eq!(
        callers,
        ["src/runtime/outbox.rs"],
        "permits are asked for elsewhere, or nowhere that this test can see"
    );
}

fn has_word(code: &str, word: &str) -> bool {
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    code.match_indices(word)
        .any(|(at, _)| !joins(code[..at].chars().next_back()) && !joins(code[at + word.len()..].chars().next()))
}

#[test]
fn files_and_functions_keep_to_their_budget() {
    let mut complaints = Vec::new();
    for source in rust() {
        let lines = source.text.lines().count();
        if lines > FILE_LINES {
            complaints.push(format!("{}: {lines} lines, {FILE_LINES} is the bound", source.path));
        }
        for (line, name, length) in functions(&code_of(&source.text)) {
            if length > FUNCTION_LINES {
                complaints.push(format!(
                    "{}:{line}: fn {name} has {length} lines, {FUNCTION_LINES} is the bound",
                    source.path
                ));
            }
        }
    }
    settle(&complaints);
}

/// Functions with a body: line, name, lines from `fn` to the closing brace.
fn functions(code: &str) -> Vec<(usize, String, usize)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &code[at + 3..];
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        // A declaration ends with a semicolon outside of brackets, a definition begins its body with a brace.
        let Some(open) = body_start(rest) else { continue };
        let mut depth = 0_i32;
        let body = &rest[open..];
        let end = body.char_indices().find_map(|(at, c)| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            (depth == 0).then_some(at)
        });
        let Some(end) = end else { continue };
        if !name.is_empty() {
            let lines = rest[..open + end].matches('\n').count() + 1;
            found.push((code[..at].matches('\n').count() + 1, name, lines));
        }
    }
    found
}

fn body_start(rest: &str) -> Option<usize> {
    let mut brackets = 0_i32;
    for (at, c) in rest.char_indices() {
        match c {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets -= 1,
            ';' if brackets == 0 => return None,
            '{' if brackets == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

#[test]
fn every_file_says_what_it_owns_and_has_a_name_that_says_something() {
    let mut complaints = Vec::new();
    for source in rust() {
        let name = source.path.rsplit('/').next().unwrap_or_default();
        if !source.text.starts_with("//! ") {
            complaints.push(format!("{}: does not begin with a //! line", source.path));
        }
        if name == "mod.rs" {
            complaints.push(format!("{}: foo.rs beside foo/, never mod.rs", source.path));
        }
        let stem = name.trim_end_matches(".rs");
        let said =
            stem.split('_').find(|word| EMPTY_WORDS.iter().any(|empty| word == empty || *word == format!("{empty}s")));
        if let Some(word) = said {
            complaints.push(format!("{}: {word} says nothing", source.path));
        }
        for (number, line) in (1..).zip(code_of(&source.text).lines()) {
            if line.contains("#[allow") || line.contains("#![allow") {
                complaints.push(format!("{}:{number}: #[expect(lint, reason = …)], never allow", source.path));
            }
        }
    }
    settle(&complaints);
}

/// Nothing in the project's files may name the machine it was written on.
#[test]
fn no_file_names_a_machine_or_a_registry() {
    let mut sources =
        files(&["src", "tests", "benches", "assets"], &["rs", "toml", "md", "sh", "json", "yaml", "py", "txt"]);
    for name in ["README.md", "CHANGELOG.md", "Cargo.toml", "Cargo.lock", ".ci/run", ".gitignore"] {
        if let Ok(text) = std::fs::read_to_string(root().join(name)) {
            sources.push(Source { path: name.to_owned(), text });
        }
    }
    let needles = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("/Us", "ers/"),
        concat!("regis", "try="),
    ];
    let mut complaints = Vec::new();
    for source in &sources {
        for (number, line) in (1..).zip(source.text.lines()) {
            let named = needles.iter().filter(|needle| line.contains(**needle));
            complaints.extend(named.map(|needle| format!("{}:{number}: names {needle}", source.path)));
        }
    }
    settle(&complaints);
}

#[test]
fn the_scanner_reads_what_it_should() {
    let code = code_of(
        "let a = \"fn x() { crate::no }\"; // crate::no\nuse crate::{a::{b, c as d}, e::*};\nlet l: &'a str = r#\"crate::\"no\"#;\n'\\'' '{' crate::f::g()",
    );
    let paths: Vec<String> = paths_of_ours(&code).into_iter().map(|(line, path)| format!("{line} {path}")).collect();
    assert_eq!(paths, ["2 a::b", "2 a::c", "2 e::*", "4 f::g"]);
    let text = "fn one() {\n  a;\n}\nfn declared(x: [u8; 2]);\nimpl X { fn two(&self) -> Y where Z: W {\n\n\n } }";
    let found: Vec<(usize, String, usize)> = functions(&code_of(text));
    assert_eq!(found, [(1, "one".to_owned(), 3), (5, "two".to_owned(), 4)]);
    assert!(within("domain::fault", "domain") && !within("domains", "domain"));
}
