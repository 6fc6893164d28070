//! Every commit and tag of the object database, in little memory, and which of them refs reach. What they
//! say, messages and headers, is handed out, each distinct text once.
//!
//! Not here: how they are read (see `said`), the names to show of authors (see `people`), and trees.

use crate::model::blob::{Blob, ObjectId};
use crate::model::coverage::Gap;
use crate::model::origin::OriginKind;
use crate::model::tape::{Reel, Tape};
use crate::source::Sink;
use crate::source::digest::Digest;
use crate::source::objects::Visit;
use crate::source::refs::Refs;
use crate::source::roster::Met;
use crate::source::said::{AUTHOR, COMMITTER, OTHERS, Said, What, kept, said, what};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

pub(crate) type RawId = [u8; 20];

/// What a comparison needs of a commit.
#[derive(Clone, Copy)]
pub(crate) struct Commit {
    id: RawId,
    tree: RawId,
    /// Range in the table of parents.
    parents: (u32, u32),
    /// Author date.
    pub(crate) seconds: i64,
    /// What the commit date has above it; at most 68 years, which keeps the table small.
    lag: i32,
    /// The number of its author.
    pub(crate) author: u32,
    /// A hash of its message, or a number that those with the same share.
    message: u32,
    /// Whether a ref reaches it.
    pub(crate) reachable: bool,
    /// The number of the ref of notes that reaches it, from 1; 0 if another ref does, or none.
    notes: u8,
}

impl Commit {
    pub(crate) fn id(&self) -> Option<ObjectId> {
        ObjectId::from_bytes(&self.id)
    }

    pub(crate) fn tree(&self) -> Option<ObjectId> {
        ObjectId::from_bytes(&self.tree)
    }

    /// Commit date.
    pub(crate) fn committed(&self) -> i64 {
        self.seconds.saturating_add(i64::from(self.lag))
    }

    /// Which of the refs of notes it belongs to.
    pub(crate) fn notes(&self) -> Option<usize> {
        usize::from(self.notes).checked_sub(1)
    }
}

/// Commits sorted by id.
#[derive(Default)]
pub(crate) struct Commits {
    pub(crate) all: Vec<Commit>,
    parents: Vec<RawId>,
    /// Names and addresses, each once; none where the commits were not read but recalled.
    authors: Vec<Box<[u8]>>,
    /// Where those begin that share their first two bytes, made when it is first asked for.
    starts: OnceLock<Vec<u32>>,
}

/// The first two bytes of an id.
fn first(id: &[u8]) -> usize {
    id.first_chunk()
        .map_or(0, |it| usize::from(u16::from_be_bytes(*it)))
}

impl Commits {
    /// The parents of a commit that are here; a shallow clone lacks some.
    pub(crate) fn parents(&self, commit: &Commit) -> impl Iterator<Item = usize> + '_ {
        self.parent_ids(commit)
            .iter()
            .filter_map(|id| self.position(id))
    }

    /// The parents that a commit names.
    pub(crate) fn parent_ids(&self, commit: &Commit) -> &[RawId] {
        let (start, end) = commit.parents;
        &self.parents[start as usize..end as usize]
    }

    /// Name and address of the author, where they are at hand.
    pub(crate) fn author(&self, commit: &Commit) -> Option<&[u8]> {
        let author = self.authors.get(commit.author as usize);
        author.map(|it| &**it)
    }

    pub(crate) fn position(&self, id: &[u8]) -> Option<usize> {
        let starts = self.starts.get_or_init(|| self.starts());
        let (start, end) = (starts[first(id)] as usize, starts[first(id) + 1] as usize);
        let near = &self.all[start..end];
        let at = near.binary_search_by(|it| it.id.as_slice().cmp(id)).ok()?;
        Some(start + at)
    }

    fn starts(&self) -> Vec<u32> {
        let mut starts = vec![0; (1 << 16) + 1];
        for commit in &self.all {
            starts[first(&commit.id) + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        starts
    }

    /// The number of a commit's message.
    pub(crate) fn message(&self, id: &ObjectId) -> Option<u32> {
        let at = self.position(id.as_bytes())?;
        Some(self.all[at].message)
    }

    /// Commits that may have the message of this one.
    pub(crate) fn alike(&self, commit: &Commit) -> impl Iterator<Item = &Commit> {
        let message = commit.message;
        self.all.iter().filter(move |it| it.message == message)
    }

    /// Writes them, without any text: messages and authors as numbers that equal ones share.
    pub(crate) fn write(&self, tape: &mut Tape) {
        let mut messages: HashMap<u32, u64> = HashMap::new();
        let mut others: Vec<RawId> = Vec::new();
        tape.number(self.all.len() as u64);
        for commit in &self.all {
            let next = messages.len() as u64;
            tape.raw(&commit.id);
            tape.raw(&commit.tree);
            tape.whole(commit.seconds);
            tape.whole(i64::from(commit.lag));
            tape.number(u64::from(commit.author));
            tape.number(*messages.entry(commit.message).or_insert(next));
            let parents = self.parent_ids(commit);
            tape.number(parents.len() as u64);
            for parent in parents {
                let at = self.position(parent).unwrap_or_else(|| {
                    others.push(*parent);
                    self.all.len() + others.len() - 1
                });
                tape.number(at as u64);
            }
        }
        tape.number(others.len() as u64);
        others.iter().for_each(|it| tape.raw(it));
    }

    /// Reads them back; nothing is marked yet, and authors are to be asked of the commits themselves.
    pub(crate) fn read(reel: &mut Reel<'_>) -> Option<Self> {
        let mut commits = Self::default();
        let mut parents: Vec<u32> = Vec::new();
        for _ in 0..reel.count()? {
            let (id, tree, seconds) = (reel.raw()?, reel.raw()?, reel.whole()?);
            let lag = i32::try_from(reel.whole()?).ok()?;
            let (author, message) = (reel.short()?, reel.short()?);
            let start = parents.len() as u32;
            for _ in 0..reel.count()? {
                parents.push(reel.short()?);
            }
            commits.all.push(Commit {
                id,
                tree,
                parents: (start, parents.len() as u32),
                seconds,
                lag,
                author,
                message,
                reachable: false,
                notes: 0,
            });
        }
        let others = (0..reel.count()?).map(|_| reel.raw());
        let others: Vec<RawId> = others.collect::<Option<_>>()?;
        let known = commits.all.len();
        let id = |at: u32| match (at as usize).checked_sub(known) {
            None => Some(commits.all[at as usize].id),
            Some(at) => others.get(at).copied(),
        };
        let parents = parents.into_iter().map(id).collect::<Option<_>>()?;
        let is_sorted = commits.all.is_sorted_by(|a, b| a.id < b.id);
        commits.parents = parents;
        is_sorted.then_some(commits)
    }

    /// Adds those that came later. Whoever is author of both has two numbers then.
    fn add(&mut self, later: Self, messages: &HashMap<u32, u32>) {
        let above = |number: fn(&Commit) -> u32| self.all.iter().map(number).max();
        let above = [above(|it| it.author), above(|it| it.message)];
        let [author, mut next] = above.map(|it| it.map_or(0, |it| it + 1));
        let mut numbers = messages.clone();
        let start = self.parents.len() as u32;
        self.parents.extend(later.parents);
        self.all.extend(later.all.into_iter().map(|it| Commit {
            parents: (it.parents.0 + start, it.parents.1 + start),
            author: it.author + author,
            message: *numbers.entry(it.message).or_insert_with(|| {
                next += 1;
                next - 1
            }),
            ..it
        }));
        self.all.sort_unstable_by_key(|it| it.id);
        self.authors = Vec::new();
        self.starts = OnceLock::new();
    }

    /// Marks what these reach and nothing has reached before.
    fn mark(&mut self, tips: impl Iterator<Item = ObjectId>, notes: u8) {
        let mut stack: Vec<usize> = tips.filter_map(|it| self.position(it.as_bytes())).collect();
        while let Some(at) = stack.pop() {
            if !std::mem::replace(&mut self.all[at].reachable, true) {
                self.all[at].notes = notes;
                let commit = self.all[at];
                stack.extend(self.parents(&commit));
            }
        }
    }
}

/// An annotated tag.
#[derive(Clone, Debug)]
pub(crate) struct Tag {
    pub(crate) id: ObjectId,
    /// What it is a tag of; another tag, perhaps.
    pub(crate) target: ObjectId,
    /// Name and address of the tagger.
    pub(crate) tagger: Box<[u8]>,
    pub(crate) seconds: i64,
    /// Whether a ref reaches it.
    pub(crate) reachable: bool,
}

/// What was gathered.
#[derive(Default)]
pub(crate) struct Gathered {
    pub(crate) commits: Commits,
    /// Sorted by id.
    pub(crate) tags: Vec<Tag>,
    /// What could not be read.
    pub(crate) gaps: Vec<Gap>,
    /// What was met and handed out.
    pub(crate) met: Met,
    /// Numbers of authors, by their hashes.
    authors: HashMap<u64, u32>,
}

impl Tag {
    /// From its bytes.
    pub(crate) fn of(id: ObjectId, bytes: &[u8]) -> Option<Self> {
        match what(bytes)? {
            What::Tag(target) => Some(Self::said(id, &said(bytes), target)),
            What::Commit(_) => None,
        }
    }

    fn said(id: ObjectId, said: &Said<'_>, target: ObjectId) -> Self {
        Self {
            id,
            target,
            tagger: kept(said.author),
            seconds: said.seconds,
            reachable: false,
        }
    }
}

impl Gathered {
    /// What is known already; nothing is marked yet.
    pub(crate) fn of(commits: Commits, tags: Vec<Tag>) -> Self {
        Self {
            commits,
            tags,
            ..Self::default()
        }
    }

    /// Adds what came later. `messages` tells the number of a message by its hash, where one that was known
    /// before may come again.
    pub(crate) fn add(&mut self, later: Self, messages: &HashMap<u32, u32>) {
        self.commits.add(later.commits, messages);
        self.tags.extend(later.tags);
        self.tags.sort_unstable_by_key(|it| it.id);
        self.gaps.extend(later.gaps);
    }

    /// A tag by its id.
    pub(crate) fn tag(&self, id: &ObjectId) -> Option<&Tag> {
        let at = self.tags.binary_search_by_key(id, |it| it.id).ok()?;
        self.tags.get(at)
    }

    /// Marks what refs reach; of notes only what nothing else does.
    pub(crate) fn mark(&mut self, refs: &Refs) {
        let tagged = self.mark_tags(refs);
        self.commits.mark(refs.tips().chain(tagged), 0);
        for (number, (_, tip)) in refs.notes().enumerate() {
            let number = u8::try_from(number + 1).unwrap_or(u8::MAX);
            self.commits.mark(std::iter::once(*tip), number);
        }
    }

    /// Marks the tags that refs point at, and the tags they are tags of; gives what these are tags of.
    fn mark_tags(&mut self, refs: &Refs) -> Vec<ObjectId> {
        let mut tagged = Vec::new();
        let mut stack: Vec<ObjectId> = refs.tips().collect();
        while let Some(id) = stack.pop() {
            let Ok(at) = self.tags.binary_search_by_key(&id, |it| it.id) else {
                continue;
            };
            if !std::mem::replace(&mut self.tags[at].reachable, true) {
                let target = self.tags[at].target;
                tagged.push(target);
                stack.push(target);
            }
        }
        tagged
    }

    /// The number of an author.
    fn author(&mut self, hash: u64, identity: &[u8]) -> u32 {
        let authors = &mut self.commits.authors;
        *self.authors.entry(hash).or_insert_with(|| {
            authors.push(kept(identity));
            (authors.len() - 1) as u32
        })
    }

    /// Whether this text comes for the first time.
    fn is_new(&mut self, hash: u64) -> bool {
        self.met.texts.insert(hash)
    }
}

/// Gathers commits and tags from a reading of the object database, and hands out what they say.
pub(crate) struct Gatherer<'a> {
    sink: &'a dyn Sink,
    digest: &'a Digest,
    found: Mutex<Gathered>,
}

impl<'a> Gatherer<'a> {
    /// After what was met before.
    pub(crate) fn new(sink: &'a dyn Sink, digest: &'a Digest, met: Met) -> Self {
        let found = Gathered {
            met,
            ..Gathered::default()
        };
        Self {
            sink,
            digest,
            found: Mutex::new(found),
        }
    }

    /// What was gathered, sorted; nothing is marked yet.
    pub(crate) fn finish(self) -> Gathered {
        let mut found = self
            .found
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        found.authors = HashMap::new();
        found.commits.all.sort_unstable_by_key(|it| it.id);
        found.tags.sort_unstable_by_key(|it| it.id);
        found
    }

    fn found(&self) -> MutexGuard<'_, Gathered> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn commit(&self, id: ObjectId, raw: RawId, said: &Said<'_>, tree: RawId) {
        let hash = |text: &[u8]| self.digest.of(text);
        let message = hash(said.message);
        let parts = [
            ("", said.message, message),
            (AUTHOR, said.author, hash(said.author)),
            (COMMITTER, said.committer, hash(said.committer)),
            (OTHERS, &said.others, hash(&said.others)),
        ];
        let mut found = self.found();
        let author = found.author(parts[1].2, said.author);
        let commits = &mut found.commits;
        let start = commits.parents.len() as u32;
        commits.parents.extend(&said.parents);
        let parents = (start, commits.parents.len() as u32);
        commits.all.push(Commit {
            id: raw,
            tree,
            parents,
            seconds: said.seconds,
            lag: lag(said.committed, said.seconds),
            author,
            message: message as u32,
            reachable: false,
            notes: 0,
        });
        let is_new = parts.map(|it| !it.1.is_empty() && found.is_new(it.2));
        drop(found);
        for ((part, text, _), _) in parts.iter().zip(is_new).filter(|it| it.1) {
            let kind = match part.is_empty() {
                true => OriginKind::CommitMessage,
                false => OriginKind::Header,
            };
            self.say(kind, id, part, text);
        }
    }

    fn tag(&self, id: ObjectId, said: &Said<'_>, target: ObjectId) {
        self.found().tags.push(Tag::said(id, said, target));
        // A message may come again in a commit, and is told of both.
        self.say(OriginKind::TagMessage, id, "", said.message);
        for (part, text) in [(AUTHOR, said.author), (OTHERS, &said.others[..])] {
            let hash = self.digest.of(text);
            let is_new = self.found().is_new(hash);
            if is_new {
                self.say(OriginKind::Header, id, part, text);
            }
        }
    }

    fn say(&self, kind: OriginKind, id: ObjectId, part: &str, bytes: &[u8]) {
        if !bytes.is_empty() {
            let blob = Blob {
                bytes,
                path: part,
                id: Some(id),
            };
            self.sink.beside(kind, blob);
        }
    }
}

impl Visit for Gatherer<'_> {
    fn object(&self, id: ObjectId, bytes: &[u8]) {
        let Some(raw) = id.as_bytes().first_chunk() else {
            return;
        };
        self.found().met.meet(self.digest, &id);
        match what(bytes) {
            Some(What::Commit(tree)) => self.commit(id, *raw, &said(bytes), tree),
            Some(What::Tag(target)) => self.tag(id, &said(bytes), target),
            // Of no known form: all of it is words.
            None => self.say(OriginKind::CommitMessage, id, "", bytes),
        }
    }

    fn failed(&self, gap: Gap) {
        self.found().gaps.push(gap);
    }
}

/// One date less another, as far as it fits.
fn lag(date: i64, from: i64) -> i32 {
    let most = i64::from(i32::MAX);
    date.saturating_sub(from).clamp(-most, most) as i32
}

#[cfg(test)]
mod tests {
    use super::lag;

    #[test]
    fn a_lag_fits_whatever_the_dates() {
        assert_eq!(lag(5, 1_700_000_001), -1_699_999_996);
        assert_eq!(lag(i64::MAX, i64::MIN), i32::MAX);
    }
}
