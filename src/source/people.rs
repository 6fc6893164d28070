//! Who commits and tags are by: the names to show.

use crate::model::blob::ObjectId;
use crate::source::commits::{Commit, Commits};
use crate::source::mailmap::Mailmap;
use crate::source::said::{kept, said};

/// Knows names, and where to read one that is not at hand.
pub(crate) struct People<'a> {
    pub(crate) mailmap: Mailmap,
    /// The bytes of a commit.
    pub(crate) read: &'a dyn Fn(&ObjectId) -> Option<Vec<u8>>,
}

impl People<'_> {
    /// Of a name and address.
    pub(crate) fn name(&self, identity: &[u8]) -> String {
        self.mailmap.name(identity)
    }

    /// Of the author of a commit; empty where the commit cannot be read any more.
    pub(crate) fn author(&self, commits: &Commits, commit: &Commit) -> String {
        if let Some(identity) = commits.author(commit) {
            return self.name(identity);
        }
        let bytes = commit.id().and_then(|it| (self.read)(&it));
        bytes.map_or_else(String::new, |it| self.name(&kept(said(&it).author)))
    }
}
