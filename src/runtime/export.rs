//! Files for the person: transcripts and single texts, written beside the journals, never over an existing file.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::archive::Kept;
use super::core::Core;
use super::inbox::Inbox;
use crate::domain::fault::{Fault, FaultKind};
use crate::journal::make_folder;
use crate::session::event::{Event, ReportEvent};

/// Writes files for the person beside the loop, which never waits for the disk; it hears of them by [`Inbox::Saved`].
pub(super) fn begin(core: &Core, work: impl FnOnce() -> Result<Vec<PathBuf>, Fault> + Send + 'static) {
    let post = core.runner.means().post.clone();
    core.runner.tasks().spawn("export", async move {
        let written = tokio::task::spawn_blocking(work).await;
        if let Ok(written) = written {
            post.send(Inbox::Saved(written)).await;
        }
    });
}

/// Notes in the journal what was written: a file may hold what is nobody else's business.
pub(super) fn note(core: &mut Core, paths: &[PathBuf]) {
    for path in paths {
        let path = path.display().to_string();
        core.commit(None, Event::Report(ReportEvent::Exported { path }));
    }
}

/// Writes a text to a new file of this name (a number is put behind a name that is taken). Readable by its owner alone.
pub fn write_text(folder: &Path, name: &Path, text: &str) -> Result<PathBuf, Fault> {
    let failed = |error: &std::io::Error| {
        Fault::new(FaultKind::Storage, format!("Nothing could be written to {}.", folder.display()))
            .cause(error.to_string())
            .hint("Free some room, or set PAGERDECK_STATE to another folder.")
    };
    make_folder(folder).map_err(|error| failed(&error))?;
    let plain = name.file_name().map_or_else(|| "export".into(), |name| name.to_string_lossy().into_owned());
    for number in 1..1_000 {
        let path = folder.join(numbered(&plain, number));
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(mut file) => {
                file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| failed(&error))?;
                return Ok(path);
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(&error)),
        }
    }
    Err(Fault::new(FaultKind::Storage, format!("There are a thousand files called {plain} already.")))
}

/// Writes what a journal tells as it stands on the disk, for two readers: Markdown to be pasted into a ticket, and a page of
/// its own to be opened or sent.
pub fn write_transcript(journal: &Path, folder: &Path) -> Result<Vec<PathBuf>, Fault> {
    let kept = Kept::read(journal)?;
    let (text, page) = (kept.markdown(), kept.html());
    let stem = journal.file_stem().map_or_else(|| "session".into(), |stem| stem.to_string_lossy().into_owned());
    let write = |(ending, text): (&str, &String)| write_text(folder, Path::new(&format!("{stem}.{ending}")), text);
    [("md", &text), ("html", &page)].into_iter().map(write).collect()
}

/// Where files of one folder were written: their names first, which a narrow screen still shows.
pub fn told(paths: &[PathBuf]) -> String {
    match paths {
        [] => "Nothing was written.".to_owned(),
        [path] => format!("Written to {}", path.display()),
        [first, ..] => {
            let names: Vec<_> =
                paths.iter().filter_map(|path| path.file_name()).map(|name| name.to_string_lossy()).collect();
            let folder = first.parent().unwrap_or(Path::new("."));
            format!("Written: {} in {}", names.join(" and "), folder.display())
        }
    }
}

fn numbered(name: &str, number: u32) -> String {
    if number == 1 {
        return name.to_owned();
    }
    match name.rsplit_once('.') {
        Some((stem, ending)) => format!("{stem}-{number}.{ending}"),
        None => format!("{name}-{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_told_by_its_names_first() {
        let paths = ["a/one.md", "a/one.html"].map(PathBuf::from);
        assert_eq!(told(&paths), "Written: one.md and one.html in a");
        assert_eq!(told(&paths[..1]), "Written to a/one.md");
        assert_eq!(told(&[]), "Nothing was written.");
    }
}
