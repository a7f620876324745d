//! A program in a pseudo-terminal: what it has written when, what is on its screen, what it costs.

use std::io::{Read as _, Write as _};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// The program at a terminal.
pub struct Seat {
    chunks: Receiver<(Instant, Vec<u8>)>,
    keys: Box<dyn std::io::Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    screen: vt100::Parser,
    held: Arc<AtomicBool>,
    text: String,
    /// Bytes the program has written so far.
    pub bytes: u64,
    /// Frames among them, by the bracket that opens one.
    pub frames: u64,
    is_within_frame: bool,
    _master: Box<dyn MasterPty + Send>,
}

/// What to start.
pub struct Program<'a> {
    pub path: &'a Path,
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
    pub home: &'a Path,
    pub size: (u16, u16),
}

impl Seat {
    pub fn start(program: &Program<'_>) -> Self {
        let (cols, rows) = program.size;
        let pair = native_pty_system().openpty(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(program.path);
        command.args(&program.args);
        command.env_clear();
        command.cwd(program.home);
        let home = program.home.to_str().unwrap();
        for (name, value) in
            [("TERM", "xterm-256color"), ("LC_ALL", "C.UTF-8"), ("PATH", "/usr/bin:/bin"), ("HOME", home)]
        {
            command.env(name, value);
        }
        for (name, value) in &program.env {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let held = Arc::new(AtomicBool::new(false));
        let chunks = listen(pair.master.try_clone_reader().unwrap(), Arc::clone(&held));
        let keys = pair.master.take_writer().unwrap();
        let [high, wide] = [rows, cols].map(|cells| NonZeroU16::new(cells).unwrap());
        let screen = vt100::Parser::new(high, wide, 0);
        Self {
            chunks,
            keys,
            child,
            screen,
            held,
            text: String::new(),
            bytes: 0,
            frames: 0,
            is_within_frame: false,
            _master: pair.master,
        }
    }

    /// What is on screen.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The screen, cell by cell.
    pub fn screen(&self) -> &vt100::Screen {
        self.screen.screen()
    }

    /// Takes in what comes within a span.
    pub fn listen(&mut self, span: Duration) {
        let end = Instant::now() + span;
        while self.take(end).is_some() {}
    }

    /// When the screen was first as wanted; `None` if it was not within this time.
    pub fn until(&mut self, patience: Duration, wanted: impl Fn(&str) -> bool) -> Option<Instant> {
        let end = Instant::now() + patience;
        if wanted(&self.text) {
            return Some(Instant::now());
        }
        while let Some(at) = self.take(end) {
            if wanted(&self.text) {
                return Some(at);
            }
        }
        None
    }

    /// The next chunk, if one comes before the end.
    pub fn take(&mut self, end: Instant) -> Option<Instant> {
        let left = end.saturating_duration_since(Instant::now());
        match self.chunks.recv_timeout(left) {
            Ok((at, chunk)) => {
                self.bytes += chunk.len() as u64;
                self.count(&chunk);
                self.screen.process(&chunk);
                self.text = self.screen.screen().contents();
                Some(at)
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
        }
    }

    /// Counts frames: those in brackets by their beginning, and what comes alone between brackets as one, for that is how the
    /// shortest come.
    fn count(&mut self, chunk: &[u8]) {
        const BEGIN: &[u8] = b"\x1b[?2026h";
        const END: &[u8] = b"\x1b[?2026l";
        let begins = chunk.windows(BEGIN.len()).filter(|bytes| *bytes == BEGIN).count() as u64;
        let ends = chunk.windows(END.len()).filter(|bytes| *bytes == END).count() as u64;
        let is_short = !self.is_within_frame && begins + ends == 0;
        self.frames += begins + u64::from(is_short);
        self.is_within_frame = u64::from(self.is_within_frame) + begins > ends;
    }

    pub fn press(&mut self, keys: &[u8]) -> Instant {
        // A program that has ended takes no keys; what was waited for then does not come.
        let _ = self.keys.write_all(keys).and_then(|()| self.keys.flush());
        Instant::now()
    }

    /// Whether nobody reads what the program writes.
    pub fn hold(&self, held: bool) {
        self.held.store(held, Ordering::SeqCst);
    }

    /// The program's id.
    pub fn id(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Resident memory, MiB.
    pub fn resident_mib(&self) -> f64 {
        resident_mib(&self.id().to_string())
    }

    /// Processor time so far, user and system.
    pub fn cpu(&self) -> Duration {
        cpu(self.id())
    }
}

/// What a process has used so far.
pub struct Share {
    /// The most memory it was resident in, MiB.
    pub peak_mib: f64,
    /// Resident memory, MiB.
    pub resident_mib: f64,
    /// Processor time, user and system.
    pub cpu: Duration,
}

impl Share {
    /// By its id.
    pub fn of(process: u32) -> Self {
        let id = process.to_string();
        Self { peak_mib: mib(&id, "VmHWM:"), resident_mib: resident_mib(&id), cpu: cpu(process) }
    }
}

fn cpu(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: u64 = [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// Resident memory of a process by its id, or `self`, MiB.
pub fn resident_mib(process: &str) -> f64 {
    mib(process, "VmRSS:")
}

fn mib(process: &str, what: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(what)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

impl Drop for Seat {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen(mut output: Box<dyn std::io::Read + Send>, held: Arc<AtomicBool>) -> Receiver<(Instant, Vec<u8>)> {
    let (sender, chunks) = channel();
    std::thread::spawn(move || {
        let mut buffer = vec![0; 65_536];
        loop {
            while held.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(2));
            }
            let Ok(length @ 1..) = output.read(&mut buffer) else { return };
            if sender.send((Instant::now(), buffer[..length].to_vec())).is_err() {
                return;
            }
        }
    });
    chunks
}
