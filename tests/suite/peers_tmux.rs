//! The cockpit in tmux, as a person has it on a bastion: keys and sizes go through tmux, the pane is read by `capture-pane`,
//! and afterwards the shell has every mode back.
//!
//! Needs tmux. Where it is absent each test says `skipped`; with `PAGERDECK_REQUIRE_PEERS=1` that is a failure.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::skipped;
use super::terminal::Seat;

const CONTROL_C: &str = "\x03";
/// A person's settings that matter here; the rest is tmux's own.
const SETTINGS: &str = "set -g status off\nset -g escape-time 10\nset -g focus-events on\n";

/// tmux in a terminal, with a shell in its only pane.
struct Tmux {
    seat: Seat,
    server: Server,
}

/// The tmux server, ended with its socket's folder.
struct Server(TempDir);

impl Server {
    fn socket(&self) -> PathBuf {
        self.0.path().join("socket")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended with its last shell, unless the test failed before.
        drop(Command::new("tmux").args(["-S", path(&self.socket()), "kill-server"]).output());
    }
}

impl Tmux {
    /// Begins, where there is tmux.
    fn start(size: (u16, u16)) -> Option<Self> {
        if !is_there() {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let (settings, socket) = (folder.path().join("tmux.conf"), folder.path().join("socket"));
        std::fs::write(&settings, SETTINGS).unwrap();
        let shell = "PS1='ready> ' /bin/bash --norc --noprofile";
        let line = ["/usr/bin/env", "tmux", "-S", path(&socket), "-f", path(&settings), "new-session", shell];
        let mut seat = Seat::of(&line, size, &[]);
        let server = Server(folder);
        seat.wait_for("ready>");
        Some(Self { seat, server })
    }

    /// What tmux answers to a command.
    fn asked(&self, args: &[&str]) -> String {
        let socket = self.server.socket();
        let output = Command::new("tmux").args(["-S", path(&socket)]).args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The pane's text.
    fn pane(&self) -> String {
        self.asked(&["capture-pane", "-p"])
    }

    /// What the pane's terminal has on: the alternate screen, the cursor, application keys, the mouse.
    fn modes(&self) -> String {
        self.asked(&["display-message", "-p", "#{alternate_on} #{cursor_flag} #{keypad_flag} #{mouse_any_flag}"])
    }

    /// Starts the cockpit between two looks at the settings.
    fn begins(&mut self) {
        let program = env!("CARGO_BIN_EXE_pagerdeck");
        let line = format!("stty -g > before; {program} rehearse --speed 10; echo \"left: $?\"\r");
        self.seat.press(&line);
        self.seat.wait_for("#1 REHEARSED");
        assert_eq!(self.modes().trim(), "1 0 0 0");
    }

    /// The shell has the terminal as it was. It has told how the program left, or how it was stopped.
    fn assert_back(mut self, told: &str) {
        self.seat.press(CONTROL_C);
        self.seat.press(CONTROL_C);
        let text = self.seat.wait("the shell", |text| text.contains(told) && text.trim_end().ends_with("ready>"));
        assert!(!text.contains("ALARMS"), "{text}");
        assert_eq!(self.modes().trim(), "0 1 0 0");
        // What is typed is shown again.
        self.seat.press("stty -g > after; echo wel\"\"come\r");
        self.seat.wait_for("\nwelcome");
        let told = |name| std::fs::read_to_string(self.seat.home().join(name)).unwrap();
        assert_eq!(told("before"), told("after"));
        assert!(told("before").contains(':'));
        self.seat.press("exit\r");
        let (status, _) = self.seat.end();
        assert!(status.success(), "{status:?}");
    }
}

/// A path as text.
pub fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn is_there() -> bool {
    let there = Command::new("tmux").arg("-V").output().is_ok_and(|output| output.status.success());
    if !there {
        skipped::without("tmux");
    }
    there
}

/// Looks at everything by keys, decides a step, and leaves.
fn a_watch_in(size: (u16, u16)) {
    let Some(mut tmux) = Tmux::start(size) else { return };
    tmux.begins();
    let line = tmux.pane().lines().next().unwrap().to_owned();
    assert!(line.contains("REHEARSAL") && line.contains("DRY-RUN"), "{line}");
    let seat = &mut tmux.seat;
    seat.press("?");
    seat.wait_for(" HELP ");
    seat.press("\x1b");
    seat.wait("the help is gone", |text| !text.contains(" HELP "));
    seat.press(":");
    seat.wait_for("Enter does it");
    seat.press("zoom");
    seat.press("\r");
    seat.wait("the palette is gone", |text| !text.contains("Enter does it"));
    seat.press("3");
    seat.wait("pane 3 alone", |text| text.contains("[3] LOGS") && !text.contains("[1] ALARMS"));
    seat.press("z5");
    seat.wait_for("A records \"would run\"");
    seat.press_when_it_counts("A", "#1 APPROVED");
    seat.wait_for("Nothing has been changed.");
    let pane = tmux.pane();
    assert!(pane.contains("#1 APPROVED") && pane.contains("Nothing has been changed."), "{pane}");
    assert_eq!(pane.lines().count(), usize::from(size.1), "{pane}");
    tmux.assert_back("left: 0");
}

#[test]
fn a_watch_in_tmux_at_80x24() {
    a_watch_in((80, 24));
}

#[test]
fn a_watch_in_tmux_at_120x40() {
    a_watch_in((120, 40));
}

/// As tmux drags the pane and as a shell with jobs stops what runs in it.
#[test]
fn a_pane_of_another_size_and_a_stop_in_tmux() {
    let Some(mut tmux) = Tmux::start((120, 40)) else { return };
    tmux.begins();
    for size in [(90, 30), (80, 24), (132, 43)] {
        tmux.seat.resize(size);
        tmux.seat.wait_for("? help");
        let pane = tmux.pane();
        assert_eq!(pane.lines().count(), usize::from(size.1), "{pane}");
    }
    tmux.seat.press("\x1a");
    tmux.seat.wait_for("Stopped");
    assert_eq!(tmux.modes().trim(), "0 1 0 0");
    tmux.seat.press("fg\r");
    tmux.seat.wait("the cockpit", |text| text.contains("? help") && !text.contains("Stopped"));
    assert_eq!(tmux.modes().trim(), "1 0 0 0");
    tmux.assert_back("left: 148");
}

/// tmux pastes without brackets unless it is asked to send them: the letters come as keys, all in one read.
#[test]
fn a_token_that_tmux_pastes_is_not_taken_and_one_that_is_typed_is() {
    let Some(mut tmux) = Tmux::start((120, 40)) else { return };
    tmux.seat.press(&format!("{} rehearse --speed 3 --live\r", env!("CARGO_BIN_EXE_pagerdeck")));
    tmux.seat.wait_for("#1 REHEARSED");
    tmux.seat.press("5");
    tmux.seat.wait_for("UNDO");
    let asks = tmux.seat.press_when_it_counts("A", "confirm>");
    let token = asks.split_once("Type  ").and_then(|(_, rest)| rest.split_once("  then Enter")).unwrap().0.to_owned();
    tmux.asked(&["set-buffer", &token]);
    tmux.asked(&["paste-buffer"]);
    tmux.seat.wait_for("pasted: type it");
    tmux.seat.press("\r");
    tmux.seat.wait_for("Pasted, not typed");
    let (half, rest) = token.split_at(token.len() / 2);
    tmux.seat.press(half);
    tmux.seat.wait_a_second();
    tmux.seat.press(rest);
    tmux.seat.wait_for(&format!("confirm> {token}_"));
    tmux.seat.wait_a_second();
    tmux.seat.press("\r");
    tmux.seat.wait("the step runs", |text| text.contains("#1 VERIFYING") || text.contains("#1 RUNNING"));
}
