//! The real binary in a pseudo-terminal: what is on the screen when, which keys answer, and that the terminal is given
//! back. Every wait is for something on the screen; the bound is only there so that a broken program fails.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::num::NonZero;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use tempfile::TempDir;

/// The longest silence that is waited through: a quiet cockpit still moves its clock once a second.
const SILENCE: Duration = Duration::from_mins(1);
/// Reads after which what is waited for will not come.
const READS: usize = 1_500;

/// A person at a terminal of a size, with a program started in it.
pub struct Seat {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn std::io::Write + Send>,
    chunks: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    raw: Vec<u8>,
    terminal: Box<dyn MasterPty + Send>,
    home: TempDir,
}

impl Seat {
    /// The program with these arguments.
    pub fn take(args: &[&str], size: (u16, u16)) -> Self {
        Self::with(args, size, &[])
    }

    fn with(args: &[&str], size: (u16, u16), env: &[(&str, &str)]) -> Self {
        let line: Vec<&str> = std::iter::once(env!("CARGO_BIN_EXE_pagerdeck")).chain(args.iter().copied()).collect();
        Self::of(&line, size, env)
    }

    /// Any program.
    pub fn of(line: &[&str], (cols, rows): (u16, u16), env: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let pair = native_pty_system().openpty(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(line[0]);
        command.args(&line[1..]);
        command.env_clear();
        command.cwd(home.path());
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("AWS_EC2_METADATA_DISABLED", "true")] {
            command.env(name, value);
        }
        command.env("PATH", "/usr/bin:/bin");
        command.env("HOME", home.path());
        command.env("XDG_STATE_HOME", home.path().join("state"));
        command.env("XDG_CONFIG_HOME", home.path().join("config"));
        for (name, value) in env {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        // The last writer must be the program: its end is then the end of what is read.
        drop(pair.slave);
        let chunks = listen(pair.master.try_clone_reader().unwrap());
        let keys = pair.master.take_writer().unwrap();
        let screen = vt100::Parser::new(NonZero::new(rows).unwrap(), NonZero::new(cols).unwrap(), 0);
        Self { child, keys, chunks, screen, raw: Vec::new(), terminal: pair.master, home }
    }

    /// Drags the window to another size.
    pub fn resize(&mut self, (cols, rows): (u16, u16)) {
        self.terminal.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        self.screen = vt100::Parser::new(NonZero::new(rows).unwrap(), NonZero::new(cols).unwrap(), 0);
    }

    /// The same as most terminals do it, with what is shown left in its place.
    pub fn drag(&mut self, (cols, rows): (u16, u16)) {
        self.terminal.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        self.screen.screen_mut().set_size(NonZero::new(rows).unwrap(), NonZero::new(cols).unwrap());
    }

    /// Takes in what the program writes next, if it writes soon.
    pub fn glance(&mut self, patience: Duration) {
        if let Ok(chunk) = self.chunks.recv_timeout(patience) {
            self.take_in(chunk);
        }
    }

    fn take_in(&mut self, chunk: Vec<u8>) {
        self.screen.process(&chunk);
        self.raw.extend(chunk);
    }

    /// How many bytes were written so far.
    pub fn written(&self) -> usize {
        self.raw.len()
    }

    /// Where the program was started.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The text on screen.
    pub fn text(&self) -> String {
        self.screen.screen().contents()
    }

    /// What was written so far.
    pub fn raw(&self) -> String {
        String::from_utf8_lossy(&self.raw).into_owned()
    }

    /// Ends what holds the terminal, as when a connection is lost: the system hangs it up for all the others.
    pub fn hang_up(&mut self) {
        self.child.kill().unwrap();
    }

    /// Takes in what the program writes until the screen is as wanted, and gives it as text.
    pub fn wait(&mut self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        for _ in 0..READS {
            let text = self.text();
            if wanted(&text) {
                return text;
            }
            let Ok(chunk) = self.chunks.recv_timeout(SILENCE) else { break };
            self.take_in(chunk);
        }
        panic!("{what} did not come:\n{}", self.text());
    }

    /// Takes in more than there was.
    pub fn wait_more(&mut self, before: usize) {
        while self.raw.len() <= before {
            let chunk = self.chunks.recv_timeout(SILENCE).expect("more is written");
            self.take_in(chunk);
        }
    }

    /// Presses a key that counts only a second after its prompt was drawn: each try waits until the clock on the screen has
    /// moved on by two of them, at ten times their pace.
    pub fn press_when_it_counts(&mut self, key: &str, then: &str) -> String {
        for _ in 0..5 {
            let from = clock(&self.text()).unwrap();
            self.wait("two seconds", |text| clock(text).is_some_and(|at| at >= from + 20));
            self.press(key);
            let said = self.wait(then, |text| text.contains(then) || text.contains("no: "));
            if said.contains(then) {
                return said;
            }
        }
        panic!("{key} never counted:\n{}", self.text());
    }

    /// Waits until the clock on the screen has moved on by a second or more, at three times its pace.
    pub fn wait_a_second(&mut self) {
        let from = clock(&self.text()).unwrap();
        self.wait("a second", |text| clock(text).is_some_and(|at| at >= from + 4));
    }

    /// The same for a piece of text.
    pub fn wait_for(&mut self, piece: &str) -> String {
        self.wait(piece, |text| text.contains(piece))
    }

    /// Sends keys.
    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// The program's end: how, and everything it ever wrote.
    pub fn end(mut self) -> (ExitStatus, String) {
        for _ in 0..READS {
            let Ok(chunk) = self.chunks.recv_timeout(SILENCE) else { break };
            self.raw.extend(chunk);
        }
        if self.child.try_wait().unwrap().is_none() {
            self.child.kill().unwrap();
        }
        let status = self.child.wait().unwrap();
        (status, String::from_utf8_lossy(&self.raw).into_owned())
    }
}

/// A transcript holds what the operator sees: that one was written is in the journal, however it was asked for.
#[test]
fn an_export_of_plain_lines_is_told_and_journaled() {
    let line = r#""$0" "$@"; grep -o '"is":"exported","path":"[^"]*"' state/pagerdeck/sessions/*.jsonl"#;
    let program = env!("CARGO_BIN_EXE_pagerdeck");
    let words = ["/bin/bash", "-c", line, program, "rehearse", "quiet", "--speed", "10", "--plain"];
    let mut seat = Seat::of(&words, (200, 40), &[]);
    seat.wait_for("Type help");
    seat.press("export\r");
    seat.wait_for("Written:");
    seat.press("quit\r");
    let (_, raw) = seat.end();
    for ending in [".md\"", ".html\""] {
        assert!(raw.lines().any(|line| line.contains("\"is\":\"exported\"") && line.trim().ends_with(ending)), "{raw}");
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a pseudo-terminal is read with blocking calls, from a thread of its own"
)]
fn listen(mut reader: Box<dyn std::io::Read + Send>) -> Receiver<Vec<u8>> {
    let (sender, chunks) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0_u8; 8192];
        while let Ok(read @ 1..) = reader.read(&mut buffer) {
            if sender.send(buffer[..read].to_vec()).is_err() {
                return;
            }
        }
    });
    chunks
}

/// `09:31:26Z` at the end of line 1, or `09:31Z` where that is all there is room for, in seconds of the day.
fn clock(text: &str) -> Option<u32> {
    let word = text.lines().next()?.split_whitespace().last()?.strip_suffix('Z')?;
    let numbers: Vec<u32> = word.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    match numbers.as_slice() {
        [hours, minutes] => Some((hours * 60 + minutes) * 60),
        [hours, minutes, seconds] => Some((hours * 60 + minutes) * 60 + seconds),
        _ => None,
    }
}

/// What takes a mode of the terminal, and what gives it back.
pub const MODES: [(&str, &str); 5] = [
    ("\x1b[?1049h", "\x1b[?1049l"),
    ("\x1b[?25l", "\x1b[?25h"),
    ("\x1b[?2004h", "\x1b[?2004l"),
    ("\x1b[?1004h", "\x1b[?1004l"),
    ("\x1b[>1u", "\x1b[<1u"),
];

/// Each mode that was taken is given back after it was last taken.
pub fn assert_given_back(raw: &str) {
    for (taken, given) in MODES {
        let (last_taken, last_given) = (raw.rfind(taken), raw.rfind(given));
        assert!(last_taken.is_some(), "{taken:?} was never taken");
        assert!(last_given > last_taken, "{given:?} is not after the last {taken:?}");
    }
    assert!(!raw.contains("panicked"), "{raw}");
}

#[test]
fn the_first_frame_says_what_it_is_before_any_data() {
    let mut seat = Seat::take(&["rehearse", "--speed", "10"], (120, 40));
    let first = seat.wait("a frame", |text| text.contains("[1] ALARMS"));
    let line = first.lines().next().unwrap();
    assert!(line.contains("REHEARSAL oom-leak") && line.contains("DRY-RUN"), "{line}");
    assert!(!line.contains("LIVE") && !first.contains("my-api-cpu-high"), "{first}");
}

#[test]
fn keys_answer_after_every_resize() {
    let mut seat = Seat::take(&["rehearse", "--speed", "10"], (100, 30));
    seat.wait_for("my-api-cpu-high");
    for size in [(80, 24), (120, 40), (90, 26)] {
        seat.resize(size);
        seat.wait_for("? help");
        seat.press("?");
        seat.wait_for(" HELP ");
        // Not by Esc: a repaint shows no help for a moment, and an Esc that is read with the Ctrl-C after it is another key.
        seat.press("?");
        seat.wait("the help is gone", |text| !text.contains(" HELP "));
    }
    seat.press("\x03");
    seat.press("\x03");
    assert!(seat.end().0.success());
}

#[test]
fn keys_answer() {
    let mut seat = Seat::take(&["rehearse", "--speed", "10"], (120, 40));
    seat.wait_for("my-api-cpu-high");
    seat.press("?");
    seat.wait_for(" HELP ");
    seat.press("\x1b");
    seat.wait("the help is gone", |text| !text.contains(" HELP "));
    seat.press(":");
    seat.wait_for("Enter does it");
    seat.press("\x1b");
    seat.wait("the palette is gone", |text| !text.contains("Enter does it"));
    seat.press("4z");
    let zoomed = seat.wait("pane 4 alone", |text| text.contains("EVIDENCE (read") && !text.contains("[1] ALARMS"));
    assert!(zoomed.contains("[4] RCA"), "{zoomed}");
}

#[test]
fn an_approval_by_keys_is_recorded_and_changes_nothing() {
    let mut seat = Seat::take(&["rehearse", "--speed", "10"], (120, 40));
    seat.wait_for("#1 REHEARSED");
    seat.press("5");
    seat.wait_for("A records \"would run\"");
    seat.press_when_it_counts("A", "#1 APPROVED");
    let text = seat.wait_for("APPROVED, recorded as \"would run\". Nothing has been changed.");
    assert!(text.contains("nothing has been changed"), "{text}");
}

#[test]
fn no_other_key_approves() {
    let mut seat = Seat::take(&["rehearse", "--speed", "10"], (120, 40));
    seat.wait_for("#1 REHEARSED");
    seat.press("5");
    seat.wait_for("A records \"would run\"");
    seat.press("y");
    seat.press(" ");
    seat.press("?");
    let text = seat.wait_for(" HELP ");
    assert!(!text.contains("#1 APPROVED"), "{text}");
}

#[test]
fn control_c_twice_leaves_and_gives_the_terminal_back() {
    let mut seat = Seat::take(&["rehearse", "--speed", "10"], (80, 24));
    seat.wait_for("[1] ALARMS");
    seat.press("\x03");
    seat.press("\x03");
    let (status, raw) = seat.end();
    assert!(status.success(), "{status:?}");
    assert_given_back(&raw);
}

#[test]
fn a_terminal_too_small_says_what_it_can() {
    let mut seat = Seat::take(&["rehearse", "--speed", "10"], (40, 10));
    let text = seat.wait("the alarms", |text| text.contains("firing/9"));
    let line = text.lines().next().unwrap();
    for piece in ["not armed", "REHEARSAL", "DRY-RUN"] {
        assert!(line.contains(piece), "{line}");
    }
    seat.wait_for("40x10 is too small");
    seat.wait_for("my-api");
}

#[test]
fn a_cloud_that_stays_silent_does_not_keep_the_keys_waiting() {
    // The system accepts for a socket that listens; nobody ever answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let env = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "x"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
    ];
    let mut seat = Seat::with(&[], (80, 24), &env);
    let text = seat.wait_for("[1] ALARMS");
    assert!(!text.contains("REHEARSAL"), "{text}");
    seat.press("?");
    seat.wait_for(" HELP ");
    seat.press("\x1b");
    // Escape and what follows it at once would be one key.
    seat.wait("the help is gone", |text| !text.contains(" HELP "));
    seat.press("\x03");
    seat.press("\x03");
    let (_, raw) = seat.end();
    assert_given_back(&raw);
}
