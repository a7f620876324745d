//! Rehearsals through the program: what they told as JSON, and the journals they left.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use pagerdeck::journal::Reader;
use pagerdeck::session::{Record, Session, update};
use serde_json::Value;

use super::cli::{Home, Said};

/// A rehearsal that has ended.
pub struct Story {
    /// The `pagerdeck/incident/1` object.
    pub object: Value,
    /// The exit code.
    pub code: Option<i32>,
    /// The journal's bytes; empty when there is none.
    pub journal: Vec<u8>,
}

/// The script of a person who approves what is asked, and confirms it.
pub fn approving() -> String {
    operator("restart")
}

/// An operator's script by name.
pub fn operator(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join(format!("tests/operators/{name}.toml")).to_str().unwrap().to_owned()
}

/// Runs a rehearsal as fast as it goes, in a home of its own.
pub fn story(args: &[&str]) -> Story {
    let home = Home::new();
    let args = [&["rehearse", "--output", "json", "--speed", "max"], args].concat();
    let Said { code, out, err } = home.run(&args);
    let object: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}\n{err}"));
    let path = object["journal"].as_str().map(PathBuf::from);
    let journal = path.map_or_else(Vec::new, |path| std::fs::read(path).unwrap());
    Story { object, code, journal }
}

/// The founding incident, live, approved by a script; run once for all tests.
pub fn live() -> &'static Story {
    static LIVE: OnceLock<Story> = OnceLock::new();
    LIVE.get_or_init(|| story(&["oom-leak", "--live", "--operator", &approving()]))
}

impl Story {
    /// The records of its journal.
    pub fn records(&self) -> Vec<Record> {
        Reader::new(self.journal.as_slice()).unwrap().map(Result::unwrap).collect()
    }
}

/// The fold of some records; what it would have done is dropped.
pub fn fold<'a>(records: impl IntoIterator<Item = &'a Record>) -> Session {
    let mut session = Session::default();
    for record in records {
        drop(update(&mut session, record));
    }
    session
}
