//! How a tree object is laid out, read along the chain in which it is stored: entries that are copied whole
//! from its base are known from there, and only what the edit touched is read.
//!
//! Not here: what an entry means to whoever reads trees.

use crate::model::delta::{Copied, Edit};
use crate::source::compare::{self, RawEntry};

/// Where the entries of a tree stand, and what was made of some of them.
pub(crate) struct Layout<T> {
    /// Where each entry starts, and where the last ends.
    bounds: Vec<u32>,
    /// What was made of entries, with where they start; in their order.
    pub(crate) made: Vec<(u32, T)>,
}

impl<T: Copy> Layout<T> {
    /// Reads a tree; `make` is asked for every entry that is not known from the base, and told whether its
    /// name may be new too. Ends at the first malformed entry, and after 4 GiB. Only one that `is_base` may
    /// be the base of another.
    pub(crate) fn read(
        bytes: &[u8],
        base: Option<(&Edit, &Self)>,
        is_base: bool,
        mut make: impl FnMut(&RawEntry<'_>, bool) -> Option<T>,
    ) -> Self {
        let mut layout = Self {
            bounds: if is_base { vec![0] } else { Vec::new() },
            made: Vec::new(),
        };
        let bytes = &bytes[..bytes.len().min(u32::MAX as usize)];
        let mut copies = base.map_or(&[][..], |it| it.0.copied());
        let mut at = 0;
        loop {
            while copies.first().is_some_and(|it| it.end <= at) {
                copies = &copies[1..];
            }
            let copied = copies.first().copied().filter(|it| it.start <= at);
            let known = base.and_then(|it| Known::at(it.1, copied?, at));
            if let Some(known) = &known
                && let Some(end) = layout.take(known, at)
            {
                at = end;
                continue;
            }
            let Some(entry) = compare::entries(&bytes[at..]).next() else {
                return layout;
            };
            let end = at + entry.length();
            // Mode and name lie before the id.
            let name = entry.length() - entry.id.len();
            let is_new = known.is_none_or(|it| it.length < name);
            if let Some(it) = make(&entry, is_new) {
                layout.made.push((at as u32, it));
            }
            layout.bound(end as u32);
            at = end;
        }
    }

    fn bound(&mut self, end: u32) {
        if !self.bounds.is_empty() {
            self.bounds.push(end);
        }
    }

    /// Takes over the entries that are copied whole; where they end, if there is one.
    fn take(&mut self, known: &Known<'_, T>, at: usize) -> Option<usize> {
        let Known { base, first, .. } = *known;
        let from = base.bounds[first] as usize;
        let next = base
            .bounds
            .partition_point(|it| *it as usize <= from + known.length);
        let bounds = &base.bounds[first..next];
        let end = *bounds.get(1..)?.last()?;
        let moved = |it: u32| (it as usize - from + at) as u32;
        if !self.bounds.is_empty() {
            self.bounds.extend(bounds[1..].iter().map(|it| moved(*it)));
        }
        let start = base.made.partition_point(|it| (it.0 as usize) < from);
        let made = base.made[start..].iter().take_while(|it| it.0 < end);
        self.made.extend(made.map(|it| (moved(it.0), it.1)));
        Some(moved(end) as usize)
    }

    /// About how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        size_of_val(&self.bounds[..]) + size_of_val(&self.made[..])
    }
}

/// Bytes of a base from the start of an entry that are copied.
struct Known<'a, T> {
    base: &'a Layout<T>,
    /// The entry's number.
    first: usize,
    length: usize,
}

impl<'a, T> Known<'a, T> {
    /// What is copied to a place within a copied range, if an entry starts there.
    fn at(base: &'a Layout<T>, copied: Copied, at: usize) -> Option<Self> {
        let from = u32::try_from(copied.from + (at - copied.start)).ok()?;
        Some(Self {
            base,
            first: base.bounds.binary_search(&from).ok()?,
            length: copied.end - at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Entries of 28 to 30 bytes: mode and blank, a name, NUL, id.
    fn tree(entries: &[(u8, u8)]) -> Vec<u8> {
        let entry = |(name, id): &(u8, u8)| {
            let mode: &[u8] = if name % 3 == 0 { b"40000 " } else { b"100644 " };
            [
                mode,
                &b"abc"[..usize::from(name % 2) + 1],
                &[b'd' + name, 0],
                &[*id; 20],
            ]
            .concat()
        };
        entries.iter().flat_map(entry).collect()
    }

    /// What is made of an entry: its name's and its id's last byte.
    fn make(entry: &RawEntry<'_>) -> Option<(u8, u8)> {
        let it = (*entry.name.last()?, entry.id[19]);
        entry.is_tree().then_some(it)
    }

    fn whole(bytes: &[u8]) -> Layout<(u8, u8)> {
        Layout::read(bytes, None, true, |it, is_new| {
            assert!(is_new);
            make(it)
        })
    }

    proptest! {
        #[test]
        fn what_an_edit_makes_is_laid_out_as_if_read_whole(
            entries in prop::collection::vec((0..20_u8, 0..4_u8), 0..8),
            parts in prop::collection::vec((any::<bool>(), 0..260_usize, 0..90_usize), 0..6),
            aligned in any::<bool>(),
            tail in prop::collection::vec((0..20_u8, 0..4_u8), 0..3),
        ) {
            let base = tree(&entries);
            let known = whole(&base);
            let mut edit = Edit::default();
            edit.reset(base.len());
            let mut bytes = Vec::new();
            let bound = |at: usize| known.bounds[at % known.bounds.len()] as usize;
            for (is_copy, from, length) in parts {
                let (start, end) = match aligned {
                    true => (bound(from), bound(from + length)),
                    false => (from.min(base.len()), (from + length).min(base.len())),
                };
                let part = base.get(start..end).unwrap_or_default();
                bytes.extend(part);
                match is_copy {
                    true => edit.copy(start, part.len()),
                    false => edit.insert(part.len()),
                }
            }
            let more = tree(&tail);
            bytes.extend(&more);
            edit.insert(more.len());
            edit.finish();
            let names = |it: &[u8]| -> Vec<Vec<u8>> {
                compare::entries(it).map(|it| it.name.to_vec()).collect()
            };
            for is_base in [true, false] {
                let mut new = names(&base);
                let read = Layout::read(&bytes, Some((&edit, &known)), is_base, |it, is_new| {
                    if is_new {
                        new.push(it.name.to_vec());
                    }
                    make(it)
                });
                let expected = whole(&bytes);
                prop_assert_eq!(read.made, expected.made);
                // No name that the base did not show is taken for known.
                prop_assert!(names(&bytes).iter().all(|it| new.contains(it)));
                prop_assert_eq!(read.bounds, if is_base { expected.bounds } else { Vec::new() });
            }
        }
    }

    #[test]
    fn only_what_an_edit_touches_is_read() {
        let base = tree(&[(0, 1), (3, 1), (6, 1), (9, 1)]);
        let known = whole(&base);
        let mut edit = Edit::default();
        edit.reset(base.len());
        // The second gets another id, and one is put before the last.
        let bounds: Vec<usize> = known.bounds.iter().map(|it| *it as usize).collect();
        edit.copy(0, bounds[2] - 20);
        edit.insert(20);
        edit.copy(bounds[2], bounds[3] - bounds[2]);
        let more = tree(&[(12, 2)]);
        edit.insert(more.len());
        edit.copy(bounds[3], bounds[4] - bounds[3]);
        edit.finish();
        let bytes = [
            &base[..bounds[2] - 20],
            &[7; 20],
            &base[bounds[2]..bounds[3]],
            &more,
            &base[bounds[3]..],
        ]
        .concat();
        let mut read = Vec::new();
        Layout::read(&bytes, Some((&edit, &known)), false, |it, is_new| {
            read.push((it.id[0], is_new));
            make(it)
        });
        assert_eq!(read, [(7, false), (2, true)]);
    }
}
