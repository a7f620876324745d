//! Journals that are there already: finds, lists, verifies and exports them. Opens no socket and writes no journal.

mod kept;
mod proof;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::domain::count::{counted, either};
use crate::domain::diagnosis::verdict::Verdict;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::remediation::request::Mode;
use crate::journal::Reader;
use crate::session::IncidentId;
use crate::session::event::{Event, EvidenceEvent, ReportEvent, SessionEvent};
use crate::session::header::{Header, Origin};

pub use kept::Kept;
pub use proof::{anchor, verify};

/// How a journal's file is named after its session.
pub const EXTENSION: &str = "jsonl";

/// A journal in a few words.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The session's id.
    pub id: String,
    state: EntryState,
}

#[derive(Clone, Debug)]
enum EntryState {
    Readable {
        header: Box<Header>,
        first: Timestamp,
        last: Timestamp,
        records: u64,
        standing: Standing,
        /// Follow-ups whose watch did not come to its end.
        unwatched: usize,
        verdict: Option<Box<Verdict>>,
    },
    Unreadable {
        fault: Fault,
    },
}

/// Whether a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Its journal has its last word.
    Ended,
    /// A process holds its journal.
    Running,
    /// It has no last word, and nobody holds it.
    Crashed,
}

impl Standing {
    fn word(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Running => "RUNNING",
            Self::Crashed => "CRASHED (resume goes on with it)",
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            EntryState::Readable { header, first, last, records, standing, unwatched, verdict } => {
                let mode = match header.mode {
                    Mode::DryRun => "dry-run",
                    Mode::Live => "LIVE",
                };
                let origin = match &header.origin {
                    Origin::Real => header.scope.to_string(),
                    Origin::Rehearsal { scenario, .. } => format!("REHEARSAL {scenario}"),
                };
                let minutes = last.duration_since(*first).as_mins();
                let started = header.wall_started_at.strftime("%Y-%m-%d %H:%MZ");
                // A rehearsal's cloud ended with its process: there is nothing to go on with.
                let end = match (standing, &header.origin) {
                    (Standing::Crashed, Origin::Rehearsal { .. }) => "CRASHED",
                    (standing, _) => standing.word(),
                };
                write!(
                    f,
                    "{}  {started}  {mode:<7}  {origin}  {}, {minutes} min, {end}",
                    self.id,
                    counted(*records, "record")
                )?;
                if let Some(verdict) = verdict {
                    write!(f, ", {} {}", verdict.words(), verdict.confidence())?;
                }
                match (unwatched, standing) {
                    (0, _) | (_, Standing::Running) => Ok(()),
                    (many, _) => {
                        let its = either(*many, "its", "their");
                        write!(f, ", {} not watched to {its} end", counted(*many, "follow-up"))
                    }
                }
            }
            EntryState::Unreadable { fault } => write!(f, "{}  unreadable: {}", self.id, fault.summary),
        }
    }
}

impl Entry {
    /// The entry for a program: `verdict` is the last one of the rules, `state` is `ended`, `running`, `crashed` or
    /// `unreadable`.
    pub fn object(&self) -> Value {
        match &self.state {
            EntryState::Readable { header, first, last, records, standing, unwatched, verdict } => json!({
                "id": self.id,
                "state": match standing { Standing::Ended => "ended", Standing::Running => "running", Standing::Crashed => "crashed" },
                "started": header.wall_started_at,
                "mode": header.mode,
                "origin": header.origin,
                "scope": header.scope,
                "records": records,
                "first": first,
                "last": last,
                "unwatched": unwatched,
                "verdict": verdict.as_ref().map(|verdict| {
                    json!({ "cause": verdict.cause(), "confidence": verdict.confidence(), "conclusive": verdict.conclusive })
                }),
            }),
            EntryState::Unreadable { fault } => json!({ "id": self.id, "state": "unreadable", "fault": fault }),
        }
    }
}

/// Finds a journal by its path, its session's id, or the beginning of an id that only one session has.
pub fn locate(sessions: &Path, asked: &str) -> Result<PathBuf, Fault> {
    let path = Path::new(asked);
    if path.is_file() {
        return Ok(path.to_owned());
    }
    let near: Vec<PathBuf> = if asked.contains(std::path::MAIN_SEPARATOR) || asked.is_empty() {
        Vec::new()
    } else {
        journals(sessions)?.into_iter().filter(|journal| id_of(journal).starts_with(asked)).collect()
    };
    let exact = near.iter().find(|journal| id_of(journal) == asked);
    match (exact, near.as_slice()) {
        (Some(journal), _) => Ok(journal.clone()),
        (None, [only]) => Ok(only.clone()),
        (None, []) => Err(Fault::new(FaultKind::Usage, format!("There is no session and no file {asked:?}."))
            .hint("`pagerdeck sessions` lists what there is.")),
        (None, several) => {
            let ids: Vec<String> = several.iter().map(|journal| id_of(journal)).collect();
            Err(Fault::new(FaultKind::Usage, format!("{asked:?} is the beginning of {} sessions.", ids.len()))
                .hint(format!("Say more of it: {}.", ids.join(", "))))
        }
    }
}

/// All journals of a folder, newest first. A folder that is not there holds none.
pub fn list(sessions: &Path) -> Result<Vec<Entry>, Fault> {
    let mut entries: Vec<Entry> = journals(sessions)?.iter().map(|path| entry(path)).collect();
    entries.sort_by(|a, b| b.id.cmp(&a.id));
    Ok(entries)
}

fn journals(sessions: &Path) -> Result<Vec<PathBuf>, Fault> {
    let unreadable = |error: &std::io::Error| {
        Fault::new(FaultKind::Storage, format!("{} cannot be read.", sessions.display()))
            .cause(format!("{error}."))
            .hint("Check the folder's owner and mode, or name another by PAGERDECK_STATE.")
    };
    let folder = match std::fs::read_dir(sessions) {
        Ok(folder) => folder,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(&error)),
    };
    let paths: Result<Vec<PathBuf>, std::io::Error> = folder.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths.map_err(|error| unreadable(&error))?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == EXTENSION));
    Ok(paths)
}

fn id_of(journal: &Path) -> String {
    journal.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
}

fn entry(path: &Path) -> Entry {
    let state = read_entry(path).unwrap_or_else(|fault| EntryState::Unreadable { fault });
    Entry { id: id_of(path), state }
}

fn read_entry(path: &Path) -> Result<EntryState, Fault> {
    let mut reader = Reader::open(path)?;
    let mut header = Box::new(Header::default());
    let (mut first, mut last, mut records) = (None, Timestamp::UNIX_EPOCH, 0);
    let (mut ended, mut verdicts) = (false, BTreeMap::new());
    let mut unsettled: BTreeMap<Option<IncidentId>, usize> = BTreeMap::new();
    while let Some(record) = reader.next_record()? {
        records += 1;
        first = first.or(Some(record.at));
        last = record.at;
        ended = matches!(record.event, Event::Session(SessionEvent::Ended { .. }));
        match record.event {
            Event::Session(SessionEvent::Started { header: told }) => header = told,
            Event::Session(SessionEvent::ScopeLearned { scope, .. }) => header.learn_scope(&scope),
            Event::Evidence(EvidenceEvent::VerdictReached { verdict, .. }) => {
                verdicts.insert(record.incident, verdict);
            }
            Event::Report(ReportEvent::Drafted { follow_ups, .. }) => {
                let watched = follow_ups.iter().filter(|follow_up| follow_up.watches().is_some()).count();
                unsettled.insert(record.incident, watched);
            }
            Event::Report(ReportEvent::FollowUpEnded { .. }) => {
                unsettled.entry(record.incident).and_modify(|left| *left = left.saturating_sub(1));
            }
            _ => {}
        }
    }
    let first = first.unwrap_or(last);
    let standing = match (ended, is_held(path)) {
        (true, _) => Standing::Ended,
        (false, true) => Standing::Running,
        (false, false) => Standing::Crashed,
    };
    // Of several incidents the one that is best understood tells which session it was.
    let verdict = verdicts.into_values().reduce(|best, next| {
        if (next.conclusive, next.confidence()) > (best.conclusive, best.confidence()) { next } else { best }
    });
    let unwatched = unsettled.into_values().sum();
    Ok(EntryState::Readable { header, first, last, records, standing, unwatched, verdict })
}

/// Whether a writer holds the journal: it does so for as long as it lives, and the system lets go of it with the process.
fn is_held(path: &Path) -> bool {
    let tried = File::open(path).map(|file| file.try_lock_shared());
    matches!(tried, Ok(Err(TryLockError::WouldBlock)))
}

/// Writes a file that only its owner may read.
pub fn write_private(path: &Path, text: &str) -> Result<(), Fault> {
    super::private::write(path, text).map_err(|error| {
        Fault::new(FaultKind::Storage, format!("{} could not be written.", path.display()))
            .cause(format!("{error}."))
            .hint("Choose another place with -o.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_found_by_the_beginning_of_its_id() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["20261122-aa.jsonl", "20261122-ab.jsonl", "20261123-aa.jsonl", "20261123-aa-2.jsonl", "notes.txt"]
        {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let found = |asked: &str| locate(folder.path(), asked).map(|path| id_of(&path)).map_err(|fault| fault.kind);
        assert_eq!(found("20261122-ab"), Ok("20261122-ab".to_owned()));
        assert_eq!(found("20261123-aa"), Ok("20261123-aa".to_owned()), "the whole id, though it begins another");
        for unclear in ["20261122", "2027", "notes", "", "../20261122-aa"] {
            assert_eq!(found(unclear), Err(FaultKind::Usage), "{unclear:?}");
        }
    }

    #[test]
    fn no_folder_holds_no_session() {
        let folder = tempfile::tempdir().unwrap();
        assert!(list(&folder.path().join("none")).unwrap().is_empty());
    }

    #[test]
    fn an_unreadable_journal_is_listed_as_such() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("broken.jsonl"), "not json\n").unwrap();
        let entries = list(folder.path()).unwrap();
        assert!(entries[0].to_string().starts_with("broken  unreadable: "), "{}", entries[0]);
    }

    #[test]
    fn a_session_that_runs_is_told_from_one_that_crashed() {
        use crate::journal::{Preamble, Writer};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("one.jsonl");
        let writer = Writer::create(&path, &Preamble::new("one")).unwrap();
        let state = || list(folder.path()).unwrap()[0].object()["state"].clone();
        assert_eq!(state(), "running");
        drop(writer);
        assert_eq!(state(), "crashed");
    }
}
