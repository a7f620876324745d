//! Whole-process figures, through a pseudo-terminal: first useful frame, key to paint, bytes while idle.
//!
//! `cargo bench --bench first_frame`. Prints a table; asserts no time.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and starts a reading thread")]
#![expect(clippy::print_stdout, reason = "its output is the table")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run must stop loudly")]

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

const ROUNDS: usize = 20;
const PATIENCE: Duration = Duration::from_secs(20);
const IDLE: Duration = Duration::from_secs(10);

struct Terminal {
    chunks: Receiver<(Instant, Vec<u8>)>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn portable_pty::Child + Send + Sync>,
    screen: vt100::Parser,
    _master: Box<dyn portable_pty::MasterPty + Send>,
    _state: tempfile::TempDir,
}

impl Terminal {
    fn start() -> Self {
        let state = tempfile::tempdir().unwrap();
        let pair =
            native_pty_system().openpty(PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_pagerdeck"));
        command.arg("rehearse");
        command.env("TERM", "xterm-256color");
        command.env("LC_ALL", "C.UTF-8");
        command.env("PAGERDECK_STATE", state.path());
        command.env("PAGERDECK_CONFIG", state.path().join("none.toml"));
        std::fs::write(state.path().join("none.toml"), "").unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut output = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let (sender, chunks) = channel();
        std::thread::spawn(move || {
            let mut buffer = vec![0; 65_536];
            while let Ok(length @ 1..) = output.read(&mut buffer) {
                if sender.send((Instant::now(), buffer[..length].to_vec())).is_err() {
                    return;
                }
            }
        });
        let [rows, cols] = [40, 120].map(|cells| NonZeroU16::new(cells).unwrap());
        let screen = vt100::Parser::new(rows, cols, 0);
        Self { chunks, keys, child, screen, _master: pair.master, _state: state }
    }

    /// When the screen first showed all of these.
    fn until(&mut self, wanted: &[&str]) -> Instant {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let (at, bytes) = self.chunks.recv_timeout(left).unwrap();
            self.screen.process(&bytes);
            let text = self.screen.screen().contents();
            if wanted.iter().all(|word| text.contains(word)) {
                return at;
            }
        }
    }

    fn press(&mut self, keys: &[u8]) -> Instant {
        self.keys.write_all(keys).unwrap();
        self.keys.flush().unwrap();
        Instant::now()
    }

    /// Bytes that come within a span.
    fn listen(&mut self, span: Duration) -> usize {
        let end = Instant::now() + span;
        let mut bytes = 0;
        while let Ok((_, chunk)) = self.chunks.recv_timeout(end.saturating_duration_since(Instant::now())) {
            self.screen.process(&chunk);
            bytes += chunk.len();
        }
        bytes
    }

    fn leave(mut self) {
        self.press(b"\x03");
        self.press(b"\x03");
        self.child.wait().unwrap();
    }
}

fn quantile(times: &mut [Duration], q: f64) -> f64 {
    times.sort_unstable();
    let at = ((times.len() - 1) as f64 * q).round() as usize;
    times[at].as_secs_f64() * 1_000.0
}

fn row(name: &str, times: &mut [Duration]) {
    let (p50, p95) = (quantile(times, 0.5), quantile(times, 0.95));
    println!("{name:<34} p50 {p50:>8.1} ms   p95 {p95:>8.1} ms   n {}", times.len());
}

fn main() {
    let mut first = Vec::new();
    let mut verdict = Vec::new();
    let mut key = Vec::new();
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let mut terminal = Terminal::start();
        first.push(terminal.until(&["REHEARSAL", "ALARMS", "DRY-RUN"]) - started);
        verdict.push(terminal.until(&["memory leak"]) - started);
        let pressed = terminal.press(b"?");
        key.push(terminal.until(&["search"]).saturating_duration_since(pressed));
        terminal.leave();
    }
    row("first useful frame", &mut first);
    row("verdict on screen", &mut verdict);
    row("key to paint (help)", &mut key);
    let mut terminal = Terminal::start();
    terminal.until(&["REHEARSED"]);
    let bytes = terminal.listen(IDLE);
    println!(
        "after the story, nothing pressed   {:.0} B/s over {} s",
        bytes as f64 / IDLE.as_secs_f64(),
        IDLE.as_secs()
    );
    terminal.leave();
}
