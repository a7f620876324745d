//! Chance that can be repeated: every draw is a hash of the seed and of what it is drawn for, so order does not matter.

/// The letters Kubernetes uses in generated names: no vowels, no look-alikes.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// A source of repeatable draws.
#[derive(Clone, Copy, Debug)]
pub struct Dice {
    seed: u64,
}

impl Dice {
    /// Dice of a seed.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// A number for a purpose; the same seed and words give the same number.
    pub fn draw(self, words: &[&str]) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for word in words {
            for byte in word.bytes().chain([0xff]) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        }
        mix(hash)
    }

    /// A whole number in `low..=high`.
    pub fn between(self, low: i64, high: i64, words: &[&str]) -> i64 {
        let width = (high - low).max(0).cast_unsigned() + 1;
        low + (self.draw(words) % width).cast_signed()
    }

    /// A generated suffix, as in `my-api-7d9f8c6b54-x2x4k`.
    pub fn suffix(self, length: usize, words: &[&str]) -> String {
        letters(self.draw(words), length)
    }

    /// A version 4 UUID.
    pub fn uid(self, words: &[&str]) -> String {
        let high = self.draw(words);
        let low = mix(high ^ 0x5851_f42d_4c95_7f2d);
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0x0fff,
            0x8000 | ((low >> 48) & 0x3fff),
            low & 0xffff_ffff_ffff
        )
    }
}

/// The hash of a pod template as a replica set's name carries it.
pub fn template_hash(canonical: &str) -> String {
    letters(Dice::new(0).draw(&[canonical]), 10)
}

fn letters(mut number: u64, length: usize) -> String {
    let base = LETTERS.len() as u64;
    (0..length)
        .map(|_| {
            let letter = LETTERS[(number % base) as usize];
            number = mix(number / base + 1);
            char::from(letter)
        })
        .collect()
}

/// The finaliser of `SplitMix64`: spreads a weak hash over all bits.
fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_draw_the_same_and_others_differ() {
        let dice = Dice::new(7);
        assert_eq!(dice.draw(&["a", "b"]), dice.draw(&["a", "b"]));
        assert_ne!(dice.draw(&["a", "b"]), dice.draw(&["ab"]));
        assert_ne!(dice.draw(&["a"]), Dice::new(8).draw(&["a"]));
        let uid = dice.uid(&["pod"]);
        assert_eq!(uid.len(), 36);
        assert_eq!(uid.as_bytes()[14], b'4');
        assert!((3..=5).contains(&dice.between(3, 5, &["x"])));
        assert_eq!(dice.suffix(5, &["x"]).len(), 5);
    }
}
