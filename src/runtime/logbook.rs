//! Our own log: to a file beside the journals, never to the terminal. It tells of the program, not of the incident.

use std::fmt;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use tracing::Level;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::clock::wall_now;
use crate::domain::fault::{Fault, FaultKind};
use crate::journal::make_folder;

/// Keeps the log open; writes what is left when it is dropped.
#[derive(Debug)]
pub struct Logbook {
    _guard: WorkerGuard,
}

struct Utc;

impl FormatTime for Utc {
    fn format_time(&self, out: &mut Writer<'_>) -> fmt::Result {
        write!(out, "{:.3}", wall_now())
    }
}

fn unopened(path: &Path, cause: String) -> Fault {
    Fault::new(FaultKind::Storage, format!("The log {} could not be opened.", path.display())).cause(cause)
}

/// Reads the filter of the log.
///
/// # Errors
/// It says nothing that can be followed.
pub fn checked(path: &Path, filter: &str) -> Result<EnvFilter, Fault> {
    let unread = |error: tracing_subscriber::filter::ParseError| {
        let cause = format!("PAGERDECK_LOG={filter} is no filter: {error}.");
        unopened(path, cause).hint("Set PAGERDECK_LOG to `info`, or to `pagerdeck=debug`.")
    };
    EnvFilter::try_new(filter).map_err(unread)
}

/// Whether it is ours. What libraries tell in detail are requests and answers whole: customers' logs, and what a model was asked.
fn is_ours(target: &str) -> bool {
    target.split("::").next() == Some("pagerdeck")
}

/// Opens the log and takes in what `tracing` tells from now on, as far as the filter lets it through.
///
/// # Errors
/// The folder or the file cannot be made, or the filter cannot be read. A session goes on without its log.
pub fn open(path: &Path, filter: &str) -> Result<Logbook, Fault> {
    let failed = |cause: String| unopened(path, cause);
    let filter = checked(path, filter)?;
    if let Some(folder) = path.parent() {
        make_folder(folder).map_err(|error| failed(error.to_string()))?;
    }
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    let (writer, guard) = tracing_appender::non_blocking(file.map_err(|error| failed(error.to_string()))?);
    let ours = filter_fn(|told| is_ours(told.target()) || *told.level() <= Level::INFO);
    let lines = tracing_subscriber::fmt::layer().with_timer(Utc).with_ansi(false).with_writer(writer);
    // A second session of one process writes to the log of the first.
    let _ = tracing_subscriber::registry().with(filter).with(ours).with(lines).try_init();
    Ok(Logbook { _guard: guard })
}
