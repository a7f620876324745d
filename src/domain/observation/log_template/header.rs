//! Where the message of a line begins: behind its time, level, thread, host, process and logger, in whatever order and
//! signs a program or a shipper writes them. Nothing is taken off a line that opens with neither a time nor a level.

/// Words looked at for the head of a line.
const HEAD_WORDS: usize = 14;

/// The part of a line that tells what happened: the message of a JSON object, else what follows the head.
pub(super) fn message(text: &str) -> &str {
    if text.starts_with('{') {
        return of_json(text).unwrap_or(text);
    }
    let mut head = Head { rest: behind_priority(text.trim_start()), words: 0 };
    if !head.opens() {
        return text;
    }
    let mut seen = Seen::Time;
    while head.words < HEAD_WORDS && head.step(&mut seen) {}
    if head.rest.is_empty() { text } else { head.rest }
}

/// What stands behind the priority of syslog, `<11>` or `<11>1 `.
fn behind_priority(text: &str) -> &str {
    let rest = text.strip_prefix('<').and_then(|rest| rest.split_once('>'));
    let rest = rest.filter(|(digits, _)| (1..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()));
    rest.map_or(text, |(_, rest)| rest.strip_prefix("1 ").unwrap_or(rest))
}

/// The text of `message` or `msg`, as written.
fn of_json(text: &str) -> Option<&str> {
    let key = |key: &str| text.find(key).map(|at| text[at + key.len()..].trim_start());
    let after = key("\"message\"").or_else(|| key("\"msg\""))?.strip_prefix(':')?.trim_start().strip_prefix('"')?;
    let mut escaped = false;
    let end = after.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    (end > 0).then(|| &after[..end])
}

/// What was taken off last.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// A part of the time, or a number beside it.
    Time,
    /// The level, or a bracket with a thread, a request or a logger.
    Level,
    /// A dash: what follows is the message, unless it is one more part of the head.
    Dash,
}

struct Head<'a> {
    rest: &'a str,
    words: usize,
}

impl<'a> Head<'a> {
    fn word(&self) -> &'a str {
        self.rest.split([' ', '\t']).next().unwrap_or_default()
    }

    /// The word after the next one.
    fn second(&self) -> &'a str {
        let rest = self.rest[self.word().len()..].trim_start();
        rest.split([' ', '\t']).next().unwrap_or_default()
    }

    fn take(&mut self, length: usize) {
        self.rest = self.rest[length..].trim_start();
        self.words += 1;
    }

    /// Whether a head begins here: with a time, or a level. A sign or the name of a file may stand before the time.
    fn opens(&mut self) -> bool {
        let word = self.word();
        if is_time(word, self.second()) || is_level(word) || self.spaced_level().is_some() {
            return true;
        }
        let before = word == "-" || (word.contains(".log") && word.len() < 64);
        let second = self.second();
        if before && is_time(second, "") {
            self.take(word.len());
            return true;
        }
        false
    }

    /// `[info ][gc]`: a level with blanks inside of its bracket.
    fn spaced_level(&self) -> Option<usize> {
        let inner = self.rest.strip_prefix('[')?;
        let end = inner.find(']')?;
        (end < 12 && is_level_name(inner[..end].trim_end())).then_some(end + 2)
    }

    /// Takes the next part of the head; `false` where the message begins.
    ///
    /// 1. Times, numbers, levels and signs between them.
    /// 2. Brackets: `[main]`, `[QuorumPeer[myid=1]/0:0:0:2181:Election@774]`.
    /// 3. After a time without a level: host and process, up to the colon (`combo sshd(pam_unix)[19939]:`), or what
    ///    stands before a level in capitals.
    /// 4. After a level: the logger, up to its colon or the dash behind it.
    fn step(&mut self, seen: &mut Seen) -> bool {
        let word = self.word();
        if word.is_empty() {
            return false;
        }
        if let Some(length) = self.spaced_level() {
            *seen = Seen::Level;
            self.take(length);
        } else if word == "-" || word == "|" || word == ":" {
            *seen = if *seen == Seen::Level { Seen::Dash } else { *seen };
            self.take(1);
        } else if is_level(word) {
            *seen = Seen::Level;
            self.take(word.len());
        } else if *seen == Seen::Time && word.ends_with(']') && word.contains(".go:") {
            // The source of a line of klog.
            self.take(word.len());
            return false;
        } else if *seen == Seen::Time && (is_time_part(word) || is_time(word, "") || is_klog(word, self.second())) {
            let piped = word.rfind('|').map_or(word.len(), |at| at + 1);
            self.take(piped);
        } else if word.starts_with('[') {
            let Some(length) = bracket(self.rest) else { return false };
            *seen = if *seen == Seen::Dash { Seen::Dash } else { Seen::Level };
            self.take(length);
        } else {
            return self.name(word, *seen, seen);
        }
        true
    }

    fn name(&mut self, word: &str, last: Seen, seen: &mut Seen) -> bool {
        let second = self.second();
        match last {
            Seen::Time => {
                if is_name(word) && word.ends_with(':') {
                    self.take(word.len());
                    return false;
                }
                if let Some(length) = self.up_to_level() {
                    *seen = Seen::Level;
                    self.take(length);
                    return true;
                }
                if is_name(word) && second == "-" && is_level(self.third()) {
                    self.take(word.len());
                    return true;
                }
                // A host, the process it tells of, and perhaps another one in brackets.
                let third = self.third();
                let other = third.starts_with('(') && third.ends_with(':') && second.ends_with(']');
                if !word.ends_with(':') && is_name(second) && (second.ends_with(':') || other) {
                    self.take(word.len());
                    self.take(second.len());
                    if other {
                        self.take(third.len());
                    }
                }
                false
            }
            Seen::Level => {
                if is_name(word) && word.ends_with(':') {
                    self.take(word.len());
                    return false;
                }
                if is_name(word) && (second == "-" || second == ":") {
                    self.take(word.len());
                    self.take(1);
                    return is_level(self.word());
                }
                let logger = is_name(word) && word.contains('.') && second.starts_with('[');
                if logger {
                    self.take(word.len());
                }
                logger
            }
            Seen::Dash => {
                let logger = is_name(word) && second == "-" && is_level(self.third());
                if logger {
                    self.take(word.len());
                }
                logger
            }
        }
    }

    fn third(&self) -> &'a str {
        let rest = self.rest[self.word().len()..].trim_start();
        let rest = rest[self.second().len()..].trim_start();
        rest.split([' ', '\t']).next().unwrap_or_default()
    }

    /// The length up to the end of a level in capitals that stands a few words on, where no sentence stands between.
    fn up_to_level(&self) -> Option<usize> {
        let mut rest = self.rest;
        for _ in 0..6 {
            let word = rest.split([' ', '\t']).next().unwrap_or_default();
            if word.len() > 2 && is_level(word) && word.bytes().all(|b| b.is_ascii_uppercase()) {
                return Some(self.rest.len() - rest.len() + word.len());
            }
            if word.is_empty() || word.bytes().any(|b| b.is_ascii_lowercase()) {
                return None;
            }
            rest = rest[word.len()..].trim_start();
        }
        None
    }
}

/// The length of the bracket a text opens with, brackets inside of it counted.
fn bracket(text: &str) -> Option<usize> {
    let mut depth = 0_u32;
    for (at, byte) in text.bytes().enumerate().take(200) {
        match byte {
            b'[' => depth += 1,
            b']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

/// Whether a word opens a time: a clock, a date with signs, a day or month with a number behind it, or digits alone where
/// more of them follow (`081109 203615`, seconds since the epoch).
fn is_time(word: &str, second: &str) -> bool {
    let word = word.trim_start_matches(['[', '(', '"']);
    let bytes = word.as_bytes();
    if !bytes.first().is_some_and(u8::is_ascii_digit) {
        let name = word.trim_end_matches([',', '.']);
        let numbered = second.bytes().next().is_some_and(|b| b.is_ascii_digit());
        return is_klog(word, second)
            || (is_month(name) && numbered)
            || (is_weekday(name) && (numbered || is_month(second)));
    }
    let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
    let bare = bytes.iter().all(u8::is_ascii_digit);
    if bare {
        let clock = second.len() == 6 && second.bytes().all(|b| b.is_ascii_digit());
        return matches!(digits, 10 | 13) || (matches!(digits, 6 | 8) && clock);
    }
    has_clock(bytes) || is_date(bytes, digits)
}

/// `E0501 09:30:51.123456`: the level and the day of Kubernetes' own programs.
fn is_klog(word: &str, second: &str) -> bool {
    let day = word.strip_prefix(['I', 'W', 'E', 'F']).unwrap_or_default();
    day.len() == 4 && day.bytes().all(|b| b.is_ascii_digit()) && has_clock(second.as_bytes())
}

/// `18:06:18`, anywhere in a word. An address with its port (`10.0.3.85:50010`) is none.
fn has_clock(bytes: &[u8]) -> bool {
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    bytes.iter().enumerate().filter(|(_, byte)| **byte == b':').any(|(at, _)| {
        let before = at.checked_sub(3).and_then(|at| bytes.get(at));
        let inside = digit(at.checked_sub(2)) && digit(at.checked_sub(1)) && digit(Some(at + 1)) && digit(Some(at + 2));
        inside && !digit(Some(at + 3)) && !before.is_some_and(|byte| byte.is_ascii_digit() || *byte == b'.')
    })
}

/// `2015-10-18`, `17/06/09`, `2005.06.03`, `03-17`, `10.30`: digits and one sign between, as a date has them.
fn is_date(bytes: &[u8], digits: usize) -> bool {
    let word = bytes.strip_suffix(b",").or_else(|| bytes.strip_suffix(b"]")).unwrap_or(bytes);
    let signs = word.iter().filter(|b| matches!(b, b'-' | b'/' | b'.')).count();
    let only = word.iter().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'/' | b'.'));
    only && ((signs == 2 && matches!(digits, 6 | 8)) || (signs == 1 && digits == 4 && word.len() == 5))
}

/// What may stand on within a time, or beside it: numbers of days, years, processes and threads, zones, names of months.
fn is_time_part(word: &str) -> bool {
    let bare = word.trim_matches(['[', ']', '(', ')', ',', ':', '|', '.', '+', '-']);
    let digits = bare.bytes().filter(u8::is_ascii_digit).count();
    !bare.is_empty()
        && ((digits > 0 && bare.bytes().all(|b| b.is_ascii_digit() || matches!(b, b':' | b'.' | b',' | b'-' | b'/')))
            || (has_clock(bare.as_bytes()) && bare.starts_with(|c: char| c.is_ascii_digit()))
            || matches!(bare, "UTC" | "GMT" | "CET" | "CEST" | "AM" | "PM" | "Z")
            || is_month(bare)
            || is_weekday(bare))
}

/// The short name of a month.
pub(super) fn is_month(word: &str) -> bool {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    MONTHS.contains(&word)
}

/// The short name of a day of the week.
pub(super) fn is_weekday(word: &str) -> bool {
    ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].contains(&word)
}

fn is_level(word: &str) -> bool {
    let bare = word.trim_matches(['[', ']', '<', '>', '(', ')', ':', ',', '|']);
    if bare.len() == 1 {
        return matches!(bare, "T" | "V" | "D" | "I" | "W" | "E" | "F") && word.len() == 1;
    }
    let shouted = bare.bytes().all(|b| b.is_ascii_uppercase());
    bare.strip_prefix("level=").is_some_and(is_level_name)
        || ((bare.len() < word.len() || shouted) && is_level_name(bare))
}

fn is_level_name(word: &str) -> bool {
    const LEVELS: [&str; 16] = [
        "trace", "debug", "verbose", "info", "notice", "warn", "warning", "error", "err", "severe", "fatal", "crit",
        "critical", "alert", "emerg", "panic",
    ];
    (3..9).contains(&word.len()) && LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word))
}

/// A logger, a host or a process: letters, digits and the signs of names. What names an error is the message.
fn is_name(word: &str) -> bool {
    let bare = word.trim_end_matches(':');
    let is_error = ["Error", "Exception", "Throwable", "Fault", "Failure"].iter().any(|end| bare.ends_with(end));
    !bare.is_empty()
        && !is_error
        && bare.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/' || c == '_')
        && bare.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_$/[]()@#".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_taken_off_and_messages_left() {
        for (text, expected) in [
            ("2026-05-01T09:30:51.204Z INFO  GET /v1/orders/88121 200 41ms", "GET /v1/orders/88121 200 41ms"),
            ("INFO  [http-nio-3] c.e.p.AccessLog - GET /v1/orders/1 200", "GET /v1/orders/1 200"),
            (
                "[info ][gc] GC(7) Pause Young (Normal) 380M->7M(384M) 81.3ms",
                "GC(7) Pause Young (Normal) 380M->7M(384M) 81.3ms",
            ),
            ("Jul 29 03:04:05 node-7 kubelet[812]: eviction manager: pods evicted", "eviction manager: pods evicted"),
            (
                "2026-05-01 09:30:51,978 WARN [Thread-3] org.acme.Pool: exhausted after 3 tries",
                "exhausted after 3 tries",
            ),
            ("2026-05-01 09:30:51,978 - WARN  [Recv:1:Quorum$Recv@765] - Interrupting sender", "Interrupting sender"),
            ("2026-05-01 09:30:51 - orders.db - ERROR - no connection", "no connection"),
            ("260501 093051 148 INFO dfs.Data$Responder: Responder 1 ends", "Responder 1 ends"),
            ("E0501 09:30:51.123456       1 reflector.go:138] failed to list pods", "failed to list pods"),
            ("<11>May  1 09:30:51 node-7 app[12]: disk is full", "disk is full"),
            ("2026/05/01 09:30:51 [error] 12#0: *7 upstream timed out", "*7 upstream timed out"),
            ("[Sun Dec 04 04:47:44 2005] [error] child in state 6", "child in state 6"),
            (
                "- 1777600000 2026.05.01 R02-M1 2026-05-01-15.42.50.36 R02-M1 RAS KERNEL INFO parity error corrected",
                "parity error corrected",
            ),
            ("05-01 16:13:38.811  1702  2395 D WindowStore: opening", "opening"),
            ("20260501-22:15:29:606|Steps|30002312|onChanged 3579", "onChanged 3579"),
            (r#"{"level":"info","msg":"order \"7\" stored","id":7}"#, r#"order \"7\" stored"#),
            (r#"{"level":"info","id":7}"#, r#"{"level":"info","id":7}"#),
            ("user 17 logged in", "user 17 logged in"),
            ("session opened for user root by (uid=0)", "session opened for user root by (uid=0)"),
            ("10.0.3.7 is unreachable", "10.0.3.7 is unreachable"),
            ("Error: cannot find module", "cannot find module"),
            ("ERROR java.lang.OutOfMemoryError: Java heap space", "java.lang.OutOfMemoryError: Java heap space"),
            ("2026-05-01T09:30:51Z", "2026-05-01T09:30:51Z"),
            ("", ""),
        ] {
            assert_eq!(message(text), expected, "{text}");
        }
    }
}
