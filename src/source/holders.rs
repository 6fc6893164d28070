//! Which refs have a thing: in what they point at, or somewhere in their history.
//!
//! Not here: what refs are there. They are asked 64 at a time; commits and places that the same refs have
//! are one class.

use crate::model::blob::ObjectId;
use crate::model::refs::{Ref, RefKind};
use crate::source::commits::Gathered;
use crate::source::graph::Graph;
use crate::source::refs::Refs;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// Branches and tags that are told by name; the rest goes as one.
const NAMED: usize = 16 << 10;
/// Kinds of other refs that are told apart.
const KINDS: usize = 32;
/// Tags of tags.
const DEEPEST: usize = 64;

/// Refs in the order in which they are told, and what they point at.
pub(crate) struct Holders {
    pub(crate) all: Arc<[Ref]>,
    /// Ages of commits; of a kind of refs, all.
    tips: Vec<Vec<u32>>,
    /// Of branches and tags: what they lead to, a commit or a tree.
    targets: Vec<Option<ObjectId>>,
    /// Annotated tags, and the number of a ref that leads through them.
    tags: Vec<(ObjectId, usize)>,
}

/// A ref on the way to its place in the order.
struct Pointer {
    kind: RefKind,
    is_checked_out: bool,
    age: Option<u32>,
    name: String,
    /// What it points at.
    id: ObjectId,
    target: ObjectId,
}

impl Holders {
    pub(crate) fn of(refs: &Refs, gathered: &Gathered, graph: &Graph<'_>) -> Self {
        let mut named = Vec::new();
        let mut others: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for (full, id) in &refs.targets {
            let target = peeled(gathered, *id);
            let age = graph.find(&target);
            match split(full) {
                (RefKind::Other, name) => others.entry(name).or_default().extend(age),
                (kind, name) => named.push(Pointer {
                    kind,
                    is_checked_out: refs.head.as_ref() == Some(full),
                    age,
                    name,
                    id: *id,
                    target,
                }),
            }
        }
        let is_tip = |age: &u32| named.iter().any(|it| it.age == Some(*age));
        let heads = refs.heads.iter().filter_map(|it| graph.find(it));
        let detached: Vec<u32> = heads.filter(|it| !is_tip(it)).collect();
        if !detached.is_empty() {
            others.insert("HEAD".to_owned(), detached);
        }
        named.sort_by(|a, b| {
            let rank = |it: &Pointer| (it.kind, !it.is_checked_out, Reverse(it.age));
            rank(a).cmp(&rank(b)).then_with(|| a.name.cmp(&b.name))
        });
        for it in named.drain(NAMED.min(named.len())..) {
            let kind = match it.kind {
                RefKind::Tag => "refs/tags",
                _ => "refs/heads",
            };
            others.entry(kind.to_owned()).or_default().extend(it.age);
        }
        while others.len() > KINDS {
            let last = others.pop_last();
            let mut rest = last.map_or_else(Vec::new, |it| it.1);
            rest.extend(others.remove("refs").unwrap_or_default());
            others.insert("refs".to_owned(), rest);
        }
        Self::ordered(named, others, gathered)
    }

    fn ordered(
        named: Vec<Pointer>,
        others: BTreeMap<String, Vec<u32>>,
        gathered: &Gathered,
    ) -> Self {
        let mut tags = Vec::new();
        let mut all = Vec::new();
        let mut tips = Vec::new();
        let mut targets = Vec::new();
        for it in named {
            tags.extend(chain(gathered, it.id).map(|tag| (tag, all.len())));
            all.push(Ref {
                kind: it.kind,
                name: it.name,
            });
            tips.push(it.age.into_iter().collect());
            targets.push(Some(it.target));
        }
        for (name, ages) in others {
            all.push(Ref {
                kind: RefKind::Other,
                name,
            });
            tips.push(ages);
            targets.push(None);
        }
        Self {
            all: all.into(),
            tips,
            targets,
            tags,
        }
    }

    /// No ref, or room for all.
    pub(crate) fn nobody(&self) -> Vec<u64> {
        vec![0; self.all.len().div_ceil(64)]
    }

    /// The refs that lead through an annotated tag.
    pub(crate) fn through(&self, tag: &ObjectId) -> Vec<u64> {
        let mut members = self.nobody();
        for (_, at) in self.tags.iter().filter(|it| it.0 == *tag) {
            members[at / 64] |= 1 << (at % 64);
        }
        members
    }

    /// The classes of commits by the refs that reach them.
    pub(crate) fn reached(&self, graph: &Graph<'_>, commits: &[u32]) -> Classes {
        let mut classes = Classes::new(commits.len());
        if commits.is_empty() {
            return classes;
        }
        for (block, tips) in self.tips.chunks(64).enumerate() {
            let masks = graph.reached_by(tips);
            let of_commits = commits.iter().enumerate();
            classes.refine(
                block,
                of_commits.map(|(at, age)| (at, masks[*age as usize])),
            );
        }
        classes
    }

    /// The classes of places by the branches and tags whose tip has them. `held` tells which of 64
    /// commits or trees have a place.
    pub(crate) fn held(
        &self,
        places: usize,
        held: impl Fn(&[Option<ObjectId>]) -> HashMap<u32, u64>,
    ) -> Classes {
        let mut classes = Classes::new(places);
        for (block, targets) in self.targets.chunks(64).enumerate() {
            let held = held(targets);
            classes.refine(block, held.into_iter().map(|it| (it.0 as usize, it.1)));
        }
        classes
    }
}

/// What a tag is a tag of, in the end.
pub(crate) fn peeled(gathered: &Gathered, id: ObjectId) -> ObjectId {
    let last = chain(gathered, id).last();
    let target = last.and_then(|it| gathered.tag(&it)).map(|it| it.target);
    target.unwrap_or(id)
}

/// The tag, the tag that it is a tag of, and so on.
fn chain(gathered: &Gathered, id: ObjectId) -> impl Iterator<Item = ObjectId> {
    let first = gathered.tag(&id);
    let tags = std::iter::successors(first, |it| gathered.tag(&it.target));
    tags.take(DEEPEST).map(|it| it.id)
}

/// What a ref is by its full name, and what people call it.
pub(crate) fn split(full: &str) -> (RefKind, String) {
    for (start, kind) in [
        ("refs/heads/", RefKind::Branch),
        ("refs/remotes/", RefKind::RemoteBranch),
        ("refs/tags/", RefKind::Tag),
    ] {
        if let Some(name) = full.strip_prefix(start) {
            return (kind, name.to_owned());
        }
    }
    let kind: Vec<&str> = full.split('/').take(2).collect();
    (RefKind::Other, kind.join("/"))
}

/// Things sorted into classes by sets of numbers, 64 of these at a time.
pub(crate) struct Classes {
    /// By thing.
    of: Vec<u32>,
    /// Each class: the one that it was a part of, and what it has besides.
    steps: Vec<(u32, u32, u64)>,
}

impl Classes {
    fn new(things: usize) -> Self {
        Self {
            of: vec![0; things],
            steps: vec![(0, 0, 0)],
        }
    }

    fn refine(&mut self, block: usize, masks: impl Iterator<Item = (usize, u64)>) {
        let mut parts: HashMap<(u32, u64), u32> = HashMap::new();
        for (thing, mask) in masks.filter(|it| it.1 != 0) {
            let old = self.of[thing];
            self.of[thing] = *parts.entry((old, mask)).or_insert_with(|| {
                self.steps.push((old, block as u32, mask));
                (self.steps.len() - 1) as u32
            });
        }
    }

    /// Adds the sets of things to others.
    pub(crate) fn add_all(&self, things: &[u32], to: &mut [u64]) {
        let classes = things.iter().map(|it| self.of[*it as usize]);
        let distinct: HashSet<u32> = classes.collect();
        distinct.into_iter().for_each(|it| self.add_class(it, to));
    }

    /// Adds the set of a thing to others.
    pub(crate) fn add(&self, thing: usize, to: &mut [u64]) {
        self.add_class(self.of[thing], to);
    }

    fn add_class(&self, mut class: u32, to: &mut [u64]) {
        while class != 0 {
            let (old, block, mask) = self.steps[class as usize];
            to[block as usize] |= mask;
            class = old;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refs_go_by_kind() {
        for (full, kind, name) in [
            ("refs/heads/a/b", RefKind::Branch, "a/b"),
            (
                "refs/remotes/origin/main",
                RefKind::RemoteBranch,
                "origin/main",
            ),
            ("refs/tags/v1", RefKind::Tag, "v1"),
            ("refs/pull/7/head", RefKind::Other, "refs/pull"),
            ("refs/stash", RefKind::Other, "refs/stash"),
            ("ORIG_HEAD", RefKind::Other, "ORIG_HEAD"),
        ] {
            assert_eq!(split(full), (kind, name.to_owned()));
        }
    }

    #[test]
    fn classes_are_sets() {
        let sets: [[u64; 3]; 5] = [[1, 0, 2], [1, 0, 2], [0, 0, 2], [0, 0, 0], [1, 5, 2]];
        let mut classes = Classes::new(sets.len());
        for block in 0..3 {
            let masks = sets.iter().enumerate().map(|(at, it)| (at, it[block]));
            classes.refine(block, masks);
        }
        for (at, set) in sets.iter().enumerate() {
            let mut found = [0; 3];
            classes.add(at, &mut found);
            assert_eq!(found, *set);
        }
        assert_eq!(classes.of[0], classes.of[1]);
        let mut both = [0; 3];
        classes.add_all(&[2, 4, 2], &mut both);
        assert_eq!(both, [1, 5, 2]);
    }
}
