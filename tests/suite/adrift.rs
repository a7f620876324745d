//! A terminal that tells less than most do.

use std::fs::File;
use std::io::Read as _;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, openpt, ptsname, unlockpt};

/// Kills a process that does not end: that is the very defect looked for here, and nothing else would end the test. It is
/// let go of with what is returned.
#[expect(clippy::disallowed_methods, reason = "the test itself waits in blocking calls")]
fn watched(id: u32) -> Sender<()> {
    let (held, let_go) = channel::<()>();
    std::thread::spawn(move || {
        if let_go.recv_timeout(Duration::from_mins(2)) == Err(RecvTimeoutError::Timeout) {
            drop(std::process::Command::new("kill").args(["-KILL", &id.to_string()]).status());
        }
    });
    held
}

/// A terminal that does not control the program hangs up without a signal. This one, as a serial line, does not know its size
/// either.
#[test]
fn a_lost_terminal_that_tells_neither_its_size_nor_its_end_is_left() {
    let home = tempfile::tempdir().unwrap();
    let mut held = File::from(openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap());
    unlockpt(&held).unwrap();
    let name = ptsname(&held, Vec::new()).unwrap();
    let terminal = File::from(open(&name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap());
    let end = || terminal.try_clone().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_pagerdeck"));
    command.arg("rehearse").stdin(end()).stdout(end()).stderr(end());
    command.env_clear().env("HOME", home.path()).env("XDG_STATE_HOME", home.path()).env("TERM", "xterm-256color");
    let mut child = command.spawn().unwrap();
    drop((command, terminal));
    let watched = watched(child.id());
    let (mut written, mut chunk) = (Vec::new(), [0; 4_096]);
    while !String::from_utf8_lossy(&written).contains("[1] ALARMS") {
        let length = held.read(&mut chunk).unwrap();
        written.extend(&chunk[..length]);
    }
    drop(held);
    let left = child.wait().unwrap();
    drop(watched);
    assert_eq!(left.code(), Some(129), "{left:?}");
}
