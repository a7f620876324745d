//! Every way out of the cockpit: the terminal's settings, its screen, its cursor, and its modes of paste, focus and keyboard
//! are afterwards what they were before. A shell that stays behind reads the settings on both sides.
//!
//! `PAGERDECK_WAYS_OUT=100` goes each way a hundred times.

use std::path::Path;
use std::sync::OnceLock;

use pagerdeck::config::{Hyperlinks, Keyboard, Multiplexer};
use pagerdeck::runtime::terminal::{Screen, ScreenOptions};
use tempfile::TempDir;

use super::hostile_terminal::played;
use super::rehearsed::story;
use super::terminal::{MODES, Seat, assert_given_back};

const SIZE: (u16, u16) = (80, 24);
/// Runs a program between two looks at the terminal's settings, and tells its process and its exit code.
pub const AROUND: &str =
    r#"stty -g; (echo "process $BASHPID"; exec "$0" "$@"); code=$?; echo; stty -g; echo "left with $code""#;
/// The signals that end a program, and the codes that shells make of them.
const SIGNALS: [(&str, i32); 4] = [("-TERM", 143), ("-HUP", 129), ("-QUIT", 131), ("-INT", 130)];
const CONTROL_C: &str = "\x03";

/// Goes a way as often as was asked for.
#[expect(clippy::disallowed_methods, reason = "how often a way is gone is asked of whoever runs the tests")]
fn often(name: &str, way: impl Fn()) {
    let asked = std::env::var("PAGERDECK_WAYS_OUT").ok().and_then(|times| times.parse().ok());
    let times = asked.unwrap_or(1);
    (0..times).for_each(|_| way());
    // Read with `--nocapture`.
    #[expect(clippy::print_stderr, reason = "how often a way was gone is the figure these tests are asked for")]
    {
        eprintln!("{name}: {times} of {times}");
    }
}

fn around(line: &[&str], env: &[(&str, &str)]) -> Seat {
    let whole: Vec<&str> = ["/bin/bash", "-c", AROUND].into_iter().chain(line.iter().copied()).collect();
    Seat::of(&whole, SIZE, env)
}

fn program(args: &[&str]) -> Seat {
    let line: Vec<&str> = std::iter::once(env!("CARGO_BIN_EXE_pagerdeck")).chain(args.iter().copied()).collect();
    around(&line, &[])
}

/// The cockpit, shown, with these arguments besides.
fn cockpit(args: &[&str]) -> Seat {
    let mut seat = program(&[&["rehearse", "--speed", "10"], args].concat());
    seat.wait_for("[1] ALARMS");
    seat
}

fn confirming() -> Seat {
    at_the_confirmation(cockpit(&["--live"]))
}

/// A step waits for its name and digest, and a part of them is typed.
pub fn at_the_confirmation(mut seat: Seat) -> Seat {
    seat.wait_for("#1 REHEARSED");
    seat.press("5");
    seat.wait_for("UNDO");
    seat.press_when_it_counts("A", "confirm>");
    seat.press("my-a");
    seat.wait_for("confirm> my-a");
    seat
}

/// The journal of a rehearsal.
fn journal() -> &'static str {
    static JOURNAL: OnceLock<(TempDir, String)> = OnceLock::new();
    let (_, path) = JOURNAL.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("one.jsonl");
        std::fs::write(&path, story(&["oom-leak"]).journal).unwrap();
        let path = path.to_str().unwrap().to_owned();
        (folder, path)
    });
    path
}

/// It, played again.
fn replayed() -> Seat {
    let mut seat = program(&["replay", journal()]);
    seat.wait_for("REPLAY ");
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

/// The settings and the state of the terminal are what they were, and the program left with this code. Gives what it wrote.
fn assert_unchanged(seat: Seat, code: i32) -> String {
    let (_, raw) = seat.end();
    assert!(raw.contains(&format!("left with {code}")), "{raw:?}");
    let settings = settings(&raw);
    assert_eq!(settings.len(), 2, "{raw:?}");
    assert_eq!(settings[0], settings[1], "the settings differ");
    let mut screen = vt100::Parser::default();
    screen.process(raw.as_bytes());
    let screen = screen.screen();
    assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste());
    assert!(!screen.application_cursor() && !screen.application_keypad());
    assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    assert_eq!((screen.fgcolor(), screen.bgcolor()), (vt100::Color::Default, vt100::Color::Default));
    assert!(!screen.bold() && !screen.inverse() && !screen.underline() && !screen.italic());
    raw
}

/// The same of a program that took the terminal.
fn assert_left_as_found(seat: Seat, code: i32) -> String {
    let raw = assert_unchanged(seat, code);
    assert_given_back(&raw);
    raw
}

/// Leaves by the keys that leave from anywhere, and finds the terminal as it was.
pub fn twice_control_c(mut seat: Seat) {
    seat.press(CONTROL_C);
    seat.press(CONTROL_C);
    assert_left_as_found(seat, 0);
}

#[test]
fn by_control_c_twice() {
    often("Ctrl-C twice", || twice_control_c(cockpit(&[])));
}

#[test]
fn by_the_palette() {
    often("the palette's quit", || {
        let mut seat = cockpit(&[]);
        seat.press(":");
        seat.wait_for("Enter does it");
        seat.press("quit");
        seat.wait_for("Leave; stands down");
        seat.press("\r");
        assert_left_as_found(seat, 0);
    });
}

#[test]
fn by_every_signal_that_ends_a_program() {
    for (name, code) in SIGNALS {
        often(&format!("SIG{}", &name[1..]), || {
            let seat = cockpit(&[]);
            signal(&seat, name);
            assert_left_as_found(seat, code);
        });
    }
}

#[test]
fn from_the_palette_and_from_the_help() {
    for (key, shown) in [(":", "Enter does it"), ("?", " HELP ")] {
        often(&format!("SIGTERM while {key} is open"), || {
            let mut seat = cockpit(&[]);
            seat.press(key);
            seat.wait_for(shown);
            signal(&seat, "-TERM");
            assert_left_as_found(seat, 143);
        });
    }
}

/// While a confirmation is typed the keyboard was asked for more than usual.
#[test]
fn from_a_confirmation_that_is_being_typed() {
    often("SIGHUP while a confirmation is typed", || {
        let seat = confirming();
        assert!(seat.raw().contains("\x1b[=15;1u"));
        signal(&seat, "-HUP");
        let raw = assert_left_as_found(seat, 129);
        assert!(!raw.contains("#1 RUNNING"), "{raw}");
    });
    // The first one stands down.
    often("Ctrl-C while a confirmation is typed", || {
        let mut seat = confirming();
        seat.press(CONTROL_C);
        seat.wait_for("Stood down");
        seat.press(CONTROL_C);
        assert_left_as_found(seat, 0);
    });
}

#[test]
fn from_a_storm_of_sizes() {
    often("SIGTERM in a storm of sizes", || {
        let mut seat = cockpit(&[]);
        for step in 0..24 {
            seat.resize((70 + 3 * step, 20 + step));
            if step == 16 {
                signal(&seat, "-TERM");
            }
        }
        assert_left_as_found(seat, 143);
    });
}

#[test]
fn from_a_tour() {
    often("Ctrl-C twice in a tour", || twice_control_c(cockpit(&["--tour"])));
}

/// The recording is whole: each line is one, and the screen it leads to is a screen of ours.
#[test]
fn from_a_recording() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.cast");
    for (name, code) in [("-TERM", 143), ("-HUP", 129)] {
        often(&format!("SIG{} while it is recorded", &name[1..]), || {
            let _ = std::fs::remove_file(&path);
            let seat = cockpit(&["--record", path.to_str().unwrap()]);
            signal(&seat, name);
            assert_left_as_found(seat, code);
            assert!(played(&path).screen().contents().contains("[1] ALARMS"));
        });
    }
}

#[test]
fn from_first_contact_and_the_rehearsal_after_it() {
    often("Ctrl-T, then Ctrl-C twice", || {
        let mut seat = program(&[]);
        seat.wait_for("FIRST CONTACT");
        seat.press("\x14");
        seat.wait_for("REHEARSAL");
        seat.press(CONTROL_C);
        seat.press(CONTROL_C);
        let raw = assert_left_as_found(seat, 0);
        assert_eq!(raw.matches(MODES[0].0).count(), 2, "it was taken twice");
        assert_eq!(raw.matches(MODES[0].1).count(), 2, "and given back as often");
    });
}

#[test]
fn from_a_replay() {
    often("q in a replay", || {
        let mut seat = replayed();
        seat.press(",");
        seat.press("q");
        assert_left_as_found(seat, 0);
    });
    often("Ctrl-C twice in a replay", || twice_control_c(replayed()));
    for (name, code) in SIGNALS {
        often(&format!("SIG{} in a replay", &name[1..]), || {
            let seat = replayed();
            signal(&seat, name);
            assert_left_as_found(seat, code);
        });
    }
}

/// A journal that cannot be written is said on the screen, and changes nothing about the way out.
#[test]
fn from_a_session_without_a_journal() {
    often("SIGTERM without a journal", || {
        let line = [env!("CARGO_BIN_EXE_pagerdeck"), "rehearse", "--speed", "10"];
        let mut seat = around(&line, &[("PAGERDECK_STATE", "/dev/null/nowhere")]);
        seat.wait_for("[1] ALARMS");
        signal(&seat, "-TERM");
        assert_left_as_found(seat, 143);
    });
}

#[test]
fn by_an_error_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("taken.cast");
    std::fs::write(&taken, "").unwrap();
    let taken = taken.to_str().unwrap();
    for args in [
        &["rehearse", "nowhere"][..],
        &["rehearse", "--speed", "max"],
        &["rehearse", "--record", taken],
        &["replay", "nothing"],
        &["--config", "/nowhere/config.toml"],
    ] {
        often(&args.join(" "), || {
            let (_, raw) = program(args).end();
            let settings = settings(&raw);
            assert_eq!(settings.len(), 2, "{raw:?}");
            assert_eq!(settings[0], settings[1]);
            assert!(raw.contains("left with 1") || raw.contains("left with 2"), "{raw:?}");
            assert!(!raw.contains('\x1b'), "{raw:?}");
        });
    }
}

/// Lines instead of a screen: nothing is taken but the marks of a paste.
#[test]
fn from_plain_lines() {
    often("SIGTERM in plain lines", || {
        let mut seat = program(&["rehearse", "--speed", "10", "--plain"]);
        seat.wait_for("REHEARSAL");
        signal(&seat, "-TERM");
        let raw = assert_unchanged(seat, 143);
        for (taken, given) in MODES {
            assert_eq!(raw.matches(taken).count(), raw.matches(given).count(), "{taken:?}");
        }
    });
}

/// The shell that is killed holds the terminal; one beside it lives on and tells how the program left.
const LOST: &str = r#"mkfifo left; (trap "" HUP; "$0" "$@"; echo "left with $?" > left) < /dev/tty & wait"#;

#[test]
fn by_a_lost_terminal() {
    often("a lost terminal", || {
        let line = ["/bin/bash", "-c", LOST, env!("CARGO_BIN_EXE_pagerdeck"), "rehearse", "--speed", "10"];
        let mut seat = Seat::of(&line, SIZE, &[]);
        seat.wait_for("[1] ALARMS");
        seat.hang_up();
        assert_eq!(std::fs::read_to_string(seat.home().join("left")).unwrap(), "left with 129\n");
    });
}

/// A shell with jobs: the settings while the cockpit is stopped are those from before it, and after it came back and left.
const JOBS: &str =
    r#"set -m; stty -g; "$0" "$@"; echo "stopped with $?"; stty -g; fg; echo; stty -g; echo "left with $?""#;

#[test]
fn by_a_stop_and_after_it() {
    often("Ctrl-Z, fg, Ctrl-C twice", || stop_and_come_back(&["rehearse", "--speed", "10"], "[1] ALARMS"));
    often("Ctrl-Z, fg, Ctrl-C twice in a replay", || stop_and_come_back(&["replay", journal()], "REPLAY "));
}

/// Who is stopped hears of no other size. What it believes to be on screen is what a decision counts on.
#[test]
fn a_stop_while_the_window_becomes_another() {
    let program = env!("CARGO_BIN_EXE_pagerdeck");
    let replay = format!("{program} replay {}", journal());
    let cockpit = format!("{program} rehearse --speed 10");
    for (line, foot) in [(cockpit.as_str(), "? help"), (replay.as_str(), "leaves)")] {
        let shell = ["/bin/bash", "--norc", "--noprofile", "-i"];
        let mut seat = Seat::of(&shell, (132, 43), &[("PS1", "ready> ")]);
        seat.wait_for("ready>");
        seat.press(&format!("{line}\r"));
        seat.wait_for(foot);
        seat.press("\x1a");
        seat.wait_for("Stopped");
        seat.resize(SIZE);
        seat.press("fg\r");
        seat.wait(foot, |text| text.lines().nth(23).is_some_and(|last| last.contains(foot)));
    }
}

fn stop_and_come_back(args: &[&str], shown: &str) {
    let line = [&["/bin/bash", "-c", JOBS, env!("CARGO_BIN_EXE_pagerdeck")], args].concat();
    let mut seat = Seat::of(&line, SIZE, &[]);
    seat.wait_for(shown);
    seat.press("\x1a");
    // The shell goes on at once and takes it to the front again: a frame has to follow.
    seat.wait("the stop", |text| text.contains(shown) && !text.contains("stopped"));
    let taken = |raw: &str| raw.matches("\x1b[?1049h").count();
    while taken(&seat.raw()) < 2 {
        let before = seat.raw().len();
        seat.wait_more(before);
    }
    seat.press(CONTROL_C);
    seat.press(CONTROL_C);
    let (_, raw) = seat.end();
    let settings = settings(&raw);
    assert_eq!(settings.len(), 3, "{raw:?}");
    assert!(settings[0] == settings[1] && settings[1] == settings[2], "{settings:?}");
    let stopped = raw.find("stopped with 148").expect("it was stopped");
    assert_given_back(&raw[..stopped]);
    assert_given_back(&raw);
}

/// Runs a test of this file that is ignored otherwise, in a terminal of its own. Its report of a crash goes to the folder.
fn own_test(name: &str, crashes: &Path) -> Seat {
    let own = std::env::current_exe().unwrap();
    let line = [own.to_str().unwrap(), name, "--exact", "--ignored", "--nocapture"];
    around(&line, &[("TMPDIR", crashes.to_str().unwrap())])
}

fn report(raw: &str) -> String {
    let path = raw.split("The report is in ").nth(1).expect("the report is named last").lines().next().unwrap();
    std::fs::read_to_string(path.trim()).unwrap()
}

#[test]
fn by_a_panic() {
    often("a panic", || {
        let crashes = tempfile::tempdir().unwrap();
        let (_, raw) = own_test("ways_out::a_seat_that_panics", crashes.path()).end();
        let settings = settings(&raw);
        assert_eq!(settings.len(), 2, "{raw:?}");
        assert_eq!(settings[0], settings[1]);
        // All of it before the panic is told.
        assert_given_back(&raw[..raw.find("thread '").unwrap()]);
        let report = report(&raw);
        assert!(report.contains("over the top") && report.contains("ways_out.rs"), "{report}");
    });
}

/// A panic beside who draws leaves the terminal alone; its report is named once the terminal was given back.
#[test]
fn after_a_panic_beside() {
    often("a panic beside, then the end", || {
        let crashes = tempfile::tempdir().unwrap();
        let raw = assert_left_as_found(own_test("ways_out::a_seat_beside_a_panic", crashes.path()), 0);
        let told = raw.find("The report is in").expect("the report is named");
        assert_given_back(&raw[..told]);
        assert!(raw.contains("unharmed") && !raw.contains("thread '"), "{raw}");
        assert!(report(&raw).contains("beside it"));
    });
}

fn own_screen() -> Screen {
    let crashes = std::env::temp_dir();
    let (multiplexer, keyboard, hyperlinks) = (Multiplexer::None, Keyboard::Kitty, Hyperlinks::On);
    Screen::enter(ScreenOptions { multiplexer, keyboard, hyperlinks, crashes }).unwrap()
}

/// Run by a test above, in a terminal of its own.
#[test]
#[ignore = "it panics on purpose, in a terminal that another test gives it"]
fn a_seat_that_panics() {
    let _screen = own_screen();
    panic!("over the top");
}

/// Run by a test above, in a terminal of its own.
#[test]
#[ignore = "it panics on purpose, in a terminal that another test gives it"]
fn a_seat_beside_a_panic() {
    let mut screen = own_screen();
    let beside = std::thread::Builder::new().spawn(|| panic!("beside it")).unwrap();
    assert!(beside.join().is_err());
    // A busy machine takes a frame late.
    let mut drawn = || screen.draw(|frame| frame.render_widget("unharmed", frame.area()));
    while drawn().is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock) {}
    assert!(drawn().is_ok());
}

#[test]
fn a_terminal_that_is_told_legacy_is_asked_for_no_more_keys() {
    let whole = ["/usr/bin/env", "TERM=linux", env!("CARGO_BIN_EXE_pagerdeck"), "rehearse", "--speed", "10"];
    let mut seat = around(&whole, &[]);
    seat.wait_for("[1] ALARMS");
    seat.press(CONTROL_C);
    seat.press(CONTROL_C);
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
