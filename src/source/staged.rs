//! What a commit would take: entries of the index that differ from HEAD.
//!
//! Not here: the work tree, which a commit does not look at.

use crate::model::blob::ObjectId;
use crate::source::change::{ChangedBlob, Changes};
use crate::source::error::Error;
use crate::source::{repository, spelling};
use git2::{Delta, DiffFindOptions, DiffOptions, ErrorCode, FileMode, Index, IndexEntry, Repository, Tree};
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

fn items(repository: &Repository, index_file: Option<&Path>) -> Result<Vec<ChangedBlob>, git2::Error> {
    let index = match index_file {
        Some(path) => Index::open(path)?,
        None => repository.index()?,
    };
    let head = head_tree(repository)?;
    let mut items = differing(repository, head.as_ref(), &index)?;
    if index.has_conflicts() {
        items.extend(conflicting(head.as_ref(), &index)?);
    }
    Ok(items)
}

/// HEAD's tree; `None` before the first commit.
fn head_tree(repository: &Repository) -> Result<Option<Tree<'_>>, git2::Error> {
    match repository.head() {
        Ok(head) => head.peel_to_tree().map(Some),
        Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

fn differing(
    repository: &Repository,
    head: Option<&Tree<'_>>,
    index: &Index,
) -> Result<Vec<ChangedBlob>, git2::Error> {
    let mut options = DiffOptions::new();
    options.include_typechange(true).skip_binary_check(true).ignore_submodules(true);
    let mut diff = repository.diff_tree_to_index(head, Some(index), Some(&mut options))?;
    find_renames(&mut diff)?;
    let mut items = Vec::new();
    for delta in diff.deltas() {
        let is_change =
            matches!(delta.status(), Delta::Added | Delta::Modified | Delta::Renamed | Delta::Copied | Delta::Typechange);
        let new = delta.new_file();
        let (Some(id), Some(path)) = (content(new.id(), new.mode()), new.path_bytes()) else { continue };
        if is_change {
            let before = content(delta.old_file().id(), delta.old_file().mode()).into_iter().collect();
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
    if id.is_zero() || !matches!(mode, FileMode::Blob | FileMode::BlobExecutable | FileMode::BlobGroupWritable | FileMode::Link) {
        return None;
    }
    ObjectId::from_bytes(id.as_bytes()).filter(|it| *it.as_bytes() != EMPTY)
}

/// The empty blob; also what `git add --intent-to-add` puts into the index without having it.
const EMPTY: [u8; 20] = [
    0xe6, 0x9d, 0xe2, 0x9b, 0xb2, 0xd1, 0xd6, 0x43, 0x4b, 0x8b, 0x29, 0xae, 0x77, 0x5a, 0xd8, 0xc2, 0xe4, 0x8c, 0x53, 0x91,
];

fn changed(path: &[u8], id: ObjectId, before: Vec<ObjectId>) -> ChangedBlob {
    ChangedBlob { path: spelling::text(path).into_owned(), id, before, introduced: None, in_head: false }
}

/// The sides of unresolved merges, except what HEAD has anyway.
fn conflicting(head: Option<&Tree<'_>>, index: &Index) -> Result<Vec<ChangedBlob>, git2::Error> {
    let mut items = Vec::new();
    for conflict in index.conflicts()? {
        let conflict = conflict?;
        for side in [conflict.ancestor, conflict.our, conflict.their].into_iter().flatten() {
            let Some(id) = regular(&side) else { continue };
            let before = head.and_then(|it| at_path(it, &side.path));
            let item = changed(&side.path, id, before.into_iter().collect());
            if before != Some(id) && !items.contains(&item) {
                items.push(item);
            }
        }
    }
    Ok(items)
}

fn regular(entry: &IndexEntry) -> Option<ObjectId> {
    // 0o100000 is a file, 0o120000 a link; a submodule is neither.
    let is_content = matches!(entry.mode & 0o170000, 0o100000 | 0o120000);
    ObjectId::from_bytes(entry.id.as_bytes()).filter(|it| is_content && *it.as_bytes() != EMPTY)
}

/// The blob at a path of a tree.
fn at_path(tree: &Tree<'_>, path: &[u8]) -> Option<ObjectId> {
    let path = std::str::from_utf8(path).ok()?;
    let entry = tree.get_path(Path::new(path)).ok()?;
    ObjectId::from_bytes(entry.id().as_bytes())
}
