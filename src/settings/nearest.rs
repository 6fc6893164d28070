//! The known name nearest to a mistyped one.
//!
//! Not here: what to do about it. A caller that has no near name says so in its own words.

/// The known name that takes the fewest edits, if it takes few enough to be what was meant.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.into_iter().map(|it| (distance(name, it), it));
    let (edits, found) = scored.min()?;
    let longest = name.chars().count().max(found.chars().count());
    (edits * 5 <= longest * 2).then_some(found)
}

/// Insertions, removals, replacements and swaps of neighbours between two words.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut rows = vec![(0..=other.len()).collect::<Vec<usize>>()];
    for (i, left) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, right) in other.iter().enumerate() {
            let replaced = rows[i][j] + usize::from(left != right);
            let mut edits = replaced.min(rows[i][j + 1] + 1).min(row[j] + 1);
            let swaps = i > 0 && j > 0 && *left == other[j - 1] && one[i - 1] == *right;
            if swaps {
                edits = edits.min(rows[i - 1][j - 1] + 1);
            }
            row.push(edits);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (one, other, edits) in [
            ("", "", 0),
            ("", "abc", 3),
            ("jobs", "jobs", 0),
            ("jbos", "jobs", 1),
            ("exlude", "exclude", 1),
            ("max_size", "max-size", 1),
            ("fail", "jail", 1),
            ("schlüssel", "schlussel", 1),
        ] {
            assert_eq!(distance(one, other), edits, "{one} {other}");
            assert_eq!(distance(other, one), edits, "{other} {one}");
        }
    }

    #[test]
    fn only_near_names_are_offered() {
        let known = ["exclude", "jobs", "max-size", "max-depth"];
        for (name, expected) in [
            ("exlude", Some("exclude")),
            ("maxsize", Some("max-size")),
            ("max-dept", Some("max-depth")),
            ("colour", None),
            ("x", None),
        ] {
            assert_eq!(nearest(name, known), expected, "{name}");
        }
        assert_eq!(nearest("any", []), None);
    }
}
