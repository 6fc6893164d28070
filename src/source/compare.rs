//! Tree objects: their entries, and what a tree has that none of its parents' trees has.
//!
//! Not here: where trees come from, and commits.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Deref;
use wide::u8x16;

/// One entry of a tree object, borrowed from its bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawEntry<'a> {
    mode: &'a [u8],
    pub(crate) name: &'a [u8],
    /// 20 bytes.
    pub(crate) id: &'a [u8],
}

impl RawEntry<'_> {
    pub(crate) fn is_tree(&self) -> bool {
        // As slices, and not whole: this is asked of every entry of every tree.
        matches!(self.mode, [b'4', _, _, _, _] | [b'0', b'4', _, _, _, _])
    }

    pub(crate) fn is_submodule(&self) -> bool {
        matches!(self.mode, [b'1', b'6', _, _, _, _])
    }

    /// Bytes it takes in the tree: mode, blank, name, NUL, id.
    pub(crate) fn length(&self) -> usize {
        self.mode.len() + self.name.len() + self.id.len() + 2
    }

    /// The mode as a number.
    pub(crate) fn mode(&self) -> Option<u32> {
        u32::from_str_radix(std::str::from_utf8(self.mode).ok()?, 8).ok()
    }

    /// The first bytes of the id: ids are evenly spread, so they serve as a hash.
    pub(crate) fn prefix(&self) -> u32 {
        prefix(self.id)
    }
}

/// The first four bytes of an id.
pub(crate) fn prefix(id: &[u8]) -> u32 {
    id.first_chunk().map_or(0, |it| u32::from_be_bytes(*it))
}

/// The entries of a tree object; ends at the first malformed one.
pub(crate) fn entries(mut rest: &[u8]) -> impl Iterator<Item = RawEntry<'_>> {
    std::iter::from_fn(move || {
        let blank = blank(rest)?;
        let (mode, tail) = (&rest[..blank], &rest[blank + 1..]);
        let nul = nul(tail)?;
        let (id, after) = tail[nul + 1..].split_at_checked(20)?;
        rest = after;
        Some(RawEntry {
            mode,
            name: &tail[..nul],
            id,
        })
    })
}

/// Where the mode ends.
#[inline]
fn blank(rest: &[u8]) -> Option<usize> {
    match rest {
        [b'1', a, b, c, d, e, b' ', ..] if [a, b, c, d, e].iter().all(|it| **it > b' ') => Some(6),
        [b'4', b'0', b'0', b'0', b'0', b' ', ..] => Some(5),
        _ => rest.iter().take(8).position(|it| *it == b' '),
    }
}

/// Where the name ends. Most names are short, so the call of a search that is made for long texts would cost
/// more than the search.
#[inline]
fn nul(tail: &[u8]) -> Option<usize> {
    let (parts, rest) = tail.as_chunks::<16>();
    for (part, at) in parts.iter().zip((0..).step_by(16)) {
        let zeros = u8x16::new(*part).simd_eq(u8x16::splat(0)).to_bitmask();
        if zeros != 0 {
            return Some(at + zeros.trailing_zeros() as usize);
        }
    }
    let found = rest.iter().position(|it| *it == 0)?;
    Some(tail.len() - rest.len() + found)
}

/// An entry kept for comparison. How ids and names are kept is the business of whoever keeps many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Entry<I, N> {
    pub(crate) name: N,
    pub(crate) id: I,
    pub(crate) is_tree: bool,
}

impl<I, N> From<(N, I, bool)> for Entry<I, N> {
    fn from((name, id, is_tree): (N, I, bool)) -> Self {
        Self { name, id, is_tree }
    }
}

/// A blob that is at a path in a tree and in none of its parents' trees.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Arrival<I> {
    pub(crate) path: String,
    pub(crate) id: I,
    /// What the parents have at this path.
    pub(crate) before: Vec<I>,
}

/// Looks trees up by id. An entry that a listing leaves out counts as not there.
pub(crate) trait Trees {
    type Error;
    type Id: Copy + Ord;
    type Name: Eq + Hash;
    type Listing: Deref<Target = [Entry<Self::Id, Self::Name>]>;
    /// The entries of interest of a tree.
    fn listing(&mut self, id: Self::Id) -> Result<Self::Listing, Self::Error>;
    /// The path of an entry in a folder.
    fn path(&self, folder: &str, name: &Self::Name) -> String;
}

/// Blobs that arrive with `tree` given its parents' trees; paths start with `folder`.
pub(crate) fn arrivals<T: Trees>(
    trees: &mut T,
    folder: &str,
    tree: T::Id,
    parents: &[T::Id],
    out: &mut Vec<Arrival<T::Id>>,
) -> Result<(), T::Error> {
    if parents.contains(&tree) {
        return Ok(());
    }
    let listing = trees.listing(tree)?;
    let mut others = Vec::with_capacity(parents.len());
    for parent in parents {
        others.push(trees.listing(*parent)?);
    }
    let others: Vec<Lookup<'_, T::Id, T::Name>> = others.iter().map(|it| Lookup::of(it)).collect();
    for entry in listing.iter() {
        let same: Vec<_> = others
            .iter()
            .filter_map(|it| it.find(&entry.name))
            .collect();
        if same
            .iter()
            .any(|it| it.id == entry.id && it.is_tree == entry.is_tree)
        {
            continue;
        }
        let path = trees.path(folder, &entry.name);
        let mut before: Vec<T::Id> = same
            .iter()
            .filter(|it| it.is_tree == entry.is_tree)
            .map(|it| it.id)
            .collect();
        before.sort_unstable();
        before.dedup();
        if entry.is_tree {
            arrivals(trees, &path, entry.id, &before, out)?;
        } else {
            out.push(Arrival {
                path,
                id: entry.id,
                before,
            });
        }
    }
    Ok(())
}

/// Entries by name: a scan while they are few, a table in large folders.
enum Lookup<'a, I, N> {
    Few(&'a [Entry<I, N>]),
    Many(HashMap<&'a N, &'a Entry<I, N>>),
}

impl<'a, I, N: Eq + Hash> Lookup<'a, I, N> {
    fn of(listing: &'a [Entry<I, N>]) -> Self {
        if listing.len() <= 16 {
            return Self::Few(listing);
        }
        Self::Many(listing.iter().map(|it| (&it.name, it)).collect())
    }

    fn find(&self, name: &N) -> Option<&'a Entry<I, N>> {
        match self {
            Self::Few(listing) => listing.iter().find(|it| it.name == *name),
            Self::Many(table) => table.get(name).copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::spelling;
    use std::rc::Rc;

    type Kept = Entry<u8, &'static str>;

    /// Mode, name and id of each entry, byte by byte.
    fn naive(mut rest: &[u8]) -> Vec<(&[u8], &[u8], &[u8])> {
        let mut found = Vec::new();
        while let Some(blank) = rest.iter().take(8).position(|it| *it == b' ')
            && let Some(nul) = rest[blank + 1..].iter().position(|it| *it == 0)
            && let (name, tail) = rest[blank + 1..].split_at(nul)
            && tail.len() > 20
        {
            found.push((&rest[..blank], name, &tail[1..21]));
            rest = &tail[21..];
        }
        found
    }

    proptest::proptest! {
        #[test]
        fn entries_are_read_as_they_stand(
            entries in proptest::collection::vec(
                ("100644|100755|120000|160000|40000|040000|1 0644|100 44|1|[0-9 ]{0,9}", "[^\\x00]{0,40}", proptest::array::uniform20(0..=u8::MAX)),
                0..12,
            ),
            cut in 0..30_usize,
        ) {
            let mut tree = Vec::new();
            for (mode, name, id) in &entries {
                tree.extend([mode.as_bytes(), b" ", name.as_bytes(), b"\0", &id[..]].concat());
            }
            let tree = &tree[..tree.len().saturating_sub(cut)];
            let read = super::entries(tree);
            let read: Vec<_> = read.map(|it| (it.mode, it.name, it.id)).collect();
            proptest::prop_assert_eq!(read, naive(tree));
        }
    }

    #[test]
    fn modes_tell_what_an_entry_is() {
        for (mode, is_tree, is_submodule) in [
            ("40000", true, false),
            ("040000", true, false),
            ("100644", false, false),
            ("100755", false, false),
            ("120000", false, false),
            ("160000", false, true),
            ("4", false, false),
        ] {
            let tree = [mode.as_bytes(), b" a\0", &[1; 20]].concat();
            let told = entries(&tree).map(|it| (it.is_tree(), it.is_submodule()));
            assert_eq!(
                told.collect::<Vec<_>>(),
                [(is_tree, is_submodule)],
                "{mode}"
            );
        }
    }

    struct Table(HashMap<u8, Rc<[Kept]>>);

    impl Trees for Table {
        type Error = ();
        type Id = u8;
        type Name = &'static str;
        type Listing = Rc<[Kept]>;

        fn listing(&mut self, id: u8) -> Result<Rc<[Kept]>, ()> {
            self.0.get(&id).cloned().ok_or(())
        }

        fn path(&self, folder: &str, name: &&'static str) -> String {
            spelling::joined(folder, name)
        }
    }

    /// Name, id, whether it is a tree.
    type Row = (&'static str, u8, bool);

    fn table(rows: &[(u8, &[Row])]) -> Table {
        let entry = |it: &Row| Entry {
            name: it.0,
            id: it.1,
            is_tree: it.2,
        };
        Table(
            rows.iter()
                .map(|(tree, entries)| (*tree, entries.iter().map(entry).collect()))
                .collect(),
        )
    }

    fn found(table: &mut Table, tree: u8, parents: &[u8]) -> Vec<(String, u8, Vec<u8>)> {
        let mut out = Vec::new();
        arrivals(table, "", tree, parents, &mut out).unwrap();
        out.into_iter()
            .map(|it| (it.path, it.id, it.before))
            .collect()
    }

    #[test]
    fn only_what_no_parent_has_arrives() {
        let mut table = table(&[
            (1, &[("a", 11, false), ("d", 2, true)]),
            (2, &[("x", 12, false)]),
            (3, &[("a", 13, false), ("d", 2, true)]),
            (4, &[("a", 14, false), ("d", 5, true), ("d2", 2, true)]),
            (5, &[("x", 15, false)]),
        ]);
        assert_eq!(
            found(&mut table, 1, &[]),
            [("a".into(), 11, vec![]), ("d/x".into(), 12, vec![])]
        );
        assert_eq!(found(&mut table, 3, &[1]), [("a".into(), 13, vec![11])]);
        assert_eq!(found(&mut table, 1, &[3, 1]), []);
        assert_eq!(
            found(&mut table, 4, &[1, 3]),
            [
                ("a".into(), 14, vec![11, 13]),
                ("d/x".into(), 15, vec![12]),
                ("d2/x".into(), 12, vec![])
            ]
        );
    }

    #[test]
    fn malformed_trees_end_early() {
        let mut bytes = b"100644 a\0".to_vec();
        bytes.extend([1; 20]);
        bytes.extend(b"40000 d\0");
        bytes.extend([2; 20]);
        let read = |it: &[u8]| {
            entries(it)
                .map(|it| (it.name.to_vec(), it.is_tree()))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            read(&bytes),
            [(b"a".to_vec(), false), (b"d".to_vec(), true)]
        );
        assert_eq!(read(&bytes[..bytes.len() - 1]).len(), 1);
        assert_eq!(read(b"100644 a").len(), 0);
        assert_eq!(read(b"nonsense without end").len(), 0);
    }
}
