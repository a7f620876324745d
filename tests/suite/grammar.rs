//! All that we ever write to a terminal, as a strict reader takes it: anything else is an error with its place.

/// What a stretch of bytes may hold beside frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stretch {
    /// Whole frames and nothing else, each in its brackets but for the shortest.
    Frames,
    /// A whole run: taking the terminal and giving it back, frames between.
    Run,
}

/// Modes that a run takes and gives back.
const MODES: [&str; 4] = ["?1049", "?25", "?2004", "?1004"];

/// What the keyboard is asked to tell, and that it is asked no more.
const KEYS: [&str; 4] = [">1", "<1", "=1;1", "=15;1"];

/// Reads it all, and counts the frames in brackets. The error tells what is no word of ours, and where.
///
/// A short frame has no brackets. It begins with a move or an ink, and what may drive the terminal in a frame may in it.
pub fn read(bytes: &[u8], stretch: Stretch) -> Result<usize, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("no UTF-8: {error}"))?;
    let (mut rest, mut frames, mut open, mut short, mut linked) = (text, 0, false, false, false);
    while let Some(first) = rest.chars().next() {
        let at = text.len() - rest.len();
        let wrong = |what: &str| Err(format!("{what} at byte {at}: {:?}", rest.chars().take(24).collect::<String>()));
        if first != '\x1b' {
            if !open && !short {
                return wrong("text outside of a frame");
            }
            if is_forbidden(first) {
                return wrong("a character that drives or hides");
            }
            rest = &rest[first.len_utf8()..];
            continue;
        }
        if let Some((leads, length)) = link(rest) {
            if !(open || short) || !(linked || leads) {
                return wrong("a link outside of a frame, or the end of none");
            }
            (linked, rest) = (leads, &rest[length..]);
            continue;
        }
        let Some((parameters, end, length)) = sequence(rest) else { return wrong("no sequence of ours") };
        rest = &rest[length..];
        match (parameters, end) {
            ("?2026", 'h') if !open && !linked => (open, short) = (true, false),
            ("?2026", 'l') if open && linked => return wrong("a frame that ends within a link"),
            ("?2026", 'l') if open => (open, frames) = (false, frames + 1),
            ("?2026", 'l') if stretch == Stretch::Run => short = false,
            ("2", 'J') if open || short => {}
            ("?25", 'h' | 'l') if open || short || stretch == Stretch::Frames => {}
            (position, 'H') if is_numbers(position, 2) => short = !open,
            (right, 'C') if is_numbers(right, 1) => short = !open,
            (keys, 'u') if !open && stretch == Stretch::Run && KEYS.contains(&keys) => {}
            (style, 'm') if is_numbers(style, 16) => short = !open,
            (mode, 'h' | 'l') if !open && stretch == Stretch::Run && MODES.contains(&mode) => short = false,
            _ => return wrong("a sequence that is not ours"),
        }
    }
    if open || linked { Err("the last frame is not closed".to_owned()) } else { Ok(frames) }
}

/// What a run of the screen wrote before it gave the terminal back. Behind that stand the two lines that say where it is kept,
/// and nothing else; a replay keeps nothing and says nothing.
pub fn before_the_last_words(raw: &str) -> &str {
    const GIVEN: &str = "\x1b[?25h";
    let end = raw.rfind(GIVEN).expect("the terminal is given back") + GIVEN.len();
    let words: Vec<&str> = raw[end..].lines().filter(|line| !line.is_empty()).collect();
    match words[..] {
        [] => {}
        [journal, anchor] => {
            assert!(journal.starts_with("journal  ") && anchor.starts_with("anchor   "), "{words:?}");
        }
        _ => panic!("{words:?}"),
    }
    assert!(!words.iter().any(|line| line.chars().any(is_forbidden)), "{words:?}");
    &raw[..end]
}

/// `ESC [ parameters end`: parameters, end, length.
fn sequence(text: &str) -> Option<(&str, char, usize)> {
    let inner = text.strip_prefix("\x1b[")?;
    let length = inner.find(|c: char| !(c.is_ascii_digit() || ";?<=>".contains(c)))?;
    let end = inner[length..].chars().next().filter(char::is_ascii_alphabetic)?;
    Some((&inner[..length], end, 2 + length + 1))
}

/// A link's beginning or its end, and how long it is: `ESC ] 8 ; id=NUMBER ; ADDRESS ESC \`, with neither for the end.
fn link(text: &str) -> Option<(bool, usize)> {
    let inner = text.strip_prefix("\x1b]8;")?;
    let end = inner.find('\x1b').filter(|end| inner[*end..].starts_with("\x1b\\"))?;
    let length = "\x1b]8;".len() + end + 2;
    if inner[..end] == *";" {
        return Some((false, length));
    }
    let (id, address) = inner[..end].split_once(';')?;
    let is_number = id.strip_prefix("id=").is_some_and(|id| is_numbers(id, 1) && !id.is_empty());
    let of_the_web = address.starts_with("https://") || address.starts_with("http://");
    (is_number && of_the_web && address.bytes().all(|byte| byte.is_ascii_graphic())).then_some((true, length))
}

fn is_numbers(parameters: &str, most: usize) -> bool {
    let parts: Vec<&str> = parameters.split(';').collect();
    parts.len() <= most && parts.iter().all(|part| part.len() <= 5 && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Controls, what turns the direction of text, what draws nothing, and what makes of two characters one on some terminals.
pub fn is_forbidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}' | '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}'
            | '\u{3164}' | '\u{ffa0}')
}

#[test]
fn the_reader_refuses_what_is_not_ours() {
    let frame = |inside: &str| format!("\x1b[?2026h{inside}\x1b[?2026l").into_bytes();
    assert_eq!(read(&frame("\x1b[2;5H\x1b[38;5;1mé日\x1b[39m"), Stretch::Frames), Ok(1));
    let (to, off) = ("\x1b]8;id=1;https://a.example/\x1b\\", "\x1b]8;;\x1b\\");
    assert_eq!(read(&frame(&format!("{to}a{off}")), Stretch::Frames), Ok(1));
    for inside in [to, off, "\x1b]8;;https://a.example/\x1b\\a", "\x1b]8;id=1;file:///\x1b\\a"] {
        assert!(read(&frame(inside), Stretch::Frames).is_err(), "{inside:?}");
    }
    for inside in
        ["\x1b[6n", "\x1b]0;t\x07", "\x07", "\u{9b}31m", "\u{202e}", "\x1b[?1049l", "\x1b[3;4r", "\x1bc", "\u{fe0f}"]
    {
        assert!(read(&frame(inside), Stretch::Frames).is_err(), "{inside:?}");
    }
    assert_eq!(read(b"\x1b[2;5Hab\x1b[C\x1b[31mc", Stretch::Frames), Ok(0), "a short one");
    for text in [&b"text"[..], b"\x1b[?2026hab\x1b[?2026lc", b"\x1b[?25lc", b"\x1b[?1049hc"] {
        assert!(read(text, Stretch::Run).is_err(), "{:?}", String::from_utf8_lossy(text));
    }
    assert!(read(b"\x1b[2;5H\x1b]8;id=1;https://a.example/\x1b\\a", Stretch::Run).is_err(), "a link left open");
    assert!(read(b"text", Stretch::Run).is_err() && read(b"\x1b[?2026h", Stretch::Run).is_err());
    assert!(read(b"\x1b[?1049h\x1b[?25l", Stretch::Run).is_ok() && read(b"\x1b[?1049h", Stretch::Frames).is_err());
}
