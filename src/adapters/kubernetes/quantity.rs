//! Kubernetes quantities (`512Mi`, `1.5`, `250m`, `1e3`) to whole bytes and thousandths, without floating point.
//! Grammar: <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>.

/// Bytes of a memory quantity, rounded up as the API does; `None` for what is no quantity, negative or too large.
pub fn bytes(text: &str) -> Option<u64> {
    scaled(text, 1)
}

/// Thousandths of a CPU quantity, rounded up; `None` for what is no quantity, negative or too large.
pub fn milli(text: &str) -> Option<u64> {
    scaled(text, 1000)
}

/// A byte count as the shortest exact binary quantity: `768Mi`, else plain bytes.
pub fn from_bytes(bytes: u64) -> String {
    const UNITS: [(&str, u32); 4] = [("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10)];
    for (unit, shift) in UNITS {
        let size = 1u64 << shift;
        if bytes >= size && bytes.is_multiple_of(size) {
            return format!("{}{unit}", bytes / size);
        }
    }
    bytes.to_string()
}

/// Digits, an optional fraction and a suffix, times `unit`, rounded up.
fn scaled(text: &str, unit: u128) -> Option<u64> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') || fraction.len() > 18 {
        return None;
    }
    let mut digits: u128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        digits = digits.checked_mul(10)?.checked_add(u128::from(digit.checked_sub(b'0')?))?;
    }
    let (times, over) = multiplier(suffix)?;
    let below = 10u128.checked_pow(u32::try_from(fraction.len()).ok()?)?.checked_mul(over)?;
    let above = digits.checked_mul(times)?.checked_mul(unit)?;
    u64::try_from(above.div_ceil(below)).ok()
}

/// The factor of a suffix as a fraction.
fn multiplier(suffix: &str) -> Option<(u128, u128)> {
    let factor = match suffix {
        "" => (1, 1),
        "n" => (1, 1_000_000_000),
        "u" => (1, 1_000_000),
        "m" => (1, 1000),
        "k" => (1000, 1),
        "M" => (1_000_000, 1),
        "G" => (1_000_000_000, 1),
        "T" => (1_000_000_000_000, 1),
        "P" => (1_000_000_000_000_000, 1),
        "E" => (1_000_000_000_000_000_000, 1),
        "Ki" => (1 << 10, 1),
        "Mi" => (1 << 20, 1),
        "Gi" => (1 << 30, 1),
        "Ti" => (1 << 40, 1),
        "Pi" => (1 << 50, 1),
        "Ei" => (1 << 60, 1),
        _ => {
            let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            let power = 10u128.checked_pow(exponent.unsigned_abs())?;
            if exponent < 0 { (1, power) } else { (power, 1) }
        }
    };
    Some(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_as_the_api_reads_them() {
        for (text, expected) in [
            ("512Mi", Some(536_870_912)),
            ("1Gi", Some(1 << 30)),
            ("1.5Gi", Some(1_610_612_736)),
            ("128974848", Some(128_974_848)),
            ("129e6", Some(129_000_000)),
            ("129M", Some(129_000_000)),
            ("128974848000m", Some(128_974_848)),
            ("123456m", Some(124)),
            ("0", Some(0)),
            (".5Ki", Some(512)),
            ("1E3", Some(1000)),
            ("2E", Some(2_000_000_000_000_000_000)),
            ("99999999Ei", None),
            ("-1", None),
            ("", None),
            ("Mi", None),
            ("1.2.3", None),
            ("12 Mi", None),
            ("12MB", None),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }

    #[test]
    fn cores_in_thousandths() {
        for (text, expected) in
            [("250m", Some(250)), ("1", Some(1000)), ("0.1", Some(100)), ("1500u", Some(2)), ("2k", Some(2_000_000))]
        {
            assert_eq!(milli(text), expected, "{text}");
        }
    }

    #[test]
    fn a_byte_count_reads_back_as_itself() {
        for count in [0, 1, 1023, 1024, 805_306_368, 1 << 30, (1 << 30) + 1, u64::MAX] {
            assert_eq!(bytes(&from_bytes(count)), Some(count));
        }
        assert_eq!(from_bytes(805_306_368), "768Mi");
    }
}
