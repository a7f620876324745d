//! How many of what, in words: `1 revision`, `14 revisions`, `1 entry`, `2 matches`.

use std::fmt::Display;

/// A count with its noun, which is given as of one.
pub fn counted<N: Copy + Display + PartialEq + From<u8>>(count: N, one: &str) -> String {
    if count == N::from(1) { format!("1 {one}") } else { format!("{count} {}", many(one)) }
}

/// The words of one where it is one, else those of many: where a verb goes with the noun, or the count was written before.
pub fn either<N: Copy + PartialEq + From<u8>>(count: N, one: &'static str, many: &'static str) -> &'static str {
    if count == N::from(1) { one } else { many }
}

/// The plural of an English noun, of those that are counted here.
fn many(one: &str) -> String {
    match one.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ if ["s", "x", "ch", "sh"].iter().any(|end| one.ends_with(end)) => format!("{one}es"),
        _ => format!("{one}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_one_and_anything_else_is_many() {
        let told = [(0, "line"), (1, "line"), (2, "line"), (2, "entry"), (3, "day"), (4, "match"), (1, "match")];
        let told = told.map(|(count, one): (u32, _)| counted(count, one));
        assert_eq!(told, ["0 lines", "1 line", "2 lines", "2 entries", "3 days", "4 matches", "1 match"]);
        assert_eq!(counted(1_usize, "heap error"), "1 heap error");
        assert_eq!(counted(1.0, "point"), "1 point");
        assert_eq!(either(1_u64, "line tells", "lines tell"), "line tells");
        assert_eq!(either(0_u64, "line tells", "lines tell"), "lines tell");
    }
}
