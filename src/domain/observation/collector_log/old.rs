//! The older formats (`-verbose:gc`, `PrintGCDetails`): a bracket that opens with `[GC` or `[Full GC` and closes, perhaps
//! lines later, with its seconds. Generations stand in inner brackets; the heap as a whole stands between them.

use super::unified::date;
use super::{Collection, CollectionKind, HeapChange, change};

/// A collection whose bracket has opened.
#[derive(Clone, Debug)]
pub(super) struct Opened {
    kind: CollectionKind,
    at_s: Option<f64>,
    heap: Option<HeapChange>,
}

/// Where a collection opens in a line; concurrent phases stop nothing and open none.
pub(super) fn opening(text: &str) -> Option<usize> {
    let at = match (text.find("[Full GC"), text.find("[GC")) {
        (Some(full), Some(gc)) => full.min(gc),
        (Some(at), None) | (None, Some(at)) => at,
        (None, None) => return None,
    };
    let rest = &text[at..];
    let next = rest.trim_start_matches("[Full GC").trim_start_matches("[GC");
    // `[GC Worker Start (ms): …`, `[GC concurrent-mark-start]` are no collections.
    let is_part = next.starts_with(" concurrent") || next.starts_with(" Worker") || next.starts_with(" Workers");
    (!is_part && next.starts_with([' ', '-', '[', '(', ':', '\t'])).then_some(at)
}

/// Opens a collection.
pub(super) fn open(text: &str, at: usize) -> Opened {
    let rest = &text[at..];
    let phase = [" remark", " cleanup", "CMS-initial-mark", "CMS-remark"].iter().any(|phase| rest.contains(phase));
    let kind = if rest.starts_with("[Full GC") || rest.contains("concurrent mode failure") {
        CollectionKind::Full
    } else if phase || is_bare_phase(rest) {
        CollectionKind::Phase
    } else {
        CollectionKind::Partial
    };
    Opened { kind, at_s: uptime(&text[..at]), heap: None }
}

/// `[GC 29798K(58752K), 0.0031310 secs]`: without details, CMS writes its initial mark and remark so.
fn is_bare_phase(rest: &str) -> bool {
    let words = rest.trim_start_matches("[GC").trim_start();
    words.starts_with(|c: char| c.is_ascii_digit())
        && !words.contains("->")
        && words.split(',').next().is_some_and(|word| word.ends_with("K)"))
}

impl Opened {
    /// Reads the rest of the line it opened in, or a line after it; answers when its seconds are told.
    pub(super) fn read(&mut self, text: &str) -> Option<f64> {
        if text.contains("concurrent mode failure") {
            self.kind = CollectionKind::Full;
        }
        let told = text.split("[Times:").next().unwrap_or(text);
        self.heap = self.heap.or_else(|| outer(told).and_then(change));
        seconds(told)
    }

    /// The heap as G1 writes it on a line of its own: `Heap: 17.2M(256.0M)->3758.6K(13.0M)]`.
    pub(super) fn heap_line(text: &str) -> Option<HeapChange> {
        change(&text[text.find("Heap: ")? + 6..])
    }

    /// The collection, with its pause.
    pub(super) fn close(self, pause_s: f64) -> Collection {
        Collection { kind: self.kind, at_s: self.at_s, pause_s, heap: self.heap }
    }
}

/// The last `SECONDS secs]` of a line.
fn seconds(text: &str) -> Option<f64> {
    let end = text.rfind(" secs]")?;
    let word = text[..end].rsplit([' ', ',', '/']).next()?;
    word.parse().ok().filter(|seconds: &f64| seconds.is_finite() && *seconds >= 0.0)
}

/// The words around the arrow that stands in no inner bracket: the heap as a whole.
fn outer(text: &str) -> Option<&str> {
    let base = i32::from(opening(text).is_some());
    let start = opening(text).unwrap_or(0);
    let mut depth = 0;
    let bytes = text.as_bytes();
    let mut found = None;
    let mut word = start;
    for at in start..bytes.len() {
        match bytes[at] {
            b'[' => depth += 1,
            b']' => {
                depth -= 1;
                word = at + 1;
            }
            b' ' | b':' => word = at + 1,
            // Where the bracket opened on an earlier line, the lines after stand below its depth.
            b'-' if bytes.get(at + 1) == Some(&b'>') && depth <= base => found = Some(word),
            _ => {}
        }
    }
    found.and_then(|at| text.get(at..))
}

/// Seconds before the bracket: the last `NUMBER:`, else a date.
fn uptime(head: &str) -> Option<f64> {
    let words: Vec<&str> = head.split_whitespace().filter_map(|word| word.strip_suffix(':')).collect();
    let number = words.iter().rev().find_map(|word| word.replace(',', ".").parse::<f64>().ok());
    number.filter(|number| number.is_finite()).or_else(|| words.iter().find_map(|word| date(word)))
}
