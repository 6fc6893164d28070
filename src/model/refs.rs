//! Refs by the names people use, and sets of them.
//!
//! Not here: what a ref points at.

use std::sync::Arc;

/// What a ref is to people.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum RefKind {
    /// A branch of the repository itself.
    Branch,
    /// A branch of another one, as it was last seen.
    RemoteBranch,
    /// A tag.
    Tag,
    /// All others of a kind: `refs/pull`, `refs/stash`, or `HEAD` where no branch is checked out.
    Other,
}

/// A ref, or all refs of a kind that has no names of its own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Ref {
    /// What it is.
    pub kind: RefKind,
    /// `main`, `origin/main`, `v1.2`, `refs/pull`.
    pub name: String,
}

/// Some of the refs of a repository, in the order of all: branches, the one checked out first, before
/// tags, the newest first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct RefSet {
    all: Arc<[Ref]>,
    /// A bit for each of all.
    members: Arc<[u64]>,
}

impl RefSet {
    /// Those of `all` whose bit is set.
    pub fn new(all: Arc<[Ref]>, members: impl Into<Arc<[u64]>>) -> Self {
        Self {
            all,
            members: members.into(),
        }
    }

    /// The members of both; `None` if they are not of the same repository.
    pub fn union(&self, other: &Self) -> Option<Self> {
        let words = self.members.len().max(other.members.len());
        let word = |it: &Self, at: usize| it.members.get(at).copied().unwrap_or(0);
        let members = (0..words).map(|at| word(self, at) | word(other, at));
        Arc::ptr_eq(&self.all, &other.all).then(|| Self {
            all: Arc::clone(&self.all),
            members: members.collect(),
        })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// All members.
    pub fn iter(&self) -> impl Iterator<Item = &Ref> {
        let words = self.members.iter().enumerate();
        let numbers = words.flat_map(|(at, word)| bits(*word).map(move |bit| at * 64 + bit));
        numbers.filter_map(|it| self.all.get(it))
    }

    /// The names of the branches, those of other repositories last.
    pub fn branches(&self) -> impl Iterator<Item = &str> {
        let is_branch = |it: &&Ref| matches!(it.kind, RefKind::Branch | RefKind::RemoteBranch);
        self.iter().filter(is_branch).map(|it| it.name.as_str())
    }

    /// The names of the tags.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        let tags = self.iter().filter(|it| it.kind == RefKind::Tag);
        tags.map(|it| it.name.as_str())
    }

    /// The kinds of other refs.
    pub fn others(&self) -> impl Iterator<Item = &str> {
        let others = self.iter().filter(|it| it.kind == RefKind::Other);
        others.map(|it| it.name.as_str())
    }
}

/// The numbers of the bits that are set.
fn bits(word: u64) -> impl Iterator<Item = usize> {
    let rest = std::iter::successors(Some(word), |it| Some(it & it.wrapping_sub(1)));
    rest.take_while(|it| *it != 0)
        .map(|it| it.trailing_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_by_kind_and_in_order() {
        let named = |kind, name: &str| Ref {
            kind,
            name: name.to_owned(),
        };
        let all: Arc<[Ref]> = Arc::from([
            named(RefKind::Branch, "main"),
            named(RefKind::Branch, "side"),
            named(RefKind::RemoteBranch, "origin/main"),
            named(RefKind::Tag, "v2"),
            named(RefKind::Tag, "v1"),
            named(RefKind::Other, "refs/pull"),
        ]);
        let set = RefSet::new(Arc::clone(&all), [0b11_0101]);
        assert_eq!(set.branches().collect::<Vec<_>>(), ["main", "origin/main"]);
        assert_eq!(set.tags().collect::<Vec<_>>(), ["v1"]);
        assert_eq!(set.others().collect::<Vec<_>>(), ["refs/pull"]);
        assert!(!set.is_empty());
        let other = RefSet::new(Arc::clone(&all), [0b00_1010]);
        let both = set.union(&other).unwrap();
        let names: Vec<&str> = both.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(
            names,
            ["main", "side", "origin/main", "v2", "v1", "refs/pull"]
        );
        assert_eq!(set.union(&RefSet::default()), None);
        // Bits that are not there are not set, and those beyond stand for nothing.
        assert!(RefSet::new(Arc::clone(&all), []).is_empty());
        assert!(RefSet::new(all, [1 << 63]).is_empty());
        assert!(RefSet::default().is_empty());
    }
}
