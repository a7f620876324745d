//! The unified format (JDK 9 and later) and V8's trace: one line says it all.

use jiff::Timestamp;

use super::{Collection, CollectionKind, change};

/// Reads a line of the unified log. Lines that announce a start, or tell of a part of a pause, tell of none.
pub(super) fn read(text: &str) -> Option<Collection> {
    let at = text.find("GC(")?;
    let (head, rest) = (&text[..at], &text[at..]);
    let rest = rest[rest.find(") ")? + 2..].trim_end();
    // Generational ZGC says which generation: `GC(0) Y: Pause Mark Start`.
    let rest = ["Y: ", "y: ", "O: "].iter().find_map(|of| rest.strip_prefix(of)).unwrap_or(rest);
    let kind = if rest.starts_with("Pause Full") {
        CollectionKind::Full
    } else if ["Pause Remark", "Pause Cleanup", "Pause Init", "Pause Final", "Pause Mark", "Pause Relocate"]
        .iter()
        .any(|phase| rest.starts_with(phase))
    {
        CollectionKind::Phase
    } else if rest.starts_with("Pause ") {
        CollectionKind::Partial
    } else if ["Garbage Collection (", "Major Collection (", "Minor Collection ("].iter().any(|it| rest.starts_with(it))
        // Where Shenandoah tells of its heap.
        || rest.starts_with("Concurrent cleanup ") && rest.contains("->")
    {
        CollectionKind::Cycle
    } else {
        return None;
    };
    let change_of_heap = rest.rfind("->").and_then(|arrow| {
        let from = rest[..arrow].rfind(' ').map_or(0, |space| space + 1);
        change(&rest[from..])
    });
    let last = rest.rsplit(' ').next()?;
    let pause = last.strip_suffix("ms").and_then(|ms| ms.parse::<f64>().ok()).map(|ms| ms / 1_000.0);
    let pause_s = match (kind, pause) {
        (CollectionKind::Cycle, _) => 0.0,
        (_, pause) => pause.filter(|pause| pause.is_finite() && *pause >= 0.0)?,
    };
    Some(Collection { kind, at_s: uptime(head), pause_s, heap: change_of_heap })
}

/// Reads a stall of ZGC: a thread that waits for memory until a collection has freed some.
/// `[2.300s][info][gc] Allocation Stall (http-1) 1450.123ms`.
pub(super) fn read_stall(text: &str) -> Option<Collection> {
    let at = text.find("Allocation Stall (")?;
    let ms = text.trim_end().rsplit(' ').next()?.strip_suffix("ms")?;
    let pause = ms.parse::<f64>().ok().filter(|ms| ms.is_finite() && *ms >= 0.0)?;
    let (kind, at_s) = (CollectionKind::Phase, uptime(&text[..at]));
    Some(Collection { kind, at_s, pause_s: pause / 1_000.0, heap: None })
}

/// The first decoration that is a time: `[31.249s]`, `[31249ms]`, or a date.
fn uptime(head: &str) -> Option<f64> {
    head.split('[').filter_map(|part| part.split(']').next()).map(str::trim).find_map(|word| {
        if let Some(ms) = word.strip_suffix("ms") {
            return ms.parse::<f64>().ok().map(|ms| ms / 1_000.0);
        }
        word.strip_suffix('s').and_then(|s| s.parse().ok()).or_else(|| date(word))
    })
}

/// An ISO date with a zone, with or without a colon in it, as seconds since the epoch.
pub(super) fn date(word: &str) -> Option<f64> {
    let at: Timestamp = word.parse().ok()?;
    Some(at.as_millisecond() as f64 / 1_000.0)
}

/// Reads a line of V8's `--trace-gc`: `[1:0x1] 1234 ms: Mark-sweep 2046.1 (2083.3) -> 2045.9 (2084.0) MB, 913.2 / 0.0 ms`.
pub(super) fn read_v8(text: &str) -> Option<Collection> {
    let (head, rest) = text.split_once(" ms: ")?;
    let kind = if rest.starts_with("Mark-sweep") || rest.starts_with("Mark-Compact") {
        CollectionKind::Full
    } else if rest.starts_with("Scavenge") {
        CollectionKind::Partial
    } else {
        return None;
    };
    let at_s = head.rsplit(' ').next().and_then(|ms| ms.parse::<f64>().ok()).map(|ms| ms / 1_000.0);
    let (sizes, times) = rest.split_once(" MB, ")?;
    // Newer ones tell of pooled memory in between: `MB, pooled: 0.0 MB, 913.20 / 0.00 ms`.
    let times = if times.starts_with("pooled: ") { times.split_once(" MB, ")?.1 } else { times };
    let pause =
        times.split(' ').next().and_then(|ms| ms.parse::<f64>().ok()).filter(|ms| ms.is_finite() && *ms >= 0.0)?;
    Some(Collection { kind, at_s, pause_s: pause / 1_000.0, heap: v8_heap(sizes) })
}

/// `Mark-sweep (reduce) 2046.1 (2083.3) -> 2045.9 (2084.0)`: in use and, in brackets, committed; megabytes.
fn v8_heap(text: &str) -> Option<super::HeapChange> {
    let megabytes = |number: &str| {
        number.parse::<f64>().ok().filter(|mb| mb.is_finite() && *mb >= 0.0).map(|mb| (mb * 1_048_576.0) as u64)
    };
    let (left, right) = text.split_once(" -> ")?;
    let before = left.split(' ').rfind(|word| !word.starts_with('(')).and_then(megabytes)?;
    let mut after = right.split(' ');
    let used = after.next().and_then(megabytes)?;
    let committed = after.next().map(|word| word.trim_matches(['(', ')'])).and_then(megabytes).unwrap_or(used);
    Some(super::HeapChange { before, after: used, capacity: committed })
}
