//! The screen as SVG, from a real rehearsal in a pseudo-terminal: `cargo bench --bench cockpit -- --pictures FOLDER`.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use super::figures::Bench;
use super::seat::Seat;

/// A cell, in pixels.
const CELL: (f64, f64) = (8.4, 18.0);
const PATIENCE: Duration = Duration::from_mins(2);
/// The page, and text without a colour of its own.
const PAPER: &str = "#14171c";
const INK: &str = "#d4d7dd";
/// The sixteen colours.
const INKS: [&str; 16] = [
    "#000000", "#e0605e", "#5fbf77", "#d9b45b", "#5c9ded", "#c583d6", "#4fb9c4", "#d4d7dd", "#7b828e", "#ff7b78",
    "#7ddc95", "#f0cd78", "#7fb5f7", "#dba3e8", "#76d3dc", "#ffffff",
];

/// One picture: what is started at which size, what is waited for and pressed.
struct Picture {
    name: &'static str,
    title: &'static str,
    args: &'static [&'static str],
    size: (u16, u16),
    steps: &'static [(&'static str, &'static str)],
}

const PICTURES: [Picture; 7] = [
    Picture {
        name: "overview",
        title: "The overview of a rehearsal at 120x40",
        args: &["oom-leak"],
        size: (120, 40),
        steps: &[("#1 REHEARSED", "")],
    },
    Picture {
        name: "analysis",
        title: "The analysis with its evidence at 120x40",
        args: &["oom-leak"],
        size: (120, 40),
        steps: &[("#1 REHEARSED", "4z"), ("EVIDENCE (read", "")],
    },
    Picture {
        name: "days",
        title: "A metric over the same minutes of earlier days at 120x40",
        args: &["daily-peak"],
        size: (120, 40),
        steps: &[("nothing wrong 0.", "2\r"), ("days before", "")],
    },
    Picture {
        name: "step",
        title: "One step, armed in a live rehearsal, its token being typed",
        args: &["oom-leak", "--live"],
        size: (100, 30),
        steps: &[("#1 REHEARSED", "5"), ("UNDO", "A"), ("confirm>", "my-api ")],
    },
    Picture {
        name: "small",
        title: "The overview at 80x24",
        args: &["oom-leak"],
        size: (80, 24),
        steps: &[("#1 REHEARSED", "")],
    },
    Picture {
        name: "smallest",
        title: "A step at 60x16, the least that a step can be decided at",
        args: &["oom-leak"],
        size: (60, 16),
        steps: &[("#1 REHEARSED", "5"), ("UNDO", "")],
    },
    Picture {
        name: "wide",
        title: "The overview at 200x60",
        args: &["oom-leak"],
        size: (200, 60),
        steps: &[("#1 REHEARSED", "")],
    },
];

/// Draws all pictures into a folder.
pub fn draw(bench: &Bench, folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    for picture in &PICTURES {
        let home = tempfile::tempdir().unwrap();
        let mut seat = bench.rehearsal(home.path(), picture.args, picture.size);
        for (wanted, keys) in picture.steps {
            assert!(seat.until(PATIENCE, |text| text.contains(wanted)).is_some(), "{wanted:?}:\n{}", seat.text());
            // A prompt counts a second after it was drawn, and a key after a pause.
            seat.listen(Duration::from_secs(2));
            for key in keys.chars() {
                seat.press(key.to_string().as_bytes());
                seat.listen(Duration::from_millis(120));
            }
        }
        seat.listen(Duration::from_millis(500));
        assert!(seat.text().contains("REHEARSAL"), "{}", seat.text());
        let path = folder.join(format!("{}.svg", picture.name));
        std::fs::write(&path, svg(&seat, picture)).unwrap();
        eprintln!("{} ({} bytes)", path.display(), std::fs::metadata(&path).map_or(0, |it| it.len()));
    }
}

fn svg(seat: &Seat, picture: &Picture) -> String {
    let screen = seat.screen();
    let (cols, rows) = picture.size;
    let (width, height) = (f64::from(cols) * CELL.0 + 16.0, f64::from(rows) * CELL.1 + 16.0);
    let inks: Vec<String> = INKS.iter().enumerate().map(|(at, ink)| format!(".i{at}{{fill:{ink}}}")).collect();
    let inks = inks.concat();
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" role=\"img\">\n\
         <title>{}</title>\n<style>text{{font:14px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:{INK};\
         white-space:pre}}.b{{font-weight:bold}}.u{{text-decoration:underline}}.p{{fill:{PAPER}}}{inks}</style>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"{PAPER}\"/>\n",
        picture.title
    );
    for y in 0..rows {
        let mut x = 0;
        while x < cols {
            let Some(cell) = screen.cell(y, x) else { break };
            let look = Look::of(cell);
            let (from, mut text) = (x, String::new());
            while let Some(cell) = screen.cell(y, x).filter(|cell| x < cols && Look::of(cell) == look) {
                text.push_str(if cell.has_contents() {
                    cell.contents()
                } else if cell.is_wide_continuation() {
                    ""
                } else {
                    " "
                });
                x += 1;
            }
            run(&mut out, &look, (from, x - from, y), &text);
        }
    }
    out + "</svg>\n"
}

/// How a stretch of cells looks.
#[derive(PartialEq)]
struct Look {
    ink: &'static str,
    paper: &'static str,
    bold: bool,
    underlined: bool,
}

impl Look {
    fn of(cell: &vt100::Cell) -> Self {
        let colour = |colour: vt100::Color, otherwise: &'static str| match colour {
            vt100::Color::Idx(index) => INKS.get(usize::from(index)).copied().unwrap_or(otherwise),
            vt100::Color::Default | vt100::Color::Rgb(..) => otherwise,
        };
        let (ink, paper) = (colour(cell.fgcolor(), INK), colour(cell.bgcolor(), PAPER));
        let (ink, paper) = if cell.inverse() { (paper, ink) } else { (ink, paper) };
        Self { ink, paper, bold: cell.bold(), underlined: cell.underline() }
    }
}

fn run(out: &mut String, look: &Look, (x, columns, y): (u16, u16, u16), text: &str) {
    let (left, top) = (f64::from(x) * CELL.0 + 8.0, f64::from(y) * CELL.1 + 8.0);
    let wide = f64::from(columns) * CELL.0;
    if look.paper != PAPER {
        let high = CELL.1;
        let _ = writeln!(
            out,
            "<rect x=\"{left:.1}\" y=\"{top:.0}\" width=\"{wide:.1}\" height=\"{high}\" fill=\"{}\"/>",
            look.paper
        );
    }
    // Blanks at the ends show nothing.
    let lead = text.len() - text.trim_start().len();
    let shown = text.trim();
    if shown.is_empty() {
        return;
    }
    let cut = text.chars().count() - shown.chars().count();
    let (left, wide) = (left + lead as f64 * CELL.0, (f64::from(columns) - cut as f64) * CELL.0);
    // The sheet's own colour would win over an attribute.
    let ink = match INKS.iter().position(|ink| *ink == look.ink) {
        _ if look.ink == INK => String::new(),
        Some(at) => format!("i{at}"),
        None => "p".to_owned(),
    };
    let classes = [ink.as_str(), if look.bold { "b" } else { "" }, if look.underlined { "u" } else { "" }];
    let classes = classes.into_iter().filter(|class| !class.is_empty()).collect::<Vec<_>>().join(" ");
    let class = if classes.is_empty() { String::new() } else { format!(" class=\"{classes}\"") };
    let shown = shown.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    // Told how long it is, a run keeps its columns whatever font the reader has.
    let base = top + 13.5;
    let _ = writeln!(out, "<text x=\"{left:.1}\" y=\"{base:.1}\" textLength=\"{wide:.1}\"{class}>{shown}</text>");
}
