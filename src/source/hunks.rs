//! Which lines of a text its earlier version has too, and where.
//!
//! Not here: where versions come from. The comparison is git's own (xdiff, in git's library), with what `git blame`
//! asks of it: the default algorithm, no context, and the heuristic for where an ambiguous change begins. Another
//! would be as true, but it would tell another author where lines repeat.

use crate::source::nest::Line;
use git2::{DiffOptions, Patch};

/// Lines that both have, as they are counted in `before`, and the rest, which only `after` has.
pub(crate) struct Parted {
    pub(crate) passed: Vec<Line>,
    pub(crate) stayed: Vec<Line>,
}

/// A change: lines from, to in `before`, and in `after`.
type Hunk = [u32; 4];

/// Parts sorted lines of `after`. `None` if the two cannot be compared.
pub(crate) fn part(before: &[u8], after: &[u8], lines: &[Line]) -> Option<Parted> {
    let hunks = hunks(before, after)?;
    let mut parted = Parted {
        passed: Vec::new(),
        stayed: Vec::new(),
    };
    let mut rest = hunks.iter().peekable();
    // How much further a line of `before` stands.
    let mut lead = 0;
    for (line, number) in lines {
        while let Some([_, before, _, after]) = rest.next_if(|it| it[3] <= *line) {
            lead = i64::from(*before) - i64::from(*after);
        }
        match rest.peek() {
            Some([.., start, _]) if start <= line => parted.stayed.push((*line, *number)),
            _ => {
                let moved = u32::try_from(i64::from(*line) + lead).ok()?;
                parted.passed.push((moved, *number));
            }
        }
    }
    Some(parted)
}

/// What was changed, from top to bottom.
fn hunks(before: &[u8], after: &[u8]) -> Option<Vec<Hunk>> {
    let (before, after) = untailed(before, after);
    let mut options = DiffOptions::new();
    options
        .context_lines(0)
        .interhunk_lines(0)
        .indent_heuristic(true)
        .force_text(true);
    let patch = Patch::from_buffers(before, None, after, None, Some(&mut options)).ok()?;
    let hunk = |at| {
        let hunk = patch.hunk(at).ok()?.0;
        // Of no lines, the one before is named.
        let range = |start: u32, count: u32| {
            let start = if count == 0 { start } else { start - 1 };
            [start, start + count]
        };
        let [a, b] = range(hunk.old_start(), hunk.old_lines());
        let [c, d] = range(hunk.new_start(), hunk.new_lines());
        Some([a, b, c, d])
    };
    (0..patch.num_hunks()).map(hunk).collect()
}

/// Bytes at the end that git leaves out of a comparison at a time.
const TAIL: usize = 1024;

/// Both without the end they share. `git` does so before it compares, and what is left out no change slides into:
/// to tell the same, it must be the same blocks, and then the rest of a line.
fn untailed<'a>(before: &'a [u8], after: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    let blocks = before.rchunks_exact(TAIL).zip(after.rchunks_exact(TAIL));
    let same = TAIL * blocks.take_while(|(one, other)| one == other).count();
    let (before_end, after_end) = (before.len() - same, after.len() - same);
    let line = memchr::memchr(b'\n', &before[before_end..]).map_or(same, |it| it + 1);
    (&before[..before_end + line], &after[..after_end + line])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For each line of `after`, the line of `before` it is.
    fn origins(before: &str, after: &str) -> Vec<Option<u32>> {
        let count = after.split_inclusive('\n').count() as u32;
        let lines: Vec<Line> = (0..count).map(|it| (it, it)).collect();
        let parted = part(before.as_bytes(), after.as_bytes(), &lines).unwrap();
        let mut origins = vec![None; lines.len()];
        for (line, number) in &parted.passed {
            origins[*number as usize] = Some(*line);
        }
        assert_eq!(parted.passed.len() + parted.stayed.len(), lines.len());
        origins
    }

    #[test]
    fn lines_are_followed_around_changes() {
        for (before, after, expected) in [
            ("a\nb\nc\n", "a\nb\nc\n", &[Some(0), Some(1), Some(2)][..]),
            ("a\nb\nc\n", "a\nc\n", &[Some(0), Some(2)]),
            ("a\nb\n", "x\na\ny\nb\n", &[None, Some(0), None, Some(1)]),
            ("a\nb\nc\n", "a\nX\nc\nd\n", &[Some(0), None, Some(2), None]),
            ("", "a\n", &[None]),
            ("a\n", "", &[]),
            // Without its line end it is another line, and so it is with another line end.
            ("a\nb", "a\nb\n", &[Some(0), None]),
            ("a\nb\n", "a\r\nb\n", &[None, Some(1)]),
            ("a\0\nb\n", "a\0\nc\n", &[Some(0), None]),
        ] {
            assert_eq!(origins(before, after), expected, "{before:?} {after:?}");
        }
    }

    #[test]
    fn a_long_end_that_both_share_is_not_compared() {
        let end: String = (0..500).map(|it| format!("line {it}\n")).collect();
        let (before, after) = (format!("a\nb\n{end}"), format!("a\n{end}"));
        let (one, other) = untailed(before.as_bytes(), after.as_bytes());
        assert!(one.len() < 2100 && one.ends_with(b"\n") && other.len() == one.len() - 2);
        let found = origins(&before, &after);
        assert_eq!(found[0], Some(0));
        assert!(
            (1..=500).all(|it| found[it] == Some(it as u32 + 1)),
            "{found:?}"
        );
        assert_eq!(origins(&end, &end), (0..500).map(Some).collect::<Vec<_>>());
    }
}
