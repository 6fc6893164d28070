//! Every commit and tag of the object database, in little memory, which of them refs reach, and what they
//! say: messages and headers, each distinct text once.
//!
//! Not here: names of authors (asked for only where an origin names the commit) and trees. Formats:
//! git-commit-tree(1), git-mktag(1) and "signature format" of git's documentation.

use crate::model::blob::{Blob, ObjectId};
use crate::model::coverage::Gap;
use crate::model::origin::OriginKind;
use crate::model::tape::{Reel, Tape};
use crate::source::Sink;
use crate::source::digest::Digest;
use crate::source::objects::Visit;
use crate::source::refs::Refs;
use git2::Oid;
use std::collections::{HashMap, HashSet};
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
    /// A hash of its message.
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
    /// Hashes of texts that were handed out.
    seen: HashSet<u64>,
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
        self.seen.insert(hash)
    }
}

/// Gathers commits and tags from a reading of the object database, and hands out what they say.
pub(crate) struct Gatherer<'a> {
    sink: &'a dyn Sink,
    digest: Digest,
    found: Mutex<Gathered>,
}

impl<'a> Gatherer<'a> {
    pub(crate) fn new(sink: &'a dyn Sink) -> Self {
        Self {
            sink,
            digest: Digest::new(),
            found: Mutex::default(),
        }
    }

    /// What was gathered, sorted and marked by what refs reach.
    pub(crate) fn finish(self, refs: &Refs) -> Gathered {
        let mut found = self
            .found
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        found.seen = HashSet::new();
        found.authors = HashMap::new();
        found.commits.all.sort_unstable_by_key(|it| it.id);
        found.tags.sort_unstable_by_key(|it| it.id);
        found.mark(refs);
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

/// What an object is by its first line.
enum What {
    /// With its tree.
    Commit(RawId),
    /// With what it is a tag of.
    Tag(ObjectId),
}

fn what(bytes: &[u8]) -> Option<What> {
    let line = bytes.split(|it| *it == b'\n').next()?;
    match line.strip_prefix(b"tree ") {
        Some(hex) => raw_id(hex).map(What::Commit),
        None => {
            let id = raw_id(line.strip_prefix(b"object ")?)?;
            ObjectId::from_bytes(&id).map(What::Tag)
        }
    }
}

/// The parts of a commit or tag above its message, as texts of [`OriginKind::Header`] are called.
const AUTHOR: &str = "author";
const COMMITTER: &str = "committer";
const OTHERS: &str = "headers";

/// The text that was handed out of a commit or tag under the name of a part.
pub(crate) fn spoken(bytes: &[u8], part: &str) -> Option<Vec<u8>> {
    match what(bytes) {
        Some(_) if part.is_empty() => Some(said(bytes).message.to_vec()),
        Some(_) => said(bytes).part(part).map(<[u8]>::to_vec),
        None => part.is_empty().then(|| bytes.to_vec()),
    }
}

/// Bytes of an author's name and address that are kept.
const LONGEST: usize = 1000;

/// As much of an author's name and address as is kept.
pub(crate) fn kept(identity: &[u8]) -> Box<[u8]> {
    identity[..identity.len().min(LONGEST)].into()
}

/// One date less another, as far as it fits.
fn lag(date: i64, from: i64) -> i32 {
    let most = i64::from(i32::MAX);
    date.saturating_sub(from).clamp(-most, most) as i32
}

/// What a commit or a tag says.
#[derive(Default)]
pub(crate) struct Said<'a> {
    parents: Vec<RawId>,
    /// Author or tagger, without the date.
    pub(crate) author: &'a [u8],
    pub(crate) seconds: i64,
    /// Date of the committer.
    committed: i64,
    /// Committer, without the date; empty if it is the author.
    committer: &'a [u8],
    /// Headers of other kinds, as they stand.
    others: Vec<u8>,
    pub(crate) message: &'a [u8],
}

/// Headers that are read apart, or whose value is an id or a word of git's own.
const KNOWN: [&[u8]; 7] = [
    b"tree",
    b"parent",
    b"author",
    b"committer",
    b"tagger",
    b"object",
    b"type",
];

/// Takes the bytes of a commit or a tag apart.
pub(crate) fn said(bytes: &[u8]) -> Said<'_> {
    let mut said = Said::default();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (line, after) = cut(rest, b'\n');
        if line.is_empty() {
            said.message = after;
            break;
        }
        let (key, value) = cut(line, b' ');
        let after = if KNOWN.contains(&key) {
            said.known(key, value);
            after
        } else {
            let (whole, after) = rest.split_at(whole_length(rest));
            if !is_signature(key, value) {
                said.others.extend_from_slice(whole);
            }
            after
        };
        rest = after;
    }
    if said.committer == said.author {
        said.committer = &[];
    }
    said
}

impl<'a> Said<'a> {
    /// A part by its name.
    pub(crate) fn part(&self, name: &str) -> Option<&[u8]> {
        match name {
            AUTHOR => Some(self.author),
            COMMITTER => Some(self.committer),
            OTHERS => Some(&self.others),
            _ => None,
        }
    }

    /// All parts above the message.
    pub(crate) fn headers(&self) -> impl Iterator<Item = &[u8]> {
        [self.author, self.committer, &self.others].into_iter()
    }

    fn known(&mut self, key: &[u8], value: &'a [u8]) {
        match key {
            b"parent" => self.parents.extend(raw_id(value)),
            b"author" | b"tagger" => {
                self.author = identity(value);
                self.seconds = seconds(value).unwrap_or(0);
            }
            b"committer" => {
                self.committer = identity(value);
                self.committed = seconds(value).unwrap_or(0);
            }
            _ => {}
        }
    }
}

/// What stands before and after the first of a byte.
fn cut(bytes: &[u8], at: u8) -> (&[u8], &[u8]) {
    match memchr::memchr(at, bytes) {
        Some(found) => (&bytes[..found], &bytes[found + 1..]),
        None => (bytes, &[]),
    }
}

/// The length of a header with the lines that continue it, which begin with a blank.
fn whole_length(rest: &[u8]) -> usize {
    let mut ends = memchr::memchr_iter(b'\n', rest);
    let last = ends.find(|at| rest.get(at + 1) != Some(&b' '));
    last.map_or(rest.len(), |it| it + 1)
}

/// A signature is random by its nature: nothing in it is meant to be read.
fn is_signature(key: &[u8], value: &[u8]) -> bool {
    key.starts_with(b"gpgsig") && value.starts_with(b"-----BEGIN ")
}

/// Name and address, without the date.
fn identity(value: &[u8]) -> &[u8] {
    memchr::memrchr(b'>', value).map_or(value, |it| &value[..=it])
}

pub(crate) fn raw_id(hex: &[u8]) -> Option<RawId> {
    Oid::from_str(std::str::from_utf8(hex).ok()?)
        .ok()?
        .as_bytes()
        .first_chunk()
        .copied()
}

/// The date follows the last `>`: `Name <mail> 1700000000 +0100`.
fn seconds(identity: &[u8]) -> Option<i64> {
    let end = memchr::memrchr(b'>', identity)?;
    let date = std::str::from_utf8(&identity[end + 1..]).ok()?;
    date.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_taken_apart() {
        let text = format!(
            "tree {}\nparent {}\nparent {}\nauthor A > B <a@b> 1700000001 -0800\ncommitter C <c> 5 +0000\n\
             gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQEz\n -----END PGP SIGNATURE-----\n\
             note one\n  two\nencoding latin-1\n\nparent x\n\nmore",
            "1".repeat(40),
            "2".repeat(40),
            "3".repeat(40)
        );
        assert!(matches!(what(text.as_bytes()), Some(What::Commit(it)) if it == [0x11; 20]));
        let said = said(text.as_bytes());
        assert_eq!(said.parents, [[0x22; 20], [0x33; 20]]);
        assert_eq!((said.seconds, said.committed), (1_700_000_001, 5));
        assert_eq!(lag(said.committed, said.seconds), -1_699_999_996);
        assert_eq!(lag(i64::MAX, i64::MIN), i32::MAX);
        assert_eq!(said.author, b"A > B <a@b>");
        assert_eq!(said.committer, b"C <c>");
        assert_eq!(said.others, b"note one\n  two\nencoding latin-1\n");
        assert_eq!(said.message, b"parent x\n\nmore");
        assert!(what(b"tree short\n").is_none());
        assert!(what(b"").is_none());
    }

    #[test]
    fn a_tag_is_taken_apart() {
        let text = format!(
            "object {}\ntype commit\ntag v1\ntagger A B <a@b> 7 +0000\n\nwords\n",
            "4".repeat(40)
        );
        assert!(
            matches!(what(text.as_bytes()), Some(What::Tag(it)) if it.as_bytes() == [0x44; 20])
        );
        let said = said(text.as_bytes());
        assert_eq!((said.author, said.seconds), (&b"A B <a@b>"[..], 7));
        assert_eq!(said.others, b"tag v1\n");
        assert_eq!(said.message, b"words\n");
    }
}
