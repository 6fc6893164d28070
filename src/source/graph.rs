//! Commits by age, and what refs reach.
//!
//! Not here: trees. A commit counts as at least a second younger than its parents, whatever its clock said
//! (git calls that the corrected commit date), so that age is an order in which parents come first.

use crate::model::blob::ObjectId;
use crate::source::commits::{Commit, Commits};

/// Who can come by a commit; the best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Reach {
    /// What a clone brings: branches, tags and what is checked out reach it.
    Cloned,
    /// Only other refs do: pull requests, stashes, notes.
    Referred,
    /// No ref does.
    Lost,
}

impl Reach {
    pub(crate) const ALL: [Self; 3] = [Self::Cloned, Self::Referred, Self::Lost];
}

/// Commits by age; 0 is the oldest.
pub(crate) struct Graph<'a> {
    commits: &'a Commits,
    /// By age: which it is in the table.
    positions: Vec<u32>,
    /// By position: its age.
    ages: Vec<u32>,
    /// By age: where its parents start in `parents`; one more at the end.
    starts: Vec<u32>,
    /// Ages.
    parents: Vec<u32>,
    reach: Vec<Reach>,
}

/// Dates beyond are not of this world, and adding to them must not overflow.
const FAR: i64 = 1 << 50;

impl<'a> Graph<'a> {
    /// `cloned` are the commits that branches, tags and `HEAD` point at.
    pub(crate) fn of(commits: &'a Commits, cloned: impl Iterator<Item = ObjectId>) -> Self {
        let family = Family::of(commits);
        let dates = dates(commits, &family);
        let mut positions: Vec<u32> = (0..dates.len() as u32).collect();
        positions.sort_unstable_by_key(|it| (dates[*it as usize], *it));
        drop(dates);
        let mut ages = vec![0; positions.len()];
        for (age, position) in positions.iter().enumerate() {
            ages[*position as usize] = age as u32;
        }
        let mut starts = Vec::with_capacity(positions.len() + 1);
        let mut parents = Vec::with_capacity(positions.len());
        starts.push(0);
        for (age, position) in positions.iter().enumerate() {
            let older = family
                .parents(*position)
                .iter()
                .map(|it| ages[*it as usize]);
            // What claims to descend from itself has been tampered with.
            parents.extend(older.filter(|it| (*it as usize) < age));
            starts.push(parents.len() as u32);
        }
        let mut graph = Self {
            commits,
            reach: Vec::new(),
            positions,
            ages,
            starts,
            parents,
        };
        graph.reach = graph.reaches(cloned);
        graph
    }

    fn reaches(&self, cloned: impl Iterator<Item = ObjectId>) -> Vec<Reach> {
        let referred = |it: &u32| match self.commits.all[*it as usize].reachable {
            true => Reach::Referred,
            false => Reach::Lost,
        };
        let mut reach: Vec<Reach> = self.positions.iter().map(referred).collect();
        for age in cloned.filter_map(|it| self.find(&it)) {
            reach[age as usize] = Reach::Cloned;
        }
        for age in (0..self.length()).rev() {
            if reach[age as usize] == Reach::Cloned {
                for parent in self.parents(age) {
                    reach[*parent as usize] = Reach::Cloned;
                }
            }
        }
        reach
    }

    pub(crate) fn length(&self) -> u32 {
        self.positions.len() as u32
    }

    pub(crate) fn find(&self, id: &ObjectId) -> Option<u32> {
        Some(self.ages[self.commits.position(id.as_bytes())?])
    }

    pub(crate) fn commit(&self, age: u32) -> &'a Commit {
        &self.commits.all[self.positions[age as usize] as usize]
    }

    pub(crate) fn commits(&self) -> &'a Commits {
        self.commits
    }

    /// Ages of the parents that are here; a shallow clone lacks some.
    pub(crate) fn parents(&self, age: u32) -> &[u32] {
        let (start, end) = (self.starts[age as usize], self.starts[age as usize + 1]);
        &self.parents[start as usize..end as usize]
    }

    pub(crate) fn reach(&self, age: u32) -> Reach {
        self.reach[age as usize]
    }

    /// What each commit is reached by, of at most 64 groups of commits: a bit each.
    pub(crate) fn reached_by(&self, groups: &[Vec<u32>]) -> Vec<u64> {
        let mut masks = vec![0_u64; self.positions.len()];
        for (bit, tips) in groups.iter().enumerate() {
            for tip in tips {
                masks[*tip as usize] |= 1 << bit;
            }
        }
        for age in (0..self.length()).rev() {
            let mask = masks[age as usize];
            if mask != 0 {
                for parent in self.parents(age) {
                    masks[*parent as usize] |= mask;
                }
            }
        }
        masks
    }
}

/// By position: positions of parents.
struct Family {
    starts: Vec<u32>,
    parents: Vec<u32>,
}

impl Family {
    fn of(commits: &Commits) -> Self {
        let mut family = Self {
            starts: vec![0],
            parents: Vec::with_capacity(commits.all.len()),
        };
        for commit in &commits.all {
            let parents = commits.parents(commit).map(|it| it as u32);
            family.parents.extend(parents);
            family.starts.push(family.parents.len() as u32);
        }
        family
    }

    fn parents(&self, position: u32) -> &[u32] {
        let at = position as usize;
        &self.parents[self.starts[at] as usize..self.starts[at + 1] as usize]
    }
}

/// By position: the commit date, or a second more than that of the youngest parent.
fn dates(commits: &Commits, family: &Family) -> Vec<i64> {
    const UNKNOWN: i64 = i64::MIN;
    const ASKED: i64 = i64::MIN + 1;
    let mut dates = vec![UNKNOWN; commits.all.len()];
    let mut stack = Vec::new();
    for position in 0..dates.len() as u32 {
        stack.push(position);
        while let Some(at) = stack.pop() {
            let parents = family.parents(at).iter();
            let parents = parents.map(|it| (*it, dates[*it as usize]));
            if dates[at as usize] == UNKNOWN {
                stack.push(at);
                stack.extend(parents.filter(|it| it.1 == UNKNOWN).map(|it| it.0));
                dates[at as usize] = ASKED;
            } else if dates[at as usize] == ASKED {
                let youngest = parents.map(|it| it.1).filter(|it| *it > ASKED).max();
                let own = commits.all[at as usize].committed().clamp(-FAR, FAR);
                dates[at as usize] = own.max(youngest.map_or(own, |it| it + 1));
            }
        }
    }
    dates
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::commits::{Gathered, Gatherer};
    use crate::source::digest::Digest;
    use crate::source::objects::Visit;
    use crate::source::refs::Refs;
    use crate::source::roster::Met;
    use crate::source::testing::Keep;

    fn id(number: u8) -> ObjectId {
        ObjectId::from_bytes(&[number; 20]).unwrap()
    }

    /// Commits by number: parents and commit date. `main` points at the first.
    fn gathered(rows: &[(u8, &[u8], i64)]) -> Gathered {
        let sink = Keep::default();
        let digest = Digest::new();
        let gatherer = Gatherer::new(&sink, &digest, Met::default());
        for (number, parents, date) in rows {
            let parents = parents.iter().map(|it| format!("parent {}\n", id(*it)));
            let text = format!(
                "tree {}\n{}author A <a> 0 +0000\ncommitter C <c> {date} +0000\n\n{number}\n",
                id(99),
                parents.collect::<String>()
            );
            gatherer.object(id(*number), text.as_bytes());
        }
        let mut refs = Refs::default();
        refs.targets
            .push(("refs/heads/main".to_owned(), id(rows[0].0)));
        refs.targets
            .push(("refs/pull/1/head".to_owned(), id(rows[1].0)));
        let mut gathered = gatherer.finish();
        gathered.mark(&refs);
        gathered
    }

    fn order(graph: &Graph<'_>) -> Vec<u8> {
        let ids = (0..graph.length()).map(|it| graph.commit(it).id().unwrap());
        ids.map(|it| it.as_bytes()[0]).collect()
    }

    #[test]
    fn parents_are_older_whatever_clocks_say() {
        // 1 -> 2 -> 3, where 2 has a clock far ahead and 1 one far behind; 4 is dated between.
        let gathered = gathered(&[
            (1, &[2], 5),
            (4, &[3, 77], 500),
            (2, &[3], 1000),
            (3, &[], 100),
            (5, &[4], i64::MAX),
            (6, &[5], i64::MIN),
        ]);
        let graph = Graph::of(&gathered.commits, [id(1)].into_iter());
        assert_eq!(order(&graph), [3, 4, 2, 1, 5, 6]);
        let of = |number: u8| graph.find(&id(number)).unwrap();
        assert_eq!(graph.parents(of(1)), [of(2)]);
        // A parent that is not there is none.
        assert_eq!(graph.parents(of(4)), [of(3)]);
        let reach = [1, 2, 3, 4, 5].map(|it| graph.reach(of(it)));
        let [cloned, referred, lost] = Reach::ALL;
        assert_eq!(reach, [cloned, cloned, cloned, referred, lost]);
        let masks = graph.reached_by(&[vec![of(2)], vec![of(4), of(1)]]);
        let masks = [1, 2, 3, 4, 5].map(|it| masks[of(it) as usize]);
        assert_eq!(masks, [0b10, 0b11, 0b11, 0b10, 0]);
    }

    #[test]
    fn commits_that_descend_from_themselves_end() {
        let gathered = gathered(&[
            (1, &[2], 30),
            (2, &[3], 20),
            (3, &[1, 3, 4], 10),
            (4, &[], 5),
        ]);
        let graph = Graph::of(&gathered.commits, [id(1)].into_iter());
        assert_eq!(graph.length(), 4);
        for age in 0..graph.length() {
            assert!(graph.parents(age).iter().all(|it| *it < age));
        }
        let reached = (0..4).filter(|it| graph.reach(*it) == Reach::Cloned);
        assert!(reached.count() >= 2);
    }
}
