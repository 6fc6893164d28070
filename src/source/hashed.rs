//! Hashes of many things, each with a number: small, and quick to look up.
//!
//! Not here: what is hashed. Hashes are spread evenly, so that a few of their first bits lead close to each.

use crate::model::tape::{Reel, Tape};

/// Sorted by hash, each once.
#[derive(Clone, Default, Debug)]
pub(crate) struct Hashed {
    rows: Vec<(u64, u32)>,
    /// Where the rows begin that share their first bits; made when all rows are there.
    starts: Vec<u32>,
}

impl Hashed {
    /// From rows in any order; of those with the same hash the one with the least number stays.
    pub(crate) fn of(mut rows: Vec<(u64, u32)>) -> Self {
        rows.sort_unstable();
        rows.dedup_by_key(|it| it.0);
        Self::sorted(rows)
    }

    fn sorted(rows: Vec<(u64, u32)>) -> Self {
        let mut starts = vec![0; (1 << bits(rows.len())) + 1];
        let shift = 64 - bits(rows.len());
        for (hash, _) in &rows {
            starts[bucket(*hash, shift) + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        Self { rows, starts }
    }

    pub(crate) fn rows(&self) -> &[(u64, u32)] {
        &self.rows
    }

    /// Changes the number of each.
    pub(crate) fn each_number(&mut self, change: impl Fn(u32) -> u32) {
        for (_, number) in &mut self.rows {
            *number = change(*number);
        }
    }

    /// Changes the number of one, if it is there.
    pub(crate) fn set(&mut self, hash: u64, number: u32) {
        if let Some(at) = self.position(hash) {
            self.rows[at].1 = number;
        }
    }

    /// Which row has this hash.
    pub(crate) fn position(&self, hash: u64) -> Option<usize> {
        let at = bucket(hash, 64 - bits(self.rows.len()));
        let (start, end) = (*self.starts.get(at)?, *self.starts.get(at + 1)?);
        let near = &self.rows[start as usize..end as usize];
        let at = near.iter().position(|it| it.0 == hash)?;
        Some(start as usize + at)
    }

    pub(crate) fn write(&self, tape: &mut Tape) {
        tape.number(self.rows.len() as u64);
        for (hash, number) in &self.rows {
            tape.raw(&hash.to_le_bytes());
            tape.number(u64::from(*number));
        }
    }

    pub(crate) fn read(reel: &mut Reel<'_>) -> Option<Self> {
        let count = reel.count()?;
        let mut rows = Vec::with_capacity(count);
        for _ in 0..count {
            rows.push((u64::from_le_bytes(reel.raw()?), reel.short()?));
        }
        rows.is_sorted_by(|a, b| a.0 < b.0)
            .then(|| Self::sorted(rows))
    }
}

/// So many first bits that about two rows share them.
fn bits(rows: usize) -> u32 {
    (rows / 2).checked_ilog2().unwrap_or(0).clamp(1, 28)
}

fn bucket(hash: u64, shift: u32) -> usize {
    (hash >> shift) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_and_no_other() {
        let spread = |it: u64| it.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for count in [0, 1, 2, 3, 100, 5000] {
            let rows: Vec<_> = (0..count).map(|it| (spread(it), it as u32)).collect();
            let mut tape = Tape::default();
            Hashed::of(rows).write(&mut tape);
            let bytes = tape.into_bytes();
            let mut hashed = Hashed::read(&mut Reel::new(&bytes)).unwrap();
            assert_eq!(hashed.rows().len() as u64, count);
            for it in 0..count {
                let at = hashed.position(spread(it)).unwrap();
                assert_eq!(hashed.rows()[at], (spread(it), it as u32));
            }
            assert_eq!(hashed.position(spread(count)), None);
            hashed.each_number(|it| it + 1);
            hashed.set(spread(0), 9);
            let numbers: u64 = hashed.rows().iter().map(|it| u64::from(it.1)).sum();
            let expected = (1..=count).sum::<u64>() + if count > 0 { 8 } else { 0 };
            assert_eq!(numbers, expected);
        }
        assert_eq!(Hashed::default().position(3), None);
    }

    #[test]
    fn rows_out_of_order_are_no_rows() {
        for rows in [vec![(2, 0), (1, 0)], vec![(1, 0), (1, 1)]] {
            let mut tape = Tape::default();
            Hashed {
                rows,
                ..Hashed::default()
            }
            .write(&mut tape);
            assert!(Hashed::read(&mut Reel::new(&tape.into_bytes())).is_none());
        }
    }
}
