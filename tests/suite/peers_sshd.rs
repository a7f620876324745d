//! The cockpit through sshd on loopback, as a person has it on a bastion: keys and screen go through a terminal on each side,
//! and a connection that drops ends the session, standing down.
//!
//! Needs sshd and ssh. Where they are absent each test says `skipped`; with `PAGERDECK_REQUIRE_PEERS=1` that is a failure.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Command;

use pagerdeck::domain::remediation::step::StepState;
use pagerdeck::journal::Reader;
use pagerdeck::session::Record;
use pagerdeck::session::event::{Event, RemediationEvent, SessionEvent};
use tempfile::TempDir;

use super::peers_tmux::path;
use super::rehearsed::fold;
use super::skipped;
use super::terminal::Seat;
use super::ways_out::{AROUND, at_the_confirmation, twice_control_c};

/// sshd is in nobody's path, and must be called by its whole name.
const SSHD: [&str; 2] = ["/usr/sbin/sshd", "/usr/bin/sshd"];
const SSH: &str = "/usr/bin/ssh";
/// What is left running tells how the program left; the shell itself may be ended with the connection.
const OUTLIVING: &str = r#"mkfifo left; trap "" HUP; "$0" "$@"; echo "left with $?" > left"#;

/// A host that lets one person in, once, by a key made for it.
struct Bastion {
    folder: TempDir,
    port: u16,
}

impl Bastion {
    /// Begins to listen, where there are the programs. Each connection gets an sshd of its own, so that none is left behind.
    fn open() -> Option<Self> {
        let Some(sshd) = SSHD.into_iter().find(|sshd| Path::new(sshd).exists()) else {
            skipped::without("sshd");
            return None;
        };
        if !Path::new(SSH).exists() {
            skipped::without("ssh");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let config = configured(folder.path());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        serve(listener, sshd, config);
        Some(Self { folder, port })
    }

    /// The person's terminal, logged in with a script around the cockpit.
    fn login(&self, script: &str, args: &str) -> Seat {
        let home = path(self.folder.path());
        let program = env!("CARGO_BIN_EXE_pagerdeck");
        let env = format!("HOME={home} XDG_STATE_HOME={home}/state XDG_CONFIG_HOME={home}/config LANG=C.UTF-8");
        let command = format!("cd {home}; {env} exec /bin/bash -c '{script}' {program} {args}");
        let (port, key) = (self.port.to_string(), format!("{home}/person"));
        let known = format!("UserKnownHostsFile={home}/known");
        let user = Command::new("id").arg("-un").output().unwrap().stdout;
        let user = String::from_utf8(user).unwrap();
        let options = [&known, "StrictHostKeyChecking=accept-new", "IdentitiesOnly=yes", "LogLevel=ERROR"];
        let mut line = vec![SSH, "-tt", "-F", "none", "-p", &port, "-i", &key, "-l", user.trim()];
        line.extend(options.into_iter().flat_map(|option| ["-o", option]));
        line.extend(["127.0.0.1", &command]);
        Seat::of(&line, (100, 30), &[])
    }

    /// The records of the only session on it.
    fn records(&self) -> Vec<Record> {
        let sessions = self.folder.path().join("state/pagerdeck/sessions");
        let journals: Vec<PathBuf> = std::fs::read_dir(sessions).unwrap().map(|entry| entry.unwrap().path()).collect();
        let [journal] = journals.as_slice() else { panic!("{journals:?}") };
        Reader::open(journal).unwrap().map(Result::unwrap).collect()
    }
}

/// Keys of the host and of the person, and sshd's settings: it needs nothing of the machine's own.
fn configured(folder: &Path) -> PathBuf {
    for name in ["host", "person"] {
        let key = folder.join(name);
        let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", path(&key)]).status();
        assert!(made.unwrap().success());
    }
    let home = path(folder);
    let settings = format!(
        "HostKey {home}/host\nAuthorizedKeysFile {home}/person.pub\nStrictModes no\nUsePAM no\n\
         PasswordAuthentication no\nPidFile none\nPrintMotd no\nPrintLastLog no\nLogLevel ERROR\n"
    );
    let config = folder.join("sshd_config");
    std::fs::write(&config, settings).unwrap();
    config
}

#[expect(clippy::disallowed_methods, reason = "the host waits for the person beside the test")]
fn serve(listener: TcpListener, sshd: &'static str, config: PathBuf) {
    std::thread::spawn(move || {
        let (connection, _) = listener.accept().unwrap();
        let connection = OwnedFd::from(connection);
        let answers = connection.try_clone().unwrap();
        let mut command = Command::new(sshd);
        command.args(["-i", "-e", "-f", path(&config)]).stdin(connection).stdout(answers);
        let mut served = command.spawn().unwrap();
        // The connection is sshd's alone from here: its end must be seen.
        drop(command);
        served.wait().unwrap();
    });
}

#[test]
fn a_watch_through_sshd() {
    let Some(bastion) = Bastion::open() else { return };
    let mut seat = bastion.login(AROUND, "rehearse --speed 10");
    let first = seat.wait_for("[1] ALARMS");
    assert!(first.contains("REHEARSAL") && first.contains("DRY-RUN"), "{first}");
    seat.wait_for("#1 REHEARSED");
    seat.press("?");
    seat.wait_for(" HELP ");
    seat.press("?");
    seat.wait("the help is gone", |text| !text.contains(" HELP "));
    seat.resize((120, 40));
    seat.wait_for("? help");
    seat.press("5");
    seat.wait_for("A records \"would run\"");
    seat.press_when_it_counts("A", "#1 APPROVED");
    seat.wait_for("Nothing has been changed.");
    twice_control_c(seat);
}

#[test]
fn a_connection_that_drops_while_a_step_is_armed_stands_it_down() {
    let Some(bastion) = Bastion::open() else { return };
    let mut seat = at_the_confirmation(bastion.login(OUTLIVING, "rehearse --speed 10 --live"));
    seat.hang_up();
    let left = std::fs::read_to_string(bastion.folder.path().join("left")).unwrap();
    assert_eq!(left, "left with 129\n");
    let records = bastion.records();
    let is_start = |record: &Record| matches!(record.event, Event::Remediation(RemediationEvent::StepStarted { .. }));
    assert!(!records.iter().any(is_start));
    let last = &records.last().unwrap().event;
    assert!(matches!(last, Event::Session(SessionEvent::Ended { .. })), "{last:?}");
    let session = fold(&records);
    let steps = session.incidents.values().filter_map(|incident| incident.plan.as_ref()).flat_map(|plan| &plan.steps);
    let states: Vec<&StepState> = steps.map(|step| &step.state).collect();
    assert!(matches!(states[..], [StepState::StoodDown { .. }, ..]), "{states:?}");
}
