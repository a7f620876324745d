//! Checks the chain of a journal, and says what that proves and what it does not.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::is_held;
use crate::domain::count::counted;
use crate::domain::fault::{Fault, FaultKind};
use crate::journal::{self, Anchor, End, Flaw, JournalError, Verification};

/// What a chain can show by itself. It has no key: who writes the whole anew by the same rules leaves no trace in it.
const BY_ITSELF: &str = "Proved: no line was changed, moved, added or taken out, unless all behind it was written anew. \
    Not proved: that it was not, and that no lines were cut off at the end. For that, say --anchor LINES:HASH, which a \
    session prints when it ends and a transcript has in its head.";

/// Checks the whole chain, and that it goes through an anchor kept elsewhere. An altered line, and an anchor that is not
/// in it, are faults.
pub fn verify(path: &Path, kept: Option<Anchor>) -> Result<String, Fault> {
    let file =
        File::open(path).map_err(|source| JournalError::File { doing: "opening", path: path.to_owned(), source })?;
    let found = match journal::verify(BufReader::new(file), kept) {
        Err(JournalError::Broken { line, flaw }) => return Err(flawed(path, line, &flaw)),
        found => found?,
    };
    if let Some(broken) = &found.broken {
        return Err(flawed(path, broken.line, &broken.flaw));
    }
    let proved = match kept {
        Some(kept) if found.anchor_met == Some(true) => through(kept, found.anchor),
        Some(kept) => return Err(another(path, kept, found.anchor)),
        None => BY_ITSELF.to_owned(),
    };
    let (lines, end) = (found.anchor.lines, end(path, &found));
    Ok(format!(
        "{}: {}, the chain holds. {end}\n{proved}\nanchor {}",
        path.display(),
        counted(lines, "line"),
        found.anchor
    ))
}

/// Reads an anchor as a person gives it.
pub fn anchor(text: &str) -> Result<Anchor, Fault> {
    Anchor::parse(text).ok_or_else(|| {
        Fault::new(FaultKind::Usage, format!("{text:?} is no anchor."))
            .hint("An anchor is LINES:HASH, a number and 64 hex digits, as a session prints it when it ends.")
    })
}

/// The fault of a line: of a file that is no journal, of one that a later program wrote, or of one that was altered.
pub(super) fn flawed(path: &Path, line: u64, flaw: &Flaw) -> Fault {
    let path = path.display();
    match flaw {
        Flaw::Malformed if line == 1 => Fault::new(FaultKind::Usage, format!("{path} is no journal of pagerdeck."))
            .hint("`pagerdeck sessions` lists the journals there are."),
        // It is whole and in its place: who wrote it knew more kinds than we do.
        Flaw::Unreadable(_) => {
            let ours = env!("CARGO_PKG_VERSION");
            let summary = format!("{path} holds what pagerdeck {ours} does not know, from line {line} on.");
            Fault::new(FaultKind::Usage, summary)
                .cause(format!("{flaw}."))
                .hint("A later version wrote it: read it with that one. What comes before that line can be read.")
        }
        Flaw::Malformed | Flaw::Edited | Flaw::Unlinked | Flaw::OutOfOrder { .. } => {
            let summary = format!("{path} is not as it was written from line {line} on.");
            Fault::new(FaultKind::Storage, summary)
                .cause(format!("{flaw}."))
                .hint("What comes before that line still holds, and `export` and `replay` show it. Restore the file from a copy.")
        }
    }
}

fn another(path: &Path, kept: Anchor, last: Anchor) -> Fault {
    let why = if last.lines < kept.lines {
        format!(
            "It has {}, the anchor was taken at {}: lines were cut off at the end.",
            counted(last.lines, "line"),
            kept.lines
        )
    } else {
        format!("Its line {} is another than the one the anchor was taken at: it was written anew.", kept.lines)
    };
    Fault::new(FaultKind::Storage, format!("{} is not the journal of this anchor.", path.display())).cause(why).hint(
        "The chain holds in itself, which proves nothing here. Compare the anchor, and restore the file from a copy.",
    )
}

fn through(kept: Anchor, last: Anchor) -> String {
    match last.lines - kept.lines {
        0 => "Proved: it is, from its first line to its last, what it was when the anchor was taken.".to_owned(),
        later => format!(
            "Proved: up to line {} it is what it was when the anchor was taken. What follows it ({}) is chained only.",
            kept.lines,
            counted(later, "line")
        ),
    }
}

/// How it ends. A session that runs, or whose process died, rightly has no last word.
fn end(path: &Path, found: &Verification) -> String {
    match (found.end, found.ended) {
        (End::Torn { bytes }, _) => {
            format!("Its last line is torn ({}), as after a crash; it was never acknowledged.", counted(bytes, "byte"))
        }
        (End::Whole, true) => "It ends in order.".to_owned(),
        (End::Whole, false) if is_held(path) => "It has no last word yet: its session is running.".to_owned(),
        (End::Whole, false) => {
            "It has NO LAST WORD: the process ended without one, or lines were cut off at the end.".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::journal::{Preamble, Writer};
    use crate::session::Record;
    use crate::session::event::{Event, SessionEvent};

    /// A journal of a note and a last word, and its anchor.
    fn journal(folder: &Path, name: &str, text: &str) -> (std::path::PathBuf, Anchor) {
        let path = folder.join(name);
        let mut writer = Writer::create(&path, &Preamble::new("one")).unwrap();
        let events = [SessionEvent::Noted { text: text.to_owned() }, SessionEvent::Ended { reason: String::new() }];
        for (seq, event) in (1..).zip(events) {
            let at = Timestamp::UNIX_EPOCH;
            writer.append(&Record { seq, at, incident: None, event: Event::Session(event) }).unwrap();
        }
        let anchor = writer.anchor();
        (path, anchor)
    }

    #[test]
    fn an_anchor_proves_what_the_chain_cannot() {
        let folder = tempfile::tempdir().unwrap();
        let (path, anchor) = journal(folder.path(), "one.jsonl", "as it was");
        let kept = Anchor::parse(&anchor.to_string());
        assert_eq!(kept, Some(anchor));
        let alone = verify(&path, None).unwrap();
        assert!(alone.contains("It ends in order.") && alone.contains("Not proved"), "{alone}");
        assert!(alone.ends_with(&format!("anchor {anchor}")), "{alone}");
        assert!(verify(&path, kept).unwrap().contains("from its first line to its last"));

        let (anew, _) = journal(folder.path(), "two.jsonl", "as somebody would like it");
        assert!(verify(&anew, None).is_ok(), "the chain alone cannot show it");
        assert!(verify(&anew, kept).unwrap_err().to_string().contains("written anew"));

        let text = std::fs::read_to_string(&path).unwrap();
        let cut: Vec<&str> = text.lines().take(2).collect();
        std::fs::write(&path, format!("{}\n", cut.join("\n"))).unwrap();
        assert!(verify(&path, None).unwrap().contains("NO LAST WORD"));
        assert!(verify(&path, kept).unwrap_err().to_string().contains("cut off at the end"));
    }

    #[test]
    fn an_anchor_taken_before_the_end_proves_what_it_saw() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("one.jsonl");
        let writer = Writer::create(&path, &Preamble::new("one")).unwrap();
        let early = writer.anchor();
        let running = verify(&path, Some(early)).unwrap();
        assert!(running.contains("its session is running"), "{running}");
        drop(writer);
        let (other, _) = journal(folder.path(), "two.jsonl", "the same beginning");
        let told = verify(&other, Some(early)).unwrap();
        assert!(told.contains("up to line 1 it is") && told.contains("(2 lines)"), "{told}");
    }

    #[test]
    fn what_is_no_anchor_is_none() {
        let hash = "0f".repeat(32);
        assert!(Anchor::parse(&format!("12:{hash}")).is_some());
        assert_eq!(anchor("12").unwrap_err().kind, FaultKind::Usage);
        for text in ["", "12", &hash, &format!("x:{hash}"), &format!("12:{}", &hash[2..]), &format!("-1:{hash}")] {
            assert_eq!(Anchor::parse(text), None, "{text}");
        }
    }
}
