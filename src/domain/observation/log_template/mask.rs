//! Masks what differs from line to line by nature: numbers, ids, addresses, times.

/// What stands for a masked part.
pub const BLANK: &str = "<*>";

/// The line with each run of letters and digits that has a digit replaced by [`BLANK`]; runs joined by the signs of a
/// number, a date or an address become one.
pub(super) fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        if length == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (run, after) = rest.split_at(length);
        if run.bytes().any(|b| b.is_ascii_digit()) {
            blank(&mut out);
        } else {
            out.push_str(run);
        }
        rest = after;
    }
    out
}

/// Appends a blank, or lets the one before swallow the sign between.
fn blank(out: &mut String) {
    let joined = out.strip_suffix(['-', ':', '.', ',', '+', '_']).is_some_and(|head| head.ends_with(BLANK));
    if joined {
        out.pop();
    } else {
        out.push_str(BLANK);
    }
}
