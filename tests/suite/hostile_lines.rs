//! Five hundred lines that somebody might write to harm a terminal, a layout or a reader. Made, not collected: each kind of
//! harm in several depths and places.

/// The lines, as bytes: some are no UTF-8.
pub fn lines() -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    for (at, harm) in harms().into_iter().enumerate() {
        // Alone, within a line, at its end, doubled, and split by what looks harmless.
        lines.push(harm.clone());
        lines.push(join(&[b"GET /v1/orders ", &harm, b" 200 41ms"]));
        lines.push(join(&[format!("ERROR {at:03} ").as_bytes(), &harm]));
        lines.push(join(&[&harm, b" ", &harm, &harm]));
        lines.push(join(&[b"a", &harm, b"\x1b[0m", &harm, "é日".as_bytes()]));
    }
    lines.extend(floods());
    lines.extend(mixtures(500_usize.saturating_sub(lines.len()).max(60)));
    lines
}

/// The same as text, as everything reaches us: decoded, the broken parts replaced.
pub fn texts() -> Vec<String> {
    lines().iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect()
}

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// Sequences that drive a terminal, apart by blanks.
const DRIVEN: &[u8] = b"\x1b[2J \x1b[H \x1b[31m \x1b[?1049l \x1b[?25h \x1b[6n \x1b[c \x1b[?2026h \x1b[999;999H \x1b[1;1r \x1b[4h \
\x1bc \x1b7\x1b8 \x1b(0 \x1b#8 \x1b[8m \x1b[18t \x1b]0;title\x07 \x1b]2;title\x1b\\ \x1b]52;c;aGk=\x07 \x1b]8;;http://x\x1b\\go \
\x1b]9;hi\x07 \x1bP1$qm\x1b\\ \x1bPtmux;\x1b\x1b[2J\x1b\\ \x1b_Gf=24\x1b\\ \x1b^pm\x1b\\ \x1bXsos\x1b\\ \x1b";
/// Controls.
const CONTROLS: &[u8] = b"\x07 \x08\x08\x08 \r \r\n \x0b \x0c \x0e\x0f \x18 \x1a \x7f \0 \t \t\t\t\t\t\t\t\t \x05";
/// What is no UTF-8.
const BROKEN: &[u8] = b"\xff\xfe \x80 \xc3 \xe6\x97 \xf0\x9f\x92 \xc0\xaf \xed\xa0\x80 \x9b31m";
/// C1, bidi, zero width, and what has another width together than its parts have.
const SPELT: &str = "\u{9b}31m \u{90}q\u{9c} \u{9d}0;t\u{9c} \u{85} \u{84}\u{8d} \u{202e}gpj.exe \u{202a}x\u{202c} \
\u{2066}x\u{2069} \u{200e}\u{200f} \u{61c} \u{2028}x\u{2029} \u{200b} \u{200d} \u{feff} \u{2060} \u{ad} \u{34f} \
\u{115f}\u{1160} \u{3164} \u{ffa0} \u{fff9}a\u{fffa}b\u{fffb} \u{fffc} \u{fffd} \u{e0041}\u{e007f} \u{180e} \u{fe0e} \
\u{26a0}\u{fe0f} \u{2764}\u{fe0f} 1\u{fe0f}\u{20e3} #\u{20e3} \u{1f44d}\u{1f3fd} \u{1f3fd} \u{1f1e9}\u{1f1ea} \u{1f1e9} \
\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} \u{1f3f4}\u{e0067}\u{e0062}\u{e007f} \u{1f9d1}\u{1f3ff}\u{200d}\u{1f4bb} \
\u{1f636}\u{200d}\u{1f32b}\u{fe0f} e\u{301} o\u{308}\u{304}\u{323} \u{301} \u{20dd}a 日本語 ｱｲｳ ＦＵＬＬ 각 \u{1100}\u{1161}\u{11a8} \
\u{1100}\u{1100}\u{1161} مرحبا \u{644}\u{627} שלום \u{600}123 क्षत्रिय கொடு ไทยกำ ខ្មែរ \u{1b05}\u{1b35} ﷺ \u{12031} ꧅ 𒐫 ⸻ \
\u{2003}\u{2009}\u{3000} \u{a0} \u{1d15e} \u{1d173} \u{fdfd} \u{10ffff} \u{e000} \u{f0000} \u{d7ff} ß\u{1e9e} \u{17d2}\u{1780} \
\u{a66f} \u{5d0}\u{5dc} \u{a4f8}\u{a4fc} \u{2e5b} \u{1f1e6}\u{1f1e7}\u{1f1e8}";

fn harms() -> Vec<Vec<u8>> {
    let lists = [DRIVEN, CONTROLS, BROKEN, SPELT.as_bytes()];
    lists.into_iter().flat_map(|list| list.split(|byte| *byte == b' ')).map(<[u8]>::to_vec).collect()
}

/// Too much of one thing.
fn floods() -> Vec<Vec<u8>> {
    let most = 256 * 1024;
    let of = |unit: &str, times: usize| unit.repeat(times).into_bytes();
    vec![
        of("x", most),
        of("日", most / 3),
        of("a b ", most / 4),
        join(&[b"a", &of("\u{301}", 4_000)]),
        join(&[b"Z", &of("\u{489}", 200), b"algo"]),
        of("e\u{301}\u{302}\u{303}", 2_000),
        of("\u{1f468}\u{200d}", 1_000),
        of("\u{202e}", 1_000),
        of("\u{200b}", 10_000),
        of("\t", 3_000),
        of("\x1b[31m", 3_000),
        of("\u{1f44d}\u{1f3fd}", 500),
        of("\u{1f1e9}\u{1f1ea}", 500),
        of("\u{ff21}\u{301}", 500),
        of("[", 8_192),
        vec![0x80; 5_000],
        vec![0; 5_000],
        (0..=255).collect(),
        (0..=255).rev().cycle().take(4_096).collect(),
        of("{\"a\":", 2_000),
    ]
}

/// Pieces of everything, in an order that a seed gives.
fn mixtures(count: usize) -> Vec<Vec<u8>> {
    let harms = harms();
    let mut state = 20_260_501_u64;
    let mut next = |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % bound
    };
    let mut mixed = Vec::new();
    for _ in 0..count {
        let mut line = Vec::new();
        for _ in 0..3 + next(12) {
            line.extend_from_slice(&harms[next(harms.len())]);
            line.extend_from_slice([&b""[..], b" ", b"x", b"42", "é".as_bytes(), "漢".as_bytes()][next(6)]);
        }
        mixed.push(line);
    }
    mixed
}
