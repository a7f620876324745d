//! Others at the same place, where they are installed: a log viewer, two monitors and a pager, in the same terminal.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::figures::{Effort, presses, quantile};
use super::seat::{Program, Seat};

/// A program beside ours.
struct Peer {
    name: &'static str,
    program: &'static str,
    args: &'static [&'static str],
    /// Follows the file that grows.
    follows: bool,
    /// What a first useful screen says.
    ready: &'static str,
    /// A key that opens something and closes it again, and what is on screen then.
    key: Option<(&'static [u8], &'static str)>,
}

const PEERS: [Peer; 4] = [
    Peer {
        name: "lnav",
        program: "lnav",
        args: &["-N"],
        follows: true,
        ready: "AccessLog",
        key: Some((b"?", "lnav is")),
    },
    Peer { name: "bottom", program: "btm", args: &[], follows: false, ready: "CPU", key: Some((b"?", "Help")) },
    Peer { name: "less", program: "less", args: &["+F"], follows: true, ready: "AccessLog", key: None },
    Peer { name: "htop", program: "htop", args: &[], follows: false, ready: "PID", key: Some((b"h", "Arrows")) },
];

/// What they did, as cells of the table.
#[derive(Default)]
pub struct Beside {
    pub first: String,
    pub flooded: String,
    pub idle: String,
}

/// Measures those that are installed.
pub fn measure(effort: &Effort) -> Beside {
    let mut beside = Beside::default();
    for peer in &PEERS {
        let found = ["/usr/bin", "/usr/local/bin"].map(|folder| Path::new(folder).join(peer.program));
        let Some(program) = found.into_iter().find(|path| path.exists()) else { continue };
        let add = |cell: &mut String, told: String| {
            let gap = if cell.is_empty() { "" } else { ", " };
            *cell = format!("{cell}{gap}{} {told}", peer.name);
        };
        add(&mut beside.first, first_frame(peer, &program, effort));
        add(&mut beside.idle, idle(peer, &program, effort));
        if let Some(told) = flooded(peer, &program, effort) {
            add(&mut beside.flooded, told);
        }
    }
    beside
}

fn seat(peer: &Peer, program: &Path, home: &Path) -> Seat {
    let mut args: Vec<String> = peer.args.iter().map(|arg| (*arg).to_owned()).collect();
    if peer.follows {
        args.push(home.join("grows.log").to_str().unwrap().to_owned());
    }
    Seat::start(&Program { path: program, args, env: Vec::new(), home, size: (120, 40) })
}

fn begun(home: &Path) -> PathBuf {
    let path = home.join("grows.log");
    let lines: String = (0..2_000).map(line).collect();
    std::fs::write(&path, lines).unwrap();
    path
}

fn line(n: u64) -> String {
    format!(
        "2026-05-01T09:{:02}:{:02}.000Z INFO  [http-nio-3] c.e.p.AccessLog - GET /v1/orders/{n} 200 41ms\n",
        n / 60 % 60,
        n % 60
    )
}

fn first_frame(peer: &Peer, program: &Path, effort: &Effort) -> String {
    let mut times = Vec::new();
    for _ in 0..effort.starts.min(12) {
        let home = tempfile::tempdir().unwrap();
        begun(home.path());
        let began = Instant::now();
        let mut seat = seat(peer, program, home.path());
        if let Some(at) = seat.until(Duration::from_secs(10), |text| text.contains(peer.ready)) {
            times.push(at - began);
        }
    }
    format!("{:.0} ms", quantile(&mut times, 0.95))
}

fn idle(peer: &Peer, program: &Path, effort: &Effort) -> String {
    let home = tempfile::tempdir().unwrap();
    begun(home.path());
    let mut seat = seat(peer, program, home.path());
    seat.listen(Duration::from_secs(5));
    let (bytes, began) = (seat.bytes, Instant::now());
    seat.listen(effort.idle.min(Duration::from_secs(30)));
    format!("{:.0} B/s", (seat.bytes - bytes) as f64 / began.elapsed().as_secs_f64())
}

/// Keys while the file grows by 5,000 lines a second, and what is written meanwhile.
fn flooded(peer: &Peer, program: &Path, effort: &Effort) -> Option<String> {
    if !peer.follows {
        return None;
    }
    let home = tempfile::tempdir().unwrap();
    let path = begun(home.path());
    let grows = Arc::new(AtomicBool::new(true));
    let growing = Arc::clone(&grows);
    let writer = std::thread::spawn(move || {
        let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
        let mut n = 2_000;
        while growing.load(Ordering::SeqCst) {
            let lines: String = (n..n + 250).map(line).collect();
            n += 250;
            let _ = file.write_all(lines.as_bytes());
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let mut seat = seat(peer, program, home.path());
    seat.listen(Duration::from_secs(3));
    let (bytes, began) = (seat.bytes, Instant::now());
    seat.listen(effort.flood.min(Duration::from_secs(10)));
    let rate = (seat.bytes - bytes) as f64 / 1024.0 / began.elapsed().as_secs_f64();
    let keys = peer.key.map(|(key, shown)| {
        let mut times = presses(&mut seat, effort.presses.min(40), key, shown);
        format!("p50 {:.0} p99 {:.0} ms, ", quantile(&mut times, 0.5), quantile(&mut times, 0.99))
    });
    grows.store(false, Ordering::SeqCst);
    let _ = writer.join();
    Some(format!("{}{rate:.0} KiB/s", keys.unwrap_or_default()))
}
