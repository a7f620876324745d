//! Every way out of the cockpit: the terminal's settings, its screen, its cursor, and its modes of paste, focus and keyboard
//! are afterwards what they were before. A shell that stays behind reads the settings on both sides.

use pagerdeck::config::{Keyboard, Multiplexer};
use pagerdeck::runtime::terminal::{Screen, ScreenOptions};

use super::terminal::{Seat, assert_given_back};

const SIZE: (u16, u16) = (80, 24);
/// Runs a program between two looks at the terminal's settings, and tells its process and its exit code.
const AROUND: &str =
    r#"stty -g; (echo "process $BASHPID"; exec "$0" "$@"); code=$?; echo; stty -g; echo "left with $code""#;

fn around(line: &[&str]) -> Seat {
    let whole: Vec<&str> = ["/bin/bash", "-c", AROUND].into_iter().chain(line.iter().copied()).collect();
    Seat::of(&whole, SIZE, &[])
}

/// The cockpit, shown.
fn cockpit() -> Seat {
    let mut seat = around(&[env!("CARGO_BIN_EXE_pagerdeck"), "rehearse", "--speed", "10"]);
    seat.wait_for("[1] ALARMS");
    seat
}

fn signal(seat: &Seat, name: &str) {
    let raw = seat.raw();
    let process = raw.split("process ").nth(1).unwrap().split_whitespace().next().unwrap();
    assert!(std::process::Command::new("kill").args([name, process]).status().unwrap().success());
}

/// What `stty -g` said: four or more numbers in hexadecimal with colons between them.
fn settings(raw: &str) -> Vec<&str> {
    let told = |line: &&str| line.split(':').count() > 10 && line.chars().all(|c| c.is_ascii_hexdigit() || c == ':');
    raw.lines().map(|line| line.trim_matches(['\r', '\n'])).filter(told).collect()
}

/// The terminal is as it was, and the program left with this code. Gives what it wrote.
fn assert_left_as_found(seat: Seat, code: i32) -> String {
    let (_, raw) = seat.end();
    assert!(raw.contains(&format!("left with {code}")), "{raw:?}");
    let settings = settings(&raw);
    assert_eq!(settings.len(), 2, "{raw:?}");
    assert_eq!(settings[0], settings[1], "the settings differ");
    assert_given_back(&raw);
    let mut screen = vt100::Parser::default();
    screen.process(raw.as_bytes());
    let screen = screen.screen();
    assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste());
    assert_eq!(screen.fgcolor(), vt100::Color::Default);
    assert!(!screen.bold() && !screen.inverse());
    raw
}

#[test]
fn by_control_c_twice() {
    let mut seat = cockpit();
    seat.press("\x03");
    seat.press("\x03");
    assert_left_as_found(seat, 0);
}

#[test]
fn by_the_palette() {
    let mut seat = cockpit();
    seat.press(":");
    seat.wait_for("Enter does it");
    seat.press("quit");
    seat.wait_for("Leave; stands down");
    seat.press("\r");
    assert_left_as_found(seat, 0);
}

#[test]
fn by_every_signal_that_ends_a_program() {
    for (name, code) in [("-TERM", 143), ("-HUP", 129), ("-QUIT", 131), ("-INT", 130)] {
        let seat = cockpit();
        signal(&seat, name);
        assert_left_as_found(seat, code);
    }
}

/// The shell that is killed holds the terminal; one beside it lives on and tells how the program left.
const LOST: &str =
    r#"mkfifo left; (trap "" HUP; "$0" rehearse --speed 10; echo "left with $?" > left) < /dev/tty & wait"#;

#[test]
fn by_a_lost_terminal() {
    let mut seat = Seat::of(&["/bin/bash", "-c", LOST, env!("CARGO_BIN_EXE_pagerdeck")], SIZE, &[]);
    seat.wait_for("[1] ALARMS");
    seat.hang_up();
    assert_eq!(std::fs::read_to_string(seat.home().join("left")).unwrap(), "left with 129\n");
}

/// A shell with jobs: the settings while the cockpit is stopped are those from before it, and after it came back and left.
const JOBS: &str = r#"set -m; stty -g; "$0" rehearse --speed 10; echo "stopped with $?"; stty -g; fg; echo; stty -g; echo "left with $?""#;

#[test]
fn by_a_stop_and_after_it() {
    let mut seat = Seat::of(&["/bin/bash", "-c", JOBS, env!("CARGO_BIN_EXE_pagerdeck")], SIZE, &[]);
    seat.wait_for("[1] ALARMS");
    seat.press("\x1a");
    // The shell goes on at once and takes it to the front again: a frame has to follow.
    seat.wait("the stop", |text| text.contains("[1] ALARMS") && !text.contains("stopped"));
    let taken = |raw: &str| raw.matches("\x1b[?1049h").count();
    while taken(&seat.raw()) < 2 {
        let before = seat.raw().len();
        seat.wait_more(before);
    }
    seat.press("\x03");
    seat.press("\x03");
    let (_, raw) = seat.end();
    let settings = settings(&raw);
    assert_eq!(settings.len(), 3, "{raw:?}");
    assert!(settings[0] == settings[1] && settings[1] == settings[2], "{settings:?}");
    let stopped = raw.find("stopped with 148").expect("it was stopped");
    assert_given_back(&raw[..stopped]);
    assert_given_back(&raw);
}

#[test]
fn by_a_panic() {
    let own = std::env::current_exe().unwrap();
    let line = ["ways_out::a_seat_that_panics", "--exact", "--ignored", "--nocapture"];
    let whole: Vec<&str> = std::iter::once(own.to_str().unwrap()).chain(line).collect();
    let raw = assert_given_back_after_panic(around(&whole));
    let home = raw.split("The report is in ").nth(1).expect("the report is named last").lines().next().unwrap();
    let report = std::fs::read_to_string(home.trim()).unwrap();
    std::fs::remove_file(home.trim()).unwrap();
    assert!(report.contains("over the top") && report.contains("ways_out.rs"), "{report}");
}

fn assert_given_back_after_panic(seat: Seat) -> String {
    let (_, raw) = seat.end();
    let settings = settings(&raw);
    assert_eq!(settings.len(), 2, "{raw:?}");
    assert_eq!(settings[0], settings[1]);
    // All of it before the panic is told.
    assert_given_back(&raw[..raw.find("thread '").unwrap()]);
    raw
}

/// Run by the test above, in a terminal of its own.
#[test]
#[ignore = "it panics on purpose, in a terminal that another test gives it"]
fn a_seat_that_panics() {
    let crashes = std::env::temp_dir();
    let _screen = Screen::enter(ScreenOptions { multiplexer: Multiplexer::None, keyboard: Keyboard::Kitty, crashes });
    panic!("over the top");
}

#[test]
fn a_terminal_that_is_told_legacy_is_asked_for_no_more_keys() {
    let whole = ["/usr/bin/env", "TERM=linux", env!("CARGO_BIN_EXE_pagerdeck"), "rehearse", "--speed", "10"];
    let mut seat = around(&whole);
    seat.wait_for("[1] ALARMS");
    seat.press("\x03");
    seat.press("\x03");
    let (_, raw) = seat.end();
    assert!(!raw.contains("\x1b[>1u") && !raw.contains("\x1b[<1u"));
}

/// Where the terminal tells of it, a held key is told as one, and approves nothing; a press of its own does.
#[test]
fn a_held_key_is_told_from_a_press() {
    let mut seat = Seat::take(&["rehearse", "--speed", "10"], (120, 40));
    seat.wait_for("#1 REHEARSED");
    seat.press("5");
    seat.wait_for("A records \"would run\"");
    while !seat.raw().contains("\x1b[=15;1u") {
        let before = seat.raw().len();
        seat.wait_more(before);
    }
    // Shift goes down, A is held: repeats with no press before them.
    seat.press("\x1b[57441;2u");
    for _ in 0..40 {
        seat.press("\x1b[97:65;2:2u");
    }
    seat.press("\x1b[97:65;2:3u");
    seat.press("\x1b[57441;1:3u");
    seat.press("\x1b[63;1u");
    let text = seat.wait_for(" HELP ");
    assert!(!text.contains("#1 APPROVED"), "{text}");
}
