//! How the entries of one pack hang together: which entry is a delta over which.
//!
//! Not here: bytes of objects. Only headers are read.

use crate::model::blob::ObjectId;
use crate::source::pack::{Kind, Pack, Stored};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

/// No slot.
pub(crate) const NONE: u32 = u32::MAX;

/// One entry of the pack. Kept small: large repositories have tens of millions.
#[derive(Clone, Copy)]
pub(crate) struct Slot {
    pub(crate) offset: u64,
    /// In the index.
    pub(crate) position: u32,
    pub(crate) base: u32,
    pub(crate) first_child: u32,
    pub(crate) next_sibling: u32,
}

/// What a walk does at a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mark {
    /// Nothing below it is wanted either.
    Idle,
    /// A base of something wanted.
    OnTheWay,
    /// To be handed out.
    Wanted,
}

/// Parts of the work for each thread; more make threads end together, and cost more at the cuts.
const PARTS: usize = 16;

/// A forest divided into parts.
#[derive(Default, Debug)]
pub(crate) struct Parts {
    /// Slots at which a part starts.
    pub(crate) starts: Vec<u32>,
    /// Ranges of `starts` that are about equal work.
    pub(crate) chunks: Vec<Range<usize>>,
    /// By slot: whether a part starts there that is cut off from the one above; empty if none is.
    pub(crate) cuts: Vec<bool>,
}

/// The delta forest of one pack. Slots are sorted by offset.
#[derive(Default)]
pub(crate) struct Forest {
    pub(crate) slots: Vec<Slot>,
    /// Slots stored whole, with their type.
    pub(crate) roots: Vec<(u32, Kind)>,
    /// Slots whose base is not in this pack, with the base's id.
    pub(crate) foreign: Vec<(u32, ObjectId)>,
    /// Slots that no root leads to, with a reason.
    pub(crate) broken: Vec<(u32, &'static str)>,
}

impl Forest {
    /// Reads every header of the pack.
    pub(crate) fn of(pack: &Pack) -> Self {
        let mut slots: Vec<Slot> = (0..pack.len())
            .map(|position| Slot {
                offset: pack.offset(position),
                position,
                base: NONE,
                first_child: NONE,
                next_sibling: NONE,
            })
            .collect();
        slots.sort_unstable_by_key(|it| it.offset);
        Self::linked(pack, slots)
    }

    /// Reads the headers of some entries, by their positions, and of all that they are deltas over.
    pub(crate) fn towards(pack: &Pack, positions: impl Iterator<Item = u32>) -> Self {
        let mut found: HashMap<u64, u32> = HashMap::new();
        let mut stack: Vec<(u64, u32)> = positions.map(|it| (pack.offset(it), it)).collect();
        while let Some((offset, position)) = stack.pop() {
            let known = found.entry(offset);
            let is_new = matches!(known, Entry::Vacant(_));
            let known = known.or_insert(position);
            if *known == NONE {
                *known = position;
            }
            if is_new && let Some(entry) = pack.entry(offset) {
                stack.extend(match entry.stored {
                    Stored::Whole(_) => None,
                    // Asked for by its offset alone, its name is not known, nor needed.
                    Stored::Offset(base) => Some((base, NONE)),
                    Stored::Id(id) => pack.position(&id).map(|it| (pack.offset(it), it)),
                });
            }
        }
        let slots = found.into_iter().map(|(offset, position)| Slot {
            offset,
            position,
            base: NONE,
            first_child: NONE,
            next_sibling: NONE,
        });
        let mut slots: Vec<Slot> = slots.collect();
        slots.sort_unstable_by_key(|it| it.offset);
        Self::linked(pack, slots)
    }

    fn linked(pack: &Pack, slots: Vec<Slot>) -> Self {
        let mut forest = Self {
            slots,
            ..Self::default()
        };
        let looped = forest.find_bases(pack);
        forest.link_children();
        if looped {
            forest.find_loops();
        }
        forest
    }

    /// Where the entry in a slot ends, at most: where not all entries were looked at, others may lie between.
    pub(crate) fn end(&self, slot: u32, pack: &Pack) -> u64 {
        self.slots
            .get(slot as usize + 1)
            .map_or_else(|| pack.end(), |next| next.offset)
    }

    fn slot_at(&self, offset: u64) -> Option<u32> {
        self.slots
            .binary_search_by_key(&offset, |it| it.offset)
            .ok()
            .map(|it| it as u32)
    }

    /// Fills `base` and sorts slots into roots, foreign and broken. True if a delta names a base behind
    /// itself, which is the only way to a loop.
    fn find_bases(&mut self, pack: &Pack) -> bool {
        let mut looped = false;
        for slot in 0..self.slots.len() as u32 {
            let offset = self.slots[slot as usize].offset;
            match pack.entry(offset).map(|it| it.stored) {
                Some(Stored::Whole(kind)) => self.roots.push((slot, kind)),
                Some(Stored::Offset(base)) => match self.slot_at(base) {
                    Some(base) => self.slots[slot as usize].base = base,
                    None => self
                        .broken
                        .push((slot, "its delta base is not an entry of the pack")),
                },
                Some(Stored::Id(id)) => match pack
                    .position(&id)
                    .and_then(|it| self.slot_at(pack.offset(it)))
                {
                    Some(base) => {
                        looped |= base >= slot;
                        self.slots[slot as usize].base = base;
                    }
                    None => self.foreign.push((slot, id)),
                },
                None => self.broken.push((slot, "its header cannot be decoded")),
            }
        }
        looped
    }

    /// Builds the lists of children. Leaves come first, so that a walk keeps little in memory when it
    /// goes down the long branch at the end.
    fn link_children(&mut self) {
        let mut is_base = vec![false; self.slots.len()];
        for slot in &self.slots {
            if slot.base != NONE {
                is_base[slot.base as usize] = true;
            }
        }
        for leaves in [false, true] {
            for slot in (0..self.slots.len()).rev() {
                let base = self.slots[slot].base;
                if base != NONE && is_base[slot] != leaves {
                    self.slots[slot].next_sibling = self.slots[base as usize].first_child;
                    self.slots[base as usize].first_child = slot as u32;
                }
            }
        }
    }

    /// Reports slots that hang on a ring of deltas, and those that hang on broken ones.
    fn find_loops(&mut self) {
        let mut reached = vec![false; self.slots.len()];
        let mut stack: Vec<u32> = self.roots.iter().map(|it| it.0).collect();
        stack.extend(self.foreign.iter().map(|it| it.0));
        stack.extend(self.broken.iter().map(|it| it.0));
        while let Some(slot) = stack.pop() {
            reached[slot as usize] = true;
            let mut child = self.slots[slot as usize].first_child;
            while child != NONE {
                stack.push(child);
                child = self.slots[child as usize].next_sibling;
            }
        }
        let ring = "its delta chain has no beginning";
        let lost = reached
            .iter()
            .enumerate()
            .filter(|it| !it.1)
            .map(|it| (it.0 as u32, ring));
        // A ring's slots are children of each other; cutting them keeps every walk finite.
        let lost: Vec<_> = lost.collect();
        for (slot, _) in &lost {
            self.slots[*slot as usize].first_child = NONE;
        }
        self.broken.extend(lost);
    }

    /// Marks the slots that are wanted, and those on the way to a wanted one.
    pub(crate) fn marks(&self, wanted: impl Fn(u32) -> bool) -> Vec<Mark> {
        let mut marks = vec![Mark::Idle; self.slots.len()];
        for slot in 0..self.slots.len() {
            if !wanted(self.slots[slot].position) {
                continue;
            }
            marks[slot] = Mark::Wanted;
            let mut at = self.slots[slot].base;
            while at != NONE && marks[at as usize] == Mark::Idle {
                marks[at as usize] = Mark::OnTheWay;
                at = self.slots[at as usize].base;
            }
        }
        marks
    }

    /// Divides the trees of some types into parts of about equal work: trees with large families are cut into
    /// several.
    pub(crate) fn parts(
        &self,
        pack: &Pack,
        kinds: &[Kind],
        marks: Option<&[Mark]>,
        jobs: usize,
    ) -> Parts {
        let roots = self.roots.iter().filter(|it| kinds.contains(&it.1));
        let roots = roots.map(|it| it.0);
        let mut parts = Parts {
            starts: roots.collect(),
            ..Parts::default()
        };
        if jobs < 2 {
            parts.chunks.push(0..parts.starts.len());
            return parts;
        }
        let mut work = vec![0_u64; self.slots.len()];
        let total: u64 = parts
            .starts
            .iter()
            .map(|root| self.weigh(pack, *root, marks, &mut work))
            .sum();
        let most = (total / (jobs * PARTS) as u64).max(1);
        parts.cuts = vec![false; self.slots.len()];
        for at in 0..parts.starts.len() {
            self.cut(parts.starts[at], most, &mut work, &mut parts);
        }
        parts.starts.sort_unstable();
        let (mut start, mut sum) = (0, 0);
        for (at, slot) in parts.starts.iter().enumerate() {
            sum += work[*slot as usize];
            if sum >= most / 4 {
                parts.chunks.push(start..at + 1);
                (start, sum) = (at + 1, 0);
            }
        }
        parts.chunks.push(start..parts.starts.len());
        parts
    }

    /// Estimates the work at each slot of a tree: an object is about as large as its root, and each byte
    /// of a delta costs many times what a copied byte costs.
    fn weigh(&self, pack: &Pack, root: u32, marks: Option<&[Mark]>, work: &mut [u64]) -> u64 {
        let size = pack.entry(self.slots[root as usize].offset);
        let size = size.map_or(0, |it| it.size);
        let mut total = 0;
        for slot in self.family(root) {
            let is_idle = marks.is_some_and(|it| it[slot as usize] == Mark::Idle);
            if !is_idle {
                let stored = self.end(slot, pack) - self.slots[slot as usize].offset;
                work[slot as usize] = size + 32 * stored + 512;
                total += work[slot as usize];
            }
        }
        total
    }

    /// Cuts a tree where what hangs below is enough for a part; `work` then tells that of each part.
    fn cut(&self, root: u32, most: u64, work: &mut [u64], parts: &mut Parts) {
        let family = self.family(root);
        for slot in family[1..].iter().rev() {
            let (own, base) = (work[*slot as usize], self.slots[*slot as usize].base);
            let sum = work[base as usize] + own;
            if own >= most || (sum > most && own >= most / 8) {
                parts.cuts[*slot as usize] = true;
                parts.starts.push(*slot);
            } else {
                work[base as usize] = sum;
            }
        }
    }

    /// Every slot below one, itself included.
    pub(crate) fn family(&self, slot: u32) -> Vec<u32> {
        let mut family = vec![slot];
        let mut at = 0;
        while let Some(&member) = family.get(at) {
            let mut child = self.slots[member as usize].first_child;
            while child != NONE {
                family.push(child);
                child = self.slots[child as usize].next_sibling;
            }
            at += 1;
        }
        family
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const WHOLE: u8 = 3 << 4;
    const BY_OFFSET: u8 = 6 << 4;
    const BY_ID: u8 = 7 << 4;

    /// A pack with these entries and an index that calls them `[1; 20]`, `[2; 20]` and so on. No program
    /// would write it; a hostile repository may hold it.
    fn pack(entries: &[Vec<u8>]) -> (tempfile::TempDir, Pack) {
        let mut data = b"PACK\0\0\0\x02".to_vec();
        data.extend((entries.len() as u32).to_be_bytes());
        let mut table = Vec::new();
        for (at, entry) in entries.iter().enumerate() {
            table.extend((data.len() as u32).to_be_bytes());
            table.extend([at as u8 + 1; 20]);
            data.extend(entry);
        }
        data.extend([0; 20]);
        let fan = (0..256_usize).flat_map(|it| (it.min(entries.len()) as u32).to_be_bytes());
        let index: Vec<u8> = fan.chain(table).chain([0; 40]).collect();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("pack-x.pack"), data).unwrap();
        fs::write(folder.path().join("pack-x.idx"), index).unwrap();
        let pack = Pack::open(&folder.path().join("pack-x.idx")).unwrap();
        (folder, pack)
    }

    fn entry(header: u8, rest: &[u8]) -> Vec<u8> {
        [&[header], rest].concat()
    }

    #[test]
    fn rings_and_nonsense_are_broken_and_everything_is_accounted_for() {
        let (_folder, pack) = pack(&[
            entry(WHOLE, b"x"),
            entry(BY_ID, &[3; 20]),
            entry(BY_ID, &[2; 20]),
            entry(BY_ID, &[2; 20]),
            entry(BY_ID, &[5; 20]),
            entry(BY_ID, &[0xaa; 20]),
            entry(BY_OFFSET, &[0x01]),
            entry(BY_OFFSET, &[0]),
            entry(BY_OFFSET, &[0xff; 30]),
            entry(5 << 4, b""),
            entry(0xff, &[0xff; 30]),
            entry(BY_ID, &[1; 20]),
        ]);
        let forest = Forest::of(&pack);
        assert_eq!(forest.roots, [(0, Kind::Blob)]);
        assert_eq!(
            forest.foreign.iter().map(|it| it.0).collect::<Vec<_>>(),
            [5]
        );
        let mut broken: Vec<u32> = forest.broken.iter().map(|it| it.0).collect();
        broken.sort_unstable();
        assert_eq!(broken, [1, 2, 3, 4, 6, 7, 8, 9, 10]);
        assert_eq!(forest.family(0), [0, 11]);
        for slot in broken {
            assert_eq!(forest.family(slot), [slot]);
        }
        let marks = forest.marks(|position| position == 2 || position == 11);
        assert_eq!((marks[0], marks[11]), (Mark::OnTheWay, Mark::Wanted));
    }

    #[test]
    fn leaves_come_before_branches() {
        let base = |id: u8| entry(BY_ID, &[id; 20]);
        let (_folder, pack) = pack(&[entry(WHOLE, b"x"), base(1), base(1), base(2), base(1)]);
        let forest = Forest::of(&pack);
        assert_eq!(forest.family(0), [0, 2, 4, 1, 3]);
    }
}
