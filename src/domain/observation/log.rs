//! Log lines as ingested: sanitised, redacted, classified. Raw telemetry never gets past `ingest`.

pub mod clock;
mod id;
mod level;
mod name;
mod prefilter;

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::oom_kill::{self, KillSign};
use super::{redact, sanitise};

pub use self::id::LogEventId;
pub use self::name::{LogGroup, LogStream};

/// How loud a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    /// Trace and debug.
    Debug,
    /// Info, and anything that names no level.
    Info,
    /// Warning.
    Warn,
    /// Error and worse.
    Error,
}

impl LogLevel {
    /// The column word, five wide at most.
    pub fn word(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

/// An event as an adapter read it, before it is cleaned. Never stored, never shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawLogEvent {
    /// The id CloudWatch gave it.
    pub id: LogEventId,
    /// When it happened, by its own account.
    pub at: Timestamp,
    /// The stream: usually a task, pod or container.
    pub stream: String,
    /// The text as received.
    pub message: String,
}

/// A line fit to be shown: no control characters, no secrets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// The id CloudWatch gave it.
    pub id: LogEventId,
    /// When it happened.
    pub at: Timestamp,
    /// Its group.
    pub group: LogGroup,
    /// Its stream.
    pub stream: LogStream,
    /// Its level.
    pub level: LogLevel,
    /// The sanitised and redacted text.
    pub text: Box<str>,
    /// The sign of a kill or a heap error, where it carries one.
    pub kill: Option<KillSign>,
}

/// How much of a window has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Completeness {
    /// Every event of the window was read.
    Exact,
    /// Reading stopped at a limit of ours; `of` where the source tells the whole.
    Truncated {
        /// Read.
        seen: u64,
        /// Of how many, if known.
        of: Option<u64>,
    },
    /// The source dropped some on its side (Live Tail above 500 events a second).
    Sampled {
        /// Read.
        seen: u64,
    },
}

/// What one page of log events came to, counted by code; journaled where the lines are not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchSummary {
    /// Lines received, duplicates left out.
    pub lines: u64,
    /// Lines that were already known by id.
    pub duplicates: u64,
    /// Lines of level warn.
    pub warnings: u64,
    /// Lines of level error.
    pub errors: u64,
    /// Lines that tell of a kill by the kernel or the platform.
    pub kills: u64,
    /// Lines that tell of a heap error inside the process.
    pub heap_errors: u64,
    /// Bytes of text kept.
    pub bytes: u64,
    /// Lines in which something was redacted.
    pub redacted: u64,
    /// The oldest instant in the batch.
    pub first_at: Option<Timestamp>,
    /// The newest instant in the batch.
    pub last_at: Option<Timestamp>,
}

/// Cleans and classifies one event.
pub fn ingest(raw: RawLogEvent, group: &LogGroup) -> LogLine {
    Ingest::of(group).line(raw)
}

/// The only way in for the events of a group: controls and secrets out, level and sign of a kill read. The name of a
/// stream is cleaned once, and shared by its lines.
#[derive(Debug)]
pub struct Ingest<'a> {
    group: &'a LogGroup,
    streams: HashMap<String, LogStream>,
}

impl<'a> Ingest<'a> {
    /// The way in for this group.
    pub fn of(group: &'a LogGroup) -> Self {
        Self { group, streams: HashMap::new() }
    }

    /// Cleans and classifies an event.
    pub fn line(&mut self, raw: RawLogEvent) -> LogLine {
        let RawLogEvent { id, at, stream, message } = raw;
        let (text, kill) = cleaned(message);
        let level =
            level::named(&text).unwrap_or_else(|| if kill.is_some() { LogLevel::Error } else { level::told(&text) });
        let stream = self.stream(stream);
        LogLine { id, at, group: self.group.clone(), level, kill, text: fitted(text), stream }
    }

    fn stream(&mut self, name: String) -> LogStream {
        if let Some(known) = self.streams.get(&name) {
            return known.clone();
        }
        let clean = LogStream::from(cleaned_name(name.clone()));
        self.streams.insert(name, clean.clone());
        clean
    }
}

/// A text without spare room. It is copied where it has some: cutting an allocation short would leave a crumb of free memory
/// behind each line, which costs the allocator more than the copy does.
fn fitted(text: String) -> Box<str> {
    if text.capacity() == text.len() { text.into_boxed_str() } else { Box::from(text.as_str()) }
}

/// The text that may be kept, and its sign. Most lines are kept as they came: they hold no byte that must go and no word
/// that calls for a closer look, which one pass tells.
fn cleaned(mut message: String) -> (String, Option<KillSign>) {
    message.truncate(message.trim_end_matches(['\n', '\r']).len());
    if prefilter::is_harmless(&message) { (message, None) } else { cleaned_closely(&message) }
}

fn cleaned_closely(message: &str) -> (String, Option<KillSign>) {
    let clean = sanitise::line(message);
    // A sign is a word of ours: no text leaves with it. Of what is too long to be kept it is read as well, since the cause of
    // an error stands at its end.
    let kill = oom_kill::sign(if message.len() > sanitise::LINE_LIMIT { message } else { &clean });
    let (text, _) = redact::redact_borrowed(&clean);
    (text.into_owned(), kill)
}

fn cleaned_name(name: String) -> String {
    if prefilter::is_harmless(&name) { name } else { redact::redact(&sanitise::line(&name)).text }
}

impl BatchSummary {
    /// Counts a line that is new.
    pub fn add(&mut self, line: &LogLine) {
        self.lines += 1;
        self.bytes += line.text.len() as u64;
        self.redacted += u64::from(line.text.contains(redact::MARK));
        match line.level {
            LogLevel::Warn => self.warnings += 1,
            LogLevel::Error => self.errors += 1,
            LogLevel::Info | LogLevel::Debug => {}
        }
        match line.kill {
            Some(KillSign::OomKill) => self.kills += 1,
            Some(KillSign::HeapError) => self.heap_errors += 1,
            None => {}
        }
        self.spread(line.at, line.at);
    }

    /// Counts a line whose id was known already.
    pub fn add_duplicate(&mut self) {
        self.duplicates += 1;
    }

    /// Adds another page's summary.
    pub fn merge(&mut self, other: &Self) {
        self.lines += other.lines;
        self.duplicates += other.duplicates;
        self.warnings += other.warnings;
        self.errors += other.errors;
        self.kills += other.kills;
        self.heap_errors += other.heap_errors;
        self.bytes += other.bytes;
        self.redacted += other.redacted;
        if let (Some(first), Some(last)) = (other.first_at, other.last_at) {
            self.spread(first, last);
        }
    }

    fn spread(&mut self, first: Timestamp, last: Timestamp) {
        self.first_at = Some(self.first_at.map_or(first, |at| at.min(first)));
        self.last_at = Some(self.last_at.map_or(last, |at| at.max(last)));
    }
}

impl Extend<LogLine> for BatchSummary {
    fn extend<T: IntoIterator<Item = LogLine>>(&mut self, lines: T) {
        lines.into_iter().for_each(|line| self.add(&line));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ingested(message: &str) -> LogLine {
        let raw = RawLogEvent {
            id: "1".into(),
            at: Timestamp::UNIX_EPOCH,
            stream: "s\u{1b}x".into(),
            message: message.into(),
        };
        ingest(raw, &LogGroup::from("/ecs/my-api"))
    }

    #[test]
    fn a_line_is_cleaned_before_anything_else_sees_it() {
        let line = ingested("INFO login pass\u{200b}word=hunter2\u{1b}[2J\n");
        assert_eq!(&*line.text, "INFO login password=[redacted:password]\\x1b[2J");
        assert_eq!(line.stream.as_str(), "s\\x1bx");
        assert_eq!((line.level, line.kill), (LogLevel::Info, None));
    }

    /// Texts made of what the filters look for, of what must be cleaned, and of what is harmless.
    fn texts() -> impl Strategy<Value = String> {
        let calls: Vec<&'static str> = redact::calls().chain(oom_kill::wordings()).collect();
        let piece = prop_oneof![
            3 => "[ -~]{0,12}",
            1 => prop::sample::select(calls).prop_map(str::to_owned),
            1 => prop::sample::select(vec!["=hunter2secret9", ": ", "AKIAABCDEFGHIJKLMNOP", "\n", "\u{1b}[31m", "é\u{200b}", "@"])
                .prop_map(str::to_owned),
            1 => "[A-Za-z0-9+/]{64}",
        ];
        (prop::collection::vec(piece, 0..6), any::<bool>()).prop_map(|(pieces, loud)| {
            let text = pieces.concat();
            if loud { text.to_ascii_uppercase() } else { text }
        })
    }

    proptest! {
        #[test]
        fn what_is_kept_as_it_came_is_what_the_close_look_keeps(text in texts()) {
            prop_assert_eq!(cleaned(text.clone()), cleaned_closely(&text));
            let name = redact::redact(&sanitise::line(&text)).text;
            prop_assert_eq!(cleaned_name(text), name);
        }
    }

    #[test]
    fn an_ordinary_line_is_not_copied() {
        let message = "INFO GET /v1/orders/88121 200 41ms".to_owned();
        let place = message.as_ptr();
        assert_eq!(cleaned(message).0.as_ptr(), place);
    }

    #[test]
    fn secrets_behind_line_ends_and_colours_are_hidden() {
        for (given, hidden) in [
            (
                "dump:\r\nGET / HTTP/1.1\r\nAuthorization: Basic dXNlcjpwYXNzd29yZDE=\r\nCookie: session=abcdef123456\r\nEnd",
                "dump:\\r\\nGET / HTTP/1.1\\r\\nAuthorization: Basic [redacted:authorization]\\r\\nCookie: [redacted:cookie]\\r\\nEnd",
            ),
            ("new key:\nAKIAIOSFODNN7EXAMPLE\nnext", "new key:\\n[redacted:aws-key]\\nnext"),
            ("is:\neyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln\nend", "is:\\n[redacted:jwt]\\nend"),
            ("slack:\nxoxb-1234567890-abcdefghij", "slack:\\n[redacted:slack-token]"),
            (
                r#"{"msg":"dump\nAuthorization: Basic dXNlcjp3b3JkMQ=="}"#,
                r#"{"msg":"dump\nAuthorization: Basic [redacted:authorization]"}"#,
            ),
            ("\u{1b}[33mAKIAIOSFODNN7EXAMPLE\u{1b}[0m", "\\x1b[33m[redacted:aws-key]\\x1b[0m"),
            ("\u{1b}[36mpassword\u{1b}[0m=hunter2", "\\x1b[36mpassword\\x1b[0m=[redacted:password]"),
            ("\u{1b}[36mtoken=\u{1b}[0mabcdef123456", "\\x1b[36mtoken=\\x1b[0m[redacted:secret]"),
        ] {
            assert_eq!(&*ingested(given).text, hidden, "{given:?}");
        }
    }

    #[test]
    fn a_sign_is_read_of_the_whole_event_and_of_what_is_hidden() {
        let long = format!(
            "ERROR failed{}\nCaused by: java.lang.OutOfMemoryError: Java heap space",
            "\n\tat a.b(C.java)".repeat(600)
        );
        assert_eq!(ingested(&long).kill, Some(KillSign::HeapError));
        assert_eq!(ingested("status:\nOOMKilled\nexit 137").kill, Some(KillSign::OomKill));
        assert_eq!(ingested("Cookie: a=b; reason=OOMKilled").kill, Some(KillSign::OomKill));
    }

    #[test]
    fn lines_of_one_stream_share_its_name() {
        let group = LogGroup::from("/ecs/my-api");
        let mut ingest = Ingest::of(&group);
        let [one, two, other] = ["task\u{1b}1", "task\u{1b}1", "task2"].map(|stream| {
            let (id, at, message) = ("1".into(), Timestamp::UNIX_EPOCH, "INFO a".to_owned());
            ingest.line(RawLogEvent { id, at, stream: stream.to_owned(), message }).stream
        });
        assert_eq!((one.as_str(), other.as_str()), ("task\\x1b1", "task2"));
        assert!(std::ptr::eq(one.as_str(), two.as_str()));
    }

    #[test]
    fn a_kill_that_names_no_level_is_an_error() {
        let line = ingested("OOMKilled app exit=137");
        assert_eq!((line.level, line.kill), (LogLevel::Error, Some(KillSign::OomKill)));
    }

    #[test]
    fn a_summary_counts_each_kind_apart() {
        let mut whole = BatchSummary::default();
        for text in ["INFO a", "WARN b", "ERROR c", "OOMKilled d", "java.lang.OutOfMemoryError: e", "token=abcdef123"] {
            let mut page = BatchSummary::default();
            page.add(&ingested(text));
            whole.merge(&page);
        }
        whole.add_duplicate();
        let counts = (
            whole.lines,
            whole.duplicates,
            whole.warnings,
            whole.errors,
            whole.kills,
            whole.heap_errors,
            whole.redacted,
        );
        assert_eq!(counts, (6, 1, 1, 3, 1, 1, 1));
        assert_eq!(whole.first_at, Some(Timestamp::UNIX_EPOCH));
    }
}
