//! Opening a git repository: formats refused in plain words, ownership, and where it stands.
//!
//! Not here: objects, commits, the index. Nothing in this folder runs hooks, filters or programs.

use crate::model::coverage::{Gap, Reason};
use crate::model::report;
use crate::source::error::Error;
use crate::source::refs::Refs;
use crate::source::spelling;
use git2::{ErrorCode, Repository, RepositoryOpenFlags};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Once;

static EXTENSIONS: Once = Once::new();

/// Opens the repository that `path` lies in: a work tree, a folder in one, a bare repository, a linked
/// work tree, or the git folder itself.
pub(crate) fn open(path: &Path) -> Result<Repository, Error> {
    if !path.exists() {
        return Err(Error::NoSuchPath(spelling::shown(path)));
    }
    allow_extensions();
    let git_dir =
        Repository::discover_path(path, [] as [&OsStr; 0]).map_err(|it| translated(path, &it))?;
    refuse_formats(path, &common_dir(&git_dir))?;
    Repository::open(&git_dir)
        .or_else(|error| without_work_tree(&git_dir, error))
        .map_err(|it| translated(path, &it))
}

/// The git folder of a submodule outlives its work tree, which its configuration still names.
fn without_work_tree(git_dir: &Path, error: git2::Error) -> Result<Repository, git2::Error> {
    let named = setting(git_dir, "core.worktree");
    match named.filter(|it| !git_dir.join(it).exists()) {
        Some(_) => {
            let flags = RepositoryOpenFlags::BARE | RepositoryOpenFlags::NO_SEARCH;
            Repository::open_ext(git_dir, flags, [] as [&OsStr; 0])
        }
        None => Err(error),
    }
}

/// The library opens only repositories whose every extension it knows. The ones named here change
/// nothing about how objects that are present are read.
#[allow(
    unsafe_code,
    reason = "sets a list inside the C library; called once, before any repository is opened"
)]
fn allow_extensions() {
    EXTENSIONS.call_once(|| {
        // SAFETY: the list is written once under `Once`, and every reader in this program (opening a
        // repository) comes after this call.
        let _ = unsafe {
            git2::opts::set_extensions(&["partialclone", "relativeworktrees", "compatobjectformat"])
        };
    });
}

/// What the library's error means for the repository at `path`.
pub(crate) fn translated(path: &Path, error: &git2::Error) -> Error {
    let shown = spelling::shown(path);
    match error.code() {
        ErrorCode::NotFound if error.class() == git2::ErrorClass::Repository => {
            Error::NotARepository(shown)
        }
        ErrorCode::Owner => Error::Ownership(shown),
        _ if error.message().contains("unsupported") => Error::Unsupported {
            path: shown,
            what: error.message().replace("unsupported ", ""),
        },
        _ => Error::Git {
            path: shown,
            message: error.message().to_owned(),
        },
    }
}

/// Linked work trees keep their objects in the folder they name.
fn common_dir(git_dir: &Path) -> PathBuf {
    match fs::read_to_string(git_dir.join("commondir")) {
        Ok(name) => git_dir.join(name.trim_end()),
        Err(_) => git_dir.to_owned(),
    }
}

fn refuse_formats(path: &Path, common: &Path) -> Result<(), Error> {
    let setting = |name: &str| setting(common, name).map(|it| it.to_lowercase());
    let config = setting("extensions.objectformat");
    let refused = match config.as_deref() {
        Some(format) if format != "sha1" => Some(format!("the {format} object format")),
        _ => setting("extensions.refstorage")
            .filter(|it| it != "files")
            .map(|storage| format!("the {storage} ref format")),
    };
    refused.map_or(Ok(()), |what| {
        Err(Error::Unsupported {
            path: spelling::shown(path),
            what,
        })
    })
}

/// A value of the repository's own configuration file, lower-cased.
fn setting(common: &Path, name: &str) -> Option<String> {
    own_text(common, name).map(|it| it.to_lowercase())
}

/// A value of the repository's own configuration file; the user's files are not asked.
pub(crate) fn own_text(common: &Path, name: &str) -> Option<String> {
    let config = git2::Config::open(&common.join("config")).ok()?;
    config.get_string(name).ok()
}

/// Whether the clone was made with a filter, so that objects may be missing by design.
pub(crate) fn is_partial(repository: &Repository) -> bool {
    promisor(repository).is_some()
}

/// The name of the remote that promised what a filter kept away.
pub(crate) fn promisor(repository: &Repository) -> Option<String> {
    let common = repository.commondir();
    if let Some(name) = own_text(common, "extensions.partialclone") {
        return Some(name);
    }
    let config = git2::Config::open(&common.join("config")).ok()?;
    let mut entries = config.entries(Some("^remote\\..*\\.promisor$")).ok()?;
    let entry = entries.next()?.ok()?;
    let name = entry.name().ok()?.strip_prefix("remote.")?;
    name.strip_suffix(".promisor").map(str::to_owned)
}

/// What git would show in place of other things. Both sides are in the object database and are read; who
/// came from whom is told as the commits themselves say (gitreplace, gitrepository-layout).
pub(crate) fn not_followed(repository: &Repository, refs: &Refs) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut tell = |count: usize, path: &str, what: &str| {
        if count > 0 {
            gaps.push(Gap {
                path: path.to_owned(),
                reason: Reason::NotFollowed,
                detail: format!("{count} {what}"),
            });
        }
    };
    let replaced = refs
        .names
        .iter()
        .filter(|it| it.starts_with("refs/replace/"));
    tell(
        replaced.count(),
        "refs/replace",
        "object(s) are replaced by others; both were read, and history is told as it was before",
    );
    let grafts = fs::read(repository.commondir().join("info/grafts")).unwrap_or_default();
    let lines = grafts.split(|it| *it == b'\n');
    tell(
        lines.filter(|it| !it.is_empty() && it[0] != b'#').count(),
        "info/grafts",
        "commit(s) are given other parents; history is told as it was before",
    );
    gaps
}

/// Where the repository stands.
pub(crate) fn standing(repository: &Repository) -> report::Repository {
    let head = repository.head().ok();
    let branch = head
        .as_ref()
        .filter(|it| it.is_branch())
        .map(|it| spelling::text(it.shorthand_bytes()).into_owned());
    report::Repository {
        name: ".".to_owned(),
        url: remote_url(repository),
        head: head
            .and_then(|it| it.peel_to_commit().ok())
            .map(|it| it.id().to_string()),
        branch: branch.or_else(|| unborn_branch(repository)),
    }
}

fn remote_url(repository: &Repository) -> Option<String> {
    let remote = repository.find_remote("origin").ok().or_else(|| {
        let names = repository.remotes().ok()?;
        let first = names.iter().flatten().flatten().next()?.to_owned();
        repository.find_remote(&first).ok()
    })?;
    Some(spelling::url_without_user_info(&spelling::text(
        remote.url_bytes(),
    )))
    .filter(|it| !it.is_empty())
}

fn unborn_branch(repository: &Repository) -> Option<String> {
    let head = repository.find_reference("HEAD").ok()?;
    let target = spelling::text(head.symbolic_target_bytes()?).into_owned();
    target.strip_prefix("refs/heads/").map(str::to_owned)
}

/// The ids at which a shallow clone ends.
pub(crate) fn shallow_boundary(repository: &Repository) -> Vec<git2::Oid> {
    let text = fs::read_to_string(repository.commondir().join("shallow")).unwrap_or_default();
    text.lines()
        .filter_map(|line| git2::Oid::from_str(line.trim()).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::testing::Repo;

    #[test]
    fn what_is_not_there_is_told_apart_from_what_is_no_repository() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            open(&folder.path().join("none")),
            Err(Error::NoSuchPath(_))
        ));
        let opened = open(folder.path());
        assert!(
            matches!(opened, Err(Error::NotARepository(_))),
            "{:?}",
            opened.err()
        );
    }

    #[test]
    fn formats_it_cannot_read_are_refused_in_plain_words() {
        for (argument, word) in [
            ("--object-format=sha256", "sha256"),
            ("--ref-format=reftable", "reftable"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            Repo::git_in(folder.path(), &["init", "-q", argument, "r"]);
            let error = open(&folder.path().join("r")).err().unwrap();
            assert!(matches!(error, Error::Unsupported { .. }), "{error:?}");
            assert!(error.to_string().contains(word), "{error}");
        }
    }

    #[test]
    fn standing_names_branch_head_and_clean_url() {
        let repo = Repo::new();
        let unborn = standing(&open(repo.path()).unwrap());
        assert_eq!(
            (unborn.head, unborn.branch.as_deref()),
            (None, Some("main"))
        );
        let id = repo.commit(&[("a", "1")], "one");
        repo.git(&["remote", "add", "origin", "https://u:p@example.com/x.git"]);
        let standing = standing(&open(repo.path()).unwrap());
        assert_eq!(standing.url.as_deref(), Some("https://example.com/x.git"));
        assert_eq!(standing.head, Some(id));
        assert_eq!(standing.branch.as_deref(), Some("main"));
    }
}
