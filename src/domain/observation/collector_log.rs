//! Lines of garbage collectors read into collections: the JVM's unified and older formats (serial, parallel, CMS, G1, ZGC,
//! Shenandoah) and V8. Times of pauses, and the heap before and after, as the collector itself writes them.

mod old;
mod reader;
mod unified;

pub use reader::CollectorReader;

/// What a collection was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CollectionKind {
    /// A pause that collects a part of the heap.
    Partial,
    /// A pause that collects all of it.
    Full,
    /// A pause of a concurrent cycle (initial mark, remark, cleanup): it stops the process and collects little. A stall of a
    /// thread that waits for memory is one, too.
    Phase,
    /// A concurrent cycle that is over: it tells the heap and stops nothing.
    Cycle,
}

/// One collection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Collection {
    /// What it was.
    pub kind: CollectionKind,
    /// Seconds since the process began (or since the epoch, where the log has dates alone), where told.
    pub at_s: Option<f64>,
    /// How long it stopped the process, in seconds.
    pub pause_s: f64,
    /// The heap, where told.
    pub heap: Option<HeapChange>,
}

/// The heap around a collection, in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeapChange {
    /// In use before.
    pub before: u64,
    /// In use after: what survived.
    pub after: u64,
    /// Committed: what could be in use without asking for more.
    pub capacity: u64,
}

/// What one line by itself tells of a collection: for counting lines that may come from anywhere and in any order.
pub fn of_line(text: &str) -> Option<Collection> {
    if !text.contains("GC") && !text.contains(" ms: ") && !text.contains("Allocation Stall (") {
        return None;
    }
    let mut reader = CollectorReader::default();
    reader.read(text);
    reader.finish().into_iter().next_back()
}

/// `24M`, `17294K`, `8061.5K`, `0.0B`, `1.2G`, also without a letter for bytes.
fn size(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: f64 = digits.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)?;
    let factor = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 1.0,
        "K" | "KB" => 1024.0,
        "M" | "MB" => 1024.0 * 1024.0,
        "G" | "GB" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    Some((number * factor) as u64)
}

/// The change written as `BEFORE->AFTER(CAPACITY)`, `BEFORE(C)->AFTER(CAPACITY)` or ZGC's `BEFORE(%)->AFTER(%)`.
fn change(text: &str) -> Option<HeapChange> {
    let (left, right) = text.split_once("->")?;
    let left = left.rsplit([' ', ':', ',']).next()?;
    let before = size(left.split('(').next()?)?;
    let right = right.trim_start();
    let open = right.find('(')?;
    let after = size(right[..open].trim())?;
    let inner = &right[open + 1..right[open..].find(')')? + open];
    let capacity = match inner.strip_suffix('%') {
        // A share of the whole: `620M(61%)`.
        Some(share) => {
            let share: f64 = share.parse().ok().filter(|share| *share > 0.0)?;
            (after as f64 * 100.0 / share) as u64
        }
        None => size(inner)?,
    };
    Some(HeapChange { before, after, capacity })
}

#[cfg(test)]
mod tests;
