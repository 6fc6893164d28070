//! Tree objects: their entries, and what a tree has that none of its parents' trees has.
//!
//! Not here: where trees come from, and commits.

use crate::model::blob::ObjectId;
use crate::source::spelling;
use std::collections::HashMap;

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
        matches!(self.mode, b"40000" | b"040000")
    }

    pub(crate) fn is_submodule(&self) -> bool {
        self.mode == b"160000"
    }

    /// The mode as a number.
    pub(crate) fn mode(&self) -> Option<u32> {
        u32::from_str_radix(std::str::from_utf8(self.mode).ok()?, 8).ok()
    }

    /// The first bytes of the id: ids are evenly spread, so they serve as a hash.
    pub(crate) fn prefix(&self) -> u64 {
        prefix(self.id)
    }
}

/// The first eight bytes of an id.
pub(crate) fn prefix(id: &[u8]) -> u64 {
    id.first_chunk().map_or(0, |it| u64::from_be_bytes(*it))
}

/// The entries of a tree object; ends at the first malformed one.
pub(crate) fn entries(mut rest: &[u8]) -> impl Iterator<Item = RawEntry<'_>> {
    std::iter::from_fn(move || {
        let blank = rest.iter().take(8).position(|it| *it == b' ')?;
        let (mode, tail) = (&rest[..blank], &rest[blank + 1..]);
        let nul = memchr::memchr(0, tail)?;
        let (id, after) = tail[nul + 1..].split_at_checked(20)?;
        rest = after;
        Some(RawEntry {
            mode,
            name: &tail[..nul],
            id,
        })
    })
}

/// An entry kept for comparison.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Entry {
    pub(crate) name: Box<[u8]>,
    pub(crate) id: ObjectId,
    pub(crate) is_tree: bool,
}

/// The entries of interest of a tree. An entry that a listing leaves out counts as not there.
pub(crate) type Listing = [Entry];

/// A blob that is at a path in a tree and in none of its parents' trees.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Arrival {
    pub(crate) path: String,
    pub(crate) id: ObjectId,
    /// What the parents have at this path.
    pub(crate) before: Vec<ObjectId>,
}

/// Looks trees up by id.
pub(crate) trait Trees {
    type Error;
    /// The entries of a tree.
    fn listing(&mut self, id: &ObjectId) -> Result<std::rc::Rc<Listing>, Self::Error>;
}

/// Blobs that arrive with `tree` given its parents' trees; paths start with `folder`.
pub(crate) fn arrivals<T: Trees>(
    trees: &mut T,
    folder: &str,
    tree: &ObjectId,
    parents: &[ObjectId],
    out: &mut Vec<Arrival>,
) -> Result<(), T::Error> {
    if parents.contains(tree) {
        return Ok(());
    }
    let listing = trees.listing(tree)?;
    let mut others = Vec::with_capacity(parents.len());
    for parent in parents {
        others.push(trees.listing(parent)?);
    }
    let others: Vec<Lookup<'_>> = others.iter().map(|it| Lookup::of(it)).collect();
    for entry in listing.iter() {
        let same: Vec<&Entry> = others
            .iter()
            .filter_map(|it| it.find(&entry.name))
            .collect();
        if same
            .iter()
            .any(|it| it.id == entry.id && it.is_tree == entry.is_tree)
        {
            continue;
        }
        let path = spelling::joined(folder, &spelling::text(&entry.name));
        let mut before: Vec<ObjectId> = same
            .iter()
            .filter(|it| it.is_tree == entry.is_tree)
            .map(|it| it.id)
            .collect();
        before.sort_unstable();
        before.dedup();
        if entry.is_tree {
            arrivals(trees, &path, &entry.id, &before, out)?;
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
enum Lookup<'a> {
    Few(&'a Listing),
    Many(HashMap<&'a [u8], &'a Entry>),
}

impl<'a> Lookup<'a> {
    fn of(listing: &'a Listing) -> Self {
        if listing.len() <= 16 {
            return Self::Few(listing);
        }
        Self::Many(listing.iter().map(|it| (&*it.name, it)).collect())
    }

    fn find(&self, name: &[u8]) -> Option<&'a Entry> {
        match self {
            Self::Few(listing) => listing.iter().find(|it| &*it.name == name),
            Self::Many(table) => table.get(name).copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    fn id(byte: u8) -> ObjectId {
        ObjectId::from_bytes(&[byte; 20]).unwrap()
    }

    struct Table(HashMap<ObjectId, Rc<Listing>>);

    impl Trees for Table {
        type Error = ();
        fn listing(&mut self, id: &ObjectId) -> Result<Rc<Listing>, ()> {
            self.0.get(id).cloned().ok_or(())
        }
    }

    /// Name, id, whether it is a tree.
    type Row<'a> = (&'a str, u8, bool);

    fn table(rows: &[(u8, &[Row<'_>])]) -> Table {
        let entry = |it: &Row<'_>| Entry {
            name: it.0.as_bytes().into(),
            id: id(it.1),
            is_tree: it.2,
        };
        Table(
            rows.iter()
                .map(|(tree, entries)| (id(*tree), entries.iter().map(entry).collect()))
                .collect(),
        )
    }

    fn found(
        table: &mut Table,
        tree: u8,
        parents: &[u8],
    ) -> Vec<(String, ObjectId, Vec<ObjectId>)> {
        let mut out = Vec::new();
        let parents: Vec<_> = parents.iter().map(|it| id(*it)).collect();
        arrivals(table, "", &id(tree), &parents, &mut out).unwrap();
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
            [("a".into(), id(11), vec![]), ("d/x".into(), id(12), vec![])]
        );
        assert_eq!(
            found(&mut table, 3, &[1]),
            [("a".into(), id(13), vec![id(11)])]
        );
        assert_eq!(found(&mut table, 1, &[3, 1]), []);
        assert_eq!(
            found(&mut table, 4, &[1, 3]),
            [
                ("a".into(), id(14), vec![id(11), id(13)]),
                ("d/x".into(), id(15), vec![id(12)]),
                ("d2/x".into(), id(12), vec![])
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
