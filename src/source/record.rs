//! What a survey leaves for the next run: commits, what is missing, and the flagged entries of trees, without
//! which no origin can be told.
//!
//! Not here: refs, logs and settings, which are read anew each time, and what was met beside (see `roster`). No text is written but names of files
//! and folders that showed nothing: messages, headers and names that did are told by where they stand.

use crate::model::blob::{Blob, ObjectId};
use crate::model::coverage::Gap;
use crate::model::origin::{Aside, OriginKind};
use crate::model::tape::{Reel, Tape};
use crate::source::commits::{Commits, Gathered, RawId, Tag};
use crate::source::compare;
use crate::source::digest::Digest;
use crate::source::history::History;
use crate::source::objects::Visit;
use crate::source::origins::Table;
use crate::source::pack::Kind;
use crate::source::said::spoken;
use crate::source::trees::Each;
use crate::source::{Sink, spelling};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

/// What is written.
pub(crate) struct Record<'a> {
    pub(crate) gathered: &'a Gathered,
    pub(crate) absent: &'a HashMap<RawId, Kind>,
    /// Bytes of messages, headers and names.
    pub(crate) heard: u64,
    /// Texts that showed something.
    pub(crate) asides: &'a HashSet<Aside>,
    /// Of names among them, a tree that has each, and the number of its entry there.
    pub(crate) spots: &'a BTreeMap<String, Spot>,
    /// What bears such names.
    pub(crate) bearers: &'a HashSet<ObjectId>,
    /// All that `table` was made for.
    pub(crate) all: &'a HashSet<ObjectId>,
    pub(crate) table: &'a Table,
}

/// A tree, and the number of an entry.
pub(crate) type Spot = (ObjectId, u32);

/// Texts of commits and tags that are told by where they stand.
const KINDS: [OriginKind; 3] = [
    OriginKind::CommitMessage,
    OriginKind::TagMessage,
    OriginKind::Header,
];

impl Record<'_> {
    /// The record, and the numbers of trees that have one in it, in the order of those there. `None` if
    /// something that showed something cannot be told by where it stands.
    pub(crate) fn write(&self) -> Option<(Vec<u8>, Vec<u32>)> {
        let mut tape = Tape::default();
        self.gathered.commits.write(&mut tape);
        ids(&mut tape, self.gathered.tags.iter().map(|it| it.id));
        let absent: BTreeMap<_, _> = self.absent.iter().collect();
        tape.number(absent.len() as u64);
        for (id, kind) in absent {
            tape.raw(id);
            tape.byte(u8::from(*kind == Kind::Tree));
        }
        tape.number(self.heard);
        self.asides(&mut tape)?;
        let sorted = |it: &HashSet<ObjectId>| it.iter().copied().collect::<BTreeSet<_>>();
        ids(&mut tape, sorted(self.bearers).into_iter());
        ids(&mut tape, sorted(self.all).into_iter());
        let used = self.table(&mut tape)?;
        Some((tape.into_bytes(), used))
    }

    /// Messages and headers that showed something, and names as they are written.
    pub(crate) fn shown(&self, history: &History) -> Option<[Vec<Vec<u8>>; 2]> {
        let said = self.asides.iter().filter(|it| KINDS.contains(&it.kind));
        let text = |it: &Aside| spoken(&history.object(&it.id?)?.1, &it.path);
        let texts: Option<_> = said.map(text).collect();
        let names: Option<_> = self.spots.values().map(|it| named(history, it)).collect();
        Some([texts?, names?])
    }

    fn asides(&self, tape: &mut Tape) -> Option<()> {
        let said = |it: &&&Aside| KINDS.contains(&it.kind);
        let said: BTreeSet<&Aside> = self.asides.iter().filter(|it| said(&it)).collect();
        tape.number(said.len() as u64);
        for it in said {
            tape.byte(KINDS.iter().position(|kind| *kind == it.kind)? as u8);
            tape.raw(it.id?.as_bytes());
            tape.bytes(it.path.as_bytes());
        }
        tape.number(self.spots.len() as u64);
        for (tree, entry) in self.spots.values() {
            tape.raw(tree.as_bytes());
            tape.number(u64::from(*entry));
        }
        let names = self.asides.iter();
        let mut names = names.filter(|it| it.kind == OriginKind::FileName);
        names
            .all(|it| self.spots.contains_key(&it.path))
            .then_some(())
    }

    /// Numbers that are still in use, the names, the entries, and the trees of commits.
    fn table(&self, tape: &mut Tape) -> Option<Vec<u32>> {
        let table = self.table;
        tape.number(table.names.len() as u64);
        for name in &table.names {
            // A name that showed something is told by its spot.
            match self.spots.keys().position(|it| it == name) {
                Some(at) => tape.number(at as u64 + 1),
                None => {
                    tape.number(0);
                    tape.bytes(name.as_bytes());
                }
            }
        }
        let mut used: BTreeSet<u32> = table.ranges.keys().copied().collect();
        used.extend(table.entries.iter().map(|it| it.id));
        let used: Vec<u32> = used.into_iter().collect();
        let number = |it: u32| used.binary_search(&it).ok().map(|it| it as u64);
        tape.number(used.len() as u64);
        for it in &used {
            tape.raw(table.ids.get(*it as usize)?.as_bytes());
            let (start, end) = table.ranges.get(it).copied().unwrap_or_default();
            tape.number(u64::from(end - start));
            for entry in &table.entries[start as usize..end as usize] {
                tape.number(u64::from(entry.name));
                tape.number(number(entry.id)? << 1 | u64::from(entry.is_tree));
            }
        }
        for commit in &self.gathered.commits.all {
            let tree = table.numbers.get(&commit.tree()?).copied();
            // A tree below which nothing is flagged may have a number that nothing uses.
            tape.number(tree.and_then(number).map_or(0, |it| it + 1));
        }
        Some(used)
    }
}

fn ids(tape: &mut Tape, ids: impl ExactSizeIterator<Item = ObjectId>) {
    tape.number(ids.len() as u64);
    ids.for_each(|it| tape.raw(it.as_bytes()));
}

fn id(reel: &mut Reel<'_>) -> Option<ObjectId> {
    ObjectId::from_bytes(&reel.raw::<20>()?)
}

/// What was written, read back.
pub(crate) struct Known {
    pub(crate) gathered: Gathered,
    pub(crate) absent: HashMap<RawId, Kind>,
    /// Bytes of all texts.
    pub(crate) heard: u64,
    /// Bytes of those that are not handed out again.
    pub(crate) unheard: u64,
    pub(crate) bearers: HashSet<ObjectId>,
    pub(crate) all: HashSet<ObjectId>,
    pub(crate) table: Table,
    /// Of names that showed something, as they are written and as they are shown, a tree that has each.
    spots: Vec<(Vec<u8>, String, Spot)>,
    /// Texts that showed something, to be handed out again.
    texts: Vec<Text>,
}

impl Known {
    /// Reads what was written, and what it tells only by its place; `None` if anything of that is not there.
    pub(crate) fn read(history: &History, bytes: &[u8]) -> Option<Self> {
        let reel = &mut Reel::new(bytes);
        let commits = Commits::read(reel)?;
        let mut tags = Vec::new();
        for _ in 0..reel.count()? {
            let id = id(reel)?;
            tags.push(Tag::of(id, &history.object(&id)?.1)?);
        }
        let mut absent = HashMap::new();
        for _ in 0..reel.count()? {
            let kinds = [Kind::Blob, Kind::Tree];
            absent.insert(reel.raw()?, *kinds.get(usize::from(reel.byte()?))?);
        }
        let heard = reel.number()?;
        let (mut texts, spots) = (said(history, reel)?, spots(history, reel)?);
        let bearers = (0..reel.count()?)
            .map(|_| id(reel))
            .collect::<Option<_>>()?;
        let all = (0..reel.count()?)
            .map(|_| id(reel))
            .collect::<Option<_>>()?;
        let table = table(reel, &spots, &commits)?;
        texts.extend(spots.iter().map(|(name, path, _)| {
            let text = spelling::without_ending(name).into_owned();
            (OriginKind::FileName, None, path.clone(), text)
        }));
        let again: u64 = texts.iter().map(|it| it.3.len() as u64).sum();
        Some(Self {
            gathered: Gathered::of(commits, tags),
            absent,
            heard,
            unheard: heard.checked_sub(again).filter(|_| reel.is_over())?,
            bearers,
            all,
            table,
            spots,
            texts,
        })
    }

    /// A tree that has each name that showed something.
    pub(crate) fn spots(&self) -> impl Iterator<Item = (String, Spot)> {
        self.spots.iter().map(|it| (it.1.clone(), it.2))
    }

    /// Hashes of these names.
    pub(crate) fn names(&self, digest: &Digest) -> impl Iterator<Item = u64> {
        self.spots.iter().map(|it| digest.of(&it.0))
    }

    /// Whether an object was named and not there.
    pub(crate) fn lacks(&self, id: &ObjectId) -> bool {
        let raw = id.as_bytes().first_chunk::<20>();
        raw.is_some_and(|it| self.absent.contains_key(it))
    }

    /// Hashes of messages and headers that showed something: as they were handed out, and come again.
    pub(crate) fn said(&self, digest: &Digest) -> Vec<(OriginKind, Option<ObjectId>, u64)> {
        let kinds = [OriginKind::CommitMessage, OriginKind::Header];
        let said = self.texts.iter().filter(|it| kinds.contains(&it.0));
        said.map(|(kind, id, _, text)| (*kind, *id, digest.of(text)))
            .collect()
    }

    /// Hands out the texts that showed something.
    pub(crate) fn each_text(&self, sink: &dyn Sink) {
        for (kind, id, path, bytes) in &self.texts {
            let blob = Blob {
                bytes,
                path,
                id: *id,
            };
            sink.beside(*kind, blob);
        }
    }
}

type Text = (OriginKind, Option<ObjectId>, String, Vec<u8>);

/// Messages and headers.
fn said(history: &History, reel: &mut Reel<'_>) -> Option<Vec<Text>> {
    let text = |reel: &mut Reel<'_>| {
        let kind = *KINDS.get(usize::from(reel.byte()?))?;
        let id = id(reel)?;
        let part = String::from_utf8(reel.bytes()?.to_vec()).ok()?;
        let bytes = spoken(&history.object(&id)?.1, &part)?;
        Some((kind, Some(id), part, bytes))
    };
    (0..reel.count()?).map(|_| text(reel)).collect()
}

/// The name at a spot.
fn named(history: &History, (tree, number): &Spot) -> Option<Vec<u8>> {
    let (_, bytes) = history.object(tree)?;
    let mut entries = compare::entries(&bytes);
    Some(entries.nth(*number as usize)?.name.to_vec())
}

/// Names.
fn spots(history: &History, reel: &mut Reel<'_>) -> Option<Vec<(Vec<u8>, String, Spot)>> {
    let name = |reel: &mut Reel<'_>| {
        let spot = (id(reel)?, reel.short()?);
        let name = named(history, &spot)?;
        let path = spelling::text(&name).into_owned();
        Some((name, path, spot))
    };
    (0..reel.count()?).map(|_| name(reel)).collect()
}

fn table(
    reel: &mut Reel<'_>,
    spots: &[(Vec<u8>, String, Spot)],
    commits: &Commits,
) -> Option<Table> {
    let mut table = Table::default();
    for _ in 0..reel.count()? {
        let name = match reel.number()?.checked_sub(1) {
            Some(at) => spots.get(usize::try_from(at).ok()?)?.1.clone(),
            None => String::from_utf8(reel.bytes()?.to_vec()).ok()?,
        };
        table.names.push(name);
    }
    let count = reel.count()?;
    let is_name = |it: &u32| (*it as usize) < table.names.len();
    for tree in 0..count {
        table.ids.push(id(reel)?);
        let start = table.entries.len() as u32;
        for _ in 0..reel.count()? {
            let (name, coded) = (reel.short().filter(is_name)?, reel.number()?);
            let id = u32::try_from(coded >> 1).ok()?;
            ((id as usize) < count).then_some(())?;
            table.entries.push((name, id, coded & 1 == 1).into());
        }
        let end = table.entries.len() as u32;
        if end > start {
            table.ranges.insert(tree as u32, (start, end));
        }
    }
    for commit in &commits.all {
        if let Some(number) = reel.short()?.checked_sub(1) {
            ((number as usize) < count).then_some(())?;
            table.numbers.insert(commit.tree()?, number);
        }
    }
    Some(table)
}

/// For each of some names, a tree that has it, and the number of its entry there.
pub(crate) fn find(each: &Each<'_>, names: &HashSet<&str>) -> BTreeMap<String, Spot> {
    if names.is_empty() {
        return BTreeMap::new();
    }
    let spots = Spots {
        names,
        found: Mutex::default(),
    };
    each(&[Kind::Tree], &spots);
    spots
        .found
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
}

struct Spots<'a> {
    names: &'a HashSet<&'a str>,
    found: Mutex<BTreeMap<String, Spot>>,
}

impl Visit for Spots<'_> {
    fn object(&self, id: ObjectId, bytes: &[u8]) {
        for (number, entry) in (0_u32..).zip(compare::entries(bytes)) {
            let name = spelling::text(entry.name);
            if self.names.contains(&*name) {
                let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
                found.entry(name.into_owned()).or_insert((id, number));
            }
        }
    }

    fn failed(&self, _gap: Gap) {
        // Met and told by the first pass.
    }
}
