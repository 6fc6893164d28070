//! Where flagged blobs came from: each path they had, and the commit that brought them there.
//!
//! Not here: how objects are read, and texts that are no blobs (see `asides`). Flags rise from blobs to the
//! trees above them; then one pass over commits goes down only where flagged trees differ.

use crate::model::blob::ObjectId;
use crate::model::coverage::Gap;
use crate::model::origin::{Introduction, Origin, OriginKind};
use crate::source::commits::{Commit, Commits};
use crate::source::compare::{self, Entry, Trees, arrivals};
use crate::source::fold::fold;
use crate::source::objects::Visit;
use crate::source::pack::Kind;
use crate::source::refs::Refs;
use crate::source::spelling;
use crate::source::trees::{Each, Marks};
use git2::{Oid, Repository};
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

/// What is looked for, and what is known already.
pub(crate) struct Question<'a> {
    pub(crate) flagged: &'a HashSet<ObjectId>,
    /// The flagged blobs and the trees above them.
    pub(crate) marks: &'a Marks,
    pub(crate) commits: &'a Commits,
    /// Trees that are named and not there: they are looked for as blobs are.
    pub(crate) absent: &'a HashSet<ObjectId>,
    /// The tree of `HEAD`.
    pub(crate) head: Option<ObjectId>,
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

/// Every place of the flagged blobs in commits.
pub(crate) fn places(table: &Table, question: &Question<'_>) -> Vec<Place> {
    let mut search = Search {
        table,
        commits: question.commits,
        best: HashMap::new(),
    };
    search.all();
    let in_head = search.in_head(question.head);
    let places = search.best.into_iter().map(|(place, choice)| Place {
        blob: table.ids[place.0 as usize],
        in_head: in_head.contains(&place),
        path: place.1,
        choice,
    });
    let mut places: Vec<Place> = places.collect();
    places.sort_unstable();
    places
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
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Choice {
    pub(crate) unreachable: bool,
    pub(crate) seconds: i64,
    pub(crate) commit: ObjectId,
}

impl Choice {
    pub(crate) fn of(commit: &Commit) -> Option<Self> {
        Some(Self {
            unreachable: !commit.reachable,
            seconds: commit.seconds,
            commit: commit.id()?,
        })
    }
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
            let (Some(choice), Some(tree)) = (Choice::of(commit), flagged(commit)) else {
                continue;
            };
            let parents: Vec<u32> = self
                .commits
                .parents(commit)
                .filter_map(|at| flagged(&self.commits.all[at]))
                .collect();
            for place in below(self.table, tree, &parents) {
                let best = self.best.entry(place).or_insert(choice);
                *best = choice.min(*best);
            }
        }
    }

    /// Flagged blobs with their paths in HEAD.
    fn in_head(&self, tree: Option<ObjectId>) -> HashSet<(u32, String)> {
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

/// The origin of a blob at a place. What only notes have is a note, and goes by their ref and the object it
/// was written for.
pub(crate) fn origin(
    place: &Place,
    commits: &Commits,
    refs: &Refs,
    authors: &mut Authors<'_>,
) -> Origin {
    let choice = place.choice;
    let commit = commits.position(choice.commit.as_bytes());
    let notes = commit.and_then(|it| refs.notes().nth(commits.all[it].notes()?));
    let (kind, path) = match notes {
        Some((name, _)) => (OriginKind::Note, format!("{name}/{}", subject(&place.path))),
        None => (OriginKind::History, place.path.clone()),
    };
    Origin {
        kind,
        path,
        repository: Some(".".to_owned()),
        introduced: Some(authors.introduction(&choice)),
        reachable: !choice.unreachable,
        in_head: place.in_head,
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

/// Names of authors, through the mail map.
pub(crate) struct Authors<'a> {
    repository: &'a Repository,
    mailmap: Option<git2::Mailmap>,
    known: HashMap<ObjectId, String>,
}

impl<'a> Authors<'a> {
    pub(crate) fn new(repository: &'a Repository) -> Self {
        Self {
            repository,
            mailmap: repository.mailmap().ok(),
            known: HashMap::new(),
        }
    }

    pub(crate) fn introduction(&mut self, choice: &Choice) -> Introduction {
        Introduction {
            seconds: choice.seconds,
            commit: choice.commit.to_string(),
            author: self.name(&choice.commit),
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
pub(crate) fn add_homeless(
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
