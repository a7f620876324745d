//! The screen as an asciicast, version 2: one JSON line a frame, as terminals replay it. Only the form: what may be in a
//! frame is settled by who draws it.

use jiff::Timestamp;
use serde_json::json;

/// Silences longer than this are shortened when it is played, seconds.
const IDLE_S: f64 = 3.0;

/// The first line: the size, when it began by the wall's clock, and what it shows.
pub fn header((cols, rows): (u16, u16), began: Timestamp, title: &str) -> String {
    let object = json!({
        "version": 2,
        "width": cols,
        "height": rows,
        "timestamp": began.as_second(),
        "title": title,
        "idle_time_limit": IDLE_S,
        "env": { "TERM": "xterm-256color" },
    });
    format!("{object}\n")
}

/// A frame, so many milliseconds after the beginning.
pub fn output(at_ms: u64, text: &str) -> String {
    event(at_ms, "o", text)
}

/// Another size.
pub fn resize(at_ms: u64, (cols, rows): (u16, u16)) -> String {
    event(at_ms, "r", &format!("{cols}x{rows}"))
}

fn event(at_ms: u64, code: &str, text: &str) -> String {
    format!("{}\n", json!([at_ms as f64 / 1_000.0, code, text]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_version_2_has_them() {
        let began = "2026-05-01T09:31:00Z".parse().unwrap();
        let first: serde_json::Value = serde_json::from_str(&header((80, 24), began, "oom-leak")).unwrap();
        assert_eq!((&first["version"], &first["width"], &first["height"]), (&2.into(), &80.into(), &24.into()));
        assert_eq!(first["timestamp"], began.as_second());
        assert_eq!(output(1_250, "\u{1b}[1mé"), "[1.25,\"o\",\"\\u001b[1mé\"]\n");
        assert_eq!(resize(2_000, (120, 40)), "[2.0,\"r\",\"120x40\"]\n");
    }
}
