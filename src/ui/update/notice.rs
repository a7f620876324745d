//! The message line and everything else that lapses with time.

use super::super::intent::Intent;
use super::super::model::{Instants, Tone, Ui};

/// A message stays this long.
const MESSAGE_MS: u64 = 8_000;
/// Who presses another key after this long has read it.
const READ_MS: u64 = 1_000;
/// A sequence of keys lapses after this long.
pub(super) const SEQUENCE_MS: u64 = 1_500;

/// What is said of a key that came with others at once.
pub(super) const IN_A_BURST: &str = "Not counted: several keys came at once, as a paste does. Press it alone.";

/// Lets go of what is too old.
pub(super) fn age(ui: &mut Ui, at: Instants) {
    let older = |since: u64, most: u64| at.mono_ms.saturating_sub(since) > most;
    ui.message.take_if(|message| older(message.mono_ms, MESSAGE_MS));
    ui.keys.pending.take_if(|(_, since)| older(*since, SEQUENCE_MS));
}

/// Lets go of what was said when the next key is pressed: it has been read, and was about the key before. What was said
/// within the last second may not have been.
pub(super) fn was_read(ui: &mut Ui, at: Instants) {
    ui.message.take_if(|message| at.mono_ms.saturating_sub(message.mono_ms) > READ_MS);
}

/// Says why a press does nothing.
pub(super) fn refuse(ui: &mut Ui, text: impl Into<String>, at: Instants) -> Vec<Intent> {
    ui.tell(Tone::Refused, text, at);
    Vec::new()
}
