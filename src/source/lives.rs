//! What a history tells of findings: a value at a path lives in many blobs, one after another and side by
//! side. Who brought the first, who has the last, who took it away, and which refs have it.
//!
//! Not here: the search itself. A commit introduces a value at a path if it has one of its blobs there and
//! no parent has any; it removes it if it has none and every parent has one.

use crate::model::blob::ObjectId;
use crate::model::origin::{Life, Milestone, Origin};
use crate::model::refs::{Ref, RefSet};
use crate::source::graph::{Graph, Reach};
use crate::source::holders::{Classes, Holders};
use crate::source::origins::Choice;
use crate::source::people::People;
use crate::source::story::{Event, Index, NONE, Story};
use std::collections::HashMap;
use std::sync::Arc;

/// The lives of flagged blobs at their paths, which go by numbers. Knows no object any more.
pub struct Lives {
    refs: Arc<[Ref]>,
    /// The oldest first.
    commits: Vec<Known>,
    authors: Vec<String>,
    /// Their commits are places in `commits`.
    events: Vec<Event>,
    story: Story,
    /// Events by what is there now, and by what the first parent had, where each had something.
    arrivals: Index,
    departures: Index,
    in_head: Vec<bool>,
    /// Of commits.
    reached: Classes,
    /// Of places.
    held: Classes,
}

/// Whether places are all that there is of a thing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Contents {
    /// All: when they are gone, it is.
    Whole,
    /// Some files of a folder: who took them away need not have taken the others.
    Part,
}

/// A commit that something happened at.
struct Known {
    id: Option<ObjectId>,
    seconds: i64,
    author: u32,
    reach: Reach,
    is_in_head: bool,
    /// The oldest that comes after it and is as well reached.
    child: u32,
}

/// What places and refs are asked of.
pub(crate) struct Tips<'a> {
    pub(crate) holders: &'a Holders,
    /// Ages of what is checked out.
    pub(crate) head: Vec<u32>,
    /// Places that `HEAD` has.
    pub(crate) in_head: Vec<u32>,
    /// By branches and tags.
    pub(crate) held: Classes,
}

impl Lives {
    /// What a story tells, with what refs have of it.
    pub(crate) fn of(
        mut story: Story,
        graph: &Graph<'_>,
        tips: Tips<'_>,
        people: &People<'_>,
    ) -> Self {
        let cast = Cast::of(&story, graph);
        let mut events = std::mem::take(&mut story.events);
        events
            .iter_mut()
            .for_each(|it| it.commit = cast.at(it.commit));
        for last in story.last.iter_mut().filter(|it| **it != NONE) {
            *last = cast.at(*last);
        }
        let of_head = graph.reached_by(&[tips.head]);
        let (commits, authors) = cast.commits(graph, &of_head, people);
        let places = story.places.len();
        let mut in_head = vec![false; places];
        for place in tips.in_head {
            in_head[place as usize] = true;
        }
        let numbered = || events.iter().zip(0..);
        let arriving = numbered().filter(|(it, _)| it.now != NONE);
        let arrivals = Index::new(places, arriving.map(|(it, number)| (it.now, number)));
        let leaving = numbered().filter(|(it, _)| it.is_full);
        let leaving = leaving.map(|(it, number)| (story.before(it)[0], number));
        let departures = Index::new(places, leaving);
        Self {
            refs: Arc::clone(&tips.holders.all),
            reached: tips.holders.reached(graph, &cast.ages),
            held: tips.held,
            commits,
            authors,
            events,
            arrivals,
            departures,
            in_head,
            story: story.without_search(),
        }
    }

    /// The commit that brought a blob to a place.
    pub(crate) fn choice(&self, place: u32) -> Option<Choice> {
        let first = self.introduced(&self.bringing(&[place]))?;
        let commit = &self.commits[first as usize];
        Some(Choice {
            reach: commit.reach,
            order: i64::from(first),
            commit: commit.id?,
        })
    }

    pub(crate) fn is_in_head(&self, place: u32) -> bool {
        self.in_head[place as usize]
    }

    /// The origin of a value that lives in these places, all at one path, sorted and each once. `found` tells where.
    pub fn origin(&self, found: &Origin, places: &[u32], contents: Contents) -> Origin {
        let bringing = self.bringing(places);
        let Some(introduced) = self.introduced(&bringing) else {
            return found.clone();
        };
        let in_head = places.iter().any(|it| self.is_in_head(*it));
        let life = Life {
            last: self.last(places).map(|it| self.milestone(it)),
            removed: (!in_head && contents == Contents::Whole)
                .then(|| self.removed(places))
                .flatten()
                .map(|it| self.milestone(it)),
            held: self.set(&self.held, places),
            reached: self.set(&self.reached, &bringing),
        };
        Origin {
            introduced: Some(self.milestone(introduced)),
            reachable: self.commits[introduced as usize].reach != Reach::Lost,
            in_head,
            life: Some(Arc::new(life)),
            ..found.clone()
        }
    }

    fn milestone(&self, commit: u32) -> Milestone {
        let commit = &self.commits[commit as usize];
        Milestone {
            seconds: commit.seconds,
            commit: commit.id.map_or_else(String::new, |it| it.to_string()),
            author: self.authors[commit.author as usize].clone(),
        }
    }

    fn set(&self, classes: &Classes, things: &[u32]) -> RefSet {
        let mut members = vec![0; self.refs.len().div_ceil(64)];
        classes.add_all(things, &mut members);
        RefSet::new(Arc::clone(&self.refs), members)
    }

    fn events<'a>(
        &'a self,
        index: &'a Index,
        places: &'a [u32],
    ) -> impl Iterator<Item = &'a Event> {
        let numbers = places.iter().flat_map(|it| index.of(*it));
        numbers.map(|it| &self.events[*it as usize])
    }

    /// Commits that brought one of its blobs. The others come after one that brought the first: they are
    /// younger, not better reached, and nothing has them that has not that one too.
    fn bringing(&self, places: &[u32]) -> Vec<u32> {
        let events = self.events(&self.arrivals, places);
        events.map(|it| it.commit).collect()
    }

    /// The best reached, then the oldest that brought it.
    fn introduced(&self, commits: &[u32]) -> Option<u32> {
        let rank = |it: &&u32| (self.commits[**it as usize].reach, **it);
        commits.iter().min_by_key(rank).copied()
    }

    /// The best reached that has it, then the youngest.
    fn last(&self, places: &[u32]) -> Option<u32> {
        let last = places.iter().map(|it| self.story.last[*it as usize]);
        let last = last.filter(|it| *it != NONE);
        last.max_by_key(|it| (std::cmp::Reverse(self.commits[*it as usize].reach), *it))
    }

    /// Of those that lack it while every parent has it: what HEAD reaches, then the best reached, then the
    /// youngest. Where there is none, a merge left it out: it comes after the last that has it.
    fn removed(&self, places: &[u32]) -> Option<u32> {
        let has = |it: &u32| places.binary_search(it).is_ok();
        let is_end = |it: &&Event| !has(&it.now) && self.story.before(it).iter().all(has);
        let ends = self.events(&self.departures, places).filter(is_end);
        let best = ends.map(|it| it.commit).max_by_key(|it| {
            let commit = &self.commits[*it as usize];
            (commit.is_in_head, std::cmp::Reverse(commit.reach), *it)
        });
        best.or_else(|| {
            let child = self.commits[self.last(places)? as usize].child;
            (child != NONE).then_some(child)
        })
    }
}

/// The commits that a story speaks of, by their ages.
struct Cast {
    ages: Vec<u32>,
    children: HashMap<u32, u32>,
}

impl Cast {
    fn of(story: &Story, graph: &Graph<'_>) -> Self {
        let last = || story.last.iter().copied().filter(|it| *it != NONE);
        let children = children(last(), graph);
        let mut ages: Vec<u32> = story.events.iter().map(|it| it.commit).collect();
        ages.extend(last());
        ages.extend(children.values());
        ages.sort_unstable();
        ages.dedup();
        Self { ages, children }
    }

    /// Which of them it is.
    fn at(&self, age: u32) -> u32 {
        self.ages.binary_search(&age).map_or(NONE, |it| it as u32)
    }

    /// All that is told of them, and the names of their authors.
    fn commits(
        &self,
        graph: &Graph<'_>,
        of_head: &[u64],
        people: &People<'_>,
    ) -> (Vec<Known>, Vec<String>) {
        let mut numbers: HashMap<u32, u32> = HashMap::new();
        let mut authors = Vec::new();
        let commits = self.ages.iter().map(|age| {
            let commit = graph.commit(*age);
            let author = *numbers.entry(commit.author).or_insert_with(|| {
                authors.push(people.author(graph.commits(), commit));
                (authors.len() - 1) as u32
            });
            Known {
                id: commit.id(),
                seconds: commit.seconds,
                author,
                reach: graph.reach(*age),
                is_in_head: of_head[*age as usize] != 0,
                child: self.children.get(age).map_or(NONE, |it| self.at(*it)),
            }
        });
        (commits.collect(), authors)
    }
}

/// The oldest child of each commit among those that are as well reached.
fn children(of: impl Iterator<Item = u32>, graph: &Graph<'_>) -> HashMap<u32, u32> {
    let mut is_asked = vec![false; graph.length() as usize];
    for age in of {
        is_asked[age as usize] = true;
    }
    let mut children = HashMap::new();
    for age in 0..graph.length() {
        for parent in graph.parents(age) {
            if is_asked[*parent as usize] && graph.reach(*parent) == graph.reach(age) {
                children.entry(*parent).or_insert(age);
            }
        }
    }
    children
}
