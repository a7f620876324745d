//! The whole program in a pseudo-terminal: G1 to G6 and G8 to G10 as the issue of speed numbers them.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::cloud::{self, Cloud};
use super::seat::{Program, Seat};
use super::table::Table;

/// A broken program is given up after this.
const PATIENCE: Duration = Duration::from_secs(30);
const WIDE: (u16, u16) = (120, 40);

/// How long and how often.
#[derive(Clone, Copy)]
pub struct Effort {
    pub starts: usize,
    pub presses: usize,
    pub idle: Duration,
    pub flood: Duration,
    pub words: usize,
    pub lines: &'static [u64],
}

impl Effort {
    pub const WHOLE: Self = Self {
        starts: 40,
        presses: 300,
        idle: Duration::from_mins(2),
        flood: Duration::from_secs(30),
        words: 9_400,
        lines: &[1_000_000, 10_000_000],
    };
    pub const QUICK: Self = Self {
        starts: 8,
        presses: 60,
        idle: Duration::from_secs(15),
        flood: Duration::from_secs(8),
        words: 1_600,
        lines: &[1_000_000],
    };
}

/// The program under test, and how hard to try.
pub struct Bench {
    pub program: PathBuf,
    pub effort: Effort,
}

/// The value below which this share lies, in milliseconds.
pub fn quantile(times: &mut [Duration], share: f64) -> f64 {
    times.sort_unstable();
    let at = (times.len().saturating_sub(1) as f64 * share).round() as usize;
    times.get(at).map_or(f64::NAN, |time| time.as_secs_f64() * 1_000.0)
}

/// `p50 / pNN` in milliseconds.
pub fn spread(times: &mut [Duration], share: f64) -> String {
    let (half, most) = (quantile(times, 0.5), quantile(times, share));
    format!("p50 {half:.1} ms, p{:.0} {most:.1} ms (n {})", share * 100.0, times.len())
}

/// Between a key and the frame that answers it, over and over: the help opens, the help closes.
pub fn presses(seat: &mut Seat, count: usize, key: &[u8], shown: &str) -> Vec<Duration> {
    let mut times = Vec::new();
    for n in 0..count {
        // Pauses of no rhythm, so that keys meet every phase of a frame.
        seat.listen(Duration::from_millis(25 + (n as u64 * 37) % 90));
        let opens = n % 2 == 0;
        let pressed = seat.press(key);
        match seat.until(Duration::from_secs(5), |text| text.contains(shown) == opens) {
            Some(at) => times.push(at.saturating_duration_since(pressed)),
            None => times.push(Duration::from_secs(5)),
        }
    }
    times
}

impl Bench {
    pub fn seat(&self, home: &Path, args: &[&str], env: Vec<(String, String)>, size: (u16, u16)) -> Seat {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Seat::start(&Program { path: &self.program, args, env, home, size })
    }

    /// A rehearsal in a terminal of a size.
    pub fn rehearsal(&self, home: &Path, args: &[&str], size: (u16, u16)) -> Seat {
        let env = [("PAGERDECK_STATE", "state"), ("PAGERDECK_CONFIG", "none.toml")];
        std::fs::write(home.join("none.toml"), "").unwrap();
        let env = env.map(|(name, file)| (name.to_owned(), home.join(file).to_str().unwrap().to_owned()));
        self.seat(home, &[&["rehearse"], args].concat(), env.to_vec(), size)
    }

    /// G1: from the start of the process to a frame that says where this is, in which mode, and what fires.
    pub fn first_frame(&self, table: &mut Table, peers: String) {
        let mut times = Vec::new();
        for _ in 0..self.effort.starts {
            let home = tempfile::tempdir().unwrap();
            let began = Instant::now();
            let mut seat = self.rehearsal(home.path(), &[], WIDE);
            let wanted = |text: &str| ["REHEARSAL", "[1] ALARMS", "DRY-RUN"].iter().all(|word| text.contains(word));
            if let Some(at) = seat.until(PATIENCE, wanted) {
                times.push(at.saturating_duration_since(began));
            }
        }
        table.beside("G1 first useful frame", "p95 <= 60 ms", spread(&mut times, 0.95), peers);
    }

    /// G2, the flood half of G6, and G10, in one session: 5,000 new lines and 100 words a second.
    pub fn flooded(&self, table: &mut Table, peers: String) {
        let home = tempfile::tempdir().unwrap();
        let cloud = Cloud::start(home.path(), (5_000, 100));
        let mut seat = self.seat(home.path(), &[], cloud.env(home.path()), WIDE);
        if !Self::is_flooded(&mut seat, &cloud) {
            eprintln!("the flood did not come:\n{}", seat.text());
        }
        let mut times = presses(&mut seat, self.effort.presses, b"?", " HELP ");
        table.beside("G2 key to paint, 5,000 lines/s, 100 words/s", "p99 <= 33 ms", spread(&mut times, 0.99), peers);
        for pane in ["4", "3"] {
            seat.press(pane.as_bytes());
            let rate = self.written(&mut seat);
            table.row(format!("G6 flood, pane {pane} has the keys"), "<= 40 KiB/s", rate);
        }
        let mut times: Vec<Duration> = (0..3).filter_map(|_| stalled(&mut seat)).collect();
        table.row("G10 latest state after a stall of 5 s", "<= 100 ms", spread(&mut times, 1.0));
        let resident = format!("{:.1} MiB", seat.resident_mib());
        table.row("G5 resident, flooded so far", "<= 64 MiB", resident);
    }

    /// Whether lines and words flow.
    fn is_flooded(seat: &mut Seat, cloud: &Cloud) -> bool {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            seat.listen(Duration::from_millis(200));
            let words = cloud.sent.lock().unwrap().len();
            if words > 100 && seat.text().contains("AccessLog") {
                return true;
            }
        }
        false
    }

    fn written(&self, seat: &mut Seat) -> String {
        let (bytes, frames) = (seat.bytes, seat.frames);
        let began = Instant::now();
        seat.listen(self.effort.flood);
        let seconds = began.elapsed().as_secs_f64();
        let (bytes, frames) = ((seat.bytes - bytes) as f64, (seat.frames - frames) as f64);
        format!("{:.1} KiB/s, {:.1} frames/s", bytes / 1024.0 / seconds, frames / seconds)
    }

    /// G6 on a slow link, where the program has a flag for it.
    pub fn slow_link(&self, table: &mut Table) {
        let goal = "<= 8 KiB/s";
        let help = std::process::Command::new(&self.program).arg("--help").output().unwrap();
        if !String::from_utf8_lossy(&help.stdout).contains("--slow-link") {
            return table.row("G6 flood, slow link", goal, "no --slow-link in this build");
        }
        let home = tempfile::tempdir().unwrap();
        let cloud = Cloud::start(home.path(), (5_000, 100));
        let mut seat = self.seat(home.path(), &["--slow-link"], cloud.env(home.path()), WIDE);
        Self::is_flooded(&mut seat, &cloud);
        let rate = self.written(&mut seat);
        table.row("G6 flood, slow link", goal, rate);
    }

    /// G3: every endpoint silent, throttling, unknown to the name service.
    pub fn hostile_network(&self, table: &mut Table) {
        let places = [
            ("silent", cloud::silent()),
            ("throttled", cloud::throttled()),
            ("DNS fails", "http://nowhere.invalid:9".to_owned()),
        ];
        for (word, endpoint) in places {
            let home = tempfile::tempdir().unwrap();
            let began = Instant::now();
            let mut seat = self.seat(home.path(), &[], cloud::access(&endpoint, home.path()), WIDE);
            let first = seat.until(PATIENCE, |text| text.contains("[1] ALARMS"));
            let first = first.map_or(f64::NAN, |at| (at - began).as_secs_f64() * 1_000.0);
            let mut times = presses(&mut seat, self.effort.presses, b"?", " HELP ");
            let told = format!("{}; first frame {first:.0} ms", spread(&mut times, 0.99));
            table.row(format!("G3 key to paint, endpoints: {word}"), "p99 <= 33 ms", told);
        }
    }

    /// G5 by the whole program: lines as fast as it takes them.
    pub fn resident(&self, table: &mut Table) {
        let home = tempfile::tempdir().unwrap();
        let cloud = Cloud::start(home.path(), (60_000, 5));
        let mut seat = self.seat(home.path(), &[], cloud.env(home.path()), WIDE);
        for wanted in self.effort.lines {
            let began = Instant::now();
            let served = || cloud.served.load(std::sync::atomic::Ordering::SeqCst);
            while served() < *wanted && began.elapsed() < Duration::from_mins(7) {
                seat.listen(Duration::from_millis(100));
            }
            let (lines, mib) = (served() as f64 / 1e6, seat.resident_mib());
            let told = format!("{mib:.1} MiB after {lines:.1} M lines");
            table.row(
                format!("G5 resident after {} M lines, over the wire", wanted / 1_000_000),
                "<= 64 MiB, then +-2",
                told,
            );
        }
    }

    /// G6 and G8 at rest: the story is told, nothing is pressed, everything is polled.
    pub fn idle(&self, table: &mut Table, peers: String) {
        let home = tempfile::tempdir().unwrap();
        let mut seat = self.rehearsal(home.path(), &[], WIDE);
        seat.until(PATIENCE, |text| text.contains("#1 REHEARSED"));
        seat.listen(Duration::from_secs(10));
        let (bytes, frames, cpu, began) = (seat.bytes, seat.frames, seat.cpu(), Instant::now());
        seat.listen(self.effort.idle);
        let seconds = began.elapsed().as_secs_f64();
        let (bytes, frames) = ((seat.bytes - bytes) as f64 / seconds, seat.frames - frames);
        let told = format!("{bytes:.1} B/s over {seconds:.0} s ({frames} frames)");
        table.beside("G6 idle, rehearsal told to its end", "<= 2 B/s", told, peers);
        let percent = seat.cpu().saturating_sub(cpu).as_secs_f64() / seconds * 100.0;
        table.row("G8 idle processor, simulator included", "<= 0.2 %", format!("{percent:.2} %"));
    }

    /// The same with nothing to show: what a quiet account costs.
    pub fn quiet(&self, table: &mut Table) {
        let home = tempfile::tempdir().unwrap();
        let cloud = Cloud::start(home.path(), (0, 0));
        let mut seat = self.seat(home.path(), &[], cloud.env(home.path()), WIDE);
        seat.listen(Duration::from_secs(15));
        let (bytes, cpu, began) = (seat.bytes, seat.cpu(), Instant::now());
        seat.listen(self.effort.idle);
        let seconds = began.elapsed().as_secs_f64();
        let bytes = (seat.bytes - bytes) as f64 / seconds;
        let percent = seat.cpu().saturating_sub(cpu).as_secs_f64() / seconds * 100.0;
        table.row("G6 idle, polling a simulator elsewhere", "<= 2 B/s", format!("{bytes:.1} B/s over {seconds:.0} s"));
        table.row("G8 idle processor with polling", "<= 0.2 %", format!("{percent:.2} %"));
    }

    /// G9: from the moment the model sent a word to the frame that shows it, at the text's beginning and far into it.
    pub fn words(&self, table: &mut Table) {
        let home = tempfile::tempdir().unwrap();
        let cloud = Cloud::start(home.path(), (0, 250));
        let mut seat = self.seat(home.path(), &[], cloud.env(home.path()), WIDE);
        seat.until(PATIENCE, |text| text.contains("[4] RCA"));
        seat.press(b"4z");
        let mut painted: Vec<Option<Instant>> = vec![None; self.effort.words];
        let (end, mut next) = (Instant::now() + Duration::from_secs(90), 0);
        while next < painted.len() {
            let Some(at) = seat.take(end) else { break };
            let newest = newest_word(seat.text()).map_or(0, |newest| (newest + 1).min(painted.len()));
            painted[next.min(newest)..newest].fill(Some(at));
            next = next.max(newest);
        }
        let moments = cloud.sent.lock().unwrap();
        let late = |from: usize, to: usize| {
            let span = painted.iter().zip(moments.iter()).take(to).skip(from);
            let mut times: Vec<Duration> =
                span.filter_map(|(at, sent)| Some(at.as_ref()?.saturating_duration_since(*sent))).collect();
            spread(&mut times, 0.95)
        };
        table.row("G9 word to paint, the first 2 KB", "p95 <= 50 ms", late(0, 290));
        let last = self.effort.words;
        let far = format!("G9 word to paint, around {} KB", last * 7 / 1_000);
        table.row(far, "p95 <= 50 ms, flat", late(last - 290, last));
    }

    /// G6: writes to the terminal and frames among them, counted by the kernel's side of the calls.
    pub fn writes(&self, table: &mut Table) {
        let (figure, goal) = ("G6 writes a frame, by strace", "1");
        if std::process::Command::new("strace").arg("-V").output().is_err() {
            return table.row(figure, goal, "no strace here");
        }
        let home = tempfile::tempdir().unwrap();
        let log = home.path().join("writes");
        let args = ["-f", "-qq", "-e", "trace=write,writev", "-e", "signal=none", "-o", log.to_str().unwrap()];
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let own = [self.program.to_str().unwrap(), "rehearse"].map(ToOwned::to_owned);
        let program = Program {
            path: Path::new("/usr/bin/strace"),
            args: args.into_iter().chain(own).collect(),
            env: vec![("PAGERDECK_STATE".to_owned(), home.path().join("state").to_str().unwrap().to_owned())],
            home: home.path(),
            size: WIDE,
        };
        let mut seat = Seat::start(&program);
        seat.until(PATIENCE, |text| text.contains("#1 REHEARSED"));
        for _ in 0..6 {
            presses(&mut seat, 2, b"?", " HELP ");
        }
        let frames = seat.frames;
        drop(seat);
        let told = std::fs::read_to_string(&log).unwrap_or_default();
        // The terminal is written by a descriptor of the program's own: the one that frames go to. Each call is told once,
        // where it begins.
        let begins = || told.lines().filter(|line| !line.contains("resumed>"));
        let Some(to) = begins().find(|line| line.contains("[?2026h")).and_then(|line| line.split_whitespace().nth(1))
        else {
            return table.row(figure, goal, "strace told of no frame");
        };
        let (modes, writes): (Vec<&str>, Vec<&str>) = begins()
            .filter(|line| line.split_whitespace().nth(1) == Some(to))
            .partition(|line| line.contains("[?1049") || line.contains("[<"));
        let (writes, others) = (writes.len(), modes.len());
        let told = format!("{writes} writes for {frames} frames, {others} beside them (modes)");
        table.row(figure, goal, told);
    }
}

/// The latest state is on screen, who was not read for five seconds: a key pressed at the end of the stall is answered.
fn stalled(seat: &mut Seat) -> Option<Duration> {
    seat.hold(true);
    std::thread::sleep(Duration::from_millis(4_800));
    seat.press(b"?");
    std::thread::sleep(Duration::from_millis(200));
    seat.hold(false);
    let read_again = Instant::now();
    let shown = seat.until(Duration::from_secs(10), |text| text.contains(" HELP "))?;
    seat.press(b"?");
    seat.until(Duration::from_secs(5), |text| !text.contains(" HELP "));
    Some(shown.saturating_duration_since(read_again))
}

/// The highest number of a word on screen.
fn newest_word(text: &str) -> Option<usize> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.filter_map(|word| word.strip_prefix('w').filter(|number| number.len() == 5)?.parse().ok()).max()
}
