//! What a crash leaves behind: the terminal as it was, and a report in a file whose path is the last thing said.

use std::backtrace::Backtrace;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::panic::PanicHookInfo;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};

use super::{is_taken, restore};
use crate::domain::observation::{redact, sanitise};
use crate::journal::make_folder;
use crate::runtime::clock::wall_now;

/// Whether the hook is there already.
static INSTALLED: AtomicBool = AtomicBool::new(false);
/// Who draws, and where reports go.
static SEAT: Mutex<Option<(ThreadId, PathBuf)>> = Mutex::new(None);
/// Reports that could not be named while the terminal was taken.
static UNTOLD: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// The terminal is given back first, then the panic is told. A task that panics beside the loop leaves the terminal to the
/// loop, which lives on and tells of it; its report is written all the same, and named when the terminal was given back.
pub(super) fn watch(folder: &Path) {
    *SEAT.lock().unwrap_or_else(PoisonError::into_inner) = Some((thread::current().id(), folder.to_owned()));
    if INSTALLED.swap(true, Ordering::SeqCst) {
        return;
    }
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let seat = SEAT.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if seat.as_ref().is_none_or(|(drawing, _)| *drawing == thread::current().id()) {
            restore();
        }
        let written = seat.and_then(|(_, folder)| write(panic, &folder).ok());
        if is_taken() {
            UNTOLD.lock().unwrap_or_else(PoisonError::into_inner).extend(written);
            return;
        }
        before(panic);
        if let Some(path) = written {
            // If that fails there is nobody left to tell.
            let _ = writeln!(io::stderr(), "pagerdeck crashed. The report is in {}", path.display());
        }
    }));
}

/// Names the reports of what crashed beside the loop, each once.
pub(super) fn tell() {
    for path in std::mem::take(&mut *UNTOLD.lock().unwrap_or_else(PoisonError::into_inner)) {
        let path = path.display();
        let _ = writeln!(io::stderr(), "A part of pagerdeck crashed, the rest went on. The report is in {path}");
    }
}

/// Writes the report. The message is ours, and still passes the same door as all that leaves for a file.
fn write(panic: &PanicHookInfo<'_>, folder: &Path) -> io::Result<PathBuf> {
    make_folder(folder)?;
    let stamp = wall_now().strftime("%Y%m%dT%H%M%SZ");
    let path = folder.join(format!("crash-{stamp}-{}.txt", std::process::id()));
    let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
    let thread = thread::current();
    let told = redact::redact(&sanitise::text(&panic.to_string())).text;
    let (version, name) = (env!("CARGO_PKG_VERSION"), thread.name().unwrap_or("without a name"));
    writeln!(file, "pagerdeck {version}, {stamp}, thread {name}\n{told}\n\n{}", Backtrace::force_capture())?;
    Ok(path)
}
