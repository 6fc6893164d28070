//! Where flagged blobs came from: each path they had, and the commit that brought them there.
//!
//! Not here: how objects are read. Trees are enumerated once in pack order; flags rise from blobs to the
//! trees above them; then one pass over commits goes down only where flagged trees differ.

use crate::model::blob::ObjectId;
use crate::model::coverage::Gap;
use crate::model::origin::{Introduction, Origin, OriginKind};
use crate::source::commits::{Commit, Commits, Gatherer};
use crate::source::compare::{self, Entry, Listing, Trees, arrivals};
use crate::source::error::Error;
use crate::source::objects::Visit;
use crate::source::pack::Kind;
use crate::source::spelling;
use git2::{Oid, Repository};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
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
        listings: Mutex::default(),
    };
    each(Kind::Tree, &collector);
    let (listings, mut gaps) = collector
        .listings
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let gatherer = Gatherer::default();
    each(Kind::Commit, &gatherer);
    let (commits, lost) = gatherer.finish(repository);
    gaps.extend(lost);
    let listings = listings
        .into_iter()
        .map(|(id, it)| (id, Rc::from(it)))
        .collect();
    let mut search = Search {
        trees: Known(listings),
        commits: &commits,
        best: HashMap::new(),
    };
    search.all(&marks);
    let in_head = search.in_head(repository);
    let best = search.best;
    let mut by_blob = written(repository, best, &in_head);
    add_homeless(repository, flagged, &mut by_blob);
    by_blob.values_mut().for_each(|it| it.sort());
    gaps.sort();
    gaps.dedup();
    Ok(Origins { by_blob, gaps })
}

/// Edges from trees to the trees above them are kept up to this many (128 MB); beyond it the trees are
/// read again until no new flag rises.
const EDGES: usize = 8 << 20;

/// Prefixes of ids, with a bitmap in front that answers most questions.
#[derive(Default)]
struct Marks {
    bits: Vec<u64>,
    set: HashSet<u64>,
}

impl Marks {
    fn insert(&mut self, prefix: u64) -> bool {
        self.bits.resize(1024, 0);
        self.bits[(prefix >> 54) as usize] |= 1 << (prefix >> 48 & 63);
        self.set.insert(prefix)
    }

    #[inline]
    fn contains(&self, prefix: u64) -> bool {
        self.bits
            .get((prefix >> 54) as usize)
            .is_some_and(|it| it >> (prefix >> 48 & 63) & 1 == 1)
            && self.set.contains(&prefix)
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
        let mut stack: Vec<u64> = found
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
    trees: Vec<u64>,
    /// (tree, tree above it)
    edges: Vec<(u64, u64)>,
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

/// Entries by tree, and the trees that could not be read.
type Kept = (HashMap<ObjectId, Vec<Entry>>, Vec<Gap>);

/// Keeps the flagged entries of flagged trees.
struct Collector<'a> {
    blobs: &'a HashSet<ObjectId>,
    marks: &'a Marks,
    listings: Mutex<Kept>,
}

impl Visit for Collector<'_> {
    fn chooses(&self) -> bool {
        true
    }

    fn wants(&self, id: &ObjectId) -> bool {
        self.marks.contains(compare::prefix(id.as_bytes()))
    }

    fn object(&self, id: ObjectId, bytes: &[u8]) {
        let kept = compare::entries(bytes)
            .filter(|it| !it.is_submodule() && self.marks.contains(it.prefix()));
        let kept: Vec<Entry> = kept
            .filter_map(|it| {
                Some(Entry {
                    name: it.name.into(),
                    id: ObjectId::from_bytes(it.id)?,
                    is_tree: it.is_tree(),
                })
            })
            .filter(|it| it.is_tree || self.blobs.contains(&it.id))
            .collect();
        self.listings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .insert(id, kept);
    }

    fn failed(&self, gap: Gap) {
        self.listings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .1
            .push(gap);
    }
}

/// Listings by tree; a tree that is not flagged has none, and counts as empty.
struct Known(HashMap<ObjectId, Rc<Listing>>);

impl Trees for Known {
    type Error = std::convert::Infallible;

    fn listing(&mut self, id: &ObjectId) -> Result<Rc<Listing>, Self::Error> {
        Ok(self.0.get(id).cloned().unwrap_or_else(|| Rc::new([])))
    }
}

/// The commit chosen for a blob at a path: one that refs reach before one they do not, then the earliest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Choice {
    unreachable: bool,
    seconds: i64,
    commit: ObjectId,
}

type Chosen = HashMap<(ObjectId, String), Choice>;

struct Search<'a> {
    trees: Known,
    commits: &'a Commits,
    best: Chosen,
}

impl Search<'_> {
    fn all(&mut self, marks: &Marks) {
        for commit in &self.commits.all {
            let flagged = |it: &Commit| {
                it.tree()
                    .filter(|it| marks.contains(compare::prefix(it.as_bytes())))
            };
            let (Some(id), Some(tree)) = (commit.id(), flagged(commit)) else {
                continue;
            };
            let parents: Vec<ObjectId> = self
                .commits
                .parents(commit)
                .filter_map(|at| flagged(&self.commits.all[at]))
                .collect();
            let choice = Choice {
                unreachable: !commit.reachable,
                seconds: commit.seconds,
                commit: id,
            };
            for (blob, path) in self.below(&tree, &parents) {
                let best = self.best.entry((blob, path)).or_insert(choice);
                *best = choice.min(*best);
            }
        }
    }

    fn below(&mut self, tree: &ObjectId, parents: &[ObjectId]) -> Vec<(ObjectId, String)> {
        let mut found = Vec::new();
        let Ok(()) = arrivals(&mut self.trees, "", tree, parents, &mut found);
        found.into_iter().map(|it| (it.id, it.path)).collect()
    }

    /// Flagged blobs with their paths in HEAD.
    fn in_head(&mut self, repository: &Repository) -> HashSet<(ObjectId, String)> {
        let tree = repository.head().and_then(|it| it.peel_to_tree()).ok();
        let tree = tree.and_then(|it| ObjectId::from_bytes(it.id().as_bytes()));
        tree.map(|it| self.below(&it, &[]).into_iter().collect())
            .unwrap_or_default()
    }
}

fn written(
    repository: &Repository,
    best: Chosen,
    in_head: &HashSet<(ObjectId, String)>,
) -> HashMap<ObjectId, Vec<Origin>> {
    let mut authors = Authors::new(repository);
    let mut by_blob: HashMap<ObjectId, Vec<Origin>> = HashMap::new();
    for (place, choice) in best {
        let introduced = Introduction {
            seconds: choice.seconds,
            commit: choice.commit.to_string(),
            author: authors.name(&choice.commit),
        };
        by_blob.entry(place.0).or_default().push(Origin {
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
