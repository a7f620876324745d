//! What of a journal can be read: all of it, or what stands before the first line that is not as it was written. After an
//! incident that may be the only record there is.

use std::path::Path;

use super::proof::flawed;
use crate::domain::fault::Fault;
use crate::journal::{JournalError, Reader};
use crate::report::{Journaled, html, transcript};
use crate::session::{Record, Session, update};

/// Records, their fold, and the place behind them. Effects are dropped: nothing runs twice.
#[derive(Debug)]
pub struct Kept {
    /// The fold.
    pub session: Session,
    /// All that were read.
    pub records: Vec<Record>,
    /// The place behind the last of them.
    pub anchor: String,
    /// Why no more could be read, where something is behind them.
    pub flaw: Option<Fault>,
}

impl Kept {
    /// Reads a journal. A torn end was never acknowledged, and is left out.
    ///
    /// # Errors
    /// Where nothing can be read: there is no file, it is no journal, or its first record is not as it was written.
    pub fn read(path: &Path) -> Result<Self, Fault> {
        let mut session = Session::default();
        let mut records = Vec::new();
        let mut reader = Reader::open(path).map_err(|error| told(path, &error))?;
        let flaw = loop {
            match reader.next_record() {
                Ok(Some(record)) => {
                    drop(update(&mut session, &record));
                    records.push(record);
                }
                Ok(None) => break None,
                Err(error) if records.is_empty() => return Err(told(path, &error)),
                Err(error) => break Some(told(path, &error)),
            }
        };
        Ok(Self { session, records, anchor: reader.anchor().to_string(), flaw })
    }

    /// The transcript as Markdown.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        // Writing into a text cannot fail.
        let _ = transcript::markdown(&mut text, &self.journaled());
        text
    }

    /// The transcript as a page for browsers.
    pub fn html(&self) -> String {
        let mut text = String::new();
        let _ = html::page(&mut text, &self.journaled());
        text
    }

    /// The transcript as JSON.
    pub fn json(&self) -> String {
        format!("{:#}", transcript::json(&self.journaled()))
    }

    fn journaled(&self) -> Journaled<'_> {
        Journaled {
            session: &self.session,
            records: &self.records,
            anchor: &self.anchor,
            flaw: self.flaw.as_ref().map(|flaw| flaw.summary.as_str()),
        }
    }
}

fn told(path: &Path, error: &JournalError) -> Fault {
    match error {
        JournalError::Broken { line, flaw } => flawed(path, *line, flaw),
        other => other.fault(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::fault::FaultKind;
    use crate::journal::{Preamble, Writer};
    use crate::session::event::{Event, SessionEvent};

    fn journal(folder: &Path) -> std::path::PathBuf {
        let path = folder.join("one.jsonl");
        let mut writer = Writer::create(&path, &Preamble::new("one")).unwrap();
        for seq in 1..=4 {
            let event = Event::Session(SessionEvent::Noted { text: format!("note {seq}") });
            writer.append(&Record { seq, at: Timestamp::UNIX_EPOCH, incident: None, event }).unwrap();
        }
        path
    }

    /// The journal with its line of this number (from 1) in another form.
    fn with_line(path: &Path, number: usize, edit: impl Fn(&str) -> String) {
        let text = std::fs::read_to_string(path).unwrap();
        let lines: Vec<String> =
            (1..).zip(text.lines()).map(|(at, line)| if at == number { edit(line) } else { line.to_owned() }).collect();
        std::fs::write(path, lines.join("\n") + "\n").unwrap();
    }

    #[test]
    fn what_stands_before_a_damaged_line_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = journal(folder.path());
        assert_eq!(Kept::read(&path).unwrap().flaw, None);
        with_line(&path, 4, |line| line[..line.len() / 2].to_owned());
        let kept = Kept::read(&path).unwrap();
        assert_eq!(kept.records.len(), 2);
        assert!(kept.anchor.starts_with("3:"), "{}", kept.anchor);
        let flaw = kept.flaw.as_ref().unwrap();
        assert!(flaw.summary.ends_with("one.jsonl is not as it was written from line 4 on."), "{flaw}");
        for form in [kept.markdown(), kept.html(), kept.json()] {
            assert!(form.contains("is not as it was written from line 4 on."), "{form}");
            assert!(form.contains("note 2") && !form.contains("note 4"), "{form}");
        }
        assert!(kept.markdown().lines().take(4).any(|line| line.contains("from line 4 on")), "at the head");
    }

    #[test]
    fn what_is_no_journal_is_called_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passwd");
        std::fs::write(&path, "root:x:0:0\n").unwrap();
        let fault = Kept::read(&path).unwrap_err();
        assert!(fault.summary.ends_with("passwd is no journal of pagerdeck."), "{fault}");
        assert_eq!((fault.kind, fault.hints.len()), (FaultKind::Usage, 1));
    }
}
