//! Invariant 10 and the storm of sizes once more, with the real program in a pseudo-terminal: every byte read strictly, and
//! what frames upon frames have come to compared with what was drawn afresh.

use std::num::NonZero;
use std::path::Path;
use std::time::Duration;

use pagerdeck::rehearsal::scenario;
use serde_json::json;
use tempfile::TempDir;

use super::grammar::{self, Stretch};
use super::hostile_lines;
use super::rehearsed::story;
use super::terminal::Seat;

/// What begins and ends a frame, and what empties the screen within one.
const BEGIN: &str = "\x1b[?2026h";
const END: &str = "\x1b[?2026l";
const CLEAR: &str = "\x1b[2J";
const CONTROL_D: &str = "\x04";
const CONTROL_L: &str = "\x0c";
/// Rows above the log lines of a pane that has the screen to itself, and below them: what they hold moves with time.
const ABOVE: u16 = 5;
const BELOW: u16 = 2;
/// The terminal of these tests prints nothing for U+FFFD; every other one prints it, one cell wide.
const REPLACED: &str = "□";

/// A terminal of a size.
fn parser((cols, rows): (u16, u16)) -> vt100::Parser {
    vt100::Parser::new(NonZero::new(rows).unwrap(), NonZero::new(cols).unwrap(), 0)
}

fn feed(terminal: &mut vt100::Parser, bytes: &str) {
    terminal.process(bytes.replace(char::REPLACEMENT_CHARACTER, REPLACED).as_bytes());
}

/// The first cell in which two terminals differ, of these rows.
fn differs(one: &vt100::Screen, other: &vt100::Screen, rows: std::ops::Range<u16>) -> Option<String> {
    let (_, columns) = one.size();
    let cells = rows.flat_map(|y| (0..columns.into()).map(move |x| (y, x)));
    let seen = |screen: &vt100::Screen, (y, x)| {
        let cell = screen.cell(y, x).unwrap();
        let style = (cell.bgcolor(), cell.bold(), cell.underline(), cell.inverse());
        match cell.contents() {
            // Nobody sees what colour a blank is written in.
            "" | " " if !cell.inverse() && !cell.underline() => (" ".to_owned(), None, (style.0, false, false, false)),
            "" => (" ".to_owned(), Some(cell.fgcolor()), style),
            text => (text.to_owned(), Some(cell.fgcolor()), style),
        }
    };
    cells.into_iter().find(|at| seen(one, *at) != seen(other, *at)).map(|at| {
        let row = |screen: &vt100::Screen| screen.rows(0, columns.into()).nth(at.0.into()).unwrap_or_default();
        let (ours, theirs) = (seen(one, at), seen(other, at));
        format!("row {}, column {}: {ours:?}, {theirs:?}\n{}\n{}", at.0, at.1, row(one), row(other))
    })
}

/// A program whose screen is followed frame by frame and compared with what it draws when it is told to begin anew.
struct Watched {
    seat: Seat,
    kept: vt100::Parser,
    size: (u16, u16),
    fed: usize,
}

impl Watched {
    fn new(seat: Seat, size: (u16, u16)) -> Self {
        Self { seat, kept: parser(size), size, fed: 0 }
    }

    /// Lets it draw everything again, and compares these rows with what there was.
    fn compare(&mut self, rows: std::ops::Range<u16>) {
        let before = self.seat.raw().matches(CLEAR).count();
        self.seat.press(CONTROL_L);
        let (raw, from, end) = loop {
            let raw = self.seat.raw();
            let found = raw.match_indices(CLEAR).nth(before).and_then(|(at, _)| {
                let end = at + raw[at..].find(END)? + END.len();
                Some((raw[..at].rfind(BEGIN).unwrap(), end))
            });
            if let Some((from, end)) = found {
                break (raw, from, end);
            }
            let written = self.seat.written();
            self.seat.wait_more(written);
        };
        feed(&mut self.kept, &raw[self.fed..from]);
        let mut fresh = parser(self.size);
        feed(&mut fresh, &raw[from..end]);
        if let Some(wrong) = differs(self.kept.screen(), fresh.screen(), rows) {
            panic!("{wrong}");
        }
        feed(&mut self.kept, &raw[from..end]);
        self.fed = end;
    }

    /// Leaves, and reads strictly all that was ever written.
    fn leaves(mut self) {
        self.seat.press("\x03");
        self.seat.press("\x03");
        let (status, raw) = self.seat.end();
        assert!(status.success(), "{status:?}");
        let frames = grammar::read(grammar::before_the_last_words(&raw).as_bytes(), Stretch::Run)
            .unwrap_or_else(|wrong| panic!("{wrong}"));
        assert!(frames > 5, "{frames}");
    }
}

/// A scenario whose log is the hostile lines, and whose model repeats some of them.
fn hostile_scenario() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let texts = ["FIRST OF ALL".to_owned()].into_iter().chain(hostile_lines::texts()).chain(["LAST OF ALL".to_owned()]);
    let event = |(at, message): (usize, String)| json!({ "timestamp": 1_700_000_000_000_u64 + at as u64 * 1_700, "message": message });
    let events: Vec<_> = texts.enumerate().map(event).collect();
    assert!(events.len() > 600, "{}", events.len());
    std::fs::write(folder.path().join("harm.json"), json!({ "events": events }).to_string()).unwrap();
    let said: String =
        hostile_lines::texts().iter().step_by(9).flat_map(|text| text.chars().take(80).chain(['\n'])).collect();
    let scenario = json!({
        "based_on": "oom-leak", "name": "hostile", "title": "t", "teaches": "t",
        "log": [{ "group": "/ecs/my-api", "stream": "harm", "cadence": { "kind": "file", "file": "harm.json" } }],
        "model": { "mode": "script", "turn": [{ "stop_reason": "end_turn", "chunk": [{ "kind": "text", "text": said }] }] },
        "expect": { "cause": "memory-leak", "conclusive": true },
    });
    std::fs::write(folder.path().join("scenario.toml"), toml::to_string(&scenario).unwrap()).unwrap();
    scenario::parse(&std::fs::read_to_string(folder.path().join("scenario.toml")).unwrap(), "hostile").unwrap();
    folder
}

#[test]
fn hostile_lines_pass_through_the_program_and_drive_nothing() {
    let (folder, size) = (hostile_scenario(), (120, 60));
    let mut seat = Seat::take(&["rehearse", folder.path().to_str().unwrap(), "--speed", "1"], size);
    seat.wait_for("P2 my-api");
    seat.press("4z");
    seat.wait_for("EVIDENCE (read");
    seat.wait_for("complete, ");
    seat.press("3");
    seat.wait_for("LAST OF ALL");
    seat.press("gg");
    seat.wait_for("FIRST OF ALL");
    let mut watched = Watched::new(seat, size);
    for page in 0.. {
        watched.compare(ABOVE..size.1 - BELOW);
        if page % 6 == 3 {
            watched.seat.press("\r");
            watched.seat.wait_for(" LOG LINE");
            watched.seat.press("v");
            watched.seat.wait_for("as JSON");
            watched.seat.press("q");
            watched.seat.wait("the pane", |text| !text.contains(" LOG LINE"));
            watched.compare(ABOVE..size.1 - BELOW);
        }
        if watched.seat.text().contains("LAST OF ALL") {
            assert!(page > 15, "{page}");
            break;
        }
        let written = watched.seat.written();
        watched.seat.press(CONTROL_D);
        watched.seat.wait_more(written);
    }
    watched.leaves();
}

/// Sizes by a seed: large, small, and too small for more than a line.
fn sizes() -> impl Iterator<Item = (u16, u16)> {
    let mut state = 7_u32;
    let mut next = move |bound: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 8) % bound) as u16
    };
    std::iter::repeat_with(move || (20 + next(200), 3 + next(60)))
}

/// A size every fiftieth of a second at least, and what was shown by then.
fn storm(seat: &mut Seat, last: (u16, u16)) -> Vec<(usize, (u16, u16))> {
    let sizes = sizes().take(99).chain([last]);
    sizes
        .map(|size| {
            let at = seat.written();
            seat.drag(size);
            seat.glance(Duration::from_millis(20));
            (at, size)
        })
        .collect()
}

/// The last size is known once keys are answered that came after it.
fn knows_its_size(seat: &mut Seat) {
    seat.press("?");
    seat.wait_for(" HELP ");
    seat.press("\x1b");
    seat.wait("the screen before", |text| !text.contains(" HELP "));
}

/// The recording has each size at the time of its frame; the terminal has it at any time. In the end they show the same.
#[test]
fn a_storm_of_sizes_over_the_cockpit_leaves_no_wrong_cell() {
    let (folder, first, last) = (tempfile::tempdir().unwrap(), (100, 30), (120, 40));
    let cast = folder.path().join("storm.cast");
    let mut seat = Seat::take(&["rehearse", "--speed", "10", "--record", cast.to_str().unwrap()], first);
    seat.wait_for("#1 REHEARSED");
    let sizes = storm(&mut seat, last);
    knows_its_size(&mut seat);
    seat.press("\x03");
    seat.wait_for("again leaves");
    seat.press("\x03");
    let (status, raw) = seat.end();
    assert!(status.success());
    grammar::read(grammar::before_the_last_words(&raw).as_bytes(), Stretch::Run)
        .unwrap_or_else(|wrong| panic!("{wrong}"));
    let until = raw.rfind("\x1b[<1u").expect("the terminal is given back");
    let terminal = dragged(&raw[..until], &sizes, first);
    let recorded = played(&cast);
    if let Some(wrong) = differs(terminal.screen(), recorded.screen(), 0..last.1) {
        panic!("{wrong}");
    }
}

/// A terminal that had these sizes when so many bytes had come.
fn dragged(raw: &str, sizes: &[(usize, (u16, u16))], first: (u16, u16)) -> vt100::Parser {
    let (mut terminal, mut fed) = (parser(first), 0);
    for (at, size) in sizes {
        terminal.process(&raw.as_bytes()[fed..*at]);
        set_size(&mut terminal, *size);
        fed = *at;
    }
    terminal.process(&raw.as_bytes()[fed..]);
    terminal
}

fn set_size(terminal: &mut vt100::Parser, (cols, rows): (u16, u16)) {
    terminal.screen_mut().set_size(NonZero::new(rows).unwrap(), NonZero::new(cols).unwrap());
}

/// A recording, played to its end.
pub fn played(cast: &Path) -> vt100::Parser {
    let text = std::fs::read_to_string(cast).unwrap();
    let mut lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let header = lines.next().unwrap();
    assert_eq!(header["version"], 2);
    let number = |name: &str| u16::try_from(header[name].as_u64().unwrap()).unwrap();
    let mut terminal = parser((number("width"), number("height")));
    for line in lines {
        let told = line[2].as_str().unwrap();
        if line[1] == "r" {
            let (cols, rows) = told.split_once('x').unwrap();
            set_size(&mut terminal, (cols.parse().unwrap(), rows.parse().unwrap()));
        } else {
            terminal.process(told.as_bytes());
        }
    }
    terminal
}

#[test]
fn a_storm_of_sizes_over_a_replay_leaves_no_wrong_cell() {
    let (folder, size) = (tempfile::tempdir().unwrap(), (110, 36));
    let journal = folder.path().join("one.jsonl");
    std::fs::write(&journal, story(&["oom-leak"]).journal).unwrap();
    let mut seat = Seat::take(&["replay", journal.to_str().unwrap()], (80, 24));
    seat.wait_for("REPLAY ");
    let sizes = storm(&mut seat, size);
    knows_its_size(&mut seat);
    let raw = seat.raw();
    let fed = raw.rfind(END).unwrap() + END.len();
    let kept = dragged(&raw[..fed], &sizes, (80, 24));
    let mut watched = Watched { kept, fed, ..Watched::new(seat, size) };
    watched.compare(0..size.1);
    watched.leaves();
}
