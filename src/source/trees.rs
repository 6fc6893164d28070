//! Passes over every tree with one question: which have something flagged below them, or one of some names.
//!
//! Not here: paths and commits, and the pass that answers most questions at once (see `sketch`).

use crate::model::blob::ObjectId;
use crate::model::coverage::Gap;
use crate::source::compare;
use crate::source::news::SHORTEST;
use crate::source::objects::{Elsewhere, Visit};
use crate::source::pack::Kind;
use crate::source::spelling;
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Reads every object of some types.
pub(crate) type Each<'a> = dyn Fn(&'static [Kind], &dyn Visit) + 'a;

/// Log2 of the bits in front of the set: 128 KiB answer most questions.
const FRONT: u32 = 20;

/// The first four bytes of ids. Two ids may share them: then one more tree is looked into, and nothing
/// else changes, since everything that is kept is compared in full.
pub(crate) struct Marks {
    front: Vec<u64>,
    set: HashSet<u32>,
}

impl Default for Marks {
    fn default() -> Self {
        Self {
            front: vec![0; 1 << (FRONT - 6)],
            set: HashSet::new(),
        }
    }
}

impl Marks {
    pub(crate) fn insert(&mut self, prefix: u32) -> bool {
        let bit = prefix >> (32 - FRONT);
        self.front[(bit / 64) as usize] |= 1 << (bit % 64);
        self.set.insert(prefix)
    }

    #[inline]
    pub(crate) fn contains(&self, prefix: u32) -> bool {
        let bit = prefix >> (32 - FRONT);
        self.front[(bit / 64) as usize] >> (bit % 64) & 1 == 1 && self.set.contains(&prefix)
    }
}

/// Prefixes of every flagged object and every tree with a flagged one somewhere below it: they rise by a level
/// with each pass over the trees.
pub(crate) fn marks<'f>(each: &Each<'_>, flagged: impl Iterator<Item = &'f ObjectId>) -> Marks {
    let mut marks = Marks::default();
    for id in flagged {
        marks.insert(compare::prefix(id.as_bytes()));
    }
    loop {
        let finder = Finder {
            marks: &marks,
            found: Mutex::default(),
        };
        each(&[Kind::Tree], &finder);
        let found = finder.found.into_inner();
        let found = found.unwrap_or_else(PoisonError::into_inner);
        let new = found.into_iter().filter(|it| marks.insert(*it));
        if new.count() == 0 {
            return marks;
        }
    }
}

/// Finds trees that name something marked.
struct Finder<'a> {
    marks: &'a Marks,
    found: Mutex<Vec<u32>>,
}

impl Visit for Finder<'_> {
    fn object(&self, id: ObjectId, bytes: &[u8]) {
        let own = compare::prefix(id.as_bytes());
        if !self.marks.contains(own)
            && compare::entries(bytes).any(|it| self.marks.contains(it.prefix()))
        {
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            found.push(own);
        }
    }

    fn failed(&self, _gap: Gap) {
        // Met and told by the first pass.
    }
}

/// What bears one of some names.
pub(crate) struct Bearers<'a> {
    names: &'a HashSet<&'a str>,
    found: Mutex<HashSet<(ObjectId, bool)>>,
}

impl<'a> Bearers<'a> {
    /// Entries with these names: each id, and whether it is a tree.
    pub(crate) fn of(each: &Each<'_>, names: &'a HashSet<&'a str>) -> Vec<(ObjectId, bool)> {
        let bearers = Self {
            names,
            found: Mutex::default(),
        };
        each(&[Kind::Tree], &bearers);
        let found = bearers
            .found
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<_> = found.into_iter().collect();
        found.sort_unstable();
        found
    }
}

impl Visit for Bearers<'_> {
    fn object(&self, _id: ObjectId, bytes: &[u8]) {
        let long = compare::entries(bytes).filter(|it| it.name.len() >= SHORTEST);
        for entry in long.filter(|it| !it.is_submodule()) {
            if self.names.contains(&*spelling::text(entry.name))
                && let Some(id) = ObjectId::from_bytes(entry.id)
            {
                let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
                found.insert((id, entry.is_tree()));
            }
        }
    }

    fn failed(&self, _gap: Gap) {
        // Met and told by the first pass.
    }
}

/// Folders within a folder that are looked into for a blob.
const DEEPEST: usize = 64;

/// A blob somewhere below a tree.
pub(crate) fn first_blob(object: &Elsewhere<'_>, tree: ObjectId) -> Option<ObjectId> {
    let mut stack = vec![(tree, 0)];
    while let Some((tree, depth)) = stack.pop() {
        let Some((Kind::Tree, bytes)) = object(&tree) else {
            continue;
        };
        for entry in compare::entries(&bytes).filter(|it| !it.is_submodule()) {
            match ObjectId::from_bytes(entry.id) {
                Some(id) if entry.is_tree() && depth < DEEPEST => stack.push((id, depth + 1)),
                Some(id) if !entry.is_tree() => return Some(id),
                _ => {}
            }
        }
    }
    None
}
