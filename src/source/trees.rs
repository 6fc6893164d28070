//! One pass over every tree: which have something flagged below them, which names stand in them, and what
//! they name that is not there.
//!
//! Not here: paths and commits. A tree stored as a delta is asked for its names only where it differs
//! from its base: an entry that is copied whole was met there.

use crate::model::blob::{Blob, ObjectId};
use crate::model::coverage::Gap;
use crate::model::delta::Edit;
use crate::model::origin::OriginKind;
use crate::source::commits::RawId;
use crate::source::compare::{self, RawEntry};
use crate::source::digest::Digest;
use crate::source::missing::TOLD;
use crate::source::objects::{Elsewhere, Objects, Visit};
use crate::source::pack::Kind;
use crate::source::roster::Met;
use crate::source::{Future, Kept, Sink, spelling};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

/// Reads every object of some types.
pub(crate) type Each<'a> = dyn Fn(&'static [Kind], &dyn Visit) + 'a;

/// Edges from trees to the trees above them are kept up to this many (32 MiB); beyond it the trees are
/// read again until no new flag rises.
const EDGES: usize = 4 << 20;

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
    fn insert(&mut self, prefix: u32) -> bool {
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

/// Prefixes of every flagged object and every tree with a flagged one somewhere below it.
pub(crate) fn marks<'f>(
    each: &Each<'_>,
    flagged: impl Iterator<Item = &'f ObjectId>,
    news: Option<&News<'_>>,
) -> Marks {
    let mut marks = Marks::default();
    for id in flagged {
        marks.insert(compare::prefix(id.as_bytes()));
    }
    let mut keep_edges = true;
    loop {
        let finder = Finder {
            marks: &marks,
            keep_edges,
            news: news.filter(|_| keep_edges),
            found: Mutex::default(),
        };
        each(&[Kind::Tree], &finder);
        let mut found = finder
            .found
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let mut rose = false;
        let mut stack: Vec<u32> = found
            .trees
            .into_iter()
            .filter(|it| marks.insert(*it))
            .collect();
        found.edges.sort_unstable();
        while let Some(child) = stack.pop() {
            rose = true;
            let start = found.edges.partition_point(|it| it.0 < child);
            let above = found.edges[start..].iter().take_while(|it| it.0 == child);
            stack.extend(above.filter(|it| marks.insert(it.1)).map(|it| it.1));
        }
        if let Some(news) = news {
            for prefix in news.live() {
                marks.insert(prefix);
            }
        }
        if !rose || (keep_edges && found.edges.len() < EDGES) {
            return marks;
        }
        keep_edges = false;
    }
}

#[derive(Default)]
struct Found {
    trees: Vec<u32>,
    /// (tree, tree above it)
    edges: Vec<(u32, u32)>,
}

/// Finds trees that name something marked.
struct Finder<'a> {
    marks: &'a Marks,
    keep_edges: bool,
    news: Option<&'a News<'a>>,
    found: Mutex<Found>,
}

impl Finder<'_> {
    fn look(&self, id: ObjectId, bytes: &[u8], edit: Option<&Edit>) {
        let own = compare::prefix(id.as_bytes());
        let mut hit = false;
        let mut edges = Vec::new();
        let mut copied = Copied::of(edit);
        if let Some(news) = self.news {
            news.state().met.meet(news.digest, &id);
        }
        for entry in compare::entries(bytes) {
            let prefix = entry.prefix();
            hit |= self.marks.contains(prefix);
            if self.keep_edges && entry.is_tree() {
                edges.push((prefix, own));
            }
            if let Some(news) = self.news {
                let next = copied.next(&entry);
                if next == Next::New {
                    news.name(entry.name);
                }
                hit |= match next {
                    Next::Copied => news.recalls(prefix),
                    Next::Renewed | Next::New => news.is_absent(&entry),
                };
            }
        }
        if hit || !edges.is_empty() {
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            if hit {
                found.trees.push(own);
            }
            let room = EDGES - found.edges.len();
            found.edges.extend(edges.into_iter().take(room));
        }
    }
}

impl Visit for Finder<'_> {
    fn object(&self, id: ObjectId, bytes: &[u8]) {
        self.look(id, bytes, None);
    }

    fn chained(
        &self,
        id: ObjectId,
        bytes: &[u8],
        base: Option<(&Edit, &Kept)>,
        future: Future,
    ) -> Option<Kept> {
        self.look(id, bytes, base.map(|it| it.0));
        // That it was looked at is all there is to keep.
        (future == Future::Base).then(|| Kept {
            state: Box::new(()),
            size: 0,
        })
    }

    fn failed(&self, gap: Gap) {
        if let Some(news) = self.news {
            news.state().gaps.push(gap);
        }
    }
}

/// Tells which entries of a tree, in their order, are copied from its base.
struct Copied<'a> {
    gaps: Option<&'a [(usize, usize)]>,
    at: usize,
}

impl<'a> Copied<'a> {
    fn of(edit: Option<&'a Edit>) -> Self {
        Self {
            gaps: edit.map(Edit::gaps),
            at: 0,
        }
    }

    /// How the next entry comes about.
    #[inline]
    fn next(&mut self, entry: &RawEntry<'_>) -> Next {
        let Some(mut gaps) = self.gaps else {
            return Next::New;
        };
        let (start, end) = (self.at, self.at + entry.length());
        self.at = end;
        while gaps.first().is_some_and(|it| it.1 <= start) {
            gaps = &gaps[1..];
        }
        self.gaps = Some(gaps);
        match gaps.first() {
            Some(gap) if gap.0 < end - entry.id.len() => Next::New,
            Some(gap) if gap.0 < end => Next::Renewed,
            _ => Next::Copied,
        }
    }
}

/// An entry of a tree, seen from the tree's base.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Next {
    /// Copied whole.
    Copied,
    /// The name is copied, the id is not, or not whole.
    Renewed,
    /// Nothing is known of it.
    New,
}

/// Log2 of the bits in front of what is absent: 8 KiB, as that is little.
const NEWS: u32 = 16;
/// A shorter name holds no secret that a rule would tell from a word.
const SHORTEST: usize = 10;
/// Names remembered as handed out; beyond, some are handed out again.
const NAMES: usize = 4 << 20;

/// What trees tell beside what is flagged.
pub(crate) struct News<'a> {
    objects: &'a Objects,
    /// Loose objects.
    loose: HashSet<ObjectId>,
    sink: &'a dyn Sink,
    digest: &'a Digest,
    /// Prefixes of what is absent: trees that name it by a copied entry have it below them too. Whoever
    /// copies an entry is read after the tree it is copied from.
    live: RwLock<HashSet<u32>>,
    /// A bit for the first bits of each of these, which answers nearly every question without a lock.
    front: Vec<AtomicU64>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    met: Met,
    absent: HashMap<RawId, Kind>,
    gaps: Vec<Gap>,
}

impl<'a> News<'a> {
    /// After what was met before.
    pub(crate) fn new(
        objects: &'a Objects,
        sink: &'a dyn Sink,
        digest: &'a Digest,
        met: Met,
    ) -> Self {
        Self {
            objects,
            loose: objects.loose(),
            sink,
            digest,
            live: RwLock::default(),
            front: (0..1 << (NEWS - 6)).map(|_| AtomicU64::new(0)).collect(),
            state: Mutex::new(State {
                met,
                ..State::default()
            }),
        }
    }

    /// What trees name that is not there, and trees that could not be read.
    /// The trees that were met and the names that were handed out come first.
    pub(crate) fn finish(self) -> (Met, HashMap<RawId, Kind>, Vec<Gap>) {
        let state = self
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        (state.met, state.absent, state.gaps)
    }

    /// Whether an object lies in a pack or loose.
    pub(crate) fn has(&self, id: &ObjectId) -> bool {
        self.objects.is_packed(id) || self.loose.contains(id)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn live(&self) -> HashSet<u32> {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        live.clone()
    }

    /// Whether something with this prefix was found to be absent.
    #[inline]
    fn recalls(&self, prefix: u32) -> bool {
        let bit = prefix >> (32 - NEWS);
        let word = self.front[(bit / 64) as usize].load(Ordering::Relaxed);
        word >> (bit % 64) & 1 == 1 && {
            let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
            live.contains(&prefix)
        }
    }

    /// Whether what an entry names is absent.
    fn is_absent(&self, entry: &RawEntry<'_>) -> bool {
        let id = ObjectId::from_bytes(entry.id).filter(|_| !entry.is_submodule());
        let (Some(id), Some(raw)) = (id, entry.id.first_chunk()) else {
            return false;
        };
        if self.has(&id) {
            return false;
        }
        let kind = if entry.is_tree() {
            Kind::Tree
        } else {
            Kind::Blob
        };
        let mut state = self.state();
        state.absent.insert(*raw, kind);
        if state.absent.len() <= TOLD {
            let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
            live.insert(entry.prefix());
            let bit = entry.prefix() >> (32 - NEWS);
            self.front[(bit / 64) as usize].fetch_or(1 << (bit % 64), Ordering::Relaxed);
        }
        true
    }

    /// Hands out a name that comes for the first time.
    fn name(&self, name: &[u8]) {
        if name.len() < SHORTEST {
            return;
        }
        let hash = self.digest.of(name);
        {
            let met = &mut self.state().met;
            if !met.texts.insert(hash) {
                return;
            }
            if met.texts.len() > NAMES {
                met.texts.clear();
                met.is_cut = true;
            }
        }
        let blob = Blob {
            bytes: &spelling::without_ending(name),
            path: &spelling::text(name),
            id: None,
        };
        self.sink.beside(OriginKind::FileName, blob);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_copied_if_it_lies_within_one_copied_range() {
        // Entries of 30 bytes: mode and blank, two letters, NUL, id.
        let mut tree = Vec::new();
        for name in [b"aa", b"bb", b"cc", b"dd"] {
            tree.extend(b"100644 ");
            tree.extend(name);
            tree.push(0);
            tree.extend([7; 20]);
        }
        let told = |edit: Option<&Edit>| {
            let mut copied = Copied::of(edit);
            compare::entries(&tree)
                .map(|it| copied.next(&it))
                .collect::<Vec<_>>()
        };
        let mut edit = Edit::default();
        edit.reset(200);
        edit.copy(0, 30);
        edit.copy(40, 15);
        edit.insert(15);
        edit.insert(5);
        edit.copy(70, 55);
        edit.finish();
        assert_eq!(
            told(Some(&edit)),
            [Next::Copied, Next::Renewed, Next::New, Next::Copied]
        );
        // A seam is as good as an insertion.
        edit.reset(200);
        edit.copy(0, 33);
        edit.copy(90, 87);
        assert_eq!(
            told(Some(&edit)),
            [Next::Copied, Next::New, Next::Copied, Next::Copied]
        );
        assert_eq!(told(None), [Next::New; 4]);
    }
}
