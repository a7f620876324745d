//! How a value looks: like a token, like the id of a trace, like a word that says there is none.

/// Whether it is a mark of the redaction.
pub(super) fn is_marked(value: &str) -> bool {
    value.starts_with(super::MARK)
}

/// Whether a value is a mark, or the inside of one whose bracket was taken for that of a list.
pub(super) fn is_mark_in(lead: &str, value: &str) -> bool {
    is_marked(value) || is_inside_of_mark(lead, value)
}

/// Whether a value is the inside of a mark.
pub(super) fn is_inside_of_mark(lead: &str, value: &str) -> bool {
    lead.ends_with('[') && value.starts_with("redacted:")
}

/// Whether a value is long, or has six characters and a digit.
pub(super) fn is_token(value: &str, long: usize) -> bool {
    !is_marked(value) && (value.len() >= long || (value.len() >= 6 && value.bytes().any(|b| b.is_ascii_digit())))
}

/// Whether letters and digits change so often in a value as by chance: at least three times, in eight characters or more; or whether it is long, with capitals, small letters and a digit.
/// Words with a number behind them (`my-api-tls-2026`, `app1234`) and times are not such.
pub(super) fn is_random(value: &str) -> bool {
    let bare = value.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let is_dated = bare.len() >= 10
        && bare
            .bytes()
            .take(10)
            .enumerate()
            .all(|(at, b)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() });
    let digits: Vec<bool> = bare.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.is_ascii_digit()).collect();
    let changes = digits.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let has = |of: fn(&u8) -> bool| bare.bytes().any(|b| of(&b));
    let mixed =
        bare.len() >= 32 && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit);
    digits.len() >= 8 && changes >= 3 && !is_dated || mixed
}

/// Whether a value is the base64 of a name, a colon and a password.
pub(super) fn is_login(value: &str) -> bool {
    let (mut bits, mut held, mut bytes) = (0_u32, 0_u8, Vec::new());
    for symbol in value.bytes().take_while(|b| *b != b'=') {
        let digit = match symbol {
            b'A'..=b'Z' => symbol - b'A',
            b'a'..=b'z' => symbol - b'a' + 26,
            b'0'..=b'9' => symbol - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return false,
        };
        bits = bits << 6 | u32::from(digit);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.extend(u8::try_from(bits >> held & 0xff));
        }
    }
    let name = bytes.iter().position(|b| *b == b':').map(|colon| &bytes[..colon]);
    bytes.len() >= 4 && name.is_some_and(|name| !name.is_empty() && name.iter().all(u8::is_ascii_graphic))
}

/// Whether a value is the bare id of a trace, a span or a request: 16 or 32 hex digits, a UUID, or that of X-Ray
/// (`1-581cf771-a006649127e371903a2de979`).
pub(super) fn is_trace(value: &str) -> bool {
    let bare = value.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let parts: Vec<&str> = bare.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let known = matches!(lengths[..], [16 | 32] | [8, 4, 4, 4, 12]) || lengths == [1, 8, 24] && parts[0] == "1";
    known && parts.into_iter().all(hex)
}

/// Whether a word says that there is no value, or what is wrong with it.
pub(super) fn is_empty_word(value: &str) -> bool {
    const WORDS: [&str; 20] = [
        "null",
        "nil",
        "none",
        "true",
        "false",
        "empty",
        "missing",
        "invalid",
        "required",
        "incorrect",
        "expired",
        "unset",
        "undefined",
        "wrong",
        "rejected",
        "denied",
        "failed",
        "not",
        "must",
        "redacted",
    ];
    let bare = value.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    bare.is_empty() || WORDS.iter().any(|word| bare.eq_ignore_ascii_case(word))
}
