//! Everything of a repository that is no blob and was met by a survey, so that the next one reads only what
//! is new.
//!
//! Nothing is written but hashes under the key of the page: of ids, and of messages, headers and names that
//! showed nothing. Those that showed something are told by where they stand (see `record`).

use crate::model::blob::ObjectId;
use crate::model::tape::{Reel, Tape};
use crate::source::digest::Digest;
use crate::source::hashed::Hashed;
use std::collections::HashSet;

/// What was met.
#[derive(Clone, Default, Debug)]
pub(crate) struct Roster {
    /// Commits, tags and trees. Of a tree with something flagged below it, the number of
    /// the tree that stands for it in the table of the record, from 1; else 0.
    ids: Hashed,
    /// Messages and headers.
    pub(crate) texts: HashSet<u64>,
    /// Names of files and folders.
    pub(crate) names: HashSet<u64>,
}

impl Roster {
    /// From hashes of ids, in any order.
    pub(crate) fn of(met: Vec<u64>, texts: HashSet<u64>, names: HashSet<u64>) -> Self {
        Self {
            ids: Hashed::of(met.into_iter().map(|it| (it, 0)).collect()),
            texts,
            names,
        }
    }

    /// How many ids.
    pub(crate) fn len(&self) -> usize {
        self.ids.rows().len()
    }

    /// Which of them has this hash.
    pub(crate) fn position(&self, hash: u64) -> Option<usize> {
        self.ids.position(hash)
    }

    /// The number of what stands for a tree in the table; `None` if nothing is flagged below it, or if it
    /// was not met.
    pub(crate) fn stand(&self, hash: u64) -> Option<u32> {
        self.ids.rows()[self.position(hash)?].1.checked_sub(1)
    }

    /// What was met later than all of an earlier one, whose texts are known already.
    pub(crate) fn after(mut self, earlier: &Self) -> Self {
        self.ids = Hashed::of([self.ids.rows(), earlier.ids.rows()].concat());
        self
    }

    /// Takes out texts and names that showed something.
    pub(crate) fn forget(
        &mut self,
        texts: impl Iterator<Item = u64>,
        names: impl Iterator<Item = u64>,
    ) {
        for (set, gone) in [
            (&mut self.texts, texts.collect::<Vec<u64>>()),
            (&mut self.names, names.collect()),
        ] {
            gone.iter().for_each(|it| {
                set.remove(it);
            });
        }
    }

    /// Changes what stands for trees.
    pub(crate) fn restand(&mut self, stand: impl Fn(u32) -> Option<u32>) {
        self.ids.each_number(|it| {
            let stand = it.checked_sub(1).and_then(&stand);
            stand.map_or(0, |it| it + 1)
        });
    }

    /// Says what stands for one.
    pub(crate) fn set(&mut self, hash: u64, stand: Option<u32>) {
        self.ids.set(hash, stand.map_or(0, |it| it + 1));
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut tape = Tape::default();
        self.ids.write(&mut tape);
        for set in [&self.texts, &self.names] {
            let mut sorted: Vec<u64> = set.iter().copied().collect();
            sorted.sort_unstable();
            tape.number(sorted.len() as u64);
            sorted.iter().for_each(|it| tape.raw(&it.to_le_bytes()));
        }
        tape.into_bytes()
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let reel = &mut Reel::new(bytes);
        let ids = Hashed::read(reel)?;
        let mut sets = [HashSet::new(), HashSet::new()];
        for set in &mut sets {
            for _ in 0..reel.count()? {
                set.insert(u64::from_le_bytes(reel.raw()?));
            }
        }
        let [texts, names] = sets;
        reel.is_over().then_some(Self { ids, texts, names })
    }
}

/// What a reading met.
#[derive(Default, Debug)]
pub(crate) struct Met {
    /// Hashes of ids, where they are to be kept.
    pub(crate) ids: Option<Vec<u64>>,
    /// Hashes of texts, those of before included.
    pub(crate) texts: HashSet<u64>,
    /// Whether some of these were forgotten for want of room.
    pub(crate) is_cut: bool,
}

impl Met {
    /// After what was met before; `keeps` if anything is to be kept of it.
    pub(crate) fn after(texts: HashSet<u64>, keeps: bool) -> Self {
        Self {
            ids: keeps.then(Vec::new),
            texts,
            is_cut: false,
        }
    }

    /// Notes an object.
    pub(crate) fn meet(&mut self, digest: &Digest, id: &ObjectId) {
        if let Some(ids) = &mut self.ids {
            ids.push(digest.of(id.as_bytes()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_met_is_read_back_and_added_to() {
        let mut roster = Roster::of(vec![9, 3, 7, 3], [5, 4].into(), [8].into());
        assert_eq!(roster.len(), 3);
        roster.set(7, Some(0));
        roster.set(9, Some(4));
        roster.set(1, Some(2));
        let mut later = Roster::of(vec![2], [5, 4, 6].into(), [8].into()).after(&roster);
        later.forget([6].into_iter(), [1].into_iter());
        let mut again = Roster::read(&later.write()).unwrap();
        assert_eq!(again.ids.rows(), [(2, 0), (3, 0), (7, 1), (9, 5)]);
        assert_eq!(
            (again.texts.clone(), again.names.clone()),
            ([4, 5].into(), [8].into())
        );
        assert_eq!(
            (again.stand(7), again.stand(3), again.stand(4)),
            (Some(0), None, None)
        );
        again.restand(|it| it.checked_sub(2));
        assert_eq!((again.stand(7), again.stand(9)), (None, Some(2)));
    }

    #[test]
    fn a_damaged_one_is_none() {
        let whole = Roster::of(vec![1, 2], [5].into(), HashSet::new()).write();
        for end in 0..whole.len() {
            assert!(Roster::read(&whole[..end]).is_none(), "{end}");
        }
        assert!(Roster::read(&[&whole[..], &[0]].concat()).is_none());
    }
}
