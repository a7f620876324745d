//! Standard output and error. A reader that closes the pipe ends the output and is no error.

use std::io::{ErrorKind, Write as _};

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::sanitise;
use crate::runtime::Ending;

/// Prints a text, of which no character drives the terminal, and ends the command.
pub(super) fn out(text: &str) -> Result<Ending, Fault> {
    let text = sanitise::output(text);
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let mut output = std::io::stdout().lock();
    match write!(output, "{text}{end}").and_then(|()| output.flush()) {
        Ok(()) => Ok(Ending::Done),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Ending::Done),
        Err(error) => {
            Err(Fault::new(FaultKind::Storage, "Standard output cannot be written.").cause(format!("{error}.")))
        }
    }
}

/// One line to standard error. If that fails there is nobody left to tell.
pub(super) fn err(text: &str) {
    drop(writeln!(std::io::stderr(), "pagerdeck: {}", sanitise::text(text)));
}

/// A fault as a person reads it: what, why, and what to do next.
pub(super) fn fault(fault: &Fault) {
    let causes = fault.causes.iter().map(|cause| format!("\n  cause: {cause}"));
    let hints = fault.hints.iter().map(|hint| format!("\n  hint:  {hint}"));
    let rest: String = causes.chain(hints).collect();
    err(&format!("{}{rest}", fault.summary));
}
