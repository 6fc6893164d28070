//! What a commit would take: entries of the index that differ from HEAD.
//!
//! Not here: the work tree, which a commit does not look at.

use crate::model::blob::ObjectId;
use crate::source::change::{ChangedBlob, Changes};
use crate::source::error::Error;
use crate::source::index::{Differences, IndexFile, Side};
use crate::source::{repository, spelling};
use git2::{
    Delta, DiffFindOptions, DiffOptions, ErrorCode, FileMode, Index, IndexEntry, IndexTime,
    ObjectType, Oid, Repository, Tree,
};
use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// Pairs of added and removed files compared in search of renames.
const RENAME_LIMIT: usize = 400;

/// The index against HEAD. `repo` is a work tree or a git folder (`GIT_DIR`); `index_file` stands for
/// `GIT_INDEX_FILE`, which git sets for `commit -a` and `commit PATH`.
pub fn staged(repo: &Path, index_file: Option<&Path>) -> Result<Changes, Error> {
    let repository = repository::open(repo)?;
    let standing = repository::standing(&repository);
    let items = items(&repository, index_file).map_err(|it| repository::translated(repo, &it))?;
    Ok(Changes::new(items, Vec::new(), standing, repository))
}

fn items(
    repository: &Repository,
    index_file: Option<&Path>,
) -> Result<Vec<ChangedBlob>, git2::Error> {
    let own = repository.path().join("index");
    let head = head_tree(repository)?;
    match quick(repository, index_file.unwrap_or(&own), head.as_ref()) {
        Some(items) => Ok(items),
        None => thorough(repository, index_file, head.as_ref()),
    }
}

/// The answer from the index file alone; `None` where only the library can tell.
fn quick(
    repository: &Repository,
    index_file: &Path,
    head: Option<&Tree<'_>>,
) -> Option<Vec<ChangedBlob>> {
    let odb = repository.odb().ok()?;
    let read = |id: &[u8; 20]| {
        let object = odb.read(Oid::from_bytes(id).ok()?).ok()?;
        (object.kind() == ObjectType::Tree).then(|| object.data().to_vec())
    };
    let bytes = fs::read(index_file).ok()?;
    let tree = head.and_then(|it| it.id().as_bytes().first_chunk().copied());
    let differences = IndexFile::parse(&bytes)?.differences(tree.as_ref(), &read)?;
    let sources = rename_sources(repository, &differences).unwrap_or_default();
    let mut items = Vec::new();
    for (side, before) in &differences.changed {
        let Some(id) = regular(side.mode, &side.id) else {
            continue;
        };
        let before = before.as_ref().or_else(|| sources.get(&side.path));
        let before = before.and_then(|it| ObjectId::from_bytes(it));
        items.push(changed(&side.path, id, before.into_iter().collect()));
    }
    items.sort();
    items.dedup();
    Some(items)
}

/// For each new path that looks like one that went, what that one held.
fn rename_sources(
    repository: &Repository,
    differences: &Differences,
) -> Result<HashMap<Vec<u8>, [u8; 20]>, git2::Error> {
    let new = differences.changed.iter().filter(|it| it.1.is_none());
    let new: Vec<&Side> = new.map(|it| &it.0).collect();
    let gone: Vec<&Side> = differences.gone.iter().collect();
    let mut sources = HashMap::new();
    if new.is_empty() || gone.is_empty() || new.len().max(gone.len()) > RENAME_LIMIT {
        return Ok(sources);
    }
    let (old, new) = (index_of(&gone)?, index_of(&new)?);
    let mut diff = repository.diff_index_to_index(&old, &new, None)?;
    find_renames(&mut diff)?;
    for delta in diff.deltas().filter(|it| it.status() == Delta::Renamed) {
        let source = delta.old_file().id().as_bytes().first_chunk().copied();
        let path = delta.new_file().path_bytes().map(<[u8]>::to_vec);
        sources.extend(path.zip(source));
    }
    Ok(sources)
}

/// An index in memory with these entries.
fn index_of(sides: &[&Side]) -> Result<Index, git2::Error> {
    let mut index = Index::new()?;
    let never = IndexTime::new(0, 0);
    for side in sides {
        if regular(side.mode, &side.id).is_none() {
            continue;
        }
        index.add(&IndexEntry {
            ctime: never,
            mtime: never,
            dev: 0,
            ino: 0,
            mode: side.mode,
            uid: 0,
            gid: 0,
            file_size: 0,
            id: Oid::from_bytes(&side.id)?,
            flags: 0,
            flags_extended: 0,
            path: side.path.clone(),
        })?;
    }
    Ok(index)
}

fn thorough(
    repository: &Repository,
    index_file: Option<&Path>,
    head: Option<&Tree<'_>>,
) -> Result<Vec<ChangedBlob>, git2::Error> {
    let index = match index_file {
        Some(path) => Index::open(path)?,
        None => repository.index()?,
    };
    let mut items = differing(repository, head, &index)?;
    if index.has_conflicts() {
        items.extend(conflicting(head, &index)?);
    }
    Ok(items)
}

/// HEAD's tree; `None` before the first commit.
fn head_tree(repository: &Repository) -> Result<Option<Tree<'_>>, git2::Error> {
    match repository.head() {
        Ok(head) => head.peel_to_tree().map(Some),
        Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn differing(
    repository: &Repository,
    head: Option<&Tree<'_>>,
    index: &Index,
) -> Result<Vec<ChangedBlob>, git2::Error> {
    let mut options = DiffOptions::new();
    options
        .include_typechange(true)
        .skip_binary_check(true)
        .ignore_submodules(true);
    let mut diff = repository.diff_tree_to_index(head, Some(index), Some(&mut options))?;
    find_renames(&mut diff)?;
    let mut items = Vec::new();
    for delta in diff.deltas() {
        let is_change = matches!(
            delta.status(),
            Delta::Added | Delta::Modified | Delta::Renamed | Delta::Copied | Delta::Typechange
        );
        let new = delta.new_file();
        // Other rights, same bytes: nothing new to read.
        let is_same = delta.old_file().id() == new.id() && delta.status() != Delta::Renamed;
        let (Some(id), Some(path)) = (content(new.id(), new.mode()), new.path_bytes()) else {
            continue;
        };
        if is_change && !is_same {
            let before = content(delta.old_file().id(), delta.old_file().mode())
                .into_iter()
                .collect();
            items.push(changed(path, id, before));
        }
    }
    Ok(items)
}

/// Pairs what went with what came, so that a renamed file is compared with what it was.
pub(crate) fn find_renames(diff: &mut git2::Diff<'_>) -> Result<(), git2::Error> {
    let gone = diff.deltas().any(|it| it.status() == Delta::Deleted);
    if !gone || !diff.deltas().any(|it| it.status() == Delta::Added) {
        return Ok(());
    }
    let mut options = DiffFindOptions::new();
    options.renames(true).rename_limit(RENAME_LIMIT);
    diff.find_similar(Some(&mut options))
}

/// The id, if it stands for bytes: no submodule, nothing absent, nothing empty.
pub(crate) fn content(id: git2::Oid, mode: FileMode) -> Option<ObjectId> {
    if id.is_zero()
        || !matches!(
            mode,
            FileMode::Blob
                | FileMode::BlobExecutable
                | FileMode::BlobGroupWritable
                | FileMode::Link
        )
    {
        return None;
    }
    ObjectId::from_bytes(id.as_bytes()).filter(|it| *it.as_bytes() != EMPTY)
}

/// The empty blob; also what `git add --intent-to-add` puts into the index without having it.
const EMPTY: [u8; 20] = [
    0xe6, 0x9d, 0xe2, 0x9b, 0xb2, 0xd1, 0xd6, 0x43, 0x4b, 0x8b, 0x29, 0xae, 0x77, 0x5a, 0xd8, 0xc2,
    0xe4, 0x8c, 0x53, 0x91,
];

fn changed(path: &[u8], id: ObjectId, before: Vec<ObjectId>) -> ChangedBlob {
    ChangedBlob {
        path: spelling::text(path).into_owned(),
        id,
        before,
        introduced: None,
        in_head: false,
    }
}

/// The sides of unresolved merges, except what HEAD has anyway.
fn conflicting(head: Option<&Tree<'_>>, index: &Index) -> Result<Vec<ChangedBlob>, git2::Error> {
    let mut items = Vec::new();
    for conflict in index.conflicts()? {
        let conflict = conflict?;
        for side in [conflict.ancestor, conflict.our, conflict.their]
            .into_iter()
            .flatten()
        {
            let Some(id) = regular(side.mode, side.id.as_bytes()) else {
                continue;
            };
            let before = head.and_then(|it| at_path(it, &side.path));
            let item = changed(&side.path, id, before.into_iter().collect());
            if before != Some(id) && !items.contains(&item) {
                items.push(item);
            }
        }
    }
    Ok(items)
}

/// The id, if the mode stands for bytes and they are not empty.
fn regular(mode: u32, id: &[u8]) -> Option<ObjectId> {
    // 0o100000 is a file, 0o120000 a link; a submodule is neither.
    let is_content = matches!(mode & 0o170000, 0o100000 | 0o120000);
    ObjectId::from_bytes(id).filter(|it| is_content && *it.as_bytes() != EMPTY)
}

/// The blob at a path of a tree.
fn at_path(tree: &Tree<'_>, path: &[u8]) -> Option<ObjectId> {
    let path = std::str::from_utf8(path).ok()?;
    let entry = tree.get_path(Path::new(path)).ok()?;
    ObjectId::from_bytes(entry.id().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::testing::Repo;

    /// What the index file says by itself must be what the library says.
    fn both(repo: &Repo, what: &str) -> Vec<String> {
        let repository = repository::open(repo.path()).unwrap();
        let head = head_tree(&repository).unwrap();
        let file = repo.path().join(".git/index");
        let quick = quick(&repository, &file, head.as_ref()).unwrap();
        let mut thorough = thorough(&repository, None, head.as_ref()).unwrap();
        thorough.sort();
        assert_eq!(quick, thorough, "{what}");
        quick.into_iter().map(|it| it.path).collect()
    }

    #[test]
    fn the_quick_way_and_the_thorough_way_agree() {
        for version in ["2", "3", "4"] {
            let repo = Repo::new();
            repo.git(&["config", "index.version", version]);
            let long: String = (0..60).map(|it| format!("line {it}\n")).collect();
            for folder in ["a", "a/b", "a.b", "a-", "z/y/x"] {
                for file in 0..9 {
                    repo.write(&format!("{folder}/{file}"), format!("{folder} {file}"));
                }
            }
            repo.write("old", &long);
            repo.git(&["add", "-A"]);
            assert_eq!(both(&repo, "unborn").len(), 46);
            repo.git(&["commit", "-q", "-m", "one"]);
            assert!(both(&repo, "unchanged").is_empty());
            repo.write("a/b/3", "changed");
            repo.write("a/new/file", "new");
            repo.git(&["add", "-A"]);
            assert_eq!(both(&repo, "changed"), ["a/b/3", "a/new/file"]);
            repo.git(&["mv", "old", "z/renamed"]);
            repo.git(&["rm", "-q", "-r", "z/y"]);
            repo.git(&["rm", "-q", "-r", "a.b"]);
            repo.write("a.b", "a file where a folder was");
            repo.git(&["rm", "-q", "a/1"]);
            repo.write("a/1/deep", "a folder where a file was");
            repo.write("later", "x");
            repo.git(&["add", "a.b", "a/1"]);
            repo.git(&["add", "-N", "later"]);
            let paths = both(&repo, "renamed and replaced");
            assert_eq!(
                paths,
                ["a.b", "a/1/deep", "a/b/3", "a/new/file", "z/renamed"]
            );
            repo.git(&["update-index", "--chmod=+x", "a/2"]);
            both(&repo, "mode only");
            let long = format!("long/{}/x", vec!["n".repeat(200); 22].join("/"));
            let id = repo.git(&["rev-parse", "HEAD:old"]);
            let info = format!("100644,{id},{long}");
            repo.git(&["update-index", "--add", "--cacheinfo", &info]);
            // The library refuses names of this length.
            let changes = staged(repo.path(), None).unwrap();
            assert!(changes.items.iter().any(|it| it.path == long));
        }
    }

    #[test]
    fn damaged_index_files_are_left_to_the_library() {
        let repo = Repo::new();
        repo.commit(&[("a/b", "1"), ("c", "2"), ("d/e/f", "3")], "one");
        repo.write("c", "3");
        repo.git(&["add", "c"]);
        let sound = fs::read(repo.path().join(".git/index")).unwrap();
        let repository = repository::open(repo.path()).unwrap();
        let head = head_tree(&repository).unwrap();
        let answer = quick(&repository, &repo.path().join(".git/index"), head.as_ref()).unwrap();
        assert_eq!(answer.len(), 1);
        let damaged = repo.beside("damaged");
        for at in 0..sound.len() {
            for bytes in [sound[..at].to_vec(), {
                let mut flipped = sound.clone();
                flipped[at] ^= 0xff;
                flipped
            }] {
                fs::write(&damaged, bytes).unwrap();
                // Some damage goes unseen, as in git itself; none may panic.
                quick(&repository, &damaged, head.as_ref());
            }
            fs::write(&damaged, &sound[..at]).unwrap();
            // Cutting off the remembered trees alone leaves every entry in place.
            let found = quick(&repository, &damaged, head.as_ref());
            assert!(found.is_none_or(|it| it == answer), "{at}");
        }
    }

    #[test]
    fn sparse_checkouts_are_read_and_split_indexes_are_refused() {
        let repo = Repo::new();
        repo.commit(&[("in/x", "1"), ("out/deep/y", "2"), ("out/z", "3")], "one");
        repo.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "in"]);
        repo.write("in/x", "changed");
        repo.git(&["add", "in/x"]);
        let changes = staged(repo.path(), None).unwrap();
        let paths: Vec<_> = changes.items.iter().map(|it| it.path.as_str()).collect();
        assert_eq!(paths, ["in/x"]);
        let split = Repo::new();
        split.commit(&[("x", "1")], "one");
        split.git(&["update-index", "--split-index"]);
        split.write("x", "2");
        split.git(&["add", "x"]);
        let error = staged(split.path(), None).err().unwrap();
        assert!(matches!(error, Error::Unsupported { .. }), "{error:?}");
    }
}
