//! A key with its modifiers, read from text such as `ctrl-d` and printed as the help shows it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// One key with Ctrl and Alt. Shift is in the character itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chord {
    /// Which key.
    pub code: KeyCode,
    /// Ctrl and Alt.
    pub modifiers: KeyModifiers,
}

impl Chord {
    /// What a terminal sent. Shift is dropped for characters, where the character tells it, and for Shift-Tab, whose
    /// code does.
    pub fn of(key: KeyEvent) -> Self {
        let modifiers = key.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT);
        let code = match key.code {
            // With Ctrl a terminal cannot tell the case apart; some send it anyway.
            KeyCode::Char(letter) if modifiers.contains(KeyModifiers::CONTROL) => {
                KeyCode::Char(letter.to_ascii_lowercase())
            }
            KeyCode::Tab if key.modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            code => code,
        };
        Self { code, modifiers }
    }
}

/// The names of keys that are no characters: as written, as printed.
const NAMED: [(&str, KeyCode, &str); 16] = [
    ("space", KeyCode::Char(' '), "Space"),
    ("enter", KeyCode::Enter, "Enter"),
    ("esc", KeyCode::Esc, "Esc"),
    ("tab", KeyCode::Tab, "Tab"),
    ("backtab", KeyCode::BackTab, "Shift-Tab"),
    ("backspace", KeyCode::Backspace, "Backspace"),
    ("delete", KeyCode::Delete, "Delete"),
    ("insert", KeyCode::Insert, "Insert"),
    ("up", KeyCode::Up, "Up"),
    ("down", KeyCode::Down, "Down"),
    ("left", KeyCode::Left, "Left"),
    ("right", KeyCode::Right, "Right"),
    ("home", KeyCode::Home, "Home"),
    ("end", KeyCode::End, "End"),
    ("pageup", KeyCode::PageUp, "PgUp"),
    ("pagedown", KeyCode::PageDown, "PgDn"),
];

/// The names of keys that are no characters, as they are written.
pub fn names() -> [&'static str; 16] {
    NAMED.map(|(name, ..)| name)
}

/// Reads a sequence of keys: `x`, `ctrl-x`, `g g`. `None` if a part is no key.
pub fn parse(text: &str) -> Option<Vec<Chord>> {
    let chords: Option<Vec<Chord>> = text.split_whitespace().map(parse_one).collect();
    chords.filter(|chords| !chords.is_empty())
}

fn parse_one(text: &str) -> Option<Chord> {
    let mut rest = text;
    let mut modifiers = KeyModifiers::NONE;
    loop {
        if let Some(after) = rest.strip_prefix("ctrl-") {
            modifiers |= KeyModifiers::CONTROL;
            rest = after;
        } else if let Some(after) = rest.strip_prefix("alt-") {
            modifiers |= KeyModifiers::ALT;
            rest = after;
        } else {
            break;
        }
    }
    let named = NAMED.iter().find(|(name, ..)| *name == rest).map(|(_, code, _)| *code);
    let code = match named.or_else(|| function_key(rest)).or_else(|| single(rest))? {
        // As a terminal sends it: see `Chord::of`.
        KeyCode::Char(letter) if modifiers.contains(KeyModifiers::CONTROL) => {
            KeyCode::Char(letter.to_ascii_lowercase())
        }
        code => code,
    };
    Some(Chord { code, modifiers })
}

fn function_key(text: &str) -> Option<KeyCode> {
    let number: u8 = text.strip_prefix('f')?.parse().ok()?;
    (1..=12).contains(&number).then_some(KeyCode::F(number))
}

fn single(text: &str) -> Option<KeyCode> {
    let mut letters = text.chars();
    let letter = letters.next()?;
    letters.next().is_none().then_some(KeyCode::Char(letter))
}

/// A sequence as it is printed: `gg`, `^D`, `Space`.
pub fn text(chords: &[Chord]) -> String {
    chords.iter().map(|chord| one_text(*chord)).collect()
}

fn one_text(chord: Chord) -> String {
    let named = NAMED.iter().find(|(_, code, _)| *code == chord.code).map(|(.., shown)| (*shown).to_owned());
    let name = named.unwrap_or_else(|| match chord.code {
        KeyCode::Char(letter) if chord.modifiers.contains(KeyModifiers::CONTROL) => {
            letter.to_ascii_uppercase().to_string()
        }
        KeyCode::Char(letter) => letter.to_string(),
        KeyCode::F(number) => format!("F{number}"),
        other => other.to_string(),
    });
    let alt = if chord.modifiers.contains(KeyModifiers::ALT) { "Alt-" } else { "" };
    let ctrl = if chord.modifiers.contains(KeyModifiers::CONTROL) { "^" } else { "" };
    format!("{alt}{ctrl}{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_a_terminal_sends() {
        let sent = |code, modifiers| vec![Chord::of(KeyEvent::new(code, modifiers))];
        assert_eq!(parse("A"), Some(sent(KeyCode::Char('A'), KeyModifiers::SHIFT)));
        assert_eq!(parse("ctrl-d"), Some(sent(KeyCode::Char('d'), KeyModifiers::CONTROL)));
        assert_eq!(parse("ctrl-d"), Some(sent(KeyCode::Char('D'), KeyModifiers::CONTROL | KeyModifiers::SHIFT)));
        assert_eq!(parse("ctrl-D"), parse("ctrl-d"), "no terminal could send another");
        assert_eq!(parse("backtab"), Some(sent(KeyCode::Tab, KeyModifiers::SHIFT)));
        assert_eq!(parse("backtab"), Some(sent(KeyCode::BackTab, KeyModifiers::SHIFT)));
        assert_ne!(parse("a"), Some(sent(KeyCode::Char('a'), KeyModifiers::ALT)));
        assert_eq!(parse("-").map(|chords| text(&chords)), Some("-".to_owned()));
        assert_eq!(parse(""), None);
        assert_eq!(parse("f13"), None);
    }

    #[test]
    fn keys_are_printed_as_the_help_shows_them() {
        let printed = |written: &str| text(&parse(written).unwrap());
        assert_eq!(["g g", "ctrl-d", "space", "f5"].map(printed), ["gg", "^D", "Space", "F5"]);
    }
}
