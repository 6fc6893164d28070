//! What a partial clone was promised and does not have, and by whom.
//!
//! Not here: fetching it. Nothing in this folder opens a socket.

use crate::model::blob::{Blob, ObjectId};
use crate::model::coverage::Gap;
use crate::source::Sink;
use crate::source::change::Changes;
use crate::source::history::{History, HistoryOptions};
use crate::source::{repository, spelling};
use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;

/// Who promised the objects that a clone lacks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Promisor {
    /// The address, as the repository's own configuration has it.
    pub url: String,
    /// Where objects are kept.
    pub objects: PathBuf,
}

/// The promisor of a partial clone; `None` where the clone is whole, or has forgotten whom to ask.
pub fn promisor(history: &History) -> Option<Promisor> {
    let common = history.library().commondir();
    let name = repository::promisor(history.library())?;
    Some(Promisor {
        url: repository::own_text(common, &format!("remote.{name}.url"))?,
        objects: common.join("objects"),
    })
}

/// The blobs and trees that history names and the clone lacks.
pub fn lacking(history: &History, options: &HistoryOptions) -> BTreeSet<ObjectId> {
    history
        .survey(options, None, &HashSet::new(), &Unheard)
        .lacking()
}

/// The blobs of a change, on either side, that the clone lacks.
pub fn lacking_of(changes: &Changes) -> BTreeSet<ObjectId> {
    let blobs = changes.items.iter();
    let blobs = blobs.flat_map(|it| std::iter::once(&it.id).chain(&it.before));
    let all: BTreeSet<ObjectId> = blobs.copied().collect();
    all.into_iter().filter(|it| changes.lacks(it)).collect()
}

/// An address without user and password, for a message.
pub fn shown(url: &str) -> String {
    spelling::url_without_user_info(url)
}

/// Nobody listens.
struct Unheard;

impl Sink for Unheard {
    fn blob(&self, _blob: Blob<'_>) {}
    fn gap(&self, _gap: Gap) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::change::range;
    use crate::source::testing::Repo;

    #[test]
    fn what_a_filter_kept_away_is_known_and_who_has_it() {
        let repo = Repo::new();
        repo.commit(&[("a", "1"), ("d/b", "2")], "one");
        let first = repo.git(&["rev-parse", "HEAD"]);
        repo.commit(&[("a", "3")], "two");
        repo.git(&["config", "uploadpack.allowFilter", "true"]);
        let url = format!("file://{}", repo.path().display());
        let options = HistoryOptions::default();
        let whole = History::open(repo.path()).unwrap();
        assert_eq!(promisor(&whole), None);
        assert!(lacking(&whole, &options).is_empty());
        for (filter, expected) in [("blob:none", 3), ("tree:0", 2)] {
            let clone = repo.beside(filter);
            let filter = format!("--filter={filter}");
            let to = clone.to_str().unwrap();
            repo.git(&["clone", "-q", "--bare", &filter, &url, to]);
            let history = History::open(&clone).unwrap();
            assert_eq!(promisor(&history).unwrap().url, url);
            assert_eq!(lacking(&history, &options).len(), expected, "{filter}");
        }
        let changes = range(&repo.beside("blob:none"), Some(&first), "HEAD").unwrap();
        let both = [repo.blob_id("1"), repo.blob_id("3")];
        assert_eq!(lacking_of(&changes), both.into_iter().collect());
        assert_eq!(shown("https://u:p@h/x"), "https://h/x");
    }
}
