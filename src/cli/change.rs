//! What a change is: where its repository lies, which paths of it are meant, which commits a range names.
//!
//! Not here: reading it, which is the work of `source`.

use super::environment::Environment;
use super::message::Fault;
use super::plan;
use crate::scan::{Difference, Mode, Within};
use crate::source::history::History;
use std::fs;
use std::path::{Path, PathBuf};

/// The repository of a change and the paths that are meant. Git itself says where the repository is when
/// it runs a hook.
pub(super) fn target(
    paths: &[PathBuf],
    environment: &Environment,
) -> Result<(PathBuf, Within), Fault> {
    let first = paths.first().map_or_else(
        || environment.folder.clone(),
        |it| environment.folder.join(it),
    );
    let top = plan::repository_root(&nearest_folder(&first));
    let root = match (&environment.git_dir, &top) {
        (Some(git_dir), _) => git_dir.clone(),
        (None, Some(top)) => top.clone(),
        (None, None) => first,
    };
    let Some(top) = top.or_else(|| {
        environment
            .git_dir
            .as_ref()
            .map(|_| environment.folder.clone())
    }) else {
        return Ok((root, Within::everything()));
    };
    let mut inside = Vec::new();
    for path in paths {
        let path_inside = relative(&environment.folder.join(path), &top).ok_or_else(|| {
            Fault::new(format!(
                "{}: outside of the repository {}",
                path.display(),
                top.display()
            ))
            .hint("one run scans the change of one repository")
        })?;
        inside.push(path_inside);
    }
    // The root of the repository holds everything.
    if inside.iter().any(String::is_empty) {
        inside.clear();
    }
    Ok((root, Within::paths(inside)))
}

/// A deleted file may still be staged, so its folder speaks for it.
fn nearest_folder(path: &Path) -> PathBuf {
    path.ancestors()
        .find(|it| it.exists())
        .unwrap_or(path)
        .to_path_buf()
}

fn relative(path: &Path, top: &Path) -> Option<String> {
    let folder = nearest_folder(path);
    let rest = path.strip_prefix(&folder).ok()?;
    let resolved = match (fs::symlink_metadata(path), path.parent(), path.file_name()) {
        // A link is meant itself, not what it points at.
        (Ok(link), Some(parent), Some(name)) if link.is_symlink() => {
            fs::canonicalize(parent).ok()?.join(name)
        }
        _ => fs::canonicalize(&folder).ok()?.join(rest),
    };
    let inside = resolved
        .strip_prefix(fs::canonicalize(top).ok()?)
        .ok()?
        .to_path_buf();
    let parts: Vec<_> = inside
        .components()
        .map(|it| it.as_os_str().to_string_lossy().into_owned())
        .collect();
    Some(parts.join("/"))
}

/// What `A..B` or `A...B` names.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Range {
    /// What B has and A has not.
    Two(String, String),
    /// What B has since the two parted.
    Three(String, String),
}

fn parse(text: &str) -> Result<Range, Fault> {
    let fault = || {
        Fault::new(format!("`{text}` is no range of commits"))
            .hint("write A..B for what B has and A has not; for all since A, use --since A")
    };
    let or_head = |it: &str| {
        if it.is_empty() {
            "HEAD".to_owned()
        } else {
            it.to_owned()
        }
    };
    let (left, right, has_three) = match (text.split_once("..."), text.split_once("..")) {
        (Some((left, right)), _) => (left, right, true),
        (None, Some((left, right))) => (left, right, false),
        (None, None) => return Err(fault()),
    };
    let is_odd = |it: &str| it.contains("..") || it.starts_with('-') || it.starts_with('.');
    if is_odd(left) || is_odd(right) || (left.is_empty() && right.is_empty()) {
        return Err(fault());
    }
    let (left, right) = (or_head(left), or_head(right));
    Ok(if has_three {
        Range::Three(left, right)
    } else {
        Range::Two(left, right)
    })
}

/// The mode for a range of commits of this repository.
pub(super) fn range(text: &str, repository: &Path) -> Result<Mode, Fault> {
    match parse(text)? {
        Range::Two(base, tip) => Ok(Mode::Range(Difference::between(Some(&base), &tip))),
        Range::Three(one, other) => {
            let base = parting(repository, &one, &other)?;
            Ok(Mode::Range(Difference::between(base.as_deref(), &other)))
        }
    }
}

/// The mode for what came since a revision.
pub(super) fn since(revision: &str, path: &Path) -> Result<Mode, Fault> {
    let is_day = revision.parse::<jiff::civil::Date>().is_ok();
    let is_named = || {
        let repository = git2::Repository::discover(path).ok()?;
        repository.revparse_single(revision).ok().map(|_| ())
    };
    if is_day && is_named().is_none() {
        return Err(Fault::new(format!(
            "--since takes a revision, and `{revision}` is a day"
        ))
        .hint(format!(
            "git rev-list -1 --before={revision} HEAD tells the last commit before it"
        )));
    }
    Ok(Mode::Range(Difference::between(Some(revision), "HEAD")))
}

/// The commit where two lines of history parted; `None` if they share none.
fn parting(path: &Path, one: &str, other: &str) -> Result<Option<String>, Fault> {
    // Repositories that cannot be read are refused here in plain words.
    History::open(path)?;
    let refused = |it: git2::Error| Fault::new(format!("{}: {}", path.display(), it.message()));
    let repository = git2::Repository::discover(path).map_err(refused)?;
    let resolve = |revision: &str| {
        let found = repository
            .revparse_single(revision)
            .and_then(|it| it.peel_to_commit());
        found.map(|it| it.id()).map_err(|_| {
            Fault::new(format!(
                "{}: no commit is named `{revision}`",
                path.display()
            ))
            .hint("fetch it first; a shallow clone has only the newest commits")
        })
    };
    match repository.merge_base(resolve(one)?, resolve(other)?) {
        Ok(base) => Ok(Some(base.to_string())),
        Err(error) if error.code() == git2::ErrorCode::NotFound && repository.is_shallow() => {
            Err(Fault::new(format!(
                "{}: this clone is shallow, and ends before `{one}` and `{other}` meet",
                path.display()
            ))
            .hint("git fetch --unshallow"))
        }
        Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
        Err(error) => Err(refused(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_git_reads_them() {
        let two = |a: &str, b: &str| Some(Range::Two(a.to_owned(), b.to_owned()));
        let three = |a: &str, b: &str| Some(Range::Three(a.to_owned(), b.to_owned()));
        for (text, expected) in [
            ("a..b", two("a", "b")),
            ("a..", two("a", "HEAD")),
            ("..b", two("HEAD", "b")),
            ("a...b", three("a", "b")),
            ("v1.0..v1.1", two("v1.0", "v1.1")),
            ("origin/main...", three("origin/main", "HEAD")),
            ("a", None),
            ("..", None),
            ("...", None),
            ("a....b", None),
            ("a..b..c", None),
            ("--all..b", None),
        ] {
            assert_eq!(parse(text).ok(), expected, "{text}");
        }
    }
}
