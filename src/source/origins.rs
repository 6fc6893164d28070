//! Where flagged blobs came from: each path they had, and the commit that brought them there.
//!
//! Not here: how objects are read. Trees are enumerated once in pack order; flags rise from blobs to the
//! trees above them; then one pass over commits goes down only where flagged trees differ.

use crate::model::blob::ObjectId;
use crate::model::coverage::Gap;
use crate::model::origin::{Introduction, Origin, OriginKind};
use crate::source::commits::{Commit, Commits, Gatherer};
use crate::source::compare::{self, Entry, Trees, arrivals};
use crate::source::error::Error;
use crate::source::objects::Visit;
use crate::source::pack::Kind;
use crate::source::spelling;
use git2::{Oid, Repository};
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

/// The origins of flagged blobs.
#[derive(Debug, Default)]
pub struct Origins {
    /// Sorted; at least one for each flagged blob.
    pub by_blob: HashMap<ObjectId, Vec<Origin>>,
    /// Trees and commits that could not be read, so that origins may be missing.
    pub gaps: Vec<Gap>,
}

/// Reads every object of a type.
pub(crate) type Each<'a> = dyn Fn(Kind, &dyn Visit) + 'a;

/// Finds the origins of the flagged blobs.
pub(crate) fn find(
    repository: &Repository,
    each: &Each<'_>,
    flagged: &HashSet<ObjectId>,
) -> Result<Origins, Error> {
    let marks = flagged_trees(each, flagged);
    let collector = Collector {
        blobs: flagged,
        marks: &marks,
        kept: Mutex::default(),
    };
    each(Kind::Tree, &collector);
    let (table, mut gaps) = collector
        .kept
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let gatherer = Gatherer::default();
    each(Kind::Commit, &gatherer);
    let (commits, lost) = gatherer.finish(repository);
    gaps.extend(lost);
    drop(marks);
    let mut search = Search {
        table: &table,
        commits: &commits,
        best: HashMap::new(),
    };
    search.all();
    let in_head = search.in_head(repository);
    let best = search.best;
    let mut by_blob = written(repository, best, &in_head, &table);
    add_homeless(repository, flagged, &mut by_blob);
    by_blob.values_mut().for_each(|it| it.sort());
    gaps.sort();
    gaps.dedup();
    Ok(Origins { by_blob, gaps })
}

/// Edges from trees to the trees above them are kept up to this many (32 MiB); beyond it the trees are
/// read again until no new flag rises.
const EDGES: usize = 4 << 20;

/// Log2 of the bits in front of the set: 128 KiB answer most questions.
const FRONT: u32 = 20;

/// The first four bytes of ids. Two ids may share them: then one more tree is looked into, and nothing
/// else changes, since everything that is kept is compared in full.
struct Marks {
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
    fn contains(&self, prefix: u32) -> bool {
        let bit = prefix >> (32 - FRONT);
        self.front[(bit / 64) as usize] >> (bit % 64) & 1 == 1 && self.set.contains(&prefix)
    }
}

/// Prefixes of every flagged blob and every tree with a flagged blob somewhere below it.
fn flagged_trees(each: &Each<'_>, flagged: &HashSet<ObjectId>) -> Marks {
    let mut marks = Marks::default();
    for id in flagged {
        marks.insert(compare::prefix(id.as_bytes()));
    }
    let mut keep_edges = true;
    loop {
        let finder = Finder {
            marks: &marks,
            keep_edges,
            found: Mutex::default(),
        };
        each(Kind::Tree, &finder);
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
    found: Mutex<Found>,
}

impl Visit for Finder<'_> {
    fn object(&self, id: ObjectId, bytes: &[u8]) {
        let own = compare::prefix(id.as_bytes());
        let mut hit = false;
        let mut edges = Vec::new();
        for entry in compare::entries(bytes) {
            let prefix = entry.prefix();
            hit |= self.marks.contains(prefix);
            if self.keep_edges && entry.is_tree() {
                edges.push((prefix, own));
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

    fn failed(&self, _gap: Gap) {
        // The collector meets the same failure and reports it.
    }
}

/// Everything kept of flagged trees: ids and names as numbers, since a large history has millions of
/// entries and few names.
#[derive(Default)]
struct Table {
    numbers: HashMap<ObjectId, u32>,
    ids: Vec<ObjectId>,
    name_numbers: HashMap<Box<[u8]>, u32>,
    names: Vec<String>,
    /// By the number of a tree: its part of `entries`.
    ranges: HashMap<u32, (u32, u32)>,
    entries: Vec<Entry<u32, u32>>,
}

impl Table {
    fn number(&mut self, id: ObjectId) -> u32 {
        let next = self.ids.len() as u32;
        let number = *self.numbers.entry(id).or_insert(next);
        if number == next {
            self.ids.push(id);
        }
        number
    }

    fn name(&mut self, name: &[u8]) -> u32 {
        if let Some(number) = self.name_numbers.get(name) {
            return *number;
        }
        let number = self.names.len() as u32;
        self.names.push(spelling::text(name).into_owned());
        self.name_numbers.insert(name.into(), number);
        number
    }

    fn keep(&mut self, tree: ObjectId, kept: &[(&[u8], ObjectId, bool)]) {
        let start = self.entries.len() as u32;
        for (name, id, is_tree) in kept {
            let entry = Entry {
                name: self.name(name),
                id: self.number(*id),
                is_tree: *is_tree,
            };
            self.entries.push(entry);
        }
        let tree = self.number(tree);
        self.ranges.insert(tree, (start, self.entries.len() as u32));
    }
}

/// Keeps the flagged entries of flagged trees.
struct Collector<'a> {
    blobs: &'a HashSet<ObjectId>,
    marks: &'a Marks,
    kept: Mutex<(Table, Vec<Gap>)>,
}

impl Visit for Collector<'_> {
    fn chooses(&self) -> bool {
        true
    }

    fn wants(&self, id: &ObjectId) -> bool {
        self.marks.contains(compare::prefix(id.as_bytes()))
    }

    fn object(&self, id: ObjectId, bytes: &[u8]) {
        let flagged = compare::entries(bytes)
            .filter(|it| !it.is_submodule() && self.marks.contains(it.prefix()));
        let kept: Vec<(&[u8], ObjectId, bool)> = flagged
            .filter_map(|it| Some((it.name, ObjectId::from_bytes(it.id)?, it.is_tree())))
            .filter(|(_, id, is_tree)| *is_tree || self.blobs.contains(id))
            .collect();
        if !kept.is_empty() {
            let mut guard = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            guard.0.keep(id, &kept);
        }
    }

    fn failed(&self, gap: Gap) {
        let mut guard = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        guard.1.push(gap);
    }
}

/// A tree without flagged entries has no range, and counts as empty.
struct Known<'a>(&'a Table);

impl<'a> Trees for Known<'a> {
    type Error = std::convert::Infallible;
    type Id = u32;
    type Name = u32;
    type Listing = &'a [Entry<u32, u32>];

    fn listing(&mut self, id: u32) -> Result<Self::Listing, Self::Error> {
        let range = self.0.ranges.get(&id);
        Ok(range.map_or(&[], |(start, end)| {
            &self.0.entries[*start as usize..*end as usize]
        }))
    }

    fn path(&self, folder: &str, name: &u32) -> String {
        spelling::joined(folder, &self.0.names[*name as usize])
    }
}

/// The commit chosen for a blob at a path: one that refs reach before one they do not, then the earliest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Choice {
    unreachable: bool,
    seconds: i64,
    commit: ObjectId,
}

/// By the number of a blob, and a path.
type Chosen = HashMap<(u32, String), Choice>;

struct Search<'a> {
    table: &'a Table,
    commits: &'a Commits,
    best: Chosen,
}

impl Search<'_> {
    fn all(&mut self) {
        let flagged = |it: &Commit| self.table.numbers.get(&it.tree()?).copied();
        for commit in &self.commits.all {
            let (Some(id), Some(tree)) = (commit.id(), flagged(commit)) else {
                continue;
            };
            let parents: Vec<u32> = self
                .commits
                .parents(commit)
                .filter_map(|at| flagged(&self.commits.all[at]))
                .collect();
            let choice = Choice {
                unreachable: !commit.reachable,
                seconds: commit.seconds,
                commit: id,
            };
            for place in below(self.table, tree, &parents) {
                let best = self.best.entry(place).or_insert(choice);
                *best = choice.min(*best);
            }
        }
    }

    /// Flagged blobs with their paths in HEAD.
    fn in_head(&self, repository: &Repository) -> HashSet<(u32, String)> {
        let tree = repository.head().and_then(|it| it.peel_to_tree()).ok();
        let tree = tree.and_then(|it| ObjectId::from_bytes(it.id().as_bytes()));
        let number = tree.and_then(|it| self.table.numbers.get(&it).copied());
        number.map_or_else(HashSet::new, |it| {
            below(self.table, it, &[]).into_iter().collect()
        })
    }
}

/// Flagged blobs that a tree has and none of the others, with their paths.
fn below(table: &Table, tree: u32, others: &[u32]) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    let Ok(()) = arrivals(&mut Known(table), "", tree, others, &mut found);
    found.into_iter().map(|it| (it.id, it.path)).collect()
}

fn written(
    repository: &Repository,
    best: Chosen,
    in_head: &HashSet<(u32, String)>,
    table: &Table,
) -> HashMap<ObjectId, Vec<Origin>> {
    let mut authors = Authors::new(repository);
    let mut by_blob: HashMap<ObjectId, Vec<Origin>> = HashMap::new();
    for (place, choice) in best {
        let introduced = Introduction {
            seconds: choice.seconds,
            commit: choice.commit.to_string(),
            author: authors.name(&choice.commit),
        };
        let blob = table.ids[place.0 as usize];
        by_blob.entry(blob).or_default().push(Origin {
            kind: OriginKind::History,
            in_head: in_head.contains(&place),
            path: place.1,
            repository: Some(".".to_owned()),
            introduced: Some(introduced),
            reachable: !choice.unreachable,
        });
    }
    by_blob
}

/// Names of authors, through the mail map.
struct Authors<'a> {
    repository: &'a Repository,
    mailmap: Option<git2::Mailmap>,
    known: HashMap<ObjectId, String>,
}

impl<'a> Authors<'a> {
    fn new(repository: &'a Repository) -> Self {
        Self {
            repository,
            mailmap: repository.mailmap().ok(),
            known: HashMap::new(),
        }
    }

    fn name(&mut self, commit: &ObjectId) -> String {
        if let Some(name) = self.known.get(commit) {
            return name.clone();
        }
        let name = self.looked_up(commit).unwrap_or_default();
        self.known.insert(*commit, name.clone());
        name
    }

    fn looked_up(&self, commit: &ObjectId) -> Option<String> {
        let commit = self
            .repository
            .find_commit(Oid::from_bytes(commit.as_bytes()).ok()?)
            .ok()?;
        Some(author_name(&commit, self.mailmap.as_ref()))
    }
}

/// The author's name, through a mail map if there is one.
pub(crate) fn author_name(commit: &git2::Commit<'_>, mailmap: Option<&git2::Mailmap>) -> String {
    let mapped = mailmap.and_then(|it| commit.author_with_mailmap(it).ok());
    let name = mapped
        .as_ref()
        .map(|it| spelling::text(it.name_bytes()).into_owned());
    name.unwrap_or_else(|| spelling::text(commit.author().name_bytes()).into_owned())
}

/// Gives an origin to blobs that no commit has: the index names some; a ref may point at one.
fn add_homeless(
    repository: &Repository,
    flagged: &HashSet<ObjectId>,
    by_blob: &mut HashMap<ObjectId, Vec<Origin>>,
) {
    let mut homeless: HashSet<ObjectId> = flagged
        .iter()
        .filter(|it| !by_blob.contains_key(it))
        .copied()
        .collect();
    if homeless.is_empty() {
        return;
    }
    let pointed = pointed_at(repository);
    for entry in repository.index().ok().iter().flat_map(|it| it.iter()) {
        let Some(id) = ObjectId::from_bytes(entry.id.as_bytes()) else {
            continue;
        };
        if homeless.contains(&id) {
            let origin = unborn(
                spelling::text(&entry.path).into_owned(),
                pointed.contains(&id),
            );
            by_blob.entry(id).or_default().push(origin);
        }
    }
    homeless.retain(|it| !by_blob.contains_key(it));
    for id in homeless {
        by_blob.insert(
            id,
            vec![unborn(format!("objects/{id}"), pointed.contains(&id))],
        );
    }
}

/// An origin without a commit.
fn unborn(path: String, reachable: bool) -> Origin {
    Origin {
        reachable,
        ..Origin::plain(OriginKind::History, &path, Some(".".to_owned()))
    }
}

/// Blobs that a ref or an annotated tag points at directly.
fn pointed_at(repository: &Repository) -> HashSet<ObjectId> {
    let references = repository.references().into_iter().flatten().flatten();
    let blobs = references.filter_map(|it| it.peel(git2::ObjectType::Blob).ok());
    blobs
        .filter_map(|it| ObjectId::from_bytes(it.id().as_bytes()))
        .collect()
}
