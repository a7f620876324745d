//! Masks what differs from line to line by nature: numbers, ids, addresses, times.

use super::header::{is_month, is_weekday};

/// What stands for a masked part.
pub const BLANK: &str = "<*>";

/// Writes the words of a message into `out`, one blank between them.
///
/// 1. A run of letters and digits that has a digit is a [`BLANK`], unless it is a word with one digit at its end
///    (`ipv6`, `eth0`) and no part of a path: such names are few, and what they name is worth telling apart.
/// 2. Blanks joined by the signs of a number, a date or an address are one, and so are those of an id with a letter or
///    hexadecimal letters between (`attempt_17_m_4`, `7d9f-beef-1a2b`).
/// 3. A name of a host with a digit in it (`ip-10-0-3-7.eu-west-1.compute.internal`) is one blank.
/// 4. A date's names of day and month go with its numbers.
/// 5. Brackets and quotes with nothing between hold a blank: what is left out today is there tomorrow.
/// 6. A word repeated right after itself is written once where it has a blank: lists differ in length by nature.
pub(super) fn masked(text: &str, out: &mut String) {
    out.clear();
    let (mut before, mut last) = (0..0, 0..0);
    for word in text.split_ascii_whitespace() {
        let mut start = out.len() + usize::from(!out.is_empty());
        if start > 0 {
            out.push(' ');
        }
        mask_word(word, out);
        if out[start..].starts_with(BLANK) && is_named_day(&out[last.clone()]) {
            start = if is_named_day(&out[before.clone()]) { before.start } else { last.start };
            out.truncate(start);
            out.push_str(BLANK);
        } else if out[start..] == out[last.clone()] && out[start..].contains(BLANK) {
            out.truncate(last.end);
            continue;
        }
        (before, last) = (last, start..out.len());
    }
}

fn is_named_day(word: &str) -> bool {
    is_month(word) || is_weekday(word)
}

fn mask_word(word: &str, out: &mut String) {
    if let "()" | "[]" | "\"\"" | "''" = word {
        out.push_str(&word[..1]);
        out.push_str(BLANK);
        out.push_str(&word[1..]);
        return;
    }
    let start = out.len();
    let bytes = word.as_bytes();
    let in_path = word.contains('/');
    let (mut at, mut no_host) = (0, 0);
    while at < bytes.len() {
        let from = at;
        let mut digits = 0;
        while let Some(byte) = bytes.get(at).filter(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii()) {
            digits += usize::from(byte.is_ascii_digit());
            at += 1;
        }
        let run = &word[from..at];
        let host = if from < no_host { Scan::Nothing } else { host(&word[from..]) };
        if let Scan::Unlike(length) = host {
            no_host = from + length;
        }
        if let Scan::Host(length) = host {
            at = from + length;
            blank(out, start);
        } else if digits > 0 && (in_path || !is_numbered_name(run, digits)) {
            blank(out, start);
        } else {
            out.push_str(run);
        }
        if let Some(sign) = bytes.get(at).filter(|byte| byte.is_ascii()) {
            out.push(char::from(*sign));
            at += 1;
        }
    }
}

fn is_numbered_name(run: &str, digits: usize) -> bool {
    digits == 1 && run.len() > 2 && run.ends_with(|c: char| c.is_ascii_digit())
}

/// What the look for a host's name found.
enum Scan {
    /// A name of so many bytes.
    Host(usize),
    /// So many bytes that are no name, nor is what is left of them further on: it has fewer parts and digits. A look from
    /// each of its parts again would cost the square of its length.
    Unlike(usize),
    /// None here.
    Nothing,
}

/// The length of the host's name that a text opens with: three parts and more, a digit somewhere, and at its end a part of
/// small letters. No host are addresses, classes, versions and files.
fn host(text: &str) -> Scan {
    let first = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(0);
    if first == 0 || !matches!(text.as_bytes().get(first), Some(b'.' | b'-')) {
        return Scan::Nothing;
    }
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-').unwrap_or(text.len());
    let name = text[..end].trim_end_matches(['.', '-']);
    let last = name.rsplit('.').next().unwrap_or_default();
    let named = (2..=8).contains(&last.len()) && last.bytes().all(|b| b.is_ascii_lowercase());
    let parts = name.bytes().filter(|b| *b == b'.').count();
    let is_host = named && parts >= 2 && name.bytes().any(|b| b.is_ascii_digit());
    if is_host { Scan::Host(name.len()) } else { Scan::Unlike(end) }
}

/// Appends a blank to the word that begins at `start`, or lets the one before swallow what is between. A minus before a
/// number is its own.
fn blank(out: &mut String, start: usize) {
    const JOINS: [char; 6] = ['-', ':', '.', ',', '+', '_'];
    if let Some(head) = out[start..].strip_suffix(JOINS) {
        let between = head.len() - head.bytes().rev().take_while(u8::is_ascii_alphabetic).count();
        let letters = &head[between..];
        let part = letters.len() == 1 || (letters.len() <= 4 && letters.bytes().all(|b| b.is_ascii_hexdigit()));
        let kept = if head.ends_with(BLANK) {
            Some(head.len())
        } else {
            head[..between].strip_suffix(JOINS).filter(|held| part && held.ends_with(BLANK)).map(str::len)
        };
        if let Some(kept) = kept {
            out.truncate(start + kept);
            return;
        }
        let lone = head.is_empty() || head.ends_with(['_', '=', ':', '(', ',', '[']);
        if lone && out.ends_with('-') {
            out.pop();
        }
    }
    out.push_str(BLANK);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_by_nature_is_masked() {
        for (text, expected) in [
            ("GET /v1/orders/88121 200 41ms", "GET /<*>/orders/<*> <*>"),
            ("eth0 up, ipv6 ready on worker-12", "eth0 up, ipv6 ready on worker-<*>"),
            ("made '/udev/vcs2'", "made '/udev/<*>'"),
            ("from 10.0.3.7:5432 at 2026-05-01T09:30:51.2Z", "from <*> at <*>"),
            ("ip-10-0-3-7.eu-west-1.compute.internal is gone", "<*> is gone"),
            (
                "class org.acme.v2.Pool, file app2.log, version 1.2.3-rc",
                "class org.acme.<*>.Pool, file app2.log, version <*>-rc",
            ),
            ("attempt_1445_0020_m_000009_0 and 7d9f-beef-1a2b", "attempt_<*> and <*>"),
            ("at Sat Jul  9 12:16:49 2005 again", "at <*> again"),
            ("may the 4th", "may the <*>"),
            ("from 10.0.3.7 () in init()", "from <*> (<*>) in init()"),
            ("blk_-17 blk_904 blk_1", "blk_<*>"),
            ("very very good", "very very good"),
            ("größe 10µs é", "größe <*> é"),
            ("", ""),
        ] {
            let mut out = String::from("left over");
            masked(text, &mut out);
            assert_eq!(out, expected, "{text}");
        }
    }
}
