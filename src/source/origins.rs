//! Where flagged blobs came from: each path they had, and what happened there.
//!
//! Not here: how objects are read, and texts that are no blobs (see `asides`). Flags rise from blobs to the
//! trees above them; then one pass over commits goes down only where flagged trees differ (see `story`).

use crate::model::blob::ObjectId;
use crate::model::coverage::{Gap, Reason};
use crate::model::origin::{Milestone, Origin, OriginKind};
use crate::source::commits::{Commits, Gathered};
use crate::source::compare::{self, Entry};
use crate::source::fold::fold;
use crate::source::graph::{Graph, Reach};
use crate::source::holders::Holders;
use crate::source::lives::{Lives, Tips};
use crate::source::objects::Visit;
use crate::source::pack::Kind;
use crate::source::people::People;
use crate::source::refs::Refs;
use crate::source::spelling;
use crate::source::story::{Listings, NONE, Story};
use crate::source::trees::{Each, Marks};
use git2::Repository;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

/// What is looked for, and what is known already.
pub(crate) struct Question<'a> {
    pub(crate) flagged: &'a HashSet<ObjectId>,
    /// The flagged blobs and the trees above them.
    pub(crate) marks: &'a Marks,
    /// Trees that are named and not there: they are looked for as blobs are.
    pub(crate) absent: &'a HashSet<ObjectId>,
}

/// A blob at a path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Place {
    pub(crate) blob: ObjectId,
    pub(crate) path: String,
    /// The commit that brought it there.
    pub(crate) choice: Choice,
    /// Whether `HEAD` has it there.
    pub(crate) in_head: bool,
    /// Its number.
    pub(crate) number: u32,
}

/// Who looks on.
pub(crate) struct Witness<'a> {
    pub(crate) graph: &'a Graph<'a>,
    pub(crate) holders: &'a Holders,
    pub(crate) people: &'a People<'a>,
    /// The tree of `HEAD`, and the commit.
    pub(crate) head: [Option<ObjectId>; 2],
}

/// The flagged entries of flagged trees, and the trees that could not be read.
pub(crate) fn table(each: &Each<'_>, question: &Question<'_>) -> (Table, Vec<Gap>) {
    let collector = Collector {
        question,
        kept: Mutex::default(),
    };
    each(&[Kind::Tree], &collector);
    let (mut table, gaps) = collector
        .kept
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    fold(&mut table);
    (table, gaps)
}

/// Every place of the flagged blobs in commits, sorted, and their lives.
pub(crate) fn places(
    mut table: Table,
    witness: &Witness<'_>,
    gaps: &mut Vec<Gap>,
) -> (Vec<Place>, Lives) {
    let listings = table.listings();
    let graph = witness.graph;
    let roots: Vec<u32> = (0..graph.length())
        .map(|it| table.find(graph.commit(it).tree()))
        .collect();
    let story = Story::of(&listings, graph, &roots);
    if story.paths.is_full {
        gaps.push(Gap {
            path: ".".to_owned(),
            reason: Reason::LimitHit,
            detail: "too many paths: not every place of a finding is told".to_owned(),
        });
    }
    let root_of = |it: ObjectId| match graph.find(&it) {
        Some(age) => roots[age as usize],
        None => table.find(Some(it)),
    };
    let held = |targets: &[Option<ObjectId>]| {
        let trees = targets.iter().map(|it| it.map_or(NONE, root_of));
        story.held(&listings, &trees.collect::<Vec<u32>>())
    };
    let [tree, commit] = witness.head;
    let tips = Tips {
        holders: witness.holders,
        head: commit.and_then(|it| graph.find(&it)).into_iter().collect(),
        in_head: held(&[tree]).into_keys().collect(),
        held: witness.holders.held(story.places.len(), held),
    };
    let texts: Vec<(ObjectId, String)> = story
        .places
        .iter()
        .map(|(path, blob)| {
            let path = story.paths.text(*path, &table.names);
            (table.ids[*blob as usize], path)
        })
        .collect();
    drop(listings);
    let lives = Lives::of(story, graph, tips, witness.people);
    let places = (0..).zip(texts).filter_map(|(number, (blob, path))| {
        Some(Place {
            blob,
            path,
            choice: lives.choice(number)?,
            in_head: lives.is_in_head(number),
            number,
        })
    });
    let mut places: Vec<Place> = places.collect();
    places.sort_unstable();
    (places, lives)
}

/// Everything kept of flagged trees: ids and names as numbers, since a large history has millions of
/// entries and few names.
#[derive(Default)]
pub(crate) struct Table {
    /// Trees that hold the same have one number.
    pub(crate) numbers: HashMap<ObjectId, u32>,
    pub(crate) ids: Vec<ObjectId>,
    name_numbers: HashMap<Box<[u8]>, u32>,
    pub(crate) names: Vec<String>,
    /// By the number of a tree: its part of `entries`.
    pub(crate) ranges: HashMap<u32, (u32, u32)>,
    pub(crate) entries: Vec<Entry<u32, u32>>,
}

impl Table {
    /// Makes one that was recalled ready to grow.
    pub(crate) fn reopen(&mut self) {
        for (number, id) in (0..).zip(&self.ids) {
            self.numbers.entry(*id).or_insert(number);
        }
        let names = (0..).zip(&self.names);
        let numbers = names.map(|(number, name)| (name.as_bytes().into(), number));
        self.name_numbers = numbers.collect();
    }

    /// The number of an object.
    pub(crate) fn number(&mut self, id: ObjectId) -> u32 {
        let next = self.ids.len() as u32;
        let number = *self.numbers.entry(id).or_insert(next);
        if number == next {
            self.ids.push(id);
        }
        number
    }

    /// The number of what may not be there.
    fn find(&self, id: Option<ObjectId>) -> u32 {
        let number = id.and_then(|it| self.numbers.get(&it));
        number.copied().unwrap_or(NONE)
    }

    /// The entries, which are then no longer here.
    fn listings(&mut self) -> Listings {
        let mut ranges = vec![(0, 0); self.ids.len()];
        for (tree, range) in std::mem::take(&mut self.ranges) {
            ranges[tree as usize] = range;
        }
        self.name_numbers = HashMap::new();
        Listings::new(std::mem::take(&mut self.entries), ranges)
    }

    /// The number of a name.
    pub(crate) fn name(&mut self, name: &[u8]) -> u32 {
        if let Some(number) = self.name_numbers.get(name) {
            return *number;
        }
        let text = spelling::text(name);
        // Of a recalled table only the spelling of a name is known.
        let known = self.name_numbers.get(text.as_bytes());
        let number = known.copied().unwrap_or(self.names.len() as u32);
        if number as usize == self.names.len() {
            self.names.push(text.into_owned());
        }
        self.name_numbers.insert(name.into(), number);
        number
    }

    /// Adds a tree.
    pub(crate) fn keep(&mut self, tree: ObjectId, kept: impl IntoIterator<Item = Entry<u32, u32>>) {
        let start = self.entries.len() as u32;
        self.entries.extend(kept);
        let tree = self.number(tree);
        self.ranges.insert(tree, (start, self.entries.len() as u32));
    }
}

/// Keeps the flagged entries of flagged trees.
struct Collector<'a> {
    question: &'a Question<'a>,
    kept: Mutex<(Table, Vec<Gap>)>,
}

impl Visit for Collector<'_> {
    fn chooses(&self) -> bool {
        true
    }

    fn wants(&self, id: &ObjectId) -> bool {
        self.question.marks.contains(compare::prefix(id.as_bytes()))
    }

    fn object(&self, id: ObjectId, bytes: &[u8]) {
        let Question {
            flagged,
            marks,
            absent,
            ..
        } = self.question;
        let marked =
            compare::entries(bytes).filter(|it| !it.is_submodule() && marks.contains(it.prefix()));
        let kept: Vec<(&[u8], ObjectId, bool)> = marked
            .filter_map(|it| Some((it.name, ObjectId::from_bytes(it.id)?, it.is_tree())))
            .map(|(name, id, is_tree)| (name, id, is_tree && !absent.contains(&id)))
            .filter(|(_, id, is_tree)| *is_tree || flagged.contains(id))
            .collect();
        if !kept.is_empty() {
            let mut guard = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let table = &mut guard.0;
            let entry = |(name, id, is_tree): (&[u8], ObjectId, bool)| Entry {
                name: table.name(name),
                id: table.number(id),
                is_tree,
            };
            let kept: Vec<_> = kept.into_iter().map(entry).collect();
            table.keep(id, kept);
        }
    }

    fn failed(&self, gap: Gap) {
        let mut guard = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        guard.1.push(gap);
    }
}

/// The commit chosen for a thing: the best reached, then the first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Choice {
    pub(crate) reach: Reach,
    /// An age or a date; both are not mixed.
    pub(crate) order: i64,
    pub(crate) commit: ObjectId,
}

impl Choice {
    /// By age.
    pub(crate) fn of(graph: &Graph<'_>, age: u32) -> Option<Self> {
        Some(Self {
            reach: graph.reach(age),
            order: i64::from(age),
            commit: graph.commit(age).id()?,
        })
    }

    pub(crate) fn is_reachable(&self) -> bool {
        self.reach != Reach::Lost
    }
}

/// Where a blob at a place is told of. What only notes have is a note, and goes by their ref and the object
/// it was written for.
pub(crate) fn origin(place: &Place, commits: &Commits, refs: &Refs) -> Origin {
    let commit = commits.position(place.choice.commit.as_bytes());
    let notes = commit.and_then(|it| refs.notes().nth(commits.all[it].notes()?));
    let (kind, path) = match notes {
        Some((name, _)) => (OriginKind::Note, format!("{name}/{}", subject(&place.path))),
        None => (OriginKind::History, place.path.clone()),
    };
    Origin {
        reachable: place.choice.is_reachable(),
        in_head: place.in_head,
        ..Origin::plain(kind, &path, Some(".".to_owned()))
    }
}

/// Trees of notes are fanned out once they are many: `ab/cd/ef...` is the note on `abcdef...`.
fn subject(path: &str) -> String {
    let is_id = path.bytes().all(|it| it == b'/' || it.is_ascii_hexdigit());
    if is_id {
        path.replace('/', "")
    } else {
        path.to_owned()
    }
}

/// A commit in words.
pub(crate) fn milestone(commit: &ObjectId, gathered: &Gathered, people: &People<'_>) -> Milestone {
    let commits = &gathered.commits;
    let known = commits.position(commit.as_bytes());
    let known = known.map(|it| &commits.all[it]);
    Milestone {
        seconds: known.map_or(0, |it| it.seconds),
        commit: commit.to_string(),
        author: known.map_or_else(String::new, |it| people.author(commits, it)),
    }
}

/// Blobs with where they lie: each way with the number of the place, if a commit has it.
pub(crate) type ByBlob = HashMap<ObjectId, Vec<(Origin, Option<u32>)>>;

/// Gives an origin to blobs that no commit has: the index names some; a ref may point at one.
pub(crate) fn add_homeless(
    repository: &Repository,
    flagged: &HashSet<ObjectId>,
    by_blob: &mut ByBlob,
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
    let mut add = |id: ObjectId, path: String| {
        let origin = unborn(path, pointed.contains(&id));
        by_blob.entry(id).or_default().push((origin, None));
    };
    let mut staged = HashSet::new();
    for entry in repository.index().ok().iter().flat_map(|it| it.iter()) {
        let id = ObjectId::from_bytes(entry.id.as_bytes());
        if let Some(id) = id.filter(|it| homeless.contains(it)) {
            staged.insert(id);
            add(id, spelling::text(&entry.path).into_owned());
        }
    }
    homeless.retain(|it| !staged.contains(it));
    for id in homeless {
        add(id, format!("objects/{id}"));
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
