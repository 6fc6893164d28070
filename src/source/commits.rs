//! Every commit of the object database, in little memory, and which of them refs reach.
//!
//! Not here: names of authors (asked for only where an origin names the commit) and trees.

use crate::model::blob::ObjectId;
use crate::model::coverage::Gap;
use crate::source::objects::Visit;
use git2::{ObjectType, Oid, Repository};
use std::fs;
use std::sync::{Mutex, PoisonError};

type RawId = [u8; 20];

/// What a comparison needs of a commit.
#[derive(Clone, Copy)]
pub(crate) struct Commit {
    id: RawId,
    tree: RawId,
    /// Range in the table of parents.
    parents: (u32, u32),
    /// Author date.
    pub(crate) seconds: i64,
    /// Whether a ref reaches it.
    pub(crate) reachable: bool,
}

impl Commit {
    pub(crate) fn id(&self) -> Option<ObjectId> {
        ObjectId::from_bytes(&self.id)
    }

    pub(crate) fn tree(&self) -> Option<ObjectId> {
        ObjectId::from_bytes(&self.tree)
    }
}

/// Commits sorted by id.
#[derive(Default)]
pub(crate) struct Commits {
    pub(crate) all: Vec<Commit>,
    parents: Vec<RawId>,
}

impl Commits {
    /// The parents of a commit that are here; a shallow clone lacks some.
    pub(crate) fn parents(&self, commit: &Commit) -> impl Iterator<Item = usize> + '_ {
        let (start, end) = commit.parents;
        self.parents[start as usize..end as usize]
            .iter()
            .filter_map(|id| self.position(id))
    }

    fn position(&self, id: &[u8]) -> Option<usize> {
        self.all
            .binary_search_by(|it| it.id.as_slice().cmp(id))
            .ok()
    }

    /// Marks what the tips reach.
    fn mark(&mut self, tips: &[Oid]) {
        let mut stack: Vec<usize> = tips
            .iter()
            .filter_map(|it| self.position(it.as_bytes()))
            .collect();
        while let Some(at) = stack.pop() {
            if !std::mem::replace(&mut self.all[at].reachable, true) {
                let commit = self.all[at];
                stack.extend(self.parents(&commit));
            }
        }
    }
}

/// Gathers commits from a reading of the object database.
#[derive(Default)]
pub(crate) struct Gatherer {
    found: Mutex<(Commits, Vec<Gap>)>,
}

impl Gatherer {
    /// The commits, sorted and marked by what refs reach, and what could not be read.
    pub(crate) fn finish(self, repository: &Repository) -> (Commits, Vec<Gap>) {
        let (mut commits, gaps) = self
            .found
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        commits.all.sort_unstable_by_key(|it| it.id);
        commits.mark(&tips(repository));
        (commits, gaps)
    }
}

impl Visit for Gatherer {
    fn object(&self, id: ObjectId, bytes: &[u8]) {
        let Some(parsed) = parse(bytes) else { return };
        let Some(id) = id.as_bytes().first_chunk() else {
            return;
        };
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let commits = &mut found.0;
        let start = commits.parents.len() as u32;
        commits.parents.extend(parsed.parents);
        let parents = (start, commits.parents.len() as u32);
        commits.all.push(Commit {
            id: *id,
            tree: parsed.tree,
            parents,
            seconds: parsed.seconds,
            reachable: false,
        });
    }

    fn failed(&self, gap: Gap) {
        self.found
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .1
            .push(gap);
    }
}

struct Parsed {
    tree: RawId,
    parents: Vec<RawId>,
    seconds: i64,
}

fn parse(bytes: &[u8]) -> Option<Parsed> {
    let mut lines = bytes.split(|it| *it == b'\n');
    let tree = raw_id(lines.next()?.strip_prefix(b"tree ")?)?;
    let mut parents = Vec::new();
    let mut seconds = 0;
    for line in lines.take_while(|it| !it.is_empty()) {
        if let Some(hex) = line.strip_prefix(b"parent ") {
            parents.extend(raw_id(hex));
        } else if let Some(author) = line.strip_prefix(b"author ") {
            seconds = author_seconds(author).unwrap_or(0);
            break;
        }
    }
    Some(Parsed {
        tree,
        parents,
        seconds,
    })
}

fn raw_id(hex: &[u8]) -> Option<RawId> {
    Oid::from_str(std::str::from_utf8(hex).ok()?)
        .ok()?
        .as_bytes()
        .first_chunk()
        .copied()
}

/// The date follows the last `>`: `Name <mail> 1700000000 +0100`.
fn author_seconds(author: &[u8]) -> Option<i64> {
    let end = memchr::memrchr(b'>', author)?;
    let date = std::str::from_utf8(&author[end + 1..]).ok()?;
    date.split_ascii_whitespace().next()?.parse().ok()
}

/// Commits that refs, HEAD and the HEADs of linked work trees point to.
fn tips(repository: &Repository) -> Vec<Oid> {
    let mut tips = Vec::new();
    for reference in repository.references().into_iter().flatten().flatten() {
        tips.extend(reference.peel(ObjectType::Commit).ok().map(|it| it.id()));
    }
    tips.extend(
        repository
            .head()
            .ok()
            .and_then(|it| it.peel_to_commit().ok())
            .map(|it| it.id()),
    );
    let common = repository.commondir();
    let linked = fs::read_dir(common.join("worktrees"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|it| it.path());
    for folder in linked.chain([common.to_owned()]) {
        let head = fs::read_to_string(folder.join("HEAD")).unwrap_or_default();
        tips.extend(Oid::from_str(head.trim()).ok());
    }
    tips
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_gives_its_tree_parents_and_author_date() {
        let text = format!(
            "tree {}\nparent {}\nparent {}\nauthor A > B <a@b> 1700000001 -0800\ncommitter C <c> 5 +0000\n\nparent x\n",
            "1".repeat(40),
            "2".repeat(40),
            "3".repeat(40)
        );
        let parsed = parse(text.as_bytes()).unwrap();
        assert_eq!(parsed.tree, [0x11; 20]);
        assert_eq!(parsed.parents, [[0x22; 20], [0x33; 20]]);
        assert_eq!(parsed.seconds, 1_700_000_001);
        assert!(parse(b"tree short\n").is_none());
        assert!(parse(b"").is_none());
    }
}
