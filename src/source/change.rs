//! A change: the blobs that the index or a range of commits brings in.
//!
//! Not here: how the two are found (see `staged` and `range`). Blobs are named first and read when asked.

use crate::model::blob::ObjectId;
use crate::model::coverage::{Gap, Reason};
use crate::model::origin::{Milestone, Origin, OriginKind};
use crate::model::report;
use crate::source::error::Error;
use crate::source::exclude::{Exclusions, IGNORE_FILE};
use crate::source::{base, spelling};
use git2::{ErrorCode, Oid};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

pub use crate::source::base::Ground;
pub use crate::source::range::{difference, range};
pub use crate::source::reach::{Difference, Without};
pub use crate::source::staged::staged;

/// A blob that a change brings to a path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ChangedBlob {
    /// Path relative to the repository root.
    pub path: String,
    /// The blob.
    pub id: ObjectId,
    /// Blobs at this path, or at the path it was renamed from, on the other side: HEAD for the index,
    /// the parents for a commit.
    pub before: Vec<ObjectId>,
    /// The commit that brings it; `None` for the index.
    pub introduced: Option<Milestone>,
    /// Whether HEAD has this blob at this path.
    pub in_head: bool,
}

/// A text of a change that is no blob.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChangedText {
    /// The text.
    pub bytes: Vec<u8>,
    /// Where it stands.
    pub origin: Origin,
}

/// What of a change is read.
#[derive(Clone, Debug)]
pub struct ChangeOptions {
    /// Larger blobs become gaps.
    pub max_size: u64,
    /// Read what would be left out, too.
    pub no_ignore: bool,
    /// Patterns as in .gitignore.
    pub exclude: Vec<String>,
    /// Whose ignore files count.
    pub ground: Ground,
}

/// What a change brings in.
pub struct Changes {
    /// Sorted; one for each blob and path.
    pub items: Vec<ChangedBlob>,
    /// What the commits say; none of the index.
    said: Vec<ChangedText>,
    /// What could not be compared.
    pub gaps: Vec<Gap>,
    /// Where the repository stands.
    pub repository: report::Repository,
    objects: Mutex<git2::Repository>,
}

impl Changes {
    pub(crate) fn new(
        mut items: Vec<ChangedBlob>,
        gaps: Vec<Gap>,
        repository: report::Repository,
        objects: git2::Repository,
    ) -> Self {
        items.sort();
        Self {
            items,
            said: Vec::new(),
            gaps,
            repository,
            objects: Mutex::new(objects),
        }
    }

    /// The same with what the commits say.
    pub(crate) fn saying(self, said: Vec<ChangedText>) -> Self {
        Self { said, ..self }
    }

    /// What the commits say, and the names that new files bring, each once.
    pub fn texts(&self) -> Vec<ChangedText> {
        let mut texts = self.said.clone();
        let mut seen = BTreeSet::new();
        for item in self.items.iter().filter(|it| it.before.is_empty()) {
            for (name, end) in components(&item.path) {
                if seen.insert(name) {
                    let path = &item.path[..end];
                    texts.push(ChangedText {
                        bytes: spelling::without_ending(name.as_bytes()).into_owned(),
                        origin: Origin {
                            introduced: item.introduced.clone(),
                            in_head: item.in_head,
                            ..Origin::plain(OriginKind::FileName, path, Some(".".to_owned()))
                        },
                    });
                }
            }
        }
        texts
    }

    /// Leaves out what the patterns and the ignore files exclude, and what is too large: such items become gaps. Folders that git ignores are no matter here: a commit has no use for that.
    pub fn leave_out(&mut self, options: &ChangeOptions) -> Result<(), Error> {
        let top = {
            let repository = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
            repository
                .workdir()
                .unwrap_or_else(|| repository.path())
                .to_path_buf()
        };
        let exclusions = Exclusions::new(&top, &options.exclude, options.no_ignore)?;
        let mut kept = Vec::new();
        let mut entered = BTreeSet::new();
        for item in std::mem::take(&mut self.items) {
            let path = top.join(&item.path);
            for folder in folders(&path, &top) {
                if entered.insert(folder.to_path_buf()) {
                    let gap = self.enter(&exclusions, folder, &top, options.ground)?;
                    self.gaps.extend(gap);
                }
            }
            let gap = match exclusions.excluded_below(&top, &path) {
                Some(by) => Some((Reason::Excluded, by)),
                None => self.too_large(&item.id, options.max_size),
            };
            match gap {
                Some((reason, detail)) => self.gaps.push(Gap {
                    path: item.path,
                    reason,
                    detail,
                }),
                None => kept.push(item),
            }
        }
        self.items = kept;
        Ok(())
    }

    /// Reads the ignore file of a folder.
    fn enter(
        &self,
        exclusions: &Exclusions,
        folder: &Path,
        top: &Path,
        ground: Ground,
    ) -> Result<Option<Gap>, Error> {
        if ground == Ground::WorkTree {
            return Ok(exclusions.enter(folder));
        }
        let repository = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        let relative = spelling::shown(folder.strip_prefix(top).unwrap_or(folder));
        let path = spelling::joined(&relative, IGNORE_FILE);
        let text = base::file(&repository, &path).map_err(|it| Error::Object {
            id: format!("HEAD:{path}"),
            reason: reason(&it),
            message: it.message().to_owned(),
        })?;
        Ok(text.and_then(|it| exclusions.enter_with(folder, &spelling::text(&it))))
    }

    /// A blob whose size cannot be told is told when it is read.
    fn too_large(&self, id: &ObjectId, max_size: u64) -> Option<(Reason, String)> {
        let size = self.size(id).ok().filter(|it| *it > max_size)?;
        Some((Reason::TooLarge, format!("{size} bytes")))
    }

    /// The bytes of a blob of either side.
    pub fn read(&self, id: &ObjectId) -> Result<Vec<u8>, Error> {
        let repository = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = |it: git2::Error| Error::Object {
            id: id.to_string(),
            reason: reason(&it),
            message: it.message().to_owned(),
        };
        let odb = repository.odb().map_err(fault)?;
        let object = odb
            .read(Oid::from_bytes(id.as_bytes()).map_err(fault)?)
            .map_err(fault)?;
        Ok(object.data().to_vec())
    }

    /// Whether a blob is not here.
    pub(crate) fn lacks(&self, id: &ObjectId) -> bool {
        let size = self.size(id);
        matches!(size, Err(Error::Object { reason, .. }) if reason == Reason::MissingObject)
    }

    /// The size of a blob, without reading it.
    pub fn size(&self, id: &ObjectId) -> Result<u64, Error> {
        let repository = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = |it: git2::Error| Error::Object {
            id: id.to_string(),
            reason: reason(&it),
            message: it.message().to_owned(),
        };
        let odb = repository.odb().map_err(fault)?;
        let header = odb
            .read_header(Oid::from_bytes(id.as_bytes()).map_err(fault)?)
            .map_err(fault)?;
        Ok(header.0 as u64)
    }
}

/// The names of a path, and where each ends.
fn components(path: &str) -> impl Iterator<Item = (&str, usize)> {
    let mut start = 0;
    path.split('/').map(move |name| {
        let end = start + name.len();
        start = end + 1;
        (name, end)
    })
}

/// Folders from the top of the work tree down to the one that holds a path.
fn folders<'a>(path: &'a Path, top: &Path) -> Vec<&'a Path> {
    let above = path.ancestors().skip(1);
    let mut folders: Vec<_> = above.take_while(|it| it.starts_with(top)).collect();
    folders.reverse();
    folders
}

fn reason(error: &git2::Error) -> Reason {
    if error.code() == ErrorCode::NotFound {
        Reason::MissingObject
    } else {
        Reason::CorruptObject
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::testing::{Repo, id};
    use std::fs;
    use std::path::Path;

    const SECRET: &str = "token = invented-value-1234567890\n";

    /// (path, text, texts before)
    fn rows(changes: &Changes) -> Vec<(String, String, Vec<String>)> {
        let text = |id: &ObjectId| String::from_utf8(changes.read(id).unwrap()).unwrap();
        let row = |it: &ChangedBlob| {
            (
                it.path.clone(),
                text(&it.id),
                it.before.iter().map(text).collect(),
            )
        };
        changes.items.iter().map(row).collect()
    }

    fn row(path: &str, text: &str, before: &[&str]) -> (String, String, Vec<String>) {
        (
            path.to_owned(),
            text.to_owned(),
            before.iter().map(|it| (*it).to_owned()).collect(),
        )
    }

    #[test]
    fn the_index_is_read_and_not_the_work_tree() {
        let repo = Repo::new();
        repo.write("first", "1\n");
        repo.write("empty", "");
        repo.git(&["add", "first", "empty"]);
        assert_eq!(
            rows(&staged(repo.path(), None).unwrap()),
            [row("first", "1\n", &[])]
        );
        repo.commit(&[("gone", "bye\n")], "one");
        assert_eq!(rows(&staged(repo.path(), None).unwrap()), []);
        repo.write("first", "staged\n");
        repo.write("new/x", SECRET);
        repo.git(&["add", "-A"]);
        repo.git(&["rm", "-q", "gone"]);
        repo.write("first", "only in the work tree\n");
        repo.write("intended", "later\n");
        repo.git(&["add", "-N", "intended"]);
        let changes = staged(&repo.path().join("new"), None).unwrap();
        assert_eq!(
            rows(&changes),
            [
                row("first", "staged\n", &["1\n"]),
                row("new/x", SECRET, &[])
            ]
        );
        assert_eq!(
            changes.size(&changes.items[1].id).unwrap(),
            SECRET.len() as u64
        );
        assert_eq!(changes.repository.branch.as_deref(), Some("main"));
        assert!(changes.read(&id(&"1".repeat(40))).is_err());
    }

    #[test]
    fn another_index_file_and_a_linked_work_tree_are_honoured() {
        let repo = Repo::new();
        repo.commit(&[("a", "1\n")], "one");
        let other = repo.beside("other-index");
        fs::copy(repo.path().join(".git/index"), &other).unwrap();
        repo.write("a", "2\n");
        repo.git(&["add", "a"]);
        assert_eq!(rows(&staged(repo.path(), None).unwrap()).len(), 1);
        assert_eq!(
            rows(&staged(&repo.path().join(".git"), Some(&other)).unwrap()),
            []
        );
        let linked = repo.beside("linked");
        repo.git(&[
            "worktree",
            "add",
            "-q",
            linked.to_str().unwrap(),
            "-b",
            "side",
        ]);
        fs::write(linked.join("b"), "3\n").unwrap();
        Repo::git_in(&linked, &["add", "b"]);
        let changes = staged(&linked, None).unwrap();
        assert_eq!(rows(&changes), [row("b", "3\n", &[])]);
        assert_eq!(changes.repository.branch.as_deref(), Some("side"));
    }

    #[test]
    fn a_staged_rename_is_compared_with_what_it_was() {
        let repo = Repo::new();
        let text: String = (0..50).map(|it| format!("line {it}\n")).collect();
        repo.commit(&[("old.txt", &text)], "one");
        repo.git(&["mv", "old.txt", "new.txt"]);
        let changed = text.clone() + SECRET;
        repo.write("new.txt", &changed);
        repo.git(&["add", "new.txt"]);
        assert_eq!(
            rows(&staged(repo.path(), None).unwrap()),
            [row("new.txt", &changed, &[&text])]
        );
    }

    #[test]
    fn both_sides_of_a_conflict_are_read_and_submodules_are_not() {
        let repo = Repo::new();
        let base = repo.commit(&[("a", "base\n")], "base");
        repo.git(&["checkout", "-q", "-b", "side"]);
        repo.commit(&[("a", "theirs\n")], "side");
        repo.git(&["checkout", "-q", "main"]);
        repo.commit(&[("a", "ours\n")], "main");
        repo.git(&[
            "update-index",
            "--add",
            "--cacheinfo",
            &format!("160000,{base},module"),
        ]);
        repo.git(&["commit", "-q", "-m", "module"]);
        let script = "git -c user.name=Ada -c user.email=ada@example.com merge side; test $? = 1";
        let merged = std::process::Command::new("sh")
            .args(["-c", script])
            .current_dir(repo.path())
            .output()
            .unwrap();
        assert!(merged.status.success());
        repo.git(&[
            "update-index",
            "--add",
            "--cacheinfo",
            &format!("160000,{base},second"),
        ]);
        let expected = [
            row("a", "base\n", &["ours\n"]),
            row("a", "theirs\n", &["ours\n"]),
        ];
        let mut found = rows(&staged(repo.path(), None).unwrap());
        found.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_range_brings_what_each_of_its_commits_added_even_if_removed_again() {
        let repo = Repo::new();
        let first = repo.commit(&[("a", "1\n"), ("k", "k\n")], "one");
        let second = repo.commit(&[("b.env", SECRET)], "two");
        let third = repo.commit(&[("b.env", "clean\n"), ("a", "2\n")], "three");
        repo.commit(&[("a", "1\n")], "four: back");
        let changes = range(repo.path(), Some(&first), "main").unwrap();
        let expected = [
            row("a", "1\n", &["2\n"]),
            row("a", "2\n", &["1\n"]),
            row("b.env", "clean\n", &[SECRET]),
            row("b.env", SECRET, &[]),
        ];
        let mut found = rows(&changes);
        found.sort();
        assert_eq!(found, expected);
        let by = |text: &str| {
            changes
                .items
                .iter()
                .find(|it| changes.read(&it.id).unwrap() == text.as_bytes())
                .unwrap()
        };
        assert_eq!(by(SECRET).introduced.as_ref().unwrap().commit, second);
        assert_eq!(by(SECRET).introduced.as_ref().unwrap().author, "Ada");
        assert_eq!(by("2\n").introduced.as_ref().unwrap().commit, third);
        assert_eq!((by(SECRET).in_head, by("clean\n").in_head), (false, true));
        assert_eq!(range(repo.path(), Some("main"), "main").unwrap().items, []);
        assert_eq!(range(repo.path(), None, &first).unwrap().items.len(), 2);
    }

    #[test]
    fn a_merge_counts_only_where_it_differs_from_all_parents() {
        let repo = Repo::new();
        let base = repo.commit(&[("a", "1\n")], "base");
        repo.git(&["checkout", "-q", "-b", "side"]);
        let side = repo.commit(&[("b", "side\n")], "side");
        repo.git(&["checkout", "-q", "main"]);
        let main = repo.commit(&[("c", "main\n")], "main");
        repo.git(&["merge", "-q", "--no-commit", "side"]);
        let merge = repo.commit(&[("evil.env", SECRET)], "merge");
        let who = |from: &str| -> Vec<(String, String)> {
            let changes = range(repo.path(), Some(from), "HEAD").unwrap();
            let commit = |it: &ChangedBlob| it.introduced.as_ref().unwrap().commit.clone();
            changes
                .items
                .iter()
                .map(|it| (it.path.clone(), commit(it)))
                .collect()
        };
        let pair = |path: &str, commit: &String| (path.to_owned(), commit.clone());
        assert_eq!(
            who(&base),
            [pair("b", &side), pair("c", &main), pair("evil.env", &merge)]
        );
        assert_eq!(who(&main), [pair("b", &side), pair("evil.env", &merge)]);
        assert_eq!(who(&side), [pair("c", &main), pair("evil.env", &merge)]);
    }

    #[test]
    fn a_renamed_file_in_a_range_is_compared_with_what_it_was() {
        let repo = Repo::new();
        let text: String = (0..50).map(|it| format!("line {it}\n")).collect();
        let first = repo.commit(&[("d/old.txt", &text)], "one");
        repo.git(&["mv", "d/old.txt", "new.txt"]);
        let changed = text.clone() + SECRET;
        repo.commit(&[("new.txt", &changed)], "two");
        let changes = range(repo.path(), Some(&first), "HEAD").unwrap();
        assert_eq!(rows(&changes), [row("new.txt", &changed, &[&text])]);
    }

    #[test]
    fn shallow_clones_answer_only_what_they_can() {
        let repo = Repo::new();
        let first = repo.commit(&[("a", "1\n")], "one");
        for round in 2..6 {
            repo.commit(&[("a", &format!("{round}\n"))], "more");
        }
        let shallow = repo.beside("shallow");
        let url = format!("file://{}", repo.path().display());
        repo.git(&["clone", "-q", "--depth=3", &url, shallow.to_str().unwrap()]);
        let refused = |base: Option<&str>| {
            let error = range(&shallow, base, "HEAD").err().unwrap();
            assert!(matches!(error, Error::Shallow { .. }), "{error:?}");
            assert!(error.hint().unwrap().contains("--unshallow"));
        };
        refused(Some(&first));
        refused(None);
        assert_eq!(
            rows(&range(&shallow, Some("HEAD~2"), "HEAD").unwrap()).len(),
            2
        );
        let error = range(repo.path(), Some("no-such-branch"), "HEAD")
            .err()
            .unwrap();
        assert!(matches!(error, Error::NoSuchRevision { .. }));
    }

    #[test]
    fn objects_in_quarantine_are_found() {
        let repo = Repo::new();
        let first = repo.commit(&[("a", "1\n")], "one");
        let clone = repo.beside("clone");
        repo.git(&["clone", "-q", ".", clone.to_str().unwrap()]);
        let second = repo.commit(&[("b", SECRET)], "two");
        let objects = repo.path().join(".git/objects");
        assert!(range(&clone, Some(&first), &second).is_err());
        let between = Difference::between(Some(&first), &second);
        let changes = super::difference(&clone, &between, &[objects]).unwrap();
        assert_eq!(rows(&changes), [row("b", SECRET, &[])]);
        assert!(staged(Path::new("/nowhere"), None).is_err());
    }
}
