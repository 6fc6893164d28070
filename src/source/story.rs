//! What happened to flagged blobs at their paths: which commits brought, changed and took them, and which
//! was the last to have them.
//!
//! Not here: what that says of a finding, which lives in many blobs (see `lives`). Trees that are equal are
//! not looked into, and none twice at one path for the same question.

use crate::source::compare::Entry;
use crate::source::graph::{Graph, Reach};
use crate::source::paths::{Paths, TOP};
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// No place, no tree, no commit.
pub(crate) const NONE: u32 = u32::MAX;

/// The flagged entries of flagged trees, all by numbers.
pub(crate) struct Listings {
    entries: Vec<Entry<u32, u32>>,
    /// By the number of a tree.
    ranges: Vec<(u32, u32)>,
}

impl Listings {
    /// `ranges` are parts of `entries`.
    pub(crate) fn new(mut entries: Vec<Entry<u32, u32>>, ranges: Vec<(u32, u32)>) -> Self {
        // A malformed tree may have a file and a folder of one name: they are told apart.
        for (start, end) in &ranges {
            entries[*start as usize..*end as usize]
                .sort_unstable_by_key(|it| (it.name, it.is_tree, it.id));
        }
        Self { entries, ranges }
    }

    fn of(&self, tree: u32) -> &[Entry<u32, u32>] {
        let range = self.ranges.get(tree as usize);
        range.map_or(&[], |it| &self.entries[it.0 as usize..it.1 as usize])
    }

    fn find(&self, tree: u32, name: u32, is_tree: bool) -> u32 {
        let listing = self.of(tree);
        let key = (name, is_tree);
        let found = listing.binary_search_by_key(&key, |it| (it.name, it.is_tree));
        found.map_or(NONE, |at| listing[at].id)
    }
}

/// A commit has something at a path that none of its parents has there, be it nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) commit: u32,
    /// The place, or none.
    pub(crate) now: u32,
    /// Part of `befores`.
    before: (u32, u32),
    /// Whether each parent had something flagged there, and there is one.
    pub(crate) is_full: bool,
}

/// What happened, and where.
#[derive(Default)]
pub(crate) struct Story {
    pub(crate) paths: Paths,
    /// Each place: a path, and a blob at it.
    pub(crate) places: Vec<(u32, u32)>,
    numbers: HashMap<(u32, u32), u32>,
    pub(crate) events: Vec<Event>,
    /// Places.
    befores: Vec<u32>,
    /// By place: the commit that is the last to have it.
    pub(crate) last: Vec<u32>,
}

/// A folder, its tree in a commit, and those in the commit's parents.
struct Step {
    path: u32,
    now: u32,
    before: Vec<u32>,
}

impl Story {
    /// `roots` are the trees of commits, by age.
    pub(crate) fn of(listings: &Listings, graph: &Graph<'_>, roots: &[u32]) -> Self {
        let mut story = Self::default();
        for age in 0..graph.length() {
            let parents = graph.parents(age).iter();
            let before = parents.map(|it| roots[*it as usize]).collect();
            let now = roots[age as usize];
            story.compare(listings, age, now, before);
        }
        story.last = vec![NONE; story.places.len()];
        story.find_last(listings, graph, roots);
        story
    }

    /// What the parents had where something happened.
    pub(crate) fn before(&self, event: &Event) -> &[u32] {
        &self.befores[event.before.0 as usize..event.before.1 as usize]
    }

    fn compare(&mut self, listings: &Listings, age: u32, now: u32, before: Vec<u32>) {
        if before.contains(&now) || now == NONE && before.is_empty() {
            return;
        }
        let mut stack = vec![Step {
            path: TOP,
            now,
            before,
        }];
        while let Some(step) = stack.pop() {
            let first = step.before.first().copied().unwrap_or(NONE);
            for pair in Pairs::new(listings.of(step.now), listings.of(first)) {
                // Most entries are as they were.
                if pair.now == pair.first && !step.before.is_empty() {
                    continue;
                }
                let before: Vec<u32> = step
                    .before
                    .iter()
                    .map(|it| listings.find(*it, pair.name, pair.is_tree))
                    .collect();
                if before.contains(&pair.now) {
                    continue;
                }
                let Some(path) = self.paths.number(step.path, pair.name) else {
                    continue;
                };
                let now = pair.now;
                match pair.is_tree {
                    true => stack.push(Step { path, now, before }),
                    false => self.tell(age, path, now, &before),
                }
            }
        }
    }

    fn tell(&mut self, commit: u32, path: u32, now: u32, before: &[u32]) {
        let is_full = !before.is_empty() && !before.contains(&NONE);
        if now == NONE && !is_full {
            return;
        }
        let start = self.befores.len() as u32;
        for blob in before.iter().filter(|it| **it != NONE) {
            let place = self.place(path, *blob);
            self.befores.push(place);
        }
        let now = match now {
            NONE => NONE,
            blob => self.place(path, blob),
        };
        self.events.push(Event {
            commit,
            now,
            before: (start, self.befores.len() as u32),
            is_full,
        });
    }

    fn place(&mut self, path: u32, blob: u32) -> u32 {
        let next = self.places.len() as u32;
        let number = *self.numbers.entry((path, blob)).or_insert(next);
        if number == next {
            self.places.push((path, blob));
        }
        number
    }

    /// Goes from the commits that are best reached and youngest to the others: who has a place first on
    /// this way is the last to have it.
    fn find_last(&mut self, listings: &Listings, graph: &Graph<'_>, roots: &[u32]) {
        let mut seen = Seen::new(listings.ranges.len());
        for reach in Reach::ALL {
            for age in (0..graph.length()).rev() {
                let tree = roots[age as usize];
                if tree == NONE || graph.reach(age) != reach || !seen.is_new(TOP, tree) {
                    continue;
                }
                let mut stack = vec![(TOP, tree)];
                while let Some((folder, tree)) = stack.pop() {
                    for entry in listings.of(tree) {
                        let Some(path) = self.paths.find(folder, entry.name) else {
                            continue;
                        };
                        if !entry.is_tree {
                            if let Some(place) = self.numbers.get(&(path, entry.id)) {
                                let last = &mut self.last[*place as usize];
                                *last = if *last == NONE { age } else { *last };
                            }
                        } else if seen.is_new(path, entry.id) {
                            stack.push((path, entry.id));
                        }
                    }
                }
            }
        }
    }

    /// Which of at most 64 trees have each place: a bit each.
    pub(crate) fn held(&self, listings: &Listings, trees: &[u32]) -> HashMap<u32, u64> {
        let mut held = HashMap::new();
        let mut level: Vec<(u32, u32, u64)> = Vec::new();
        for (bit, tree) in trees.iter().enumerate() {
            level.push((TOP, *tree, 1 << bit));
        }
        while !level.is_empty() {
            level.sort_unstable();
            let mut below = Vec::new();
            for same in level.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
                let mask = same.iter().fold(0, |all, it| all | it.2);
                for entry in listings.of(same[0].1) {
                    let Some(path) = self.paths.find(same[0].0, entry.name) else {
                        continue;
                    };
                    if entry.is_tree {
                        below.push((path, entry.id, mask));
                    } else if let Some(place) = self.numbers.get(&(path, entry.id)) {
                        *held.entry(*place).or_default() |= mask;
                    }
                }
            }
            level = below;
        }
        held
    }

    /// Frees what only the search needed.
    pub(crate) fn without_search(self) -> Self {
        Self {
            befores: self.befores,
            last: self.last,
            ..Self::default()
        }
    }
}

/// Trees that were looked into, each with the path at which it was; few are met at several.
struct Seen {
    first: Vec<u32>,
    more: HashSet<(u32, u32)>,
}

impl Seen {
    fn new(trees: usize) -> Self {
        Self {
            first: vec![NONE; trees],
            more: HashSet::new(),
        }
    }

    fn is_new(&mut self, path: u32, tree: u32) -> bool {
        match self.first.get_mut(tree as usize) {
            Some(first) if *first == NONE => {
                *first = path;
                true
            }
            Some(first) if *first == path => false,
            _ => self.more.insert((path, tree)),
        }
    }
}

/// An entry of a tree beside that of another tree.
struct Pair {
    name: u32,
    is_tree: bool,
    now: u32,
    first: u32,
}

/// The entries of two listings, side by side.
struct Pairs<'a> {
    now: &'a [Entry<u32, u32>],
    first: &'a [Entry<u32, u32>],
}

impl<'a> Pairs<'a> {
    fn new(now: &'a [Entry<u32, u32>], first: &'a [Entry<u32, u32>]) -> Self {
        Self { now, first }
    }
}

impl Iterator for Pairs<'_> {
    type Item = Pair;

    fn next(&mut self) -> Option<Pair> {
        let key = |it: &[Entry<u32, u32>]| it.first().map(|it| (it.name, it.is_tree));
        let (now, first) = (key(self.now), key(self.first));
        let (name, is_tree) = match (now, first) {
            (Some(now), Some(first)) => now.min(first),
            (one, other) => one.or(other)?,
        };
        let take = |from: &mut &[Entry<u32, u32>], has: bool| match from.split_first() {
            Some((entry, rest)) if has => {
                *from = rest;
                entry.id
            }
            _ => NONE,
        };
        Some(Pair {
            name,
            is_tree,
            now: take(&mut self.now, now == Some((name, is_tree))),
            first: take(&mut self.first, first == Some((name, is_tree))),
        })
    }
}

/// Numbers by number, such as events by place.
pub(crate) struct Index {
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl Index {
    /// Items that belong to one of `length` owners each.
    pub(crate) fn new(length: usize, owners: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let mut starts = vec![0; length + 1];
        for (owner, _) in owners.clone() {
            starts[owner as usize + 1] += 1;
        }
        for at in 0..length {
            starts[at + 1] += starts[at];
        }
        let mut items = vec![0; starts[length] as usize];
        let mut next = starts.clone();
        for (owner, item) in owners {
            let at = &mut next[owner as usize];
            items[*at as usize] = item;
            *at += 1;
        }
        Self { starts, items }
    }

    pub(crate) fn of(&self, owner: u32) -> &[u32] {
        let range: Range<usize> =
            self.starts[owner as usize] as usize..self.starts[owner as usize + 1] as usize;
        &self.items[range]
    }
}
