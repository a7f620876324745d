//! What was probably meant by a word that is not known.

/// The known word with the smallest edit distance, if a third of its letters or fewer differ.
pub fn nearest<'a>(given: &str, known: &[&'a str]) -> Option<&'a str> {
    let far = |word: &&str| distance(given, word);
    let best = known.iter().copied().min_by_key(far)?;
    (distance(given, best) * 3 <= best.chars().count().max(3)).then_some(best)
}

/// Letters put in, left out, taken for another, or swapped with the next: optimal string alignment, three rows at a time.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (mut before, mut row) = (Vec::new(), (0..=b.len()).collect::<Vec<usize>>());
    for i in 0..a.len() {
        let mut next = vec![i + 1];
        for j in 0..b.len() {
            let replaced = row[j] + usize::from(a[i] != b[j]);
            let mut least = replaced.min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                let swapped: usize = before[j - 1];
                least = least.min(swapped + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, expected) in [
            ("", "abc", 3),
            ("abc", "", 3),
            ("region", "region", 0),
            ("regoin", "region", 1),
            ("lihgt", "light", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
        assert_eq!(nearest("regoin", &["profile", "region"]), Some("region"));
        assert_eq!(nearest("colour", &["profile", "region"]), None);
        assert_eq!(nearest("colour", &[]), None);
    }
}
