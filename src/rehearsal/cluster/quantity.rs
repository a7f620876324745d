//! Kubernetes quantities: `512Mi`, `1.5Gi`, `250m`. Exact for what workloads really carry.

/// The suffixes and what one unit of them is, in thousandths; binary ones first because `m` and `M` are prefixes of none.
const SUFFIXES: [(&str, f64); 13] = [
    ("Ki", 1024e3),
    ("Mi", 1_048_576e3),
    ("Gi", 1_073_741_824e3),
    ("Ti", 1_099_511_627_776e3),
    ("Pi", 1_125_899_906_842_624e3),
    ("m", 1.0),
    ("k", 1e6),
    ("M", 1e9),
    ("G", 1e12),
    ("T", 1e15),
    ("P", 1e18),
    ("E", 1e21),
    ("", 1e3),
];

/// The pattern the API server prints when a quantity does not parse.
pub const PATTERN: &str = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/// Thousandths of a unit: the whole range of CPU (`250m` = 250) and memory (`1Ki` = 1,024,000).
pub fn milli(text: &str) -> Option<f64> {
    let end = text.find(|letter: char| !(letter.is_ascii_digit() || ".+-".contains(letter))).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let factor = SUFFIXES.iter().find(|row| row.0 == suffix)?.1;
    Some(number.parse::<f64>().ok()? * factor)
}

/// Whole bytes (or whole units), rounded up as the API server does.
pub fn bytes(text: &str) -> Option<u64> {
    milli(text).map(|thousandths| (thousandths / 1e3).ceil() as u64)
}

/// Bytes in the shortest exact binary form: 536870912 → `512Mi`.
pub fn show(bytes: u64) -> String {
    for (suffix, shift) in [("Gi", 30), ("Mi", 20), ("Ki", 10)] {
        if bytes > 0 && bytes.trailing_zeros() >= shift {
            return format!("{}{suffix}", bytes >> shift);
        }
    }
    bytes.to_string()
}

/// The form the API server stores: `1024Mi` → `1Gi`, `0.5` → `500m`, `1000m` → `1`. What is finer than a thousandth
/// stays as it is written.
pub fn canonical(text: &str) -> Option<String> {
    let thousandths = milli(text)?;
    if text.ends_with('i') && thousandths % 1e3 == 0.0 {
        return Some(show((thousandths / 1e3) as u64));
    }
    if thousandths.fract() != 0.0 || text.ends_with('i') || thousandths < 0.0 {
        return Some(text.to_owned());
    }
    let (mut amount, mut suffixes) = (thousandths as u64, ["m", "", "k", "M", "G", "T", "P", "E"].iter());
    let mut suffix = suffixes.next()?;
    while amount != 0 && amount.is_multiple_of(1000) {
        let Some(larger) = suffixes.next() else { break };
        (amount, suffix) = (amount / 1000, larger);
    }
    Some(if amount == 0 { "0".to_owned() } else { format!("{amount}{suffix}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_read_and_show() {
        for (text, want) in [
            ("512Mi", Some(536_870_912)),
            ("1.5Gi", Some(1_610_612_736)),
            ("1G", Some(1_000_000_000)),
            ("12", Some(12)),
            ("1e", None),
            ("Mi", None),
            ("12XB", None),
            ("", None),
        ] {
            assert_eq!(bytes(text), want, "{text}");
        }
        assert_eq!(milli("250m"), Some(250.0));
        assert_eq!(milli("2"), Some(2000.0));
        for (number, want) in [(536_870_912, "512Mi"), (1 << 30, "1Gi"), (1000, "1000"), (0, "0")] {
            assert_eq!(show(number), want);
        }
        for (text, want) in [
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("0.5", "500m"),
            ("1000m", "1"),
            ("250m", "250m"),
            ("2", "2"),
            ("4000", "4k"),
            ("0", "0"),
            ("512M", "512M"),
        ] {
            assert_eq!(canonical(text).as_deref(), Some(want), "{text}");
        }
    }
}
